//! Fitting a model to a data set, in one call.

use std::collections::BTreeMap;
use std::time::Instant;

use serde_json::{Value, json};

use super::{Body, Model, Provenance};
use crate::data::{Columns, Dataset, RowChoice, Scaling, ScalingChoice};
use crate::error::{Error, Place, Result};
use crate::evaluate::evaluate;
use crate::kernels::Activation;
use crate::matrix::Matrix;
use crate::mixture::Mixture;
use crate::network::{Activations, Architecture, Initialisation, LayerSizes, Network};
use crate::pca::{Pca, PcaOptions};
use crate::random;
use crate::rows::{Rows, Subset, for_each_chunk};
use crate::train::{End, History, Observer, TrainOptions, Trainer, check_pairs, find_learning_rate, pretrain, train};

/// How many training rows tell where codes lie, at most.
const MIXTURE_ROWS: usize = 5000;

/// Which rows are held out, to measure how a model does on rows that it has not seen.
#[derive(Clone, Copy, Debug, Default)]
pub enum Validation<'a> {
    /// None.
    #[default]
    None,
    /// A share of the rows, drawn at random by the seed; between 0 and 1.
    Fraction(f64),
    /// A data set of their own.
    Rows(&'a Dataset),
}

/// An auto-encoder to be, and how to train it.
#[derive(Clone, Debug)]
pub struct AutoencoderOptions {
    /// The sizes of its layers.
    pub layers: LayerSizes,
    /// Its activations.
    pub activations: Activations,
    /// Whether its layers have biases.
    pub bias: bool,
    /// Whether its codes are draws from distributions: see [`Architecture::into_variational`].
    pub variational: bool,
    /// How its weights start.
    pub initialisation: Initialisation,
    /// How the data is scaled.
    pub scaling: ScalingChoice,
    /// How many epochs each pair of layers is pretrained for; see [`pretrain`].
    pub pretraining_epochs: usize,
    /// Whether a learning rate is looked for first, and takes the place of that in `train`; see [`find_learning_rate`].
    pub find_learning_rate: bool,
    /// How it is trained.
    pub train: TrainOptions,
}

impl AutoencoderOptions {
    /// These layers and, for all else, what is usual: silu in the hidden layers, and a linear waist and output.
    pub fn new(layers: LayerSizes) -> Self {
        Self {
            layers,
            activations: Activations::hidden(Activation::Silu),
            bias: true,
            variational: false,
            initialisation: Initialisation::default(),
            scaling: ScalingChoice::default(),
            pretraining_epochs: 0,
            find_learning_rate: false,
            train: TrainOptions::default(),
        }
    }

    /// The layers that they ask for.
    pub fn architecture(&self) -> Architecture {
        let plain = Architecture::new(self.layers.clone(), self.activations, self.bias);
        if self.variational { plain.into_variational() } else { plain }
    }
}

/// A fitted model and how the fitting went.
#[derive(Clone, Debug)]
pub struct Fitted {
    /// The model.
    pub model: Model,
    /// The epochs of training; none for PCA.
    pub history: History,
    /// Why training ended; PCA is always done.
    pub end: End,
    /// Seconds that the fit took, reading and measuring not counted.
    pub seconds: f64,
    /// Which rows of the data set were held out; none where those came from another.
    pub held_out: Vec<usize>,
}

