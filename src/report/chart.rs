//! Charts: lines and dots over two axes.

use super::drawing::{Anchor, Area, Drawing, Point, text_width};
use super::number::digits;

/// Room for the numbers and the label of each axis, in pixels.
const LEFT: f64 = 66.0;
const BELOW: f64 = 44.0;
const RIGHT: f64 = 10.0;
const ABOVE: f64 = 8.0;

/// The height of a line of the legend.
const LEGEND_LINE: f64 = 20.0;

/// The approximate number of ticks of an axis.
const TICKS: f64 = 6.0;

/// The map from values to positions along one side of a chart.
#[derive(Clone, Debug)]
pub(super) struct Axis {
    pub label: String,
    pub low: f64,
    pub high: f64,
    pub log: bool,
    /// The labels at 0, 1, 2, … in place of numbers.
    pub names: Vec<String>,
}

impl Axis {
    /// An axis that shows all finite values, with a little room at its ends.
    pub fn around(label: impl Into<String>, values: impl Iterator<Item = f64> + Clone) -> Self {
        let finite = values.filter(|value| value.is_finite());
        let low = finite.clone().fold(f64::INFINITY, f64::min);
        let high = finite.fold(f64::NEG_INFINITY, f64::max);
        let (low, high) = if low <= high { (low, high) } else { (0.0, 1.0) };
        let room = if high > low { 0.04 * (high - low) } else { 0.5 * high.abs().max(1e-3) };
        Self::between(label, low - room, high + room)
    }

    pub fn between(label: impl Into<String>, low: f64, high: f64) -> Self {
        Self { label: label.into(), low, high, log: false, names: Vec::new() }
    }

    /// An axis of names.
    pub fn of_names(label: impl Into<String>, names: Vec<String>) -> Self {
        let high = names.len() as f64 - 0.5;
        Self { names, ..Self::between(label, -0.5, high) }
    }

    /// A logarithmic axis that shows all positive values.
    pub fn logarithmic(label: impl Into<String>, values: impl Iterator<Item = f64> + Clone) -> Self {
        let logarithms = values.filter(|&value| value > 0.0).map(f64::log10);
        let axis = Self::around(label, logarithms);
        Self { low: 10_f64.powf(axis.low), high: 10_f64.powf(axis.high), log: true, ..axis }
    }

    /// The position of a value, from 0 to 1; `None` if it is off the axis.
    fn share(&self, value: f64) -> Option<f64> {
        let share = if self.log {
            (value / self.low).log10() / (self.high / self.low).log10()
        } else {
            (value - self.low) / (self.high - self.low)
        };
        (-1e-9..=1.0 + 1e-9).contains(&share).then_some(share)
    }

    /// The ticks of the axis: values and their texts.
    fn ticks(&self) -> Vec<(f64, String)> {
        if !self.names.is_empty() {
            return self.names.iter().enumerate().map(|(place, name)| (place as f64, name.clone())).collect();
        }
        if self.log && self.high / self.low >= 4.0 {
            let decades = self.low.log10().floor() as i32..=self.high.log10().ceil() as i32;
            let steps: &[f64] = if self.high / self.low < 500.0 { &[1.0, 2.0, 5.0] } else { &[1.0] };
            let ticks = decades.flat_map(|decade| steps.iter().map(move |step| step * 10_f64.powi(decade)));
            let inside = ticks.filter(|&tick| self.share(tick).is_some());
            return inside.map(|tick| (tick, trimmed(tick))).collect();
        }
        let step = nice((self.high - self.low) / TICKS);
        let first = (self.low / step).ceil() as i64;
        let last = (self.high / step).floor() as i64;
        (first..=last.min(first + 20))
            .map(|index| {
                let tick = index as f64 * step;
                (tick, trimmed((tick / step).round() * step))
            })
            .collect()
    }
}

/// The nearest of 1, 2 and 5 times a power of ten that is not smaller.
fn nice(step: f64) -> f64 {
    let power = 10_f64.powf(step.log10().floor());
    let times = [1.0, 2.0, 5.0, 10.0].into_iter().find(|times| times * power >= step * (1.0 - 1e-9));
    times.unwrap_or(10.0) * power
}

