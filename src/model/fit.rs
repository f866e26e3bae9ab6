//! Fitting a model to a data set, in one call.

use std::time::Instant;

use super::options::{AutoencoderOptions, DataSettings, FitOptions, FitSettings, HeldOut};
use super::{Body, Model, Provenance};
use crate::data::{Dataset, Scaling, ScalingChoice};
use crate::error::{Error, Place, Result};
use crate::evaluate::evaluate;
use crate::matrix::Matrix;
use crate::mixture::Mixture;
use crate::network::{Architecture, Network};
use crate::pca::{Pca, PcaOptions};
use crate::random;
use crate::rows::{Rows, Subset, for_each_chunk};
use crate::train::{End, History, Observer, TrainOptions, Trainer, check_pairs, find_learning_rate, pretrain, train};

/// The most training rows whose codes the mixture is fitted to.
const MIXTURE_ROWS: usize = 5000;

/// The rows that are held out, to measure a model's error on rows that it has not seen.
#[derive(Clone, Copy, Debug, Default)]
pub enum Validation<'a> {
    /// None.
    #[default]
    None,
    /// A share of the rows, drawn at random by the seed; between 0 and 1.
    Fraction(f64),
    /// All rows of another data set.
    Rows(&'a Dataset),
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
    /// The seconds that the fit took, without reading and measuring.
    pub seconds: f64,
    /// The indices of the data set's rows that were held out; none where the validation rows came from another set.
    pub held_out: Vec<usize>,
}

/// Trains an auto-encoder.
///
/// # Errors
/// The errors of [`train`]; and when the data is too small to hold rows out, or the validation rows have another width.
pub fn fit_autoencoder(
    dataset: &Dataset,
    options: &AutoencoderOptions,
    validation: Validation<'_>,
    observer: &mut dyn Observer,
) -> Result<Fitted> {
    // The seed splits the rows, draws the first weights, shuffles and fits the mixture: each has a generator of its own.
    let seed = options.train.seed;
    let split = Split::new(dataset, validation, options.scaling, seed)?;
    let mut network = untrained(options, split.training.len())?;
    let mut options = options.clone();
    let (history, end) = split
        .with_rows(|training, held_out| {
            // The model keeps the rate that was found, so that its settings repeat the run without the search.
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
    // The last weights may be finite and still give an error that is not: the run diverged in its last epoch.
    let TrainOptions { epochs, rate, .. } = options.train;
    let diverged = |error| Error::Diverged { epoch: epochs, error, learning_rate: rate.base };
    let held_out = split.held_out_of_the_same();
    let mut model =
        split.into_model(Body::Autoencoder(network), seed, FitOptions::Autoencoder(Box::new(options)), diverged)?;
    model.provenance.epochs = history.errors(Provenance::MOST_EPOCHS);
    Ok(Fitted { model, history, end, seconds, held_out })
}

/// Checks whether an auto-encoder can be trained with these options, without training it, and returns the settings that
/// its model would have.
///
/// # Errors
/// The errors of [`fit_autoencoder`] before its first step.
pub fn plan_autoencoder(
    dataset: &Dataset,
    options: &AutoencoderOptions,
    validation: Validation<'_>,
) -> Result<FitSettings> {
    let split = Split::new(dataset, validation, options.scaling, options.train.seed)?;
    let mut network = untrained(options, split.training.len())?;
    split
        .with_rows(|training, held_out| Trainer::new(&mut network, training, held_out, &options.train).map(drop))
        .map_err(|error| error.of(dataset.source()))?;
    Ok(split.settings(FitOptions::Autoencoder(Box::new(options.clone()))))
}

/// The network before its first step in a run over `rows` rows.
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
/// The errors of [`Pca::fit`]; and when the data is too small to hold rows out, or the validation rows have another width.
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
    let settings = FitOptions::Pca { scaling, options: options.clone() };
    let model = split.into_model(Body::Pca(pca), options.seed, settings, too_large)?;
    Ok(Fitted { model, history: History::default(), end: End::Epochs, seconds, held_out })
}

/// A data set divided into training and held-out rows, and its scaling.
struct Split<'a> {
    dataset: &'a Dataset,
    scaling: Scaling,
    training: Vec<usize>,
    held_out: Option<(&'a Dataset, Vec<usize>)>,
    validation: Option<HeldOut>,
}

impl<'a> Split<'a> {
    fn new(dataset: &'a Dataset, validation: Validation<'a>, scaling: ScalingChoice, seed: u64) -> Result<Self> {
        let all = |dataset: &Dataset| (0..dataset.rows()).collect();
        let (training, held_out, validation) = match validation {
            Validation::None => (all(dataset), None, None),
            Validation::Fraction(fraction) => {
                let count = held_out_count(dataset, fraction)?;
                let (training, held_out) = random::split(dataset.rows(), count, seed);
                (training, Some((dataset, held_out)), Some(HeldOut::Share(fraction)))
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
                (all(dataset), Some((other, all(other))), Some(HeldOut::Source(other.source().into())))
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

    /// The settings of a fit to this data.
    fn settings(&self, options: FitOptions) -> FitSettings {
        FitSettings { data: DataSettings::new(self.dataset, self.validation.clone()), options }
    }

    /// The distribution of codes, fitted to a few thousand training rows, evenly spread; none for a variational network,
    /// whose codes have a prior, or where codes are too wide.
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

    /// The model, with its errors on training and held-out rows.
    ///
    /// # Errors
    /// The error that `not_finite` makes of the error per row, when this is not finite; and when rows cannot be read.
    fn into_model(
        self,
        body: Body,
        seed: u64,
        options: FitOptions,
        not_finite: impl FnOnce(f64) -> Error,
    ) -> Result<Model> {
        let (training, validation) = self.with_rows(|training, held_out| {
            Ok((evaluate(&body, training)?, held_out.map(|held_out| evaluate(&body, held_out)).transpose()?))
        })?;
        // The network or the components may be finite and their reconstructions not: such a model is of no use, and
        // neither are held-out rows for which this holds.
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
            settings: self.settings(options),
            training,
            validation,
            epochs: Vec::new(),
        };
        let column_names = self.dataset.column_names().map(<[String]>::to_vec);
        let (code_mixture, image_shape) = (self.code_mixture(&body, seed)?, self.dataset.image_shape());
        Ok(Model { body, scaling: self.scaling, column_names, provenance, threshold: None, code_mixture, image_shape })
    }
}

/// Checks that this machine has the memory to train a network with buffers of `elements` elements
/// ([`TrainOptions::elements`]) and activations of `batch_rows` rows.
///
/// # Errors
/// [`Error::Setting`] when the memory cannot be reserved.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Activations;

    #[test]
    fn a_network_beyond_all_memory_is_an_error() {
        let architecture = |sizes: &str| Architecture::new(sizes.parse().unwrap(), Activations::default(), true);
        assert!(check_memory(&architecture("4,2,4"), 3, 1000).is_ok());
        let message = check_memory(&architecture("1000000000,1,1000000000"), 3, 1 << 40).unwrap_err().to_string();
        assert!(message.contains("`1000000000,1,1000000000` needs"), "{message}");
    }
}
