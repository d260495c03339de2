//! Studies of a specification that run many: the choice of λ, the risk map, the study of defences.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use pyo3::prelude::*;

use super::data::DataSet;
use super::outcome::{Checked, Request, fragment};
use super::picture::{Look, data_name, with_note};
use super::work::{Progress, Reporter, interruptibly};
use super::{exception, json};
use crate::chart::defence as picture;
use crate::chart::{self, tuning as tuning_chart};
use crate::defence::study::{self, Job, JobResult};
use crate::error::{Error, Result};
use crate::experiment::Unobserved;
use crate::interrupt;
use crate::risk::{self, Base, Found, Part, Study};
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
        let or_nan = |value: Option<f64>| value.unwrap_or(f64::NAN);
        let lambda1: Vec<f64> = curves.iter().map(|row| row.0).collect();
        let multi_task: Vec<f64> = curves.iter().map(|row| or_nan(row.1)).collect();
        let single_task: Vec<f64> = curves.iter().map(|row| or_nan(row.2)).collect();
        let drawn = tuning_chart::Curves {
            lambda1: &lambda1,
            multi_task: &multi_task,
            single_task: &single_task,
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
            let mut study = Study::of(&spec, &data)?;
            let base = Base::new(&spec, &data)?;
            let tasks: Vec<usize> = (0..base.task_count()).collect();
            let rows = run_all(&tasks, threads, reporter, |&task| base.row(task))?;
            for (task, row) in rows.into_iter().enumerate() {
                study.add(Part::Map, task, Found::Row(row))?;
            }
            Ok(Self {
                map: study.map(),
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
        let metric = map.metric_name.text();
        let title = format!("Damage ({metric}) by one attacked task (row) to one target (column)");
        let look = Look { width, dark };
        (look.checked_width())
            .and_then(|width| {
                let height = chart::risk::map_height(width, m);
                chart::svg(width, height, look.style(), |area, style| {
                    chart::risk::draw_map(area, &title, map, style)
                })
            })
            .and_then(|svg| with_note(&svg, &title, &self.link(), ""))
            .map_err(|error| exception(py, &error))
    }
}

/// A study of defences.
#[pyclass(frozen, module = "patom._native")]
pub struct DefenceStudy {
    study: study::DefenceStudy,
    link: String,
}

#[pymethods]
impl DefenceStudy {
    /// What each defence is worth for a specification. The result does not depend on the number of
    /// threads.
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
            let jobs = study::jobs(&spec)?;
            let work = |job: &Job| JobResult::of(job, &data, &mut Unobserved).map(Some);
            let results = run_all(&jobs, threads, reporter, work)?;
            let study = study::DefenceStudy::of(&jobs, &results);
            Ok(Self {
                study: study.expect("the first job is done"),
                link: fragment(&spec, &data),
            })
        })
    }

    fn json(&self) -> String {
        json(&self.study)
    }

    /// A row for each defence, as JSON.
    fn rows(&self) -> String {
        json(&self.study.rows())
    }

    fn csv(&self) -> String {
        self.study.csv()
    }

    fn rankings_csv(&self) -> String {
        self.study.rankings_csv()
    }

    /// A picture: `caps`, `sanitisers`, or `rankings` (those of the standard attacker).
    fn svg(&self, py: Python<'_>, kind: &str, width: f64, dark: bool) -> PyResult<String> {
        let study = &self.study;
        let look = Look { width, dark };
        let style = look.style();
        let drawn = || match (kind, look.checked_width()?, study.rankings.first()) {
            ("caps", width, _) => {
                chart::svg(width, picture::caps_height(width), style, |area, style| {
                    picture::draw_caps(area, study, None, style)
                })
            }
            ("sanitisers", width, _) => {
                let height = picture::sanitisers_height(width, study);
                chart::svg(width, height, style, |area, style| {
                    picture::draw_sanitisers(area, study, style)
                })
            }
            ("rankings", width, Some(rankings)) => {
                let height = picture::rankings_height(width);
                chart::svg(width, height, style, |area, style| {
                    picture::draw_rankings(area, rankings, style)
                })
            }
            ("rankings", _, None) => Err(Error::data("nothing was ranked")),
            _ => {
                let expected = "caps, sanitisers or rankings";
                Err(Error::field("kind", kind, expected))
            }
        };
        let title = format!("{}: study of defences", data_name(&study.spec));
        drawn()
            .and_then(|svg| with_note(&svg, &title, &self.link(), &study.digest))
            .map_err(|error| exception(py, &error))
    }

    #[getter]
    fn link(&self) -> String {
        format!("#{}", self.link)
    }
}

/// Does all the work on several threads, and reports how much is done. The results are in the order of
/// `items`, whichever thread made them. After an error no further item is begun.
fn run_all<T: Sync, R: Send>(
    items: &[T],
    threads: Option<usize>,
    reporter: &mut Reporter,
    work: impl Fn(&T) -> Result<R> + Sync,
) -> Result<Vec<R>> {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let threads = threads.unwrap_or(cores).clamp(1, items.len().clamp(1, 64));
    let next = AtomicUsize::new(0);
    let flag = interrupt::current();
    let (sender, receiver) = mpsc::channel();
    let worker = |sender: mpsc::Sender<(usize, Result<R>)>| {
        interrupt::with(flag.clone(), || {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let Some(item) = items.get(number) else {
                    return;
                };
                // Nobody receives it after an error.
                if sender.send((number, work(item))).is_err() {
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
        let mut results: Vec<Option<R>> = items.iter().map(|_| None).collect();
        let mut done = 0;
        for (number, result) in receiver {
            results[number] = Some(result?);
            done += 1;
            if reporter
                .report(Progress::Count(done, items.len()))
                .is_break()
            {
                return Err(Error::Cancelled);
            }
        }
        let all: Option<Vec<R>> = results.into_iter().collect();
        // A thread that panicked sent nothing; the scope passes the panic on.
        all.ok_or(Error::Cancelled)
    })
}
