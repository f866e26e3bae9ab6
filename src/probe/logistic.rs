//! Multinomial logistic regression with a penalty on squared weights, from inner products of the labelled rows.
//!
//! It minimises Σᵢ −ln p(yᵢ | xᵢ) + λ/2 ‖W‖², where p is the softmax of the scores W x. At the minimum W is a combination
//! of the rows, W = Aᵀ X (the representer theorem: Schölkopf, Herbrich and Smola, 2001), so that the scores of the rows are
//! K A and ‖W‖² = tr Aᵀ K A with their products K = X Xᵀ: however many columns there are, K alone is needed. The last
//! column is a constant 1, whose weight is the bias; so the penalty is on it too.

use std::collections::VecDeque;

use crate::gemm::gemm;
use crate::kernels::Isa;
use crate::kernels::double::axpy;
use crate::kernels::double::dot;
use crate::likelihood::log_sum_exp;
use crate::linalg::lbfgs::{Pair, VectorSpace, two_loop_recursion};
use crate::matrix::Matrix;

/// Penalties λ to choose from, the strongest first.
const PENALTIES: [f64; 9] = [30.0, 10.0, 3.0, 1.0, 0.3, 0.1, 0.03, 0.01, 0.003];

/// The number of folds of the cross-validation; fewer where a class has fewer rows.
const FOLDS: usize = 5;

/// The objective ends above its minimum by at most this a row, in nats: in the final fit, and in those of the folds.
const GAP: f64 = 1e-7;
const FOLD_GAP: f64 = 1e-5;

/// The number of steps after which a fit ends in any case; some tens are usual.
const MAX_STEPS: usize = 2000;

/// The number of pairs that L-BFGS remembers.
const MEMORY: usize = 10;

/// A fitted classifier.
#[derive(Debug)]
pub(super) struct Logistic {
    /// A, labelled rows × classes.
    coefficients: Matrix,
    /// Of each class: the constant's product with every row is 1.
    bias: Vec<f32>,
}

impl Logistic {
    /// A classifier fitted to labelled rows, by their products with each other: `per_class` rows of each class, one class
    /// after another.
    ///
    /// The penalty is the first of [`PENALTIES`] after which rows that are held out in turn become less probable. With one
    /// row of each class none can be held out, and the penalty is 1.
    pub(super) fn choose(isa: Isa, products: &Matrix, classes: &[usize], per_class: usize) -> Self {
        let rows = classes.len();
        let count = rows / per_class;
        let kernel = Kernel::new(isa, products);
        let all = vec![true; rows];
        let problem = Problem { kernel: &kernel, classes, count, counted: &all, penalty: 1.0 };
        let penalty = if per_class == 1 { 1.0 } else { best_penalty(&problem, per_class) };
        let fitted = Problem { penalty, ..problem }.fit(problem.start(), GAP);
        let mut coefficients = Matrix::zeros(rows, count);
        for row in 0..rows {
            for (class, to) in coefficients.row_mut(row).iter_mut().enumerate() {
                *to = fitted.coefficients[class * rows + row] as f32;
            }
        }
        let bias = fitted.coefficients.chunks_exact(rows).map(|class| class.iter().sum::<f64>() as f32).collect();
        Self { coefficients, bias }
    }

    /// The most probable class of each of some rows, by their products with the labelled rows; of equally probable ones the
    /// first.
    pub(super) fn classify(&self, products: &Matrix) -> Vec<usize> {
        let mut scores = Matrix::zeros(products.rows(), self.bias.len());
        for row in 0..products.rows() {
            scores.row_mut(row).copy_from_slice(&self.bias);
        }
        gemm(1.0, products.view(), self.coefficients.view(), 1.0, scores.view_mut());
        let greatest =
            |scores: &[f32]| (1..scores.len()).fold(0, |best, at| if scores[at] > scores[best] { at } else { best });
        (0..products.rows()).map(|row| greatest(scores.row(row))).collect()
    }
}

