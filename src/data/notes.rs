//! What is known of a user's file beside its points. The points cross from the reader to the solver as a
//! bundle's payload, which has no place for it. Not here: who reads, who solves.

use serde::{Deserialize, Serialize};

use super::DataSet;
use crate::warning::{LeftOut, Warning};
use crate::{Error, Result};

/// What a user's file says beside its points.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify), tsify(missing_as_null))]
pub struct FileNotes {
    /// Text of the mapping that read it, where one did.
    #[serde(default)]
    pub columns: Option<String>,
    /// The names of its feature columns.
    pub feature_names: Vec<String>,
    /// What was noticed while it was read.
    pub warnings: Vec<Warning>,
    /// What it holds that is not used.
    pub left_out: Vec<LeftOut>,
}

impl DataSet {
    /// The notes of this data set.
    pub fn notes(&self) -> FileNotes {
        FileNotes {
            columns: self.columns.clone(),
            feature_names: self.feature_names.clone(),
            warnings: self.warnings.clone(),
            left_out: self.left_out.clone(),
        }
    }

    /// Takes the notes of the file that the points are from.
    ///
    /// # Errors
    /// Names for another number of features.
    pub fn take_notes(&mut self, notes: FileNotes) -> Result<()> {
        let (found, expected) = (notes.feature_names.len(), self.features);
        if found != expected {
            return Err(Error::data(format!(
                "{found} names of features; expected {expected}"
            )));
        }
        self.columns = notes.columns;
        self.feature_names = notes.feature_names;
        self.warnings = notes.warnings;
        self.left_out = notes.left_out;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::formats::bundle;
    use crate::data::{Kind, synthetic};
    use crate::warning::WarningCode;

    #[test]
    fn a_file_arrives_with_its_notes() {
        let mut file = synthetic::generate(Kind::Regression, 1).unwrap();
        file.name = "own.csv".to_string();
        file.columns = Some("task:1;label:2;x:3-12".to_string());
        file.feature_names = (0..10).map(|k| format!("column {k}")).collect();
        file.warnings = vec![Warning::new(WarningCode::MissingCodes, "-999").of_column("column 3")];
        file.left_out = vec![LeftOut {
            what: "row",
            names: Vec::new(),
            count: 2,
            reason: "no value".to_string(),
        }];
        let notes = serde_json::to_string(&file.notes()).unwrap();
        let mut found = bundle::read_payload(&bundle::payload(&file)).unwrap();
        found
            .take_notes(serde_json::from_str(&notes).unwrap())
            .unwrap();
        assert_eq!(found, file);
        found.features = 9;
        assert!(found.take_notes(file.notes()).is_err());
    }
}
