//! The finished map: its numbers, what they say, and its table.

use serde::{Deserialize, Serialize};

use super::{MapRow, titled};
use crate::linalg::ascending;
use crate::metrics::MetricName;
use crate::minus::minus;
use crate::risk::study::Subject;
use crate::spec::Spec;

/// A map; while rows are missing, what can be said of the others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
    /// m x m: the learned correlation on clean data; none where its row is missing.
    pub correlation: Vec<Vec<Option<f64>>>,
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
    /// Of all its numbers; none while rows are missing.
    pub digest: Option<String>,
}

impl RiskMap {
    /// The map of these rows, by their attacker.
    pub(crate) fn new(subject: &Subject, rows: &[Option<&MapRow>], digest: Option<String>) -> Self {
        let m = subject.task_names.len();
        let metric = subject.metric_name;
        let empty = || vec![None; m];
        let damage: Vec<Vec<Option<f64>>> = (rows.iter())
            .map(|row| match row {
                Some(row) => (0..m).map(|target| row.damage(target, metric)).collect(),
                None => empty(),
            })
            .collect();
        let correlation: Vec<Vec<Option<f64>>> = (0..m)
            .map(|i| {
                let entry = |j: usize| {
                    // The matrix is symmetric.
                    let own = rows[i].map(|row| row.correlation[j]);
                    own.or_else(|| rows[j].map(|row| row.correlation[i]))
                };
                (0..m).map(entry).collect()
            })
            .collect();
        let pairs = || (0..m * m).map(|k| (k / m, k % m)).filter(|(i, j)| i != j);
        let (harm, related): (Vec<f64>, Vec<f64>) = pairs()
            .filter_map(|(i, j)| Some((damage[i][j]?, correlation[i][j]?.abs())))
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
            if let Some(value) = damage[i][j]
                && worst_indirect.is_none_or(|(.., most)| value > most)
            {
                worst_indirect = Some((i, j, value));
            }
        }
        let mut worst_direct: Option<(usize, f64)> = None;
        for (i, row) in damage.iter().enumerate() {
            if let Some(value) = row[i]
                && worst_direct.is_none_or(|(_, most)| value > most)
            {
                worst_direct = Some((i, value));
            }
        }
        Self {
            spec: subject.spec.clone(),
            engine: subject.engine.clone(),
            data_sha256: subject.data_sha256.clone(),
            task_names: subject.task_names.clone(),
            metric_name: metric,
            clean: (rows.iter().flatten().next()).map_or_else(empty, |row| row.clean.clone()),
            rank_correlation: spearman(&related, &harm),
            most_exposed: largest(&|task, other| damage[other][task]),
            most_dangerous: largest(&|task, other| damage[task][other]),
            worst_indirect,
            worst_direct,
            converged: rows.iter().flatten().all(|row| row.converged),
            digest,
            damage,
            correlation,
        }
    }

    /// What the map shows, a sentence each.
    pub fn findings(&self) -> Vec<String> {
        let title = |task: usize| titled(task, &self.task_names);
        let mut lines = Vec::new();
        if let Some((attacker, target, damage)) = self.worst_indirect {
            lines.push(format!(
                "Worst indirect: {} harms {} by {}",
                title(attacker),
                title(target),
                minus(format_args!("{damage:.4}"))
            ));
        }
        if let Some((task, damage)) = self.worst_direct {
            let damage = minus(format_args!("{damage:.4}"));
            lines.push(format!("Worst direct: {} by {damage}", title(task)));
        }
        if let Some(task) = self.most_exposed.filter(|_| self.has_pairs()) {
            lines.push(format!("Most exposed to other tasks: {}", title(task)));
        }
        if let Some(task) = self.most_dangerous.filter(|_| self.has_pairs()) {
            lines.push(format!("Most dangerous to other tasks: {}", title(task)));
        }
        if let Some(rank) = self.rank_correlation {
            let rank = minus(format_args!("{rank:.2}"));
            lines.push(format!(
                "Rank correlation of |task correlation| with damage: {rank}"
            ));
        }
        lines
    }

    fn has_pairs(&self) -> bool {
        self.task_names.len() > 1
    }

    /// What an entry says, for people.
    pub fn cell(&self, attacker: usize, target: usize) -> String {
        let title = |task: usize| titled(task, &self.task_names);
        let (Some(Some(damage)), Some(Some(clean))) = (
            self.damage.get(attacker).and_then(|row| row.get(target)),
            self.clean.get(target),
        ) else {
            return format!(
                "{} \u{2192} {}: not computed",
                title(attacker),
                title(target)
            );
        };
        let metric = self.metric_name.text();
        let attacked = attacked(self.metric_name, *clean, *damage);
        let related = match self.correlation[attacker][target] {
            Some(value) if attacker != target => {
                let value = minus(format_args!("{value:.2}"));
                format!("; learned correlation {value}")
            }
            _ => String::new(),
        };
        format!(
            "Poisoned points in {}: {metric} of {} {clean:.3} \u{2192} {attacked:.3}{related}",
            title(attacker),
            if attacker == target {
                "the same task".to_string()
            } else {
                title(target)
            },
        )
    }

    /// The end of the scale of its colours, symmetric around 0, and whether values lie beyond it. It is
    /// made for the damage to other tasks, since direct attacks often do ten times as much: the largest,
    /// or, where a few stand out, the one that 19 of 20 do not exceed.
    pub fn range(&self) -> (f64, bool) {
        let sizes = |of: &dyn Fn(usize, usize) -> bool| {
            let rows = self.damage.iter().enumerate();
            let mut sizes: Vec<f64> = rows
                .flat_map(|(i, row)| row.iter().enumerate().map(move |(j, value)| (i, j, value)))
                .filter(|&(i, j, _)| of(i, j))
                .filter_map(|(.., value)| value.map(f64::abs))
                .collect();
            sizes.sort_by(f64::total_cmp);
            sizes
        };
        let Some(&largest) = sizes(&|_, _| true).last() else {
            return (1.0, false);
        };
        let others = sizes(&|i, j| i != j);
        let end = others.last().map_or(largest, |&most| {
            let usual = others[((others.len() - 1) * 19).div_ceil(20)];
            if most > 2.0 * usual {
                usual.max(most / 4.0)
            } else {
                most
            }
        });
        // Where nothing reaches other tasks, their noise is not spread over all colours.
        let end = round_up(end.max(largest / 10.0).max(1e-3));
        (end, largest > end)
    }

    /// A row an entry. What is not defined is empty.
    pub fn csv(&self) -> String {
        let metric = self.metric_name.word();
        let mut text =
            format!("attacker,target,clean_{metric},attacked_{metric},damage,correlation\n");
        let optional = |value: Option<f64>| value.map_or(String::new(), |value| value.to_string());
        for (i, row) in self.damage.iter().enumerate() {
            for (j, &damage) in row.iter().enumerate() {
                let clean = self.clean[j];
                let attacked = (clean.zip(damage))
                    .map(|(clean, damage)| attacked(self.metric_name, clean, damage));
                text.push_str(&format!(
                    "T{},T{},{},{},{},{}\n",
                    i + 1,
                    j + 1,
                    optional(clean),
                    optional(attacked),
                    optional(damage),
                    optional(self.correlation[i][j])
                ));
            }
        }
        text
    }
}

fn attacked(metric: MetricName, clean: f64, damage: f64) -> f64 {
    match metric {
        MetricName::Nmse => clean + damage,
        MetricName::Auc => clean - damage,
    }
}

/// The next of 1, 1.5, 2, 3, 4, 5, 6, 8 times a power of ten.
fn round_up(value: f64) -> f64 {
    let power = libm::pow(10.0, libm::floor(libm::log10(value)));
    let steps = [1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0];
    let step = (steps.into_iter()).find(|step| step * power >= value * (1.0 - 1e-12));
    step.unwrap_or(10.0) * power
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
