//! The course of an attack: the metric of the targets and the attacker's utility by iteration.

use plotters::coord::Shift;
use plotters::drawing::DrawingArea;
use plotters::prelude::DrawingBackend;
use plotters::style::RGBColor;

use super::{Drawn, Pen, Side, Style, drawn, nice_range, tick_label};
use crate::attack::{Attack, Method};
use crate::metrics::MetricName;
use crate::minus::minus;
use crate::{Error, Result};

/// What is drawn; entry k belongs to iteration k, 0 is the random start.
pub struct Curve<'a> {
    /// Mean metric of the targets; not a number where it is not defined.
    pub metric: &'a [f64],
    /// Utility of the attacker.
    pub utility: &'a [f64],
    /// Mean metric of the targets before the attack.
    pub clean_metric: Option<f64>,
    /// What to compare the last iteration with.
    pub baselines: Baselines,
    /// Which metric it is.
    pub metric_name: MetricName,
    /// The last iteration of the axis while the run goes on.
    pub iterations: usize,
    /// Decides the marks: circle direct, square indirect, diamond hybrid.
    pub attack: Attack,
    /// Decides the line: solid PATOM, dashed random.
    pub method: Method,
    /// An iteration to be pointed at.
    pub cursor: Option<usize>,
    /// Metric of every task in every iteration (row-major), or nothing.
    pub per_task: &'a [f64],
    /// The tasks that get a thin line of their own, from 0.
    pub tasks: &'a [usize],
    /// The one of them with a bold line, with its name.
    pub task: Option<usize>,
}

/// Mean metrics of the targets under the last iteration's points; none: not known, or not defined.
#[derive(Clone, Copy, Default)]
pub struct Baselines {
    /// Of single-task learning.
    pub single_task: Option<f64>,
    /// With the sanitiser.
    pub sanitised: Option<f64>,
    /// The worst that points in other tasks can cause, with a pull cap.
    pub certified: Option<f64>,
}

impl Curve<'_> {
    /// The lines of the tasks: task, metric of each iteration.
    fn task_lines(&self) -> Vec<(usize, Vec<f64>)> {
        let count = self.per_task.len() / self.metric.len().max(1);
        let line = |&task: &usize| {
            let rows = self.per_task.chunks_exact(count.max(1));
            (
                task,
                rows.filter_map(|row| row.get(task).copied()).collect(),
            )
        };
        self.tasks.iter().map(line).collect()
    }
}

/// One of the two panels, in CSS pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Panel {
    /// Left edge of the plot.
    pub left: f64,
    /// Upper edge of the plot.
    pub top: f64,
    /// Width of the plot.
    pub width: f64,
    /// Height of the plot.
    pub height: f64,
}

/// Width from which the panels are side by side.
const WIDE: f64 = 620.0;
const LEFT: f64 = 52.0;
const RIGHT: f64 = 18.0;
const TOP: f64 = 50.0;
const BOTTOM: f64 = 42.0;

/// The height that a drawing of this width needs.
pub fn height(width: f64) -> f64 {
    if width >= WIDE { 300.0 } else { 500.0 }
}

/// The panels of metric and utility in a drawing of this width.
pub fn panels(width: f64) -> [Panel; 2] {
    let all = height(width);
    if width >= WIDE {
        let half = width / 2.0;
        [0.0, half].map(|x| Panel {
            left: x + LEFT,
            top: TOP,
            width: half - LEFT - RIGHT,
            height: all - TOP - BOTTOM,
        })
    } else {
        let half = all / 2.0;
        [0.0, half].map(|y| Panel {
            left: LEFT,
            top: y + TOP,
            width: width - LEFT - RIGHT,
            height: half - TOP - BOTTOM,
        })
    }
}

/// The last iteration of the axis.
pub fn last_iteration(points: usize, iterations: usize) -> usize {
    points.saturating_sub(1).max(iterations).max(1)
}

/// Draws the course of an attack.
///
/// # Errors
/// Curves of different lengths; a backend that fails.
pub fn draw<DB: DrawingBackend>(
    area: &DrawingArea<DB, Shift>,
    curve: &Curve,
    style: Style,
) -> Result<()> {
    if curve.metric.len() != curve.utility.len() {
        return Err(Error::data("the two curves need the same iterations"));
    }
    let pen = Pen::new(area, style);
    drawn::<DB::ErrorType>(draw_all(&pen, curve))
}