/// The first penalty after which held-out rows become less probable.
fn best_penalty(problem: &Problem<'_>, per_class: usize) -> f64 {
    let folds = FOLDS.min(per_class);
    let rows = problem.classes.len();
    let counted = |fold| (0..rows).map(|row| row % per_class % folds != fold).collect::<Vec<_>>();
    let mut fits: Vec<_> = (0..folds).map(|fold| (counted(fold), problem.start())).collect();
    let mut best = (f64::INFINITY, problem.penalty);
    for penalty in PENALTIES {
        let mut loss = 0.0;
        for (counted, point) in &mut fits {
            let problem = Problem { counted, penalty, ..*problem };
            // From the last one, which is near.
            *point = problem.fit(std::mem::take(point), FOLD_GAP);
            loss += (0..rows).filter(|&row| !counted[row]).map(|row| problem.row_loss(point, row)).sum::<f64>();
        }
        if loss >= best.0 {
            break;
        }
        best = (loss, penalty);
    }
    best.1
}

/// K, the products of the labelled rows, the constant column included, and the inner product of weights that it defines.
struct Kernel {
    isa: Isa,
    rows: usize,
    products: Vec<f64>,
}

impl Kernel {
    fn new(isa: Isa, products: &Matrix) -> Self {
        let with_constant = products.as_slice().iter().map(|&product| f64::from(product) + 1.0).collect();
        Self { isa, rows: products.rows(), products: with_constant }
    }

    /// The point with `coefficients`.
    fn point(&self, coefficients: Vec<f64>) -> Point {
        let Self { isa, rows, .. } = *self;
        let mut scores = vec![0.0; coefficients.len()];
        for (row, products) in self.products.chunks_exact(rows).enumerate() {
            for (coefficients, scores) in coefficients.chunks_exact(rows).zip(scores.chunks_exact_mut(rows)) {
                scores[row] = dot(isa, products, coefficients);
            }
        }
        Point { isa, coefficients, scores }
    }
}

impl VectorSpace for Kernel {
    type Vector = Point;

    fn dot(&self, x: &Point, y: &Point) -> f64 {
        x.dot(y)
    }

    fn axpy(&self, alpha: f64, x: &Point, y: &mut Point) {
        y.add(alpha, x);
    }
}

/// Weights W = Aᵀ X, as their coefficients A and the scores K A of the rows, both labelled rows × classes, class after class.
#[derive(Clone, Debug, Default)]
struct Point {
    isa: Isa,
    coefficients: Vec<f64>,
    scores: Vec<f64>,
}

impl Point {
    /// The inner product tr W Vᵀ of the weights of two points, tr Aᵀ (K B).
    fn dot(&self, other: &Self) -> f64 {
        dot(self.isa, &self.coefficients, &other.scores)
    }

    /// Adds `times` the weights of another.
    fn add(&mut self, times: f64, other: &Self) {
        axpy(self.isa, times, &other.coefficients, &mut self.coefficients);
        axpy(self.isa, times, &other.scores, &mut self.scores);
    }

    fn scale(&mut self, times: f64) {
        self.coefficients.iter_mut().chain(&mut self.scores).for_each(|value| *value *= times);
    }

    fn minus(&self, other: &Self) -> Self {
        let mut difference = self.clone();
        difference.add(-1.0, other);
        difference
    }
}

/// The objective, over the rows that count.
#[derive(Clone, Copy)]
struct Problem<'a> {
    kernel: &'a Kernel,
    /// The class of each labelled row.
    classes: &'a [usize],
    /// The number of classes.
    count: usize,
    /// Which rows count; the others are held out.
    counted: &'a [bool],
    penalty: f64,
}

