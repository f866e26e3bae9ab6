//! An epoch of candle's on the CPU: `candle_epoch slides|deep STEPS` prints rows per second.

use candle_core::{DType, Device, Result, Tensor};
use candle_nn::{Linear, Module, Optimizer, SGD, VarBuilder, VarMap};
use frameworks::{BATCH, RATE};

fn step(layers: &[Linear], optimizer: &mut SGD, rows: Vec<f32>) -> Result<()> {
    let columns = rows.len() / BATCH;
    let rows = Tensor::from_vec(rows, (BATCH, columns), &Device::Cpu)?;
    let mut output = rows.clone();
    for layer in layers {
        output = candle_nn::ops::sigmoid(&layer.forward(&output)?)?;
    }
    let loss = ((output - rows)?.sqr()?.sum_all()? / BATCH as f64)?;
    optimizer.backward_step(&loss)
}

fn main() -> Result<()> {
    let (sizes, steps) = frameworks::arguments();
    let variables = VarMap::new();
    let builder = VarBuilder::from_varmap(&variables, DType::F32, &Device::Cpu);
    let layers = sizes.windows(2).enumerate();
    let layers: Vec<Linear> =
        layers.map(|(i, size)| candle_nn::linear(size[0], size[1], builder.pp(i))).collect::<Result<_>>()?;
    let mut optimizer = SGD::new(variables.all_vars(), RATE)?;
    frameworks::measure(sizes[0], steps, |rows| step(&layers, &mut optimizer, rows).expect("a step"));
    Ok(())
}
