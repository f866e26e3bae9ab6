//! The IDX format of the MNIST files: <http://yann.lecun.com/exdb/mnist/>.
//!
//! Two zero bytes, a byte for the type of the elements, a byte for the number of dimensions, each dimension as a
//! big-endian `u32`, then the elements, big-endian, the last dimension running fastest.

use std::io::{BufRead, Read};

use byteorder::{BigEndian, ByteOrder};

use crate::data::columns::{ColumnNames, Selection};
use crate::data::dataset::Dataset;
use crate::data::read::{ReadOptions, read_error};
use crate::error::{Error, Place, Result};
use crate::matrix::Matrix;

/// Reads rows from IDX data: the first dimension counts them, the others are flattened into columns.
///
/// Memory is taken for what is there, never for what the header claims.
pub(super) fn read(source: &str, input: &mut dyn BufRead, options: &ReadOptions) -> Result<Dataset> {
    if let Some(label) = &options.label {
        return Err(Error::Mismatch(format!("{source}: IDX data has no label column `{label}`; leave out --label")));
    }
    let header = Header::read(source, input)?;
    let elements = header.elements(source, input)?;
    let dataset = match header.element {
        Element::Byte => Dataset::from_bytes(source, header.rows, header.columns, elements)?,
        Element::Float => header.floats(source, &elements, |bytes| f64::from(BigEndian::read_f32(bytes)))?,
        Element::Double => header.floats(source, &elements, BigEndian::read_f64)?,
    };
    let dataset = match header.dimensions[..] {
        [_, height, width] => dataset.with_image_shape(height, width)?,
        _ => dataset,
    };
    let selection = Selection::new(&ColumnNames::new(source, header.columns, None), options)?;
    dataset.keep(&selection.features)
}

/// The type of the elements.
#[derive(Clone, Copy)]
enum Element {
    Byte,
    Float,
    Double,
}

impl Element {
    fn size(self) -> usize {
        match self {
            Self::Byte => 1,
            Self::Float => 4,
            Self::Double => 8,
        }
    }
}

struct Header {
    element: Element,
    dimensions: Vec<usize>,
    rows: usize,
    columns: usize,
    /// How many bytes of elements there must be.
    size: u64,
}

impl Header {
    fn read(source: &str, input: &mut dyn BufRead) -> Result<Self> {
        let place = |byte: usize| Place::named(source).at_byte(byte as u64);
        let magic = read_up_to(source, input, 4)?;
        let &[_, _, code, dimensions] = &magic[..] else {
            return Err(place(magic.len()).error("cut short in the IDX header, which has at least 8 bytes"));
        };
        let element = match code {
            0x08 => Element::Byte,
            0x0d => Element::Float,
            0x0e => Element::Double,
            _ => {
                return Err(place(2).error(format!(
                    "unknown IDX type {code:#04x}; known are 0x08 (unsigned byte), 0x0d (float) and 0x0e (double)"
                )));
            }
        };
        if dimensions == 0 {
            return Err(place(3).error("an IDX file of no dimensions; at least one is needed"));
        }
        let size = 4 * usize::from(dimensions);
        let bytes = read_up_to(source, input, size as u64)?;
        if bytes.len() < size {
            let problem = format!("cut short in the IDX header, which has {} bytes", 4 + size);
            return Err(place(4 + bytes.len()).error(problem));
        }
        let dimensions: Vec<usize> = bytes.chunks_exact(4).map(|bytes| BigEndian::read_u32(bytes) as usize).collect();
        if let Some(index) = dimensions.iter().position(|&dimension| dimension == 0) {
            let what = if index == 0 { "rows" } else { "columns" };
            return Err(place(4 + 4 * index).error(format!("the IDX header tells of no {what}: a dimension is 0")));
        }
        let product = |dimensions: &[usize]| dimensions.iter().try_fold(1_usize, |all, &one| all.checked_mul(one));
        let columns = product(&dimensions[1..]);
        let size = product(&dimensions).and_then(|count| count.checked_mul(element.size()));
        let (Some(columns), Some(size)) = (columns, size) else {
            let claim = claim(&dimensions);
            return Err(place(4).error(format!("the IDX header claims {claim} elements: more than any file holds")));
        };
        Ok(Self { element, rows: dimensions[0], columns, dimensions, size: size as u64 })
    }

    /// Where the elements begin.
    fn length(&self) -> usize {
        4 + 4 * self.dimensions.len()
    }

    /// The bytes of all elements, when there are neither less nor more.
    fn elements(&self, source: &str, input: &mut dyn BufRead) -> Result<Vec<u8>> {
        let bytes = read_up_to(source, input, self.size.saturating_add(1))?;
        let (length, found) = (self.length() as u64, bytes.len() as u64);
        let claim = format!("the IDX header claims {} elements, {} bytes", claim(&self.dimensions), self.size);
        if found < self.size {
            let problem = format!("cut short: {claim}, but {found} are there");
            return Err(Place::named(source).at_byte(length + found).error(problem));
        }
        if found > self.size {
            let problem = format!("{claim}, but more follow");
            return Err(Place::named(source).at_byte(length + self.size).error(problem));
        }
        Ok(bytes)
    }

    fn floats(&self, source: &str, elements: &[u8], read: impl Fn(&[u8]) -> f64) -> Result<Dataset> {
        let size = self.element.size();
        let mut matrix = Matrix::zeros(self.rows, self.columns);
        for (index, (out, bytes)) in matrix.as_mut_slice().iter_mut().zip(elements.chunks_exact(size)).enumerate() {
            let value = read(bytes);
            *out = value as f32;
            if !out.is_finite() {
                let problem = if value.is_finite() {
                    format!("{value:e} is beyond the range of single precision (about 3.4e38)")
                } else {
                    format!("{value} is not a finite number")
                };
                return Err(Place::named(source).at_byte((self.length() + index * size) as u64).error(problem));
            }
        }
        Dataset::from_matrix(source, matrix, None)
    }
}

/// At most this many bytes: less where the input ends before.
fn read_up_to(source: &str, input: &mut dyn BufRead, count: u64) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    input.take(count).read_to_end(&mut bytes).map_err(|error| read_error(source, error))?;
    bytes.shrink_to_fit();
    Ok(bytes)
}

/// Dimensions in a message.
fn claim(dimensions: &[usize]) -> String {
    dimensions.iter().map(usize::to_string).collect::<Vec<_>>().join(" × ")
}

#[cfg(test)]
mod tests;
