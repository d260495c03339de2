//! A request (specification or link), its run, and what the run gives.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Instant;

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use serde::{Deserialize, Serialize};

use super::data::DataSet;
use super::pickle::{Reduced, numbers, read, reduced};
use super::picture::{self, Shown};
use super::sweep::Planned;
use super::work::{Progress, Reporter, interruptibly};
use super::{bytes, exception, exception_of_all, file, json};
use crate::attack::Injection;
use crate::data;
use crate::data::import::mapping::Mapping;
use crate::data::sample::{Points, Sample, TaskSample};
use crate::experiment::{self, ENGINE, Observer, RunPoints};
use crate::projection::{Plane, Scene};
use crate::provenance;
use crate::report::{Model, TracePoint};
use crate::spec::link::{self, Claim, Link};
use crate::spec::{DATASETS, DatasetRef, Draft, Shape, Spec};

/// What somebody asks for: a specification as far as it is written, with what a link says beside it.
#[pyclass(frozen, module = "patom._native")]
pub struct Request(pub(super) Link);

#[pymethods]
impl Request {
    /// Of JSON or of a link, with the fields of a second JSON object in place of its own. What a link
    /// claims is about what it says.
    #[new]
    #[pyo3(signature = (text, fields=None))]
    fn new(py: Python<'_>, text: &str, fields: Option<&str>) -> PyResult<Self> {
        let read = || {
            let mut link = if link::is_link(text) {
                link::decode(text)?
            } else {
                Link {
                    draft: Draft::parse(text)?,
                    ..Link::default()
                }
            };
            if let Some(fields) = fields {
                link.draft = link.draft.with(&Draft::parse(fields)?);
                link.claim = Claim::default();
            }
            Ok(Self(link))
        };
        read().map_err(|error| exception(py, &error))
    }

    /// Of a file that holds one: JSON, a link, a report, or a picture that was saved with its
    /// specification.
    #[staticmethod]
    #[pyo3(signature = (content, fields=None))]
    fn of_file(py: Python<'_>, content: &[u8], fields: Option<&str>) -> PyResult<Self> {
        // A picture (PNG, SVG) or a report carries its specification among other things.
        if let Ok(text) = std::str::from_utf8(content)
            && !text.trim_start().starts_with('<')
            && !provenance::is_report(text)
        {
            return Self::new(py, text.trim(), fields);
        }
        let link = provenance::read(content).map_err(|error| exception(py, &error))?;
        Self::new(py, &link, fields)
    }

    /// The data set: its name (or a path), and the SHA-256 where it is a file's. None where nothing is
    /// written.
    fn dataset(&self, py: Python<'_>) -> PyResult<Option<(String, Option<String>)>> {
        if self.0.draft.get("dataset").is_none() {
            return Ok(None);
        }
        match self.0.draft.dataset() {
            Ok(DatasetRef::Named(name)) => Ok(Some((name, None))),
            Ok(DatasetRef::File { name, sha256 }) => Ok(Some((name, Some(sha256)))),
            Err(error) => Err(exception(py, &error)),
        }
    }

    /// The mapping that a link has of its file.
    #[getter]
    fn columns(&self) -> Option<String> {
        self.0.columns.as_ref().map(Mapping::to_string)
    }

    #[getter]
    fn was_version_1(&self) -> bool {
        self.0.draft.was_version_1()
    }

    /// Keys of a link that have no effect.
    #[getter]
    fn unknown_keys(&self) -> Vec<&str> {
        self.0.unknown_keys()
    }

    /// The complete specification as JSON, checked for a data set (None: synthetic).
    #[pyo3(signature = (data=None))]
    fn complete(&self, py: Python<'_>, data: Option<&DataSet>) -> PyResult<String> {
        Ok(json(&self.checked(py, data)?.spec))
    }

    /// The link of the complete specification, without a claim.
    #[pyo3(signature = (data=None))]
    fn link(&self, py: Python<'_>, data: Option<&DataSet>) -> PyResult<String> {
        let Checked { spec, data } = self.checked(py, data)?;
        Ok(fragment(&spec, &data))
    }

    /// Planned as a run of a sweep.
    #[pyo3(signature = (data=None))]
    fn planned(&self, py: Python<'_>, data: Option<&DataSet>) -> PyResult<Planned> {
        let spec = self.spec(py, data)?;
        Ok(Planned::new(spec, data))
    }

