//! `diabolo restore`

use std::path::{Path, PathBuf};

use clap::Args;

use super::arguments::{ModelAndData, check_output};
use super::facts::{Facts, path};
use super::table::{Table, write_rows};
use crate::augment::{Corruption, Hiding};
use crate::data::{Dataset, Missing};
use crate::error::{Error, Result};
use crate::matrix::Matrix;
use crate::model::Model;
use crate::restore::{FillOptions, Filling, Improvement, Truth, denoise, denoise_corrupted, fill};

/// Clean corrupted rows, or fill in missing cells
///
/// Each row becomes its reconstruction. Where cells are missing (empty, NA or NaN in a CSV file, or by --mask or
/// --missing), only those are filled in, and all others stay as they are. A row whose rounds diverge keeps its starting
/// values.
///
/// With --clean, --corrupt or --missing the errors before and after are printed, in the units that the model sees; with
/// the latter two, DATA is the truth.
#[derive(Debug, Args)]
pub struct Restore {
    #[command(flatten)]
    input: ModelAndData,
    /// Where to write the rows, as CSV in the data's own units [default: standard output, unless errors are measured or
    /// --json is asked for]
    #[arg(long, short = 'o', value_name = "FILE")]
    out: Option<PathBuf>,
    /// The clean rows, to measure errors against
    #[arg(long, value_name = "FILE")]
    clean: Option<String>,
    /// Corrupt DATA, which is clean, in this way first
    #[arg(long, value_name = Corruption::FORMS, conflicts_with_all = ["clean", "mask", "missing"])]
    corrupt: Option<Corruption>,
    /// Rows like DATA, or one row for all: where a cell is not 0, DATA's is missing
    #[arg(long, value_name = "FILE")]
    mask: Option<String>,
    /// Hide cells of DATA, and measure how well they are filled in
    #[arg(long, value_name = Hiding::FORMS, conflicts_with_all = ["clean", "mask"])]
    missing: Option<Hiding>,
    /// The most rounds of filling in [default: 1 for a network that was trained with hidden elements, else 100]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    rounds: Option<usize>,
    /// A row is filled in when a round changes it by no more than this share of its length
    #[arg(long, default_value_t = FillOptions::default().tolerance, value_name = "SHARE", allow_negative_numbers = true)]
    tolerance: f64,
    /// The seed of --corrupt and --missing
    #[arg(long, default_value_t = 1, allow_negative_numbers = true)]
    seed: u64,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

impl Restore {
    pub fn run(&self) -> Result<()> {
        let beside = [&self.clean, &self.mask].into_iter().flatten().map(Path::new);
        check_output(self.out.as_deref(), &self.input.paths().into_iter().chain(beside).collect::<Vec<_>>())?;
        let (model, dataset, missing) = self.input.read_incomplete()?;
        let clean = self.clean.as_ref().map(|clean| self.input.read_beside(clean, &model)).transpose()?;
        let mut facts = Facts::default();
        facts.add("rows", dataset.rows());
        if self.missing.is_some() || self.mask.is_some() || missing.count() > 0 {
            self.fill(&model, &dataset, missing, clean.as_ref(), &mut facts)?;
        } else if self.rounds.is_some() {
            let problem = "no cell is missing, so that none is filled in; leave it out, or hide some (missing)".into();
            return Err(Error::Setting { name: "rounds", problem });
        } else {
            self.denoise(&model, &dataset, clean.as_ref(), &mut facts)?;
        }
        if let Some(out) = &self.out {
            facts.add("out", path(out));
        }
        if self.rows_are_printed() { Ok(()) } else { facts.print(self.json) }
    }

    /// Whether the rows are the only output.
    fn rows_are_printed(&self) -> bool {
        let measures = self.clean.is_some() || self.corrupt.is_some() || self.missing.is_some();
        self.out.is_none() && !measures && !self.json
    }

