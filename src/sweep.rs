//! Sweeps: a grid of specifications to a list of runs, each with a key; a run to a row of results; rows to
//! a table. Not here: files, threads (`bin/patom/sweep`).
//!
//! A grid is a JSON object
//!
//! ```text
//! {"spec": {"dataset": "sarcos", "iterations": 5},
//!  "grid": {"attack": ["direct", "indirect"], "budget": [0.1, 0.2], "seed": "1..10"}}
//! ```
//!
//! or a list of such objects. `spec` may also be a share link, and `columns` maps the columns of a user's
//! file. A run is identified by its [key](Planned::key), whoever planned it and wherever: what is there
//! under its key need not run again.

use std::collections::BTreeMap;
use std::fmt;
use std::panic::{self, AssertUnwindSafe};

use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use crate::data::import::mapping::Mapping;
use crate::data::{DataSet, hex, synthetic};
use crate::error::{Error, Result, excerpt};
use crate::experiment::{self, ENGINE, Observer, Outcome};
use crate::report::mean_metric;
use crate::spec::link::{self, Link};
use crate::spec::{DatasetRef, Draft, FIELDS, FieldKind, Shape, Spec, field, syntax_error};

/// Most runs of a sweep.
pub const MAX_RUNS: usize = 1_000_000;

/// Characters of a value in a message.
const LINE: usize = 80;

/// The runs that a grid asks for, in order and unchecked: the last field varies fastest.
///
/// # Errors
/// Text that is no grid; an unknown field; a field without values, or given twice; more than
/// [`MAX_RUNS`] runs.
pub fn expand(text: &str) -> Result<Vec<Link>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let Strict(value) = serde_json::from_str(text).map_err(|error| syntax_error(&error))?;
    let mut links = Vec::new();
    match value {
        Value::Array(blocks) if !blocks.is_empty() => {
            for (at, block) in blocks.into_iter().enumerate() {
                let inside = |error: Error| match error {
                    Error::Field { field, reason } => Error::Field {
                        field: format!("grid {}: {field}", at + 1),
                        reason,
                    },
                    other => other,
                };
                expand_block(block, &mut links).map_err(inside)?;
            }
        }
        value => expand_block(value, &mut links)?,
    }
    Ok(links)
}

/// Adds the runs of one object.
fn expand_block(value: Value, links: &mut Vec<Link>) -> Result<()> {
    const FORM: &str = r#"{"spec": {...}, "grid": {"field": [values] or "1..10"}}"#;
    let Value::Object(mut block) = value else {
        return Err(Error::field("grid", shorten(&value), FORM));
    };
    let mut base = match block.shift_remove("spec") {
        None => Link::default(),
        Some(Value::String(text)) => base_link(&text)?,
        Some(value) => Link {
            draft: Draft::from_value(value)?,
            ..Link::default()
        },
    };
    match block.shift_remove("columns") {
        None => {}
        Some(Value::String(text)) => {
            let columns: Mapping = text.parse()?;
            base.columns = Some(if base.draft.was_version_1() {
                columns.with_rules_of_version_1()
            } else {
                columns
            });
        }
        Some(other) => {
            let expected = "text such as task:1;label:9";
            return Err(Error::field("columns", shorten(&other), expected));
        }
    }
    let fields = match block.shift_remove("grid") {
        None => Map::new(),
        Some(Value::Object(fields)) => fields,
        Some(other) => return Err(Error::field("grid", shorten(&other), FORM)),
    };
    if let Some(name) = block.keys().next() {
        let reason = "unknown key; available: spec, columns, grid";
        return Err(Error::invalid(excerpt(name, LINE), reason));
    }
    let most = MAX_RUNS - links.len();
    let mut runs = vec![base];
    for (name, values) in &fields {
        let (name, values) = axis(name, values, &runs[0].draft)?;
        if runs.len().saturating_mul(values.len()) > most {
            let found = format!("more than {MAX_RUNS} runs");
            let expected = format!("at most {MAX_RUNS}");
            return Err(Error::out_of_range("grid", found, expected));
        }
        let with = |run: &Link| {
            let run = run.clone();
            values.iter().map(move |value| {
                let mut run = run.clone();
                run.draft.set(name, value.clone());
                run
            })
        };
        runs = runs.iter().flat_map(with).collect();
    }
    links.append(&mut runs);
    Ok(())
}

