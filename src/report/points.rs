//! The data by which a page's script draws codes as dots and shows the row under the pointer.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::classes::Classes;
use super::errors::column_names;
use super::measured::Measured;
use super::number::digits;
use super::picture::Picture;
use super::reconstructions::{grey_range, original};
use super::sample::Sample;
use crate::error::Result;
use crate::matrix::Matrix;
use crate::pca::{Components, Pca, PcaOptions};

/// The largest number of elements that a page holds of its rows: 10,000 images of 784 pixels; far fewer cells of a table,
/// because they are text.
const MOST_PIXELS: usize = 8_000_000;
const MOST_CELLS: usize = 200_000;

/// Images in a line of the picture that holds them all.
const IN_LINE: usize = 100;

/// The codes of all models, and what is known about each row.
pub(super) fn points(measured: &[Measured<'_>], sample: &Sample) -> Result<Value> {
    let classes = Classes::new(sample.dataset());
    let rows = 0..sample.dataset().rows();
    let panels = measured.iter().map(|measured| panel(measured, sample)).collect::<Result<Vec<_>>>()?;
    Ok(json!({
        "numbers": rows.clone().map(|row| sample.number(row)).collect::<Vec<_>>(),
        "held_out": rows.map(|row| u8::from(sample.is_held_out(row))).collect::<Vec<_>>(),
        "labels": {
            "title": classes.title,
            "names": classes.names,
            "of_row": classes.of_row,
            "colours": (0..classes.names.len()).map(|class| classes.colour(class)).collect::<Vec<_>>(),
            "squares": (0..classes.names.len()).map(|class| class / 10 % 2 == 1).collect::<Vec<_>>(),
        },
        "panels": panels,
        "rows": rows_of(sample),
    }))
}

/// The axes of a model's codes, each as 16-bit steps from its least value to its greatest.
fn panel(measured: &Measured<'_>, sample: &Sample) -> Result<Value> {
    let codes = &measured.codes;
    // Steps of 1/65,535 are finer than a pixel of any screen, and take a fraction of the characters of decimals.
    let mut axes = Vec::new();
    let mut add = |name: String, values: Vec<f64>| {
        let low = values.iter().copied().fold(f64::INFINITY, f64::min);
        let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let step = if high > low { (high - low) / 65535.0 } else { 1.0 };
        let bytes: Vec<u8> =
            values.iter().flat_map(|value| (((value - low) / step).round() as u16).to_le_bytes()).collect();
        axes.push(json!({ "name": name, "low": low, "step": step, "values": STANDARD.encode(bytes) }));
    };
    let column = |matrix: &Matrix, column: usize| -> Vec<f64> {
        (0..matrix.rows()).map(|row| f64::from(matrix.row(row)[column])).collect()
    };
    for code in 0..codes.columns() {
        add(format!("code {}", code + 1), column(codes, code));
    }
    // A chart needs two axes: the error is the second one of a single code.
    if codes.columns() == 1 {
        add("error of the row".into(), measured.errors.clone());
    }
    // No pair of many codes shows all of their spread; their principal components show the most.
    if codes.columns() > 2 && codes.rows() > 2 {
        let options = PcaOptions { components: Components::Count(2), ..PcaOptions::default() };
        let components = Pca::fit(codes, &options)?.encode(codes);
        for component in 0..2 {
            add(format!("principal component {} of the codes", component + 1), column(&components, component));
        }
    }
    let errors: Vec<String> = measured.errors.iter().map(|&error| digits(error, 4)).collect();
    Ok(json!({ "name": measured.name, "axes": axes, "errors": errors, "of": sample.describe() }))
}

/// The rows themselves, as far as a page holds them: images in one picture, or the cells of a table.
fn rows_of(sample: &Sample) -> Value {
    let dataset = sample.dataset();
    match dataset.image_shape() {
        Some(shape) => {
            let count = dataset.rows().min(MOST_PIXELS / dataset.columns());
            let range = grey_range(dataset);
            let pictures: Vec<_> = (0..count).map(|row| Picture::grey(&original(dataset, row), shape, range)).collect();
            let sprite = Picture::sprite(&pictures, IN_LINE.min(count.max(1)));
            json!({
                "count": count, "height": shape.0, "width": shape.1, "in_line": IN_LINE.min(count.max(1)),
                "sprite": sprite.map(|sprite| sprite.data_uri()),
            })
        }
        None => {
            let count = dataset.rows().min(MOST_CELLS / dataset.columns());
            let cells = |row: usize| -> Vec<String> {
                original(dataset, row).into_iter().map(|value| digits(f64::from(value), 4)).collect()
            };
            json!({ "count": count, "columns": column_names(sample), "cells": (0..count).map(cells).collect::<Vec<_>>() })
        }
    }
}
