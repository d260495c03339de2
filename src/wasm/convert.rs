//! Conversions between the library's types and JavaScript values, shared by both modules. No exports.

#![cfg_attr(
    not(all(feature = "engine", feature = "extras")),
    allow(
        dead_code,
        reason = "neither module alone needs all of the conversions"
    )
)]

use js_sys::{Float64Array, Uint8Array};
use plotters::drawing::IntoDrawingArea;
use plotters_canvas::CanvasBackend;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tsify::{Ts, Tsify};
use wasm_bindgen::prelude::*;
use web_sys::HtmlCanvasElement;

use crate::attack::{Attack, Method};
use crate::chart::{Style, curve, heatmap, map};
use crate::data::{DataSet, Kind};
use crate::error::{Error, Result};
use crate::metrics::MetricName;
use crate::spec::{self, DatasetRef, Spec};

/// A value as a plain JavaScript object, of the type that is generated for it.
pub(super) fn to_js<T: Tsify + Serialize>(value: &T) -> Ts<T> {
    Ts::new_unchecked(plain(value))
}

pub(super) fn plain<T: Serialize>(value: &T) -> JsValue {
    value
        .serialize(&serde_wasm_bindgen::Serializer::json_compatible())
        .expect("our own types are plain data")
}

/// The same of several values.
pub(super) fn all_to_js<T: Tsify + Serialize>(values: impl IntoIterator<Item = T>) -> Vec<Ts<T>> {
    values.into_iter().map(|value| to_js(&value)).collect()
}

pub(super) fn from_js<T: Tsify + for<'de> Deserialize<'de>>(value: Ts<T>, what: &str) -> Result<T> {
    serde_wasm_bindgen::from_value(value.into())
        .map_err(|error| Error::field(what, error, "plain data"))
}

/// `draft` may have any JavaScript type.
pub(super) fn read_draft(draft: impl Into<JsValue>) -> Result<spec::Draft> {
    let Draft(value) = from_js(Ts::new_unchecked(draft.into()), "spec")?;
    spec::Draft::from_value(value)
}

/// An error; `field` where it belongs to one.
#[derive(Serialize, Tsify)]
#[tsify(missing_as_null)]
pub struct Problem {
    code: &'static str,
    field: Option<String>,
    message: String,
}

impl From<&Error> for Problem {
    fn from(error: &Error) -> Self {
        Self {
            code: error.code(),
            field: error.field_name().map(str::to_string),
            message: error.to_string(),
        }
    }
}

impl From<Error> for JsValue {
    fn from(error: Error) -> Self {
        plain(&Problem::from(&error))
    }
}