/// The link that stands for the fields that do not vary. What it says of a result does not matter.
fn base_link(text: &str) -> Result<Link> {
    let link = link::decode(text)?;
    if let Some(key) = link.unknown_keys().first() {
        return Err(Error::invalid(excerpt(key, LINE), "unknown key of a link"));
    }
    Ok(Link {
        draft: link.draft,
        columns: link.columns,
        ..Link::default()
    })
}

/// A field that varies, and its values.
fn axis(name: &str, values: &Value, base: &Draft) -> Result<(&'static str, Vec<Value>)> {
    let Some(field) = field(name) else {
        let known: Vec<&str> = FIELDS.iter().map(|field| field.name).collect();
        let reason = format!("unknown field; available: {}", known.join(", "));
        return Err(Error::invalid(excerpt(name, LINE), reason));
    };
    // What an older version means is decided with the data set.
    if name == "version" || (name == "dataset" && base.was_version_1()) {
        let reason = "cannot vary in a grid; write one grid for each, in a list";
        return Err(Error::invalid(name, reason));
    }
    let values = match values {
        Value::Array(values) if !values.is_empty() => values.clone(),
        Value::String(text) if matches!(field.kind, FieldKind::Integer { .. }) => span(name, text)?,
        other => {
            let expected = match field.kind {
                FieldKind::Integer { .. } => r#"a list of values, or a span such as "1..10""#,
                _ => "a list of values",
            };
            return Err(Error::field(name, shorten(other), expected));
        }
    };
    Ok((field.name, values))
}

/// "1..10": both ends count.
fn span(name: &str, text: &str) -> Result<Vec<Value>> {
    let ends = text.split_once("..").and_then(|(from, to)| {
        let (from, to) = (from.trim().parse().ok()?, to.trim().parse().ok()?);
        (from <= to && to - from < MAX_RUNS as u64).then_some(from..=to)
    });
    let ends: std::ops::RangeInclusive<u64> = ends.ok_or_else(|| {
        let expected = format!(r#"a span such as "1..10", of at most {MAX_RUNS} numbers"#);
        Error::field(name, excerpt(&format!("{text:?}"), LINE), expected)
    })?;
    Ok(ends.map(Value::from).collect())
}

fn shorten(value: &Value) -> String {
    excerpt(&value.to_string(), LINE)
}

/// JSON in which no name is given twice: a reader of JSON keeps the last of two, and it is unclear
/// which one was meant.
struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(input: D) -> std::result::Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Value;

            fn expecting(&self, to: &mut fmt::Formatter) -> fmt::Result {
                to.write_str("JSON")
            }

            fn visit_unit<E>(self) -> std::result::Result<Value, E> {
                Ok(Value::Null)
            }

            fn visit_bool<E>(self, value: bool) -> std::result::Result<Value, E> {
                Ok(Value::from(value))
            }

            fn visit_u64<E>(self, value: u64) -> std::result::Result<Value, E> {
                Ok(Value::from(value))
            }

            fn visit_i64<E>(self, value: i64) -> std::result::Result<Value, E> {
                Ok(Value::from(value))
            }

            fn visit_f64<E>(self, value: f64) -> std::result::Result<Value, E> {
                Ok(Value::from(value))
            }

            fn visit_str<E>(self, value: &str) -> std::result::Result<Value, E> {
                Ok(Value::from(value))
            }

            fn visit_seq<A: serde::de::SeqAccess<'de>>(
                self,
                mut items: A,
            ) -> std::result::Result<Value, A::Error> {
                let mut values = Vec::new();
                while let Some(Strict(value)) = items.next_element()? {
                    values.push(value);
                }
                Ok(Value::Array(values))
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(
                self,
                mut entries: A,
            ) -> std::result::Result<Value, A::Error> {
                let mut values = Map::new();
                while let Some((name, Strict(value))) = entries.next_entry::<String, _>()? {
                    let shown = excerpt(&name, LINE);
                    if values.insert(name, value).is_some() {
                        return Err(serde::de::Error::custom(format!("{shown} is given twice")));
                    }
                }
                Ok(Value::Object(values))
            }
        }
        input.deserialize_any(Visitor).map(Strict)
    }
}

