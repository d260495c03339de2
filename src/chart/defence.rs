//! Pictures of a study of defences: the metric over the pull cap, filters against their attackers, and
//! how well scores find attacked tasks and injected points.

use plotters::coord::Shift;
use plotters::drawing::DrawingArea;
use plotters::prelude::DrawingBackend;
use plotters::style::{Color, RGBColor};

use super::curve::{Panel, Scales, mark, metric_texts};
use super::{Drawn, Pen, Side, Style, drawn, nice_range, tick_label};
use crate::Result;
use crate::attack::Attack;
use crate::defence::study::{CapPoint, DefenceStudy, Rankings, Row};
use crate::metrics::MetricName;

/// The height of a line of a legend.
const LINE: f64 = 17.0;
const LEFT: f64 = 46.0;
const RIGHT: f64 = 14.0;

/// What a line or a bar is of.
struct Entry {
    name: &'static str,
    color: RGBColor,
    mark: Attack,
    dashed: bool,
}

/// Where the entries of a legend lie that begins at this height, and where it ends.
fn places(names: &[&str], width: f64, top: f64) -> (Vec<(f64, f64)>, f64) {
    let (mut x, mut y) = (8.0, top);
    let mut found = Vec::new();
    for name in names {
        let entry = 34.0 + 6.4 * name.chars().count() as f64;
        if x > 8.0 && x + entry > width {
            (x, y) = (8.0, y + LINE);
        }
        found.push((x, y));
        x += entry + 12.0;
    }
    (found, y + LINE)
}

fn legend<DB: DrawingBackend>(pen: &Pen<DB>, entries: &[Entry], top: f64) -> Drawn<DB> {
    let names: Vec<&str> = entries.iter().map(|entry| entry.name).collect();
    let (places, _) = places(&names, pen.size().0, top);
    for (entry, (x, y)) in entries.iter().zip(places) {
        let ends = [(x, y), (x + 26.0, y)];
        if entry.dashed {
            pen.dashes(&ends, entry.color, 2.0)?;
        } else {
            pen.path(&ends, entry.color, 2.0)?;
        }
        mark(pen, (x + 13.0, y), 3.5, entry.mark, entry.color)?;
        let ink = pen.palette.ink;
        pen.text(x + 31.0, y, Side::Left, 11.5, ink, entry.name)?;
    }
    Ok(())
}

const CAP_NAMES: [&str; 4] = [
    "clean",
    "standard attack",
    "attacker who knows the learner",
    "certified: no points in other tasks exceed it",
];

/// The height of the picture of the pull cap at this width.
pub fn caps_height(width: f64) -> f64 {
    caps_panel(width).top + CAPS_PLOT + 52.0
}

const CAPS_PLOT: f64 = 250.0;

/// Where the curves over the pull cap lie in a picture of this width. Its points are evenly spaced,
/// the first on the left edge, the last on the right one.
pub fn caps_panel(width: f64) -> Panel {
    let (_, end) = places(&CAP_NAMES, width, LEGEND);
    Panel {
        left: LEFT,
        top: end + 14.0,
        width: width - LEFT - RIGHT - 12.0,
        height: CAPS_PLOT,
    }
}

/// Where a legend begins, below the name of the metric.
const LEGEND: f64 = 32.0;

/// Draws the metric from single-task learning over the pull caps to multi-task learning: clean,
/// attacked by the standard attacker and by one who knows the learner, certified. `cursor`: a point
/// to be pointed at.
///
/// # Errors
/// A backend that fails.
pub fn draw_caps<DB: DrawingBackend>(
    area: &DrawingArea<DB, Shift>,
    study: &DefenceStudy,
    cursor: Option<usize>,
    style: Style,
) -> Result<()> {
    let pen = Pen::new(area, style);
    drawn::<DB::ErrorType>(caps(&pen, study, cursor))
}

