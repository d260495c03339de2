//! The linear systems of the lower level: Newton steps and implicit gradients. The operator, two
//! ways to solve with it, and nothing about when that is wanted.
//!
//! Everything is in the eigenbasis of W'W: row a of a vector belongs to q_a. There the coupling
//! is nearly diagonal: with τ = tr S, z_a = W q_a and u_a = z_a / s_a,
//!
//! ```text
//! (H V)_a = data + (λ1 + λ2 τ / s_a) v_a + λ2 [ (Σ_b u_b'v_b) u_a - (τ / s_a) Σ_b u_b dS_ba ],
//! dS_ab = (v_a'z_b + z_a'v_b) / (s_a + s_b).
//! ```
//!
//! The bracket is the movement of Ω; without it Ω is held fixed. In it one factor u may be
//! replaced by a dual variable u* that is tracked on its own, made symmetric: the primal-dual
//! Newton method of Chan, Golub and Mulet (1999), which stays effective far from the optimum where
//! Newton's own model is poor. Rows are scaled by (λ1 + λ2 τ / s_a)^(-1/2), so that directions in
//! which Ω is nearly or exactly singular do no harm.

use crate::error::{Error, Result};
use crate::linalg::{add_scaled, cholesky, cholesky_solve, dot, norm_squared};
use crate::mtrl::{Problem, Spectrum};

/// Up to this many unknowns a system is factored as a whole.
const DENSE_LIMIT: usize = 420;

/// Whether Ω moves with W.
#[derive(Clone, Copy)]
pub(crate) enum Coupling<'a> {
    /// Ω is held fixed.
    Fixed,
    /// Ω follows W; `dual` replaces one factor W S⁻¹ (rows in the eigenbasis).
    Moving { dual: Option<&'a [f64]> },
}

/// The operator at one point. The curvature of the problem must be that of the point.
pub(crate) struct System<'a> {
    problem: &'a Problem,
    spectrum: &'a Spectrum,
    /// (λ1 + λ2 τ / s_a)^(-1/2); zero where s_a is zero.
    scale: Vec<f64>,
    movement: Option<Movement<'a>>,
}

struct Movement<'a> {
    /// Row a: u_a = z_a / s_a.
    unit: Vec<f64>,
    /// The tracked replacement of it.
    dual: Option<&'a [f64]>,
}

impl Movement<'_> {
    fn dual(&self) -> &[f64] {
        self.dual.unwrap_or(&self.unit)
    }
}

impl<'a> System<'a> {
    pub(crate) fn new(
        problem: &'a Problem,
        spectrum: &'a Spectrum,
        coupling: Coupling<'a>,
    ) -> Self {
        let weights = problem.weights();
        let dimension = problem.dimension();
        let scale = (spectrum.values.iter())
            .map(|&s| {
                if weights.lambda2 == 0.0 {
                    1.0 / weights.lambda1.sqrt()
                } else if s > 0.0 {
                    1.0 / (weights.lambda1 + weights.lambda2 * spectrum.trace / s).sqrt()
                } else {
                    0.0
                }
            })
            .collect();
        let movement = match coupling {
            Coupling::Fixed => None,
            Coupling::Moving { dual } => {
                let mut unit = spectrum.rotated.clone();
                for (row, s) in unit.chunks_exact_mut(dimension).zip(&spectrum.values) {
                    row.iter_mut().for_each(|entry| *entry /= s);
                }
                Some(Movement { unit, dual })
            }
        };
        Self {
            problem,
            spectrum,
            scale,
            movement,
        }
    }

    fn size(&self) -> usize {
        self.scale.len() * self.problem.dimension()
    }

    /// H V.
    pub(crate) fn product(&self, v: &[f64]) -> Vec<f64> {
        let dimension = self.problem.dimension();
        let mut out = self.data_product(v);
        for (a, scale) in self.scale.iter().enumerate() {
            let range = a * dimension..(a + 1) * dimension;
            add_scaled(&mut out[range.clone()], 1.0 / (scale * scale), &v[range]);
        }
        self.add_movement(v, &mut out);
        out
    }

    fn data_product(&self, v: &[f64]) -> Vec<f64> {
        let dimension = self.problem.dimension();
        let by_task = self.spectrum.from_eigenbasis(v);
        let mut product = vec![0.0; v.len()];
        for (i, (y, x)) in product
            .chunks_exact_mut(dimension)
            .zip(by_task.chunks_exact(dimension))
            .enumerate()
        {
            crate::linalg::multiply(y, self.problem.curvature(i), x);
        }
        self.spectrum.to_eigenbasis(&product)
    }

