//! A data set whose task covariance is known, compiled in.
//!
//! The true weights are W = Q Σ, Q (d x m) with orthonormal columns and Σ the prescribed m x m
//! covariance. Then W'W = Σ² and the relationship that MTRL looks for, Ω(W) = (W'W)^(1/2) / tr, is
//! exactly Σ / tr Σ. Σ = diag(s) C diag(s) with the prescribed correlation C; s is chosen so that
//! every task has weights of the same length. All tasks then have the same share of noise, and
//! standardising the labels changes no correlation.
//!
//! Points: uniform direction, length uniform in [0.6, 1]. Regression: w'x + noise, where the noise
//! has half the standard deviation of the signal, so the best possible NMSE is 0.2.
//! Classification: the sign of that. There is no intercept.

use std::fmt::Write as _;

use super::published::SampleDefaults;
use super::{DataSet, Kind, Layout, RawPoints};
use crate::Result;
use crate::rng::{Random, Stream};

/// As specifications name it.
pub const NAME: &str = "synthetic";
/// What a run samples by default.
pub const SAMPLE: SampleDefaults = SampleDefaults {
    train_per_task: Some(40),
    train_share: None,
    test_per_task: Some(200),
    targets: 3,
};
/// m.
pub const TASKS: usize = 8;
/// d.
pub const FEATURES: usize = 10;
/// Points of each task, training and test together.
pub const POINTS_PER_TASK: usize = 240;
/// Standard deviation of the noise, where that of the signal is 1.
pub const NOISE: f64 = 0.5;
const SHORTEST: f64 = 0.6;

/// C: T1 to T3 agree, T4 and T5 oppose them and agree with each other, T6 and T7 are a group of
/// their own, T8 is unrelated.
pub fn true_correlation() -> [[f64; TASKS]; TASKS] {
    // C_ij = sign_i sign_j strength within a group: one factor a group, so C is positive definite.
    const GROUPS: [(usize, f64, f64); TASKS] = [
        (0, 1.0, 0.9),
        (0, 1.0, 0.9),
        (0, 1.0, 0.9),
        (0, -1.0, 0.9),
        (0, -1.0, 0.9),
        (1, 1.0, 0.8),
        (1, 1.0, 0.8),
        (2, 1.0, 0.0),
    ];
    let mut correlation = [[0.0; TASKS]; TASKS];
    for i in 0..TASKS {
        for j in 0..TASKS {
            let ((group_i, sign_i, strength), (group_j, sign_j, _)) = (GROUPS[i], GROUPS[j]);
            correlation[i][j] = if i == j {
                1.0
            } else if group_i == group_j {
                sign_i * sign_j * strength
            } else {
                0.0
            };
        }
    }
    correlation
}

/// Σ: the correlation of `true_correlation`, and every column of Q Σ of length 1.
fn true_covariance() -> [[f64; TASKS]; TASKS] {
    let mut covariance = true_correlation();
    // Within a group all C_ij² off the diagonal are equal, so s_i² = 1 / sqrt(Σ_k C_ik²) solves
    // s_i² Σ_k C_ik² s_k² = 1.
    let scales: Vec<f64> = covariance
        .iter()
        .map(|row| 1.0 / row.iter().map(|c| c * c).sum::<f64>().sqrt())
        .collect();
    for i in 0..TASKS {
        for j in 0..TASKS {
            covariance[i][j] *= (scales[i] * scales[j]).sqrt();
        }
    }
    covariance
}

