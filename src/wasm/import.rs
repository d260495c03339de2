//! Part of the module `extras`: a user's own file, its preview, mapping and example.

use serde::{Deserialize, Serialize};
use tsify::{Ts, Tsify};
use wasm_bindgen::prelude::*;

use super::convert::{Description, Problem, from_js, to_js};
use super::extras::ReadFile;
use crate::data::import::mapping::{Dialect, Mapping};
use crate::data::import::{self, FileLimits, ImportResult, Preview};
use crate::data::{published, sha256_hex, synthetic};
use crate::error::Result;

/// A user's file as it looks.
#[derive(Serialize, Tsify)]
pub struct Inspected {
    sha256: String,
    /// It is the raw file of a published data set.
    published: bool,
    /// The text of the guess.
    columns: String,
    preview: Preview,
    limits: FileLimits,
}

/// A mapping, or the text of one.
#[derive(Deserialize, Tsify)]
#[serde(untagged)]
pub enum Columns {
    /// The text.
    Text(String),
    /// The mapping.
    Mapping(Mapping),
}

/// What a mapping makes of a file: a description, or a problem and the column that it is about.
#[derive(Default, Serialize, Tsify)]
#[tsify(missing_as_null)]
pub struct CheckedColumns {
    /// The text of the mapping, where it could be read.
    columns: Option<String>,
    mapping: Option<Mapping>,
    description: Option<Description>,
    /// Rows that were left out because they lack a value.
    dropped: usize,
    summary: Option<import::Summary>,
    problem: Option<Problem>,
    column: Option<usize>,
}

/// A user's file while it is looked at. What came of the last look is kept, so that it can be taken without
/// reading the file again. Call `free` when it is no longer needed.
#[wasm_bindgen]
#[derive(Default)]
pub struct OwnFile {
    made: Option<ImportResult>,
}

#[wasm_bindgen]
impl OwnFile {
    /// Nothing was looked at yet.
    #[wasm_bindgen(constructor)]
    pub fn new() -> OwnFile {
        Self::default()
    }

    /// Looks at a file. `reading` says how to read it; undefined: as it seems to be.
    pub fn inspect(
        &mut self,
        name: &str,
        bytes: &[u8],
        reading: Option<Ts<Dialect>>,
    ) -> std::result::Result<Ts<Inspected>, JsValue> {
        self.made = None;
        let reading = (reading.map(|reading| from_js(reading, "reading"))).transpose()?;
        let (preview, made) = import::inspect_and_read(name, bytes, reading.as_ref())?;
        let published = published::recognise(bytes).is_some();
        // A published file is read as such.
        self.made = made.filter(|_| !published);
        Ok(to_js(&Inspected {
            sha256: sha256_hex(bytes),
            published,
            columns: preview.guess.to_string(),
            preview,
            limits: import::LIMITS,
        }))
    }

    /// Applies a mapping to a file.
    pub fn check(&mut self, name: &str, bytes: &[u8], columns: Ts<Columns>) -> Ts<CheckedColumns> {
        self.made = None;
        let refusal = |refusal: &import::ImportError| CheckedColumns {
            problem: Some(Problem::from(&refusal.error)),
            column: refusal.column,
            ..CheckedColumns::default()
        };
        let mapping: Result<Mapping> = match from_js(columns, "columns") {
            Ok(Columns::Mapping(mapping)) => Ok(mapping),
            Ok(Columns::Text(text)) => text.parse(),
            Err(error) => Err(error),
        };
        let mapping = match mapping {
            Ok(mapping) => mapping,
            Err(error) => return to_js(&refusal(&error.into())),
        };
        let checked = match import::read_mapped(name, bytes, &mapping) {
            Ok(made) => {
                let made = self.made.insert(made);
                CheckedColumns {
                    description: Some(Description::from(&made.data)),
                    dropped: made.dropped,
                    summary: Some(import::Summary::of(made)),
                    ..CheckedColumns::default()
                }
            }
            Err(error) => refusal(&error),
        };
        to_js(&CheckedColumns {
            columns: Some(mapping.to_string()),
            mapping: Some(mapping),
            ..checked
        })
    }

    /// What `read_file` makes of the file that was looked at last, if the look was by these columns;
    /// otherwise undefined, and the file has to be read.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "wasm-bindgen hands over owned values"
    )]
    pub fn take(&mut self, columns: Option<String>) -> Option<Ts<ReadFile>> {
        let made = self.made.take()?;
        let mapping = made.mapping.as_ref().map(ToString::to_string);
        (mapping == columns).then(|| to_js(&ReadFile::of(&made.data)))
    }
}

/// A file to look at, and the limits of a user's file.
#[derive(Serialize, Tsify)]
pub struct ExampleFile {
    csv: String,
    limits: FileLimits,
}

/// The example of a user's file.
#[wasm_bindgen]
pub fn example_file() -> std::result::Result<Ts<ExampleFile>, JsValue> {
    Ok(to_js(&ExampleFile {
        csv: synthetic::example_csv()?,
        limits: import::LIMITS,
    }))
}
