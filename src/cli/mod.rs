//! The command line: one file a subcommand, each of which parses, calls one library function, and prints.
//!
//! Subcommands share `arguments`, `train_arguments` and `config` (what is asked for), `watch` and `progress` (a run), `facts`,
//! `table` and `generated` (what is printed and written), `messages` and `threads`.

mod arguments;
mod bench;
mod compare;
mod config;
mod decode;
mod encode;
mod evaluate;
mod facts;
mod generated;
mod inspect;
mod interpolate;
mod messages;
mod pca;
mod plot;
mod probe;
mod progress;
mod reconstruct;
mod report;
mod restore;
mod sample;
mod score;
mod table;
mod threads;
mod train;
mod train_arguments;
mod traverse;
mod watch;

use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, Subcommand};

use crate::error::{Error, Result};

/// Fit auto-encoders and PCA to your rows, on a CPU.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// Threads to use [default: one a core]; the results are the same for any number
    #[arg(long, short = 't', global = true, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
}

#[derive(Debug, Subcommand)]
enum Command {
    Train(train::Train),
    Pca(pca::Pca),
    Encode(encode::Encode),
    Decode(decode::Decode),
    Reconstruct(reconstruct::Reconstruct),
    Restore(restore::Restore),
    Evaluate(evaluate::Evaluate),
    Score(score::Score),
    Sample(sample::Sample),
    Interpolate(interpolate::Interpolate),
    Traverse(traverse::Traverse),
    Compare(compare::Compare),
    Report(report::Report),
    Plot(plot::Plot),
    Probe(probe::Probe),
    Inspect(inspect::Inspect),
    Bench(bench::Bench),
}

impl Command {
    fn run(&self) -> Result<()> {
        match self {
            Self::Train(command) => command.run(Cli::command),
            Self::Pca(command) => command.run(),
            Self::Encode(command) => command.run(),
            Self::Decode(command) => command.run(),
            Self::Reconstruct(command) => command.run(),
            Self::Restore(command) => command.run(),
            Self::Evaluate(command) => command.run(),
            Self::Score(command) => command.run(),
            Self::Sample(command) => command.run(),
            Self::Interpolate(command) => command.run(),
            Self::Traverse(command) => command.run(),
            Self::Compare(command) => command.run(),
            Self::Report(command) => command.run(),
            Self::Plot(command) => command.run(),
            Self::Probe(command) => command.run(),
            Self::Inspect(command) => command.run(),
            Self::Bench(command) => command.run(),
        }
    }
}

/// Runs the program with the process's arguments.
///
/// The exit status is 0 when the work is done, 1 when it failed, and 2 when the arguments were wrong.
pub fn main() -> ExitCode {
    let words = config::expand(Cli::command(), std::env::args_os().collect());
    match words.and_then(|words| Cli::parse_from(words).run()) {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever reads the output has closed it, as `head` does: nothing is left to say.
        Err(Error::Io { source, .. }) if source.kind() == std::io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            let message = messages::message(&error, &Cli::command());
            if let Error::Setting { .. } = error {
                Cli::command().error(ErrorKind::ValueValidation, message).exit();
            }
            progress::tell(&format!("error: {message}"));
            ExitCode::FAILURE
        }
    }
}

impl Cli {
    fn run(&self) -> Result<()> {
        threads::pool(usize::from(self.threads.unwrap_or(0)))?.install(|| self.command.run())
    }
}