impl Problem<'_> {
    /// All weights zero.
    fn start(&self) -> Point {
        let zeros = vec![0.0; self.classes.len() * self.count];
        Point { isa: self.kernel.isa, coefficients: zeros.clone(), scores: zeros }
    }

    /// ln Σ exp(scores) of a row.
    fn log_sum(&self, point: &Point, row: usize) -> f64 {
        log_sum_exp(point.scores[row..].iter().step_by(self.classes.len()).copied())
    }

    /// −ln p of a row's class.
    fn row_loss(&self, point: &Point, row: usize) -> f64 {
        self.log_sum(point, row) - point.scores[self.classes[row] * self.classes.len() + row]
    }

    fn objective(&self, point: &Point) -> f64 {
        let rows = (0..self.classes.len()).filter(|&row| self.counted[row]);
        rows.map(|row| self.row_loss(point, row)).sum::<f64>() + self.penalty / 2.0 * point.dot(point)
    }

    /// The gradient by the weights, which is a combination of the rows too, with coefficients p − y + λ A.
    fn gradient(&self, point: &Point) -> Point {
        let rows = self.classes.len();
        let mut coefficients: Vec<f64> = point.coefficients.iter().map(|value| self.penalty * value).collect();
        for row in (0..rows).filter(|&row| self.counted[row]) {
            let log_sum = self.log_sum(point, row);
            for class in 0..self.count {
                let probability = (point.scores[class * rows + row] - log_sum).exp();
                coefficients[class * rows + row] += probability - f64::from(u8::from(class == self.classes[row]));
            }
        }
        self.kernel.point(coefficients)
    }

    /// The minimum, found from a start by L-BFGS (Nocedal and Wright, *Numerical Optimization*, 2006, Algorithm 7.5) in the
    /// weights, with one product with K a step.
    ///
    /// It ends when the objective is above its minimum by `gap` a row at most: that is at most ‖gradient‖² / 2λ, because
    /// the penalty gives every direction a curvature of λ or more.
    fn fit(&self, start: Point, gap: f64) -> Point {
        let rows = self.counted.iter().filter(|&&counted| counted).count() as f64;
        let mut gradient = self.gradient(&start);
        let mut point = start;
        let mut objective = self.objective(&point);
        let mut history: VecDeque<Change> = VecDeque::new();
        for _ in 0..MAX_STEPS {
            let squared = gradient.dot(&gradient);
            if squared <= 2.0 * self.penalty * gap * rows {
                break;
            }
            let direction = self.descent_direction(&gradient, squared, &history);
            let slope = direction.dot(&gradient);
            // Close to the minimum, rounding may hide the decrease.
            let Some((next, next_objective)) = self.search_line(&point, objective, &direction, slope) else { break };
            let next_gradient = self.gradient(&next);
            let (step, change) = (next.minus(&point), next_gradient.minus(&gradient));
            let curvature = step.dot(&change);
            if curvature > 0.0 {
                history.push_back(Change { step, change, curvature });
                if history.len() > MEMORY {
                    history.pop_front();
                }
            }
            (point, gradient, objective) = (next, next_gradient, next_objective);
        }
        point
    }

    /// The first point of lengths 1, ½, ¼, … along a direction whose decrease is Armijo's, and its objective; none below a
    /// length of 10⁻¹⁰.
    fn search_line(&self, start: &Point, objective: f64, direction: &Point, slope: f64) -> Option<(Point, f64)> {
        let mut length = 1.0;
        while length >= 1e-10 {
            let mut point = start.clone();
            point.add(length, direction);
            let value = self.objective(&point);
            if value <= objective + 1e-4 * length * slope {
                return Some((point, value));
            }
            length /= 2.0;
        }
        None
    }

    /// Against the gradient, preconditioned by the steps in `history`.
    fn descent_direction(&self, gradient: &Point, squared_norm: f64, history: &VecDeque<Change>) -> Point {
        let pairs: Vec<_> = history.iter().map(Change::pair).collect();
        let mut direction = gradient.clone();
        two_loop_recursion(self.kernel, &pairs, &mut direction, |vector: &mut Point| {
            vector.scale(match pairs.last() {
                Some(last) => last.curvature / last.change.dot(last.change),
                None => 1.0 / (1.0 + squared_norm.sqrt()),
            });
        });
        direction.scale(-1.0);
        direction
    }
}

/// A step that was taken, the change of the gradient along it, and the curvature sᵀ y.
struct Change {
    step: Point,
    change: Point,
    curvature: f64,
}

impl Change {
    fn pair(&self) -> Pair<'_, Point> {
        Pair { step: &self.step, change: &self.change, curvature: self.curvature }
    }
}

#[cfg(test)]
mod tests {
    use rand::RngExt;

    use super::*;
    use crate::random::{Purpose, generator};

    const CLASSES: usize = 3;

    /// Rows in three overlapping clouds, one class after another.
    fn rows(per_class: usize, columns: usize) -> (Vec<Vec<f64>>, Vec<usize>) {
        let value = |row: usize, column: usize| {
            let class = row / per_class;
            let centre = if column % CLASSES == class { 0.8 } else { -0.2 };
            centre + ((row * 31 + column * column * 17 + row * column * 7) as f64).sin()
        };
        let rows =
            (0..CLASSES * per_class).map(|row| (0..columns).map(|column| value(row, column)).collect()).collect();
        (rows, (0..CLASSES * per_class).map(|row| row / per_class).collect())
    }