/// Numbers; one that is not defined is not a number.
#[derive(Serialize, Deserialize, Tsify)]
#[serde(transparent)]
#[tsify(type = "Float64Array")]
pub struct Numbers(#[serde(with = "serde_wasm_bindgen::preserve")] Float64Array);

impl FromIterator<f64> for Numbers {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Self {
        let values: Vec<f64> = values.into_iter().collect();
        Self(Float64Array::from(values.as_slice()))
    }
}

impl Numbers {
    pub(super) fn of(values: &[f64]) -> Self {
        Self(Float64Array::from(values))
    }

    /// The rows of a matrix, one after the other.
    pub(super) fn matrix(rows: &[Vec<f64>]) -> Self {
        rows.iter().flatten().copied().collect()
    }

    pub(super) fn optional(values: &[Option<f64>]) -> Self {
        values
            .iter()
            .map(|value| value.unwrap_or(f64::NAN))
            .collect()
    }

    pub(super) fn to_vec(&self) -> Vec<f64> {
        self.0.to_vec()
    }
}

/// Bytes, not copied again where they cross.
#[derive(Serialize, Deserialize, Tsify)]
#[serde(transparent)]
#[tsify(type = "Uint8Array")]
pub struct Bytes(#[serde(with = "serde_wasm_bindgen::preserve")] Uint8Array);

impl Bytes {
    pub(super) fn of(bytes: &[u8]) -> Self {
        Self(Uint8Array::from(bytes))
    }
}

/// Some fields of a specification, unchecked.
#[derive(Serialize, Deserialize, Tsify)]
#[serde(transparent)]
#[tsify(type = "Record<string, any>")]
pub struct Draft(pub(super) Value);

/// What the check must know of a data set.
#[derive(Serialize, Deserialize, Tsify)]
#[tsify(missing_as_null)]
pub struct Shape {
    pub(super) tasks: usize,
    pub(super) kind: Option<Kind>,
    pub(super) has_split: bool,
    /// Text of the mapping that read an opened file, where one did.
    #[serde(default)]
    pub(super) columns: Option<String>,
}

impl From<&Shape> for spec::Shape {
    fn from(shape: &Shape) -> Self {
        Self {
            tasks: shape.tasks,
            kind: shape.kind,
            has_split: shape.has_split,
        }
    }
}

impl From<spec::Shape> for Shape {
    fn from(shape: spec::Shape) -> Self {
        Self {
            tasks: shape.tasks,
            kind: shape.kind,
            has_split: shape.has_split,
            columns: None,
        }
    }
}

/// What a loaded data set is.
#[derive(Serialize, Tsify)]
pub struct Description {
    name: String,
    kind: Kind,
    metric: MetricName,
    features: usize,
    points: usize,
    task_names: Vec<String>,
    sha256: String,
    shape: Shape,
}

impl From<&DataSet> for Description {
    fn from(data: &DataSet) -> Self {
        Self {
            name: data.name.clone(),
            kind: data.kind,
            metric: MetricName::of(data.kind),
            features: data.features,
            points: data.point_count(),
            task_names: data.task_names.clone(),
            sha256: data.sha256.clone(),
            shape: Shape {
                columns: data.columns.clone(),
                ..Shape::from(spec::Shape::of(data))
            },
        }
    }
}

/// A plane with the clean points of a run in it.
#[derive(Serialize, Deserialize, Tsify)]
pub struct Scene {
    /// What the first direction is.
    pub(super) along: String,
    /// What the second direction is.
    pub(super) across: String,
    /// The radius of the ball of the injected points.
    pub(super) radius: f64,
    /// Labels are -1 and +1.
    pub(super) classes: bool,
    pub(super) targets: Vec<usize>,
    pub(super) attackers: Vec<usize>,
    /// Four numbers for each clean training point shown: task, label, place along both directions.
    pub(super) clean: Numbers,
    /// Two numbers for each injected point shown: task, label.
    pub(super) injected: Numbers,
    /// How many injected points there are, shown or not.
    pub(super) count: usize,
}

/// How a chart is drawn.
#[derive(Deserialize, Tsify)]
pub struct ChartStyle {
    pub(super) scale: f64,
    pub(super) dark: bool,
    pub(super) paper_colors: bool,
}

impl From<&ChartStyle> for Style {
    fn from(style: &ChartStyle) -> Self {
        Self {
            scale: style.scale,
            dark: style.dark,
            map: if style.paper_colors {
                map::Map::Paper
            } else {
                map::Map::Vik
            },
            svg: false,
        }
    }
}

/// What a curve shows beside its numbers.
#[derive(Deserialize, Tsify)]
#[tsify(missing_as_null)]
pub struct CurveOptions {
    pub(super) style: ChartStyle,
    pub(super) metric_name: MetricName,
    pub(super) clean_metric: Option<f64>,
    pub(super) single_task: Option<f64>,
    pub(super) sanitised: Option<f64>,
    pub(super) certified: Option<f64>,
    pub(super) iterations: usize,
    pub(super) attack: Attack,
    pub(super) method: Method,
    pub(super) cursor: Option<usize>,
    pub(super) tasks: Vec<usize>,
    pub(super) task: Option<usize>,
}

impl CurveOptions {
    /// `per_task` (may be empty) has a row for each iteration, with the metric of every task.
    pub(super) fn curve<'a>(
        &'a self,
        metric: &'a [f64],
        utility: &'a [f64],
        per_task: &'a [f64],
    ) -> curve::Curve<'a> {
        curve::Curve {
            metric,
            utility,
            clean_metric: self.clean_metric.filter(|value| value.is_finite()),
            baselines: curve::Baselines {
                single_task: self.single_task,
                sanitised: self.sanitised,
                certified: self.certified,
            },
            metric_name: self.metric_name,
            iterations: self.iterations,
            attack: self.attack,
            method: self.method,
            cursor: self.cursor,
            per_task,
            tasks: &self.tasks,
            task: self.task,
        }
    }
}

/// What a heatmap shows beside its numbers.
#[derive(Deserialize, Tsify)]
#[tsify(missing_as_null)]
pub struct HeatmapOptions {
    pub(super) style: ChartStyle,
    pub(super) tasks: usize,
    pub(super) targets: Vec<usize>,
    pub(super) attackers: Vec<usize>,
    pub(super) title: String,
    pub(super) open_ended: bool,
    /// The end of the bar; 1 for a correlation.
    pub(super) range: f64,
    pub(super) cursor: Option<(usize, usize)>,
    pub(super) task: Option<usize>,
    /// Short names of the tasks; empty: T1 to Tm.
    pub(super) names: Vec<String>,
}

impl HeatmapOptions {
    pub(super) fn heatmap<'a>(&'a self, values: &'a [f64]) -> heatmap::Heatmap<'a> {
        heatmap::Heatmap {
            values,
            tasks: self.tasks,
            targets: &self.targets,
            attackers: &self.attackers,
            title: &self.title,
            names: &self.names,
            open_ended: self.open_ended,
            range: self.range,
            cursor: self.cursor,
            task: self.task,
        }
    }
}

pub(super) fn canvas_area(
    canvas: HtmlCanvasElement,
) -> Result<plotters::drawing::DrawingArea<CanvasBackend, plotters::coord::Shift>> {
    CanvasBackend::with_canvas_object(canvas)
        .map(IntoDrawingArea::into_drawing_area)
        .ok_or_else(|| Error::data("this browser has no 2-D canvas"))
}

/// Reads and checks a specification of a named data set, or of the file that `data` are.
pub(super) fn read_spec(spec: Ts<Spec>, data: Option<&DataSet>) -> Result<Spec> {
    let draft = read_draft(spec)?;
    let named = match draft.dataset()? {
        DatasetRef::Named(name) => spec::Shape::named(&name),
        DatasetRef::File { .. } => None,
    };
    let Some(shape) = named.or_else(|| data.map(spec::Shape::of)) else {
        return Err(Error::field(
            "dataset",
            "unknown",
            "a name, or a file that is open",
        ));
    };
    // The page has checked it before: one message is enough.
    draft
        .check(&shape)
        .map_err(|mut errors| errors.swap_remove(0))
}
