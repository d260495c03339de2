//! The module `engine`. For the page: the fields, the check of a form, links, the charts of the lab.
//! For the workers: a data set, runs on it, their reports.

use std::ops::ControlFlow;

use js_sys::{Array, Float64Array, Function};
use serde_json::{Map, Value};
use wasm_bindgen::prelude::*;
use web_sys::HtmlCanvasElement;

use super::convert::{
    CurveOptions, HeatmapOptions, PlainShape, canvas_area, describe, error_object, from_js, matrix,
    numbers, object, optional, read_draft, to_js,
};
use crate::attack::Injection;
use crate::chart::{Style, curve, heatmap};
use crate::data::formats::bundle;
use crate::data::sample::Sample;
use crate::data::{DataSet, MAX_FILE_BYTES, published};
use crate::error::{Error, Result};
use crate::experiment::{self, ENGINE, Observer, Outcome};
use crate::metrics::MetricName;
use crate::paper::figures::{Figure, Measured};
use crate::projection::Plane;
use crate::report::{Model, TracePoint};
use crate::spec::link;
use crate::spec::{DATASETS, DatasetRef, Draft, FIELDS, Shape, Spec};

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
    object([(
        "errors",
        errors.iter().map(error_object).collect::<Array>().into(),
    )])
}

/// The shape that a draft is checked against: the one given, or that of the data set it names.
fn shape_of(draft: &Draft, shape: JsValue) -> Result<PlainShape> {
    if !shape.is_undefined() && !shape.is_null() {
        return from_js(shape, "shape");
    }
    match draft.dataset()? {
        DatasetRef::Named(name) => Shape::named(&name).map(PlainShape::from).ok_or_else(|| {
            let names = DATASETS.join(", ");
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
    let heatmap::Layout {
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

/// A data set, kept where the solver is. Call `free` when it is no longer needed.
#[wasm_bindgen]
pub struct Data(DataSet);

#[wasm_bindgen]
impl Data {
    /// From what `extras` read out of a file, and the text of the mapping that it was read by.
    pub fn from_payload(
        bytes: &[u8],
        columns: Option<String>,
    ) -> std::result::Result<Data, JsValue> {
        let mut data = bundle::read_payload(bytes)?;
        data.columns = columns;
        Ok(Self(data))
    }

    /// The synthetic one that a specification means.
    pub fn synthetic(spec: JsValue) -> std::result::Result<Data, JsValue> {
        let spec = read_spec(spec, None)?;
        Ok(Self(experiment::load_synthetic(&spec)?))
    }

    /// What it is.
    pub fn describe(&self) -> JsValue {
        describe(&self.0)
    }

    /// Runs a specification on it. `now` gives seconds; `on_event`, if there is one, hears
    /// `{type: "clean", ...}` once and `{type: "progress", ...}` for every iteration.
    pub fn run(
        &self,
        spec: JsValue,
        now: Function,
        on_event: Option<Function>,
    ) -> std::result::Result<Run, JsValue> {
        let spec = read_spec(spec, Some(&self.0))?;
        let mut observer = Listener {
            on_event,
            now,
            targets: spec.targets.clone(),
            radius: spec.radius,
            plane: None,
        };
        Ok(Run(experiment::run(&spec, &self.0, &mut observer)?))
    }
}

/// Reads and checks a specification of a named data set, or of the file that `data` are.
fn read_spec(spec: JsValue, data: Option<&DataSet>) -> Result<Spec> {
    let draft = read_draft(spec)?;
    let named = match draft.dataset()? {
        DatasetRef::Named(name) => Shape::named(&name),
        DatasetRef::File { .. } => None,
    };
    let Some(shape) = named.or_else(|| data.map(Shape::of)) else {
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

struct Listener {
    on_event: Option<Function>,
    now: Function,
    targets: Vec<usize>,
    radius: f64,
    plane: Option<Plane>,
}

impl Listener {
    fn tell(&self, event: impl FnOnce() -> JsValue) -> ControlFlow<()> {
        match &self.on_event {
            Some(on_event) if on_event.call1(&JsValue::UNDEFINED, &event()).is_err() => {
                ControlFlow::Break(())
            }
            _ => ControlFlow::Continue(()),
        }
    }
}

impl Observer for Listener {
    fn now(&mut self) -> f64 {
        let time = self.now.call0(&JsValue::UNDEFINED);
        time.ok().and_then(|time| time.as_f64()).unwrap_or(0.0)
    }

    fn clean(
        &mut self,
        model: &Model,
        sample: &Sample,
        injections: &[Injection],
    ) -> ControlFlow<()> {
        if self.on_event.is_some() {
            let (targets, radius) = (&self.targets, self.radius);
            let plane = Plane::new(sample, &model.weights, targets, injections, radius);
            self.plane = Some(plane);
        }
        self.tell(|| {
            object([
                ("type", "clean".into()),
                ("model", plain_model(model, &self.targets)),
                (
                    "scene",
                    self.plane.as_ref().map_or(JsValue::NULL, plain_scene),
                ),
            ])
        })
    }

    fn iteration(&mut self, point: &TracePoint, injections: &[Injection]) -> ControlFlow<()> {
        let Some(plane) = &self.plane else {
            return ControlFlow::Continue(());
        };
        let look = plane.look(injections);
        self.tell(|| {
            object([
                ("type", "progress".into()),
                ("places", numbers(look.places)),
                ("moved", look.moved.into()),
                ("on_surface", to_js(&look.on_surface)),
                ("iteration", to_js(&point.iteration)),
                ("utility", point.utility.into()),
                ("metric", point.metric.unwrap_or(f64::NAN).into()),
                ("metric_per_task", numbers(optional(&point.metric_per_task))),
                ("objective", point.objective.into()),
                ("certificate", point.certificate.into()),
                ("seconds", point.seconds.into()),
            ])
        })
    }
}

fn plain_scene(plane: &Plane) -> JsValue {
    let scene = plane.scene();
    let [along, across] = scene.names.each_ref().map(|name| name.as_str().into());
    object([
        ("along", along),
        ("across", across),
        ("radius", scene.radius.into()),
        ("classes", scene.classes.into()),
        ("targets", to_js(&scene.targets)),
        ("attackers", to_js(&scene.attackers)),
        ("clean", numbers(scene.clean.iter().copied())),
        ("injected", numbers(scene.injected.iter().copied())),
        ("count", to_js(&scene.count)),
    ])
}

fn plain_model(model: &Model, targets: &[usize]) -> JsValue {
    object([
        ("weights", matrix(&model.weights)),
        ("correlation", matrix(&model.correlation)),
        ("objective", model.objective.into()),
        ("certificate", model.certificate.into()),
        ("metric_per_task", numbers(optional(&model.metric_per_task))),
        (
            "metric",
            model.mean_metric(targets).unwrap_or(f64::NAN).into(),
        ),
        ("solver_status", to_js(&model.solver_status)),
    ])
}

/// The outcome of a run. Call `free` when it is no longer needed.
#[wasm_bindgen]
pub struct Run(Outcome);

#[wasm_bindgen]
impl Run {
    /// The report, for showing.
    pub fn report(&self) -> JsValue {
        let report = &self.0.report;
        let column = |value: fn(&TracePoint) -> f64| numbers(report.trace.iter().map(value));
        let trace = object([
            ("iteration", column(|point| point.iteration as f64)),
            ("utility", column(|point| point.utility)),
            ("metric", column(|point| point.metric.unwrap_or(f64::NAN))),
            ("objective", column(|point| point.objective)),
            ("certificate", column(|point| point.certificate)),
            ("seconds", column(|point| point.seconds)),
            (
                "metric_per_task",
                numbers((report.trace.iter()).flat_map(|point| optional(&point.metric_per_task))),
            ),
        ]);
        let truth = report.true_correlation.as_deref();
        object([
            ("spec", to_js(&report.spec)),
            ("engine", report.engine.as_str().into()),
            ("data_sha256", report.data_sha256.as_str().into()),
            ("columns", to_js(&report.columns)),
            ("task_names", to_js(&report.task_names)),
            ("target_tasks", to_js(&report.target_tasks)),
            ("attacking_tasks", to_js(&report.attacking_tasks)),
            ("metric_name", to_js(&report.metric_name)),
            ("true_correlation", truth.map_or(JsValue::NULL, matrix)),
            ("clean", plain_model(&report.clean, &report.target_tasks)),
            (
                "attacked",
                plain_model(&report.attacked, &report.target_tasks),
            ),
            ("converged", report.converged().into()),
            ("stop", to_js(&report.stop)),
            ("trace", trace),
            ("digest", report.digest.as_str().into()),
            ("claim", report.claim().write().into()),
        ])
    }

    /// What a figure keeps of the report.
    pub fn measured(&self) -> JsValue {
        to_js(&Measured::of(&self.0.report))
    }

    /// The text of `report.json`.
    pub fn report_json(&self) -> String {
        serde_json::to_string_pretty(&self.0.report).expect("a report is plain data")
    }

    /// The text of `points.csv`.
    pub fn points_csv(&self) -> String {
        self.0.points_csv()
    }

    /// The poisoned data set as CSV.
    pub fn poisoned_csv(&self) -> String {
        self.0.poisoned_csv()
    }

    /// The course of the attack as CSV.
    pub fn trace_csv(&self) -> String {
        self.0.report.trace_csv()
    }

    /// The task correlations as CSV.
    pub fn correlations_csv(&self) -> String {
        self.0.report.correlations_csv()
    }

    /// The digest of the report.
    pub fn digest(&self) -> String {
        self.0.report.digest.clone()
    }
}
