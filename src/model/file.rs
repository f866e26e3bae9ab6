//! The model file: one [safetensors](https://github.com/huggingface/safetensors) file, readable wherever those are.
//!
//! All tensors are `F32`, row-major.
//!
//! | tensor | shape | in |
//! |---|---|---|
//! | `layers.I.weight` | outputs × inputs | auto-encoders; layer I counts from 0; a variational encoder ends in means, then log-variances |
//! | `layers.I.bias` | outputs | auto-encoders with biases |
//! | `components` | components × columns, each row a unit vector | PCA |
//! | `mean` | columns | PCA; zeros when not centred |
//! | `singular_values`, `explained_variance` | components | PCA |
//! | `codes.weight` | parts | models with a distribution of codes: a mixture of normal distributions, its parts |
//! | `codes.mean` | parts × code size | the same |
//! | `codes.factor` | parts × code size × code size, each the lower triangle L of a covariance L Lᵀ | the same |
//! | `scaling.offset`, `scaling.scale` | columns | models that scale each column |
//!
//! The metadata has one key, `diabolo`, with a JSON object: a checksum over the rest of the file, the format version,
//! the kind with its details (layers, and whether they are variational; or PCA's rows, total variance, centring and
//! whitening), the scaling, the column names, the provenance (settings, seed, errors) and, where the model has them,
//! the threshold of anomalies and the height and width of images. The same model always gives the same bytes.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use super::header::{BodyHeader, Header, LayerHeader};
use super::{Body, Model};
use crate::data::Scaling;
use crate::error::{Error, Place, Result};
use crate::file::write_whole;
use crate::kernels::Activation;
use crate::matrix::Matrix;
use crate::mixture::Mixture;
use crate::network::{Architecture, LayerSizes, Network};
use crate::pca::{Pca, PcaParts};
use crate::tensor_file::{self, Kind, Tensor, TensorFile};

/// The container of a model file: only finite numbers are written and read.
const KIND: Kind = Kind { key: "diabolo", name: "model file", format: 1, is_finite: true };

impl Model {
    /// Writes the model to a file, whole or not at all.
    ///
    /// # Errors
    /// When the file cannot be written; what was there before is then still there.
    pub fn save(&self, path: &Path) -> Result<()> {
        write_whole(path, |out| self.write(out))
    }

    /// Reads a model from a file.
    ///
    /// # Errors
    /// When the file cannot be read, is no model of this program, is damaged, or is of a later format.
    pub fn load(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(|source| Error::Io { path: path.into(), action: "cannot read", source })?;
        Self::read(&path.display().to_string(), file)
    }

    /// Reads a model from a stream, whose name is for messages.
    ///
    /// # Errors
    /// As [`Model::load`].
    pub fn read(name: &str, mut input: impl Read) -> Result<Self> {
        let io = |source| Error::Io { path: name.into(), action: "cannot read", source };
        let mut bytes = Vec::new();
        input.by_ref().take(Self::SNIFF_BYTES).read_to_end(&mut bytes).map_err(io)?;
        if !Self::recognises(&bytes) {
            return Err(Place::named(name).error("this is no model file; models are made by `train` and `pca`"));
        }
        input.read_to_end(&mut bytes).map_err(io)?;
        Self::from_bytes(name, &bytes)
    }

    /// The number of bytes from a file's start that [`Model::recognises`] needs.
    pub const SNIFF_BYTES: u64 = 9;

    /// Whether a file that begins with these bytes may be a model.
    pub fn recognises(start: &[u8]) -> bool {
        // A header longer than this is no header of ours; the limit also keeps text files out.
        const LONGEST_HEADER: u64 = 100_000_000;
        start
            .split_first_chunk()
            .is_some_and(|(length, rest)| u64::from_le_bytes(*length) <= LONGEST_HEADER && rest.first() == Some(&b'{'))
    }

