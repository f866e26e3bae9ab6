//! Auto-encoders and PCA, trained on a CPU: exact, reproducible and fast.
//!
//! Rows are observations, columns are features. A model encodes rows to short *codes* and decodes codes to rows; the
//! *reconstruction error* of a row is the sum over its columns of (f(x) − x)².
//!
//! ```
//! use diabolo::data::{self, ReadOptions};
//! use diabolo::model::{AutoencoderOptions, Model, Validation, fit_autoencoder};
//! use diabolo::train::TrainOptions;
//!
//! // A built-in set; a path to a CSV or IDX file does as well.
//! let digits = data::read("digits", &ReadOptions::default())?;
//! let train = TrainOptions { epochs: 10, ..TrainOptions::default() };
//! let options = AutoencoderOptions { train, ..AutoencoderOptions::new("64,100,2,100,64".parse()?) };
//! let fitted = fit_autoencoder(&digits, &options, Validation::Fraction(0.1), &mut ())?;
//! let model = fitted.model;
//! assert!(model.provenance.training.error_per_row < 900.0);
//!
//! let codes = model.encode(&digits)?; // 1797 × 2
//! let rows = model.decode(&codes)?; // 1797 × 64, in the units of the data
//! assert_eq!(rows, model.reconstruct(&digits)?);
//!
//! // What `save` writes to a file, `load` reads.
//! let again = Model::from_bytes("again", &model.to_bytes())?;
//! assert_eq!(again.encode(&digits)?, codes);
//! # Ok::<(), diabolo::Error>(())
//! ```
//!
//! # The rooms
//!
//! A room imports from those below it, or to its left; the tests of any room import `reference`.
//!
//! | room | holds |
//! |---|---|
//! | [`cli`] | the command line, one file a subcommand (feature `cli`) |
//! | [`report`] | plots, and a page about a run (feature `report`) |
//! | [`probe`](mod@probe) | how good features are where few rows have labels |
//! | [`restore`] | cleaning corrupted rows, filling in missing cells |
//! | [`model`] | a fitted model, its file, and fitting in one call |
//! | [`throughput`] | how fast a network trains and reconstructs here |
//! | [`train`] · [`pca`] | the training loop and its history · principal components |
//! | [`likelihood`] | bounds on the likelihood of rows, of variational networks |
//! | [`reference`](mod@reference) | the naive twin of kernels, gemm, network, Muon, K-FAC and SVD, for tests, benches and fuzzing |
//! | [`network`] · [`optimizer`] | layers, forward and backward · update rules |
//! | [`linalg`] · [`mixture`] | QR and Jacobi SVD · normal distributions fitted to codes |
//! | [`evaluate`] · [`score`] | the reconstruction error of whatever reconstructs · thresholds and rankings of scores |
//! | [`data`] · [`file`](mod@file) | readers, built-in sets, labels, missing cells, scaling, corruption · files that are whole or absent |
//! | [`rows`] | rows in memory, computed or streamed; chunks, views, noise |
//! | [`kernels`] · [`gemm`](mod@gemm) | SIMD over slices · matrix products, the general one and those of a training step |
//! | [`matrix`] · [`error`] | the flat aligned buffer and its views · the one error type |
//! | `parallel` · `random` · `settings` · `tensor_file` | private: work in pieces · seeded generators · names and texts of settings · the container of model files |

#[cfg(feature = "cli")]
pub mod cli;
pub mod data;
pub mod error;
pub mod evaluate;
pub mod file;
pub mod gemm;
pub mod kernels;
pub mod likelihood;
pub mod linalg;
pub mod matrix;
pub mod mixture;
pub mod model;
pub mod network;
pub mod optimizer;
mod parallel;
pub mod pca;
pub mod probe;
mod random;
pub mod reference;
#[cfg(feature = "report")]
pub mod report;
pub mod restore;
pub mod rows;
pub mod score;
mod settings;
mod tensor_file;
pub mod throughput;
pub mod train;

pub use error::{Error, Result};
pub use matrix::Matrix;
