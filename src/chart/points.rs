//! Where the injected points are: clean and injected points in a plane, from the random start to
//! an iteration.

use plotters::coord::Shift;
use plotters::drawing::DrawingArea;
use plotters::prelude::DrawingBackend;
use plotters::style::RGBColor;

use super::curve::three_digits;
use super::{Drawn, Pen, Side, Style, drawn, nice_range, tick_label};
use crate::projection::{MOST_CLEAN, Scene, every};
use crate::{Error, Result};

const LEFT: f64 = 46.0;
const RIGHT: f64 = 8.0;
const TOP: f64 = 24.0;
const BOTTOM: f64 = 40.0;
const LEGEND_ROW: f64 = 21.0;
/// At most so many entries.
const LEGEND: f64 = 6.0;
/// Corners of a path that is drawn: more are not seen.
const MOST_CORNERS: usize = 8;

/// What is drawn.
pub struct Picture<'a> {
    /// The part that does not change.
    pub scene: &'a Scene,
    /// For each iteration, from 0, the places of the injected points: two numbers each.
    pub path: &'a [Vec<f64>],
    /// The iteration that is shown; beyond the last: the last.
    pub iteration: usize,
    /// Only the injected and clean points of this attacking task (and the clean ones of the
    /// targets); none: of all.
    pub task: Option<usize>,
    /// A person moved the points: the path leads from where the attack left them.
    pub by_hand: bool,
}

/// The height that a drawing of this width needs.
pub fn height(width: f64) -> f64 {
    TOP + side(width) + BOTTOM + LEGEND / columns(width) * LEGEND_ROW
}

/// Where the plane lies in a drawing of this width: left, top and side of its square, whose middle is
/// the origin, and the distance in the plane from there to a side.
pub fn frame(scene: &Scene, width: f64) -> [f64; 4] {
    let frame = Frame::new(scene, width);
    [LEFT, TOP, frame.side, frame.reach]
}

/// Columns of the legend: they divide its entries.
fn columns(width: f64) -> f64 {
    if width >= 420.0 { 2.0 } else { 1.0 }
}

fn side(width: f64) -> f64 {
    (width - LEFT - RIGHT).max(40.0)
}

/// Draws the points.
///
/// # Errors
/// Places that do not fit the scene; a backend that fails.
pub fn draw<DB: DrawingBackend>(
    area: &DrawingArea<DB, Shift>,
    picture: &Picture,
    style: Style,
) -> Result<()> {
    let scene = picture.scene;
    let places = scene.injected.len();
    if !scene.clean.len().is_multiple_of(4) || picture.path.iter().any(|step| step.len() != places)
    {
        return Err(Error::data(
            "each injected point needs a place in every iteration",
        ));
    }
    let pen = Pen::new(area, style);
    drawn::<DB::ErrorType>(draw_all(&pen, picture))
}

/// From the plane to the drawing.
struct Frame {
    side: f64,
    reach: f64,
    /// The largest size of a label: the end of the colours.
    labels: f64,
}

impl Frame {
    fn new(scene: &Scene, width: f64) -> Self {
        let clean = scene.clean.chunks_exact(4);
        let largest =
            |values: &mut dyn Iterator<Item = f64>| values.map(f64::abs).fold(0.0, f64::max);
        let reach = largest(&mut clean.clone().flat_map(|p| [p[2], p[3]]));
        let injected = scene.injected.chunks_exact(2);
        Self {
            side: side(width),
            reach: 1.06 * reach.max(scene.radius),
            labels: largest(&mut clean.map(|p| p[1]).chain(injected.map(|p| p[1]))).max(1e-300),
        }
    }

    fn along(&self, value: f64) -> f64 {
        (value / self.reach + 1.0) * self.side / 2.0
    }

    fn at(&self, x: f64, y: f64) -> (f64, f64) {
        (LEFT + self.along(x), TOP + self.side - self.along(y))
    }
}

