//! The table of kernels and their twins, and the one check that tests and fuzz targets run over it.
//!
//! A [`Pair`] says how to call a kernel and its twin, what values its arguments take, and how far the two may be apart.
//! [`Case`] holds drawn arguments, and [`Pair::check`] runs both and compares. Benches take their kernels from here too.

mod double;
mod table;

pub use double::double_pairs;
pub use table::pairs;

use super::ulps;
use crate::kernels::Isa;

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
    /// The float of this domain for 32 random bits.
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
    /// The sign with which the terms that it enters add up instead of cancelling.
    pub sign: f32,
}

impl Argument {
    const ANY: Self = Self { domain: Domain::Any, sign: 1.0 };
    const UNREAD: Self = Self { domain: Domain::Unread, sign: 1.0 };

    const fn within(low: f32, high: f32) -> Self {
        Self { domain: Domain::Within(low, high), sign: 1.0 }
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
    /// Each result within this number of units in its last place, as an `f32`.
    Ulps(f64),
    /// Each result y within this number of times ε (1 + |y|).
    Near(f64),
    /// Each result within this number of times ε and what the twin gives when every term that it adds has the same sign.
    Terms(f64),
    /// As `Terms`, and exact where all arguments are small integers.
    ExactTerms(f64),
}

/// What the slices of a pair hold.
pub trait Element: Copy + Into<f64> + std::fmt::Debug + std::fmt::LowerExp + 'static {
    /// Half the distance from 1 to the next larger number.
    const EPSILON: f64;
    /// The guard on both sides of slices: a NaN of its own.
    const GUARD: Self;
    /// The same value.
    fn from_f32(value: f32) -> Self;
    /// −|x| for a negative sign, else |x|.
    fn with_sign(self, sign: f32) -> Self;
    /// Whether it is [`GUARD`](Self::GUARD), bit for bit.
    fn is_guard(self) -> bool;
    /// How far a sum over slices of this length may be off, in ε times the sum of the magnitudes of its terms.
    fn roundings(length: usize) -> f64;
}

impl Element for f32 {
    const EPSILON: f64 = f32::EPSILON as f64 / 2.0;
    const GUARD: Self = Self::from_bits(0x7fc0_5afe);

    fn from_f32(value: f32) -> Self {
        value
    }

    fn with_sign(self, sign: f32) -> Self {
        self.copysign(sign)
    }

    fn is_guard(self) -> bool {
        self.to_bits() == Self::GUARD.to_bits()
    }

    /// The sum goes into a double before it gets long.
    fn roundings(_: usize) -> f64 {
        75.0
    }
}

/// What a kernel returns: up to three sums. The missing ones are zero.
trait Sums {
    fn list(self) -> [f64; 3];
}

impl Sums for () {
    fn list(self) -> [f64; 3] {
        [0.0; 3]
    }
}

impl Sums for f64 {
    fn list(self) -> [f64; 3] {
        [self, 0.0, 0.0]
    }
}

type Run<T> = dyn Fn(Option<Isa>, &[T], &[&[T]], &mut [&mut [T]]) -> [f64; 3] + Send + Sync;

/// A kernel and its twin.
pub struct Pair<T> {
    /// The file and the name of the kernel: `slice::dot`.
    pub name: String,
    /// The numbers that it takes.
    pub scalars: Vec<Argument>,
    /// The slices that it reads.
    pub read: Vec<Argument>,
    /// The slices that it writes.
    pub write: Vec<Argument>,
    /// How far its results may be from those of the twin. A sum may always be off by [`Element::roundings`].
    pub tolerance: Tolerance,
    run: Box<Run<T>>,
}

/// Drawn arguments of a pair.
#[derive(Clone, Debug)]
pub struct Case<T> {
    /// The numbers.
    pub scalars: Vec<T>,
    /// The slices that are read.
    pub read: Vec<Vec<T>>,
    /// What the slices that are written hold before.
    pub write: Vec<Vec<T>>,
    /// How many floats off the start of its allocation each slice begins.
    pub offset: usize,
    /// Whether the results must be exact, whatever the tolerance.
    pub exact: bool,
}

