//! The score above which a row is an anomaly.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::check;
use crate::error::{Error, Result};

/// The ratio of the standard deviation of normally distributed numbers to their median absolute deviation: 1 / Φ⁻¹(3/4).
const NORMAL: f64 = 1.4826;

/// A rule that chooses a threshold from scores.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ThresholdRule {
    /// The smallest score that has at least this share of all scores, from 0 to 1, at or below it.
    Quantile(f64),
    /// The median plus this number, 0 or more, times 1.4826 median absolute deviations. Up to half of the rows may be
    /// anomalies and change it little (Leys et al., "Detecting outliers", Journal of Experimental Social Psychology
    /// 49, 2013).
    Mad(f64),
    /// The smallest threshold with at most this share of the normal rows' scores, from 0 to below 1, above it.
    FalsePositiveRate(f64),
}

impl ThresholdRule {
    /// The name of the command line's option.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Quantile(_) => "quantile",
            Self::Mad(_) => "mad",
            Self::FalsePositiveRate(_) => "false-positive-rate",
        }
    }

    /// Checks the rule's number.
    ///
    /// # Errors
    /// When it is out of its range.
    pub fn check(&self) -> Result<()> {
        let (number, is_right, right) = match *self {
            Self::Quantile(share) => (share, (0.0..=1.0).contains(&share), "a share from 0 to 1"),
            Self::Mad(factor) => (factor, factor >= 0.0 && factor.is_finite(), "a finite number from 0 on"),
            Self::FalsePositiveRate(share) => (share, (0.0..1.0).contains(&share), "a share from 0 to below 1"),
        };
        match is_right {
            true => Ok(()),
            false => Err(Error::Setting { name: self.name(), problem: format!("{number} is not {right}") }),
        }
    }

    /// The threshold for these scores; for [`ThresholdRule::FalsePositiveRate`] they are of normal rows.
    ///
    /// ```
    /// use diabolo::score::ThresholdRule;
    /// let scores = [4.0, 1.0, 2.0, 90.0, 3.0];
    /// assert_eq!(ThresholdRule::Quantile(0.8).choose(&scores)?.value, 4.0);
    /// assert_eq!(ThresholdRule::Mad(2.0).choose(&scores)?.value, 3.0 + 2.0 * 1.4826);
    /// assert_eq!(ThresholdRule::FalsePositiveRate(0.4).choose(&scores)?.value, 3.0);
    /// # Ok::<(), diabolo::Error>(())
    /// ```
    ///
    /// # Errors
    /// When the rule's number is out of its range, there are no scores, one of them is no finite number, or more than
    /// half of them are the same, so that they have no median absolute deviation.
    pub fn choose(self, scores: &[f32]) -> Result<Threshold> {
        self.check()?;
        check(scores)?;
        let mut sorted: Vec<f64> = scores.iter().map(|&score| f64::from(score)).collect();
        sorted.sort_by(f64::total_cmp);
        let rows = sorted.len();
        let value = match self {
            Self::Quantile(share) => sorted[least_count(rows, share).max(1) - 1],
            Self::FalsePositiveRate(share) => sorted[rows - 1 - greatest_count(rows, share).min(rows - 1)],
            Self::Mad(factor) => {
                let middle = median(&sorted);
                let mut deviations: Vec<f64> = sorted.iter().map(|score| (score - middle).abs()).collect();
                deviations.sort_by(f64::total_cmp);
                let deviation = median(&deviations);
                if deviation == 0.0 {
                    return Err(Error::Mismatch(format!(
                        "more than half of the scores ({rows}) are the same, so that their median absolute deviation is 0; \
                         choose the threshold by a quantile"
                    )));
                }
                middle + factor * NORMAL * deviation
            }
        };
        if !value.is_finite() {
            return Err(Error::Setting { name: self.name(), problem: format!("{self} is beyond all numbers") });
        }
        Ok(Threshold { value, rule: self, rows })
    }
}

impl fmt::Display for ThresholdRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Quantile(number) | Self::Mad(number) | Self::FalsePositiveRate(number)) = self;
        write!(f, "{} {number}", self.name())
    }
}

/// The score above which a row is an anomaly, and its origin.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Threshold {
    /// The score.
    pub value: f64,
    /// The rule by which it was chosen.
    pub rule: ThresholdRule,
    /// The number of scores from which it was chosen.
    pub rows: usize,
}

impl Threshold {
    /// Whether a row with this score is an anomaly.
    pub fn is_above(&self, score: f32) -> bool {
        f64::from(score) > self.value
    }

    /// The share of scores that are above it: for normal rows, the false positive rate; NaN of none.
    pub fn share_above(&self, scores: &[f32]) -> f64 {
        scores.iter().filter(|&&score| self.is_above(score)).count() as f64 / scores.len() as f64
    }
}

/// The smallest count that is at least this share of a whole, by its quotient in floating point.
fn least_count(whole: usize, share: f64) -> usize {
    let is_enough = |count: usize| count as f64 / whole as f64 >= share;
    let near = (share * whole as f64).round() as usize;
    (near.saturating_sub(1)..whole).find(|&count| is_enough(count)).unwrap_or(whole)
}