fn draw_all<DB: DrawingBackend>(pen: &Pen<DB>, picture: &Picture) -> Drawn<DB> {
    pen.clear()?;
    let scene = picture.scene;
    let frame = Frame::new(scene, pen.size().0);
    axes(pen, scene, &frame)?;
    let shown = |task: f64| {
        let is = |&one: &usize| one as f64 == task;
        picture.task.is_none_or(|chosen| is(&chosen)) || scene.targets.iter().any(is)
    };
    let clean: Vec<&[f64]> = (scene.clean.chunks_exact(4))
        .filter(|p| shown(p[0]))
        .collect();
    for point in (clean.iter()).step_by(every(clean.len(), MOST_CLEAN)) {
        let target = scene.targets.iter().any(|&task| task as f64 == point[0]);
        clean_point(
            pen,
            scene,
            &frame,
            frame.at(point[2], point[3]),
            (point[1], target),
        )?;
    }
    let injected: Vec<usize> = (0..scene.injected.len() / 2)
        .filter(|k| {
            picture
                .task
                .is_none_or(|task| task as f64 == scene.injected[2 * k])
        })
        .collect();
    let size = if injected.len() > 60 { 4.0 } else { 6.0 };
    let now = picture.iteration.min(picture.path.len().saturating_sub(1));
    let steps = every(now, MOST_CORNERS);
    for &k in &injected {
        let place = |step: &Vec<f64>| frame.at(step[2 * k], step[2 * k + 1]);
        let path = picture.path.iter().take(now).step_by(steps);
        let path: Vec<(f64, f64)> = path.chain(picture.path.get(now)).map(place).collect();
        if let [start, .., _] = path.as_slice() {
            pen.faint_path(&path, pen.palette.attacker)?;
            hollow(pen, *start, size)?;
        }
    }
    for &k in &injected {
        let Some(step) = picture.path.get(now) else {
            break;
        };
        let at = frame.at(step[2 * k], step[2 * k + 1]);
        if now == 0 {
            hollow(pen, at, size)?;
        } else {
            filled(pen, scene, &frame, at, (scene.injected[2 * k + 1], size))?;
        }
    }
    let names = if picture.by_hand {
        ["injected, optimised", "injected, moved by hand"].map(str::to_string)
    } else {
        [
            "injected, random start".to_string(),
            format!("injected, iteration {now}"),
        ]
    };
    legend(pen, scene, &frame, names)
}

fn axes<DB: DrawingBackend>(pen: &Pen<DB>, scene: &Scene, frame: &Frame) -> Drawn<DB> {
    let (muted, grid) = (pen.palette.muted, pen.palette.grid);
    let (foot, right) = (TOP + frame.side, LEFT + frame.side);
    let (first, last, step) = nice_range(-frame.reach, frame.reach, 4.0);
    let mut tick = first;
    while tick <= last + step * 1e-6 {
        if tick.abs() <= frame.reach {
            let (x, y) = frame.at(tick, tick);
            let label = tick_label(tick, step);
            pen.line((x, TOP), (x, foot), grid, 1.0)?;
            pen.line((LEFT, y), (right, y), grid, 1.0)?;
            pen.text(x, foot + 12.0, Side::Middle, 11.0, muted, &label)?;
            pen.text(LEFT - 7.0, y, Side::Right, 11.0, muted, &label)?;
        }
        tick += step;
    }
    let across = frame.along(scene.radius) - frame.along(0.0);
    pen.ring(frame.at(0.0, 0.0), across, muted, 1.0)?;
    let [x_name, y_name] = &scene.names;
    let middle = LEFT + frame.side / 2.0;
    pen.text(
        middle,
        foot + 29.0,
        Side::Middle,
        11.5,
        muted,
        &format!("{x_name} \u{2192}"),
    )?;
    pen.text(
        6.0,
        11.0,
        Side::Left,
        11.5,
        muted,
        &format!("\u{2191} {y_name}"),
    )
}

