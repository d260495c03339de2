//! The module `engine`. For the page: the fields, the check of a form, links, the charts of the lab.
//! For the workers: a data set, runs on it, their reports.

use js_sys::Float64Array;
use serde::Serialize;
use serde_json::{Map, Value};
use tsify::{Ts, Tsify};
use wasm_bindgen::prelude::*;
use web_sys::HtmlCanvasElement;

use super::convert::{
    CurveOptions, Draft, HeatmapOptions, Problem, Shape, all_to_js, canvas_area, from_js,
    read_draft, to_js,
};
use crate::chart::{Style, curve, heatmap};
use crate::data::{Kind, MAX_FILE_BYTES, published};
use crate::error::{Error, Result};
use crate::experiment::ENGINE;
use crate::metrics::MetricName;
use crate::paper::plan;
use crate::spec::link;
use crate::spec::{self, DATASETS, DatasetRef, FIELDS, Field, Spec};

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

/// Does a run of this specification need what only `extras` has?
#[wasm_bindgen]
pub fn needs_extras(spec: Ts<Spec>) -> std::result::Result<bool, JsValue> {
    Ok(read_draft(spec)?.needs_extras())
}

/// The table of the fields of a specification.
#[wasm_bindgen]
pub fn fields() -> Vec<Ts<Field>> {
    all_to_js(FIELDS)
}

/// The published data sets: names, files, citations.
#[wasm_bindgen]
pub fn published_data() -> Vec<Ts<published::Published>> {
    all_to_js(published::CATALOGUE)
}

/// A complete, checked specification, and what follows from it.
#[derive(Serialize, Tsify)]
pub struct Complete {
    link: String,
    /// The fields that differ from their defaults.
    differences: Draft,
    kind: Kind,
    metric: MetricName,
    shape: Shape,
    spec: Spec,
}

/// A link taken apart.
#[derive(Serialize, Tsify)]
#[tsify(missing_as_null)]
pub struct Link {
    draft: Draft,
    /// Text of a mapping.
    columns: Option<String>,
    /// What the link says of a result, as it is written there.
    claim: String,
    has_digest: bool,
    /// Those of `others` that are no keys of the page either.
    unknown: Vec<String>,
    /// Keys that are no part of the specification or the result.
    others: Vec<(String, String)>,
}

/// What is wrong with settings or a link.
#[derive(Serialize, Tsify)]
pub struct Refused {
    errors: Vec<Problem>,
}

impl Refused {
    fn new(errors: &[Error]) -> Self {
        Self {
            errors: errors.iter().map(Problem::from).collect(),
        }
    }
}

/// A checked draft.
#[derive(Serialize, Tsify)]
#[serde(untagged)]
pub enum Completion {
    /// Every field is valid.
    Complete(Box<Complete>),
    /// Not every one is.
    Refused(Refused),
}

/// A link as far as it could be read.
#[derive(Serialize, Tsify)]
#[serde(untagged)]
pub enum ReadLink {
    /// What it says.
    Link(Link),
    /// Why it could not be read.
    Refused(Refused),
}

fn plain_draft(draft: &spec::Draft) -> Draft {
    let written = FIELDS.iter().filter_map(|field| {
        let value = draft.get(field.name)?;
        Some((field.name.to_string(), value.clone()))
    });
    Draft(Value::Object(written.collect::<Map<_, _>>()))
}

/// The shape that a draft is checked against: the one given, or that of the data set it names.
fn shape_of(draft: &spec::Draft, shape: Option<Ts<Shape>>) -> Result<Shape> {
    if let Some(shape) = shape {
        return from_js(shape, "shape");
    }
    match draft.dataset()? {
        DatasetRef::Named(name) => spec::Shape::named(&name).map(Shape::from).ok_or_else(|| {
            let names = DATASETS.join(", ");
            Error::field("dataset", name, format_args!("one of {names}, or a file"))
        }),
        DatasetRef::File { name, .. } => Err(Error::data(format_args!(
            "the file {name} has to be opened first"
        ))),
    }
}

fn complete_one(
    draft: Ts<Draft>,
    shape: Option<Ts<Shape>>,
) -> std::result::Result<(Spec, Shape), Vec<Error>> {
    let draft = read_draft(draft).map_err(|error| vec![error])?;
    let shape = shape_of(&draft, shape).map_err(|error| vec![error])?;
    Ok((draft.check(&spec::Shape::from(&shape))?, shape))
}

/// Fills in the defaults and checks. `shape` is that of an opened file, else undefined.
#[wasm_bindgen]
pub fn complete(draft: Ts<Draft>, shape: Option<Ts<Shape>>) -> Ts<Completion> {
    to_js(&match complete_one(draft, shape) {
        Ok((spec, plain)) => {
            let shape = spec::Shape::from(&plain);
            let kind = spec.kind(&shape);
            let fragment = link::encode(&spec, &shape);
            Completion::Complete(Box::new(Complete {
                link: link::with_columns(&fragment, plain.columns.as_deref()),
                differences: plain_draft(&spec.differences(&shape)),
                kind,
                metric: MetricName::of(kind),
                shape: plain,
                spec,
            }))
        }
        Err(errors) => Completion::Refused(Refused::new(&errors)),
    })
}

/// Takes a link apart.
#[wasm_bindgen]
pub fn read_link(text: &str) -> Ts<ReadLink> {
    to_js(&match link::decode(text) {
        Ok(link) => ReadLink::Link(Link {
            draft: plain_draft(&link.draft),
            columns: link.columns.as_ref().map(ToString::to_string),
            claim: link.claim.write(),
            has_digest: link.claim.digest.is_some(),
            unknown: link
                .unknown_keys()
                .into_iter()
                .map(str::to_string)
                .collect(),
            others: link.others,
        }),
        Err(error) => ReadLink::Refused(Refused::new(&[error])),
    })
}

/// Draws the course of an attack onto a canvas; `per_task` (may be empty) has a row for each
/// iteration, with the metric of every task.
#[wasm_bindgen]
pub fn draw_curve(
    canvas: HtmlCanvasElement,
    metric: &[f64],
    utility: &[f64],
    per_task: &[f64],
    options: Ts<CurveOptions>,
) -> std::result::Result<(), JsValue> {
    let options = from_js(options, "options")?;
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
    options: Ts<HeatmapOptions>,
) -> std::result::Result<(), JsValue> {
    let options = from_js(options, "options")?;
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
    let heatmap::Layout {
        height,
        left,
        top,
        cell,
    } = heatmap::layout(width, tasks);
    Float64Array::from([height, left, top, cell].as_slice())
}

/// A figure of the paper.
#[derive(Serialize, Tsify)]
pub struct Figure {
    number: u32,
    title: &'static str,
    datasets: &'static [&'static str],
    claim: &'static str,
}

/// The figures of the paper.
#[wasm_bindgen]
pub fn figures() -> Vec<Ts<Figure>> {
    use plan::Figure::{Convergence, Correlations, Quality};
    all_to_js([Convergence, Quality, Correlations].map(|figure| Figure {
        number: figure.number(),
        title: figure.title(),
        datasets: figure.datasets(),
        claim: figure.claim(),
    }))
}
