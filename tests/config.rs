//! Configuration files: `--config FILE` says what options say, and `--dry-run` writes such a file.

mod common;

use std::path::Path;

use common::{Folder, number};
use serde_json::Value;

const IRIS: &str = "data = \"iris\"\nlayers = [4, 2, 4]\nepochs = 3\nbatch-size = 50\n";

/// A configuration that must be refused with one line that says all of this, and no file written.
fn refused(config: &str, expected: &[&str]) {
    let folder = Folder::new();
    folder.write("run.toml", config);
    let run = folder.run("train --config run.toml");
    assert_eq!((run.status, run.stdout.as_str()), (1, ""), "{config}: {}", run.stderr);
    assert_eq!(run.stderr.lines().count(), 1, "one message: {}", run.stderr);
    for part in expected.iter().chain(&["run.toml: line"]) {
        assert!(run.stderr.contains(part), "`{config}` should say `{part}`: {}", run.stderr);
    }
    assert_eq!(folder.names(), ["run.toml"]);
}

/// The settings of the model that a command writes to `model.safetensors`.
fn settings(folder: &Folder, arguments: &str) -> serde_json::Map<String, Value> {
    folder.done(arguments);
    let model = folder.json("inspect model.safetensors --json");
    model["settings"].as_object().unwrap().clone()
}

#[test]
fn a_file_alone_says_all_that_flags_say() {
    let folder = Folder::new();
    folder.write(
        "run.toml",
        "data = 'iris'\ncolumns = ['sepal_width', 3]\nlayers = [2, 1, 2]\nepochs = 3\nlearning-rate = 1e-2\n\
         no-bias = true\ntied = false\nvalidation = 0.2\nscale = 'standard'\nseed = 0x7\nquiet = true\nthreads = 1\n",
    );
    let from_file = folder.done("train --config run.toml --out from-file");
    let flags = "--columns sepal_width,3 --layers 2,1,2 --epochs 3 --learning-rate 0.01 --no-bias --validation 0.2 \
                 --scale standard --seed 7";
    folder.done(&format!("train iris {flags} --out from-flags"));
    assert!(folder.bytes("from-file") == folder.bytes("from-flags"));
    assert!(from_file.contains("seed                      7"), "{from_file}");
}

#[test]
fn flags_win_over_the_file() {
    let folder = Folder::new();
    folder
        .write("run.toml", format!("{IRIS}threads = 1\nout = 'other'\ncolumns = [1, 2]\nvalidation = 'nowhere.csv'\n"));
    let words = "train digits --config run.toml --layers=64,2,64 -b 30 -c 1,2,3 --layers 64,2,64";
    assert_eq!(folder.run(words).status, 2, "the same flag twice is an error as ever");
    let words = "--threads 2 train --config run.toml digits -L3,2,3 -b 30 -c 1,2,3 -v 0.5 --out model.safetensors";
    let settings = settings(&folder, words);
    assert_eq!(settings["layers"], serde_json::json!([3, 2, 3]));
    assert_eq!(settings["columns"], serde_json::json!(["1", "2", "3"]));
    assert_eq!((&settings["batch-size"], &settings["epochs"]), (&30.into(), &3.into()));
    assert_eq!(folder.names(), ["model.safetensors", "run.toml"]);
}

#[test]
fn a_flag_wins_over_a_key_that_it_excludes() {
    let folder = Folder::new();
    folder.write("run.toml", IRIS);
    assert_eq!(folder.json("compare --config run.toml --code 1 --json")["code"], 1);
    assert_eq!(folder.json("compare --config run.toml --json")["code"], 2);
    folder.write("both.toml", format!("{IRIS}code = 1\n"));
    let run = folder.run("compare --config both.toml");
    assert_eq!(run.status, 1);
    assert!(run.stderr.contains("both.toml: line 2: `layers` and `code` exclude each other"), "{}", run.stderr);
}

