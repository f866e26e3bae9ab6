//! Shifted images: augmentation by translation.

use rand::RngExt;

use super::draw::Draw;
use crate::error::{Error, Result};
use crate::random::Purpose;
use crate::rows::Rows;

/// Shifts the image with this index vertically and horizontally by up to `most` pixels, all shifts equally likely (Simard et
/// al., "Best practices for convolutional neural networks applied to visual document analysis", 2003, §2, for classifiers).
/// Pixels that come from outside are 0, as the network sees it: the background where pixels are shares of white.
///
/// # Panics
/// When the row is no image, or too small; see [`check`].
pub(super) fn apply(most: usize, index: usize, image: &mut [f32], draw: Draw) {
    let (_, width) = draw.image_shape.expect("images");
    let mut generator = draw.generator(Purpose::Shift, index);
    let mut draw = || generator.random_range(0..=2 * most) as isize - most as isize;
    let (down, right) = (draw(), draw());
    shift(image, width, down, right);
}

/// Checks that rows can be shifted by up to `most` pixels.
///
/// # Errors
/// When they are no images, or a whole image could be shifted out.
pub(super) fn check(rows: &dyn Rows, most: usize) -> Result<()> {
    let wrong = |problem| Err(Error::Mismatch(problem));
    match rows.image_shape() {
        None => wrong("shift moves images, and these rows are none".into()),
        Some((height, width)) if most >= height.min(width) => {
            wrong(format!("a shift of {most} pixels moves an image of {height} x {width} out of sight"))
        }
        Some(_) => Ok(()),
    }
}

/// Shifts an image by less than its height and width.
fn shift(image: &mut [f32], width: usize, down: isize, right: isize) {
    // A shift by rows and columns is one move in the flat image; then the pixels that crossed into another row are blanked.
    let distance = down * width as isize + right;
    let (length, by) = (image.len(), distance.unsigned_abs());
    if distance >= 0 {
        image.copy_within(..length - by, by);
        image[..by].fill(0.0);
    } else {
        image.copy_within(by.., 0);
        image[length - by..].fill(0.0);
    }
    let across = right.unsigned_abs();
    for line in image.chunks_exact_mut(width) {
        if right >= 0 { line[..across].fill(0.0) } else { line[width - across..].fill(0.0) }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::data::Dataset;
    use crate::rows::RowsInMemory;

    fn image() -> Dataset {
        let pixels: Vec<u8> = (1..=12).collect();
        Dataset::from_bytes("image", 1, 12, pixels).unwrap().with_image_shape(3, 4).unwrap()
    }

    /// The image after a move.
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
                image.copy_row(0, &mut row);
                apply(most, 0, &mut row, Draw { image_shape: Some((3, 4)), seed: 1, epoch });
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
            image.copy_row(0, &mut row);
            apply(2, 0, &mut row, Draw { image_shape: Some((3, 4)), seed: 1, epoch });
            row
        };
        assert_eq!(row(3), row(3));
        assert!((0..20).any(|epoch| row(epoch) != row(3)));
    }

    #[test]
    fn what_is_no_image_or_too_small_is_refused() {
        assert!(check(&image(), 2).is_ok());
        let message = check(&image(), 3).unwrap_err().to_string();
        assert!(message.contains("an image of 3 x 4 out of sight"), "{message}");
        let table = Dataset::from_bytes("table", 1, 2, vec![1, 2]).unwrap();
        assert!(check(&table, 1).unwrap_err().to_string().contains("moves images"));
    }
}
