//! The metadata of a model file: JSON under one key, with a checksum over itself and the tensors.

use serde::{Deserialize, Serialize};

use super::Provenance;
use crate::score::Threshold;

/// Everything of a model that is not a tensor.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Header {
    pub body: BodyHeader,
    pub scaling: String,
    pub column_names: Option<Vec<String>>,
    pub provenance: Provenance,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<Threshold>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_shape: Option<(usize, usize)>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub(super) enum BodyHeader {
    Autoencoder {
        layer_sizes: Vec<usize>,
        layers: Vec<LayerHeader>,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        variational: bool,
    },
    Pca {
        rows: usize,
        total_variance: f64,
        centered: bool,
        whitened: bool,
    },
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct LayerHeader {
    pub activation: String,
    pub bias: bool,
}
