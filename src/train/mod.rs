//! Training: minibatches, epochs, history.

mod history;
mod trainer;

pub use history::{Epoch, History};
pub use trainer::{Event, TrainOptions, train};

#[cfg(test)]
mod tests;
