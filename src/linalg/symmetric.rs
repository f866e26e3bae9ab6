//! Eigenvectors of a symmetric matrix by the conventional method: tridiagonal form, then the QL iteration.
//!
//! Householder reflections from both sides make the matrix tridiagonal, rotations with implicit shifts make that
//! diagonal (Golub & Van Loan, Matrix Computations, sections 8.3.1 and 8.3.3; Wilkinson's shift). What comes out is
//! orthogonal to the last bits, but eigenvectors of small eigenvalues are only as good as the roundings of the large
//! ones permit. That is why it serves as a preconditioner here, and one-sided Jacobi has the last word.
//!
//! # Where the time goes
//!
//! A reflection changes the whole matrix, so that is read and written once a step: the update by the last reflection
//! and the product with the next one's vector are one pass. The rotations are found first, some
//! [`BATCH`] at a time, and then applied to slabs of [`HEIGHT`] rows of the eigenvector matrix, which do not depend on
//! each other.

use rayon::prelude::*;

use super::columns::{Columns, LINE};
use super::reflections::{Reflections, householder};
use crate::kernels::double::rotation::{HEIGHT, rotate_chain};
use crate::kernels::{Isa, double};

/// Rotations that are found before they are applied.
const BATCH: usize = 1 << 16;

/// Columns that one task takes.
const TASK: usize = 16;

/// QL steps that one eigenvalue may take; it takes two on the average.
const STEPS: usize = 50;

/// Eigenvectors of a symmetric matrix as columns, in falling order of their eigenvalues.
///
/// They are orthogonal in any case: should the iteration not converge, which no matrix is known to cause, what it has
/// reached is returned.
pub(crate) fn eigenvectors(isa: Isa, matrix: Columns) -> Columns {
    let size = matrix.columns();
    let Tridiagonal { diagonal, beside, reflections } = tridiagonalize(isa, matrix);
    let (values, slabs) = diagonalize(isa, diagonal, beside);
    let mut order: Vec<usize> = (0..size).collect();
    order.sort_by(|&i, &j| values[j].total_cmp(&values[i]));
    let mut vectors = Columns::zeros(size, size);
    for (j, &from) in order.iter().enumerate() {
        for (to, slab) in vectors.column_mut(j).chunks_mut(HEIGHT).zip(&slabs) {
            to.copy_from_slice(&slab.column(from)[..to.len()]);
        }
    }
    reflections.apply(&mut vectors);
    vectors
}

/// T = QᵀAQ, and the reflections that make up Q.
struct Tridiagonal {
    diagonal: Vec<f64>,
    /// The elements beside the diagonal.
    beside: Vec<f64>,
    reflections: Reflections,
}

fn tridiagonalize(isa: Isa, mut a: Columns) -> Tridiagonal {
    let (size, stride) = (a.columns(), a.stride());
    let (mut diagonal, mut beside, mut tau) = (vec![0.0; size], vec![0.0; size.saturating_sub(1)], Vec::new());
    // The last reflection changes A to A − v wᵀ − w vᵀ. That is put off until the pass that also takes the product of A with
    // the next reflection's vector, so each column right of the diagonal is read and written once a step.
    let mut vectors = Columns::zeros(size, 3);
    let (v, rest) = vectors.split_at_mut(1);
    let (w, next) = rest.split_at_mut(stride);
    for k in 0..size {
        // Whole registers on their boundaries: the vectors are zero above their first element.
        let whole = k / LINE * LINE..stride;
        let (done, rest) = a.split_at_mut(k + 1);
        let column = &mut done[k * stride..];
        // This column's own update comes first: its elements make the next reflection.
        double::axpy(isa, -w[k], &v[whole.clone()], &mut column[whole.clone()]);
        double::axpy(isa, -v[k], &w[whole.clone()], &mut column[whole.clone()]);
        diagonal[k] = column[k];
        if k + 1 == size {
            break;
        }
        tau.push(householder(isa, &mut column[k + 1..size]));
        beside[k] = column[k + 1];
        next[..=k].fill(0.0);
        next[k + 1] = 1.0;
        next[k + 2..].copy_from_slice(&column[k + 2..]);
        let mut products = vec![0.0; size - k - 1];
        let (last_v, last_w, vector) = (&v[whole.clone()], &w[whole.clone()], &next[whole.clone()]);
        rest.par_chunks_mut(TASK * stride).zip(products.par_chunks_mut(TASK)).enumerate().for_each(
            |(task, (rest, products))| {
                for (j, (column, product)) in rest.chunks_exact_mut(stride).zip(products).enumerate() {
                    let j = k + 1 + task * TASK + j - whole.start;
                    let terms = [(-last_w[j], last_v), (-last_v[j], last_w)];
                    *product = tau[k] * double::update_then_dot(isa, &mut column[whole.clone()], terms, vector);
                }
            },
        );
        // p = τ A v, and w = p − (τ/2)(pᵀ v) v makes the update from both sides symmetric.
        v.copy_from_slice(next);
        w[..=k].fill(0.0);
        w[k + 1..size].copy_from_slice(&products);
        let half = 0.5 * tau[k] * double::dot(isa, w, v);
        double::axpy(isa, -half, v, w);
    }
    Tridiagonal { diagonal, beside, reflections: Reflections::new(a, tau, 1) }
}