/// A number without trailing zeros.
fn trimmed(number: f64) -> String {
    let text = digits(number, 6);
    match (text.split_once('e'), text.contains('.')) {
        (Some((mantissa, exponent)), true) => {
            format!("{}e{exponent}", mantissa.trim_end_matches('0').trim_end_matches('.'))
        }
        (None, true) => text.trim_end_matches('0').trim_end_matches('.').to_string(),
        _ => text,
    }
}

/// The mark by which a series is drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Mark {
    Line,
    Dashes,
    Dots,
    Squares,
}

impl Mark {
    fn classes(self, colour: &str) -> String {
        let mark = match self {
            Self::Line => "curve",
            Self::Dashes => "curve dashed",
            Self::Dots => "dots",
            Self::Squares => "dots square",
        };
        format!("{mark} {colour}")
    }
}

/// Points that belong together.
#[derive(Clone, Debug)]
pub(super) struct Series {
    /// Its name in the legend; empty for a series that the legend leaves out.
    pub name: String,
    /// A class of `figure.css`.
    pub colour: String,
    pub mark: Mark,
    pub points: Vec<Point>,
}

/// The series of one chart.
#[derive(Clone, Debug)]
pub(super) struct Chart {
    pub x: Axis,
    pub y: Axis,
    pub series: Vec<Series>,
}

impl Chart {
    /// Draws it, without a legend; the area within its axes.
    pub fn draw(&self, drawing: &mut Drawing, area: Area) -> Area {
        let inner = Area {
            x: area.x + LEFT,
            y: area.y + ABOVE,
            width: area.width - LEFT - RIGHT,
            height: area.height - ABOVE - BELOW,
        };
        self.draw_axes(drawing, area, inner);
        for series in &self.series {
            let place = |&(x, y): &Point| {
                let (x, y) = (self.x.share(x)?, self.y.share(y)?);
                Some((inner.x + x * inner.width, inner.bottom() - y * inner.height))
            };
            let class = series.mark.classes(&series.colour);
            match series.mark {
                Mark::Line | Mark::Dashes => drawing.path(&class, series.points.iter().map(place)),
                Mark::Dots | Mark::Squares => drawing.dots(&class, series.points.iter().filter_map(place)),
            }
        }
        inner
    }

    /// A drawing of the chart by itself, under its legend.
    pub fn drawing(&self, width: f64, height: f64) -> Drawing {
        let legend = self.legend();
        let above = legend_height(&legend, width);
        let mut drawing = Drawing::new(width, above + height);
        draw_legend(&mut drawing, &legend, Area { x: 0.0, y: 0.0, width, height: above });
        self.draw(&mut drawing, Area { x: 0.0, y: above, width, height });
        drawing
    }

    fn draw_axes(&self, drawing: &mut Drawing, area: Area, inner: Area) {
        let y_ticks = self.y.ticks();
        for (value, text) in &y_ticks {
            let Some(share) = self.y.share(*value) else { continue };
            let y = inner.bottom() - share * inner.height;
            drawing.line("grid", (inner.x, y), (inner.right(), y));
            drawing.text("number", (inner.x - 6.0, y + 4.0), Anchor::End, text);
        }
        let x_ticks = self.x.ticks();
        let widest = x_ticks.iter().map(|(_, text)| text_width(text)).fold(0.0, f64::max) + 8.0;
        let room = (inner.width / widest).max(1.0) as usize;
        let every = x_ticks.len().div_ceil(room).max(1);
        for (value, text) in x_ticks.iter().step_by(every) {
            let Some(share) = self.x.share(*value) else { continue };
            let x = inner.x + share * inner.width;
            drawing.line("axis", (x, inner.bottom()), (x, inner.bottom() + 4.0));
            drawing.text("number", (x, inner.bottom() + 17.0), Anchor::Middle, text);
        }
        drawing.line("axis", (inner.x, inner.y), (inner.x, inner.bottom()));
        drawing.line("axis", (inner.x, inner.bottom()), (inner.right(), inner.bottom()));
        let middle = (inner.x + inner.width / 2.0, area.bottom() - 8.0);
        drawing.text("label", middle, Anchor::Middle, &self.x.label);
        drawing.upward_text("label", (area.x + 13.0, inner.y + inner.height / 2.0), &self.y.label);
    }