/// A level drawn across a panel.
struct Level {
    value: f64,
    label: &'static str,
    color: RGBColor,
}

fn draw_all<DB: DrawingBackend>(pen: &Pen<DB>, curve: &Curve) -> Drawn<DB> {
    pen.clear()?;
    let [metric, utility] = panels(pen.size().0);
    let mut levels = Vec::new();
    if let Some(value) = curve.clean_metric {
        levels.push(Level {
            value,
            label: "clean",
            color: pen.palette.clean,
        });
    }
    if curve.metric_name == MetricName::Auc {
        levels.push(Level {
            value: 0.5,
            label: "coin toss",
            color: pen.palette.muted,
        });
    }
    let Baselines {
        single_task,
        sanitised,
        certified,
    } = curve.baselines;
    let more = [
        (single_task, "single-task", pen.palette.ink),
        (sanitised, "sanitised", pen.palette.utility),
        (certified, "certified", pen.palette.certified),
    ];
    for (value, label, color) in more {
        if let Some(value) = value.filter(|value| value.is_finite()) {
            levels.push(Level {
                value,
                label,
                color,
            });
        }
    }
    // From top to bottom, so that a label can leave room for the one above. There are five at most: a
    // sort of the library would be two kilobytes of the page's first load.
    for k in 1..levels.len() {
        for at in (1..=k).rev() {
            if levels[at].value > levels[at - 1].value {
                levels.swap(at, at - 1);
            }
        }
    }
    let color = pen.palette.metric;
    let lines = curve.task_lines();
    let metrics = (curve.metric, lines.as_slice());
    let words = metric_texts(curve.metric_name);
    panel(pen, curve, metric, words, metrics, &levels, color)?;
    let words = (
        "Utility of the attacker",
        "the training loss that it raises",
    );
    let color = pen.palette.utility;
    panel(pen, curve, utility, words, (curve.utility, &[]), &[], color)
}

/// The name of a metric's axis, and which way is a stronger attack.
pub(super) fn metric_texts(metric: MetricName) -> (&'static str, &'static str) {
    match metric {
        MetricName::Nmse => ("NMSE of the targets", "higher is a stronger attack"),
        MetricName::Auc => ("AUC of the targets", "lower is a stronger attack"),
    }
}

/// Where numbers lie in a panel.
pub(super) struct Scales {
    place: Panel,
    /// First and last value of the upright axis, and the distance of its ticks.
    values: (f64, f64, f64),
    /// The last iteration.
    pub(super) end: usize,
}

impl Scales {
    /// For all these numbers; what is not a number has no place.
    pub(super) fn new(place: Panel, values: impl Iterator<Item = f64>, end: usize) -> Self {
        let (low, high) = (values.filter(|value| value.is_finite()))
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
                (low.min(value), high.max(value))
            });
        let (low, high) = if low <= high { (low, high) } else { (0.0, 1.0) };
        // From zero where the change is seen that way; else the axis is labelled with its start.
        let cut = low > 0.0 && (high - low) < 0.35 * high;
        let margin = if high > low {
            0.08 * (high - low)
        } else {
            0.05 * high.abs().max(1e-9)
        };
        let from = if cut { low - margin } else { low.min(0.0) };
        // An AUC ends at 1, and its axis there.
        let to = if high <= 1.0 {
            (high + margin).min(1.0)
        } else {
            high + margin
        };
        Self {
            place,
            values: nice_range(from, to, 4.0),
            end,
        }
    }

    /// First and last value of the upright axis, and the distance of its ticks.
    pub(super) fn values(&self) -> (f64, f64, f64) {
        self.values
    }

    /// Where the upright axis begins.
    pub(super) fn first(&self) -> f64 {
        self.values.0
    }

    pub(super) fn x(&self, iteration: usize) -> f64 {
        self.place.left + iteration as f64 / self.end as f64 * self.place.width
    }

    pub(super) fn y(&self, value: f64) -> f64 {
        let (first, last, _) = self.values;
        self.place.top + self.place.height * (1.0 - (value - first) / (last - first))
    }

    pub(super) fn line(&self, values: &[f64]) -> Vec<(f64, f64)> {
        let points = 0..values.len();
        points.filter_map(|k| self.point(values, k)).collect()
    }

    fn point(&self, values: &[f64], iteration: usize) -> Option<(f64, f64)> {
        let value = *values.get(iteration).filter(|value| value.is_finite())?;
        Some((self.x(iteration), self.y(value)))
    }
}

