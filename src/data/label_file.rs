//! Labels in a file of their own.

use std::io::Read;

use crate::data::dataset::{Dataset, Values};
use crate::data::formats::{self, Content};
use crate::data::input::{Input, read_error};
use crate::data::labels::Labels;
use crate::data::options::ReadOptions;
use crate::error::{Error, Place, Result};

/// Reads a label for each of `rows` rows from a file: one number a row, such as MNIST's IDX files of one dimension, or one
/// label a line of text; plain or gzipped. In text, one more line than there are rows is a header above them.
///
/// # Errors
/// When the file cannot be read, or does not hold a label for each row.
pub fn read_labels(source: &str, rows: usize) -> Result<Labels> {
    let input = formats::unpack(Input::open(source)?)?;
    let labels = match formats::recognise(&input).map(|format| &format.content) {
        Some(Content::Numbers(_)) => from_numbers(&formats::read(input, &ReadOptions::default(), None)?),
        _ => from_text(input, rows),
    }?;
    match labels.values.len() {
        count if count == rows => Ok(labels),
        count => Err(Error::Mismatch(format!("{source}: {count} labels, but the data has {rows} rows"))),
    }
}

fn from_numbers(dataset: &Dataset) -> Result<Labels> {
    if dataset.columns() != 1 {
        let problem = format!("a file of labels has one number a row, but this one has {}", dataset.columns());
        return Err(Place::named(dataset.source()).error(problem));
    }
    let values = match dataset.values() {
        Values::Bytes(bytes) => bytes.iter().map(u8::to_string).collect(),
        Values::Floats(matrix) => matrix.as_slice().iter().map(f32::to_string).collect(),
    };
    Ok(Labels { name: None, values })
}

fn from_text(input: Input<'_>, rows: usize) -> Result<Labels> {
    // Far longer than any label, so that little is read of a file that holds something else.
    const LONGEST: u64 = 1 << 10;
    let source = input.name().to_owned();
    let mut text = String::new();
    let most = (rows as u64 + 1).saturating_mul(LONGEST);
    input.take(most).read_to_string(&mut text).map_err(|error| read_error(&source, error))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let mut reader = ::csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    let mut values = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| Place::named(&source).error(error.to_string()))?;
        let line = record.position().map_or(0, ::csv::Position::line);
        match (record.len(), record.get(0)) {
            (1, Some(label)) => values.push(label.trim().to_string()),
            (cells, _) => {
                let problem = format!("a file of labels has one a line, but this one has {cells}");
                return Err(Place::named(&source).at_line(line).error(problem));
            }
        }
    }
    let name = (values.len() == rows + 1).then(|| values.remove(0));
    Ok(Labels { name, values })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8], rows: usize) -> Result<Labels> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        read_labels(file.path().to_str().unwrap(), rows)
    }

    fn labels(name: Option<&str>, values: &[&str]) -> Labels {
        Labels { name: name.map(str::to_string), values: values.iter().map(|value| value.to_string()).collect() }
    }

    #[test]
    fn labels_come_from_idx_and_from_lines_with_a_header_or_none() {
        assert_eq!(read(&[0, 0, 8, 1, 0, 0, 0, 2, 7, 0], 2).unwrap(), labels(None, &["7", "0"]));
        assert_eq!(read(b"cat\n\"dog, small\"\n", 2).unwrap(), labels(None, &["cat", "dog, small"]));
        assert_eq!(
            read("\u{feff}animal\r\ncat\r\ndog".as_bytes(), 2).unwrap(),
            labels(Some("animal"), &["cat", "dog"])
        );
    }

    #[test]
    fn what_holds_no_label_for_each_row_is_an_error_that_says_so() {
        for (bytes, expected) in [
            (&b"cat\n"[..], "1 labels, but the data has 3 rows"),
            (b"a\nb\nc\nd\ne\n", "5 labels, but the data has 3 rows"),
            (b"a,b\n", "line 1: a file of labels has one a line, but this one has 2"),
            (&[0, 0, 8, 2, 0, 0, 0, 1, 0, 0, 0, 2, 1, 2], "has one number a row, but this one has 2"),
            (&[0, 0, 8, 1, 0, 0, 0, 2, 7], "cut short"),
            (&[0xff, 0xfe, 0x31], "cannot read"),
            (b"", "0 labels"),
        ] {
            let message = read(bytes, 3).unwrap_err().to_string();
            assert!(message.contains(expected), "{message}");
        }
    }
}
