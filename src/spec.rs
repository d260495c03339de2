//! Everything that determines a run: the fields, their ranges and defaults, and the check.
//!
//! A [`Draft`] is what somebody wrote: some fields, unchecked. A [`Spec`] is complete and checked;
//! only a `Spec` runs. The table [`FIELDS`] is the one description of the fields: the check, the
//! link, the form of the page and the documentation all read it. Not here: links (`link`), data.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::attack::{Attack, Gradient, InjectedLabels, Method, Step};
use crate::data::sample::TargetScaling;
use crate::data::{DataSet, Kind};
use crate::error::{Error, Result, excerpt};
use crate::mtrl::{Loss, Solver};
use crate::rng::{Random, Stream};

/// The version of specifications that this engine writes and reads.
pub const VERSION: u64 = 1;

/// The largest seed: every whole number up to it is a number of JavaScript, too.
pub const MAX_SEED: u64 = (1 << 53) - 1;

/// Data sets that are known by name.
pub const DATASETS: [&str; 4] = ["synthetic", "landmine", "sarcos", "mnist"];

/// The data set of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum DatasetRef {
    /// One of [`DATASETS`].
    Named(String),
    /// A user's file, told by its name and its SHA-256 (64 hexadecimal digits).
    File {
        /// The file's name, without folders.
        name: String,
        /// SHA-256 of the file's bytes.
        sha256: String,
    },
}

/// A complete, checked specification. Same spec and data, same result, bit for bit.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Spec {
    /// Version of this format.
    pub version: u64,
    /// Where the points come from.
    pub dataset: DatasetRef,
    /// Training points of each task, as a number ...
    pub train_per_task: Option<usize>,
    /// ... or as a share of the task's points.
    pub train_share: Option<f64>,
    /// Test points of each task; none: all that are left.
    pub test_per_task: Option<usize>,
    /// Target tasks, from 0, ascending.
    pub targets: Vec<usize>,
    /// Tasks that the attacker injects into, from 0, ascending.
    pub attackers: Vec<usize>,
    /// Relation of targets and attackers.
    pub attack: Attack,
    /// PATOM or the random baseline.
    pub method: Method,
    /// Gradient of the utility.
    pub gradient: Gradient,
    /// Step rule.
    pub step: Step,
    /// Constant step, or first trial step of backtracking.
    pub step_size: f64,
    /// Iterations of PATOM.
    pub iterations: usize,
    /// Sampled points of a batch, as a multiple of the clean points of the targets.
    pub batch_factor: f64,
    /// Injected points of an attacking task, as a share of its clean ones.
    pub budget: f64,
    /// Radius of the ball that holds the injected features.
    pub radius: f64,
    /// Rule of the injected labels.
    pub injected_labels: InjectedLabels,
    /// Loss of a point.
    pub loss: Loss,
    /// Weight of |W|^2.
    pub lambda1: f64,
    /// Weight of the task relationship.
    pub lambda2: f64,
    /// Floor of the task covariance.
    pub epsilon: f64,
    /// Solver of the lower level.
    pub solver: Solver,
    /// Scale of regression labels.
    pub target_scaling: TargetScaling,
    /// The one seed.
    pub seed: u64,
}

/// What the check must know of a data set before its points are there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    /// m.
    pub tasks: usize,
    /// Kind of the labels; `None` where the loss decides (synthetic).
    pub kind: Option<Kind>,
    /// The file says itself which points are for training.
    pub has_split: bool,
}

