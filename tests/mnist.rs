//! MNIST, from the files as they are published; skipped loudly where they are not there.

mod common;

use std::io::Read;

use common::{Folder, mnist, number};

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
fn principal_components_of_mnist_reach_the_published_errors() {
    let Some(mnist) = mnist() else { return };
    let (train, test) = (mnist.join("train-images-idx3-ubyte.gz"), mnist.join("t10k-images-idx3-ubyte.gz"));
    let folder = Folder::new();
    for (components, error, tolerance) in [(2, 43.645, 0.002), (30, 13.866, 0.001)] {
        folder.done(&format!("pca {} --components {components} --solver jacobi", train.display()));
        let pca = folder.json(&format!("evaluate pca.safetensors {} --json", test.display()));
        assert!((number(&pca, "error_per_row") - error).abs() <= tolerance, "{pca}");
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