    /// The label in the legend.
    pub fn legend(&self) -> Vec<(String, String, Mark)> {
        let named = self.series.iter().filter(|series| !series.name.is_empty());
        named.map(|series| (series.name.clone(), series.colour.clone(), series.mark)).collect()
    }
}

/// The height of a legend within a width.
pub(super) fn legend_height(legend: &[(String, String, Mark)], width: f64) -> f64 {
    LEGEND_LINE * legend_places(legend, width).last().map_or(0.0, |(_, line)| line + 1.0)
}

/// Draws a legend at the upper left corner of an area.
pub(super) fn draw_legend(drawing: &mut Drawing, legend: &[(String, String, Mark)], area: Area) {
    for ((name, colour, mark), (x, line)) in legend.iter().zip(legend_places(legend, area.width)) {
        let (x, y) = (area.x + x, area.y + line * LEGEND_LINE + 10.0);
        let class = mark.classes(colour);
        match mark {
            Mark::Line | Mark::Dashes => drawing.line(&class, (x, y), (x + 22.0, y)),
            Mark::Dots | Mark::Squares => drawing.dots(&class, [(x + 11.0, y)].into_iter()),
        }
        drawing.text("legend", (x + 28.0, y + 4.0), Anchor::Start, name);
    }
}

/// The start and the line of each entry.
fn legend_places(legend: &[(String, String, Mark)], width: f64) -> Vec<(f64, f64)> {
    let (mut x, mut line) = (0.0, 0.0);
    let place = |(name, ..): &(String, String, Mark)| {
        let wide = 40.0 + text_width(name);
        if x > 0.0 && x + wide > width {
            (x, line) = (0.0, line + 1.0);
        }
        x += wide;
        (x - wide, line)
    };
    legend.iter().map(place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(axis: &Axis) -> Vec<String> {
        axis.ticks().into_iter().map(|(_, text)| text).collect()
    }

    #[test]
    fn numbers_beside_an_axis_are_round() {
        assert_eq!(texts(&Axis::between("", 0.0, 10.0)), ["0", "2", "4", "6", "8", "10"]);
        assert_eq!(texts(&Axis::between("", -0.013, 0.021)), ["-0.01", "0", "0.01", "0.02"]);
        assert_eq!(texts(&Axis::between("", 0.0, 4e20)), ["0", "1e20", "2e20", "3e20", "4e20"]);
        let decades = Axis::logarithmic("", [1.0, 0.0, -3.0, 80.0].into_iter());
        assert_eq!(texts(&decades), ["1", "2", "5", "10", "20", "50"]);
        let narrow = Axis::logarithmic("", [610.0, 870.0].into_iter());
        assert!(texts(&narrow).len() >= 3, "{:?}", texts(&narrow));
    }

    #[test]
    fn an_axis_shows_every_finite_value() {
        for values in
            [vec![1.0, f64::NAN, 3.0], vec![2.0], vec![0.0, 0.0], vec![], vec![f64::INFINITY], vec![-5e9, 3.0]]
        {
            let axis = Axis::around("", values.iter().copied());
            assert!(axis.low < axis.high, "{axis:?}");
            assert!(values.iter().filter(|value| value.is_finite()).all(|&value| axis.share(value).is_some()));
            assert!(!axis.ticks().is_empty());
        }
    }

    #[test]
    fn a_line_has_a_gap_where_a_point_is_off_the_axes() {
        let points = vec![(0.0, 0.0), (1.0, f64::NAN), (2.0, 1.0), (3.0, 1.0)];
        let series = Series { name: "a".into(), colour: "c0".into(), mark: Mark::Line, points };
        let chart = Chart { x: Axis::between("x", 0.0, 3.0), y: Axis::between("y", 0.0, 1.0), series: vec![series] };
        let mut drawing = Drawing::new(400.0, 300.0);
        chart.draw(&mut drawing, Area { x: 0.0, y: 0.0, width: 400.0, height: 300.0 });
        let path = drawing.elements.split("<path").nth(1).unwrap();
        assert_eq!(path.matches('M').count(), 2);
        assert_eq!(path.matches('L').count(), 1);
    }
}
