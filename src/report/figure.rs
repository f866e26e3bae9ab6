//! A figure by itself: as an SVG file, as a PNG file, or within a page.

use std::sync::Arc;

use resvg::{tiny_skia, usvg};

use super::drawing::{Anchor, Drawing};
use super::markup::escape;
use crate::error::{Error, Result};

/// The style of all figures.
pub(super) const STYLE: &str = include_str!("figure.css");

/// The height of a title above a figure, and the margin around it, in pixels.
const TITLE: f64 = 34.0;
const MARGIN: f64 = 12.0;

/// Pixels of a PNG file for each of an SVG file, and the most that a PNG file may have on a side.
const PNG_SCALE: f32 = 2.0;
const LONGEST_SIDE: f32 = 16_384.0;

/// A drawing with a title and a description.
#[derive(Clone, Debug)]
pub struct Figure {
    /// The subject of the figure.
    pub title: String,
    /// The content of the figure in words, for those who cannot see it.
    pub description: String,
    pub(super) drawing: Drawing,
}

impl Figure {
    /// An SVG file, with the title above the figure.
    pub fn to_svg(&self) -> String {
        let Drawing { width, height, elements } = &self.drawing;
        let mut title = Drawing::new(*width, TITLE);
        title.text("heading", (MARGIN, 24.0), Anchor::Start, &self.title);
        let (width, height) = (width + 2.0 * MARGIN, height + TITLE + MARGIN);
        format!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" class="figure" width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="img">
<title>{}</title><desc>{}</desc>
<style>
{STYLE}</style>
<rect class="paper" width="100%" height="100%"/>{}<g transform="translate({MARGIN} {TITLE})">{elements}</g>
</svg>
"#,
            escape(&self.title),
            escape(&self.description),
            title.elements,
        )
    }

    /// The same for a page, which has the style and shows the title.
    pub(super) fn inline(&self) -> String {
        let Drawing { width, height, elements } = &self.drawing;
        let label = escape(&format!("{}. {}", self.title, self.description));
        format!(
            r#"<svg class="figure" viewBox="0 0 {width} {height}" style="max-width:{width}px;min-width:min({width}px,34rem)" role="img" aria-label="{label}">{elements}</svg>"#
        )
    }

    /// A PNG file of twice the SVG's size. Its texts are set in a font that is built in, so it is the same everywhere.
    ///
    /// # Errors
    /// When the figure is too large for an image.
    pub fn to_png(&self) -> Result<Vec<u8>> {
        let failed = |problem: String| Error::Mismatch(format!("{}: {problem}", self.title));
        let mut options = usvg::Options::default();
        let fonts = Arc::make_mut(&mut options.fontdb);
        fonts.load_font_data(epaint_default_fonts::UBUNTU_LIGHT.to_vec());
        let family = fonts.faces().next().map(|face| face.families[0].0.clone());
        fonts.set_sans_serif_family(family.expect("the built-in font is one"));
        let tree = usvg::Tree::from_str(&self.to_svg(), &options).map_err(|error| failed(error.to_string()))?;
        let (width, height) = (tree.size().width() * PNG_SCALE, tree.size().height() * PNG_SCALE);
        let pixels = (width.max(height) <= LONGEST_SIDE)
            .then(|| tiny_skia::Pixmap::new(width.ceil() as u32, height.ceil() as u32))
            .flatten();
        let problem = || failed(format!("{width} x {height} pixels are too many for a PNG file; write an SVG file"));
        let mut pixels = pixels.ok_or_else(problem)?;
        resvg::render(&tree, tiny_skia::Transform::from_scale(PNG_SCALE, PNG_SCALE), &mut pixels.as_mut());
        pixels.encode_png().map_err(|error| failed(error.to_string()))
    }
}
