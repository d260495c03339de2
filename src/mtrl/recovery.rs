//! Small singular values of W, read off the optimality conditions.
//!
//! At the optimum λ2 τ U* = -(∇data + λ1 W), where U* = W S⁻¹ has the singular values
//! u = σ / sqrt(σ² + ε). Where u is not close to 1, σ is of the order of sqrt(ε): the data part
//! hardly notices it, so U* is known before W is, and W = sqrt(ε) U* (I - U*'U*)^(-1/2). Newton's
//! model of tr S bends at sqrt(ε) and needs many steps to get there from afar; this is one. It
//! keeps the large singular values with their vectors, which Newton's steps do find quickly.

use crate::error::Result;
use crate::linalg::{add_combination, add_gram, add_scaled, mirror, multiply, norm_squared};
use crate::mtrl::Spectrum;
use crate::mtrl::spectrum::decompose;

/// Directions in which U* is above this keep their singular value.
const LARGE: f64 = 0.95;

/// There is something to gain where a singular value of W S⁻¹ is off by this.
const WORTH: f64 = 0.05;

/// And where this share of the square of the gradient is in the directions of small singular
/// values. Else the large ones are still far from where they belong, and U* with them.
const SHARE: f64 = 0.5;

/// U* by the optimality conditions, W S⁻¹ - ∇P / (λ2 τ), in the eigenbasis as `gradient` is; none
/// without a coupling.
pub(crate) fn conditions(spectrum: &Spectrum, gradient: &[f64], lambda2: f64) -> Option<Vec<f64>> {
    let stiffness = lambda2 * spectrum.trace;
    if stiffness <= 0.0 {
        return None;
    }
    let dimension = gradient.len() / spectrum.rows();
    let mut dual: Vec<f64> = gradient.iter().map(|g| -g / stiffness).collect();
    let null_rows = spectrum.null_rows();
    for ((row, w), s) in (dual[null_rows * dimension..].chunks_exact_mut(dimension))
        .zip(spectrum.rotated.chunks_exact(dimension))
        .zip(&spectrum.values[null_rows..])
    {
        add_scaled(row, 1.0 / s, w);
    }
    Some(dual)
}

/// W (rows by task) with the small singular values that `dual`, the U* of [`conditions`], gives
/// them; none where that is not worth it. P there may be higher.
///
/// # Errors
/// Numbers that are not finite.
pub(crate) fn recover(
    spectrum: &Spectrum,
    gradient: &[f64],
    dual: &[f64],
    epsilon: f64,
) -> Result<Option<Vec<f64>>> {
    let dimension = gradient.len() / spectrum.rows();
    let numbers = spectrum.diagonal(dual);
    let unit = spectrum.unit();
    let is_large = |a: usize| numbers[a] > LARGE;
    let small: Vec<usize> = (0..spectrum.rows()).filter(|&a| !is_large(a)).collect();
    if (small.iter()).all(|&a| (unit[a] - numbers[a].max(0.0)).abs() < WORTH) {
        return Ok(None);
    }
    // What the left singular vectors of the large ones do not see. Rows of W are orthogonal.
    let kept: Vec<f64> = (spectrum.left.chunks_exact(dimension).enumerate())
        .filter(|(k, _)| is_large(spectrum.first + k))
        .flat_map(|(_, p)| p)
        .copied()
        .collect();
    let mut c = vec![0.0; kept.len() / dimension];
    let mut outside = |rows: &[f64]| -> Vec<f64> {
        let mut out = Vec::with_capacity(small.len() * dimension);
        for &a in &small {
            out.extend_from_slice(&rows[a * dimension..(a + 1) * dimension]);
            let start = out.len() - dimension;
            let row = &mut out[start..];
            multiply(&mut c, &kept, row);
            c.iter_mut().for_each(|c| *c = -*c);
            add_combination(row, &kept, &c);
        }
        out
    };
    if norm_squared(&outside(gradient)) < SHARE * norm_squared(gradient) {
        return Ok(None);
    }
    let dual = outside(dual);
    let factor = root_factor(&dual, dimension, epsilon)?;
    let size = small.len().min(dimension);
    let mut rows = spectrum.weights();
    for (k, &a) in small.iter().enumerate() {
        let row = &mut rows[a * dimension..(a + 1) * dimension];
        row.fill(0.0);
        if small.len() > dimension {
            add_combination(row, &factor, &dual[k * dimension..(k + 1) * dimension]);
        } else {
            add_combination(row, &dual, &factor[k * size..(k + 1) * size]);
        }
    }
    Ok(Some(spectrum.from_eigenbasis(&rows)))
}

