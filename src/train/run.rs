//! A whole run, from its first minibatch to its end.

use super::{End, History, Observer, TrainOptions, Trainer};
use crate::error::Result;
use crate::network::Network;
use crate::rows::Rows;

/// Trains a network on rows by minibatches, shuffled again in each epoch, and returns the history of the run and why it
/// ended.
///
/// It runs on the rayon pool from which it is called.
///
/// # Errors
/// The errors of [`Trainer::new`], of [`Trainer::advance`] and of the observer.
pub fn train(
    network: &mut Network,
    rows: &dyn Rows,
    validation: Option<&dyn Rows>,
    options: &TrainOptions,
    observer: &mut dyn Observer,
) -> Result<(History, End)> {
    let mut trainer = Trainer::new(network, rows, validation, options)?;
    observer.start(&mut trainer)?;
    while let Some(event) = trainer.advance()? {
        if observer.observe(&mut trainer, event)?.is_break() {
            break;
        }
    }
    Ok(trainer.finish())
}
