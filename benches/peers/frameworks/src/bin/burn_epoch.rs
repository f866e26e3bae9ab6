//! An epoch of burn's on its CPU backend, Flex: `burn_epoch slides|deep STEPS` prints rows per second.

use burn::module::Module;
use burn::nn::loss::{MseLoss, Reduction};
use burn::nn::{Linear, LinearConfig};
use burn::optim::{GradientsParams, SgdConfig};
use burn::tensor::activation::sigmoid;
use burn::tensor::{Device, Tensor, TensorData};
use frameworks::{BATCH, RATE};

#[derive(Module, Debug)]
struct Network {
    layers: Vec<Linear>,
}

impl Network {
    fn loss(&self, rows: Tensor<2>) -> Tensor<1> {
        let output = self.layers.iter().fold(rows.clone(), |x, layer| sigmoid(layer.forward(x)));
        MseLoss::new().forward(output, rows, Reduction::Sum) / BATCH as f64
    }
}

fn main() {
    let (sizes, steps) = frameworks::arguments();
    let device = Device::flex().autodiff();
    let layers = sizes.windows(2).map(|size| LinearConfig::new(size[0], size[1]).init(&device)).collect();
    let mut network = Some(Network { layers });
    let mut optimizer = SgdConfig::new().init();
    frameworks::measure(sizes[0], steps, |rows| {
        let before = network.take().expect("the network of the step before");
        let rows = Tensor::from_data(TensorData::new(rows, [BATCH, sizes[0]]), &device);
        let gradients = GradientsParams::from_grads(before.loss(rows).backward(), &before);
        network = Some(optimizer.step(RATE, before, gradients));
    });
}
