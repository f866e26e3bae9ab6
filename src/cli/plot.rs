//! `diabolo plot`

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use super::arguments::check_output;
use super::facts::{Facts, path};
use super::report::{ModelsAndData, entries, read_models};
use crate::error::{Error, Result};
use crate::file::write_whole;
use crate::report::{self, Figure, Sample};

/// Draw one picture, as SVG or PNG
#[derive(Debug, Args)]
pub struct Plot {
    #[command(subcommand)]
    kind: Kind,
    /// Where to write it: FILE.svg or FILE.png
    #[arg(long, short = 'o', value_name = "FILE", global = true, default_value = "plot.svg")]
    out: PathBuf,
}

#[derive(Debug, Subcommand)]
enum Kind {
    /// The error against epochs
    Loss {
        /// Model files, as written by `train` or `pca`
        #[arg(required = true, value_name = "MODEL")]
        models: Vec<PathBuf>,
    },
    /// The first two codes of each row, coloured by label
    Codes(ModelsAndData),
    /// Rows over their reconstructions
    Reconstructions(ModelsAndData),
    /// The weights of the first layer, or the principal components
    Filters(ModelsAndData),
    /// The decoded manifold: a grid over a plane of two codes, or walks along each code
    Manifold(ModelsAndData),
    /// Images decoded from codes drawn at random
    Drawn(ModelsAndData),
    /// Images, corrupted as in training, and cleaned
    Restored(ModelsAndData),
    /// A histogram of the rows' errors
    Errors(ModelsAndData),
}

impl Plot {
    pub fn run(&self) -> Result<()> {
        let is_png = self.is_png()?;
        let inputs = match &self.kind {
            Kind::Loss { models } => models.iter().map(PathBuf::as_path).collect(),
            Kind::Codes(input)
            | Kind::Reconstructions(input)
            | Kind::Filters(input)
            | Kind::Manifold(input)
            | Kind::Drawn(input)
            | Kind::Restored(input)
            | Kind::Errors(input) => input.paths(),
        };
        check_output(Some(&self.out), &inputs)?;
        let figure = self.figure()?;
        let bytes = if is_png { figure.to_png()? } else { figure.to_svg().into_bytes() };
        write_whole(&self.out, |out| out.write_all(&bytes))?;
        let mut facts = Facts::default();
        facts.add("plot", path(&self.out));
        facts.add("title", figure.title);
        facts.print(false)
    }

    fn is_png(&self) -> Result<bool> {
        match self.out.extension().and_then(|ending| ending.to_str()) {
            Some("svg") => Ok(false),
            Some("png") => Ok(true),
            _ => Err(Error::Setting {
                name: "out",
                problem: format!("`{}` ends neither in .svg nor in .png", Path::display(&self.out)),
            }),
        }
    }

    fn figure(&self) -> Result<Figure> {
        let (plot, input) = match &self.kind {
            Kind::Loss { models } => return report::plot_loss(&entries(&read_models(models)?)),
            Kind::Codes(input) => (report::Plot::Codes, input),
            Kind::Reconstructions(input) => (report::Plot::Reconstructions, input),
            Kind::Filters(input) => (report::Plot::Filters, input),
            Kind::Manifold(input) => (report::Plot::Manifold, input),
            Kind::Drawn(input) => (report::Plot::Drawn, input),
            Kind::Restored(input) => (report::Plot::Restored, input),
            Kind::Errors(input) => (report::Plot::Errors, input),
        };
        let models = input.read_models()?;
        let dataset = input.read_data(&models)?;
        report::plot(plot, &entries(&models), &Sample::new(&dataset, &[])?)
    }
}
