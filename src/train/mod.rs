//! Training: minibatches, epochs, schedules, averages, history, stopping, checkpoints; pretraining and the search for a
//! learning rate.
//!
//! A step of [`Trainer`] goes this way, each part with a file of its own:
//!
//! ```text
//! examples ─▶ gradient ─▶ penalties ─▶ update ─▶ average
//! (augment)   (gradient)  (penalty)    (optimizer) (averaging)
//! ```
//!
//! What it has come to is its state (`state`), which a checkpoint writes and reads; what the options ask of a run is known
//! before its first step (`plan`), and so is whether network, rows and options go together (`compatibility`).

mod averaging;
mod batches;
mod check;
mod checkpoint;
mod compatibility;
mod event;
mod gradient;
mod history;
mod identity;
mod learning_rate;
mod observer;
mod options;
mod penalty;
mod plan;
mod pretraining;
mod progress;
mod run;
mod schedule;
mod state;
mod tensorboard;
#[cfg(test)]
mod tests;
mod trainer;

pub use averaging::Averaging;
pub use event::{End, Event, Preparation};
pub use history::{Epoch, EpochErrors, History, VariationalEpoch};
pub use learning_rate::find_learning_rate;
pub use observer::Observer;
use observer::Preparing;
pub use options::{Penalty, Stopping, TrainOptions, VariationalLoss};
pub use pretraining::{check_pairs, pretrain};
pub use run::train;
pub use schedule::{LearningRate, Schedule};
pub use tensorboard::TensorBoard;
pub use trainer::Trainer;
