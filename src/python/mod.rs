//! The extension module of the Python package, `patom._native`: converts and forwards, as `wasm` does for
//! JavaScript. What people call is in `python/patom`.
//!
//! Arrays come in by the buffer protocol and go out as bytes, which NumPy reads where they lie; reports
//! cross as JSON text, which is exact. (The NumPy package of Rust would bring matrixmultiply, which
//! picks its instructions at run time.) Not here: arithmetic, opening files.

#![expect(
    clippy::unsafe_derive_deserialize,
    reason = "the unsafe code is that of PyO3, and relies on nothing that is read"
)]

mod data;
mod learner;
mod outcome;
mod pickle;
mod picture;
mod study;
mod sweep;
mod work;

use pyo3::create_exception;
use pyo3::exceptions::{PyKeyboardInterrupt, PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use serde_json::Value;

use crate::choice::Choice;
use crate::error::Error;
use crate::experiment::ENGINE;
use crate::spec::{DATASETS, FIELDS};

create_exception!(
    patom,
    PatomError,
    PyValueError,
    "Invalid input. `code` is `field`, `line`, `offset` or `data`; `field` names the field, where the \
     error is about one."
);
create_exception!(
    patom,
    NumericalError,
    PyRuntimeError,
    "A computation broke down: a number became infinite, or a factorisation failed."
);

/// The one conversion of errors.
fn exception(py: Python<'_>, error: &Error) -> PyErr {
    exception_with(py, error, error.to_string())
}

/// The same of a specification, every field that is wrong on a line.
fn exception_of_all(py: Python<'_>, errors: &[Error]) -> PyErr {
    let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
    match errors.first() {
        Some(first) => exception_with(py, first, lines.join("\n")),
        None => PatomError::new_err("invalid specification"),
    }
}

fn exception_with(py: Python<'_>, error: &Error, message: String) -> PyErr {
    match error {
        Error::Numerical { .. } => NumericalError::new_err(message),
        Error::Cancelled => PyKeyboardInterrupt::new_err(()),
        Error::Field { .. } | Error::Line { .. } | Error::Offset { .. } | Error::Data { .. } => {
            let exception = PatomError::new_err(message);
            let value = exception.value(py);
            let set = (value.setattr("code", error.code()))
                .and_then(|()| value.setattr("field", error.field_name()));
            match set {
                Ok(()) => exception,
                Err(other) => other,
            }
        }
    }
}

/// For NumPy: the numbers of an array, row by row.
fn bytes<'py>(py: Python<'py>, values: &[f64]) -> Bound<'py, PyBytes> {
    let raw: Vec<u8> = values.iter().flat_map(|x| x.to_ne_bytes()).collect();
    PyBytes::new(py, &raw)
}

/// The same as a file of the command line.
fn file(value: &impl serde::Serialize) -> String {
    // Through a value: the code that indents is there once, not for every type.
    let value: Value = json(value).parse().expect("it is JSON");
    format!("{value:#}\n")
}

/// What crosses as text: plain data, which always can be written.
fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("text and finite numbers only")
}

/// The variant of a word.
fn choice<T: Choice>(py: Python<'_>, field: &str, word: &str, words: &[&str]) -> PyResult<T> {
    T::of_word(word).ok_or_else(|| {
        let expected = format!("one of {}", words.join(", "));
        exception(py, &Error::field(field, word, expected))
    })
}

/// The extension module.
#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    module.add("__version__", ENGINE)?;
    module.add("DATASETS", DATASETS)?;
    module.add("FIELDS", json(&FIELDS.as_slice()))?;
    // Of an error that Python code raises.
    let error = py.get_type::<PatomError>();
    error.setattr("code", "field")?;
    error.setattr("field", py.None())?;
    module.add("PatomError", error)?;
    module.add("NumericalError", py.get_type::<NumericalError>())?;
    module.add_class::<data::DataSet>()?;
    module.add_class::<outcome::Request>()?;
    module.add_class::<outcome::Outcome>()?;
    module.add_class::<study::Tuning>()?;
    module.add_class::<study::RiskMap>()?;
    module.add_class::<study::DefenceStudy>()?;
    module.add_class::<sweep::Planned>()?;
    module.add_class::<sweep::Finished>()?;
    module.add("SWEEP_COLUMNS", crate::sweep::columns())?;
    module.add_function(wrap_pyfunction!(pickle::restore_study, module)?)?;
    module.add_function(wrap_pyfunction!(outcome::restore_outcome, module)?)?;
    module.add_function(wrap_pyfunction!(data::restore_data, module)?)?;
    module.add_function(wrap_pyfunction!(sweep::expand, module)?)?;
    module.add_function(wrap_pyfunction!(sweep::run_planned, module)?)?;
    module.add_function(wrap_pyfunction!(sweep::sweep_csv, module)?)?;
    module.add_function(wrap_pyfunction!(outcome::is_link, module)?)?;
    module.add_function(wrap_pyfunction!(learner::solve, module)?)?;
    module.add_function(wrap_pyfunction!(learner::poison, module)?)
}
