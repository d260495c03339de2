//! The eigenbasis of W'W: S, Ω, the correlation, Φ. Not here: the data part.

use crate::error::{Error, Result};
use crate::linalg::{Eigen, add_scaled, dot, norm_squared};

/// S = (W'W + εI)^(1/2) by its eigenvectors q_a and eigenvalues s_a, and z_a = W q_a.
#[derive(Clone, Debug)]
pub struct Spectrum {
    m: usize,
    /// s_a, ascending.
    pub values: Vec<f64>,
    /// Row a is q_a.
    pub vectors: Vec<f64>,
    /// Row a is z_a = W q_a, D entries. They are orthogonal to each other.
    pub rotated: Vec<f64>,
    /// tr S.
    pub trace: f64,
}

impl Spectrum {
    /// The spectrum at W (m rows of D entries, row i the weights of task i).
    ///
    /// # Errors
    /// W holds numbers that are not finite.
    pub fn new(w: &[f64], m: usize, epsilon: f64) -> Result<Self> {
        let dimension = w.len() / m;
        let mut inner = vec![0.0; m * m];
        for i in 0..m {
            let row = &w[i * dimension..(i + 1) * dimension];
            for j in 0..=i {
                let product = dot(row, &w[j * dimension..(j + 1) * dimension]);
                inner[i * m + j] = product;
                inner[j * m + i] = product;
            }
        }
        let mut eigen = Eigen::default();
        if !eigen.decompose(&inner, m) {
            return Err(Error::Numerical {
                place: "the spectrum of the weights",
                what: "the weights are no longer finite".to_string(),
            });
        }
        let rotated = rotate(&eigen.vectors, w, m);
        // |z_a|² is the eigenvalue, and more accurate than the decomposition's where it is small.
        let values: Vec<f64> = rotated
            .chunks_exact(dimension)
            .map(|z| (norm_squared(z) + epsilon).sqrt())
            .collect();
        let trace = values.iter().sum();
        Ok(Self {
            m,
            values,
            vectors: eigen.vectors,
            rotated,
            trace,
        })
    }

    /// Into the eigenbasis: row a becomes Σ_i q_ai v_i.
    pub fn to_eigenbasis(&self, v: &[f64]) -> Vec<f64> {
        rotate(&self.vectors, v, self.m)
    }

    /// Back: row i becomes Σ_a q_ai v_a.
    pub fn from_eigenbasis(&self, v: &[f64]) -> Vec<f64> {
        let dimension = v.len() / self.m;
        let mut out = vec![0.0; v.len()];
        for i in 0..self.m {
            let target = &mut out[i * dimension..(i + 1) * dimension];
            for a in 0..self.m {
                let row = &v[a * dimension..(a + 1) * dimension];
                add_scaled(target, self.vectors[a * self.m + i], row);
            }
        }
        out
    }

    /// Q f(s) Q', m x m.
    fn function(&self, f: impl Fn(f64) -> f64) -> Vec<f64> {
        let m = self.m;
        let mut out = vec![0.0; m * m];
        for (a, &s) in self.values.iter().enumerate() {
            let q = &self.vectors[a * m..(a + 1) * m];
            let factor = f(s);
            for i in 0..m {
                add_scaled(&mut out[i * m..(i + 1) * m], factor * q[i], q);
            }
        }
        out
    }

    /// Ω = S / tr S, m x m. At W = 0 and ε = 0 it is I / m.
    pub fn omega(&self) -> Vec<f64> {
        if self.trace > 0.0 {
            return self.function(|s| s / self.trace);
        }
        let m = self.m;
        (0..m * m)
            .map(|k| {
                if k % (m + 1) == 0 {
                    1.0 / m as f64
                } else {
                    0.0
                }
            })
            .collect()
    }

    /// Φ = Ω (λ1 Ω + λ2 I)⁻¹, m x m; exists for every Ω.
    pub fn phi(&self, lambda1: f64, lambda2: f64) -> Vec<f64> {
        self.function(|s| {
            let omega = if self.trace > 0.0 {
                s / self.trace
            } else {
                1.0 / self.m as f64
            };
            // λ2 = 0 leaves the tasks alone: 1 / λ1 even where Ω is singular.
            if lambda2 == 0.0 {
                1.0 / lambda1
            } else {
                omega / (lambda1 * omega + lambda2)
            }
        })
    }

    /// Ω_ij / sqrt(Ω_ii Ω_jj), m x m, ones on the diagonal. A task with weight zero everywhere
    /// (possible only at ε = 0) is correlated with no other.
    pub fn correlation(&self) -> Vec<f64> {
        let m = self.m;
        let omega = self.omega();
        let mut out = vec![0.0; m * m];
        for i in 0..m {
            for j in 0..m {
                let scale = (omega[i * m + i] * omega[j * m + j]).sqrt();
                let value = if scale > 0.0 {
                    omega[i * m + j] / scale
                } else {
                    0.0
                };
                out[i * m + j] = if i == j { 1.0 } else { value.clamp(-1.0, 1.0) };
            }
        }
        // Rounding must not make the picture asymmetric.
        for i in 0..m {
            for j in 0..i {
                out[i * m + j] = out[j * m + i];
            }
        }
        out
    }
}

fn rotate(vectors: &[f64], v: &[f64], m: usize) -> Vec<f64> {
    let dimension = v.len() / m;
    let mut out = vec![0.0; v.len()];
    for (target, q) in out.chunks_exact_mut(dimension).zip(vectors.chunks_exact(m)) {
        for (row, &factor) in v.chunks_exact(dimension).zip(q) {
            add_scaled(target, factor, row);
        }
    }
    out
}