/// sqrt(ε) (I - M)^(-1/2) for M = U U', or U'U where that is smaller; singular values of U above
/// [`LARGE`] count as that.
fn root_factor(dual: &[f64], dimension: usize, epsilon: f64) -> Result<Vec<f64>> {
    let size = (dual.len() / dimension).min(dimension);
    let mut inner = vec![0.0; size * size];
    let rows: Vec<&[f64]> = dual.chunks_exact(dimension).collect();
    if rows.len() > dimension {
        add_gram(&mut inner, dimension, 1.0, &rows);
        mirror(&mut inner, dimension);
    } else {
        for (products, row) in inner.chunks_exact_mut(size).zip(rows) {
            multiply(products, dual, row);
        }
    }
    let eigen = decompose(&inner, size)?;
    let mut factor = vec![0.0; size * size];
    for (&square, vector) in eigen.values.iter().zip(eigen.vectors.chunks_exact(size)) {
        let counted = square.clamp(0.0, LARGE * LARGE);
        let shortened = if square > counted {
            counted / square
        } else {
            1.0
        };
        let root = (epsilon * shortened / (1.0 - counted)).sqrt();
        for (row, entry) in factor.chunks_exact_mut(size).zip(vector) {
            add_scaled(row, root * entry, vector);
        }
    }
    Ok(factor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::dot;
    use crate::mtrl::{Limits, Loss, Point, Problem, Solver, Task, Weights, solve};
    use crate::rng::{Random, Stream};

    /// Tasks around one direction, so that most singular values belong near the floor.
    fn problem(m: usize, n: usize, dimension: usize) -> Problem {
        let mut random = Random::new(4, Stream::Synthetic, 0);
        let mut normals = |count| -> Vec<f64> { (0..count).map(|_| random.normal()).collect() };
        let shared = normals(dimension);
        let mut task = || {
            let points = normals(n * dimension);
            let labels = (points.chunks_exact(dimension).zip(normals(n)))
                .map(|(x, noise)| dot(x, &shared) + 0.3 * noise);
            Task {
                labels: labels.collect(),
                points,
                clean: n,
            }
        };
        let weights = Weights {
            loss: Loss::Squared,
            lambda1: 0.01,
            lambda2: 0.1,
            epsilon: 1e-6,
        };
        let tasks = (0..m).map(|_| task()).collect();
        Problem::new(weights, dimension, tasks).unwrap()
    }

    #[test]
    fn singular_values_that_are_far_from_where_they_belong_are_put_there() {
        for (m, dimension) in [(5, 8), (8, 8), (20, 6)] {
            let mut problem = problem(m, 60, dimension);
            let limits = Limits {
                tolerance: 1e-14,
                ..Limits::default()
            };
            let optimum = solve(Solver::Certified, &mut problem, None, &limits).unwrap();
            // All but the largest a hundred times too large.
            let mut rows = optimum.spectrum.weights();
            let large = rows.len() - dimension;
            rows[..large].iter_mut().for_each(|entry| *entry *= 100.0);
            let w = optimum.spectrum.from_eigenbasis(&rows);
            let point = Point::new(&problem, w).unwrap();
            let gradient = point.spectrum.to_eigenbasis(&point.gradient);
            let weights = *problem.weights();
            let dual = conditions(&point.spectrum, &gradient, weights.lambda2).unwrap();
            let found = recover(&point.spectrum, &gradient, &dual, weights.epsilon).unwrap();
            let found = Point::new(&problem, found.expect("much to gain")).unwrap();
            let above = |point: &Point| point.value - optimum.objective;
            assert!(
                above(&found) < 1e-2 * above(&point),
                "{m} tasks: {:e} of {:e}",
                above(&found),
                above(&point)
            );
            // At the optimum there is nothing to gain.
            let gradient = vec![0.0; rows.len()];
            let dual = conditions(&optimum.spectrum, &gradient, weights.lambda2).unwrap();
            let found = recover(&optimum.spectrum, &gradient, &dual, weights.epsilon).unwrap();
            assert!(found.is_none(), "{m} tasks");
        }
    }

    #[test]
    fn a_cold_solve_takes_few_steps() {
        for (m, n, dimension, most) in [(7, 250, 22, 5), (50, 100, 20, 6), (100, 40, 12, 8)] {
            let mut problem = problem(m, n, dimension);
            let limits = Limits::default();
            let solution = solve(Solver::Certified, &mut problem, None, &limits).unwrap();
            assert!(
                solution.iterations <= most,
                "{m} tasks: {} steps, expected at most {most}",
                solution.iterations
            );
        }
    }
}
