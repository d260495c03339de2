//! The singular value decomposition of W and what follows from it: S, Ω, the correlation, Φ. Not
//! here: the data part.

use crate::error::{Error, Result};
use crate::linalg::{
    Eigen, add_combination, add_gram, add_scaled, dot, mirror, multiply, norm_squared,
};

/// Rows a and b count as orthogonal when |z_a'z_b| is at most this times s_a s_b: W S⁻¹ is then
/// exact to about this, however small the floor.
const ORTHOGONAL: f64 = 1e-12;

/// Sweeps of rotations, each of which squares what is left: more are never needed.
const MAX_SWEEPS: usize = 10;

/// S = (W'W + εI)^(1/2) by its eigenvectors q_a and eigenvalues s_a, and W q_a = z_a = σ_a p_a.
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
    /// σ_a.
    pub(crate) singular: Vec<f64>,
    /// The first row whose σ_a is not zero. With more tasks than entries there always are some.
    pub(crate) first: usize,
    /// Row a - `first` is p_a.
    pub(crate) left: Vec<f64>,
}

impl Spectrum {
    /// The spectrum at W (m rows of D entries, row i the weights of task i).
    ///
    /// # Errors
    /// W holds numbers that are not finite.
    pub fn new(w: &[f64], m: usize, epsilon: f64) -> Result<Self> {
        let dimension = w.len() / m;
        let breakdown = || Error::Numerical {
            place: "the spectrum of the weights",
            what: "the weights are no longer finite".to_string(),
        };
        // The smaller of W'W and WW' is decomposed; rounding leaves its small eigenvectors wrong
        // by 1e-16 |W|² / σ², which rotations of the rows themselves mend.
        let mut eigen = Eigen::default();
        let (vectors, rotated) = if m <= dimension {
            let mut inner = vec![0.0; m * m];
            for (i, row) in w.chunks_exact(dimension).enumerate() {
                multiply(
                    &mut inner[i * m..=i * m + i],
                    &w[..(i + 1) * dimension],
                    row,
                );
            }
            mirror(&mut inner, m);
            if !eigen.decompose(&inner, m) {
                return Err(breakdown());
            }
            let mut vectors = eigen.vectors;
            let mut rotated = rotate(&vectors, w, m);
            orthogonalise(&mut rotated, dimension, &mut vectors, m, epsilon);
            (vectors, rotated)
        } else {
            let mut outer = vec![0.0; dimension * dimension];
            let rows: Vec<&[f64]> = w.chunks_exact(dimension).collect();
            add_gram(&mut outer, dimension, 1.0, &rows);
            mirror(&mut outer, dimension);
            if !eigen.decompose(&outer, dimension) {
                return Err(breakdown());
            }
            let mut left = eigen.vectors;
            // Row a: W'p_a = σ_a q_a.
            let mut seen = vec![0.0; dimension * m];
            for (target, p) in seen.chunks_exact_mut(m).zip(left.chunks_exact(dimension)) {
                multiply(target, w, p);
            }
            orthogonalise(&mut seen, m, &mut left, dimension, epsilon);
            let vectors = complete(seen, m);
            let mut rotated = vec![0.0; w.len()];
            let null = m - dimension;
            for a in null..m {
                let target = &mut rotated[a * dimension..(a + 1) * dimension];
                add_combination(target, w, &vectors[a * m..(a + 1) * m]);
            }
            (vectors, rotated)
        };
        let singular: Vec<f64> = rotated
            .chunks_exact(dimension)
            .map(|z| norm_squared(z).sqrt())
            .collect();
        let values: Vec<f64> = singular
            .iter()
            .map(|size| (size * size + epsilon).sqrt())
            .collect();
        let trace = values.iter().sum();
        // What is rounding of the large ones is no direction.
        let noise = 1e-15 * singular.iter().fold(0.0, |a: f64, &b| a.max(b));
        let first = singular.iter().position(|&size| size > noise).unwrap_or(m);
        let mut left = rotated[first * dimension..].to_vec();
        for (row, &size) in left.chunks_exact_mut(dimension).zip(&singular[first..]) {
            let factor = if size > noise { 1.0 / size } else { 0.0 };
            row.iter_mut().for_each(|entry| *entry *= factor);
        }
        Ok(Self {
            m,
            values,
            vectors,
            rotated,
            trace,
            singular,
            first,
            left,
        })
    }

    /// Into the eigenbasis: row a becomes Σ_i q_ai v_i.
    pub fn to_eigenbasis(&self, v: &[f64]) -> Vec<f64> {
        rotate(&self.vectors, v, self.m)
    }

    /// Back: row i becomes Σ_a q_ai v_a.
    pub fn from_eigenbasis(&self, v: &[f64]) -> Vec<f64> {
        let m = self.m;
        let mut out = vec![0.0; v.len()];
        for (i, target) in out.chunks_exact_mut(v.len() / m).enumerate() {
            let coefficients: Vec<f64> = (0..m).map(|a| self.vectors[a * m + i]).collect();
            add_combination(target, v, &coefficients);
        }
        out
    }

