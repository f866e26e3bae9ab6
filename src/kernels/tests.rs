//! Every kernel on every instruction set of this machine against its twin, and the promises of the documentation.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;
use std::sync::Once;

use proptest::prelude::*;
use pulp::{Simd, WithSimd};

use super::sweep::{Map, sweep};
use super::{Activation, AdamStep, Isa, Update, bytes_to_floats, functions, sum};
use crate::reference;
use crate::reference::pairs::{Element, Pair, SPECIAL, double_pairs, pairs};

/// The instruction sets to test; says once on standard error, past the capture of test output, which are missing here.
pub(super) fn instruction_sets() -> Vec<Isa> {
    static SAID: Once = Once::new();
    let available = Isa::available();
    SAID.call_once(|| {
        for name in Isa::KNOWN.iter().filter(|&&name| available.iter().all(|isa| isa.name() != name)) {
            writeln!(std::io::stderr(), "\nNOT TESTED: {name}, which this machine does not have").unwrap();
        }
    });
    available
}

/// Random bits that are the same in every run (SplitMix64, Steele et al., 2014).
pub(super) fn random_bits(seed: u64) -> impl FnMut() -> u32 {
    let mut state = seed;
    move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z >> 32) as u32
    }
}

fn check<T: Element>(pair: &Pair<T>, length: usize, offset: usize, seed: u64) {
    for isa in instruction_sets() {
        let drawn = pair.draw(length, offset, random_bits(seed));
        for case in pair.draw_exact(length, offset, random_bits(seed)).into_iter().chain([drawn]) {
            pair.check(isa, &case).unwrap_or_else(|difference| panic!("{difference}"));
        }
    }
}

fn check_all(length: usize, offset: usize) {
    pairs().iter().for_each(|pair| check(pair, length, offset, length as u64));
    double_pairs().iter().for_each(|pair| check(pair, length, offset, length as u64));
}

#[test]
fn every_kernel_agrees_with_its_twin_at_every_length_around_a_register_and_the_unrolling() {
    for length in 0..=131 {
        check_all(length, length % 5);
    }
}

#[test]
fn every_kernel_agrees_with_its_twin_around_the_blocks_of_a_sum() {
    // 64 times four registers: 256, 2048 and 4096 elements on the instruction sets there are.
    for length in [255, 256, 257, 1024, 2047, 2049, 4095, 4096, 4097, 8195] {
        check_all(length, 1);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]
    #[test]
    fn any_arguments_agree_with_the_twin(index: prop::sample::Index, length in 0usize..300, offset in 0usize..17, seed: u64) {
        let (single, double) = (pairs(), double_pairs());
        check(&single[index.index(single.len())], length, offset, seed);
        check(&double[index.index(double.len())], length, offset, seed);
    }
}

#[test]
fn no_public_kernel_is_missing_from_the_table() {
    let mut kernels = BTreeSet::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/kernels");
    let files = [folder.clone(), folder.join("double")].into_iter().flat_map(|folder| folder.read_dir().unwrap());
    for path in files.map(|file| file.unwrap().path()).filter(|path| path.is_file()) {
        let source = std::fs::read_to_string(&path).unwrap();
        let in_double = path.parent().is_some_and(|parent| parent.ends_with("double"));
        let module = if in_double { "double".into() } else { path.file_stem().unwrap().display().to_string() };
        for function in source.split("\npub fn ").skip(1) {
            let (name, rest) = function.split_once('(').unwrap();
            let name = name.split('<').next().unwrap();
            if rest.trim_start().starts_with("isa: Isa") {
                kernels.insert(format!("{module}::{name}"));
            }
        }
    }
    assert!(
        ["slice::axpy", "double::axpy"].iter().all(|name| kernels.contains(*name)),
        "the sources are not as this test reads them: {kernels:?}"
    );
    // The rules of updates are constructors, which take the parameters first.
    let updates = include_str!("update.rs").split("\n    pub fn ").skip(1).filter_map(|function| {
        let (name, arguments) = function.split_once('(').unwrap();
        arguments.trim_start().starts_with("parameters: ").then(|| format!("update::{name}"))
    });
    kernels.extend(updates);
    assert!(kernels.contains("update::adam"), "the sources are not as this test reads them: {kernels:?}");
    for activation in Activation::ALL {
        kernels.extend(["forward", "backward"].map(|way| format!("activation::{activation} {way}")));
    }
    let names = pairs().into_iter().map(|pair| pair.name).chain(double_pairs().into_iter().map(|pair| pair.name));
    let in_table: BTreeSet<String> = names.collect();
    assert_eq!(kernels, in_table);
}

