//! Studies of a specification that run many: the choice of λ, the risk map.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use pyo3::prelude::*;

use super::data::DataSet;
use super::outcome::{Checked, Request, fragment};
use super::picture::{Look, data_name, with_note};
use super::work::{Progress, Reporter, interruptibly};
use super::{exception, json};
use crate::chart::heatmap::{self, Heatmap};
use crate::chart::{self, tuning as tuning_chart};
use crate::error::{Error, Result};
use crate::interrupt;
use crate::risk::{self, Base, Cell};
use crate::tuning::{self, Grid};

/// A choice of λ1 and λ2.
#[pyclass(frozen, module = "patom._native")]
pub struct Tuning(tuning::Tuning);

#[pymethods]
impl Tuning {
    /// Chooses λ1 and λ2 by cross-validation; without lists the default grid.
    #[new]
    #[pyo3(signature = (request, data, folds, lambda1=None, lambda2=None, progress=None))]
    fn new(
        py: Python<'_>,
        request: &Request,
        data: Option<&DataSet>,
        folds: usize,
        lambda1: Option<Vec<f64>>,
        lambda2: Option<Vec<f64>>,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<Self> {
        let Checked { spec, data } = request.checked(py, data)?;
        let default = Grid::default();
        let grid = Grid {
            folds,
            lambda1: lambda1.unwrap_or(default.lambda1),
            lambda2: lambda2.unwrap_or(default.lambda2),
        };
        interruptibly(py, progress, move |reporter| {
            tuning::tune(&spec, &data, &grid, &mut |done, all| {
                reporter.report(Progress::Count(done, all))
            })
        })
        .map(Self)
    }

    fn json(&self) -> String {
        json(&self.0)
    }

    fn svg(&self, py: Python<'_>, width: f64, dark: bool) -> PyResult<String> {
        let curves = self.0.curves();
        let column = |pick: fn(&(f64, Option<f64>, Option<f64>)) -> Option<f64>| -> Vec<f64> {
            let values = curves.iter().map(pick);
            values.map(|value| value.unwrap_or(f64::NAN)).collect()
        };
        let drawn = tuning_chart::Curves {
            lambda1: &column(|row| Some(row.0)),
            multi_task: &column(|row| row.1),
            single_task: &column(|row| row.2),
            chosen: self.0.multi_task.lambda1,
            metric_name: self.0.metric_name,
        };
        let look = Look { width, dark };
        let title = format!("{}: choice of λ", data_name(&self.0.spec));
        (look.checked_width())
            .and_then(|width| {
                chart::svg(width, 300.0, look.style(), |area, style| {
                    tuning_chart::draw(area, &drawn, style)
                })
            })
            .and_then(|svg| with_note(&svg, &title, &format!("#{}", self.0.link), ""))
            .map_err(|error| exception(py, &error))
    }
}

/// A risk map.
#[pyclass(frozen, module = "patom._native")]
pub struct RiskMap {
    map: risk::RiskMap,
    link: String,
}

#[pymethods]
impl RiskMap {
    /// One attack for each pair of tasks. The result does not depend on the number of threads.
    #[new]
    #[pyo3(signature = (request, data, threads=None, progress=None))]
    fn new(
        py: Python<'_>,
        request: &Request,
        data: Option<&DataSet>,
        threads: Option<usize>,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<Self> {
        let Checked { spec, data } = request.checked(py, data)?;
        interruptibly(py, progress, move |reporter| {
            let base = Base::new(&spec, &data)?;
            let cells = run_all(&base, threads, reporter)?;
            Ok(Self {
                map: base.map(&cells),
                link: fragment(&spec, &data),
            })
        })
    }

    fn json(&self) -> String {
        json(&self.map)
    }

    fn csv(&self) -> String {
        self.map.csv()
    }

    #[getter]
    fn link(&self) -> String {
        format!("#{}", self.link)
    }

    fn svg(&self, py: Python<'_>, width: f64, dark: bool) -> PyResult<String> {
        let map = &self.map;
        let m = map.task_names.len();
        let values: Vec<f64> = (map.damage.iter().flatten())
            .map(|damage| damage.unwrap_or(f64::NAN))
            .collect();
        let metric = map.metric_name.text();
        let title = format!("Damage ({metric}) by one attacked task (row) to one target (column)");
        let heatmap = Heatmap {
            names: &[],
            values: &values,
            tasks: m,
            targets: &[],
            attackers: &[],
            title: &title,
            open_ended: true,
            cursor: None,
            task: None,
        };
        let look = Look { width, dark };
        (look.checked_width())
            .and_then(|width| {
                let height = heatmap::layout(width, m).height;
                chart::svg(width, height, look.style(), |area, style| {
                    heatmap::draw(area, &heatmap, style)
                })
            })
            .and_then(|svg| with_note(&svg, &title, &self.link(), ""))
            .map_err(|error| exception(py, &error))
    }
}

/// All entries in the order of their rows, whichever thread made them.
fn run_all(base: &Base, threads: Option<usize>, reporter: &mut Reporter) -> Result<Vec<Cell>> {
    let m = base.task_count();
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let threads = threads.unwrap_or(cores).clamp(1, 64);
    let next = AtomicUsize::new(0);
    let flag = interrupt::current();
    let (sender, receiver) = mpsc::channel();
    let worker = |sender: mpsc::Sender<(usize, Result<Cell>)>| {
        interrupt::with(flag.clone(), || {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= m * m {
                    return;
                }
                let cell = base.cell(number / m, number % m);
                if sender.send((number, cell)).is_err() {
                    return;
                }
            }
        });
    };
    std::thread::scope(|scope| {
        for _ in 0..threads {
            let sender = sender.clone();
            scope.spawn(|| worker(sender));
        }
        drop(sender);
        let mut cells: Vec<Option<Cell>> = vec![None; m * m];
        let mut done = 0;
        // The receiver goes with an error, and the threads end after the entry that they are at.
        for (number, cell) in receiver {
            cells[number] = Some(cell?);
            done += 1;
            if let ControlFlow::Break(()) = reporter.report(Progress::Count(done, m * m)) {
                return Err(Error::Cancelled);
            }
        }
        let all: Option<Vec<Cell>> = cells.into_iter().collect();
        // A thread that panicked sent nothing; the scope passes the panic on.
        all.ok_or(Error::Cancelled)
    })
}
