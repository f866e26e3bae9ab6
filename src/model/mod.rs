//! A fitted model: it encodes new rows and decodes codes, in the units of the user's data.

mod file;
mod fit;
mod generate;
mod header;
mod layers;
mod options;
mod score;

pub use fit::{Fitted, Validation, check_memory, fit_autoencoder, fit_pca, plan_autoencoder};
pub use layers::HiddenLayer;
pub use options::{AutoencoderOptions, DataSettings, FitOptions, FitSettings, HeldOut};

use serde::{Deserialize, Serialize};

use crate::augment::Augmentation;
use crate::data::{Columns, Dataset, Scaling};
use crate::error::{Error, Place, Result};
use crate::evaluate::{Errors, Reconstruct, evaluate};
use crate::kernels::Isa;
use crate::likelihood::{LogLikelihood, log_likelihood};
use crate::matrix::Matrix;
use crate::mixture::Mixture;
use crate::network::{Loss, Network};
use crate::pca::Pca;
use crate::rows::{Rows, check_unit_interval, for_each_chunk};
use crate::score::Threshold;
use crate::train::EpochErrors;

/// The encoder and decoder of a model, in the units in which they were fitted.
#[derive(Clone, Debug)]
pub enum Body {
    /// A trained auto-encoder.
    Autoencoder(Network),
    /// Principal components.
    Pca(Pca),
}

impl Body {
    /// Its kind, as model files name it: `autoencoder` or `pca`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Autoencoder(_) => "autoencoder",
            Self::Pca(_) => "pca",
        }
    }

    /// The number of columns of its rows.
    pub fn columns(&self) -> usize {
        match self {
            Self::Autoencoder(network) => network.architecture().sizes().input(),
            Self::Pca(pca) => pca.components().columns(),
        }
    }

    /// The number of columns of its codes.
    pub fn code_size(&self) -> usize {
        match self {
            Self::Autoencoder(network) => network.architecture().sizes().code(),
            Self::Pca(pca) => pca.components().rows(),
        }
    }

    /// The sizes of its layers, from input to output; PCA has one layer in each direction.
    pub fn layer_sizes(&self) -> Vec<usize> {
        match self {
            Self::Autoencoder(network) => network.architecture().sizes().as_slice().to_vec(),
            Self::Pca(_) => vec![self.columns(), self.code_size(), self.columns()],
        }
    }

    /// The number of learned parameters: weights and biases, or components and mean.
    pub fn parameters(&self) -> usize {
        match self {
            Self::Autoencoder(network) => network.architecture().parameters(),
            Self::Pca(pca) => self.columns() * (self.code_size() + usize::from(pca.center())),
        }
    }

    fn encode(&self, rows: &Matrix) -> Matrix {
        match self {
            Self::Autoencoder(network) => network.encode(rows),
            Self::Pca(pca) => pca.encode(rows),
        }
    }

    fn decode(&self, codes: &Matrix) -> Matrix {
        match self {
            Self::Autoencoder(network) => network.decode(codes),
            Self::Pca(pca) => pca.decode(codes),
        }
    }
}

impl Reconstruct for Body {
    fn reconstruct(&self, rows: &Matrix) -> Matrix {
        self.decode(&self.encode(rows))
    }

    fn isa(&self) -> Isa {
        match self {
            Self::Autoencoder(network) => network.isa(),
            Self::Pca(pca) => pca.isa(),
        }
    }
}

/// The origin of a model, without the time of day, so that the same run gives the same file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Provenance {
    /// The version of this crate that fitted it.
    pub version: String,
    /// The number of rows on which it was fitted.
    pub rows: usize,
    /// The seed of every random choice.
    pub seed: u64,
    /// All settings of the fit.
    pub settings: FitSettings,
    /// The error on the rows on which it was fitted.
    pub training: Errors,
    /// The error on the rows that were held out.
    pub validation: Option<Errors>,
    /// The epochs of training, or [`Provenance::MOST_EPOCHS`] of them, evenly spread, where there were more. None for PCA.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub epochs: Vec<EpochErrors>,
}

impl Provenance {
    /// The largest number of epochs that are kept.
    pub const MOST_EPOCHS: usize = 1000;
}

