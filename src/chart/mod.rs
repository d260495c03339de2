//! Report -> drawing, generic over the plotters backend: canvas in the page, SVG natively.
//!
//! `curve` draws the course of an attack, `pair` two side by side, `sweep` many, `defence` a study of
//! defences, `heatmap` a number for each pair of tasks, `map` its colours, `points` the clean and injected
//! points in a plane, `risk` the parts of a risk study, `sheet` a drawing with its title and footer,
//! `tuning` the choice of λ1.
//! Everything is laid out by hand in CSS pixels and multiplied by the device's pixel ratio at the
//! last moment, in `Pen`: every size is sharp on every screen, and no text is ever measured
//! (measuring adds styled elements to the page, which its Content-Security-Policy refuses).
//! Each drawing has a layout, the positions of its parts, so that a pointer can be mapped to them.
//! Not here: which drawing goes where, texts around it.

pub mod curve;
pub mod defence;
pub mod heatmap;
pub mod map;
pub mod pair;
pub mod points;
pub mod risk;
pub mod sheet;
pub mod sweep;
pub mod tuning;

use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, DrawingAreaErrorKind, IntoDrawingArea};
use plotters::element::{Circle, PathElement, Polygon, Rectangle};
use plotters::prelude::{DrawingBackend, SVGBackend};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{
    Color, FontFamily, FontStyle, FontTransform, IntoTextStyle, RGBColor, ShapeStyle, TextStyle,
};

use crate::minus::minus;
use crate::{Error, Result};

/// The look of a drawing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Style {
    /// Device pixels per CSS pixel.
    pub scale: f64,
    /// Light on dark.
    pub dark: bool,
    /// The colour map of correlations.
    pub map: map::Map,
    /// For the SVG backend, which divides the sizes of texts by 1.24.
    pub svg: bool,
}

impl Default for Style {
    fn default() -> Self {
        Self {
            scale: 1.0,
            dark: false,
            map: map::Map::Vik,
            svg: true,
        }
    }
}

/// The colours of a theme.
struct Palette {
    paper: RGBColor,
    ink: RGBColor,
    muted: RGBColor,
    grid: RGBColor,
    metric: RGBColor,
    utility: RGBColor,
    clean: RGBColor,
    certified: RGBColor,
    target: RGBColor,
    attacker: RGBColor,
}

const LIGHT: Palette = Palette {
    paper: RGBColor(255, 255, 255),
    ink: RGBColor(24, 28, 37),
    muted: RGBColor(91, 99, 115),
    grid: RGBColor(229, 232, 238),
    metric: RGBColor(192, 38, 66),
    utility: RGBColor(67, 72, 201),
    clean: RGBColor(13, 124, 102),
    certified: RGBColor(161, 78, 8),
    target: RGBColor(192, 38, 66),
    attacker: RGBColor(109, 40, 217),
};

const DARK: Palette = Palette {
    paper: RGBColor(23, 27, 36),
    ink: RGBColor(232, 235, 242),
    muted: RGBColor(156, 165, 184),
    grid: RGBColor(46, 53, 68),
    metric: RGBColor(255, 118, 138),
    utility: RGBColor(146, 157, 255),
    clean: RGBColor(74, 209, 178),
    certified: RGBColor(251, 186, 80),
    target: RGBColor(255, 118, 138),
    attacker: RGBColor(190, 150, 255),
};

const SANS: &str = "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif";

/// Draws in CSS pixels on an area of device pixels.
struct Pen<'a, DB: DrawingBackend> {
    area: &'a DrawingArea<DB, Shift>,
    style: Style,
    palette: &'static Palette,
}

type Drawn<DB> = std::result::Result<(), DrawingAreaErrorKind<<DB as DrawingBackend>::ErrorType>>;

/// Where the anchor of a text lies.
#[derive(Clone, Copy)]
enum Side {
    Left,
    Middle,
    Right,
}

impl<'a, DB: DrawingBackend> Pen<'a, DB> {
    fn new(area: &'a DrawingArea<DB, Shift>, style: Style) -> Self {
        let palette = if style.dark { &DARK } else { &LIGHT };
        Self {
            area,
            style,
            palette,
        }
    }

    /// Width and height in CSS pixels.
    fn size(&self) -> (f64, f64) {
        let (width, height) = self.area.dim_in_pixel();
        (
            f64::from(width) / self.style.scale,
            f64::from(height) / self.style.scale,
        )
    }

    #[expect(clippy::cast_possible_truncation, reason = "pixels of a screen")]
    fn device(&self, length: f64) -> i32 {
        (length * self.style.scale).round() as i32
    }

    fn at(&self, x: f64, y: f64) -> (i32, i32) {
        (self.device(x), self.device(y))
    }

