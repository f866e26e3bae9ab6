//! The recipes reach the errors that they state.
//!
//! A recipe states the error of its model in a line `# error per row: NUMBER` (on the rows it was trained on) or
//! `# error per row on t10k-images-idx3-ubyte.gz: NUMBER`; that of a probe of one of its layers, in per cent, in a line
//! `# logistic error by 10 labels a class of layer_2: NUMBER`; and what a command says of the model in a line
//! `# restore t10k-images-idx3-ubyte.gz --corrupt …: psnr_after NUMBER` or
//! `# evaluate t10k-images-idx3-ubyte.gz --samples …: log_likelihood NUMBER`. To run them all, which takes the better part
//! of an hour: `DIABOLO_DATA=... cargo test --release --test recipes -- --ignored --nocapture`.

mod common;

use common::{Folder, mnist, number};

/// How far a stated error may be exceeded: other instruction sets round otherwise.
const SLACK: f64 = 1.02;

/// How far that of a probe may be: few labels, of some draws, make it less certain.
const PROBE_SLACK: f64 = 1.15;

#[test]
#[ignore = "trains for minutes; run it with --release"]
fn every_recipe_reaches_the_error_that_it_states() {
    let folder = Folder::new();
    let has_mnist = mnist().map(|mnist| folder.copy_all(&mnist)).is_some();
    let recipes = concat!(env!("CARGO_MANIFEST_DIR"), "/recipes");
    let mut paths: Vec<_> = std::fs::read_dir(recipes).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for path in paths {
        let text = std::fs::read_to_string(&path).unwrap();
        let name = path.file_stem().unwrap().to_str().unwrap().to_string();
        let is_mnist = name.starts_with("mnist");
        if is_mnist && !has_mnist {
            continue;
        }
        let data = if is_mnist { "train-images-idx3-ubyte.gz" } else { "" };
        let config = path.display();
        let trained = folder.json(&format!("train {data} --config {config} --out {name}.safetensors --quiet --json"));
        let mut stated = 0;
        for line in text.lines() {
            if let Some(probe) = Probe::of(line) {
                let actual = probe.run(&folder, &name);
                println!("{name}: {actual}; stated: {line}");
                assert!(actual <= PROBE_SLACK * probe.stated, "{name}: {actual}, but `{line}`");
                stated += 1;
            }
            let Some((on, error)) = line.strip_prefix("# error per row").and_then(|line| line.split_once(": ")) else {
                continue;
            };
            let expected: f64 = error.parse().unwrap();
            let actual = match on.strip_prefix(" on ") {
                Some(file) => {
                    number(&folder.json(&format!("evaluate {name}.safetensors {file} --json")), "error_per_row")
                }
                None => number(&trained, "error_per_row"),
            };
            println!("{name}{on}: {actual} in {:.1} s; stated: {expected}", number(&trained, "seconds"));
            assert!(actual <= SLACK * expected, "{name}{on}: {actual}, not {expected}");
            stated += 1;
        }
        for line in text.lines() {
            let commands = ["restore", "evaluate"];
            let Some((command, arguments, result)) = commands.iter().find_map(|command| {
                let (arguments, result) = line.strip_prefix(&format!("# {command} "))?.rsplit_once(": ")?;
                Some((command, arguments, result))
            }) else {
                continue;
            };
            let (key, expected) = result.split_once(' ').unwrap();
            let expected: f64 = expected.parse().unwrap();
            let actual = number(&folder.json(&format!("{command} {name}.safetensors {arguments} --json")), key);
            println!("{name} {arguments}: {key} {actual}; stated: {expected}");
            let worse = if key == "mse" { actual - expected } else { expected - actual };
            assert!(worse <= (SLACK - 1.0) * expected.abs(), "{name} {arguments}: {key} {actual}, not {expected}");
            stated += 1;
        }
        assert!(stated > 0, "{name} states no error");
    }
}

/// A probe whose error a recipe states.
struct Probe<'a> {
    classifier: &'a str,
    labels_per_class: &'a str,
    layer: &'a str,
    stated: f64,
}

impl<'a> Probe<'a> {
    fn of(line: &'a str) -> Option<Self> {
        let (classifier, rest) = line.strip_prefix("# ")?.split_once(" error by ")?;
        let (labels_per_class, rest) = rest.split_once(" labels a class of ")?;
        let (layer, stated) = rest.split_once(": ")?;
        Some(Self { classifier, labels_per_class, layer, stated: stated.parse().unwrap() })
    }

    /// The error of a model that was trained.
    fn run(&self, folder: &Folder, name: &str) -> f64 {
        let Self { classifier, labels_per_class, layer, .. } = self;
        let probed = folder.json(&format!(
            "probe {name}.safetensors train-images-idx3-ubyte.gz t10k-images-idx3-ubyte.gz --json \
             --labels train-labels-idx1-ubyte.gz --test-labels t10k-labels-idx1-ubyte.gz \
             --labels-per-class {labels_per_class} --layer {layer}"
        ));
        number(&probed["model"], &format!("{classifier}_error"))
    }
}
