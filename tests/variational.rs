//! Variational auto-encoders: trained, measured in nats, and resumed.

mod common;

use common::{Folder, mnist, number};

const TRAIN: &str = "train digits --layers 64,48,8,48,64 --scale unit --loss cross-entropy --variational \
                     --learning-rate 0.003 --quiet";

#[test]
fn the_history_and_the_facts_hold_the_bound_its_two_parts_and_the_active_codes() {
    let folder = Folder::new();
    let facts = folder.json(&format!("{TRAIN} --epochs 12 --history history.csv --json"));
    let history = folder.read("history.csv");
    let lines: Vec<Vec<&str>> = history.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!(lines[0][7..], ["elbo", "log_likelihood", "divergence", "active_codes"]);
    let cell = |line: &[&str], column: usize| -> f64 { line[column].parse().unwrap() };
    for line in &lines[1..] {
        assert!((cell(line, 7) - (cell(line, 8) - cell(line, 9))).abs() < 1e-9, "{line:?}");
        assert!((cell(line, 1) + cell(line, 8)).abs() < 1e-9, "the loss is the negative likelihood: {line:?}");
        assert!(cell(line, 9) > 0.0 && (1.0..=8.0).contains(&cell(line, 10)), "{line:?}");
    }
    assert!(cell(&lines[12], 7) > cell(&lines[1], 7) + 5.0, "{history}");
    assert_eq!(number(&facts, "elbo"), cell(&lines[12], 7));
    // That of a plain network has no such columns.
    folder.done("train iris --layers 4,2,4 --epochs 1 --quiet --history plain.csv");
    assert!(!folder.read("plain.csv").contains("elbo"));
}

#[test]
fn more_samples_bound_the_likelihood_more_closely() {
    let folder = Folder::new();
    folder.done(&format!("{TRAIN} --epochs 12"));
    let bound = |samples: usize| folder.json(&format!("evaluate model.safetensors digits --samples {samples} --json"));
    let (one, many) = (bound(1), bound(100));
    assert!(number(&many, "log_likelihood") > number(&one, "log_likelihood"), "{one} {many}");
    assert!(number(&many, "log_likelihood") > number(&many, "elbo"), "{many}");
    assert!((number(&one, "elbo") / number(&many, "elbo") - 1.0).abs() < 0.01, "{one} {many}");
    assert_eq!(many, folder.json("evaluate model.safetensors digits --samples 100 --json --threads 3"));
}

#[test]
fn beta_holds_codes_to_the_prior() {
    let folder = Folder::new();
    let divergence = |more: &str| number(&folder.json(&format!("{TRAIN} {more} --json")), "divergence");
    let [free, usual, held] = ["0.1", "1", "20"].map(|beta| divergence(&format!("--epochs 12 --beta {beta}")));
    assert!(free > usual && usual > held, "{free} {usual} {held}");
    let warmed = divergence("--epochs 1 --beta 20 --beta-warm-up 100");
    assert!(warmed > divergence("--epochs 1 --beta 20"), "{warmed}");
}

#[test]
fn a_run_resumed_from_a_checkpoint_ends_with_the_same_bytes_for_any_number_of_threads() {
    let folder = Folder::new();
    let more = "--binarise stochastic --beta-warm-up 4 --corrupt mask:0.1";
    folder.done(&format!("{TRAIN} {more} --epochs 12 --out whole.safetensors --threads 1"));
    let parts = format!("{TRAIN} {more} --out parts.safetensors --checkpoint kept");
    folder.done(&format!("{parts} --epochs 5"));
    folder.done(&format!("{parts} --epochs 12 --resume --threads 3"));
    let [whole, parts] = ["whole", "parts"].map(|name| folder.bytes(&format!("{name}.safetensors")));
    assert!(whole == parts);
}

#[test]
fn squared_error_is_a_likelihood_too() {
    let folder = Folder::new();
    let train =
        "train iris --layers 4,16,2,16,4 --scale standard --variational --epochs 60 --learning-rate 0.01 --quiet";
    let facts = folder.json(&format!("{train} --json"));
    let constant = -0.5 * std::f64::consts::PI.ln() * 4.0;
    assert!(number(&facts, "log_likelihood") < constant, "{facts}");
    let found = folder.json("evaluate model.safetensors iris --samples 200 --json");
    assert!(number(&found, "log_likelihood") > number(&found, "elbo"), "{found}");
}

#[test]
fn what_does_not_go_with_variational_codes_is_refused_with_a_reason() {
    let folder = Folder::new();
    folder.done("pca digits --components 2");
    folder.done(&format!("{TRAIN} --epochs 1"));
    folder.write("beyond.csv", ["99"; 64].join(",") + "\n");
    let train = "train digits --layers 64,8,64 --epochs 1 --quiet --out other.safetensors";
    for (arguments, status, expected) in [
        (format!("{train} --beta 2"), 2, "these codes are not (--variational)"),
        (format!("{train} --variational --tied"), 2, "no layer of the decoder mirrors"),
        (format!("{train} --variational --code-l1 0.1"), 2, "use beta"),
        (format!("{train} --variational --pretrain 1"), 2, "not as variational ones"),
        (format!("{train} --variational --code-activation tanh"), 2, "come from a linear layer"),
        (format!("{train} --variational --beta -1"), 2, "from 0 on"),
        (format!("{train} --binarise fixed"), 1, "binarise needs data in [0, 1]"),
        (format!("{train} --binarise grey"), 2, "there are fixed, stochastic"),
        ("evaluate pca.safetensors digits --samples 10".into(), 1, "train one that is (--variational)"),
        ("evaluate pca.safetensors digits --samples 0".into(), 2, "at least 1"),
        ("evaluate model.safetensors digits --samples 18446744073709551615".into(), 2, "more codes a row than 1000000"),
        ("evaluate model.safetensors beyond.csv --samples 1".into(), 1, "this likelihood needs data in [0, 1]"),
    ] {
        folder.refused(&arguments, status, &[expected]);
    }
}

/// After two epochs the bound stands where published networks of this size stand after some more.
#[test]
fn on_mnist_two_epochs_bring_the_bound_past_minus_115_nats() {
    let Some(mnist) = mnist() else { return };
    let folder = Folder::new();
    folder.copy_all(&mnist);
    let train = "train train-images-idx3-ubyte.gz --layers 784,500,20,500,784 --loss cross-entropy --variational \
                 --batch-size 100 --learning-rate 0.002 --epochs 2 --quiet --json";
    let facts = folder.json(train);
    assert!(number(&facts, "elbo") > -115.0, "{facts}");
}

#[test]
fn images_that_move_and_are_binarised_and_corrupted_train_a_network() {
    let folder = Folder::new();
    let train = "train digits --layers 64,16,64 --scale unit --loss cross-entropy --epochs 3 --quiet --json";
    let error = |more: &str| number(&folder.json(&format!("{train} {more}")), "error_per_row");
    let plain = error("");
    assert!(error("--shift 1 --binarise stochastic --corrupt block:2x2") > plain);
    assert_ne!(error("--shift 1"), plain);
    folder.refused(&train.replace("digits --layers 64,16,64", "iris --layers 4,2,4 --shift 1"), 1, &["moves images"]);
    folder.refused(&format!("{train} --shift 8"), 1, &["out of sight"]);
}
