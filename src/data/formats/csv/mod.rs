//! Tables of numbers as text (RFC 4180, and what spreadsheets make of it).

mod cell;
mod header;
mod newlines;
mod read;
mod records;
mod write;

pub use write::{CsvWriter, write_csv};

use super::format::{Content, Format};

pub(super) static FORMAT: Format = Format {
    name: "CSV",
    recognised_by: "UTF-8 text: anything else without a zero byte among its first four",
    holds: "cells between tabs, semicolons or commas, with or without a header",
    recognises: |head| !head[..head.len().min(4)].contains(&0),
    content: Content::Text(read::read),
};