impl Shape {
    /// The shape of a data set that is known by name.
    pub fn named(name: &str) -> Option<Self> {
        let (tasks, kind) = match name {
            "synthetic" => (8, None),
            "landmine" => (29, Some(Kind::Classification)),
            "sarcos" => (7, Some(Kind::Regression)),
            "mnist" => (10, Some(Kind::Classification)),
            _ => return None,
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

/// What a field may hold.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "snake_case", tag = "type")]
pub enum FieldKind {
    /// One of these words.
    Choice {
        /// The words.
        words: &'static [&'static str],
    },
    /// A whole number.
    Integer {
        /// Smallest.
        min: u64,
        /// Largest.
        max: u64,
        /// May be null.
        optional: bool,
    },
    /// A number.
    Number {
        /// Smallest.
        min: f64,
        /// Largest.
        max: f64,
        /// May be null.
        optional: bool,
        /// Zero is allowed beside the range.
        or_zero: bool,
    },
    /// A list of different task numbers, from 0.
    Tasks,
    /// A data set.
    Dataset,
}

/// One field of the specification.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Field {
    /// Name in JSON.
    pub name: &'static str,
    /// Key in links.
    pub key: &'static str,
    /// Words for people.
    pub title: &'static str,
    /// What it does, one sentence.
    pub purpose: &'static str,
    /// What it may hold.
    #[serde(flatten)]
    pub kind: FieldKind,
}

const fn integer(min: u64, max: u64) -> FieldKind {
    FieldKind::Integer {
        min,
        max,
        optional: false,
    }
}
const fn number(min: f64, max: f64) -> FieldKind {
    FieldKind::Number {
        min,
        max,
        optional: false,
        or_zero: false,
    }
}

/// The fields, in the order in which they are written.
pub const FIELDS: [Field; 24] = [
    Field {
        name: "version",
        key: "v",
        title: "Version",
        purpose: "Version of the specification format.",
        kind: integer(VERSION, VERSION),
    },
    Field {
        name: "dataset",
        key: "d",
        title: "Data set",
        purpose: "Where the tasks and their points come from.",
        kind: FieldKind::Dataset,
    },
    Field {
        name: "train_per_task",
        key: "n",
        title: "Training points per task",
        purpose: "How many points of each task the model is trained on.",
        kind: FieldKind::Integer {
            min: 1,
            max: 1_000_000,
            optional: true,
        },
    },
    Field {
        name: "train_share",
        key: "ns",
        title: "Training share",
        purpose: "Which share of each task's points the model is trained on.",
        kind: FieldKind::Number {
            min: 0.001,
            max: 0.999,
            optional: true,
            or_zero: false,
        },
    },
    Field {
        name: "test_per_task",
        key: "nt",
        title: "Test points per task",
        purpose: "How many points of each task the metric is measured on; empty: all that are left.",
        kind: FieldKind::Integer {
            min: 1,
            max: 1_000_000,
            optional: true,
        },
    },
    Field {
        name: "targets",
        key: "t",
        title: "Target tasks",
        purpose: "The tasks whose predictions the attacker wants to spoil.",
        kind: FieldKind::Tasks,
    },
    Field {
        name: "attackers",
        key: "a",
        title: "Attacking tasks",
        purpose: "The tasks that the attacker can inject points into.",
        kind: FieldKind::Tasks,
    },
    Field {
        name: "attack",
        key: "k",
        title: "Attack",
        purpose: "direct: into the targets; indirect: into other tasks only; hybrid: any tasks.",
        kind: FieldKind::Choice {
            words: Attack::WORDS,
        },
    },
    Field {
        name: "method",
        key: "m",
        title: "Method",
        purpose: "patom optimises the injected points; random leaves them where they were drawn.",
        kind: FieldKind::Choice {
            words: Method::WORDS,
        },
    },
    Field {
        name: "gradient",
        key: "g",
        title: "Gradient",
        purpose: "published: the paper's approximation; implicit: exact for a fixed task covariance; \
                  implicit_total: exact.",
        kind: FieldKind::Choice {
            words: Gradient::WORDS,
        },
    },
    Field {
        name: "step",
        key: "p",
        title: "Step rule",
        purpose: "constant: the paper's, it may oscillate; backtracking: the utility never falls.",
        kind: FieldKind::Choice { words: Step::WORDS },
    },
    Field {
        name: "step_size",
        key: "ps",
        title: "Step size",
        purpose: "The constant step, or the first step that backtracking tries.",
        kind: number(1e-9, 1e9),
    },
    Field {
        name: "iterations",
        key: "i",
        title: "Iterations",
        purpose: "How often the injected points are improved.",
        kind: integer(0, 1000),
    },
    Field {
        name: "batch_factor",
        key: "pb",
        title: "Batch factor",
        purpose: "Points sampled in an iteration of the constant step, per clean point of the targets.",
        kind: number(0.01, 100.0),
    },
    Field {
        name: "budget",
        key: "b",
        title: "Budget",
        purpose: "Injected points of an attacking task per clean point of it.",
        kind: number(0.0, 5.0),
    },
    Field {
        name: "radius",
        key: "x",
        title: "Radius",
        purpose: "Injected points stay in the ball of this radius; clean points lie in the unit ball.",
        kind: number(1e-6, 100.0),
    },
    Field {
        name: "injected_labels",
        key: "y",
        title: "Injected labels",
        purpose: "uniform over the label range (or -1 and +1 evenly), resampled from the clean labels \
                  (regression), or flipped clean labels (classification).",
        kind: FieldKind::Choice {
            words: InjectedLabels::WORDS,
        },
    },
    Field {
        name: "loss",
        key: "l",
        title: "Loss",
        purpose: "squared for regression, squared_hinge for classification.",
        kind: FieldKind::Choice { words: Loss::WORDS },
    },
    Field {
        name: "lambda1",
        key: "l1",
        title: "λ1",
        purpose: "Weight of the penalty on the size of the model.",
        kind: number(1e-12, 1e6),
    },
    Field {
        name: "lambda2",
        key: "l2",
        title: "λ2",
        purpose: "Weight of the task relationship: how strongly related tasks pull on each other.",
        kind: number(0.0, 1e6),
    },
    Field {
        name: "epsilon",
        key: "eps",
        title: "ε",
        purpose: "Floor that keeps the task covariance invertible; 0 only with the alternation and \
                  the published gradient.",
        kind: FieldKind::Number {
            min: 1e-12,
            max: 1.0,
            optional: false,
            or_zero: true,
        },
    },
    Field {
        name: "solver",
        key: "o",
        title: "Solver",
        purpose: "certified: the joint problem, with a bound on the error; alternating: the paper's.",
        kind: FieldKind::Choice {
            words: Solver::WORDS,
        },
    },
    Field {
        name: "target_scaling",
        key: "z",
        title: "Label scaling",
        purpose: "Regression labels standardised on the training points, or raw.",
        kind: FieldKind::Choice {
            words: TargetScaling::WORDS,
        },
    },
    Field {
        name: "seed",
        key: "s",
        title: "Seed",
        purpose: "Decides every random choice of the run.",
        kind: integer(0, MAX_SEED),
    },
];

/// The field of this name.
pub fn field(name: &str) -> Option<&'static Field> {
    FIELDS.iter().find(|field| field.name == name)
}

