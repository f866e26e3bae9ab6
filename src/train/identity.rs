//! What tells one run from another: a checkpoint goes on with the run that wrote it alone.

use flate2::Crc;
use serde_json::{Map, Value, json};

use super::TrainOptions;
use crate::error::Result;
use crate::network::Network;
use crate::rows::{Rows, for_each_chunk};
use crate::settings::by_name;
use crate::tensor_file::bytes_of;

/// Checksums of what a run started from.
pub(super) struct Identity {
    /// Of the weights before the first step.
    start: String,
    /// Of the training rows and those held out, once they are asked for: it takes a pass over all of them.
    rows: Option<String>,
}

impl Identity {
    /// The identity of a run that starts from a network as it is.
    pub fn new(network: &Network) -> Self {
        let mut crc = Crc::new();
        add(&mut crc, network.parameters());
        Self { start: hexadecimal(&crc), rows: None }
    }

    /// All that must be the same for a run to go on, by name: settings, and what describes network, rows and machine.
    ///
    /// # Errors
    /// When rows cannot be read.
    pub fn settings(
        &mut self,
        network: &Network,
        rows: &dyn Rows,
        validation: Option<&dyn Rows>,
        options: &TrainOptions,
    ) -> Result<Map<String, Value>> {
        if self.rows.is_none() {
            let mut crc = Crc::new();
            [Some(rows), validation].into_iter().flatten().try_for_each(|rows| {
                for_each_chunk(rows, |chunk| {
                    add(&mut crc, chunk.as_slice());
                    Ok(())
                })
            })?;
            self.rows = Some(hexadecimal(&crc));
        }
        let architecture = network.architecture();
        let layers = architecture.layers().iter();
        let mut settings: Map<String, Value> = by_name(options).into_iter().collect();
        settings.insert("seed".into(), json!(options.seed));
        settings.insert("layers".into(), json!(architecture.sizes()));
        settings.insert("activations".into(), layers.clone().map(|layer| layer.activation().name()).collect());
        settings.insert("biases".into(), layers.map(|layer| layer.has_bias()).collect());
        settings.insert("variational".into(), json!(architecture.is_variational()));
        settings.insert("rows".into(), json!(rows.rows()));
        settings.insert("rows-checksum".into(), json!(self.rows));
        settings.insert("start-checksum".into(), json!(self.start));
        settings.insert("validation-rows".into(), json!(validation.map(|rows| rows.rows())));
        settings.insert("instruction-set".into(), json!(network.isa().name()));
        Ok(settings)
    }
}

fn add(crc: &mut Crc, values: &[f32]) {
    bytes_of(values).for_each(|bytes| crc.update(&bytes));
}

fn hexadecimal(crc: &Crc) -> String {
    format!("{:08x}", crc.sum())
}
