//! A data set: a table of rows with names, labels and source.

use crate::data::columns;
use crate::data::labels::Labels;
use crate::data::messages::not_finite;
use crate::data::options::{ReadOptions, RowChoice};
use crate::error::{Error, Place, Result};
use crate::kernels::{Isa, bytes_to_floats, prefetch};
use crate::matrix::Matrix;
use crate::rows::{Rows, RowsInMemory, each_row};

/// The elements of a [`Dataset`], row after row, in the type of its file.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// Unsigned bytes, rows × columns of them.
    Bytes(Vec<u8>),
    /// Finite single-precision numbers.
    Floats(Matrix),
}

/// Rows × columns of finite numbers in the units of their source, with column names and labels where the source has them.
///
/// It has at least one row and one column. As [`Rows`] its values are unscaled; see
/// [`Scaling`](crate::data::Scaling) for the units that a network sees.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    source: String,
    rows: usize,
    columns: usize,
    values: Values,
    column_names: Option<Vec<String>>,
    labels: Option<Labels>,
    image_shape: Option<(usize, usize)>,
    read_options: ReadOptions,
    row_choice: RowChoice,
}

impl Dataset {
    /// A data set from a matrix, with or without column names. `source` names it in messages.
    ///
    /// ```
    /// use diabolo::{Matrix, data::Dataset};
    /// let matrix = Matrix::from_rows(&[[170.0, 65.0], [180.0, 81.0]]);
    /// let names = vec!["height".to_string(), "weight".to_string()];
    /// let dataset = Dataset::from_matrix("people", matrix, Some(names))?;
    /// assert_eq!((dataset.rows(), dataset.columns()), (2, 2));
    /// # Ok::<(), diabolo::Error>(())
    /// ```
    ///
    /// # Errors
    /// When there is no row or no column, a value is NaN or infinite, or the names are not one a column, each once.
    pub fn from_matrix(source: &str, matrix: Matrix, column_names: Option<Vec<String>>) -> Result<Self> {
        if let Some(index) = matrix.as_slice().iter().position(|value| !value.is_finite()) {
            let (row, column) = (index / matrix.columns() + 1, index % matrix.columns() + 1);
            let problem = not_finite(matrix.as_slice()[index]);
            return Err(Place::named(source).error(format!("row {row}, column {column}: {problem}")));
        }
        if let Some(names) = &column_names {
            if names.len() != matrix.columns() {
                let (names, columns) = (names.len(), matrix.columns());
                return Err(Error::Mismatch(format!("{source}: {names} names for {columns} columns")));
            }
            columns::reject_repeated_names(source, names, 0..names.len())?;
        }
        let (rows, columns) = (matrix.rows(), matrix.columns());
        Ok(Self { column_names, ..Self::new(source, rows, columns, Values::Floats(matrix))? })
    }

    /// A data set from unsigned bytes, row after row, such as the pixels of images.
    ///
    /// # Errors
    /// When there is no row or no column, or not exactly `rows * columns` bytes.
    pub fn from_bytes(source: &str, rows: usize, columns: usize, bytes: Vec<u8>) -> Result<Self> {
        if rows.checked_mul(columns) != Some(bytes.len()) {
            let length = bytes.len();
            return Err(Error::Mismatch(format!("{source}: {length} bytes for {rows} rows of {columns} columns")));
        }
        Self::new(source, rows, columns, Values::Bytes(bytes))
    }

    fn new(source: &str, rows: usize, columns: usize, values: Values) -> Result<Self> {
        if rows == 0 || columns == 0 {
            return Err(Place::named(source)
                .error(format!("it holds {rows} rows of {columns} columns; at least one of each is needed")));
        }
        let source = source.to_owned();
        Ok(Self {
            source,
            rows,
            columns,
            values,
            column_names: None,
            labels: None,
            image_shape: None,
            read_options: ReadOptions::default(),
            row_choice: RowChoice::All,
        })
    }

    /// The same data set with a label for each row.
    ///
    /// # Errors
    /// When the number of labels is not that of the rows.
    pub fn with_labels(self, labels: Labels) -> Result<Self> {
        if labels.values.len() != self.rows {
            let (source, labels, rows) = (&self.source, labels.values.len(), self.rows);
            return Err(Error::Mismatch(format!("{source}: {labels} labels for {rows} rows")));
        }
        Ok(Self { labels: Some(labels), ..self })
    }