    fn inner(a: &[f64], b: &[f64]) -> f64 {
        a.iter().zip(b).map(|(a, b)| a * b).sum()
    }

    fn products(left: &[Vec<f64>], right: &[Vec<f64>]) -> Matrix {
        let all: Vec<f32> = left.iter().flat_map(|a| right.iter().map(move |b| inner(a, b) as f32)).collect();
        Matrix::from_slice(left.len(), right.len(), &all)
    }

    /// The textbook's objective of weights, classes × (columns + 1), and its gradient.
    fn textbook(rows: &[Vec<f64>], classes: &[usize], penalty: f64, weights: &[Vec<f64>]) -> (f64, Vec<Vec<f64>>) {
        let mut value = weights.iter().map(|weights| penalty / 2.0 * inner(weights, weights)).sum();
        let mut gradient: Vec<Vec<f64>> =
            weights.iter().map(|weights| weights.iter().map(|weight| penalty * weight).collect()).collect();
        for (row, &class) in rows.iter().zip(classes) {
            let row = [row.as_slice(), &[1.0]].concat();
            let exps: Vec<f64> = weights.iter().map(|weights| inner(weights, &row).exp()).collect();
            let sum: f64 = exps.iter().sum();
            value -= (exps[class] / sum).ln();
            for (at, gradient) in gradient.iter_mut().enumerate() {
                let slope = exps[at] / sum - if at == class { 1.0 } else { 0.0 };
                gradient.iter_mut().zip(&row).for_each(|(gradient, x)| *gradient += slope * x);
            }
        }
        (value, gradient)
    }

    /// Weights W = Aᵀ X of a point.
    fn weights(point: &Point, rows: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let of_class = |coefficients: &[f64]| {
            let mut weights = vec![0.0; rows[0].len() + 1];
            for (coefficient, row) in coefficients.iter().zip(rows) {
                weights.iter_mut().zip(row.iter().chain(&[1.0])).for_each(|(weight, x)| *weight += coefficient * x);
            }
            weights
        };
        point.coefficients.chunks_exact(rows.len()).map(of_class).collect()
    }

