//! The linear systems of the lower level: Newton steps and implicit gradients. The operator, how to
//! solve with it, and nothing about when that is wanted.
//!
//! Vectors are rows in the eigenbasis of W'W: row a belongs to q_a, but for the null rows of the
//! spectrum, which hold by task what lies in the null space, and are treated alike everywhere. With
//! W q_a = σ_a p_a, τ = tr S and c_ab = v_a'p_b, the Hessian of P is
//!
//! ```text
//! (H V)_a = data + (λ1 + λ2 τ / s_a) v_a + Σ_b e_ab p_b,
//! e_ab = -λ2 τ u_b (σ_b c_ab + σ_a c_ba) / (s_a (s_a + s_b)),    u_b = σ_b / s_b,
//! e_aa = the same, and λ2 u_a Σ_b u_b c_bb.
//! ```
//!
//! The e_ab are the omega_derivative of Ω; without them Ω is held fixed. The regulariser couples nothing but
//! pairs (a, b), (b, a) and the diagonal. In each product of two u one factor may be replaced by a
//! number d between 0 and 1, made symmetric: the primal-dual Newton method of Chan, Golub and Mulet
//! (1999), which stays effective far from the optimum where Newton's own model is poor. With d = 0
//! the fixed Ω is left, a model from above; with d = u Newton's. The operator is positive definite
//! for all d in between.
//!
//! Rows are scaled by (λ1 + λ2 τ / s_a)^(-1/2): directions in which Ω is nearly or exactly singular
//! do no harm. A row is stiff where that scale makes the data part small; then it is nearly the
//! identity, but for the p_b of rows b that are not stiff: W may turn into q_a at little cost. This
//! is what the preconditioner knows: it factors the D x D blocks of the soft rows, and is diagonal
//! in the stiff ones. Where D is large, the block of a soft row is taken to be the identity outside
//! the span of all p_b and of the directions in which the points vary most.

use crate::error::{Error, Result};
use crate::interrupt;
use crate::linalg::{
    add_combination, add_scaled, ascending, cholesky, cholesky_inverse, cholesky_solve, dot,
    multiply, multiply_symmetric, norm_squared, orthonormalise,
};
use crate::mtrl::problem::MODES;
use crate::mtrl::task::SMALL_DIMENSION;
use crate::mtrl::{Problem, Spectrum};

/// Up to this many unknowns a system with many right-hand sides is factored as a whole.
const DENSE_LIMIT: usize = 420;

/// A row is stiff when the trace of the data part is at most this much of its own stiffness.
const STIFF: f64 = 0.5;

/// Up to this many entries the blocks of soft rows are factored as they are. Then all tasks keep
/// sums.
const BLOCK_LIMIT: usize = SMALL_DIMENSION;

/// Whether Ω moves with W.
#[derive(Clone, Copy)]
pub(crate) enum Coupling<'a> {
    /// Ω is held fixed.
    Fixed,
    /// Ω follows W; the numbers d_a replace one factor u_a (zero where σ_a is).
    Moving { dual: &'a [f64] },
}

/// What an operator needs of the data part: the curvatures of the tasks, and the weights.
pub(crate) struct Quadratic<'a> {
    curvatures: Curvatures<'a>,
    dimension: usize,
    lambda1: f64,
    lambda2: f64,
}

