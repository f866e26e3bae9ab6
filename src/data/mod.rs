//! Where rows come from: readers, built-in sets, labels, missing cells, scaling; and what training changes in them: shift,
//! binarisation, corruption.
//!
//! [`read()`] turns a file or the name of a built-in set into a [`Dataset`], which keeps bytes as bytes. A [`Scaling`],
//! fitted on the rows to learn from, gives the same rows in the units of a network as [`Rows`](crate::rows::Rows), and turns what a model
//! gives back into the units of the file. [`CsvWriter`] writes such rows.
//!
//! | format | told by | holds |
//! |---|---|---|
//! | gzip | its magic number | one of the others |
//! | IDX | two zero bytes at its start | rows of unsigned bytes, `f32` or `f64`; images are flattened |
//! | CSV | anything else | UTF-8 text: cells between tabs, semicolons or commas, with or without a header |

mod augmentation;
mod binarisation;
mod built_in;
mod choice;
mod columns;
mod corruption;
mod csv;
mod dataset;
mod gzip;
mod hiding;
mod idx;
mod labels;
mod missing;
mod newlines;
mod read;
mod scaling;
mod shift;
mod write;

pub use augmentation::Augmentation;
pub use binarisation::Binarisation;
pub use built_in::BUILT_IN_NAMES;
pub use choice::RowChoice;
pub use corruption::Corruption;
pub use dataset::{Dataset, Labels, Values};
pub use hiding::{BlockSize, Hiding};
pub use labels::read_labels;
pub use missing::Missing;
pub use read::{Columns, ReadOptions, read, read_from, read_incomplete};
pub use scaling::{ScaledRows, Scaling, ScalingChoice};
pub use shift::{check_shift, shifted};
pub use write::{CsvWriter, write_csv};
