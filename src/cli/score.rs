//! `diabolo score`

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::Value;

use super::arguments::{ModelAndData, check_output};
use super::facts::{Facts, path};
use super::table::{Table, write_rows};
use crate::data::Dataset;
use crate::error::{Error, Place, Result};
use crate::file::check_writable;
use crate::matrix::Matrix;
use crate::model::Model;
use crate::score::{Threshold, ThresholdRule, average_precision, roc_auc};

/// Write the anomaly score of each row, as CSV: its reconstruction error, in the units that the model sees
///
/// The rows above a threshold are anomalies. The threshold is chosen from the scores, or read from the model's file.
#[derive(Debug, Args)]
pub struct Score {
    #[command(flatten)]
    input: ModelAndData,
    /// Also write what each column adds to the score
    #[arg(long)]
    by_column: bool,
    #[command(flatten)]
    threshold: ThresholdArguments,
    #[command(flatten)]
    classes: ClassArguments,
    /// Where to write the scores [default: standard output, unless facts are asked for: by --json, --keep, --anomaly or
    /// --normal]
    #[arg(long, short = 'o', value_name = "FILE")]
    out: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// The choice of the score above which a row is an anomaly.
#[derive(Debug, Args)]
struct ThresholdArguments {
    /// Use this quantile of the scores as the threshold, as in 0.99
    #[arg(long, group = "rule", value_name = "SHARE", allow_negative_numbers = true)]
    quantile: Option<f64>,
    /// Use a threshold this many times 1.4826 median absolute deviations above the median, as in 3
    #[arg(long, group = "rule", value_name = "TIMES", allow_negative_numbers = true)]
    mad: Option<f64>,
    /// Use the smallest threshold that leaves at most this share of the normal rows above it, as in 0.01
    #[arg(long, group = "rule", value_name = "SHARE", allow_negative_numbers = true, requires = "classes")]
    false_positive_rate: Option<f64>,
    /// Keep the threshold in the model's file
    #[arg(long, requires = "rule")]
    keep: bool,
    /// Fail if there is no threshold above which rows are anomalies
    #[arg(long)]
    verdict: bool,
}

impl ThresholdArguments {
    fn rule(&self) -> Option<ThresholdRule> {
        let quantile = self.quantile.map(ThresholdRule::Quantile);
        quantile.or(self.mad.map(ThresholdRule::Mad)).or(self.false_positive_rate.map(ThresholdRule::FalsePositiveRate))
    }
}

/// The labels by which rows are known to be anomalies.
#[derive(Debug, Args)]
struct ClassArguments {
    /// The labels of the anomalies: measures how well the scores separate them from the other rows
    #[arg(long, group = "classes", value_name = "LABEL,…", value_delimiter = ',')]
    anomaly: Option<Vec<String>>,
    /// The labels of the normal rows: all other rows are anomalies
    #[arg(long, group = "classes", value_name = "LABEL,…", value_delimiter = ',')]
    normal: Option<Vec<String>>,
}

impl ClassArguments {
    /// Whether each row is an anomaly, where that is said.
    fn is_anomaly(&self, dataset: &Dataset) -> Result<Option<Vec<bool>>> {
        let (names, named) = match (&self.anomaly, &self.normal) {
            (Some(names), _) => (names, true),
            (_, Some(names)) => (names, false),
            (None, None) => return Ok(None),
        };
        let Some(labels) = dataset.labels() else {
            let problem = "its rows have no labels to tell anomalies by; name them with --label or --labels";
            return Err(Place::named(dataset.source()).error(problem));
        };
        labels.check_known(names).map_err(|error| error.of(dataset.source()))?;
        Ok(Some(labels.values.iter().map(|label| names.contains(label) == named).collect()))
    }
}

impl Score {
    pub fn run(&self) -> Result<()> {
        let rule = self.threshold.rule();
        rule.map_or(Ok(()), |rule| rule.check())?;
        check_output(self.out.as_deref(), &self.input.paths())?;
        // What cannot be written fails before the work is done.
        if self.threshold.keep {
            check_model_file(&self.input.model)?;
        }
        let (mut model, dataset) = self.input.read()?;
        let is_anomaly = self.classes.is_anomaly(&dataset)?;
        let scores = model.scores(&dataset)?;
        let of_source = |error: Error| error.of(dataset.source());
        let ranked = is_anomaly.map(|is_anomaly| Ranked::new(&scores, &is_anomaly)).transpose().map_err(of_source)?;
        // A false positive rate is a share of the normal rows; the other rules see all rows. Without a rule the model's
        // own threshold holds.
        let threshold = match (rule, &ranked) {
            (Some(rule @ ThresholdRule::FalsePositiveRate(_)), Some(ranked)) => Some(rule.choose(&ranked.normal)),
            (Some(rule), _) => Some(rule.choose(&scores)),
            (None, _) => model.threshold.map(Ok),
        };
        let threshold = threshold.transpose().map_err(of_source)?;
        if self.threshold.verdict && threshold.is_none() {
            let problem =
                "it keeps no threshold; choose one by --quantile, --mad or --false-positive-rate, and --keep it";
            return Err(Place::file(&self.input.model).error(problem));
        }
        // Scores go to standard output unless facts do.
        let wants_facts = self.out.is_some() || self.json || self.threshold.keep || ranked.is_some();
        if self.out.is_some() || !wants_facts {
            self.write(&model, &dataset, &scores, threshold)?;
        }
        // Last, so that a failure before it leaves the model file untouched.
        if self.threshold.keep {
            model.threshold = threshold;
            model.save(&self.input.model)?;
        }
        match wants_facts {
            true => self.facts(&scores, threshold, ranked).print(self.json),
            false => Ok(()),
        }
    }

