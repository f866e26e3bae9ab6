//! Runs that are stopped, at any moment and in any way, and go on.

mod common;

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use common::{Folder, program};

const TRAIN: &[&str] =
    &["train", "digits", "--layers", "64,60,2,60,64", "--epochs", "40", "--batch-size", "50", "--validation", "0.1"];

/// More that a checkpoint must keep.
const MORE: &[&str] =
    &["--schedule", "cosine", "--average", "ema:0.99", "--patience", "50", "--retries", "1", "--max-time", "1h"];

fn start(folder: &Folder, out: &str, arguments: &[&str]) -> Child {
    let mut command = Command::new(program());
    command.current_dir(folder.path("")).args(TRAIN).args(MORE).args(["--out", out]).args(arguments);
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// The model of a run that nothing stops.
fn undisturbed(folder: &Folder) -> Vec<u8> {
    assert!(start(folder, "whole.safetensors", &[]).wait().unwrap().success());
    folder.bytes("whole.safetensors")
}

#[test]
fn a_run_that_is_killed_again_and_again_ends_with_the_bytes_of_one_left_alone() {
    let folder = Folder::new();
    let whole = undisturbed(&folder);
    // Checkpoints every few minibatches: some kills fall into the writing of one.
    let arguments = ["--checkpoint", "kept", "--checkpoint-every", "0.002s", "--resume"];
    let mut kills = 0;
    for milliseconds in [3, 10, 30, 55, 80, 110, 140, 170] {
        let mut child = start(&folder, "resumed.safetensors", &arguments);
        std::thread::sleep(Duration::from_millis(milliseconds));
        if child.try_wait().unwrap().is_none() {
            child.kill().unwrap();
            kills += 1;
        }
        child.wait().unwrap();
    }
    assert!(kills > 3, "the runs are too short to be killed: {kills}");
    assert!(start(&folder, "resumed.safetensors", &arguments).wait().unwrap().success());
    assert!(folder.bytes("resumed.safetensors") == whole, "the models differ after {kills} kills");
}

#[cfg(unix)]
#[test]
fn a_signal_saves_the_run_and_says_how_to_go_on() {
    let folder = Folder::new();
    let whole = undisturbed(&folder);
    let mut command = Command::new(program());
    command.current_dir(folder.path("")).args(TRAIN).args(MORE).args(["--out", "model.safetensors"]);
    let child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(150));
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert!(message.contains("stopped in epoch") && message.contains("--resume goes on"), "{message}");
    assert!(!folder.names().contains(&"model.safetensors".to_string()));
    assert!(start(&folder, "model.safetensors", &["--resume"]).wait().unwrap().success());
    assert!(folder.bytes("model.safetensors") == whole, "the models differ");
}

#[test]
fn going_on_with_another_run_is_refused_with_the_difference() {
    let folder = Folder::new();
    assert!(start(&folder, "model.safetensors", &["--checkpoint", "kept"]).wait().unwrap().success());
    let run = folder.run("train digits --layers 64,2,64 --checkpoint kept --resume --quiet");
    assert_eq!(run.status, 1);
    assert!(run.stderr.contains("the checkpoint is of a run with"), "{}", run.stderr);
}
