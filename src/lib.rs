//! Auto-encoders and PCA, trained on a CPU: exact, reproducible and fast.
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
//! # The words
//!
//! - **Rows** are observations and **columns** are features. `rows()` is a count, an *index* counts from 0, and
//!   [`Rows`](rows::Rows) is the trait of every source of rows: in memory, computed or streamed.
//! - The **encoder** maps a row to its **code** (latent vector), the output of the *bottleneck*; the **decoder** maps a code to
//!   a row. *Layer sizes* include the input and the output.
//! - The **reconstruction error** of a row is the sum over its columns of (f(x) − x)². Its mean over rows is `error_per_row`,
//!   its mean over elements `mse`. Both are in the units that the network sees; *scaling* maps the file's units to these and
//!   back.
//! - **Augmentation** changes training rows at random before the network sees them: shift, binarise, corrupt.
//! - An **epoch** is a pass over all rows, by **minibatches**; a minibatch goes through the network in **tiles** of 32 rows,
//!   stored feature by feature.
//! - A **product** is a matrix product; an [`Isa`](kernels::Isa) names the instruction set in which kernels and products
//!   compute.
//! - **Settings** have one name each, the same in the library, on the command line, in configuration files and in the
//!   *provenance* that a model file holds.
//!
//! # The path of the data
//!
//! ```text
//! file ─ format ─▶ Dataset ─ scaling ─▶ Rows ─ augmentation ─▶ minibatch ─▶ layers ─▶ loss
//!                                                                  ▲           │ backward
//!                     progress, history, checkpoint ◀─ train ◀─ update ◀───────┘
//! Model (layers, parameters, scaling, provenance) ─ one safetensors file ─▶ encode · decode · restore · score
//! ```
//!
//! Bytes stay bytes until a minibatch is gathered. A step has two phases. First, tiles of rows run forward and backward in
//! parallel. Then, also in parallel, each block of the weights sums its gradient over all rows of the minibatch and is
//! updated at once (fused gradient and update). Since no partial gradients are added up, the result has the same bits
//! for any number of threads.
//!
//! # The rooms
//!
//! A room imports from rooms on the floors below its own, never upwards, sideways or in a circle; `tests/floors` holds the
//! code to this table. `CONTRIBUTING.md` says which files a change touches: an activation, a format, an option, an update
//! rule, several processes.
//!
//! | room | holds |
//! |---|---|
//! | [`cli`] | the command line, one file a subcommand (feature `cli`) |
//! | [`report`] | plots, and a page about a run (feature `report`) |
//! | [`probe`](mod@probe) · [`restore`] | how good features are where few rows have labels · cleaning corrupted rows, filling in missing cells |
//! | [`model`] · [`throughput`] | a fitted model, its file, and fitting in one call · how fast a network trains and reconstructs here |
//! | [`train`] | the training loop, its observers, history, checkpoints; pretraining, the search for a learning rate |
//! | [`optimizer`] · [`pca`] · [`likelihood`] | update rules · principal components · bounds on the likelihood of rows |
//! | [`network`] | architecture, layers, forward and backward passes of minibatches |
//! | [`linalg`] · [`mixture`] · [`evaluate`] · [`score`] | QR and Jacobi SVD · normal distributions fitted to codes · reconstruction errors · thresholds and rankings of scores |
//! | [`data`] | data sets, formats, labels, missing cells, scaling |
//! | [`augment`] | shift, binarise, corrupt, hide |
//! | [`rows`] | rows in memory, computed or streamed: chunks, views, noise |
//! | `gemm` | matrix products: the general one, those of a training step, and in double precision |
//! | [`kernels`] | SIMD over slices |
//! | [`file`](mod@file) · `settings` | files that are whole or absent · what all settings have in common |
//! | [`matrix`] · [`error`] · `parallel` · `random` · `tensor_file` | the flat aligned buffer and its views · the one error type · work in pieces · seeded generators · the container of model files |
//! | `reference` | the naive twin of kernels, products, network, optimizers and SVD: only tests, benches and fuzzing import it, and it may import anything |

pub mod augment;
#[cfg(feature = "cli")]
pub mod cli;
pub mod data;
pub mod error;
pub mod evaluate;
pub mod file;
// Public for tests, benches and fuzz targets alone: products may change with any version.
#[doc(hidden)]
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
// Public for tests, benches and fuzz targets alone, which compare with it.
#[doc(hidden)]
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