    fn write(&self, model: &Model, dataset: &Dataset, scores: &[f32], threshold: Option<Threshold>) -> Result<()> {
        let mut header = vec!["score".to_string()];
        if self.by_column {
            let name = |column: usize| match &model.column_names {
                Some(names) => format!("error_{}", names[column]),
                None => format!("error_{}", column + 1),
            };
            header.extend((0..dataset.columns()).map(name));
        }
        header.extend(threshold.map(|_| "is_anomaly".to_string()));
        let rows = |scores: &[f32], parts: Option<&Matrix>| {
            let mut rows = Matrix::zeros(scores.len(), header.len());
            for (index, &score) in scores.iter().enumerate() {
                let parts = parts.map_or(&[][..], |parts| parts.row(index));
                let verdict = threshold.map(|threshold| f32::from(u8::from(threshold.is_above(score))));
                let cells = [score].into_iter().chain(parts.iter().copied()).chain(verdict);
                rows.row_mut(index).iter_mut().zip(cells).for_each(|(out, cell)| *out = cell);
            }
            rows
        };
        let labels = self.input.asked_labels(dataset);
        let table = Table { header: Some(&header), columns: header.len(), labels };
        write_rows(self.out.as_deref(), &table, |visit| match self.by_column {
            true => model.score_each(dataset, |scores, parts| visit(&rows(scores, Some(parts)))),
            false => visit(&rows(scores, None)),
        })
    }

    fn facts(&self, scores: &[f32], threshold: Option<Threshold>, ranked: Option<Ranked>) -> Facts {
        let ranked = ranked.as_ref();
        let rate = |of: fn(&Ranked) -> &Vec<f32>| Some(threshold?.share_above(of(ranked?)));
        let mut facts = Facts::default();
        facts.add("scores", self.out.as_deref().map_or(Value::Null, path));
        facts.add("rows", scores.len());
        facts.add("error_per_row", scores.iter().copied().map(f64::from).sum::<f64>() / scores.len() as f64);
        facts.add("threshold", threshold.map(|threshold| threshold.value));
        facts.add("chosen_by", threshold.map(|threshold| threshold.rule.to_string()));
        facts.add("share_above", threshold.map(|threshold| threshold.share_above(scores)));
        facts.add("anomalies", ranked.map(|ranked| ranked.anomalies.len()));
        facts.add("roc_auc", ranked.map(|ranked| ranked.roc_auc));
        facts.add("average_precision", ranked.map(|ranked| ranked.average_precision));
        facts.add("true_positive_rate", rate(|ranked| &ranked.anomalies));
        facts.add("false_positive_rate", rate(|ranked| &ranked.normal));
        facts
    }
}

/// The scores of rows that are labelled as normal or as anomalies.
struct Ranked {
    anomalies: Vec<f32>,
    normal: Vec<f32>,
    roc_auc: f64,
    average_precision: f64,
}

impl Ranked {
    fn new(scores: &[f32], is_anomaly: &[bool]) -> Result<Self> {
        let of = |kind: bool| scores.iter().zip(is_anomaly).filter(|row| *row.1 == kind).map(|row| *row.0).collect();
        let (roc_auc, average_precision) = (roc_auc(scores, is_anomaly)?, average_precision(scores, is_anomaly)?);
        Ok(Self { anomalies: of(true), normal: of(false), roc_auc, average_precision })
    }
}

/// Fails now, rather than after the work, where a threshold cannot be kept.
fn check_model_file(model: &Path) -> Result<()> {
    if model.exists() && !model.is_file() {
        return Err(Place::file(model).error("this is no regular file; a threshold is kept in a model's file alone"));
    }
    check_writable(model)
}
