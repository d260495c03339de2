//! MNIST as one-vs-rest tasks: principal components and the pools that samples are drawn from.
//!
//! The components are those of all training images, centred. The scatter matrix of bytes is exact
//! in integers, so the result does not depend on the order of the sum. Projected values are rounded
//! to multiples of `STEP` (in units of a grey level, 0 to 255; the 128th component has a standard
//! deviation of 47): that is the canonical data set, and it fits 16 bits. Not here: the file format
//! (`idx`), which files (the catalogue in `published`).

use nalgebra::{DMatrix, SymmetricEigen};

use crate::data::formats::idx::Idx;
use crate::data::{DataSet, Kind, Layout, RawPoints};
use crate::rng::{Random, Stream};
use crate::{Error, Result};

/// d: the number of principal components that are kept.
pub const COMPONENTS: usize = 128;
/// Training images of each digit that are kept, to draw samples from.
pub const TRAIN_PER_DIGIT: usize = 380;
/// Test images of each digit that are kept.
pub const TEST_PER_DIGIT: usize = 230;
/// Projected values are multiples of this: a power of two, so that the product is exact.
pub const STEP: f64 = 8.0;
const DIGITS: usize = 10;
/// Which images are kept. Part of the canonical data set: never change.
const POOL_SEED: u64 = 20_180_207;

/// Images as rows of bytes, with the digit of each.
struct Images<'a> {
    pixels: usize,
    rows: &'a [u8],
    digits: &'a [u8],
}

/// The data set from the four files.
///
/// # Errors
/// Where images and labels do not belong together, or too few images of a digit are there.
pub fn assemble(
    train_images: &Idx,
    train_labels: &Idx,
    test_images: &Idx,
    test_labels: &Idx,
) -> Result<DataSet> {
    let train = Images::new(train_images, train_labels)?;
    let test = Images::new(test_images, test_labels)?;
    if train.pixels != test.pixels || train.pixels < COMPONENTS {
        return Err(Error::data(format!(
            "images of {} and {} pixels; expected equal sizes of at least {COMPONENTS}",
            train.pixels, test.pixels
        )));
    }
    // Before the decomposition: it takes seconds.
    let train_rows = train.choose(TRAIN_PER_DIGIT, 0)?;
    let test_rows = test.choose(TEST_PER_DIGIT, DIGITS as u64)?;
    let components = Components::of(&train)?;
    let names = (0..DIGITS).map(|digit| format!("digit {digit}")).collect();
    DataSet::new(
        "mnist",
        Kind::Classification,
        COMPONENTS,
        names,
        Layout::Classes {
            train: train.project(&components, &train_rows),
            test: test.project(&components, &test_rows),
            classes: DIGITS,
        },
    )
}

impl<'a> Images<'a> {
    fn new(images: &Idx<'a>, labels: &Idx<'a>) -> Result<Self> {
        let (count, pixels) = match images.shape[..] {
            [count, height, width] => (count, height.saturating_mul(width)),
            _ => (0, 0),
        };
        let bad = labels.values.iter().any(|d| usize::from(*d) >= DIGITS);
        // 64 x 64 pixels keep the scatter matrix at 128 MiB.
        if labels.shape != [count] || count == 0 || !(1..=4096).contains(&pixels) || bad {
            return Err(Error::data(format!(
                "images of sizes {:?} with labels of sizes {:?}; expected count x height x width \
                 with one digit from 0 to 9 for each image",
                images.shape, labels.shape
            )));
        }
        Ok(Self {
            pixels,
            rows: images.values,
            digits: labels.values,
        })
    }

    fn image(&self, index: usize) -> &[u8] {
        &self.rows[index * self.pixels..(index + 1) * self.pixels]
    }

    /// The rows of `per_digit` images of each digit, digit by digit.
    fn choose(&self, per_digit: usize, stream: u64) -> Result<Vec<usize>> {
        let mut chosen = Vec::with_capacity(DIGITS * per_digit);
        for digit in 0..DIGITS {
            let rows: Vec<usize> = (0..self.digits.len())
                .filter(|row| usize::from(self.digits[*row]) == digit)
                .collect();
            if rows.len() < per_digit {
                return Err(Error::data(format!(
                    "{} images of digit {digit}; expected at least {per_digit}",
                    rows.len()
                )));
            }
            let mut random = Random::new(POOL_SEED, Stream::Split, stream + digit as u64);
            let places = random.choose(rows.len(), per_digit);
            chosen.extend(places.into_iter().map(|place| rows[place]));
        }
        Ok(chosen)
    }

    /// These images, projected; the digit is the label.
    fn project(&self, components: &Components, rows: &[usize]) -> RawPoints {
        let mut points = RawPoints::default();
        for &row in rows {
            components.project(self.image(row), &mut points.features);
            points.labels.push(f64::from(self.digits[row]));
        }
        points
    }
}

struct Components {
    /// One unit vector of pixels a component, the largest variance first.
    directions: Vec<Vec<f64>>,
    /// Of the mean image on each.
    offsets: Vec<f64>,
}

