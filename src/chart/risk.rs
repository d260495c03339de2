//! The parts of a risk study: the map beside the learned correlations, and the curves of clean error and
//! damage over λ2 or the pull cap. The answer to "is my data at risk?" is a panel of `sweep`.

use plotters::coord::Shift;
use plotters::drawing::DrawingArea;
use plotters::prelude::DrawingBackend;
use plotters::style::RGBColor;

use super::heatmap::{self, Heatmap};
use super::{Drawn, Pen, Side, Style, drawn, nice_range, tick_label};
use crate::Result;
use crate::metrics::MetricName;
use crate::minus::minus;
use crate::risk::RiskMap;
use crate::risk::curve::{Curve, Knob};

/// On a drawing that is narrower than this, one part is below the other.
const NARROW: f64 = 600.0;
const HEAD: f64 = 30.0;
const CAPTION: f64 = 24.0;
const PANEL: f64 = 240.0;
const LEFT: f64 = 52.0;
const RIGHT: f64 = 18.0;
const TOP: f64 = 58.0;
const BOTTOM: f64 = 44.0;

fn columns(width: f64) -> f64 {
    if width < NARROW { 1.0 } else { 2.0 }
}

/// What the colours of the map mean, under its bar.
pub fn map_legend(metric: MetricName) -> &'static str {
    match metric {
        MetricName::Nmse => "rise of NMSE: row attacked, column target",
        MetricName::Auc => "fall of AUC: row attacked, column target",
    }
}

/// Entries of a map, row by row; one that is not defined is not a number.
pub fn map_values(rows: &[Vec<Option<f64>>]) -> Vec<f64> {
    let values = rows.iter().flatten();
    values.map(|value| value.unwrap_or(f64::NAN)).collect()
}

/// The height that a map of so many tasks needs at this width.
pub fn map_height(width: f64, tasks: usize) -> f64 {
    let one = CAPTION + heatmap::layout(width / columns(width), tasks).height;
    HEAD + one * 2.0 / columns(width)
}

/// Draws the map and the learned correlations.
///
/// # Errors
/// A backend that fails.
pub fn draw_map<DB: DrawingBackend>(
    area: &DrawingArea<DB, Shift>,
    title: &str,
    map: &RiskMap,
    style: Style,
) -> Result<()> {
    let pen = Pen::new(area, style);
    let (width, _) = pen.size();
    let ink = pen.palette.ink;
    drawn::<DB::ErrorType>(pen.clear())?;
    drawn::<DB::ErrorType>(pen.bold(8.0, 14.0, Side::Left, 15.0, ink, title))?;
    let wide = width / columns(width);
    let tasks = map.task_names.len();
    let tall = heatmap::layout(wide, tasks).height;
    let (range, open_ended) = map.range();
    let parts = [
        (
            "Damage by one attacked task",
            map_values(&map.damage),
            map_legend(map.metric_name),
            range,
            open_ended,
        ),
        (
            "Learned correlations, clean data",
            map_values(&map.correlation),
            "task correlation",
            1.0,
            false,
        ),
    ];
    for (number, (caption, values, title, range, open_ended)) in parts.into_iter().enumerate() {
        let (left, top) = if wide < width {
            (number as f64 * wide, HEAD)
        } else {
            (0.0, HEAD + number as f64 * (CAPTION + tall))
        };
        let words = pen.bold(left + 8.0, top + 10.0, Side::Left, 12.0, ink, caption);
        drawn::<DB::ErrorType>(words)?;
        let size = (
            pen.device(wide).unsigned_abs(),
            pen.device(tall).unsigned_abs(),
        );
        let part = area.clone().shrink(pen.at(left, top + CAPTION), size);
        let picture = Heatmap {
            values: &values,
            tasks,
            targets: &[],
            attackers: &[],
            title,
            names: &[],
            open_ended,
            range,
            cursor: None,
            task: None,
        };
        heatmap::draw(&part, &picture, style)?;
    }
    Ok(())
}

