//! The engine in the page's thread: the fields, the check of a form, links, the charts of the lab.

use js_sys::{Array, Float64Array};
use serde_json::{Map, Value};
use wasm_bindgen::prelude::*;
use web_sys::HtmlCanvasElement;

use super::{
    CurveOptions, HeatmapOptions, PlainShape, canvas_area, from_js, object, read_draft, to_js,
    words,
};
use crate::chart::{self, Style, curve, heatmap};
use crate::data::{MAX_FILE_BYTES, published};
use crate::error::{Error, Result};
use crate::experiment::ENGINE;
use crate::metrics::MetricName;
use crate::paper::figures::Figure;
use crate::spec::link;
use crate::spec::{DatasetRef, Draft, FIELDS, Shape, Spec};

/// The version of the engine.
#[wasm_bindgen]
pub fn version() -> String {
    ENGINE.to_string()
}

/// The largest file that is read, in bytes.
#[wasm_bindgen]
pub fn max_file_bytes() -> usize {
    MAX_FILE_BYTES
}

/// The table of the fields of a specification.
#[wasm_bindgen]
pub fn fields() -> JsValue {
    to_js(&FIELDS)
}

/// The published data sets: names, files, citations.
#[wasm_bindgen]
pub fn published_data() -> JsValue {
    to_js(&published::CATALOGUE)
}

fn plain_draft(draft: &Draft) -> JsValue {
    let written = FIELDS.iter().filter_map(|field| {
        let value = draft.get(field.name)?;
        Some((field.name.to_string(), value.clone()))
    });
    to_js(&Value::Object(written.collect::<Map<_, _>>()))
}

fn errors(errors: &[Error]) -> JsValue {
    object([("errors", errors.iter().map(words).collect::<Array>().into())])
}

/// The shape that a draft is checked against: the one given, or that of the data set it names.
fn shape_of(draft: &Draft, shape: JsValue) -> Result<PlainShape> {
    if !shape.is_undefined() && !shape.is_null() {
        return from_js(shape, "shape");
    }
    match draft.dataset()? {
        DatasetRef::Named(name) => Shape::named(&name).map(PlainShape::from).ok_or_else(|| {
            let names = crate::spec::DATASETS.join(", ");
            Error::field("dataset", name, format_args!("one of {names}, or a file"))
        }),
        DatasetRef::File { name, .. } => Err(Error::data(format_args!(
            "the file {name} has to be opened first"
        ))),
    }
}

fn complete_one(
    draft: JsValue,
    shape: JsValue,
) -> std::result::Result<(Spec, PlainShape), Vec<Error>> {
    let draft = read_draft(draft).map_err(|error| vec![error])?;
    let shape = shape_of(&draft, shape).map_err(|error| vec![error])?;
    Ok((draft.check(&Shape::from(&shape))?, shape))
}

/// Fills in the defaults and checks: `{spec, shape, kind, metric, link, differences}` or
/// `{errors}`. `shape` is that of an opened file, else undefined.
#[wasm_bindgen]
pub fn complete(draft: JsValue, shape: JsValue) -> JsValue {
    match complete_one(draft, shape) {
        Ok((spec, plain)) => {
            let shape = Shape::from(&plain);
            let kind = spec.kind(&shape);
            let fragment = link::encode(&spec, &shape);
            let fragment = link::with_columns(&fragment, plain.columns.as_deref());
            object([
                ("link", fragment.into()),
                ("differences", plain_draft(&spec.differences(&shape))),
                ("kind", to_js(&kind)),
                ("metric", to_js(&MetricName::of(kind))),
                ("shape", to_js(&plain)),
                ("spec", to_js(&spec)),
            ])
        }
        Err(found) => errors(&found),
    }
}

/// Takes a link apart: `{draft, columns, claim, has_digest, others, unknown}` or `{errors}`. The claim
/// is what the link says of a result, as it stands in it; `unknown` are keys that nobody knows.
#[wasm_bindgen]
pub fn read_link(text: &str) -> JsValue {
    match link::decode(text) {
        Ok(link) => object([
            ("draft", plain_draft(&link.draft)),
            (
                "columns",
                to_js(&link.columns.as_ref().map(ToString::to_string)),
            ),
            ("claim", link.claim.write().into()),
            ("has_digest", link.claim.digest.is_some().into()),
            ("unknown", to_js(&link.unknown_keys())),
            ("others", to_js(&link.others)),
        ]),
        Err(error) => errors(&[error]),
    }
}

/// Draws the course of an attack onto a canvas; `per_task` (may be empty) has a row for each
/// iteration, with the metric of every task.
#[wasm_bindgen]
pub fn draw_curve(
    canvas: HtmlCanvasElement,
    metric: &[f64],
    utility: &[f64],
    per_task: &[f64],
    options: JsValue,
) -> std::result::Result<(), JsValue> {
    let options: CurveOptions = from_js(options, "options")?;
    let curve = options.curve(metric, utility, per_task);
    Ok(curve::draw(
        &canvas_area(canvas)?,
        &curve,
        Style::from(&options.style),
    )?)
}

/// Where the parts of a curve lie at this width, in CSS pixels:
/// `[height, (left, top, width, height) of the metric, the same of the utility]`.
#[wasm_bindgen]
pub fn curve_layout(width: f64) -> Float64Array {
    let mut places = vec![curve::height(width)];
    for panel in curve::panels(width) {
        places.extend([panel.left, panel.top, panel.width, panel.height]);
    }
    Float64Array::from(places.as_slice())
}

/// Draws a correlation onto a canvas.
#[wasm_bindgen]
pub fn draw_heatmap(
    canvas: HtmlCanvasElement,
    values: &[f64],
    options: JsValue,
) -> std::result::Result<(), JsValue> {
    let options: HeatmapOptions = from_js(options, "options")?;
    let heatmap = options.heatmap(values);
    Ok(heatmap::draw(
        &canvas_area(canvas)?,
        &heatmap,
        Style::from(&options.style),
    )?)
}

/// Where the parts of a heatmap lie at this width, in CSS pixels: `[height, left, top, cell]`.
#[wasm_bindgen]
pub fn heatmap_layout(width: f64, tasks: usize) -> Float64Array {
    let chart::heatmap::Layout {
        height,
        left,
        top,
        cell,
    } = heatmap::layout(width, tasks);
    Float64Array::from([height, left, top, cell].as_slice())
}

/// The figures of the paper: `[{number, title, datasets, claim}, ...]`.
#[wasm_bindgen]
pub fn figures() -> JsValue {
    let figures = [Figure::Convergence, Figure::Quality, Figure::Correlations];
    let figures = figures.map(|figure| {
        object([
            ("number", to_js(&figure.number())),
            ("title", figure.title().into()),
            ("datasets", to_js(figure.datasets())),
            ("claim", figure.claim().into()),
        ])
    });
    figures.iter().collect::<Array>().into()
}