/// Eigenvalues of a tridiagonal matrix and its eigenvectors, in slabs of [`HEIGHT`] rows.
fn diagonalize(isa: Isa, diagonal: Vec<f64>, beside: Vec<f64>) -> (Vec<f64>, Vec<Columns>) {
    let size = diagonal.len();
    let mut slabs: Vec<Columns> = (0..size.div_ceil(HEIGHT))
        .map(|slab| Columns::from_fn(HEIGHT, size, |i, j| if slab * HEIGHT + i == j { 1.0 } else { 0.0 }))
        .collect();
    let mut iteration = Ql { diagonal, beside, first: 0, steps: 0 };
    let mut chains = iteration.batch();
    // The next rotations are found, by one thread, while the last ones are applied by the others.
    while !chains.rotations.is_empty() {
        (chains, ()) = rayon::join(|| iteration.batch(), || chains.apply(isa, &mut slabs));
    }
    (iteration.diagonal, slabs)
}

/// Rotations of neighbouring columns that have yet to be applied.
#[derive(Default)]
struct Chains {
    rotations: Vec<[f64; 2]>,
    /// Where each chain starts among the rotations, and the last column that it changes.
    starts: Vec<(usize, usize)>,
}

impl Chains {
    fn apply(&self, isa: Isa, slabs: &mut [Columns]) {
        slabs.par_iter_mut().for_each(|slab| {
            let columns = slab.raw_mut(0..slab.columns());
            let ends = self.starts.iter().skip(1).map(|&(start, _)| start).chain([self.rotations.len()]);
            for (&(start, last), end) in self.starts.iter().zip(ends) {
                rotate_chain(isa, columns, last, &self.rotations[start..end]);
            }
        });
    }
}

/// The QL iteration on a tridiagonal matrix.
struct Ql {
    diagonal: Vec<f64>,
    beside: Vec<f64>,
    /// The first eigenvalue that is not yet found, and the steps that it has taken.
    first: usize,
    steps: usize,
}

impl Ql {
    /// The next rotations, none once all eigenvalues are found.
    fn batch(&mut self) -> Chains {
        let mut chains = Chains::default();
        while self.first < self.diagonal.len() && chains.rotations.len() < BATCH {
            // The block that has not fallen apart yet ends here.
            let beside = self.beside.iter().enumerate().skip(self.first);
            let split = beside
                .map(|(i, beside)| (i, beside.abs()))
                .find(|&(i, beside)| beside <= f64::EPSILON * (self.diagonal[i].abs() + self.diagonal[i + 1].abs()));
            let last = split.map_or(self.diagonal.len() - 1, |(i, _)| i);
            if last == self.first || self.steps == STEPS {
                (self.first, self.steps) = (self.first + 1, 0);
            } else {
                self.steps += 1;
                self.step(last, &mut chains);
            }
        }
        chains
    }

