//! The table of kernels and their twins, and the one check that tests and fuzz targets run over it.
//!
//! A [`Pair`] says how to call a kernel and its twin, what values its arguments take, and how far the two may be apart.
//! [`Case`] holds drawn arguments, and [`Pair::check`] runs both and compares. Benches take their kernels from here too.

use crate::kernels::{self, Activation, AdamStep, Isa};
use crate::reference::{self, ulps};

/// Half the distance from 1 to the next larger `f32`.
pub const EPSILON: f64 = 1.0 / 16_777_216.0;

/// The values that an argument takes.
#[derive(Clone, Copy, Debug)]
pub enum Domain {
    /// Any float: every bit pattern, and [`SPECIAL`] ones often.
    Any,
    /// Finite floats between two bounds: evenly spread, and tiny ones often.
    Within(f32, f32),
    /// Nothing is read from it: it is NaN.
    Unread,
}

/// Floats at the ends of the format and of the functions.
pub const SPECIAL: [f32; 24] = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    f32::INFINITY,
    f32::NEG_INFINITY,
    f32::NAN,
    f32::MAX,
    f32::MIN,
    f32::MIN_POSITIVE,
    -f32::MIN_POSITIVE,
    1e-45,
    -1e-45,
    1e-40,
    -1e-40,
    88.722_83,
    88.722_84,
    -87.336_54,
    -103.972_08,
    -103.972_09,
    104.0,
    -104.0,
    0.346_573_6,
    -0.346_573_6,
];

impl Domain {
    /// The float of this domain that 32 random bits stand for.
    pub fn draw(self, bits: u32) -> f32 {
        let float = f32::from_bits(bits);
        match self {
            Self::Any if bits.is_multiple_of(16) => SPECIAL[bits as usize / 16 % SPECIAL.len()],
            Self::Any => float,
            Self::Within(low, high) if bits.is_multiple_of(4) && (low..=high).contains(&float) => float,
            Self::Within(low, high) => low + (high - low) * (bits as f32 / u32::MAX as f32),
            Self::Unread => f32::NAN,
        }
    }
}

/// An argument of a kernel: a number, or a slice.
#[derive(Clone, Copy, Debug)]
pub struct Argument {
    /// The values that it takes.
    pub domain: Domain,
    /// A slice holds this many times the case's length.
    pub rows: usize,
    /// The sign with which the terms that it enters add up instead of cancelling.
    pub sign: f32,
}

impl Argument {
    const ANY: Self = Self { domain: Domain::Any, rows: 1, sign: 1.0 };
    const UNREAD: Self = Self { domain: Domain::Unread, rows: 1, sign: 1.0 };

    const fn within(low: f32, high: f32) -> Self {
        Self { domain: Domain::Within(low, high), rows: 1, sign: 1.0 }
    }

    const fn rows(self, rows: usize) -> Self {
        Self { rows, ..self }
    }

    const fn negated(self) -> Self {
        Self { sign: -1.0, ..self }
    }
}

/// How far a kernel may be from its twin.
#[derive(Clone, Copy, Debug)]
pub enum Tolerance {
    /// The same floats; the sign of a zero may differ.
    Exact,
    /// Each result within so many units in its last place.
    Ulps(f64),
    /// Each result y within so many ε (1 + |y|).
    Near(f64),
    /// Each result within so many ε times what the twin gives when every term that it adds has the same sign.
    Terms(f64),
    /// As `Terms`, and exact where all arguments are small integers.
    ExactTerms(f64),
}

type Run = dyn Fn(Option<Isa>, &[f32], &[&[f32]], Vec<&mut [f32]>) -> f64 + Send + Sync;

/// A kernel and its twin.
pub struct Pair {
    /// The name of the kernel.
    pub name: String,
    /// The numbers that it takes.
    pub scalars: Vec<Argument>,
    /// The slices that it reads.
    pub read: Vec<Argument>,
    /// The slices that it writes.
    pub write: Vec<Argument>,
    /// How far its results may be from those of the twin. A sum may always be off by [`SUM`].
    pub tolerance: Tolerance,
    run: Box<Run>,
}

/// How far a sum may be off, in ε times the sum of the magnitudes of its terms.
pub const SUM: f64 = 75.0;

/// Drawn arguments of a pair.
#[derive(Clone, Debug)]
pub struct Case {
    /// The numbers.
    pub scalars: Vec<f32>,
    /// The slices that are read.
    pub read: Vec<Vec<f32>>,
    /// What the slices that are written hold before.
    pub write: Vec<Vec<f32>>,
    /// How many floats off the start of its allocation each slice begins.
    pub offset: usize,
    /// Whether the results must be exact, whatever the tolerance.
    pub exact: bool,
}

