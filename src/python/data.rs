//! Data sets: published ones, files, arrays.

use std::sync::Arc;

use pyo3::buffer::PyBuffer;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use super::pickle::{Reduced, reduced};
use super::{bytes, choice, exception, json};
use crate::data::formats::bundle;
use crate::data::import::mapping::Mapping;
use crate::data::notes::FileNotes;
use crate::data::{self, Kind, Layout, RawPoints, classify_labels, import, published};
use crate::error::{Error, Result};
use crate::experiment;
use crate::spec::{DATASETS, Spec};

/// A checked data set, shared and never copied.
#[pyclass(frozen, module = "patom._native")]
pub struct DataSet(pub(super) Arc<data::DataSet>);

/// X (n x d, row by row), y, and which points are for testing, where that is known.
type TaskArrays = (PyBuffer<f64>, PyBuffer<f64>, Option<Vec<bool>>);

/// What arrays do not say.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct About {
    name: String,
    /// None: the labels decide.
    kind: Option<String>,
    feature_names: Option<Vec<String>>,
    task_names: Vec<String>,
}

#[pymethods]
impl DataSet {
    /// A published data set; `find` gives the bytes of a file by its name, or None.
    #[staticmethod]
    fn published(py: Python<'_>, name: &str, find: &Bound<'_, PyAny>) -> PyResult<Self> {
        let look = |file: &str| {
            find.call1((file,))
                .ok()?
                .extract::<Option<Vec<u8>>>()
                .ok()?
        };
        Self::made(py, published::load(name, &look))
    }

    /// The synthetic one of the default specification.
    #[staticmethod]
    fn synthetic(py: Python<'_>) -> PyResult<Self> {
        let spec = Spec::default_of("synthetic");
        Self::made(py, experiment::load_synthetic(&spec))
    }

    /// A file, as a mapping says or by its names or a guess that is sure; `strict`: by its names only, as
    /// specifications of version 1 and links do.
    #[staticmethod]
    #[pyo3(signature = (name, content, columns=None, strict=false))]
    fn read(
        py: Python<'_>,
        name: &str,
        content: &[u8],
        columns: Option<&str>,
        strict: bool,
    ) -> PyResult<Self> {
        let read = || {
            let columns: Option<Mapping> = columns.map(str::parse).transpose()?;
            if columns.is_none()
                && !strict
                && let Some(known) = published::recognise(content)
            {
                return known;
            }
            let made = match columns {
                None if !strict => import::open(name, content),
                columns => import::read_with(name, content, columns.as_ref()),
            };
            Ok(made?.data)
        };
        Self::made(py, py.detach(read))
    }

    /// Of arrays, task by task. Without a kind the labels decide.
    #[staticmethod]
    fn from_arrays(
        py: Python<'_>,
        about: About,
        features: usize,
        tasks: Vec<TaskArrays>,
    ) -> PyResult<Self> {
        let kind = about.read_kind(py)?;
        let mut points = Vec::new();
        let mut is_test = Vec::new();
        for (x, y, test) in tasks {
            points.push(RawPoints {
                features: x.to_vec(py)?,
                labels: y.to_vec(py)?,
            });
            is_test.extend(test);
        }
        let kind = kind.unwrap_or_else(|| {
            classify_labels(points.iter_mut().flat_map(|points| &mut points.labels))
        });
        let tasks = Layout::Separate {
            is_test: (is_test.len() == points.len()).then_some(is_test),
            tasks: points,
        };
        Self::made(py, about.name(kind, features, tasks))
    }

    /// Tasks that label the same points: X, and y of each task.
    #[staticmethod]
    #[expect(
        clippy::needless_pass_by_value,
        reason = "PyO3 hands over owned values"
    )]
    fn from_columns(
        py: Python<'_>,
        about: About,
        features: usize,
        x: PyBuffer<f64>,
        y: Vec<PyBuffer<f64>>,
    ) -> PyResult<Self> {
        let kind = about.read_kind(py)?;
        let mut labels = Vec::new();
        for y in &y {
            labels.push(y.to_vec(py)?);
        }
        let kind = kind.unwrap_or_else(|| classify_labels(labels.iter_mut().flatten()));
        let layout = Layout::Shared {
            features: x.to_vec(py)?,
            labels,
        };
        Self::made(py, about.name(kind, features, layout))
    }

    /// For `pickle` and `copy`: the points as a bundle has them, and what is known beside them.
    fn __reduce__<'py>(&self, py: Python<'py>) -> Reduced<'py, (Bound<'py, PyBytes>, String)> {
        let points = PyBytes::new(py, &bundle::payload(&self.0));
        reduced(py, "restore_data", (points, json(&self.0.notes())))
    }

    #[getter]
    fn name(&self) -> &str {
        &self.0.name
    }

    #[getter]
    fn sha256(&self) -> &str {
        &self.0.sha256
    }

    #[getter]
    fn kind(&self) -> &'static str {
        self.0.kind.word()
    }

    #[getter]
    fn task_names(&self) -> Vec<String> {
        self.0.task_names.clone()
    }

    #[getter]
    fn feature_names(&self) -> Vec<String> {
        self.0.feature_names.clone()
    }

    #[getter]
    fn columns(&self) -> Option<&str> {
        self.0.columns.as_deref()
    }

    /// Warnings, and what is left out of the file, as JSON.
    fn notes(&self) -> String {
        json(&(&self.0.warnings, &self.0.left_out))
    }

    /// X and y of each task that a model may be trained on.
    fn training_points<'py>(
        &self,
        py: Python<'py>,
    ) -> Vec<(Bound<'py, PyBytes>, Bound<'py, PyBytes>)> {
        let tasks = self.0.training_points();
        let both = |task: &RawPoints| (bytes(py, &task.features), bytes(py, &task.labels));
        tasks.iter().map(both).collect()
    }
}

/// A data set that was pickled.
#[pyfunction]
pub fn restore_data(py: Python<'_>, points: &[u8], notes: &str) -> PyResult<DataSet> {
    let read = || {
        let mut data = bundle::read_payload(points)?;
        let notes = serde_json::from_str(notes).map_err(|error| Error::data(error.to_string()))?;
        data.take_notes(notes)?;
        Ok(data)
    };
    DataSet::made(py, read())
}

impl DataSet {
    fn made(py: Python<'_>, made: Result<data::DataSet>) -> PyResult<Self> {
        made.map(|data| Self(Arc::new(data)))
            .map_err(|error| exception(py, &error))
    }
}

impl About {
    /// The kind, where one is given; refuses a name that is no name of a file.
    fn read_kind(&self, py: Python<'_>) -> PyResult<Option<Kind>> {
        let name = self.name.as_str();
        let is_name = !name.is_empty() && name.len() <= 255 && !name.contains(['/', '\\', '\0']);
        if !is_name || DATASETS.contains(&name) {
            let expected = "a name of your own, without slashes";
            return Err(exception(py, &Error::field("name", name, expected)));
        }
        (self.kind.as_deref())
            .map(|word| choice(py, "kind", word, Kind::WORDS))
            .transpose()
    }

    /// The data set of this name, with these names in it.
    fn name(self, kind: Kind, features: usize, layout: Layout) -> Result<data::DataSet> {
        let mut data = data::DataSet::new(self.name, kind, features, self.task_names, layout)?;
        if let Some(feature_names) = self.feature_names {
            data.take_notes(FileNotes {
                feature_names,
                ..data.notes()
            })?;
        }
        Ok(data)
    }
}
