//! `diabolo inspect`

use clap::Args;
use serde_json::{Value, json};

use super::arguments::ColumnArguments;
use super::facts::{Facts, decimals};
use crate::data::{self, BUILT_IN_NAMES, Columns, Dataset, Input, Values};
use crate::error::Result;
use crate::model::{Body, Model};
use crate::rows::RowsInMemory;

/// Show what a model or data file holds
#[derive(Debug, Args)]
pub struct Inspect {
    /// A model file, a data file, or a built-in set: iris, digits
    file: String,
    #[command(flatten)]
    columns: ColumnArguments,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

impl Inspect {
    pub fn run(&self) -> Result<()> {
        let is_built_in = BUILT_IN_NAMES.contains(&self.file.as_str());
        let facts = match Input::open(&self.file) {
            Ok(input) if !is_built_in => self.facts_of(input)?,
            _ => data_facts(&self.columns.read(&self.file, Columns::All)?),
        };
        facts.print(self.json)
    }

    /// The facts of a model or a data file, recognised by its first bytes: the input may be a pipe, so it is read once.
    fn facts_of(&self, input: Input<'_>) -> Result<Facts> {
        if Model::recognises(input.head()) {
            return Ok(model_facts(&Model::read(&self.file, input)?));
        }
        Ok(data_facts(&data::read_input(input, &self.columns.options(Columns::All))?))
    }
}

fn model_facts(model: &Model) -> Facts {
    let mut facts = Facts::default();
    let provenance = &model.provenance;
    // Scripts read these names: each kind of model has all of them, in this order, where it can say something.
    facts.add("kind", model.body.kind());
    facts.add("layers", model.body.layer_sizes());
    facts.add("layer_names", model.layer_names());
    facts.add("parameters", model.body.parameters());
    match &model.body {
        Body::Autoencoder(network) => {
            let layers = network.architecture().layers();
            facts.add("variational", network.architecture().is_variational());
            facts.add("activations", layers.iter().map(|layer| layer.activation().name()).collect::<Vec<_>>());
            facts.add("biases", layers.iter().map(|layer| layer.has_bias()).collect::<Vec<_>>());
        }
        Body::Pca(pca) => {
            // A projection and its transpose are two linear layers.
            facts.add("activations", vec!["linear"; 2]);
            facts.add("explained_variance_ratio", pca.explained_variance_ratio());
        }
    }
    facts.add("scaling", model.scaling.name());
    facts.add("column_names", model.column_names.clone());
    facts.add("rows", provenance.rows);
    facts.add("seed", provenance.seed);
    // The errors at the end of the fit, which the model file keeps: no data is needed to show them.
    facts.add("error_per_row", provenance.training.error_per_row);
    facts.add("mse", provenance.training.mse);
    facts.add("validation_error_per_row", provenance.validation.map(|errors| errors.error_per_row));
    facts.add("threshold", model.threshold.map(|threshold| threshold.value));
    facts.add("threshold_chosen_by", model.threshold.map(|threshold| threshold.rule.to_string()));
    facts.add("version", provenance.version.as_str());
    facts.add("settings", json!(provenance.settings));
    facts
}

fn data_facts(dataset: &Dataset) -> Facts {
    let (mut least, mut most) = (f32::INFINITY, f32::NEG_INFINITY);
    let mut row = vec![0.0; dataset.columns()];
    for index in 0..dataset.rows() {
        dataset.copy_row(index, &mut row);
        least = row.iter().fold(least, |least, &value| least.min(value));
        most = row.iter().fold(most, |most, &value| most.max(value));
    }
    let bytes = matches!(dataset.values(), Values::Bytes(_));
    let mut facts = Facts::default();
    facts.add("kind", "data");
    facts.add("rows", dataset.rows());
    facts.add("columns", dataset.columns());
    facts.add("values", if bytes { "bytes" } else { "floats" });
    facts.add("image_shape", dataset.image_shape().map_or(Value::Null, |(height, width)| json!([height, width])));
    facts.add("least", decimals(&[least])[0].clone());
    facts.add("most", decimals(&[most])[0].clone());
    facts.add("column_names", dataset.column_names().map(<[String]>::to_vec));
    if let Some(labels) = dataset.labels() {
        let classes = labels.classes();
        facts.add("label", labels.name.clone());
        facts.add("classes", if classes.len() <= 100 { json!(classes) } else { json!(classes.len()) });
    }
    facts
}