/// The exponential that activations and losses are built on, over a slice.
pub(super) fn exp(isa: Isa, values: &mut [f32]) {
    #[derive(Clone, Copy)]
    struct Exp;
    impl Map<0, 1> for Exp {
        #[inline(always)]
        fn map<S: Simd>(self, simd: S, []: [S::f32s; 0], [x]: [S::f32s; 1]) -> [S::f32s; 1] {
            [functions::exp(simd, x)]
        }
    }
    sweep(isa, [], [values], Exp);
}

/// A function over a slice on an instruction set, as the tests of special values call it.
type Function = Box<dyn Fn(Isa, &mut [f32])>;

fn named_functions() -> Vec<(String, Function)> {
    let mut functions: Vec<(String, Function)> = vec![("exp".to_owned(), Box::new(exp))];
    for activation in Activation::ALL {
        functions.push((activation.to_string(), Box::new(move |isa, values| activation.forward(isa, values))));
    }
    functions
}

#[test]
fn special_values_give_the_same_zeros_infinities_and_nans_on_every_instruction_set() {
    let sets = instruction_sets();
    for (name, function) in named_functions() {
        let results: Vec<Vec<f32>> = sets
            .iter()
            .map(|&isa| {
                let mut values = SPECIAL;
                function(isa, &mut values);
                values.to_vec()
            })
            .collect();
        for other in &results[1..] {
            for ((x, a), b) in SPECIAL.iter().zip(&results[0]).zip(other) {
                let ordinary = a.is_finite() && *a != 0.0 && b.is_finite() && *b != 0.0;
                let same = a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan());
                assert!(ordinary || same, "{name}({x:e}) is {a:e} and {b:e}");
            }
        }
    }
}

#[test]
fn limits_and_signed_zeros_are_as_documented() {
    let infinity = f32::INFINITY;
    // At −∞, −0, 0 and ∞; the bits decide, so that the sign of a zero counts.
    let expected = [
        ("exp", [0.0, 1.0, 1.0, infinity]),
        ("linear", [-infinity, -0.0, 0.0, infinity]),
        ("relu", [0.0, 0.0, 0.0, infinity]),
        ("leaky-relu", [-infinity, -0.0, 0.0, infinity]),
        ("sigmoid", [0.0, 0.5, 0.5, 1.0]),
        ("tanh", [-1.0, -0.0, 0.0, 1.0]),
        ("softplus", [0.0, std::f32::consts::LN_2, std::f32::consts::LN_2, infinity]),
        ("elu", [-1.0, -0.0, 0.0, infinity]),
        ("silu", [-0.0, -0.0, 0.0, infinity]),
        ("gelu", [-0.0, -0.0, 0.0, infinity]),
    ];
    for isa in instruction_sets() {
        for ((name, function), (expected_name, expected)) in named_functions().into_iter().zip(expected) {
            assert_eq!(name, expected_name);
            let mut values = [-infinity, -0.0, 0.0, infinity, f32::NAN, -f32::NAN];
            function(isa, &mut values);
            assert_eq!(values.map(f32::to_bits)[..4], expected.map(f32::to_bits), "{name} on {isa}: {values:?}");
            assert!(values[4].is_nan() && values[5].is_nan(), "{name} of NaN on {isa}");
        }
    }
}

#[test]
fn derivatives_at_the_kinks_and_at_infinity_are_as_documented() {
    for isa in instruction_sets() {
        for (activation, saved, expected) in [
            (Activation::Relu, 0.0, 0.0),
            (Activation::LeakyRelu, 0.0, 0.01),
            (Activation::Elu, 0.0, 1.0),
            (Activation::Silu, f32::INFINITY, 1.0),
            (Activation::Silu, f32::NEG_INFINITY, 0.0),
            (Activation::Gelu, f32::INFINITY, 1.0),
            (Activation::Gelu, f32::NEG_INFINITY, 0.0),
        ] {
            let mut gradient = [1.0];
            activation.backward(isa, &[saved], &mut gradient);
            assert_eq!(gradient, [expected], "{activation} at {saved} on {isa}");
        }
    }
}