/// The largest count that is at most this share of a whole.
fn greatest_count(whole: usize, share: f64) -> usize {
    let is_within = |count: usize| count as f64 / whole as f64 <= share;
    let near = (share * whole as f64).round() as usize;
    (0..=(near + 1).min(whole)).rev().find(|&count| is_within(count)).unwrap_or(0)
}

/// The median of sorted numbers: the mean of the middle two, where their count is even.
fn median(sorted: &[f64]) -> f64 {
    let half = sorted.len() / 2;
    if sorted.len().is_multiple_of(2) { (sorted[half - 1] + sorted[half]) / 2.0 } else { sorted[half] }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::ThresholdRule::{FalsePositiveRate, Mad, Quantile};
    use super::*;

    fn value(rule: ThresholdRule, scores: &[f32]) -> f64 {
        rule.choose(scores).unwrap().value
    }

    fn above(scores: &[f32], threshold: f64) -> usize {
        scores.iter().filter(|&&score| f64::from(score) > threshold).count()
    }

    proptest! {
        #[test]
        fn shares_are_what_their_definitions_say(
            numbers in prop::collection::vec(0_u8..50, 1..100),
            hundredths in 0_u32..100,
        ) {
            let scores: Vec<f32> = numbers.into_iter().map(f32::from).collect();
            let share = f64::from(hundredths) / 100.0;
            let within = |count: usize, share: f64| count as f64 / scores.len() as f64 <= share;
            // The candidates are the scores; the first that does is the smallest.
            let mut candidates = scores.clone();
            candidates.sort_by(f32::total_cmp);
            let above = |candidate: f32| above(&scores, candidate.into());
            let enough = |candidate: &&f32| (scores.len() - above(**candidate)) as f64 / scores.len() as f64 >= share;
            prop_assert_eq!(value(Quantile(share), &scores), f64::from(*candidates.iter().find(enough).unwrap()));
            let few = |candidate: &&f32| within(above(**candidate), share);
            prop_assert_eq!(value(FalsePositiveRate(share), &scores), f64::from(*candidates.iter().find(few).unwrap()));
        }
    }

    #[test]
    fn a_decimal_share_of_the_rows_is_met_to_the_row() {
        for rows in [10, 30, 70, 100, 1000] {
            let scores: Vec<f32> = (1..=rows).map(|score| score as f32).collect();
            for tenths in 1..10 {
                let share = f64::from(tenths) / 10.0;
                let expected = f64::from(rows * tenths / 10);
                assert_eq!(value(Quantile(share), &scores), expected, "{share} of {rows}");
                assert_eq!(value(FalsePositiveRate(share), &scores), f64::from(rows) - expected, "{share} of {rows}");
            }
        }
    }

    #[test]
    fn the_extreme_shares() {
        let scores = [3.0, 1.0, 2.0, 2.0];
        assert_eq!(value(Quantile(0.0), &scores), 1.0);
        assert_eq!(value(Quantile(1.0), &scores), 3.0);
        assert_eq!(value(FalsePositiveRate(0.0), &scores), 3.0);
        assert_eq!(value(FalsePositiveRate(0.99), &scores), 1.0);
        for rule in [Quantile(0.5), FalsePositiveRate(0.5)] {
            assert_eq!(value(rule, &[7.0]), 7.0);
            assert_eq!(value(rule, &[7.0; 9]), 7.0);
        }
    }

    #[test]
    fn the_median_absolute_deviation_is_that_of_the_definition() {
        // Median 2.5, deviations 1.5, 0.5, 0.5, 97.5.
        assert_eq!(value(Mad(3.0), &[1.0, 3.0, 2.0, 100.0]), 2.5 + 3.0 * 1.4826);
        assert_eq!(value(Mad(0.0), &[1.0, 3.0, 2.0]), 2.0);
        for scores in [&[7.0][..], &[7.0; 9], &[1.0, 1.0, 1.0, 5.0]] {
            let message = Mad(3.0).choose(scores).unwrap_err().to_string();
            assert!(message.contains("median absolute deviation is 0"), "{message}");
        }
    }

    #[test]
    fn what_no_threshold_can_be_chosen_by_is_an_error() {
        for (rule, expected) in [
            (Quantile(-0.1), "quantile: -0.1 is not a share from 0 to 1"),
            (Quantile(f64::NAN), "quantile: NaN is not"),
            (Mad(-1.0), "mad: -1 is not a finite number from 0 on"),
            (Mad(f64::INFINITY), "mad: inf is not"),
            (FalsePositiveRate(1.0), "false-positive-rate: 1 is not a share from 0 to below 1"),
        ] {
            let message = rule.choose(&[1.0, 2.0, 4.0]).unwrap_err().to_string();
            assert!(message.contains(expected), "{message}");
        }
        for (scores, expected) in [(&[][..], "no scores"), (&[1.0, f32::NAN], "row 2 is NaN")] {
            let message = Quantile(0.5).choose(scores).unwrap_err().to_string();
            assert!(message.contains(expected), "{message}");
        }
    }
}