    /// The bytes of the model's file.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.write(&mut bytes).expect("a vector takes all that is written to it");
        bytes
    }

    /// Writes the bytes of the model's file, with no copy of the parameters.
    ///
    /// # Errors
    /// The errors of the writer.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        tensor_file::write(out, KIND, &self.header(), self.tensors())
    }

    /// Reads the bytes of a model's file; `name` is its name in messages.
    ///
    /// # Errors
    /// When they are no model of this program, damaged, or of a later format.
    pub fn from_bytes(name: &str, bytes: &[u8]) -> Result<Self> {
        Self::parse(bytes).map_err(|problem| Place::named(name).error(problem))
    }

    fn parse(bytes: &[u8]) -> std::result::Result<Self, String> {
        let mut file = TensorFile::parse(KIND, bytes)?;
        let model = Self::from_parts(file.header()?, &mut file)?;
        file.finish()?;
        Ok(model)
    }

    fn tensors(&self) -> Vec<Tensor<'_>> {
        // The tensors borrow the model's own memory. Their order is that of the file, and the same model must always give
        // the same bytes.
        let mut tensors = Vec::new();
        let mut add = |name: String, shape: &[usize], values| {
            tensors.push(Tensor { name, shape: shape.to_vec(), values });
        };
        match &self.body {
            Body::Autoencoder(network) => {
                for (index, layer) in network.architecture().layers().iter().enumerate() {
                    let shape = [layer.outputs(), layer.inputs()];
                    add(format!("layers.{index}.weight"), &shape, network.weights(index).as_slice());
                    if layer.has_bias() {
                        add(format!("layers.{index}.bias"), &shape[..1], network.biases(index));
                    }
                }
            }
            Body::Pca(pca) => {
                let components = pca.components();
                let shape = [components.rows(), components.columns()];
                add("components".into(), &shape, components.as_slice());
                add("mean".into(), &shape[1..], pca.mean());
                add("singular_values".into(), &shape[..1], pca.singular_values());
                add("explained_variance".into(), &shape[..1], pca.explained_variance());
            }
        }
        // A mixture without factors is the standard normal, which no file needs to hold.
        if let Some(mixture) = &self.code_mixture
            && let Some(factors) = mixture.factors()
        {
            let shape = [mixture.means().rows(), mixture.means().columns()];
            add("codes.weight".into(), &shape[..1], mixture.weights());
            add("codes.mean".into(), &shape, mixture.means().as_slice());
            add("codes.factor".into(), &[shape[0], shape[1], shape[1]], factors.as_slice());
        }
        if let Some(columns) = self.scaling.columns() {
            add("scaling.offset".into(), &[columns], self.scaling.offsets());
            add("scaling.scale".into(), &[columns], self.scaling.scales());
        }
        tensors
    }

    fn header(&self) -> Header {
        let body = match &self.body {
            Body::Autoencoder(network) => BodyHeader::Autoencoder {
                layer_sizes: network.architecture().sizes().as_slice().to_vec(),
                layers: network
                    .architecture()
                    .layers()
                    .iter()
                    .map(|layer| LayerHeader { activation: layer.activation().name().into(), bias: layer.has_bias() })
                    .collect(),
                variational: network.architecture().is_variational(),
            },
            Body::Pca(pca) => BodyHeader::Pca {
                rows: pca.rows(),
                total_variance: pca.total_variance(),
                centered: pca.center(),
                whitened: pca.whiten(),
            },
        };
        Header {
            body,
            scaling: self.scaling.name().into(),
            column_names: self.column_names.clone(),
            provenance: self.provenance.clone(),
            threshold: self.threshold,
            image_shape: self.image_shape,
        }
    }

    fn from_parts(header: Header, tensors: &mut TensorFile<'_>) -> std::result::Result<Self, String> {
        let body = match header.body {
            BodyHeader::Autoencoder { layer_sizes, layers, variational } => {
                Body::Autoencoder(read_network(layer_sizes, &layers, variational, tensors)?)
            }
            BodyHeader::Pca { rows, total_variance, centered, whitened } => {
                // The header says nothing of the size of PCA: all other shapes follow from this one.
                let (shape, components) = tensors.any("components")?;
                let [count, columns] = shape[..] else {
                    return Err(format!("tensor `components` has {} dimensions instead of 2", shape.len()));
                };
                let parts = PcaParts {
                    components: Matrix::from_slice(count, columns, &components),
                    mean: tensors.read("mean", &[columns])?,
                    singular_values: tensors.read("singular_values", &[count])?,
                    explained_variance: tensors.read("explained_variance", &[count])?,
                    total_variance,
                    rows,
                    center: centered,
                    whiten: whitened,
                };
                Body::Pca(Pca::from_parts(parts).map_err(|error| error.to_string())?)
            }
        };
        // Scalings that are the same for all columns have no tensors.
        let mut by_column = |name: &str| match tensors.has(name) {
            true => tensors.read(name, &[body.columns()]),
            false => Ok(Vec::new()),
        };
        let (offsets, scales) = (by_column("scaling.offset")?, by_column("scaling.scale")?);
        let scaling = Scaling::restore(&header.scaling, offsets, scales).map_err(|error| error.to_string())?;
        if header.column_names.as_ref().is_some_and(|names| names.len() != body.columns()) {
            return Err(format!("the model file does not have {} column names", body.columns()));
        }
        let Header { column_names, mut provenance, threshold, image_shape, .. } = header;
        // The header keeps the seed beside the settings.
        provenance.settings = provenance.settings.with_seed(provenance.seed);
        if image_shape.is_some_and(|(height, width)| height.checked_mul(width) != Some(body.columns())) {
            return Err(format!("the model file's rows are no images of {image_shape:?} pixels"));
        }
        let code_mixture = match tensors.has("codes.weight") {
            true => Some(read_mixture(body.code_size(), tensors)?),
            false => None,
        };
        Ok(Self { body, scaling, column_names, provenance, threshold, code_mixture, image_shape })
    }
}

