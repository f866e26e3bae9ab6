//! The error of each epoch.

use super::chart::{Axis, Chart, Mark, Series};
use super::figure::Figure;
use super::measured::Entry;
use super::number::significant;

/// The epochs that are shown.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Span {
    All,
    /// The last half of them, to see whether the error still falls.
    Last,
}

/// The error of each epoch, on a linear or a logarithmic axis; nothing if no model has any epochs.
///
/// A model without epochs, such as PCA, is a horizontal line: the baseline of the others.
pub(super) fn loss(entries: &[Entry<'_>], span: Span, log: bool) -> Option<Figure> {
    // All models share the span, whose end is the longest run.
    let last =
        entries.iter().filter_map(|entry| entry.model.provenance.epochs.last()).map(|epoch| epoch.number).max()?;
    let first = if span == Span::All { 1 } else { last / 2 + 1 };
    let mut series = Vec::new();
    let mut descriptions = Vec::new();
    let mut add = |name: String, mark: Mark, points: Vec<(f64, f64)>| {
        let colour = if mark == Mark::Dots { "ink".into() } else { format!("c{}", series.len() % 10) };
        series.push(Series { name, colour, mark, points });
    };
    // A line needs two epochs; a single one is a dot.
    let line_or_dot = |points: &[(f64, f64)]| if points.len() == 1 { Mark::Dots } else { Mark::Line };
    for Entry { name, model } in entries {
        let provenance = &model.provenance;
        let epochs = || provenance.epochs.iter().filter(|epoch| epoch.number >= first);
        let training: Vec<_> = epochs().map(|epoch| (epoch.number as f64, epoch.error_per_row)).collect();
        let held_out: Vec<_> =
            epochs().filter_map(|epoch| Some((epoch.number as f64, epoch.validation_error_per_row?))).collect();
        if let (Some((from, first)), Some((to, last))) = (training.first(), training.last()) {
            let (first, last) = (significant(*first), significant(*last));
            descriptions.push(format!("{name}, training: from {first} in epoch {from} to {last} in epoch {to}"));
            add(format!("{name}, training"), line_or_dot(&training), training);
        }
        if let Some((_, last)) = held_out.last() {
            descriptions.push(format!("{name}, held out: {} at the end", significant(*last)));
            add(format!("{name}, held out"), line_or_dot(&held_out), held_out);
        }
        // The baseline is the error on held-out rows where there are some: that is where a model can overfit.
        if provenance.epochs.is_empty() {
            let (what, errors) = match provenance.validation {
                Some(errors) => ("held out", errors),
                None => ("training", provenance.training),
            };
            descriptions.push(format!("{name}, {what}: {}", significant(errors.error_per_row)));
            let across = [first, last].map(|epoch| (epoch as f64, errors.error_per_row));
            add(format!("{name}, {what}"), Mark::Dashes, across.to_vec());
        }
    }
    let values = || series.iter().flat_map(|series| &series.points).map(|point| point.1);
    let label = "error per row";
    let y = if log { Axis::logarithmic(label, values()) } else { Axis::around(label, values()) };
    let (low, high) = (first as f64, last as f64);
    // An axis has some length, even for one epoch.
    let x =
        if last > first { Axis::between("epoch", low, high) } else { Axis::between("epoch", low - 0.5, high + 0.5) };
    let title = match span {
        Span::All => "Error against epochs".to_string(),
        Span::Last => format!("The last half: epochs {first} to {last}"),
    };
    let drawing = Chart { x, y, series }.drawing(640.0, 340.0);
    Some(Figure { title, description: descriptions.join("; "), drawing })
}