enum Curvatures<'a> {
    /// Those of the lower level at its active sets.
    Problem(&'a Problem),
    /// Symmetric matrices, D x D, one a task.
    Matrices(&'a [Vec<f64>]),
}

impl<'a> Quadratic<'a> {
    /// That of the lower level at its active sets.
    pub(crate) fn of(problem: &'a Problem) -> Self {
        let weights = problem.weights();
        Self {
            curvatures: Curvatures::Problem(problem),
            dimension: problem.dimension(),
            lambda1: weights.lambda1,
            lambda2: weights.lambda2,
        }
    }

    /// From symmetric matrices that include what λ1 adds, one a task.
    pub(crate) fn from_matrices(dimension: usize, matrices: &'a [Vec<f64>], lambda2: f64) -> Self {
        Self {
            curvatures: Curvatures::Matrices(matrices),
            dimension,
            lambda1: 0.0,
            lambda2,
        }
    }

    fn task_count(&self) -> usize {
        match self.curvatures {
            Curvatures::Problem(problem) => problem.task_count(),
            Curvatures::Matrices(matrices) => matrices.len(),
        }
    }

    /// y = C v for the curvature C of a task.
    fn multiply_curvature(&self, number: usize, y: &mut [f64], v: &[f64]) {
        match self.curvatures {
            Curvatures::Problem(problem) => problem.multiply_curvature(number, y, v),
            Curvatures::Matrices(matrices) => multiply_symmetric(y, &matrices[number], v),
        }
    }

    /// tr C.
    fn curvature_trace(&self, number: usize) -> f64 {
        match self.curvatures {
            Curvatures::Problem(problem) => problem.curvature_trace(number),
            Curvatures::Matrices(matrices) => {
                matrices[number].iter().step_by(self.dimension + 1).sum()
            }
        }
    }

    /// Adds `share` C to a D x D matrix, to its lower triangle at least.
    fn add_curvature(&self, number: usize, share: f64, matrix: &mut [f64]) {
        match self.curvatures {
            Curvatures::Problem(problem) => problem.add_curvature(number, share, matrix),
            Curvatures::Matrices(matrices) => add_scaled(matrix, share, &matrices[number]),
        }
    }
}

/// The operator at one point. The curvature must be that of the point.
pub(crate) struct System<'a> {
    data: Quadratic<'a>,
    spectrum: &'a Spectrum,
    /// (λ1 + λ2 τ / s_a)^(-1/2); zero where s_a is zero.
    scale: Vec<f64>,
    /// Row i, for the rows of eigenvectors: `scale`_a q_ai.
    by_task: Vec<f64>,
    omega_derivative: Option<OmegaDerivative>,
}

/// e_ab = diagonal_ab c_ab + cross_ab c_ba, and e_aa + dual_a Σ_b unit_b c_bb + unit_a Σ_b dual_b c_bb,
/// in scaled rows. Columns are those rows b that have a p_b. Where there are null rows, the first row
/// of `diagonal` and `cross` is theirs, the others belong to eigenvectors.
struct OmegaDerivative {
    diagonal: Vec<f64>,
    cross: Vec<f64>,
    /// What null rows are multiplied by: Σ_b diagonal_b p_b p_b'.
    null: Vec<f64>,
    unit: Vec<f64>,
    dual: Vec<f64>,
}

/// What a product needs besides the operator, so that it allocates nothing.
struct Workspace {
    /// R v by task, and what the curvatures make of it.
    by_task: Vec<f64>,
    product: Vec<f64>,
    /// Where there are null rows: Q of that product.
    rotated: Vec<f64>,
    inner: Vec<f64>,
    moved: Vec<f64>,
}

impl<'a> System<'a> {
    pub(crate) fn new(data: Quadratic<'a>, spectrum: &'a Spectrum, coupling: Coupling<'a>) -> Self {
        let scale: Vec<f64> = (spectrum.values.iter())
            .map(|&s| {
                if data.lambda2 == 0.0 {
                    1.0 / data.lambda1.sqrt()
                } else if s > 0.0 {
                    1.0 / (data.lambda1 + data.lambda2 * spectrum.trace / s).sqrt()
                } else {
                    0.0
                }
            })
            .collect();
        let omega_derivative = match coupling {
            Coupling::Fixed => None,
            Coupling::Moving { dual } => {
                Some(OmegaDerivative::new(spectrum, dual, data.lambda2, &scale))
            }
        };
        let m = data.task_count();
        let kept = &scale[spectrum.null_rows()..];
        let mut by_task = Vec::with_capacity(m * kept.len());
        for i in 0..m {
            let column = kept.iter().enumerate();
            by_task.extend(column.map(|(a, scale)| scale * spectrum.vectors[a * m + i]));
        }
        Self {
            data,
            spectrum,
            scale,
            by_task,
            omega_derivative,
        }
    }