/// Orthonormal columns, each of `FEATURES` numbers (Gram-Schmidt on normal deviates, twice).
fn orthonormal_columns(random: &mut Random) -> Vec<Vec<f64>> {
    let mut columns: Vec<Vec<f64>> = Vec::with_capacity(TASKS);
    while columns.len() < TASKS {
        let mut column: Vec<f64> = (0..FEATURES).map(|_| random.normal()).collect();
        // Twice is enough for orthogonality to rounding.
        for _ in 0..2 {
            for other in &columns {
                let along = dot(&column, other);
                for (entry, direction) in column.iter_mut().zip(other) {
                    *entry -= along * direction;
                }
            }
        }
        let length = dot(&column, &column).sqrt();
        // A draw that is nearly dependent on the others is drawn again.
        if length > 1e-3 {
            for entry in &mut column {
                *entry /= length;
            }
            columns.push(column);
        }
    }
    columns
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The true weights, one array of d numbers a task, up to the common factor that gives the signal
/// the standard deviation 1.
pub fn true_weights(seed: u64) -> Vec<Vec<f64>> {
    let columns = orthonormal_columns(&mut Random::new(seed, Stream::Synthetic, 0));
    let covariance = true_covariance();
    (0..TASKS)
        .map(|task| {
            (0..FEATURES)
                .map(|row| {
                    (0..TASKS)
                        .map(|k| columns[k][row] * covariance[k][task])
                        .sum()
                })
                .collect()
        })
        .collect()
}

/// The data set of this kind and seed.
///
/// # Errors
/// None for any seed; the type is that of every other source.
pub fn generate(kind: Kind, seed: u64) -> Result<DataSet> {
    let weights = true_weights(seed);
    // E[(w'x)²] = |w|² E[r²] / d, with r uniform in [SHORTEST, 1].
    let mean_square = (1.0 + SHORTEST + SHORTEST * SHORTEST) / 3.0;
    let signal = (FEATURES as f64 / mean_square).sqrt();
    let tasks = weights
        .iter()
        .zip(1..)
        .map(|(weights, index)| {
            let mut random = Random::new(seed, Stream::Synthetic, index);
            let mut points = RawPoints::default();
            for _ in 0..POINTS_PER_TASK {
                let point = direction(&mut random);
                let length = SHORTEST + (1.0 - SHORTEST) * random.uniform();
                let point: Vec<f64> = point.iter().map(|entry| length * entry).collect();
                let score = signal * dot(weights, &point) + NOISE * random.normal();
                points.labels.push(match kind {
                    Kind::Regression => score,
                    Kind::Classification if score >= 0.0 => 1.0,
                    Kind::Classification => -1.0,
                });
                points.features.extend(point);
            }
            points
        })
        .collect();
    let names = [
        "A, agrees",
        "A, agrees",
        "A, agrees",
        "A, opposes",
        "A, opposes",
        "B",
        "B",
        "unrelated",
    ];
    let mut data = DataSet::new(
        "synthetic",
        kind,
        FEATURES,
        names.map(String::from).to_vec(),
        Layout::Separate {
            tasks,
            is_test: None,
        },
    )?;
    data.true_correlation = Some(true_correlation().concat());
    Ok(data)
}

fn direction(random: &mut Random) -> Vec<f64> {
    loop {
        let normals: Vec<f64> = (0..FEATURES).map(|_| random.normal()).collect();
        let length = dot(&normals, &normals).sqrt();
        if length > 1e-3 {
            return normals.iter().map(|entry| entry / length).collect();
        }
    }
}

/// A file that needs no mapping, for people to look at: points of the synthetic data set.
///
/// # Errors
/// Those of the generator.
pub fn example_csv() -> Result<String> {
    const POINTS: usize = 30;
    let data = generate(Kind::Regression, 1)?;
    let mut text = String::from("task,label");
    for feature in 1..=data.features {
        let _ = write!(text, ",x{feature}");
    }
    text.push('\n');
    if let Layout::Separate { tasks, .. } = &data.layout {
        for (task, points) in tasks.iter().enumerate() {
            let rows = points.features.chunks_exact(data.features);
            for (row, label) in rows.zip(&points.labels).take(POINTS) {
                let _ = write!(text, "{},{label:.4}", task + 1);
                for value in row {
                    let _ = write!(text, ",{value:.4}");
                }
                text.push('\n');
            }
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use nalgebra::DMatrix;

    #[test]
    fn the_relationship_of_the_true_weights_is_the_prescribed_one() {
        let weights = true_weights(5);
        let gram = DMatrix::from_fn(TASKS, TASKS, |i, j| dot(&weights[i], &weights[j]));
        let eigen = gram.symmetric_eigen();
        let roots = eigen.eigenvalues.map(|value| value.max(0.0).sqrt());
        let root =
            &eigen.eigenvectors * DMatrix::from_diagonal(&roots) * eigen.eigenvectors.transpose();
        let expected = true_correlation();
        for i in 0..TASKS {
            for j in 0..TASKS {
                let found = root[(i, j)] / (root[(i, i)] * root[(j, j)]).sqrt();
                // Rounding of an 8 x 8 eigendecomposition whose smallest eigenvalue is 0.1² / 4.
                assert!((found - expected[i][j]).abs() < 1e-10, "{i} {j} {found}");
            }
        }
    }

    #[test]
    fn every_task_has_the_same_strength_of_signal() {
        for weights in true_weights(9) {
            assert!((dot(&weights, &weights) - 1.0).abs() < 1e-12);
        }
        let data = generate(Kind::Regression, 1).unwrap();
        let Layout::Separate { tasks, .. } = &data.layout else {
            panic!("tasks have points of their own");
        };
        for task in tasks {
            let variance = dot(&task.labels, &task.labels) / task.labels.len() as f64;
            // Expected 1 + NOISE² = 1.25, with five standard errors of 240 points: 5 * 0.114.
            assert!((variance - 1.25).abs() < 0.57, "{variance}");
        }
    }

    #[test]
    fn the_data_sets_of_seed_1_are_pinned() {
        let regression = generate(Kind::Regression, 1).unwrap();
        let classification = generate(Kind::Classification, 1).unwrap();
        assert_eq!(
            regression.sha256,
            "ded33f238e50312b267827fdfc011ad5d19b2ba354bfe8867cd87137d4ffd495"
        );
        assert_eq!(
            classification.sha256,
            "ce7184b87590685072624dd85266aefa9e3530ce5a5601f0c84a977ac499fb75"
        );
        assert_ne!(
            regression.sha256,
            generate(Kind::Regression, 2).unwrap().sha256
        );
    }
}
