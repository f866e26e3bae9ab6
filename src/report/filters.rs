//! The weights of the first layer, or the principal components.

use super::colour::diverging_css;
use super::drawing::{Anchor, Area, Drawing};
use super::errors::column_names;
use super::figure::Figure;
use super::measured::Entry;
use super::number::digits;
use super::picture::Picture;
use super::reconstructions::shortened;
use super::sample::Sample;
use crate::matrix::MatrixView;
use crate::model::Body;

/// The largest number of units that are shown, as images and as lines of a table; and of columns in such a line.
const IMAGES: usize = 100;
const IN_LINE: usize = 10;
const LINES: usize = 30;
const COLUMNS: usize = 40;

/// The weights of each unit of the first layer, or each component: an image each, or a line of a table.
pub(super) fn filters(entry: Entry<'_>, sample: &Sample) -> Figure {
    let (weights, unit) = match &entry.model.body {
        Body::Autoencoder(network) => (network.weights(0), "unit"),
        Body::Pca(pca) => (pca.components().view(), "component"),
    };
    let (drawing, shown) = match sample.dataset().image_shape() {
        Some(shape) => images(weights, unit, shape),
        None => table(weights, unit, &column_names(sample)),
    };
    let what = match unit {
        "unit" => "Weights of the first layer",
        _ => "Principal components",
    };
    let of = if shown < weights.rows() { format!("; the first {shown} of {}", weights.rows()) } else { String::new() };
    let description =
        format!("Blue is negative, white is zero, orange is positive, each {unit} by its largest weight{of}");
    Figure { title: format!("{what}: {}", entry.name), description, drawing }
}

fn images(weights: MatrixView<'_>, unit: &str, shape: (usize, usize)) -> (Drawing, usize) {
    let shown = weights.rows().min(IMAGES);
    let side = 60.0;
    let high = side * (shape.0 as f64 / shape.1 as f64).clamp(0.2, 5.0);
    let lines = shown.div_ceil(IN_LINE);
    let mut drawing = Drawing::new((side + 4.0) * shown.min(IN_LINE) as f64, (high + 4.0) * lines as f64);
    for index in 0..shown {
        let (x, y) = ((side + 4.0) * (index % IN_LINE) as f64, (high + 4.0) * (index / IN_LINE) as f64);
        let picture = Picture::signed(row(weights, index), shape);
        drawing.image(Area { x, y, width: side, height: high }, &picture, &format!("{unit} {}", index + 1));
    }
    (drawing, shown)
}

/// One row of a matrix of weights, which lie row after row.
fn row(weights: MatrixView<'_>, index: usize) -> &[f32] {
    &weights.as_slice()[index * weights.columns()..][..weights.columns()]
}

fn table(weights: MatrixView<'_>, unit: &str, names: &[String]) -> (Drawing, usize) {
    let (shown, columns) = (weights.rows().min(LINES), names.len().min(COLUMNS));
    let (before, wide, high, above) = (110.0, (700.0 / columns as f64).clamp(14.0, 90.0), 18.0, 110.0);
    let mut drawing = Drawing::new(before + wide * columns as f64 + 10.0, above + high * shown as f64);
    for (column, name) in names.iter().take(columns).enumerate() {
        let place = (before + wide * (column as f64 + 0.5) + 4.0, above - 6.0);
        drawing.rising_text("small", place, &shortened(name, 20));
    }
    for index in 0..shown {
        let values = row(weights, index);
        let largest = values.iter().fold(f32::MIN_POSITIVE, |largest, value| largest.max(value.abs()));
        let y = above + high * index as f64;
        drawing.text("small", (before - 8.0, y + 13.0), Anchor::End, &format!("{unit} {}", index + 1));
        for (column, value) in values.iter().take(columns).enumerate() {
            let area = Area { x: before + wide * column as f64, y, width: wide - 1.0, height: high - 1.0 };
            let title = format!("{unit} {}, {}: {}", index + 1, names[column], digits(f64::from(*value), 4));
            drawing.rectangle(area, &diverging_css(value / largest), &title);
        }
    }
    (drawing, shown)
}
