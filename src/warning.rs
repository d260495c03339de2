//! What is no error but can make a result meaningless: a list of warnings that goes with a data set
//! and a report, to be shown where the result is read. Here: the types. Not here: what raises them
//! (`data::import` for a user's file, `diagnosis` for a run).

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use crate::choice::choice;

choice! {
    /// What a warning is about.
    WarningCode {
        /// One column makes up nearly all of the norm of the points.
        DominantColumn = "dominant_column" => "one column dominates",
        /// A column that has one value only.
        ConstantColumn = "constant_column" => "constant column",
        /// Values many orders of magnitude above the rest.
        ImplausibleValues = "implausible_values" => "implausible values",
        /// Values that look like codes for missing ones: -999, -200.
        MissingCodes = "missing_codes" => "codes for missing values?",
        /// A feature that numbers the rows.
        IndexFeature = "index_feature" => "an index among the features",
        /// Part of the file was left out or is not used.
        LeftOut = "left_out" => "left out",
        /// Part of the file was read in one of several possible ways.
        Interpreted = "interpreted" => "interpreted",
        /// The clean model is no better than the mean, or its AUC is below one half.
        NoBetterThanGuessing = "no_better_than_guessing" => "no better than guessing",
        /// Single-task learning has a lower clean error.
        WorseThanSingleTask = "worse_than_single_task" => "worse than single-task learning",
        /// Tasks have the same feature rows.
        SharedRows = "shared_rows" => "tasks share rows",
        /// Injected points have values that cannot occur.
        ImpossibleValues = "impossible_values" => "impossible injected values",
        /// Few test points: the metric is uncertain.
        FewTestPoints = "few_test_points" => "few test points",
        /// There is one task only: nothing is shared.
        OneTask = "one_task" => "one task only",
    }
}

impl WarningCode {
    /// True of the data rather than wrong with them: to be said calmly, as a note.
    pub fn is_note(self) -> bool {
        matches!(self, Self::WorseThanSingleTask | Self::SharedRows)
    }

    /// Can another λ1 or λ2, chosen by cross-validation, be the cure? How it is chosen is for each
    /// surface to say.
    pub fn asks_for_tuning(self) -> bool {
        matches!(self, Self::NoBetterThanGuessing | Self::WorseThanSingleTask)
    }
}

/// A warning.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify), tsify(missing_as_null))]
pub struct Warning {
    /// What it is about.
    pub code: WarningCode,
    /// One or two sentences: what was found, and what to check.
    pub message: String,
    /// The task, from 0, where it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task: Option<usize>,
    /// The name of the column, where it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
}

impl Warning {
    /// A warning about the whole.
    pub fn new(code: WarningCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            task: None,
            column: None,
        }
    }

    /// The same about a task.
    #[must_use]
    pub fn of_task(self, task: usize) -> Self {
        Self {
            task: Some(task),
            ..self
        }
    }

    /// The same about a column.
    #[must_use]
    pub fn of_column(self, column: impl Into<String>) -> Self {
        Self {
            column: Some(column.into()),
            ..self
        }
    }
}

/// What a file holds that a run does not use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify))]
pub struct LeftOut {
    /// `row`, `line`, `task`, `column` or `variable`.
    pub what: &'static str,
    /// Its names, where it has some; the first ones if they are many.
    pub names: Vec<String>,
    /// How many.
    pub count: usize,
    /// Why: `no value`, `one point only`, `an index`.
    pub reason: String,
}

/// What `LeftOut::what` may be.
const LEFT_OUT: [&str; 5] = ["row", "line", "task", "column", "variable"];

/// The same as it is read.
#[derive(Deserialize)]
struct WrittenLeftOut {
    what: String,
    names: Vec<String>,
    count: usize,
    reason: String,
}

// Derived, it would only read texts that live for ever.
impl<'de> Deserialize<'de> for LeftOut {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let written = WrittenLeftOut::deserialize(input)?;
        let known = LEFT_OUT.into_iter().find(|known| *known == written.what);
        let what = known.ok_or_else(|| D::Error::unknown_variant(&written.what, &LEFT_OUT))?;
        Ok(Self {
            what,
            names: written.names,
            count: written.count,
            reason: written.reason,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warnings_and_what_is_left_out_survive_writing_and_reading() {
        let warning = Warning::new(WarningCode::Interpreted, "a").of_column("b");
        let text = serde_json::to_string(&warning).unwrap();
        assert_eq!(serde_json::from_str::<Warning>(&text).unwrap(), warning);
        for what in LEFT_OUT {
            let left_out = LeftOut {
                what,
                names: vec!["c".to_string()],
                count: 3,
                reason: "an index".to_string(),
            };
            let text = serde_json::to_string(&left_out).unwrap();
            assert_eq!(serde_json::from_str::<LeftOut>(&text).unwrap(), left_out);
        }
        let other = r#"{"what":"x","names":[],"count":0,"reason":""}"#;
        assert!(serde_json::from_str::<LeftOut>(other).is_err());
    }
}