fn caps<DB: DrawingBackend>(
    pen: &Pen<DB>,
    study: &DefenceStudy,
    cursor: Option<usize>,
) -> Drawn<DB> {
    pen.clear()?;
    let palette = pen.palette;
    let values: [fn(&CapPoint) -> Option<f64>; 4] = [
        |point| point.clean,
        |point| point.standard,
        |point| point.knowing,
        |point| point.certified,
    ];
    let looks = [
        (palette.clean, Attack::Direct, false),
        (palette.metric, Attack::Direct, false),
        (palette.attacker, Attack::Indirect, false),
        (palette.certified, Attack::Hybrid, true),
    ];
    let entries = std::array::from_fn::<Entry, 4, _>(|k| Entry {
        name: CAP_NAMES[k],
        color: looks[k].0,
        mark: looks[k].1,
        dashed: looks[k].2,
    });
    let lines = values.map(|value| -> Vec<f64> {
        let points = study.caps.iter();
        points
            .map(|point| value(point).unwrap_or(f64::NAN))
            .collect()
    });
    let place = caps_panel(pen.size().0);
    let end = study.caps.len().saturating_sub(1).max(1);
    let guess = (study.metric_name == MetricName::Auc).then_some(0.5);
    // A loose certificate would flatten all that was measured: above the axis it is a number.
    let measured = lines[..3]
        .concat()
        .into_iter()
        .filter(|value| value.is_finite());
    let largest = measured.clone().fold(0.0, f64::max);
    let certified = lines[3].iter().copied();
    let shown = certified.filter(|&value| value <= 1.3 * largest);
    let scales = Scales::new(place, measured.chain(shown).chain(guess), end);
    head(pen, study.metric_name, scales.first())?;
    legend(pen, &entries, LEGEND)?;
    upright_axis(pen, &scales, place)?;
    cap_axis(pen, study, &scales, place)?;
    if let Some(guess) = guess {
        let at = scales.y(guess);
        let ends = [(place.left, at), (place.left + place.width, at)];
        pen.dashes(&ends, palette.muted, 1.0)?;
        let y = at - 7.0;
        pen.text(ends[1].0, y, Side::Right, 10.0, palette.muted, "coin toss")?;
    }
    if let Some(at) = cursor {
        let x = scales.x(at);
        let foot = place.top + place.height;
        pen.line((x, place.top), (x, foot), palette.muted, 1.0)?;
    }
    for (entry, values) in entries.iter().zip(&lines) {
        let edge = scales.values().1;
        let place_of = |k: usize| (scales.x(k), scales.y(values[k].min(edge)));
        for (k, value) in values
            .iter()
            .enumerate()
            .filter(|(_, value)| **value > edge)
        {
            let (x, y) = (scales.x(k), place.top - 7.0);
            let text = format!("\u{2191} {value:.2}");
            pen.text(x, y, Side::Middle, 10.0, entry.color, &text)?;
        }
        // Where a value is missing, the line has a gap; it ends at the first one above the axis.
        for run in runs(values) {
            let above = (run.clone()).find(|&k| values[k] > edge);
            let run = run.start..above.map_or(run.end, |k| k + 1);
            let points: Vec<(f64, f64)> = run.clone().map(place_of).collect();
            if entry.dashed {
                pen.dashes(&points, entry.color, 2.0)?;
            } else {
                pen.path(&points, entry.color, 2.25)?;
            }
            for (k, &point) in run.zip(&points) {
                let radius = if cursor == Some(k) { 5.5 } else { 3.75 };
                mark(pen, point, radius, entry.mark, entry.color)?;
            }
        }
    }
    Ok(())
}

/// The stretches of finite values.
fn runs(values: &[f64]) -> Vec<std::ops::Range<usize>> {
    let mut found: Vec<std::ops::Range<usize>> = Vec::new();
    for (k, _) in values
        .iter()
        .enumerate()
        .filter(|(_, value)| value.is_finite())
    {
        match found.last_mut() {
            Some(last) if last.end == k => last.end = k + 1,
            _ => found.push(k..k + 1),
        }
    }
    found
}

/// What the numbers are, and which way is a stronger attack.
fn head<DB: DrawingBackend>(pen: &Pen<DB>, metric: MetricName, first: f64) -> Drawn<DB> {
    let (name, hint) = metric_texts(metric);
    let cut = if first > 0.0 {
        "; axis does not begin at 0"
    } else {
        ""
    };
    let muted = pen.palette.muted;
    let text = format!("{name}: {hint}{cut}");
    pen.text(8.0, 13.0, Side::Left, 11.5, muted, &text)
}