#[test]
fn an_unknown_key_is_told_with_its_line_and_the_nearest_key() {
    refused(&format!("{IRIS}lerning-rate = 0.1\n"), &["line 5", "`lerning-rate`", "is `learning-rate` meant?"]);
    refused(&format!("{IRIS}batch_size = 1\n"), &["line 5", "`batch_size`", "`batch-size`"]);
    refused("date = 'iris'\n", &["line 1", "`data`"]);
    refused("\n[train]\nepochs = 3\n", &["line 2", "`train`"]);
    refused(&format!("{IRIS}xyz = 'red'\n"), &["line 5", "`xyz`", "--help"]);
    for key in ["config", "dry-run", "help", "version"] {
        refused(&format!("{IRIS}{key} = true\n"), &["line 5", &format!("`{key}`")]);
    }
}

#[test]
fn a_value_of_a_wrong_type_is_told_with_its_key() {
    for (line, expected) in [
        ("no-bias = 1", "true or false"),
        ("no-bias = 'true'", "true or false"),
        ("epochs = true", "true or false"),
        ("epochs = 1979-05-27", "a date"),
        ("epochs = [1, 2]", "a whole number"),
        ("epochs = 'many'", "a whole number"),
        ("epochs = 2.5", "a whole number"),
        ("out = ['a', 'b']", "a list"),
        ("columns = [['a']]", "a list"),
        ("optimizer = { name = 'sgd' }", "a table"),
        ("optimizer.name = 'sgd'", "a table"),
    ] {
        let key = line.split([' ', '.']).next().unwrap();
        refused(&format!("data = 'iris'\n{line}\n"), &["line 2", key, expected]);
    }
}

#[test]
fn a_value_out_of_range_is_told_with_its_key() {
    for (line, expected) in [
        ("epochs = 0", "at least 1"),
        ("learning-rate = -1", "above 0"),
        ("learning-rate = nan", "above 0"),
        ("layers = [4, 2, 3]", "start and end alike"),
        ("layers = []", "no size"),
        ("activation = 'sigmoit'", "sigmoid"),
        ("validation = 1.5", "between 0 and 1"),
        ("threads = 0", "1..=1024"),
        ("seed = -1", "seed"),
        ("data = '--help'", "data"),
        ("data = '-x'", "./-x"),
    ] {
        let key = line.split(' ').next().unwrap();
        refused(&format!("\n{line}\n"), &["line 2", key, expected]);
    }
}

#[test]
fn a_broken_file_is_told_with_its_line() {
    refused(&format!("{IRIS}momentum\n"), &["line 5", "no TOML"]);
    refused(&format!("{IRIS}epochs = 4\n"), &["line 5", "duplicate"]);
    refused("data = 'iris\n", &["line 1", "no TOML"]);
    refused("data = iris\n", &["line 1", "no TOML"]);
    let folder = Folder::new();
    folder.write("binary.toml", [b'a', 0xff]);
    for name in ["nowhere.toml", "binary.toml", "."] {
        let run = folder.run(&format!("train iris --layers 4,2,4 --config {name}"));
        assert_eq!((run.status, run.stderr.lines().count()), (1, 1), "{}", run.stderr);
        assert!(run.stderr.contains(&format!("{name}: cannot read")), "{}", run.stderr);
    }
}

#[test]
fn what_neither_says_and_what_does_not_fit_together_are_wrong_words() {
    let folder = Folder::new();
    folder.write("run.toml", "layers = [4, 2, 4]\noptimizer = 'adam'\nmomentum = 0.5\n");
    for (arguments, expected) in [
        ("train --config run.toml", "<DATA>"),
        ("train iris --config run.toml", "momentum"),
        ("train iris --config run.toml --bogus", "--bogus"),
        ("train iris --config", "--config"),
    ] {
        let run = folder.run(arguments);
        assert_eq!(run.status, 2, "{arguments}");
        assert!(run.stderr.contains(expected), "{arguments}: {}", run.stderr);
    }
}

#[test]
fn the_configuration_is_not_overwritten() {
    let folder = Folder::new();
    folder.write("run.toml", IRIS);
    for flag in ["out", "history"] {
        let run = folder.run(&format!("train --config run.toml --{flag} ./run.toml"));
        assert_eq!(run.status, 1);
        assert!(run.stderr.contains("write to another"), "{}", run.stderr);
    }
    assert_eq!(folder.read("run.toml"), IRIS);
}

