//! Training: minibatches, epochs, schedules, averages, history, stopping, checkpoints; pretraining and the search for a
//! learning rate.
//!
//! A step of [`Trainer`] has five parts, each with a file of its own:
//!
//! ```text
//! examples ─▶ gradient ─▶ penalties ─▶ update ─▶ average
//! (augment)   (gradient)  (penalty)    (optimizer) (averaging)
//! ```
//!
//! Everything that steps change is the state of the run (`state`), which a checkpoint writes and reads. Known before the
//! first step are the buffers that a run needs (`plan`), and whether network, rows and options are compatible
//! (`compatibility`).

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
