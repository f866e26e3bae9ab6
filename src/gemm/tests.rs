//! The products of a training step against their naive twins, on small integers: exact, on every instruction set.

use super::*;
use crate::kernels::{AdamStep, Isa, Update};
use crate::matrix::{Matrix, MatrixView};
use crate::reference;

/// Small integers, the same for the same seed.
fn integers(count: usize, seed: usize) -> Vec<f32> {
    (0..count).map(|i| ((i * 7 + seed * 13 + i / 11) % 9) as f32 - 4.0).collect()
}

/// Sizes around what stays in registers and what is contracted or held together.
const SIZES: [usize; 12] = [1, 2, 3, 5, 11, 12, 13, 17, 31, 33, 49, 70];

#[test]
fn a_transposition_moves_every_element_and_no_other_whatever_the_sizes_and_strides() {
    for isa in Isa::available() {
        for rows in 0..=34 {
            for columns in [0, 1, 3, 4, 15, 16, 17, 40] {
                let (from_stride, to_stride) = (columns + 3, rows + 2);
                let from = integers(rows * from_stride, 1);
                let mut to = vec![f32::NAN; columns * to_stride];
                transpose(isa, [rows, columns], &from, from_stride, &mut to, to_stride);
                for (index, value) in to.iter().enumerate() {
                    let (column, row) = (index / to_stride, index % to_stride);
                    if row < rows {
                        assert_eq!(*value, from[row * from_stride + column], "{rows} x {columns} on {isa}");
                    } else {
                        assert!(value.is_nan(), "{rows} x {columns} on {isa}: element {index} is not its own");
                    }
                }
            }
        }
    }
}

#[test]
fn a_tile_product_of_every_shape_agrees_with_the_reference() {
    for isa in Isa::available() {
        for m in SIZES {
            for k in SIZES {
                for rows in [0, 1, 15, 16, 17, 32] {
                    check_tile_product(isa, m, k, rows);
                }
            }
        }
        for k in [0, 1023, 1024, 1025, 2100] {
            check_tile_product(isa, 13, k, 32);
        }
    }
}

fn check_tile_product(isa: Isa, m: usize, k: usize, rows: usize) {
    let (values, x, bias) = (integers(m * k, 1), integers(k * TILE_ROWS, 2), integers(m, 3));
    let stored = [MatrixView::new(&values, m, k), MatrixView::new(&values, k, m).transposed()];
    for a in stored {
        for bias in [&bias[..], &[]] {
            let mut actual = vec![f32::NAN; m * TILE_ROWS];
            tile_product(isa, a, bias, &x, None, rows, &mut actual);
            let expected = reference::tile_product(a, bias, &x);
            for feature in 0..m {
                let row = feature * TILE_ROWS..feature * TILE_ROWS + rows;
                assert_eq!(actual[row.clone()], expected[row], "{m} x {k}, {rows} rows, feature {feature}, {isa}");
            }
        }
    }
}

#[test]
fn features_that_are_zero_in_all_rows_are_found_and_left_out() {
    for isa in Isa::available() {
        for k in [1, 7, 300, 4000] {
            let mut x = vec![0.0; k * TILE_ROWS];
            // Every third feature has one value, NaN or the least denormal among them; the others are zeros of both signs.
            for feature in 0..k {
                let at = feature * TILE_ROWS + feature % TILE_ROWS;
                x[at] = if feature % 3 > 0 { -0.0 } else { [1.0, -2.0, f32::from_bits(1), 3.0][feature % 4] };
            }
            let mut nonzero = NonzeroFeatures::new(k);
            nonzero.find(isa, &x);
            let values: Vec<f32> = (0..5 * k).map(|i| if i % k % 3 > 0 { f32::NAN } else { (i % 5) as f32 }).collect();
            let finite: Vec<f32> = values.iter().map(|&value| if value.is_nan() { 9.0 } else { value }).collect();
            let mut actual = vec![f32::NAN; 5 * TILE_ROWS];
            tile_product(isa, MatrixView::new(&values, 5, k), &[], &x, Some(&nonzero), TILE_ROWS, &mut actual);
            assert_eq!(actual, reference::tile_product(MatrixView::new(&finite, 5, k), &[], &x), "{k} on {isa}");
        }
        let mut nonzero = NonzeroFeatures::new(1);
        let mut tile = [0.0; TILE_ROWS];
        tile[TILE_ROWS - 1] = f32::NAN;
        nonzero.find(isa, &tile);
        let mut actual = [0.0; TILE_ROWS];
        tile_product(isa, MatrixView::new(&[1.0], 1, 1), &[], &tile, Some(&nonzero), TILE_ROWS, &mut actual);
        assert!(actual[TILE_ROWS - 1].is_nan(), "NaN is not zero");
    }
}

