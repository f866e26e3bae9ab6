//! MNIST, from the files as they are published; skipped loudly where they are not there.

mod common;

use std::io::Read;

use common::{Folder, mnist, number};
use diabolo::data::{self, ReadOptions, Scaling, ScalingChoice};
use diabolo::evaluate::evaluate;
use diabolo::model::Body;
use diabolo::pca::{Components, Pca, PcaOptions, Solver};

#[test]
fn a_waist_of_two_on_all_of_mnist_is_far_below_two_principal_components() {
    let Some(mnist) = mnist() else { return };
    let (train, test) = (mnist.join("train-images-idx3-ubyte.gz"), mnist.join("t10k-images-idx3-ubyte.gz"));
    let folder = Folder::new();
    folder.done(&format!(
        "train {} --layers 784,100,2,100,784 --activation sigmoid --output-activation sigmoid \
         --learning-rate 0.003 --batch-size 128 --epochs 10 --quiet",
        train.display()
    ));
    let autoencoder = folder.json(&format!("evaluate model.safetensors {} --json", test.display()));
    assert!(number(&autoencoder, "error_per_row") < 34.0, "{autoencoder}");
}

#[test]
fn principal_components_of_mnist_reach_the_known_errors_and_are_orthonormal() {
    let Some(mnist) = mnist() else { return };
    let read = |name: &str| data::read(mnist.join(name).to_str().unwrap(), &ReadOptions::default()).unwrap();
    let (train, test) = (read("train-images-idx3-ubyte.gz"), read("t10k-images-idx3-ubyte.gz"));
    let scaling = Scaling::fit(ScalingChoice::Auto, &train, &[]).unwrap();
    let fit = |count, solver| {
        let options = PcaOptions { components: Components::Count(count), solver, ..PcaOptions::default() };
        Pca::fit(&scaling.scaled(&train), &options).unwrap()
    };
    let error = |pca: &Pca| evaluate(&Body::Pca(pca.clone()), &scaling.scaled(&test)).unwrap().error_per_row;

    let all = fit(784, Solver::Jacobi);
    assert!(error(&all) < 1e-6, "all components: {}", error(&all));
    let ratios = all.explained_variance_ratio();
    assert!((ratios.iter().sum::<f64>() - 1.0).abs() < 1e-6);
    // 67 pixels are black in every training image, and few others depend on each other.
    assert_eq!(all.singular_values().iter().filter(|&&value| value > 0.0).count(), 712);
    for i in 0..784 {
        for j in 0..=i {
            let (p, q) = (all.components().row(i), all.components().row(j));
            let product: f32 = p.iter().zip(q).map(|(a, b)| a * b).sum();
            let expected = if i == j { 1.0 } else { 0.0 };
            assert!((product - expected).abs() < 1e-5, "components {i} and {j}: {product}");
        }
    }

    for (count, known, bound) in [(30, 13.866, 0.001), (2, 43.645, 0.002)] {
        let exact = fit(count, Solver::Jacobi);
        assert!((error(&exact) - known).abs() <= bound, "{count} components: {}", error(&exact));
        assert_eq!(exact.components().as_slice(), &all.components().as_slice()[..count * 784]);
        let projected = fit(count, Solver::Randomized);
        assert!(error(&projected) <= known * 1.001, "{count} components by projection: {}", error(&projected));
    }
}

#[test]
fn a_hundred_images_are_learned_better_than_by_two_principal_components() {
    let Some(mnist) = mnist() else { return };
    let file = std::fs::File::open(mnist.join("t10k-images-idx3-ubyte.gz")).unwrap();
    let mut images = vec![0; 16 + 100 * 784];
    flate2::read::GzDecoder::new(file).read_exact(&mut images).unwrap();
    images[4..8].copy_from_slice(&100_u32.to_be_bytes());
    let folder = Folder::new();
    folder.write("hundred.idx", images);
    let pca = folder.json("pca hundred.idx --components 2 --json");
    let train = folder.json(
        "train hundred.idx --layers 784,100,2,100,784 --activation sigmoid --output-activation sigmoid \
         --learning-rate 0.003 --batch-size 10 --epochs 300 --quiet --json",
    );
    assert!(number(&train, "error_per_row") < 0.7 * number(&pca, "error_per_row"), "{train} {pca}");
}

#[test]
fn a_digit_left_out_of_training_is_an_anomaly_to_an_autoencoder_more_than_to_pca() {
    let Some(mnist) = mnist() else { return };
    let folder = Folder::new();
    folder.copy_all(&mnist);
    let normal = "train-images-idx3-ubyte.gz --labels train-labels-idx1-ubyte.gz --without 4";
    folder.done(&format!(
        "train {normal} --layers 784,100,8,100,784 --loss cross-entropy --learning-rate 0.003 --batch-size 128 \
         --epochs 2 --quiet"
    ));
    folder.done(&format!("pca {normal} --components 8"));
    let [autoencoder, pca] = ["model.safetensors", "pca.safetensors"].map(|model| {
        let facts = "t10k-images-idx3-ubyte.gz --labels t10k-labels-idx1-ubyte.gz --anomaly 4 --json";
        folder.json(&format!("score {model} {facts}"))
    });
    assert_eq!(number(&pca, "anomalies"), 982.0);
    assert!(number(&autoencoder, "roc_auc") > number(&pca, "roc_auc") + 0.05, "{autoencoder} {pca}");
}