/// Trains an auto-encoder.
///
/// # Errors
/// Those of [`train`]; and when the data is too small to hold rows out, or the validation rows have another width.
pub fn fit_autoencoder(
    dataset: &Dataset,
    options: &AutoencoderOptions,
    validation: Validation<'_>,
    observer: &mut dyn Observer,
) -> Result<Fitted> {
    let seed = options.train.seed;
    let split = Split::new(dataset, validation, options.scaling, seed)?;
    let mut network = untrained(options, split.training.len())?;
    let mut options = options.clone();
    let (history, end) = split
        .with_rows(|training, held_out| {
            if options.find_learning_rate {
                options.train.rate.base = find_learning_rate(&network, training, &options.train, observer)?;
                options.find_learning_rate = false;
            }
            if options.pretraining_epochs > 0 {
                let first = TrainOptions { epochs: options.pretraining_epochs, ..options.train };
                pretrain(&mut network, training, &first, observer)?;
            }
            train(&mut network, training, held_out, &options.train, observer)
        })
        .map_err(|error| error.of(dataset.source()))?;
    let seconds = history.seconds();
    let TrainOptions { epochs, rate, .. } = options.train;
    let diverged = |error| Error::Diverged { epoch: epochs, error, learning_rate: rate.base };
    let held_out = split.held_out_of_the_same();
    let mut model = split.into_model(Body::Autoencoder(network), seed, autoencoder_settings(&options), diverged)?;
    model.provenance.epochs = history.errors(Provenance::MOST_EPOCHS);
    Ok(Fitted { model, history, end, seconds, held_out })
}

/// Finds out whether an auto-encoder can be trained in this way, without training it: the settings that its model would
/// have.
///
/// # Errors
/// Those of [`fit_autoencoder`] before its first step.
pub fn plan_autoencoder(
    dataset: &Dataset,
    options: &AutoencoderOptions,
    validation: Validation<'_>,
) -> Result<BTreeMap<String, Value>> {
    let split = Split::new(dataset, validation, options.scaling, options.train.seed)?;
    let mut network = untrained(options, split.training.len())?;
    split
        .with_rows(|training, held_out| Trainer::new(&mut network, training, held_out, &options.train).map(drop))
        .map_err(|error| error.of(dataset.source()))?;
    Ok(split.settings(autoencoder_settings(options)))
}

/// The network before its first step over so many rows.
fn untrained(options: &AutoencoderOptions, rows: usize) -> Result<Network> {
    let architecture = options.architecture();
    if options.pretraining_epochs > 0 {
        check_pairs(&architecture)?;
    }
    check_memory(&architecture, options.train.elements(&architecture, rows), options.train.rows_at_once(rows))?;
    Ok(Network::new(architecture, options.initialisation, options.train.seed))
}

/// Fits PCA.
///
/// # Errors
/// Those of [`Pca::fit`]; and when the data is too small to hold rows out, or the validation rows have another width.
pub fn fit_pca(
    dataset: &Dataset,
    scaling: ScalingChoice,
    options: &PcaOptions,
    validation: Validation<'_>,
) -> Result<Fitted> {
    let split = Split::new(dataset, validation, scaling, options.seed)?;
    let start = Instant::now();
    let pca = split.with_rows(|training, _| Pca::fit(training, options)).map_err(|error| error.of(dataset.source()))?;
    let seconds = start.elapsed().as_secs_f64();
    let too_large = |_| Place::named(dataset.source()).error("its values are too large; scale them (unit or standard)");
    let held_out = split.held_out_of_the_same();
    let model = split.into_model(Body::Pca(pca), options.seed, pca_settings(scaling, options), too_large)?;
    Ok(Fitted { model, history: History::default(), end: End::Epochs, seconds, held_out })
}

/// A data set, which of its rows are for what, and how they are scaled.
struct Split<'a> {
    dataset: &'a Dataset,
    scaling: Scaling,
    training: Vec<usize>,
    held_out: Option<(&'a Dataset, Vec<usize>)>,
    validation: Value,
}