fn panel<DB: DrawingBackend>(
    pen: &Pen<DB>,
    curve: &Curve,
    place: Panel,
    words: (&str, &str),
    (values, lines): (&[f64], &[(usize, Vec<f64>)]),
    levels: &[Level],
    color: RGBColor,
) -> Drawn<DB> {
    let all = lines.iter().flat_map(|(_, line)| line);
    let levels_too = all.chain(values).copied();
    let levels_too = levels_too.chain(levels.iter().map(|level| level.value));
    let end = last_iteration(values.len(), curve.iterations);
    let scales = Scales::new(place, levels_too, end);
    axes(pen, &scales, words)?;
    let (left, right) = (place.left, place.left + place.width);
    let mut free = place.top;
    for level in levels {
        let at = scales.y(level.value);
        pen.dashes(&[(left, at), (right, at)], level.color, 1.5)?;
        // On the side of the line that has room, below the label before.
        let above = if at - place.top > 18.0 { -9.0 } else { 9.0 };
        let y = (at + above).max(free);
        free = y + 13.0;
        let label = format!("{} {}", level.label, three_digits(level.value));
        pen.text(right - 4.0, y, Side::Right, 11.5, level.color, &label)?;
    }
    for (task, line) in lines {
        let line = scales.line(line);
        if curve.task != Some(*task) {
            pen.faint_path(&line, color)?;
        } else if let Some(&(x, y)) = line.first() {
            pen.path(&line, pen.palette.ink, 2.0)?;
            let name = format!("T{}", task + 1);
            let (x, y) = (x + 6.0, (y - 11.0).max(place.top + 8.0));
            pen.bold(x, y, Side::Left, 12.0, pen.palette.ink, &name)?;
        }
    }
    let points = scales.line(values);
    match (curve.method, points.as_slice()) {
        // Nothing moves: the level of the start goes on.
        (Method::Random, [(_, at), ..]) => pen.dashes(&[(left, *at), (right, *at)], color, 2.0)?,
        (Method::Patom, [_, _, ..]) => pen.path(&points, color, 2.25)?,
        _ => {}
    }
    let radius = (0.35 * place.width / scales.end as f64).clamp(1.5, 3.75);
    for &point in &points {
        mark(pen, point, radius, curve.attack, color)?;
    }
    if let Some(iteration) = curve.cursor
        && let Some(point) = scales.point(values, iteration)
    {
        let foot = place.top + place.height;
        pen.line(
            (point.0, place.top),
            (point.0, foot),
            pen.palette.muted,
            1.0,
        )?;
        mark(pen, point, radius + 2.0, curve.attack, color)?;
        let (side, shift) = if point.0 > left + place.width * 0.7 {
            (Side::Right, -8.0)
        } else {
            (Side::Left, 8.0)
        };
        let y = (point.1 - 12.0).max(place.top + 8.0);
        let text = three_digits(values[iteration]);
        pen.bold(point.0 + shift, y, side, 12.0, pen.palette.ink, &text)?;
    }
    Ok(())
}

