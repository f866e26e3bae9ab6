//! Hidden elements of rows: set to 0, so that a network learns to fill them in, or treated as missing.

use std::fmt;

use rand::RngExt;

use crate::error::{Error, Result};
use crate::random::Generator;
use crate::rows::Rows;
use crate::settings::text_setting;

/// A choice of the elements of a row that are hidden.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Hiding {
    /// Each element with this probability.
    Mask(f32),
    /// A block of pixels, at a random place within the image for each row.
    Block(BlockSize),
    /// A block of pixels in the middle of the image.
    Middle(BlockSize),
}

/// Height and width of a block of pixels, at least 1 each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockSize {
    /// The number of rows of pixels.
    pub height: usize,
    /// The number of columns of pixels.
    pub width: usize,
}

impl Hiding {
    /// Its forms in text.
    pub const FORMS: &'static str = "mask:SHARE|block:HxW|middle:HxW";

    fn read(text: &str) -> std::result::Result<Option<Self>, String> {
        text.split_once(':').and_then(|(kind, size)| Self::of_kind(kind, size)).transpose()
    }

    /// Checks that elements of these rows can be hidden.
    ///
    /// # Errors
    /// [`Error::Mismatch`] for a block where rows are no images or smaller ones.
    pub fn check(self, rows: &dyn Rows) -> Result<()> {
        let (Self::Block(block) | Self::Middle(block)) = self else { return Ok(()) };
        match rows.image_shape() {
            Some((height, width)) if block.height <= height && block.width <= width => Ok(()),
            Some((height, width)) => Err(Error::Mismatch(format!(
                "{self} is larger than the images, which have {height} x {width} pixels; at most {} fits",
                Self::Block(BlockSize { height: block.height.min(height), width: block.width.min(width) })
            ))),
            None => Err(Error::Mismatch(format!(
                "{self} needs images, and these rows are none: nothing tells their height and width, as IDX files of \
                 images do; mask:SHARE takes any rows"
            ))),
        }
    }

    /// Sets the hidden elements of a row to `hidden`.
    ///
    /// # Panics
    /// When [`check`](Self::check) would fail.
    pub(crate) fn apply<T: Copy>(
        self,
        row: &mut [T],
        hidden: T,
        image_shape: Option<(usize, usize)>,
        generator: &mut Generator,
    ) {
        let fits = "blocks are hidden in images that they fit in";
        match self {
            Self::Mask(share) => {
                row.iter_mut().filter(|_| generator.random::<f32>() < share).for_each(|element| *element = hidden);
            }
            Self::Block(block) => {
                let (height, width) = image_shape.expect(fits);
                let top = generator.random_range(0..=height.checked_sub(block.height).expect(fits));
                let left = generator.random_range(0..=width.checked_sub(block.width).expect(fits));
                block.fill(row, width, [top, left], hidden);
            }
            Self::Middle(block) => {
                let (height, width) = image_shape.expect(fits);
                let top = height.checked_sub(block.height).expect(fits) / 2;
                let left = width.checked_sub(block.width).expect(fits) / 2;
                block.fill(row, width, [top, left], hidden);
            }
        }
    }

    /// The choice of this kind and size; `None` for an unknown kind. The error says what is wrong with the size.
    pub(super) fn of_kind(kind: &str, size: &str) -> Option<std::result::Result<Self, String>> {
        match kind {
            "mask" => Some(share(size).map(Self::Mask)),
            "block" => Some(BlockSize::read(size).map(Self::Block)),
            "middle" => Some(BlockSize::read(size).map(Self::Middle)),
            _ => None,
        }
    }
}

impl BlockSize {
    fn read(text: &str) -> std::result::Result<Self, String> {
        let sizes = text.split_once('x').and_then(|(height, width)| Some((height.parse().ok()?, width.parse().ok()?)));
        match sizes {
            Some((height, width)) if height > 0 && width > 0 => Ok(Self { height, width }),
            _ => Err(format!("`{text}` is no size of a block: write its height and width in pixels, as in 14x14")),
        }
    }

