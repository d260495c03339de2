//! The panels of Figures 1 and 2, and the rows of Figure 3: several lines, repeats as thin lines with their mean and band.
//!
//! The encoding is the paper's: circle direct, square indirect (diamond: hybrid), solid PATOM,
//! dashed random. All panels of one drawing share one vertical scale.

use plotters::coord::Shift;
use plotters::drawing::DrawingArea;
use plotters::prelude::DrawingBackend;
use plotters::style::RGBColor;

use super::curve::mark;
use super::heatmap::{self, Heatmap};
use super::{Drawn, Palette, Pen, Side, Style, drawn, nice_range, tick_label};
use crate::Result;
use crate::attack::{Attack, Method};
use crate::metrics::MetricName;
use crate::paper::figures::{CorrelationRow, Panel, Series};

const PANEL_HEIGHT: f64 = 250.0;
const MIN_PANEL_WIDTH: f64 = 270.0;
const LEFT: f64 = 50.0;
const RIGHT: f64 = 14.0;
const TOP: f64 = 34.0;
const BOTTOM: f64 = 42.0;
const HEAD: f64 = 62.0;
/// On a drawing that is narrower than this, the head has more lines.
const NARROW: f64 = 520.0;
const LINE: f64 = 18.0;

/// The height of the title, the hint and the legend.
fn head(width: f64) -> f64 {
    if width < NARROW {
        HEAD + 3.0 * LINE
    } else {
        HEAD
    }
}

/// Number of panels in a row at this width.
fn columns(width: f64, panels: usize) -> usize {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "small, positive"
    )]
    let most = (width / MIN_PANEL_WIDTH).max(1.0) as usize;
    let count = panels.clamp(1, most);
    // Four panels in three columns leave one alone: two by two is calmer.
    if panels == 4 && count == 3 { 2 } else { count }
}

/// The height that so many panels need at this width.
pub fn height(width: f64, panels: usize) -> f64 {
    head(width) + panels.div_ceil(columns(width, panels)) as f64 * PANEL_HEIGHT
}

/// Draws the panels under a title.
///
/// # Errors
/// A backend that fails.
pub fn draw<DB: DrawingBackend>(
    area: &DrawingArea<DB, Shift>,
    title: &str,
    panels: &[Panel],
    style: Style,
) -> Result<()> {
    let pen = Pen::new(area, style);
    drawn::<DB::ErrorType>(draw_all(&pen, title, panels))
}

const CORRELATIONS_HEAD: f64 = 30.0;
const CORRELATIONS_TITLE: f64 = 24.0;

/// Number of heatmaps in a row at this width.
fn heatmap_columns(width: f64) -> usize {
    if width >= 3.0 * MIN_PANEL_WIDTH { 3 } else { 1 }
}

fn heatmap_height(width: f64, row: &CorrelationRow) -> f64 {
    let columns = heatmap_columns(width);
    let one = heatmap::layout(width / columns as f64, row.before.len().isqrt()).height;
    CORRELATIONS_TITLE + one * (3 / columns) as f64
}

/// The height that the attacks of Figure 3 need at this width.
pub fn correlations_height(width: f64, rows: &[CorrelationRow]) -> f64 {
    CORRELATIONS_HEAD
        + rows
            .iter()
            .map(|row| heatmap_height(width, row))
            .sum::<f64>()
}