impl<'a> Split<'a> {
    fn new(dataset: &'a Dataset, validation: Validation<'a>, scaling: ScalingChoice, seed: u64) -> Result<Self> {
        let all = |dataset: &Dataset| (0..dataset.rows()).collect();
        let (training, held_out, validation) = match validation {
            Validation::None => (all(dataset), None, Value::Null),
            Validation::Fraction(fraction) => {
                let count = held_out_count(dataset, fraction)?;
                let (training, held_out) = random::split(dataset.rows(), count, seed);
                (training, Some((dataset, held_out)), json!(fraction))
            }
            Validation::Rows(other) => {
                if other.columns() != dataset.columns() {
                    return Err(Error::Mismatch(format!(
                        "{}: its rows have {} columns, but those to train on have {}",
                        other.source(),
                        other.columns(),
                        dataset.columns()
                    )));
                }
                (all(dataset), Some((other, all(other))), json!(other.source()))
            }
        };
        let scaling = Scaling::fit(scaling, dataset, &training)?;
        Ok(Self { dataset, scaling, training, held_out, validation })
    }

    /// Calls `work` with the rows to train on and those held out, scaled.
    fn with_rows<T>(&self, work: impl FnOnce(&dyn Rows, Option<&dyn Rows>) -> Result<T>) -> Result<T> {
        let scaled = self.scaling.scaled(self.dataset);
        let training = Subset::new(&scaled, &self.training);
        match &self.held_out {
            None => work(&training, None),
            Some((dataset, rows)) => work(&training, Some(&Subset::new(&self.scaling.scaled(dataset), rows))),
        }
    }

    /// The rows that were held out of the data set itself.
    fn held_out_of_the_same(&self) -> Vec<usize> {
        match &self.held_out {
            Some((dataset, rows)) if std::ptr::eq(*dataset, self.dataset) => rows.clone(),
            _ => Vec::new(),
        }
    }

    /// Settings with those of the data.
    fn settings(&self, mut settings: BTreeMap<String, Value>) -> BTreeMap<String, Value> {
        let asked = self.dataset.read_options();
        let columns = match &asked.columns {
            Columns::Chosen(columns) => json!(columns),
            Columns::All | Columns::Named(_) => Value::Null,
        };
        settings.insert("columns".into(), columns);
        settings.insert("label".into(), json!(asked.label));
        settings.insert("validation".into(), self.validation.clone());
        match self.dataset.row_choice() {
            RowChoice::All => None,
            RowChoice::Only(labels) => settings.insert("only".into(), json!(labels)),
            RowChoice::Without(labels) => settings.insert("without".into(), json!(labels)),
        };
        settings
    }

    /// What a few thousand training rows, evenly spread, say of where codes lie; nothing for a variational network, whose
    /// codes have a prior, or where codes are too wide.
    fn code_mixture(&self, body: &Body, seed: u64) -> Result<Option<Mixture>> {
        let is_variational = matches!(body, Body::Autoencoder(network) if network.architecture().is_variational());
        if is_variational || body.code_size() > Mixture::WIDEST {
            return Ok(None);
        }
        self.with_rows(|training, _| {
            let count = training.rows().min(MIXTURE_ROWS);
            let rows: Vec<usize> = (0..count).map(|index| index * training.rows() / count).collect();
            let mut codes = Vec::with_capacity(count * body.code_size());
            for_each_chunk(&Subset::new(training, &rows), |chunk| {
                codes.extend_from_slice(body.encode(chunk).as_slice());
                Ok(())
            })?;
            Ok(Mixture::fit(&Matrix::from_slice(count, body.code_size(), &codes), seed))
        })
    }

