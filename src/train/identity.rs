//! The identity of a run: only the run that wrote a checkpoint may resume from it.

use flate2::Crc;
use serde_json::{Map, Value, json};

use super::TrainOptions;
use crate::error::Result;
use crate::network::Network;
use crate::rows::{Rows, for_each_chunk};
use crate::settings::by_name;
use crate::tensor_file::bytes_of;

/// Checksums of the weights and rows with which a run started.
pub(super) struct Identity {
    /// The checksum of the weights before the first step.
    start: String,
    /// The checksum of the training and held-out rows, computed when it is first needed, because it takes a pass over all of
    /// them.
    rows: Option<String>,
}

impl Identity {
    /// The identity of a run that starts from `network`.
    pub fn new(network: &Network) -> Self {
        let mut crc = Crc::new();
        add(&mut crc, network.parameters());
        Self { start: hexadecimal(&crc), rows: None }
    }

    /// Everything that must be the same for a run to resume, by name: settings, and descriptions of network, rows and
    /// machine.
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
        // The options describe neither the network, which the caller may have built by any means, nor the rows. The
        // instruction set counts because each one rounds differently, and a resumed run promises the same bits.
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
