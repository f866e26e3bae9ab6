//! The products of a training step against the textbook's, on small integers: exact, on every instruction set.
#![no_main]

use diabolo::gemm::{NonzeroFeatures, TILE_ROWS, TileGradient, TileRows, tile_product, update_biases, update_weights};
use diabolo::kernels::{Isa, Update};
use diabolo::matrix::MatrixView;
use diabolo::reference;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let &[isa, outputs, inputs, wide, rows, flags, ref rest @ ..] = data else { return };
    let sets = Isa::available();
    let isa = sets[usize::from(isa) % sets.len()];
    let outputs = 1 + usize::from(outputs) % 60;
    let inputs = 1 + usize::from(u16::from_le_bytes([inputs, wide])) % 1100;
    let rows = 1 + usize::from(rows) % TILE_ROWS;
    // What the input does not say is zero.
    let mut bytes = rest.iter();
    let mut integers = |count: usize| -> Vec<f32> {
        (0..count).map(|_| f32::from(bytes.next().copied().unwrap_or(0) as i8 / 8)).collect()
    };
    let (weights, bias) = (integers(outputs * inputs), integers(if flags & 1 == 0 { 0 } else { outputs }));
    let (x, delta) = (integers(inputs * TILE_ROWS), integers(outputs * TILE_ROWS));
    let a = match flags & 2 {
        0 => MatrixView::new(&weights, outputs, inputs),
        _ => MatrixView::new(&weights, inputs, outputs).transposed(),
    };

    let mut nonzero = NonzeroFeatures::new(inputs);
    nonzero.find(isa, &x);
    let expected = reference::tile_product(a, &bias, &x);
    let mut actual = vec![f32::NAN; outputs * TILE_ROWS];
    tile_product(isa, a, &bias, &x, (flags & 4 != 0).then_some(&nonzero), rows, &mut actual);
    for feature in 0..outputs {
        let here = feature * TILE_ROWS..feature * TILE_ROWS + rows;
        assert_eq!(actual[here.clone()], expected[here], "feature {feature} on {isa}");
    }

    let mut held = TileRows::zeros(inputs);
    for row in 0..rows {
        held.set_row(row, &(0..inputs).map(|column| x[column * TILE_ROWS + row]).collect::<Vec<_>>());
    }
    let tile = |_| TileGradient { delta: &delta, inputs: &held, rows };
    let mut gradient = vec![f32::NAN; outputs * inputs];
    update_weights(isa, 0..outputs, inputs, 1, tile, Update::write(&mut gradient));
    let mut biases = vec![f32::NAN; outputs];
    update_biases(isa, 1, tile, Update::write(&mut biases));
    for output in 0..outputs {
        let delta = &delta[output * TILE_ROWS..][..rows];
        assert_eq!(biases[output], delta.iter().sum::<f32>(), "bias {output} on {isa}");
        for column in 0..inputs {
            let sum: f32 = delta.iter().zip(&x[column * TILE_ROWS..]).map(|(delta, x)| delta * x).sum();
            assert_eq!(gradient[output * inputs + column], sum, "weight {output}, {column} on {isa}");
        }
    }
});