/// What a result may be off because products of tiny arguments lose digits below the normal numbers.
const UNDERFLOW: f64 = f32::MIN_POSITIVE as f64;

/// What stands on both sides of the slices that are written: a NaN of its own.
const GUARD: f32 = f32::from_bits(0x7fc0_5afe);

impl Pair {
    fn new<const SCALARS: usize, const READ: usize, const WRITE: usize>(
        name: impl Into<String>,
        scalars: [Argument; SCALARS],
        read: [Argument; READ],
        write: [Argument; WRITE],
        tolerance: Tolerance,
        run: impl Fn(Option<Isa>, [f32; SCALARS], [&[f32]; READ], [&mut [f32]; WRITE]) -> f64 + Send + Sync + 'static,
    ) -> Self {
        let run = move |isa: Option<Isa>, scalars: &[f32], read: &[&[f32]], write: Vec<&mut [f32]>| {
            let scalars = scalars.try_into().expect("as many as there are");
            let read = read.try_into().expect("as many as there are");
            run(isa, scalars, read, write.try_into().expect("as many as there are"))
        };
        Self {
            name: name.into(),
            scalars: scalars.into(),
            read: read.into(),
            write: write.into(),
            tolerance,
            run: Box::new(run),
        }
    }

    /// Arguments for slices of a length, from a source of random bits.
    pub fn draw(&self, length: usize, offset: usize, mut bits: impl FnMut() -> u32) -> Case {
        self.case(length, offset, false, |domain| domain.draw(bits()))
    }

    /// As [`draw`](Self::draw), but all arguments are integers from −8 to 8, on which the results must be exact; none
    /// where those of this kernel are not.
    pub fn draw_exact(&self, length: usize, offset: usize, mut bits: impl FnMut() -> u32) -> Option<Case> {
        matches!(self.tolerance, Tolerance::ExactTerms(_)).then(|| {
            self.case(length, offset, true, |domain| match domain {
                Domain::Unread => f32::NAN,
                _ => (bits() % 17) as f32 - 8.0,
            })
        })
    }

    fn case(&self, length: usize, offset: usize, exact: bool, mut draw: impl FnMut(Domain) -> f32) -> Case {
        let mut slices = |arguments: &[Argument]| -> Vec<Vec<f32>> {
            arguments.iter().map(|a| (0..length * a.rows).map(|_| draw(a.domain)).collect()).collect()
        };
        let (read, write) = (slices(&self.read), slices(&self.write));
        let scalars = self.scalars.iter().map(|a| draw(a.domain)).collect();
        Case { scalars, read, write, offset, exact }
    }

    /// Runs the kernel on an instruction set, and returns the sum. Benches use it.
    pub fn run(&self, isa: Isa, scalars: &[f32], read: &[&[f32]], write: Vec<&mut [f32]>) -> f64 {
        (self.run)(Some(isa), scalars, read, write)
    }

    /// Runs the twin; returns what it wrote, and the sum.
    fn twin(&self, case: &Case) -> (Vec<Vec<f32>>, f64) {
        let read: Vec<&[f32]> = case.read.iter().map(Vec::as_slice).collect();
        let mut write = case.write.clone();
        let sum = (self.run)(None, &case.scalars, &read, write.iter_mut().map(Vec::as_mut_slice).collect());
        (write, sum)
    }

