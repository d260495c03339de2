//! Objects of the engine as text, for `pickle` and `copy`: between processes, and in caches. Nothing is
//! computed again. Not for archives: another version of the engine may refuse them.

use pyo3::PyClass;
use pyo3::prelude::*;
use pyo3::pyclass_init::PyClassInitializer;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::outcome::Outcome;
use super::study::{DefenceStudy, RiskMap, Tuning};
use super::{exception, json};
use crate::error::Error;
use crate::experiment::ENGINE;

/// The function that makes an object again, and what it is called with: kind, version, text.
pub type Reduced<'py> = (Bound<'py, PyAny>, (&'static str, &'static str, String));

/// What `__reduce__` returns for an object of a class.
pub fn reduced<'py, T: PyClass + Serialize>(py: Python<'py>, value: &T) -> PyResult<Reduced<'py>> {
    let restore = py.import("patom._native")?.getattr("restore")?;
    Ok((restore, (T::NAME, ENGINE, json(value))))
}

/// An object that was pickled.
#[pyfunction]
pub fn restore<'py>(
    py: Python<'py>,
    kind: &str,
    engine: &str,
    text: &str,
) -> PyResult<Bound<'py, PyAny>> {
    match kind {
        Outcome::NAME => read::<Outcome>(py, engine, text),
        Tuning::NAME => read::<Tuning>(py, engine, text),
        RiskMap::NAME => read::<RiskMap>(py, engine, text),
        _ => read::<DefenceStudy>(py, engine, text),
    }
}

fn read<'py, T>(py: Python<'py>, engine: &str, text: &str) -> PyResult<Bound<'py, PyAny>>
where
    T: PyClass + DeserializeOwned + Into<PyClassInitializer<T>>,
{
    let value: T = serde_json::from_str(text).map_err(|error| {
        let text = format!("pickle of engine {engine}, this is {ENGINE}: {error}");
        exception(py, &Error::data(text))
    })?;
    Bound::new(py, value).map(Bound::into_any)
}