/// Draws the attacks of Figure 3: for each the correlation before, after and the difference, on
/// one scale.
///
/// # Errors
/// A backend that fails; matrices of different sizes.
pub fn draw_correlations<DB: DrawingBackend>(
    area: &DrawingArea<DB, Shift>,
    title: &str,
    rows: &[CorrelationRow],
    style: Style,
) -> Result<()> {
    let pen = Pen::new(area, style);
    let (width, _) = pen.size();
    drawn::<DB::ErrorType>(pen.clear())?;
    let ink = pen.palette.ink;
    drawn::<DB::ErrorType>(pen.bold(8.0, 14.0, Side::Left, 15.0, ink, title))?;
    let columns = heatmap_columns(width);
    let cell = width / columns as f64;
    let mut top = CORRELATIONS_HEAD;
    for row in rows {
        drawn::<DB::ErrorType>(pen.bold(8.0, top + 12.0, Side::Left, 12.0, ink, &row.title))?;
        top += CORRELATIONS_TITLE;
        let one = heatmap::layout(cell, row.before.len().isqrt()).height;
        let parts = [
            ("before the attack", &row.before, false),
            ("after the attack", &row.after, false),
            ("after minus before", &row.difference, true),
        ];
        for (number, (words, values, open_ended)) in parts.into_iter().enumerate() {
            let left = (number % columns) as f64 * cell;
            let place = (top + (number / columns) as f64 * one, left);
            let part = area.clone().shrink(
                pen.at(place.1, place.0),
                (
                    pen.device(cell).unsigned_abs(),
                    pen.device(one).unsigned_abs(),
                ),
            );
            let picture = Heatmap {
                values,
                tasks: values.len().isqrt(),
                targets: &row.targets,
                attackers: &row.attackers,
                title: words,
                names: &[],
                open_ended,
                range: 1.0,
                cursor: None,
                task: None,
            };
            heatmap::draw(&part, &picture, style)?;
        }
        top += one * (3 / columns) as f64;
    }
    Ok(())
}

fn color(palette: &Palette, attack: Attack) -> RGBColor {
    match attack {
        Attack::Direct => palette.metric,
        Attack::Indirect => palette.utility,
        Attack::Hybrid => palette.clean,
    }
}

fn draw_all<DB: DrawingBackend>(pen: &Pen<DB>, title: &str, panels: &[Panel]) -> Drawn<DB> {
    pen.clear()?;
    let (width, _) = pen.size();
    pen.bold(8.0, 14.0, Side::Left, 15.0, pen.palette.ink, title)?;
    let Some(first) = panels.first() else {
        return Ok(());
    };
    let repeats = (panels.iter().flat_map(|panel| &panel.series))
        .map(|series| series.repeats.len())
        .max()
        .unwrap_or(0);
    let hint = match first.metric_name {
        MetricName::Nmse => "NMSE of the targets; higher is a stronger attack",
        MetricName::Auc => "AUC of the targets; lower is a stronger attack",
    };
    let is_narrow = width < NARROW;
    let pale = match (
        panels.iter().any(|panel| !panel.published.is_empty()),
        is_narrow,
    ) {
        (false, _) => "",
        (true, false) => "pale: mean of the published results",
        (true, true) => "pale: published",
    };
    let bold = match (repeats > 1, is_narrow && !pale.is_empty()) {
        (false, _) => String::new(),
        (true, false) => format!("bold: mean of {repeats} seeds; band: smallest to largest"),
        (true, true) => format!("bold: mean of {repeats} seeds; band: range"),
    };
    let lines = [bold.as_str(), pale].map(|words| (!words.is_empty()).then_some(words));
    let lines: Vec<&str> = lines.into_iter().flatten().collect();
    let hints = match (lines.is_empty(), is_narrow) {
        (true, _) => vec![hint.to_string()],
        (false, false) => vec![format!("{hint}; {}", lines.join("; "))],
        (false, true) => vec![hint.to_string(), lines.join("; ")],
    };
    for (number, hint) in hints.iter().enumerate() {
        let y = 33.0 + LINE * number as f64;
        pen.text(8.0, y, Side::Left, 11.5, pen.palette.muted, hint)?;
    }
    legend(pen, panels, 51.0 + LINE * (hints.len() - 1) as f64)?;

    let scale = scale(panels);
    let columns = columns(width, panels.len());
    let cell = width / columns as f64;
    for (number, panel) in panels.iter().enumerate() {
        let left = (number % columns) as f64 * cell;
        let top = head(width) + (number / columns) as f64 * PANEL_HEIGHT;
        draw_panel(pen, panel, (left, top), cell, scale)?;
    }
    Ok(())
}

