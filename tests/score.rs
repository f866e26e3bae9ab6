//! Scores: each row's error, the threshold above which a row is an anomaly, and how well labelled anomalies are found.

mod common;

use common::{Folder, number};
use serde_json::Value;

/// A folder with a model of two of iris's species.
fn two_species() -> Folder {
    let folder = Folder::new();
    folder.done("pca iris --without setosa --components 2 --scale standard --out pca.safetensors");
    folder
}

/// The cells of a CSV table, its header first.
fn table(text: &str) -> Vec<Vec<String>> {
    text.lines().map(|line| line.split(',').map(String::from).collect()).collect()
}

fn column(table: &[Vec<String>], name: &str) -> Vec<f64> {
    let place = table[0].iter().position(|cell| cell == name).unwrap_or_else(|| panic!("{name} in {:?}", table[0]));
    table[1..].iter().map(|row| row[place].parse().unwrap()).collect()
}

#[test]
fn scores_are_the_errors_of_rows_and_columns_add_up_to_them() {
    let folder = two_species();
    let plain = table(&folder.done("score pca.safetensors iris"));
    assert_eq!((plain.len(), &plain[0]), (151, &vec!["score".to_string()]));
    let scores = column(&plain, "score");
    let error = number(&folder.json("evaluate pca.safetensors iris --json"), "error_per_row");
    assert!((scores.iter().sum::<f64>() / 150.0 / error - 1.0).abs() < 1e-6);

    let by_column = table(&folder.done("score pca.safetensors iris --by-column --label species"));
    let names =
        ["score", "error_sepal_length", "error_sepal_width", "error_petal_length", "error_petal_width", "species"];
    assert_eq!(by_column[0], names);
    assert_eq!(column(&by_column, "score"), scores);
    let parts: Vec<Vec<f64>> = names[1..5].iter().map(|name| column(&by_column, name)).collect();
    for row in 0..150 {
        let sum: f64 = parts.iter().map(|part| part[row]).sum();
        assert!((sum - scores[row]).abs() <= 1e-6 * scores[row], "row {row}: {sum}, {}", scores[row]);
    }
    assert_eq!(by_column[1][5], "setosa");
}

#[test]
fn columns_without_names_are_numbered() {
    let folder = Folder::new();
    folder.write("rows.csv", "1,2\n3,4\n5,7\n");
    folder.done("pca rows.csv --components 1");
    assert_eq!(table(&folder.done("score pca.safetensors rows.csv --by-column"))[0], ["score", "error_1", "error_2"]);
}

#[test]
fn a_threshold_is_chosen_kept_shown_and_used() {
    let folder = two_species();
    let bare = folder.bytes("pca.safetensors");
    assert_eq!(folder.json("inspect pca.safetensors --json")["threshold"], Value::Null);
    let facts = folder.json("score pca.safetensors iris --without setosa --quantile 0.95 --keep --json");
    let threshold = number(&facts, "threshold");
    assert_eq!(facts["chosen_by"], "quantile 0.95");
    assert_eq!((number(&facts, "rows"), number(&facts, "share_above")), (100.0, 0.05));
    assert!(folder.bytes("pca.safetensors") != bare);
    let model = folder.json("inspect pca.safetensors --json");
    assert_eq!((number(&model, "threshold"), &model["threshold_chosen_by"]), (threshold, &"quantile 0.95".into()));

    let kept = table(&folder.done("score pca.safetensors iris --verdict --label species"));
    assert_eq!(kept[0], ["score", "is_anomaly", "species"]);
    for (score, verdict) in column(&kept, "score").into_iter().zip(column(&kept, "is_anomaly")) {
        assert_eq!(verdict, f64::from(u8::from(score > threshold)), "{score}");
    }
    // Another rule wins over what is kept, which stays.
    let other = folder.json("score pca.safetensors iris --mad 3 --json");
    assert_eq!(other["chosen_by"], "mad 3");
    assert_eq!(number(&folder.json("score pca.safetensors iris --json"), "threshold"), threshold);
    // And the model is the same in all else.
    for command in ["encode", "reconstruct"] {
        let now = folder.done(&format!("{command} pca.safetensors iris"));
        folder.write("bare.safetensors", &bare);
        assert_eq!(now, folder.done(&format!("{command} bare.safetensors iris")));
    }
}

