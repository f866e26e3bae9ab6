//! L-BFGS: what the changes of the gradient along the last steps say of the curvature.

use crate::kernels::{Isa, axpy, dot, scale, squared_norm};
use crate::matrix::AlignedBuffer;

/// How many steps are remembered.
const PAIRS: usize = 10;

/// The cosine between a step and the change of the gradient below which the pair is noise, or belongs to a saddle.
const LEAST_COSINE: f64 = 1e-8;

/// The last steps s between points that follow one another, and the changes y of the gradient along them: y = H s, with
/// the mean of the loss' second derivatives H along the step.
#[derive(Clone, Debug)]
pub(super) struct Secants {
    /// Of the point that was seen last; empty when none are to be remembered.
    parameters: AlignedBuffer,
    gradient: AlignedBuffer,
    /// The steps, the changes and sᵀ y of each pair; a new one takes the place of the oldest.
    steps: AlignedBuffer,
    changes: AlignedBuffer,
    products: AlignedBuffer,
    /// 1 once there is a point, and how many pairs have been made since the first one.
    counts: AlignedBuffer,
}

impl Secants {
    /// For points of so many parameters; none, if there will be no points to add.
    pub fn new(parameters: usize) -> Self {
        let zeros = |times| AlignedBuffer::zeros(times * parameters);
        Self {
            parameters: zeros(1),
            gradient: zeros(1),
            steps: zeros(PAIRS),
            changes: zeros(PAIRS),
            products: AlignedBuffer::zeros(PAIRS),
            counts: AlignedBuffer::zeros(2),
        }
    }

    /// How many elements it holds for so many parameters.
    pub fn elements(parameters: usize) -> usize {
        parameters.saturating_mul(2 * PAIRS + 2)
    }

    /// Whether it knows nothing yet.
    pub fn is_empty(&self) -> bool {
        self.counts[1] == 0.0
    }

    /// Forgets all points.
    pub fn clear(&mut self) {
        self.counts.fill(0.0);
    }

    /// Adds a point, and the pair that it makes with the one before.
    pub fn add(&mut self, isa: Isa, parameters: &[f32], gradient: &[f32]) {
        if self.counts[0] > 0.0 {
            for (last, now) in [(&mut self.parameters, parameters), (&mut self.gradient, gradient)] {
                scale(isa, -1.0, last);
                axpy(isa, 1.0, now, last);
            }
            let (step, change) = (&self.parameters[..], &self.gradient[..]);
            let product = dot(isa, step, change) as f32;
            let least = LEAST_COSINE * (squared_norm(isa, step) * squared_norm(isa, change)).sqrt();
            if product.is_normal() && f64::from(product) > least {
                let slot = self.counts[1] as usize % PAIRS;
                self.steps[slot * step.len()..][..step.len()].copy_from_slice(step);
                self.changes[slot * step.len()..][..step.len()].copy_from_slice(change);
                self.products[slot] = product;
                self.counts[1] += 1.0;
            }
        }
        self.counts[0] = 1.0;
        self.parameters.copy_from_slice(parameters);
        self.gradient.copy_from_slice(gradient);
    }

    /// Multiplies a vector by what is known of the inverse of H, given a function that multiplies one, in place, by what was
    /// known without the pairs, to any scale: Nocedal and Wright, Numerical Optimization (2006), Algorithm 7.4 and (7.20).
    pub fn multiply(&self, isa: Isa, vector: &mut [f32], mut inverse: impl FnMut(&mut [f32])) {
        let count = self.counts[1] as usize;
        let pairs: Vec<_> = (count.saturating_sub(PAIRS)..count).map(|pair| self.pair(pair % PAIRS)).collect();
        let mut along = Vec::new();
        for &(step, change, product) in pairs.iter().rev() {
            let share = dot(isa, step, vector) / product;
            axpy(isa, -share as f32, change, vector);
            along.push(share);
        }
        inverse(vector);
        if let Some(&(_, change, product)) = pairs.last() {
            let mut moved = AlignedBuffer::from(change);
            inverse(&mut moved);
            let right = (product / dot(isa, change, &moved)) as f32;
            scale(isa, if right.is_finite() { right } else { 1.0 }, vector);
        }
        for ((step, change, product), share) in pairs.into_iter().zip(along.into_iter().rev()) {
            let back = dot(isa, change, vector) / product;
            axpy(isa, (share - back) as f32, step, vector);
        }
    }