    /// Runs the kernel and the twin on the same arguments, and says where they differ by more than the tolerance, or
    /// where the kernel wrote outside its slices.
    pub fn check(&self, isa: Isa, case: &Case) -> Result<(), String> {
        // What is read ends where its allocation ends, for a sanitizer to see; before it stand NaNs.
        let read: Vec<Vec<f32>> = case.read.iter().map(|values| guarded(case.offset, values, 0)).collect();
        let mut write: Vec<Vec<f32>> = case.write.iter().map(|values| guarded(case.offset, values, 64)).collect();
        let sum = (self.run)(
            Some(isa),
            &case.scalars,
            &read.iter().map(|buffer| &buffer[case.offset..]).collect::<Vec<_>>(),
            write.iter_mut().zip(&case.write).map(|(buffer, v)| &mut buffer[case.offset..][..v.len()]).collect(),
        );
        let (expected, expected_sum) = self.twin(case);
        let (magnitudes, sum_of_magnitudes) = self.twin(&self.without_cancellation(case));

        let place = || {
            format!(
                "{} on {isa}, {} elements",
                self.name,
                case.read.iter().chain(&case.write).map(Vec::len).max().unwrap_or(0)
            )
        };
        for (slice, buffer) in write.iter().enumerate() {
            let (before, rest) = buffer.split_at(case.offset);
            let (actual, after) = rest.split_at(case.write[slice].len());
            if before.iter().chain(after).any(|guard| guard.to_bits() != GUARD.to_bits()) {
                return Err(format!("{}: wrote outside of slice {slice}", place()));
            }
            for (i, &actual) in actual.iter().enumerate() {
                let (expected, magnitude) = (expected[slice][i], magnitudes[slice][i]);
                if !self.agree(case.exact, actual, expected, magnitude) {
                    return Err(format!(
                        "{}: slice {slice}[{i}] is {actual:e} and must be {expected:e}; numbers {:?}, read {:?}, held {:e}",
                        place(),
                        case.scalars,
                        case.read.iter().map(|values| values.get(i)).collect::<Vec<_>>(),
                        case.write[slice][i],
                    ));
                }
            }
        }
        let allowed = if case.exact { 0.0 } else { SUM * EPSILON * sum_of_magnitudes + UNDERFLOW };
        if (sum - expected_sum).abs() <= allowed {
            Ok(())
        } else {
            Err(format!("{}: the sum is {sum:e} and must be {expected_sum:e}", place()))
        }
    }

    fn agree(&self, exact: bool, actual: f32, expected: f32, magnitude: f32) -> bool {
        if actual.is_nan() || expected.is_nan() {
            return actual.is_nan() && expected.is_nan();
        }
        let allowed = match self.tolerance {
            _ if exact || expected.is_infinite() => 0.0,
            Tolerance::Exact => 0.0,
            Tolerance::Ulps(units) => return ulps(actual, f64::from(expected)) <= units,
            Tolerance::Near(epsilons) => epsilons * EPSILON * (1.0 + f64::from(expected.abs())),
            Tolerance::Terms(epsilons) | Tolerance::ExactTerms(epsilons) => {
                epsilons * EPSILON * f64::from(magnitude) + UNDERFLOW
            }
        };
        actual == expected || (f64::from(actual) - f64::from(expected)).abs() <= allowed
    }

    /// The arguments with such signs that all terms add up.
    fn without_cancellation(&self, case: &Case) -> Case {
        let slices = |arguments: &[Argument], values: &[Vec<f32>]| -> Vec<Vec<f32>> {
            let signed = arguments.iter().zip(values);
            signed.map(|(a, values)| values.iter().map(|v| a.sign * v.abs()).collect()).collect()
        };
        Case {
            scalars: self.scalars.iter().zip(&case.scalars).map(|(a, v)| a.sign * v.abs()).collect(),
            read: slices(&self.read, &case.read),
            write: slices(&self.write, &case.write),
            ..*case
        }
    }
}

/// `offset` guards, the values, and more guards.
fn guarded(offset: usize, values: &[f32], after: usize) -> Vec<f32> {
    let mut buffer = Vec::with_capacity(offset + values.len() + after);
    buffer.resize(offset, GUARD);
    buffer.extend_from_slice(values);
    buffer.resize(offset + values.len() + after, GUARD);
    buffer
}

/// The kernel of a name on an instruction set, or where there is none, the twin of that name.
macro_rules! either {
    ($isa:ident, $name:ident($($argument:expr),*)) => {
        match $isa {
            Some(isa) => kernels::$name(isa, $($argument),*),
            None => reference::$name($($argument),*),
        }
    };
}

