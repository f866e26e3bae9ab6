//! The container of model and checkpoint files: a [safetensors](https://github.com/huggingface/safetensors) file with
//! `F32` tensors and one JSON object, sealed by a checksum.
//!
//! The metadata has one key, named after what the file is, with the object. Its first entry, `checksum`, is the CRC-32,
//! in eight hexadecimal digits, of the object's text behind that entry, then the tensors' bytes in the order of their
//! names. The same contents always give the same bytes.

use std::collections::HashMap;
use std::io::{self, Write};

use flate2::Crc;
use safetensors::tensor::{Dtype, Metadata, SafeTensors, TensorInfo};
use serde::Serialize;
use serde::de::DeserializeOwned;

const CHECKSUM_START: &str = "{\"checksum\":\"";
const CHECKSUM_DIGITS: usize = 8;

/// A kind of file: the key of its object, its name for messages, the version of its format that is written, and the only
/// one that is read, and whether NaN and infinity are refused in it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kind {
    pub key: &'static str,
    pub name: &'static str,
    pub format: u32,
    pub is_finite: bool,
}

/// A tensor to be written.
#[derive(Debug)]
pub(crate) struct Tensor<'a> {
    pub name: String,
    pub shape: Vec<usize>,
    pub values: &'a [f32],
}

/// The object, with the version of its format.
#[derive(Serialize)]
struct Versioned<'a, T> {
    format: u32,
    #[serde(flatten)]
    header: &'a T,
}

/// The one field that every format has.
#[derive(serde::Deserialize)]
struct Version {
    format: u32,
}

/// Writes a file, with no copy of the tensors.
///
/// # Errors
/// Those of the writer.
pub(crate) fn write(
    out: &mut dyn Write,
    kind: Kind,
    header: &impl Serialize,
    mut tensors: Vec<Tensor<'_>>,
) -> io::Result<()> {
    tensors.sort_by(|first, second| first.name.cmp(&second.name));
    let bytes = || tensors.iter().flat_map(|tensor| bytes_of(tensor.values));
    let header = serde_json::to_string(&Versioned { format: kind.format, header }).map_err(io::Error::other)?;
    let unsealed = format!(",{}", &header[1..]);
    let sealed = format!("{CHECKSUM_START}{}\"{unsealed}", checksum(&unsealed, bytes()));
    let mut end = 0;
    let infos = tensors.iter().map(|Tensor { name, shape, values }| {
        let start = end;
        end += size_of_val(*values);
        (name.clone(), TensorInfo { dtype: Dtype::F32, shape: shape.clone(), data_offsets: (start, end) })
    });
    let metadata = Metadata::new(Some(HashMap::from([(kind.key.into(), sealed)])), infos.collect())
        .expect("tensors lie side by side and their shapes fit them");
    let mut header = serde_json::to_string(&metadata).expect("the header has string keys and plain values");
    // Blanks up to a multiple of eight bytes, as the format wants it.
    header.extend(std::iter::repeat_n(' ', header.len().next_multiple_of(8) - header.len()));
    out.write_all(&(header.len() as u64).to_le_bytes())?;
    out.write_all(header.as_bytes())?;
    bytes().try_for_each(|bytes| out.write_all(&bytes))
}

/// A file that was read: its object and its tensors.
#[derive(Debug)]
pub(crate) struct TensorFile<'a> {
    kind: Kind,
    text: String,
    tensors: SafeTensors<'a>,
    /// How many tensors were taken.
    read: usize,
}

impl<'a> TensorFile<'a> {
    /// Takes a file's bytes apart.
    ///
    /// # Errors
    /// A message, when they are no file of this kind, damaged, or of another format.
    pub fn parse(kind: Kind, bytes: &'a [u8]) -> Result<Self, String> {
        let Kind { key, name, format, .. } = kind;
        let damaged = |error| format!("the {name} is damaged or cut short ({error})");
        let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(|error| damaged(error.to_string()))?;
        let tensors = SafeTensors::deserialize(bytes).map_err(|error| damaged(error.to_string()))?;
        let text = metadata
            .metadata()
            .as_ref()
            .and_then(|metadata| metadata.get(key))
            .ok_or_else(|| format!("this is a safetensors file, but no {name} of diabolo"))?;
        let rest = text.strip_prefix(CHECKSUM_START).ok_or_else(|| damaged("no checksum".into()))?;
        let (stored, rest) = rest.split_at_checked(CHECKSUM_DIGITS).ok_or_else(|| damaged("no checksum".into()))?;
        let unsealed = rest.strip_prefix('"').ok_or_else(|| damaged("no checksum".into()))?;
        let mut contents = tensors.tensors();
        contents.sort_by(|(first, _), (second, _)| first.cmp(second));
        if stored != checksum(unsealed, contents.iter().map(|(_, tensor)| tensor.data())) {
            return Err(damaged("its checksum differs".into()));
        }
        let version: Version = serde_json::from_str(text).map_err(|error| damaged(error.to_string()))?;
        if version.format != format {
            return Err(format!("the {name} has format {}, but this program reads format {format}", version.format));
        }
        Ok(Self { kind, text: text.clone(), tensors, read: 0 })
    }

    /// The object.
    pub fn header<T: DeserializeOwned>(&self) -> Result<T, String> {
        serde_json::from_str(&self.text).map_err(|error| format!("the {} is damaged ({error})", self.kind.name))
    }

    /// Takes a tensor of a known shape.
    pub fn read(&mut self, name: &str, shape: &[usize]) -> Result<Vec<f32>, String> {
        let (found, values) = self.any(name)?;
        if found != shape {
            return Err(format!("tensor `{name}` has shape {found:?} instead of {shape:?}"));
        }
        Ok(values)
    }

    /// Whether there is a tensor of this name.
    pub fn has(&self, name: &str) -> bool {
        self.tensors.tensor(name).is_ok()
    }

    /// Takes a tensor of any shape, and its shape.
    pub fn any(&mut self, name: &str) -> Result<(Vec<usize>, Vec<f32>), String> {
        let tensor = self.tensors.tensor(name).map_err(|_| format!("the {} has no tensor `{name}`", self.kind.name))?;
        if tensor.dtype() != Dtype::F32 {
            return Err(format!("tensor `{name}` is {:?} instead of F32", tensor.dtype()));
        }
        let (chunks, _) = tensor.data().as_chunks();
        let values: Vec<f32> = chunks.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
        if self.kind.is_finite && !values.iter().all(|value| value.is_finite()) {
            return Err(format!("tensor `{name}` holds NaN or infinity"));
        }
        self.read += 1;
        Ok((tensor.shape().to_vec(), values))
    }

    /// Checks that every tensor was taken.
    pub fn finish(self) -> Result<(), String> {
        if self.read != self.tensors.len() {
            let (name, count) = (self.kind.name, self.tensors.len());
            return Err(format!("the {name} has {count} tensors, but {} are known", self.read));
        }
        Ok(())
    }
}

/// The little-endian bytes of all values, some thousand values at a time.
pub(crate) fn bytes_of(values: &[f32]) -> impl Iterator<Item = Vec<u8>> {
    values.chunks(1 << 14).map(|values| values.iter().flat_map(|value| value.to_le_bytes()).collect())
}

fn checksum<B: AsRef<[u8]>>(text: &str, tensors: impl Iterator<Item = B>) -> String {
    let mut crc = Crc::new();
    crc.update(text.as_bytes());
    tensors.for_each(|bytes| crc.update(bytes.as_ref()));
    format!("{:08x}", crc.sum())
}
