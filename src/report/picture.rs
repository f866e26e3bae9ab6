//! Numbers as pixels, in PNG.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::colour;
use crate::matrix::Matrix;

/// An image of bytes: grey, or red, green and blue.
#[derive(Clone, Debug)]
pub(super) struct Picture {
    width: usize,
    height: usize,
    colour: png::ColorType,
    bytes: Vec<u8>,
}

impl Picture {
    /// Black for `low` and white for `high`.
    pub fn grey(values: &[f32], (height, width): (usize, usize), (low, high): (f32, f32)) -> Self {
        let scale = 255.0 / (high - low).max(f32::MIN_POSITIVE);
        let byte = |value: &f32| ((value - low) * scale).round().clamp(0.0, 255.0) as u8;
        Self { width, height, colour: png::ColorType::Grayscale, bytes: values.iter().map(byte).collect() }
    }

    /// White for 0, blue below and orange above; the largest value of all has the full colour.
    pub fn signed(values: &[f32], (height, width): (usize, usize)) -> Self {
        let largest = values.iter().fold(f32::MIN_POSITIVE, |largest, value| largest.max(value.abs()));
        let bytes = values.iter().flat_map(|value| colour::diverging(value / largest)).collect();
        Self { width, height, colour: png::ColorType::Rgb, bytes }
    }

    /// Grey images of the same shape side by side, `in_line` of them in a line.
    pub fn sprite(pictures: &[Self], in_line: usize) -> Option<Self> {
        let first = pictures.first()?;
        let (width, height) = (first.width * in_line, first.height * pictures.len().div_ceil(in_line));
        let mut bytes = vec![0; width * height];
        for (index, picture) in pictures.iter().enumerate() {
            let (left, top) = (index % in_line * first.width, index / in_line * first.height);
            for (line, pixels) in picture.bytes.chunks_exact(first.width).enumerate() {
                bytes[(top + line) * width + left..][..first.width].copy_from_slice(pixels);
            }
        }
        Some(Self { width, height, colour: png::ColorType::Grayscale, bytes })
    }

    /// Grey images, one a row (rows × height · width), `in_line` of them in a line.
    pub fn sheet(rows: &Matrix, shape: (usize, usize), range: (f32, f32), in_line: usize) -> Option<Self> {
        let pictures: Vec<Self> = (0..rows.rows()).map(|row| Self::grey(rows.row(row), shape, range)).collect();
        Self::sprite(&pictures, in_line)
    }

    /// The bytes of a PNG file.
    pub fn png(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, self.width as u32, self.height as u32);
        encoder.set_color(self.colour);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_compression(png::Compression::Balanced);
        let written = encoder.write_header().and_then(|mut writer| writer.write_image_data(&self.bytes));
        written.expect("a vector takes all bytes of an image whose size is right");
        bytes
    }

    /// The PNG file as a link that holds it.
    pub fn data_uri(&self) -> String {
        format!("data:image/png;base64,{}", STANDARD.encode(self.png()))
    }
}

/// Black and white of bytes.
pub const BYTES: (f32, f32) = (0.0, 255.0);

/// The least and the largest value: black and white of what are no bytes.
pub fn value_range(values: &[f32]) -> (f32, f32) {
    let values = values.iter().copied();
    (values.clone().fold(f32::INFINITY, f32::min), values.fold(f32::NEG_INFINITY, f32::max))
}

/// A PNG file of grey images, one a row (rows × height · width), `in_line` of them side by side; black is `range.0` and white
/// `range.1`.
///
/// # Panics
/// When there is no row, `in_line` is 0, or a row is no such image.
pub fn png_sheet(rows: &Matrix, shape: (usize, usize), range: (f32, f32), in_line: usize) -> Vec<u8> {
    Picture::sheet(rows, shape, range, in_line).expect("a row at least").png()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pixels(picture: &Picture) -> Vec<u8> {
        let mut reader = png::Decoder::new(std::io::Cursor::new(picture.png())).read_info().unwrap();
        let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
        reader.next_frame(&mut bytes).unwrap();
        bytes
    }

    #[test]
    fn grey_runs_from_black_to_white_and_stays_between() {
        let picture = Picture::grey(&[-1.0, 0.0, 0.5, 1.0, 9.0, f32::NAN], (2, 3), (0.0, 1.0));
        assert_eq!(pixels(&picture), [0, 0, 128, 255, 255, 0]);
    }

    #[test]
    fn signs_have_colours_of_their_own() {
        let bytes = pixels(&Picture::signed(&[-2.0, 0.0, 2.0], (1, 3)));
        assert!(bytes[2] > bytes[0] && bytes[6] > bytes[8], "{bytes:?}");
        assert!(bytes[3..6].iter().all(|&byte| byte > 240));
    }

    #[test]
    fn a_sprite_holds_each_picture_in_its_place() {
        let picture = |value: f32| Picture::grey(&[value; 2], (1, 2), (0.0, 255.0));
        let sprite = Picture::sprite(&[picture(1.0), picture(2.0), picture(3.0)], 2).unwrap();
        assert_eq!(pixels(&sprite), [1, 1, 2, 2, 3, 3, 0, 0]);
    }
}
