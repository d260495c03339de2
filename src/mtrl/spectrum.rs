//! The singular value decomposition of W and what follows from it: S, Ω, the correlation, Φ. Not
//! here: the data part.

use crate::error::{Error, Result};
use crate::linalg::{
    Eigen, add_combination, add_gram, add_scaled, dot, mirror, multiply, norm_squared,
};

/// Rows a and b count as orthogonal when |z_a'z_b| is at most this times s_a s_b: W S⁻¹ is then
/// exact to about this, however small the floor.
const ORTHOGONAL: f64 = 1e-12;

/// Singular values below this share of the largest are rounding.
const NOISE: f64 = 1e-15;

/// Gram-Schmidt once more where it took more than this off a row of length 1.
const NEARLY: f64 = 1e-3;

/// Sweeps of rotations, each of which squares what is left: more are never needed.
const MAX_SWEEPS: usize = 10;

/// S = (W'W + εI)^(1/2) by its eigenvectors q_a and eigenvalues s_a, and W q_a = z_a = σ_a p_a.
///
/// With more tasks than entries most eigenvectors are null: S is sqrt(ε) on all of them, which is
/// one number. They are not computed: at most D others are. What a matrix V (a column a task) has
/// in the null space is then kept by task, in [`Spectrum::null_rows`] rows before those of the
/// eigenvectors; everything that S does to these rows it does to all alike.
#[derive(Clone, Debug)]
pub struct Spectrum {
    m: usize,
    dimension: usize,
    /// Rows before those of the eigenvectors: m where the null space is one number, else 0.
    null_rows: usize,
    /// Eigenvectors that are not computed.
    null: usize,
    /// The s of each row of a matrix in the eigenbasis, ascending: sqrt(ε) of the null rows first.
    pub values: Vec<f64>,
    /// Row a is q_a, for the rows behind the null rows.
    pub vectors: Vec<f64>,
    /// W in the eigenbasis but for the null rows, which are zero: row a is z_a = W q_a, D entries.
    /// They are orthogonal to each other.
    pub rotated: Vec<f64>,
    /// tr S.
    pub trace: f64,
    /// σ of each row.
    pub(crate) singular: Vec<f64>,
    /// The first row whose σ_a is not zero.
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
        let (vectors, rotated) = if m <= dimension {
            full_basis(w, m, epsilon)?
        } else {
            thin_basis(w, m, epsilon)?
        };
        let null = m - vectors.len() / m;
        let null_rows = if null > 0 { m } else { 0 };
        let mut singular = vec![0.0; null_rows];
        singular.extend((rotated.chunks_exact(dimension)).map(|z| norm_squared(z).sqrt()));
        let values: Vec<f64> = singular
            .iter()
            .map(|size| (size * size + epsilon).sqrt())
            .collect();
        let kept: f64 = values[null_rows..].iter().sum();
        let trace = null as f64 * epsilon.sqrt() + kept;
        // What is rounding of the large ones is no direction.
        let noise = NOISE * singular.iter().fold(0.0, |a: f64, &b| a.max(b));
        let first = singular
            .iter()
            .position(|&size| size > noise)
            .unwrap_or(singular.len());
        let mut left = rotated[(first - null_rows) * dimension..].to_vec();
        for (row, &size) in left.chunks_exact_mut(dimension).zip(&singular[first..]) {
            let factor = if size > noise { 1.0 / size } else { 0.0 };
            row.iter_mut().for_each(|entry| *entry *= factor);
        }
        Ok(Self {
            m,
            dimension,
            null_rows,
            null,
            values,
            vectors,
            rotated,
            trace,
            singular,
            first,
            left,
        })
    }

    /// How many rows of a matrix in the eigenbasis hold, by task, what it has in the null space.
    pub fn null_rows(&self) -> usize {
        self.null_rows
    }

    /// Rows of a matrix in the eigenbasis.
    pub(crate) fn rows(&self) -> usize {
        self.values.len()
    }

    /// Into the eigenbasis: row a becomes Σ_i q_ai v_i; a null row what is left of its task's.
    pub fn to_eigenbasis(&self, v: &[f64]) -> Vec<f64> {
        let rotated = rotate(&self.vectors, v, self.m);
        if self.null_rows == 0 {
            return rotated;
        }
        let mut out = v.to_vec();
        self.add_back(&mut out, &rotated, -1.0);
        out.extend(rotated);
        out
    }

    /// Back: row i becomes Σ_a q_ai v_a, and what it has in the null space.
    pub fn from_eigenbasis(&self, v: &[f64]) -> Vec<f64> {
        if self.null_rows == 0 {
            return self.expand(v);
        }
        let (null, rows) = v.split_at(self.null_rows * self.dimension);
        let mut out = null.to_vec();
        self.add_back(&mut out, rows, 1.0);
        out
    }

    /// Back, from the rows of the eigenvectors alone: as if the null rows were zero.
    pub(crate) fn expand(&self, rows: &[f64]) -> Vec<f64> {
        let mut out = vec![0.0; self.m * self.dimension];
        self.add_back(&mut out, rows, 1.0);
        out
    }

    /// W in the eigenbasis, null rows and all.
    pub(crate) fn weights(&self) -> Vec<f64> {
        let mut out = vec![0.0; self.null_rows * self.dimension];
        out.extend_from_slice(&self.rotated);
        out
    }

    /// λ2 τ W S⁻¹, rows by task. Without a floor a direction that is zero up to rounding has none,
    /// and zero is a subgradient there.
    pub(crate) fn coupling_gradient(&self, lambda2: f64, epsilon: f64) -> Vec<f64> {
        let zero = if epsilon > 0.0 {
            0.0
        } else {
            1e-14 * self.trace
        };
        let values = &self.values[self.null_rows..];
        let mut polar = self.rotated.clone();
        for (row, &s) in polar.chunks_exact_mut(self.dimension).zip(values) {
            let factor = if s > zero {
                lambda2 * self.trace / s
            } else {
                0.0
            };
            row.iter_mut().for_each(|entry| *entry *= factor);
        }
        self.expand(&polar)
    }

    /// Row i += `sign` Σ_a q_ai row_a.
    fn add_back(&self, out: &mut [f64], rows: &[f64], sign: f64) {
        let m = self.m;
        let mut coefficients = vec![0.0; self.vectors.len() / m];
        for (i, target) in out.chunks_exact_mut(out.len() / m).enumerate() {
            for (a, c) in coefficients.iter_mut().enumerate() {
                *c = sign * self.vectors[a * m + i];
            }
            add_combination(target, rows, &coefficients);
        }
    }

    /// p_a'v_a: the diagonal of V (rows in the eigenbasis) in the basis of singular vectors, zero
    /// where there is no p_a.
    pub(crate) fn diagonal(&self, v: &[f64]) -> Vec<f64> {
        let mut out = vec![0.0; self.rows()];
        let rows = v[self.first * self.dimension..].chunks_exact(self.dimension);
        for ((out, row), p) in (out[self.first..].iter_mut())
            .zip(rows)
            .zip(self.left.chunks_exact(self.dimension))
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
        // On the null space it is one number: f there times I, and the rest where that is not so.
        let null = if self.null > 0 {
            f(self.values[0])
        } else {
            0.0
        };
        out.iter_mut()
            .step_by(m + 1)
            .for_each(|entry| *entry = null);
        let values = &self.values[self.null_rows..];
        for (q, &s) in self.vectors.chunks_exact(m).zip(values) {
            let factor = f(s) - null;
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

/// All eigenvectors (rows) by the decomposition of W'W, and the rows W q_a.
fn full_basis(w: &[f64], m: usize, epsilon: f64) -> Result<(Vec<f64>, Vec<f64>)> {
    let dimension = w.len() / m;
    let mut inner = vec![0.0; m * m];
    for (i, row) in w.chunks_exact(dimension).enumerate() {
        let products = &mut inner[i * m..=i * m + i];
        multiply(products, &w[..(i + 1) * dimension], row);
    }
    mirror(&mut inner, m);
    let mut vectors = decompose(&inner, m)?.vectors;
    let mut rotated = rotate(&vectors, w, m);
    // Rounding leaves small eigenvectors wrong by 1e-16 |W|² / σ², which rotations of the rows
    // themselves mend.
    orthogonalise(&mut rotated, dimension, &mut vectors, m, epsilon);
    Ok((vectors, rotated))
}

/// The eigenvectors (rows) that are not null by the decomposition of WW', which is smaller, and the
/// rows W q_a.
fn thin_basis(w: &[f64], m: usize, epsilon: f64) -> Result<(Vec<f64>, Vec<f64>)> {
    let dimension = w.len() / m;
    let mut outer = vec![0.0; dimension * dimension];
    let rows: Vec<&[f64]> = w.chunks_exact(dimension).collect();
    add_gram(&mut outer, dimension, 1.0, &rows);
    mirror(&mut outer, dimension);
    let mut left = decompose(&outer, dimension)?.vectors;
    // Row a: W'p_a = σ_a q_a.
    let mut seen = vec![0.0; dimension * m];
    for (target, p) in seen.chunks_exact_mut(m).zip(left.chunks_exact(dimension)) {
        multiply(target, w, p);
    }
    orthogonalise(&mut seen, m, &mut left, dimension, epsilon);
    let vectors = orthonormal(&seen, m);
    let rotated = rotate(&vectors, w, m);
    Ok((vectors, rotated))
}

pub(crate) fn decompose(matrix: &[f64], size: usize) -> Result<Eigen> {
    let mut eigen = Eigen::default();
    if eigen.decompose(matrix, size) {
        return Ok(eigen);
    }
    Err(Error::Numerical {
        place: "the spectrum of the weights",
        what: "the weights are no longer finite".to_string(),
    })
}

/// The directions of rows of m entries that are nearly orthogonal and ascending in size, made
/// orthonormal by Gram-Schmidt, twice where needed, the largest first. Rows that are rounding are left out.
fn orthonormal(rows: &[f64], m: usize) -> Vec<f64> {
    let mut done: Vec<f64> = Vec::with_capacity(rows.len());
    let mut c = vec![0.0; rows.len() / m];
    let mut noise = 0.0;
    for row in rows.chunks_exact(m).rev() {
        let size = norm_squared(row).sqrt();
        noise = f64::max(noise, NOISE * size);
        if size <= noise {
            break;
        }
        let mut q: Vec<f64> = row.iter().map(|entry| entry / size).collect();
        let c = &mut c[..done.len() / m];
        let mut left = 1.0;
        for _ in 0..2 {
            multiply(c, &done, &q);
            c.iter_mut().for_each(|c| *c = -*c);
            add_combination(&mut q, &done, c);
            left = norm_squared(&q).sqrt();
            // Where nearly nothing came off, rounding is all that a second time would change.
            if left > 1.0 - NEARLY {
                break;
            }
        }
        // What is left of a small row is rounding where it lies in the span of the larger ones.
        if left < 0.5 {
            continue;
        }
        done.extend(q.iter().map(|entry| entry / left));
    }
    // Ascending again.
    done.chunks_exact(m).rev().flatten().copied().collect()
}

fn rotate(vectors: &[f64], v: &[f64], m: usize) -> Vec<f64> {
    let dimension = v.len() / m;
    let mut out = vec![0.0; vectors.len() / m * dimension];
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
        // Squares: of how far rows were from orthogonal, and of how far they were turned.
        let (mut furthest, mut turned): (f64, f64) = (0.0, 0.0);
        for b in 1..count {
            for a in 0..b {
                let (low, high) = rows.split_at_mut(b * size);
                let (x, y) = (&mut low[a * size..(a + 1) * size], &mut high[..size]);
                let product = dot(x, y);
                let scale = (squares[a] + epsilon) * (squares[b] + epsilon);
                if product * product <= ORTHOGONAL * ORTHOGONAL * scale || sweep == MAX_SWEEPS {
                    continue;
                }
                furthest = furthest.max(product * product / scale);
                // The tangent of the smaller of the two angles that make x'y zero.
                let ratio = (squares[b] - squares[a]) / (2.0 * product);
                let root = (1.0 + ratio * ratio).sqrt();
                let tangent = 1.0 / (ratio + if ratio < 0.0 { -root } else { root });
                let (large, small) = if squares[a] > squares[b] {
                    (a, b)
                } else {
                    (b, a)
                };
                let growth = (squares[large] + epsilon) / (squares[small] + epsilon);
                turned = turned.max(tangent * tangent * growth);
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
        // A rotation brings no more than its angle of what other pairs have left back to a pair that
        // was done before: another sweep would find nothing.
        if furthest * turned <= ORTHOGONAL * ORTHOGONAL {
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
