//! The main job, end to end: fit, keep, use.

mod common;

use common::{Folder, number};
use serde_json::Value;

const IRIS_PAIR: &str = "iris --columns sepal_width,petal_length";

#[test]
fn a_linear_auto_encoder_reaches_the_error_of_pca() {
    let folder = Folder::new();
    let pca = folder.json(&format!("pca {IRIS_PAIR} --components 1 --json"));
    let train = folder.json(&format!(
        "train {IRIS_PAIR} --layers 2,1,2 --activation linear --epochs 200 --batch-size 10 --learning-rate 0.01 --json"
    ));
    let ratio = number(&train, "error_per_row") / number(&pca, "error_per_row");
    assert!((0.999..1.01).contains(&ratio), "ratio {ratio}");
}

#[test]
fn the_lectures_network_without_biases_has_2040_parameters() {
    let folder = Folder::new();
    let rows = (0..20).map(|row| (0..100).map(|column| ((row * column) % 7).to_string()).collect::<Vec<_>>().join(","));
    folder.write("rows.csv", rows.collect::<Vec<_>>().join("\n"));
    let train = folder.json("train rows.csv --layers 100,10,2,10,100 --no-bias --epochs 1 --json");
    assert_eq!(number(&train, "parameters"), 2040.0);
}

#[test]
fn an_auto_encoder_beats_pca_on_digits_it_has_not_seen() {
    let compare = Folder::new().json("compare digits --json --quiet --epochs 30");
    let error = |model: &str, key| number(&compare[model], key);
    assert!(error("autoencoder", "error_per_row") < error("pca", "error_per_row"), "{compare}");
    assert!(error("autoencoder", "validation_error_per_row") < error("pca", "validation_error_per_row"), "{compare}");
    assert!(error("autoencoder", "variance_explained") > error("pca", "variance_explained"), "{compare}");
}

#[test]
fn encoding_then_decoding_is_reconstructing_to_the_last_bit() {
    let folder = Folder::new();
    folder.done("train digits --layers 64,20,5,20,64 --epochs 2 --scale standard --out network.safetensors");
    folder.done("pca digits --components 0.8 --whiten --out pca.safetensors");
    for model in ["network", "pca"] {
        folder.done(&format!("encode {model}.safetensors digits --out codes.csv"));
        folder.done(&format!("decode {model}.safetensors codes.csv --out decoded.csv"));
        folder.done(&format!("reconstruct {model}.safetensors digits --out reconstructed.csv"));
        assert_eq!(folder.read("decoded.csv"), folder.read("reconstructed.csv"));
        assert_eq!(folder.read("decoded.csv").lines().count(), 1798);
    }
}

#[test]
fn the_same_seed_gives_the_same_model_file_for_any_number_of_threads() {
    let folder = Folder::new();
    let mut files = Vec::new();
    let runs = ["adam --batch-size 200", "sgd --batch-size 200", "kfac --batch-size 200", "kfac --batch-size 2000"];
    for run in runs {
        let of_threads: Vec<_> = (1..=3)
            .map(|threads| {
                folder.done(&format!(
                    "train digits --layers 64,100,2,100,64 --epochs 3 --scale unit --learning-rate 0.001 \
                     --validation 0.2 --optimizer {run} --threads {threads} --out model.safetensors"
                ));
                folder.bytes("model.safetensors")
            })
            .collect();
        assert!(of_threads[0] == of_threads[1] && of_threads[1] == of_threads[2], "{run}");
        files.extend(of_threads);
    }
    assert!(files[0] != files[3]);
    let mut pcas = Vec::new();
    for threads in 1..=3 {
        folder.done(&format!("pca digits --components 10 --threads {threads} --out pca.safetensors"));
        pcas.push(folder.bytes("pca.safetensors"));
    }
    assert!(pcas[0] == pcas[1] && pcas[1] == pcas[2], "pca");
}

#[test]
fn decoded_rows_have_the_units_and_names_of_the_file_that_was_trained_on() {
    let folder = Folder::new();
    let line = |i: usize| format!("{}\t{}\tx\n", 1000.0 + i as f32, -0.001 * i as f32);
    let rows: String = (0..60).map(line).collect();
    folder.write("rows.tsv", format!("mass in g\twidth\tkind\n{rows}"));
    for scale in ["unit", "standard"] {
        folder.done(&format!(
            "train rows.tsv --label kind --layers 2,1,2 --activation linear --epochs 400 --batch-size 10 --scale {scale}"
        ));
        let rows = folder.done("reconstruct model.safetensors rows.tsv --label kind");
        let mut lines = rows.lines();
        assert_eq!(lines.next(), Some("mass in g,width,kind"));
        for (index, line) in lines.enumerate() {
            let cells: Vec<&str> = line.split(',').collect();
            let close = |cell: &str, expected: f64, tolerance: f64| {
                let value: f64 = cell.parse().unwrap();
                assert!((value - expected).abs() < tolerance, "{scale}: {value} instead of {expected}");
            };
            close(cells[0], 1000.0 + index as f64, 1.5);
            close(cells[1], -0.001 * index as f64, 0.0015);
            assert_eq!(cells[2], "x");
        }
    }
}

#[test]
fn a_model_takes_its_columns_by_name_from_a_wider_file() {
    let folder = Folder::new();
    folder.done(&format!("pca {IRIS_PAIR} --components 1"));
    let all = folder.json("evaluate pca.safetensors iris --json");
    let pair = folder.json("evaluate pca.safetensors iris --columns sepal_width,petal_length --json");
    assert_eq!(all, pair);
}

