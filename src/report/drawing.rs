//! Drawing in SVG. Elements have classes, whose styles are in `figure.css`: pages and files share it.

use std::fmt::Write;

use super::markup::escape;
use super::picture::Picture;

/// A point, in pixels from the upper left corner.
pub(super) type Point = (f64, f64);

/// A rectangle, in pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Area {
    pub x: f64,
    pub y: f64,
    pub width: f64,
    pub height: f64,
}

impl Area {
    pub fn right(&self) -> f64 {
        self.x + self.width
    }

    pub fn bottom(&self) -> f64 {
        self.y + self.height
    }
}

/// The part of a text that lies at its point.
#[derive(Clone, Copy, Debug)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// The approximate width of a text.
pub(super) fn text_width(text: &str) -> f64 {
    text.chars().count() as f64 * 6.8
}

/// Elements of SVG within a width and a height.
#[derive(Clone, Debug)]
pub(super) struct Drawing {
    pub width: f64,
    pub height: f64,
    pub elements: String,
}

impl Drawing {
    pub fn new(width: f64, height: f64) -> Self {
        Self { width, height, elements: String::new() }
    }

    fn add(&mut self, element: std::fmt::Arguments<'_>) {
        self.elements.write_fmt(element).expect("text takes all that is written to it");
    }

    pub fn line(&mut self, class: &str, (x1, y1): Point, (x2, y2): Point) {
        self.add(format_args!(r#"<line class="{class}" x1="{x1:.1}" y1="{y1:.1}" x2="{x2:.1}" y2="{y2:.1}"/>"#));
    }

    /// A line through points, with a gap where there is none.
    pub fn path(&mut self, class: &str, points: impl Iterator<Item = Option<Point>>) {
        let mut data = String::new();
        let mut command = 'M';
        for point in points {
            match point {
                Some((x, y)) => {
                    write!(data, "{command}{x:.1} {y:.1}").expect("text takes all that is written to it");
                    command = 'L';
                }
                None => command = 'M',
            }
        }
        if !data.is_empty() {
            self.add(format_args!(r#"<path class="{class}" d="{data}"/>"#));
        }
    }

    /// A dot at each point: a path of strokes with no length, whose ends make the dots.
    pub fn dots(&mut self, class: &str, points: impl Iterator<Item = Point>) {
        let mut data = String::new();
        for (x, y) in points {
            write!(data, "M{x:.1} {y:.1}h.01").expect("text takes all that is written to it");
        }
        if !data.is_empty() {
            self.add(format_args!(r#"<path class="{class}" d="{data}"/>"#));
        }
    }

    pub fn text(&mut self, class: &str, (x, y): Point, anchor: Anchor, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let text = escape(text);
        self.add(format_args!(r#"<text class="{class}" x="{x:.1}" y="{y:.1}" text-anchor="{anchor}">{text}</text>"#));
    }

    /// A text that runs upwards, around its point.
    pub fn upward_text(&mut self, class: &str, (x, y): Point, text: &str) {
        let text = escape(text);
        self.add(format_args!(
            r#"<text class="{class}" transform="translate({x:.1} {y:.1}) rotate(-90)" text-anchor="middle">{text}</text>"#
        ));
    }

    /// A text that rises to the right from its point.
    pub fn rising_text(&mut self, class: &str, (x, y): Point, text: &str) {
        let text = escape(text);
        self.add(format_args!(
            r#"<text class="{class}" transform="translate({x:.1} {y:.1}) rotate(-60)">{text}</text>"#
        ));
    }

    /// A rectangle of a colour; the title says what it shows.
    pub fn rectangle(&mut self, area: Area, colour: &str, title: &str) {
        let Area { x, y, width, height } = area;
        let title = escape(title);
        self.add(format_args!(
            r#"<rect x="{x:.1}" y="{y:.1}" width="{width:.1}" height="{height:.1}" fill="{colour}"><title>{title}</title></rect>"#
        ));
    }

    /// Another drawing, with its upper left corner at a point.
    pub fn place(&mut self, (x, y): Point, other: &Self) {
        let elements = &other.elements;
        self.add(format_args!(r#"<g transform="translate({x:.1} {y:.1})">{elements}</g>"#));
    }

    /// An image with sharp pixels; the title says what it shows.
    pub fn image(&mut self, area: Area, picture: &Picture, title: &str) {
        let Area { x, y, width, height } = area;
        let (title, data) = (escape(title), picture.data_uri());
        self.add(format_args!(
            r#"<image class="pixels" x="{x:.1}" y="{y:.1}" width="{width:.1}" height="{height:.1}" image-rendering="optimizeSpeed" preserveAspectRatio="none" href="{data}"><title>{title}</title></image>"#
        ));
    }
}
