//! The IDX format of the MNIST files: <http://yann.lecun.com/exdb/mnist/>.
//!
//! Two zero bytes, a byte for the type of the elements, a byte for the number of dimensions, each dimension as a
//! big-endian `u32`, then the elements, big-endian, the last dimension running fastest.

use byteorder::{BigEndian, ByteOrder};

use super::format::{Content, Format, Request};
use crate::data::columns::{ColumnNames, Selection};
use crate::data::dataset::Dataset;
use crate::data::input::Input;
use crate::data::messages::{LEAVE_OUT_THE_LABEL, beyond_single_precision, not_finite};
use crate::error::{Error, Place, Result};
use crate::matrix::Matrix;

pub(super) static FORMAT: Format = Format {
    name: "IDX",
    recognised_by: "two zero bytes at its start",
    holds: "rows of unsigned bytes, `f32` or `f64`; images are flattened",
    recognises: |head| head.starts_with(&[0, 0]),
    content: Content::Numbers(read),
};

/// Reads rows: the first dimension counts them, the others are flattened into columns.
///
/// Memory is allocated for the bytes that exist, never for those that the header claims.
fn read(mut input: Input<'_>, request: Request<'_>) -> Result<Dataset> {
    let source = input.name().to_owned();
    if let Some(label) = &request.options.label {
        let problem = format!("{source}: IDX data has no label column `{label}`; {LEAVE_OUT_THE_LABEL}");
        return Err(Error::Mismatch(problem));
    }
    let header = Header::read(&mut input)?;
    let elements = header.elements(&mut input)?;
    let dataset = match header.element {
        Element::Byte => Dataset::from_bytes(&source, header.rows, header.columns, elements)?,
        Element::Float => header.floats(&source, &elements, |bytes| f64::from(BigEndian::read_f32(bytes)))?,
        Element::Double => header.floats(&source, &elements, BigEndian::read_f64)?,
    };
    let dataset = match header.dimensions[..] {
        [_, height, width] => dataset.with_image_shape(height, width)?,
        _ => dataset,
    };
    let selection = Selection::new(&ColumnNames::new(&source, header.columns, None), request.options)?;
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
    /// The number of bytes of all elements.
    size: u64,
}

impl Header {
    fn read(input: &mut Input<'_>) -> Result<Self> {
        let (element, count) = Self::read_magic(input)?;
        let dimensions = Self::read_dimensions(input, count)?;
        let product = |dimensions: &[usize]| dimensions.iter().try_fold(1_usize, |all, &one| all.checked_mul(one));
        let columns = product(&dimensions[1..]);
        let size = product(&dimensions).and_then(|count| count.checked_mul(element.size()));
        let (Some(columns), Some(size)) = (columns, size) else {
            let problem = format!("the IDX header claims {} elements: more than any file holds", claim(&dimensions));
            return Err(place(input, 4).error(problem));
        };
        Ok(Self { element, rows: dimensions[0], columns, dimensions, size: size as u64 })
    }

    /// The type of the elements and the number of dimensions, from the first four bytes.
    fn read_magic(input: &mut Input<'_>) -> Result<(Element, usize)> {
        let magic = input.read_up_to(4)?;
        let &[_, _, code, dimensions] = &magic[..] else {
            return Err(place(input, magic.len()).error("cut short in the IDX header, which has at least 8 bytes"));
        };
        let element = match code {
            0x08 => Element::Byte,
            0x0d => Element::Float,
            0x0e => Element::Double,
            _ => {
                return Err(place(input, 2).error(format!(
                    "unknown IDX type {code:#04x}; known are 0x08 (unsigned byte), 0x0d (float) and 0x0e (double)"
                )));
            }
        };
        if dimensions == 0 {
            return Err(place(input, 3).error("an IDX file of no dimensions; at least one is needed"));
        }
        Ok((element, dimensions.into()))
    }

    /// The dimensions, `count` of them, none of which is 0.
    fn read_dimensions(input: &mut Input<'_>, count: usize) -> Result<Vec<usize>> {
        let size = 4 * count;
        let bytes = input.read_up_to(size as u64)?;
        if bytes.len() < size {
            let problem = format!("cut short in the IDX header, which has {} bytes", 4 + size);
            return Err(place(input, 4 + bytes.len()).error(problem));
        }
        let dimensions: Vec<usize> = bytes.chunks_exact(4).map(|bytes| BigEndian::read_u32(bytes) as usize).collect();
        if let Some(index) = dimensions.iter().position(|&dimension| dimension == 0) {
            let what = if index == 0 { "rows" } else { "columns" };
            return Err(place(input, 4 + 4 * index).error(format!("the IDX header claims no {what}: a dimension is 0")));
        }
        Ok(dimensions)
    }

    /// The number of its bytes, after which the elements follow.
    fn length(&self) -> usize {
        4 + 4 * self.dimensions.len()
    }

    /// The bytes of all elements, if there are neither fewer nor more.
    fn elements(&self, input: &mut Input<'_>) -> Result<Vec<u8>> {
        let bytes = input.read_up_to(self.size.saturating_add(1))?;
        let (length, found) = (self.length() as u64, bytes.len() as u64);
        let claim = format!("the IDX header claims {} elements, {} bytes", claim(&self.dimensions), self.size);
        if found < self.size {
            let problem = format!("cut short: {claim}, but {found} are there");
            return Err(Place::named(input.name()).at_byte(length + found).error(problem));
        }
        if found > self.size {
            let problem = format!("{claim}, but more follow");
            return Err(Place::named(input.name()).at_byte(length + self.size).error(problem));
        }
        Ok(bytes)
    }

    /// The elements in single precision; `read` reads one of them.
    fn floats(&self, source: &str, elements: &[u8], read: impl Fn(&[u8]) -> f64) -> Result<Dataset> {
        let size = self.element.size();
        let mut matrix = Matrix::zeros(self.rows, self.columns);
        for (index, (out, bytes)) in matrix.as_mut_slice().iter_mut().zip(elements.chunks_exact(size)).enumerate() {
            let value = read(bytes);
            *out = value as f32;
            if !out.is_finite() {
                let problem =
                    if value.is_finite() { beyond_single_precision(format!("{value:e}")) } else { not_finite(value) };
                return Err(Place::named(source).at_byte((self.length() + index * size) as u64).error(problem));
            }
        }
        Dataset::from_matrix(source, matrix, None)
    }
}

fn place(input: &Input<'_>, byte: usize) -> Place {
    Place::named(input.name()).at_byte(byte as u64)
}

/// Dimensions in a message.
fn claim(dimensions: &[usize]) -> String {
    dimensions.iter().map(usize::to_string).collect::<Vec<_>>().join(" × ")
}

#[cfg(test)]
mod tests;
