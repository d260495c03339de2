//! How good predictions are on test points: NMSE and AUC. Not here: which points, which model.

use crate::choice::choice;
use crate::data::{Kind, Spread};
use crate::linalg::ascending;

choice! {
    /// The metric that is reported.
    MetricName {
        /// Mean squared error over the variance of the test labels; higher is a stronger attack.
        Nmse = "nmse" => "NMSE",
        /// Area under the ROC curve; lower is a stronger attack.
        Auc = "auc" => "AUC",
    }
}

impl MetricName {
    /// The metric of labels of this kind.
    pub fn of(kind: Kind) -> Self {
        match kind {
            Kind::Regression => Self::Nmse,
            Kind::Classification => Self::Auc,
        }
    }
}

/// Mean squared error over the (population) variance of the labels. `None` where the labels are
/// all equal, or there are none: it is not defined then.
pub fn nmse(predictions: &[f64], labels: &[f64]) -> Option<f64> {
    let Spread {
        scale, variance, ..
    } = Spread::of(labels)?;
    let parts = (predictions.iter().zip(labels)).map(|(p, y)| (y - p) / scale);
    let value = parts.map(|part| part * part).sum::<f64>() / labels.len() as f64 / variance;
    value.is_finite().then_some(value)
}

/// Area under the ROC curve of scores for labels -1 and +1: the share of pairs of a positive and
/// a negative point in which the positive one scores higher, ties counted one half. `None` where
/// only one class is there.
pub fn auc(scores: &[f64], labels: &[f64]) -> Option<f64> {
    let order = ascending(scores);
    let positives = labels.iter().filter(|&&y| y > 0.0).count();
    let negatives = labels.len() - positives;
    if positives == 0 || negatives == 0 {
        return None;
    }
    // Twice the number of (negative below positive) pairs, ties once: whole numbers throughout.
    let mut wins = 0u64;
    let mut below = 0u64;
    let mut start = 0;
    while start < order.len() {
        let score = scores[order[start]];
        let tied = order[start..]
            .iter()
            .take_while(|&&k| scores[k] == score)
            .count();
        let positive = order[start..start + tied]
            .iter()
            .filter(|&&k| labels[k] > 0.0)
            .count();
        let negative = (tied - positive) as u64;
        wins += positive as u64 * (2 * below + negative);
        below += negative;
        start += tied;
    }
    Some(wins as f64 / (2.0 * positives as f64 * negatives as f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nmse_of_the_mean_is_one_and_of_the_truth_zero() {
        let labels = [1.0, 2.0, 6.0];
        assert_eq!(nmse(&[3.0; 3], &labels), Some(1.0));
        assert_eq!(nmse(&labels, &labels), Some(0.0));
        assert_eq!(nmse(&[3.0; 3], &[2.0; 3]), None);
        assert_eq!(nmse(&[3.0; 3], &[0.1; 3]), None);
        assert_eq!(nmse(&[], &[]), None);
        assert_eq!(nmse(&[3.0; 2], &[f64::INFINITY, 1.0]), None);
        // Whose squares underflow.
        assert_eq!(nmse(&[3e-165; 3], &[1e-165, 2e-165, 6e-165]), Some(1.0));
    }

    #[test]
    fn auc_counts_pairs_and_halves_ties() {
        let labels = [-1.0, -1.0, 1.0, 1.0];
        assert_eq!(auc(&[0.1, 0.4, 0.35, 0.8], &labels), Some(0.75));
        assert_eq!(auc(&[0.0; 4], &labels), Some(0.5));
        assert_eq!(auc(&[0.0, -0.0, 1.0, 0.0], &labels), Some(0.75));
        assert_eq!(auc(&[4.0, 3.0, 2.0, 1.0], &labels), Some(0.0));
        assert_eq!(auc(&[1.0, 2.0], &[1.0, 1.0]), None);
    }
}
