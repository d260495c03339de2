//! A W with everything the formulas need there: value, gradient, certificate, Hessian product.

use crate::error::{Error, Result};
use crate::interrupt;
use crate::linalg::{add_scaled, dot, norm_squared};
use crate::mtrl::spectrum::Spectrum;
use crate::mtrl::system::{Coupling, Quadratic, System};
use crate::mtrl::{Problem, Weights};

/// The joint objective P at one W.
///
/// Matrices with a column a task are stored as m rows of D entries, row i belonging to task i.
#[derive(Clone, Debug)]
pub struct Point {
    /// W.
    pub w: Vec<f64>,
    /// Eigenbasis of W'W.
    pub spectrum: Spectrum,
    /// P(W).
    pub value: f64,
    /// ∇P(W), laid out as W. At ε = 0 a subgradient where W'W is singular.
    pub gradient: Vec<f64>,
}

impl Point {
    /// Evaluates P and its gradient.
    ///
    /// # Errors
    /// The objective is not finite at `w`.
    pub fn new(problem: &Problem, w: Vec<f64>) -> Result<Self> {
        Self::with_floor(problem, w, problem.weights().epsilon)
    }

    /// The same with another floor than the problem's. Much cheaper where the problem knows the
    /// active sets at `w` ([`Problem::activate_all`]).
    pub(crate) fn with_floor(problem: &Problem, w: Vec<f64>, epsilon: f64) -> Result<Self> {
        interrupt::check()?;
        let (m, dimension) = (problem.task_count(), problem.dimension());
        let Weights {
            lambda1, lambda2, ..
        } = *problem.weights();
        let spectrum = Spectrum::new(&w, m, epsilon)?;
        let trace = spectrum.trace;
        let mut value = 0.5 * lambda1 * norm_squared(&w) + 0.5 * lambda2 * trace * trace;
        let mut gradient = spectrum.coupling_gradient(lambda2, epsilon);
        add_scaled(&mut gradient, lambda1, &w);
        for i in 0..m {
            let range = i * dimension..(i + 1) * dimension;
            value += problem.add_data_part(i, &w[range.clone()], &mut gradient[range]);
        }
        if !value.is_finite() || gradient.iter().any(|g| !g.is_finite()) {
            return Err(Error::Numerical {
                place: "the objective of the lower level",
                what: format!("its value or gradient is not finite (value {value})"),
            });
        }
        Ok(Self {
            w,
            spectrum,
            value,
            gradient,
        })
    }

    /// Bound on P(W) - P*: |∇P|² / (2 λ1), because P is λ1-strongly convex.
    pub fn certificate(&self, lambda1: f64) -> f64 {
        norm_squared(&self.gradient) / (2.0 * lambda1)
    }

    /// The Hessian of P at this W times V (laid out as W). Needs ε > 0.
    pub fn hessian_product(&self, problem: &mut Problem, v: &[f64]) -> Vec<f64> {
        problem.activate_all(&self.w);
        let dual = self.spectrum.unit();
        let system = System::new(
            Quadratic::of(problem),
            &self.spectrum,
            Coupling::Moving { dual: &dual },
        );
        let product = system.product(&self.spectrum.to_eigenbasis(v));
        self.spectrum.from_eigenbasis(&product)
    }

    /// Slope of P along V.
    pub(crate) fn slope(&self, v: &[f64]) -> f64 {
        dot(&self.gradient, v)
    }
}
