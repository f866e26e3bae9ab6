//! The decoded manifold: rows decoded from a grid over a plane of codes, or from walks along each code.

use super::chart::{Axis, Chart, Mark, Series};
use super::drawing::{Anchor, Area, Drawing};
use super::errors::column_names;
use super::figure::Figure;
use super::measured::Measured;
use super::number::digits;
use super::picture::Picture;
use super::reconstructions::grey_range;
use super::sample::Sample;
use crate::error::Result;
use crate::matrix::Matrix;

/// Images on a side of the plane of two codes, and of a walk along one.
const PLANE: usize = 20;
const WALK: usize = 11;

/// The largest number of codes that are walked along; and the steps and columns of a walk that decodes table rows.
const MOST_CODES: usize = 10;
const STEPS: usize = 41;
const MOST_COLUMNS: usize = 8;

/// The quantiles of a code between which rows are decoded.
const ENDS: [f64; 2] = [0.01, 0.99];

/// For images with two codes, the plane of codes, decoded; else a walk along each code, the others at their medians.
///
/// # Errors
/// The errors of [`Model::decode`](crate::model::Model::decode).
pub(super) fn manifold(measured: &Measured<'_>, sample: &Sample) -> Result<Figure> {
    let name = measured.name;
    let (drawing, what) = match sample.dataset().image_shape() {
        Some(shape) if measured.codes.columns() == 2 => {
            (plane(measured, sample, shape)?, "The plane of codes, decoded")
        }
        Some(shape) => (image_walks(measured, sample, shape)?, "Along each code, the others at their medians"),
        None => (table_walks(measured, sample)?, "Along each code, the others at their medians"),
    };
    let shown = measured.codes.columns().min(MOST_CODES);
    let of = if shown < measured.codes.columns() { format!("; the first {shown} codes") } else { String::new() };
    let description = format!("{what}, from the 1st to the 99th percentile of {}{of}", sample.describe());
    Ok(Figure { title: format!("Between the codes: {name}"), description, drawing })
}

/// `steps` values from one end of a code to the other.
fn values(measured: &Measured<'_>, code: usize, steps: usize) -> Vec<f32> {
    let [low, high] = ENDS.map(|end| measured.code_quantile(code, end));
    (0..steps).map(|step| low + (high - low) * step as f32 / (steps - 1) as f32).collect()
}

fn plane(measured: &Measured<'_>, sample: &Sample, shape: (usize, usize)) -> Result<Drawing> {
    let (across, up) = (values(measured, 0, PLANE), values(measured, 1, PLANE));
    let mut codes = Matrix::zeros(PLANE * PLANE, 2);
    for index in 0..PLANE * PLANE {
        codes.row_mut(index).copy_from_slice(&[across[index % PLANE], up[PLANE - 1 - index / PLANE]]);
    }
    let sprite = pictures(measured, sample, &codes, shape)?;
    let axis = |label: &str, values: &[f32]| {
        let (low, high) = (f64::from(values[0]), f64::from(values[PLANE - 1]));
        // Each image is centred on its code.
        let half = ((high - low) / (PLANE - 1) as f64 / 2.0).max(1e-6);
        Axis::between(label, low - half, high + half)
    };
    let chart = Chart { x: axis("code 1", &across), y: axis("code 2", &up), series: Vec::new() };
    let (wide, high) = (640.0, 640.0 * (shape.0 as f64 / shape.1 as f64).clamp(0.2, 5.0));
    let mut drawing = Drawing::new(wide + 76.0, high + 52.0);
    let inner = chart.draw(&mut drawing, Area { x: 0.0, y: 0.0, width: wide + 76.0, height: high + 52.0 });
    drawing.image(inner, &Picture::sprite(&sprite, PLANE).expect("there are images"), "the plane of codes, decoded");
    Ok(drawing)
}

fn pictures(measured: &Measured<'_>, sample: &Sample, codes: &Matrix, shape: (usize, usize)) -> Result<Vec<Picture>> {
    let decoded = measured.model.decode(codes)?;
    let range = grey_range(sample.dataset());
    Ok((0..decoded.rows()).map(|row| Picture::grey(decoded.row(row), shape, range)).collect())
}