/// A checked run of a sweep.
#[derive(Clone, Debug, PartialEq)]
pub struct Planned {
    /// 32 hexadecimal digits over engine, data and specification: the same run has the same key,
    /// wherever and whenever it is planned.
    pub key: String,
    /// The fragment of its share link.
    pub link: String,
    /// Its specification.
    pub spec: Spec,
}

impl Planned {
    /// A run on this data set; none: the synthetic one, which the seed decides.
    pub fn new(spec: Spec, data: Option<&DataSet>) -> Self {
        let shape = data.map_or_else(synthetic_shape, Shape::of);
        let columns = data.and_then(|data| data.columns.as_deref());
        let sha256 = data.map_or("", |data| data.sha256.as_str());
        // A file of another name with the same bytes is the same data.
        let mut nameless = spec.clone();
        if let DatasetRef::File { name, .. } = &mut nameless.dataset {
            *name = "file".to_string();
        }
        // A link is one text for one specification: defaults are left out, numbers are shortest.
        let identity = link::with_columns(&link::encode(&nameless, &shape), columns);
        let text = format!("{ENGINE}\n{sha256}\n{identity}");
        Self {
            key: hex(&Sha256::digest(text.as_bytes())[..16]),
            link: link::with_columns(&link::encode(&spec, &shape), columns),
            spec,
        }
    }

    /// Its line of a plan, without the line's end.
    pub fn line(&self) -> String {
        json!({ "key": self.key, "link": format!("#{}", self.link), "spec": self.spec }).to_string()
    }

    /// What every row of this run has.
    fn start_of_row(&self) -> Map<String, Value> {
        let mut row = Map::new();
        let Ok(Value::Object(spec)) = serde_json::to_value(&self.spec) else {
            unreachable!("a specification is a JSON object")
        };
        row.insert("key".into(), Value::from(self.key.as_str()));
        row.insert("engine".into(), Value::from(ENGINE));
        row.extend(spec);
        if let DatasetRef::File { name, .. } = &self.spec.dataset {
            row.insert("dataset".into(), Value::from(name.as_str()));
        }
        row
    }

    /// Runs it on its data set, none for the synthetic one, and returns its [row](Self::row).
    ///
    /// # Errors
    /// Those of [`experiment::run`], and a panic of the engine: of many runs, one must not end the others.
    /// A run that fails without being cancelled would fail in the same way again.
    pub fn run(&self, data: Option<&DataSet>, observer: &mut dyn Observer) -> Result<String> {
        caught(|| {
            let made;
            let data = match data {
                Some(data) => data,
                None => {
                    made = experiment::load_synthetic(&self.spec)?;
                    &made
                }
            };
            let outcome = experiment::run(&self.spec, data, observer)?;
            Ok(self.row(&outcome))
        })
    }

