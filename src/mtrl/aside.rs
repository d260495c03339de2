//! One task under the pull cap: how far it steps aside from the part that tasks share.
//!
//! A task's model is w = z + g, where only z is coupled to other tasks. For a given z
//!
//! ```text
//! F(z) = min over g of  f(z + g) + μ ρ(g),    ρ(g) = sqrt(|g|² + δ²)
//! ∇F(z) = ∇f(w) = -κ g at the minimum,        κ = μ / ρ(g)
//! ```
//!
//! so |∇f(w)| <= μ whatever z is. On one active set f is a quadratic with the Hessian
//! A = curvature + λ1 I, and the minimum is found by one equation in κ, as in trust regions:
//! (A + κ I) g = b with κ ρ(g) = μ. With B = κ (I - g g'/ρ²), the Hessian of the second term,
//!
//! ```text
//! F'' = (A⁻¹ + B⁻¹)⁻¹ = M - M g g' M / (κ δ² + g'M g),    M = κ I - κ² (A + κ I)⁻¹.
//! ```
//!
//! Not here: the coupling of the z, and when to stop.

use crate::error::{Error, Result};
use crate::interrupt;
use crate::linalg::{
    add_scaled, cholesky, cholesky_inverse, cholesky_solve, dot, mirror, norm_squared,
};
use crate::mtrl::Problem;

/// Active sets that one minimisation looks at before it is left as it is.
const MAX_ACTIVE_SETS: usize = 60;

/// Solutions of the equation in κ: safeguarded Newton needs a handful.
const MAX_TRIALS: usize = 80;

/// From this δ / ρ on a task counts as near the corner of the cap.
const CORNER: f64 = 0.1;

/// A step must lower the value by at least this share of what the slope promises.
const SUFFICIENT: f64 = 1e-4;

/// μ and δ.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cap {
    pub(crate) pull: f64,
    pub(crate) smoothing: f64,
}

/// A task at one z and g.
#[derive(Clone, Debug)]
pub(crate) struct Aside {
    /// g.
    pub(crate) g: Vec<f64>,
    /// w = z + g.
    pub(crate) w: Vec<f64>,
    /// ρ(g).
    pub(crate) root: f64,
    /// κ = μ / ρ(g).
    pub(crate) stiffness: f64,
    /// f(w) + μ ρ(g).
    pub(crate) value: f64,
    /// ∇f(w), λ1 w included.
    pub(crate) gradient: Vec<f64>,
}

impl Aside {
    /// Evaluates the task with the points of `number` at z and g.
    pub(crate) fn at(problem: &Problem, number: usize, z: &[f64], g: Vec<f64>, cap: Cap) -> Self {
        let lambda1 = problem.weights().lambda1;
        let w: Vec<f64> = z.iter().zip(&g).map(|(z, g)| z + g).collect();
        let mut gradient: Vec<f64> = w.iter().map(|w| lambda1 * w).collect();
        let root = (norm_squared(&g) + cap.smoothing * cap.smoothing).sqrt();
        let value = problem.add_data_part(number, &w, &mut gradient)
            + 0.5 * lambda1 * norm_squared(&w)
            + cap.pull * root;
        Self {
            g,
            w,
            root,
            stiffness: cap.pull / root,
            value,
            gradient,
        }
    }

    /// Its gradient by g: zero at the minimum.
    pub(crate) fn residual(&self) -> Vec<f64> {
        let mut out = self.gradient.clone();
        add_scaled(&mut out, self.stiffness, &self.g);
        out
    }

