//! Runs that are stopped, at any moment and in any way, and go on.

mod common;

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use common::{Folder, program};

const TRAIN: &[&str] =
    &["train", "digits", "--layers", "64,60,2,60,64", "--epochs", "200", "--batch-size", "50", "--validation", "0.1"];

/// More that a checkpoint must keep.
const MORE: &[&str] =
    &["--schedule", "cosine", "--average", "ema:0.99", "--patience", "200", "--retries", "1", "--max-time", "1h"];

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

/// Waits for the first line of what a run says, then asks it to stop; all that it says.
#[cfg(unix)]
fn interrupt_after_a_line(child: &mut Child) -> String {
    let mut messages = BufReader::new(child.stderr.take().unwrap());
    let mut message = String::new();
    messages.read_line(&mut message).unwrap();
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    messages.read_to_string(&mut message).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(1), "{message}");
    message
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
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let message = interrupt_after_a_line(&mut child);
    assert!(message.starts_with("epoch 1/200"), "{message}");
    assert!(message.contains("stopped in epoch") && message.contains("goes on (--resume)"), "{message}");
    assert!(!folder.names().contains(&"model.safetensors".to_string()));
    assert!(start(&folder, "model.safetensors", &["--resume"]).wait().unwrap().success());
    assert!(folder.bytes("model.safetensors") == whole, "the models differ");
}

#[cfg(unix)]
#[test]
fn a_signal_stops_the_work_before_a_run_too() {
    for (option, work) in
        [(["--pretrain", "100000"], "pretraining"), (["--learning-rate", "auto"], "looking for a learning rate")]
    {
        let folder = Folder::new();
        let mut command = Command::new(program());
        command.current_dir(folder.path("")).args(["train", "digits", "--layers", "64,60,2,60,64"]);
        command.args(["--epochs", "100000"]).args(option);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let message = interrupt_after_a_line(&mut child);
        assert!(message.starts_with(work), "{message}");
        assert!(message.contains(&format!("stopped while {work}, before the run itself")), "{message}");
        assert!(folder.names().is_empty(), "{:?}", folder.names());
    }
}

#[test]
fn a_learning_rate_that_was_looked_for_is_not_looked_for_again() {
    let folder = Folder::new();
    let train = "train iris --layers 4,2,4 --learning-rate auto --checkpoint kept --resume";
    let first = folder.run(&format!("{train} --epochs 2"));
    assert_eq!((first.status, first.stderr.contains("looking for a learning rate")), (0, true), "{}", first.stderr);
    let second = folder.run(&format!("{train} --epochs 5"));
    assert_eq!((second.status, second.stderr.contains("looking for a learning rate")), (0, false), "{}", second.stderr);
    assert!(second.stderr.contains("going on after 2 epochs"), "{}", second.stderr);
}

#[test]
fn the_checkpoint_of_an_earlier_run_is_kept_by_one_that_does_not_go_on_with_it() {
    let folder = Folder::new();
    let train = "train iris --layers 4,2,4 --epochs 3 --checkpoint kept";
    folder.done(train);
    let earlier = folder.bytes("kept/checkpoint.safetensors");
    let run = folder.run(&format!("{train} --seed 2"));
    assert!(
        run.status == 0 && run.stderr.contains("earlier.safetensors: the checkpoint of an earlier run"),
        "{}",
        run.stderr
    );
    assert!(
        folder.bytes("kept/earlier.safetensors") == earlier && folder.bytes("kept/checkpoint.safetensors") != earlier
    );
}

#[test]
fn going_on_with_another_run_is_refused_with_the_difference() {
    let folder = Folder::new();
    assert!(start(&folder, "model.safetensors", &["--checkpoint", "kept"]).wait().unwrap().success());
    let run = folder.run("train digits --layers 64,2,64 --checkpoint kept --resume --quiet");
    assert_eq!(run.status, 1);
    assert!(run.stderr.contains("the checkpoint is of a run with"), "{}", run.stderr);
}
