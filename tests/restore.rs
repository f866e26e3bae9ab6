//! Restoring: corrupted rows are cleaned, missing cells filled in.

mod common;

use common::{Folder, mnist, number};

/// A folder with PCA of iris and of digits.
fn fitted() -> Folder {
    let folder = Folder::new();
    folder.done("pca iris --components 2 --out iris.safetensors");
    folder.done("pca digits --components 15 --out digits.safetensors");
    folder
}

#[test]
fn a_network_that_learned_to_clean_rows_does_it_better_than_pca() {
    let folder = fitted();
    let train = "train digits --layers 64,200,100,200,64 --scale unit --learning-rate 0.003 --output-activation sigmoid \
                 --epochs 30 --quiet";
    folder.done(&format!("{train} --corrupt clipped-gaussian:0.5 --out network.safetensors"));
    folder.done("pca digits --components 15 --scale unit --out pca.safetensors");
    let gain = |model: &str| {
        let facts = folder.json(&format!("restore {model}.safetensors digits --corrupt clipped-gaussian:0.5 --json"));
        assert_eq!(number(&facts, "peak"), 1.0);
        let psnr = -10.0 * number(&facts, "mse_after").log10();
        assert!((number(&facts, "psnr_after") - psnr).abs() < 1e-9, "{facts}");
        number(&facts, "psnr_after") - number(&facts, "psnr_before")
    };
    assert!(gain("network") > gain("pca") + 1.0, "{} {}", gain("network"), gain("pca"));
    assert!(gain("pca") > 1.0);
}

#[test]
fn the_seed_decides_the_corruption_and_the_threads_do_not() {
    let folder = fitted();
    for command in ["--corrupt gaussian:4", "--missing block:3x3"] {
        let run = |more: &str| folder.done(&format!("restore digits.safetensors digits {command} --json {more}"));
        let first = run("--threads 1");
        assert_eq!(first, run("--threads 3 --seed 1"), "{command}");
        assert_ne!(first, run("--seed 2"), "{command}");
    }
}

#[test]
fn rows_go_where_they_are_asked_for_and_facts_where_rows_do_not() {
    let folder = fitted();
    let rows = folder.done("restore digits.safetensors digits");
    assert_eq!(rows, folder.done("reconstruct digits.safetensors digits"));
    let facts = folder.done("restore digits.safetensors digits --clean digits");
    assert!(facts.starts_with("rows") && facts.contains("psnr after"), "{facts}");
    let facts = folder.done("restore digits.safetensors digits --out rows.csv");
    assert!(facts.contains("rows.csv"), "{facts}");
    assert_eq!(folder.read("rows.csv"), rows);
    folder.done("restore digits.safetensors digits --label digit --corrupt mask:0.3 --out labelled.csv");
    let labelled = folder.read("labelled.csv");
    assert!(labelled.lines().next().unwrap().ends_with("pixel_7_7,digit"));
    assert_ne!(labelled.lines().nth(1).unwrap().rsplit_once(',').unwrap().0, rows.lines().nth(1).unwrap());
}

#[test]
fn empty_cells_are_filled_in_and_known_ones_stay_as_they_were_given() {
    let folder = fitted();
    let holes = "sepal_length,sepal_width,petal_length,petal_width\n5.1,3.5,1.4,0.2\n7.0,,4.7,NA\n6.3,3.3,nan,2.5\n";
    folder.write("holes.csv", holes);
    folder.write("whole.csv", holes.replace("7.0,,4.7,NA", "7,3.2,4.7,1.4").replace("nan", "6"));
    let filled = folder.done("restore iris.safetensors holes.csv");
    let lines: Vec<Vec<f32>> =
        filled.lines().skip(1).map(|line| line.split(',').map(|cell| cell.parse().unwrap()).collect()).collect();
    assert_eq!(lines[0], [5.1, 3.5, 1.4, 0.2]);
    assert_eq!((lines[1][0], lines[1][2]), (7.0, 4.7));
    assert!((lines[1][3] - 1.4).abs() < 0.5 && (lines[2][2] - 6.0).abs() < 1.0, "{filled}");
    let facts = folder.json("restore iris.safetensors holes.csv --clean whole.csv --json");
    assert_eq!((number(&facts, "missing_cells"), number(&facts, "incomplete_rows")), (3.0, 2.0));
    assert_eq!(number(&facts, "unsettled_rows"), 0.0, "{facts}");
    assert!(number(&facts, "mse") < number(&facts, "mse_of_column_means"), "{facts}");
    for command in ["evaluate", "reconstruct", "encode"] {
        folder.refused(&format!("{command} iris.safetensors holes.csv"), 1, &["line 3", "sepal_width", "empty"]);
    }
}

