//! The model file: one [safetensors](https://github.com/huggingface/safetensors) file, readable wherever those are.
//!
//! All tensors are `F32`, row-major.
//!
//! | tensor | shape | in |
//! |---|---|---|
//! | `layers.I.weight` | outputs × inputs | auto-encoders; layer I counts from 0 |
//! | `layers.I.bias` | outputs | auto-encoders with biases |
//! | `components` | components × columns, each row a unit vector | PCA |
//! | `mean` | columns | PCA; zeros when not centred |
//! | `singular_values`, `explained_variance` | components | PCA |
//! | `scaling.offset`, `scaling.scale` | columns | models that scale each column |
//!
//! The metadata has one key, `diabolo`, with a JSON object: the format version, the kind, the layers, the scaling, the
//! column names and the provenance (settings, seed, errors). Its first entry, `checksum`, is the CRC-32, in eight
//! hexadecimal digits, of the object's text behind that entry, then the tensors' bytes in the order of their names. The same model always gives
//! the same bytes.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use flate2::Crc;
use safetensors::tensor::{Dtype, Metadata, SafeTensors, TensorInfo};

use super::header::{BodyHeader, FORMAT, Header, LayerHeader};
use super::{Body, Model};
use crate::data::Scaling;
use crate::error::{Error, Place, Result};
use crate::file::write_whole;
use crate::kernels::Activation;
use crate::matrix::Matrix;
use crate::network::{Architecture, LayerSizes, Network};
use crate::pca::{Pca, PcaParts};

const METADATA_KEY: &str = "diabolo";
const CHECKSUM_START: &str = "{\"checksum\":\"";
const CHECKSUM_DIGITS: usize = 8;

/// A tensor to be written: its name, shape and elements.
type Tensor<'a> = (String, Vec<usize>, &'a [f32]);

impl Model {
    /// Writes the model to a file, whole or not at all.
    ///
    /// # Errors
    /// When the file cannot be written; what stood there before then still stands.
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