    /// Unknowns, by task.
    fn size(&self) -> usize {
        self.data.task_count() * self.data.dimension
    }

    fn workspace(&self) -> Workspace {
        let zeros = || vec![0.0; self.size()];
        let null_rows = self.spectrum.null_rows();
        let pairs = (self.scale.len() - null_rows) * (self.scale.len() - self.spectrum.first);
        let kept = if null_rows > 0 {
            self.scale.len() - null_rows
        } else {
            0
        };
        Workspace {
            by_task: zeros(),
            product: zeros(),
            rotated: vec![0.0; kept * self.data.dimension],
            inner: vec![0.0; pairs],
            moved: vec![0.0; pairs],
        }
    }

    /// Inner product of U and V in the regulariser with Ω fixed.
    pub(crate) fn regulariser(&self, u: &[f64], v: &[f64]) -> f64 {
        let dimension = self.data.dimension;
        (u.chunks_exact(dimension).zip(v.chunks_exact(dimension)))
            .zip(&self.scale)
            // No W of finite value has a part where Ω is zero.
            .filter(|&(_, &scale)| scale > 0.0)
            .map(|((u, v), scale)| dot(u, v) / (scale * scale))
            .sum()
    }

    /// H V. Needs ε > 0.
    pub(crate) fn product(&self, v: &[f64]) -> Vec<f64> {
        let dimension = self.data.dimension;
        let unscale = |v: &mut [f64]| {
            for (row, scale) in v.chunks_exact_mut(dimension).zip(&self.scale) {
                row.iter_mut().for_each(|entry| *entry /= scale);
            }
        };
        let mut unscaled = v.to_vec();
        unscale(&mut unscaled);
        let mut out = vec![0.0; v.len()];
        self.scaled_product(&unscaled, &mut out, &mut self.workspace());
        unscale(&mut out);
        out
    }

