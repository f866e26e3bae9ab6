//! `diabolo probe`

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::Value;

use super::arguments::{ColumnArguments, LabelsArgument};
use super::facts::{Facts, print, print_side_by_side};
use crate::data::{self, Dataset};
use crate::error::{Error, Place, Result};
use crate::file::is_same;
use crate::model::Model;
use crate::probe::{DrawErrors, ProbeOptions, Probed, Scores, probe};

/// Measure how few labels a model's features need
///
/// Some rows of each class are drawn at random, and logistic regression and nearest neighbours are fitted to their features.
/// Printed is the mean share of test rows that these classify wrongly, in per cent, with its standard deviation over the
/// draws: for the model's features, for as many principal components, and for the columns themselves.
#[derive(Debug, Args)]
#[command(mut_arg("labels", |labels| labels.requires("test_labels").help(LABELS_HELP)))]
pub struct Probe {
    /// A model file, as written by `train` or `pca`
    model: PathBuf,
    #[arg(help = format!("The rows to draw from: a {}", data::sources()))]
    train: String,
    /// The rows to test on: a file or set of the same kind
    test: String,
    #[command(flatten)]
    columns: ColumnArguments,
    #[command(flatten)]
    labels: LabelsArgument,
    /// A file with a label for each row to test on, in the form of --labels
    #[arg(long, value_name = "FILE", requires = "labels")]
    test_labels: Option<String>,
    /// Labelled rows to draw from each class
    #[arg(long, short = 'n', allow_negative_numbers = true, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    labels_per_class: u32,
    /// The number of draws
    #[arg(long, default_value_t = 10, allow_negative_numbers = true, value_parser = clap::value_parser!(u32).range(1..=1000))]
    draws: u32,
    /// The layer whose output is probed: code, or layer_1, layer_2, … from the input on, as `inspect` lists them
    #[arg(long, value_name = "NAME", default_value = "code")]
    layer: String,
    /// The seed of the draws
    #[arg(long, default_value_t = 1, allow_negative_numbers = true)]
    seed: u64,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

const LABELS_HELP: &str =
    "A file with a label for each row to draw from: IDX of one dimension, as MNIST's are, or one a line";

impl Probe {
    pub fn run(&self) -> Result<()> {
        if is_same(Path::new(&self.train), Path::new(&self.test)) {
            let problem = "rows to draw from and rows to test on are the same; errors are those on other rows";
            return Err(Place::named(&self.test).error(problem));
        }
        let model = Model::load(&self.model)?;
        let layer = model.layer(&self.layer)?;
        let (train, test) = self.read(&model)?;
        let options = ProbeOptions {
            labels_per_class: self.labels_per_class as usize,
            draws: self.draws as usize,
            layer: Some(layer),
            seed: self.seed,
        };
        let probed = probe(&model, &train, &test, &options)?;
        match self.json {
            true => self.facts(&train, &test, &probed).print(true),
            false => self.print_table(&test, &probed),
        }
    }

    /// The rows to draw from and the rows to test on, both with labels.
    fn read(&self, model: &Model) -> Result<(Dataset, Dataset)> {
        let train = self.labels.apply(self.columns.read(&self.train, model.columns())?)?;
        let mut test = self.columns.read(&self.test, model.columns())?;
        if let Some(path) = &self.test_labels {
            let labels = data::read_labels(path, test.rows())?;
            test = test.with_labels(labels)?;
        }
        for dataset in [&train, &test] {
            if dataset.labels().is_none() {
                let problem = format!(
                    "the rows of {} have none; name a column of both files, or files by --labels and --test-labels",
                    dataset.source()
                );
                return Err(Error::Setting { name: "label", problem });
            }
        }
        // The choice of labels holds for both; `apply` has made it for the rows to draw from.
        let test = test.choose(self.labels.choice())?;
        Ok((train, test))
    }

    fn facts(&self, train: &Dataset, test: &Dataset, probed: &Probed) -> Facts {
        let mut all = Facts::default();
        all.add("classes", probed.classes);
        all.add("labels_per_class", self.labels_per_class);
        all.add("draws", self.draws);
        all.add("train_rows", train.rows());
        all.add("test_rows", test.rows());
        all.add("layer", self.layer.as_str());
        for (name, scores) in [("model", &probed.model), ("pca", &probed.pca), ("columns", &probed.columns)] {
            let mut facts = facts(scores);
            facts.add("logistic_errors", errors(&scores.logistic));
            facts.add("neighbours_errors", errors(&scores.neighbours));
            all.add(name, facts.into_json());
        }
        all
    }

    fn print_table(&self, test: &Dataset, probed: &Probed) -> Result<()> {
        let draws = if self.draws == 1 { "draw" } else { "draws" };
        print(&format!(
            "Errors in per cent on {} rows, over {} {draws} of {} labelled rows of each of {} classes\n\n",
            test.rows(),
            self.draws,
            self.labels_per_class,
            probed.classes
        ))?;
        let columns = [(self.layer.as_str(), &probed.model), ("PCA", &probed.pca), ("columns", &probed.columns)];
        print_side_by_side(&columns.map(|(title, scores)| (title.to_string(), facts(scores))))
    }
}

fn facts(scores: &Scores) -> Facts {
    let mut facts = Facts::default();
    facts.add("columns", scores.columns);
    let mut add = |[error, deviation]: [&'static str; 2], errors: &DrawErrors| {
        facts.add(error, 100.0 * errors.mean());
        facts.add(deviation, errors.deviation().map(|deviation| 100.0 * deviation));
    };
    add(["logistic_error", "logistic_deviation"], &scores.logistic);
    add(["neighbours_error", "neighbours_deviation"], &scores.neighbours);
    facts
}

fn errors(errors: &DrawErrors) -> Value {
    errors.as_slice().iter().map(|error| Value::from(100.0 * error)).collect()
}