    /// The finished run as one flat row, one line of JSON without its end: see [`columns`]. The same run
    /// gives the same row, but for `seconds`.
    pub fn row(&self, outcome: &Outcome) -> String {
        let report = &outcome.report;
        let targets = &report.target_tasks;
        let mean = |metrics: &[Option<f64>]| mean_metric(metrics, targets);
        let defence = report.defence.as_ref();
        let last = report.trace.last();
        let link = format!("#{}&{}", self.link, report.claim().write());
        let codes: Vec<_> = (report.warnings.iter())
            .map(|warning| warning.code)
            .collect();
        let injected: usize = (outcome.injections.iter())
            .map(|injection| injection.labels.len())
            .sum();
        let results = json!({
            "digest": report.digest,
            "link": link,
            "data_sha256": report.data_sha256,
            "converged": report.converged(),
            "stop": report.stop,
            "warnings": codes,
            "injected": injected,
            "metric_name": report.metric_name,
            "clean_metric": mean(&report.clean.metric_per_task),
            "attacked_metric": mean(&report.attacked.metric_per_task),
            "single_task_clean_metric": mean(&report.single_task.clean.metric_per_task),
            "single_task_attacked_metric": mean(&report.single_task.attacked.metric_per_task),
            "certified_metric":
                report.certified.as_ref().and_then(|certified| mean(&certified.metric_per_task)),
            "defended_clean_metric": defence.and_then(|defence| mean(&defence.clean.metric_per_task)),
            "defended_attacked_metric":
                defence.and_then(|defence| mean(&defence.attacked.metric_per_task)),
            "attacked_utility": last.map(|point| point.utility),
            "certificate": report.attacked.certificate,
            "seconds": last.map(|point| point.seconds),
            "clean_metric_per_task": report.clean.metric_per_task,
            "attacked_metric_per_task": report.attacked.metric_per_task,
            "metric_trace": report.trace.iter().map(|point| point.metric).collect::<Vec<_>>(),
            "utility_trace": report.trace.iter().map(|point| point.utility).collect::<Vec<_>>(),
        });
        let mut row = self.start_of_row();
        if let Value::Object(results) = results {
            row.extend(results);
        }
        row.retain(|_, value| !value.is_null());
        Value::Object(row).to_string()
    }

    /// The row of a run that failed: it would fail in the same way again.
    pub fn failed_row(&self, error: &str) -> String {
        let mut row = self.start_of_row();
        row.insert("link".into(), Value::from(format!("#{}", self.link)));
        row.insert("error".into(), Value::from(error));
        row.retain(|_, value| !value.is_null());
        Value::Object(row).to_string()
    }
}

/// A panic as an error.
fn caught<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    panic::catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let text = (panic.downcast_ref::<String>().map(String::as_str))
            .or_else(|| panic.downcast_ref::<&str>().copied());
        let text = text.unwrap_or("no message");
        Err(Error::data(format!("internal error of the engine: {text}")))
    })
}

/// The shape of the one data set that is made anew for each run.
fn synthetic_shape() -> Shape {
    Shape::named(synthetic::NAME).expect("it is always there")
}

/// The columns of a table of results: what identifies a run and what came of it, the fields of its
/// specification, and last the lists, as JSON.
pub fn columns() -> Vec<&'static str> {
    let first = [
        "key",
        "digest",
        "error",
        "engine",
        "data_sha256",
        "converged",
        "stop",
        "warnings",
        "injected",
        "metric_name",
        "clean_metric",
        "attacked_metric",
        "single_task_clean_metric",
        "single_task_attacked_metric",
        "certified_metric",
        "defended_clean_metric",
        "defended_attacked_metric",
        "attacked_utility",
        "certificate",
        "seconds",
    ];
    let last = [
        "clean_metric_per_task",
        "attacked_metric_per_task",
        "metric_trace",
        "utility_trace",
        "link",
    ];
    (first.into_iter())
        .chain(FIELDS.iter().map(|field| field.name))
        .chain(last)
        .collect()
}

/// A table of rows as CSV: what a row does not have is empty, lists are JSON.
///
/// # Errors
/// A row that is no JSON object.
pub fn csv<'a>(rows: impl Iterator<Item = &'a str>) -> Result<String> {
    fn failed(error: impl fmt::Display) -> Error {
        Error::data(format_args!("a row of the sweep: {error}"))
    }
    let columns = columns();
    let mut table = csv::Writer::from_writer(Vec::new());
    table.write_record(&columns).map_err(failed)?;
    for row in rows {
        let row: Map<String, Value> = serde_json::from_str(row).map_err(failed)?;
        let cells = columns.iter().map(|&name| match row.get(name) {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        });
        table.write_record(cells).map_err(failed)?;
    }
    let bytes = table.into_inner().map_err(failed)?;
    String::from_utf8(bytes).map_err(failed)
}