    /// The scaled operator: out = R H R v.
    fn scaled_product(&self, v: &[f64], out: &mut [f64], workspace: &mut Workspace) {
        let m = self.data.task_count();
        let dimension = self.data.dimension;
        let null_rows = self.spectrum.null_rows();
        let Workspace {
            by_task,
            product,
            rotated,
            inner,
            moved,
        } = workspace;
        let (null, kept) = v.split_at(null_rows * dimension);
        let count = self.scale.len() - null_rows;
        let scales = &self.scale[null_rows..];
        by_task.fill(0.0);
        if null_rows > 0 {
            // Only what does lie in the null space: rounding must not make the operator asymmetric.
            let scale = self.scale[0];
            add_scaled(by_task, scale, null);
            rotated.fill(0.0);
            let vectors = self.spectrum.vectors.chunks_exact(m);
            for ((row, q), (z, other)) in (rotated.chunks_exact_mut(dimension).zip(vectors))
                .zip(kept.chunks_exact(dimension).zip(scales))
            {
                add_combination(row, null, q);
                row.iter_mut()
                    .zip(z)
                    .for_each(|(seen, z)| *seen = z - scale / other * *seen);
            }
        }
        let kept = if null_rows > 0 { &**rotated } else { kept };
        for (i, (x, y)) in (by_task.chunks_exact_mut(dimension))
            .zip(product.chunks_exact_mut(dimension))
            .enumerate()
        {
            add_combination(x, kept, &self.by_task[i * count..(i + 1) * count]);
            self.data.multiply_curvature(i, y, x);
        }
        out.copy_from_slice(v);
        let (null, kept) = out.split_at_mut(null_rows * dimension);
        let vectors = self.spectrum.vectors.chunks_exact(m);
        if null_rows == 0 {
            let mut coefficients = vec![0.0; m];
            for ((row, q), scale) in kept.chunks_exact_mut(dimension).zip(vectors).zip(scales) {
                for (c, entry) in coefficients.iter_mut().zip(q) {
                    *c = scale * entry;
                }
                add_combination(row, product, &coefficients);
            }
        } else {
            // Of the product, what lies in the null space is what its projection leaves.
            rotated.fill(0.0);
            let rows = rotated.chunks_exact_mut(dimension);
            for ((rotated, q), (row, scale)) in rows
                .zip(vectors)
                .zip(kept.chunks_exact_mut(dimension).zip(scales))
            {
                add_combination(rotated, product, q);
                add_scaled(row, *scale, rotated);
            }
            let scale = self.scale[0];
            add_scaled(null, scale, product);
            let ratios: Vec<f64> = scales.iter().map(|other| -scale / other).collect();
            let mut coefficients = vec![0.0; count];
            for (i, row) in null.chunks_exact_mut(dimension).enumerate() {
                let by_task = &self.by_task[i * count..(i + 1) * count];
                for ((c, entry), ratio) in coefficients.iter_mut().zip(by_task).zip(&ratios) {
                    *c = ratio * entry;
                }
                add_combination(row, rotated, &coefficients);
            }
        }
        let Some(omega_derivative) = &self.omega_derivative else {
            return;
        };
        let Spectrum { first, left, .. } = self.spectrum;
        let count = self.scale.len() - first;
        if count == 0 {
            return;
        }
        let (null, kept) = v.split_at(null_rows * dimension);
        let (null_out, kept_out) = out.split_at_mut(null_rows * dimension);
        for (target, row) in
            (null_out.chunks_exact_mut(dimension)).zip(null.chunks_exact(dimension))
        {
            add_combination(target, &omega_derivative.null, row);
        }
        for (c, row) in inner
            .chunks_exact_mut(count)
            .zip(kept.chunks_exact(dimension))
        {
            multiply(c, left, row);
        }
        omega_derivative.apply(inner, moved, first - null_rows);
        for (row, e) in (kept_out.chunks_exact_mut(dimension)).zip(moved.chunks_exact(count)) {
            add_combination(row, left, e);
        }
    }

    /// Prepares to solve with this operator once or a few times.
    ///
    /// # Errors
    /// A block is not positive definite (only possible in the face of rounding).
    pub(crate) fn factor(&self) -> Result<Factored<'_>> {
        Ok(Factored {
            system: self,
            factor: Factor::Blocks(Blocks::new(self)?),
        })
    }

    /// Prepares to solve with this operator many times.
    ///
    /// # Errors
    /// The operator is not positive definite (only possible in the face of rounding).
    pub(crate) fn factor_whole(&self) -> Result<Factored<'_>> {
        let size = self.size();
        if size > DENSE_LIMIT {
            return self.factor();
        }
        // By task: null rows are more than there are unknowns.
        let mut matrix = vec![0.0; size * size];
        let mut unit = vec![0.0; size];
        let mut product = vec![0.0; self.scale.len() * self.data.dimension];
        let mut workspace = self.workspace();
        for (k, row) in matrix.chunks_exact_mut(size).enumerate() {
            unit[k] = 1.0;
            let column = self.spectrum.to_eigenbasis(&unit);
            self.scaled_product(&column, &mut product, &mut workspace);
            row.copy_from_slice(&self.spectrum.from_eigenbasis(&product));
            unit[k] = 0.0;
        }
        if !cholesky(&mut matrix, size) {
            return Err(breakdown());
        }
        Ok(Factored {
            system: self,
            factor: Factor::Whole(matrix),
        })
    }

    fn apply_scale(&self, v: &mut [f64]) {
        let dimension = self.data.dimension;
        for (row, scale) in v.chunks_exact_mut(dimension).zip(&self.scale) {
            row.iter_mut().for_each(|entry| *entry *= scale);
        }
    }
}

