//! The outputs of a model's hidden layers: features beside the code.

use super::{Model, check_finite};
use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::matrix::Matrix;
use crate::model::Body;
use crate::rows::for_each_chunk;

/// A hidden layer of a model, as [`Model::layer`] finds it by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HiddenLayer {
    /// Its index in [`Body::layer_sizes`], where the input has 0.
    place: usize,
    columns: usize,
}

impl HiddenLayer {
    /// The number of columns of its output.
    pub fn columns(self) -> usize {
        self.columns
    }
}

impl Model {
    /// The names of its hidden layers, from the input on: `layer_1`, `layer_2`, …, by their indices in the layer sizes,
    /// where the input has 0; the bottleneck is `code`. PCA has only `code`.
    pub fn layer_names(&self) -> Vec<String> {
        (1..self.body.layer_sizes().len() - 1).map(|place| self.name_of(place)).collect()
    }

    /// The hidden layer with this name.
    ///
    /// # Errors
    /// [`Error::Setting`] when there is none; it lists the names that exist.
    pub fn layer(&self, name: &str) -> Result<HiddenLayer> {
        let names = self.layer_names();
        match names.iter().position(|known| known == name) {
            Some(index) => Ok(self.layer_at(index + 1)),
            None => Err(Error::Setting {
                name: "layer",
                problem: format!("`{name}` is none of this model's; there are {}", names.join(", ")),
            }),
        }
    }

    /// The layer whose output is the code.
    pub fn code_layer(&self) -> HiddenLayer {
        self.layer_at(self.bottleneck())
    }

    /// Visits the outputs of a layer for all rows, some rows at a time: for [`Model::code_layer`], the codes.
    ///
    /// # Errors
    /// As [`Model::encode`], and the errors of `visit`.
    ///
    /// # Panics
    /// When the layer belongs to another model and this one has none at its index.
    pub fn encode_layer_each(
        &self,
        dataset: &Dataset,
        layer: HiddenLayer,
        mut visit: impl FnMut(&Matrix) -> Result<()>,
    ) -> Result<()> {
        self.check_width(dataset)?;
        let mut done = 0;
        for_each_chunk(&self.scaling.scaled(dataset), |chunk| {
            let outputs = match &self.body {
                Body::Autoencoder(network) if layer != self.code_layer() => network.layer_outputs(chunk, layer.place),
                body => body.encode(chunk),
            };
            check_finite(&outputs, done, &format!("the {}", self.name_of(layer.place)))
                .map_err(|error| error.of(dataset.source()))?;
            done += outputs.rows();
            visit(&outputs)
        })
    }

    /// Names for the columns of a layer's output: `layer_1_1`, `layer_1_2`, …, or `code_1`, `code_2`, …
    pub fn layer_column_names(&self, layer: HiddenLayer) -> Vec<String> {
        let name = self.name_of(layer.place);
        (1..=layer.columns).map(|number| format!("{name}_{number}")).collect()
    }

    fn layer_at(&self, place: usize) -> HiddenLayer {
        HiddenLayer { place, columns: self.body.layer_sizes()[place] }
    }

    fn name_of(&self, place: usize) -> String {
        if place == self.bottleneck() { "code".into() } else { format!("layer_{place}") }
    }

    fn bottleneck(&self) -> usize {
        match &self.body {
            Body::Autoencoder(network) => network.architecture().encoder_depth(),
            Body::Pca(_) => 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{ReadOptions, ScalingChoice, read};
    use crate::model::{AutoencoderOptions, Validation, fit_autoencoder, fit_pca};
    use crate::pca::PcaOptions;
    use crate::reference::activation;
    use crate::train::TrainOptions;

    fn outputs(model: &Model, dataset: &Dataset, name: &str) -> Matrix {
        let layer = model.layer(name).unwrap();
        let mut values = Vec::new();
        let visit = |some: &Matrix| {
            values.extend_from_slice(some.as_slice());
            Ok(())
        };
        model.encode_layer_each(dataset, layer, visit).unwrap();
        Matrix::from_slice(dataset.rows(), layer.columns(), &values)
    }

    #[test]
    fn each_layer_puts_out_what_the_textbook_says() {
        let iris = read("iris", &ReadOptions::default()).unwrap();
        let train = TrainOptions { epochs: 2, ..TrainOptions::default() };
        let options = AutoencoderOptions { train, ..AutoencoderOptions::new("4,5,2,3,4".parse().unwrap()) };
        let model = fit_autoencoder(&iris, &options, Validation::None, &mut ()).unwrap().model;
        assert_eq!(model.layer_names(), ["layer_1", "code", "layer_3"]);
        assert_eq!(model.layer_column_names(model.layer("layer_3").unwrap()), ["layer_3_1", "layer_3_2", "layer_3_3"]);
        let Body::Autoencoder(network) = &model.body else { panic!() };
        for row in [0, 77, 149] {
            let mut expected = vec![0.0; 4];
            crate::rows::RowsInMemory::copy_row(&model.scaling.scaled(&iris), row, &mut expected);
            for (index, name) in model.layer_names().iter().enumerate() {
                let (weights, layer) = (network.weights(index), &network.architecture().layers()[index]);
                expected = (0..weights.rows())
                    .map(|output| {
                        let sum: f32 = expected.iter().zip(0..).map(|(x, input)| x * weights.get(output, input)).sum();
                        activation::function(layer.activation(), f64::from(sum + network.biases(index)[output])) as f32
                    })
                    .collect();
                let actual = outputs(&model, &iris, name);
                for (actual, expected) in actual.row(row).iter().zip(&expected) {
                    assert!((actual - expected).abs() < 1e-5, "{name} of row {row}: {actual}, not {expected}");
                }
            }
        }
    }

    #[test]
    fn the_layer_of_the_code_gives_the_codes() {
        let iris = read("iris", &ReadOptions::default()).unwrap();
        let pca = fit_pca(&iris, ScalingChoice::Auto, &PcaOptions::default(), Validation::None).unwrap().model;
        assert_eq!(pca.layer_names(), ["code"]);
        assert_eq!(outputs(&pca, &iris, "code"), pca.encode(&iris).unwrap());
        let message = pca.layer("layer_1").unwrap_err().to_string();
        assert!(message.contains("`layer_1`") && message.ends_with("there are code"), "{message}");
    }
}
