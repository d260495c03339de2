//! A plane in which the points of a run are shown: clean points, and injected ones as they move.
//!
//! Two directions of the feature space, at right angles, span the plane. The first is the one that
//! the clean models of the targets share (for one target: its weights, without the bias): along it
//! the clean model predicts more. The second is the one in which clean points vary most across it.
//! Both depend on the clean data alone, so clean points stay in place while injected ones move. Not
//! here: drawing.

use serde::{Deserialize, Serialize};

use crate::attack::Injection;
use crate::data::Kind;
use crate::data::sample::Sample;
use crate::linalg::{add_scaled, dot, norm_squared};

/// At most this many clean points of a task are shown: evenly chosen, in their order. The
/// directions use at most this many clean points, too.
pub const MOST_CLEAN: usize = 400;

/// At most this many injected points are shown, chosen in the same way: more would hide each other.
pub const MOST_INJECTED: usize = 120;

/// Rounds of power iteration: enough for a picture; the directions are unit vectors after any.
const ROUNDS: usize = 30;

/// The part of a picture that does not change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scene {
    /// What the first direction is, and the second.
    pub names: [String; 2],
    /// The radius of the ball of the injected points, which is a disc in every plane.
    pub radius: f64,
    /// Labels are -1 and +1.
    pub classes: bool,
    /// Target tasks, from 0.
    pub targets: Vec<usize>,
    /// Attacking tasks, from 0.
    pub attackers: Vec<usize>,
    /// Four numbers for each clean training point shown: task, label, place along both directions.
    pub clean: Vec<f64>,
    /// Two numbers for each injected point shown: task, label.
    pub injected: Vec<f64>,
    /// How many injected points there are, shown or not.
    pub count: usize,
}

/// Injected points in an iteration.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    /// Two numbers for each injected point of the scene: its place along both directions.
    pub places: Vec<f64>,
    /// Mean distance of these points from where they started, in the full space.
    pub moved: f64,
    /// How many of these points lie on the surface of the ball.
    pub on_surface: usize,
}

/// The plane of a run.
pub struct Plane {
    directions: [Vec<f64>; 2],
    scene: Scene,
    start: Vec<Vec<f64>>,
}

impl Plane {
    /// The plane of a sample and its clean model's weights (m rows of D, the bias last), for these
    /// targets and the injected points at their random start (tasks below m) in a ball of `radius`.
    pub fn new(
        sample: &Sample,
        weights: &[Vec<f64>],
        targets: &[usize],
        injections: &[Injection],
        radius: f64,
    ) -> Self {
        let attackers: Vec<usize> = injections.iter().map(|one| one.task).collect();
        let d = sample.features;
        let mut tasks = [targets, &attackers].concat();
        tasks.sort_unstable();
        tasks.dedup();
        let places = tasks.iter().flat_map(|&task| {
            let count = sample.tasks[task].train.labels.len();
            (0..count).map(move |point| (task, point))
        });
        let places: Vec<(usize, usize)> = places.collect();
        let features = |&(task, point): &(usize, usize)| {
            let from = point * (d + 1);
            &sample.tasks[task].train.features[from..from + d]
        };

        let models = targets
            .iter()
            .map(|&task| unit(weights[task][..d].to_vec()));
        let models: Vec<Vec<f64>> = models.collect();
        let mut first = leading(&models);
        if models.iter().map(|w| dot(w, &first)).sum::<f64>() < 0.0 {
            first.iter_mut().for_each(|x| *x = -*x);
        }
        let some: Vec<_> = (places.iter().step_by(every(places.len(), MOST_CLEAN))).collect();
        let mut middle = vec![0.0; d];
        for place in &some {
            add_scaled(&mut middle, 1.0 / some.len() as f64, features(place));
        }
        let mut spread: Vec<Vec<f64>> = (some.iter())
            .map(|place| {
                let mut row = features(place).to_vec();
                add_scaled(&mut row, -1.0, &middle);
                row
            })
            .collect();
        let along_model = norm_squared(&first) > 0.0;
        if !along_model {
            first = upright(leading(&spread));
        }
        for row in &mut spread {
            let share = dot(row, &first);
            add_scaled(row, -share, &first);
        }
        let mut second = upright(leading(&spread));
        // Rounding of the last round.
        let share = dot(&second, &first);
        add_scaled(&mut second, -share, &first);
        let directions = [first, unit(second)];

        let clean = (tasks.iter()).flat_map(|&task| {
            let count = sample.tasks[task].train.labels.len();
            (0..count)
                .step_by(every(count, MOST_CLEAN))
                .map(move |point| (task, point))
        });
        let clean = clean.flat_map(|place| {
            let (task, point) = place;
            let [x, y] = directions.each_ref().map(|u| dot(u, features(&place)));
            [task as f64, sample.tasks[task].train.labels[point], x, y]
        });
        let names = match (along_model, targets) {
            (true, [target]) => format!("along the clean model of T{}", target + 1),
            (true, _) => "along what the clean models of the targets share".to_string(),
            (false, _) => "where clean points vary most".to_string(),
        };
        let scene = Scene {
            names: [names, "across: where clean points vary most".to_string()],
            radius,
            classes: sample.kind == Kind::Classification,
            targets: targets.to_vec(),
            attackers,
            clean: clean.collect(),
            injected: (shown(injections, d))
                .flat_map(|(task, label, _)| [task as f64, label])
                .collect(),
            count: count(injections),
        };
        Self {
            directions,
            scene,
            start: shown(injections, d).map(|(_, _, x)| x.to_vec()).collect(),
        }
    }