#[test]
fn evaluating_the_training_rows_gives_the_error_that_training_printed() {
    let folder = Folder::new();
    let train = folder.json("train iris --layers 4,2,4 --epochs 5 --json");
    let evaluate = folder.json("evaluate model.safetensors iris --json");
    for key in ["error_per_row", "mse", "rows"] {
        assert_eq!(train[key], evaluate[key], "{key}");
    }
    assert_eq!(train["validation_error_per_row"], Value::Null);
    assert!((number(&train, "error_per_row") / 4.0 / number(&train, "mse") - 1.0).abs() < 1e-12);
}

#[test]
fn validation_rows_come_from_a_share_or_a_file() {
    let folder = Folder::new();
    let share = folder.json("train iris --layers 4,2,4 --epochs 2 --validation 0.2 --json");
    assert_eq!((number(&share, "rows"), share["validation_error_per_row"].is_f64()), (120.0, true));
    folder.done("reconstruct model.safetensors iris --out other.csv");
    let file = folder.json("train iris --layers 4,2,4 --epochs 2 --validation other.csv --json --history history.csv");
    assert_eq!((number(&file, "rows"), file["validation_error_per_row"].is_f64()), (150.0, true));
    assert_eq!(folder.read("history.csv").lines().count(), 3);
}

#[test]
fn inspect_tells_what_a_model_and_a_data_file_hold() {
    let folder = Folder::new();
    folder.done("train iris --layers 4,3,4 --epochs 1 --activation tanh --scale standard");
    let model = folder.json("inspect model.safetensors --json");
    assert_eq!(model["kind"], "autoencoder");
    assert_eq!(model["layers"], serde_json::json!([4, 3, 4]));
    assert_eq!(number(&model, "parameters"), 31.0);
    assert_eq!(model["activations"], serde_json::json!(["linear", "linear"]));
    assert_eq!(model["scaling"], "standard");
    folder.done("pca digits --components 3");
    assert_eq!(folder.json("inspect pca.safetensors --json")["kind"], "pca");
    let digits = folder.json("inspect digits --json");
    assert_eq!((number(&digits, "rows"), number(&digits, "columns")), (1797.0, 64.0));
}

#[test]
fn cross_entropy_trains_on_data_in_the_unit_interval() {
    let folder = Folder::new();
    let train = folder.json("train digits --scale unit --loss cross-entropy --layers 64,30,64 --epochs 10 --json");
    let pca = folder.json("pca digits --scale unit --components 1 --json");
    assert!(number(&train, "error_per_row") < number(&pca, "error_per_row"));
    let run = folder.run("train digits --loss cross-entropy --layers 64,30,64");
    assert_eq!(run.status, 1);
    assert!(run.stderr.contains("[0, 1]"), "{}", run.stderr);
}

#[test]
fn bench_reports_rates_and_their_share_of_the_peak_with_one_thread_and_with_all() {
    let folder = Folder::new();
    let report = folder.json("bench --layers 20,3,20 --rows 300 --seconds 0.1 --threads 2 --json");
    let runs = report["runs"].as_array().unwrap();
    let threads: Vec<f64> = runs.iter().map(|run| number(run, "threads")).collect();
    assert_eq!(threads, [1.0, 2.0]);
    for run in runs {
        for task in ["training", "reconstruction"] {
            let share = number(run, &format!("{task}_share_of_peak"));
            assert!(share > 0.0 && share < 1.2, "{task}: {share}");
            assert!(number(run, &format!("{task}_rows_per_second")) > 0.0);
        }
    }
    assert!(folder.done("bench iris --layers 4,2,4 --seconds 0.1").contains("training rows per second"));
    assert!(folder.names().is_empty(), "it writes no file");
}

#[test]
fn progress_goes_to_standard_error_and_quiet_silences_it() {
    let folder = Folder::new();
    let loud = folder.run("train iris --layers 4,2,4 --epochs 100");
    let lines = loud.stderr.lines().count();
    assert!((20..=21).contains(&lines) && loud.stderr.contains("epoch 100/100"), "{}", loud.stderr);
    assert!(loud.stdout.contains("error per row"));
    assert_eq!(folder.run("train iris --layers 4,2,4 --epochs 100 --quiet").stderr, "");
}

#[cfg(unix)]
#[test]
fn a_pipe_is_read_once_and_written_once() {
    use std::process::{Command, Stdio};
    let folder = Folder::new();
    let shell = |script: &str| {
        let output = Command::new("sh")
            .args(["-c", script])
            .env("DIABOLO", env!("CARGO_BIN_EXE_diabolo"))
            .current_dir(folder.path(""))
            .stdin(Stdio::null())
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(shell(r#"printf 'a,b\n1,2\n3,4\n' | "$DIABOLO" inspect /dev/stdin"#).contains("rows          2"));
    folder.done("pca iris --components 2");
    assert!(shell(r#"cat pca.safetensors | "$DIABOLO" inspect /dev/stdin"#).contains("4,2,4"));
    assert_eq!(
        shell(r#"mkfifo pipe; cat pipe > got & "$DIABOLO" encode pca.safetensors iris --out pipe; wait; wc -l < got"#)
            .trim(),
        "151"
    );
    // Nobody reads standard error: the work is done all the same.
    shell(r#""$DIABOLO" train iris --layers 4,2,4 --epochs 500 --out kept 2>&1 >/dev/null | head -1"#);
    assert!(folder.names().contains(&"kept".to_string()));
}
