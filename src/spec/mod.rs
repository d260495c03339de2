//! Everything that determines a run: its fields with ranges and defaults, the check, and links.
//!
//! A [`Draft`] holds the fields that were written, unchecked. A [`Spec`] is complete and checked;
//! only a `Spec` runs. [`fields`] is the one table of the fields, `rules` checks values and
//! combinations of them, [`link`] writes and reads links. Not here: data, results.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::attack::{InjectedFeatures, Utility};
use crate::choice::choice;
use crate::data::sample::FeatureScaling;
use crate::data::{DataSet, Kind, published, synthetic};
use crate::defence::sanitise::Sanitise;
use crate::error::{Error, Result, excerpt};
use crate::mtrl::{Learner, Loss};

pub mod fields;
pub mod link;
mod rules;

pub use fields::{FIELDS, Field, FieldKind, Spec, field};
use fields::{FieldValue, Given};

/// The version of specifications that this engine writes. It reads the earlier ones, too.
pub const VERSION: u64 = 2;

/// The largest seed: 2^53 - 1, so that every seed is exact as an f64, too.
pub const MAX_SEED: u64 = (1 << 53) - 1;

/// Data sets that are known by name.
pub const DATASETS: [&str; 1 + published::CATALOGUE.len()] = {
    let mut names = [synthetic::NAME; 1 + published::CATALOGUE.len()];
    let mut at = 0;
    while at < published::CATALOGUE.len() {
        names[1 + at] = published::CATALOGUE[at].name;
        at += 1;
    }
    names
};

/// Characters of a value or a name in a message: never more than a line.
const LINE: usize = 80;

/// The data set of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify), tsify(missing_as_null))]
#[serde(untagged, try_from = "Value")]
pub enum DatasetRef {
    /// One of [`DATASETS`].
    Named(String),
    /// A user's file, identified by its name and its SHA-256 (64 hexadecimal digits).
    File {
        /// The file's name, without folders.
        name: String,
        /// SHA-256 of the file's bytes.
        sha256: String,
    },
}

choice! {
    /// A radius as a quantile of the norms of the clean training points.
    RadiusQuantile {
        /// Three of four clean points lie within.
        Q75 = "q75" => "of 75 % of the clean points",
        /// 95 % of the clean points lie within.
        Q95 = "q95" => "of 95 % of the clean points",
    }
}

impl RadiusQuantile {
    /// The share of clean points within.
    pub fn share(self) -> f64 {
        match self {
            Self::Q75 => 0.75,
            Self::Q95 => 0.95,
        }
    }
}

/// The radius of the ball of the injected points.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify))]
#[serde(untagged)]
pub enum Radius {
    /// In the space in which clean points lie in the unit ball.
    Fixed(f64),
    /// From the clean training points.
    Quantile(RadiusQuantile),
}

/// What the check must know of a data set before its points are there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    /// m.
    pub tasks: usize,
    /// Kind of the labels; `None` where the loss decides (synthetic).
    pub kind: Option<Kind>,
    /// The file has a column that marks the test points.
    pub has_split: bool,
}

impl Shape {
    /// The shape of a data set that is known by name.
    pub fn named(name: &str) -> Option<Self> {
        let (tasks, kind) = if name == synthetic::NAME {
            (synthetic::TASKS, None)
        } else {
            let published = published::find(name)?;
            (published.tasks, Some(published.kind))
        };
        Some(Self {
            tasks,
            kind,
            has_split: false,
        })
    }

    /// The shape of a loaded data set.
    pub fn of(data: &DataSet) -> Self {
        Self::named(&data.name).unwrap_or(Self {
            tasks: data.task_count(),
            kind: Some(data.kind),
            has_split: data.has_split(),
        })
    }
}

/// A specification as written: known fields only, values not yet checked. One of an earlier version
/// becomes one of this version as it is read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Draft {
    values: Map<String, Value>,
    /// Was it written in version 1? Then the mapping of its file has the rules of version 1.
    was_version_1: bool,
}