#[test]
fn labels_tell_how_well_anomalies_are_found() {
    let folder = two_species();
    let anomaly = folder.json("score pca.safetensors iris --anomaly setosa --false-positive-rate 0.1 --json");
    let normal =
        folder.json("score pca.safetensors iris --normal versicolor,virginica --false-positive-rate 0.1 --json");
    assert_eq!(anomaly, normal);
    assert_eq!(number(&anomaly, "anomalies"), 50.0);
    assert!(number(&anomaly, "roc_auc") > 0.9 && number(&anomaly, "average_precision") > 0.8, "{anomaly}");
    assert!(number(&anomaly, "true_positive_rate") > 0.5, "{anomaly}");
    assert_eq!(number(&anomaly, "false_positive_rate"), 0.1);
    let reversed = folder.json("score pca.safetensors iris --normal setosa --json");
    assert!((number(&anomaly, "roc_auc") + number(&reversed, "roc_auc") - 1.0).abs() < 1e-12);
}

#[test]
fn standard_output_holds_scores_or_facts_and_never_both() {
    let folder = two_species();
    assert!(folder.done("score pca.safetensors iris").starts_with("score\n"));
    assert!(folder.done("score pca.safetensors iris --quantile 0.9").starts_with("score,is_anomaly\n"));
    let facts = folder.done("score pca.safetensors iris --quantile 0.9 --anomaly setosa --out scores.csv");
    assert!(facts.starts_with("scores               scores.csv\n") && facts.contains("\nroc auc "), "{facts}");
    assert!(folder.read("scores.csv").starts_with("score,is_anomaly\n"));
    for asks in ["--anomaly setosa", "--normal setosa", "--quantile 0.9 --keep", "--json"] {
        let facts = folder.done(&format!("score pca.safetensors iris {asks}"));
        assert!(!facts.contains("score\n") && facts.contains("error") && facts.contains("per"), "{facts}");
    }
}

#[test]
fn rows_are_chosen_by_label_wherever_rows_are_read() {
    let folder = Folder::new();
    let labels: String = (0..150).map(|row| if row < 100 { "kept\n" } else { "left\n" }).collect();
    folder.write("labels.txt", labels);
    for choice in ["--only setosa,versicolor", "--without virginica", "--labels labels.txt --only kept"] {
        let train = folder.json(&format!("train iris {choice} --layers 4,2,4 --epochs 2 --quiet --json"));
        assert_eq!(number(&train, "rows"), 100.0, "{choice}");
        let pca = folder.json(&format!("pca iris {choice} --components 2 --json"));
        assert_eq!(number(&pca, "rows"), 100.0, "{choice}");
        let error = number(&folder.json(&format!("evaluate pca.safetensors iris {choice} --json")), "error_per_row");
        assert_eq!(error, number(&pca, "error_per_row"), "{choice}");
        assert_eq!(folder.done(&format!("encode pca.safetensors iris {choice}")).lines().count(), 101, "{choice}");
    }
    let settings = &folder.json("inspect pca.safetensors --json")["settings"];
    assert_eq!(settings["only"], serde_json::json!(["kept"]));
    // The rows of a validation file are chosen alike, even where it lacks a label.
    folder.write("train.csv", "x,y,kind\n1,2,a\n2,3,a\n3,5,a\n9,9,b\n");
    folder.write("valid.csv", "x,y,kind\n1,3,a\n2,2,c\n");
    let command = "train train.csv --validation valid.csv --label kind --without b --layers 2,1,2 --epochs 1 --quiet";
    folder.done(command);
    folder.done(&format!("{command} --dry-run"));
}

