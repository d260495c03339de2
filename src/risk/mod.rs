//! The risk map: which task can be used against which.
//!
//! Entry (i, j) is what an attacker who injects into task i alone does to task j: by how much the
//! test metric of j gets worse when j is the target (on the diagonal a direct attack). Every entry
//! is the run of a specification of its own ([`cell_spec`]), bit for bit; the sample and the sums of
//! the clean points are shared by all. Not here: threads, files, pictures.

use serde::Serialize;

use crate::attack::{self, Attack, Method};
use crate::data::{DataSet, Kind};
use crate::error::{Error, Result};
use crate::experiment::{self, Prepared};
use crate::linalg::ascending;
use crate::metrics::MetricName;
use crate::mtrl::{self, Problem, Status};
use crate::report;
use crate::spec::Spec;

/// What all entries of a map share.
pub struct Base {
    spec: Spec,
    data: DataSet,
    sample: crate::data::sample::Sample,
    clean: Problem,
    /// Test metric of each task without an attack.
    pub clean_metric: Vec<Option<f64>>,
    /// Learned correlation of the tasks, m x m, row-major.
    pub correlation: Vec<f64>,
    /// How the clean solve ended.
    pub status: Status,
}

/// One entry.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify), tsify(missing_as_null))]
pub struct Cell {
    /// The task with injected points, from 0.
    pub attacker: usize,
    /// The task whose metric it is, from 0.
    pub target: usize,
    /// Its metric at the last iteration.
    pub attacked: Option<f64>,
    /// By how much it is worse than without the attack: positive is harm, for NMSE and AUC alike.
    pub damage: Option<f64>,
    /// How the worst of the solves ended.
    pub status: Status,
}

/// A finished map.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RiskMap {
    /// The specification that every entry varies: targets, attackers and attack are set by it.
    pub spec: Spec,
    /// Version of the engine.
    pub engine: String,
    /// SHA-256 of the data set.
    pub data_sha256: String,
    /// Names of the tasks.
    pub task_names: Vec<String>,
    /// Which metric the numbers are.
    pub metric_name: MetricName,
    /// Of each task, without an attack.
    pub clean: Vec<Option<f64>>,
    /// Row i: damage by task i to each task.
    pub damage: Vec<Vec<Option<f64>>>,
    /// m x m: the learned correlation on clean data.
    pub correlation: Vec<Vec<f64>>,
    /// Spearman's rank correlation of |correlation| with damage, off the diagonal; none where one of
    /// them does not vary.
    pub rank_correlation: Option<f64>,
    /// The task that single other tasks harm most in the mean.
    pub most_exposed: Option<usize>,
    /// The task that harms single other tasks most in the mean.
    pub most_dangerous: Option<usize>,
    /// The largest damage off the diagonal: attacker, target, damage.
    pub worst_indirect: Option<(usize, usize, f64)>,
    /// The largest damage on the diagonal: task, damage.
    pub worst_direct: Option<(usize, f64)>,
    /// Whether every solve met the tolerance of its solver.
    pub converged: bool,
}

/// The specification of an entry: a run of it gives the same numbers.
pub fn cell_spec(spec: &Spec, attacker: usize, target: usize) -> Spec {
    Spec {
        targets: vec![target],
        attackers: vec![attacker],
        attack: if attacker == target {
            Attack::Direct
        } else {
            Attack::Indirect
        },
        ..spec.clone()
    }
}