impl Draft {
    /// Reads one JSON object.
    ///
    /// # Errors
    /// Text that is no JSON object; an unknown field; a field that is given twice.
    pub fn parse(text: &str) -> Result<Self> {
        // Some editors put a byte order mark in front.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let value: Value = serde_json::from_str(text).map_err(|error| syntax_error(&error))?;
        let draft = Self::from_value(value)?;
        // A JSON reader keeps the last of two: it is unclear which one was meant.
        let Names(names) = serde_json::from_str(text).map_err(|error| syntax_error(&error))?;
        for (at, name) in names.iter().enumerate() {
            if names[..at].contains(name) {
                return Err(Error::invalid(name, "given twice"));
            }
        }
        Ok(draft)
    }

    /// Takes a JSON value. Without a `version` it is of this version.
    ///
    /// # Errors
    /// A value that is no object; a field that its version does not have.
    pub fn from_value(value: Value) -> Result<Self> {
        let Value::Object(values) = value else {
            return Err(Error::field("spec", shorten(&value), "a JSON object"));
        };
        // What is no version, or none that is known, is refused by the check.
        let version = values.get("version").and_then(Value::as_u64);
        let version = version.filter(|version| (1..=VERSION).contains(version));
        let version = version.unwrap_or(VERSION);
        for name in values.keys() {
            match field(name) {
                Some(field) if field.since <= version => {}
                Some(field) => {
                    let since = field.since;
                    let reason = format!("not a field of version {version}; it needs {since}");
                    return Err(Error::invalid(name, reason));
                }
                None => {
                    let known: Vec<&str> = FIELDS.iter().map(|field| field.name).collect();
                    let reason = format!("unknown field; available: {}", known.join(", "));
                    return Err(Error::invalid(excerpt(name, LINE), reason));
                }
            }
        }
        let mut draft = Self {
            values,
            was_version_1: false,
        };
        if version == 1 {
            draft.migrate();
        }
        Ok(draft)
    }

    /// The fields that were written, as JSON.
    pub(crate) fn into_value(self) -> Value {
        Value::Object(self.values)
    }

    /// From version 1 to this one, with the same meaning: there, the columns of a file were not
    /// standardised. Other fields that are new have defaults that mean the same.
    fn migrate(&mut self) {
        self.set("version", Value::from(VERSION));
        self.was_version_1 = true;
        let is_known = match self.dataset() {
            Ok(DatasetRef::Named(name)) => DATASETS.contains(&name.as_str()),
            Ok(DatasetRef::File { .. }) => false,
            // The check refuses it.
            Err(_) => true,
        };
        if !is_known {
            self.set("feature_scaling", Value::from(FeatureScaling::None.word()));
        }
    }

    /// Was it written in version 1 of specifications or links? The mapping of its file then has the
    /// rules of that version.
    pub fn was_version_1(&self) -> bool {
        self.was_version_1
    }

    /// Sets one field, unchecked. `name` must be a field of [`FIELDS`].
    pub fn set(&mut self, name: &'static str, value: Value) {
        debug_assert!(field(name).is_some(), "{name} is a field");
        self.values.insert(name.to_string(), value);
    }

    /// The same with the fields that another draft has in place of those here.
    #[must_use]
    pub fn with(mut self, other: &Self) -> Self {
        self.values.extend(other.values.clone());
        self
    }