    /// The model, unless its error is no finite number: then what `not_finite` makes of it.
    fn into_model(
        self,
        body: Body,
        seed: u64,
        settings: BTreeMap<String, Value>,
        not_finite: impl FnOnce(f64) -> Error,
    ) -> Result<Model> {
        let (training, validation) = self.with_rows(|training, held_out| {
            Ok((evaluate(&body, training)?, held_out.map(|held_out| evaluate(&body, held_out)).transpose()?))
        })?;
        if !training.error_per_row.is_finite() {
            return Err(not_finite(training.error_per_row));
        }
        if let (Some((dataset, _)), Some(errors)) = (&self.held_out, &validation)
            && !errors.error_per_row.is_finite()
        {
            let problem = "the error on these held-out rows is no finite number; they are too far from the others";
            return Err(Place::named(dataset.source()).error(problem));
        }
        let provenance = Provenance {
            version: env!("CARGO_PKG_VERSION").into(),
            rows: self.training.len(),
            seed,
            settings: self.settings(settings),
            training,
            validation,
            epochs: Vec::new(),
        };
        let column_names = self.dataset.column_names().map(<[String]>::to_vec);
        let (code_mixture, image_shape) = (self.code_mixture(&body, seed)?, self.dataset.image_shape());
        Ok(Model { body, scaling: self.scaling, column_names, provenance, threshold: None, code_mixture, image_shape })
    }
}

/// Refuses a network that this machine has no memory to train with so many elements of buffers
/// ([`TrainOptions::elements`]), in batches of so many rows.
///
/// # Errors
/// When the memory cannot be had.
pub fn check_memory(architecture: &Architecture, elements: usize, batch_rows: usize) -> Result<()> {
    let bytes = architecture.training_bytes(elements, batch_rows);
    Vec::<u8>::new().try_reserve_exact(bytes).map_err(|_| Error::Setting {
        name: "layers",
        problem: format!("`{}` needs {} GiB to train, more than can be had", architecture.sizes(), bytes >> 30),
    })
}

fn held_out_count(dataset: &Dataset, fraction: f64) -> Result<usize> {
    if !(fraction > 0.0 && fraction < 1.0) {
        let problem = format!("{fraction} is no share of the rows; it must lie between 0 and 1");
        return Err(Error::Setting { name: "validation", problem });
    }
    if dataset.rows() < 2 {
        return Err(Error::Mismatch(format!(
            "{}: of {} rows none can be held out; at least 2 are needed",
            dataset.source(),
            dataset.rows()
        )));
    }
    Ok(((dataset.rows() as f64 * fraction).round() as usize).clamp(1, dataset.rows() - 1))
}

fn autoencoder_settings(options: &AutoencoderOptions) -> BTreeMap<String, Value> {
    let AutoencoderOptions { activations, train, .. } = options;
    let mut settings = settings([
        ("layers", json!(options.layers)),
        ("activation", json!(activations.hidden.name())),
        ("code-activation", json!(activations.code.name())),
        ("output-activation", json!(activations.output.name())),
        ("no-bias", json!(!options.bias)),
        ("variational", json!(options.variational)),
        ("init", json!(options.initialisation.to_string())),
        ("pretrain", json!(options.pretraining_epochs)),
        ("scale", json!(options.scaling.to_string())),
    ]);
    settings.extend(train.settings());
    if options.find_learning_rate {
        settings.insert("learning-rate".into(), json!("auto"));
    }
    settings
}

fn pca_settings(scaling: ScalingChoice, options: &PcaOptions) -> BTreeMap<String, Value> {
    settings([
        ("components", json!(options.components.to_string())),
        ("center", json!(options.center)),
        ("whiten", json!(options.whiten)),
        ("solver", json!(options.solver.to_string())),
        ("scale", json!(scaling.to_string())),
    ])
}

fn settings<const COUNT: usize>(entries: [(&str, Value); COUNT]) -> BTreeMap<String, Value> {
    entries.into_iter().map(|(name, value)| (name.to_string(), value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_beyond_all_memory_is_an_error() {
        let architecture = |sizes: &str| {
            Architecture::new(sizes.parse().unwrap(), Activations::hidden(crate::kernels::Activation::Relu), true)
        };
        assert!(check_memory(&architecture("4,2,4"), 3, 1000).is_ok());
        let message = check_memory(&architecture("1000000000,1,1000000000"), 3, 1 << 40).unwrap_err().to_string();
        assert!(message.contains("`1000000000,1,1000000000` needs"), "{message}");
    }
}
