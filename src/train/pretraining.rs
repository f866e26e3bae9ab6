//! Greedy pretraining, layer by layer.

use super::observer::Preparing;
use super::{Averaging, Observer, Preparation, Stopping, TrainOptions, train};
use crate::error::{Error, Result};
use crate::matrix::Matrix;
use crate::network::{Architecture, LayerSizes, Loss, Network};
use crate::rows::{Rows, for_each_chunk};

/// Trains each encoder layer together with the decoder layer that mirrors it, from the outermost pair to the bottleneck, as
/// an auto-encoder of its own: the first pair on the rows, each further pair on the codes of the previous one. (Hinton and
/// Salakhutdinov, "Reducing the dimensionality of data with neural networks", 2006, do so with restricted Boltzmann
/// machines; Bengio et al., "Greedy layer-wise training of deep networks", 2007, §3, with auto-encoders.)
///
/// Each pair is trained by `options`, for all of its epochs. The pairs between codes minimise the squared error. The
/// observer sees each event as a [`Preparation`].
///
/// # Errors
/// When the sizes do not mirror each other, or there is no memory for the codes; and the errors of training and of the
/// observer.
pub fn pretrain(
    network: &mut Network,
    rows: &dyn Rows,
    options: &TrainOptions,
    observer: &mut dyn Observer,
) -> Result<()> {
    let sizes = network.architecture().sizes().clone();
    check_pairs(network.architecture())?;
    let last = sizes.as_slice().len() - 2;
    let mut codes: Option<Matrix> = None;
    let mut observer = Preparing { preparation: Preparation::Pretraining, observer };
    for index in 0..=last / 2 {
        let rows = codes.as_ref().map_or(rows, |codes| codes as &dyn Rows);
        let loss = if index == 0 { options.loss } else { Loss::SquaredError };
        let augmentation = if index == 0 { options.augmentation } else { options.augmentation.of_codes() };
        let stopping = Stopping { retries: options.stopping.retries, ..Stopping::default() };
        let options = TrainOptions { loss, augmentation, averaging: Averaging::None, stopping, ..*options };
        let mut pair = take_pair(network, [index, last - index])?;
        train(&mut pair, rows, None, &options, &mut observer)?;
        put_pair(network, &pair, [index, last - index]);
        codes = Some(encode_all(&pair, rows)?);
    }
    Ok(())
}

/// Checks that the layers form pairs.
///
/// # Errors
/// When the sizes do not mirror each other around a bottleneck in the middle, or the network is variational.
pub fn check_pairs(architecture: &Architecture) -> Result<()> {
    let sizes = architecture.sizes();
    if architecture.is_variational() {
        let problem = "pairs of layers are pretrained as plain auto-encoders, not as variational ones".into();
        return Err(Error::Setting { name: "pretrain", problem });
    }
    if sizes.is_mirrored() {
        return Ok(());
    }
    let problem = format!(
        "layers are pretrained in pairs, but {sizes} do not mirror each other around a bottleneck in the middle"
    );
    Err(Error::Setting { name: "pretrain", problem })
}

/// Two layers as a network of their own.
fn take_pair(network: &Network, layers: [usize; 2]) -> Result<Network> {
    let [encoder, decoder] = layers.map(|index| &network.architecture().layers()[index]);
    let sizes = LayerSizes::new(vec![encoder.inputs(), encoder.outputs(), decoder.outputs()])?;
    let choices = [encoder, decoder].map(|layer| (layer.activation(), layer.has_bias()));
    let mut pair = Network::zeros(Architecture::from_layers(sizes, &choices));
    copy_layers(network, layers, &mut pair, [0, 1]);
    Ok(pair.with_isa(network.isa()))
}

fn put_pair(network: &mut Network, pair: &Network, layers: [usize; 2]) {
    copy_layers(pair, [0, 1], network, layers);
}

fn copy_layers(from: &Network, source: [usize; 2], to: &mut Network, target: [usize; 2]) {
    for (source, target) in source.into_iter().zip(target) {
        let (source, target) = (&from.architecture().layers()[source], to.architecture().layers()[target].clone());
        to.parameters_mut()[target.weight_range()].copy_from_slice(&from.parameters()[source.weight_range()]);
        to.parameters_mut()[target.bias_range()].copy_from_slice(&from.parameters()[source.bias_range()]);
    }
}

/// The codes of all rows.
fn encode_all(network: &Network, rows: &dyn Rows) -> Result<Matrix> {
    let width = network.architecture().sizes().code();
    let length = rows.rows().saturating_mul(width);
    Vec::<f32>::new().try_reserve_exact(length).map_err(|_| Error::Setting {
        name: "pretrain",
        problem: format!("there is no memory for {} codes of {width} columns", rows.rows()),
    })?;
    let mut codes = Matrix::zeros(rows.rows(), width);
    let mut start = 0;
    for_each_chunk(rows, |chunk| {
        let end = start + chunk.rows() * width;
        codes.as_mut_slice()[start..end].copy_from_slice(network.encode(chunk).as_slice());
        start = end;
        Ok(())
    })?;
    Ok(codes)
}
