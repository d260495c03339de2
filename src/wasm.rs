//! The boundary to JavaScript: converts and forwards; no arithmetic, no decisions.
//!
//! Settings cross as plain objects, curves and matrices as `Float64Array` (not a number: not
//! defined), long texts as strings. An error crosses as `{code, field, message}`: thrown, or, where
//! several are usual (checking a form, reading a link), as `{errors: [...]}`. The types that
//! JavaScript sees are spelled out in `www/types.js`.
//!
//! The library is compiled into several wasm modules, so that the first result waits for nothing
//! that it does not need (`wasm-pack.toml` lists them). A feature each brings the exports: `engine`
//! (`page` and `solver` here) is loaded at once, `reading` after the first result, `extras` and `take`
//! when they are asked for. Here: what they share.

#![expect(
    clippy::missing_errors_doc,
    clippy::missing_panics_doc,
    reason = "the callers are JavaScript: errors are as said above"
)]
#![cfg_attr(
    not(all(
        feature = "engine",
        feature = "reading",
        feature = "extras",
        feature = "take"
    )),
    allow(dead_code, reason = "no module needs all of the conversions")
)]

#[cfg(feature = "extras")]
pub mod extras;
#[cfg(feature = "extras")]
pub mod own;
#[cfg(feature = "engine")]
pub mod page;
#[cfg(feature = "reading")]
pub mod reading;
#[cfg(feature = "engine")]
pub mod solver;
#[cfg(any(feature = "extras", feature = "take"))]
pub mod sweep;
#[cfg(feature = "take")]
pub mod take;

use std::cell::RefCell;

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

#[global_allocator]
static ALLOCATOR: rlsf::SmallGlobalTlsf = rlsf::SmallGlobalTlsf::new();

thread_local! {
    static LAST_PANIC: RefCell<String> = const { RefCell::new(String::new()) };
}

#[wasm_bindgen(start)]
fn start() {
    std::panic::set_hook(Box::new(|info| {
        console_error_panic_hook::hook(info);
        LAST_PANIC.with(|last| last.replace(info.to_string()));
    }));
}

/// The words of the last panic. The instance that panicked is good for nothing else any more.
#[wasm_bindgen]
pub fn last_panic() -> String {
    LAST_PANIC.with(|last| last.borrow().clone())
}

/// Panics: for the tests of what the page does then.
#[wasm_bindgen]
pub fn force_panic() {
    panic!("a panic was asked for");
}

fn words(error: &Error) -> JsValue {
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
        words(&error)
    }
}

fn to_js<T: Serialize + ?Sized>(value: &T) -> JsValue {
    // Not `expect`: it would bring the printing of every error of the serialiser.
    value
        .serialize(&serde_wasm_bindgen::Serializer::json_compatible())
        .unwrap_or_else(|_| unreachable!("our own types are plain data"))
}

fn from_js<T: for<'de> Deserialize<'de>>(value: JsValue, what: &str) -> Result<T> {
    serde_wasm_bindgen::from_value(value).map_err(|error| Error::field(what, error, "plain data"))
}

fn read_draft(draft: JsValue) -> Result<Draft> {
    Draft::from_value(from_js(draft, "spec")?)
}

fn object<const N: usize>(entries: [(&str, JsValue); N]) -> JsValue {
    let object = Object::new();
    entries
        .into_iter()
        .for_each(|(key, value)| set(&object, key, &value));
    object.into()
}

fn set(object: &Object, key: &str, value: &JsValue) {
    // Setting a property of a fresh plain object cannot fail.
    let _ = Reflect::set(object, &key.into(), value);
}

fn numbers(values: impl IntoIterator<Item = f64>) -> JsValue {
    let values: Vec<f64> = values.into_iter().collect();
    Float64Array::from(values.as_slice()).into()
}

fn optional(values: &[Option<f64>]) -> impl Iterator<Item = f64> {
    values.iter().map(|value| value.unwrap_or(f64::NAN))
}

fn matrix(rows: &[Vec<f64>]) -> JsValue {
    numbers(rows.iter().flatten().copied())
}

/// A [`Shape`] as the page hands it back.
#[derive(Serialize, Deserialize)]
struct PlainShape {
    tasks: usize,
    kind: Option<Kind>,
    has_split: bool,
    /// Text of the mapping that read an opened file, where one did.
    #[serde(default)]
    columns: Option<String>,
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

fn describe(data: &DataSet) -> JsValue {
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
struct PlainStyle {
    scale: f64,
    dark: bool,
    paper_colors: bool,
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
struct CurveOptions {
    style: PlainStyle,
    metric_name: MetricName,
    clean_metric: Option<f64>,
    iterations: usize,
    attack: Attack,
    method: Method,
    cursor: Option<usize>,
    tasks: Vec<usize>,
    task: Option<usize>,
}

impl CurveOptions {
    /// `per_task` (may be empty) has a row for each iteration, with the metric of every task.
    fn curve<'a>(
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
struct HeatmapOptions {
    style: PlainStyle,
    tasks: usize,
    targets: Vec<usize>,
    attackers: Vec<usize>,
    title: String,
    open_ended: bool,
    cursor: Option<(usize, usize)>,
    task: Option<usize>,
}

impl HeatmapOptions {
    fn heatmap<'a>(&'a self, values: &'a [f64]) -> heatmap::Heatmap<'a> {
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

fn canvas_area(
    canvas: HtmlCanvasElement,
) -> Result<plotters::drawing::DrawingArea<CanvasBackend, plotters::coord::Shift>> {
    CanvasBackend::with_canvas_object(canvas)
        .map(IntoDrawingArea::into_drawing_area)
        .ok_or_else(|| Error::data("this browser gives no 2-D canvas"))
}