impl Base {
    /// Draws the sample and solves without an attack.
    ///
    /// # Errors
    /// Those of a run; a method that optimises nothing.
    pub fn new(spec: &Spec, data: &DataSet) -> Result<Self> {
        if spec.method == Method::Random {
            return Err(Error::invalid(
                "method",
                "random does not optimise: a risk map would show luck; use patom",
            ));
        }
        for (field, is_plain) in [
            ("starts", spec.starts == 1),
            ("knowledge", spec.knowledge == 1.0),
        ] {
            if !is_plain {
                return Err(Error::invalid(
                    field,
                    "a risk map is of one start of an attacker who sees all points; leave it out",
                ));
            }
        }
        let first = cell_spec(spec, 0, 0);
        let Prepared { sample, clean, .. } = experiment::prepare(&first, data, None)?;
        let settings = experiment::attack_settings(&first, &sample)?;
        let mut solved = clean.clone();
        let solution = mtrl::solve(spec.solver, &mut solved, None, &settings.limits)?;
        Ok(Self {
            clean_metric: experiment::metric_per_task(&solution.w, &sample),
            correlation: solution.spectrum.correlation(),
            status: solution.status,
            spec: spec.clone(),
            data: data.clone(),
            sample,
            clean,
        })
    }

    /// m.
    pub fn task_count(&self) -> usize {
        self.sample.tasks.len()
    }

    /// Runs one entry.
    ///
    /// # Errors
    /// A numerical breakdown.
    pub fn cell(&self, attacker: usize, target: usize) -> Result<Cell> {
        let spec = cell_spec(&self.spec, attacker, target);
        let injections = experiment::draw_injections(&spec, &self.sample, spec.seed)?;
        let settings = experiment::attack_settings(&spec, &self.sample)?;
        let mut poisoned = self.clean.clone();
        for injection in &injections {
            poisoned.inject(injection.task, &injection.points, &injection.labels);
        }
        let mut status = Status::Converged;
        let (solution, ..) = attack::run(&mut poisoned, injections, &settings, &mut |iterate| {
            status = status.max(iterate.solution.status);
            std::ops::ControlFlow::Continue(())
        })?;
        let attacked = experiment::metric_per_task(&solution.w, &self.sample)[target];
        let damage = match (self.clean_metric[target], attacked) {
            (Some(clean), Some(attacked)) => Some(match self.sample.kind {
                Kind::Regression => attacked - clean,
                Kind::Classification => clean - attacked,
            }),
            _ => None,
        };
        Ok(Cell {
            attacker,
            target,
            attacked,
            damage,
            status,
        })
    }

    /// The map of all entries, in the order of their rows.
    ///
    /// # Panics
    /// If there are not m x m of them in that order.
    pub fn map(&self, cells: &[Cell]) -> RiskMap {
        let m = self.task_count();
        assert_eq!(cells.len(), m * m, "a map has an entry for each pair");
        let in_order = |(k, cell): (usize, &Cell)| (cell.attacker, cell.target) == (k / m, k % m);
        assert!(
            cells.iter().enumerate().all(in_order),
            "in the order of rows"
        );
        let damage = |i: usize, j: usize| cells[i * m + j].damage;
        let pairs = || (0..m * m).map(|k| (k / m, k % m)).filter(|(i, j)| i != j);
        let (harm, related): (Vec<f64>, Vec<f64>) = pairs()
            .filter_map(|(i, j)| Some((damage(i, j)?, self.correlation[i * m + j].abs())))
            .unzip();
        // The mean over the others, and the first of equal ones.
        let largest = |of: &dyn Fn(usize, usize) -> Option<f64>| {
            let mut best: Option<(usize, f64)> = None;
            for task in 0..m {
                let others = (0..m).filter(|&other| other != task);
                let values: Vec<f64> = others.filter_map(|other| of(task, other)).collect();
                let mean = values.iter().sum::<f64>() / values.len() as f64;
                if !values.is_empty() && best.is_none_or(|(_, most)| mean > most) {
                    best = Some((task, mean));
                }
            }
            best.map(|(task, _)| task)
        };
        let mut worst_indirect: Option<(usize, usize, f64)> = None;
        for (i, j) in pairs() {
            if let Some(value) = damage(i, j)
                && worst_indirect.is_none_or(|(.., most)| value > most)
            {
                worst_indirect = Some((i, j, value));
            }
        }
        let mut worst_direct: Option<(usize, f64)> = None;
        for i in 0..m {
            if let Some(value) = damage(i, i)
                && worst_direct.is_none_or(|(_, most)| value > most)
            {
                worst_direct = Some((i, value));
            }
        }
        let met = |status: Status| matches!(status, Status::Converged | Status::Settled);
        RiskMap {
            spec: self.spec.clone(),
            engine: experiment::ENGINE.to_string(),
            data_sha256: self.data.sha256.clone(),
            task_names: self.data.task_names.clone(),
            metric_name: MetricName::of(self.sample.kind),
            clean: self.clean_metric.clone(),
            damage: cells
                .chunks_exact(m)
                .map(|row| row.iter().map(|cell| cell.damage).collect())
                .collect(),
            correlation: report::rows(&self.correlation, m),
            rank_correlation: spearman(&related, &harm),
            most_exposed: largest(&|task, other| damage(other, task)),
            most_dangerous: largest(&damage),
            worst_indirect,
            worst_direct,
            converged: met(self.status) && cells.iter().all(|cell| met(cell.status)),
        }
    }
}