/// A specification as somebody wrote it: known fields only, values not yet checked.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Draft {
    values: Map<String, Value>,
}

impl Draft {
    /// Reads one JSON object.
    ///
    /// # Errors
    /// Text that is no JSON object; an unknown field; a field that stands twice.
    pub fn parse(text: &str) -> Result<Self> {
        // Some editors put a byte order mark in front.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let value: Value = serde_json::from_str(text).map_err(|error| syntax_error(&error))?;
        let draft = Self::from_value(value)?;
        // A JSON reader keeps the last of two: which one was meant?
        let Names(names) = serde_json::from_str(text).map_err(|error| syntax_error(&error))?;
        for (at, name) in names.iter().enumerate() {
            if names[..at].contains(name) {
                return Err(Error::field(name, "given twice", "one value"));
            }
        }
        Ok(draft)
    }

    /// Takes a JSON value.
    ///
    /// # Errors
    /// A value that is no object; an unknown field.
    pub fn from_value(value: Value) -> Result<Self> {
        let Value::Object(values) = value else {
            return Err(Error::field("spec", shorten(&value), "a JSON object"));
        };
        for name in values.keys() {
            if field(name).is_none() {
                let known: Vec<&str> = FIELDS.iter().map(|field| field.name).collect();
                return Err(Error::field(
                    excerpt(name, LINE),
                    "unknown field",
                    format!("one of {}", known.join(", ")),
                ));
            }
        }
        Ok(Self { values })
    }

    /// Sets one field, unchecked. `name` must be a field of [`FIELDS`].
    pub fn set(&mut self, name: &'static str, value: Value) {
        debug_assert!(field(name).is_some(), "{name} is a field");
        self.values.insert(name.to_string(), value);
    }

