//! The two-loop recursion of L-BFGS, in any vector space with an inner product.

/// A vector space with an inner product; the inner product is returned in double precision, whatever the vectors hold.
pub(crate) trait VectorSpace {
    /// A vector.
    type Vector: ?Sized;

    /// xᵀ y.
    fn dot(&self, x: &Self::Vector, y: &Self::Vector) -> f64;

    /// y ← y + α x.
    fn axpy(&self, alpha: f64, x: &Self::Vector, y: &mut Self::Vector);
}

/// A step s between two points and the change y of the gradient along it.
#[derive(Debug)]
pub(crate) struct Pair<'a, V: ?Sized> {
    /// s.
    pub step: &'a V,
    /// y.
    pub change: &'a V,
    /// The curvature sᵀ y along the step, above 0.
    pub curvature: f64,
}

/// v ← H v for L-BFGS' approximation H of the inverse Hessian: the product of `initial`, H₀, corrected by `pairs`, the oldest
/// first, so that H yₖ = sₖ for the last pair (Nocedal and Wright, *Numerical Optimization*, 2006, Algorithm 7.4).
///
/// `initial` multiplies a vector by H₀ in place; (7.20) of the book gives its scale. With no pairs H is H₀.
pub(crate) fn two_loop_recursion<S: VectorSpace>(
    space: &S,
    pairs: &[Pair<'_, S::Vector>],
    vector: &mut S::Vector,
    initial: impl FnOnce(&mut S::Vector),
) {
    // The first loop, from the newest pair to the oldest, takes out of v what each pair accounts for; the second, back
    // again, adds the steps that lead there. The names are the book's.
    let mut alphas = Vec::with_capacity(pairs.len());
    for pair in pairs.iter().rev() {
        let alpha = space.dot(pair.step, vector) / pair.curvature;
        space.axpy(-alpha, pair.change, vector);
        alphas.push(alpha);
    }
    initial(vector);
    for (pair, alpha) in pairs.iter().zip(alphas.into_iter().rev()) {
        let beta = space.dot(pair.change, vector) / pair.curvature;
        space.axpy(alpha - beta, pair.step, vector);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Plane;

    impl VectorSpace for Plane {
        type Vector = [f64; 2];

        fn dot(&self, x: &[f64; 2], y: &[f64; 2]) -> f64 {
            x[0] * y[0] + x[1] * y[1]
        }

        fn axpy(&self, alpha: f64, x: &[f64; 2], y: &mut [f64; 2]) {
            (0..2).for_each(|i| y[i] += alpha * x[i]);
        }
    }

    #[test]
    fn no_pairs_leave_the_initial_inverse_and_conjugate_steps_give_the_inverse_hessian() {
        let halve = |vector: &mut [f64; 2]| vector.iter_mut().for_each(|x| *x /= 2.0);
        let mut vector = [3.0, -1.0];
        two_loop_recursion(&Plane, &[], &mut vector, halve);
        assert_eq!(vector, [1.5, -0.5]);
        // The Hessian (4 1; 1 3), in which (1, 0) and (−1, 4) are conjugate.
        let (steps, changes) = ([[1.0, 0.0], [-1.0, 4.0]], [[4.0, 1.0], [0.0, 11.0]]);
        let pair =
            |i: usize| Pair { step: &steps[i], change: &changes[i], curvature: Plane.dot(&steps[i], &changes[i]) };
        let mut vector = [4.0 * 0.7 - 0.2, 0.7 - 3.0 * 0.2];
        two_loop_recursion(&Plane, &[pair(0), pair(1)], &mut vector, halve);
        assert!((vector[0] - 0.7).abs() < 1e-14 && (vector[1] + 0.2).abs() < 1e-14, "{vector:?}");
    }
}
