//! The choice of λ1: the error by cross-validation over λ1, multi-task and single-task learning.

use plotters::coord::Shift;
use plotters::drawing::DrawingArea;
use plotters::prelude::DrawingBackend;
use plotters::style::RGBColor;

use super::{Drawn, Pen, Side, Style, drawn, nice_range, tick_label};
use crate::Result;
use crate::metrics::MetricName;
use crate::minus::minus;

const LEFT: f64 = 52.0;
const RIGHT: f64 = 16.0;
const TOP: f64 = 46.0;
const BOTTOM: f64 = 44.0;
/// The lines of multi-task and single-task learning, and their height in the key.
const KEY: f64 = 12.0;

/// What is drawn: an entry for each value of λ1, from large to small; NaN where there is no metric.
#[derive(Clone, Copy, Debug)]
pub struct Curves<'a> {
    /// Values of λ1, above 0.
    pub lambda1: &'a [f64],
    /// Metric of multi-task learning with the best λ2.
    pub multi_task: &'a [f64],
    /// Metric of single-task learning.
    pub single_task: &'a [f64],
    /// The chosen λ1.
    pub chosen: f64,
    /// Which metric.
    pub metric_name: MetricName,
}

/// Draws the curves.
///
/// # Errors
/// A backend that fails.
pub fn draw<DB: DrawingBackend>(
    area: &DrawingArea<DB, Shift>,
    curves: &Curves,
    style: Style,
) -> Result<()> {
    drawn::<DB::ErrorType>(draw_all(&Pen::new(area, style), curves))
}

fn draw_all<DB: DrawingBackend>(pen: &Pen<DB>, curves: &Curves) -> Drawn<DB> {
    pen.clear()?;
    let (width, height) = pen.size();
    let (left, right, top, bottom) = (LEFT, width - RIGHT, TOP, height - BOTTOM);
    let palette = pen.palette;
    let values = || {
        (curves.multi_task.iter().chain(curves.single_task))
            .copied()
            .filter(|value| value.is_finite())
    };
    let (low, high) = values().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
        (low.min(value), high.max(value))
    });
    let exponents = || curves.lambda1.iter().map(|&lambda| libm::log10(lambda));
    let first = exponents().fold(f64::INFINITY, f64::min);
    let last = exponents().fold(f64::NEG_INFINITY, f64::max);
    if low > high || first > last {
        return Ok(());
    }
    let (bottom_value, top_value, step) = nice_range(low, high, 4.0);
    let span = if last > first { last - first } else { 1.0 };
    let x = |lambda: f64| left + (libm::log10(lambda) - first) / span * (right - left);
    let y =
        |value: f64| bottom - (value - bottom_value) / (top_value - bottom_value) * (bottom - top);
    let better = match curves.metric_name {
        MetricName::Nmse => "lower is better",
        MetricName::Auc => "higher is better",
    };
    let title = format!("{} by cross-validation", curves.metric_name.text());
    pen.bold(0.0, KEY, Side::Left, 13.0, palette.ink, &title)?;
    pen.text(0.0, KEY + 16.0, Side::Left, 11.0, palette.muted, better)?;
    let lines: [(&str, &[f64], RGBColor, bool); 2] = [
        (
            "multi-task, best λ2",
            curves.multi_task,
            palette.utility,
            false,
        ),
        ("single-task", curves.single_task, palette.clean, true),
    ];
    let mut value = bottom_value;
    while value <= top_value + step * 1e-9 {
        pen.line((left, y(value)), (right, y(value)), palette.grid, 1.0)?;
        let label = tick_label(value, step);
        pen.text(
            left - 8.0,
            y(value),
            Side::Right,
            11.0,
            palette.muted,
            &label,
        )?;
        value += step;
    }
    for &lambda in curves.lambda1 {
        let label = minus(format_args!("{lambda:e}"));
        pen.text(
            x(lambda),
            bottom + 14.0,
            Side::Middle,
            11.0,
            palette.muted,
            &label,
        )?;
    }
    let middle = f64::midpoint(left, right);
    pen.text(
        middle,
        bottom + 32.0,
        Side::Middle,
        11.0,
        palette.muted,
        "λ1",
    )?;
    let at = x(curves.chosen);
    pen.dashes(&[(at, top), (at, bottom)], palette.muted, 1.0)?;
    pen.text(at, top - 8.0, Side::Middle, 11.0, palette.ink, "chosen")?;
    for (entry, (name, values, color, dashed)) in lines.into_iter().enumerate() {
        let points: Vec<(f64, f64)> = (curves.lambda1.iter().zip(values))
            .filter(|(_, value)| value.is_finite())
            .map(|(&lambda, &value)| (x(lambda), y(value)))
            .collect();
        if dashed {
            pen.dashes(&points, color, 2.0)?;
        } else {
            pen.path(&points, color, 2.0)?;
        }
        for point in points {
            pen.disc(point, 3.0, color)?;
        }
        let row = KEY + 16.0 * entry as f64;
        pen.line((right - 150.0, row), (right - 128.0, row), color, 2.0)?;
        pen.text(right - 122.0, row, Side::Left, 11.0, palette.ink, name)?;
    }
    Ok(())
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use super::*;
    use crate::chart;

    #[test]
    fn both_learners_and_the_choice_are_drawn() {
        let curves = Curves {
            lambda1: &[1.0, 0.1, 0.01],
            multi_task: &[0.9, 0.5, 0.6],
            single_task: &[0.95, f64::NAN, 0.7],
            chosen: 0.1,
            metric_name: MetricName::Nmse,
        };
        let svg = chart::svg(500.0, 300.0, Style::default(), |area, style| {
            draw(area, &curves, style)
        })
        .unwrap();
        for part in [
            "multi-task",
            "single-task",
            "chosen",
            "1e\u{2212}2",
            "lower is better",
        ] {
            assert!(svg.contains(part), "{part}");
        }
        assert_eq!(
            svg.matches("<circle").count(),
            5,
            "a point without a metric is left out"
        );
        let empty = Curves {
            lambda1: &[],
            multi_task: &[],
            single_task: &[],
            ..curves
        };
        chart::svg(500.0, 300.0, Style::default(), |area, style| {
            draw(area, &empty, style)
        })
        .unwrap();
    }
}
