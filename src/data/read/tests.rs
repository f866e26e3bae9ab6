use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;

use super::*;
use crate::data::FORMATS;
use crate::rows::Rows;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn read_bytes(bytes: &[u8]) -> Result<Dataset> {
    read_from("input", bytes, &ReadOptions::default())
}

fn message(bytes: &[u8]) -> String {
    read_bytes(bytes).unwrap_err().to_string()
}

const CSV: &[u8] = b"a,b\n1,2\n3,4\n";
const IDX: &[u8] = &[0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6];

#[test]
fn the_content_tells_the_format() {
    for bytes in [CSV, IDX] {
        let plain = read_bytes(bytes).unwrap();
        assert_eq!(plain.rows(), 2);
        assert_eq!(read_bytes(&gzip(bytes)).unwrap(), plain);
    }
}

#[test]
fn gzip_members_are_read_one_after_another() {
    let (first, second) = CSV.split_at(7);
    let members = [gzip(first), gzip(second)].concat();
    assert_eq!(read_bytes(&members).unwrap(), read_bytes(CSV).unwrap());
}

#[test]
fn gzip_data_cut_short_anywhere_is_an_error_that_says_so() {
    for bytes in [CSV, IDX] {
        let whole = gzip(bytes);
        for length in 2..whole.len() {
            assert_eq!(message(&whole[..length]), "input: the gzip data is cut short", "at {length}");
        }
    }
}

#[test]
fn damaged_gzip_data_is_an_error_that_says_so() {
    let mut bytes = gzip(CSV);
    let checksum = bytes.len() - 8;
    bytes[checksum] ^= 1;
    let message = message(&bytes);
    assert!(message.starts_with("input: the gzip data is damaged: "), "{message}");
}

#[test]
fn gzip_within_gzip_is_an_error() {
    assert_eq!(message(&gzip(&gzip(CSV))), "input: gzip data within gzip data; unpack it once");
}

#[test]
fn empty_input_is_an_error() {
    assert_eq!(message(b""), "input: is empty");
    assert_eq!(message(&gzip(b"")), "input: is empty");
}

#[test]
fn a_wrong_magic_number_is_an_error_that_shows_it() {
    let message = message(&[1, 0, 8, 2, 0, 0, 0, 2]);
    assert_eq!(
        message,
        "input: byte 0: [01, 00, 08, 02] begins a file of no known format; known are IDX (two zero bytes at its start), \
         gzip (its magic number, 1f 8b), CSV (UTF-8 text: anything else without a zero byte among its first four)"
    );
}

#[test]
fn trouble_with_the_input_itself_is_an_io_error() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::new(io::ErrorKind::ConnectionReset, "unplugged"))
        }
    }
    for begin in [&b""[..], b"1,2\n", &IDX[..13], &gzip(CSV)[..12]] {
        match read_from("input", begin.chain(Broken), &ReadOptions::default()) {
            Err(error @ Error::Io { .. }) => assert_eq!(error.to_string(), "input: cannot read: unplugged"),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_missing_file_is_an_io_error_that_names_the_built_in_sets() {
    match read("absent.csv", &ReadOptions::default()) {
        Err(error @ Error::Io { .. }) => assert_eq!(
            error.to_string(),
            "absent.csv: cannot read: no such file, nor a built-in data set (iris, digits)"
        ),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_folder_is_an_io_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    match read(path, &ReadOptions::default()) {
        Err(Error::Io { path: named, .. }) => assert_eq!(named, folder.path()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_file_is_read_whatever_its_ending() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("iris.txt");
    std::fs::write(&path, gzip(CSV)).unwrap();
    let dataset = read(path.to_str().unwrap(), &ReadOptions::default()).unwrap();
    assert_eq!((dataset.rows(), dataset.columns()), (2, 2));
    assert_eq!(dataset.source(), path.to_str().unwrap());
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), packed: bool) {
        let bytes = if packed { gzip(&bytes) } else { bytes };
        let _ = read_bytes(&bytes);
    }
}

#[test]
fn cells_of_a_csv_file_are_missing_only_where_that_is_asked_for() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "a,b,c\n1,,3\n NA ,nan,-0.5\n7,8,9\n").unwrap();
    let path = file.path().to_str().unwrap();
    let (dataset, missing) = read_incomplete(path, &ReadOptions::default()).unwrap();
    assert_eq!(
        (missing.row(0), missing.row(1), missing.count()),
        (&[false, true, false][..], &[true, true, false][..], 3)
    );
    assert_eq!(dataset.as_matrix().unwrap().row(1), [0.0, 0.0, -0.5]);
    let message = read(path, &ReadOptions::default()).unwrap_err().to_string();
    assert!(message.contains("line 2, column `b` (2): the cell is empty"), "{message}");
    for text in ["1,x\n", "1,inf\n", "1,-NaN\n", "1,1e99\n"] {
        std::fs::write(file.path(), text).unwrap();
        assert!(read_incomplete(path, &ReadOptions::default()).is_err(), "{text}");
    }
    let (digits, none) = read_incomplete("digits", &ReadOptions::default()).unwrap();
    assert_eq!((none.rows(), none.columns(), none.count()), (digits.rows(), 64, 0));
}

/// A row of a table in Markdown: its cells, trimmed.
fn cells(line: &str) -> Vec<&str> {
    line.trim_start_matches("//!").trim().trim_matches('|').split('|').map(str::trim).collect()
}

#[test]
fn the_documentation_lists_the_formats_as_their_table_has_them() {
    let documented: Vec<Vec<&str>> =
        include_str!("../mod.rs").lines().filter(|line| line.starts_with("//! | ")).skip(1).map(cells).collect();
    let table: Vec<Vec<&str>> =
        FORMATS.iter().map(|format| vec![format.name, format.recognised_by, format.holds]).collect();
    assert_eq!(documented, table);
    assert_eq!(sources(), "CSV or IDX file, plain or gzipped, or a built-in set: iris, digits");
}
