//! What the integration tests share: running the built program in a folder of its own.

#![allow(dead_code)] // each test binary uses a part of it

pub mod browser;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

/// A temporary folder to run the program in.
pub struct Folder(TempDir);

/// What a run printed, and how it ended.
pub struct Run {
    pub status: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Folder {
    pub fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a file.
    pub fn write(&self, name: &str, contents: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), contents).unwrap();
    }

    /// Reads a file as text.
    pub fn read(&self, name: &str) -> String {
        String::from_utf8(self.bytes(name)).unwrap()
    }

    /// Reads a file.
    pub fn bytes(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap()
    }

    /// Copies all files of another folder into it.
    pub fn copy_all(&self, other: &Path) {
        for entry in std::fs::read_dir(other).unwrap() {
            let path = entry.unwrap().path();
            std::fs::copy(&path, self.0.path().join(path.file_name().unwrap())).unwrap();
        }
    }

    /// The names of all files in it, sorted.
    pub fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.0.path()).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// Runs the program with arguments split at white space.
    pub fn run(&self, arguments: &str) -> Run {
        let mut command = Command::new(program());
        let output = command.args(arguments.split_whitespace()).current_dir(self.0.path()).output().unwrap();
        Run::from(output)
    }

    /// Runs the program, which must succeed, and returns what it printed.
    pub fn done(&self, arguments: &str) -> String {
        let run = self.run(arguments);
        assert_eq!(run.status, 0, "`{arguments}` failed: {}", run.stderr);
        run.stdout
    }

    /// Runs the program, which must succeed, and reads the JSON object it printed.
    pub fn json(&self, arguments: &str) -> Value {
        serde_json::from_str(&self.done(arguments)).unwrap()
    }

    /// Runs the program, which must fail with one message that has all of `expected`, print nothing, and change no file.
    pub fn refused(&self, arguments: &str, status: i32, expected: &[&str]) {
        let files = || self.names().into_iter().map(|name| (self.bytes(&name), name)).collect::<Vec<_>>();
        let before = files();
        let run = self.run(arguments);
        assert_eq!((run.status, run.stdout.as_str()), (status, ""), "`{arguments}`: {}", run.stderr);
        for part in expected {
            assert!(run.stderr.contains(part), "`{arguments}` should say `{part}`: {}", run.stderr);
        }
        assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
        if status == 1 {
            assert_eq!(run.stderr.lines().count(), 1, "one message: {}", run.stderr);
        }
        assert!(before == files(), "`{arguments}` changed files");
    }
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        Self {
            status: output.status.code().expect("the program was not killed"),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// The program that was built.
pub fn program() -> &'static str {
    env!("CARGO_BIN_EXE_diabolo")
}

/// A number of a JSON object.
pub fn number(object: &Value, key: &str) -> f64 {
    object[key].as_f64().unwrap_or_else(|| panic!("`{key}` in {object}"))
}

/// The folder with MNIST, or a loud word that the test is skipped.
pub fn mnist() -> Option<PathBuf> {
    let folder = std::env::var_os("DIABOLO_DATA").map(|folder| Path::new(&folder).join("mnist"));
    let folder = folder.filter(|folder| folder.is_dir());
    if folder.is_none() {
        let word = b"\nSKIPPED: set DIABOLO_DATA to a folder that holds mnist/train-images-idx3-ubyte.gz and its kin\n";
        // Not `eprintln`, which the test runner keeps to itself.
        std::io::stderr().write_all(word).unwrap();
    }
    folder
}