fn breakdown() -> Error {
    Error::Numerical {
        place: "the Newton system of the lower level",
        what: "its matrix is not positive definite".to_string(),
    }
}

/// Adds `weight` p p'.
fn add_outer(matrix: &mut [f64], weight: f64, p: &[f64]) {
    for (row, &entry) in matrix.chunks_exact_mut(p.len()).zip(p) {
        add_scaled(row, weight * entry, p);
    }
}

impl OmegaDerivative {
    fn new(spectrum: &Spectrum, d: &[f64], lambda2: f64, scale: &[f64]) -> Self {
        let Spectrum {
            values: s,
            singular,
            first,
            left,
            trace,
            ..
        } = spectrum;
        let (rows, first) = (s.len(), *first);
        let half = 0.5 * lambda2 * trace;
        let count = rows - first;
        let base = spectrum.null_rows().saturating_sub(1);
        let size = (rows - base) * count;
        let (mut diagonal, mut cross) = (vec![0.0; size], vec![0.0; size]);
        for a in base..rows {
            for b in first..rows {
                let sum = s[a] + s[b];
                let k = (a - base) * count + b - first;
                diagonal[k] = -2.0 * half * scale[a] * scale[a] * d[b] * singular[b] / (s[a] * sum);
                let mixed = d[b] * singular[a] / s[a] + d[a] * singular[b] / s[b];
                cross[k] = -half * scale[a] * scale[b] * mixed / sum;
            }
        }
        let mut null = Vec::new();
        if spectrum.null_rows() > 0 && count > 0 {
            let dimension = left.len() / count;
            null.resize(dimension * dimension, 0.0);
            for (p, weight) in left.chunks_exact(dimension).zip(&diagonal) {
                add_outer(&mut null, *weight, p);
            }
        }
        let root = (0.5 * lambda2).sqrt();
        Self {
            diagonal,
            cross,
            null,
            unit: (first..rows)
                .map(|a| root * scale[a] * singular[a] / s[a])
                .collect(),
            dual: (first..rows).map(|a| root * scale[a] * d[a]).collect(),
        }
    }

    /// From the c_ab to the e_ab, of rows of eigenvectors; from row `first` on they have a p.
    fn apply(&self, c: &[f64], e: &mut [f64], first: usize) {
        let count = self.unit.len();
        let (mut along_unit, mut along_dual) = (0.0, 0.0);
        for b in 0..count {
            let own = c[(first + b) * count + b];
            along_unit += self.unit[b] * own;
            along_dual += self.dual[b] * own;
        }
        let skipped = self.diagonal.len() - e.len();
        let (diagonal, cross) = (&self.diagonal[skipped..], &self.cross[skipped..]);
        for (a, row) in e.chunks_exact_mut(count).enumerate() {
            for b in 0..count {
                let k = a * count + b;
                row[b] = diagonal[k] * c[k];
                if a >= first {
                    row[b] += cross[k] * c[(first + b) * count + a - first];
                }
            }
        }
        for b in 0..count {
            e[(first + b) * count + b] += along_unit * self.dual[b] + along_dual * self.unit[b];
        }
    }
}

/// The preconditioner of conjugate gradients, for the scaled operator.
struct Blocks {
    /// The first one is that of all null rows, where there are any.
    rows: Vec<Block>,
    null_rows: usize,
    /// The soft rows that have a p, counted from the first row that has one.
    soft: Vec<usize>,
    /// Where D is large: orthonormal rows, the p first.
    basis: Vec<f64>,
}

enum Block {
    /// Inverse of the D x D diagonal block of all null rows.
    Null(Vec<f64>),
    /// Cholesky factor of the D x D diagonal block.
    Soft(Vec<f64>),
    /// Cholesky factor of that block within the span of the basis.
    Coarse(Vec<f64>),
    /// I, but for these multiples of p_b p_b' for the soft b that are taken off.
    Stiff(Vec<f64>),
}