#[test]
fn a_dry_run_says_which_rows_are_chosen() {
    let folder = Folder::new();
    let plan = folder.done("train digits --without 7,9 --layers 64,2,64 --dry-run");
    assert!(plan.contains("without = [\"7\", \"9\"]"), "{plan}");
    folder.write("plan.toml", plan);
    let train = folder.json("train --config plan.toml --epochs 1 --quiet --json");
    assert!((1400.0..1500.0).contains(&number(&train, "rows")), "{train}");
}

#[test]
fn what_cannot_be_done_says_so_and_touches_nothing() {
    let folder = two_species();
    folder.write("labels.txt", "a\nb\n");
    folder.write("rows.csv", "1,2,3,4\n5,6,7,8\n");
    folder.write("same.csv", "1,2,3,4\n1,2,3,4\n1,2,3,4\n");
    folder.write("huge.csv", "1,2,3,4\n3e38,-3e38,3e38,3e38\n");
    for (arguments, expected) in [
        ("iris --verdict", &["pca.safetensors", "keeps no threshold", "--quantile"][..]),
        ("iris --labels labels.txt", &["labels.txt: 2 labels, but the data has 150 rows"]),
        ("iris --anomaly tulip", &["iris", "`tulip`", "setosa, versicolor, virginica"]),
        ("iris --normal tulip --json", &["`tulip`", "setosa, versicolor, virginica"]),
        ("iris --only tulip", &["`tulip`", "setosa, versicolor, virginica"]),
        ("iris --without setosa,versicolor,virginica", &["no row is left"]),
        ("iris --only setosa --anomaly setosa", &["all rows (50) are anomalies"]),
        ("iris --only setosa --anomaly setosa --false-positive-rate 0.1", &["all rows (50) are anomalies"]),
        ("iris --only setosa --normal setosa --json", &["all rows (50) are normal"]),
        ("rows.csv --anomaly a", &["rows.csv", "no labels", "--label"]),
        ("rows.csv --only a", &["rows.csv", "no labels", "(--label)"]),
        ("same.csv --mad 3 --keep", &["same.csv", "median absolute deviation is 0"]),
        ("huge.csv --quantile 0.5 --keep", &["huge.csv", "row 2", "finite"]),
        ("iris --out pca.safetensors", &["write to another"]),
        ("iris --out nowhere/scores.csv", &["nowhere"]),
        ("rows.csv --labels labels.txt --out labels.txt", &["write to another"]),
    ] {
        folder.refused(&format!("score pca.safetensors {arguments}"), 1, expected);
    }
    for (arguments, expected) in [
        ("--quantile 1.5", "1.5 is not a share from 0 to 1"),
        ("--quantile -0.5", "-0.5 is not a share from 0 to 1"),
        ("--quantile nan", "NaN is not a share"),
        ("--mad -1", "-1 is not a finite number from 0 on"),
        ("--false-positive-rate 1 --anomaly setosa", "1 is not a share from 0 to below 1"),
        ("--false-positive-rate 0.1", "--anomaly"),
        ("--quantile 0.5 --mad 3", "cannot be used with"),
        ("--anomaly setosa --normal virginica", "cannot be used with"),
        ("--only setosa --without virginica", "cannot be used with"),
        ("--keep", "--quantile"),
    ] {
        folder.refused(&format!("score pca.safetensors iris {arguments}"), 2, &[expected]);
    }
}

#[cfg(unix)]
#[test]
fn a_threshold_is_not_kept_in_a_pipe_or_in_a_file_that_cannot_be_written() {
    let folder = two_species();
    folder.refused("score /dev/null iris --quantile 0.5 --keep", 1, &["/dev/null", "no regular file"]);
    folder.done("pca digits --components 2 --out digits.safetensors");
    folder.refused("score digits.safetensors digits --mad 1e308 --keep", 2, &["beyond all numbers"]);
    folder.refused("score missing iris --quantile 0.5 --keep", 1, &["missing"]);
}
