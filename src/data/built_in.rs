//! The data sets that are embedded in the program. `data/README.md` says where they come from.

use crate::data::dataset::Dataset;
use crate::data::formats;
use crate::data::input::Input;
use crate::data::options::ReadOptions;
use crate::error::Result;

/// The names of the built-in data sets, which [`read()`](crate::data::read()) takes in place of a path.
///
/// `iris` has 150 rows of 4 columns and the label `species`; `digits` has 1,797 images of 8 × 8 pixels from 0 to 16
/// and the label `digit`.
pub const BUILT_IN_NAMES: &[&str] = &["iris", "digits"];

/// Reads a built-in set, if there is one with this name. Its label is kept aside even where the options name none.
pub(super) fn read_built_in(name: &str, options: &ReadOptions) -> Option<Result<Dataset>> {
    match name {
        "iris" => Some(read_labelled(name, include_bytes!("../../data/iris.csv"), "species", options)),
        "digits" => {
            let digits = read_labelled(name, include_bytes!("../../data/digits.csv.gz"), "digit", options);
            let pixels = (0..64).map(|pixel| format!("pixel_{}_{}", pixel / 8, pixel % 8));
            Some(digits.and_then(|digits| match digits.column_names() {
                Some(names) if pixels.eq(names.iter().cloned()) => digits.with_image_shape(8, 8),
                _ => Ok(digits),
            }))
        }
        _ => None,
    }
}

fn read_labelled(name: &str, bytes: &[u8], label: &str, options: &ReadOptions) -> Result<Dataset> {
    let is_feature = options.columns.asked().iter().any(|column| column == label);
    let label = options.label.clone().or((!is_feature).then(|| label.to_owned()));
    formats::read(Input::stream(name, bytes)?, &ReadOptions { label, ..options.clone() }, None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Columns, Values};
    use crate::rows::RowsInMemory;

    fn built_in(name: &str) -> Dataset {
        read_built_in(name, &ReadOptions::default()).unwrap().unwrap()
    }

    fn column_sums(dataset: &Dataset) -> Vec<f64> {
        let mut row = vec![0.0; dataset.columns()];
        let mut sums = vec![0.0; dataset.columns()];
        for index in 0..dataset.rows() {
            dataset.copy_row(index, &mut row);
            sums.iter_mut().zip(&row).for_each(|(sum, &value)| *sum += f64::from(value));
        }
        sums
    }

    #[test]
    fn every_built_in_name_is_known_and_no_other() {
        for name in BUILT_IN_NAMES {
            assert_eq!(built_in(name).source(), *name);
        }
        assert!(read_built_in("mnist", &ReadOptions::default()).is_none());
    }

    /// The sums that scikit-learn's copy gives.
    #[test]
    fn iris_is_fishers() {
        let iris = built_in("iris");
        assert_eq!((iris.rows(), iris.columns(), iris.image_shape()), (150, 4, None));
        assert_eq!(iris.column_names().unwrap(), ["sepal_length", "sepal_width", "petal_length", "petal_width"]);
        for (sum, expected) in column_sums(&iris).into_iter().zip([876.5, 458.6, 563.7, 179.9]) {
            assert!((sum - expected).abs() < 1e-4, "{sum} is not {expected}");
        }
        let labels = iris.labels().unwrap();
        assert_eq!(labels.name.as_deref(), Some("species"));
        for (species, rows) in ["setosa", "versicolor", "virginica"].into_iter().zip(labels.values.chunks(50)) {
            assert!(rows.iter().all(|label| label == species));
        }
    }

    /// The sum of all pixels and the counts of each digit that scikit-learn's copy gives.
    #[test]
    fn digits_are_images_with_their_digit() {
        let digits = built_in("digits");
        assert_eq!((digits.rows(), digits.columns(), digits.image_shape()), (1797, 64, Some((8, 8))));
        assert!(matches!(digits.values(), Values::Floats(_)));
        assert_eq!(digits.column_names().unwrap()[8], "pixel_1_0");
        assert_eq!(column_sums(&digits).iter().sum::<f64>(), 561_718.0);
        let labels = digits.labels().unwrap();
        assert_eq!(labels.name.as_deref(), Some("digit"));
        let count = |digit: usize| labels.values.iter().filter(|label| **label == digit.to_string()).count();
        assert_eq!((0..10).map(count).collect::<Vec<_>>(), [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]);
    }

    #[test]
    fn chosen_columns_of_a_built_in_set_keep_its_label() {
        let options = ReadOptions { columns: Columns::Chosen(vec!["petal_length".into(), "2".into()]), label: None };
        let iris = read_built_in("iris", &options).unwrap().unwrap();
        assert_eq!(iris.column_names().unwrap(), ["petal_length", "sepal_width"]);
        assert_eq!(iris.labels().unwrap().values[149], "virginica");
    }

    #[test]
    fn digits_are_images_only_while_all_their_pixels_are_columns_in_order() {
        let image_shape = |options: &ReadOptions| read_built_in("digits", options).unwrap().unwrap().image_shape();
        let pixels = Columns::Chosen(built_in("digits").column_names().unwrap().to_vec());
        assert_eq!(image_shape(&ReadOptions { columns: pixels, label: None }), Some((8, 8)));
        assert_eq!(image_shape(&ReadOptions { columns: Columns::All, label: Some("65".into()) }), Some((8, 8)));
        assert_eq!(image_shape(&ReadOptions { columns: Columns::All, label: Some("pixel_0_0".into()) }), None);
    }

    #[test]
    fn the_label_of_a_built_in_set_can_be_a_feature() {
        let options = ReadOptions { columns: Columns::Chosen(vec!["digit".into(), "pixel_0_2".into()]), label: None };
        let digits = read_built_in("digits", &options).unwrap().unwrap();
        assert_eq!((digits.columns(), digits.labels(), digits.image_shape()), (2, None, None));
    }
}
