use proptest::prelude::*;

use super::*;
use crate::data::{Columns, ReadOptions, Values, read_from};

fn columns(names: &[&str]) -> ReadOptions {
    ReadOptions { columns: Columns::Chosen(names.iter().map(|name| name.to_string()).collect()), label: None }
}

fn label(name: &str) -> ReadOptions {
    ReadOptions { columns: Columns::All, label: Some(name.to_string()) }
}

fn read_with(text: impl AsRef<[u8]>, options: &ReadOptions) -> Result<Dataset> {
    read_from("t.csv", text.as_ref(), options)
}

fn read(text: impl AsRef<[u8]>) -> Dataset {
    read_with(text, &ReadOptions::default()).unwrap()
}

fn message_with(text: impl AsRef<[u8]>, options: &ReadOptions) -> String {
    read_with(text, options).unwrap_err().to_string()
}

fn message(text: impl AsRef<[u8]>) -> String {
    message_with(text, &ReadOptions::default())
}

fn matrix(dataset: &Dataset) -> &Matrix {
    match dataset.values() {
        Values::Floats(matrix) => matrix,
        Values::Bytes(_) => panic!("CSV holds floats"),
    }
}

fn names(dataset: &Dataset) -> Vec<&str> {
    dataset.column_names().unwrap().iter().map(String::as_str).collect()
}

#[test]
fn commas_semicolons_and_tabs_separate_cells() {
    let expected = Matrix::from_rows(&[[1.0, 2.5], [-3e2, 0.04]]);
    for separator in [",", ";", "\t"] {
        let text = "a,b\n1, 2.5\n-3e2 ,4e-2\n".replace(',', separator);
        let dataset = read(text);
        assert_eq!(matrix(&dataset), &expected);
        assert_eq!(names(&dataset), ["a", "b"]);
    }
}

#[test]
fn a_separator_within_quotes_separates_nothing() {
    let dataset = read("\"a;b\",\"c\td\"\n1,2\n");
    assert_eq!(names(&dataset), ["a;b", "c\td"]);
    assert_eq!(names(&read("\"a\n;\",b\n1,2\n")), ["a\n;", "b"]);
}

#[test]
fn the_first_cell_may_be_empty() {
    for separator in [",", ";", "\t"] {
        assert_eq!(names(&read("\n \n,a\n1,2\n".replace(',', separator))), ["", "a"]);
    }
}

#[test]
fn a_first_line_with_a_number_is_data() {
    let dataset = read("1,2\n3,4\n");
    assert_eq!((dataset.rows(), dataset.column_names()), (2, None));
    assert_eq!(
        message("id,2019\n1,2\n"),
        "t.csv: line 1, column 1: `id` is not a number; keep a column of text aside as the label, or choose other \
         columns (label, columns); the first line counts as data, for a header holds names and no number"
    );
    assert!(message("nan,nan\n1,2\n").contains("line 1, column 1: `nan` is not a finite number"));
    assert!(message("1,5;2,5\n").contains("line 1, column 1: `1,5` has a decimal comma; write 1.5"));
    assert!(message(",\n1,2\n").contains("line 1, column 1: the cell is empty"));
}

#[test]
fn a_name_asked_for_makes_the_first_line_a_header_whatever_else_it_holds() {
    let text = "id,2019,2020\n7,1,2\n8,3,4\n";
    let dataset = read_with(text, &columns(&["2020", "id"])).unwrap();
    assert_eq!(names(&dataset), ["2020", "id"]);
    assert_eq!(matrix(&dataset), &Matrix::from_rows(&[[2.0, 7.0], [4.0, 8.0]]));
    let dataset = read_with(text, &label("id")).unwrap();
    assert_eq!(names(&dataset), ["2019", "2020"]);
}

#[test]
fn a_mere_number_makes_no_header() {
    let dataset = read_with("2,1\n3,4\n", &columns(&["2"])).unwrap();
    assert_eq!(matrix(&dataset), &Matrix::from_rows(&[[1.0], [4.0]]));
}

#[test]
fn byte_order_mark_ends_of_lines_and_blank_lines_do_not_matter() {
    let expected = read("a,b\n1,2\n3,4\n");
    for text in [
        "\u{feff}a,b\r\n1,2\r\n3,4\r\n",
        "a,b\r1,2\r3,4",
        "\n  \na,b\n\n1,2\n \t \n\r\n3,4\n\n",
        "\u{feff}\"a\",b\n\"1\",2\n3,4",
    ] {
        assert_eq!(read(text), expected, "{text:?}");
    }
}

