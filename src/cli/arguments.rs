//! Arguments that several subcommands share.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::Args;

use crate::data::{self, Columns, Dataset, Labels, Missing, ReadOptions, RowChoice, ScalingChoice};
use crate::error::{Error, Place, Result};
use crate::file;
use crate::model::{Model, Validation};

/// The columns of a data file that are features, and the one that is the label.
#[derive(Debug, Args)]
pub struct ColumnArguments {
    /// The columns to use, by name or number (from 1), in this order [default: all but the label]
    #[arg(long, short = 'c', value_delimiter = ',', value_name = "A,B,…")]
    pub columns: Option<Vec<String>>,
    /// A column that is not a feature: it is kept aside, and written beside codes and rows
    #[arg(long, short = 'l', value_name = "COLUMN")]
    pub label: Option<String>,
}

impl ColumnArguments {
    /// Reads a file or a built-in set; the `usual` columns, where the user chose none.
    pub fn read(&self, source: &str, usual: Columns) -> Result<Dataset> {
        data::read(source, &self.options(usual))
    }

    /// The options of reading; the `usual` columns, where the user chose none.
    pub fn options(&self, usual: Columns) -> ReadOptions {
        let columns = self.columns.clone().map_or(usual, Columns::Chosen);
        ReadOptions { columns, label: self.label.clone() }
    }

    /// The labels, where the user asked for them: built-in sets always have some.
    pub fn asked_labels<'a>(&self, dataset: &'a Dataset) -> Option<&'a Labels> {
        self.label.as_ref().and(dataset.labels())
    }
}

/// Labels in a file of their own, and rows that are chosen by their labels.
#[derive(Debug, Args)]
pub struct LabelsArgument {
    /// A file with a label for each row: IDX of one dimension, as MNIST's are, or one a line
    #[arg(long, value_name = "FILE", conflicts_with = "label")]
    labels: Option<String>,
    /// Take only the rows with these labels
    #[arg(long, value_name = "LABEL,…", value_delimiter = ',', conflicts_with = "without")]
    only: Option<Vec<String>>,
    /// Leave out the rows with these labels
    #[arg(long, value_name = "LABEL,…", value_delimiter = ',')]
    without: Option<Vec<String>>,
}

impl LabelsArgument {
    /// The chosen rows of a data set, with the labels of the file where one is given.
    pub fn apply(&self, mut dataset: Dataset) -> Result<Dataset> {
        if let Some(path) = &self.labels {
            let labels = data::read_labels(path, dataset.rows())?;
            dataset = dataset.with_labels(labels)?;
        }
        let choice = self.choice();
        if let Some(labels) = dataset.labels() {
            labels.check_known(choice.names()).map_err(|error| error.of(dataset.source()))?;
        }
        dataset.choose(choice)
    }

    /// The choice of rows.
    pub fn choice(&self) -> RowChoice {
        let only = self.only.clone().map(RowChoice::Only);
        only.or(self.without.clone().map(RowChoice::Without)).unwrap_or_default()
    }

    /// The file that is read.
    pub fn path(&self) -> Option<&Path> {
        self.labels.as_ref().map(Path::new)
    }
}

/// A fitted model, and data to use it on.
#[derive(Debug, Args)]
pub struct ModelAndData {
    /// A model file, as written by `train` or `pca`
    pub model: PathBuf,
    /// The rows to use.
    #[arg(help = format!("A {}", data::sources()))]
    pub data: String,
    #[command(flatten)]
    columns: ColumnArguments,
    #[command(flatten)]
    labels: LabelsArgument,
}

impl ModelAndData {
    /// The files that are read.
    pub fn paths(&self) -> Vec<&Path> {
        [self.model.as_path(), Path::new(&self.data)].into_iter().chain(self.labels.path()).collect()
    }

    /// Reads both, with the columns of the data that the model needs.
    pub fn read(&self) -> Result<(Model, Dataset)> {
        let model = Model::load(&self.model)?;
        let dataset = self.labels.apply(self.columns.read(&self.data, model.columns())?)?;
        Ok((model, dataset))
    }

    /// Reads both, and the mask of the data's missing cells.
    pub fn read_incomplete(&self) -> Result<(Model, Dataset, Missing)> {
        let model = Model::load(&self.model)?;
        let name = match self.labels.choice() {
            RowChoice::All => None,
            RowChoice::Only(_) => Some("only"),
            RowChoice::Without(_) => Some("without"),
        };
        if let Some(name) = name {
            let problem =
                "rows with missing cells are all taken, since masks and clean rows go with all; leave it out".into();
            return Err(Error::Setting { name, problem });
        }
        let (dataset, missing) = data::read_incomplete(&self.data, &self.columns.options(model.columns()))?;
        Ok((model, self.labels.apply(dataset)?, missing))
    }