/// A fitted model, with everything needed to use it on new data.
///
/// ```
/// use diabolo::data::{self, ReadOptions, ScalingChoice};
/// use diabolo::model::{Model, Validation, fit_pca};
/// use diabolo::pca::{Components, PcaOptions};
///
/// let iris = data::read("iris", &ReadOptions::default())?;
/// let options = PcaOptions { components: Components::Count(2), ..PcaOptions::default() };
/// let fitted = fit_pca(&iris, ScalingChoice::Auto, &options, Validation::None)?;
/// let codes = fitted.model.encode(&iris)?;
/// assert_eq!((codes.rows(), codes.columns()), (150, 2));
/// let rows = fitted.model.decode(&codes)?; // in centimetres again
/// assert!((rows.row(0)[0] - 5.1).abs() < 0.1);
/// # Ok::<(), diabolo::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Model {
    /// The encoder and decoder.
    pub body: Body,
    /// The map from the user's units to the body's, and back.
    pub scaling: Scaling,
    /// The names of the columns, where the data had names.
    pub column_names: Option<Vec<String>>,
    /// The data, settings and errors of its fit.
    pub provenance: Provenance,
    /// The score above which a row is an anomaly, where one was chosen and kept.
    pub threshold: Option<Threshold>,
    /// The distribution of the training rows' codes; see [`Model::code_distribution`].
    pub code_mixture: Option<Mixture>,
    /// Height and width in pixels, where the rows are images.
    pub image_shape: Option<(usize, usize)>,
}

impl Model {
    /// The columns to read from a file for this model: by name where both have names, else all of them.
    pub fn columns(&self) -> Columns {
        self.column_names.clone().map_or(Columns::All, Columns::Named)
    }

    /// Checks that rows have the model's width.
    pub(crate) fn check_width(&self, dataset: &Dataset) -> Result<()> {
        if dataset.columns() == self.body.columns() {
            return Ok(());
        }
        Err(Error::Mismatch(format!(
            "{}: its rows have {} columns, but the model takes {}",
            dataset.source(),
            dataset.columns(),
            self.body.columns()
        )))
    }

    /// The codes of all rows: rows × code size.
    ///
    /// # Errors
    /// When the rows do not have the model's width, or their values are out of all proportion.
    pub fn encode(&self, dataset: &Dataset) -> Result<Matrix> {
        collect(dataset.rows(), self.body.code_size(), |visit| self.encode_each(dataset, visit))
    }

    /// The rows decoded from codes, in the user's units: rows × columns.
    ///
    /// # Errors
    /// When the codes do not have the width of the bottleneck, or their values are out of all proportion.
    pub fn decode(&self, codes: &dyn Rows) -> Result<Matrix> {
        collect(codes.rows(), self.body.columns(), |visit| self.decode_each(codes, visit))
    }

    /// The reconstruction of all rows, in the user's units: rows × columns, with the same bits as their decoded codes.
    ///
    /// # Errors
    /// When the rows do not have the model's width, or their values are out of all proportion.
    pub fn reconstruct(&self, dataset: &Dataset) -> Result<Matrix> {
        collect(dataset.rows(), self.body.columns(), |visit| self.reconstruct_each(dataset, visit))
    }

    /// As [`Model::encode`], some rows at a time, so that the codes need not all be held.
    ///
    /// # Errors
    /// As [`Model::encode`], and the errors of `visit`.
    pub fn encode_each(&self, dataset: &Dataset, visit: impl FnMut(&Matrix) -> Result<()>) -> Result<()> {
        self.encode_layer_each(dataset, self.code_layer(), visit)
    }

    /// As [`Model::decode`], some rows at a time, so that the rows need not all be held.
    ///
    /// # Errors
    /// As [`Model::decode`], and the errors of `visit`.
    pub fn decode_each(&self, codes: &dyn Rows, visit: impl FnMut(&Matrix) -> Result<()>) -> Result<()> {
        if codes.columns() != self.body.code_size() {
            return Err(Error::Mismatch(format!(
                "the codes have {} columns, but the model's bottleneck has {}",
                codes.columns(),
                self.body.code_size()
            )));
        }
        self.each_in_units(codes, |chunk| Ok(self.body.decode(chunk)), visit)
    }

    /// As [`Model::reconstruct`], some rows at a time, so that the rows need not all be held.
    ///
    /// # Errors
    /// As [`Model::reconstruct`], and the errors of `visit`.
    pub fn reconstruct_each(&self, dataset: &Dataset, visit: impl FnMut(&Matrix) -> Result<()>) -> Result<()> {
        self.check_width(dataset)?;
        let each = self.each_in_units(&self.scaling.scaled(dataset), |chunk| Ok(self.body.reconstruct(chunk)), visit);
        each.map_err(|error| error.of(dataset.source()))
    }

