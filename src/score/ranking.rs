//! Measures of how well scores separate anomalies from normal rows, over all thresholds.

use super::check;
use crate::error::{Error, Result};

/// The area under the receiver operating characteristic: the chance that an anomaly, drawn at random, has a larger score
/// than a normal row, equal scores counting half (Hanley and McNeil, "The meaning and use of the area under a receiver
/// operating characteristic (ROC) curve", Radiology 143, 1982). 1 is perfect, 0.5 is no better than chance.
///
/// ```
/// use diabolo::score::roc_auc;
/// // Of the four pairs of an anomaly and a normal row, three are in order and one is a tie.
/// assert_eq!(roc_auc(&[1.0, 2.0, 2.0, 3.0], &[false, false, true, true])?, 0.875);
/// # Ok::<(), diabolo::Error>(())
/// ```
///
/// # Errors
/// When a score is no finite number, or the rows are not of both kinds.
///
/// # Panics
/// When `scores` and `is_anomaly` have different lengths.
pub fn roc_auc(scores: &[f32], is_anomaly: &[bool]) -> Result<f64> {
    let steps = steps(scores, is_anomaly)?;
    // Twice the pairs in order, so that halves are whole.
    let (mut twice, mut anomalies, mut normal) = (0_u128, 0, 0);
    for step in steps {
        // The step's normal rows have smaller scores than all anomalies before it.
        twice += u128::from(step.normal) * u128::from(2 * anomalies + step.anomalies);
        anomalies += step.anomalies;
        normal += step.normal;
    }
    Ok(twice as f64 / (2 * u128::from(anomalies) * u128::from(normal)) as f64)
}

/// The average precision, Σ (Rₙ − Rₙ₋₁) Pₙ: Pₙ and Rₙ are precision and recall when the rows down to the n-th largest
/// score are called anomalies. Rows of equal scores are one step, so that their order does not matter. 1 is perfect; the
/// share of anomalies is the value of a random order.
///
/// ```
/// use diabolo::score::average_precision;
/// // Recall grows by a half at precision 1, and by the other half at precision 2/3.
/// let precision = average_precision(&[1.0, 2.0, 3.0, 4.0], &[false, true, false, true])?;
/// assert!((precision - (0.5 + 0.5 * 2.0 / 3.0)).abs() < 1e-15);
/// # Ok::<(), diabolo::Error>(())
/// ```
///
/// # Errors
/// When a score is no finite number, or the rows are not of both kinds.
///
/// # Panics
/// When `scores` and `is_anomaly` have different lengths.
pub fn average_precision(scores: &[f32], is_anomaly: &[bool]) -> Result<f64> {
    let (mut sum, mut anomalies, mut rows) = (0.0, 0, 0);
    for step in steps(scores, is_anomaly)? {
        anomalies += step.anomalies;
        rows += step.anomalies + step.normal;
        sum += step.anomalies as f64 * (anomalies as f64 / rows as f64);
    }
    Ok(sum / anomalies as f64)
}

/// The rows of one score.
struct Step {
    anomalies: u64,
    normal: u64,
}

