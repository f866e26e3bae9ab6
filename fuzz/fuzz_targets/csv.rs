//! Reading any text as a table never panics, and what it gives reads back the same after it was written.
#![no_main]

use diabolo::data::{Columns, Dataset, ReadOptions, Values, read_from, write_csv};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&[u8], Option<&str>)| {
    let (text, label) = input;
    let options = ReadOptions { columns: Columns::All, label: label.map(str::to_owned) };
    let Ok(dataset) = read_from("input", text, &options) else { return };
    let Values::Floats(rows) = dataset.values() else { return };
    let mut written = Vec::new();
    write_csv(&mut written, dataset.column_names(), rows, dataset.labels()).expect("a vector takes any bytes");
    let label = dataset.labels().map(|_| (dataset.columns() + 1).to_string());
    let again = read_from("written", &written[..], &ReadOptions { columns: Columns::All, label });
    // A header is read back as such only by a name asked for, where other names in it are numbers.
    if dataset.column_names().is_none() {
        assert_eq!(numbers(&again.expect("what was written reads back")), numbers(&dataset));
    }
});

fn numbers(dataset: &Dataset) -> Vec<u32> {
    match dataset.values() {
        Values::Floats(matrix) => matrix.as_slice().iter().map(|value| value.to_bits()).collect(),
        Values::Bytes(bytes) => bytes.iter().map(|&byte| byte.into()).collect(),
    }
}