    fn stroke(&self, color: RGBColor, width: f64) -> ShapeStyle {
        color.stroke_width(self.device(width).max(1).unsigned_abs())
    }

    fn clear(&self) -> Drawn<DB> {
        self.area.fill(&self.palette.paper)
    }

    fn text(
        &self,
        x: f64,
        y: f64,
        side: Side,
        size: f64,
        color: RGBColor,
        text: &str,
    ) -> Drawn<DB> {
        self.styled_text((x, y), side, size, FontStyle::Normal, color, text)
    }

    fn bold(
        &self,
        x: f64,
        y: f64,
        side: Side,
        size: f64,
        color: RGBColor,
        text: &str,
    ) -> Drawn<DB> {
        self.styled_text((x, y), side, size, FontStyle::Bold, color, text)
    }

    fn styled_text(
        &self,
        (x, y): (f64, f64),
        side: Side,
        size: f64,
        weight: FontStyle,
        color: RGBColor,
        text: &str,
    ) -> Drawn<DB> {
        let side = match side {
            Side::Left => HPos::Left,
            Side::Middle => HPos::Center,
            Side::Right => HPos::Right,
        };
        let size = if self.style.svg { size * 1.24 } else { size };
        let style: TextStyle = (
            FontFamily::Name(SANS),
            size * self.style.scale,
            weight,
            &color,
        )
            .into_text_style(self.area)
            .pos(Pos::new(side, VPos::Center))
            .transform(FontTransform::None);
        self.area.draw_text(text, &style, self.at(x, y))
    }

    fn line(&self, from: (f64, f64), to: (f64, f64), color: RGBColor, width: f64) -> Drawn<DB> {
        self.path(&[from, to], color, width)
    }

    /// Dashes that go round corners.
    fn dashes(&self, points: &[(f64, f64)], color: RGBColor, width: f64) -> Drawn<DB> {
        const ON: f64 = 6.0;
        const CYCLE: f64 = ON + 4.0;
        // How far the dash at a corner has come.
        let mut begun = 0.0;
        for pair in points.windows(2) {
            let (from, to) = (pair[0], pair[1]);
            let (wide, high) = (to.0 - from.0, to.1 - from.1);
            let length = (wide * wide + high * high).sqrt();
            let along = |t: f64| {
                let share = if length > 0.0 { t / length } else { 0.0 };
                let between = |from: f64, to: f64| from + share * (to - from);
                (between(from.0, to.0), between(from.1, to.1))
            };
            let mut start = -begun;
            while start < length {
                let (first, last) = (start.max(0.0), (start + ON).min(length));
                if first < last {
                    self.line(along(first), along(last), color, width)?;
                }
                start += CYCLE;
            }
            begun = length - (start - CYCLE);
        }
        Ok(())
    }

    fn path(&self, points: &[(f64, f64)], color: RGBColor, width: f64) -> Drawn<DB> {
        let points: Vec<_> = points.iter().map(|&(x, y)| self.at(x, y)).collect();
        let stroke = self.stroke(color, width);
        self.area.draw(&PathElement::new(points, stroke))
    }

    fn rectangle(&self, (x, y): (f64, f64), (w, h): (f64, f64), style: ShapeStyle) -> Drawn<DB> {
        let corners = [self.at(x, y), self.at(x + w, y + h)];
        self.area.draw(&Rectangle::new(corners, style))
    }

    fn disc(&self, (x, y): (f64, f64), radius: f64, color: RGBColor) -> Drawn<DB> {
        let radius = self.device(radius).max(1);
        self.area
            .draw(&Circle::new(self.at(x, y), radius, color.filled()))
    }

    fn ring(&self, (x, y): (f64, f64), radius: f64, color: RGBColor, width: f64) -> Drawn<DB> {
        let radius = self.device(radius).max(1);
        let style = self.stroke(color, width);
        self.area.draw(&Circle::new(self.at(x, y), radius, style))
    }

    fn polygon(&self, points: &[(f64, f64)], color: RGBColor) -> Drawn<DB> {
        let points: Vec<_> = points.iter().map(|&(x, y)| self.at(x, y)).collect();
        self.area.draw(&Polygon::new(points, color.filled()))
    }

    /// A band behind lines.
    fn faint_polygon(&self, points: &[(f64, f64)], color: RGBColor) -> Drawn<DB> {
        let points: Vec<_> = points.iter().map(|&(x, y)| self.at(x, y)).collect();
        self.area
            .draw(&Polygon::new(points, color.mix(0.13).filled()))
    }

    /// A wide pale line behind another one, to compare with.
    fn pale_path(&self, points: &[(f64, f64)], color: RGBColor) -> Drawn<DB> {
        let points: Vec<_> = points.iter().map(|&(x, y)| self.at(x, y)).collect();
        let stroke = color
            .mix(0.3)
            .stroke_width(self.device(7.0).max(1).unsigned_abs());
        self.area.draw(&PathElement::new(points, stroke))
    }