impl RiskMap {
    /// A row an entry. What is not defined is empty.
    pub fn csv(&self) -> String {
        let metric = self.metric_name.word();
        let mut text =
            format!("attacker,target,clean_{metric},attacked_{metric},damage,correlation\n");
        let optional = |value: Option<f64>| value.map_or(String::new(), |value| value.to_string());
        for (i, row) in self.damage.iter().enumerate() {
            for (j, &damage) in row.iter().enumerate() {
                let clean = self.clean[j];
                let attacked = match (clean, damage, self.metric_name) {
                    (Some(clean), Some(damage), MetricName::Nmse) => Some(clean + damage),
                    (Some(clean), Some(damage), MetricName::Auc) => Some(clean - damage),
                    _ => None,
                };
                text.push_str(&format!(
                    "T{},T{},{},{},{},{}\n",
                    i + 1,
                    j + 1,
                    optional(clean),
                    optional(attacked),
                    optional(damage),
                    self.correlation[i][j]
                ));
            }
        }
        text
    }
}

/// Spearman's rank correlation; none for fewer than two numbers, or where one of them is constant.
pub fn spearman(a: &[f64], b: &[f64]) -> Option<f64> {
    let (a, b) = (ranks(a), ranks(b));
    let n = a.len() as f64;
    let mean = f64::midpoint(n, 1.0);
    let (mut product, mut square_a, mut square_b) = (0.0, 0.0, 0.0);
    for (a, b) in a.iter().zip(&b) {
        product += (a - mean) * (b - mean);
        square_a += (a - mean) * (a - mean);
        square_b += (b - mean) * (b - mean);
    }
    (square_a > 0.0 && square_b > 0.0).then(|| product / (square_a * square_b).sqrt())
}

/// From 1; equal numbers share the mean of their ranks.
fn ranks(values: &[f64]) -> Vec<f64> {
    let order = ascending(values);
    let mut ranks = vec![0.0; values.len()];
    let mut start = 0;
    while start < order.len() {
        let value = values[order[start]];
        let tied = order[start..].iter().take_while(|&&k| values[k] == value);
        let end = start + tied.count();
        for &k in &order[start..end] {
            ranks[k] = (start + end + 1) as f64 / 2.0;
        }
        start = end;
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rank_correlation_is_that_of_scipy() {
        // scipy.stats.spearmanr([1, 2, 3, 4, 5], [5, 6, 7, 8, 7]) and with ties in both.
        let found = spearman(&[1.0, 2.0, 3.0, 4.0, 5.0], &[5.0, 6.0, 7.0, 8.0, 7.0]).unwrap();
        assert!((found - 0.820_782_681_668_123_3).abs() < 1e-15);
        let found = spearman(&[1.0, 1.0, 2.0, 3.0], &[4.0, 2.0, 2.0, 1.0]).unwrap();
        assert!((found + 0.833_333_333_333_333_4).abs() < 1e-15);
        assert_eq!(spearman(&[1.0, 1.0], &[1.0, 2.0]), None);
        assert_eq!(spearman(&[], &[]), None);
    }
}