#[test]
fn columns_come_in_the_order_asked_for_by_name_or_by_number() {
    let dataset = read_with("a,b,c\n1,2,x\n4,5,y\n", &columns(&[" b", "1"])).unwrap();
    assert_eq!(names(&dataset), ["b", "a"]);
    assert_eq!(matrix(&dataset), &Matrix::from_rows(&[[2.0, 1.0], [5.0, 4.0]]));
}

#[test]
fn a_label_is_kept_aside_as_text() {
    let text = "kind,a\n\" red, \"\"dark\"\" \",1\n7,2\n";
    let dataset = read_with(text, &label("kind")).unwrap();
    assert_eq!(names(&dataset), ["a"]);
    let labels = dataset.labels().unwrap();
    assert_eq!(labels.name.as_deref(), Some("kind"));
    assert_eq!(labels.values, ["red, \"dark\"", "7"]);

    let dataset = read_with("1,x\n2,y\n", &label("2")).unwrap();
    assert_eq!(dataset.labels(), Some(&Labels { name: None, values: vec!["x".into(), "y".into()] }));
}

#[test]
fn a_ragged_row_is_an_error_that_names_its_line() {
    assert_eq!(message("a,b\n1,2\n3\n"), "t.csv: line 3: number of cells: 1 found, 2 expected as in the first line");
    assert_eq!(message("1,2\n3,4,5\n"), "t.csv: line 2: number of cells: 3 found, 2 expected as in the first line");
}

#[test]
fn a_cell_that_is_no_finite_number_is_an_error_that_names_line_and_column() {
    for (cell, problem) in [
        ("", "the cell is empty; a number is needed"),
        ("  ", "the cell is empty; a number is needed"),
        (
            "x",
            "`x` is not a number; keep a column of text aside as the label, or choose other columns (label, columns)",
        ),
        ("NaN", "`NaN` is not a finite number"),
        ("-inf", "`-inf` is not a finite number"),
        ("1e39", "`1e39` is beyond the range of single precision (about 3.4e38)"),
        ("\"1,5\"", "`1,5` has a decimal comma; write 1.5"),
        ("1 2", "`1 2` is several numbers; separate cells by commas, semicolons or tabs"),
    ] {
        assert_eq!(message(format!("a,b\n1,2\n3,{cell}\n")), format!("t.csv: line 3, column `b` (2): {problem}"));
        assert!(message(format!("1,2\n3,{cell}\n")).starts_with(&format!("t.csv: line 2, column 2: {problem}")));
    }
}

#[test]
fn a_long_cell_is_shown_by_its_beginning() {
    let message = message(format!("a\n{}\n", "é\u{1}".repeat(1000)));
    assert!(message.contains(&format!("`{}…`", "é\\u{1}".repeat(20))), "{message}");
}

#[test]
fn a_line_is_counted_as_an_editor_counts_it() {
    for end in ["\n", "\r\n", "\r"] {
        let text = "\nname,a\n\n\"x\ny\",1\n   \n\"z\",2\n\n\"u\n\nv\",oops\n".replace('\n', end);
        let message = message_with(text, &label("name"));
        assert!(message.starts_with("t.csv: line 9, column `a` (2): `oops`"), "{message}");
    }
    assert!(message("a\n1\noops").starts_with("t.csv: line 3, "), "without a last newline");
}

#[test]
fn a_quotation_mark_that_is_never_closed_is_an_error_at_its_line() {
    assert_eq!(
        message("a,b\n1,2\n\n3,\"4\n5,6\n"),
        "t.csv: line 4: a cell begins with a quotation mark that is never closed"
    );
    assert!(read("a,b\n1,\"2\"").rows() == 1);
}

#[test]
fn text_that_is_not_utf8_is_an_error() {
    assert_eq!(message(b"a,b\n1,2\n3,\xff\n"), "t.csv: line 3, column `b` (2): not UTF-8 text (nor IDX or gzip data)");
    assert_eq!(message(b"a,\xe9\n1,2\n"), "t.csv: line 1, column 2: not UTF-8 text (nor IDX or gzip data)");
    assert_eq!(message(b"\x89PNG\r\n\x1a\n"), "t.csv: line 1, column 1: not UTF-8 text (nor IDX or gzip data)");
}

#[test]
fn a_table_without_rows_is_an_error() {
    assert_eq!(message("\n \n"), "t.csv: holds no rows");
    assert_eq!(message("\u{feff}"), "t.csv: holds no rows");
    assert_eq!(message("a,b\n\n"), "t.csv: holds a header but no rows");
}