#[test]
fn a_sum_of_minus_zero_is_zero_whether_zeros_are_left_out_or_not() {
    for isa in Isa::available() {
        for nonzero in [None, Some(&NonzeroFeatures::new(1))] {
            let mut actual = [f32::NAN; TILE_ROWS];
            tile_product(
                isa,
                MatrixView::new(&[1.0], 1, 1),
                &[-0.0],
                &[-0.0; TILE_ROWS],
                nonzero,
                TILE_ROWS,
                &mut actual,
            );
            assert_eq!(actual.map(f32::to_bits), [0; TILE_ROWS], "{isa}");
        }
    }
}

#[test]
fn shapes_beyond_all_memory_are_refused_before_anything_is_touched() {
    let huge = 1 << 59;
    let refused = |call: &dyn Fn()| std::panic::catch_unwind(std::panic::AssertUnwindSafe(call)).is_err();
    let isa = Isa::best();
    assert!(refused(&|| tile_product(isa, MatrixView::new(&[], 0, huge).transposed(), &[], &[], None, 32, &mut [])));
    assert!(refused(&|| transpose(isa, [17, 16], &[0.0; 16], 1 << 60, &mut [0.0; 16 * 17], 17)));
    let inputs = TileRows::zeros(1);
    let tile = |_| TileGradient { delta: &[], inputs: &inputs, rows: 1 };
    assert!(refused(&|| update_weights(isa, huge - 1..huge, 1, 1, tile, Update::write(&mut [0.0]))));
    assert!(refused(&|| update_weights(isa, 0..1 << 32, 1 << 32, 0, tile, Update::write(&mut []))));
    assert!(refused(&|| update_weights(isa, usize::MAX - 1..usize::MAX, 1, 0, tile, Update::write(&mut [0.0]))));
}

#[test]
fn a_row_of_a_tile_product_depends_on_that_row_alone() {
    let a = Matrix::from_slice(13, 300, &(0..3900).map(|i| (i as f32 * 0.37).sin()).collect::<Vec<_>>());
    let x: Vec<f32> = (0..300 * TILE_ROWS).map(|i| (i as f32 * 0.73).cos()).collect();
    for isa in Isa::available() {
        let product = |x: &[f32], rows| {
            let mut c = vec![0.0; 13 * TILE_ROWS];
            tile_product(isa, a.view(), &[], x, None, rows, &mut c);
            c
        };
        let whole = product(&x, TILE_ROWS);
        let mut others = x.clone();
        others.iter_mut().enumerate().filter(|(i, _)| i % TILE_ROWS > 0).for_each(|(_, value)| *value = f32::NAN);
        let alone = product(&others, 1);
        for feature in 0..13 {
            assert_eq!(whole[feature * TILE_ROWS], alone[feature * TILE_ROWS], "feature {feature} on {isa}");
        }
    }
}

/// The inputs of a row of a tile: some rows are zeros, some begin with them.
fn inputs_of(columns: usize, index: usize, row: usize) -> Vec<f32> {
    let mut values = integers(columns, index * 50 + row);
    let zeros = [0, 40, columns][row % 3].min(columns);
    values[..zeros].fill(0.0);
    values
}

/// Tiles of deltas and inputs, the last of `last` rows; what is past them is NaN.
fn tiles(count: usize, last: usize, outputs: usize, columns: usize) -> Vec<(Vec<f32>, TileRows, usize)> {
    let tile = |index: usize| {
        let rows = if index + 1 == count { last } else { TILE_ROWS };
        let mut delta = integers(outputs * TILE_ROWS, index);
        delta.iter_mut().enumerate().filter(|(i, _)| i % TILE_ROWS >= rows).for_each(|(_, value)| *value = f32::NAN);
        let mut inputs = TileRows::zeros(columns);
        for row in 0..TILE_ROWS {
            let values = if row < rows { inputs_of(columns, index, row) } else { vec![f32::NAN; columns] };
            // Twice, so that what a row held before must be forgotten.
            inputs.set_row(row, &vec![f32::NAN; columns]);
            inputs.set_row(row, &values);
        }
        (delta, inputs, rows)
    };
    (0..count).map(tile).collect()
}

/// Σ Δᵀ · inputs, straight from what [`tiles`] drew.
fn gradient(tiles: &[(Vec<f32>, TileRows, usize)], outputs: usize, columns: usize) -> Vec<f32> {
    let mut sums = vec![0.0; outputs * columns];
    for (index, (delta, _, rows)) in tiles.iter().enumerate() {
        for row in 0..*rows {
            let inputs = inputs_of(columns, index, row);
            for output in 0..outputs {
                for column in 0..columns {
                    sums[output * columns + column] += delta[output * TILE_ROWS + row] * inputs[column];
                }
            }
        }
    }
    sums
}

