//! Training: minibatches, epochs, schedules, averages, history, stopping, checkpoints; pretraining and the search for a
//! learning rate.
//!
//! `run` is the loop, and `trainer` one step of it, which has five parts, each in a file or a room of its own:
//!
//! ```text
//! examples ─▶ gradient ─▶ penalties, decay ─▶ update ──▶ average
//! (augment)   (gradient)  (regularisation)    (optimizer) (averaging)
//! ```
//!
//! Everything that steps change is the state of the run (`state`), which a checkpoint writes and reads; only the run with the
//! same `identity` may go on from it. Known before the first step are the buffers that a run needs (`plan`), and whether
//! network, rows and options are compatible (`compatibility`).

mod averaging;
mod batches;
mod checkpoint;
mod compatibility;
mod event;
mod gradient;
mod history;
mod identity;
mod observer;
mod options;
mod plan;
mod pretraining;
mod progress;
mod ranges;
mod rate_search;
mod regularisation;
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
pub use observer::Observer;
pub use options::{Penalty, Stopping, TrainOptions, VariationalLoss};
pub use pretraining::{check_pairs, pretrain};
pub use rate_search::find_learning_rate;
pub use run::train;
pub use schedule::{LearningRate, Schedule};
pub use tensorboard::TensorBoard;
pub use trainer::Trainer;