impl Blocks {
    fn new(system: &System) -> Result<Self> {
        let System {
            data,
            spectrum,
            scale,
            omega_derivative,
            ..
        } = system;
        let m = data.task_count();
        let dimension = data.dimension;
        let null_rows = spectrum.null_rows();
        let largest = (0..m).map(|i| data.curvature_trace(i)).fold(0.0, f64::max);
        let is_soft = |a: usize| largest * scale[a] * scale[a] > STIFF;
        let Spectrum { first, left, .. } = spectrum;
        let (first, count) = (*first, scale.len() - first);
        let p = |b: usize| &left[b * dimension..(b + 1) * dimension];
        let soft: Vec<usize> = match omega_derivative {
            Some(_) => (0..count).filter(|&b| is_soft(first + b)).collect(),
            None => Vec::new(),
        };
        // Mean data curvature along p_b.
        let mean = Mean::new(data);
        let images = mean.images(left);
        let along: Vec<f64> = (soft.iter())
            .map(|&b| dot(&images[b * dimension..(b + 1) * dimension], p(b)))
            .collect();
        let coarse = (dimension > BLOCK_LIMIT).then(|| Coarse::new(&mean, left, images));
        let mut rows = Vec::with_capacity(scale.len() - null_rows + 1);
        let base = null_rows.saturating_sub(1);
        for a in base..scale.len() {
            interrupt::check()?;
            if !is_soft(a) {
                let taken = soft.iter().zip(&along).map(|(&b, along)| {
                    let diagonal = omega_derivative
                        .as_ref()
                        .map_or(0.0, |m| m.diagonal[(a - base) * count + b]);
                    1.0 - 1.0 / (1.0 + diagonal + scale[a] * scale[a] * along)
                });
                rows.push(Block::Stiff(taken.collect()));
                continue;
            }
            // The omega_derivative within the row is diagonal: multiples of p_b p_b'.
            let along_p = |b: usize| {
                omega_derivative.as_ref().map_or(0.0, |omega_derivative| {
                    let k = (a - base) * count + b;
                    let own = omega_derivative.cross[k]
                        + 2.0 * omega_derivative.unit[b] * omega_derivative.dual[b];
                    omega_derivative.diagonal[k] + if first + b == a { own } else { 0.0 }
                })
            };
            let (mut block, size) = match &coarse {
                Some(coarse) => {
                    let size = coarse.basis.len() / dimension;
                    let factor = scale[a] * scale[a];
                    let mut block: Vec<f64> = coarse.inner.iter().map(|k| factor * k).collect();
                    for b in 0..count {
                        block[b * (size + 1)] += along_p(b);
                    }
                    (block, size)
                }
                None => {
                    let square = scale[a] * scale[a];
                    let mut block = vec![0.0; dimension * dimension];
                    match &mean {
                        // Of so many tasks the mean will do: each eigenvector has a share of many.
                        Mean::Matrix(mean, _) if null_rows > 0 => {
                            add_scaled(&mut block, square, mean);
                        }
                        _ => {
                            for i in 0..m {
                                let entry = spectrum.vectors[a * m + i];
                                data.add_curvature(i, square * entry * entry, &mut block);
                            }
                        }
                    }
                    for b in 0..count {
                        let weight = along_p(b);
                        add_outer(&mut block, weight, p(b));
                    }
                    (block, dimension)
                }
            };
            for k in 0..size {
                block[k * (size + 1)] += 1.0;
            }
            if !cholesky(&mut block, size) {
                return Err(breakdown());
            }
            rows.push(match coarse {
                Some(_) => Block::Coarse(block),
                None if a < null_rows => Block::Null(cholesky_inverse(&block, size)),
                None => Block::Soft(block),
            });
        }
        Ok(Self {
            rows,
            null_rows,
            soft,
            basis: coarse.map_or_else(Vec::new, |coarse| coarse.basis),
        })
    }

