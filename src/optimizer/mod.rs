//! Update rules over the flat parameter buffer.
//!
//! `choice` names them, `step` is what each does, `needs` what it asks of a minibatch. `lbfgs` is a part of `kfac`.

mod adam;
mod choice;
mod kfac;
mod lbfgs;
mod muon;
mod needs;
mod sgd;
mod step;

pub use adam::Adam;
pub use choice::OptimizerChoice;
pub use kfac::Kfac;
pub use muon::Muon;
pub use needs::Needs;
pub use sgd::Sgd;
pub use step::{Optimizer, Step};
