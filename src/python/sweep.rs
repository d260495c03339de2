//! Runs of a sweep: planned, run to a row, read again. Not here: files and who runs what (`_sweep.py`).

use std::sync::Arc;
use std::time::Instant;

use pyo3::prelude::*;

use super::data::DataSet;
use super::exception;
use super::outcome::Request;
use super::work::{interruptibly, run_rows};
use crate::Error;
use crate::experiment::Observer;
use crate::spec::Spec;
use crate::sweep;

/// The runs that a grid asks for, unchecked.
#[pyfunction]
pub fn expand(py: Python<'_>, text: &str) -> PyResult<Vec<Request>> {
    let links = sweep::expand(text).map_err(|error| exception(py, &error))?;
    Ok(links.into_iter().map(Request).collect())
}

/// The table of rows, as CSV.
#[pyfunction]
#[expect(
    clippy::needless_pass_by_value,
    reason = "PyO3 hands over owned values"
)]
pub fn sweep_csv(py: Python<'_>, rows: Vec<String>) -> PyResult<String> {
    sweep::csv(rows.iter().map(String::as_str)).map_err(|error| exception(py, &error))
}

/// A checked run with its key.
#[pyclass(frozen, module = "patom._native")]
pub struct Planned(Arc<sweep::Planned>);

impl Planned {
    pub(super) fn new(spec: Spec, data: Option<&DataSet>) -> Self {
        let data = data.map(|DataSet(data)| &**data);
        Self(Arc::new(sweep::Planned::new(spec, data)))
    }
}

#[pymethods]
impl Planned {
    #[getter]
    fn key(&self) -> &str {
        &self.0.key
    }

    /// The fragment of its link, without `#`.
    #[getter]
    fn link(&self) -> &str {
        &self.0.link
    }

    /// Its line of the plan.
    #[getter]
    fn line(&self) -> String {
        self.0.line()
    }
}

/// Runs each on its data set (None: synthetic), on one thread for each core unless `threads` says otherwise,
/// and calls `add` with its row as soon as it is there, also where it fails by itself.
#[pyfunction]
#[pyo3(signature = (runs, threads, add))]
pub fn run_planned(
    py: Python<'_>,
    runs: Vec<(Bound<'_, Planned>, Option<Bound<'_, DataSet>>)>,
    threads: Option<usize>,
    add: Py<PyAny>,
) -> PyResult<()> {
    let runs: Vec<_> = (runs.into_iter())
        .map(|(run, data)| {
            let data = data.map(|data| Arc::clone(&data.get().0));
            (Arc::clone(&run.get().0), data)
        })
        .collect();
    interruptibly(py, Some(add), move |reporter| {
        run_rows(&runs, threads, reporter, |(planned, data)| {
            match planned.run(data.as_deref(), &mut Clock(Instant::now())) {
                Err(Error::Cancelled) => Err(Error::Cancelled),
                Err(error) => Ok(planned.failed_row(&error.to_string())),
                row => row,
            }
        })
    })
}

struct Clock(Instant);

impl Observer for Clock {
    fn now(&mut self) -> f64 {
        self.0.elapsed().as_secs_f64()
    }
}

/// The rows that are there.
#[pyclass(module = "patom._native")]
#[derive(Default)]
pub struct Finished(sweep::Finished);

#[pymethods]
impl Finished {
    #[new]
    fn new() -> Self {
        Self::default()
    }

    /// Takes the rows of a file.
    fn read(&mut self, py: Python<'_>, name: &str, content: &[u8]) -> PyResult<()> {
        let text = String::from_utf8_lossy(content);
        (self.0.read(name, &text)).map_err(|error| exception(py, &error))
    }

    fn contains(&self, key: &str) -> bool {
        self.0.contains(key)
    }

    fn row(&self, key: &str) -> Option<&str> {
        self.0.row(key)
    }
}
