//! Exports for timing in Node (feature `bench`; no part of the page).

use wasm_bindgen::prelude::*;

use crate::data::{DataSet, published};
use crate::workload::{self, Workload};

/// A data set and the work on it.
#[wasm_bindgen]
pub struct Bench {
    data: DataSet,
}

#[wasm_bindgen]
impl Bench {
    /// From the bundle of a published data set.
    pub fn from_bundle(name: &str, bytes: &[u8]) -> Result<Bench, JsError> {
        let source = published::find(name).ok_or_else(|| JsError::new("unknown data set"))?;
        Ok(Self {
            data: source.read_bundle(bytes)?,
        })
    }

    /// Times repetitions of a kind of work: seconds of each. At least `least`, then until
    /// `seconds` are over.
    pub fn time(
        &self,
        kind: &str,
        least: usize,
        seconds: f64,
        now: &js_sys::Function,
    ) -> Result<Vec<f64>, JsError> {
        let clock = || {
            now.call0(&JsValue::NULL)
                .ok()
                .and_then(|t| t.as_f64())
                .unwrap_or(0.0)
        };
        let mut work = Workload::new(&self.data)?;
        work.repeat(kind)?;
        Ok(workload::time(
            &mut || work.repeat(kind),
            least,
            seconds,
            &clock,
        )?)
    }

    /// Runs of Figure 2.
    pub fn figure_runs(&self) -> Result<usize, JsError> {
        Ok(workload::figure_runs(&self.data.name)?)
    }

    /// One of them.
    pub fn figure_run(&self, number: usize) -> Result<f64, JsError> {
        Ok(workload::figure_run(&self.data, number)?)
    }
}