impl Components {
    fn of(images: &Images) -> Result<Self> {
        let (pixels, count) = (images.pixels, images.digits.len());
        let mut scatter = vec![0u64; pixels * pixels];
        let mut sums = vec![0u64; pixels];
        let mut inked: Vec<(usize, u64)> = Vec::with_capacity(pixels);
        for index in 0..count {
            // Four of five pixels are zero.
            inked.clear();
            let image = images.image(index).iter().enumerate();
            inked.extend(
                image
                    .filter(|(_, value)| **value > 0)
                    .map(|(pixel, value)| (pixel, u64::from(*value))),
            );
            for (at, &(a, value_a)) in inked.iter().enumerate() {
                sums[a] += value_a;
                let row = &mut scatter[a * pixels..(a + 1) * pixels];
                for &(b, value_b) in &inked[at..] {
                    row[b] += value_a * value_b;
                }
            }
        }
        // n² times the covariance: still whole numbers, below 2^53 for up to 300,000 images.
        let n = count as u64;
        let covariance = DMatrix::from_fn(pixels, pixels, |i, j| {
            let (low, high) = (i.min(j), i.max(j));
            let (square, mean) = (n * scatter[low * pixels + high], sums[i] * sums[j]);
            if square >= mean {
                (square - mean) as f64
            } else {
                -((mean - square) as f64)
            }
        });
        let Some(eigen) = SymmetricEigen::try_new(covariance, f64::EPSILON, 100 * pixels) else {
            return Err(Error::Numerical {
                place: "principal components of the images",
                what: "the eigendecomposition did not converge".into(),
            });
        };
        let mut order: Vec<usize> = (0..pixels).collect();
        order.sort_by(|a, b| eigen.eigenvalues[*b].total_cmp(&eigen.eigenvalues[*a]));
        let directions: Vec<Vec<f64>> = order[..COMPONENTS]
            .iter()
            .map(|column| {
                let direction: Vec<f64> =
                    eigen.eigenvectors.column(*column).iter().copied().collect();
                // A direction and its opposite are equally good: the entry of largest magnitude
                // is made positive.
                let largest =
                    direction.iter().fold(
                        0.0f64,
                        |most, x| if x.abs() > most.abs() { *x } else { most },
                    );
                let sign = if largest < 0.0 { -1.0 } else { 1.0 };
                direction.iter().map(|x| sign * x).collect()
            })
            .collect();
        let offsets = directions
            .iter()
            .map(|direction| {
                let along = direction.iter().zip(&sums);
                along.map(|(x, sum)| x * (*sum as f64)).sum::<f64>() / count as f64
            })
            .collect();
        Ok(Self {
            directions,
            offsets,
        })
    }

    fn project(&self, image: &[u8], features: &mut Vec<f64>) {
        for (direction, offset) in self.directions.iter().zip(&self.offsets) {
            let along = direction.iter().zip(image);
            let score = along.map(|(x, pixel)| x * f64::from(*pixel)).sum::<f64>() - offset;
            let steps = (score / STEP).round().clamp(-32767.0, 32767.0);
            // Adding zero turns a negative zero into zero, which has an integer code.
            features.push(steps * STEP + 0.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn components_of_images_on_a_line_point_along_it() {
        // 128 pixels are the least; only two of them vary, in proportion 3 : 4.
        let mut rows = vec![0u8; 128 * 3];
        for (image, ink) in [0u8, 16, 32].into_iter().enumerate() {
            rows[image * 128 + 5] = 3 * ink;
            rows[image * 128 + 9] = 4 * ink;
        }
        let images = Images {
            pixels: 128,
            rows: &rows,
            digits: &[0, 1, 2],
        };
        let components = Components::of(&images).unwrap();
        assert!((components.directions[0][5] - 0.6).abs() < 1e-12);
        assert!((components.directions[0][9] - 0.8).abs() < 1e-12);
        let mut features = Vec::new();
        components.project(images.image(2), &mut features);
        // 5 * 32 along the line, less the mean of 5 * 16: a multiple of `STEP`.
        assert!((features[0] - 80.0).abs() < 1e-12, "{}", features[0]);
    }

    #[test]
    fn too_few_images_of_a_digit_are_refused_before_the_decomposition() {
        // A decomposition of 4096 pixels would take minutes.
        let images = Idx {
            shape: vec![2, 64, 64],
            values: &[7; 2 * 4096],
        };
        let labels = Idx {
            shape: vec![2],
            values: &[0, 1],
        };
        let error = assemble(&images, &labels, &images, &labels).unwrap_err();
        let words = "1 images of digit 0; expected at least 380";
        assert!(error.to_string().contains(words), "{error}");
    }

    #[test]
    fn images_without_their_labels_are_refused() {
        let images = Idx {
            shape: vec![2, 16, 16],
            values: &[0; 512],
        };
        let labels = Idx {
            shape: vec![3],
            values: &[0, 1, 2],
        };
        assert!(assemble(&images, &labels, &images, &labels).is_err());
    }
}
