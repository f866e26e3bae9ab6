//! Kernels in cache, in elements per second on every instruction set, and the sweeps of training out of cache, beside
//! what memory allows: `cargo bench --bench kernels`.

use criterion::{BenchmarkId, Criterion, Throughput};
use diabolo::kernels::{Isa, bytes_to_floats};
use diabolo::matrix::AlignedBuffer;
use diabolo::reference::pairs::{Case, Pair, pairs};
use std::hint::black_box;
use std::time::{Duration, Instant};

/// 16 KiB a slice.
const IN_CACHE: usize = 4096;

/// 128 MiB a slice: four times a large L3.
const OUT_OF_CACHE: usize = 1 << 25;

/// How often a kernel runs between two resets of its arguments, which it would else drive to zero or infinity.
const ROUND: u64 = 8;

fn main() {
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(100))
        .measurement_time(Duration::from_millis(400))
        .configure_from_args();
    in_cache(&mut criterion);
    criterion.final_summary();
    if std::env::args().all(|argument| argument != "--test") {
        out_of_cache();
    }
}

fn in_cache(criterion: &mut Criterion) {
    for pair in pairs() {
        // Its entry in the table makes bytes of floats first.
        if pair.name == "bytes::bytes_to_floats" {
            continue;
        }
        let mut group = criterion.benchmark_group(&pair.name);
        group.throughput(Throughput::Elements(IN_CACHE as u64));
        for isa in Isa::available() {
            let mut call = Call::new(&pair, IN_CACHE);
            group.bench_function(BenchmarkId::from_parameter(isa), |bencher| {
                bencher.iter_custom(|iterations| {
                    let mut elapsed = Duration::ZERO;
                    for round in 0..iterations.div_ceil(ROUND) {
                        call.reset();
                        elapsed += call.time(isa, ROUND.min(iterations - round * ROUND));
                    }
                    elapsed
                });
            });
        }
    }
    let mut group = criterion.benchmark_group("bytes::bytes_to_floats");
    group.throughput(Throughput::Elements(IN_CACHE as u64));
    let bytes: Vec<u8> = (0..IN_CACHE).map(|i| (i * 7919) as u8).collect();
    let mut out = AlignedBuffer::zeros(IN_CACHE);
    for isa in Isa::available() {
        group.bench_function(BenchmarkId::from_parameter(isa), |bencher| {
            bencher.iter(|| bytes_to_floats(isa, black_box(&bytes), 255.0, black_box(&mut out)));
        });
    }
}

/// A pair with ordinary arguments.
struct Call<'a> {
    pair: &'a Pair<f32>,
    case: Case<f32>,
    read: Vec<AlignedBuffer>,
    write: Vec<AlignedBuffer>,
}

impl<'a> Call<'a> {
    fn new(pair: &'a Pair<f32>, length: usize) -> Self {
        let mut state = 1u32;
        let mut bits = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state
        };
        let mut case = pair.draw(length, 0, &mut bits);
        // Numbers of a size as networks have them, whatever the domain.
        let mut ordinary = || bits() as f32 / u32::MAX as f32;
        for slice in case.read.iter_mut().chain(&mut case.write) {
            slice.fill_with(&mut ordinary);
        }
        case.scalars.fill(0.1);
        let aligned = |slices: &[Vec<f32>]| slices.iter().map(|values| AlignedBuffer::from(&values[..])).collect();
        let (read, write) = (aligned(&case.read), aligned(&case.write));
        Self { pair, case, read, write }
    }

    fn reset(&mut self) {
        for (slice, values) in self.write.iter_mut().zip(&self.case.write) {
            slice.copy_from_slice(values);
        }
    }

    fn time(&mut self, isa: Isa, iterations: u64) -> Duration {
        let read: Vec<&[f32]> = self.read.iter().map(|slice| &**slice).collect();
        let mut write: Vec<&mut [f32]> = self.write.iter_mut().map(|slice| &mut **slice).collect();
        let start = Instant::now();
        for _ in 0..iterations {
            black_box(self.pair.run(isa, &self.case.scalars, black_box(&read), black_box(&mut write)));
        }
        start.elapsed()
    }
}

/// Bytes per second of the sweeps of training over slices far larger than the caches, and their share of the ceiling:
/// the best of two plain loops over as many slices read and overwritten, which do next to no arithmetic.
fn out_of_cache() {
    println!("\nout of cache, {} MiB a slice, one core, {}:", OUT_OF_CACHE >> 18, Isa::best());
    for pair in pairs() {
        let sweeps = ["activation::relu forward", "slice::axpy", "update::sgd", "update::momentum", "update::adam"];
        if !sweeps.contains(&pair.name.as_str()) {
            continue;
        }
        let mut call = Call::new(&pair, OUT_OF_CACHE);
        let bytes = (4 * OUT_OF_CACHE * (call.read.len() + 2 * call.write.len())) as f64;
        let (mut kernel, mut ceiling) = (Duration::MAX, Duration::MAX);
        // In turns, so that both see the same moments of a shared machine.
        for _ in 0..7 {
            kernel = kernel.min(call.time(Isa::best(), 1));
            ceiling = ceiling.min(plain(&call.read, &mut call.write));
        }
        let rate = |time: Duration| bytes / time.as_secs_f64() / 1e9;
        println!(
            "{:26} {:6.1} GB/s of {:6.1}: {:3.0} %",
            pair.name,
            rate(kernel),
            rate(ceiling),
            100.0 * rate(kernel) / rate(ceiling)
        );
    }
}

/// The better time of a loop that walks all slices side by side, and one that walks them one after the other.
fn plain(read: &[AlignedBuffer], write: &mut [AlignedBuffer]) -> Duration {
    let apart = timed(|| {
        for slice in &*read {
            black_box(pulp::Arch::new().dispatch(|| slice.iter().fold(0, |bits, x| bits ^ x.to_bits())));
        }
        for slice in &mut *write {
            pulp::Arch::new().dispatch(|| slice.iter_mut().for_each(|x| *x = f32::from_bits(x.to_bits() ^ 1)));
        }
    });
    let together = timed(|| {
        pulp::Arch::new().dispatch(|| match (read, &mut *write) {
            ([], [y]) => y.iter_mut().for_each(|y| *y += 1.0),
            ([x], [y]) => y.iter_mut().zip(&**x).for_each(|(y, x)| *y += x),
            ([x], [y, z]) => y.iter_mut().zip(&mut **z).zip(&**x).for_each(|((y, z), x)| {
                *y += x;
                *z += x;
            }),
            ([x], [y, z, w]) => {
                y.iter_mut().zip(&mut **z).zip(&mut **w).zip(&**x).for_each(|(((y, z), w), x)| {
                    *y += x;
                    *z += x;
                    *w += x;
                });
            }
            _ => unreachable!("no sweep has these slices"),
        })
    });
    apart.min(together)
}

fn timed(run: impl FnOnce()) -> Duration {
    let start = Instant::now();
    run();
    start.elapsed()
}
