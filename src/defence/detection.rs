//! How well scores find injected points, where the truth is known. Not here: the scores.

use serde::{Deserialize, Serialize};

use crate::linalg::ascending;
use crate::metrics;

/// Most vertices of a curve: more than a screen shows.
const MAX_VERTICES: usize = 60;

/// How well one score separates injected from clean points.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify), tsify(missing_as_null))]
pub struct ScoreFigures {
    /// Area under the ROC curve for "this point is injected", ties counted one half; none where all
    /// points are clean or all injected.
    pub roc_auc: Option<f64>,
    /// Share of injected points among as many of highest score as there are injected points; a tie
    /// at the edge counts in proportion.
    pub precision: Option<f64>,
}

/// What a sanitiser dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify))]
pub struct Dropped {
    /// Injected points that were dropped.
    pub caught: usize,
    /// Injected points.
    pub injected: usize,
    /// Clean points that were dropped.
    pub lost: usize,
    /// Clean points.
    pub clean: usize,
}

impl Dropped {
    /// Counts, from the kept flags of each task and its number of clean points, which come first.
    pub fn count(kept: &[Vec<bool>], clean: &[usize]) -> Self {
        let mut out = Self {
            caught: 0,
            injected: 0,
            lost: 0,
            clean: 0,
        };
        for (kept, &clean) in kept.iter().zip(clean) {
            let dropped = |kept: &[bool]| kept.iter().filter(|&&kept| !kept).count();
            out.lost += dropped(&kept[..clean]);
            out.caught += dropped(&kept[clean..]);
            out.clean += clean;
            out.injected += kept.len() - clean;
        }
        out
    }

    /// Share of what was dropped that was injected; none where nothing was.
    pub fn precision(&self) -> Option<f64> {
        let dropped = self.caught + self.lost;
        (dropped > 0).then(|| self.caught as f64 / dropped as f64)
    }
}

/// The figures of scores, with the truth for each.
pub fn figures(scores: &[f64], is_positive: &[bool]) -> ScoreFigures {
    let labels: Vec<f64> = (is_positive.iter())
        .map(|&positive| if positive { 1.0 } else { -1.0 })
        .collect();
    ScoreFigures {
        roc_auc: metrics::auc(scores, &labels),
        precision: precision_at_count(scores, is_positive),
    }
}

/// The curves behind the figures of a score, from the highest score down.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify))]
pub struct ScoreCurves {
    /// Share of the negatives and of the positives above a threshold, from (0, 0) to (1, 1).
    pub roc: Vec<[f64; 2]>,
    /// Recall, and the share of positives above that threshold, from the highest score on.
    pub precision_recall: Vec<[f64; 2]>,
}

/// ROC and precision-recall: a vertex for each different score, at most 60, the ends always among
/// them. Empty where all are positive or none is.
pub fn curves(scores: &[f64], is_positive: &[bool]) -> ScoreCurves {
    let positives = is_positive.iter().filter(|&&positive| positive).count();
    let negatives = is_positive.len() - positives;
    if positives == 0 || negatives == 0 {
        return ScoreCurves::default();
    }
    let order = ascending(scores);
    let mut counts = vec![(0usize, 0usize)];
    let (mut wrong, mut found) = (0, 0);
    for (at, &k) in order.iter().enumerate().rev() {
        if is_positive[k] {
            found += 1;
        } else {
            wrong += 1;
        }
        // Equal scores are above the same thresholds.
        if at == 0 || scores[order[at - 1]] != scores[k] {
            counts.push((wrong, found));
        }
    }
    let share = |count: usize, all: usize| count as f64 / all as f64;
    let roc: Vec<[f64; 2]> = (corners(&counts).iter())
        .map(|&(wrong, found)| [share(wrong, negatives), share(found, positives)])
        .collect();
    let precision_recall: Vec<[f64; 2]> = (counts[1..].iter())
        .map(|&(wrong, found)| [share(found, positives), share(found, wrong + found)])
        .collect();
    ScoreCurves {
        roc: thinned(&roc),
        precision_recall: thinned(&precision_recall),
    }
}