    /// What was written for a field; null counts as nothing.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.values.get(name).filter(|value| !value.is_null())
    }

    /// Does it need more than the paper's learner and attacker: a pull cap, a sanitiser, copied rows,
    /// another utility, several starts, limited knowledge?
    pub fn needs_extras(&self) -> bool {
        let is = |name: &str, plain: &[&str]| {
            let word = self.get(name).and_then(Value::as_str);
            word.is_some_and(|word| !plain.contains(&word))
        };
        let differs = |name: &str| {
            let number = self.get(name).and_then(Value::as_f64);
            number.is_some_and(|number| number != 1.0)
        };
        is(
            "learner",
            &[Learner::MultiTask.word(), Learner::SingleTask.word()],
        ) || is("sanitise", &[Sanitise::None.word()])
            || is("injected_features", &[InjectedFeatures::Free.word()])
            || is("utility", &[Utility::TrainingLoss.word()])
            || differs("starts")
            || differs("knowledge")
    }

    /// The data set: a name, a file by name and SHA-256, or (natively) a path.
    ///
    /// # Errors
    /// Anything else.
    pub fn dataset(&self) -> Result<DatasetRef> {
        match self.get("dataset") {
            None => Ok(DatasetRef::Named(synthetic::NAME.to_string())),
            Some(value) => DatasetRef::try_from(value.clone()),
        }
    }

    /// Fills in the defaults for a data set of this shape and checks everything.
    ///
    /// # Errors
    /// Every field that is wrong, in the order of [`FIELDS`].
    pub fn check(&self, shape: &Shape) -> std::result::Result<Spec, Vec<Error>> {
        let wrong = FIELDS.iter().filter_map(|field| {
            let value = self.get(field.name)?;
            rules::check_value(field, value, shape).err()
        });
        let errors: Vec<Error> = wrong.collect();
        if !errors.is_empty() {
            return Err(errors);
        }
        let written = |name: &str| self.get(name).cloned();
        let given = Given {
            shape,
            written: &written,
        };
        let mut spec = Spec::of_checked(|field| given.value(field));
        spec.targets.sort_unstable();
        spec.attackers.sort_unstable();
        let errors = rules::contradictions(&spec, shape);
        if errors.is_empty() {
            Ok(spec)
        } else {
            Err(errors)
        }
    }
}

impl Spec {
    /// The default specification of a data set known by name.
    ///
    /// # Panics
    /// If `name` is none of [`DATASETS`].
    pub fn default_of(name: &str) -> Self {
        let mut draft = Draft::default();
        draft.set("dataset", Value::from(name));
        let shape = Shape::named(name).expect("a name of DATASETS");
        draft
            .check(&shape)
            .expect("the defaults of a named data set are valid")
    }

    /// This specification as a draft, every field written.
    pub fn to_draft(&self) -> Draft {
        Draft {
            values: self.values(),
            was_version_1: false,
        }
    }

    /// The fields that differ from their defaults, given all other fields; `version` and `dataset`
    /// always.
    pub fn differences(&self, shape: &Shape) -> Draft {
        let full = self.to_draft();
        let differs = |field: &Field| {
            let others = |name: &str| full.get(name).filter(|_| name != field.name).cloned();
            let default = Given {
                shape,
                written: &others,
            }
            .value(field);
            (full.get(field.name)).is_some_and(|value| *value != sorted(default))
        };
        let kept = FIELDS
            .iter()
            .filter(|field| ["version", "dataset"].contains(&field.name) || differs(field))
            .map(|field| (field.name.to_string(), full.values[field.name].clone()));
        Draft {
            values: kept.collect(),
            was_version_1: false,
        }
    }

    /// What the labels of this run are.
    pub fn kind(&self, shape: &Shape) -> Kind {
        shape.kind.unwrap_or(match self.loss {
            Loss::Squared => Kind::Regression,
            Loss::SquaredHinge => Kind::Classification,
        })
    }
}

/// Why a version that this engine does not know is refused.
fn unknown_version(version: u64) -> Error {
    if version <= VERSION {
        return Error::field("version", version, format_args!("1 to {VERSION}"));
    }
    Error::invalid(
        "version",
        format_args!(
            "{version} is newer than {VERSION}, the latest that this engine reads; reload the page or \
             update the program, or open it where it was made"
        ),
    )
}

/// Task numbers ascending, as a specification holds them; other values as they are.
fn sorted(value: Value) -> Value {
    match Vec::<usize>::of_value(&value) {
        Some(mut tasks) => {
            tasks.sort_unstable();
            tasks.to_value()
        }
        None => value,
    }
}

impl TryFrom<Value> for DatasetRef {
    type Error = Error;

    fn try_from(value: Value) -> Result<Self> {
        let names = DATASETS.join(", ");
        let expected = format!(
            "{names}, or {{\"name\": file name, \"sha256\": 64 hexadecimal digits}}; on the command \
             line also the path of a file of your own"
        );
        let refused = Error::field("dataset", shorten(&value), expected);
        let object = match value {
            Value::String(name) => return Ok(Self::Named(name)),
            Value::Object(object) if object.len() == 2 => object,
            _ => return Err(refused),
        };
        let text = |key| object.get(key).and_then(Value::as_str).unwrap_or_default();
        let (name, sha256) = (text("name"), text("sha256"));
        let is_name = !name.is_empty() && name.len() <= 255 && !name.contains(['/', '\\', '\0']);
        if is_name && sha256.len() == 64 && sha256.bytes().all(|b| b.is_ascii_hexdigit()) {
            Ok(Self::File {
                name: name.to_string(),
                sha256: sha256.to_ascii_lowercase(),
            })
        } else {
            Err(refused)
        }
    }
}