/// The rows by score, the largest first.
fn steps(scores: &[f32], is_anomaly: &[bool]) -> Result<Vec<Step>> {
    assert_eq!(scores.len(), is_anomaly.len(), "there is a score for each row");
    check(scores)?;
    if is_anomaly.iter().all(|&first| first == is_anomaly[0]) {
        let (all, others) = if is_anomaly[0] { ("anomalies", "normal") } else { ("normal", "anomalies") };
        let rows = scores.len();
        return Err(Error::Mismatch(format!("all rows ({rows}) are {all}; some must be {others} to rank them by")));
    }
    let mut rows: Vec<(f32, bool)> = scores.iter().copied().zip(is_anomaly.iter().copied()).collect();
    rows.sort_unstable_by(|first, second| second.0.total_cmp(&first.0));
    // Not by bits: 0 and −0 are the same score.
    let step = |rows: &[(f32, bool)]| {
        let anomalies = rows.iter().filter(|(_, is_anomaly)| *is_anomaly).count() as u64;
        Step { anomalies, normal: rows.len() as u64 - anomalies }
    };
    Ok(rows.chunk_by(|first, second| first.0 == second.0).map(step).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// By its definition, over all pairs.
    fn naive_roc_auc(scores: &[f32], is_anomaly: &[bool]) -> f64 {
        let of = |kind: bool| scores.iter().zip(is_anomaly).filter(move |row| *row.1 == kind).map(|row| *row.0);
        let mut sum = 0.0;
        for anomaly in of(true) {
            for normal in of(false) {
                sum += if anomaly > normal {
                    1.0
                } else if anomaly == normal {
                    0.5
                } else {
                    0.0
                };
            }
        }
        sum / (of(true).count() * of(false).count()) as f64
    }

    /// By its definition, threshold by threshold.
    fn naive_average_precision(scores: &[f32], is_anomaly: &[bool]) -> f64 {
        let mut thresholds = scores.to_vec();
        thresholds.sort_by(|first, second| second.partial_cmp(first).unwrap());
        thresholds.dedup();
        let anomalies = is_anomaly.iter().filter(|&&is| is).count() as f64;
        let (mut sum, mut recall_before) = (0.0, 0.0);
        for threshold in thresholds {
            let called: Vec<bool> =
                scores.iter().zip(is_anomaly).filter(|row| *row.0 >= threshold).map(|row| *row.1).collect();
            let found = called.iter().filter(|&&is| is).count() as f64;
            sum += (found / anomalies - recall_before) * (found / called.len() as f64);
            recall_before = found / anomalies;
        }
        sum
    }

    proptest! {
        #[test]
        fn both_are_what_their_definitions_say_with_and_without_ties(
            rows in prop::collection::vec((0_u8..40, any::<bool>()), 2..120),
            distinct in 1_u8..40,
        ) {
            let scores: Vec<f32> = rows.iter().map(|row| f32::from(row.0 % distinct) / 8.0 - 1.0).collect();
            let mut is_anomaly: Vec<bool> = rows.iter().map(|row| row.1).collect();
            (is_anomaly[0], is_anomaly[1]) = (true, false);
            prop_assert!((roc_auc(&scores, &is_anomaly).unwrap() - naive_roc_auc(&scores, &is_anomaly)).abs() < 1e-12);
            let precision = average_precision(&scores, &is_anomaly).unwrap();
            prop_assert!((precision - naive_average_precision(&scores, &is_anomaly)).abs() < 1e-12);
        }
    }

    #[test]
    fn perfect_reversed_and_equal_scores() {
        let is_anomaly = [false, false, false, true];
        for (scores, auc, precision) in [
            ([1.0, 2.0, 3.0, 4.0], 1.0, 1.0),
            ([4.0, 3.0, 2.0, 1.0], 0.0, 0.25),
            ([5.0; 4], 0.5, 0.25),
            ([0.0, -0.0, 0.0, -0.0], 0.5, 0.25),
        ] {
            assert_eq!(roc_auc(&scores, &is_anomaly).unwrap(), auc, "{scores:?}");
            assert_eq!(average_precision(&scores, &is_anomaly).unwrap(), precision, "{scores:?}");
        }
    }

    #[test]
    fn rows_of_one_kind_and_scores_that_are_no_numbers_are_errors() {
        for (scores, is_anomaly, expected) in [
            (&[1.0, 2.0][..], &[true, true][..], "all rows (2) are anomalies; some must be normal"),
            (&[1.0], &[false], "all rows (1) are normal; some must be anomalies"),
            (&[], &[], "no scores"),
            (&[1.0, f32::NAN], &[true, false], "the score of row 2 is NaN"),
            (&[f32::INFINITY, 1.0], &[true, false], "the score of row 1 is inf"),
        ] {
            for measure in [roc_auc, average_precision] {
                let message = measure(scores, is_anomaly).unwrap_err().to_string();
                assert!(message.contains(expected), "{message}");
            }
        }
    }
}