/// Regression: a disc (a triangle where the task only attacks) in the colour of the label.
/// Classification: + and -, thinner where the task only attacks.
fn clean_point<DB: DrawingBackend>(
    pen: &Pen<DB>,
    scene: &Scene,
    frame: &Frame,
    (x, y): (f64, f64),
    (label, target): (f64, bool),
) -> Drawn<DB> {
    let color = label_color(pen, frame, label);
    if scene.classes {
        let width = if target { 2.0 } else { 1.0 };
        return sign(pen, (x, y), label, color, width);
    }
    let (edge, r) = (pen.palette.muted, 2.6);
    if target {
        pen.disc((x, y), r + 0.7, edge)?;
        return pen.disc((x, y), r, color);
    }
    let corners = |r: f64| [(x, y - r), (x + r, y + 0.85 * r), (x - r, y + 0.85 * r)];
    pen.polygon(&corners(r + 1.6), edge)?;
    pen.polygon(&corners(r + 0.3), color)
}

fn label_color<DB: DrawingBackend>(pen: &Pen<DB>, frame: &Frame, label: f64) -> RGBColor {
    // Short of the ends of the map, which are nearly black.
    let end = if pen.style.dark { 0.45 } else { 0.7 };
    pen.style.map.color(end * label / frame.labels)
}

fn sign<DB: DrawingBackend>(
    pen: &Pen<DB>,
    (x, y): (f64, f64),
    label: f64,
    color: RGBColor,
    width: f64,
) -> Drawn<DB> {
    const ARM: f64 = 3.2;
    pen.line((x - ARM, y), (x + ARM, y), color, width)?;
    if label > 0.0 {
        pen.line((x, y - ARM), (x, y + ARM), color, width)?;
    }
    Ok(())
}

fn diamond((x, y): (f64, f64), r: f64) -> [(f64, f64); 5] {
    [(x, y - r), (x + r, y), (x, y + r), (x - r, y), (x, y - r)]
}

/// An injected point at its random start.
fn hollow<DB: DrawingBackend>(pen: &Pen<DB>, at: (f64, f64), size: f64) -> Drawn<DB> {
    pen.path(&diamond(at, 0.7 * size), pen.palette.attacker, 1.0)
}

/// An injected point now, with its label inside.
fn filled<DB: DrawingBackend>(
    pen: &Pen<DB>,
    scene: &Scene,
    frame: &Frame,
    at: (f64, f64),
    (label, size): (f64, f64),
) -> Drawn<DB> {
    pen.polygon(&diamond(at, size + 1.3), pen.palette.paper)?;
    pen.polygon(&diamond(at, size), pen.palette.attacker)?;
    if scene.classes {
        return sign(pen, at, label, pen.palette.paper, 1.4);
    }
    pen.polygon(&diamond(at, 0.5 * size), label_color(pen, frame, label))
}