    /// The same data set, with each row as an image of height × width pixels.
    ///
    /// # Errors
    /// When height × width is not the number of columns.
    pub fn with_image_shape(self, height: usize, width: usize) -> Result<Self> {
        if height.checked_mul(width) != Some(self.columns) {
            let (source, columns) = (&self.source, self.columns);
            return Err(Error::Mismatch(format!("{source}: {columns} columns are no image of {height} x {width}")));
        }
        Ok(Self { image_shape: Some((height, width)), ..self })
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The number of columns, the label not counted.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// The path or the name from which it was read.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The elements.
    pub fn values(&self) -> &Values {
        &self.values
    }

    /// The names of the columns, where the source gave them. No two are the same.
    pub fn column_names(&self) -> Option<&[String]> {
        self.column_names.as_deref()
    }

    /// The labels, where there are some.
    pub fn labels(&self) -> Option<&Labels> {
        self.labels.as_ref()
    }

    /// Height and width in pixels, where each row is an image: height × width columns.
    pub fn image_shape(&self) -> Option<(usize, usize)> {
        self.image_shape
    }

    /// The options with which it was read; the default where it was not read.
    pub fn read_options(&self) -> &ReadOptions {
        &self.read_options
    }

    /// The same data set, as read with these options.
    pub(super) fn read_with(self, read_options: ReadOptions) -> Self {
        Self { read_options, ..self }
    }

    /// The choice of its source's rows.
    pub fn row_choice(&self) -> &RowChoice {
        &self.row_choice
    }

    /// The same data set, with this choice of its rows recorded.
    pub(super) fn chosen_by(self, row_choice: RowChoice) -> Self {
        Self { row_choice, ..self }
    }

    /// The columns with these indices, in this order.
    ///
    /// # Errors
    /// When there are none.
    ///
    /// # Panics
    /// When there is no such column.
    pub(super) fn keep(self, indices: &[usize]) -> Result<Self> {
        if indices.iter().copied().eq(0..self.columns) {
            return Ok(self);
        }
        let values = match &self.values {
            Values::Bytes(bytes) => {
                let pick = |row: &[u8]| indices.iter().map(|&index| row[index]).collect::<Vec<_>>();
                Values::Bytes(bytes.chunks_exact(self.columns).flat_map(pick).collect())
            }
            Values::Floats(matrix) => {
                let mut kept = Matrix::zeros(self.rows, indices.len());
                for row in 0..self.rows {
                    for (out, &index) in kept.row_mut(row).iter_mut().zip(indices) {
                        *out = matrix.row(row)[index];
                    }
                }
                Values::Floats(kept)
            }
        };
        let pick = |names: &Vec<String>| indices.iter().map(|&index| names[index].clone()).collect();
        let column_names = self.column_names.as_ref().map(pick);
        let labels = self.labels;
        Ok(Self { column_names, labels, ..Self::new(&self.source, self.rows, indices.len(), values)? })
    }

    /// The rows with these indices, in this order, with their labels and all other properties.
    ///
    /// # Errors
    /// When there are none.
    ///
    /// # Panics
    /// When there is no such row.
    pub fn select(&self, indices: &[usize]) -> Result<Self> {
        let values = match &self.values {
            Values::Bytes(bytes) => Values::Bytes(
                indices.iter().flat_map(|&index| &bytes[index * self.columns..][..self.columns]).copied().collect(),
            ),
            Values::Floats(matrix) => Values::Floats(matrix.select_rows(indices)),
        };
        let labels = self.labels.as_ref().map(|labels| Labels {
            name: labels.name.clone(),
            values: indices.iter().map(|&index| labels.values[index].clone()).collect(),
        });
        Ok(Self {
            column_names: self.column_names.clone(),
            labels,
            image_shape: self.image_shape,
            read_options: self.read_options.clone(),
            row_choice: self.row_choice.clone(),
            ..Self::new(&self.source, indices.len(), self.columns, values)?
        })
    }

    /// Copies the rows of `indices`: bytes divided by `bytes_by`, floats unchanged.
    ///
    /// # Panics
    /// When there is no row of an index, or `out` does not have one row for each.
    pub(super) fn copy_rows_divided(&self, isa: Isa, indices: &[usize], bytes_by: f32, out: &mut [f32]) {
        match &self.values {
            Values::Bytes(bytes) => each_row(indices, self.columns, out, |index, out| {
                bytes_to_floats(isa, &bytes[index * self.columns..][..self.columns], bytes_by, out);
            }),
            Values::Floats(matrix) => matrix.copy_rows(indices, out),
        }
    }
}

impl Rows for Dataset {
    fn rows(&self) -> usize {
        self.rows
    }

    fn columns(&self) -> usize {
        self.columns
    }

    fn gather(&self, indices: &[usize], out: &mut [f32]) -> Result<()> {
        self.copy_rows(indices, out);
        Ok(())
    }

