//! `diabolo report`

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::Value;

use super::arguments::{ColumnArguments, LabelsArgument, check_output};
use super::facts::{Facts, path};
use crate::data::{self, Dataset};
use crate::error::{Error, Result};
use crate::file::write_whole;
use crate::model::Model;
use crate::report::{self, Entry, Sample, Summary};

/// Write a page with pictures of fitted models, side by side: one HTML file that needs no network
#[derive(Debug, Args)]
pub struct Report {
    #[command(flatten)]
    input: ModelsAndData,
    /// Where to write the page
    #[arg(long, short = 'o', value_name = "FILE", default_value = "report.html")]
    out: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

impl Report {
    pub fn run(&self) -> Result<()> {
        check_output(Some(&self.out), &self.input.paths())?;
        let models = self.input.read_models()?;
        let dataset = self.input.read_data(&models)?;
        let entries = entries(&models);
        // Each model is measured on these rows, whatever it was fitted to: only then can the models be compared.
        let summaries =
            models.iter().map(|(_, model)| Summary::on(model, &dataset)).collect::<Result<Vec<Summary>>>()?;
        let names: Vec<&str> = entries.iter().map(|entry| entry.name).collect();
        let report = report::Report {
            title: format!("{}: {}", names.join(", "), dataset.source()),
            models: entries.iter().copied().zip(summaries.iter().cloned()).collect(),
            measured_on: format!("rows of {}", dataset.source()),
            sample: Sample::new(&dataset, &[])?,
            command: Some(command_line()),
        };
        // The page is complete before the file is touched, so a failure leaves the old one.
        let page = report.to_html()?;
        write_whole(&self.out, |out| out.write_all(page.as_bytes()))?;
        let mut facts = Facts::default();
        facts.add("report", path(&self.out));
        facts.add("rows", dataset.rows());
        if self.json {
            let models = names.iter().zip(&summaries).map(|(name, summary)| {
                let mut facts = Facts::default();
                facts.add("name", *name);
                facts.extend(summary.facts());
                facts.into_json()
            });
            facts.add("models", models.collect::<Value>());
        }
        facts.print(self.json)
    }
}

/// Fitted models, and rows to show them with.
#[derive(Debug, Args)]
pub struct ModelsAndData {
    /// Model files, as written by `train` or `pca`
    #[arg(required = true, value_name = "MODEL")]
    models: Vec<PathBuf>,
    /// The rows to use.
    #[arg(help = format!("A {}", data::sources()))]
    data: String,
    #[command(flatten)]
    columns: ColumnArguments,
    #[command(flatten)]
    labels: LabelsArgument,
}

impl ModelsAndData {
    /// The files that are read.
    pub fn paths(&self) -> Vec<&Path> {
        self.models.iter().map(PathBuf::as_path).chain([Path::new(&self.data)]).chain(self.labels.path()).collect()
    }

    /// The models, each with the name of its file.
    pub fn read_models(&self) -> Result<Vec<(String, Model)>> {
        read_models(&self.models)
    }

    /// The columns that the models take, which must be the same.
    pub fn read_data(&self, models: &[(String, Model)]) -> Result<Dataset> {
        let (name, first) = &models[0];
        if let Some((other, _)) = models.iter().find(|(_, model)| model.columns() != first.columns()) {
            return Err(Error::Mismatch(format!("{other}: it takes other columns than {name}")));
        }
        self.labels.apply(self.columns.read(&self.data, first.columns())?)
    }
}

/// Reads models, each with the name of its file.
pub fn read_models(paths: &[PathBuf]) -> Result<Vec<(String, Model)>> {
    let name = |path: &Path| path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
    paths.iter().map(|path| Ok((name(path), Model::load(path)?))).collect()
}

/// The models as figures name them.
pub fn entries(models: &[(String, Model)]) -> Vec<Entry<'_>> {
    models.iter().map(|(name, model)| Entry { name, model }).collect()
}

/// The command that was given, as a shell would take it.
pub fn command_line() -> String {
    let plain = |character: char| character.is_alphanumeric() || "-_./=,:+%@".contains(character);
    let quote = |word: String| match word.is_empty() || !word.chars().all(plain) {
        true => format!("'{}'", word.replace('\'', "'\\''")),
        false => word,
    };
    let words = std::env::args_os().skip(1).map(|word| quote(word.to_string_lossy().into_owned()));
    std::iter::once("diabolo".to_string()).chain(words).collect::<Vec<_>>().join(" ")
}