fn upright_axis<DB: DrawingBackend>(pen: &Pen<DB>, scales: &Scales, place: Panel) -> Drawn<DB> {
    let muted = pen.palette.muted;
    let (first, last, step) = scales.values();
    let right = place.left + place.width;
    let mut tick = first;
    while tick <= last + step * 1e-6 {
        let at = scales.y(tick);
        pen.line((place.left, at), (right, at), pen.palette.grid, 1.0)?;
        let label = tick_label(tick, step);
        pen.text(place.left - 7.0, at, Side::Right, 10.5, muted, &label)?;
        tick += step;
    }
    let foot = place.top + place.height;
    pen.line((place.left, foot), (right, foot), muted, 1.0)
}

/// The ends are learners, the points between them caps.
fn cap_axis<DB: DrawingBackend>(
    pen: &Pen<DB>,
    study: &DefenceStudy,
    scales: &Scales,
    place: Panel,
) -> Drawn<DB> {
    let muted = pen.palette.muted;
    let foot = place.top + place.height;
    let end = study.caps.len().saturating_sub(1);
    // The ends are always named; of the caps, those that have room.
    let width_of = |text: &str| 6.2 * text.chars().count() as f64;
    let mut free = place.left + 20.0;
    let stop = place.left + place.width - 20.0;
    for (k, point) in study.caps.iter().enumerate() {
        let x = scales.x(k);
        pen.line((x, foot), (x, foot + 4.0), muted, 1.0)?;
        let Some(cap) = point.pull_cap else {
            let word = if k == 0 { "single-" } else { "multi-" };
            let shift = if k == end { 4.0 } else { 0.0 };
            for (line, text) in [word, "task"].into_iter().enumerate() {
                let y = foot + 13.0 + 13.0 * line as f64;
                pen.bold(x - shift, y, Side::Middle, 10.5, pen.palette.ink, text)?;
            }
            continue;
        };
        let label = cap.to_string();
        let half = width_of(&label) / 2.0;
        if x - half < free || x + half > stop {
            continue;
        }
        free = x + half + 4.0;
        pen.text(x, foot + 13.0, Side::Middle, 10.5, muted, &label)?;
    }
    let middle = place.left + place.width / 2.0;
    let name = "pull cap \u{3bc}: how hard other tasks can pull";
    pen.text(middle, foot + 41.0, Side::Middle, 11.0, muted, name)
}

const BAR_NAMES: [&str; 3] = ["clean", "standard attack", "attackers who know it"];
/// Height of a bar with the space below it.
const BAR: f64 = 14.0;
/// From this width on, names are beside their bars.
const WIDE: f64 = 560.0;

/// No defence, the oracle and single-task learning, then the filters. The caps are in the other
/// picture.
fn bar_rows(study: &DefenceStudy) -> Vec<Row> {
    let mut rows = study.rows();
    let filters = (study.sanitisers.iter())
        .filter(|row| row.refused.is_none())
        .count();
    let caps = 3..rows.len().saturating_sub(filters).max(3);
    rows.drain(caps);
    rows
}

fn group(width: f64) -> f64 {
    3.0 * BAR + if width < WIDE { 28.0 } else { 12.0 }
}

/// The height of the picture of the filters at this width.
pub fn sanitisers_height(width: f64, study: &DefenceStudy) -> f64 {
    let (_, top) = places(&BAR_NAMES, width, LEGEND);
    top + 6.0 + bar_rows(study).len() as f64 * group(width) + 6.0
}

/// Draws each filter, clean and against the attackers, beside no defence, exact removal and
/// single-task learning.
///
/// # Errors
/// A backend that fails.
pub fn draw_sanitisers<DB: DrawingBackend>(
    area: &DrawingArea<DB, Shift>,
    study: &DefenceStudy,
    style: Style,
) -> Result<()> {
    let pen = Pen::new(area, style);
    drawn::<DB::ErrorType>(sanitisers(&pen, study))
}