    /// One step with Wilkinson's shift on the block from the first row to the last: brings the uppermost element beside
    /// the diagonal closer to zero.
    fn step(&mut self, last: usize, chains: &mut Chains) {
        let Self { diagonal, beside, first, .. } = self;
        let first = *first;
        chains.starts.push((chains.rotations.len(), last));
        let slope = (diagonal[first + 1] - diagonal[first]) / (2.0 * beside[first]);
        let hypotenuse = (slope * slope + 1.0).sqrt();
        let shift = diagonal[first] - beside[first] / (slope + hypotenuse.copysign(slope));
        // Each rotation annihilates the element outside the tridiagonal form (the bulge), and makes the next one above.
        let (mut bulge, mut c, mut s, mut moved) = (diagonal[last] - shift, 1.0, 1.0, 0.0);
        for i in (first..last).rev() {
            let (leaving, staying) = (s * beside[i], c * beside[i]);
            let length = (leaving * leaving + bulge * bulge).sqrt();
            if i + 1 < last {
                beside[i + 1] = length;
            }
            if length == 0.0 {
                // The block has fallen into two.
                diagonal[i + 1] -= moved;
                return;
            }
            (s, c) = (leaving / length, bulge / length);
            chains.rotations.push([c, s]);
            let above = diagonal[i + 1] - moved;
            let turned = (diagonal[i] - above) * s + 2.0 * c * staying;
            moved = s * turned;
            diagonal[i + 1] = above + moved;
            bulge = c * turned - staying;
        }
        diagonal[first] -= moved;
        beside[first] = bulge;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::columns::product;

    fn symmetric(size: usize, element: impl Fn(usize, usize) -> f64 + Sync) -> Columns {
        Columns::from_fn(size, size, |i, j| element(i.min(j), i.max(j)))
    }

    /// Orthonormal, and what they make of the matrix is diagonal and falls.
    fn check(a: &Columns) {
        let size = a.columns();
        let v = eigenvectors(Isa::best(), a.clone());
        let identity = product(v.whole().transposed(), &v);
        let diagonal = product(v.whole().transposed(), &product(a.whole(), &v));
        let scale = (0..size).map(|j| diagonal.column(j)[j].abs()).fold(0.0, f64::max);
        for i in 0..size {
            for j in 0..size {
                let expected = if i == j { 1.0 } else { 0.0 };
                assert!((identity.column(j)[i] - expected).abs() < 1e-13 * size as f64, "{size}: ({i}, {j})");
                let beside = if i == j { 0.0 } else { diagonal.column(j)[i] };
                assert!(beside.abs() <= 1e-14 * size as f64 * scale, "{size}: ({i}, {j}) is {beside}");
            }
        }
        for j in 1..size {
            assert!(diagonal.column(j)[j] <= diagonal.column(j - 1)[j - 1] + 1e-13 * scale, "{size}: value {j}");
        }
    }

    #[test]
    fn vectors_make_the_matrix_diagonal() {
        for size in [0, 1, 2, 3, 8, 9, 63, 64, 65, 150] {
            check(&symmetric(size, |i, j| ((i * 31 + j * 17 + i * j) as f64).sin()));
        }
    }

    #[test]
    fn zeros_blocks_and_repeated_values_are_no_trouble() {
        check(&symmetric(40, |_, _| 0.0));
        check(&symmetric(40, |i, j| if i == j { -2.0 } else { 0.0 }));
        check(&symmetric(40, |_, _| 1.0));
        check(&symmetric(40, |i, j| if i / 10 == j / 10 { 1.0 } else { 0.0 }));
        check(&symmetric(70, |i, j| if j - i <= 1 { 1.0 } else { 0.0 }));
        check(&symmetric(50, |i, j| 10f64.powi(-((i + j) as i32)) * ((i * 7 + j) as f64).cos()));
    }
}
