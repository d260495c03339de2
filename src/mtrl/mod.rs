//! The lower level.
use serde::Serialize;

/// How a solve ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// The stopping rule of the solver was met.
    Converged,
    /// The iteration limit came first; the certificate says how far the optimum may be.
    IterationLimit,
    /// No further progress was possible in floating point; the certificate says how far.
    Stalled,
}
