//! Bad input: a clear message, exit status 1 (it could not be done) or 2 (the words were wrong), and no file touched.

mod common;

use std::io::Write;

use common::Folder;
use flate2::Compression;
use flate2::write::GzEncoder;

/// A data file that neither `train` nor `pca` may accept; a model that stands in the way must survive.
fn refused_data(name: &str, contents: &[u8], expected: &[&str]) {
    let folder = Folder::new();
    folder.write(name, contents);
    folder.write("model.safetensors", "precious");
    folder.write("pca.safetensors", "precious");
    let expected: Vec<&str> = expected.iter().copied().chain([name]).collect();
    folder.refused(&format!("train {name} --layers 2,1,2 --quiet"), 1, &expected);
    folder.refused(&format!("pca {name} --components 1"), 1, &expected);
}

fn idx(rows: u32, values: &[u8]) -> Vec<u8> {
    [&[0, 0, 8, 3][..], &rows.to_be_bytes(), &1_u32.to_be_bytes(), &2_u32.to_be_bytes(), values].concat()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn an_empty_file() {
    refused_data("empty.csv", b"", &["empty"]);
}

#[test]
fn a_ragged_csv() {
    refused_data("ragged.csv", b"a,b\n1,2\n3\n", &["line 3"]);
}

#[test]
fn cells_that_are_no_finite_number() {
    for (cell, line) in [("x", "line 3"), ("", "line 3"), ("NaN", "line 3"), ("inf", "line 3"), ("1e99", "line 3")] {
        refused_data("cells.csv", format!("a,b\n1,2\n3,{cell}\n").as_bytes(), &[line, "b"]);
    }
}

#[test]
fn idx_with_a_wrong_magic_a_wrong_count_or_cut_short() {
    refused_data("magic.idx", &[0, 0, 99, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2, 1, 2], &["type"]);
    refused_data("long.idx", &idx(1, &[1, 2, 3, 4]), &[]);
    refused_data("short.idx", &idx(3, &[1, 2, 3, 4]), &[]);
    refused_data("header.idx", &idx(3, &[])[..9], &[]);
}

#[test]
fn a_gzip_cut_short() {
    let whole = gzip(&idx(500, &(0..1000).map(|i| (i * i % 251) as u8).collect::<Vec<_>>()));
    refused_data("cut.gz", &whole[..whole.len() / 2], &["cut short"]);
}

#[test]
fn a_header_that_claims_a_terabyte_is_not_believed() {
    let mut bytes = vec![0, 0, 8, 3];
    for size in [1_u32 << 31, 1 << 9, 2] {
        bytes.extend(size.to_be_bytes());
    }
    bytes.extend([0; 100]);
    refused_data("huge.idx", &bytes, &[]);
    refused_data("huge.gz", &gzip(&bytes), &[]);
}

#[test]
fn a_file_that_is_not_there() {
    Folder::new().refused("train nowhere.csv --layers 2,1,2", 1, &["nowhere.csv"]);
    Folder::new().refused("evaluate nowhere.safetensors iris", 1, &["nowhere.safetensors"]);
}

#[test]
fn rows_and_codes_of_another_width_than_the_model_takes() {
    let folder = Folder::new();
    folder.done("pca iris --components 2");
    folder.write("wide.csv", "1,2,3,4,5\n");
    folder.write("names.csv", "a,b,c,d\n1,2,3,4\n");
    for command in ["encode", "reconstruct", "evaluate"] {
        folder.refused(&format!("{command} pca.safetensors wide.csv"), 1, &["wide.csv", "5 columns", "4"]);
        folder.refused(&format!("{command} pca.safetensors names.csv"), 1, &["names.csv", "sepal_length"]);
    }
    folder.refused("decode pca.safetensors wide.csv", 1, &["wide.csv", "5 columns", "2"]);
    folder.refused("train wide.csv --layers 4,2,4", 1, &["5 columns", "4,2,4"]);
    folder.refused("train iris --layers 4,2,4 --validation wide.csv", 1, &["wide.csv", "5 columns"]);
}

#[test]
fn a_model_file_that_is_cut_short_changed_or_of_another_kind() {
    let folder = Folder::new();
    folder.done("train iris --layers 4,2,4 --epochs 1 --scale standard");
    let whole = folder.bytes("model.safetensors");
    let header = 8 + u64::from_le_bytes(whole[..8].try_into().unwrap()) as usize;
    for length in [0, 5, 8, 20, header - 1, header, whole.len() - 1] {
        folder.write("broken.safetensors", &whole[..length]);
        folder.refused("encode broken.safetensors iris --out codes.csv", 1, &["broken.safetensors"]);
    }
    for byte in (0..header).step_by(3).chain([header, whole.len() - 1]) {
        let mut broken = whole.clone();
        broken[byte] ^= 1;
        folder.write("broken.safetensors", &broken);
        folder.refused("evaluate broken.safetensors iris", 1, &["broken.safetensors"]);
    }
    folder.write("other.safetensors", b"\x02\0\0\0\0\0\0\0{}");
    folder.refused("evaluate other.safetensors iris", 1, &["other.safetensors", "no model file of diabolo"]);
    folder.write("rows.csv", "1,2,3,4\n");
    folder.refused("evaluate rows.csv iris", 1, &["rows.csv", "no model file"]);
}

#[test]
fn an_output_that_cannot_be_written() {
    let folder = Folder::new();
    folder.done("pca iris --components 2");
    std::fs::create_dir(folder.path("folder")).unwrap();
    for out in ["nowhere/out", "folder"] {
        let command = |arguments: &str| {
            let run = folder.run(&format!("{arguments} --out {out}"));
            assert_eq!(run.status, 1, "{arguments}");
            assert!(run.stderr.contains(out) && run.stdout.is_empty(), "{arguments}: {}", run.stderr);
            assert_eq!(folder.names(), ["folder", "pca.safetensors"]);
        };
        command("train iris --layers 4,2,4");
        command("pca iris --components 1");
        command("encode pca.safetensors iris");
        command("reconstruct pca.safetensors iris");
    }
}

#[test]
fn a_run_that_diverges_leaves_no_model_and_says_what_to_change() {
    let folder = Folder::new();
    let command = "train iris --layers 4,3,4 --optimizer sgd --learning-rate 1000 --quiet";
    folder.refused(command, 1, &["diverged in epoch 1", "smaller learning rate"]);
}

#[test]
fn a_run_that_diverges_in_its_very_last_step_leaves_no_model_either() {
    let folder = Folder::new();
    folder.write("model.safetensors", "precious");
    for rate in ["1e15", "1e20"] {
        let command = format!("train iris --layers 4,3,4 --learning-rate {rate} --epochs 1 --batch-size 150 --quiet");
        folder.refused(&command, 1, &["diverged in epoch 1", "smaller learning rate"]);
    }
}

#[test]
fn values_out_of_all_proportion() {
    let folder = Folder::new();
    folder.write("huge.csv", "3e38,-3e38\n-3e38,3e38\n1e38,2e38\n");
    folder.write("small.csv", "1,2\n2,3\n3,5\n4,4\n");
    folder.done("train small.csv --layers 2,1,2 --epochs 1 --quiet");
    folder.refused("pca huge.csv --components 1", 1, &["huge.csv"]);
    folder.refused("train small.csv --layers 2,1,2 --validation huge.csv --out new --quiet", 1, &["huge.csv"]);
    folder.refused("evaluate model.safetensors huge.csv", 1, &["huge.csv", "finite"]);
    folder.done("pca small.csv --components 1 --whiten");
    folder.write("codes.csv", "1\n3.4e38\n");
    folder.refused("decode pca.safetensors codes.csv", 1, &["codes.csv", "row 2", "finite"]);
}

#[test]
fn an_output_that_is_also_an_input_or_another_output() {
    let folder = Folder::new();
    folder.write("rows.csv", "1,2\n2,3\n3,5\n");
    folder.write("others.csv", "1,2\n2,3\n3,5\n");
    folder.done("pca rows.csv --components 1");
    for command in [
        "pca rows.csv --components 1 --out ./rows.csv",
        "train rows.csv --layers 2,1,2 --out rows.csv",
        "train rows.csv --layers 2,1,2 --out new --history new",
        "train rows.csv --layers 2,1,2 --validation others.csv --out others.csv",
        "train rows.csv --layers 2,1,2 --validation others.csv --history others.csv",
        "train rows.csv --layers 2,1,2 --checkpoint . --out checkpoint.safetensors",
        "train rows.csv --layers 2,1,2 --checkpoint . --out earlier.safetensors",
        "compare rows.csv --layers 2,1,2 --validation others.csv --report others.csv",
        "encode pca.safetensors rows.csv --out pca.safetensors",
        "decode pca.safetensors rows.csv --columns 1 --out rows.csv",
    ] {
        folder.refused(command, 1, &["write to another"]);
    }
}

#[test]
fn words_that_are_wrong() {
    let folder = Folder::new();
    for (arguments, expected) in [
        ("train iris --layers 4,2,3", "start and end alike"),
        ("train iris --layers 4,0,4", "size 0"),
        ("train iris --layers 4,4", "hidden layer"),
        ("train iris --layers 4,2,4 --activation logistic", "logistic"),
        ("train iris --layers 4,2,4 --learning-rate 0", "above 0"),
        ("train iris --layers 4,2,4 --learning-rate -1", "above 0"),
        ("train iris --layers 4,2,4 --learning-rate nan", "above 0"),
        ("train iris --layers 4,2,4 --batch-size 0", "at least 1"),
        ("train iris --layers 4,2,4 --batch-size -3", "above 0"),
        ("train iris --layers 4,2,4 --epochs 0", "at least 1"),
        ("train iris --layers 4,2,4 --validation 0", "between 0 and 1"),
        ("train iris --layers 4,2,4 --validation 1", "between 0 and 1"),
        ("train iris --layers 4,2,4 --validation 1.5", "between 0 and 1"),
        ("train iris --layers 4,2,4 --validation nan", "between 0 and 1"),
        ("train iris --layers 4,2,4 --momentum 1", "below 1"),
        ("train iris --layers 4,2,4 --optimizer adam --momentum 0.5", "momentum"),
        ("train iris --layers 4,2,4 --loss cross-entropy --output-activation relu", "sigmoid"),
        ("train iris --layers 4,2,4 --scale log", "log"),
        ("train iris --layers 4,2,4 --init normal:0", "normal:STDDEV"),
        ("train iris --layers 4,2,4 --threads 0", "threads"),
        ("train iris", "--layers"),
        ("pca iris --components 0", "0"),
        ("pca iris --components 1.5", "1.5"),
        ("polish iris", "polish"),
    ] {
        folder.refused(arguments, 2, &[expected]);
    }
}
