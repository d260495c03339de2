//! Specification and data in, report out: the one entry for the command line and the page.
//!
//! Not here: files, clocks, threads. An [`Observer`] brings the time, hears of every iteration and
//! may end the run.

use std::ops::ControlFlow;

use crate::data::DataSet;
use crate::error::Result;
use crate::report::{Model, Report, TracePoint};
use crate::spec::Spec;

/// The version of the engine: what reports and links say they were made with.
pub const ENGINE: &str = env!("CARGO_PKG_VERSION");

/// Who watches a run.
pub trait Observer {
    /// Seconds since some fixed moment; only differences are used, and only for display.
    fn now(&mut self) -> f64 {
        0.0
    }

    /// The model of the clean points is there.
    fn clean(&mut self, _model: &Model) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    /// An iteration is done. `Break` ends the run with `Error::Cancelled`.
    fn iteration(&mut self, _point: &TracePoint) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

/// An observer that does not care.
pub struct Unobserved;
impl Observer for Unobserved {}

/// A report and the points behind it.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The report.
    pub report: Report,
}

impl Outcome {
    /// The text of `points.csv`: `task,split,label,x1,...,xd`.
    pub fn points_csv(&self) -> String {
        String::new()
    }
}

/// Runs a specification. `data` must be the data set that the specification names; for
/// `synthetic` use [`load_synthetic`].
///
/// # Errors
/// Too few points, a numerical breakdown, or cancelled by the observer.
pub fn run(_spec: &Spec, _data: &DataSet, _observer: &mut dyn Observer) -> Result<Outcome> {
    Err(crate::error::Error::Cancelled)
}

/// The synthetic data set that a specification means (its loss and seed decide it).
///
/// # Errors
/// None in this version.
pub fn load_synthetic(_spec: &Spec) -> Result<DataSet> {
    Err(crate::error::Error::Cancelled)
}
