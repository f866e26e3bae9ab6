//! Update rules over the flat parameter buffer.

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
