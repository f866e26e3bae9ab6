//! The README's commands do what it shows.
//!
//! Each `$ ` line of a `console` block is run, in order, in one folder; what follows it is what must be printed.
//! Numbers may differ by a few percent, since other instruction sets round otherwise, and times by anything.

mod common;

use common::{Folder, mnist};

#[test]
fn the_commands_of_the_readme_print_what_it_shows() {
    let readme = include_str!("../README.md");
    let folder = Folder::new();
    let has_mnist = mnist().map(|mnist| folder.copy_all(&mnist)).is_some();
    std::fs::create_dir(folder.path("pictures")).unwrap();
    let mut commands = 0;
    for block in readme.split("```console\n").skip(1) {
        let block = block.split("```").next().unwrap();
        for example in block.split("$ ").skip(1) {
            let (command, expected) = example.split_once('\n').unwrap();
            let command = command.trim();
            let Some(arguments) =
                command.strip_prefix("cargo run --release -- ").or_else(|| command.strip_prefix("diabolo "))
            else {
                continue;
            };
            if arguments.contains("-idx3-") && !has_mnist {
                continue;
            }
            let printed = folder.done(arguments);
            assert!(alike(&printed, expected.trim_end()), "`{command}` printed:\n{printed}\ninstead of:\n{expected}");
            commands += 1;
        }
    }
    assert!(commands >= 5, "only {commands} commands were found");
}

fn alike(actual: &str, expected: &str) -> bool {
    let timed = |line: &str| line.starts_with("seconds") || line.starts_with("rows per second");
    let (actual, expected): (Vec<_>, Vec<_>) = (actual.lines().collect(), expected.lines().collect());
    actual.len() == expected.len()
        && actual.iter().zip(&expected).all(|(actual, expected)| {
            let words = |line: &str| line.replace(',', " , ").split_whitespace().map(String::from).collect::<Vec<_>>();
            let (actual_words, expected_words) = (words(actual), words(expected));
            timed(expected) && timed(actual)
                || actual_words.len() == expected_words.len()
                    && actual_words.iter().zip(&expected_words).all(|(actual, expected)| words_alike(actual, expected))
        })
}

fn words_alike(actual: &str, expected: &str) -> bool {
    match (actual.parse::<f64>(), expected.parse::<f64>()) {
        (Ok(actual), Ok(expected)) => (actual - expected).abs() <= 0.05 * expected.abs() + 0.02,
        _ => actual == expected,
    }
}
