//! Progress of training on standard error: a bar on a terminal, some plain lines elsewhere.

use std::io::{self, IsTerminal, Write};
use std::ops::ControlFlow;

use indicatif::{ProgressBar, ProgressStyle};

use crate::error::Result;
use crate::report::significant;
use crate::train::{Epoch, Event, Observer, Preparation, Trainer};

/// About how many lines a whole run prints where there is no terminal.
const PLAIN_LINES: usize = 20;

/// Shows the progress of training.
pub enum Progress {
    Silent,
    Lines { epochs: usize, shown: Option<Preparation> },
    Bar { bar: ProgressBar, epochs: usize, errors: Vec<f64> },
}

/// The epochs that the small chart beside the bar shows.
const CHART: usize = 20;

impl Progress {
    /// The progress of a run of `epochs` epochs.
    pub fn new(epochs: usize, quiet: bool) -> Self {
        if quiet {
            return Self::Silent;
        }
        if !io::stderr().is_terminal() {
            return Self::Lines { epochs, shown: None };
        }
        // The run says how long it is when it starts.
        Self::Bar { bar: ProgressBar::new(u64::MAX).with_style(style("{wide_bar} {msg}")), epochs, errors: Vec::new() }
    }

    /// Leaves the last state on the screen.
    pub fn finish(self) {
        if let Self::Bar { bar, .. } = self {
            bar.abandon();
        }
    }
}

impl Observer for Progress {
    fn prepare(&mut self, preparation: Preparation) -> Result<()> {
        match self {
            Self::Silent => {}
            Self::Lines { shown, .. } => {
                if shown.replace(preparation) != Some(preparation) {
                    tell(preparation.name());
                }
            }
            Self::Bar { bar, .. } => bar.set_message(preparation.name()),
        }
        Ok(())
    }

    fn start(&mut self, trainer: &mut Trainer<'_>) -> Result<()> {
        let done = trainer.history().epochs.len();
        match self {
            Self::Silent => {}
            Self::Lines { .. } if done > 0 => tell(&format!("going on after {done} epochs")),
            Self::Lines { .. } => {}
            Self::Bar { bar, epochs, .. } => {
                bar.set_style(style("{wide_bar} {msg}  {eta} left"));
                bar.set_length(trainer.rows_in_all());
                bar.set_position(trainer.rows_done());
                bar.reset_eta();
                bar.set_message(format!("epoch {}/{epochs}", done + 1));
            }
        }
        Ok(())
    }

    fn observe(&mut self, trainer: &mut Trainer<'_>, event: Event) -> Result<ControlFlow<()>> {
        let retry =
            |epoch: usize, rate: f32| format!("diverged; epoch {epoch} begins again with a learning rate of {rate}");
        match (self, event) {
            (Self::Lines { .. }, Event::Retry { epoch, learning_rate }) => tell(&retry(epoch, learning_rate)),
            (Self::Bar { bar, .. }, Event::Retry { epoch, learning_rate }) => {
                bar.suspend(|| tell(&retry(epoch, learning_rate)));
                bar.set_position(trainer.rows_done());
            }
            (Self::Bar { bar, .. }, Event::Batch { rows, .. }) => bar.inc(rows as u64),
            (Self::Bar { bar, epochs, errors }, Event::Epoch(epoch)) => {
                errors.push(epoch.validation_error_per_row.unwrap_or(epoch.error_per_row));
                let chart = if draws_blocks() { sparkline(errors) } else { String::new() };
                bar.set_message(format!("{chart}{}", line(&epoch, *epochs)));
            }
            (Self::Lines { epochs, .. }, Event::Epoch(epoch)) => {
                let every = epochs.div_ceil(PLAIN_LINES);
                if epoch.number == 1 || epoch.number % every == 0 || epoch.number == *epochs {
                    tell(&line(&epoch, *epochs));
                }
            }
            (Self::Silent, _) | (Self::Lines { .. }, Event::Batch { .. }) => {}
        }
        Ok(ControlFlow::Continue(()))
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("the template is right")
}

/// The last errors as a chart of one line, and two spaces; nothing before the second epoch.
fn sparkline(errors: &[f64]) -> String {
    let last = &errors[errors.len().saturating_sub(CHART)..];
    if last.len() < 2 {
        return String::new();
    }
    let lowest = last.iter().copied().fold(f64::INFINITY, f64::min);
    let highest = last.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let height = |error: f64| ((error - lowest) / (highest - lowest).max(f64::MIN_POSITIVE) * 7.0).round() as usize;
    let blocks = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let chart: String = last.iter().map(|&error| blocks[height(error).min(7)]).collect();
    format!("{chart}  ")
}

/// Whether the terminal shows block characters: it says that it takes UTF-8.
fn draws_blocks() -> bool {
    let variable = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().filter_map(|name| std::env::var(name).ok());
    let locale = variable.into_iter().find(|value| !value.is_empty()).unwrap_or_default().to_lowercase();
    let is_dumb = std::env::var("TERM").is_ok_and(|term| term == "dumb" || term == "linux");
    cfg!(windows) || !is_dumb && (locale.contains("utf-8") || locale.contains("utf8"))
}

/// Writes a line to standard error, if anyone reads it.
pub fn tell(text: &str) {
    // Work must not be lost because nobody reads its progress.
    let _ = writeln!(io::stderr(), "{text}");
}

fn line(epoch: &Epoch, epochs: usize) -> String {
    let Epoch { number, error_per_row, rows_per_second, .. } = epoch;
    let held_out = |error| format!("  held out {}", significant(error));
    let validation = epoch.validation_error_per_row.map_or(String::new(), held_out);
    let error = significant(*error_per_row);
    let bound = epoch.variational.map_or(String::new(), |found| format!("  elbo {}", significant(found.elbo)));
    format!("epoch {number}/{epochs}  error {error}{validation}{bound}  {rows_per_second:.0} rows/s")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_small_chart_falls_as_the_error_does() {
        assert_eq!(sparkline(&[8.0, 4.5, 1.0]), "█▅▁  ");
        assert_eq!(sparkline(&[3.0]), "");
        assert_eq!(sparkline(&[2.0, 2.0]), "▁▁  ");
        assert_eq!(sparkline(&vec![1.0; 100]).chars().count(), CHART + 2);
    }
}
