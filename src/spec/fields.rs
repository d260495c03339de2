//! The one table of the fields of a specification. A row holds the field's name and type, its key
//! in links, what people are shown, what it may hold and its default. The check, JSON, links, the
//! form of the page and the documentation read it: a new field is a row here and its use.
//!
//! Not here: rules about several fields at once (`rules`).

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use super::{DatasetRef, MAX_SEED, Radius, RadiusQuantile, Shape, VERSION};
use crate::attack::{
    Attack, FeatureDomain, Gradient, InjectedFeatures, InjectedLabels, Method, Step, Utility,
};
use crate::choice::Choice;
use crate::data::published::SampleDefaults;
use crate::data::sample::{FeatureScaling, TargetScaling};
use crate::data::{Kind, published, synthetic};
use crate::defence::sanitise::Sanitise;
use crate::mtrl::{Learner, Loss, Solver};
use crate::rng::{Random, Stream};

/// What a field may hold.
#[derive(Clone, Copy, Debug, Serialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify), tsify(missing_as_null))]
#[serde(rename_all = "snake_case", tag = "type")]
pub enum FieldKind {
    /// One of these words.
    Choice {
        /// The words.
        words: &'static [&'static str],
        /// Their texts, for people.
        texts: &'static [&'static str],
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
        /// Words that are allowed in place of a number.
        words: &'static [&'static str],
    },
    /// True or false.
    Flag,
    /// A list of different task numbers, from 0.
    Tasks,
    /// A data set.
    Dataset,
}

/// One row of the table.
#[derive(Clone, Copy, Debug, Serialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify), tsify(missing_as_null))]
pub struct Field {
    /// Name in JSON.
    pub name: &'static str,
    /// Key in links.
    pub key: &'static str,
    /// Label of the field, for people.
    pub title: &'static str,
    /// What it does, one sentence.
    pub purpose: &'static str,
    /// What it may hold.
    #[serde(flatten)]
    // Spelled out, because otherwise the generated interface would extend a union, which none can.
    #[cfg_attr(target_arch = "wasm32", tsify(type = "FieldKind"))]
    pub kind: FieldKind,
    /// Its value where none is given.
    #[serde(skip)]
    pub(super) default: fn(&Given) -> Value,
    /// The version of specifications that it came with.
    #[serde(skip)]
    pub since: u64,
}

/// What a field of the struct may be, and how a draft holds it. Not by serde: its way through a
/// `Value` knows every type and every way to fail. With `write_value`, this is 15 kB (gzip) less in the
/// module that the page loads first.
pub(super) trait FieldValue: Sized {
    /// As a draft holds it.
    fn to_value(&self) -> Value;

    /// None for what is of another form.
    fn of_value(value: &Value) -> Option<Self>;
}

impl FieldValue for bool {
    fn to_value(&self) -> Value {
        Value::from(*self)
    }

    fn of_value(value: &Value) -> Option<Self> {
        value.as_bool()
    }
}

impl FieldValue for u64 {
    fn to_value(&self) -> Value {
        Value::from(*self)
    }

    fn of_value(value: &Value) -> Option<Self> {
        value.as_u64()
    }
}

impl FieldValue for usize {
    fn to_value(&self) -> Value {
        Value::from(*self)
    }

    fn of_value(value: &Value) -> Option<Self> {
        value.as_u64()?.try_into().ok()
    }
}

impl FieldValue for f64 {
    fn to_value(&self) -> Value {
        Value::from(*self)
    }

    fn of_value(value: &Value) -> Option<Self> {
        value.as_f64()
    }
}

impl FieldValue for Radius {
    fn to_value(&self) -> Value {
        match self {
            Self::Fixed(radius) => radius.to_value(),
            Self::Quantile(quantile) => quantile.to_value(),
        }
    }

    fn of_value(value: &Value) -> Option<Self> {
        let quantile = || RadiusQuantile::of_value(value).map(Self::Quantile);
        f64::of_value(value).map(Self::Fixed).or_else(quantile)
    }
}