/// Codes along one of them, the others at their medians.
fn walk(measured: &Measured<'_>, code: usize, steps: usize) -> Matrix {
    let medians: Vec<f32> = (0..measured.codes.columns()).map(|code| measured.code_quantile(code, 0.5)).collect();
    let mut codes = Matrix::zeros(steps, medians.len());
    for (step, value) in values(measured, code, steps).into_iter().enumerate() {
        codes.row_mut(step).copy_from_slice(&medians);
        codes.row_mut(step)[code] = value;
    }
    codes
}

fn image_walks(measured: &Measured<'_>, sample: &Sample, shape: (usize, usize)) -> Result<Drawing> {
    let shown = measured.codes.columns().min(MOST_CODES);
    let (side, before) = (52.0, 150.0);
    let high = side * (shape.0 as f64 / shape.1 as f64).clamp(0.2, 5.0);
    let line = high + 8.0;
    let mut drawing = Drawing::new(before + side * WALK as f64, line * shown as f64);
    for code in 0..shown {
        let codes = walk(measured, code, WALK);
        let sprite = Picture::sprite(&pictures(measured, sample, &codes, shape)?, WALK).expect("there are images");
        let area = Area { x: before, y: line * code as f64, width: side * WALK as f64, height: high };
        drawing.image(area, &sprite, &format!("images along code {}", code + 1));
        let [low, high] = [0, WALK - 1].map(|step| digits(f64::from(codes.row(step)[code]), 3));
        let place = (0.0, area.y + area.height / 2.0);
        drawing.text("name", place, Anchor::Start, &format!("code {}", code + 1));
        drawing.text("small", (0.0, place.1 + 14.0), Anchor::Start, &format!("from {low} to {high}"));
    }
    Ok(drawing)
}

/// A chart for each code: the columns that change most as it goes from one end to the other.
fn table_walks(measured: &Measured<'_>, sample: &Sample) -> Result<Drawing> {
    let shown = measured.codes.columns().min(MOST_CODES);
    let names = column_names(sample);
    let (wide, high) = (640.0, 260.0);
    let mut charts = Vec::new();
    for code in 0..shown {
        let codes = walk(measured, code, STEPS);
        let mut decoded = measured.model.decode(&codes)?;
        // Columns have units of their own; scaled, they share an axis.
        (0..STEPS).for_each(|step| measured.model.scaling.apply(decoded.row_mut(step)));
        let points = |column: usize| -> Vec<(f64, f64)> {
            (0..STEPS).map(|step| (f64::from(codes.row(step)[code]), f64::from(decoded.row(step)[column]))).collect()
        };
        let reach = |column: &usize| {
            let values = points(*column).into_iter().map(|point| point.1);
            values.clone().fold(f64::NEG_INFINITY, f64::max) - values.fold(f64::INFINITY, f64::min)
        };
        // The legend has room for a few columns: those with the widest range, in the order of the table.
        let mut columns: Vec<usize> = (0..names.len()).collect();
        columns.sort_by(|a, b| reach(b).total_cmp(&reach(a)));
        columns.truncate(MOST_COLUMNS);
        columns.sort_unstable();
        let series: Vec<Series> = columns
            .iter()
            .enumerate()
            .map(|(index, &column)| Series {
                name: names[column].clone(),
                colour: format!("c{}", index % 10),
                mark: Mark::Line,
                points: points(column),
            })
            .collect();
        let all = || series.iter().flat_map(|series| &series.points);
        let x = Axis::around(format!("code {}", code + 1), all().map(|point| point.0));
        let y = Axis::around("decoded value, scaled", all().map(|point| point.1));
        charts.push(Chart { x, y, series }.drawing(wide, high));
    }
    // One chart below the other.
    let mut all = Drawing::new(wide, charts.iter().map(|chart| chart.height + 10.0).sum());
    let mut y = 0.0;
    for chart in charts {
        all.place((0.0, y), &chart);
        y += chart.height + 10.0;
    }
    Ok(all)
}
