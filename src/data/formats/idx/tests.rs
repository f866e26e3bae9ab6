use proptest::prelude::*;

use super::*;
use crate::data::{Columns, ReadOptions, Values, read_from};
use crate::rows::RowsInMemory;

/// IDX data of these dimensions.
fn idx(code: u8, dimensions: &[u32], elements: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, code, dimensions.len() as u8];
    dimensions.iter().for_each(|dimension| bytes.extend(dimension.to_be_bytes()));
    bytes.extend(elements);
    bytes
}

fn read_bytes(bytes: &[u8]) -> Result<Dataset> {
    read_from("x.idx", bytes, &ReadOptions::default())
}

fn message(bytes: &[u8]) -> String {
    read_bytes(bytes).unwrap_err().to_string()
}

fn columns(names: &[&str]) -> ReadOptions {
    ReadOptions { columns: Columns::Chosen(names.iter().map(|name| name.to_string()).collect()), label: None }
}

#[test]
fn images_of_bytes_stay_bytes_and_keep_their_shape() {
    let elements: Vec<u8> = (0..12).collect();
    let dataset = read_bytes(&idx(8, &[2, 3, 2], &elements)).unwrap();
    assert_eq!((dataset.rows(), dataset.columns(), dataset.image_shape()), (2, 6, Some((3, 2))));
    assert_eq!(dataset.values(), &Values::Bytes(elements));
}

#[test]
fn only_three_dimensions_are_images() {
    let shape = |dimensions: &[u32]| {
        let dataset = read_bytes(&idx(8, dimensions, &[7; 8])).unwrap();
        (dataset.rows(), dataset.columns(), dataset.image_shape())
    };
    assert_eq!(shape(&[8]), (8, 1, None));
    assert_eq!(shape(&[2, 4]), (2, 4, None));
    assert_eq!(shape(&[2, 1, 2, 2]), (2, 4, None));
}

#[test]
fn floats_and_doubles_are_read_as_single_precision() {
    let values = [0.1_f64, -2.5, 3e-46, f64::from(f32::MAX)];
    let singles: Vec<u8> = values.iter().flat_map(|&value| (value as f32).to_be_bytes()).collect();
    let doubles: Vec<u8> = values.iter().flat_map(|value| value.to_be_bytes()).collect();
    let expected = Matrix::from_slice(2, 2, &values.map(|value| value as f32));
    for bytes in [idx(0x0d, &[2, 2], &singles), idx(0x0e, &[2, 2], &doubles)] {
        assert_eq!(read_bytes(&bytes).unwrap().values(), &Values::Floats(expected.clone()));
    }
}

#[test]
fn a_value_that_is_not_finite_is_an_error_that_names_its_byte() {
    let nan = [1.0_f32, f32::NAN].map(f32::to_be_bytes).concat();
    assert_eq!(message(&idx(0x0d, &[2], &nan)), "x.idx: byte 12: NaN is not a finite number");
    let infinite = [1.0, 2.0, f64::NEG_INFINITY].map(f64::to_be_bytes).concat();
    assert_eq!(message(&idx(0x0e, &[3, 1], &infinite)), "x.idx: byte 28: -inf is not a finite number");
    let large = 1e39_f64.to_be_bytes();
    assert_eq!(
        message(&idx(0x0e, &[1], &large)),
        "x.idx: byte 8: 1e39 is beyond the range of single precision (about 3.4e38)"
    );
}

#[test]
fn an_unknown_type_is_an_error_that_names_the_known_ones() {
    assert_eq!(
        message(&idx(0x0b, &[1], &[0, 0])),
        "x.idx: byte 2: unknown IDX type 0x0b; known are 0x08 (unsigned byte), 0x0d (float) and 0x0e (double)"
    );
}

#[test]
fn data_cut_short_is_an_error_wherever_the_cut_is() {
    let whole = idx(8, &[2, 3], &[1, 2, 3, 4, 5, 6]);
    for length in 2..whole.len() {
        let message = message(&whole[..length]);
        let expected = match length {
            ..4 => format!("x.idx: byte {length}: cut short in the IDX header, which has at least 8 bytes"),
            4..12 => format!("x.idx: byte {length}: cut short in the IDX header, which has 12 bytes"),
            _ => format!(
                "x.idx: byte {length}: cut short: the IDX header claims 2 × 3 elements, 6 bytes, but {} are there",
                length - 12
            ),
        };
        assert_eq!(message, expected);
    }
}

#[test]
fn bytes_after_the_last_row_are_an_error() {
    assert_eq!(
        message(&idx(8, &[2, 1], &[1, 2, 3])),
        "x.idx: byte 14: the IDX header claims 2 × 1 elements, 2 bytes, but more follow"
    );
}

#[test]
fn a_header_that_claims_more_than_is_there_allocates_nothing_for_it() {
    let message_of = |dimensions: &[u32]| message(&idx(8, dimensions, &[1, 2, 3]));
    assert_eq!(
        message_of(&[1 << 30, 1 << 10]),
        "x.idx: byte 15: cut short: the IDX header claims 1073741824 × 1024 elements, 1099511627776 bytes, but 3 are \
         there"
    );
    assert!(message_of(&[u32::MAX; 3]).starts_with("x.idx: byte 4: the IDX header claims 4294967295 × "));
    let message = message(&idx(0x0e, &[1 << 31, 1 << 31], &[]));
    assert!(message.ends_with("more than any file holds"), "{message}");
}

#[test]
fn no_dimensions_no_rows_and_no_columns_are_errors() {
    assert_eq!(message(&idx(8, &[], &[])), "x.idx: byte 3: an IDX file of no dimensions; at least one is needed");
    assert_eq!(message(&idx(8, &[0, 3], &[])), "x.idx: byte 4: the IDX header claims no rows: a dimension is 0");
    let columns = "x.idx: byte 12: the IDX header claims no columns: a dimension is 0";
    assert_eq!(message(&idx(8, &[3, 2, 0], &[])), columns);
}

#[test]
fn columns_are_chosen_by_number() {
    let bytes = idx(8, &[2, 1, 3], &[1, 2, 3, 4, 5, 6]);
    let dataset = read_from("x.idx", &bytes[..], &columns(&["3", "1"])).unwrap();
    assert_eq!((dataset.columns(), dataset.image_shape()), (2, None));
    assert_eq!(dataset.values(), &Values::Bytes(vec![3, 1, 6, 4]));
    let message = read_from("x.idx", &bytes[..], &columns(&["4"])).unwrap_err().to_string();
    assert_eq!(message, "x.idx: there is no column 4; they are numbered 1 to 3");
}

#[test]
fn a_label_column_is_an_error() {
    let options = ReadOptions { columns: Columns::All, label: Some("digit".into()) };
    let message = read_from("x.idx", &idx(8, &[1], &[1])[..], &options).unwrap_err().to_string();
    assert_eq!(message, "x.idx: IDX data has no label column `digit`; ask for none (label)");
}

proptest! {
    #[test]
    fn arbitrary_headers_never_panic(
        code in prop::sample::select(vec![8_u8, 13, 14, 0]),
        dimensions in prop::collection::vec(prop_oneof![0_u32..4, any::<u32>()], 0..5),
        elements in prop::collection::vec(any::<u8>(), 0..64),
    ) {
        if let Ok(dataset) = read_bytes(&idx(code, &dimensions, &elements)) {
            let mut row = vec![f32::NAN; dataset.columns()];
            dataset.copy_row(dataset.rows() - 1, &mut row);
            prop_assert!(row.iter().all(|value| value.is_finite()));
        }
    }
}