#[test]
fn an_activation_inside_of_a_kernel_is_the_same_as_outside() {
    struct Inside<'a>(Activation, &'a mut [f32], &'a [f32], &'a mut [f32]);
    impl WithSimd for Inside<'_> {
        type Output = ();
        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) {
            self.0.forward_with(simd, self.1);
            self.0.backward_with(simd, self.2, self.3);
        }
    }
    let values: Vec<f32> = (0..37).map(|i| 0.3 * (i - 18) as f32).collect();
    for isa in instruction_sets() {
        for activation in Activation::ALL {
            let (mut output, mut gradient) = (values.clone(), vec![0.7; 37]);
            let (mut expected, mut expected_gradient) = (output.clone(), gradient.clone());
            isa.run(Inside(activation, &mut output, &values, &mut gradient));
            activation.forward(isa, &mut expected);
            activation.backward(isa, &values, &mut expected_gradient);
            assert_eq!((output, gradient), (expected, expected_gradient), "{activation} on {isa}");
        }
    }
}

#[test]
fn an_activation_is_found_by_its_name_and_an_unknown_one_is_told_the_names() {
    for activation in Activation::ALL {
        assert_eq!(activation.name().parse::<Activation>().unwrap(), activation);
        assert_eq!(activation.needs_input(), matches!(activation, Activation::Silu | Activation::Gelu));
    }
    assert_eq!(Activation::LeakyRelu.to_string(), "leaky-relu");
    let error = "swish".parse::<Activation>().unwrap_err().to_string();
    assert_eq!(
        error,
        "activation: `swish` is unknown; there are \
         linear, relu, leaky-relu, sigmoid, tanh, softplus, elu, silu, gelu"
    );
}

#[test]
fn the_gain_of_softplus_and_elu_keeps_the_mean_square_of_normal_sums_and_the_others_are_as_in_the_literature() {
    for activation in Activation::ALL {
        // The trapezoidal rule, over twelve standard deviations to both sides.
        let step = 1e-3;
        let term = |z: f64| reference::activation::function(activation, z).powi(2) * (-z * z / 2.0).exp();
        let integral = (-12_000..=12_000).map(|i| term(f64::from(i) * step)).sum::<f64>() * step;
        let keeping = std::f64::consts::TAU.sqrt() / integral;
        let squared_gain = f64::from(activation.squared_gain());
        match activation {
            Activation::Softplus | Activation::Elu => assert!((squared_gain - keeping).abs() < 1e-6, "{keeping}"),
            Activation::Linear | Activation::Relu | Activation::LeakyRelu => {
                assert!((squared_gain - keeping).abs() < 1e-3, "{keeping}");
            }
            Activation::Silu | Activation::Gelu => assert!((1.1..1.5).contains(&(keeping / squared_gain)), "{keeping}"),
            // Those that saturate have a slope of 1 or less at 0, and lose variance.
            Activation::Sigmoid | Activation::Tanh => assert!(keeping > squared_gain, "{keeping}"),
        }
    }
}

#[test]
fn every_byte_divided_by_255_is_the_float_nearest_to_the_quotient() {
    let bytes: Vec<u8> = (0..=255).collect();
    for isa in instruction_sets() {
        let mut out = [f32::NAN; 256];
        bytes_to_floats(isa, &bytes, 255.0, &mut out);
        for (byte, out) in bytes.iter().zip(out) {
            assert_eq!(out, (f64::from(*byte) / 255.0) as f32);
        }
    }
}

#[test]
fn adam_corrects_the_bias_of_its_first_steps() {
    let step = AdamStep { learning_rate: 0.5, beta1: 0.9, beta2: 0.999, epsilon: 0.0, step: 1 };
    for isa in instruction_sets() {
        let (mut parameters, mut first, mut second) = ([1.0, 1.0], [0.0; 2], [0.0; 2]);
        Update::adam(&mut parameters, &mut first, &mut second, step).apply(isa, &[7.0, -0.001]);
        // The first step is the learning rate long, whatever the gradient.
        assert!((parameters[0] - 0.5).abs() < 1e-6 && (parameters[1] - 1.5).abs() < 1e-6, "{parameters:?}");
    }
}

