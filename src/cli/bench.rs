//! `diabolo bench`

use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};

use super::arguments::ColumnArguments;
use super::facts::{Facts, print, print_side_by_side};
use super::threads;
use super::train_arguments::{TrainArguments, WHOLE_RUN};
use crate::data::{self, Columns, Scaling, ScalingChoice};
use crate::error::Result;
use crate::kernels::Isa;
use crate::model::check_memory;
use crate::network::{LayerSizes, Network};
use crate::rows::Rows;
use crate::throughput::{Rate, Throughput, measure, random_bytes};

/// Measure how fast a network trains and reconstructs on this machine
///
/// It trains on the data, or on random images of the input's size, with one thread and with all. It prints rows per second,
/// arithmetic per second, and the peak that the processor's multiply-adds reach in the same run.
#[derive(Debug, Args)]
#[command(mut_args(|argument| match WHOLE_RUN.contains(&argument.get_id().as_str()) {
    true => argument.hide(true),
    false => argument,
}))]
#[command(mut_arg("columns", |columns| columns.requires("data")), mut_arg("label", |label| label.requires("data")))]
pub struct Bench {
    #[arg(help = format!("A {} [default: random bytes]", data::sources()))]
    data: Option<String>,
    #[command(flatten)]
    columns: ColumnArguments,
    /// Layer sizes with input and output, as in 784,100,2,100,784
    #[arg(long, short = 'L', value_name = "SIZES")]
    layers: LayerSizes,
    #[command(flatten)]
    train: TrainArguments,
    /// The number of rows of random data
    #[arg(long, default_value_t = 8192, allow_negative_numbers = true, conflicts_with = "data", value_parser = clap::value_parser!(u32).range(1..))]
    rows: u32,
    /// About how many seconds to train for each number of threads
    #[arg(long, default_value_t = 3.0, allow_negative_numbers = true, value_name = "SECONDS", value_parser = seconds)]
    seconds: f64,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

impl Bench {
    pub fn run(&self) -> Result<()> {
        let dataset = match &self.data {
            Some(data) => self.columns.read(data, Columns::All)?,
            None => random_bytes(self.rows as usize, self.layers.input())?,
        };
        let scaling = Scaling::fit(ScalingChoice::Auto, &dataset, &[])?;
        let isa = Isa::best();
        let all = rayon::current_num_threads();
        let mut runs = Vec::new();
        for count in if all == 1 { vec![1] } else { vec![1, all] } {
            runs.push(threads::pool(count)?.install(|| self.measure(isa, &scaling.scaled(&dataset)))?);
        }
        if self.json {
            return print(&format!("{}\n", self.json(isa, &runs)));
        }
        print(&format!(
            "{} on {}, {} rows in batches of {}\n\n",
            self.layers,
            isa,
            dataset.rows(),
            self.train.batch_size()
        ))?;
        print_side_by_side(&runs.iter().map(|run| (threads(run.threads), facts(run))).collect::<Vec<_>>())
    }

    fn measure(&self, isa: Isa, rows: &dyn Rows) -> Result<Throughput> {
        let options = self.train.options(self.layers.clone(), ScalingChoice::Auto, 1)?;
        let architecture = options.architecture();
        let (train, count) = (&options.train, rows.rows());
        check_memory(&architecture, train.elements(&architecture, count), train.rows_at_once(count))?;
        let mut network = Network::zeros(architecture).with_isa(isa).initialised(options.initialisation, 1);
        measure(&mut network, rows, train, Duration::from_secs_f64(self.seconds))
    }

    fn json(&self, isa: Isa, runs: &[Throughput]) -> Value {
        json!({
            "isa": isa.name(),
            "layers": self.layers,
            "batch_size": self.train.batch_size(),
            "runs": runs.iter().map(|run| facts(run).into_json()).collect::<Vec<_>>(),
        })
    }
}

fn threads(count: usize) -> String {
    if count == 1 { "1 thread".into() } else { format!("{count} threads") }
}

fn facts(run: &Throughput) -> Facts {
    let mut facts = Facts::default();
    facts.add("threads", run.threads);
    facts.add("peak_gflops", run.peak / 1e9);
    let mut add = |[rows, gflops, share]: [&'static str; 3], rate: Rate| {
        facts.add(rows, rate.rows);
        facts.add(gflops, rate.operations / 1e9);
        facts.add(share, rate.operations / run.peak);
    };
    add(["training_rows_per_second", "training_gflops", "training_share_of_peak"], run.training);
    add(
        ["reconstruction_rows_per_second", "reconstruction_gflops", "reconstruction_share_of_peak"],
        run.reconstruction,
    );
    facts
}

fn seconds(text: &str) -> std::result::Result<f64, String> {
    match text.parse() {
        Ok(seconds) if seconds > 0.0 && seconds <= 3600.0 => Ok(seconds),
        _ => Err("a number above 0 and at most 3600 is needed".into()),
    }
}