    /// Fills the block whose upper left pixel is at row `top` and column `left`.
    fn fill<T: Copy>(self, image: &mut [T], image_width: usize, [top, left]: [usize; 2], value: T) {
        for line in image.chunks_exact_mut(image_width).skip(top).take(self.height) {
            line[left..left + self.width].fill(value);
        }
    }
}

/// Parses a share of elements; the error says what is wrong with it.
pub(super) fn share(text: &str) -> std::result::Result<f32, String> {
    let share = text.parse().ok().filter(|&share| share > 0.0 && share <= 1.0);
    share.ok_or_else(|| format!("`{text}` is no share of the elements; it lies above 0 and up to 1"))
}

impl fmt::Display for Hiding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mask(share) => write!(f, "mask:{share}"),
            Self::Block(BlockSize { height, width }) => write!(f, "block:{height}x{width}"),
            Self::Middle(BlockSize { height, width }) => write!(f, "middle:{height}x{width}"),
        }
    }
}

text_setting!(Hiding, "missing");

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Dataset;
    use crate::random::{Purpose, generator_of};

    fn hidden(hiding: &str, shape: (usize, usize), turn: u64) -> Vec<u8> {
        let mut image = vec![0; shape.0 * shape.1];
        let hiding: Hiding = hiding.parse().unwrap();
        hiding.apply(&mut image, 1, Some(shape), &mut generator_of(1, Purpose::Corruption, turn));
        image
    }

    #[test]
    fn the_middle_is_in_the_middle() {
        assert_eq!(hidden("middle:1x3", (3, 5), 0), [0, 0, 0, 0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0]);
        assert_eq!(hidden("middle:2x2", (3, 3), 0), [1, 1, 0, 1, 1, 0, 0, 0, 0]);
    }

    #[test]
    fn a_block_is_whole_and_comes_to_every_place() {
        let mut places = [[0; 3]; 2];
        for turn in 0..600 {
            let image = hidden("block:2x3", (3, 5), turn);
            let first = image.iter().position(|&pixel| pixel == 1).unwrap();
            let (top, left) = (first / 5, first % 5);
            places[top][left] += 1;
            let inside =
                |index: usize| (top..top + 2).contains(&(index / 5)) && (left..left + 3).contains(&(index % 5));
            assert!(image.iter().enumerate().all(|(index, &pixel)| (pixel == 1) == inside(index)), "{image:?}");
        }
        assert!(places.as_flattened().iter().all(|count| (60..140).contains(count)), "{places:?}");
    }

    #[test]
    fn what_does_not_fit_is_an_error_that_says_what_would() {
        let images = Dataset::from_bytes("images", 1, 15, vec![0; 15]).unwrap().with_image_shape(3, 5).unwrap();
        let rows = Dataset::from_bytes("rows", 1, 15, vec![0; 15]).unwrap();
        let message =
            |hiding: &str, rows: &Dataset| hiding.parse::<Hiding>().unwrap().check(rows).map_err(|e| e.to_string());
        assert_eq!(message("block:3x5", &images), Ok(()));
        assert_eq!(message("mask:0.5", &rows), Ok(()));
        let larger = message("middle:4x2", &images).unwrap_err();
        assert!(larger.contains("have 3 x 5 pixels") && larger.contains("at most block:3x2 fits"), "{larger}");
        let none = message("block:1x1", &rows).unwrap_err();
        assert!(none.contains("needs images"), "{none}");
    }

    #[test]
    fn it_is_read_as_it_is_written() {
        for text in ["mask:0.25", "block:14x7", "middle:1x28"] {
            assert_eq!(text.parse::<Hiding>().unwrap().to_string(), text);
        }
        for (text, problem) in [
            ("holes", "there are mask:SHARE, block:HxW, middle:HxW"),
            ("gaussian:1", "there are mask:SHARE"),
            ("mask:0", "no share of the elements"),
            ("mask:nan", "no share of the elements"),
            ("block:14", "as in 14x14"),
            ("block:0x3", "as in 14x14"),
            ("middle:-1x3", "as in 14x14"),
            ("block:99999999999999999999x1", "as in 14x14"),
        ] {
            let message = text.parse::<Hiding>().unwrap_err().to_string();
            assert!(message.contains(problem), "{message}");
        }
    }
}
