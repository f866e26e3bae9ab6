use proptest::prelude::*;

use super::*;
use crate::matrix::Matrix;

fn floats<const COLUMNS: usize>(rows: &[[f32; COLUMNS]]) -> Dataset {
    Dataset::from_matrix("floats", Matrix::from_rows(rows), None).unwrap()
}

fn all(dataset: &Dataset) -> Vec<usize> {
    (0..dataset.rows()).collect()
}

fn scaled(scaling: &Scaling, dataset: &Dataset) -> Vec<f32> {
    let rows = scaling.scaled(dataset);
    let mut out = vec![f32::NAN; rows.rows() * rows.columns()];
    rows.gather(&all(dataset), &mut out).unwrap();
    out
}

#[test]
fn choices_have_names_that_read_back() {
    for choice in ScalingChoice::ALL {
        assert_eq!(choice.to_string().parse::<ScalingChoice>().unwrap(), choice);
    }
    let message = "minmax".parse::<ScalingChoice>().unwrap_err().to_string();
    assert_eq!(message, "scale: `minmax` is unknown; there are auto, none, unit, standard");
}

#[test]
fn auto_divides_bytes_by_255_and_leaves_floats_alone() {
    let bytes = Dataset::from_bytes("bytes", 1, 3, vec![0, 51, 255]).unwrap();
    let scaling = Scaling::fit(ScalingChoice::Auto, &bytes, &[0]).unwrap();
    assert_eq!(scaling.name(), "bytes");
    assert_eq!(scaled(&scaling, &bytes), [0.0, 0.2, 1.0]);

    let floats = floats(&[[0.0, 51.0, 255.0]]);
    let scaling = Scaling::fit(ScalingChoice::Auto, &floats, &[0]).unwrap();
    assert_eq!(scaling.name(), "none");
    assert_eq!(scaled(&scaling, &floats), [0.0, 51.0, 255.0]);
}

#[test]
fn none_leaves_bytes_in_their_units() {
    let bytes = Dataset::from_bytes("bytes", 1, 2, vec![7, 255]).unwrap();
    let scaling = Scaling::fit(ScalingChoice::None, &bytes, &[0]).unwrap();
    assert_eq!(scaled(&scaling, &bytes), [7.0, 255.0]);
}

#[test]
fn unit_brings_each_column_to_zero_and_one() {
    let dataset = floats(&[[1.0, -10.0, 5.0], [3.0, 30.0, 5.0], [2.0, 0.0, 5.0]]);
    let scaling = Scaling::fit(ScalingChoice::Unit, &dataset, &all(&dataset)).unwrap();
    assert_eq!(scaled(&scaling, &dataset), [0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.5, 0.25, 0.0]);
    assert_eq!((scaling.offsets(), scaling.scales()), (&[1.0, -10.0, 5.0][..], &[2.0, 40.0, 1.0][..]));
}

#[test]
fn standard_gives_mean_zero_and_population_deviation_one() {
    let dataset = floats(&[[2.0], [4.0], [4.0], [4.0], [5.0], [5.0], [7.0], [9.0]]);
    let scaling = Scaling::fit(ScalingChoice::Standard, &dataset, &all(&dataset)).unwrap();
    assert_eq!((scaling.offsets(), scaling.scales()), (&[5.0][..], &[2.0][..]));
    assert_eq!(scaled(&scaling, &dataset), [-1.5, -0.5, -0.5, -0.5, 0.0, 0.0, 1.0, 2.0]);
}

#[test]
fn standard_keeps_its_digits_far_from_zero() {
    let dataset = floats(&[[16_777_214.0], [16_777_215.0], [16_777_216.0]]);
    let scaling = Scaling::fit(ScalingChoice::Standard, &dataset, &all(&dataset)).unwrap();
    assert_eq!(scaling.offsets(), [16_777_215.0]);
    assert_eq!(scaling.scales(), [(2.0_f64 / 3.0).sqrt() as f32]);
}

#[test]
fn only_the_rows_named_are_fitted_on() {
    let dataset = floats(&[[0.0], [100.0], [2.0]]);
    let scaling = Scaling::fit(ScalingChoice::Unit, &dataset, &[0, 2]).unwrap();
    assert_eq!(scaled(&scaling, &dataset), [0.0, 50.0, 1.0]);
}

#[test]
fn columns_of_bytes_can_be_scaled_too() {
    let bytes = Dataset::from_bytes("bytes", 2, 2, vec![10, 0, 20, 0]).unwrap();
    let scaling = Scaling::fit(ScalingChoice::Unit, &bytes, &[0, 1]).unwrap();
    assert_eq!(scaled(&scaling, &bytes), [0.0, 0.0, 1.0, 0.0]);
}