fn sanitisers<DB: DrawingBackend>(pen: &Pen<DB>, study: &DefenceStudy) -> Drawn<DB> {
    pen.clear()?;
    let palette = pen.palette;
    let width = pen.size().0;
    let rows = bar_rows(study);
    let colors = [palette.clean, palette.metric, palette.attacker];
    head(pen, study.metric_name, 0.0)?;
    let (spots, end) = places(&BAR_NAMES, width, LEGEND);
    for ((name, color), (x, y)) in BAR_NAMES.into_iter().zip(colors).zip(spots) {
        pen.rectangle((x, y - 5.0), (24.0, 10.0), color.filled())?;
        pen.text(x + 31.0, y, Side::Left, 11.5, palette.ink, name)?;
    }
    let left = if width < WIDE { 8.0 } else { 196.0 };
    let right = width - RIGHT - 44.0;
    let values = |row: &Row| [row.clean, row.standard, row.knowing];
    let largest = (rows.iter().flat_map(values).flatten())
        .filter(|value| value.is_finite())
        .fold(0.0, f64::max);
    let (_, last, _) = nice_range(0.0, largest.max(1e-9), 4.0);
    let at = |value: f64| left + (value.max(0.0) / last) * (right - left);
    let top = end + 6.0;
    let foot = top + rows.len() as f64 * group(width) - 8.0;
    // What no defence costs, across all rows.
    if let Some(first) = rows.first() {
        for (value, color) in values(first).into_iter().zip(colors).take(2) {
            if let Some(value) = value.filter(|value| value.is_finite()) {
                let x = at(value);
                pen.dashes(&[(x, top - 4.0), (x, foot)], color, 1.0)?;
            }
        }
    }
    for (k, row) in rows.iter().enumerate() {
        let mut y = top + k as f64 * group(width);
        if width < WIDE {
            pen.bold(left, y + 5.0, Side::Left, 11.5, palette.ink, &row.title)?;
            y += 16.0;
        } else {
            let middle = y + 1.5 * BAR;
            pen.bold(
                left - 10.0,
                middle,
                Side::Right,
                11.5,
                palette.ink,
                &row.title,
            )?;
        }
        for (bar, (value, color)) in values(row).into_iter().zip(colors).enumerate() {
            let y = y + bar as f64 * BAR;
            let value = value.filter(|value| value.is_finite());
            let (end, label) = match value {
                Some(value) => {
                    let size = (at(value) - left, BAR - 3.0);
                    pen.rectangle((left, y), size, color.filled())?;
                    (at(value), format!("{value:.3}"))
                }
                None => (left, "\u{2013}".to_string()),
            };
            let middle = y + (BAR - 3.0) / 2.0;
            pen.text(end + 5.0, middle, Side::Left, 10.5, palette.ink, &label)?;
        }
    }
    pen.line((left, top - 4.0), (left, foot), palette.muted, 1.0)
}

/// From this width on, the curves of tasks and points are side by side.
const SIDES: f64 = 760.0;

fn square(width: f64) -> f64 {
    let pairs = if width < SIDES { 1.0 } else { 2.0 };
    (width / pairs / 2.0 - LEFT - RIGHT).clamp(60.0, 260.0)
}

/// Title, one line for each of three scores, plot, axis.
fn ranking_section(width: f64) -> f64 {
    26.0 + 3.0 * LINE + 24.0 + square(width) + 44.0
}

/// The height of the picture of the rankings at this width.
pub fn rankings_height(width: f64) -> f64 {
    let sections = if width < SIDES { 2.0 } else { 1.0 };
    sections * ranking_section(width)
}

/// A score: its name, how well it does, its two curves.
struct Score<'a> {
    name: &'static str,
    roc_auc: Option<f64>,
    roc: &'a [[f64; 2]],
    precision_recall: &'a [[f64; 2]],
}

/// Draws ROC and precision-recall of the scores of tasks and of points.
///
/// # Errors
/// A backend that fails.
pub fn draw_rankings<DB: DrawingBackend>(
    area: &DrawingArea<DB, Shift>,
    rankings: &Rankings,
    style: Style,
) -> Result<()> {
    let pen = Pen::new(area, style);
    drawn::<DB::ErrorType>(both_rankings(&pen, rankings))
}