impl FieldValue for DatasetRef {
    fn to_value(&self) -> Value {
        match self {
            Self::Named(name) => Value::from(name.as_str()),
            Self::File { name, sha256 } => {
                let entries = [("name", name), ("sha256", sha256)];
                let entries =
                    entries.map(|(key, text)| (key.to_string(), Value::from(text.as_str())));
                Value::Object(entries.into_iter().collect())
            }
        }
    }

    fn of_value(value: &Value) -> Option<Self> {
        Self::try_from(value.clone()).ok()
    }
}

impl<T: Choice> FieldValue for T {
    fn to_value(&self) -> Value {
        Value::from(self.to_word())
    }

    fn of_value(value: &Value) -> Option<Self> {
        T::of_word(value.as_str()?)
    }
}

impl<T: FieldValue> FieldValue for Vec<T> {
    fn to_value(&self) -> Value {
        Value::Array(self.iter().map(T::to_value).collect())
    }

    fn of_value(value: &Value) -> Option<Self> {
        value.as_array()?.iter().map(T::of_value).collect()
    }
}

impl<T: FieldValue> FieldValue for Option<T> {
    fn to_value(&self) -> Value {
        self.as_ref().map_or(Value::Null, T::to_value)
    }

    fn of_value(value: &Value) -> Option<Self> {
        if value.is_null() {
            return Some(None);
        }
        T::of_value(value).map(Some)
    }
}

/// The field of this name.
pub fn field(name: &str) -> Option<&'static Field> {
    FIELDS.iter().find(|field| field.name == name)
}

/// What defaults may depend on: the data set's shape and the values of other fields.
pub(super) struct Given<'a> {
    /// Shape of the data set.
    pub shape: &'a Shape,
    /// The value that was written for a field; none: its default counts.
    pub written: &'a dyn Fn(&str) -> Option<Value>,
}

impl Given<'_> {
    /// The value of a field: as written, else its default. Defaults that depend on each other in a
    /// circle would never end; the table has none.
    pub fn value(&self, field: &Field) -> Value {
        (self.written)(field.name).unwrap_or_else(|| (field.default)(self))
    }

    /// The same of the field of this name.
    fn get<T: FieldValue>(&self, name: &str) -> T {
        let field = field(name).expect("defaults name fields of the table");
        T::of_value(&self.value(field)).expect("what is written has been checked")
    }

    /// What a run of this data set samples by default.
    fn sample(&self) -> SampleDefaults {
        let by_name = match self.get("dataset") {
            DatasetRef::Named(name) if name == synthetic::NAME => Some(synthetic::SAMPLE),
            DatasetRef::Named(name) => published::find(&name).map(|found| found.sample),
            DatasetRef::File { .. } => None,
        };
        by_name.unwrap_or(SampleDefaults {
            train_per_task: None,
            train_share: (!self.shape.has_split).then_some(0.5),
            test_per_task: None,
            targets: self.shape.tasks.div_ceil(2),
        })
    }

    /// Neither of the two fields for the size of the training set is written.
    fn training_is_open(&self) -> bool {
        ["train_per_task", "train_share"]
            .into_iter()
            .all(|name| (self.written)(name).is_none())
    }

    /// Direct: the targets; indirect: all other tasks; hybrid, as in the paper: as many as there
    /// are other tasks, drawn from all.
    fn attackers(&self) -> Vec<usize> {
        let targets: Vec<usize> = self.get("targets");
        let m = self.shape.tasks;
        let others = (0..m).filter(|task| !targets.contains(task));
        match self.get("attack") {
            Attack::Direct => targets,
            Attack::Indirect => others.collect(),
            Attack::Hybrid => {
                let count = others.count().clamp(1, m);
                Random::new(self.get("seed"), Stream::Attackers, 0).choose(m, count)
            }
        }
    }

    fn kind(&self) -> Kind {
        self.shape.kind.unwrap_or_else(|| match self.get("loss") {
            Loss::Squared => Kind::Regression,
            Loss::SquaredHinge => Kind::Classification,
        })
    }
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
        words: &[],
    }
}

macro_rules! choice {
    ($type:ident) => {
        FieldKind::Choice {
            words: $type::WORDS,
            texts: $type::TEXTS,
        }
    };
}

