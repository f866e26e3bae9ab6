//! PCA of MNIST's 60,000 training images against known errors on its 10,000 test images. Skipped, loudly, where
//! `DIABOLO_DATA` does not name a directory that holds `mnist/`.

use diabolo::Matrix;
use diabolo::data::Rows;
use diabolo::pca::{Components, Pca, PcaOptions, Solver};
use std::io::Read;
use std::path::PathBuf;

/// Training and test images, pixels from 0 to 1.
fn mnist() -> Option<(Images, Images)> {
    let Some(directory) = std::env::var_os("DIABOLO_DATA") else {
        eprintln!("SKIPPED: set DIABOLO_DATA to the directory that holds mnist/ to run this test");
        return None;
    };
    let read = |name: &str| {
        let path = PathBuf::from(&directory).join("mnist").join(name);
        let file = std::fs::File::open(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let mut bytes = Vec::new();
        flate2::read::GzDecoder::new(file).read_to_end(&mut bytes).expect("a gzip file");
        bytes.drain(..16);
        Images(bytes)
    };
    Some((read("train-images-idx3-ubyte.gz"), read("t10k-images-idx3-ubyte.gz")))
}

struct Images(Vec<u8>);

const PIXELS: usize = 28 * 28;

impl Rows for Images {
    fn rows(&self) -> usize {
        self.0.len() / PIXELS
    }

    fn columns(&self) -> usize {
        PIXELS
    }

    fn copy_row(&self, row: usize, out: &mut [f32]) {
        for (to, &byte) in out.iter_mut().zip(&self.0[row * PIXELS..]) {
            *to = f32::from(byte) / 255.0;
        }
    }
}

fn error_per_row(rows: &dyn Rows, back: &Matrix) -> f64 {
    let mut row = vec![0.0; rows.columns()];
    let mut sum = 0.0;
    for index in 0..rows.rows() {
        rows.copy_row(index, &mut row);
        sum += row.iter().zip(back.row(index)).map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>();
    }
    sum / rows.rows() as f64
}

#[test]
fn errors_on_the_test_images_are_the_known_ones() {
    let Some((train, test)) = mnist() else { return };
    let fit = |count, solver| {
        let options = PcaOptions { components: Components::Count(count), solver, ..PcaOptions::default() };
        Pca::fit(&train, &options).expect("finite numbers")
    };
    let error = |pca: &Pca| error_per_row(&test, &pca.reconstruct(&test));

    let all = fit(PIXELS, Solver::Jacobi);
    assert!(error(&all) < 1e-6, "all components: {}", error(&all));
    let ratios = all.explained_variance_ratio();
    assert!((ratios.iter().sum::<f64>() - 1.0).abs() < 1e-6);
    // 67 pixels are black in every training image, and few others depend on each other.
    assert_eq!(all.singular_values().iter().filter(|&&value| value > 0.0).count(), 712);
    for i in 0..PIXELS {
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
        assert_eq!(exact.components().as_slice(), &all.components().as_slice()[..count * PIXELS]);
        let projected = fit(count, Solver::Randomized);
        assert!(error(&projected) <= known * 1.001, "{count} components by projection: {}", error(&projected));
    }
}