/// Ten times 0.1, summed, is not 1: a constant column must not be divided by the rounding error of its mean.
#[test]
fn a_constant_column_is_moved_to_zero_and_keeps_scale_one() {
    let dataset = floats(&[[0.1]; 10]);
    for choice in [ScalingChoice::Unit, ScalingChoice::Standard] {
        let scaling = Scaling::fit(choice, &dataset, &all(&dataset)).unwrap();
        assert_eq!((scaling.offsets(), scaling.scales()), (&[0.1][..], &[1.0][..]));
    }
}

#[test]
fn a_column_of_denormals_is_not_divided_by_one() {
    let dataset = floats(&[[0.0], [f32::from_bits(1)]]);
    let scaling = Scaling::fit(ScalingChoice::Unit, &dataset, &[0, 1]).unwrap();
    assert_eq!(scaling.scales(), [1.0]);
}

#[test]
fn a_spread_beyond_single_precision_and_no_rows_are_errors() {
    let dataset = floats(&[[0.0, f32::MAX], [0.0, f32::MIN]]);
    let message = Scaling::fit(ScalingChoice::Unit, &dataset, &[0, 1]).unwrap_err().to_string();
    assert_eq!(message, "floats: column 2: its values lie further apart than single precision can represent");
    let message = Scaling::fit(ScalingChoice::Unit, &dataset, &[]).unwrap_err().to_string();
    assert_eq!(message, "floats: no rows to fit the scaling on");
}

#[test]
fn a_scaling_is_restored_from_what_it_tells() {
    let bytes = Dataset::from_bytes("bytes", 2, 2, vec![1, 2, 4, 8]).unwrap();
    for choice in ScalingChoice::ALL {
        let scaling = Scaling::fit(choice, &bytes, &[0, 1]).unwrap();
        let (offsets, scales) = (scaling.offsets().to_vec(), scaling.scales().to_vec());
        assert_eq!(Scaling::restore(scaling.name(), offsets, scales).unwrap(), scaling);
    }
}

#[test]
fn a_scaling_that_cannot_be_is_not_restored() {
    for (name, offsets, scales) in [
        ("robust", vec![], vec![]),
        ("unit", vec![0.0], vec![]),
        ("unit", vec![f32::NAN], vec![1.0]),
        ("standard", vec![0.0], vec![0.0]),
        ("standard", vec![0.0], vec![-1.0]),
        ("standard", vec![0.0], vec![f32::INFINITY]),
        ("bytes", vec![], vec![2.0]),
        ("none", vec![1.0], vec![1.0]),
    ] {
        let restored = Scaling::restore(name, offsets, scales);
        assert!(matches!(restored, Err(Error::Mismatch(_))), "{name}: {restored:?}");
    }
}

proptest! {
    #[test]
    fn invert_undoes_apply(
        values in prop::collection::vec([-1e6_f32..1e6, 0.0..1.0], 2..20),
        choice in prop::sample::select(ScalingChoice::ALL.to_vec()),
    ) {
        let dataset = floats(&values);
        let scaling = Scaling::fit(choice, &dataset, &all(&dataset)).unwrap();
        for row in &values {
            let mut back = *row;
            scaling.apply(&mut back);
            scaling.invert(&mut back);
            for (column, (back, value)) in back.iter().zip(row).enumerate() {
                let offset = scaling.offsets().get(column).map_or(0.0, |offset| offset.abs());
                let tolerance = 4.0 * f32::EPSILON * (value.abs() + offset);
                prop_assert!((back - value).abs() <= tolerance, "{back} is not {value}");
            }
        }
    }
}

#[test]
fn a_matrix_of_the_rows_holds_what_is_copied() {
    let floats = Dataset::from_matrix("floats", Matrix::from_rows(&[[1.0, 2.0], [3.0, 5.0]]), None).unwrap();
    let bytes = Dataset::from_bytes("bytes", 2, 2, vec![1, 2, 3, 255]).unwrap();
    for (dataset, choice, has_matrix) in [
        (&floats, ScalingChoice::Auto, true),
        (&floats, ScalingChoice::None, true),
        (&floats, ScalingChoice::Unit, false),
        (&floats, ScalingChoice::Standard, false),
        (&bytes, ScalingChoice::Auto, false),
        (&bytes, ScalingChoice::None, false),
    ] {
        let scaling = Scaling::fit(choice, dataset, &[0, 1]).unwrap();
        let rows = scaling.scaled(dataset);
        assert_eq!(rows.as_matrix().is_some(), has_matrix, "{choice:?}");
        if let Some(matrix) = rows.as_matrix() {
            let mut copied = Matrix::zeros(2, 2);
            rows.gather(&[0, 1], copied.as_mut_slice()).unwrap();
            assert_eq!(matrix, &copied);
        }
    }
}
