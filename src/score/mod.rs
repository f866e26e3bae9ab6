//! Anomaly scores: thresholds above which a row is an anomaly, and measures of how well scores rank known anomalies.
//!
//! A score is a row's reconstruction error, as [`Model::scores`](crate::model::Model::scores) returns it: a model that
//! was fitted on normal rows reconstructs unusual ones badly. The larger a score, the odder the row.
//!
//! ```
//! use diabolo::data::{self, ReadOptions, RowChoice, ScalingChoice};
//! use diabolo::model::{Validation, fit_pca};
//! use diabolo::pca::{Components, PcaOptions};
//! use diabolo::score::{ThresholdRule, roc_auc};
//!
//! // Fit two of the three species, and find the third.
//! let iris = data::read("iris", &ReadOptions::default())?;
//! let usual = iris.clone().choose(RowChoice::Without(vec!["setosa".into()]))?;
//! let options = PcaOptions { components: Components::Count(1), ..PcaOptions::default() };
//! let model = fit_pca(&usual, ScalingChoice::Standard, &options, Validation::None)?.model;
//!
//! let scores = model.scores(&iris)?;
//! let is_setosa: Vec<bool> = iris.labels().unwrap().values.iter().map(|label| label == "setosa").collect();
//! assert!(roc_auc(&scores, &is_setosa)? > 0.99);
//!
//! let threshold = ThresholdRule::Quantile(0.99).choose(&model.scores(&usual)?)?;
//! assert!(scores.iter().filter(|&&score| threshold.is_above(score)).count() > 45);
//! # Ok::<(), diabolo::Error>(())
//! ```

mod ranking;
mod threshold;

pub use ranking::{average_precision, roc_auc};
pub use threshold::{Threshold, ThresholdRule};

use crate::error::{Error, Result};

/// Checks that scores can be sorted: there are some, and all are finite.
fn check(scores: &[f32]) -> Result<()> {
    if scores.is_empty() {
        return Err(Error::Mismatch("there are no scores".into()));
    }
    match scores.iter().position(|score| !score.is_finite()) {
        None => Ok(()),
        Some(row) => {
            let score = scores[row];
            Err(Error::Mismatch(format!("the score of row {} is {score}, which is no finite number", row + 1)))
        }
    }
}
