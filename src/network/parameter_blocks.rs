//! The parameters in blocks, each of which one thread updates.

use std::ops::Range;

use super::architecture::Architecture;

/// Roughly how many blocks of weights there are: enough for idle threads to steal some.
const BLOCKS: usize = 32;

/// The least number of outputs whose weights are updated together: a multiple of the register blocks' heights, 8 + 4 or
/// 6 + 6, so that none is left to be done alone.
const OUTPUTS: usize = 12;

/// Some parameters that lie side by side in the flat buffer, from `start` on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ParameterBlock {
    /// The weights of some outputs of a layer, each with `columns` inputs.
    Weights { layer: usize, outputs: Range<usize>, columns: usize, start: usize },
    /// The biases of a layer.
    Biases { layer: usize, length: usize, start: usize },
}

impl ParameterBlock {
    pub(super) fn layer(&self) -> usize {
        match self {
            Self::Weights { layer, .. } | Self::Biases { layer, .. } => *layer,
        }
    }

    pub(super) fn start(&self) -> usize {
        match self {
            Self::Weights { start, .. } | Self::Biases { start, .. } => *start,
        }
    }

    pub(super) fn length(&self) -> usize {
        match self {
            Self::Weights { outputs, columns, .. } => outputs.len() * columns,
            Self::Biases { length, .. } => *length,
        }
    }
}

/// All parameters of a network, in the order of the flat buffer. How they are cut changes no bit of any result.
pub(super) fn of(architecture: &Architecture) -> Vec<ParameterBlock> {
    let target = architecture.parameters() / BLOCKS;
    let mut blocks = Vec::new();
    for (index, layer) in architecture.layers().iter().enumerate() {
        let (weights, biases) = (layer.weight_range(), layer.bias_range());
        let outputs = (target / layer.inputs()).next_multiple_of(OUTPUTS).max(OUTPUTS);
        for first in (0..layer.outputs()).step_by(outputs) {
            let outputs = first..layer.outputs().min(first + outputs);
            let start = weights.start + first * layer.inputs();
            blocks.push(ParameterBlock::Weights { layer: index, outputs, columns: layer.inputs(), start });
        }
        if layer.has_bias() {
            blocks.push(ParameterBlock::Biases { layer: index, length: biases.len(), start: biases.start });
        }
    }
    blocks
}

/// The index that cuts two or more blocks into halves of about the same work.
///
/// # Panics
/// When there are fewer than two.
pub(super) fn middle(blocks: &[ParameterBlock]) -> usize {
    let total: usize = blocks.iter().map(ParameterBlock::length).sum();
    let mut before = 0;
    let half = blocks.iter().position(|block| {
        before += block.length();
        2 * before >= total
    });
    half.expect("blocks").clamp(1, blocks.len() - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::Activation;
    use crate::network::Activations;

    fn architecture(sizes: &str, bias: bool) -> Architecture {
        Architecture::new(sizes.parse().unwrap(), Activations::hidden(Activation::Relu), bias)
    }

    #[test]
    fn every_parameter_belongs_to_one_block() {
        for (sizes, bias) in [("784,100,2,100,784", true), ("5,300,5", false), ("2,1,2", true)] {
            let architecture = architecture(sizes, bias);
            let mut owners = vec![0; architecture.buffer_length()];
            let blocks = of(&architecture);
            for block in &blocks {
                owners[block.start()..][..block.length()].iter_mut().for_each(|owner| *owner += 1);
            }
            for layer in architecture.layers() {
                assert!(
                    owners[layer.weight_range()].iter().chain(&owners[layer.bias_range()]).all(|&owner| owner == 1)
                );
            }
            assert_eq!(owners.iter().sum::<usize>(), architecture.parameters());
            assert!(blocks.is_sorted_by_key(ParameterBlock::start));
        }
    }

    #[test]
    fn halves_have_about_the_same_work() {
        let blocks = of(&architecture("784,1000,500,250,30,250,500,1000,784", true));
        let work = |blocks: &[ParameterBlock]| blocks.iter().map(ParameterBlock::length).sum::<usize>() as f64;
        let (first, second) = blocks.split_at(middle(&blocks));
        assert!((work(first) / work(second) - 1.0).abs() < 0.1, "{} {}", work(first), work(second));
        assert_eq!(middle(&blocks[..2]), 1);
    }
}
