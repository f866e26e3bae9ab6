//! The lectures' identity: the decoder of a trained linear auto-encoder spans the subspace of the leading principal
//! components (Baldi and Hornik, "Neural networks and principal component analysis", 1989).

use diabolo::data::{self, ReadOptions, Scaling, ScalingChoice};
use diabolo::gemm::gemm;
use diabolo::kernels::Activation;
use diabolo::linalg::svd;
use diabolo::matrix::Matrix;
use diabolo::model::{AutoencoderOptions, Body, Validation, fit_autoencoder};
use diabolo::network::Activations;
use diabolo::optimizer::OptimizerChoice;
use diabolo::pca::{Components, Pca, PcaOptions, Solver};
use diabolo::train::{LearningRate, TrainOptions};

/// The smallest cosine among the principal angles between what a linear auto-encoder's decoder spans and what the
/// first principal components span, on columns of mean 0 and deviation 1.
fn smallest_cosine(set: &str, layers: &str, components: usize, train: TrainOptions) -> f32 {
    let dataset = data::read(set, &ReadOptions::default()).unwrap();
    let options = AutoencoderOptions {
        activations: Activations::hidden(Activation::Linear),
        bias: false,
        scaling: ScalingChoice::Standard,
        train,
        ..AutoencoderOptions::new(layers.parse().unwrap())
    };
    let fitted = fit_autoencoder(&dataset, &options, Validation::None, &mut ()).unwrap();
    let Body::Autoencoder(network) = &fitted.model.body else { panic!("an auto-encoder was fitted") };
    let decoder = svd(network.weights(1)).unwrap().u;

    let rows: Vec<usize> = (0..dataset.rows()).collect();
    let scaling = Scaling::fit(ScalingChoice::Standard, &dataset, &rows).unwrap();
    let options =
        PcaOptions { components: Components::Count(components), solver: Solver::Jacobi, ..PcaOptions::default() };
    let pca = Pca::fit(&scaling.scaled(&dataset), &options).unwrap();

    // The cosines are the singular values of the product of the two bases (Björck and Golub, 1973).
    let mut product = Matrix::zeros(components, components);
    gemm(1.0, pca.components().view(), decoder.view(), 0.0, product.view_mut());
    *svd(product.view()).unwrap().singular_values.last().unwrap()
}

fn adam(learning_rate: f32, epochs: usize) -> TrainOptions {
    TrainOptions { epochs, rate: LearningRate::constant(learning_rate), ..TrainOptions::default() }
}

#[test]
fn on_iris_a_linear_auto_encoder_spans_the_principal_subspace() {
    let cosine = smallest_cosine("iris", "4,2,4", 2, adam(0.003, 400));
    assert!(cosine > 0.999, "{cosine}");
}

#[test]
fn on_digits_a_linear_auto_encoder_spans_the_principal_subspace() {
    let cosine = smallest_cosine("digits", "64,3,64", 3, adam(0.0005, 300));
    assert!(cosine > 0.999, "{cosine}");
}

#[test]
fn kfac_over_all_rows_finds_the_subspace_exactly_in_few_steps_and_stays_there() {
    for epochs in [100, 1000] {
        let optimizer = OptimizerChoice::Kfac;
        let rate = LearningRate::constant(optimizer.usual_learning_rate());
        let train = TrainOptions { optimizer, rate, batch_size: usize::MAX, epochs, ..TrainOptions::default() };
        let cosine = smallest_cosine("digits", "64,3,64", 3, train);
        assert!(cosine > 0.9999, "{cosine} after {epochs} steps");
    }
}