    /// What was written for a field; null counts as nothing.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.values.get(name).filter(|value| !value.is_null())
    }

    /// The data set: a name, a file by name and SHA-256, or (natively) a path.
    ///
    /// # Errors
    /// Anything else.
    pub fn dataset(&self) -> Result<DatasetRef> {
        match self.get("dataset") {
            None => Ok(DatasetRef::Named("synthetic".to_string())),
            Some(value) => dataset_of(value),
        }
    }

    /// Fills in the defaults for a data set of this shape and checks everything.
    ///
    /// # Errors
    /// Every field that is wrong, in the order of [`FIELDS`].
    pub fn check(&self, shape: &Shape) -> std::result::Result<Spec, Vec<Error>> {
        let mut errors = Vec::new();
        for field in &FIELDS {
            if let Some(value) = self.get(field.name)
                && let Err(error) = check_value(field, value, shape)
            {
                errors.push(error);
            }
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        let mut values = self.with_defaults(shape);
        for name in ["targets", "attackers"] {
            if let Some(tasks) = values.get_mut(name) {
                *tasks = sorted(tasks);
            }
        }
        let spec = Spec::of_checked(&values);
        let errors = contradictions(&spec, shape);
        if errors.is_empty() {
            Ok(spec)
        } else {
            Err(errors)
        }
    }

    /// All fields: those written, the rest with their defaults. The frozen defaults of version 1.
    fn with_defaults(&self, shape: &Shape) -> Map<String, Value> {
        let name = match self.dataset() {
            Ok(DatasetRef::Named(name)) => name,
            _ => String::new(),
        };
        let m = shape.tasks;
        let word = |field: &str, default: &str| -> String {
            self.get(field)
                .and_then(Value::as_str)
                .unwrap_or(default)
                .to_string()
        };
        let loss = word(
            "loss",
            match shape.kind {
                Some(Kind::Classification) => Loss::SquaredHinge.word(),
                _ => Loss::Squared.word(),
            },
        );
        let regression = match shape.kind {
            Some(kind) => kind == Kind::Regression,
            None => loss == Loss::Squared.word(),
        };

        let no_share = self.get("train_share").is_none();
        let no_number = self.get("train_per_task").is_none();
        let (train, share, test) = match name.as_str() {
            "synthetic" => (Value::from(40), Value::Null, Value::from(200)),
            "landmine" => (Value::Null, Value::from(0.2), Value::Null),
            "sarcos" => (Value::from(300), Value::Null, Value::from(600)),
            "mnist" => (Value::from(600), Value::Null, Value::from(400)),
            _ if shape.has_split => (Value::Null, Value::Null, Value::Null),
            _ => (Value::Null, Value::from(0.5), Value::Null),
        };
        let neither = no_share && no_number;
        let targets: Vec<u64> = match self.get("targets").and_then(Value::as_array) {
            Some(tasks) => tasks.iter().filter_map(Value::as_u64).collect(),
            // The paper's choices: T1 to T3 of Sarcos, T1 to T15 of Landmine, half of MNIST.
            None => (0..match name.as_str() {
                "sarcos" | "synthetic" => 3,
                _ => m.div_ceil(2) as u64,
            })
                .collect(),
        };
        let attack = word("attack", Attack::Direct.word());
        let seed = self.get("seed").and_then(Value::as_u64).unwrap_or(42);
        let rest: Vec<u64> = (0..m as u64)
            .filter(|task| !targets.contains(task))
            .collect();
        let attackers: Vec<u64> = match attack.as_str() {
            "direct" => targets.clone(),
            "indirect" => rest,
            // The paper: as many as in the indirect attack, drawn from all tasks.
            _ => {
                let mut random = Random::new(seed, Stream::Attackers, 0);
                let count = rest.len().clamp(1, m);
                random
                    .choose(m, count)
                    .into_iter()
                    .map(|task| task as u64)
                    .collect()
            }
        };

        let mut values = Map::new();
        for field in &FIELDS {
            let default = match field.name {
                "version" => Value::from(VERSION),
                "dataset" => Value::from("synthetic"),
                "train_per_task" if neither => train.clone(),
                "train_share" if neither => share.clone(),
                "train_per_task" | "train_share" => Value::Null,
                "test_per_task" => test.clone(),
                "targets" => Value::from(targets.clone()),
                "attackers" => Value::from(attackers.clone()),
                "attack" => Value::from(Attack::Direct.word()),
                "method" => Value::from(Method::Patom.word()),
                "gradient" => Value::from(Gradient::ImplicitTotal.word()),
                "step" => Value::from(Step::Backtracking.word()),
                "step_size" => Value::from(100.0),
                "iterations" => Value::from(15),
                "batch_factor" => Value::from(3.0),
                "budget" => Value::from(0.2),
                "radius" => Value::from(1.0),
                "injected_labels" => Value::from(InjectedLabels::Uniform.word()),
                "loss" => Value::from(loss.clone()),
                "lambda1" | "lambda2" => Value::from(0.1),
                "epsilon" => Value::from(1e-6),
                "solver" => Value::from(Solver::Certified.word()),
                "target_scaling" if regression => Value::from(TargetScaling::Standardised.word()),
                "target_scaling" => Value::from(TargetScaling::Raw.word()),
                "seed" => Value::from(42),
                other => unreachable!("field {other} has no default"),
            };
            let value = self.get(field.name).cloned().unwrap_or(default);
            values.insert(field.name.to_string(), value);
        }
        values
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
        match draft.check(&shape) {
            Ok(spec) => spec,
            Err(_) => unreachable!("the defaults of a named data set are valid"),
        }
    }

    /// From all fields, each of which has passed `check_value`.
    fn of_checked(values: &Map<String, Value>) -> Self {
        const CHECKED: &str = "every field has been checked";
        fn word<T>(value: &Value, from_word: fn(&str) -> Option<T>) -> T {
            value.as_str().and_then(from_word).expect(CHECKED)
        }
        let number = |name: &str| values[name].as_f64().expect(CHECKED);
        let count = |value: &Value| {
            let count = value.as_u64()?;
            Some(usize::try_from(count).expect("ranges of whole numbers end below 2^32"))
        };
        let tasks = |name: &str| {
            let tasks = values[name].as_array().expect(CHECKED);
            tasks.iter().filter_map(count).collect()
        };
        Self {
            version: VERSION,
            dataset: dataset_of(&values["dataset"]).unwrap_or_else(|_| unreachable!("{CHECKED}")),
            train_per_task: count(&values["train_per_task"]),
            train_share: values["train_share"].as_f64(),
            test_per_task: count(&values["test_per_task"]),
            targets: tasks("targets"),
            attackers: tasks("attackers"),
            attack: word(&values["attack"], Attack::from_word),
            method: word(&values["method"], Method::from_word),
            gradient: word(&values["gradient"], Gradient::from_word),
            step: word(&values["step"], Step::from_word),
            step_size: number("step_size"),
            iterations: count(&values["iterations"]).expect(CHECKED),
            batch_factor: number("batch_factor"),
            budget: number("budget"),
            radius: number("radius"),
            injected_labels: word(&values["injected_labels"], InjectedLabels::from_word),
            loss: word(&values["loss"], Loss::from_word),
            lambda1: number("lambda1"),
            lambda2: number("lambda2"),
            epsilon: number("epsilon"),
            solver: word(&values["solver"], Solver::from_word),
            target_scaling: word(&values["target_scaling"], TargetScaling::from_word),
            seed: values["seed"].as_u64().expect(CHECKED),
        }
    }

    /// This specification as a draft, every field written.
    pub fn to_draft(&self) -> Draft {
        let Ok(Value::Object(values)) = serde_json::to_value(self) else {
            unreachable!("a specification is a JSON object");
        };
        Draft { values }
    }

    /// The fields that differ from the defaults of their data set; `version` and `dataset` always.
    pub fn differences(&self, shape: &Shape) -> Draft {
        let full = self.to_draft();
        let mut kept = Draft::default();
        for name in ["version", "dataset"] {
            kept.values
                .insert(name.to_string(), full.values[name].clone());
        }
        // Two defaults follow from other fields (attackers from attack, targets and seed; label
        // scaling from the loss): they are compared once those fields are in place.
        let follows = |name: &str| ["attackers", "target_scaling"].contains(&name);
        for pass in [false, true] {
            for field in FIELDS.iter().filter(|field| follows(field.name) == pass) {
                let value = &full.values[field.name];
                let default = sorted(&kept.with_defaults(shape)[field.name]);
                if !value.is_null() && !same_value(value, &default) {
                    kept.values.insert(field.name.to_string(), value.clone());
                }
            }
        }
        kept
    }

    /// What the labels of this run are.
    pub fn kind(&self, shape: &Shape) -> Kind {
        shape.kind.unwrap_or(match self.loss {
            Loss::Squared => Kind::Regression,
            Loss::SquaredHinge => Kind::Classification,
        })
    }
}