    fn add_movement(&self, v: &[f64], out: &mut [f64]) {
        let Some(movement) = &self.movement else {
            return;
        };
        let Spectrum {
            values: s,
            rotated: z,
            trace,
            ..
        } = self.spectrum;
        let (unit, dual) = (&movement.unit, movement.dual());
        let m = s.len();
        let dimension = self.problem.dimension();
        let row = |a: usize| a * dimension..(a + 1) * dimension;
        let lambda2 = self.problem.weights().lambda2;
        let mut inner = vec![0.0; m * m];
        let mut inner_dual = vec![0.0; m * m];
        for a in 0..m {
            for b in 0..m {
                inner[a * m + b] = dot(&v[row(a)], &z[row(b)]);
                inner_dual[a * m + b] = dot(&v[row(a)], &dual[row(b)]);
            }
        }
        add_scaled(out, 0.5 * lambda2 * dot(unit, v), dual);
        add_scaled(out, 0.5 * lambda2 * dot(dual, v), unit);
        let factor = 0.5 * lambda2 * trace;
        for b in 0..m {
            for a in 0..m {
                let sum = s[a] + s[b];
                let moved = (inner[a * m + b] + inner[b * m + a]) / (sum * s[b]);
                add_scaled(&mut out[row(b)], -factor * moved, &dual[row(a)]);
                let adjoint = (inner_dual[b * m + a] / s[b] + inner_dual[a * m + b] / s[a]) / sum;
                add_scaled(&mut out[row(b)], -factor * adjoint, &z[row(a)]);
            }
        }
    }

    /// Block (b, a) of H, D x D, without the identity part, times r_b r_a, into `block`.
    fn scaled_block(&self, b: usize, a: usize, block: &mut [f64]) {
        let Spectrum {
            values: s,
            vectors,
            rotated: z,
            trace,
            ..
        } = self.spectrum;
        let m = s.len();
        let dimension = self.problem.dimension();
        let scale = self.scale[a] * self.scale[b];
        block.fill(0.0);
        if scale == 0.0 {
            return;
        }
        for i in 0..m {
            let weight = scale * vectors[a * m + i] * vectors[b * m + i];
            add_scaled(block, weight, self.problem.curvature(i));
        }
        let Some(movement) = &self.movement else {
            return;
        };
        let (unit, dual) = (&movement.unit, movement.dual());
        let row = |c: usize| c * dimension..(c + 1) * dimension;
        let half = 0.5 * self.problem.weights().lambda2 * scale;
        let mut add_outer = |weight: f64, left: &[f64], right: &[f64]| {
            for (target, &l) in block.chunks_exact_mut(dimension).zip(left) {
                add_scaled(target, weight * l, right);
            }
        };
        add_outer(half, &dual[row(b)], &unit[row(a)]);
        add_outer(half, &unit[row(b)], &dual[row(a)]);
        let (half, sum) = (half * trace, s[a] + s[b]);
        add_outer(-half / (s[b] * sum), &dual[row(a)], &z[row(b)]);
        add_outer(-half / (s[a] * sum), &z[row(a)], &dual[row(b)]);
        if a == b {
            for c in 0..m {
                let weight = -half / (s[b] * (s[b] + s[c]));
                add_outer(weight, &dual[row(c)], &z[row(c)]);
                add_outer(weight, &z[row(c)], &dual[row(c)]);
            }
        }
    }

