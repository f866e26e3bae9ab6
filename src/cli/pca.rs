//! `diabolo pca`

use std::path::PathBuf;

use clap::Args;

use super::arguments::{DataArguments, check_output};
use super::facts::{Facts, path};
use crate::error::Result;
use crate::model::{Body, Validation, fit_pca};
use crate::pca::{Components, PcaOptions, Solver};

/// Fit principal components and write their model file
#[derive(Debug, Args)]
pub struct Pca {
    #[command(flatten)]
    data: DataArguments,
    /// The number of components, or the share of the variance to keep, as in 0.95
    #[arg(long, short = 'k', allow_negative_numbers = true)]
    components: Components,
    /// The solver: auto takes randomized for few components of wide data, else jacobi, which is exact
    #[arg(long, default_value_t = Solver::Auto, value_name = "auto|jacobi|randomized")]
    solver: Solver,
    /// Do not subtract the mean
    #[arg(long)]
    no_center: bool,
    /// Scale codes to unit variance; decoding undoes it
    #[arg(long)]
    whiten: bool,
    /// Where to write the model
    #[arg(long, short = 'o', default_value = "pca.safetensors", value_name = "FILE")]
    out: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

impl Pca {
    pub fn run(&self) -> Result<()> {
        check_output(Some(&self.out), &self.data.paths(None))?;
        let (dataset, _) = self.data.read(None)?;
        let options = PcaOptions {
            components: self.components,
            solver: self.solver,
            center: !self.no_center,
            whiten: self.whiten,
            seed: self.data.seed,
        };
        let fitted = fit_pca(&dataset, self.data.scale, &options, Validation::None)?;
        fitted.model.save(&self.out)?;
        let errors = fitted.model.provenance.training;
        let mut facts = Facts::default();
        facts.add("model", path(&self.out));
        facts.add("rows", errors.rows);
        facts.add("columns", fitted.model.body.columns());
        facts.add("components", fitted.model.body.code_size());
        if let Body::Pca(pca) = &fitted.model.body {
            facts.add("explained_variance_ratio", pca.explained_variance_ratio());
        }
        facts.add("error_per_row", errors.error_per_row);
        facts.add("mse", errors.mse);
        facts.add("seconds", fitted.seconds);
        facts.print(self.json)
    }
}
