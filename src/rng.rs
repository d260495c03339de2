//! One seed, named portable streams. Not here: what is drawn for which purpose.
//!
//! ChaCha with 8 rounds is counter-based and specified bit by bit, so the same seed gives the same
//! numbers on every platform. Each purpose draws from a stream of its own: drawing more for one
//! never shifts another. Normal deviates use `libm`, never the platform's mathematics.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng};

/// The purposes numbers are drawn for. The numbers are part of every digest: never renumber.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub enum Stream {
    /// Which points become training and test points.
    Split = 1,
    /// Injected features at iteration 0.
    InitialPoints = 2,
    /// Injected labels.
    InjectedLabels = 3,
    /// The sampled batches of the constant step.
    Batches = 4,
    /// The synthetic data set.
    Synthetic = 5,
    /// Attacking tasks that a hybrid attack draws when none are named.
    Attackers = 6,
    /// Sweeps of the paper's figures.
    Figures = 7,
    /// Folds of a cross-validation.
    Folds = 8,
    /// Seeds of further starts of an attack.
    Starts = 9,
    /// Clean training points that an attacker of limited knowledge sees.
    Knowledge = 10,
}

/// A portable generator of one stream.
#[derive(Clone, Debug)]
pub struct Random(ChaCha8Rng);

impl Random {
    /// The stream `stream` of `seed`; `index` distinguishes the tasks (or other parts) within it.
    pub fn new(seed: u64, stream: Stream, index: u64) -> Self {
        let mut key = [0u8; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        key[8..16].copy_from_slice(&(stream as u64).to_le_bytes());
        key[16..24].copy_from_slice(&index.to_le_bytes());
        Self(ChaCha8Rng::from_seed(key))
    }

    /// Uniform in [0, 1), 53 bits.
    pub fn uniform(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 * (1.0 / 9_007_199_254_740_992.0)
    }

    /// Uniform in {0, ..., bound - 1}, without bias.
    ///
    /// # Panics
    /// If `bound` is 0.
    pub fn below(&mut self, bound: usize) -> usize {
        assert!(bound > 0, "below() needs a positive bound");
        let bound = bound as u64;
        // Lemire 2019: multiply, and reject the few low products that would be over-represented.
        let threshold = bound.wrapping_neg() % bound;
        loop {
            let product = u128::from(self.0.next_u64()) * u128::from(bound);
            #[expect(clippy::cast_possible_truncation, reason = "the low half is wanted")]
            if product as u64 >= threshold {
                #[expect(clippy::cast_possible_truncation, reason = "below `bound`, a usize")]
                return (product >> 64) as usize;
            }
        }
    }

    /// Standard normal (Marsaglia's polar method over `libm`).
    pub fn normal(&mut self) -> f64 {
        loop {
            let u = 2.0 * self.uniform() - 1.0;
            let v = 2.0 * self.uniform() - 1.0;
            let s = u * u + v * v;
            if s > 0.0 && s < 1.0 {
                return u * libm::sqrt(-2.0 * libm::log(s) / s);
            }
        }
    }

    /// `count` different numbers of {0, ..., bound - 1} in random order (partial Fisher-Yates).
    ///
    /// # Panics
    /// If `count` is larger than `bound`.
    pub fn choose(&mut self, bound: usize, count: usize) -> Vec<usize> {
        assert!(count <= bound, "cannot choose {count} of {bound}");
        let mut all: Vec<usize> = (0..bound).collect();
        for k in 0..count {
            let other = k + self.below(bound - k);
            all.swap(k, other);
        }
        all.truncate(count);
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_of_one_seed_differ_and_repeat() {
        let draw = |seed, stream, index| {
            let mut random = Random::new(seed, stream, index);
            [random.uniform(), random.uniform(), random.normal()]
        };
        assert_eq!(draw(1, Stream::Split, 0), draw(1, Stream::Split, 0));
        assert_ne!(draw(1, Stream::Split, 0), draw(1, Stream::Split, 1));
        assert_ne!(draw(1, Stream::Split, 0), draw(1, Stream::Batches, 0));
        assert_ne!(draw(1, Stream::Split, 0), draw(2, Stream::Split, 0));
    }

    #[test]
    fn moments_are_those_of_the_distributions() {
        let mut random = Random::new(7, Stream::Synthetic, 0);
        let n = 100_000;
        let normals: Vec<f64> = (0..n).map(|_| random.normal()).collect();
        let mean = normals.iter().sum::<f64>() / f64::from(n);
        let variance = normals.iter().map(|z| z * z).sum::<f64>() / f64::from(n);
        // Five standard errors: sqrt(1/n) and sqrt(2/n).
        assert!(mean.abs() < 0.016, "{mean}");
        assert!((variance - 1.0).abs() < 0.023, "{variance}");
        let counts = (0..60_000).fold([0i32; 6], |mut counts, _| {
            counts[random.below(6)] += 1;
            counts
        });
        // Six standard deviations of a binomial count: sqrt(60000/6*5/6) = 91.
        assert!(
            counts.iter().all(|c| (c - 10_000).abs() < 550),
            "{counts:?}"
        );
    }

    #[test]
    fn chosen_numbers_are_different_and_in_range() {
        let mut random = Random::new(3, Stream::Split, 0);
        let mut chosen = random.choose(50, 50);
        chosen.sort_unstable();
        assert_eq!(chosen, (0..50).collect::<Vec<_>>());
    }
}