    fn apply(&self, y: &mut [f64], spectrum: &Spectrum) {
        let dimension = y.len() / spectrum.rows();
        // The null rows have one block.
        let (mut rest, mut count) = (y, self.null_rows.max(1));
        for block in &self.rows {
            let (rows, after) = rest.split_at_mut(count * dimension);
            match block {
                Block::Null(inverse) => {
                    let mut before = vec![0.0; dimension];
                    for row in rows.chunks_exact_mut(dimension) {
                        before.copy_from_slice(row);
                        row.fill(0.0);
                        add_combination(row, inverse, &before);
                    }
                }
                Block::Soft(factor) => cholesky_solve(factor, dimension, rows),
                Block::Coarse(factor) => self.apply_coarse(factor, rows, dimension),
                Block::Stiff(taken) => {
                    for row in rows.chunks_exact_mut(dimension) {
                        for (&b, taken) in self.soft.iter().zip(taken) {
                            let p = &spectrum.left[b * dimension..(b + 1) * dimension];
                            let c = taken * dot(row, p);
                            add_scaled(row, -c, p);
                        }
                    }
                }
            }
            (rest, count) = (after, 1);
        }
    }

    fn apply_coarse(&self, factor: &[f64], rows: &mut [f64], dimension: usize) {
        let size = self.basis.len() / dimension;
        let (mut before, mut after) = (vec![0.0; size], vec![0.0; size]);
        for row in rows.chunks_exact_mut(dimension) {
            multiply(&mut before, &self.basis, row);
            after.copy_from_slice(&before);
            cholesky_solve(factor, size, &mut after);
            add_scaled(&mut after, -1.0, &before);
            add_combination(row, &self.basis, &after);
        }
    }
}

/// The mean curvature of the tasks.
enum Mean<'a> {
    /// Where every task has its curvature as a matrix.
    Matrix(Vec<f64>, usize),
    /// Else through their points.
    Products(&'a Problem),
}

impl<'a> Mean<'a> {
    fn new(data: &Quadratic<'a>) -> Self {
        if let Curvatures::Problem(problem) = data.curvatures
            && !problem.keeps_sums()
        {
            return Self::Products(problem);
        }
        let (m, dimension) = (data.task_count(), data.dimension);
        let mut mean = vec![0.0; dimension * dimension];
        for i in 0..m {
            data.add_curvature(i, 1.0 / m as f64, &mut mean);
        }
        Self::Matrix(mean, dimension)
    }

    /// The images of rows of D entries.
    fn images(&self, rows: &[f64]) -> Vec<f64> {
        let mut images = vec![0.0; rows.len()];
        match self {
            Self::Matrix(mean, dimension) => {
                for (image, row) in
                    (images.chunks_exact_mut(*dimension)).zip(rows.chunks_exact(*dimension))
                {
                    multiply_symmetric(image, mean, row);
                }
            }
            Self::Products(problem) => problem.mean_images(&mut images, rows),
        }
        images
    }

    /// Rows near the eigenvectors of the largest eigenvalues, not orthogonal.
    fn modes(&self) -> Vec<f64> {
        match self {
            // Those of the entries of largest variance.
            Self::Matrix(mean, dimension) => {
                let variance = mean.iter().step_by(dimension + 1);
                let order = ascending(&variance.map(|v| -v).collect::<Vec<_>>());
                (order.iter().take(MODES))
                    .flat_map(|&k| &mean[k * dimension..(k + 1) * dimension])
                    .copied()
                    .collect()
            }
            Self::Products(problem) => problem.modes().to_vec(),
        }
    }
}

