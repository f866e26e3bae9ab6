//! The options of a fit, as its model keeps them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::augment::Corruption;
use crate::data::{Columns, Dataset, RowChoice, ScalingChoice};
use crate::network::{Activations, Architecture, Initialisation, LayerSizes};
use crate::pca::PcaOptions;
use crate::settings::by_name;
use crate::train::TrainOptions;

/// The architecture of an auto-encoder, and how to train it.
///
/// Fill it in with `..AutoencoderOptions::new(layers)`. Its serde form is one flat map of settings, where all but the seed
/// have the names of the command line's options; what is left out, but for the layers, takes its default.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AutoencoderOptions {
    /// The sizes of its layers.
    pub layers: LayerSizes,
    /// Its activations.
    #[serde(flatten)]
    pub activations: Activations,
    /// Whether its layers have biases.
    #[serde(rename = "no-bias", default = "biased", with = "negated")]
    pub bias: bool,
    /// Whether its codes are draws from distributions: see [`Architecture::into_variational`].
    #[serde(default)]
    pub variational: bool,
    /// The distribution of its initial weights.
    #[serde(rename = "init", default)]
    pub initialisation: Initialisation,
    /// How the data is scaled.
    #[serde(rename = "scale", default)]
    pub scaling: ScalingChoice,
    /// The number of epochs for which each pair of layers is pretrained; see [`pretrain`](crate::train::pretrain).
    #[serde(rename = "pretrain", default)]
    pub pretraining_epochs: usize,
    /// Whether a learning rate is searched for first, and takes the place of the one in `train`; see
    /// [`find_learning_rate`](crate::train::find_learning_rate).
    #[serde(skip)]
    pub find_learning_rate: bool,
    /// The options of its training.
    #[serde(flatten)]
    pub train: TrainOptions,
}

impl AutoencoderOptions {
    /// Options with `layers`, and the default of every other option.
    pub fn new(layers: LayerSizes) -> Self {
        Self {
            layers,
            activations: Activations::default(),
            bias: true,
            variational: false,
            initialisation: Initialisation::default(),
            scaling: ScalingChoice::default(),
            pretraining_epochs: 0,
            find_learning_rate: false,
            train: TrainOptions::default(),
        }
    }

    /// The architecture that the options describe.
    pub fn architecture(&self) -> Architecture {
        let plain = Architecture::new(self.layers.clone(), self.activations, self.bias);
        if self.variational { plain.into_variational() } else { plain }
    }
}

/// The serde form of a flag whose setting is its negation.
mod negated {
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(flag: &bool, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bool(!flag)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
        bool::deserialize(deserializer).map(|flag| !flag)
    }
}

fn biased() -> bool {
    true
}

/// The learning rate of a run that searches for one first.
const AUTO: &str = "auto";

/// All settings of a fit: what was fitted to which data.
///
/// Its serde form is one flat map with the names of the command line's options.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "BTreeMap<String, Value>", into = "BTreeMap<String, Value>")]
pub struct FitSettings {
    /// The part of the data that was read, and the rows of it that were held out.
    pub data: DataSettings,
    /// What was fitted.
    pub options: FitOptions,
}

/// What is fitted.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum FitOptions {
    /// An auto-encoder.
    Autoencoder(Box<AutoencoderOptions>),
    /// Principal components.
    Pca {
        /// How the data is scaled.
        #[serde(rename = "scale")]
        scaling: ScalingChoice,
        /// The components.
        #[serde(flatten)]
        options: PcaOptions,
    },
}

/// The part of the data that was read, and the rows of it that were held out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct DataSettings {
    /// The columns that are features, where they were chosen.
    pub columns: Option<Vec<String>>,
    /// The column of the labels.
    pub label: Option<String>,
    /// The rows that were held out.
    pub validation: Option<HeldOut>,
    /// The labels of the rows that were used, where the choice named them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub only: Option<Vec<String>>,
    /// The labels of the rows that were left out, where the choice named them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub without: Option<Vec<String>>,
}