/// The names of a JSON object, in their order, repeated ones too.
struct Names(Vec<String>);

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: serde::Deserializer<'de>>(input: D) -> std::result::Result<Self, D::Error> {
        struct Collect;
        impl<'de> serde::de::Visitor<'de> for Collect {
            type Value = Names;
            fn expecting(&self, to: &mut std::fmt::Formatter) -> std::fmt::Result {
                to.write_str("a JSON object")
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(
                self,
                mut entries: A,
            ) -> std::result::Result<Names, A::Error> {
                let mut names = Vec::new();
                while let Some((name, serde::de::IgnoredAny)) = entries.next_entry()? {
                    names.push(name);
                }
                Ok(Names(names))
            }
        }
        input.deserialize_map(Collect)
    }
}

/// Where text is no JSON.
pub(crate) fn syntax_error(error: &serde_json::Error) -> Error {
    let (line, column) = (error.line(), error.column());
    let text = error.to_string();
    let position = format!(" at line {line} column {column}");
    let what = text.strip_suffix(&position).unwrap_or(&text);
    Error::line(
        line as u64,
        format!("{what} (column {column})"),
        "a JSON object, every number finite",
    )
}

/// A value for a message.
fn shorten(value: &Value) -> String {
    let mut text = String::new();
    write_value(value, &mut text);
    excerpt(&text, LINE)
}

