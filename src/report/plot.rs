//! Single figures, each for a file.

use super::codes::codes;
use super::drawing::{Anchor, Drawing};
use super::drawn::drawn;
use super::errors::errors;
use super::figure::Figure;
use super::filters::filters;
use super::loss::{Span, loss};
use super::manifold::manifold;
use super::measured::{Entry, Measured};
use super::reconstructions::{Choice, reconstructions};
use super::restored::restored;
use super::sample::Sample;
use crate::error::{Error, Result};

/// The kind of a figure of models and rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plot {
    /// The first two codes of each row, coloured by label.
    Codes,
    /// Rows over their reconstructions.
    Reconstructions,
    /// The weights of the first layer, or the principal components.
    Filters,
    /// The decoded manifold: a grid over a plane of two codes, or walks along each code.
    Manifold,
    /// Images decoded from codes drawn at random.
    Drawn,
    /// Images, corrupted as in training, and cleaned.
    Restored,
    /// A histogram of the rows' errors.
    Errors,
}

/// Draws a picture of models and the rows of a sample, the models side by side or below each other.
///
/// # Errors
/// When there is no model, or one does not fit the rows.
pub fn plot(plot: Plot, entries: &[Entry<'_>], sample: &Sample) -> Result<Figure> {
    if entries.is_empty() {
        return Err(Error::Mismatch("a plot needs a model".into()));
    }
    let measured = entries.iter().map(|&entry| Measured::new(entry, sample)).collect::<Result<Vec<_>>>()?;
    Ok(match plot {
        Plot::Codes => codes(&measured, sample),
        Plot::Reconstructions => reconstructions(&measured, sample, Choice::First),
        Plot::Filters => stacked(entries.iter().map(|&entry| filters(entry, sample)).collect()),
        Plot::Manifold => {
            stacked(measured.iter().map(|measured| manifold(measured, sample)).collect::<Result<Vec<_>>>()?)
        }
        Plot::Drawn => {
            let figures = measured.iter().map(|measured| drawn(measured, sample)).collect::<Result<Vec<_>>>()?;
            some(figures, "images can be drawn where rows are images and the model says where its codes lie")?
        }
        Plot::Restored => {
            let figures = measured.iter().map(|measured| restored(measured, sample)).collect::<Result<_>>()?;
            some(figures, "this is for images, and models trained on corrupted rows (corrupt)")?
        }
        Plot::Errors => errors(&measured, sample),
    })
}

/// Draws the error of models against epochs.
///
/// # Errors
/// When no model has any epochs: PCA has none, nor have files of early versions, which did not keep them.
pub fn plot_loss(entries: &[Entry<'_>]) -> Result<Figure> {
    let none = || Error::Mismatch("no epochs are kept in this model: PCA has none".into());
    loss(entries, Span::All, false).ok_or_else(none)
}

/// The figures that the models have, stacked.
///
/// # Errors
/// When there are none; `wanted` says what a model would need for one.
fn some(figures: Vec<Option<Figure>>, wanted: &str) -> Result<Figure> {
    let figures: Vec<Figure> = figures.into_iter().flatten().collect();
    if figures.is_empty() {
        Err(Error::Mismatch(format!("there is nothing to plot: {wanted}")))
    } else {
        Ok(stacked(figures))
    }
}

/// Figures of one kind, one below the other, each under its title where there are several.
fn stacked(mut figures: Vec<Figure>) -> Figure {
    if figures.len() == 1 {
        return figures.remove(0);
    }
    let width = figures.iter().map(|figure| figure.drawing.width).fold(0.0, f64::max);
    let height = figures.iter().map(|figure| figure.drawing.height + 40.0).sum();
    let mut drawing = Drawing::new(width, height);
    let mut y = 0.0;
    for figure in &figures {
        drawing.text("name", (0.0, y + 18.0), Anchor::Start, &figure.title);
        drawing.place((0.0, y + 30.0), &figure.drawing);
        y += figure.drawing.height + 40.0;
    }
    let titles: Vec<&str> = figures.iter().map(|figure| figure.title.as_str()).collect();
    let descriptions: Vec<&str> = figures.iter().map(|figure| figure.description.as_str()).collect();
    Figure { title: titles.join("; "), description: descriptions.join("; "), drawing }
}