/// Makes the struct `Spec`, the table `FIELDS`, and the setter of all fields from the rows.
macro_rules! fields {
    ($($name:ident: $type:ty {
        key: $key:literal,
        title: $title:literal,
        purpose: $purpose:literal,
        kind: $kind:expr,
        default: $default:expr,
        $(since: $since:literal,)?
    })+) => {
        /// A complete, checked specification. Same spec and data, same result, bit for bit.
        #[derive(Clone, Debug, PartialEq, Serialize)]
        #[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify), tsify(missing_as_null))]
        pub struct Spec {
            $(#[doc = $purpose] pub $name: $type,)+
        }

        /// The fields, in the order in which they are written.
        pub const FIELDS: [Field; [$($key),+].len()] = [$(Field {
            name: stringify!($name),
            key: $key,
            title: $title,
            purpose: $purpose,
            kind: $kind,
            default: |given| {
                let default: fn(&Given) -> $type = $default;
                default(given).to_value()
            },
            // 1 where the row does not say.
            since: [$($since,)? 1][0],
        }),+];

        impl Spec {
            /// From the values of all fields, each of which has passed the check.
            pub(super) fn of_checked(mut value_of: impl FnMut(&Field) -> Value) -> Self {
                Self::of_values(&mut value_of).expect("every field has been checked")
            }

            /// From the values of all fields; none where one is no value of its field.
            fn of_values(value_of: &mut dyn FnMut(&Field) -> Value) -> Option<Self> {
                let mut rows = FIELDS.iter();
                Some(Self {
                    $($name: {
                        let row = rows.next().expect("a row for each field");
                        FieldValue::of_value(&value_of(row))?
                    },)+
                })
            }

            /// The values of all fields, as a draft holds them.
            pub(super) fn values(&self) -> Map<String, Value> {
                let values = [$((stringify!($name), self.$name.to_value())),+];
                (values.into_iter())
                    .map(|(name, value)| (name.to_string(), value))
                    .collect()
            }
        }
    };
}

/// Of a complete specification, as it was written.
impl<'de> Deserialize<'de> for Spec {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let mut values = Map::<String, Value>::deserialize(input)?;
        Self::of_values(&mut |field| values.remove(field.name).unwrap_or_default())
            .ok_or_else(|| D::Error::custom("a specification that is not complete"))
    }
}

