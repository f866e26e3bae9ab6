//! What PCA is asked to do.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::settings::{named_setting, text_setting};

/// The number of components to keep.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Components {
    /// A number of them, from 1 up to the smaller number of rows and columns.
    Count(usize),
    /// As few as explain at least this share of the total variance, above 0 and up to 1.
    VarianceShare(f64),
}

impl Components {
    /// How it is written: a whole number is a count, a number with a point a share, as in `2`, `0.95` and `1.0`.
    pub const FORMS: &'static str = "COUNT|SHARE";

    fn read(text: &str) -> std::result::Result<Option<Self>, String> {
        let known = match text.parse() {
            Ok(count) => Some(Self::Count(count)),
            Err(_) => text.parse().ok().map(Self::VarianceShare),
        };
        let known =
            known.ok_or_else(|| format!("`{text}` is neither a count, as 2, nor a share of the variance, as 0.95"));
        known.and_then(|components| components.problem().map_or(Ok(Some(components)), Err))
    }

    /// Refuses what no data can satisfy.
    pub(super) fn check(self) -> Result<()> {
        self.problem().map_or(Ok(()), |problem| Err(Error::Setting { name: "components", problem }))
    }

    /// What no data can satisfy.
    fn problem(self) -> Option<String> {
        match self {
            Self::Count(0) => Some("0 are none; at least 1 is needed".into()),
            Self::VarianceShare(share) if !(share > 0.0 && share <= 1.0) => {
                Some(format!("{share} is no share of the variance; it must be above 0 and at most 1"))
            }
            _ => None,
        }
    }
}

impl fmt::Display for Components {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(count) => write!(f, "{count}"),
            // The point tells a share of 1.0 from a count of 1.
            Self::VarianceShare(share) => write!(f, "{share:?}"),
        }
    }
}

text_setting!(Components, "components");

/// How the singular vectors are found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Solver {
    /// [`Solver::Randomized`] where that saves much time: a count of components, at most a tenth of the smaller number
    /// of rows and columns, and that above 2,000. [`Solver::Jacobi`] everywhere else.
    #[default]
    Auto,
    /// All components, exactly: one-sided Jacobi on the Gram matrix in double precision where there are at least as
    /// many rows as columns, else on the rows themselves.
    Jacobi,
    /// The leading components by random projection: what they reconstruct is worse than the best by some 10⁻³ of the
    /// error. For a count of components only.
    Randomized,
}

named_setting!(Solver, "solver", { Auto = "auto", Jacobi = "jacobi", Randomized = "randomized" });

/// Settings of a [`Pca`](super::Pca): by default 2 components of centred data, not whitened.
///
/// Fill it in with `..Default::default()`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PcaOptions {
    /// The number of components to keep.
    pub components: Components,
    /// Whether to subtract the mean of every column first. Without it, variance is about zero and the components are
    /// plain singular vectors of the data.
    pub center: bool,
    /// Whether codes are divided by their standard deviation, and multiplied again when they are decoded.
    pub whiten: bool,
    /// How the components are found.
    pub solver: Solver,
    /// The seed of the random projection; nothing else is random. Its serde form leaves it out.
    #[serde(skip)]
    pub seed: u64,
}

impl Default for PcaOptions {
    fn default() -> Self {
        Self { components: Components::Count(2), center: true, whiten: false, solver: Solver::Auto, seed: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn components_are_a_count_or_a_share() {
        assert_eq!("2".parse::<Components>().unwrap(), Components::Count(2));
        assert_eq!("0.95".parse::<Components>().unwrap(), Components::VarianceShare(0.95));
        assert_eq!("1.0".parse::<Components>().unwrap(), Components::VarianceShare(1.0));
        for text in ["2", "0.95", "1.0"] {
            assert_eq!(text.parse::<Components>().unwrap().to_string(), text);
        }
        for text in ["0", "0.0", "-3", "1.5", "NaN", "inf", "", "many"] {
            assert!(text.parse::<Components>().unwrap_err().to_string().starts_with("components: "), "{text}");
        }
    }

    #[test]
    fn a_solver_is_known_by_its_name() {
        for solver in Solver::ALL {
            assert_eq!(solver.to_string().parse::<Solver>().unwrap(), solver);
        }
        let error = "qr".parse::<Solver>().unwrap_err().to_string();
        assert_eq!(error, "solver: `qr` is unknown; there are auto, jacobi, randomized");
    }
}