/// The height that a curve needs at this width.
pub fn curve_height(width: f64) -> f64 {
    HEAD + PANEL * 2.0 / columns(width)
}

/// A line of a panel: its name, a value for each place, its colour, dashed or not.
type Line<'a> = (&'a str, Vec<Option<f64>>, RGBColor, bool);

/// Draws a curve: clean error and damage, each over λ2 or the cap.
///
/// # Errors
/// A backend that fails.
pub fn draw_curve<DB: DrawingBackend>(
    area: &DrawingArea<DB, Shift>,
    title: &str,
    curve: &Curve,
    style: Style,
) -> Result<()> {
    drawn::<DB::ErrorType>(draw_curve_on(&Pen::new(area, style), title, curve))
}

fn draw_curve_on<DB: DrawingBackend>(pen: &Pen<DB>, title: &str, curve: &Curve) -> Drawn<DB> {
    pen.clear()?;
    let (width, _) = pen.size();
    let palette = pen.palette;
    pen.bold(8.0, 14.0, Side::Left, 15.0, palette.ink, title)?;
    let metric = curve.metric_name.text();
    let each = |pick: &dyn Fn(&crate::risk::curve::CurvePoint) -> Option<f64>| {
        curve.points.iter().map(pick).collect::<Vec<_>>()
    };
    let clean: Vec<Line> = vec![
        (
            match curve.knob {
                Knob::Lambda2 => "multi-task",
                Knob::PullCap => "with the cap",
            },
            each(&|point| point.clean),
            palette.utility,
            false,
        ),
        (
            "single-task",
            each(&|_| curve.single_task),
            palette.clean,
            true,
        ),
    ];
    let damage: Vec<Line> = vec![
        (
            "worst pair",
            each(&|point| point.worst_indirect.map(|(.., damage)| damage)),
            palette.metric,
            false,
        ),
        (
            "mean of all pairs",
            each(&|point| point.mean_indirect),
            palette.attacker,
            true,
        ),
    ];
    let better = match curve.metric_name {
        MetricName::Nmse => "lower is better",
        MetricName::Auc => "higher is better",
    };
    let panels = [
        (format!("Mean {metric} without an attack"), better, clean),
        (
            "Indirect damage by one task".to_string(),
            "lower is safer",
            damage,
        ),
    ];
    let wide = width / columns(width);
    for (number, (title, hint, lines)) in panels.into_iter().enumerate() {
        let corner = if wide < width {
            (number as f64 * wide, HEAD)
        } else {
            (0.0, HEAD + number as f64 * PANEL)
        };
        panel(pen, curve, corner, wide, (&title, hint), &lines)?;
    }
    Ok(())
}