#[test]
fn gradients_of_weights_and_biases_of_every_shape_agree_with_the_reference_and_touch_nothing_else() {
    for isa in Isa::available() {
        for outputs in SIZES {
            for columns in SIZES.into_iter().chain([255, 257, 300]) {
                let (count, last) = (1 + outputs % 3, 1 + columns % TILE_ROWS);
                let tiles = tiles(count, last, outputs, columns);
                let expected = gradient(&tiles, outputs, columns);
                let tile = |index: usize| {
                    let (delta, inputs, rows): &(Vec<f32>, TileRows, usize) = &tiles[index];
                    TileGradient { delta, inputs, rows: *rows }
                };
                let place = || format!("{outputs} x {columns}, {count} tiles on {isa}");
                let first = outputs / 3;
                let mut actual = vec![f32::NAN; outputs * columns + 64];
                let (before, rest) = actual.split_at_mut(first * columns);
                let length = expected.len() - before.len();
                update_weights(isa, first..outputs, columns, count, tile, Update::write(&mut rest[..length]));
                assert!(before.iter().chain(&rest[length..]).all(|value| value.is_nan()), "{}", place());
                assert_eq!(rest[..length], expected[first * columns..], "{}", place());

                let mut biases = vec![f32::NAN; outputs];
                update_biases(isa, count, tile, Update::write(&mut biases));
                for (output, bias) in biases.into_iter().enumerate() {
                    let sum: f32 =
                        tiles.iter().flat_map(|(delta, _, rows)| &delta[output * TILE_ROWS..][..*rows]).sum();
                    assert_eq!(bias, sum, "bias {output}, {}", place());
                }
            }
        }
    }
}

/// An update of parameters and what it may remember of them.
type Rule = fn([&mut [f32]; 3]) -> Update<'_>;

#[test]
fn a_fused_update_is_the_sweep_over_a_written_gradient() {
    let (outputs, columns, count) = (29, 45, 3);
    let tiles = tiles(count, 7, outputs, columns);
    let tile = |index: usize| {
        let (delta, inputs, rows): &(Vec<f32>, TileRows, usize) = &tiles[index];
        TileGradient { delta, inputs, rows: *rows }
    };
    let length = outputs * columns;
    const STEP: AdamStep = AdamStep { learning_rate: 0.1, beta1: 0.9, beta2: 0.99, epsilon: 1e-8, step: 3 };
    for isa in Isa::available() {
        let mut written = vec![0.0; length];
        update_weights(isa, 0..outputs, columns, count, tile, Update::write(&mut written));
        let rules: [Rule; 4] = [
            |[parameters, ..]| Update::sgd(parameters, 0.1),
            |[parameters, velocity, _]| Update::momentum(parameters, velocity, 0.1, 0.9),
            |[parameters, velocity, _]| Update::nesterov(parameters, velocity, 0.1, 0.9),
            |[parameters, first, second]| Update::adam(parameters, first, second, STEP),
        ];
        for rule in rules {
            let start = [integers(length, 5), integers(length, 6), vec![2.0; length]];
            let (mut fused, mut swept) = (start.clone(), start);
            let update = rule(fused.each_mut().map(Vec::as_mut_slice));
            update_weights(isa, 0..outputs, columns, count, tile, update);
            rule(swept.each_mut().map(Vec::as_mut_slice)).apply(isa, &written);
            assert_eq!(fused, swept, "{isa}");
        }
    }
}

#[test]
fn tiles_and_rows_turn_into_each_other() {
    for isa in Isa::available() {
        for columns in [1, 31, 32, 33, 100] {
            for rows in [1, 16, 29, 32] {
                let mut held = TileRows::zeros(columns);
                (0..rows).for_each(|row| held.set_row(row, &integers(columns, row)));
                let mut tile = vec![f32::NAN; columns * TILE_ROWS];
                held.copy_to(isa, rows, &mut tile);
                for row in 0..rows {
                    let expected = integers(columns, row);
                    assert!((0..columns).all(|column| tile[column * TILE_ROWS + row] == expected[column]));
                }
                let mut again = TileRows::zeros(columns);
                again.set(isa, rows, &tile);
                let mut tile_again = vec![f32::NAN; columns * TILE_ROWS];
                again.copy_to(isa, rows, &mut tile_again);
                let bits = |tile: &[f32]| tile.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
                assert_eq!(bits(&tile), bits(&tile_again), "{rows} x {columns} on {isa}");
            }
        }
    }
}

#[test]
#[should_panic(expected = "(2 x 3) times a tile of 64")]
fn a_tile_that_does_not_fit_panics() {
    let a = Matrix::zeros(2, 3);
    tile_product(Isa::best(), a.view(), &[], &[0.0; 64], None, 32, &mut [0.0; 64]);
}

#[test]
#[should_panic(expected = "for 5 outputs and 3 inputs")]
fn deltas_that_do_not_fit_panic() {
    let inputs = TileRows::zeros(3);
    let tile = |_| TileGradient { delta: &[0.0; 128], inputs: &inputs, rows: 32 };
    update_weights(Isa::best(), 0..5, 3, 1, tile, Update::write(&mut [0.0; 15]));
}
