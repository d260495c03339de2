//! A picture on its own: a title, the drawing, captions, and a footer with its origin.

use plotters::coord::Shift;
use plotters::drawing::DrawingArea;
use plotters::prelude::DrawingBackend;

use super::curve::{self, Curve};
use super::heatmap::{self, Heatmap};
use super::{Pen, Side, Style, drawn};
use crate::Result;

/// What a sheet shows.
pub enum Content<'a> {
    /// The course of an attack.
    Curve(Curve<'a>),
    /// Correlations of the same tasks, each under its caption.
    Heatmaps(Vec<(String, Heatmap<'a>)>),
}

/// A title, a drawing, a footer.
pub struct Sheet<'a> {
    /// The sentence above.
    pub title: &'a str,
    /// The line below.
    pub footer: &'a str,
    /// The drawing.
    pub content: Content<'a>,
}

const MARGIN: f64 = 16.0;
const TITLE_SIZE: f64 = 16.0;
const TITLE_LINE: f64 = 22.0;
const CAPTION: f64 = 26.0;
const FOOTER: f64 = 30.0;

/// The text in lines that fit the width, as far as that can be known without measuring: a letter is
/// about 0.55 of its size wide. A word that is too long has a line of its own.
fn lines(text: &str, width: f64, size: f64) -> Vec<String> {
    let most = (width / (0.55 * size)).max(1.0);
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if (line.chars().count() + 1 + word.chars().count()) as f64 <= most => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_string()),
        }
    }
    lines
}

impl Sheet<'_> {
    fn title_lines(&self, width: f64) -> Vec<String> {
        lines(self.title, width - 2.0 * MARGIN, TITLE_SIZE)
    }

    fn head(&self, width: f64) -> f64 {
        MARGIN + self.title_lines(width).len() as f64 * TITLE_LINE + 4.0
    }

    /// Height of the drawing alone.
    fn body(&self, width: f64) -> f64 {
        match &self.content {
            Content::Curve(_) => curve::height(width),
            Content::Heatmaps(maps) => {
                let columns = columns(maps.len());
                let tasks = maps.first().map_or(1, |(_, map)| map.tasks);
                let one = heatmap::layout(width / columns as f64 - MARGIN, tasks).height;
                maps.len().div_ceil(columns) as f64 * (CAPTION + one + 8.0)
            }
        }
    }

    /// The height that the sheet needs at this width, in CSS pixels.
    pub fn height(&self, width: f64) -> f64 {
        self.head(width) + self.body(width) + FOOTER
    }
}

/// Number of heatmaps in a row: four as a square.
fn columns(maps: usize) -> usize {
    if maps == 4 { 2 } else { maps.clamp(1, 3) }
}

/// Draws a sheet.
///
/// # Errors
/// Those of its drawing.
pub fn draw<DB: DrawingBackend>(
    area: &DrawingArea<DB, Shift>,
    sheet: &Sheet,
    style: Style,
) -> Result<()> {
    let pen = Pen::new(area, style);
    let (width, height) = pen.size();
    drawn::<DB::ErrorType>(pen.clear())?;
    let (ink, muted) = (pen.palette.ink, pen.palette.muted);
    for (number, line) in sheet.title_lines(width).iter().enumerate() {
        let y = MARGIN + (number as f64 + 0.5) * TITLE_LINE;
        drawn::<DB::ErrorType>(pen.bold(MARGIN, y, Side::Left, TITLE_SIZE, ink, line))?;
    }
    let footer = pen.text(
        MARGIN,
        height - FOOTER / 2.0 - 2.0,
        Side::Left,
        11.0,
        muted,
        sheet.footer,
    );
    drawn::<DB::ErrorType>(footer)?;
    let place = |left: f64, top: f64, width: f64, height: f64| {
        let sizes = (pen.device(width), pen.device(height));
        area.clone().shrink(pen.at(left, top), sizes)
    };
    let top = sheet.head(width);
    match &sheet.content {
        Content::Curve(curve) => {
            // A curve has a margin of its own on its right.
            let left = MARGIN / 2.0;
            let part = place(left, top, width - left, sheet.body(width));
            curve::draw(&part, curve, style)
        }
        Content::Heatmaps(maps) => {
            let columns = columns(maps.len());
            let wide = width / columns as f64;
            let tall = sheet.body(width) / maps.len().div_ceil(columns).max(1) as f64;
            for (number, (caption, map)) in maps.iter().enumerate() {
                let left = (number % columns) as f64 * wide;
                let top = top + (number / columns) as f64 * tall;
                let words = pen.bold(
                    left + MARGIN,
                    top + CAPTION / 2.0,
                    Side::Left,
                    13.0,
                    ink,
                    caption,
                );
                drawn::<DB::ErrorType>(words)?;
                let part = place(left, top + CAPTION, wide - MARGIN, tall - CAPTION);
                heatmap::draw(&part, map, style)?;
            }
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attack::{Attack, Method};
    use crate::chart::svg;
    use crate::metrics::MetricName;

    #[test]
    fn titles_break_between_words() {
        let text = "Poisoned points damaged T1 to T3";
        assert_eq!(lines(text, 1000.0, 16.0), [text]);
        let narrow = lines(text, 150.0, 16.0);
        assert!(
            narrow.len() > 1 && narrow.iter().all(|line| line.len() <= 17),
            "{narrow:?}"
        );
        assert_eq!(narrow.join(" "), text);
        assert_eq!(lines("", 100.0, 16.0).len(), 0);
    }

    #[test]
    fn a_sheet_holds_its_title_its_captions_its_axes_and_its_footer() {
        let curve = Sheet {
            title: "Direct attack: NMSE 0.5",
            footer: "engine 0.1.0",
            content: Content::Curve(Curve {
                metric: &[0.5, 0.6],
                utility: &[1.0, 2.0],
                clean_metric: Some(0.4),
                baselines: curve::Baselines::default(),
                metric_name: MetricName::Nmse,
                iterations: 1,
                attack: Attack::Direct,
                method: Method::Patom,
                cursor: None,
                per_task: &[],
                tasks: &[],
                task: None,
            }),
        };
        let map = |title| {
            let heatmap = Heatmap {
                values: &[1.0, 0.25, 0.25, 1.0],
                tasks: 2,
                targets: &[0],
                attackers: &[1],
                title,
                names: &[],
                open_ended: false,
                range: 1.0,
                cursor: None,
                task: None,
            };
            (format!("caption of {title}"), heatmap)
        };
        let maps = Sheet {
            title: "Correlations",
            footer: "below",
            content: Content::Heatmaps(["a", "b", "c", "d"].map(map).into()),
        };
        for (sheet, parts) in [
            (
                &curve,
                [
                    "Direct attack: NMSE 0.5",
                    "NMSE of the targets",
                    "engine 0.1.0",
                ],
            ),
            (&maps, ["Correlations", "caption of d", "below"]),
        ] {
            let text = svg(
                900.0,
                sheet.height(900.0),
                Style::default(),
                |area, style| draw(area, sheet, style),
            )
            .unwrap();
            for part in parts {
                assert!(text.contains(part), "{part}");
            }
            assert!(text.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"900\""));
        }
        // Four maps are two by two.
        assert!(maps.height(900.0) > 2.0 * 430.0);
    }
}
