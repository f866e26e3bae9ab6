//! The state of a run: everything that changes from step to step, and must be kept for the run to resume elsewhere.

use super::progress::Progress;
use super::{Averaging, TrainOptions};
use crate::matrix::AlignedBuffer;
use crate::network::Network;
use crate::optimizer::Optimizer;

/// The name of the buffer of the best weights.
pub(super) const BEST: &str = "best";

/// A copy of a run's progress and of all its buffers.
pub(super) type Snapshot = (Progress, Vec<AlignedBuffer>);

/// The progress of a run, and its buffers beside the network's parameters.
pub(super) struct RunState {
    pub progress: Progress,
    pub optimizer: Box<dyn Optimizer>,
    /// The average of the weights, and the best weights, where the options require them; else empty.
    pub average: AlignedBuffer,
    pub best: AlignedBuffer,
    /// The state after the last good epoch, to which the run goes back when it diverges.
    pub last_good: Option<Snapshot>,
}

impl RunState {
    /// The state before the first step of a run over `rows` rows.
    pub fn new(network: &Network, options: &TrainOptions, rows: usize) -> Self {
        let length = network.parameters().len();
        let buffer = |wanted: bool| AlignedBuffer::zeros(if wanted { length } else { 0 });
        Self {
            progress: Progress::default(),
            optimizer: options.optimizer.build(network.architecture(), options.has_exact_steps(rows)),
            average: buffer(options.averaging != Averaging::None),
            best: buffer(options.stopping.patience.is_some()),
            last_good: None,
        }
    }

    /// Every buffer that changes during the run, by name, with the network's parameters first.
    pub fn buffers<'a>(&'a mut self, network: &'a mut Network) -> Vec<(String, &'a mut [f32])> {
        let own = [("parameters", network.parameters_mut()), ("average", &mut *self.average), (BEST, &mut *self.best)];
        let own = own.into_iter().map(|(name, buffer)| (name.to_string(), buffer));
        let memory = self.optimizer.memory().into_iter();
        own.chain(memory.map(|(name, buffer)| (format!("optimizer.{name}"), buffer))).collect()
    }

    /// Keeps a copy of the run, to which it can go back.
    pub fn keep(&mut self, network: &mut Network) {
        let buffers = self.buffers(network).into_iter().map(|(_, buffer)| AlignedBuffer::from(&*buffer)).collect();
        self.last_good = Some((self.progress.clone(), buffers));
    }

    /// Goes back to the copy that was kept, with half the step size; the time and the number of retries go on counting.
    ///
    /// # Panics
    /// When nothing was kept.
    pub fn go_back(&mut self, network: &mut Network) {
        let (progress, buffers) = self.last_good.take().expect("kept before the first step");
        let (retries, rate_share) = (self.progress.retries + 1, 0.5 * self.progress.rate_share);
        let seconds = self.progress.total_seconds() - progress.history.seconds();
        self.progress = Progress { retries, rate_share, seconds, ..progress };
        for ((_, buffer), kept) in self.buffers(network).into_iter().zip(&buffers) {
            buffer.copy_from_slice(kept);
        }
        self.last_good = Some((self.progress.clone(), buffers));
    }
}
