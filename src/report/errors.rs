//! The distribution of the errors over rows and over columns.

use super::chart::{Axis, Chart, Mark, Series};
use super::figure::Figure;
use super::measured::Measured;
use super::number::significant;
use super::sample::Sample;

/// The smallest and the largest number of bins; between them it is 2 √rows.
const BINS: [f64; 2] = [8.0, 40.0];

/// The quantile of all errors above which rows are counted in the last bin.
const TAIL: f64 = 0.99;

/// A histogram of the rows' errors, one curve for each model.
pub(super) fn errors(measured: &[Measured<'_>], sample: &Sample) -> Figure {
    let judged = sample.judged();
    let of = |measured: &Measured<'_>| judged.iter().map(|&row| measured.errors[row]).collect::<Vec<_>>();
    let errors: Vec<(&str, Vec<f64>)> = measured.iter().map(|measured| (measured.name, of(measured))).collect();
    let mut all: Vec<f64> = errors.iter().flat_map(|(_, errors)| errors).copied().collect();
    all.sort_by(f64::total_cmp);
    // All models share the bins, so that their curves can be compared. A few rows with huge errors would squeeze all others
    // into the first bin: where the tail is that long, the last bin collects it.
    let quantile = all[(TAIL * (all.len() - 1) as f64).round() as usize];
    let largest = all[all.len() - 1];
    let bound = if largest > 2.0 * quantile && quantile > 0.0 { quantile } else { largest };
    let bound = if bound > 0.0 { bound } else { 1.0 };
    let bins = (2.0 * (judged.len() as f64).sqrt()).clamp(BINS[0], BINS[1]) as usize;
    let mut descriptions = Vec::new();
    let series = errors.iter().enumerate().map(|(index, (name, errors))| {
        let mut counts = vec![0; bins];
        errors.iter().for_each(|error| counts[((error / bound * bins as f64) as usize).min(bins - 1)] += 1);
        // Each bin is a horizontal stroke from its left edge to its right one.
        let edge = |bin: usize| bound * bin as f64 / bins as f64;
        let steps =
            counts.iter().enumerate().flat_map(|(bin, &count)| [bin, bin + 1].map(|at| (edge(at), f64::from(count))));
        let mut sorted = errors.clone();
        sorted.sort_by(f64::total_cmp);
        descriptions.push(format!("{name}: half of the rows below {}", significant(sorted[sorted.len() / 2])));
        Series { name: name.to_string(), colour: format!("c{}", index % 10), mark: Mark::Line, points: steps.collect() }
    });
    let series: Vec<Series> = series.collect();
    let most = series.iter().flat_map(|series| &series.points).map(|point| point.1).fold(1.0, f64::max);
    if bound < largest {
        descriptions.push(format!("the last bin holds all rows of a larger error, up to {}", significant(largest)));
    }
    let x = Axis::between("squared error of a row, summed over its columns", 0.0, bound);
    let chart = Chart { x, y: Axis::between("rows", 0.0, 1.05 * most), series };
    let title = format!("How errors are spread: {}", sample.describe_judged());
    Figure { title, description: descriptions.join("; "), drawing: chart.drawing(640.0, 320.0) }
}

/// The mean error of each column, one curve for each model.
pub(super) fn column_errors(measured: &[Measured<'_>], sample: &Sample) -> Figure {
    let judged = sample.judged();
    let names = column_names(sample);
    let series = measured.iter().enumerate().map(|(index, measured)| {
        let points =
            measured.column_errors(&judged).into_iter().enumerate().map(|(column, error)| (column as f64, error));
        Series {
            name: measured.name.into(),
            colour: format!("c{}", index % 10),
            mark: Mark::Line,
            points: points.collect(),
        }
    });
    let mut series: Vec<Series> = series.collect();
    let most = series.iter().flat_map(|series| &series.points).map(|point| point.1).fold(f64::MIN_POSITIVE, f64::max);
    for index in 0..series.len() {
        series.push(Series { name: String::new(), mark: Mark::Dots, ..series[index].clone() });
    }
    let x = Axis::of_names("column", names);
    let chart = Chart { x, y: Axis::between("mean squared error", 0.0, 1.05 * most), series };
    let title = format!("Error by column: {}", sample.describe_judged());
    let description = "The mean of (f(x) − x)² in each column, in the units that the model sees".into();
    Figure { title, description, drawing: chart.drawing(640.0, 320.0) }
}

/// The names of the columns, or their numbers.
pub(super) fn column_names(sample: &Sample) -> Vec<String> {
    let numbers = || (1..=sample.dataset().columns()).map(|number| number.to_string()).collect();
    sample.dataset().column_names().map_or_else(numbers, <[String]>::to_vec)
}