/// Rows that were held out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum HeldOut {
    /// A share of the rows.
    Share(f64),
    /// The rows of another source.
    Source(String),
}

impl DataSettings {
    /// The settings by which `dataset` was read, and the rows that were held out.
    pub(super) fn new(dataset: &Dataset, validation: Option<HeldOut>) -> Self {
        let asked = dataset.read_options();
        let columns = match &asked.columns {
            Columns::Chosen(columns) => Some(columns.clone()),
            Columns::All | Columns::Named(_) => None,
        };
        let (only, without) = match dataset.row_choice() {
            RowChoice::All => (None, None),
            RowChoice::Only(labels) => (Some(labels.clone()), None),
            RowChoice::Without(labels) => (None, Some(labels.clone())),
        };
        Self { columns, label: asked.label.clone(), validation, only, without }
    }
}

impl FitSettings {
    /// The options of the network's training; `None` for PCA.
    pub fn train(&self) -> Option<&TrainOptions> {
        match &self.options {
            FitOptions::Autoencoder(options) => Some(&options.train),
            FitOptions::Pca { .. } => None,
        }
    }

    /// The corruption that the network was trained to undo, if any.
    pub fn corruption(&self) -> Option<Corruption> {
        self.train().and_then(|train| train.augmentation.corruption)
    }

    /// All settings but the seed, by the names of the command line's options.
    pub fn by_name(&self) -> BTreeMap<String, Value> {
        let mut settings = by_name(&self.data);
        settings.extend(by_name(&self.options));
        if matches!(&self.options, FitOptions::Autoencoder(options) if options.find_learning_rate) {
            settings.insert("learning-rate".into(), json!(AUTO));
        }
        settings
    }

    /// The same settings with the seed, which model files keep apart.
    pub(super) fn with_seed(mut self, seed: u64) -> Self {
        match &mut self.options {
            FitOptions::Autoencoder(options) => options.train.seed = seed,
            FitOptions::Pca { options, .. } => options.seed = seed,
        }
        self
    }
}

impl From<FitSettings> for BTreeMap<String, Value> {
    fn from(settings: FitSettings) -> Self {
        settings.by_name()
    }
}

impl TryFrom<BTreeMap<String, Value>> for FitSettings {
    type Error = serde_json::Error;

    fn try_from(mut settings: BTreeMap<String, Value>) -> Result<Self, Self::Error> {
        let is_autoencoder = settings.contains_key("layers");
        let find_learning_rate = settings.get("learning-rate").is_some_and(|rate| rate == AUTO);
        if find_learning_rate {
            settings.remove("learning-rate");
        }
        let settings = Value::Object(settings.into_iter().collect());
        let data = DataSettings::deserialize(&settings)?;
        // Only an auto-encoder has layers. An untagged enum would choose too, but hide which setting is wrong.
        let options = match is_autoencoder {
            true => {
                let options = AutoencoderOptions::deserialize(&settings)?;
                FitOptions::Autoencoder(Box::new(AutoencoderOptions { find_learning_rate, ..options }))
            }
            false => {
                let scaling = settings.get("scale").map(ScalingChoice::deserialize).transpose()?.unwrap_or_default();
                FitOptions::Pca { scaling, options: PcaOptions::deserialize(&settings)? }
            }
        };
        Ok(Self { data, options })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_of_a_fit_are_read_as_they_are_written_with_a_rate_to_search_for_too() {
        for find_learning_rate in [false, true] {
            let options = AutoencoderOptions {
                find_learning_rate,
                bias: false,
                ..AutoencoderOptions::new("4,2,4".parse().unwrap())
            };
            let data = DataSettings { validation: Some(HeldOut::Share(0.1)), ..DataSettings::default() };
            let settings = FitSettings { data, options: FitOptions::Autoencoder(Box::new(options)) };
            let text = serde_json::to_string(&settings).unwrap();
            assert_eq!(text.contains(r#""learning-rate":"auto""#), find_learning_rate, "{text}");
            assert_eq!(serde_json::from_str::<FitSettings>(&text).unwrap(), settings);
        }
    }
}
