//! A training step on any network and rows agrees with the textbook step, on every instruction set.
#![no_main]

use diabolo::Matrix;
use diabolo::kernels::{Activation, Isa};
use diabolo::network::{Activations, Architecture, Initialisation, LayerSizes, Loss, Network};
use diabolo::reference::network::assert_gradient_agrees;
use libfuzzer_sys::arbitrary::{Result, Unstructured};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = step(&mut Unstructured::new(bytes));
});

fn step(input: &mut Unstructured<'_>) -> Result<()> {
    // Narrow networks go another way than wide ones.
    let widest = *input.choose(&[16, 70])?;
    let columns = input.int_in_range(1..=widest.min(40))?;
    let mut sizes = vec![columns];
    for _ in 0..input.int_in_range(1..=4)? {
        sizes.push(input.int_in_range(1..=widest)?);
    }
    sizes.push(columns);
    let loss = *input.choose(&Loss::ALL)?;
    let activations = Activations {
        hidden: *input.choose(&Activation::ALL)?,
        code: *input.choose(&Activation::ALL)?,
        output: if loss == Loss::CrossEntropy { Activation::Sigmoid } else { *input.choose(&Activation::ALL)? },
    };
    let sizes = LayerSizes::new(sizes).expect("sizes that make an auto-encoder");
    let architecture = Architecture::new(sizes, activations, input.arbitrary()?);
    let network = Network::new(architecture, Initialisation::FanIn, input.arbitrary()?);
    let rows = input.int_in_range(1..=140)?;
    let values: Vec<f32> =
        (0..rows * columns).map(|_| f32::from(input.arbitrary::<u8>().unwrap_or(0)) / 255.0).collect();
    let rows = Matrix::from_slice(rows, columns, &values);
    for isa in Isa::available() {
        assert_gradient_agrees(&network.clone().with_isa(isa), &rows, loss, 1e-4);
    }
    Ok(())
}
