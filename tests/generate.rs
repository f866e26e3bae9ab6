//! Rows that no data holds: drawn, between two rows, and along one element of the code.

mod common;

use common::Folder;

/// A folder with PCA of iris, an auto-encoder of digits, and a variational one.
fn fitted() -> Folder {
    let folder = Folder::new();
    folder.done("pca iris --components 2 --out iris.safetensors");
    folder
        .done("train digits --layers 64,32,4,32,64 --epochs 20 --learning-rate 0.003 --quiet --out digits.safetensors");
    folder.done(
        "train digits --layers 64,32,4,32,64 --scale unit --loss cross-entropy --variational --epochs 20 --quiet \
         --learning-rate 0.003 --out variational.safetensors",
    );
    folder
}

fn rows(csv: &str, has_header: bool) -> Vec<Vec<f64>> {
    csv.lines()
        .skip(usize::from(has_header))
        .map(|line| line.split(',').map(|cell| cell.parse().unwrap()).collect())
        .collect()
}

fn mean(rows: &[Vec<f64>], column: usize) -> f64 {
    rows.iter().map(|row| row[column]).sum::<f64>() / rows.len() as f64
}

#[test]
fn samples_have_the_means_and_the_names_of_the_training_rows() {
    let folder = fitted();
    let csv = folder.done("sample iris.safetensors --count 2000");
    assert_eq!(csv.lines().next(), Some("sepal_length,sepal_width,petal_length,petal_width"));
    let sampled = rows(&csv, true);
    assert_eq!(sampled.len(), 2000);
    for (column, expected) in [5.843, 3.057, 3.758, 1.199].into_iter().enumerate() {
        assert!((mean(&sampled, column) - expected).abs() < 0.15, "column {column}: {}", mean(&sampled, column));
    }
    // Petals come in two sizes, with a gap between them, which one normal distribution would not show.
    let in_the_gap = sampled.iter().filter(|row| (2.2..2.8).contains(&row[2])).count();
    assert!(in_the_gap < 60, "{in_the_gap}");
    for model in ["digits", "variational"] {
        let sampled = rows(&folder.done(&format!("sample {model}.safetensors --count 500")), true);
        let middle = (0..64).map(|column| mean(&sampled, column)).sum::<f64>() / 64.0;
        assert!((middle - 4.88).abs() < 0.8, "{model}: {middle}");
    }
}

#[test]
fn the_seed_decides_the_samples_and_the_threads_do_not() {
    let folder = fitted();
    for model in ["iris", "digits", "variational"] {
        let run = |more: &str| folder.done(&format!("sample {model}.safetensors --count 50 {more}"));
        assert_eq!(run("--threads 1"), run("--threads 3 --seed 1"));
        assert_ne!(run(""), run("--seed 2"));
    }
}

#[test]
fn the_way_between_two_rows_starts_and_ends_at_their_reconstructions() {
    let folder = fitted();
    let way = folder.done("interpolate digits.safetensors digits --rows 3,9 --steps 5");
    let way: Vec<&str> = way.lines().collect();
    let reconstructed = folder.done("reconstruct digits.safetensors digits");
    let reconstructed: Vec<&str> = reconstructed.lines().collect();
    assert_eq!(way.len(), 6);
    assert_eq!([way[1], way[5]], [reconstructed[3], reconstructed[9]]);
}

#[test]
fn a_walk_along_a_code_moves_that_code_alone() {
    let folder = fitted();
    folder.done("traverse iris.safetensors --code 2 --steps 7 --out walk.csv");
    let codes = rows(&folder.done("encode iris.safetensors walk.csv"), true);
    assert_eq!(codes.len(), 7);
    assert!(codes.iter().all(|code| (code[0] - codes[0][0]).abs() < 1e-4), "{codes:?}");
    let steps: Vec<f64> = codes.windows(2).map(|pair| pair[1][1] - pair[0][1]).collect();
    assert!(steps.iter().all(|step| *step > 0.1 && (step / steps[0] - 1.0).abs() < 1e-3), "{steps:?}");
}

#[test]
fn images_go_to_a_sheet() {
    let folder = fitted();
    for (arguments, width, height) in [
        ("sample variational.safetensors --count 30", 6 * 8, 5 * 8),
        ("interpolate digits.safetensors digits --rows 1,2 --steps 4", 4 * 8, 8),
        ("traverse digits.safetensors --code 1", 11 * 8, 8),
    ] {
        folder.done(&format!("{arguments} --out sheet.png"));
        let png = folder.bytes("sheet.png");
        assert_eq!(png[..8], *b"\x89PNG\r\n\x1a\n", "{arguments}");
        let number = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().unwrap());
        assert_eq!((number(16), number(20)), (width, height), "{arguments}");
    }
}

#[test]
fn what_cannot_be_generated_is_refused_with_a_reason() {
    let folder = fitted();
    for (arguments, status, expected) in [
        ("sample iris.safetensors --out sheet.png", 1, "the model's rows are no images"),
        ("sample digits.safetensors --count 0", 2, "at least 1"),
        ("sample digits.safetensors --count 9999999999 --out sheet.png", 1, "write a CSV file"),
        ("sample iris.csv", 1, "iris.csv"),
        ("interpolate digits.safetensors digits --rows 1", 2, "two rows are needed"),
        ("interpolate digits.safetensors digits --rows 0,1", 2, "at least 1"),
        ("interpolate digits.safetensors digits --rows 1,9999", 1, "there is no row 9999; it has 1797"),
        ("interpolate digits.safetensors digits --rows 1,2 --steps 1", 2, "from 2 to"),
        ("interpolate digits.safetensors iris --rows 1,2", 1, "iris"),
        ("traverse digits.safetensors --code 5", 1, "there is no code 5; the model has 4"),
        ("traverse digits.safetensors --code 1 --steps 99999999", 2, "from 2 to"),
    ] {
        folder.refused(arguments, status, &[expected]);
    }
}

#[test]
fn a_sample_does_not_overwrite_the_model_it_comes_from() {
    let folder = fitted();
    let before = folder.bytes("digits.safetensors");
    assert_eq!(folder.run("sample digits.safetensors --out digits.safetensors").status, 1);
    assert_eq!(folder.bytes("digits.safetensors"), before);
}