/// The rows that are there, by key.
#[derive(Debug, Default)]
pub struct Finished {
    rows: BTreeMap<String, Row>,
}

#[derive(Debug)]
struct Row {
    digest: Option<String>,
    converged: bool,
    text: Box<str>,
}

impl Finished {
    /// Takes the rows of one file, a line of JSON each. A last line without its end was cut off when its
    /// writer was ended; it does not count.
    ///
    /// # Errors
    /// A whole line that is no row; a row whose run has another digest in an earlier row.
    pub fn read(&mut self, name: &str, text: &str) -> Result<()> {
        #[derive(Deserialize)]
        struct Head {
            key: String,
            #[serde(default)]
            digest: Option<String>,
            #[serde(default)]
            error: Option<String>,
            #[serde(default)]
            converged: bool,
        }
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        for (at, line) in whole.split_terminator('\n').enumerate() {
            let place = || format!("{name}, line {}", at + 1);
            let head: Head = serde_json::from_str(line)
                .map_err(|error| Error::data(format!("{}: {error}; expected a row", place())))?;
            if head.digest.is_some() == head.error.is_some() {
                let what = "expected a row with either a digest or an error";
                return Err(Error::data(format!("{}: {what}", place())));
            }
            let row = Row {
                digest: head.digest,
                converged: head.converged,
                text: line.into(),
            };
            match self.rows.get(&head.key) {
                Some(before) if before.digest != row.digest => {
                    let shown = |digest: &Option<String>| digest.clone().unwrap_or("none".into());
                    return Err(Error::data(format!(
                        "{}: run {} has digest {} here and {} in an earlier row; the same run must give \
                         the same digest. Move the files of the wrong machine out of the folder",
                        place(),
                        head.key,
                        shown(&row.digest),
                        shown(&before.digest)
                    )));
                }
                Some(_) => {}
                None => {
                    self.rows.insert(head.key, row);
                }
            }
        }
        Ok(())
    }

    /// Is the run of this key there, failed or not?
    pub fn contains(&self, key: &str) -> bool {
        self.rows.contains_key(key)
    }

    /// The row of a run, as JSON.
    pub fn row(&self, key: &str) -> Option<&str> {
        self.rows.get(key).map(|row| &*row.text)
    }

    /// Did the run fail?
    pub fn has_failed(&self, key: &str) -> bool {
        self.rows.get(key).is_some_and(|row| row.digest.is_none())
    }

    /// Did the run succeed with a solve that did not converge?
    pub fn is_unconverged(&self, key: &str) -> bool {
        (self.rows.get(key)).is_some_and(|row| row.digest.is_some() && !row.converged)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::Unobserved;

    fn message(text: &str) -> String {
        expand(text).expect_err(text).to_string()
    }

    fn planned(text: &str) -> Planned {
        let draft = Draft::parse(text).unwrap();
        let name = draft.get("dataset").and_then(Value::as_str);
        let shape = Shape::named(name.unwrap_or("synthetic")).unwrap();
        Planned::new(draft.check(&shape).unwrap(), None)
    }

    #[test]
    fn no_result_has_the_name_of_a_field() {
        let mut names = columns();
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count, "a result would replace the field");
    }

