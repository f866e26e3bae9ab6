//! Images decoded from random draws of a model's distribution of codes.

use super::drawing::{Area, Drawing};
use super::figure::Figure;
use super::measured::Measured;
use super::picture::Picture;
use super::reconstructions::grey_range;
use super::sample::Sample;
use crate::error::Result;

/// Images side by side, and lines of them.
const ACROSS: usize = 12;
const DOWN: usize = 4;

/// The width of the picture, in pixels.
const WIDTH: f64 = 640.0;

/// Images drawn by a model; nothing where rows are no images or the model has no distribution of codes.
///
/// # Errors
/// The errors of [`Model::decode`](crate::model::Model::decode).
pub(super) fn drawn(measured: &Measured<'_>, sample: &Sample) -> Result<Option<Figure>> {
    let (Some(shape), Ok(distribution)) = (sample.dataset().image_shape(), measured.model.code_distribution()) else {
        return Ok(None);
    };
    let rows = measured.model.decode(&distribution.draws(ACROSS * DOWN, 1))?;
    let range = grey_range(sample.dataset());
    let sheet = Picture::sheet(&rows, shape, range, ACROSS).expect("there are images");
    let height = WIDTH * DOWN as f64 / ACROSS as f64 * (shape.0 as f64 / shape.1 as f64).clamp(0.2, 5.0);
    let mut drawing = Drawing::new(WIDTH, height);
    drawing.image(Area { x: 0.0, y: 0.0, width: WIDTH, height }, &sheet, "images that no data holds");
    let title = format!("Drawn at random: {}", measured.name);
    let description = format!("{} images decoded from codes drawn from where the model's codes lie", rows.rows());
    Ok(Some(Figure { title, description, drawing }))
}