    fn denoise(&self, model: &Model, dataset: &Dataset, clean: Option<&Dataset>, facts: &mut Facts) -> Result<()> {
        let improvement = self.each(model, dataset, |visit| match self.corrupt {
            Some(corruption) => denoise_corrupted(model, dataset, corruption, self.seed, visit).map(Some),
            None => denoise(model, dataset, clean, visit),
        })?;
        if let Some(corruption) = self.corrupt {
            facts.add("corrupt", corruption.to_string());
            facts.add("seed", self.seed);
        }
        if let Some(improvement @ Improvement { peak, mse_before, mse_after, .. }) = improvement {
            facts.add("peak", peak);
            facts.add("mse_before", mse_before);
            facts.add("mse_after", mse_after);
            facts.add("psnr_before", improvement.psnr_before());
            facts.add("psnr_after", improvement.psnr_after());
        }
        Ok(())
    }

    fn fill(
        &self,
        model: &Model,
        dataset: &Dataset,
        empty: Missing,
        clean: Option<&Dataset>,
        facts: &mut Facts,
    ) -> Result<()> {
        if let Some(corruption) = self.corrupt {
            let source = dataset.source();
            return Err(Error::Mismatch(format!("{source}: cells are missing; {corruption} is for rows without gaps")));
        }
        // Cells hidden by an option come on top of those that are empty in the file.
        let hidden = match (&self.missing, &self.mask) {
            (Some(hiding), _) => {
                Missing::hidden(dataset, *hiding, self.seed).map_err(|error| error.of(dataset.source()))?
            }
            (_, Some(mask)) => Missing::masked(dataset, &self.input.read_mask(mask, model)?)?,
            _ => Missing::none(dataset.rows(), dataset.columns()),
        };
        // An error needs a true value: the clean rows have one for every missing cell, the rows themselves only for
        // the hidden cells that were not empty before.
        let measured = match clean {
            Some(_) => hidden.clone().or(&empty),
            None => hidden.clone().without(&empty),
        };
        let missing = hidden.or(&empty);
        let rows = clean.or(self.missing.map(|_| dataset));
        let truth = rows.map(|rows| Truth { rows, cells: &measured });
        let options = FillOptions { start: None, rounds: self.rounds, tolerance: self.tolerance };
        let filling = self.each(model, dataset, |visit| fill(model, dataset, &missing, truth, &options, visit))?;
        if let Some(hiding) = self.missing {
            facts.add("missing", hiding.to_string());
            facts.add("seed", self.seed);
        }
        let Filling { missing_cells, incomplete_rows, start, rounds, unsettled_rows, errors } = filling;
        facts.add("incomplete_rows", incomplete_rows);
        facts.add("missing_cells", missing_cells);
        facts.add("start", start.name());
        facts.add("rounds", rounds);
        // Whether a row settles shows from the second round on.
        if rounds > 1 {
            facts.add("unsettled_rows", unsettled_rows);
        }
        if let Some(errors) = errors {
            facts.add("mse_of_column_means", errors.mse_of_means);
            facts.add("mse", errors.mse);
        }
        Ok(())
    }

    /// Calls `work` with the sink of the restored rows: a file, standard output, or nothing where only errors are printed.
    fn each<T>(
        &self,
        model: &Model,
        dataset: &Dataset,
        work: impl FnOnce(&mut dyn FnMut(&Matrix) -> Result<()>) -> Result<T>,
    ) -> Result<T> {
        if self.out.is_none() && !self.rows_are_printed() {
            return work(&mut |_| Ok(()));
        }
        let labels = self.input.asked_labels(dataset);
        let table = Table { header: model.column_names.as_deref(), columns: model.body.columns(), labels };
        let mut result = None;
        write_rows(self.out.as_deref(), &table, |visit| {
            result = Some(work(visit)?);
            Ok(())
        })?;
        Ok(result.expect("rows are written only when the work is done"))
    }
}
