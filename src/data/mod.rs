//! Data sets: readers, built-in sets, labels, missing cells, scaling.
//!
//! [`read()`] turns a file or the name of a built-in set into a [`Dataset`], which keeps bytes as bytes. A [`Scaling`],
//! fitted on the training rows, maps rows to the units of a network as [`Rows`](crate::rows::Rows), and maps a model's
//! output back to the units of the file. [`CsvWriter`] writes such rows.
//!
//! | format | recognised by | holds |
//! |---|---|---|
//! | IDX | two zero bytes at its start | rows of unsigned bytes, `f32` or `f64`; images are flattened |
//! | gzip | its magic number, 1f 8b | one of the others |
//! | CSV | UTF-8 text: anything else without a zero byte among its first four | cells between tabs, semicolons or commas, with or without a header |
//!
//! The path of a file through the modules; each imports only from those to its right:
//!
//! ```text
//! read, label_file ─▶ built_in ─▶ formats (idx, gzip, csv) ─▶ columns, input ─▶ options, messages
//!                                         │
//! choice, scaling, missing ───────────────┴─▶ dataset ─▶ labels
//! ```

mod built_in;
mod choice;
mod columns;
mod dataset;
mod formats;
mod input;
mod label_file;
mod labels;
mod messages;
mod missing;
mod options;
mod read;
mod scaling;

pub use built_in::BUILT_IN_NAMES;
pub use dataset::{Dataset, Values};
pub use formats::{CsvWriter, FORMATS, Format, write_csv};
pub use input::Input;
pub use label_file::read_labels;
pub use labels::Labels;
pub use missing::Missing;
pub use options::{Columns, ReadOptions, RowChoice};
pub use read::{read, read_from, read_incomplete, read_input, sources};
pub use scaling::{ScaledRows, Scaling, ScalingChoice};
