//! The twins of the Jacobi kernels.

/// x · y, as if summed in twice the precision: there is no wider type to sum in (Ogita, Rump and Oishi, "Accurate sum
/// and dot product", 2005, algorithm 5.3).
pub fn dot(x: &[f64], y: &[f64]) -> f64 {
    let (mut sum, mut lost) = (0.0_f64, 0.0_f64);
    for (&x, &y) in x.iter().zip(y) {
        let product = x * y;
        let next = sum + product;
        let (large, small) = if sum.abs() >= product.abs() { (sum, product) } else { (product, sum) };
        lost += x.mul_add(y, -product) + ((large - next) + small);
        sum = next;
    }
    sum + lost
}

/// (x, y) ← (c x − s y, s x + c y).
pub fn rotate(x: &mut [f64], y: &mut [f64], c: f64, s: f64) {
    for (x, y) in x.iter_mut().zip(y) {
        (*x, *y) = (c * *x - s * *y, s * *x + c * *y);
    }
}

/// y ← y + α x.
pub fn axpy(alpha: f64, x: &[f64], y: &mut [f64]) {
    for (x, y) in x.iter().zip(y) {
        *y += alpha * x;
    }
}

/// Rotates neighbouring columns of a height, one pair after another, from column `last` down.
pub fn rotate_chain(columns: &mut [f64], height: usize, last: usize, rotations: &[[f64; 2]]) {
    for (i, &[c, s]) in rotations.iter().enumerate() {
        let (left, right) = columns.split_at_mut((last - i) * height);
        let start = left.len() - height;
        rotate(&mut left[start..], &mut right[..height], c, s);
    }
}