#[test]
fn a_mask_marks_what_is_missing_in_all_rows_or_in_each() {
    let folder = fitted();
    folder.write("one.csv", "0,0,1,0\n");
    folder.write("each.csv", "0,0,1,0\n".repeat(150));
    let one = folder.done("restore iris.safetensors iris --mask one.csv");
    assert_eq!(one, folder.done("restore iris.safetensors iris --mask each.csv"));
    let facts = folder.json("restore iris.safetensors iris --mask one.csv --clean iris --json");
    assert_eq!(number(&facts, "missing_cells"), 150.0);
    // No row knows this column, so PCA's own mean stands in.
    assert!(number(&facts, "mse") < 0.2 * number(&facts, "mse_of_column_means"), "{facts}");
}

#[test]
fn hidden_cells_are_measured_and_gaps_that_nobody_knows_are_not() {
    let folder = fitted();
    let facts = folder.json("restore digits.safetensors digits --missing middle:2x2 --json");
    assert_eq!(number(&facts, "missing_cells"), 4.0 * 1797.0);
    assert!(number(&facts, "mse") < number(&facts, "mse_of_column_means"), "{facts}");
    folder.write("gap.csv", "5.1,3.5,1.4,\n4.9,3.0,1.4,0.2\n6.3,3.3,6.0,2.5\n");
    let facts = folder.json("restore iris.safetensors gap.csv --missing mask:0.1 --seed 4 --json");
    assert!(number(&facts, "missing_cells") >= 1.0, "{facts}");
}

#[test]
fn a_network_learns_from_images_with_a_block_of_zeros() {
    let folder = Folder::new();
    let train = "train digits --layers 64,200,100,200,64 --scale unit --learning-rate 0.003 --output-activation sigmoid \
                 --epochs 30 --quiet --corrupt block:3x3 --out";
    folder.done(&format!("{train} first.safetensors"));
    folder.done(&format!("{train} again.safetensors --threads 1"));
    assert!(folder.bytes("first.safetensors") == folder.bytes("again.safetensors"));
    let facts = folder.json("restore first.safetensors digits --missing block:3x3 --json");
    folder.done("pca digits --components 5 --scale unit --out pca.safetensors");
    let pca = folder.json("restore pca.safetensors digits --missing block:3x3 --json");
    assert_eq!((&facts["start"], &facts["rounds"]), (&"zeros".into(), &1.into()));
    assert!(number(&facts, "mse") < 0.75 * number(&pca, "mse"), "{facts} {pca}");
    folder.done("train digits --layers 64,30,10,30,64 --pretrain 1 --epochs 1 --corrupt block:3x3 --quiet");
}

#[test]
fn what_cannot_be_corrupted_is_told_with_what_would_fit() {
    let folder = fitted();
    let train = "train digits --layers 64,10,64 --out model --corrupt";
    folder.refused(&format!("{train} block:40x40"), 1, &["digits", "8 x 8 pixels", "at most block:8x8 fits"]);
    folder.refused(&format!("{train} clipped-gaussian:0.5"), 1, &["digits", "needs data in [0, 1]", "gaussian:0.5"]);
    folder.refused(&format!("{train} block:3"), 2, &["as in 14x14"]);
    folder.refused(&format!("{train} hole:3x3"), 2, &["block:HxW"]);
    let iris = "train iris --layers 4,2,4 --out model --corrupt block:2x2";
    folder.refused(iris, 1, &["iris", "needs images", "mask:SHARE"]);
    folder.refused(&format!("{iris} --dry-run"), 1, &["needs images"]);
    folder.refused("restore iris.safetensors iris --missing block:1x1", 1, &["iris", "needs images"]);
    folder.refused("restore digits.safetensors digits --corrupt block:9x1", 1, &["at most block:8x1 fits"]);
}

