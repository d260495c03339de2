//! The map of one feature column from its own units to the scaled ones of a run, and back. Not here:
//! where its numbers come from (`data::sample`), what it is used for.

/// x -> ((x - mean) - shift) / deviation / norm. A column without scaling has mean and shift 0 and
/// deviation 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Affine {
    /// The mean, as a number of the column's size.
    pub mean: f64,
    /// What the mean lacks by rounding: where values are far from zero, its last digit is not small
    /// beside their spread.
    pub shift: f64,
    /// The standard deviation; 0 for a column that is constant, which becomes zero.
    pub deviation: f64,
    /// The common norm by which all points are divided.
    pub norm: f64,
}

impl Affine {
    /// Only the division by the common norm.
    pub fn by_norm(norm: f64) -> Self {
        Self {
            mean: 0.0,
            shift: 0.0,
            deviation: 1.0,
            norm,
        }
    }

    /// To scaled units.
    pub fn scaled(&self, value: f64) -> f64 {
        self.standardised(value) / self.norm
    }

    /// The same without the division by the norm.
    pub fn standardised(&self, value: f64) -> f64 {
        if self.deviation == 0.0 {
            return 0.0;
        }
        ((value - self.mean) - self.shift) / self.deviation
    }

    /// Back to the column's own units.
    pub fn original(&self, scaled: f64) -> f64 {
        (scaled * self.norm * self.deviation + self.shift) + self.mean
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_come_back_from_scaled_units() {
        let column = Affine {
            mean: 1e10,
            shift: 0.25,
            deviation: 3.7,
            norm: 12.9,
        };
        for value in [1e10 - 7.0, 1e10, 1e10 + 5.0] {
            let back = column.original(column.scaled(value));
            // Half a unit decides between whole numbers; the last digit here is 2e-6.
            assert!((back - value).abs() < 1e-5, "{value}: {back}");
            assert_eq!(column.scaled(back.round()), column.scaled(value));
        }
        let constant = Affine {
            deviation: 0.0,
            ..column
        };
        assert_eq!(constant.scaled(3.0), 0.0);
        assert_eq!(constant.original(0.0), 1e10 + 0.25);
        assert_eq!(Affine::by_norm(4.0).scaled(1.0), 0.25);
    }
}