    /// Runs it.
    #[pyo3(signature = (data=None, progress=None))]
    fn run(
        &self,
        py: Python<'_>,
        data: Option<&DataSet>,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<Outcome> {
        let Checked { spec, data } = self.checked(py, data)?;
        let asked = self.0.claim.clone();
        interruptibly(py, progress, move |reporter| {
            let mut watch = Watch {
                start: Instant::now(),
                reporter,
                spec: &spec,
                plane: None,
                paths: vec![Vec::new()],
            };
            let run = experiment::run(&spec, &data, &mut watch)?;
            let report = &run.report;
            let won = report.starts.as_ref().map_or(0, |starts| starts.won);
            let claim = report.claim();
            Ok(Outcome {
                link: format!("#{}&{}", fragment(&spec, &data), claim.write()),
                comparison: (asked.compare(&claim, report.metric_name))
                    .map(|comparison| (comparison.same, comparison.words)),
                report: file(report),
                digest: report.digest.clone(),
                converged: report.converged(),
                shown: Shown::of(report),
                scene: watch.plane.map(|plane| plane.scene().clone()),
                path: watch.paths.swap_remove(won),
                features: run.sample.features,
                tasks: run.sample.tasks,
                injections: run.injections,
                known: run.known,
                kept: run.kept,
            })
        })
    }
}

/// A specification and the data set that it names.
pub struct Checked {
    pub spec: Spec,
    pub data: Arc<data::DataSet>,
}

impl Request {
    pub(super) fn checked(&self, py: Python<'_>, data: Option<&DataSet>) -> PyResult<Checked> {
        let spec = self.spec(py, data)?;
        let data = if let Some(DataSet(data)) = data {
            Arc::clone(data)
        } else {
            let made = experiment::load_synthetic(&spec);
            Arc::new(made.map_err(|error| exception(py, &error))?)
        };
        Ok(Checked { spec, data })
    }

    /// The complete specification for a data set; none: the synthetic one, which is not made for it.
    pub(super) fn spec(&self, py: Python<'_>, data: Option<&DataSet>) -> PyResult<Spec> {
        let mut draft = self.0.draft.clone();
        let Some(DataSet(data)) = data else {
            let shape = Shape::named("synthetic").expect("it is always there");
            let check = draft.check(&shape);
            return check.map_err(|errors| exception_of_all(py, &errors));
        };
        let is_own = !DATASETS.contains(&data.name.as_str());
        let names_it = match draft.get("dataset") {
            None => true,
            // A path, which the caller has read.
            Some(_) => matches!(draft.dataset(), Ok(DatasetRef::Named(name))
                if !DATASETS.contains(&name.as_str())),
        };
        if names_it && is_own {
            let file = serde_json::json!({ "name": data.name, "sha256": data.sha256 });
            draft.set("dataset", file);
        } else if names_it {
            draft.set("dataset", data.name.as_str().into());
        }
        let check = draft.check(&Shape::of(data));
        check.map_err(|errors| exception_of_all(py, &errors))
    }
}

/// The fragment of a link, without `#`.
pub fn fragment(spec: &Spec, data: &data::DataSet) -> String {
    let fragment = link::encode(spec, &Shape::of(data));
    link::with_columns(&fragment, data.columns.as_deref())
}

/// Reports iterations, and keeps where the injected points are, for a picture.
struct Watch<'a> {
    start: Instant,
    reporter: &'a mut Reporter,
    spec: &'a Spec,
    plane: Option<Plane>,
    /// Of each start: the places in each iteration.
    paths: Vec<Vec<Vec<f64>>>,
}

impl Observer for Watch<'_> {
    fn now(&mut self) -> f64 {
        self.start.elapsed().as_secs_f64()
    }

    fn clean(
        &mut self,
        model: &Model,
        sample: &Sample,
        injections: &[Injection],
    ) -> ControlFlow<()> {
        let radius = experiment::radius(self.spec, sample);
        let targets = &self.spec.targets;
        self.plane = Some(Plane::new(
            sample,
            &model.weights,
            targets,
            injections,
            radius,
        ));
        ControlFlow::Continue(())
    }

    fn start(&mut self, number: usize) -> ControlFlow<()> {
        self.paths.resize(number + 1, Vec::new());
        ControlFlow::Continue(())
    }

    fn iteration(&mut self, point: &TracePoint, injections: &[Injection]) -> ControlFlow<()> {
        if let (Some(plane), Some(path)) = (&self.plane, self.paths.last_mut()) {
            path.push(plane.look(injections).places);
        }
        let progress = Progress::Iteration(point.iteration, point.metric, point.utility);
        self.reporter.report(progress)
    }
}

/// A block of points: task, split, X with the bias last, y, which rows a sanitiser keeps, which ones the
/// attacker sees.
type Block<'py> = (
    usize,
    String,
    Bound<'py, PyBytes>,
    Bound<'py, PyBytes>,
    Option<Vec<bool>>,
    Option<Vec<bool>>,
);