fn sorted(value: &Value) -> Value {
    let Value::Array(items) = value else {
        return value.clone();
    };
    let mut tasks: Vec<u64> = items.iter().filter_map(Value::as_u64).collect();
    tasks.sort_unstable();
    Value::from(tasks)
}

/// Equal as numbers: 3 and 3.0 are the same value of a field.
fn same_value(a: &Value, b: &Value) -> bool {
    match (a.as_f64(), b.as_f64()) {
        (Some(a), Some(b)) => a.to_bits() == b.to_bits(),
        _ => a == b,
    }
}

fn dataset_of(value: &Value) -> Result<DatasetRef> {
    let expected = "synthetic, landmine, sarcos, mnist, or {\"name\": file name, \"sha256\": 64 \
                    hexadecimal digits}; on the command line also the path of a .csv or .mat file";
    let refuse = || Error::field("dataset", shorten(value), expected);
    match value {
        Value::String(name) => Ok(DatasetRef::Named(name.clone())),
        Value::Object(object) if object.len() == 2 => {
            let text = |key| object.get(key).and_then(Value::as_str);
            let (Some(name), Some(sha256)) = (text("name"), text("sha256")) else {
                return Err(refuse());
            };
            let plain = !name.is_empty() && name.len() <= 255 && !name.contains(['/', '\\', '\0']);
            let hex = sha256.len() == 64 && sha256.bytes().all(|b| b.is_ascii_hexdigit());
            if plain && hex {
                let sha256 = sha256.to_ascii_lowercase();
                Ok(DatasetRef::File {
                    name: name.to_string(),
                    sha256,
                })
            } else {
                Err(refuse())
            }
        }
        _ => Err(refuse()),
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

fn syntax_error(error: &serde_json::Error) -> Error {
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
    excerpt(&value.to_string(), LINE)
}

/// Characters of a value or a name in a message: never more than a line.
const LINE: usize = 80;

fn check_value(field: &Field, value: &Value, shape: &Shape) -> Result<()> {
    let refuse = |expected: String| Err(Error::field(field.name, shorten(value), expected));
    match field.kind {
        FieldKind::Choice { words } => match value.as_str() {
            Some(word) if words.contains(&word) => Ok(()),
            _ => refuse(format!("one of {}", words.join(", "))),
        },
        FieldKind::Integer { min, max, .. } => match value.as_u64() {
            Some(number) if (min..=max).contains(&number) => Ok(()),
            _ if min == max => refuse(format!("{min}")),
            _ => refuse(format!("a whole number from {min} to {max}")),
        },
        FieldKind::Number {
            min, max, or_zero, ..
        } => match value.as_f64() {
            Some(number) if number.is_finite() && number >= min && number <= max => Ok(()),
            Some(0.0) if or_zero => Ok(()),
            _ if or_zero => refuse(format!("0, or a number from {min:?} to {max:?}")),
            _ => refuse(format!("a number from {min:?} to {max:?}")),
        },
        FieldKind::Tasks => check_tasks(field, value, shape),
        FieldKind::Dataset => match dataset_of(value)? {
            DatasetRef::Named(name) if DATASETS.contains(&name.as_str()) => Ok(()),
            DatasetRef::Named(_) => refuse(format!("one of {}, or a file", DATASETS.join(", "))),
            DatasetRef::File { .. } => Ok(()),
        },
    }
}

fn check_tasks(field: &Field, value: &Value, shape: &Shape) -> Result<()> {
    let last = shape.tasks - 1;
    let expected = format!("a list of different task numbers from 0 to {last}");
    let refuse = |found: String| Err(Error::field(field.name, found, &expected));
    let Some(tasks) = value.as_array().filter(|tasks| !tasks.is_empty()) else {
        return refuse(shorten(value));
    };
    let mut seen = vec![false; shape.tasks];
    for task in tasks {
        match task.as_u64().and_then(|task| usize::try_from(task).ok()) {
            Some(task) if task < shape.tasks => {
                if std::mem::replace(&mut seen[task], true) {
                    return refuse(format!("{task} twice"));
                }
            }
            _ => return refuse(shorten(task)),
        }
    }
    Ok(())
}

/// Fields that are fine alone but not together.
fn contradictions(spec: &Spec, shape: &Shape) -> Vec<Error> {
    let mut errors = Vec::new();
    let mut refuse = |field: &str, value: &dyn std::fmt::Display, expected: &str| {
        errors.push(Error::field(field, value, expected));
    };
    if let (Some(_), Some(share)) = (spec.train_per_task, spec.train_share) {
        refuse(
            "train_share",
            &share,
            "nothing, because train_per_task is given",
        );
    }
    let shared: Vec<String> = (spec.attackers.iter())
        .filter(|task| spec.targets.contains(task))
        .map(|task| format!("task {task}"))
        .collect();
    match spec.attack {
        Attack::Direct if spec.attackers != spec.targets => {
            let found = format!("{:?}", spec.attackers);
            refuse(
                "attackers",
                &found,
                "the target tasks, because the attack is direct",
            );
        }
        Attack::Indirect if !shared.is_empty() => refuse(
            "attackers",
            &shared.join(", "),
            "no target task, because the attack is indirect",
        ),
        Attack::Indirect if spec.attackers.is_empty() => {
            refuse("targets", &"every task", "some task left to attack from");
        }
        _ => {}
    }
    let kind = spec.kind(shape);
    if kind == Kind::Regression && spec.loss == Loss::SquaredHinge {
        refuse(
            "loss",
            &spec.loss.word(),
            "squared, because the labels are real numbers",
        );
    }
    if kind == Kind::Regression && spec.injected_labels == InjectedLabels::Flipped {
        refuse(
            "injected_labels",
            &"flipped",
            "uniform or resampled, because this is regression",
        );
    }
    if kind == Kind::Classification && spec.injected_labels == InjectedLabels::Resampled {
        refuse(
            "injected_labels",
            &"resampled",
            "uniform or flipped, because this is classification",
        );
    }
    if kind == Kind::Classification && spec.target_scaling == TargetScaling::Standardised {
        refuse(
            "target_scaling",
            &"standardised",
            "raw, because labels of classes are -1 and +1",
        );
    }
    if spec.epsilon == 0.0 && spec.solver == Solver::Certified {
        refuse(
            "epsilon",
            &spec.epsilon,
            "at least 1e-12, because the solver is certified",
        );
    } else if spec.epsilon == 0.0
        && spec.gradient != Gradient::Published
        && spec.method == Method::Patom
    {
        refuse(
            "epsilon",
            &spec.epsilon,
            "at least 1e-12, because the gradient is implicit",
        );
    }
    errors
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
            for value in inside {
                let draft = Draft::parse(&format!("{{\"{}\":{value}}}", field.name)).unwrap();
                let found = draft.check(&shape);
                assert!(found.is_ok(), "{} = {value}: {found:?}", field.name);
            }
            for value in outside {
                let text = format!("{{\"{}\":{value}}}", field.name);
                assert_eq!(refused_field(&text), field.name, "{text}");
            }
        }
    }

    #[test]
    fn text_that_is_no_json_object_is_told_by_line_or_field() {
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
        assert!(message("[1,2]").starts_with("spec: [1,2] is not allowed"));
        assert!(message("null").starts_with("spec: null is not allowed"));
        let twice = r#"{"seed":1,"budget":0.1,"seed":1}"#;
        assert_eq!(
            message(twice),
            "seed: given twice is not allowed; expected one value"
        );
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
