//! A number for each pair of tasks as a square of squares, with the tasks, their roles and a labelled bar.

use plotters::coord::Shift;
use plotters::drawing::DrawingArea;
use plotters::prelude::DrawingBackend;
use plotters::style::{Color, RGBColor};

use super::map::readable_on;
use super::{Drawn, Pen, Side, Style, drawn, tick_label};
use crate::{Error, Result};

/// What is drawn.
pub struct Heatmap<'a> {
    /// m x m, row-major; not a number: an empty cell.
    pub values: &'a [f64],
    /// m.
    pub tasks: usize,
    /// Target tasks, from 0.
    pub targets: &'a [usize],
    /// Attacking tasks, from 0.
    pub attackers: &'a [usize],
    /// Words under the bar.
    pub title: &'a str,
    /// Short names of the tasks; a task without one is shown by its number.
    pub names: &'a [String],
    /// Values may lie beyond the bar: its ends show it.
    pub open_ended: bool,
    /// The end of the bar, above 0; it begins at its negative. 1 for a correlation.
    pub range: f64,
    /// A cell to be outlined: row and column.
    pub cursor: Option<(usize, usize)>,
    /// A task whose row and column are to be outlined.
    pub task: Option<usize>,
}

/// Where the parts lie, in CSS pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Layout {
    /// The height that a drawing of the given width needs.
    pub height: f64,
    /// Left edge of the cells.
    pub left: f64,
    /// Upper edge of the cells.
    pub top: f64,
    /// Width and height of a cell.
    pub cell: f64,
}

/// Up to this many tasks the values are printed into the cells.
pub const PRINTED_TASKS: usize = 10;

const BAR: f64 = 10.0;

/// The layout of m tasks in a drawing of this width.
pub fn layout(width: f64, tasks: usize) -> Layout {
    let (left, top, right) = (40.0, 34.0, 6.0);
    // Whole pixels, so that no cell is wider than its neighbour.
    let cell = ((width - left - right) / tasks.max(1) as f64)
        .floor()
        .max(2.0);
    Layout {
        height: top + cell * tasks as f64 + 52.0,
        left,
        top,
        cell,
    }
}

/// Draws a map.
///
/// # Errors
/// Sizes that do not fit together; a backend that fails.
pub fn draw<DB: DrawingBackend>(
    area: &DrawingArea<DB, Shift>,
    heatmap: &Heatmap,
    style: Style,
) -> Result<()> {
    let m = heatmap.tasks;
    let roles = heatmap.targets.iter().chain(heatmap.attackers);
    let is_scaled = heatmap.range > 0.0 && heatmap.range.is_finite();
    if !is_scaled
        || m == 0
        || heatmap.values.len() != m * m
        || roles.into_iter().any(|&task| task >= m)
    {
        return Err(Error::data(
            "a heatmap needs m x m values, tasks below m and a range above 0",
        ));
    }
    let pen = Pen::new(area, style);
    drawn::<DB::ErrorType>(draw_all(&pen, heatmap))
}

fn draw_all<DB: DrawingBackend>(pen: &Pen<DB>, heatmap: &Heatmap) -> Drawn<DB> {
    let m = heatmap.tasks;
    let layout = layout(pen.size().0, m);
    let Layout {
        left, top, cell, ..
    } = layout;
    let side = cell * m as f64;
    pen.clear()?;
    for row in 0..m {
        for column in 0..m {
            let value = heatmap.values[row * m + column];
            if value.is_nan() {
                continue;
            }
            let place = (left + column as f64 * cell, top + row as f64 * cell);
            let color = pen.style.map.color(value / heatmap.range);
            pen.rectangle(place, (cell, cell), color.filled())?;
            if m <= PRINTED_TASKS && cell >= 22.0 {
                let middle = (place.0 + cell / 2.0, place.1 + cell / 2.0);
                let size = (cell * 0.34).min(12.0);
                let text = short_value(value);
                pen.text(
                    middle.0,
                    middle.1,
                    Side::Middle,
                    size,
                    readable_on(color),
                    &text,
                )?;
            }
        }
    }
    let mut frames = Vec::new();
    if let Some(task) = heatmap.task.filter(|&task| task < m) {
        let along = task as f64 * cell;
        frames.push(((left, top + along), (side, cell)));
        frames.push(((left + along, top), (cell, side)));
    }
    if let Some((row, column)) = heatmap.cursor.filter(|&(r, c)| r < m && c < m) {
        let place = (left + column as f64 * cell, top + row as f64 * cell);
        frames.push((place, (cell, cell)));
    }
    for (place, size) in frames {
        // Two lines, so that it is seen on dark and light cells alike.
        pen.rectangle(place, size, pen.stroke(RGBColor(0, 0, 0), 4.0))?;
        pen.rectangle(place, size, pen.stroke(RGBColor(255, 255, 255), 2.0))?;
    }
    names(pen, heatmap, layout)?;
    bar(pen, heatmap, (left, top + side + 14.0), side)
}