    #[test]
    fn objective_and_gradient_are_the_textbook_s_and_the_gradient_is_the_slope() {
        let (rows, classes) = rows(4, 7);
        let kernel = Kernel::new(Isa::best(), &products(&rows, &rows));
        let mut counted = vec![true; rows.len()];
        let start = kernel.point((0..rows.len() * CLASSES).map(|at| (at as f64 * 0.7).sin()).collect());
        for held_out in [None, Some(5)] {
            held_out.into_iter().for_each(|row: usize| counted[row] = false);
            let problem =
                Problem { kernel: &kernel, classes: &classes, count: CLASSES, counted: &counted, penalty: 0.3 };
            let those = |rows: &[Vec<f64>]| {
                rows.iter().zip(&counted).filter(|of| *of.1).map(|of| of.0.clone()).collect::<Vec<_>>()
            };
            let of_those: Vec<usize> = classes.iter().zip(&counted).filter(|of| *of.1).map(|of| *of.0).collect();
            let (value, gradient) = textbook(&those(&rows), &of_those, 0.3, &weights(&start, &rows));
            assert!((problem.objective(&start) - value).abs() < 1e-5 * value, "{} {value}", problem.objective(&start));
            for (actual, expected) in weights(&problem.gradient(&start), &rows).iter().zip(&gradient) {
                assert!(actual.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-4), "{actual:?} {expected:?}");
            }
            // The slope along a direction, from both sides.
            let direction = kernel.point((0..rows.len() * CLASSES).map(|at| (at as f64 * 1.3).cos()).collect());
            let along = |length: f64| {
                let mut point = start.clone();
                point.add(length, &direction);
                problem.objective(&point)
            };
            let slope = (along(1e-5) - along(-1e-5)) / 2e-5;
            assert!((problem.gradient(&start).dot(&direction) - slope).abs() < 1e-5 * slope.abs(), "{slope}");
        }
    }

    #[test]
    fn the_fit_agrees_with_gradient_descent_for_few_columns_and_for_many() {
        for (per_class, columns) in [(8, 3), (3, 40)] {
            let (rows, classes) = rows(per_class, columns);
            let kernel = Kernel::new(Isa::best(), &products(&rows, &rows));
            let counted = vec![true; rows.len()];
            for penalty in [10.0, 0.1] {
                let problem =
                    Problem { kernel: &kernel, classes: &classes, count: CLASSES, counted: &counted, penalty };
                let fitted = weights(&problem.fit(problem.start(), GAP), &rows);
                let mut expected = vec![vec![0.0; columns + 1]; CLASSES];
                // The loss of a row is curved by half its squared length at most.
                let curvature = penalty + rows.iter().map(|row| (inner(row, row) + 1.0) / 2.0).sum::<f64>();
                for _ in 0..100_000 {
                    let (_, gradient) = textbook(&rows, &classes, penalty, &expected);
                    for (weights, gradient) in expected.iter_mut().zip(&gradient) {
                        weights.iter_mut().zip(gradient).for_each(|(weight, slope)| *weight -= slope / curvature);
                    }
                    if gradient.iter().map(|gradient| inner(gradient, gradient)).sum::<f64>() < 1e-16 {
                        break;
                    }
                }
                let least = textbook(&rows, &classes, penalty, &expected).0;
                let value = textbook(&rows, &classes, penalty, &fitted).0;
                assert!(value < least + 2.0 * GAP * rows.len() as f64, "{value}, not {least}");
                for (actual, expected) in fitted.iter().flatten().zip(expected.iter().flatten()) {
                    assert!((actual - expected).abs() < 0.01, "penalty {penalty}: {actual}, not {expected}");
                }
            }
        }
    }

    #[test]
    fn the_penalty_grows_with_the_noise() {
        let classes: Vec<usize> = (0..60).map(|row| row / 20).collect();
        let penalty = |noise: f64| {
            let mut generator = generator(1, Purpose::Bench);
            let mut value = |row: usize, column: usize| {
                let centre = if column == row / 20 { 1.0 } else { 0.0 };
                centre + noise * (generator.random::<f64>() - 0.5)
            };
            let rows: Vec<Vec<f64>> = (0..60).map(|row| (0..6).map(|column| value(row, column)).collect()).collect();
            let kernel = Kernel::new(Isa::best(), &products(&rows, &rows));
            let counted = [true; 60];
            let problem =
                Problem { kernel: &kernel, classes: &classes, count: CLASSES, counted: &counted, penalty: 1.0 };
            best_penalty(&problem, 20)
        };
        let penalties = [0.1, 3.0, 10.0].map(penalty);
        assert!(penalties.is_sorted_by(|a, b| a < b), "{penalties:?}");
    }

    #[test]
    fn new_rows_get_the_class_of_the_greatest_score() {
        let (rows, classes) = rows(10, 8);
        let fitted = Logistic::choose(Isa::best(), &products(&rows, &rows), &classes, 10);
        let point = Point {
            coefficients: (0..CLASSES)
                .flat_map(|class| (0..30).map(move |row| (class, row)))
                .map(|(class, row)| f64::from(fitted.coefficients.row(row)[class]))
                .collect(),
            ..Point::default()
        };
        let weights = weights(&point, &rows);
        let new: Vec<Vec<f64>> =
            (0..40).map(|row| (0..8).map(|column| ((row * 5 + column * 3) as f64).cos()).collect()).collect();
        for (actual, row) in fitted.classify(&products(&new, &rows)).into_iter().zip(&new) {
            let row = [row.as_slice(), &[1.0]].concat();
            let expected = (0..CLASSES).max_by(|&a, &b| inner(&weights[a], &row).total_cmp(&inner(&weights[b], &row)));
            assert_eq!(Some(actual), expected);
        }
        let wrong = fitted.classify(&products(&rows, &rows)).iter().zip(&classes).filter(|(a, b)| a != b).count();
        assert!(wrong <= 3, "{wrong} of 30 rows that it was fitted to are wrong");
        let one_each = [rows[0].clone(), rows[10].clone(), rows[20].clone()];
        let fitted = Logistic::choose(Isa::best(), &products(&one_each, &one_each), &[0, 1, 2], 1);
        assert_eq!(fitted.classify(&products(&one_each, &one_each)), [0, 1, 2]);
    }
}
