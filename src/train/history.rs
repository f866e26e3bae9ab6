//! The history of a run, epoch by epoch.

use std::io::{self, Write};

use serde::{Deserialize, Serialize};

/// One pass over the training rows.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// Its number, from 1.
    pub number: usize,
    /// The mean loss of a row, each measured in its minibatch, while the network learns.
    pub loss: f64,
    /// The mean squared error of a row, summed over its columns, measured at the same times.
    pub error_per_row: f64,
    /// The same on the held-out rows, after the epoch.
    pub validation_error_per_row: Option<f64>,
    /// The parts of a variational network's bound.
    #[serde(default)]
    pub variational: Option<VariationalEpoch>,
    /// The seconds of training in this epoch, without validation.
    pub seconds: f64,
    /// Rows trained on per second.
    pub rows_per_second: f64,
    /// The learning rate of its last step.
    pub learning_rate: f32,
}

/// The evidence lower bound of a variational network over an epoch, and its parts: the loss, which is a negative
/// log-likelihood up to a constant, and the divergence.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct VariationalEpoch {
    /// The lower bound on the mean log-likelihood of a row, in nats, measured like the loss: the expected
    /// log-likelihood given the code, less the divergence.
    pub elbo: f64,
    /// The mean log-likelihood of a row given its code, in nats.
    pub log_likelihood: f64,
    /// The mean divergence of a row's code from the prior, in nats.
    pub divergence: f64,
    /// The number of elements of codes that distinguish rows: see [`active_codes`](crate::likelihood::active_codes).
    pub active_codes: usize,
}

/// The errors of an epoch: the part of its history that does not depend on the machine's speed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochErrors {
    /// As in [`Epoch`].
    pub number: usize,
    /// As in [`Epoch`].
    pub error_per_row: f64,
    /// As in [`Epoch`].
    pub validation_error_per_row: Option<f64>,
}

/// All epochs of a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct History {
    /// The epochs, in order.
    pub epochs: Vec<Epoch>,
}

impl History {
    /// Seconds of training in all.
    pub fn seconds(&self) -> f64 {
        self.epochs.iter().map(|epoch| epoch.seconds).sum()
    }

    /// Rows trained on per second, over all epochs.
    pub fn rows_per_second(&self) -> f64 {
        self.epochs.iter().map(|epoch| epoch.rows_per_second * epoch.seconds).sum::<f64>() / self.seconds()
    }

    /// The errors of all epochs, or of at most `most` of them, evenly spread, the last among them.
    pub fn errors(&self, most: usize) -> Vec<EpochErrors> {
        let count = self.epochs.len();
        let kept = (1..=count.min(most)).map(|place| place * count / count.min(most) - 1);
        kept.map(|index| {
            let Epoch { number, error_per_row, validation_error_per_row, .. } = self.epochs[index];
            EpochErrors { number, error_per_row, validation_error_per_row }
        })
        .collect()
    }

    /// Writes one CSV line an epoch, under a header; the validation column is empty where nothing was held out.
    ///
    /// # Errors
    /// The errors of the writer.
    pub fn write_csv(&self, mut out: impl Write) -> io::Result<()> {
        write!(out, "epoch,loss,error_per_row,validation_error_per_row,seconds,rows_per_second,learning_rate")?;
        let variational = self.epochs.iter().any(|epoch| epoch.variational.is_some());
        writeln!(out, "{}", if variational { ",elbo,log_likelihood,divergence,active_codes" } else { "" })?;
        for epoch in &self.epochs {
            let Epoch { number, loss, error_per_row, seconds, rows_per_second, learning_rate, .. } = epoch;
            let validation = epoch.validation_error_per_row.map_or(String::new(), |error| error.to_string());
            write!(out, "{number},{loss},{error_per_row},{validation},{seconds},{rows_per_second},{learning_rate}")?;
            if let Some(VariationalEpoch { elbo, log_likelihood, divergence, active_codes }) = epoch.variational {
                write!(out, ",{elbo},{log_likelihood},{divergence},{active_codes}")?;
            }
            writeln!(out)?;
        }
        Ok(())
    }
}
