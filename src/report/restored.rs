//! Images: clean, corrupted, and restored by a model that was trained to clean them.

use super::drawing::{Anchor, Area, Drawing};
use super::figure::Figure;
use super::measured::Measured;
use super::picture::Picture;
use super::reconstructions::grey_range;
use super::sample::Sample;
use crate::error::Result;
use crate::evaluate::Reconstruct;
use crate::matrix::Matrix;
use crate::rows::Rows;

/// The number of images that are shown.
const IMAGES: usize = 10;

/// The side of an image, and the room before each line, in pixels.
const SIDE: f64 = 64.0;
const BEFORE: f64 = 104.0;

/// Images, corrupted as in the model's training, and cleaned; nothing where rows are no images or the model was trained on
/// clean rows.
pub(super) fn restored(measured: &Measured<'_>, sample: &Sample) -> Result<Option<Figure>> {
    let (dataset, model) = (sample.dataset(), measured.model);
    let Some(shape) = dataset.image_shape() else { return Ok(None) };
    let Some(corruption) = model.provenance.settings.corruption() else { return Ok(None) };
    let scaled = model.scaling.scaled(dataset);
    // These rows may be others than the training rows; where they cannot be corrupted alike, the page goes without.
    if corruption.check(&scaled).is_err() {
        return Ok(None);
    }
    let mut shown = sample.judged();
    shown.truncate(IMAGES);
    let gathered = |rows: &dyn Rows| {
        let mut matrix = Matrix::zeros(shown.len(), rows.columns());
        rows.gather(&shown, matrix.as_mut_slice()).map(|()| matrix)
    };
    // Epoch 0: a draw that the model has not seen in training.
    let corrupted = gathered(&corruption.corrupted(&scaled, 1, 0))?;
    let cleaned = model.body.reconstruct(&corrupted);
    let lines = [("original", gathered(&scaled)?), ("corrupted", corrupted), ("restored", cleaned)];
    let high = SIDE * (shape.0 as f64 / shape.1 as f64).clamp(0.2, 5.0);
    let line = high + 6.0;
    let mut drawing = Drawing::new(BEFORE + (SIDE + 8.0) * shown.len() as f64, line * lines.len() as f64);
    let range = grey_range(dataset);
    for (place, (name, rows)) in lines.iter().enumerate() {
        let y = line * place as f64;
        drawing.text("name", (0.0, y + high / 2.0 + 4.0), Anchor::Start, name);
        for (column, &row) in shown.iter().enumerate() {
            let mut values = rows.row(column).to_vec();
            model.scaling.invert(&mut values);
            let area = Area { x: BEFORE + (SIDE + 8.0) * column as f64, y, width: SIDE, height: high };
            let title = format!("row {}, {name}", sample.number(row));
            drawing.image(area, &Picture::grey(&values, shape, range), &title);
        }
    }
    let title = format!("Restored by {}: {}", measured.name, sample.describe_judged());
    let description = format!("Images, corrupted by {corruption} as in training, and what the model makes of them");
    Ok(Some(Figure { title, description, drawing }))
}
