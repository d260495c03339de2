//! Objects of the engine for `pickle` and `copy`: between processes, and in caches. Nothing is computed
//! again. Not for archives: another version of the engine may refuse them.

use pyo3::PyClass;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::study::{DefenceStudy, RiskMap, Tuning};
use super::{exception, json};
use crate::error::Error;
use crate::experiment::ENGINE;

/// What `__reduce__` returns: a function of this module, and what makes the object again of it.
pub type Reduced<'py, A> = PyResult<(Bound<'py, PyAny>, A)>;

/// An object as text: what it is, the version of the engine, JSON.
pub type Text = (&'static str, &'static str, String);

/// What `__reduce__` returns for a function of this module.
pub fn reduced<'py, A>(py: Python<'py>, function: &str, arguments: A) -> Reduced<'py, A> {
    let function = py.import("patom._native")?.getattr(function)?;
    Ok((function, arguments))
}

/// The same for an object that is all text.
pub fn reduced_study<'py, T: PyClass + Serialize>(
    py: Python<'py>,
    study: &T,
) -> Reduced<'py, Text> {
    reduced(py, "restore_study", (T::NAME, ENGINE, json(study)))
}

/// A study that was pickled.
#[pyfunction]
pub fn restore_study<'py>(
    py: Python<'py>,
    kind: &str,
    engine: &str,
    text: &str,
) -> PyResult<Bound<'py, PyAny>> {
    Ok(match kind {
        Tuning::NAME => Bound::new(py, read::<Tuning>(py, engine, text)?)?.into_any(),
        RiskMap::NAME => Bound::new(py, read::<RiskMap>(py, engine, text)?)?.into_any(),
        _ => Bound::new(py, read::<DefenceStudy>(py, engine, text)?)?.into_any(),
    })
}

/// What was written as JSON by some version of the engine.
pub fn read<T: DeserializeOwned>(py: Python<'_>, engine: &str, text: &str) -> PyResult<T> {
    serde_json::from_str(text).map_err(|error| {
        let text = format!("pickle of engine {engine}, this is {ENGINE}: {error}");
        exception(py, &Error::data(text))
    })
}

/// The numbers of [`super::bytes`].
pub fn numbers(bytes: &Bound<'_, PyBytes>) -> Vec<f64> {
    let (numbers, _) = bytes.as_bytes().as_chunks();
    numbers.iter().copied().map(f64::from_ne_bytes).collect()
}