/// Every kernel beside its twin.
pub fn pairs() -> Vec<Pair> {
    use Tolerance::{Exact, ExactTerms, Near, Terms, Ulps};
    let number = Argument::within(-4.0, 4.0);
    let finite = Argument::within(-1000.0, 1000.0);
    let mut pairs = vec![
        Pair::new(
            "squared_error",
            [number],
            [finite, finite.negated()],
            [Argument::UNREAD],
            ExactTerms(3.0),
            |isa, [scale], [output, target], [gradient]| either!(isa, squared_error(output, target, scale, gradient)),
        ),
        Pair::new("squared_distance", [], [finite, finite.negated()], [], ExactTerms(0.0), |isa, [], [a, b], []| {
            either!(isa, squared_distance(a, b))
        }),
        Pair::new(
            "sigmoid_cross_entropy",
            [number],
            [Argument::within(-200.0, 200.0), Argument::within(0.0, 1.0).negated()],
            [Argument::UNREAD],
            Terms(5.0),
            |isa, [scale], [logits, target], [gradient]| {
                either!(isa, sigmoid_cross_entropy(logits, target, scale, gradient))
            },
        ),
        Pair::new(
            "sgd",
            [number.negated()],
            [finite],
            [finite],
            ExactTerms(2.0),
            |isa, [rate], [gradient], [parameters]| {
                either!(isa, sgd(parameters, gradient, rate));
                0.0
            },
        ),
        Pair::new(
            "momentum",
            [number.negated(), number],
            [finite],
            [finite, finite],
            ExactTerms(4.0),
            |isa, [rate, decay], [gradient], [parameters, velocity]| {
                either!(isa, momentum(parameters, velocity, gradient, rate, decay));
                0.0
            },
        ),
        Pair::new(
            "adam",
            [
                Argument::within(-1.0, 1.0).negated(),
                Argument::within(0.0, 0.99),
                Argument::within(0.0, 0.9999),
                Argument::within(1.0, 1e6),
            ],
            [finite],
            [finite, finite, Argument::within(0.0, 1e6)],
            Terms(12.0),
            |isa, [learning_rate, beta1, beta2, step], [gradient], [parameters, first, second]| {
                let step = AdamStep { learning_rate, beta1, beta2, epsilon: 1e-8, step: step.abs().max(1.0) as u64 };
                either!(isa, adam(parameters, first, second, gradient, step));
                0.0
            },
        ),
        Pair::new("axpy", [number], [finite], [finite], ExactTerms(2.0), |isa, [a], [x], [y]| {
            either!(isa, axpy(a, x, y));
            0.0
        }),
        Pair::new("scale", [Argument::ANY], [], [Argument::ANY], Exact, |isa, [a], [], [x]| {
            either!(isa, scale(a, x));
            0.0
        }),
        Pair::new("exp", [], [], [Argument::ANY], Ulps(1.6), |isa, [], [], [values]| {
            either!(isa, exp(values));
            0.0
        }),
        Pair::new("sum", [], [finite], [], ExactTerms(0.0), |isa, [], [x], []| either!(isa, sum(x))),
        Pair::new("dot", [], [finite, finite], [], ExactTerms(0.0), |isa, [], [x, y], []| either!(isa, dot(x, y))),
        Pair::new("squared_norm", [], [finite], [], ExactTerms(0.0), |isa, [], [x], []| either!(isa, squared_norm(x))),
        Pair::new("add_row", [], [Argument::ANY], [Argument::ANY.rows(3)], Exact, |isa, [], [row], [values]| {
            either!(isa, add_row(row, values));
            0.0
        }),
        Pair::new(
            "column_sums",
            [],
            [finite.rows(19)],
            [Argument::UNREAD],
            ExactTerms(8.0),
            |isa, [], [values], [sums]| {
                either!(isa, column_sums(values, sums));
                0.0
            },
        ),
        Pair::new(
            "bytes_to_floats",
            [number],
            [Argument::within(0.0, 255.0)],
            [Argument::UNREAD],
            Exact,
            |isa, [divisor], [values], [out]| {
                let bytes: Vec<u8> = values.iter().map(|&value| value as u8).collect();
                either!(isa, bytes_to_floats(&bytes, divisor, out));
                0.0
            },
        ),
    ];
    for activation in Activation::ALL {
        let (forward, backward, outputs) = match activation {
            Activation::Linear | Activation::Relu | Activation::LeakyRelu => (Exact, Exact, Argument::ANY),
            Activation::Sigmoid => (Ulps(2.5), Near(4.0), Argument::within(0.0, 1.0)),
            Activation::Tanh => (Ulps(2.5), Near(4.0), Argument::within(-1.0, 1.0)),
            Activation::Softplus => (Ulps(2.5), Near(4.0), Argument::within(0.0, 1000.0)),
            Activation::Elu => (Ulps(2.5), Near(4.0), Argument::within(-1.0, 1000.0)),
            Activation::Silu => (Near(4.0), Near(8.0), Argument::ANY),
            Activation::Gelu => (Near(4.0), Near(16.0), Argument::ANY),
        };
        let unit = Argument::within(-1.0, 1.0);
        pairs.push(Pair::new(
            format!("{activation} forward"),
            [],
            [],
            [Argument::ANY],
            forward,
            move |isa, [], [], [values]| {
                match isa {
                    Some(isa) => activation.forward(isa, values),
                    None => reference::activation::forward(activation, values),
                }
                0.0
            },
        ));
        pairs.push(Pair::new(
            format!("{activation} backward"),
            [],
            [outputs],
            [unit],
            backward,
            move |isa, [], [saved], [gradient]| {
                match isa {
                    Some(isa) => activation.backward(isa, saved, gradient),
                    None => reference::activation::backward(activation, saved, gradient),
                }
                0.0
            },
        ));
    }
    pairs
}