fn both_rankings<DB: DrawingBackend>(pen: &Pen<DB>, rankings: &Rankings) -> Drawn<DB> {
    pen.clear()?;
    let width = pen.size().0;
    let tasks: Vec<Score> = (rankings.tasks.iter())
        // Of a known malicious task there are figures alone.
        .filter(|ranking| !ranking.attacked.is_empty())
        .map(|ranking| Score {
            name: ranking.score.text(),
            roc_auc: ranking.figures.roc_auc,
            roc: &ranking.curves.roc,
            precision_recall: &ranking.curves.precision_recall,
        })
        .collect();
    let points: Vec<Score> = (rankings.points.iter())
        .map(|ranking| Score {
            name: ranking.score.text(),
            roc_auc: ranking.figures.roc_auc,
            roc: &ranking.curves.roc,
            precision_recall: &ranking.curves.precision_recall,
        })
        .collect();
    let second = if width < SIDES {
        (0.0, ranking_section(width))
    } else {
        (width / 2.0, 0.0)
    };
    section(pen, "Attacked tasks", (0.0, 0.0), &tasks)?;
    section(pen, "Injected points", second, &points)
}

fn section<DB: DrawingBackend>(
    pen: &Pen<DB>,
    title: &str,
    (x, y): (f64, f64),
    scores: &[Score],
) -> Drawn<DB> {
    let (ink, muted) = (pen.palette.ink, pen.palette.muted);
    let colors = [
        pen.palette.metric,
        pen.palette.utility,
        pen.palette.certified,
    ];
    pen.bold(x + 8.0, y + 14.0, Side::Left, 13.0, ink, title)?;
    let size = square(pen.size().0);
    for (k, score) in scores.iter().take(colors.len()).enumerate() {
        let y = y + 33.0 + k as f64 * LINE;
        stroke(pen, &[(x + 8.0, y), (x + 34.0, y)], colors[k], k)?;
        let text = match score.roc_auc {
            Some(value) => format!("{}: ROC AUC {value:.2}", score.name),
            None => format!("{}: not defined", score.name),
        };
        pen.text(x + 40.0, y, Side::Left, 11.5, ink, &text)?;
    }
    let top = y + 26.0 + 3.0 * LINE + 24.0;
    let names = [
        ("ROC", "false positive rate", "true positive rate"),
        ("Precision-recall", "recall", "precision"),
    ];
    for (panel, (name, across, up)) in names.into_iter().enumerate() {
        let left = x + LEFT + panel as f64 * (size + LEFT + RIGHT);
        let place = |[a, b]: [f64; 2]| (left + a * size, top + (1.0 - b) * size);
        let title = format!("{name}: {up}");
        pen.text(left - 38.0, top - 13.0, Side::Left, 10.5, muted, &title)?;
        for tick in [0.0, 0.5, 1.0] {
            let (from, to) = (place([0.0, tick]), place([1.0, tick]));
            pen.line(from, to, pen.palette.grid, 1.0)?;
            let label = tick_label(tick, 0.5);
            pen.text(from.0 - 6.0, from.1, Side::Right, 10.0, muted, &label)?;
            let foot = place([tick, 0.0]);
            pen.text(foot.0, foot.1 + 11.0, Side::Middle, 10.0, muted, &label)?;
        }
        pen.line(place([0.0, 0.0]), place([1.0, 0.0]), muted, 1.0)?;
        let middle = place([0.5, 0.0]);
        pen.text(middle.0, middle.1 + 26.0, Side::Middle, 10.5, muted, across)?;
        if panel == 0 {
            let diagonal = [place([0.0, 0.0]), place([1.0, 1.0])];
            pen.dashes(&diagonal, pen.palette.muted, 1.0)?;
        }
        for (k, score) in scores.iter().take(colors.len()).enumerate() {
            let vertices = if panel == 0 {
                score.roc
            } else {
                score.precision_recall
            };
            let points: Vec<(f64, f64)> = vertices.iter().map(|&vertex| place(vertex)).collect();
            if !points.is_empty() {
                stroke(pen, &points, colors[k], k)?;
            }
        }
        if scores.iter().all(|score| score.roc.is_empty()) {
            let (x, y) = place([0.5, 0.5]);
            // A published study has the figures, and the curves of one attacker.
            let is_known = scores.iter().any(|score| score.roc_auc.is_some());
            let text = if is_known {
                "recompute for the curves"
            } else {
                "not defined"
            };
            pen.text(x, y, Side::Middle, 11.0, muted, text)?;
        }
    }
    Ok(())
}

