//! L-BFGS: a correction of an approximate inverse Hessian by the changes of the gradient along the last steps.

use crate::kernels::{Isa, axpy, dot, scale, squared_norm};
use crate::linalg::lbfgs::{Pair, VectorSpace, two_loop_recursion};
use crate::matrix::AlignedBuffer;

/// The number of pairs that are remembered.
const MEMORY: usize = 10;

/// The cosine between a step and the change of the gradient below which the pair is noise, or belongs to a saddle.
const LEAST_COSINE: f64 = 1e-8;

/// The pairs (s, y) of the last steps: s leads from one point to the next, and y = H s is the change of the gradient along
/// it, with the mean of the loss' Hessian H along the step.
#[derive(Clone, Debug)]
pub(super) struct Lbfgs {
    /// The last point and its gradient; without elements when no points will be added.
    parameters: AlignedBuffer,
    gradient: AlignedBuffer,
    /// s, y and the curvature sᵀ y of each pair; a new pair replaces the oldest.
    steps: AlignedBuffer,
    changes: AlignedBuffer,
    curvatures: AlignedBuffer,
    /// 1 once there is a point, and the number of pairs that have been added since the first point.
    counts: AlignedBuffer,
}

impl Lbfgs {
    /// No points yet, of `parameters` parameters each; with 0, no points can be added.
    pub fn new(parameters: usize) -> Self {
        let zeros = |times| AlignedBuffer::zeros(times * parameters);
        Self {
            parameters: zeros(1),
            gradient: zeros(1),
            steps: zeros(MEMORY),
            changes: zeros(MEMORY),
            curvatures: AlignedBuffer::zeros(MEMORY),
            counts: AlignedBuffer::zeros(2),
        }
    }

    /// The number of elements held for `parameters` parameters, but for a few.
    pub fn elements(parameters: usize) -> usize {
        parameters.saturating_mul(2 * MEMORY + 2)
    }

    /// Whether there are no pairs.
    pub fn is_empty(&self) -> bool {
        self.counts[1] == 0.0
    }

    /// Forgets all points and pairs.
    pub fn clear(&mut self) {
        self.counts.fill(0.0);
    }

    /// Adds a point, and the pair that it makes with the point before if the curvature along the step is positive.
    pub fn add(&mut self, isa: Isa, parameters: &[f32], gradient: &[f32]) {
        if self.counts[0] > 0.0 {
            // The last point becomes s and its gradient y, in place: the new ones overwrite both below.
            for (last, now) in [(&mut self.parameters, parameters), (&mut self.gradient, gradient)] {
                scale(isa, -1.0, last);
                axpy(isa, 1.0, now, last);
            }
            let (step, change) = (&self.parameters[..], &self.gradient[..]);
            let curvature = dot(isa, step, change) as f32;
            let least = LEAST_COSINE * (squared_norm(isa, step) * squared_norm(isa, change)).sqrt();
            if curvature.is_normal() && f64::from(curvature) > least {
                let slot = self.counts[1] as usize % MEMORY;
                self.steps[slot * step.len()..][..step.len()].copy_from_slice(step);
                self.changes[slot * step.len()..][..step.len()].copy_from_slice(change);
                self.curvatures[slot] = curvature;
                self.counts[1] += 1.0;
            }
        }
        self.counts[0] = 1.0;
        self.parameters.copy_from_slice(parameters);
        self.gradient.copy_from_slice(gradient);
    }

    /// v ← H⁻¹ v as far as H is known, for v = `vector`, by the two-loop recursion.
    ///
    /// `initial` multiplies a vector, in place, by an approximate inverse H₀ that is known without the pairs, to any scale: it
    /// is scaled so that yᵀ H₀ y = sᵀ y for the last pair, as in Nocedal and Wright, *Numerical Optimization* (2006), (7.20).
    pub fn multiply(&self, isa: Isa, vector: &mut [f32], mut initial: impl FnMut(&mut [f32])) {
        let count = self.counts[1] as usize;
        let pairs: Vec<_> = (count.saturating_sub(MEMORY)..count).map(|pair| self.pair(pair % MEMORY)).collect();
        two_loop_recursion(&Slices(isa), &pairs, vector, |vector| {
            initial(vector);
            if let Some(&Pair { change, curvature, .. }) = pairs.last() {
                let mut multiplied = AlignedBuffer::from(change);
                initial(&mut multiplied);
                let factor = (curvature / dot(isa, change, &multiplied)) as f32;
                scale(isa, if factor.is_finite() { factor } else { 1.0 }, vector);
            }
        });
    }

