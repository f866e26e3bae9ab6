//! Pictures of models and their rows: each by itself as SVG or PNG, or all in one HTML page that needs no network.
//!
//! ```
//! use diabolo::data::{self, ReadOptions, ScalingChoice};
//! use diabolo::model::{Validation, fit_pca};
//! use diabolo::pca::{Components, PcaOptions};
//! use diabolo::report::{Entry, Plot, Sample, plot};
//!
//! let iris = data::read("iris", &ReadOptions::default())?;
//! let options = PcaOptions { components: Components::Count(2), ..PcaOptions::default() };
//! let model = fit_pca(&iris, ScalingChoice::Auto, &options, Validation::None)?.model;
//! let entry = Entry { name: "PCA", model: &model };
//! let figure = plot(Plot::Codes, &[entry], &Sample::new(&iris, &[])?)?;
//! assert!(figure.to_svg().starts_with("<svg"));
//! # Ok::<(), diabolo::Error>(())
//! ```
//!
//! Charts are drawn by a few hundred lines here, not by a library, so that they follow a page into dark mode, have text for
//! people who cannot see them, and are the same in a page and in a file.

mod chart;
mod classes;
mod codes;
mod colour;
mod drawing;
mod drawn;
mod errors;
mod figure;
mod filters;
mod loss;
mod manifold;
mod markup;
mod measured;
mod number;
mod page;
mod picture;
mod plot;
mod points;
mod reconstructions;
mod restored;
mod sample;
mod summary;

pub use figure::Figure;
pub use measured::Entry;
pub use number::{plain, significant};
pub use page::Report;
pub use picture::{BYTES, png_sheet, value_range};
pub use plot::{Plot, plot, plot_loss};
pub use sample::Sample;
pub use summary::Summary;