    /// A line in the background.
    fn faint_path(&self, points: &[(f64, f64)], color: RGBColor) -> Drawn<DB> {
        let points: Vec<_> = points.iter().map(|&(x, y)| self.at(x, y)).collect();
        let stroke = color
            .mix(0.35)
            .stroke_width(self.device(1.0).max(1).unsigned_abs());
        self.area.draw(&PathElement::new(points, stroke))
    }

    /// The mark of a target task: a disc.
    fn target_mark(&self, at: (f64, f64), radius: f64) -> Drawn<DB> {
        self.disc(at, radius, self.palette.target)
    }

    /// The mark of an attacking task: a triangle.
    fn attacker_mark(&self, (x, y): (f64, f64), radius: f64) -> Drawn<DB> {
        let r = radius * 1.25;
        let points = [(x, y - r), (x + r, y + 0.85 * r), (x - r, y + 0.85 * r)];
        self.polygon(&points, self.palette.attacker)
    }
}

/// A drawing as SVG, of this size in CSS pixels.
///
/// # Errors
/// Those of the drawing.
pub fn svg(
    width: f64,
    height: f64,
    style: Style,
    draw: impl FnOnce(&DrawingArea<SVGBackend, Shift>, Style) -> Result<()>,
) -> Result<String> {
    // Places are whole numbers: this many of them to a pixel.
    const FINE: f64 = 8.0;
    let style = Style {
        scale: FINE,
        svg: true,
        ..style
    };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the size of a picture"
    )]
    let size = [width, height].map(|length| (length * FINE).ceil().clamp(1.0, 1e5) as u32);
    let mut text = String::new();
    {
        let area = SVGBackend::with_string(&mut text, size.into()).into_drawing_area();
        draw(&area, style)?;
        drawn::<std::io::Error>(area.present())?;
    }
    let (_, body) = text.split_once('>').unwrap_or_default();
    Ok(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{}\" \
         viewBox=\"0 0 {} {}\">{body}",
        height.ceil(),
        size[0],
        size[1]
    ))
}

fn drawn<E: std::error::Error + Send + Sync>(
    result: std::result::Result<(), DrawingAreaErrorKind<E>>,
) -> Result<()> {
    result.map_err(|error| Error::data(format_args!("the picture could not be drawn: {error}")))
}

/// Round numbers that cover `[low, high]` in about `count` steps: their first, last and distance.
fn nice_range(low: f64, high: f64, count: f64) -> (f64, f64, f64) {
    let span = if high > low { high - low } else { 1.0 };
    let rough = span / count;
    let power = libm::pow(10.0, libm::floor(libm::log10(rough)));
    let step = [1.0, 2.0, 2.5, 5.0, 10.0]
        .into_iter()
        .map(|factor| factor * power)
        .find(|step| *step >= rough * 0.999)
        .unwrap_or(10.0 * power);
    let first = libm::floor(low / step + 1e-9) * step;
    let last = libm::ceil(high / step - 1e-9) * step;
    (first, if last > first { last } else { first + step }, step)
}

/// A number with as many decimals as its distance from its neighbours needs.
fn tick_label(value: f64, step: f64) -> String {
    let magnitude = value.abs().max(step);
    if !(1e-4..1e7).contains(&magnitude) {
        return minus(format_args!("{value:.1e}"));
    }
    let mut decimals = 0;
    let mut scaled = step;
    while decimals < 7 && (scaled - scaled.round()).abs() > 1e-6 * scaled.abs() {
        scaled *= 10.0;
        decimals += 1;
    }
    minus(format_args!("{value:.decimals$}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_cover_their_numbers_in_round_steps() {
        for (low, high) in [
            (0.0, 0.93),
            (0.0, 1.0),
            (411.2, 980.0),
            (0.5, 0.78),
            (3.0, 3.0),
        ] {
            let (first, last, step) = nice_range(low, high, 5.0);
            assert!(first <= low && last >= high && step > 0.0, "{low} {high}");
            let steps = (last - first) / step;
            assert!(
                (1.0..=8.0).contains(&steps.round()),
                "{low} {high}: {steps}"
            );
            assert!((steps - steps.round()).abs() < 1e-6);
        }
    }

    #[test]
    fn labels_have_the_decimals_of_their_step() {
        assert_eq!(tick_label(0.25, 0.25), "0.25");
        assert_eq!(tick_label(0.5, 0.1), "0.5");
        assert_eq!(tick_label(-0.5, 0.5), "\u{2212}0.5");
        assert_eq!(tick_label(-1e-18, 0.2), "0.0");
        assert_eq!(tick_label(200.0, 50.0), "200");
        assert_eq!(tick_label(2e9, 1e9), "2.0e9");
    }
}