    /// Visits the output of `map` for all rows, in the user's units, some rows at a time.
    pub(crate) fn each_in_units(
        &self,
        rows: &dyn Rows,
        mut map: impl FnMut(&Matrix) -> Result<Matrix>,
        mut visit: impl FnMut(&Matrix) -> Result<()>,
    ) -> Result<()> {
        let mut done = 0;
        for_each_chunk(rows, |chunk| {
            let mut rows = map(chunk)?;
            for row in 0..rows.rows() {
                self.scaling.invert(rows.row_mut(row));
            }
            check_finite(&rows, done, "what is decoded")?;
            done += rows.rows();
            visit(&rows)
        })
    }

    /// The reconstruction error, in the units that the body sees.
    ///
    /// # Errors
    /// When the rows do not have the model's width.
    pub fn evaluate(&self, dataset: &Dataset) -> Result<Errors> {
        self.check_width(dataset)?;
        let errors = evaluate(&self.body, &self.scaling.scaled(dataset))?;
        if !errors.error_per_row.is_finite() {
            let problem = "the error is no finite number; the values are too far from the training rows";
            return Err(Place::named(dataset.source()).error(problem));
        }
        Ok(errors)
    }

    /// The largest number of codes that [`Model::log_likelihood`] draws for a row.
    pub const MOST_SAMPLES: usize = 1_000_000;

    /// The log-likelihood of rows under a variational model, in nats, estimated from `samples` codes drawn for each
    /// row; where the model was trained on binarised rows, these rows are binarised too.
    ///
    /// # Errors
    /// When the model is not variational, there are too many samples, or the rows do not have the model's width or are too
    /// far from the training rows.
    pub fn log_likelihood(&self, dataset: &Dataset, samples: usize) -> Result<LogLikelihood> {
        self.check_width(dataset)?;
        let network = match &self.body {
            Body::Autoencoder(network) if network.architecture().is_variational() => network,
            _ => {
                let problem = "the model is not variational, and holds no row to be more likely than another; train one \
                               that is (variational)";
                return Err(Error::Mismatch(problem.into()));
            }
        };
        if samples > Self::MOST_SAMPLES {
            let problem =
                format!("{samples} are more codes a row than {}, with which nothing changes", Self::MOST_SAMPLES);
            return Err(Error::Setting { name: "samples", problem });
        }
        // A likelihood depends on the distribution of a row given its code, which the loss of the training fixes, and on
        // the rows themselves: binarised ones have another likelihood than those they were drawn from.
        let train = self.provenance.settings.train();
        let loss = train.map_or(Loss::default(), |train| train.loss);
        let augmentation = train.map_or_else(Augmentation::default, |train| train.augmentation);
        let scaled = self.scaling.scaled(dataset);
        if loss == Loss::CrossEntropy || augmentation.binarisation.is_some() {
            check_unit_interval(&scaled, "this likelihood", "keep to the range of the training")
                .map_err(|error| error.of(dataset.source()))?;
        }
        // The model's own seed draws bits and codes, so that the same file and rows always give the same number.
        let seed = self.provenance.seed;
        let measured = augmentation.measured(&scaled, seed);
        let found = log_likelihood(network, measured.inputs(), loss, samples, seed)?;
        if !(found.log_likelihood.is_finite() && found.elbo.is_finite()) {
            let problem = "the likelihood is no finite number; the values are too far from the training rows";
            return Err(Place::named(dataset.source()).error(problem));
        }
        Ok(found)
    }

    /// Names for the columns of codes: `code_1`, `code_2`, …
    pub fn code_names(&self) -> Vec<String> {
        self.layer_column_names(self.code_layer())
    }
}

/// Checks that all elements are finite, because others could not be read back; `before` rows precede these.
pub(crate) fn check_finite(rows: &Matrix, before: usize, what: &str) -> Result<()> {
    match rows.as_slice().iter().position(|value| !value.is_finite()) {
        None => Ok(()),
        Some(index) => Err(Error::Mismatch(format!(
            "{what} of row {} is no finite number; the values are too far from the training rows",
            before + index / rows.columns() + 1
        ))),
    }
}

/// The matrix, `rows` × `columns`, of all rows that `each` visits.
fn collect(
    rows: usize,
    columns: usize,
    each: impl FnOnce(&mut dyn FnMut(&Matrix) -> Result<()>) -> Result<()>,
) -> Result<Matrix> {
    let mut all = Matrix::zeros(rows, columns);
    let mut start = 0;
    each(&mut |some| {
        all.as_mut_slice()[start..][..some.as_slice().len()].copy_from_slice(some.as_slice());
        start += some.as_slice().len();
        Ok(())
    })?;
    Ok(all)
}