fn panel<DB: DrawingBackend>(
    pen: &Pen<DB>,
    curve: &Curve,
    (left, top): (f64, f64),
    width: f64,
    (title, hint): (&str, &str),
    lines: &[Line],
) -> Drawn<DB> {
    let palette = pen.palette;
    pen.bold(left + 8.0, top + 8.0, Side::Left, 12.0, palette.ink, title)?;
    pen.text(
        left + 8.0,
        top + 24.0,
        Side::Left,
        11.0,
        palette.muted,
        hint,
    )?;
    let (from, to) = (left + LEFT, left + width - RIGHT);
    let (high, low) = (top + TOP, top + PANEL - BOTTOM);
    let values = lines
        .iter()
        .flat_map(|(_, values, ..)| values.iter().flatten());
    let (least, most) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &value| {
        (low.min(value), high.max(value))
    });
    if least > most {
        return Ok(());
    }
    let (first, last, step) = nice_range(least, most, 4.0);
    let y = |value: f64| low - (value - first) / (last - first) * (low - high);
    let count = curve.points.len();
    let x = |place: usize| match count {
        1 => f64::midpoint(from, to),
        _ => from + 10.0 + place as f64 / (count - 1) as f64 * (to - from - 20.0),
    };
    let mut value = first;
    while value <= last + step * 1e-9 {
        pen.line((from, y(value)), (to, y(value)), palette.grid, 1.0)?;
        let label = tick_label(value, step);
        pen.text(
            from - 7.0,
            y(value),
            Side::Right,
            10.5,
            palette.muted,
            &label,
        )?;
        value += step;
    }
    let now = match curve.knob {
        Knob::Lambda2 => Some(curve.spec.lambda2),
        Knob::PullCap => curve.spec.pull_cap,
    };
    for (place, point) in curve.points.iter().enumerate() {
        let label = match point.value {
            Some(value) if value < 0.005 => minus(format_args!("{value:e}")),
            Some(value) => value.to_string(),
            None => "none".to_string(),
        };
        pen.text(
            x(place),
            low + 12.0,
            Side::Middle,
            10.5,
            palette.muted,
            &label,
        )?;
        if point.value == now {
            pen.dashes(&[(x(place), high), (x(place), low)], palette.muted, 1.0)?;
            pen.text(x(place), high - 7.0, Side::Middle, 10.5, palette.ink, "now")?;
        }
    }
    let name = curve.knob.text();
    let middle = f64::midpoint(from, to);
    pen.text(middle, low + 29.0, Side::Middle, 10.5, palette.muted, name)?;
    let mut at = left + 8.0;
    for (name, values, color, dashed) in lines {
        let points: Vec<(f64, f64)> = (values.iter().enumerate())
            .filter_map(|(place, value)| Some((x(place), y((*value)?))))
            .collect();
        if *dashed {
            pen.dashes(&points, *color, 2.0)?;
        } else {
            pen.path(&points, *color, 2.0)?;
            for &point in &points {
                pen.disc(point, 3.0, *color)?;
            }
        }
        let key = top + 40.0;
        let sample = [(at, key), (at + 22.0, key)];
        if *dashed {
            pen.dashes(&sample, *color, 2.0)?;
        } else {
            pen.path(&sample, *color, 2.0)?;
        }
        pen.text(at + 28.0, key, Side::Left, 11.0, palette.ink, name)?;
        at += 44.0 + 6.6 * name.chars().count() as f64;
    }
    Ok(())
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use super::*;
    use crate::chart;
    use crate::metrics::MetricName;
    use crate::risk::{Found, MapRow, Part, Study};
    use crate::spec::Spec;

    fn study() -> Study {
        let names = ["a", "b"].map(String::from);
        let spec = Spec::default_of("synthetic");
        Study::new(&spec, "00", &names, MetricName::Nmse).unwrap()
    }

    #[test]
    fn the_scale_of_the_map_ends_at_the_largest_damage_to_another_task() {
        let mut study = study();
        for (attacker, attacked) in [[0.7, 0.53], [0.5, 0.6]].into_iter().enumerate() {
            let row = MapRow {
                attacker,
                clean: vec![Some(0.5); 2],
                attacked: attacked.map(Some).into(),
                correlation: vec![1.0, 1.0],
                converged: true,
            };
            study.add(Part::Map, attacker, Found::Row(row)).unwrap();
        }
        let map = study.map();
        assert!((map.range().0 - 0.03).abs() < 1e-12, "{:?}", map.range());
        for width in [390.0, 900.0] {
            let svg = chart::svg(
                width,
                map_height(width, 2),
                Style::default(),
                |area, style| draw_map(area, "Risk", &map, style),
            )
            .unwrap();
            for part in [
                "Risk",
                "rise of NMSE",
                "task correlation",
                "\n\u{2265} 0.03\n",
                "\u{2212}0.015\n",
            ] {
                assert!(svg.contains(part), "{part}");
            }
        }
    }

    #[test]
    fn a_curve_without_values_has_a_title_only() {
        let curve = study().curve(Knob::Lambda2);
        let svg = chart::svg(
            700.0,
            curve_height(700.0),
            Style::default(),
            |area, style| draw_curve(area, "Sharing", &curve, style),
        )
        .unwrap();
        assert!(svg.contains("Sharing") && !svg.contains("<circle"));
    }
}
