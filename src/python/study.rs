//! Studies of a specification that run many: the choice of λ, the risk map, the study of defences.

use pyo3::prelude::*;
use serde::{Deserialize, Serialize};

use super::data::DataSet;
use super::outcome::{Checked, Request, fragment};
use super::pickle::{Reduced, Text, reduced_study};
use super::picture::{data_name, picture};
use super::work::{Progress, interruptibly, run_all};
use super::{file, json};
use crate::chart::{self, defence as charts, tuning as tuning_chart};
use crate::defence::study::{self, Job, JobResult};
use crate::error::Error;
use crate::experiment::Unobserved;
use crate::risk::{self, Base, Found, Part, Study};
use crate::tuning::{self, Grid};

/// A choice of λ1 and λ2.
#[pyclass(frozen, module = "patom._native")]
#[derive(Serialize, Deserialize)]
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

    fn __reduce__<'py>(&self, py: Python<'py>) -> Reduced<'py, Text> {
        reduced_study(py, self)
    }

    fn json(&self) -> String {
        file(&self.0)
    }

    #[getter]
    fn link(&self) -> String {
        format!("#{}", self.0.link)
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
        let title = format!("{}: choice of λ", data_name(&self.0.spec));
        picture(
            py,
            (width, dark),
            (&title, &self.link(), ""),
            |width, style| {
                chart::svg(width, 300.0, style, |area, style| {
                    tuning_chart::draw(area, &drawn, style)
                })
            },
        )
    }
}

/// A risk map.
#[pyclass(frozen, module = "patom._native")]
#[derive(Serialize, Deserialize)]
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

    fn __reduce__<'py>(&self, py: Python<'py>) -> Reduced<'py, Text> {
        reduced_study(py, self)
    }

    fn json(&self) -> String {
        file(&self.map)
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
        picture(
            py,
            (width, dark),
            (&title, &self.link(), ""),
            |width, style| {
                chart::svg(
                    width,
                    chart::risk::map_height(width, m),
                    style,
                    |area, style| chart::risk::draw_map(area, &title, map, style),
                )
            },
        )
    }
}

/// A study of defences.
#[pyclass(frozen, module = "patom._native")]
#[derive(Serialize, Deserialize)]
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

    fn __reduce__<'py>(&self, py: Python<'py>) -> Reduced<'py, Text> {
        reduced_study(py, self)
    }

    fn json(&self) -> String {
        file(&self.study)
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
        let title = format!("{}: study of defences", data_name(&study.spec));
        picture(
            py,
            (width, dark),
            (&title, &self.link(), &study.digest),
            |width, style| match (kind, study.rankings.first()) {
                ("caps", _) => {
                    let height = charts::caps_height(width);
                    chart::svg(width, height, style, |area, style| {
                        charts::draw_caps(area, study, None, style)
                    })
                }
                ("sanitisers", _) => {
                    let height = charts::sanitisers_height(width, study);
                    chart::svg(width, height, style, |area, style| {
                        charts::draw_sanitisers(area, study, style)
                    })
                }
                ("rankings", Some(rankings)) => {
                    let height = charts::rankings_height(width);
                    chart::svg(width, height, style, |area, style| {
                        charts::draw_rankings(area, rankings, style)
                    })
                }
                ("rankings", None) => Err(Error::data("nothing was ranked")),
                _ => {
                    let expected = "caps, sanitisers or rankings";
                    Err(Error::field("kind", kind, expected))
                }
            },
        )
    }

    #[getter]
    fn link(&self) -> String {
        format!("#{}", self.link)
    }
}
