//! Codes as dots, coloured by label.

use super::chart::{Axis, Chart, Series, draw_legend, legend_height};
use super::classes::Classes;
use super::drawing::{Anchor, Area, Drawing};
use super::figure::Figure;
use super::measured::Measured;
use super::sample::Sample;

/// The size of the chart of one model.
const SIZE: (f64, f64) = (430.0, 400.0);

/// The first two codes of each row, one chart a model; with a single code, the error takes the second axis.
pub(super) fn codes(measured: &[Measured<'_>], sample: &Sample) -> Figure {
    let classes = Classes::new(sample.dataset());
    let charts: Vec<_> = measured.iter().map(|measured| (measured.name, chart(measured, &classes))).collect();
    let legend = charts.first().map_or(Vec::new(), |(_, chart)| chart.legend());
    let width = SIZE.0 * charts.len() as f64;
    let above = legend_height(&legend, width) + 24.0;
    let mut drawing = Drawing::new(width, above + SIZE.1);
    draw_legend(&mut drawing, &legend, Area { x: 0.0, y: 0.0, width, height: above });
    for (index, (name, chart)) in charts.iter().enumerate() {
        let area = Area { x: SIZE.0 * index as f64, y: above, width: SIZE.0, height: SIZE.1 };
        drawing.text("name", (area.x + 66.0, area.y - 4.0), Anchor::Start, name);
        chart.draw(&mut drawing, area);
    }
    let by = if legend.is_empty() { String::new() } else { format!(", coloured by {}", classes.title) };
    let description = format!("A dot for each of {}{by}", sample.describe());
    Figure { title: "Codes".into(), description, drawing }
}

fn chart(measured: &Measured<'_>, classes: &Classes) -> Chart {
    let codes = &measured.codes;
    let has_two = codes.columns() > 1;
    let place = |row: usize| {
        let code = codes.row(row);
        (f64::from(code[0]), if has_two { f64::from(code[1]) } else { measured.errors[row] })
    };
    let of_class =
        |class: usize| (0..codes.rows()).filter(move |&row| classes.of_row[row] == class).map(place).collect();
    let series = classes.names.iter().enumerate().map(|(class, name)| Series {
        name: name.clone(),
        colour: classes.colour(class),
        mark: Classes::mark(class),
        points: of_class(class),
    });
    let points = || (0..codes.rows()).map(place);
    Chart {
        x: Axis::around("code 1", points().map(|point| point.0)),
        y: Axis::around(if has_two { "code 2" } else { "error of the row" }, points().map(|point| point.1)),
        series: series.collect(),
    }
}