/// Entries of the series from this height on, in as many lines as the width needs.
fn legend<DB: DrawingBackend>(pen: &Pen<DB>, panels: &[Panel], mut y: f64) -> Drawn<DB> {
    let (width, _) = pen.size();
    let mut at = 8.0;
    let mut seen: Vec<&str> = Vec::new();
    for series in panels.iter().flat_map(|panel| &panel.series) {
        if seen.contains(&series.name.as_str()) {
            continue;
        }
        seen.push(&series.name);
        let color = color(pen.palette, series.attack);
        let entry = 31.0 + 6.6 * series.name.chars().count() as f64;
        if at > 8.0 && at + entry > width {
            (at, y) = (8.0, y + LINE);
        }
        line(pen, &[(at, y), (at + 26.0, y)], series.method, color, 2.0)?;
        mark(pen, (at + 13.0, y), 3.5, series.attack, color)?;
        pen.text(
            at + 31.0,
            y,
            Side::Left,
            11.5,
            pen.palette.ink,
            &series.name,
        )?;
        at += entry + 13.0;
    }
    Ok(())
}

/// First tick, last tick, distance: over everything that is drawn.
fn scale(panels: &[Panel]) -> (f64, f64, f64) {
    let values = panels.iter().flat_map(|panel| {
        let all = panel.series.iter().chain(&panel.published);
        let repeats = all.flat_map(|series| &series.repeats);
        let values = repeats.flatten().copied().flatten();
        values
            .chain(panel.clean)
            .chain(panel.paper.map(|(_, value, _)| value))
    });
    let coin = panels
        .iter()
        .any(|panel| panel.metric_name == MetricName::Auc)
        .then_some(0.5);
    let (low, high) = values
        .chain(coin)
        .filter(|value| value.is_finite())
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
            (low.min(value), high.max(value))
        });
    if low > high {
        return nice_range(0.0, 1.0, 4.0);
    }
    let from = if (high - low) < 0.35 * high {
        low
    } else {
        low.min(0.0)
    };
    nice_range(from, high + 0.03 * (high - low), 4.0)
}

