use super::rotation::{dot, rotate};

/// The textbook one-sided Jacobi method (Hestenes 1958; Golub & Van Loan, Matrix Computations, section 8.6.3).
///
/// Takes the columns of a matrix of any shape and rotates pairs of them, in order, until all are orthogonal to the
/// last bits. Returns the left singular vectors times their singular values (U Σ), the singular values, and the right
/// singular vectors (V), all as columns, the largest singular value first; columns of zeros belong to a value of zero.
///
/// # Panics
/// When it has not converged in 100 sweeps.
pub fn svd(columns: &[Vec<f64>]) -> (Vec<Vec<f64>>, Vec<f64>, Vec<Vec<f64>>) {
    let count = columns.len();
    let mut a = columns.to_vec();
    let mut v: Vec<Vec<f64>> =
        (0..count).map(|i| (0..count).map(|j| if i == j { 1.0 } else { 0.0 }).collect()).collect();
    let converged = (0..100).any(|_| {
        let mut rotated = false;
        for p in 0..count {
            for q in p + 1..count {
                let (xx, xy, yy) = (dot(&a[p], &a[p]), dot(&a[p], &a[q]), dot(&a[q], &a[q]));
                // Dependent columns shrink with every sweep; their squares must not reach the denormal numbers.
                if xy.abs() <= 1e-15 * (xx * yy).sqrt() || xx.min(yy) < 1e-280 {
                    continue;
                }
                rotated = true;
                let cotangent = (yy - xx) / (2.0 * xy);
                let t = cotangent.signum() / (cotangent.abs() + cotangent.hypot(1.0));
                let c = 1.0 / t.hypot(1.0);
                for columns in [&mut a, &mut v] {
                    let (left, right) = columns.split_at_mut(q);
                    rotate(&mut left[p], &mut right[0], c, c * t);
                }
            }
        }
        !rotated
    });
    assert!(converged, "100 sweeps");
    let norms: Vec<f64> = a.iter().map(|column| dot(column, column).sqrt()).collect();
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by(|&p, &q| norms[q].total_cmp(&norms[p]));
    let pick = |columns: &[Vec<f64>]| order.iter().map(|&i| columns[i].clone()).collect();
    (pick(&a), order.iter().map(|&i| norms[i]).collect(), pick(&v))
}
