//! The one error type: what was wrong, where, and what would be right.

use std::fmt;
use std::path::{Path, PathBuf};

/// A `Result` with this crate's [`Error`].
pub type Result<T> = std::result::Result<T, Error>;

/// Everything that can go wrong on input that the program does not control.
///
/// A message that advises on settings names them in parentheses, before a comma, a semicolon or the end: `(label, columns)`.
/// The command line adds the dashes.
///
/// Mistakes of the programmer (shapes that do not fit together) panic instead, as the functions say.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file could not be opened, read or written.
    #[error("{}: {action}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What was being done, for example "cannot read".
        action: &'static str,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A file was read, but holds something that it must not.
    #[error("{place}: {problem}")]
    Data {
        /// Where it is.
        place: Place,
        /// What is wrong there and what would be right.
        problem: String,
    },
    /// A setting has a value that it cannot have.
    #[error("{name}: {problem}")]
    Setting {
        /// The setting, by the name of its option: `learning-rate`.
        name: &'static str,
        /// What is wrong with it and what would be right.
        problem: String,
    },
    /// Rows, codes or settings are each fine, but do not fit each other or the model.
    #[error("{0}")]
    Mismatch(String),
    /// An iteration did not reach its goal in the steps that it is allowed.
    #[error("{method} did not converge in {limit} sweeps")]
    NotConverged {
        /// The method, as its documentation calls it.
        method: &'static str,
        /// The sweeps it was allowed.
        limit: usize,
    },
    /// Training left the finite numbers.
    #[error(
        "training diverged in epoch {epoch}: the error became {error}; \
         try a smaller learning rate than {learning_rate}, or scale the data (unit or standard)"
    )]
    Diverged {
        /// The epoch, counted from 1.
        epoch: usize,
        /// The error per row in that epoch: NaN or infinite.
        error: f64,
        /// The learning rate it was trained with.
        learning_rate: f32,
    },
    /// Training was asked to stop, and what was done is kept.
    #[error(
        "stopped in epoch {epoch}; what was done is kept in {}, from which the same run goes on (resume)",
        checkpoint.display()
    )]
    Interrupted {
        /// The epoch, counted from 1.
        epoch: usize,
        /// The folder of the checkpoint.
        checkpoint: PathBuf,
    },
    /// Training was asked to stop before its first step.
    #[error("stopped while {preparation}, before the run itself; the same command does that again")]
    Unprepared {
        /// What was being done: "pretraining".
        preparation: &'static str,
    },
}

impl Error {
    /// The same error, naming the source of the rows that it speaks of, where it names none.
    pub(crate) fn of(self, source: &str) -> Self {
        match self {
            Self::Mismatch(problem) => Self::Mismatch(format!("{source}: {problem}")),
            Self::Data { place, problem } if place.source == Place::ROWS => {
                Self::Data { place: Place { source: source.into(), ..place }, problem }
            }
            other => other,
        }
    }
}

/// A place in a file or a named source, as precise as it is known. Lines and columns count from 1, bytes from 0.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// The file's path, or the name of the source.
    pub source: String,
    /// The line.
    pub line: Option<u64>,
    /// The column: its name where it has one, else its number.
    pub column: Option<String>,
    /// The byte offset.
    pub byte: Option<u64>,
}

impl Place {
    /// The source of rows that come without a name.
    pub(crate) const ROWS: &str = "rows";

    /// A whole file.
    pub fn file(path: &Path) -> Self {
        Self::named(path.display().to_string())
    }

    /// A source that is no file, by its name.
    pub fn named(source: impl Into<String>) -> Self {
        Self { source: source.into(), ..Self::default() }
    }

    /// The same source, at a line.
    pub fn at_line(mut self, line: u64) -> Self {
        self.line = Some(line);
        self
    }

    /// The same source, at a column.
    pub fn at_column(mut self, column: impl Into<String>) -> Self {
        self.column = Some(column.into());
        self
    }

    /// The same source, at a byte.
    pub fn at_byte(mut self, byte: u64) -> Self {
        self.byte = Some(byte);
        self
    }

    /// An [`Error::Data`] at this place.
    pub fn error(self, problem: impl Into<String>) -> Error {
        Error::Data { place: self, problem: problem.into() }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.source)?;
        if let Some(line) = self.line {
            write!(f, ": line {line}")?;
        }
        if let Some(column) = &self.column {
            write!(f, ", column {column}")?;
        }
        if let Some(byte) = self.byte {
            write!(f, ": byte {byte}")?;
        }
        Ok(())
    }
}