/// A small space in which the mean curvature of the tasks is known.
struct Coarse {
    /// Orthonormal rows: first all p, then [`MODES`] more, near the largest eigenvectors.
    basis: Vec<f64>,
    /// The mean curvature in it.
    inner: Vec<f64>,
}

impl Coarse {
    /// `images`: those of the rows of `left`.
    fn new(mean: &Mean, left: &[f64], mut images: Vec<f64>) -> Self {
        let (dimension, rounds) = match mean {
            // Two rounds of subspace iteration.
            Mean::Matrix(_, dimension) => (*dimension, 2),
            // The modes have been through them.
            Mean::Products(problem) => (problem.dimension(), 0),
        };
        let mut basis = left.to_vec();
        basis.extend(mean.modes());
        orthonormalise(&mut basis, left.len(), dimension);
        for _ in 0..rounds {
            let next = mean.images(&basis[left.len()..]);
            basis[left.len()..].copy_from_slice(&next);
            orthonormalise(&mut basis, left.len(), dimension);
        }
        let size = basis.len() / dimension;
        images.extend(mean.images(&basis[left.len()..]));
        let mut inner = vec![0.0; size * size];
        for (row, image) in (inner.chunks_exact_mut(size)).zip(images.chunks_exact(dimension)) {
            multiply(row, &basis, image);
        }
        Self { basis, inner }
    }
}

enum Factor {
    /// Cholesky factor of the whole scaled operator.
    Whole(Vec<f64>),
    /// Preconditioner of conjugate gradients.
    Blocks(Blocks),
}

/// An operator that is ready to be solved with.
pub(crate) struct Factored<'a> {
    system: &'a System<'a>,
    factor: Factor,
}

impl Factored<'_> {
    /// H⁻¹ `rhs`; where it is not factored as a whole by conjugate gradients, to a residual of
    /// `tolerance` times the right-hand side, in the scaled norm. And how many products it took.
    ///
    /// # Errors
    /// The operator turns out not to be positive definite.
    pub(crate) fn solve(&self, rhs: &[f64], tolerance: f64) -> Result<(Vec<f64>, usize)> {
        let mut x = rhs.to_vec();
        self.system.apply_scale(&mut x);
        let mut products = 0;
        match &self.factor {
            Factor::Whole(factor) => {
                let spectrum = self.system.spectrum;
                let mut by_task = spectrum.from_eigenbasis(&x);
                cholesky_solve(factor, self.system.size(), &mut by_task);
                x = spectrum.to_eigenbasis(&by_task);
            }
            Factor::Blocks(blocks) => {
                (x, products) = self.conjugate_gradients(blocks, x, tolerance)?;
            }
        }
        self.system.apply_scale(&mut x);
        Ok((x, products))
    }

    fn conjugate_gradients(
        &self,
        blocks: &Blocks,
        mut residual: Vec<f64>,
        tolerance: f64,
    ) -> Result<(Vec<f64>, usize)> {
        let spectrum = self.system.spectrum;
        let mut x = vec![0.0; residual.len()];
        let target = tolerance * tolerance * norm_squared(&residual);
        if target == 0.0 {
            return Ok((x, 0));
        }
        let mut workspace = self.system.workspace();
        let mut product = x.clone();
        let mut y = residual.clone();
        blocks.apply(&mut y, spectrum);
        let mut direction = y.clone();
        let mut rho = dot(&residual, &y);
        // In exact arithmetic it ends after as many steps as unknowns; rounding may need more.
        let limit = 2 * self.system.size();
        let mut products = 0;
        while products < limit {
            interrupt::check()?;
            self.system
                .scaled_product(&direction, &mut product, &mut workspace);
            products += 1;
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
            y.copy_from_slice(&residual);
            blocks.apply(&mut y, spectrum);
            let next = dot(&residual, &y);
            let ratio = next / rho;
            rho = next;
            for (d, y) in direction.iter_mut().zip(&y) {
                *d = y + ratio * *d;
            }
        }
        Ok((x, products))
    }
}