/// What a result may be off because products of tiny arguments lose digits below the normal numbers.
const UNDERFLOW: f64 = f32::MIN_POSITIVE as f64;

impl<T: Element> Pair<T> {
    fn new<S: Sums, const SCALARS: usize, const READ: usize, const WRITE: usize>(
        name: impl Into<String>,
        scalars: [Argument; SCALARS],
        read: [Argument; READ],
        write: [Argument; WRITE],
        tolerance: Tolerance,
        run: impl Fn(Option<Isa>, [T; SCALARS], [&[T]; READ], [&mut [T]; WRITE]) -> S + Send + Sync + 'static,
    ) -> Self {
        let run = move |isa: Option<Isa>, scalars: &[T], read: &[&[T]], write: &mut [&mut [T]]| {
            let shape = "as many numbers and slices as the pair has arguments";
            let scalars = scalars.try_into().expect(shape);
            let read = read.try_into().expect(shape);
            let write: &mut [&mut [T]; WRITE] = write.try_into().expect(shape);
            run(isa, scalars, read, write.each_mut().map(|slice| &mut **slice)).list()
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
    pub fn draw(&self, length: usize, offset: usize, mut bits: impl FnMut() -> u32) -> Case<T> {
        self.case(length, offset, false, |domain| domain.draw(bits()))
    }

    /// As [`draw`](Self::draw), but all arguments are integers from −8 to 8, on which the results must be exact; none
    /// where those of this kernel are not.
    pub fn draw_exact(&self, length: usize, offset: usize, mut bits: impl FnMut() -> u32) -> Option<Case<T>> {
        matches!(self.tolerance, Tolerance::ExactTerms(_)).then(|| {
            self.case(length, offset, true, |domain| match domain {
                Domain::Unread => f32::NAN,
                _ => (bits() % 17) as f32 - 8.0,
            })
        })
    }

    fn case(&self, length: usize, offset: usize, exact: bool, mut draw: impl FnMut(Domain) -> f32) -> Case<T> {
        let mut slices = |arguments: &[Argument]| -> Vec<Vec<T>> {
            arguments.iter().map(|a| (0..length).map(|_| T::from_f32(draw(a.domain))).collect()).collect()
        };
        let (read, write) = (slices(&self.read), slices(&self.write));
        let scalars = self.scalars.iter().map(|a| T::from_f32(draw(a.domain))).collect();
        Case { scalars, read, write, offset, exact }
    }

    /// Runs the kernel on an instruction set, and returns its sums. Benches use it.
    ///
    /// # Panics
    /// When there are not as many numbers and slices as the pair has arguments, or the kernel panics.
    pub fn run(&self, isa: Isa, scalars: &[T], read: &[&[T]], write: &mut [&mut [T]]) -> [f64; 3] {
        (self.run)(Some(isa), scalars, read, write)
    }

    /// Runs the twin; returns what it wrote, and its sums.
    fn twin(&self, case: &Case<T>) -> (Vec<Vec<T>>, [f64; 3]) {
        let read: Vec<&[T]> = case.read.iter().map(Vec::as_slice).collect();
        let mut write = case.write.clone();
        let mut slices: Vec<&mut [T]> = write.iter_mut().map(Vec::as_mut_slice).collect();
        let sums = (self.run)(None, &case.scalars, &read, &mut slices);
        (write, sums)
    }

    /// Runs the kernel and the twin on the same arguments, and says where they differ by more than the tolerance, or
    /// where the kernel wrote outside its slices.
    pub fn check(&self, isa: Isa, case: &Case<T>) -> Result<(), String> {
        // What is read ends where its allocation ends, for a sanitizer to see; before it are NaNs.
        let read: Vec<Vec<T>> = case.read.iter().map(|values| guarded(case.offset, values, 0)).collect();
        let mut write: Vec<Vec<T>> = case.write.iter().map(|values| guarded(case.offset, values, 64)).collect();
        let inner: Vec<&[T]> = read.iter().map(|buffer| &buffer[case.offset..]).collect();
        let lengths = case.write.iter().map(Vec::len);
        let mut slices: Vec<&mut [T]> =
            write.iter_mut().zip(lengths).map(|(buffer, length)| &mut buffer[case.offset..][..length]).collect();
        let sums = (self.run)(Some(isa), &case.scalars, &inner, &mut slices);
        let (expected, expected_sums) = self.twin(case);
        let (magnitudes, sums_of_magnitudes) = self.twin(&self.without_cancellation(case));

        let length = case.read.iter().chain(&case.write).map(Vec::len).max().unwrap_or(0);
        let place = || format!("{} on {isa}, {length} elements", self.name);
        for (slice, buffer) in write.iter().enumerate() {
            let (before, rest) = buffer.split_at(case.offset);
            let (actual, after) = rest.split_at(case.write[slice].len());
            if before.iter().chain(after).any(|guard| !guard.is_guard()) {
                return Err(format!("{}: wrote outside of slice {slice}", place()));
            }
            for (i, &actual) in actual.iter().enumerate() {
                let (expected, magnitude) = (expected[slice][i], magnitudes[slice][i]);
                if !self.agree(case.exact, actual.into(), expected.into(), magnitude.into()) {
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
        for ((sum, expected), magnitude) in sums.into_iter().zip(expected_sums).zip(sums_of_magnitudes) {
            let allowed = if case.exact { 0.0 } else { T::roundings(length) * T::EPSILON * magnitude + UNDERFLOW };
            if (sum - expected).abs() > allowed || sum.is_nan() {
                return Err(format!("{}: the sum is {sum:e} and must be {expected:e}", place()));
            }
        }
        Ok(())
    }

    fn agree(&self, exact: bool, actual: f64, expected: f64, magnitude: f64) -> bool {
        if actual.is_nan() || expected.is_nan() {
            return actual.is_nan() && expected.is_nan();
        }
        let allowed = match self.tolerance {
            _ if exact || expected.is_infinite() => 0.0,
            Tolerance::Exact => 0.0,
            Tolerance::Ulps(units) => return ulps(actual as f32, expected) <= units,
            Tolerance::Near(epsilons) => epsilons * T::EPSILON * (1.0 + expected.abs()),
            Tolerance::Terms(epsilons) | Tolerance::ExactTerms(epsilons) => {
                epsilons * T::EPSILON * magnitude + UNDERFLOW
            }
        };
        actual == expected || (actual - expected).abs() <= allowed
    }

    /// The arguments with such signs that all terms add up.
    fn without_cancellation(&self, case: &Case<T>) -> Case<T> {
        let slices = |arguments: &[Argument], values: &[Vec<T>]| -> Vec<Vec<T>> {
            let signed = arguments.iter().zip(values);
            signed.map(|(a, values)| values.iter().map(|v| v.with_sign(a.sign)).collect()).collect()
        };
        Case {
            scalars: self.scalars.iter().zip(&case.scalars).map(|(a, v)| v.with_sign(a.sign)).collect(),
            read: slices(&self.read, &case.read),
            write: slices(&self.write, &case.write),
            ..*case
        }
    }
}

/// `offset` guards, the values, and more guards.
fn guarded<T: Element>(offset: usize, values: &[T], after: usize) -> Vec<T> {
    let mut buffer = Vec::with_capacity(offset + values.len() + after);
    buffer.resize(offset, T::GUARD);
    buffer.extend_from_slice(values);
    buffer.resize(offset + values.len() + after, T::GUARD);
    buffer
}
