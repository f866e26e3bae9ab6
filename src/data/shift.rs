//! Images moved by some pixels: more of them to learn from than there are.

use rand::RngExt;

use super::Rows;
use crate::error::{Error, Result};
use crate::random::{Purpose, generator_of_row};

/// Images, each moved up or down and left or right by up to so many pixels, every place as likely (Simard et al., "Best
/// practices for convolutional neural networks applied to visual document analysis", 2003, §2, has it for classifiers).
/// What is moved in is 0, as the network sees it: the background where pixels are shares of white.
#[derive(Clone, Copy)]
pub struct ShiftedRows<'a> {
    of: &'a dyn Rows,
    most: usize,
    seed: u64,
    epoch: u64,
}

impl<'a> ShiftedRows<'a> {
    /// What the seed makes of `of` in an epoch.
    pub fn new(of: &'a dyn Rows, most: usize, seed: u64, epoch: u64) -> Self {
        Self { of, most, seed, epoch }
    }

    /// Checks that rows can be moved so far.
    ///
    /// # Errors
    /// When they are no images, or an image could be moved out of sight.
    pub fn check(rows: &dyn Rows, most: usize) -> Result<()> {
        let wrong = |problem| Err(Error::Mismatch(problem));
        match rows.image_shape() {
            None => wrong("shift moves images, and these rows are none".into()),
            Some((height, width)) if most >= height.min(width) => {
                wrong(format!("a shift of {most} pixels moves an image of {height} x {width} out of sight"))
            }
            Some(_) => Ok(()),
        }
    }
}

impl Rows for ShiftedRows<'_> {
    fn rows(&self) -> usize {
        self.of.rows()
    }

    fn columns(&self) -> usize {
        self.of.columns()
    }

    fn copy_row(&self, row: usize, out: &mut [f32]) {
        self.of.copy_row(row, out);
        let Some((height, width)) = self.of.image_shape() else { return };
        let mut generator = generator_of_row(self.seed, Purpose::Shift, self.epoch, row);
        let mut draw = || generator.random_range(0..=2 * self.most) as isize - self.most as isize;
        let (down, right) = (draw(), draw());
        // As one line of pixels, the image moves by as many; then what left a line for the next is blanked.
        let distance = down * width as isize + right;
        let length = out.len();
        let by = distance.unsigned_abs().min(length);
        if distance >= 0 {
            out.copy_within(..length - by, by);
            out[..by].fill(0.0);
        } else {
            out.copy_within(by.., 0);
            out[length - by..].fill(0.0);
        }
        let across = right.unsigned_abs().min(width);
        for line in out.chunks_exact_mut(width).take(height) {
            if right >= 0 { line[..across].fill(0.0) } else { line[width - across..].fill(0.0) }
        }
    }

    fn prefetch(&self, row: usize) {
        self.of.prefetch(row);
    }

    fn image_shape(&self) -> Option<(usize, usize)> {
        self.of.image_shape()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Dataset;
    use std::collections::BTreeSet;

    fn image() -> Dataset {
        let pixels: Vec<u8> = (1..=12).collect();
        Dataset::from_bytes("image", 1, 12, pixels).unwrap().with_image_shape(3, 4).unwrap()
    }

    /// Where the pixel of (line, column) stands after a move.
    fn moved(down: isize, right: isize) -> Vec<f32> {
        let mut out = vec![0.0; 12];
        for (index, value) in (1..=12).enumerate() {
            let (line, column) = ((index / 4) as isize + down, (index % 4) as isize + right);
            if (0..3).contains(&line) && (0..4).contains(&column) {
                out[(line * 4 + column) as usize] = value as f32;
            }
        }
        out
    }

    #[test]
    fn every_move_comes_and_no_other() {
        let image = image();
        let bits = |row: &[f32]| row.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
        for most in [0, 1, 2] {
            let reach = most as isize;
            let expected: BTreeSet<Vec<u32>> = (-reach..=reach)
                .flat_map(|down| (-reach..=reach).map(move |right| (down, right)))
                .map(|(down, right)| bits(&moved(down, right)))
                .collect();
            let mut found = BTreeSet::new();
            for epoch in 0..600 {
                let mut row = [f32::NAN; 12];
                ShiftedRows::new(&image, most, 1, epoch).copy_row(0, &mut row);
                found.insert(bits(&row));
            }
            assert_eq!(found, expected, "up to {most}");
        }
    }

    #[test]
    fn it_is_the_same_in_the_same_epoch() {
        let image = image();
        let row = |epoch| {
            let mut row = [f32::NAN; 12];
            ShiftedRows::new(&image, 2, 1, epoch).copy_row(0, &mut row);
            row
        };
        assert_eq!(row(3), row(3));
        assert!((0..20).any(|epoch| row(epoch) != row(3)));
    }

    #[test]
    fn what_is_no_image_or_too_small_is_refused() {
        assert!(ShiftedRows::check(&image(), 2).is_ok());
        let message = ShiftedRows::check(&image(), 3).unwrap_err().to_string();
        assert!(message.contains("an image of 3 x 4 out of sight"), "{message}");
        let table = Dataset::from_bytes("table", 1, 2, vec![1, 2]).unwrap();
        assert!(ShiftedRows::check(&table, 1).unwrap_err().to_string().contains("moves images"));
    }
}