#[test]
fn a_column_that_is_not_there_is_an_error_that_lists_those_that_are() {
    assert_eq!(
        message_with("a,b\n1,2\n", &columns(&["a", "c"])),
        "t.csv: there is no column `c`; its columns are `a`, `b`"
    );
    assert_eq!(message_with("a,b\n1,2\n", &label("c")), "t.csv: there is no column `c`; its columns are `a`, `b`");
    assert_eq!(
        message_with("1,2\n", &columns(&["c"])),
        "t.csv: there is no column `c`; it has no header, and its columns are numbered 1 to 2"
    );
    for number in ["0", "3", "18446744073709551615"] {
        assert_eq!(
            message_with("a,b\n1,2\n", &columns(&[number])),
            format!("t.csv: there is no column {number}; they are numbered 1 to 2")
        );
    }
    let header: Vec<String> = (0..100).map(|index| format!("c{index}")).collect();
    let message = message_with(format!("{}\n", header.join(",")), &columns(&["d"]));
    assert!(message.ends_with("`c10`, `c11` and 88 more"), "{message}");
}

#[test]
fn columns_that_contradict_each_other_are_an_error() {
    let text = "a,b,a\n1,2,3\n";
    for (columns, label, expected) in [
        (Some(vec!["b", "2"]), None, "column `b` (2) is asked for twice"),
        (Some(vec!["b"]), Some("2"), "column `b` (2) cannot be both the label and a feature"),
        (Some(vec![]), None, "no column is left to learn from"),
        (Some(vec!["a"]), None, "columns 1 and 3 are both named `a`; choose one by its number"),
        (None, None, "columns 1 and 3 are both named `a`; rename one, or choose columns without one of them (columns)"),
    ] {
        let chosen = |columns: Vec<&str>| Columns::Chosen(columns.into_iter().map(str::to_owned).collect());
        let options = ReadOptions { columns: columns.map_or(Columns::All, chosen), label: label.map(str::to_owned) };
        assert_eq!(message_with(text, &options), format!("t.csv: {expected}"));
    }
    assert_eq!(message_with("a\n1\n", &label("a")), "t.csv: no column is left to learn from");
    assert_eq!(names(&read_with(text, &columns(&["3", "b"])).unwrap()), ["a", "b"]);
}

proptest! {
    #[test]
    fn arbitrary_text_never_panics(text in "[-a1.,;\t\r\n\" \u{feff}é]{0,40}", name in "[a1é]?", by_name: bool) {
        let options = if by_name { label(&name) } else { ReadOptions::default() };
        let _ = read_with(text, &options);
    }
}

#[test]
fn named_columns_are_found_by_name_and_text_beside_them_is_no_matter() {
    let named = |names: &[&str]| ReadOptions {
        columns: Columns::Named(names.iter().map(|name| name.to_string()).collect()),
        label: None,
    };
    let text = "a,kind,b\n1,x,2\n3,y,4\n";
    let dataset = read_from("table", text.as_bytes(), &named(&["b", "a"])).unwrap();
    assert_eq!(dataset.values(), &Values::Floats(Matrix::from_rows(&[[2.0, 1.0], [4.0, 3.0]])));
    let message = |names: &[&str]| read_from("table", text.as_bytes(), &named(names)).unwrap_err().to_string();
    assert_eq!(message(&["a", "3"]), "table: there is no column `3`; its columns are `a`, `kind`, `b`");
    assert_eq!(message(&["a", "a"]), "table: column `a` (1) is asked for twice");
    let dataset = read_from("table", &b"1,2\n3,4\n"[..], &named(&["b", "a"])).unwrap();
    assert_eq!(dataset.values(), &Values::Floats(Matrix::from_rows(&[[1.0, 2.0], [3.0, 4.0]])));
}

#[test]
fn a_first_line_that_holds_all_names_that_a_model_knows_is_a_header_and_one_of_numbers_alone_a_row() {
    assert_eq!(read("0,1,2\n1.5,2.5,3.5\n").rows(), 2);
    let known = |names: &[&str]| ReadOptions {
        columns: Columns::Named(names.iter().map(|name| name.to_string()).collect()),
        label: None,
    };
    let text = "id,2019,2020\nx,1,2\n";
    assert_eq!(names(&read_with(text, &known(&["2019", "2020"])).unwrap()), ["2019", "2020"]);
}