    fn pair(&self, slot: usize) -> Pair<'_, [f32]> {
        let length = self.parameters.len();
        let range = slot * length..(slot + 1) * length;
        let (step, change) = (&self.steps[range.clone()], &self.changes[range]);
        Pair { step, change, curvature: self.curvatures[slot].into() }
    }

    /// All buffers, by their names in a checkpoint.
    pub fn memory(&mut self) -> [(&'static str, &mut [f32]); 6] {
        [
            ("last parameters", &mut self.parameters),
            ("last gradient", &mut self.gradient),
            ("steps", &mut self.steps),
            ("changes", &mut self.changes),
            ("products", &mut self.curvatures),
            ("counts", &mut self.counts),
        ]
    }
}

/// Slices of `f32` of one length.
struct Slices(Isa);

impl VectorSpace for Slices {
    type Vector = [f32];

    fn dot(&self, x: &[f32], y: &[f32]) -> f64 {
        dot(self.0, x, y)
    }

    fn axpy(&self, alpha: f64, x: &[f32], y: &mut [f32]) {
        axpy(self.0, alpha as f32, x, y);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The pairs of `points` points on ½ Σ cᵢ xᵢ², with cᵢ from `curvatures`.
    fn lbfgs(curvatures: &[f32], points: usize) -> Lbfgs {
        let mut lbfgs = Lbfgs::new(curvatures.len());
        for point in 0..points {
            let point: Vec<f32> = (0..curvatures.len()).map(|i| ((point * 7 + i * 5) as f32).sin()).collect();
            lbfgs.add(Isa::best(), &point, &multiply(curvatures, &point));
        }
        lbfgs
    }

    fn multiply(curvatures: &[f32], point: &[f32]) -> Vec<f32> {
        curvatures.iter().zip(point).map(|(curvature, x)| curvature * x).collect()
    }

    #[test]
    fn the_last_change_leads_to_the_last_step_however_many_were_before() {
        let curvatures = [0.1, 1.0, 3.0, 0.5, 20.0];
        for points in [2, 3, MEMORY + 1, MEMORY + 2, 3 * MEMORY] {
            let lbfgs = lbfgs(&curvatures, points);
            let Pair { step, change, .. } = lbfgs.pair((points - 2) % MEMORY);
            let mut vector = change.to_vec();
            lbfgs.multiply(Isa::best(), &mut vector, |_| {});
            for (actual, expected) in vector.iter().zip(step) {
                assert!((actual - expected).abs() < 1e-4, "{points} points: {vector:?}, not {step:?}");
            }
        }
    }

    #[test]
    fn no_pair_changes_nothing_and_one_the_scale() {
        let mut vector = [3.0, -1.0, 2.0];
        lbfgs(&[2.0; 3], 1).multiply(Isa::best(), &mut vector, |_| {});
        assert_eq!(vector, [3.0, -1.0, 2.0]);
        lbfgs(&[2.0; 3], 2).multiply(Isa::best(), &mut vector, |vector| vector.iter_mut().for_each(|x| *x *= 8.0));
        vector.iter().zip([1.5, -0.5, 1.0]).for_each(|(actual, expected)| assert!((actual - expected).abs() < 1e-6));
    }

    #[test]
    fn a_step_along_which_the_loss_bends_down_is_left_out_and_the_others_stay() {
        let curvatures = [0.1, 1.0, 3.0];
        let mut some = lbfgs(&curvatures, MEMORY + 2);
        let curvatures_and_count = |lbfgs: &Lbfgs| (lbfgs.curvatures.to_vec(), lbfgs.counts[1]);
        let before = (curvatures_and_count(&some), some.steps.to_vec(), some.changes.to_vec());
        let next: Vec<f32> = some.parameters.iter().map(|x| x + 0.5).collect();
        let down: Vec<f32> = some.gradient.iter().map(|slope| slope - 0.5).collect();
        some.add(Isa::best(), &next, &down);
        assert_eq!((curvatures_and_count(&some), some.steps.to_vec(), some.changes.to_vec()), before);
        assert_eq!((&some.parameters[..], &some.gradient[..]), (&next[..], &down[..]));
        some.clear();
        assert!(some.is_empty());
        some.add(Isa::best(), &next, &down);
        assert!(some.is_empty(), "one point is no pair");
    }
}
