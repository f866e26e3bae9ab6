//! Rows beside their reconstructions.

use super::chart::{Axis, Chart, Mark, Series, draw_legend, legend_height};
use super::classes::Classes;
use super::drawing::{Anchor, Area, Drawing};
use super::errors::column_names;
use super::figure::Figure;
use super::measured::Measured;
use super::number::{count, digits};
use super::picture::{BYTES, Picture, value_range};
use super::sample::Sample;
use crate::data::Dataset;
use crate::rows::{Rows, RowsInMemory};

/// The number of images, and of rows of a table, that are shown.
const IMAGES: usize = 10;
const PROFILES: usize = 6;

/// The side of an image, and the room below it and before each line, in pixels.
const SIDE: f64 = 64.0;
const UNDER: f64 = 20.0;
const BEFORE: f64 = 104.0;

/// The size of the chart of a row of a table.
const PROFILE: (f64, f64) = (420.0, 210.0);

/// The choice of the rows that are shown.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Choice {
    /// The first of each class, then the first of all.
    First,
    /// Those that the first model reconstructs worst.
    Worst,
}

/// Rows, and under each its reconstruction by each model, with its error.
pub(super) fn reconstructions(measured: &[Measured<'_>], sample: &Sample, choice: Choice) -> Figure {
    let shape = sample.dataset().image_shape();
    let rows = choose(measured, sample, choice, if shape.is_some() { IMAGES } else { PROFILES });
    let of = sample.describe_judged();
    let title = match choice {
        Choice::First => format!("Reconstructions: {of}"),
        Choice::Worst => format!("Reconstructed worst by {}: {of}", measured[0].name),
    };
    let errors = measured.iter().map(|measured| {
        let errors: Vec<String> = rows.iter().map(|&row| digits(measured.errors[row], 4)).collect();
        format!("errors of {}: {}", measured.name, errors.join(", "))
    });
    let errors = errors.collect::<Vec<_>>().join("; ");
    let (drawing, what) = match shape {
        Some(shape) => (images(measured, sample, &rows, shape), "Images over their reconstructions"),
        None => (profiles(measured, sample, &rows), "Rows and their reconstructions as curves over the columns"),
    };
    Figure { title, description: format!("{what}; {errors}"), drawing }
}

fn choose(measured: &[Measured<'_>], sample: &Sample, choice: Choice, most: usize) -> Vec<usize> {
    let mut judged = sample.judged();
    match choice {
        Choice::Worst => judged.sort_by(|&a, &b| measured[0].errors[b].total_cmp(&measured[0].errors[a])),
        Choice::First => {
            let classes = Classes::new(sample.dataset());
            let mut seen = vec![false; classes.names.len()];
            let mut is_first = |row: &usize| !std::mem::replace(&mut seen[classes.of_row[*row]], true);
            let (mut first, rest): (Vec<_>, Vec<_>) = judged.into_iter().partition(|row| is_first(row));
            first.sort_by_key(|&row| (classes.of_row[row], row));
            judged = [first, rest].concat();
        }
    }
    judged.truncate(most);
    judged
}

/// The name of a row: its number, and its label.
fn row_name(sample: &Sample, row: usize) -> String {
    let number = count(sample.number(row));
    let label = sample.dataset().labels().map(|labels| format!(" ({})", labels.values[row]));
    format!("row {number}{}", label.unwrap_or_default())
}

/// The values that are black and white in the images of a data set.
pub(super) fn grey_range(dataset: &Dataset) -> (f32, f32) {
    dataset.as_matrix().map_or(BYTES, |matrix| value_range(matrix.as_slice()))
}

/// A row of a data set in its own units.
pub(super) fn original(dataset: &Dataset, row: usize) -> Vec<f32> {
    let mut values = vec![0.0; dataset.columns()];
    dataset.copy_row(row, &mut values);
    values
}

fn images(measured: &[Measured<'_>], sample: &Sample, rows: &[usize], shape: (usize, usize)) -> Drawing {
    let dataset = sample.dataset();
    let range = grey_range(dataset);
    let high = SIDE * (shape.0 as f64 / shape.1 as f64).clamp(0.2, 5.0);
    let line = high + UNDER + 6.0;
    let mut drawing = Drawing::new(BEFORE + (SIDE + 8.0) * rows.len() as f64, line * (1 + measured.len()) as f64);
    let mut show = |column: usize, place: usize, values: &[f32], title: &str, under: &str| {
        let (x, y) = (BEFORE + (SIDE + 8.0) * column as f64, line * place as f64);
        let area = Area { x, y, width: SIDE, height: high };
        drawing.image(area, &Picture::grey(values, shape, range), title);
        drawing.text("small", (x + SIDE / 2.0, y + high + 13.0), Anchor::Middle, under);
    };
    for (column, &row) in rows.iter().enumerate() {
        let name = row_name(sample, row);
        show(column, 0, &original(dataset, row), &name, &name);
        for (place, measured) in measured.iter().enumerate() {
            let error = digits(measured.errors[row], 4);
            let title = format!("{name} by {}, error {error}", measured.name);
            show(column, place + 1, &measured.reconstruction(row), &title, &error);
        }
    }
    let names = std::iter::once("original").chain(measured.iter().map(|measured| measured.name));
    for (place, name) in names.enumerate() {
        drawing.text("name", (0.0, line * place as f64 + high / 2.0 + 4.0), Anchor::Start, &shortened(name, 14));
    }
    drawing
}

/// A name, cut to the room of `most` characters.
pub(super) fn shortened(name: &str, most: usize) -> String {
    if name.chars().count() <= most {
        return name.into();
    }
    name.chars().take(most - 1).chain(['…']).collect()
}

/// A chart for each row: its values along the columns, and its reconstruction by each model.
fn profiles(measured: &[Measured<'_>], sample: &Sample, rows: &[usize]) -> Drawing {
    // Columns have units of their own: rows are drawn as the first model sees them, so that all columns share an axis.
    let names = column_names(sample);
    let charts: Vec<(String, Chart)> = rows
        .iter()
        .map(|&row| {
            let curve = |name: &str, colour: String, mark: Mark, values: &[f32]| Series {
                name: name.into(),
                colour,
                mark,
                points: values.iter().enumerate().map(|(column, &value)| (column as f64, f64::from(value))).collect(),
            };
            let mut series = vec![curve("original", "ink".into(), Mark::Dashes, measured[0].rows.row(row))];
            series.extend(measured.iter().enumerate().map(|(index, measured)| {
                curve(measured.name, format!("c{}", index % 10), Mark::Line, measured.reconstructions.row(row))
            }));
            let values = || series.iter().flat_map(|series| &series.points).map(|point| point.1);
            let y = Axis::around("value, scaled", values());
            let errors: Vec<String> = measured.iter().map(|measured| digits(measured.errors[row], 4)).collect();
            let title = format!("{}: error {}", row_name(sample, row), errors.join(" and "));
            (title, Chart { x: Axis::of_names("", names.clone()), y, series })
        })
        .collect();
    // All charts have the same series: one legend above them is enough.
    let legend = charts.first().map_or(Vec::new(), |(_, chart)| chart.legend());
    let width = 2.0 * PROFILE.0;
    let above = legend_height(&legend, width);
    let lines = charts.len().div_ceil(2) as f64;
    let mut drawing = Drawing::new(width, above + lines * (PROFILE.1 + 20.0));
    draw_legend(&mut drawing, &legend, Area { x: 0.0, y: 0.0, width, height: above });
    for (index, (title, chart)) in charts.iter().enumerate() {
        let (x, y) = (PROFILE.0 * (index % 2) as f64, above + (PROFILE.1 + 20.0) * (index / 2) as f64);
        drawing.text("name", (x + 66.0, y + 14.0), Anchor::Start, title);
        chart.draw(&mut drawing, Area { x, y: y + 20.0, width: PROFILE.0, height: PROFILE.1 });
    }
    drawing
}