    /// Reads other rows of the same columns.
    pub fn read_beside(&self, path: &str, model: &Model) -> Result<Dataset> {
        self.columns.read(path, model.columns())
    }

    /// Reads a mask of the same columns; it has no labels.
    pub fn read_mask(&self, path: &str, model: &Model) -> Result<Dataset> {
        data::read(path, &ReadOptions { label: None, ..self.columns.options(model.columns()) })
    }

    /// The labels, where the user asked for them, as a column or as a file.
    pub fn asked_labels<'a>(&self, dataset: &'a Dataset) -> Option<&'a Labels> {
        self.labels.labels.as_ref().and(dataset.labels()).or(self.columns.asked_labels(dataset))
    }
}

/// The data to fit, and its scaling.
#[derive(Debug, Args)]
pub struct DataArguments {
    /// The rows to use.
    #[arg(help = format!("A {}", data::sources()))]
    pub data: String,
    #[command(flatten)]
    pub columns: ColumnArguments,
    #[command(flatten)]
    labels: LabelsArgument,
    /// The scaling: auto divides bytes by 255 and changes nothing else; unit maps each column to [0, 1]; standard maps
    /// it to mean 0 and standard deviation 1
    #[arg(long, default_value_t = ScalingChoice::Auto, value_name = "auto|none|unit|standard")]
    pub scale: ScalingChoice,
    /// The seed of every random choice
    #[arg(long, default_value_t = 1, allow_negative_numbers = true)]
    pub seed: u64,
}

impl DataArguments {
    /// The files that [`read`](Self::read) reads.
    pub fn paths<'a>(&'a self, validation: Option<&'a ValidationArgument>) -> Vec<&'a Path> {
        let beside = [self.labels.path(), validation.and_then(ValidationArgument::path)];
        [Path::new(&self.data)].into_iter().chain(beside.into_iter().flatten()).collect()
    }

    /// Reads the data, and the validation file where one is named.
    pub fn read(&self, validation: Option<&ValidationArgument>) -> Result<(Dataset, Option<Dataset>)> {
        let dataset = self.labels.apply(self.columns.read(&self.data, Columns::All)?)?;
        let usual = || dataset.column_names().map_or(Columns::All, |names| Columns::Named(names.to_vec()));
        let validation = match validation {
            Some(ValidationArgument::File(path)) => {
                Some(self.columns.read(path, usual())?.choose(self.labels.choice())?)
            }
            _ => None,
        };
        Ok((dataset, validation))
    }
}

/// Rows to hold out: `0.1`, or a file.
#[derive(Clone, Debug)]
pub enum ValidationArgument {
    Fraction(f64),
    File(String),
}

impl FromStr for ValidationArgument {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        match text.parse() {
            Ok(fraction) if fraction > 0.0 && fraction < 1.0 => Ok(Self::Fraction(fraction)),
            Ok(_) => Err("a share of the rows lies between 0 and 1, as in 0.1".into()),
            Err(_) => Ok(Self::File(text.into())),
        }
    }
}

impl ValidationArgument {
    /// The file that is read.
    fn path(&self) -> Option<&Path> {
        match self {
            Self::Fraction(_) => None,
            Self::File(path) => Some(Path::new(path)),
        }
    }

    /// The validation rows, where `file` is the data set of a named file.
    pub fn resolve<'a>(argument: Option<&Self>, file: Option<&'a Dataset>) -> Validation<'a> {
        match (argument, file) {
            (Some(Self::Fraction(fraction)), _) => Validation::Fraction(*fraction),
            (_, Some(dataset)) => Validation::Rows(dataset),
            _ => Validation::None,
        }
    }
}

/// A whole number above 0.
pub fn at_least_one(text: &str) -> std::result::Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("at least 1 is needed".into()),
        Ok(number) => Ok(number),
        Err(_) => Err("a whole number above 0 is needed".into()),
    }
}

/// Fails now, rather than after the work, where a file cannot be written, or would take the place of one of `others`.
pub fn check_output(path: Option<&Path>, others: &[&Path]) -> Result<()> {
    let Some(path) = path else { return Ok(()) };
    check_apart(path, others)?;
    file::check_writable(path)
}

/// Fails where a file would take the place of one of `others`.
pub fn check_apart(path: &Path, others: &[&Path]) -> Result<()> {
    if others.iter().any(|other| file::is_same(path, other)) {
        let problem = "this file is read or written by the same command; write to another";
        return Err(Place::file(path).error(problem));
    }
    Ok(())
}