#[test]
fn what_cannot_be_restored_is_told_and_writes_nothing() {
    let folder = fitted();
    folder.write("empty-row.csv", "1,2,3,4\n,NA,NaN,\n");
    folder.write("text.csv", "1,2,3,4\n1,x,3,\n");
    folder.write("wide.csv", "0,0,1,0,0\n");
    folder.write("two.csv", "0,0,1,0\n0,0,1,0\n");
    folder.write("all.csv", "1,1,1,1\n");
    folder.write("gap.csv", "1,2,3,\n");
    let restore = "restore iris.safetensors";
    folder.refused(&format!("{restore} empty-row.csv"), 1, &["empty-row.csv", "all cells of row 2 are missing"]);
    folder.refused(&format!("{restore} text.csv --out new.csv"), 1, &["text.csv: line 2", "`x` is not a number"]);
    folder.refused(&format!("{restore} iris --mask wide.csv"), 1, &["wide.csv", "5 columns", "one row for all"]);
    folder.refused(&format!("{restore} iris --mask two.csv"), 1, &["two.csv", "2 rows", "150 rows"]);
    folder.refused(&format!("{restore} iris --mask all.csv"), 1, &["iris", "row 1"]);
    folder.refused(&format!("{restore} iris --clean two.csv"), 1, &["two.csv", "150 rows"]);
    folder.refused(&format!("{restore} iris --clean gap.csv"), 1, &["gap.csv", "empty"]);
    folder.refused(&format!("{restore} gap.csv --corrupt gaussian:1"), 1, &["gap.csv", "cells are missing"]);
    folder.refused(&format!("{restore} digits"), 1, &["digits", "sepal_length"]);
    folder.refused(&format!("{restore} iris --rounds 5 --out new.csv"), 2, &["rounds", "no cell is missing"]);
    folder.refused(&format!("{restore} two.csv --mask two.csv --out two.csv"), 1, &["write to another"]);
    for wrong in ["--rounds 0", "--tolerance -1", "--missing gaussian:1", "--corrupt mask:2"] {
        folder.refused(
            &format!("{restore} gap.csv {wrong}"),
            2,
            &[wrong.split_once("--").unwrap().1.split(' ').next().unwrap()],
        );
    }
    folder.refused(&format!("{restore} iris --corrupt mask:0.1 --missing mask:0.1"), 2, &["cannot be used with"]);
}

/// The recipes show more, over minutes.
#[test]
fn a_network_cleans_mnist_better_than_pca() {
    let Some(mnist) = mnist() else { return };
    let folder = Folder::new();
    let test = mnist.join("t10k-images-idx3-ubyte.gz").display().to_string();
    let train = "--layers 784,100,784 --loss cross-entropy --batch-size 128 --learning-rate 0.003 --quiet";
    folder.done(&format!("train {test} {train} --epochs 5 --corrupt clipped-gaussian:0.5"));
    folder.done(&format!("pca {test} --components 50"));
    let psnr = |model: &str| {
        let facts = folder.json(&format!("restore {model}.safetensors {test} --corrupt clipped-gaussian:0.5 --json"));
        assert!((number(&facts, "psnr_before") - 9.37).abs() < 0.05, "{facts}");
        number(&facts, "psnr_after")
    };
    assert!(psnr("model") > psnr("pca") + 1.5, "{} {}", psnr("model"), psnr("pca"));
}

#[test]
fn rows_with_missing_cells_are_not_chosen_by_label() {
    let folder = fitted();
    folder.refused("restore iris.safetensors iris --without setosa --missing mask:0.1", 2, &["are all taken"]);
}

#[test]
fn rows_that_a_model_drives_away_keep_what_they_started_from() {
    let folder = Folder::new();
    folder.done("train digits --layers 64,50,4,50,64 --epochs 5 --quiet --out network.safetensors");
    let filled = folder.json("restore network.safetensors digits --missing mask:0.3 --json");
    assert!(number(&filled, "unsettled_rows") > 0.0, "{filled}");
    // They alone would make it four times that.
    assert!(number(&filled, "mse") < 1.6 * number(&filled, "mse_of_column_means"), "{filled}");
}
