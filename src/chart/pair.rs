//! Two runs in one picture: A solid with discs, B dashed with squares.

use plotters::coord::Shift;
use plotters::drawing::DrawingArea;
use plotters::prelude::DrawingBackend;
use plotters::style::RGBColor;

use super::curve::{Panel, Scales, axes, last_iteration, mark, metric_texts, panels};
use super::{Drawn, Pen, Side, Style, drawn};
use crate::Result;
use crate::attack::Attack;
use crate::metrics::MetricName;

/// One of the two runs; entry k belongs to iteration k.
pub struct Run<'a> {
    /// Mean metric of the targets; not a number where it is not defined.
    pub metric: &'a [f64],
    /// Utility of the attacker.
    pub utility: &'a [f64],
    /// Mean metric of the targets before the attack.
    pub clean_metric: f64,
    /// Which metric it is.
    pub metric_name: MetricName,
}

/// A line: which run (0: A, 1: B), values, clean level.
type Line<'a> = (usize, &'a [f64], Option<f64>);

/// Draws A and B: their metric and their utility, or, where their metrics differ, the metric of
/// each. The height is that of a curve.
///
/// # Errors
/// A backend that fails.
pub fn draw<DB: DrawingBackend>(
    area: &DrawingArea<DB, Shift>,
    runs: &[Run; 2],
    style: Style,
) -> Result<()> {
    let pen = Pen::new(area, style);
    drawn::<DB::ErrorType>(draw_all(&pen, runs))
}

fn draw_all<DB: DrawingBackend>(pen: &Pen<DB>, runs: &[Run; 2]) -> Drawn<DB> {
    pen.clear()?;
    let [left, right] = panels(pen.size().0);
    let [a, b] = [0, 1].map(|k| (k, runs[k].metric, Some(runs[k].clean_metric)));
    let names = [0, 1].map(|k| runs[k].metric_name);
    let words = names.map(|name| (metric_texts(name), name == MetricName::Nmse));
    if names[0] != names[1] {
        panel(pen, left, words[0], &[a])?;
        return panel(pen, right, words[1], &[b]);
    }
    panel(pen, left, words[0], &[a, b])?;
    let words = (
        "Utility of the attacker",
        "the training loss that it raises",
    );
    let lines = [(0, runs[0].utility, None), (1, runs[1].utility, None)];
    panel(pen, right, (words, true), &lines)
}

fn panel<DB: DrawingBackend>(
    pen: &Pen<DB>,
    place: Panel,
    (words, rising): ((&str, &str), bool),
    lines: &[Line],
) -> Drawn<DB> {
    let values = lines
        .iter()
        .flat_map(|(_, values, clean)| values.iter().chain(clean))
        .copied();
    let end = lines
        .iter()
        .map(|(_, values, _)| last_iteration(values.len(), 0))
        .max();
    let scales = Scales::new(place, values, end.unwrap_or(1));
    axes(pen, &scales, words)?;
    let right = place.left + place.width;
    for &(run, values, clean) in lines {
        let (color, attack, name) = look(pen, run);
        if let Some(level) = clean.filter(|level| level.is_finite()) {
            let y = scales.y(level);
            pen.faint_path(&[(place.left, y), (right, y)], color)?;
        }
        let mut points = scales.line(values);
        // A run of one point, the random attack: its level goes on.
        if let [(_, y)] = points.as_slice() {
            points.push((right, *y));
        }
        if run == 0 {
            pen.path(&points, color, 2.25)?;
        } else {
            pen.dashes(&points, color, 2.25)?;
        }
        let radius = (0.35 * place.width / scales.end as f64).clamp(1.5, 3.75);
        for &point in &points {
            mark(pen, point, radius, attack, color)?;
        }
        if let Some(&(x, y)) = points.last() {
            // The lower line has its letter below.
            let others = lines.iter().filter(|other| other.0 != run);
            let mut ends = others.filter_map(|(_, values, _)| Some(scales.line(values).last()?.1));
            let shift = if ends.all(|end| end >= y) {
                -13.0
            } else {
                13.0
            };
            let y = (y + shift).clamp(place.top + 6.0, place.top + place.height - 8.0);
            pen.bold(x.min(right - 4.0), y, Side::Middle, 13.0, color, name)?;
        }
    }
    let levels: Vec<(usize, f64)> = (lines.iter())
        .filter_map(|&(run, _, clean)| Some((run, clean.filter(|level| level.is_finite())?)))
        .collect();
    let one = matches!(levels.as_slice(), [(_, a), (_, b)] if a == b);
    for &(run, level) in levels.iter().take(if one { 1 } else { 2 }) {
        let (color, _, name) = look(pen, run);
        let (color, text) = if one {
            (pen.palette.muted, "clean".to_string())
        } else {
            (color, format!("clean {name}"))
        };
        // On the side to which no attack goes, and next to each other.
        let y = scales.y(level) + if rising { 9.0 } else { -9.0 };
        let x = right - 18.0 - 56.0 * run as f64;
        pen.text(x, y, Side::Right, 11.0, color, &text)?;
    }
    Ok(())
}

/// Colour, marker and name.
fn look<DB: DrawingBackend>(pen: &Pen<DB>, run: usize) -> (RGBColor, Attack, &'static str) {
    if run == 0 {
        (pen.palette.utility, Attack::Direct, "A")
    } else {
        (pen.palette.metric, Attack::Indirect, "B")
    }
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use plotters::prelude::{IntoDrawingArea, SVGBackend};

    use super::*;

    fn svg(metric_names: [MetricName; 2]) -> String {
        let values = [[0.5, 0.7, 0.9].as_slice(), &[0.6]];
        let runs = [0, 1].map(|k| Run {
            metric: values[k],
            utility: values[k],
            clean_metric: [0.4, f64::NAN][k],
            metric_name: metric_names[k],
        });
        let mut text = String::new();
        let area = SVGBackend::with_string(&mut text, (900, 300)).into_drawing_area();
        draw(&area, &runs, Style::default()).unwrap();
        area.present().unwrap();
        drop(area);
        text
    }

    #[test]
    fn two_runs_of_one_metric_share_both_panels() {
        let text = svg([MetricName::Nmse; 2]);
        for part in ["NMSE", "Utility", "clean A"] {
            assert!(text.contains(part), "{part}");
        }
        assert_eq!(text.matches("<circle").count(), 6);
        assert!(!text.contains("clean B") && !text.contains("AUC"));
    }

    #[test]
    fn different_metrics_are_never_on_one_axis() {
        let text = svg([MetricName::Nmse, MetricName::Auc]);
        assert!(text.contains("NMSE") && text.contains("AUC") && !text.contains("Utility"));
    }
}