    /// The minimum over g from a start: to a gradient by g of at most `tolerance`, or as near as
    /// rounding allows. The problem then knows the active set there.
    ///
    /// # Errors
    /// Numbers that stop being finite.
    pub(crate) fn minimise(
        problem: &mut Problem,
        number: usize,
        z: &[f64],
        start: Vec<f64>,
        cap: Cap,
        tolerance: f64,
    ) -> Result<Self> {
        let lambda1 = problem.weights().lambda1;
        let w: Vec<f64> = z.iter().zip(&start).map(|(z, g)| z + g).collect();
        problem.activate(number, &w);
        let mut current = Self::at(problem, number, z, start, cap);
        let mut image = vec![0.0; z.len()];
        for _ in 0..MAX_ACTIVE_SETS {
            let residual = current.residual();
            let size = norm_squared(&residual).sqrt();
            if !(current.value.is_finite() && size.is_finite()) {
                return Err(breakdown("a value or gradient is not finite"));
            }
            if size <= tolerance {
                break;
            }
            // b = A g - ∇f(w), which does not change on this active set.
            problem.multiply_curvature(number, &mut image, &current.g);
            add_scaled(&mut image, lambda1, &current.g);
            add_scaled(&mut image, -1.0, &current.gradient);
            let curvature = problem.curvature(number);
            let g = on_one_active_set(
                &curvature,
                lambda1,
                &image,
                norm_squared(&current.g)
                    .gt(&0.0)
                    .then_some(current.stiffness),
                cap,
                tolerance,
            )?;
            let direction: Vec<f64> = g.iter().zip(&current.g).map(|(a, b)| a - b).collect();
            let slope = dot(&residual, &direction);
            let mut length = 1.0;
            let next = loop {
                let mut g = current.g.clone();
                add_scaled(&mut g, length, &direction);
                let w: Vec<f64> = z.iter().zip(&g).map(|(z, g)| z + g).collect();
                let changed = problem.activate(number, &w);
                let next = Self::at(problem, number, z, g, cap);
                let falls = next.value <= current.value + SUFFICIENT * length * slope;
                if falls || (!changed && length == 1.0) {
                    break Some(next);
                }
                length *= 0.5;
                if length < 1e-10 {
                    break None;
                }
            };
            let Some(next) = next else {
                problem.activate(number, &current.w);
                break;
            };
            // Where rounding leaves no progress the better of the two is kept.
            let stuck =
                norm_squared(&next.residual()).sqrt() >= size && next.value >= current.value;
            if stuck {
                problem.activate(number, &current.w);
                break;
            }
            current = next;
        }
        Ok(current)
    }
}

fn breakdown(what: &str) -> Error {
    Error::Numerical {
        place: "the pull cap of a task",
        what: what.to_string(),
    }
}

/// g with (A + κ I) g = b and κ ρ(g) = μ. κ ρ(g) grows with κ, so there is one; Newton's method on
/// 1/ρ - κ/μ, which is nearly linear, within brackets.
fn on_one_active_set(
    curvature: &[f64],
    lambda1: f64,
    b: &[f64],
    start: Option<f64>,
    cap: Cap,
    tolerance: f64,
) -> Result<Vec<f64>> {
    let Cap { pull, smoothing } = cap;
    let size = b.len();
    let farthest = norm_squared(b).sqrt() / lambda1;
    let mut low = pull / (farthest * farthest + smoothing * smoothing).sqrt();
    let mut high = pull / smoothing;
    let mut stiffness = start.unwrap_or_else(|| first_stiffness(curvature, lambda1, b, cap));
    stiffness = stiffness.clamp(low, high);
    let mut factor = Vec::new();
    let mut g = b.to_vec();
    for _ in 0..MAX_TRIALS {
        shifted_factor(&mut factor, curvature, lambda1 + stiffness, size)?;
        g.copy_from_slice(b);
        cholesky_solve(&factor, size, &mut g);
        let square = norm_squared(&g);
        let root = (square + smoothing * smoothing).sqrt();
        let off = pull / root - stiffness;
        if square.sqrt() * off.abs() <= 0.1 * tolerance || off.abs() <= 1e-15 * stiffness {
            break;
        }
        if off > 0.0 {
            low = low.max(stiffness);
        } else {
            high = high.min(stiffness);
        }
        let mut change = g.clone();
        cholesky_solve(&factor, size, &mut change);
        let along = dot(&g, &change);
        let next = if smoothing * stiffness > CORNER * pull {
            // Near the corner κ² |g|² hardly depends on κ: linear in it, κ² ρ² = μ² is quadratic.
            let slope = 2.0 * stiffness * (square - stiffness * along).max(0.0);
            let rest = pull * pull + slope * stiffness - stiffness * stiffness * square;
            let root = (slope * slope + 4.0 * smoothing * smoothing * rest).sqrt();
            2.0 * rest / (slope + root)
        } else {
            let value = 1.0 / root - stiffness / pull;
            let slope = along / (root * root * root) - 1.0 / pull;
            stiffness - value / slope.min(0.0)
        };
        let inside = next > low && next < high;
        let next = if inside { next } else { (low * high).sqrt() };
        if next == stiffness {
            break;
        }
        stiffness = next;
    }
    Ok(g)
}