fn read_mixture(size: usize, tensors: &mut TensorFile<'_>) -> std::result::Result<Mixture, String> {
    let (_, weights) = tensors.any("codes.weight")?;
    let count = weights.len();
    let means = tensors.read("codes.mean", &[count, size])?;
    let factors = tensors.read("codes.factor", &[count, size, size])?;
    let means = Matrix::from_slice(count, size, &means);
    Mixture::from_parts(weights, means, Matrix::from_slice(count * size, size, &factors))
        .ok_or_else(|| "the model file's distribution of codes is none".into())
}

fn read_network(
    sizes: Vec<usize>,
    layers: &[LayerHeader],
    variational: bool,
    tensors: &mut TensorFile<'_>,
) -> std::result::Result<Network, String> {
    let sizes = LayerSizes::new(sizes).map_err(|error| error.to_string())?;
    if layers.len() != sizes.as_slice().len() - 1 {
        return Err(format!("the model file describes {} layers for the sizes {sizes}", layers.len()));
    }
    let choices = layers
        .iter()
        .map(|layer| Ok((layer.activation.parse()?, layer.bias)))
        .collect::<Result<Vec<(Activation, bool)>>>()
        .map_err(|error| error.to_string())?;
    // All tensors are read before the network is allocated, because a damaged header may claim any size.
    let plain = Architecture::from_layers(sizes, &choices);
    let architecture = if variational { plain.into_variational() } else { plain };
    let mut values = Vec::new();
    for (index, layer) in architecture.layers().iter().enumerate() {
        let shape = [layer.outputs(), layer.inputs()];
        values.push((layer.weight_range(), tensors.read(&format!("layers.{index}.weight"), &shape)?));
        if layer.has_bias() {
            values.push((layer.bias_range(), tensors.read(&format!("layers.{index}.bias"), &[layer.outputs()])?));
        }
    }
    let mut network = Network::zeros(architecture);
    for (range, values) in values {
        network.parameters_mut()[range].copy_from_slice(&values);
    }
    Ok(network)
}
