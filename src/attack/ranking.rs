//! How badly scores rank the points of two classes: the squared hinge of all pairs, in n log n.
//!
//! For a positive point of score s₊ and a negative one of score s₋ the gap is 1 - (s₊ - s₋); the
//! loss is the mean over all pairs of max(0, gap)². It bounds 1 - AUC from above, and has a gradient.
//! Pairs are never listed: as one score falls through the sorted others, the sums of gaps and of their
//! squares grow by what is added, all of it positive, so that nothing cancels.

use crate::linalg::ascending;

/// Mean over the pairs, and its derivative by each score. Labels above 0 are positive. Both are zero
/// where a class is missing: there is no pair.
pub fn loss(scores: &[f64], labels: &[f64]) -> (f64, Vec<f64>) {
    let order = ascending(scores);
    let (positive, negative): (Vec<usize>, Vec<usize>) =
        order.into_iter().partition(|&j| labels[j] > 0.0);
    let mut slopes = vec![0.0; scores.len()];
    if positive.is_empty() || negative.is_empty() {
        return (0.0, slopes);
    }
    let share = 1.0 / (positive.len() as f64 * negative.len() as f64);
    // Both from the largest down, for the gaps of each positive point ...
    let falling = |points: &[usize]| points.iter().rev().map(|&j| scores[j]).collect::<Vec<_>>();
    let mut value = 0.0;
    let own = positive.iter().rev();
    for (&j, (sum, squares)) in own.zip(gaps(&falling(&positive), &falling(&negative))) {
        value += squares;
        slopes[j] = -2.0 * share * sum;
    }
    // ... and both mirrored, for those of each negative one.
    let mirrored = |points: &[usize]| points.iter().map(|&j| -scores[j]).collect::<Vec<_>>();
    for (&j, (sum, _)) in negative
        .iter()
        .zip(gaps(&mirrored(&negative), &mirrored(&positive)))
    {
        slopes[j] = 2.0 * share * sum;
    }
    (share * value, slopes)
}

/// For each u of `own`, over all v of `others` with 1 + v - u > 0: the sum of these gaps, and of their
/// squares. Both lists fall.
fn gaps(own: &[f64], others: &[f64]) -> Vec<(f64, f64)> {
    let (mut count, mut sum, mut squares) = (0, 0.0, 0.0);
    let mut last = own[0];
    let mut out = Vec::with_capacity(own.len());
    for &u in own {
        let shift = last - u;
        last = u;
        squares += shift * (2.0 * sum + count as f64 * shift);
        sum += count as f64 * shift;
        while let Some(v) = others.get(count) {
            let gap = 1.0 + (v - u);
            if gap <= 0.0 {
                break;
            }
            sum += gap;
            squares += gap * gap;
            count += 1;
        }
        out.push((sum, squares));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Random, Stream};

    /// All pairs, one by one.
    fn by_pairs(scores: &[f64], labels: &[f64]) -> (f64, Vec<f64>) {
        let (mut value, mut slopes) = (0.0, vec![0.0; scores.len()]);
        let mut pairs = 0.0;
        for (i, &a) in scores.iter().enumerate().filter(|(i, _)| labels[*i] > 0.0) {
            for (j, &b) in scores.iter().enumerate().filter(|(j, _)| labels[*j] <= 0.0) {
                let gap = (1.0 - (a - b)).max(0.0);
                value += gap * gap;
                slopes[i] -= 2.0 * gap;
                slopes[j] += 2.0 * gap;
                pairs += 1.0;
            }
        }
        slopes.iter_mut().for_each(|slope| *slope /= pairs);
        (value / pairs, slopes)
    }

    #[test]
    fn the_sorted_sums_are_those_over_all_pairs() {
        let mut random = Random::new(3, Stream::Synthetic, 0);
        for (n, spread, share) in [
            (2, 1.0, 0.5),
            (60, 0.01, 0.5),
            (60, 1.0, 0.1),
            (200, 30.0, 0.5),
            (200, 1e6, 0.9),
        ] {
            let scores: Vec<f64> = (0..n).map(|_| spread * random.normal()).collect();
            let mut labels: Vec<f64> = (0..n)
                .map(|_| if random.uniform() < share { 1.0 } else { -1.0 })
                .collect();
            (labels[0], labels[1]) = (1.0, -1.0);
            let (value, slopes) = loss(&scores, &labels);
            let (expected, by_score) = by_pairs(&scores, &labels);
            // Sums of positive terms: n roundings.
            assert!((value - expected).abs() <= 1e-13 * expected, "{n} {spread}");
            for (found, expected) in slopes.iter().zip(&by_score) {
                let room = 1e-13 * expected.abs().max(1e-300);
                assert!((found - expected).abs() <= room, "{found} {expected}");
            }
        }
    }

    #[test]
    fn equal_scores_have_a_loss_of_one_and_one_class_none() {
        let (value, slopes) = loss(&[0.3; 5], &[1.0, -1.0, -1.0, 1.0, -1.0]);
        assert!((value - 1.0).abs() < 1e-15);
        assert!((slopes.iter().sum::<f64>()).abs() < 1e-15);
        assert_eq!(loss(&[0.3, 0.4], &[1.0, 1.0]), (0.0, vec![0.0; 2]));
        assert_eq!(loss(&[2.0, 0.5], &[1.0, -1.0]), (0.0, vec![0.0; 2]));
    }
}