/// Lines differ in more than colour: solid, dashed, thin.
fn stroke<DB: DrawingBackend>(
    pen: &Pen<DB>,
    points: &[(f64, f64)],
    color: RGBColor,
    number: usize,
) -> Drawn<DB> {
    match number {
        0 => pen.path(points, color, 2.5),
        1 => pen.dashes(points, color, 2.25),
        _ => pen.path(points, color, 1.25),
    }
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use super::*;
    use crate::chart::svg;
    use crate::defence::detection::{ScoreCurves, ScoreFigures};
    use crate::defence::sanitise::Sanitise;
    use crate::defence::study::{
        self, CapResult, JobResult, PointRanking, PointScore, SanitiserResult,
    };
    use crate::spec::{Draft, Shape};

    /// A study whose first job is done, with numbers of our own.
    fn started() -> DefenceStudy {
        let shape = Shape::named("synthetic").unwrap();
        let draft = Draft::from_value(serde_json::json!({"attack": "indirect"})).unwrap();
        let jobs = study::jobs(&draft.check(&shape).unwrap()).unwrap();
        let cap = |pull_cap, certified| CapResult {
            pull_cap,
            clean: Some(0.5),
            attacked: Some(0.6),
            certified,
            binds: 2,
        };
        let filter = |rule, refused: Option<&str>| SanitiserResult {
            rule,
            share: None,
            refused: refused.map(str::to_string),
            clean: refused.is_none().then_some(0.55),
            attacked: refused.is_none().then_some(0.65),
            dropped_clean: None,
            dropped: None,
        };
        let first = JobResult {
            id: jobs[0].id.clone(),
            engine: "0".to_string(),
            data_sha256: "0".to_string(),
            metric_name: MetricName::Nmse,
            task_names: vec!["T1".to_string()],
            digest: "0".to_string(),
            converged: true,
            clean: Some(0.4),
            attacked: Some(0.9),
            single_task_clean: Some(0.45),
            single_task_attacked: Some(0.45),
            caps: vec![cap(0.1, Some(0.7)), cap(0.3, None)],
            sanitisers: vec![
                filter(Sanitise::Norm, None),
                filter(Sanitise::Vouch, Some("tasks share rows")),
            ],
            tasks: Vec::new(),
            points: vec![PointRanking {
                score: PointScore::Norm,
                figures: ScoreFigures {
                    roc_auc: Some(0.83),
                    precision: None,
                },
                curves: ScoreCurves {
                    roc: vec![[0.0, 0.0], [0.2, 0.9], [1.0, 1.0]],
                    precision_recall: vec![[0.5, 1.0], [1.0, 0.3]],
                },
            }],
        };
        let mut results = vec![None; jobs.len()];
        results[0] = Some(first);
        DefenceStudy::of(&jobs, &results).unwrap()
    }

    #[test]
    fn every_learner_attacker_and_filter_is_named_at_any_width() {
        let study = started();
        for width in [300.0, 640.0, 1200.0] {
            let style = Style::default();
            let caps = svg(width, caps_height(width), style, |area, style| {
                draw_caps(area, &study, Some(1), style)
            });
            let filters = svg(
                width,
                sanitisers_height(width, &study),
                style,
                |area, style| draw_sanitisers(area, &study, style),
            );
            let rankings = svg(width, rankings_height(width), style, |area, style| {
                draw_rankings(area, &study.rankings[0], style)
            });
            let texts = [caps.unwrap(), filters.unwrap(), rankings.unwrap()];
            let parts: [&[&str]; 3] = [
                &["single-", "multi-", "0.1", "certified", "who knows"],
                &["no defence", "oracle", "norm, fence", "0.550", "0.900"],
                &[
                    "Attacked tasks",
                    "norm: ROC AUC 0.83",
                    "recall",
                    "not defined",
                ],
            ];
            for (text, parts) in texts.iter().zip(parts) {
                for part in parts {
                    assert!(text.contains(part), "{part} at {width}");
                }
            }
            assert!(!texts[1].contains("vouch"), "refused: it has no numbers");
            assert!(!texts[1].contains("pull cap"), "caps have a picture");
        }
    }

    #[test]
    fn a_line_has_gaps_where_values_are_missing() {
        let nan = f64::NAN;
        assert_eq!(runs(&[nan, 1.0, 2.0, nan, 3.0]), [1..3, 4..5]);
        assert_eq!(runs(&[]), []);
    }
}