    fn pair(&self, slot: usize) -> (&[f32], &[f32], f64) {
        let length = self.parameters.len();
        let here = slot * length..(slot + 1) * length;
        (&self.steps[here.clone()], &self.changes[here], self.products[slot].into())
    }

    /// All that it remembers, by name.
    pub fn memory(&mut self) -> [(&'static str, &mut [f32]); 6] {
        [
            ("last parameters", &mut self.parameters),
            ("last gradient", &mut self.gradient),
            ("steps", &mut self.steps),
            ("changes", &mut self.changes),
            ("products", &mut self.products),
            ("counts", &mut self.counts),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the last of so many points on the slopes of ½ Σ cᵢ xᵢ² teach.
    fn secants(curvatures: &[f32], points: usize) -> Secants {
        let mut secants = Secants::new(curvatures.len());
        for point in 0..points {
            let point: Vec<f32> = (0..curvatures.len()).map(|i| ((point * 7 + i * 5) as f32).sin()).collect();
            secants.add(Isa::best(), &point, &multiply(curvatures, &point));
        }
        secants
    }

    fn multiply(curvatures: &[f32], point: &[f32]) -> Vec<f32> {
        curvatures.iter().zip(point).map(|(curvature, x)| curvature * x).collect()
    }

    #[test]
    fn the_last_change_leads_to_the_last_step_however_many_were_before() {
        let curvatures = [0.1, 1.0, 3.0, 0.5, 20.0];
        for points in [2, 3, PAIRS + 1, PAIRS + 2, 3 * PAIRS] {
            let secants = secants(&curvatures, points);
            let (step, change, _) = secants.pair((points - 2) % PAIRS);
            let mut vector = change.to_vec();
            secants.multiply(Isa::best(), &mut vector, |_| {});
            for (actual, expected) in vector.iter().zip(step) {
                assert!((actual - expected).abs() < 1e-4, "{points} points: {vector:?}, not {step:?}");
            }
        }
    }

    #[test]
    fn no_pair_changes_nothing_and_one_the_scale() {
        let mut vector = [3.0, -1.0, 2.0];
        secants(&[2.0; 3], 1).multiply(Isa::best(), &mut vector, |_| {});
        assert_eq!(vector, [3.0, -1.0, 2.0]);
        secants(&[2.0; 3], 2).multiply(Isa::best(), &mut vector, |vector| vector.iter_mut().for_each(|x| *x *= 8.0));
        vector.iter().zip([1.5, -0.5, 1.0]).for_each(|(actual, expected)| assert!((actual - expected).abs() < 1e-6));
    }

    #[test]
    fn a_step_along_which_the_loss_bends_down_is_left_out_and_the_others_stay() {
        let curvatures = [0.1, 1.0, 3.0];
        let mut some = secants(&curvatures, PAIRS + 2);
        let products = |secants: &Secants| (secants.products.to_vec(), secants.counts[1]);
        let before = (products(&some), some.steps.to_vec(), some.changes.to_vec());
        let next: Vec<f32> = some.parameters.iter().map(|x| x + 0.5).collect();
        let down: Vec<f32> = some.gradient.iter().map(|slope| slope - 0.5).collect();
        some.add(Isa::best(), &next, &down);
        assert_eq!((products(&some), some.steps.to_vec(), some.changes.to_vec()), before);
        assert_eq!((&some.parameters[..], &some.gradient[..]), (&next[..], &down[..]));
        some.clear();
        assert!(some.is_empty());
        some.add(Isa::best(), &next, &down);
        assert!(some.is_empty(), "one point is no pair");
    }
}