    fn prefetch(&self, row: usize) {
        match &self.values {
            Values::Bytes(bytes) => prefetch(&bytes[row * self.columns..][..self.columns]),
            Values::Floats(matrix) => matrix.prefetch(row),
        }
    }

    fn as_matrix(&self) -> Option<&Matrix> {
        match &self.values {
            Values::Bytes(_) => None,
            Values::Floats(matrix) => Some(matrix),
        }
    }

    fn image_shape(&self) -> Option<(usize, usize)> {
        self.image_shape
    }
}

impl RowsInMemory for Dataset {
    fn copy_row(&self, index: usize, out: &mut [f32]) {
        self.copy_rows(&[index], out);
    }

    fn copy_rows(&self, indices: &[usize], out: &mut [f32]) {
        // A byte is the same float on every instruction set.
        self.copy_rows_divided(Isa::best(), indices, 1.0, out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strings(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| name.to_string()).collect()
    }

    fn people() -> Dataset {
        let matrix = Matrix::from_rows(&[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
        let labels = Labels { name: None, values: strings(&["x", "y"]) };
        Dataset::from_matrix("people", matrix, Some(strings(&["a", "b", "c"]))).unwrap().with_labels(labels).unwrap()
    }

    #[test]
    fn columns_are_kept_in_the_order_asked_for_and_labels_stay() {
        let selected = people().keep(&[2, 0]).unwrap();
        assert_eq!(selected.column_names().unwrap(), ["c", "a"]);
        assert_eq!(selected.values(), &Values::Floats(Matrix::from_rows(&[[3.0, 1.0], [6.0, 4.0]])));
        assert_eq!(selected.labels(), people().labels());
    }

    #[test]
    fn selected_rows_keep_their_labels_and_all_else() {
        let people = people().with_image_shape(3, 1).unwrap();
        let selected = people.select(&[1, 1, 0]).unwrap();
        assert_eq!(
            selected.values(),
            &Values::Floats(Matrix::from_rows(&[[4.0, 5.0, 6.0], [4.0, 5.0, 6.0], [1.0, 2.0, 3.0]]))
        );
        assert_eq!(selected.labels().unwrap().values, ["y", "y", "x"]);
        assert_eq!(people.select(&[0, 1]).unwrap(), people);
        let bytes = Dataset::from_bytes("bytes", 2, 2, vec![1, 2, 3, 4]).unwrap();
        assert_eq!(bytes.select(&[1]).unwrap().values(), &Values::Bytes(vec![3, 4]));
        assert!(people.select(&[]).is_err());
    }

    #[test]
    fn all_columns_kept_in_their_order_are_the_same_data_set() {
        let images = people().with_image_shape(1, 3).unwrap();
        assert_eq!(images.clone().keep(&[0, 1, 2]).unwrap(), images);
    }

    #[test]
    fn as_rows_it_gives_its_values_unscaled() {
        let bytes = Dataset::from_bytes("bytes", 2, 2, vec![1, 2, 3, 255]).unwrap();
        let mut row = [f32::NAN; 2];
        bytes.copy_row(1, &mut row);
        assert_eq!(row, [3.0, 255.0]);
    }

    #[test]
    fn parts_that_do_not_fit_together_are_errors() {
        let matrix = || Matrix::from_rows(&[[1.0, 2.0]]);
        for (dataset, expected) in [
            (Dataset::from_matrix("m", matrix(), Some(strings(&["a"]))), "m: 1 names for 2 columns"),
            (
                Dataset::from_matrix("m", matrix(), Some(strings(&["a", "a"]))),
                "m: columns 1 and 2 are both named `a`; rename one, or choose columns without one of them (columns)",
            ),
            (
                Dataset::from_matrix("m", Matrix::from_rows(&[[1.0, 2.0], [3.0, f32::NAN]]), None),
                "m: row 2, column 2: NaN is not a finite number",
            ),
            (
                Dataset::from_matrix("m", Matrix::zeros(0, 3), None),
                "m: it holds 0 rows of 3 columns; at least one of each is needed",
            ),
            (Dataset::from_bytes("m", 2, 3, vec![0; 5]), "m: 5 bytes for 2 rows of 3 columns"),
            (Dataset::from_bytes("m", 2, 0, vec![]), "m: it holds 2 rows of 0 columns; at least one of each is needed"),
            (people().with_labels(Labels { name: None, values: vec![] }), "people: 0 labels for 2 rows"),
            (people().with_image_shape(2, 2), "people: 3 columns are no image of 2 x 2"),
        ] {
            assert_eq!(dataset.unwrap_err().to_string(), expected);
        }
    }
}