    /// Where the injected points are now; the same points as at the start, in their order.
    pub fn look(&self, injections: &[Injection]) -> Snapshot {
        let surface = self.scene.radius * (1.0 - 1e-6);
        let mut snapshot = Snapshot {
            places: Vec::with_capacity(2 * self.start.len()),
            moved: 0.0,
            on_surface: 0,
        };
        for ((_, _, point), start) in shown(injections, self.directions[0].len()).zip(&self.start) {
            let mut way = start.clone();
            add_scaled(&mut way, -1.0, point);
            snapshot.moved += norm_squared(&way).sqrt() / self.start.len() as f64;
            snapshot.on_surface += usize::from(norm_squared(point).sqrt() >= surface);
            let places = self.directions.each_ref().map(|u| dot(u, point));
            snapshot.places.extend(places);
        }
        snapshot
    }

    /// The part that does not change.
    pub fn scene(&self) -> &Scene {
        &self.scene
    }

    /// Its two directions in the feature space, at right angles and of length 1 (or 0).
    pub fn directions(&self) -> &[Vec<f64>; 2] {
        &self.directions
    }

    /// The injected point with this number in the scene: which injection, which of its points.
    pub fn find(&self, injections: &[Injection], number: usize) -> Option<(usize, usize)> {
        let mut left = number.checked_mul(every(count(injections), MOST_INJECTED))?;
        for (one, injection) in injections.iter().enumerate() {
            let points = injection.labels.len();
            if left < points {
                return Some((one, left));
            }
            left -= points;
        }
        None
    }
}

fn count(injections: &[Injection]) -> usize {
    injections.iter().map(|one| one.labels.len()).sum()
}

/// Task, label and features of the injected points that have a place.
fn shown(injections: &[Injection], d: usize) -> impl Iterator<Item = (usize, f64, &[f64])> {
    let all = injections.iter().flat_map(move |injection| {
        let points = injection.points.chunks_exact(d + 1);
        (points.zip(&injection.labels))
            .map(move |(point, &label)| (injection.task, label, &point[..d]))
    });
    all.step_by(every(count(injections), MOST_INJECTED))
}

/// One in so many of `count`, so that at most `most` are left.
pub fn every(count: usize, most: usize) -> usize {
    count.div_ceil(most).max(1)
}

/// A vector of length 1, or of zeros where there is no direction.
fn unit(mut x: Vec<f64>) -> Vec<f64> {
    let norm = norm_squared(&x).sqrt();
    let factor = if norm > 0.0 { 1.0 / norm } else { 0.0 };
    x.iter_mut().for_each(|x| *x *= factor);
    x
}

/// The sign that makes the entry of largest size positive.
fn upright(mut x: Vec<f64>) -> Vec<f64> {
    let largest = x.iter().copied().fold(
        0.0,
        |largest: f64, x| {
            if x.abs() > largest.abs() { x } else { largest }
        },
    );
    if largest < 0.0 {
        x.iter_mut().for_each(|x| *x = -*x);
    }
    x
}

