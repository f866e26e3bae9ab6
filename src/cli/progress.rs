//! Progress of training on standard error: a bar on a terminal, some plain lines elsewhere.

use std::io::{self, IsTerminal, Write};
use std::ops::ControlFlow;

use indicatif::{ProgressBar, ProgressStyle};

use super::facts::significant;
use crate::error::Result;
use crate::train::{Epoch, Event, Observer, Trainer};

/// How many lines a whole run prints, about, where there is no terminal.
const PLAIN_LINES: usize = 20;

/// Shows how training goes.
pub enum Progress {
    Silent,
    Lines { epochs: usize },
    Bar { bar: ProgressBar, epochs: usize },
}

impl Progress {
    /// For so many epochs over so many rows.
    pub fn new(epochs: usize, rows: usize, quiet: bool) -> Self {
        if quiet {
            return Self::Silent;
        }
        if !io::stderr().is_terminal() {
            return Self::Lines { epochs };
        }
        let style = ProgressStyle::with_template("{wide_bar} {msg}  {eta} left").expect("the template is right");
        let bar = ProgressBar::new((epochs as u64).saturating_mul(rows as u64)).with_style(style);
        bar.set_message(format!("epoch 1/{epochs}"));
        Self::Bar { bar, epochs }
    }

    /// Goes on where a run goes on.
    pub fn resume(&mut self, trainer: &Trainer<'_>) {
        match self {
            Self::Bar { bar, .. } => bar.set_position(trainer.rows_done()),
            Self::Lines { .. } => tell(&format!("going on after {} epochs", trainer.history().epochs.len())),
            Self::Silent => {}
        }
    }

    /// Takes note of an event.
    pub fn note(&mut self, event: Event) {
        match (self, event) {
            (Self::Silent, _) => {}
            (_, Event::Retry { epoch, learning_rate }) => {
                tell(&format!("diverged; epoch {epoch} begins anew with a learning rate of {learning_rate}"));
            }
            (Self::Bar { bar, .. }, Event::Batch { rows, .. }) => bar.inc(rows as u64),
            (Self::Bar { bar, epochs }, Event::Epoch(epoch)) => bar.set_message(line(&epoch, *epochs)),
            (Self::Lines { epochs }, Event::Epoch(epoch)) => {
                let every = epochs.div_ceil(PLAIN_LINES);
                if epoch.number == 1 || epoch.number % every == 0 || epoch.number == *epochs {
                    tell(&line(&epoch, *epochs));
                }
            }
            _ => {}
        }
    }

    /// Leaves the last state on the screen.
    pub fn finish(self) {
        if let Self::Bar { bar, .. } = self {
            bar.abandon();
        }
    }
}

impl Observer for Progress {
    fn observe(&mut self, _: &mut Trainer<'_>, event: Event) -> Result<ControlFlow<()>> {
        self.note(event);
        Ok(ControlFlow::Continue(()))
    }
}

/// A line on standard error, if anyone listens.
pub fn tell(text: &str) {
    // Work must not be lost because nobody reads of its progress.
    let _ = writeln!(io::stderr(), "{text}");
}

fn line(epoch: &Epoch, epochs: usize) -> String {
    let Epoch { number, error_per_row, rows_per_second, .. } = epoch;
    let held_out = |error| format!("  held out {}", significant(error));
    let validation = epoch.validation_error_per_row.map_or(String::new(), held_out);
    let error = significant(*error_per_row);
    format!("epoch {number}/{epochs}  error {error}{validation}  {rows_per_second:.0} rows/s")
}