pub(super) fn axes<DB: DrawingBackend>(
    pen: &Pen<DB>,
    scales: &Scales,
    (name, hint): (&str, &str),
) -> Drawn<DB> {
    let muted = pen.palette.muted;
    let Panel {
        left,
        top,
        width,
        height,
    } = scales.place;
    let (first, last, step) = scales.values;
    pen.bold(
        left - 44.0,
        top - 34.0,
        Side::Left,
        13.5,
        pen.palette.ink,
        name,
    )?;
    let hint = if first > 0.0 {
        format!("{hint}; axis begins at {}", tick_label(first, step))
    } else {
        hint.to_string()
    };
    pen.text(left - 44.0, top - 17.0, Side::Left, 11.5, muted, &hint)?;
    let mut tick = first;
    while tick <= last + step * 1e-6 {
        let at = scales.y(tick);
        pen.line((left, at), (left + width, at), pen.palette.grid, 1.0)?;
        pen.text(
            left - 8.0,
            at,
            Side::Right,
            11.0,
            muted,
            &tick_label(tick, step),
        )?;
        tick += step;
    }
    let foot = top + height;
    pen.line((left, foot), (left + width, foot), muted, 1.0)?;
    for iteration in (0..=scales.end).step_by(whole_step(scales.end, width)) {
        let at = scales.x(iteration);
        pen.line((at, foot), (at, foot + 4.0), muted, 1.0)?;
        pen.text(
            at,
            foot + 13.0,
            Side::Middle,
            11.0,
            muted,
            &iteration.to_string(),
        )?;
    }
    let middle = left + width / 2.0;
    pen.text(
        middle,
        foot + 30.0,
        Side::Middle,
        11.5,
        muted,
        "iteration (0: random start)",
    )
}

/// The marker of an attack: circle direct, square indirect, diamond hybrid.
pub(super) fn mark<DB: DrawingBackend>(
    pen: &Pen<DB>,
    (x, y): (f64, f64),
    r: f64,
    attack: Attack,
    color: RGBColor,
) -> Drawn<DB> {
    match attack {
        Attack::Direct => pen.disc((x, y), r, color),
        Attack::Indirect => {
            let r = 0.9 * r;
            let corners = [
                (x - r, y - r),
                (x + r, y - r),
                (x + r, y + r),
                (x - r, y + r),
            ];
            pen.polygon(&corners, color)
        }
        Attack::Hybrid => {
            let r = 1.25 * r;
            pen.polygon(&[(x, y - r), (x + r, y), (x, y + r), (x - r, y)], color)
        }
    }
}

/// Whole-number ticks that leave room for their labels.
fn whole_step(end: usize, width: f64) -> usize {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "small, positive"
    )]
    let most = (width / 34.0).max(1.0) as usize;
    [1, 2, 5, 10, 20, 50, 100, 200, 500]
        .into_iter()
        .find(|step| end / step <= most)
        .unwrap_or(1000)
}

