//! Conversions between the library's types and JavaScript values, shared by both modules. No exports.

#![cfg_attr(
    not(all(feature = "engine", feature = "extras")),
    allow(
        dead_code,
        reason = "neither module alone needs all of the conversions"
    )
)]

use js_sys::{Float64Array, Object, Reflect};
use plotters::drawing::IntoDrawingArea;
use plotters_canvas::CanvasBackend;
use serde::{Deserialize, Serialize};
use wasm_bindgen::prelude::*;
use web_sys::HtmlCanvasElement;

use crate::attack::{Attack, Method};
use crate::chart::{Style, curve, heatmap, map};
use crate::data::{DataSet, Kind};
use crate::error::{Error, Result};
use crate::metrics::MetricName;
use crate::spec::{Draft, Shape};

/// An error as JavaScript sees it: `{code, field, message}`.
pub(super) fn error_object(error: &Error) -> JsValue {
    object([
        ("code", error.code().into()),
        (
            "field",
            error.field_name().map_or(JsValue::NULL, JsValue::from),
        ),
        ("message", error.to_string().into()),
    ])
}

impl From<Error> for JsValue {
    fn from(error: Error) -> Self {
        error_object(&error)
    }
}

pub(super) fn to_js<T: Serialize + ?Sized>(value: &T) -> JsValue {
    value
        .serialize(&serde_wasm_bindgen::Serializer::json_compatible())
        .expect("our own types are plain data")
}

pub(super) fn from_js<T: for<'de> Deserialize<'de>>(value: JsValue, what: &str) -> Result<T> {
    serde_wasm_bindgen::from_value(value).map_err(|error| Error::field(what, error, "plain data"))
}

pub(super) fn read_draft(draft: JsValue) -> Result<Draft> {
    Draft::from_value(from_js(draft, "spec")?)
}

pub(super) fn object<const N: usize>(entries: [(&str, JsValue); N]) -> JsValue {
    let object = Object::new();
    entries
        .into_iter()
        .for_each(|(key, value)| set(&object, key, &value));
    object.into()
}

pub(super) fn set(object: &Object, key: &str, value: &JsValue) {
    // Setting a property of a fresh plain object cannot fail.
    let _ = Reflect::set(object, &key.into(), value);
}

pub(super) fn numbers(values: impl IntoIterator<Item = f64>) -> JsValue {
    let values: Vec<f64> = values.into_iter().collect();
    Float64Array::from(values.as_slice()).into()
}

pub(super) fn optional(values: &[Option<f64>]) -> impl Iterator<Item = f64> {
    values.iter().map(|value| value.unwrap_or(f64::NAN))
}

pub(super) fn matrix(rows: &[Vec<f64>]) -> JsValue {
    numbers(rows.iter().flatten().copied())
}

/// A [`Shape`] as the page hands it back.
#[derive(Serialize, Deserialize)]
pub(super) struct PlainShape {
    pub(super) tasks: usize,
    pub(super) kind: Option<Kind>,
    pub(super) has_split: bool,
    /// Text of the mapping that read an opened file, where one did.
    #[serde(default)]
    pub(super) columns: Option<String>,
}

impl From<&PlainShape> for Shape {
    fn from(shape: &PlainShape) -> Self {
        Self {
            tasks: shape.tasks,
            kind: shape.kind,
            has_split: shape.has_split,
        }
    }
}

impl From<Shape> for PlainShape {
    fn from(shape: Shape) -> Self {
        Self {
            tasks: shape.tasks,
            kind: shape.kind,
            has_split: shape.has_split,
            columns: None,
        }
    }
}

pub(super) fn describe(data: &DataSet) -> JsValue {
    let (fewest, most) = data.points_per_task();
    let shape = PlainShape {
        columns: data.columns.clone(),
        ..PlainShape::from(Shape::of(data))
    };
    object([
        ("name", data.name.as_str().into()),
        ("kind", to_js(&data.kind)),
        ("metric", to_js(&MetricName::of(data.kind))),
        ("features", to_js(&data.features)),
        ("points", to_js(&data.point_count())),
        ("points_per_task", numbers([fewest as f64, most as f64])),
        ("task_names", to_js(&data.task_names)),
        ("sha256", data.sha256.as_str().into()),
        ("shape", to_js(&shape)),
    ])
}

#[derive(Deserialize)]
pub(super) struct PlainStyle {
    pub(super) scale: f64,
    pub(super) dark: bool,
    pub(super) paper_colors: bool,
}

impl From<&PlainStyle> for Style {
    fn from(style: &PlainStyle) -> Self {
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

#[derive(Deserialize)]
pub(super) struct CurveOptions {
    pub(super) style: PlainStyle,
    pub(super) metric_name: MetricName,
    pub(super) clean_metric: Option<f64>,
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

#[derive(Deserialize)]
pub(super) struct HeatmapOptions {
    pub(super) style: PlainStyle,
    pub(super) tasks: usize,
    pub(super) targets: Vec<usize>,
    pub(super) attackers: Vec<usize>,
    pub(super) title: String,
    pub(super) open_ended: bool,
    pub(super) cursor: Option<(usize, usize)>,
    pub(super) task: Option<usize>,
}

impl HeatmapOptions {
    pub(super) fn heatmap<'a>(&'a self, values: &'a [f64]) -> heatmap::Heatmap<'a> {
        heatmap::Heatmap {
            values,
            tasks: self.tasks,
            targets: &self.targets,
            attackers: &self.attackers,
            title: &self.title,
            open_ended: self.open_ended,
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