/// A finished run: what is asked of it later, so that it can be pickled without its report as objects.
#[pyclass(frozen, module = "patom._native")]
#[derive(Serialize, Deserialize)]
pub struct Outcome {
    /// `report.json`.
    report: String,
    digest: String,
    converged: bool,
    link: String,
    comparison: Option<(bool, String)>,
    shown: Shown,
    scene: Option<Scene>,
    path: Vec<Vec<f64>>,
    features: usize,
    // Numbers are pickled as bytes.
    #[serde(skip)]
    tasks: Vec<TaskSample>,
    #[serde(skip)]
    injections: Vec<Injection>,
    known: Option<Vec<Vec<bool>>>,
    kept: Option<Vec<Vec<bool>>>,
}

impl Outcome {
    fn points(&self) -> RunPoints<'_> {
        RunPoints {
            features: self.features,
            tasks: &self.tasks,
            injections: &self.injections,
            known: self.known.as_deref(),
            kept: self.kept.as_deref(),
        }
    }
}

#[pymethods]
impl Outcome {
    fn __reduce__<'py>(
        &self,
        py: Python<'py>,
    ) -> Reduced<'py, (&'static str, String, Vec<Block<'py>>)> {
        reduced(py, "restore_outcome", (ENGINE, json(self), self.blocks(py)))
    }

    /// `report.json`.
    fn json(&self) -> &str {
        &self.report
    }

    fn points_csv(&self) -> String {
        self.points().csv()
    }

    fn poisoned_csv(&self) -> String {
        self.points().poisoned_csv()
    }

    #[getter]
    fn digest(&self) -> &str {
        &self.digest
    }

    #[getter]
    fn converged(&self) -> bool {
        self.converged
    }

    /// With what the run found, which whoever opens it compares.
    #[getter]
    fn link(&self) -> &str {
        &self.link
    }

    /// How the result compares with the claim of the link that was run: whether it is the same, and a
    /// sentence. None without a claim.
    #[getter]
    fn comparison(&self) -> Option<(bool, &str)> {
        let (same, words) = self.comparison.as_ref()?;
        Some((*same, words))
    }

    /// All points of the run, in the order of `points.csv`.
    fn blocks<'py>(&self, py: Python<'py>) -> Vec<Block<'py>> {
        let kept = |task: usize, from: usize, count: usize| {
            let kept = &self.kept.as_ref()?[task];
            Some(kept[from..from + count].to_vec())
        };
        let mut blocks = Vec::new();
        for (number, task) in self.tasks.iter().enumerate() {
            let (train, test) = (&task.train, &task.test);
            let of = |values: &[f64]| bytes(py, values);
            let (x, y) = (of(&train.features), of(&train.labels));
            let known = self.known.as_ref().map(|known| known[number].clone());
            let kept = kept(number, 0, train.count());
            blocks.push((number, "train".into(), x, y, kept, known));
            let (x, y) = (of(&test.features), of(&test.labels));
            blocks.push((number, "test".into(), x, y, None, None));
        }
        for injection in &self.injections {
            let task = injection.task;
            let clean = self.tasks[task].train.count();
            let (x, y) = (bytes(py, &injection.points), bytes(py, &injection.labels));
            let kept = kept(task, clean, injection.labels.len());
            blocks.push((task, "injected".into(), x, y, kept, None));
        }
        blocks
    }

    /// A picture as SVG, which carries its specification: `curve`, `correlations` or `points`.
    fn svg(&self, py: Python<'_>, kind: &str, width: f64, dark: bool) -> PyResult<String> {
        let note = (&*self.shown.title, &*self.link, &*self.digest);
        picture::picture(py, (width, dark), note, |width, style| match kind {
            "curve" => self.shown.curve(width, style),
            "correlations" => self.shown.correlations(width, style),
            "points" => picture::points(self.scene.as_ref(), &self.path, width, style),
            _ => {
                let expected = "curve, correlations or points";
                Err(crate::Error::field("kind", kind, expected))
            }
        })
    }

    /// What the run did, in one line.
    #[getter]
    fn title(&self) -> &str {
        &self.shown.title
    }
}

/// A run that was pickled.
#[pyfunction]
pub fn restore_outcome(
    py: Python<'_>,
    engine: &str,
    text: &str,
    blocks: Vec<Block<'_>>,
) -> PyResult<Outcome> {
    let mut outcome: Outcome = read(py, engine, text)?;
    for (task, split, x, y, ..) in blocks {
        let (features, labels) = (numbers(&x), numbers(&y));
        let points = Points { features, labels };
        match (split.as_str(), outcome.tasks.last_mut()) {
            ("train", _) => outcome.tasks.push(TaskSample {
                name: String::new(),
                train: points,
                test: Points::default(),
            }),
            ("test", Some(last)) => last.test = points,
            _ => outcome.injections.push(Injection {
                task,
                points: points.features,
                labels: points.labels,
            }),
        }
    }
    Ok(outcome)
}

/// Whether a text is a link rather than a path.
#[pyfunction]
pub fn is_link(text: &str) -> bool {
    link::is_link(text)
}