    /// Prepares to solve with this operator.
    ///
    /// # Errors
    /// The operator is not positive definite (only possible with a dual, or in the face of
    /// rounding).
    pub(crate) fn factor(&self) -> Result<Factored<'_>> {
        let dimension = self.problem.dimension();
        let (m, size) = (self.scale.len(), self.size());
        let mut block = vec![0.0; dimension * dimension];
        let breakdown = || Error::Numerical {
            place: "the Newton system of the lower level",
            what: "its matrix is not positive definite".to_string(),
        };
        if size <= DENSE_LIMIT {
            let mut matrix = vec![0.0; size * size];
            for b in 0..m {
                for a in 0..=b {
                    self.scaled_block(b, a, &mut block);
                    for (k, source) in block.chunks_exact(dimension).enumerate() {
                        let start = (b * dimension + k) * size + a * dimension;
                        matrix[start..start + dimension].copy_from_slice(source);
                    }
                }
            }
            for k in 0..size {
                matrix[k * size + k] += 1.0;
            }
            return if cholesky(&mut matrix, size) {
                Ok(Factored {
                    system: self,
                    factor: Factor::Whole(matrix),
                })
            } else {
                Err(breakdown())
            };
        }
        let mut blocks = Vec::with_capacity(m);
        for a in 0..m {
            self.scaled_block(a, a, &mut block);
            for k in 0..dimension {
                block[k * dimension + k] += 1.0;
            }
            if !cholesky(&mut block, dimension) {
                return Err(breakdown());
            }
            blocks.push(block.clone());
        }
        Ok(Factored {
            system: self,
            factor: Factor::Blocks(blocks),
        })
    }

    /// Scaled operator: R H R.
    fn scaled_product(&self, v: &[f64]) -> Vec<f64> {
        let mut scaled = v.to_vec();
        self.apply_scale(&mut scaled);
        let mut out = self.data_product(&scaled);
        self.add_movement(&scaled, &mut out);
        self.apply_scale(&mut out);
        add_scaled(&mut out, 1.0, v);
        out
    }

    fn apply_scale(&self, v: &mut [f64]) {
        let dimension = self.problem.dimension();
        for (row, scale) in v.chunks_exact_mut(dimension).zip(&self.scale) {
            row.iter_mut().for_each(|entry| *entry *= scale);
        }
    }
}

enum Factor {
    /// Cholesky factor of the whole scaled operator.
    Whole(Vec<f64>),
    /// Cholesky factors of its diagonal blocks: the preconditioner of conjugate gradients.
    Blocks(Vec<Vec<f64>>),
}

/// An operator that is ready to be solved with, many times.
pub(crate) struct Factored<'a> {
    system: &'a System<'a>,
    factor: Factor,
}

impl Factored<'_> {
    /// H⁻¹ `rhs`. Where the system is too large to factor: conjugate gradients to a residual of
    /// `tolerance` times the right-hand side, in the scaled norm.
    ///
    /// # Errors
    /// The operator turns out not to be positive definite.
    pub(crate) fn solve(&self, rhs: &[f64], tolerance: f64) -> Result<Vec<f64>> {
        let mut x = rhs.to_vec();
        self.system.apply_scale(&mut x);
        match &self.factor {
            Factor::Whole(factor) => cholesky_solve(factor, self.system.size(), &mut x),
            Factor::Blocks(blocks) => x = self.conjugate_gradients(blocks, x, tolerance)?,
        }
        self.system.apply_scale(&mut x);
        Ok(x)
    }

    fn conjugate_gradients(
        &self,
        blocks: &[Vec<f64>],
        mut residual: Vec<f64>,
        tolerance: f64,
    ) -> Result<Vec<f64>> {
        let dimension = self.system.problem.dimension();
        let precondition = |r: &[f64]| {
            let mut y = r.to_vec();
            for (row, block) in y.chunks_exact_mut(dimension).zip(blocks) {
                cholesky_solve(block, dimension, row);
            }
            y
        };
        let mut x = vec![0.0; residual.len()];
        let target = tolerance * tolerance * norm_squared(&residual);
        if target == 0.0 {
            return Ok(x);
        }
        let mut y = precondition(&residual);
        let mut direction = y.clone();
        let mut rho = dot(&residual, &y);
        // In exact arithmetic it ends after as many steps as unknowns; rounding may need more.
        for _ in 0..2 * residual.len() {
            let product = self.system.scaled_product(&direction);
            let curvature = dot(&direction, &product);
            if curvature <= 0.0 || curvature.is_nan() {
                return Err(Error::Numerical {
                    place: "conjugate gradients of the lower level",
                    what: format!("curvature {curvature} along a direction"),
                });
            }
            let step = rho / curvature;
            add_scaled(&mut x, step, &direction);
            add_scaled(&mut residual, -step, &product);
            if norm_squared(&residual) <= target {
                break;
            }
            y = precondition(&residual);
            let next = dot(&residual, &y);
            let ratio = next / rho;
            rho = next;
            for (d, y) in direction.iter_mut().zip(&y) {
                *d = y + ratio * *d;
            }
        }
        Ok(x)
    }
}
