//! Reading any bytes as IDX data never panics, and what is read is what its own shape says.
#![no_main]

use diabolo::data::{ReadOptions, read_from};
use diabolo::rows::RowsInMemory;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|rest: &[u8]| {
    let input = [&[0, 0], rest].concat();
    let Ok(dataset) = read_from("input", &input[..], &ReadOptions::default()) else { return };
    assert!(dataset.rows() * dataset.columns() <= input.len());
    let mut row = vec![f32::NAN; dataset.columns()];
    for index in 0..dataset.rows() {
        dataset.copy_row(index, &mut row);
        assert!(row.iter().all(|value| value.is_finite()));
    }
    if let Some((height, width)) = dataset.image_shape() {
        assert_eq!(height * width, dataset.columns());
    }
});
