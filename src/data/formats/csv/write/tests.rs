use proptest::prelude::*;

use super::*;
use crate::data::{Columns, ReadOptions, Values, read_from};

fn written(header: Option<&[&str]>, rows: &Matrix, labels: Option<&Labels>) -> String {
    let header: Option<Vec<String>> = header.map(|names| names.iter().map(|name| name.to_string()).collect());
    let mut out = Vec::new();
    write_csv(&mut out, header.as_deref(), rows, labels).unwrap();
    String::from_utf8(out).unwrap()
}

fn labels(name: Option<&str>, values: &[&str]) -> Labels {
    Labels { name: name.map(str::to_owned), values: values.iter().map(|value| value.to_string()).collect() }
}

#[test]
fn numbers_take_their_shortest_form() {
    let rows = Matrix::from_rows(&[[0.0, -0.0, 1.0, 0.1, 1e16, 1.5e-7, f32::MAX, f32::from_bits(1)]]);
    assert_eq!(written(None, &rows, None), "0,-0,1,0.1,1e16,1.5e-7,3.4028235e38,1e-45\n");
}

#[test]
fn names_and_labels_are_quoted_where_they_must_be() {
    let rows = Matrix::from_rows(&[[1.0], [2.0]]);
    let kinds = labels(Some("kind"), &["plain", "with \"quotes\"\nand lines"]);
    assert_eq!(
        written(Some(&["a,b"]), &rows, Some(&kinds)),
        "\"a,b\",kind\n1,plain\n2,\"with \"\"quotes\"\"\nand lines\"\n"
    );
}

#[test]
fn other_separators_in_a_text_are_quoted() {
    let rows = Matrix::from_rows(&[[1.0, 2.5]]);
    assert_eq!(written(None, &rows, Some(&labels(None, &["a;b"]))), "1,2.5,\"a;b\"\n");
    assert_eq!(written(Some(&["a\tb", "c"]), &rows, None), "\"a\tb\",\"c\"\n1,2.5\n");
}

#[test]
fn labels_without_a_name_get_one_beside_a_header_only() {
    let rows = Matrix::from_rows(&[[1.0]]);
    let kinds = labels(None, &["x"]);
    assert_eq!(written(Some(&["a"]), &rows, Some(&kinds)), "a,label\n1,x\n");
    assert_eq!(written(None, &rows, Some(&kinds)), "1,x\n");
}

#[test]
fn a_refusal_to_write_is_reported_as_it_was() {
    struct Full;
    impl io::Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let error = write_csv(Full, None, &Matrix::zeros(10_000, 1), None).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::StorageFull);
}

fn finite() -> impl Strategy<Value = f32> {
    any::<u32>().prop_map(f32::from_bits).prop_filter("finite", |value| value.is_finite())
}

proptest! {
    #[test]
    fn what_is_written_reads_back_to_the_bit(
        (columns, values, texts) in (1_usize..5, 1_usize..6).prop_flat_map(|(columns, rows)| {
            let texts = prop::collection::vec("[ -~é\n\t]{0,8}".prop_map(|text| text.trim().to_owned()), rows);
            (Just(columns), prop::collection::vec(finite(), columns * rows), texts)
        }),
        named: bool,
    ) {
        let rows = Matrix::from_slice(values.len() / columns, columns, &values);
        let header: Vec<String> = (0..columns).map(|column| format!("c;\"{column}")).collect();
        let labels = Labels { name: named.then(|| "kind".to_owned()), values: texts };
        let mut out = Vec::new();
        write_csv(&mut out, named.then_some(&header[..]), &rows, Some(&labels)).unwrap();

        let options = ReadOptions { columns: Columns::All, label: Some((columns + 1).to_string()) };
        let read = read_from("written", &out[..], &options).unwrap();
        let Values::Floats(read_rows) = read.values() else { panic!("CSV holds floats") };
        prop_assert_eq!((read.rows(), read.columns()), (rows.rows(), columns));
        for (read, written) in read_rows.as_slice().iter().zip(&values) {
            prop_assert_eq!(read.to_bits(), written.to_bits());
        }
        prop_assert_eq!(read.column_names(), named.then_some(&header[..]));
        prop_assert_eq!(read.labels(), Some(&labels));
    }
}