    /// How many bytes of a file's start [`Model::recognises`] wants.
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
    /// Those of the writer.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut tensors = self.tensors();
        tensors.sort_by(|(first, ..), (second, ..)| first.cmp(second));
        let header = serde_json::to_string(&self.header()).expect("the header has string keys and plain values");
        let unsealed = format!(",{}", &header[1..]);
        let checksum = checksum(&unsealed, tensors.iter().flat_map(|(_, _, values)| bytes_of(values)));
        let sealed = format!("{CHECKSUM_START}{checksum}\"{unsealed}");
        let mut end = 0;
        let infos = tensors.iter().map(|(name, shape, values)| {
            let start = end;
            end += size_of_val(*values);
            (name.clone(), TensorInfo { dtype: Dtype::F32, shape: shape.clone(), data_offsets: (start, end) })
        });
        let metadata = Metadata::new(Some(HashMap::from([(METADATA_KEY.into(), sealed)])), infos.collect())
            .expect("tensors lie side by side and their shapes fit them");
        let mut header = serde_json::to_string(&metadata).expect("the header has string keys and plain values");
        // Blanks up to a multiple of eight bytes, as the format wants it.
        header.extend(std::iter::repeat_n(' ', header.len().next_multiple_of(8) - header.len()));
        out.write_all(&(header.len() as u64).to_le_bytes())?;
        out.write_all(header.as_bytes())?;
        tensors.iter().flat_map(|(_, _, values)| bytes_of(values)).try_for_each(|bytes| out.write_all(&bytes))
    }

    /// Reads the bytes of a model's file, whose name is for messages.
    ///
    /// # Errors
    /// When they are no model of this program, damaged, or of a later format.
    pub fn from_bytes(name: &str, bytes: &[u8]) -> Result<Self> {
        Self::parse(bytes).map_err(|problem| Place::named(name).error(problem))
    }

    fn parse(bytes: &[u8]) -> std::result::Result<Self, String> {
        let damaged = |error| format!("the model file is damaged or cut short ({error})");
        let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(|error| damaged(error.to_string()))?;
        let tensors = SafeTensors::deserialize(bytes).map_err(|error| damaged(error.to_string()))?;
        let text = metadata
            .metadata()
            .as_ref()
            .and_then(|metadata| metadata.get(METADATA_KEY))
            .ok_or("this is a safetensors file, but no model of diabolo")?;
        let rest = text.strip_prefix(CHECKSUM_START).ok_or_else(|| damaged("no checksum".into()))?;
        let (stored, rest) = rest.split_at_checked(CHECKSUM_DIGITS).ok_or_else(|| damaged("no checksum".into()))?;
        let unsealed = rest.strip_prefix('"').ok_or_else(|| damaged("no checksum".into()))?;
        let mut contents = tensors.tensors();
        contents.sort_by(|(first, _), (second, _)| first.cmp(second));
        if stored != checksum(unsealed, contents.iter().map(|(_, tensor)| tensor.data())) {
            return Err(damaged("its checksum differs".into()));
        }
        let version: Version = serde_json::from_str(text).map_err(|error| damaged(error.to_string()))?;
        if version.format != FORMAT {
            return Err(format!(
                "the model file has format {}, but this program reads format {FORMAT}",
                version.format
            ));
        }
        let header: Header = serde_json::from_str(text).map_err(|error| damaged(error.to_string()))?;
        let mut reader = TensorReader { tensors: &tensors, read: 0 };
        let model = Self::from_parts(header, &mut reader)?;
        if reader.read != tensors.len() {
            return Err(format!("the model file has {} tensors, but {} are known", tensors.len(), reader.read));
        }
        Ok(model)
    }

    fn tensors(&self) -> Vec<Tensor<'_>> {
        let mut tensors: Vec<Tensor<'_>> = Vec::new();
        match &self.body {
            Body::Autoencoder(network) => {
                for (index, layer) in network.architecture().layers().iter().enumerate() {
                    let shape = vec![layer.outputs(), layer.inputs()];
                    tensors.push((format!("layers.{index}.weight"), shape, network.weights(index).as_slice()));
                    if layer.has_bias() {
                        tensors.push((format!("layers.{index}.bias"), vec![layer.outputs()], network.biases(index)));
                    }
                }
            }
            Body::Pca(pca) => {
                let components = pca.components();
                let (count, columns) = (components.rows(), components.columns());
                tensors.push(("components".into(), vec![count, columns], components.as_slice()));
                tensors.push(("mean".into(), vec![columns], pca.mean()));
                tensors.push(("singular_values".into(), vec![count], pca.singular_values()));
                tensors.push(("explained_variance".into(), vec![count], pca.explained_variance()));
            }
        }
        if let Some(columns) = self.scaling.columns() {
            tensors.push(("scaling.offset".into(), vec![columns], self.scaling.offsets()));
            tensors.push(("scaling.scale".into(), vec![columns], self.scaling.scales()));
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
            },
            Body::Pca(pca) => BodyHeader::Pca {
                rows: pca.rows(),
                total_variance: pca.total_variance(),
                centered: pca.center(),
                whitened: pca.whiten(),
            },
        };
        Header {
            format: FORMAT,
            body,
            scaling: self.scaling.name().into(),
            column_names: self.column_names.clone(),
            provenance: self.provenance.clone(),
        }
    }

    fn from_parts(header: Header, tensors: &mut TensorReader<'_>) -> std::result::Result<Self, String> {
        let body = match header.body {
            BodyHeader::Autoencoder { layer_sizes, layers } => {
                Body::Autoencoder(read_network(layer_sizes, &layers, tensors)?)
            }
            BodyHeader::Pca { rows, total_variance, centered, whitened } => {
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
        let mut by_column = |name: &str| match tensors.has(name) {
            true => tensors.read(name, &[body.columns()]),
            false => Ok(Vec::new()),
        };
        let (offsets, scales) = (by_column("scaling.offset")?, by_column("scaling.scale")?);
        let scaling = Scaling::restore(&header.scaling, offsets, scales).map_err(|error| error.to_string())?;
        if header.column_names.as_ref().is_some_and(|names| names.len() != body.columns()) {
            return Err(format!("the model file does not have {} column names", body.columns()));
        }
        Ok(Self { body, scaling, column_names: header.column_names, provenance: header.provenance })
    }
}

/// The one field that every format has.
#[derive(serde::Deserialize)]
struct Version {
    format: u32,
}

fn read_network(
    sizes: Vec<usize>,
    layers: &[LayerHeader],
    tensors: &mut TensorReader<'_>,
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
    // The tensors are looked at before a buffer of the size that the header claims is allocated.
    let architecture = Architecture::from_layers(sizes, &choices);
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

/// Takes tensors by name, and counts those it took.
struct TensorReader<'a> {
    tensors: &'a SafeTensors<'a>,
    read: usize,
}

impl TensorReader<'_> {
    /// A tensor of a known shape.
    fn read(&mut self, name: &str, shape: &[usize]) -> std::result::Result<Vec<f32>, String> {
        let (found, values) = self.any(name)?;
        if found != shape {
            return Err(format!("tensor `{name}` has shape {found:?} instead of {shape:?}"));
        }
        Ok(values)
    }

    fn has(&self, name: &str) -> bool {
        self.tensors.tensor(name).is_ok()
    }

    /// A tensor of any shape, and its shape.
    fn any(&mut self, name: &str) -> std::result::Result<(Vec<usize>, Vec<f32>), String> {
        let tensor = self.tensors.tensor(name).map_err(|_| format!("the model file has no tensor `{name}`"))?;
        if tensor.dtype() != Dtype::F32 {
            return Err(format!("tensor `{name}` is {:?} instead of F32", tensor.dtype()));
        }
        let (chunks, _) = tensor.data().as_chunks();
        let values: Vec<f32> = chunks.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
        if !values.iter().all(|value| value.is_finite()) {
            return Err(format!("tensor `{name}` holds NaN or infinity"));
        }
        self.read += 1;
        Ok((tensor.shape().to_vec(), values))
    }
}

/// The little-endian bytes of all values, some thousand values at a time.
fn bytes_of(values: &[f32]) -> impl Iterator<Item = Vec<u8>> {
    values.chunks(1 << 14).map(|values| values.iter().flat_map(|value| value.to_le_bytes()).collect())
}

fn checksum<B: AsRef<[u8]>>(text: &str, tensors: impl Iterator<Item = B>) -> String {
    let mut crc = Crc::new();
    crc.update(text.as_bytes());
    tensors.for_each(|bytes| crc.update(bytes.as_ref()));
    format!("{:08x}", crc.sum())
}
