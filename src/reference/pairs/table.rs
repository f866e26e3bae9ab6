//! The table itself: a kernel that is not in it fails the tests.

use super::{Argument, Pair, Tolerance};
use crate::kernels::{self, Activation, AdamStep, Normals, Update};
use crate::reference;

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
pub fn pairs() -> Vec<Pair<f32>> {
    use Tolerance::{Exact, ExactTerms, Near, Terms, Ulps};
    let number = Argument::within(-4.0, 4.0);
    let finite = Argument::within(-1000.0, 1000.0);
    let mut pairs = vec![
        Pair::new(
            "loss::squared_error",
            [number],
            [finite, finite.negated()],
            [Argument::UNREAD],
            ExactTerms(3.0),
            |isa, [scale], [output, target], [gradient]| either!(isa, squared_error(output, target, scale, gradient)),
        ),
        Pair::new(
            "loss::squared_distance",
            [],
            [finite, finite.negated()],
            [],
            ExactTerms(0.0),
            |isa, [], [a, b], []| either!(isa, squared_distance(a, b)),
        ),
        Pair::new(
            "loss::sigmoid_cross_entropy",
            [number],
            [Argument::within(-200.0, 200.0), Argument::within(0.0, 1.0).negated()],
            [Argument::UNREAD],
            Terms(5.0),
            |isa, [scale], [logits, target], [gradient]| {
                either!(isa, sigmoid_cross_entropy(logits, target, scale, gradient))
            },
        ),
        Pair::new(
            "normal::draw_normals",
            [],
            [number, number, number],
            [Argument::UNREAD],
            // The exponential, at most e², is off by as many of its roundings, and times 4.
            Near(80.0),
            |isa, [], [mean, log_variance, noise], [draws]| {
                either!(isa, draw_normals(Normals { mean, log_variance, noise }, draws))
            },
        ),
        Pair::new(
            "normal::normals_gradient",
            [number],
            [number, number, number, number],
            [Argument::UNREAD, Argument::UNREAD],
            // Both terms of the second gradient are at most 4 e⁴.
            Near(900.0),
            |isa, [scale], [mean, log_variance, noise, by_draws], [by_mean, by_log_variance]| {
                let normals = Normals { mean, log_variance, noise };
                either!(isa, normals_gradient(normals, by_draws, scale, by_mean, by_log_variance))
            },
        ),
        Pair::new(
            "update::sgd",
            [number.negated()],
            [finite],
            [finite],
            ExactTerms(2.0),
            |isa, [rate], [gradient], [parameters]| match isa {
                Some(isa) => Update::sgd(parameters, rate).apply(isa, gradient),
                None => reference::sgd(parameters, gradient, rate),
            },
        ),
        Pair::new(
            "update::momentum",
            [number.negated(), number],
            [finite],
            [finite, finite],
            ExactTerms(4.0),
            |isa, [rate, decay], [gradient], [parameters, velocity]| match isa {
                Some(isa) => Update::momentum(parameters, velocity, rate, decay).apply(isa, gradient),
                None => reference::momentum(parameters, velocity, gradient, rate, decay),
            },
        ),
        Pair::new(
            "update::nesterov",
            [number.negated(), number],
            [finite],
            [finite, finite],
            ExactTerms(6.0),
            |isa, [rate, decay], [gradient], [parameters, velocity]| match isa {
                Some(isa) => Update::nesterov(parameters, velocity, rate, decay).apply(isa, gradient),
                None => reference::nesterov(parameters, velocity, gradient, rate, decay),
            },
        ),
        Pair::new(
            "update::adam",
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
                match isa {
                    Some(isa) => Update::adam(parameters, first, second, step).apply(isa, gradient),
                    None => reference::adam(parameters, first, second, gradient, step),
                }
            },
        ),
        Pair::new("slice::axpy", [number], [finite], [finite], ExactTerms(2.0), |isa, [a], [x], [y]| {
            either!(isa, axpy(a, x, y))
        }),
        Pair::new("slice::scale", [Argument::ANY], [], [Argument::ANY], Exact, |isa, [a], [], [x]| {
            either!(isa, scale(a, x))
        }),
        Pair::new(
            "slice::approach",
            [number.negated()],
            [finite.negated()],
            [finite],
            ExactTerms(4.0),
            |isa, [a], [x], [y]| either!(isa, approach(a, x, y)),
        ),
        Pair::new(
            "slice::add_signs",
            [Argument::ANY],
            [Argument::ANY],
            [Argument::ANY],
            Exact,
            |isa, [a], [x], [y]| either!(isa, add_signs(a, x, y)),
        ),
        Pair::new("slice::sum", [], [finite], [], ExactTerms(0.0), |isa, [], [x], []| either!(isa, sum(x))),
        Pair::new("slice::dot", [], [finite, finite], [], ExactTerms(0.0), |isa, [], [x, y], []| {
            either!(isa, dot(x, y))
        }),
        Pair::new("slice::squared_norm", [], [finite], [], ExactTerms(0.0), |isa, [], [x], []| {
            either!(isa, squared_norm(x))
        }),
        Pair::new(
            "bytes::bytes_to_floats",
            [number],
            [Argument::within(0.0, 255.0)],
            [Argument::UNREAD],
            Exact,
            |isa, [divisor], [values], [out]| {
                let bytes: Vec<u8> = values.iter().map(|&value| value as u8).collect();
                either!(isa, bytes_to_floats(&bytes, divisor, out))
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
            format!("activation::{activation} forward"),
            [],
            [],
            [Argument::ANY],
            forward,
            move |isa, [], [], [values]| match isa {
                Some(isa) => activation.forward(isa, values),
                None => reference::activation::forward(activation, values),
            },
        ));
        pairs.push(Pair::new(
            format!("activation::{activation} backward"),
            [],
            [outputs],
            [unit],
            backward,
            move |isa, [], [saved], [gradient]| match isa {
                Some(isa) => activation.backward(isa, saved, gradient),
                None => reference::activation::backward(activation, saved, gradient),
            },
        ));
    }
    pairs
}