/// Writes a value as JSON does, but for rare characters in texts. Not by serde_json: its numbers bring
/// tables of 17 kB, which nothing else needs in the module that the page loads first.
fn write_value(value: &Value, text: &mut String) {
    match value {
        Value::Null => text.push_str("null"),
        Value::Bool(known) => text.push_str(if *known { "true" } else { "false" }),
        Value::Number(number) => match (number.as_u64(), number.as_i64(), number.as_f64()) {
            (Some(whole), ..) => text.push_str(&whole.to_string()),
            (_, Some(whole), _) => text.push_str(&whole.to_string()),
            (.., number) => text.push_str(&format!("{:?}", number.unwrap_or(f64::NAN))),
        },
        Value::String(word) => text.push_str(&format!("{word:?}")),
        Value::Array(values) => {
            text.push('[');
            for (at, value) in values.iter().enumerate() {
                if at > 0 {
                    text.push(',');
                }
                write_value(value, text);
            }
            text.push(']');
        }
        Value::Object(values) => {
            text.push('{');
            for (at, (name, value)) in values.iter().enumerate() {
                if at > 0 {
                    text.push(',');
                }
                text.push_str(&format!("{name:?}:"));
                write_value(value, text);
            }
            text.push('}');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> std::result::Result<Spec, Vec<Error>> {
        let draft = Draft::parse(text).map_err(|error| vec![error])?;
        let name = match draft.dataset() {
            Ok(DatasetRef::Named(name)) => name,
            _ => "synthetic".to_string(),
        };
        draft.check(&Shape::named(&name).unwrap_or(Shape {
            tasks: 3,
            kind: Some(Kind::Regression),
            has_split: false,
        }))
    }

    fn refused_field(text: &str) -> String {
        let errors = check(text).expect_err(text);
        errors[0].field_name().unwrap_or("no field").to_string()
    }

    #[test]
    fn every_named_data_set_has_valid_defaults() {
        for name in DATASETS {
            let spec = Spec::default_of(name);
            let again = spec.to_draft().check(&Shape::named(name).unwrap()).unwrap();
            assert_eq!(
                spec, again,
                "a complete specification is its own completion"
            );
        }
    }

    #[test]
    fn the_paper_sizes_are_the_defaults() {
        let landmine = Spec::default_of("landmine");
        assert_eq!(landmine.targets, (0..15).collect::<Vec<_>>());
        assert_eq!(
            (landmine.train_share, landmine.train_per_task),
            (Some(0.2), None)
        );
        let sarcos = check(r#"{"dataset":"sarcos","attack":"indirect"}"#).unwrap();
        assert_eq!(
            (sarcos.targets, sarcos.attackers),
            (vec![0, 1, 2], vec![3, 4, 5, 6])
        );
        let hybrid = check(r#"{"dataset":"sarcos","attack":"hybrid"}"#).unwrap();
        assert_eq!(hybrid.attackers.len(), 4);
    }

    #[test]
    fn every_bound_of_every_number_is_enforced() {
        for field in &FIELDS {
            let (inside, outside): (Vec<String>, Vec<String>) = match field.kind {
                FieldKind::Integer { min, max, .. } => (
                    vec![min.to_string(), max.to_string()],
                    vec![
                        min.checked_sub(1)
                            .map_or("-1".to_string(), |v| v.to_string()),
                        (max + 1).to_string(),
                        "1.5".to_string(),
                        "\"3\"".to_string(),
                    ],
                ),
                FieldKind::Number { min, max, .. } => (
                    vec![format!("{min:e}"), format!("{max:e}")],
                    vec![
                        format!("{:e}", min - min.abs().mul_add(1e-9, 1e-15)),
                        format!("{:e}", max * (1.0 + 1e-9)),
                        "\"NaN\"".to_string(),
                        "true".to_string(),
                    ],
                ),
                _ => continue,
            };
            let shape = Shape::named("synthetic").unwrap();
            // Fields that count with another one only.
            let with = match field.name {
                "pull_cap" => r#""learner":"capped","#,
                "sanitise_share" => r#""sanitise":"norm","#,
                _ => "",
            };
            for value in inside {
                let text = format!("{{{with}\"{}\":{value}}}", field.name);
                let draft = Draft::parse(&text).unwrap();
                let found = draft.check(&shape);
                assert!(found.is_ok(), "{} = {value}: {found:?}", field.name);
            }
            for value in outside {
                let text = format!("{{{with}\"{}\":{value}}}", field.name);
                assert_eq!(refused_field(&text), field.name, "{text}");
            }
        }
    }

    #[test]
    fn a_specification_of_version_1_keeps_its_meaning() {
        let shape = Shape {
            tasks: 3,
            kind: Some(Kind::Regression),
            has_split: false,
        };
        let sha256 = "ab".repeat(32);
        let file = format!(r#""dataset":{{"name":"a.csv","sha256":"{sha256}"}}"#);
        let check = |text: String| Draft::parse(&text).unwrap().check(&shape).unwrap();
        let today = check(format!("{{{file}}}"));
        assert_eq!(
            (today.version, today.feature_scaling),
            (2, FeatureScaling::Standard)
        );
        assert_eq!(check(format!("{{\"version\":2,{file}}}")), today);
        let then = check(format!("{{\"version\":1,{file}}}"));
        let expected = Spec {
            feature_scaling: FeatureScaling::None,
            ..today
        };
        assert_eq!(then, expected);
        let path = Draft::parse(r#"{"version":1,"dataset":"my data.csv"}"#).unwrap();
        assert!(path.was_version_1());
        assert_eq!(path.get("feature_scaling"), Some(&Value::from("none")));
        let published = Draft::parse(r#"{"version":1,"dataset":"sarcos"}"#).unwrap();
        assert_eq!(published.get("feature_scaling"), None);
    }

    #[test]
    fn an_unknown_version_is_refused_and_explained() {
        let message = |text: &str| check(text).expect_err(text)[0].to_string();
        assert_eq!(
            message(r#"{"version":3}"#),
            "version: 3 is newer than 2, the latest that this engine reads; reload the page or update \
             the program, or open it where it was made"
        );
        assert_eq!(
            message(r#"{"version":0}"#),
            "version: 0 is invalid; expected 1 to 2"
        );
        assert_eq!(
            message(r#"{"version":1,"feature_scaling":"none"}"#),
            "feature_scaling: not a field of version 1; it needs 2"
        );
    }

    #[test]
    fn text_that_is_no_json_object_is_refused_by_line_or_field() {
        let message = |text: &str| Draft::parse(text).expect_err(text).to_string();
        assert_eq!(
            message("{\n \"seed\": 1,\n \"budget\" 3}"),
            "line 3: expected `:` (column 11); expected a JSON object, every number finite"
        );
        assert!(message(r#"{"lambda1":1e400}"#).starts_with("line 1: number out of range"));
        assert!(message(r#"{"lambda1":NaN}"#).starts_with("line 1: "));
        assert!(message(r#"{"seed":1} {"seed":2}"#).starts_with("line 1: trailing characters"));
        assert!(message(&"[".repeat(100_000)).starts_with("line 1: recursion limit"));
        assert!(message("").starts_with("line 1: EOF"));
        // A name of any length: found by the fuzzer.
        let long = message(&format!("{{\"{}\":1}}", "seed".repeat(1000)));
        assert!(long.starts_with("seedseed") && long.contains("...: unknown field"));
        assert!(long.len() < 500, "{long}");
        let hostile = message("{\"\\u001b]0;a\\u202e\":1}");
        assert!(
            hostile.starts_with(r"\u{1b}]0;a\u{202e}: unknown"),
            "{hostile}"
        );
        assert!(message("[1,2]").starts_with("spec: [1,2] is invalid"));
        assert!(message("null").starts_with("spec: null is invalid"));
        let twice = r#"{"seed":1,"budget":0.1,"seed":1}"#;
        assert_eq!(message(twice), "seed: given twice");
        assert_eq!(Draft::parse("\u{feff}{}").unwrap(), Draft::default());
    }

    #[test]
    fn a_number_is_read_to_the_last_bit() {
        let spec = check(r#"{"step_size":118455959.94355085}"#).unwrap();
        assert_eq!(spec.step_size, 118_455_959.943_550_85);
        let text = serde_json::to_string(&spec).unwrap();
        assert_eq!(check(&text).unwrap(), spec);
    }

    #[test]
    fn wrong_fields_are_named() {
        assert_eq!(refused_field(r#"{"lamda1":0.1}"#), "lamda1");
        assert_eq!(refused_field(r#"{"attack":"Direct"}"#), "attack");
        assert_eq!(refused_field(r#"{"dataset":"cifar"}"#), "dataset");
        assert_eq!(refused_field(r#"{"targets":[]}"#), "targets");
        assert_eq!(refused_field(r#"{"targets":[0,0]}"#), "targets");
        assert_eq!(refused_field(r#"{"targets":[8]}"#), "targets");
        assert_eq!(refused_field(r#"{"targets":[-1]}"#), "targets");
        assert_eq!(refused_field(r#"{"attackers":[4]}"#), "attackers");
        assert_eq!(
            refused_field(r#"{"attack":"indirect","attackers":[0]}"#),
            "attackers"
        );
        assert_eq!(
            refused_field(r#"{"train_share":0.5,"train_per_task":3}"#),
            "train_share"
        );
        assert_eq!(refused_field(r#"{"epsilon":0}"#), "epsilon");
        assert_eq!(refused_field(r#"{"epsilon":1e-13}"#), "epsilon");
        assert_eq!(
            refused_field(r#"{"epsilon":0,"solver":"alternating"}"#),
            "epsilon"
        );
        assert_eq!(
            refused_field(r#"{"dataset":"sarcos","loss":"squared_hinge"}"#),
            "loss"
        );
        let fine = r#"{"epsilon":0,"solver":"alternating","gradient":"published"}"#;
        assert!(check(fine).is_ok());
    }

    #[test]
    fn differences_restore_the_specification() {
        for text in [
            r#"{"dataset":"sarcos"}"#,
            r#"{"dataset":"sarcos","attack":"hybrid","seed":7}"#,
            r#"{"attack":"indirect","loss":"squared_hinge"}"#,
            r#"{"attack":"hybrid","attackers":[0,5],"budget":0.3,"train_share":0.3}"#,
            r#"{"dataset":"landmine","targets":[3,1],"loss":"squared"}"#,
        ] {
            let spec = check(text).unwrap();
            let DatasetRef::Named(name) = &spec.dataset else {
                unreachable!()
            };
            let shape = Shape::named(name).unwrap();
            let short = spec.differences(&shape);
            assert_eq!(short.check(&shape).unwrap(), spec, "{text}");
            let written = Draft::parse(text).unwrap().values.len();
            assert!(short.values.len() <= written + 2, "{text}: {short:?}");
        }
    }
}