/// Names and marks of the tasks, next to the rows and above the columns.
fn names<DB: DrawingBackend>(pen: &Pen<DB>, heatmap: &Heatmap, layout: Layout) -> Drawn<DB> {
    let Layout {
        left, top, cell, ..
    } = layout;
    let size = (cell * 0.8).clamp(8.5, 12.0);
    // Names are left out evenly where they would touch: a name is about 2 letters high and wide.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "small, at least 1"
    )]
    let [every_row, every_column] =
        [1.05, 2.1].map(|names| (size * names / cell).ceil().max(1.0) as usize);
    let radius = (cell * 0.2).clamp(2.0, 4.0);
    let has_marks = !(heatmap.targets.is_empty() && heatmap.attackers.is_empty());
    let room_for_marks = if has_marks { 22.0 } else { 6.0 };
    for task in 0..heatmap.tasks {
        let middle = (task as f64 + 0.5) * cell;
        let number = format!("T{}", task + 1);
        let name = heatmap.names.get(task).unwrap_or(&number);
        let color = pen.palette.ink;
        if task.is_multiple_of(every_row) {
            let end = left - room_for_marks;
            pen.text(end, top + middle, Side::Right, size, color, name)?;
        }
        if task.is_multiple_of(every_column) {
            pen.text(left + middle, top - 23.0, Side::Middle, size, color, name)?;
        }
        if heatmap.targets.contains(&task) {
            pen.target_mark((left - 16.0, top + middle), radius)?;
        }
        if heatmap.attackers.contains(&task) {
            pen.attacker_mark((left - 6.5, top + middle), radius)?;
        }
        let both = heatmap.targets.contains(&task) && heatmap.attackers.contains(&task);
        if heatmap.targets.contains(&task) {
            let y = if both { top - 12.5 } else { top - 8.0 };
            pen.target_mark((left + middle, y), radius)?;
        }
        if heatmap.attackers.contains(&task) {
            let y = if both { top - 4.0 } else { top - 8.0 };
            pen.attacker_mark((left + middle, y), radius)?;
        }
    }
    Ok(())
}

