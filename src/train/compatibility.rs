//! The compatibility of a network, rows and options.

use super::{TrainOptions, VariationalLoss};
use crate::error::{Error, Result};
use crate::kernels::Activation;
use crate::network::{Loss, Network};
use crate::optimizer::OptimizerChoice;
use crate::rows::{Rows, check_unit_interval};

/// Checks that a network, rows and options are compatible.
///
/// # Errors
/// The first incompatibility, with what would be compatible.
pub(super) fn check_compatible(
    network: &Network,
    rows: &dyn Rows,
    validation: Option<&dyn Rows>,
    options: &TrainOptions,
) -> Result<()> {
    // From the cheapest check to the dearest: the last two may pass over all rows.
    let architecture = network.architecture();
    options.loss.check(architecture.layers()[architecture.layers().len() - 1].activation())?;
    for (what, rows) in [("training", Some(rows)), ("validation", validation)] {
        let Some(rows) = rows else { continue };
        if rows.rows() == 0 {
            return Err(Error::Mismatch(format!("there are no {what} rows; at least one is needed")));
        }
        if rows.columns() != architecture.sizes().input() {
            return Err(Error::Mismatch(format!(
                "the {what} rows have {} columns, but the layers {} take {}",
                rows.columns(),
                architecture.sizes(),
                architecture.sizes().input()
            )));
        }
    }
    if options.stopping.patience.is_some() && validation.is_none() {
        let problem = "it is counted on held-out rows, and there are none; hold some out (validation)".into();
        return Err(Error::Setting { name: "patience", problem });
    }
    // Each encoder layer needs a decoder layer of the transposed shape.
    if options.tied && !architecture.sizes().is_mirrored() {
        let problem =
            format!("the layers {} do not mirror each other around a bottleneck in the middle", architecture.sizes());
        return Err(Error::Setting { name: "tied", problem });
    }
    // The Kronecker factors of K-FAC belong to one layer each, with inputs that are the previous layer's outputs.
    if options.optimizer == OptimizerChoice::Kfac && (options.tied || architecture.is_variational()) {
        let problem = "kfac knows the curvature of neither tied weights nor variational codes; use adam or muon".into();
        return Err(Error::Setting { name: "optimizer", problem });
    }
    check_variational(network, options)?;
    if options.loss == Loss::CrossEntropy {
        check_unit_interval(rows, "cross-entropy", "use squared-error")?;
    }
    options.augmentation.check(rows)
}

/// Checks the options that a variational network excludes, and those that only it has.
fn check_variational(network: &Network, options: &TrainOptions) -> Result<()> {
    let wrong = |name, problem: &str| Err(Error::Setting { name, problem: problem.into() });
    let architecture = network.architecture();
    if !architecture.is_variational() {
        if options.variational != VariationalLoss::default() {
            return wrong("beta", "it weighs what a variational code costs, and these codes are not (variational)");
        }
        return Ok(());
    }
    if architecture.layers()[architecture.encoder_depth() - 1].activation() != Activation::Linear {
        return wrong("code-activation", "means and variances of variational codes come from a linear layer");
    }
    if options.tied {
        return wrong(
            "tied",
            "a variational encoder ends in means and variances, which no layer of the decoder mirrors",
        );
    }
    if options.penalty.code_l1 > 0.0 {
        return wrong("code-l1", "variational codes are held to their prior already; use beta");
    }
    Ok(())
}