/// The direction in which the rows are longest, by power iteration from the longest row; zeros
/// where all rows are.
fn leading(rows: &[Vec<f64>]) -> Vec<f64> {
    let longest = (rows.iter()).max_by(|a, b| norm_squared(a).total_cmp(&norm_squared(b)));
    let mut direction = unit(longest.cloned().unwrap_or_default());
    for _ in 0..ROUNDS {
        let mut next = vec![0.0; direction.len()];
        for row in rows {
            add_scaled(&mut next, dot(row, &direction), row);
        }
        direction = unit(next);
    }
    direction
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attack::InjectedLabels;
    use crate::data::sample::{Points, TaskSample};
    use crate::rng::{Random, Stream};

    /// Points whose third feature varies most, their second least.
    fn sample(counts: &[usize]) -> Sample {
        let mut random = Random::new(1, Stream::Synthetic, 0);
        let mut points = |count: usize| Points {
            features: (0..count)
                .flat_map(|_| {
                    let [x, y, z] = [0.2, 0.05, 0.4].map(|size| size * random.normal());
                    [x, y, z, 1.0]
                })
                .collect(),
            labels: (0..count).map(|k| k as f64).collect(),
        };
        let tasks = (counts.iter())
            .map(|&count| TaskSample {
                name: String::new(),
                train: points(count),
                test: points(1),
            })
            .collect();
        Sample {
            features: 3,
            kind: Kind::Regression,
            tasks,
            columns: Vec::new(),
        }
    }

    fn injection(task: usize, count: usize) -> Injection {
        let rule = (InjectedLabels::Uniform, true, [0.0].as_slice());
        Injection::draw(task, count, 3, 1.0, rule, 7)
    }

    #[test]
    fn the_plane_is_spanned_by_the_targets_model_and_the_widest_direction_across_it() {
        let weights = [vec![0.0, -2.0, 0.0, 9.0], vec![1.0, 1.0, 1.0, 0.0]];
        let plane = Plane::new(&sample(&[300, 10]), &weights, &[0], &[injection(1, 1)], 1.0);
        let [first, second] = &plane.directions;
        assert_eq!(first, &[0.0, -1.0, 0.0]);
        assert!(second[2] > 0.98 && second[1] == 0.0, "{second:?}");
        assert!((norm_squared(second) - 1.0).abs() < 1e-12);
        assert_eq!(plane.scene().names[0], "along the clean model of T1");
    }

    #[test]
    fn opposed_targets_share_a_direction() {
        let weights = [vec![3.0, 0.1, 0.0, 0.0], vec![-2.0, 0.1, 0.0, 0.0]];
        let plane = Plane::new(
            &sample(&[20, 20]),
            &weights,
            &[0, 1],
            &[injection(0, 1), injection(1, 1)],
            1.0,
        );
        assert!(plane.directions[0][0].abs() > 0.99);
        assert!(dot(&plane.directions[0], &plane.directions[1]).abs() < 1e-12);
    }

    #[test]
    fn a_model_of_zeros_and_points_without_spread_have_a_defined_plane() {
        let zero = [vec![0.0; 4]];
        let plane = Plane::new(&sample(&[50]), &zero, &[0], &[injection(0, 1)], 1.0);
        assert!(plane.directions[0][2] > 0.98);
        assert_eq!(plane.scene().names[0], "where clean points vary most");
        let mut one = sample(&[1]);
        one.features = 3;
        let plane = Plane::new(&one, &zero, &[0], &[injection(0, 1)], 1.0);
        assert_eq!(plane.directions, [vec![0.0; 3], vec![0.0; 3]]);
        assert!(plane.scene().clean.iter().all(|x| x.is_finite()));
    }

    #[test]
    fn snapshots_hold_where_points_moved_and_how_far() {
        let weights = [vec![1.0, 0.0, 0.0, 0.0]];
        let mut injections = vec![injection(0, 2)];
        let plane = Plane::new(&sample(&[10]), &weights, &[0], &injections, 1.0);
        let start = plane.look(&injections);
        assert_eq!((start.moved, plane.scene().count), (0.0, 2));
        assert_eq!(start.places[0], injections[0].points[0]);
        assert_eq!(plane.scene().injected[0], 0.0);
        assert_eq!(plane.scene().injected[3], injections[0].labels[1]);
        injections[0].points[..3].copy_from_slice(&[0.0, 0.0, -1.0]);
        let later = plane.look(&injections);
        assert!(later.moved > 0.0 && later.on_surface == start.on_surface + 1);
        assert!(later.places[0].abs() < 1e-12 && later.places[1].abs() > 0.9);
        assert_eq!(later.places[2..], start.places[2..]);
    }

    #[test]
    fn the_number_of_shown_points_is_bounded() {
        let weights = [vec![1.0, 0.0, 0.0, 0.0], vec![0.0; 4]];
        let injections = [injection(0, 700), injection(1, 701)];
        let plane = Plane::new(&sample(&[1000, 3]), &weights, &[0], &injections, 1.0);
        let scene = plane.scene();
        assert!((300..=MOST_CLEAN + 3).contains(&(scene.clean.len() / 4)));
        assert_eq!(scene.count, 1401);
        let look = plane.look(&injections);
        assert!((100..=MOST_INJECTED).contains(&(look.places.len() / 2)));
        assert_eq!(look.places.len(), scene.injected.len());
        // No injected point at all.
        let none = [injection(1, 0)];
        let plane = Plane::new(&sample(&[5, 3]), &weights, &[0], &none, 1.0);
        let look = plane.look(&none);
        assert_eq!(
            (look.moved, look.places.len(), plane.scene().count),
            (0.0, 0, 0)
        );
    }
}