#[test]
fn a_dry_run_prints_a_file_that_gives_the_same_dry_run_and_writes_nothing() {
    let folder = Folder::new();
    folder.write("held out.csv", "5,3,1,0\n6,3,5,2\n");
    folder
        .write("run.toml", "data = 'iris'\nlayers = [4, 3, 4]\nvalidation = 'held out.csv'\nhistory = 'é \"1\".csv'\n");
    let before = folder.names();
    for arguments in [
        "iris --layers 4,2,4",
        "iris --layers 4,2,4 --seed 18446744073709551615 --threads 1 --out 5 --json --quiet",
        "iris --layers 2,1,2 -c sepal_width,3 --no-bias --tied --scale standard --label species -v 0.1",
        "iris --layers 4,2,4 --optimizer adamw --learning-rate 0.0000001 --schedule step:10:0.3 --warm-up 0.5",
        "iris --layers 4,2,4 --optimizer nesterov --max-time 15m --patience 3 -v 0.2 --average ema:0.99 --clip-norm 1",
        "--config run.toml",
    ] {
        let printed = folder.done(&format!("train {arguments} --dry-run"));
        assert_eq!(folder.names(), before);
        let other = Folder::new();
        other.write("again.toml", &printed);
        other.write("held out.csv", folder.read("held out.csv"));
        assert_eq!(other.done("train --dry-run --config again.toml"), printed);
        assert!(printed.starts_with("data = \"iris\"\n"), "{printed}");
    }
}

#[test]
fn a_dry_run_fails_where_the_run_would() {
    let folder = Folder::new();
    for (arguments, expected) in [
        ("iris --layers 5,2,5", "4 columns"),
        ("nowhere.csv --layers 5,2,5", "nowhere.csv"),
        ("iris --layers 4,2,4 --loss cross-entropy", "[0, 1]"),
        ("iris --layers 4,2,4 --out nowhere/model", "nowhere"),
    ] {
        let run = folder.run(&format!("train {arguments} --dry-run"));
        assert_eq!((run.status, run.stdout.as_str()), (1, ""), "{arguments}");
        assert!(run.stderr.contains(expected), "{arguments}: {}", run.stderr);
    }
}

#[test]
fn the_settings_of_the_model_are_those_of_the_dry_run() {
    let folder = Folder::new();
    let arguments = "train iris -c 1,2,4 --label species --layers 3,2,3 --no-bias --scale unit -v 0.2 --optimizer adamw \
                     --epochs 2 --max-time 1h";
    let dry_run: toml::Table = folder.done(&format!("{arguments} --dry-run")).parse().unwrap();
    let settings = settings(&folder, arguments);
    for (key, setting) in settings.iter().filter(|(_, setting)| !setting.is_null()) {
        assert_eq!(Some(&toml::Value::try_from(setting).unwrap()), dry_run.get(key), "{key}");
    }
    let only_there: Vec<_> = dry_run.keys().filter(|key| !settings.contains_key(*key)).collect();
    assert_eq!(only_there, ["data", "out", "seed"]);
    folder.write("run.toml", folder.done(&format!("{arguments} --dry-run")));
    folder.done("train --config run.toml --out again");
    assert!(folder.bytes("again") == folder.bytes("model.safetensors"));
}

#[test]
fn every_recipe_is_a_configuration_that_trains() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = Folder::new();
    folder.copy_all(&root.join("recipes"));
    // Two images of 28 × 28 for the recipes that leave the data to the command line.
    folder.write("images", [&[0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 28, 0, 0, 0, 28][..], &[7; 2 * 784]].concat());
    let recipes = folder.names().into_iter().filter(|name| name.ends_with(".toml"));
    for recipe in recipes {
        let images = if folder.read(&recipe).contains("\ndata =") { "" } else { "images" };
        folder.done(&format!("train {images} --config {recipe} --epochs 1 --out model"));
    }
}

#[test]
fn the_linear_recipe_reaches_the_error_of_pca() {
    let folder = Folder::new();
    folder.copy_all(&Path::new(env!("CARGO_MANIFEST_DIR")).join("recipes"));
    let train = folder.json("train --config iris-linear.toml --json");
    let pca = folder.json("pca iris --columns sepal_width,petal_length --components 1 --json");
    let ratio = number(&train, "error_per_row") / number(&pca, "error_per_row");
    assert!((0.9999..1.001).contains(&ratio), "ratio {ratio}");
}