    #[test]
    fn a_grid_is_every_combination_and_the_last_field_varies_fastest() {
        let text = r#"{"spec": {"iterations": 1},
            "grid": {"attack": ["direct", "indirect"], "budget": [0.1, 0.2], "seed": "3..5"}}"#;
        let runs = expand(text).unwrap();
        let seen: Vec<String> = (runs.iter())
            .map(|run| {
                let value = |name| run.draft.get(name).unwrap().to_string();
                assert_eq!(value("iterations"), "1");
                [value("attack"), value("budget"), value("seed")].join(" ")
            })
            .collect();
        assert_eq!(seen.len(), 12);
        assert_eq!(seen[..2], [r#""direct" 0.1 3"#, r#""direct" 0.1 4"#]);
        assert_eq!(seen[11], r#""indirect" 0.2 5"#);
        let both = format!(r#"[{text}, {{"spec": "v=2&d=sarcos&b=0.5&r=00"}}]"#);
        let runs = expand(&both).unwrap();
        assert_eq!(runs.len(), 13);
        assert_eq!(runs[12].draft.get("budget"), Some(&Value::from(0.5)));
        assert_eq!(runs[12].claim, link::Claim::default());
        assert_eq!(expand("{}").unwrap().len(), 1);
    }

    #[test]
    fn what_is_no_grid_is_refused_by_field() {
        assert_eq!(
            message(r#"{"grid": {"budget": 0.1}}"#),
            "budget: 0.1 is invalid; expected a list of values"
        );
        assert_eq!(
            message(r#"{"grid": {"seed": "5..1"}}"#),
            r#"seed: "5..1" is invalid; expected a span such as "1..10", of at most 1000000 numbers"#
        );
        assert!(message(r#"{"grid": {"seed": []}}"#).starts_with("seed: [] is invalid"));
        assert!(message(r#"{"grid": {"budget": "1..3"}}"#).starts_with("budget: \"1..3\""));
        assert!(message(r#"{"grid": {"sede": [1]}}"#).starts_with("sede: unknown field"));
        assert!(message(r#"{"spec": {"sede": 1}}"#).starts_with("sede: unknown field"));
        assert!(message(r#"{"specs": {}}"#).starts_with("specs: unknown key"));
        assert!(message(r#"[{}, {"grid": 3}]"#).starts_with("grid 2: grid: 3 is invalid"));
        assert!(message("[]").starts_with("grid: [] is invalid"));
        assert!(message("3").starts_with("grid: 3 is invalid"));
        assert!(message(r#"{"columns": 3}"#).starts_with("columns: 3 is invalid"));
        assert!(message(r#"{"grid": {"version": [1, 2]}}"#).starts_with("version: cannot vary"));
        assert!(message(r##"{"spec": "#v=2&zz=1"}"##).starts_with("zz: unknown key"));
        let twice = message("{\"grid\": {\"seed\": [1],\n \"seed\": [2]}}");
        assert!(twice.starts_with("line 2: seed is given twice"), "{twice}");
        let large =
            r#"{"grid": {"seed": "1..1000", "batch_factor": [1, 2], "iterations": "1..501"}}"#;
        assert!(message(large).starts_with("grid: more than 1000000 runs is out of range"));
    }

    #[test]
    fn one_run_has_one_key_however_it_is_written() {
        let short = planned(r#"{"budget": 0.20, "epsilon": 0.000001}"#);
        let long = planned(r#"{"seed": 42, "epsilon": 1e-6, "dataset": "synthetic"}"#);
        assert_eq!(short, long);
        let other = planned(r#"{"seed": 43}"#);
        assert_ne!(short.key, other.key);
        assert_eq!(short.key.len(), 32);
    }

    #[test]
    fn a_file_is_known_by_its_bytes_and_columns_and_not_by_its_name() {
        let text = "task,label,x1\n0,1,0.1\n0,2,0.5\n0,3,0.2\n1,1,0.7\n1,2,0.1\n1,3,0.3\n";
        let read = |name: &str, columns: Option<&str>| {
            let columns: Option<Mapping> = columns.map(|text| text.parse().unwrap());
            let open = crate::data::import::read_with(name, text.as_bytes(), columns.as_ref());
            let data = open.unwrap().data;
            let mut draft = Draft::default();
            draft.set("dataset", json!({ "name": name, "sha256": data.sha256 }));
            Planned::new(draft.check(&Shape::of(&data)).unwrap(), Some(&data))
        };
        let (a, b) = (read("a.csv", None), read("b.csv", None));
        assert_eq!(a.key, b.key);
        assert_ne!(a.link, b.link);
        let mapped = read("a.csv", Some("task:1;label:3;x:2"));
        assert_ne!(a.key, mapped.key);
    }

    #[test]
    fn rows_of_one_run_differ_in_seconds_only_and_fill_the_columns() {
        let planned = planned(
            r#"{"attack": "indirect", "iterations": 1, "train_per_task": 10, "test_per_task": 10, "learner": "capped",
                "sanitise": "norm"}"#,
        );
        let data = experiment::load_synthetic(&planned.spec).unwrap();
        let outcome = experiment::run(&planned.spec, &data, &mut Unobserved).unwrap();
        let row = planned.row(&outcome);
        assert_eq!(row, planned.row(&outcome));
        let names = columns();
        let value: Map<String, Value> = serde_json::from_str(&row).unwrap();
        assert!(value.keys().all(|name| names.contains(&name.as_str())));
        // Everything but an error, and what this specification leaves open.
        for name in names {
            let open = ["error", "train_share", "sanitise_share"].contains(&name);
            assert_eq!(value.contains_key(name), !open, "{name}");
        }
        let claimed = link::decode(value["link"].as_str().unwrap()).unwrap().claim;
        assert_eq!(claimed.digest.as_ref(), Some(&outcome.report.digest));
        let failed = planned.failed_row("a, \"quoted\"\nreason");
        let table = csv([row.as_str(), &failed].into_iter()).unwrap();
        assert!(table.contains("\"a, \"\"quoted\"\"\nreason\""), "{table}");
    }

    #[test]
    fn a_run_that_breaks_the_engine_is_an_error() {
        let message = |result: Result<()>| result.unwrap_err().to_string();
        let broken = message(caught(|| panic!("index {}", 3)));
        assert_eq!(broken, "internal error of the engine: index 3");
        assert_eq!(message(caught(|| Err(Error::Cancelled))), "cancelled");
        assert_eq!(caught(|| Ok(3)), Ok(3));
    }

    #[test]
    fn a_cut_last_line_does_not_count_and_any_other_broken_line_is_an_error() {
        let mut finished = Finished::default();
        finished
            .read(
                "a",
                "{\"key\":\"1\",\"digest\":\"aa\"}\n{\"key\":\"2\",\"dig",
            )
            .unwrap();
        assert!(finished.contains("1") && !finished.contains("2"));
        // Even one that looks whole: its writer was ended before the end of the line.
        finished
            .read("b", "{\"key\":\"2\",\"digest\":\"aa\"}")
            .unwrap();
        assert!(!finished.contains("2"));
        finished.read("empty", "").unwrap();
        let broken = finished.read("c", "{\"key\":\"3\",\n{\"key\":\"4\",\"digest\":\"aa\"}\n");
        let message = broken.unwrap_err().to_string();
        assert!(message.starts_with("c, line 1: EOF"), "{message}");
        let neither = finished.read("d", "{\"key\":\"3\"}\n").unwrap_err();
        assert!(neither.to_string().starts_with("d, line 1: expected a row"));
    }

    #[test]
    fn two_digests_of_one_run_are_an_error() {
        let mut finished = Finished::default();
        let row = |digest: &str| format!("{{\"key\":\"1\",\"digest\":\"{digest}\"}}\n");
        finished.read("a", &row("aa")).unwrap();
        finished.read("b", &row("aa")).unwrap();
        let message = finished.read("c", &row("bb")).unwrap_err().to_string();
        assert!(
            message.starts_with("c, line 1: run 1 has digest bb here and aa"),
            "{message}"
        );
        let failed = "{\"key\":\"1\",\"error\":\"no\"}\n";
        assert!(finished.read("d", failed).is_err());
        finished
            .read("d", "{\"key\":\"2\",\"error\":\"no\"}\n")
            .unwrap();
        assert!(finished.has_failed("2") && !finished.has_failed("1"));
    }
}