fn draw_panel<DB: DrawingBackend>(
    pen: &Pen<DB>,
    panel: &Panel,
    (left, top): (f64, f64),
    cell: f64,
    (first, last, step): (f64, f64, f64),
) -> Drawn<DB> {
    let (ink, muted) = (pen.palette.ink, pen.palette.muted);
    let (left, width) = (left + LEFT, cell - LEFT - RIGHT);
    let (top, height) = (top + TOP, PANEL_HEIGHT - TOP - BOTTOM);
    let title = shortened(&panel.title, width + LEFT - 6.0);
    pen.bold(left - LEFT + 8.0, top - 16.0, Side::Left, 11.5, ink, &title)?;
    if panel.series.is_empty() {
        let middle = (left + width / 2.0, top + height / 2.0);
        let words = "no run of this panel is done yet";
        pen.line(
            (left, top + height),
            (left + width, top + height),
            pen.palette.grid,
            1.0,
        )?;
        return pen.text(middle.0, middle.1, Side::Middle, 11.5, muted, words);
    }
    let y = |value: f64| top + height - (value - first) / (last - first) * height;
    let end = panel
        .series
        .iter()
        .filter_map(|series| series.x.last().copied())
        .fold(0.0, f64::max)
        .max(1e-9);
    let x = |value: f64| left + value / end * width;

    let mut tick = first;
    while tick <= last + step * 1e-6 {
        let at = y(tick);
        pen.line((left, at), (left + width, at), pen.palette.grid, 1.0)?;
        pen.text(
            left - 7.0,
            at,
            Side::Right,
            10.5,
            muted,
            &tick_label(tick, step),
        )?;
        tick += step;
    }
    let (_, _, every) = nice_range(0.0, end, if end > 3.0 { width / 40.0 } else { 5.0 });
    let every = if end > 3.0 { libm::ceil(every) } else { every };
    let mut tick = 0.0;
    while tick <= end + every * 1e-6 {
        let at = x(tick);
        pen.line((at, top + height), (at, top + height + 4.0), muted, 1.0)?;
        pen.text(
            at,
            top + height + 12.0,
            Side::Middle,
            10.5,
            muted,
            &tick_label(tick, every),
        )?;
        tick += every;
    }
    pen.line(
        (left, top + height),
        (left + width, top + height),
        muted,
        1.0,
    )?;
    pen.text(
        left + width / 2.0,
        top + height + 27.0,
        Side::Middle,
        10.5,
        muted,
        panel.x_name,
    )?;

    if let Some(clean) = panel.clean {
        let at = y(clean);
        pen.dashes(&[(left, at), (left + width, at)], muted, 1.0)?;
        // On the side to which no attack goes.
        let side = match panel.metric_name {
            MetricName::Nmse => 8.0,
            MetricName::Auc => -7.0,
        };
        pen.text(left + width, at + side, Side::Right, 10.0, muted, "clean")?;
    }
    if panel.metric_name == MetricName::Auc && first <= 0.5 && last >= 0.5 {
        pen.dashes(
            &[(left, y(0.5)), (left + width, y(0.5))],
            pen.palette.grid,
            1.5,
        )?;
        pen.text(
            left + width,
            y(0.5) + 7.0,
            Side::Right,
            10.0,
            muted,
            "coin toss",
        )?;
    }
    for series in &panel.published {
        pen.pale_path(&means(series, &x, &y), color(pen.palette, series.attack))?;
    }
    for series in &panel.series {
        draw_series(pen, series, &x, &y)?;
    }
    if let Some((at, value, words)) = panel.paper {
        let (at, value) = (x(at), y(value));
        for turn in [1.0, -1.0] {
            let cross = [
                (at - 4.0, value - 4.0 * turn),
                (at + 4.0, value + 4.0 * turn),
            ];
            pen.path(&cross, ink, 2.0)?;
        }
        pen.text(at - 9.0, value - 7.0, Side::Right, 10.5, ink, words)?;
    }
    Ok(())
}

/// The means of a line, in pixels.
fn means(series: &Series, x: &impl Fn(f64) -> f64, y: &impl Fn(f64) -> f64) -> Vec<(f64, f64)> {
    let means = series.x.iter().enumerate();
    means
        .filter_map(|(position, &at)| Some((x(at), y(series.summary(position)?.0))))
        .collect()
}

fn draw_series<DB: DrawingBackend>(
    pen: &Pen<DB>,
    series: &Series,
    x: &impl Fn(f64) -> f64,
    y: &impl Fn(f64) -> f64,
) -> Drawn<DB> {
    let color = color(pen.palette, series.attack);
    let summary: Vec<(f64, (f64, f64, f64))> = (series.x.iter().enumerate())
        .filter_map(|(position, &at)| Some((x(at), series.summary(position)?)))
        .collect();
    if series.repeats.len() > 1 {
        let upper = summary.iter().map(|&(at, (_, _, high))| (at, y(high)));
        let lower = summary.iter().rev().map(|&(at, (_, low, _))| (at, y(low)));
        let band: Vec<(f64, f64)> = upper.chain(lower).collect();
        pen.faint_polygon(&band, color)?;
        for repeat in &series.repeats {
            let thin: Vec<(f64, f64)> = (series.x.iter().zip(repeat))
                .filter_map(|(&at, value)| Some((x(at), y((*value)?))))
                .collect();
            pen.faint_path(&thin, color)?;
        }
    }
    let points = means(series, x, y);
    line(pen, &points, series.method, color, 2.0)?;
    for &point in &points {
        mark(pen, point, 3.2, series.attack, color)?;
    }
    Ok(())
}

fn line<DB: DrawingBackend>(
    pen: &Pen<DB>,
    points: &[(f64, f64)],
    method: Method,
    color: RGBColor,
    width: f64,
) -> Drawn<DB> {
    match method {
        Method::Patom => pen.path(points, color, width),
        Method::Random => pen.dashes(points, color, width),
    }
}