/// What the marks mean, in as many columns as there is room for.
fn legend<DB: DrawingBackend>(
    pen: &Pen<DB>,
    scene: &Scene,
    frame: &Frame,
    [start, now]: [String; 2],
) -> Drawn<DB> {
    let columns = columns(pen.size().0);
    let mut entry = 0.0;
    let mut next = |text: &str| {
        let (row, column) = (libm::floor(entry / columns), entry % columns);
        entry += 1.0;
        let x = 18.0 + column * pen.size().0 / columns;
        let y = TOP + frame.side + BOTTOM + (row + 0.5) * LEGEND_ROW;
        pen.text(x + 18.0, y, Side::Left, 11.5, pen.palette.ink, text)?;
        Ok((x, y))
    };
    hollow(pen, next(&start)?, 6.0)?;
    let now = next(&now)?;
    filled(pen, scene, frame, now, (frame.labels, 6.0))?;
    for (target, role) in [
        (true, "clean, of a target"),
        (false, "clean, of an attacking task"),
    ] {
        if !target && (scene.attackers.iter()).all(|task| scene.targets.contains(task)) {
            continue;
        }
        let (x, y) = next(role)?;
        for side in [-1.0, 1.0] {
            let point = (side * frame.labels, target);
            clean_point(pen, scene, frame, (x + 6.0 * side, y), point)?;
        }
    }
    pen.ring(
        next("ball of the injected points")?,
        6.0,
        pen.palette.muted,
        1.0,
    )?;
    if scene.classes {
        next("+ and \u{2212}: the label")?;
        return Ok(());
    }
    let end = three_digits(frame.labels);
    let (x, y) = next(&format!("label, \u{2212}{end} to {end}"))?;
    for k in 0..24 {
        let color = label_color(pen, frame, (f64::from(k) / 11.5 - 1.0) * frame.labels);
        let x = x - 12.0 + f64::from(k);
        pen.line((x, y - 5.0), (x, y + 5.0), color, 1.5)?;
    }
    Ok(())
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use plotters::prelude::{IntoDrawingArea, SVGBackend};

    use super::*;

    fn scene(classes: bool, attackers: Vec<usize>) -> Scene {
        Scene {
            names: ["along".to_string(), "across".to_string()],
            radius: 1.0,
            classes,
            targets: vec![0],
            attackers,
            clean: vec![0.0, 1.0, 0.3, 0.2, 0.0, -1.0, -0.3, 0.1, 1.0, 1.0, 0.5, 0.5],
            injected: vec![1.0, 1.0, 2.0, -1.0],
            count: 2,
        }
    }

    fn svg(
        scene: &Scene,
        path: &[Vec<f64>],
        iteration: usize,
        task: Option<usize>,
    ) -> Result<String> {
        let mut text = String::new();
        {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "small"
            )]
            let size = (420, height(420.0) as u32);
            let area = SVGBackend::with_string(&mut text, size).into_drawing_area();
            let picture = Picture {
                scene,
                path,
                iteration,
                task,
                by_hand: false,
            };
            draw(&area, &picture, Style::default())?;
            area.present().unwrap();
        }
        Ok(text)
    }

    #[test]
    fn axes_and_marks_are_explained() {
        let path = [vec![0.0, 0.0, 0.1, 0.1], vec![0.5, 0.5, 0.2, 0.2]];
        let text = svg(&scene(false, vec![1, 2]), &path, 1, None).unwrap();
        for part in [
            "along",
            "across",
            "random start",
            "iteration 1",
            "ball",
            "attacking task",
        ] {
            assert!(text.contains(part), "{part}");
        }
        let text = svg(&scene(true, vec![0]), &path, 1, None).unwrap();
        assert!(text.contains("+ and") && !text.contains("attacking task"));
    }

    #[test]
    fn the_frame_says_where_a_place_of_the_plane_is_drawn() {
        let scene = scene(false, vec![1, 2]);
        let [left, top, side, reach] = frame(&scene, 420.0);
        let (x, y) = Frame::new(&scene, 420.0).at(0.5, -0.25);
        assert!((left + (0.5 / reach + 1.0) * side / 2.0 - x).abs() < 1e-12);
        assert!((top + (1.0 + 0.25 / reach) * side / 2.0 - y).abs() < 1e-12);
    }

    #[test]
    fn one_attacking_task_shows_its_own_points_and_those_of_the_targets() {
        let path = [vec![0.0, 0.0, 0.1, 0.1]];
        let count = |task| {
            let text = svg(&scene(false, vec![1, 2]), &path, 0, task).unwrap();
            (
                text.matches("<circle").count(),
                text.matches("<polygon").count(),
            )
        };
        let (all, first, second) = (count(None), count(Some(1)), count(Some(2)));
        assert_eq!(
            all, first,
            "start is hollow: no polygon of an injected point"
        );
        assert_eq!(second.0, all.0, "the clean points of the target stay");
        assert_eq!(
            second.1 + 2,
            all.1,
            "the clean point of task 1, edge and colour"
        );
    }

    #[test]
    fn any_scene_is_drawn_and_what_does_not_fit_is_refused() {
        let mut empty = scene(false, vec![]);
        empty.clean.clear();
        empty.injected.clear();
        svg(&empty, &[], 0, None).unwrap();
        svg(&empty, &[vec![], vec![]], 9, Some(4)).unwrap();
        assert!(svg(&scene(false, vec![1]), &[vec![0.0; 3]], 0, None).is_err());
    }
}