/// Without the vertices on a straight line between their neighbours.
fn corners(counts: &[(usize, usize)]) -> Vec<(usize, usize)> {
    let mut out: Vec<(usize, usize)> = Vec::new();
    for &next in counts {
        if let [.., a, b] = out[..]
            && (b.0 - a.0) * (next.1 - b.1) == (b.1 - a.1) * (next.0 - b.0)
        {
            out.pop();
        }
        out.push(next);
    }
    out
}

/// Evenly chosen vertices, first and last among them.
fn thinned(vertices: &[[f64; 2]]) -> Vec<[f64; 2]> {
    let last = vertices.len() - 1;
    if last < MAX_VERTICES {
        return vertices.to_vec();
    }
    (0..MAX_VERTICES)
        .map(|k| vertices[k * last / (MAX_VERTICES - 1)])
        .collect()
}

fn precision_at_count(scores: &[f64], is_positive: &[bool]) -> Option<f64> {
    let count = is_positive.iter().filter(|&&positive| positive).count();
    if count == 0 {
        return None;
    }
    let mut order = ascending(scores);
    order.reverse();
    let edge = scores[order[count - 1]];
    let (mut above, mut found, mut tied, mut tied_found) = (0usize, 0usize, 0usize, 0usize);
    for &k in &order {
        let positive = usize::from(is_positive[k]);
        if scores[k] > edge {
            above += 1;
            found += positive;
        } else if scores[k] == edge {
            tied += 1;
            tied_found += positive;
        } else {
            break;
        }
    }
    let of_tie = (count - above) as f64 * tied_found as f64 / tied as f64;
    Some((found as f64 + of_tie) / count as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn precision_counts_a_tie_at_the_edge_in_proportion() {
        let truth = [true, false, true, false];
        let precision = |scores: &[f64]| figures(scores, &truth).precision.unwrap();
        assert_eq!(precision(&[4.0, 1.0, 3.0, 2.0]), 1.0);
        assert_eq!(precision(&[1.0, 4.0, 2.0, 3.0]), 0.0);
        // One of the two is above the edge and injected; of the three tied, one in three is.
        assert_eq!(
            precision(&[4.0, 1.0, 1.0, 1.0]),
            f64::midpoint(1.0, 1.0 / 3.0)
        );
        assert_eq!(precision(&[0.0; 4]), 0.5);
        assert_eq!(figures(&[1.0, 2.0], &[false, false]).precision, None);
        assert_eq!(figures(&[1.0, 2.0], &[false, false]).roc_auc, None);
    }

    #[test]
    fn curves_pass_through_what_each_threshold_finds() {
        // sklearn.metrics.roc_curve and precision_recall_curve of these, drop_intermediate=True.
        let scores = [0.1, 0.4, 0.35, 0.8, 0.8];
        let truth = [false, false, true, true, false];
        let found = curves(&scores, &truth);
        let third = 1.0 / 3.0;
        assert_eq!(
            found.roc,
            [
                [0.0, 0.0],
                [third, 0.5],
                [2.0 / 3.0, 0.5],
                [2.0 / 3.0, 1.0],
                [1.0, 1.0]
            ]
        );
        assert_eq!(
            found.precision_recall,
            [[0.5, 0.5], [0.5, third], [1.0, 0.5], [1.0, 0.4]]
        );
        assert_eq!(curves(&scores, &[true; 5]), ScoreCurves::default());
        // A long one keeps its ends.
        let scores: Vec<f64> = (0..1000).map(f64::from).collect();
        let truth: Vec<bool> = (0..1000).map(|k| k % 3 == 0).collect();
        let long = curves(&scores, &truth);
        assert_eq!(long.roc.len(), MAX_VERTICES);
        assert_eq!(long.roc[0], [0.0, 0.0]);
        assert_eq!(long.roc[MAX_VERTICES - 1], [1.0, 1.0]);
    }

    #[test]
    fn caught_and_lost_are_counted_per_kind() {
        let kept = [vec![true, false, false], vec![true, true]];
        let dropped = Dropped::count(&kept, &[2, 2]);
        assert_eq!((dropped.caught, dropped.injected), (1, 1));
        assert_eq!((dropped.lost, dropped.clean), (1, 4));
        assert_eq!(dropped.precision(), Some(0.5));
    }
}