/// As much of a text as fits, by the usual width of its letters.
fn shortened(text: &str, width: f64) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "small, positive"
    )]
    let most = (width / 6.6).max(8.0) as usize;
    if text.chars().count() <= most {
        return text.to_string();
    }
    text.chars()
        .take(most - 1)
        .chain("\u{2026}".chars())
        .collect()
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use plotters::prelude::{IntoDrawingArea, SVGBackend};

    use super::*;

    #[test]
    fn repeats_become_a_mean_with_thin_lines_and_random_attacks_are_dashed() {
        let series = |attack, method, values: &[&[f64]]| Series {
            name: format!("{attack:?} {method:?}"),
            attack,
            method,
            x: vec![0.0, 0.1, 0.2],
            repeats: values
                .iter()
                .map(|v| v.iter().map(|&v| Some(v)).collect())
                .collect(),
        };
        let panel = Panel {
            title: "targets T1".to_string(),
            metric_name: MetricName::Nmse,
            x_name: "budget",
            clean: Some(0.6),
            series: vec![
                series(
                    Attack::Direct,
                    Method::Patom,
                    &[&[0.6, 0.8, 1.0], &[0.6, 0.9, 1.1]],
                ),
                series(Attack::Direct, Method::Random, &[&[0.6, 0.7, 0.8]]),
            ],
            published: vec![series(Attack::Direct, Method::Patom, &[&[0.6, 0.8, 1.0]])],
            paper: Some((0.1, 0.9, "paper: +50 %")),
        };
        let mut text = String::new();
        for width in [300, 1200] {
            text.clear();
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "small"
            )]
            let size = (width, height(f64::from(width), 4) as u32);
            let area = SVGBackend::with_string(&mut text, size).into_drawing_area();
            let panels = [panel.clone(), panel.clone(), panel.clone(), panel.clone()];
            draw(&area, "Figure 2", &panels, Style::default()).unwrap();
            area.present().unwrap();
        }
        for part in [
            "Figure 2",
            "mean of 2 seeds",
            "higher is a stronger",
            "targets T1",
            "clean",
            "pale: mean of the published",
            "paper: +50",
        ] {
            assert!(text.contains(part), "{part}");
        }
        let empty = Panel {
            series: Vec::new(),
            published: Vec::new(),
            clean: None,
            ..panel
        };
        let mut text = String::new();
        let area = SVGBackend::with_string(&mut text, (400, 400)).into_drawing_area();
        draw(&area, "empty", &[empty], Style::default()).unwrap();
        draw(&area, "nothing", &[], Style::default()).unwrap();
    }

    #[test]
    fn no_entry_of_the_legend_leaves_a_narrow_drawing() {
        let names = ["direct", "direct, random", "indirect", "indirect, random"];
        let panel = Panel {
            title: "targets T1".to_string(),
            metric_name: MetricName::Nmse,
            x_name: "budget",
            clean: None,
            series: names
                .map(|name| Series {
                    name: name.to_string(),
                    attack: Attack::Direct,
                    method: Method::Patom,
                    x: vec![0.0],
                    repeats: vec![vec![Some(1.0)], vec![Some(2.0)]],
                })
                .into(),
            published: Vec::new(),
            paper: None,
        };
        for width in [320, 390, 1200] {
            let mut text = String::new();
            {
                let area = SVGBackend::with_string(&mut text, (width, 600)).into_drawing_area();
                draw(
                    &area,
                    "Figure 2",
                    std::slice::from_ref(&panel),
                    Style::default(),
                )
                .unwrap();
                area.present().unwrap();
            }
            for name in names {
                let end = text.find(&format!("\n{name}\n")).unwrap();
                let from = text[..end].rfind(" x=\"").unwrap() + 4;
                let x: f64 = text[from..].split('"').next().unwrap().parse().unwrap();
                let right = x + 6.0 * name.chars().count() as f64;
                assert!(
                    right <= f64::from(width),
                    "{name} ends at {right} of {width}"
                );
            }
        }
    }
}
