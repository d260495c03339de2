//! Injected points moved by hand: a place in the plane of the picture in, the retrained model out.
//!
//! Not here: the drawing, and who moves them.

use crate::attack::{self, Aim, Domain, InjectedFeatures, Injection};
use crate::data::DataSet;
use crate::data::sample::Sample;
use crate::error::{Error, Result};
use crate::experiment::{self, Prepared, Unobserved};
use crate::linalg::{add_scaled, dot, norm_squared};
use crate::mtrl::{self, Limits, Problem};
use crate::projection::Plane;
use crate::report::Model;
use crate::spec::Spec;

/// The end of a run, whose injected points can be moved.
pub struct ByHand {
    spec: Spec,
    sample: Sample,
    problem: Problem,
    domain: Domain,
    plane: Plane,
    injections: Vec<Injection>,
    /// The points as the run left them.
    home: Vec<Injection>,
}

/// What a model trained with these points is.
#[derive(Clone, Debug)]
pub struct Retrained {
    /// The model.
    pub model: Model,
    /// U over all clean training points of the target tasks, whatever the attacker of the run knew.
    pub utility: f64,
    /// Where the injected points of the picture are: two numbers each.
    pub places: Vec<f64>,
    /// The l2 norm of the point that was moved last.
    pub norm: f64,
}

impl ByHand {
    /// Runs a specification on the data that it names, and takes its points in hand.
    ///
    /// # Errors
    /// Those of the run; no injected point; points that have to be copies of clean ones.
    pub fn new(spec: &Spec, data: &DataSet) -> Result<Self> {
        if spec.injected_features == InjectedFeatures::Copied {
            return Err(Error::invalid(
                "injected_features",
                "copies of clean points cannot be moved",
            ));
        }
        let outcome = experiment::run(spec, data, &mut Unobserved)?;
        let Prepared {
            sample,
            injections: start,
            poisoned: problem,
            ..
        } = experiment::prepare(spec, data, None)?;
        if start.iter().all(|injection| injection.labels.is_empty()) {
            return Err(Error::invalid("budget", "there is no injected point"));
        }
        let settings = experiment::attack_settings(spec, &sample)?;
        let radius = experiment::radius(spec, &sample);
        let weights = &outcome.report.clean.weights;
        Ok(Self {
            plane: Plane::new(&sample, weights, &spec.targets, &start, radius),
            spec: spec.clone(),
            sample,
            problem,
            domain: settings.domain,
            home: outcome.injections.clone(),
            injections: outcome.injections,
        })
    }

    /// Moves the injected point with this number in the picture to a place in the plane, as far as it
    /// may lie there, and retrains from scratch: the same points give the same model. What the plane
    /// does not show of the point stays, as far as the ball has room for it.
    ///
    /// # Errors
    /// No such point; a place that is not finite; a numerical breakdown.
    pub fn move_to(&mut self, number: usize, place: [f64; 2]) -> Result<Retrained> {
        if !place.iter().all(|x| x.is_finite()) {
            return Err(Error::field(
                "place",
                format!("{place:?}"),
                "finite numbers",
            ));
        }
        let (one, point) = self
            .plane
            .find(&self.injections, number)
            .ok_or_else(|| Error::field("point", number, "the number of a point in the picture"))?;
        let d = self.sample.features;
        let from = point * (d + 1);
        let mut x = self.home[one].points[from..from + d].to_vec();
        self.put(&mut x, place);
        self.injections[one].points[from..from + d].copy_from_slice(&x);
        self.retrain(norm_squared(&x).sqrt())
    }

    /// Puts all points back where the run left them, and retrains.
    ///
    /// # Errors
    /// A numerical breakdown.
    pub fn restore(&mut self) -> Result<Retrained> {
        self.injections.clone_from(&self.home);
        self.retrain(f64::NAN)
    }

    /// The injected points, as they are now.
    pub fn injections(&self) -> &[Injection] {
        &self.injections
    }

    /// Replaces the part of a point that lies in the plane.
    fn put(&self, x: &mut [f64], place: [f64; 2]) {
        let directions = self.plane.directions();
        for u in directions {
            let share = dot(x, u);
            add_scaled(x, -share, u);
        }
        let size = (place[0] * place[0] + place[1] * place[1]).sqrt();
        let mut within = 1.0;
        if let Domain::Ball { radius } = self.domain {
            within = if size > radius { radius / size } else { 1.0 };
            let size = size.min(radius);
            let room = (radius * radius - size * size).max(0.0).sqrt();
            let rest = norm_squared(x).sqrt();
            if rest > room {
                x.iter_mut().for_each(|x| *x *= room / rest);
            }
        }
        for (u, at) in directions.iter().zip(place) {
            add_scaled(x, at * within, u);
        }
        self.domain.project(x);
    }

    fn retrain(&mut self, norm: f64) -> Result<Retrained> {
        attack::place(&mut self.problem, &self.injections);
        let solver = self.spec.solver;
        let solution = mtrl::solve(solver, &mut self.problem, None, &Limits::default())?;
        let aim = Aim {
            utility: self.spec.utility,
            targets: &self.spec.targets,
        };
        Ok(Retrained {
            utility: aim.value(&self.problem, &solution.w),
            model: experiment::model(&solution, &self.sample),
            places: self.plane.look(&self.injections).places,
            norm,
        })
    }
}
