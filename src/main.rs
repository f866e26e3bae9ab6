//! The command-line program; see the library for what it does.

use std::process::ExitCode;

fn main() -> ExitCode {
    diabolo::cli::main()
}
