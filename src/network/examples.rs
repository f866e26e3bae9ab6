//! What a network is trained on.

use crate::rows::Rows;

/// Rows and their targets: the rows themselves, where there are no others.
#[derive(Clone, Copy)]
pub struct Examples<'a> {
    /// The rows that the network is given.
    pub inputs: &'a dyn Rows,
    /// The target of each row.
    pub targets: Option<&'a dyn Rows>,
    /// The standard normal numbers that each row's code is sampled with (rows × code size), for a variational network;
    /// without them, codes are the means of their distributions.
    pub noise: Option<&'a dyn Rows>,
}

impl<'a> From<&'a dyn Rows> for Examples<'a> {
    fn from(inputs: &'a dyn Rows) -> Self {
        Self { inputs, targets: None, noise: None }
    }
}