#[test]
fn a_momentum_of_zero_is_plain_gradient_descent() {
    for isa in instruction_sets() {
        let gradient: Vec<f32> = (0..37).map(|i| (i as f32).sin()).collect();
        let (mut plain, mut heavy, mut velocity) = (vec![1.0; 37], vec![1.0; 37], vec![5.0; 37]);
        Update::sgd(&mut plain, 0.1).apply(isa, &gradient);
        Update::momentum(&mut heavy, &mut velocity, 0.1, 0.0).apply(isa, &gradient);
        assert_eq!(plain, heavy);
        assert_eq!(velocity, gradient);
    }
}

#[test]
fn an_update_in_two_parts_does_what_it_does_at_once() {
    const STEP: AdamStep = AdamStep { learning_rate: 0.1, beta1: 0.9, beta2: 0.99, epsilon: 1e-8, step: 3 };
    type Buffers = [Vec<f32>; 3];
    type Make = fn(&mut Buffers) -> Update<'_>;
    let rules: [Make; 5] = [
        |[out, ..]| Update::write(out),
        |[w, ..]| Update::sgd(w, 0.1),
        |[w, v, _]| Update::momentum(w, v, 0.1, 0.9),
        |[w, v, _]| Update::nesterov(w, v, 0.1, 0.9),
        |[w, m, v]| Update::adam(w, m, v, STEP),
    ];
    let gradient: Vec<f32> = (0..37).map(|i| (i as f32).sin()).collect();
    for isa in instruction_sets() {
        for make in rules {
            let (mut parts, mut whole): (Buffers, Buffers) =
                (std::array::from_fn(|_| vec![0.5; 37]), Default::default());
            whole.clone_from(&parts);
            let update = make(&mut parts);
            assert_eq!(update.length(), 37);
            let (first, second) = update.split_at(20);
            assert_eq!((first.length(), second.length()), (20, 17));
            first.apply(isa, &gradient[..20]);
            second.apply(isa, &gradient[20..]);
            make(&mut whole).apply(isa, &gradient);
            assert_eq!(parts, whole, "{isa}");
        }
        let mut written = vec![f32::NAN; 37];
        Update::write(&mut written).apply(isa, &gradient);
        assert_eq!(written, gradient);
    }
}

#[test]
fn a_sum_does_not_lose_small_terms_however_long_it_is() {
    // A single-precision running sum of ones stops at 2²⁴.
    let ones = vec![1.0; (1 << 24) + 100];
    for isa in instruction_sets() {
        assert_eq!(sum(isa, &ones), ones.len() as f64);
    }
}

/// Whether a call panics, with a message that holds some words.
fn panics(words: &str, call: impl FnOnce() + std::panic::UnwindSafe) -> bool {
    let message = std::panic::catch_unwind(call).err().and_then(|payload| {
        payload.downcast_ref::<String>().cloned().or_else(|| payload.downcast_ref::<&str>().map(|s| s.to_string()))
    });
    message.is_some_and(|message| message.contains(words))
}

#[test]
fn slices_that_do_not_fit_panic() {
    let isa = Isa::best();
    for activation in Activation::ALL {
        assert!(panics("different lengths", || activation.backward(isa, &[1.0], &mut [1.0, 2.0])), "{activation}");
    }
    assert!(panics("different lengths", || Update::sgd(&mut [1.0, 2.0], 0.1).apply(isa, &[1.0])));
    assert!(panics("different lengths", || Update::momentum(&mut [1.0], &mut [1.0, 2.0], 0.1, 0.1).apply(isa, &[1.0])));
    assert!(panics("different lengths", || bytes_to_floats(isa, &[1], 1.0, &mut [1.0, 2.0])));
    let step = AdamStep { learning_rate: 0.1, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, step: 0 };
    assert!(panics("the first step is 1", || Update::adam(&mut [], &mut [], &mut [], step).apply(isa, &[])));
}