// The defaults of a version never change: links leave them out. A field that comes with a later
// version says so (`since`), and `Draft::migrate` gives it the value that the versions before meant.
fields! {
    version: u64 {
        key: "v",
        title: "Version",
        purpose: "Version of the specification format.",
        kind: integer(1, VERSION),
        default: |_| VERSION,
    }
    dataset: DatasetRef {
        key: "d",
        title: "Data set",
        purpose: "Source of the tasks and their points.",
        kind: FieldKind::Dataset,
        default: |_| DatasetRef::Named(synthetic::NAME.to_string()),
    }
    train_per_task: Option<usize> {
        key: "n",
        title: "Training points per task",
        purpose: "Number of clean training points drawn for each task.",
        kind: FieldKind::Integer { min: 1, max: 1_000_000, optional: true },
        default: |given| given.sample().train_per_task.filter(|_| given.training_is_open()),
    }
    train_share: Option<f64> {
        key: "ns",
        title: "Training share",
        purpose: "Share of each task's points that are used for training.",
        kind: FieldKind::Number { min: 0.001, max: 0.999, optional: true, or_zero: false, words: &[] },
        default: |given| given.sample().train_share.filter(|_| given.training_is_open()),
    }
    test_per_task: Option<usize> {
        key: "nt",
        title: "Test points per task",
        purpose: "Number of test points of each task; empty: all that remain.",
        kind: FieldKind::Integer { min: 1, max: 1_000_000, optional: true },
        default: |given| given.sample().test_per_task,
    }
    shared_rows: bool {
        key: "sr",
        title: "Tasks share rows",
        purpose: "Where all tasks label the same rows (Sarcos): each task trains on the same rows, or on \
                  rows of its own.",
        kind: FieldKind::Flag,
        default: |_| true,
        since: 2,
    }
    targets: Vec<usize> {
        key: "t",
        title: "Target tasks",
        purpose: "Tasks whose test error the attacker wants to raise.",
        kind: FieldKind::Tasks,
        default: |given| (0..given.sample().targets).collect(),
    }
    attackers: Vec<usize> {
        key: "a",
        title: "Attacking tasks",
        purpose: "Tasks that the attacker can inject points into.",
        kind: FieldKind::Tasks,
        default: |given| given.attackers(),
    }
    attack: Attack {
        key: "k",
        title: "Attack",
        purpose: "direct: points are injected into the target tasks; indirect: into other tasks \
                  only; hybrid: into any tasks.",
        kind: choice!(Attack),
        default: |_| Attack::Direct,
    }
    method: Method {
        key: "m",
        title: "Method",
        purpose: "patom optimises the injected points; random leaves them where they were drawn.",
        kind: choice!(Method),
        default: |_| Method::Patom,
    }
    utility: Utility {
        key: "ut",
        title: "Attacker's utility",
        purpose: "What the attacker raises: training_loss, the targets' loss on their clean training points; \
                  ranking (classification), the share of their pairs that are ranked wrongly, smoothed.",
        kind: choice!(Utility),
        default: |_| Utility::TrainingLoss,
        since: 2,
    }
    gradient: Gradient {
        key: "g",
        title: "Gradient",
        purpose: "published: the paper's approximation; implicit: exact for a fixed task covariance; \
                  implicit_total: exact.",
        kind: choice!(Gradient),
        default: |_| Gradient::ImplicitTotal,
    }
    step: Step {
        key: "p",
        title: "Step rule",
        purpose: "constant: the paper's rule, which can oscillate; backtracking: the utility never \
                  falls.",
        kind: choice!(Step),
        default: |_| Step::Backtracking,
    }
    step_size: f64 {
        key: "ps",
        title: "Step size",
        purpose: "The constant step, or the first trial step of backtracking.",
        kind: number(1e-9, 1e9),
        default: |_| 100.0,
    }
    iterations: usize {
        key: "i",
        title: "Iterations",
        purpose: "Number of times the injected points are updated.",
        kind: integer(0, 1000),
        default: |_| 15,
    }
    starts: usize {
        key: "st",
        title: "Starts",
        purpose: "Number of random starts of the attack; the one with the largest utility counts.",
        kind: integer(1, 100),
        default: |_| 1,
        since: 2,
    }
    batch_factor: f64 {
        key: "pb",
        title: "Batch factor",
        purpose: "Batch size of the constant step, as a multiple of the targets' clean training points.",
        kind: number(0.01, 100.0),
        default: |_| 3.0,
    }
    budget: f64 {
        key: "b",
        title: "Budget",
        purpose: "Attack budget: poisoned points as a share of each attacking task's clean training \
                  points.",
        kind: number(0.0, 5.0),
        default: |_| 0.2,
    }
    knowledge: f64 {
        key: "kn",
        title: "Knowledge",
        purpose: "Share of each task's clean training points that the attacker sees and trains its own model \
                  on; the attacked model is trained on all of them.",
        kind: number(0.05, 1.0),
        default: |_| 1.0,
        since: 2,
    }
    radius: Radius {
        key: "x",
        title: "Radius",
        purpose: "Injected points stay in a ball of this radius; clean points lie in the unit ball. q75 \
                  and q95: the radius that 75 % or 95 % of the clean training points have.",
        kind: FieldKind::Number {
            min: 1e-6,
            max: 100.0,
            optional: false,
            or_zero: false,
            words: RadiusQuantile::WORDS,
        },
        default: |_| Radius::Fixed(1.0),
    }
    injected_labels: InjectedLabels {
        key: "y",
        title: "Injected labels",
        purpose: "uniform over the label range (classification: \u{2212}1 and +1 with equal odds), resampled \
                  from the clean labels (regression), or flipped clean labels (classification).",
        kind: choice!(InjectedLabels),
        default: |_| InjectedLabels::Uniform,
    }
    loss: Loss {
        key: "l",
        title: "Loss",
        purpose: "squared for regression, squared_hinge for classification.",
        kind: choice!(Loss),
        default: |given| match given.shape.kind {
            Some(Kind::Classification) => Loss::SquaredHinge,
            _ => Loss::Squared,
        },
    }
    lambda1: f64 {
        key: "l1",
        title: "λ1",
        purpose: "Regularisation strength of the model weights.",
        kind: number(1e-12, 1e6),
        default: |_| 0.1,
    }
    lambda2: f64 {
        key: "l2",
        title: "λ2",
        purpose: "Regularisation strength of the task relationship; larger values couple related \
                  tasks more.",
        kind: number(0.0, 1e6),
        default: |_| 0.1,
    }
    epsilon: f64 {
        key: "eps",
        title: "ε",
        purpose: "Floor that keeps the task covariance invertible; 0 only with the alternating solver \
                  and the published gradient.",
        kind: FieldKind::Number { min: 1e-12, max: 1.0, optional: false, or_zero: true, words: &[] },
        default: |_| 1e-6,
    }
    solver: Solver {
        key: "o",
        title: "Solver",
        purpose: "certified: solves the joint problem with an error bound; alternating: the paper's.",
        kind: choice!(Solver),
        default: |_| Solver::Certified,
    }
    target_scaling: TargetScaling {
        key: "z",
        title: "Label scaling",
        purpose: "Regression labels are standardised on the training set, or used raw.",
        kind: choice!(TargetScaling),
        default: |given| match given.kind() {
            Kind::Regression => TargetScaling::Standardised,
            Kind::Classification => TargetScaling::Raw,
        },
    }
    feature_scaling: FeatureScaling {
        key: "fs",
        title: "Feature scaling",
        purpose: "standard: each feature column is standardised on the clean training points, so that \
                  units do not matter; none: as they are. Then all points are divided by their \
                  largest norm.",
        kind: choice!(FeatureScaling),
        default: |given| match given.get("dataset") {
            DatasetRef::Named(_) => FeatureScaling::None,
            DatasetRef::File { .. } => FeatureScaling::Standard,
        },
        since: 2,
    }
    feature_domain: FeatureDomain {
        key: "fd",
        title: "Injected features",
        purpose: "ball: injected points lie anywhere in the ball of the radius; observed: each feature \
                  stays between its smallest and largest clean training value, and whole where they \
                  are.",
        kind: choice!(FeatureDomain),
        default: |_| FeatureDomain::Ball,
        since: 2,
    }
    injected_features: InjectedFeatures {
        key: "if",
        title: "Source of injected points",
        purpose: "free: any features; copied: rows of other tasks with extreme labels, which filters \
                  cannot tell from clean points.",
        kind: choice!(InjectedFeatures),
        default: |_| InjectedFeatures::Free,
        since: 2,
    }
    learner: Learner {
        key: "le",
        title: "Learner",
        purpose: "multi_task: the paper's; single_task: each task alone; capped: multi-task learning in \
                  which other tasks can pull a task only so far.",
        kind: choice!(Learner),
        default: |_| Learner::MultiTask,
        since: 2,
    }
    pull_cap: Option<f64> {
        key: "pc",
        title: "Pull cap μ",
        purpose: "How hard other tasks can pull at a task, with the capped learner: 0 is single-task, a \
                  large cap multi-task learning.",
        kind: FieldKind::Number { min: 1e-6, max: 1e3, optional: true, or_zero: false, words: &[] },
        default: |given| (given.get::<Learner>("learner") == Learner::Capped).then_some(0.1),
        since: 2,
    }
    sanitise: Sanitise {
        key: "sa",
        title: "Sanitiser",
        purpose: "Drops suspicious training points before training: norm, those of large norm; vouch, \
                  those far from other tasks' points; trim, those of large loss.",
        kind: choice!(Sanitise),
        default: |_| Sanitise::None,
        since: 2,
    }
    sanitise_share: Option<f64> {
        key: "ss",
        title: "Share dropped",
        purpose: "Share of each task's training points that the sanitiser drops; empty: those beyond \
                  Tukey's fence.",
        kind: FieldKind::Number { min: 0.0, max: 0.5, optional: true, or_zero: false, words: &[] },
        default: |_| None,
        since: 2,
    }
    seed: u64 {
        key: "s",
        title: "Seed",
        purpose: "Seed of every random choice of the run.",
        kind: integer(0, MAX_SEED),
        default: |_| 42,
    }
}