    /// p_a'v_a: the diagonal of V (rows in the eigenbasis) in the basis of singular vectors, zero
    /// where there is no p_a.
    pub(crate) fn diagonal(&self, v: &[f64]) -> Vec<f64> {
        let dimension = v.len() / self.m;
        let mut out = vec![0.0; self.m];
        let rows = v[self.first * dimension..].chunks_exact(dimension);
        for ((out, row), p) in (out[self.first..].iter_mut())
            .zip(rows)
            .zip(self.left.chunks_exact(dimension))
        {
            *out = dot(row, p);
        }
        out
    }

    /// u_a = σ_a / s_a: the diagonal of W S⁻¹ in the basis of singular vectors.
    pub(crate) fn unit(&self) -> Vec<f64> {
        let mut unit: Vec<f64> = (self.singular.iter().zip(&self.values))
            .map(|(singular, s)| singular / s)
            .collect();
        unit[..self.first].fill(0.0);
        unit
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
        add_combination(target, v, q);
    }
    out
}

/// Rotates pairs of `rows` (of `size` entries), and of `companions` with them, until the rows are
/// orthogonal up to [`ORTHOGONAL`] (one-sided Jacobi); then sorts both by the norm of the rows.
fn orthogonalise(
    rows: &mut [f64],
    size: usize,
    companions: &mut [f64],
    companion_size: usize,
    epsilon: f64,
) {
    let count = rows.len() / size;
    for sweep in 0..=MAX_SWEEPS {
        let mut squares: Vec<f64> = rows.chunks_exact(size).map(norm_squared).collect();
        let mut rotated = false;
        for b in 1..count {
            for a in 0..b {
                let (low, high) = rows.split_at_mut(b * size);
                let (x, y) = (&mut low[a * size..(a + 1) * size], &mut high[..size]);
                let product = dot(x, y);
                let scale = (squares[a] + epsilon) * (squares[b] + epsilon);
                if product * product <= ORTHOGONAL * ORTHOGONAL * scale || sweep == MAX_SWEEPS {
                    continue;
                }
                rotated = true;
                // The tangent of the smaller of the two angles that make x'y zero.
                let ratio = (squares[b] - squares[a]) / (2.0 * product);
                let root = (1.0 + ratio * ratio).sqrt();
                let tangent = 1.0 / (ratio + if ratio < 0.0 { -root } else { root });
                let cosine = 1.0 / (1.0 + tangent * tangent).sqrt();
                let sine = cosine * tangent;
                turn(x, y, cosine, sine);
                let (low, high) = companions.split_at_mut(b * companion_size);
                turn(
                    &mut low[a * companion_size..(a + 1) * companion_size],
                    &mut high[..companion_size],
                    cosine,
                    sine,
                );
                squares[a] = norm_squared(&rows[a * size..(a + 1) * size]);
                squares[b] = norm_squared(&rows[b * size..(b + 1) * size]);
            }
        }
        if !rotated {
            sort(rows, size, companions, companion_size, &mut squares);
            return;
        }
    }
}

/// x, y := c x - s y, s x + c y.
fn turn(x: &mut [f64], y: &mut [f64], c: f64, s: f64) {
    for (x, y) in x.iter_mut().zip(y) {
        (*x, *y) = (c * *x - s * *y, s * *x + c * *y);
    }
}

/// Insertion sort by `squares`, ascending: the rows are nearly in order.
fn sort(
    rows: &mut [f64],
    size: usize,
    companions: &mut [f64],
    companion_size: usize,
    squares: &mut [f64],
) {
    let swap = |matrix: &mut [f64], a: usize, size: usize| {
        let (low, high) = matrix.split_at_mut((a + 1) * size);
        low[a * size..].swap_with_slice(&mut high[..size]);
    };
    for end in 1..squares.len() {
        let mut a = end;
        while a > 0 && squares[a - 1] > squares[a] {
            a -= 1;
            squares.swap(a, a + 1);
            swap(rows, a, size);
            swap(companions, a, companion_size);
        }
    }
}

/// An orthonormal basis of R^m whose last rows are the directions of the given orthogonal rows
/// (fewer than m, of m entries, ascending in size): Householder reflections take the rows, the
/// largest first, to unit vectors; the basis is what they make of the unit vectors.
fn complete(mut rows: Vec<f64>, m: usize) -> Vec<f64> {
    let null = m - rows.len() / m;
    let mut basis = vec![0.0; m * m];
    for a in 0..m {
        basis[a * m + a] = 1.0;
    }
    for a in (null..m).rev() {
        let (smaller, row) = rows.split_at_mut((a - null) * m);
        // What is behind entry a was taken to zero with the larger rows.
        let normal = &mut row[..=a];
        let size = norm_squared(normal).sqrt();
        if size == 0.0 {
            continue;
        }
        // The sign that avoids cancellation; the basis undoes it.
        let image = if normal[a] > 0.0 { -size } else { size };
        basis[a * m + a] = image.signum();
        normal[a] -= image;
        for other in smaller.chunks_exact_mut(m) {
            reflect(&mut other[..=a], normal);
        }
    }
    for (a, row) in (null..m).zip(rows.chunks_exact(m)) {
        for target in basis.chunks_exact_mut(m) {
            reflect(&mut target[..=a], &row[..=a]);
        }
    }
    basis
}

/// x -= 2 (x'n) n / |n|².
fn reflect(x: &mut [f64], normal: &[f64]) {
    let square = norm_squared(normal);
    if square > 0.0 {
        add_scaled(x, -2.0 * dot(x, normal) / square, normal);
    }
}