/// The labelled bar of the colours.
fn bar<DB: DrawingBackend>(
    pen: &Pen<DB>,
    heatmap: &Heatmap,
    (x, y): (f64, f64),
    width: f64,
) -> Drawn<DB> {
    const STRIPES: u32 = 128;
    for stripe in 0..STRIPES {
        let share = f64::from(stripe) / f64::from(STRIPES);
        let value = 2.0 * f64::from(stripe) / f64::from(STRIPES - 1) - 1.0;
        let color = pen.style.map.color(value);
        // A pixel of overlap leaves no seams.
        let wide = width / f64::from(STRIPES) + if stripe + 1 < STRIPES { 0.5 } else { 0.0 };
        pen.rectangle((x + share * width, y), (wide, BAR), color.filled())?;
    }
    let muted = pen.palette.muted;
    let half = tick_label(heatmap.range / 2.0, heatmap.range / 2.0);
    let whole = tick_label(heatmap.range, heatmap.range);
    for (value, size) in [
        (-1.0, &whole),
        (-0.5, &half),
        (0.0, &whole),
        (0.5, &half),
        (1.0, &whole),
    ] {
        let at = x + f64::midpoint(value, 1.0) * width;
        pen.line((at, y + BAR), (at, y + BAR + 3.0), muted, 1.0)?;
        let minus = if value < 0.0 { "\u{2212}" } else { "" };
        let label = match (heatmap.open_ended && value.abs() == 1.0, value < 0.0) {
            _ if value == 0.0 => "0".to_string(),
            (true, true) => format!("\u{2264} {minus}{size}"),
            (true, false) => format!("\u{2265} {size}"),
            (false, _) => format!("{minus}{size}"),
        };
        let side = if value == 1.0 {
            Side::Right
        } else if value == -1.0 {
            Side::Left
        } else {
            Side::Middle
        };
        pen.text(at, y + BAR + 10.0, side, 10.5, muted, &label)?;
    }
    pen.text(
        x + width / 2.0,
        y + BAR + 23.0,
        Side::Middle,
        10.5,
        muted,
        heatmap.title,
    )
}

/// Two decimals, no needless zero in front: `.87`, `−.04`, `1`.
fn short_value(value: f64) -> String {
    let text = format!("{:.2}", value.abs());
    let text = match text.as_str() {
        "0.00" => return "0".into(),
        "1.00" => "1".into(),
        _ => text.strip_prefix('0').map_or(text.clone(), str::to_string),
    };
    if value < 0.0 {
        format!("\u{2212}{text}")
    } else {
        text
    }
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use plotters::prelude::{IntoDrawingArea, SVGBackend};

    use super::*;

    fn svg(values: &[f64], tasks: usize, targets: &[usize]) -> Result<String> {
        let mut text = String::new();
        {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "small"
            )]
            let size = (400, layout(400.0, tasks).height.ceil() as u32);
            let area = SVGBackend::with_string(&mut text, size).into_drawing_area();
            let heatmap = Heatmap {
                values,
                tasks,
                targets,
                attackers: &[1],
                title: "correlation",
                names: &[],
                open_ended: false,
                range: 1.0,
                cursor: Some((0, 1)),
                task: Some(tasks.saturating_sub(1)),
            };
            draw(&area, &heatmap, Style::default())?;
            area.present().unwrap();
        }
        Ok(text)
    }

    #[test]
    fn small_heatmaps_print_their_values_and_all_name_tasks_and_ends_of_the_bar() {
        let text = svg(&[1.0, -0.25, -0.25, 1.0], 2, &[0]).unwrap();
        for part in ["T1", "T2", "\u{2212}.25", "\u{2212}0.5", "correlation"] {
            assert!(text.contains(part), "{part}");
        }
        let many = svg(&vec![0.5; 29 * 29], 29, &[3]).unwrap();
        assert!(many.contains("T29") && !many.contains(">.50"));
        assert!(many.matches("<rect").count() > 29 * 29);
    }

    #[test]
    fn cells_are_square_and_inside() {
        for (width, tasks) in [(300.0, 29), (1000.0, 7), (240.0, 1), (320.0, 200)] {
            let layout = layout(width, tasks);
            assert!(layout.left + layout.cell * tasks as f64 <= width.max(500.0));
            assert_eq!(layout.cell, layout.cell.floor());
        }
    }

    #[test]
    fn sizes_that_do_not_fit_are_refused() {
        assert!(svg(&[1.0; 3], 2, &[0]).is_err());
        assert!(svg(&[1.0; 4], 2, &[2]).is_err());
        assert!(svg(&[], 0, &[]).is_err());
    }

    #[test]
    fn values_are_short() {
        assert_eq!(short_value(0.874), ".87");
        assert_eq!(short_value(-0.036), "\u{2212}.04");
        assert_eq!(short_value(1.0), "1");
        assert_eq!(short_value(-1.4), "\u{2212}1.40");
        assert_eq!(short_value(-0.001), "0");
    }
}