pub(super) fn three_digits(value: f64) -> String {
    match value.abs() {
        size if !(1e-3..1e5).contains(&size) && size != 0.0 => minus(format_args!("{value:.2e}")),
        size if size >= 100.0 => minus(format_args!("{value:.1}")),
        _ => minus(format_args!("{value:.3}")),
    }
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use plotters::prelude::{IntoDrawingArea, SVGBackend};

    use super::*;

    fn svg(curve: &Curve, width: u32) -> Result<String> {
        let mut text = String::new();
        {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "small"
            )]
            let size = (width, height(f64::from(width)) as u32);
            let area = SVGBackend::with_string(&mut text, size).into_drawing_area();
            draw(&area, curve, Style::default())?;
            area.present().unwrap();
        }
        Ok(text)
    }

    fn curve<'a>(metric: &'a [f64], utility: &'a [f64], metric_name: MetricName) -> Curve<'a> {
        Curve {
            metric,
            utility,
            clean_metric: Some(0.812),
            baselines: Baselines::default(),
            metric_name,
            iterations: 15,
            attack: Attack::Direct,
            method: Method::Patom,
            cursor: None,
            per_task: &[],
            tasks: &[],
            task: None,
        }
    }

    #[test]
    fn axes_are_labelled_with_the_direction_of_a_stronger_attack() {
        let text = svg(&curve(&[0.9, 1.1], &[50.0, 80.0], MetricName::Nmse), 900).unwrap();
        for part in [
            "NMSE",
            "higher is a stronger",
            "iteration (0: random start)",
            "clean 0.812",
        ] {
            assert!(text.contains(part), "{part}");
        }
        let text = svg(&curve(&[0.7, 0.6], &[50.0, 80.0], MetricName::Auc), 360).unwrap();
        for part in ["AUC", "lower is a stronger", "coin toss"] {
            assert!(text.contains(part), "{part}");
        }
    }

    #[test]
    fn baselines_are_labelled_levels_whose_labels_keep_apart() {
        let mut drawn = curve(&[0.9, 1.1], &[50.0, 80.0], MetricName::Nmse);
        drawn.baselines = Baselines {
            single_task: Some(0.811),
            sanitised: Some(0.81),
            certified: None,
        };
        let text = svg(&drawn, 900).unwrap();
        let height_of = |label: &str| -> f64 {
            let end = text.find(&format!("\n{label}\n")).expect(label);
            let from = text[..end].rfind(" y=\"").unwrap() + 4;
            text[from..].split('"').next().unwrap().parse().unwrap()
        };
        let labels = ["clean 0.812", "single-task 0.811", "sanitised 0.810"].map(height_of);
        assert!(
            labels.is_sorted_by(|a, b| b - a >= 12.0),
            "as high as a line of text: {labels:?}"
        );
        assert!(!text.contains("certified"), "not known");
    }

    #[test]
    fn the_axis_of_numbers_up_to_one_ends_at_one() {
        let place = Panel {
            left: 0.0,
            top: 0.0,
            width: 100.0,
            height: 100.0,
        };
        for (low, high) in [(0.03, 1.0), (0.03, 0.97), (0.85, 0.999), (0.4, 0.98)] {
            let scales = Scales::new(place, [low, high].into_iter(), 1);
            assert_eq!(scales.values().1, 1.0, "{low} {high}");
        }
        assert!(Scales::new(place, [0.2, 1.01].into_iter(), 1).values().1 > 1.01);
    }

    #[test]
    fn an_axis_that_does_not_begin_at_zero_is_marked() {
        let text = svg(&curve(&[0.80, 0.83], &[0.0, 80.0], MetricName::Nmse), 900).unwrap();
        assert_eq!(text.matches("axis begins at").count(), 1, "metric only");
        let text = svg(&curve(&[0.0, 0.83], &[0.0, 80.0], MetricName::Nmse), 900).unwrap();
        assert!(!text.contains("axis begins at"));
    }

    #[test]
    fn any_numbers_are_drawn() {
        let nan = f64::NAN;
        for metric in [
            vec![],
            vec![nan],
            vec![0.5],
            vec![nan, 0.4, nan],
            vec![1e300, 2e300],
        ] {
            let utility = vec![0.0; metric.len()];
            for width in [240, 700] {
                let mut drawn = curve(&metric, &utility, MetricName::Nmse);
                drawn.cursor = Some(1);
                svg(&drawn, width).unwrap();
                drawn.method = Method::Random;
                drawn.attack = Attack::Hybrid;
                drawn.clean_metric = None;
                svg(&drawn, width).unwrap();
            }
        }
        assert!(svg(&curve(&[1.0], &[], MetricName::Nmse), 700).is_err());
    }

    #[test]
    fn tasks_get_thin_lines_and_one_of_them_a_name() {
        let (metric, utility) = ([0.5, 0.6], [1.0, 2.0]);
        let mut drawn = curve(&metric, &utility, MetricName::Nmse);
        let plain = svg(&drawn, 900).unwrap();
        drawn.per_task = &[0.4, 0.1, 30.0, 0.6, f64::NAN, 34.0];
        drawn.tasks = &[0, 2];
        drawn.task = Some(2);
        let text = svg(&drawn, 900).unwrap();
        let lines = |text: &str| text.matches("<polyline").count();
        assert!(text.contains("T3") && !text.contains("T1"));
        assert!(lines(&text) >= lines(&plain) + 2);
        assert!(
            text.contains("\n40\n") && !plain.contains("\n40\n"),
            "the axis covers them"
        );
        // Tasks and sizes that do not fit are left out, not read out of bounds.
        drawn.tasks = &[7];
        drawn.per_task = &[1.0];
        svg(&drawn, 900).unwrap();
    }

    #[test]
    fn ticks_are_whole_iterations() {
        assert_eq!(whole_step(15, 600.0), 1);
        assert_eq!(whole_step(15, 280.0), 2);
        assert_eq!(whole_step(1000, 600.0), 100);
    }
}