/// About the κ of a task that has not stepped aside yet.
fn first_stiffness(curvature: &[f64], lambda1: f64, b: &[f64], cap: Cap) -> f64 {
    let size = b.len();
    let square = norm_squared(b);
    let room = cap.pull * cap.pull - square;
    if room > 0.0 {
        // The cap holds: κ is large, and κ g about b.
        return room.sqrt() / cap.smoothing;
    }
    let trace: f64 = (0..size).map(|k| curvature[k * (size + 1)]).sum();
    let length = (square.sqrt() - cap.pull) / (lambda1 + trace / size as f64);
    cap.pull / (length * length + cap.smoothing * cap.smoothing).sqrt()
}

/// Cholesky factor of curvature + shift I.
fn shifted_factor(factor: &mut Vec<f64>, curvature: &[f64], shift: f64, size: usize) -> Result<()> {
    factor.clear();
    factor.extend_from_slice(curvature);
    for k in 0..size {
        factor[k * (size + 1)] += shift;
    }
    if cholesky(factor, size) {
        Ok(())
    } else {
        Err(breakdown("its matrix is not positive definite"))
    }
}

/// A task's w and g eliminated: what remains of them in the equations for z.
pub(crate) struct Elimination {
    size: usize,
    /// Cholesky factor of A + κ I.
    factor: Vec<f64>,
    g: Vec<f64>,
    /// (A + κ I)⁻¹ g.
    h: Vec<f64>,
    /// M g = κ A h.
    image: Vec<f64>,
    stiffness: f64,
    root: f64,
    smoothing: f64,
}

impl Elimination {
    /// At a point whose active set the problem knows.
    ///
    /// # Errors
    /// A + κ I is not positive definite (only possible in the face of rounding).
    pub(crate) fn new(problem: &Problem, number: usize, aside: &Aside, cap: Cap) -> Result<Self> {
        interrupt::check()?;
        let lambda1 = problem.weights().lambda1;
        let size = aside.g.len();
        let curvature = problem.curvature(number);
        let mut factor = Vec::with_capacity(size * size);
        shifted_factor(&mut factor, &curvature, lambda1 + aside.stiffness, size)?;
        let mut h = aside.g.clone();
        cholesky_solve(&factor, size, &mut h);
        let mut image = vec![0.0; size];
        problem.multiply_curvature(number, &mut image, &h);
        add_scaled(&mut image, lambda1, &h);
        image.iter_mut().for_each(|entry| *entry *= aside.stiffness);
        Ok(Self {
            size,
            factor,
            g: aside.g.clone(),
            h,
            image,
            stiffness: aside.stiffness,
            root: aside.root,
            smoothing: cap.smoothing,
        })
    }

    /// (A + B)⁻¹ u, in place.
    pub(crate) fn solve(&self, u: &mut [f64]) {
        cholesky_solve(&self.factor, self.size, u);
        // ρ² - κ g'h, without cancellation: δ² + g'A h.
        let room = self.smoothing * self.smoothing + dot(&self.g, &self.image) / self.stiffness;
        let along = self.stiffness * dot(&self.g, u) / room;
        add_scaled(u, along, &self.h);
    }

    /// B u.
    pub(crate) fn cap_product(&self, u: &[f64]) -> Vec<f64> {
        let along = dot(&self.g, u) / (self.root * self.root);
        (u.iter().zip(&self.g))
            .map(|(u, g)| self.stiffness * (u - along * g))
            .collect()
    }

    /// F'', D x D, both triangles.
    pub(crate) fn curvature(&self) -> Vec<f64> {
        let size = self.size;
        let mut matrix = cholesky_inverse(&self.factor, size);
        let square = self.stiffness * self.stiffness;
        matrix.iter_mut().for_each(|entry| *entry *= -square);
        for k in 0..size {
            matrix[k * (size + 1)] += self.stiffness;
        }
        let room = self.stiffness * self.smoothing * self.smoothing + dot(&self.g, &self.image);
        for (row, &entry) in matrix.chunks_exact_mut(size).zip(&self.image) {
            add_scaled(row, -entry / room, &self.image);
        }
        // Rounding must not leave it asymmetric.
        mirror(&mut matrix, size);
        matrix
    }
}
