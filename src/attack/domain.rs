//! Where injected points may lie: in a ball, or where the clean training points of each column do.
//! Not here: how points move.

use crate::affine::Affine;
use crate::attack::project;
use crate::choice::choice;

choice! {
    /// Where injected points may lie.
    FeatureDomain {
        /// Anywhere in the ball of the radius.
        Ball = "ball" => "anywhere in a ball",
        /// Each feature between its smallest and largest clean training value; whole where all of
        /// those are.
        Observed = "observed" => "possible values only",
    }
}

/// The domain of the injected points of a run.
#[derive(Clone, Debug, PartialEq)]
pub enum Domain {
    /// The ball of this radius.
    Ball {
        /// Its radius.
        radius: f64,
    },
    /// The values that each column can have.
    Observed(Vec<Interval>),
}

/// The values that a column can have, in scaled units.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// Smallest.
    pub low: f64,
    /// Largest.
    pub high: f64,
    /// Only whole numbers of the units that this map leads back to.
    pub whole: Option<Affine>,
}

impl Domain {
    /// Moves a point (d features) to the nearest one of the domain. Twice is the same as once.
    pub fn project(&self, point: &mut [f64]) {
        match self {
            Self::Ball { radius } => project(point, *radius),
            Self::Observed(intervals) => {
                for (x, interval) in point.iter_mut().zip(intervals) {
                    *x = interval.nearest(*x);
                }
            }
        }
    }

    /// Moves a point into the hull of the domain: whole numbers need not be whole yet. Between the
    /// small steps of a batch, which rounding would undo one by one.
    pub(crate) fn confine(&self, point: &mut [f64]) {
        match self {
            Self::Ball { radius } => project(point, *radius),
            Self::Observed(intervals) => {
                for (x, interval) in point.iter_mut().zip(intervals) {
                    *x = x.clamp(interval.low, interval.high);
                }
            }
        }
    }
}

impl Interval {
    fn nearest(&self, x: f64) -> f64 {
        let inside = x.clamp(self.low, self.high);
        match &self.whole {
            // Its ends are whole, so that rounding does not leave it.
            Some(units) => units
                .scaled(units.original(inside).round())
                .clamp(self.low, self.high),
            None => inside,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_observed_domain_holds_possible_values_only() {
        let units = Affine {
            mean: 2.3,
            shift: 0.0,
            deviation: 1.7,
            norm: 3.1,
        };
        let interval = Interval {
            low: units.scaled(1.0),
            high: units.scaled(4.0),
            whole: Some(units),
        };
        let free = Interval {
            low: -0.5,
            high: 0.25,
            whole: None,
        };
        let domain = Domain::Observed(vec![interval, free]);
        for (value, nearest) in [(-9.0, 1.0), (1.4, 1.0), (2.6, 3.0), (3.9, 4.0), (80.0, 4.0)] {
            let mut point = [units.scaled(value), 0.3];
            domain.project(&mut point);
            // To the bit: it is the value that a clean point has.
            assert_eq!(point, [units.scaled(nearest), 0.25], "{value}");
            let again = point;
            domain.project(&mut point);
            assert_eq!(point, again);
        }
        let mut point = [units.scaled(2.6), -0.7];
        domain.confine(&mut point);
        assert_eq!(point, [units.scaled(2.6), -0.5]);
    }
}
