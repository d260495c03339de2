//! The boundary to JavaScript: converts and forwards; no arithmetic, no decisions.
//!
//! Settings cross as plain objects, curves and matrices as `Float64Array` (not a number: not
//! defined), long texts as strings. An error crosses as `{code, field, message}`: thrown, or, where
//! several are usual (checking a form, reading a link), as `{errors: [...]}`. The types that
//! JavaScript sees are spelled out in `www/types.js`.

#![expect(
    clippy::missing_errors_doc,
    clippy::missing_panics_doc,
    reason = "the callers are JavaScript: errors are as said above"
)]

use std::cell::RefCell;
use std::ops::ControlFlow;

use js_sys::{Array, Float64Array, Function, Object, Reflect, Uint8Array};
use plotters::drawing::IntoDrawingArea;
use plotters_canvas::CanvasBackend;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use wasm_bindgen::prelude::*;
use web_sys::HtmlCanvasElement;

use crate::attack::{Attack, Injection, Method};
use crate::chart::{self, Style, curve, heatmap, map, pair, points, sweep};
use crate::data::sample::Sample;
use crate::data::{DataSet, Kind, MAX_FILE_BYTES, sources};
use crate::error::{Error, Result};
use crate::experiment::{self, ENGINE, Observer, Outcome};
use crate::figures::{self, Figure, Measured, Planned};
use crate::findings;
use crate::link;
use crate::projection::{Plane, Scene};
use crate::report::{MetricName, Model, TracePoint};
use crate::spec::{DatasetRef, Draft, FIELDS, Shape, Spec};

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
    to_js(&sources::SOURCES)
}

#[derive(Serialize)]
struct Words {
    code: &'static str,
    field: Option<String>,
    message: String,
}

impl From<&Error> for Words {
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
        to_js(&Words::from(&error))
    }
}

fn to_js<T: Serialize + ?Sized>(value: &T) -> JsValue {
    value
        .serialize(&serde_wasm_bindgen::Serializer::json_compatible())
        .expect("our own types are plain data")
}

fn from_js<T: for<'de> Deserialize<'de>>(value: JsValue, what: &str) -> Result<T> {
    serde_wasm_bindgen::from_value(value).map_err(|error| Error::field(what, error, "plain data"))
}

fn errors(errors: &[Error]) -> JsValue {
    let words: Vec<Words> = errors.iter().map(Words::from).collect();
    object([("errors", to_js(&words))])
}

fn object<const N: usize>(entries: [(&str, JsValue); N]) -> JsValue {
    let object = Object::new();
    for (key, value) in entries {
        // Setting a property of a fresh plain object cannot fail.
        let _ = Reflect::set(&object, &key.into(), &value);
    }
    object.into()
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
}

impl From<PlainShape> for Shape {
    fn from(shape: PlainShape) -> Self {
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
        }
    }
}

/// The shape that a draft is checked against: the one given, or that of the data set it names.
fn shape_of(draft: &Draft, shape: JsValue) -> Result<Shape> {
    if !shape.is_undefined() && !shape.is_null() {
        return Ok(from_js::<PlainShape>(shape, "shape")?.into());
    }
    match draft.dataset()? {
        DatasetRef::Named(name) => Shape::named(&name).ok_or_else(|| {
            let names = crate::spec::DATASETS.join(", ");
            Error::field("dataset", name, format_args!("one of {names}, or a file"))
        }),
        DatasetRef::File { name, .. } => Err(Error::data(format_args!(
            "the file {name} has to be opened first"
        ))),
    }
}

fn read_draft(draft: JsValue) -> Result<Draft> {
    Draft::from_value(from_js::<Value>(draft, "spec")?)
}

fn plain_draft(draft: &Draft) -> JsValue {
    let written = FIELDS.iter().filter_map(|field| {
        let value = draft.get(field.name)?;
        Some((field.name.to_string(), value.clone()))
    });
    to_js(&Value::Object(written.collect::<Map<_, _>>()))
}

fn complete_one(draft: JsValue, shape: JsValue) -> std::result::Result<(Spec, Shape), Vec<Error>> {
    let draft = read_draft(draft).map_err(|error| vec![error])?;
    let shape = shape_of(&draft, shape).map_err(|error| vec![error])?;
    Ok((draft.check(&shape)?, shape))
}

/// Fills in the defaults and checks: `{spec, shape, kind, metric, link, differences}` or
/// `{errors}`. `shape` is that of an opened file, else undefined.
#[wasm_bindgen]
pub fn complete(draft: JsValue, shape: JsValue) -> JsValue {
    match complete_one(draft, shape) {
        Ok((spec, shape)) => {
            let kind = spec.kind(&shape);
            object([
                ("link", link::encode(&spec, &shape).into()),
                ("differences", plain_draft(&spec.differences(&shape))),
                ("kind", to_js(&kind)),
                ("metric", to_js(&MetricName::of(kind))),
                ("shape", to_js(&PlainShape::from(shape))),
                ("spec", to_js(&spec)),
            ])
        }
        Err(found) => errors(&found),
    }
}

/// Takes a link apart: `{draft, engine, data_sha256, digest, others}` or `{errors}`.
#[wasm_bindgen]
pub fn read_link(text: &str) -> JsValue {
    match link::decode(text) {
        Ok(link) => object([
            ("draft", plain_draft(&link.draft)),
            ("engine", to_js(&link.engine)),
            ("data_sha256", to_js(&link.data_sha256)),
            ("digest", to_js(&link.digest)),
            ("others", to_js(&link.others)),
        ]),
        Err(error) => errors(&[error]),
    }
}

fn published(name: &str) -> Result<&'static sources::Source> {
    sources::source(name)
        .ok_or_else(|| Error::field("dataset", name, "the name of a published data set"))
}

/// A data set, kept where the solver is. Call `free` when it is no longer needed.
#[wasm_bindgen]
pub struct Data(DataSet);

#[wasm_bindgen]
impl Data {
    /// From the bundle of a published data set; its points are checked against their hash.
    pub fn from_bundle(name: &str, bytes: &[u8]) -> std::result::Result<Data, JsValue> {
        Ok(Self(published(name)?.read_bundle(bytes)?))
    }

    /// From a user's file, known by the ending of its name. A raw file of a published data set is
    /// recognised as such.
    pub fn from_file(name: &str, bytes: &[u8]) -> std::result::Result<Data, JsValue> {
        let data = match sources::recognise(bytes) {
            Some(data) => data?,
            None => sources::read_user_file(name, bytes)?,
        };
        Ok(Self(data))
    }

    /// From the raw files of a published data set: `[[name, Uint8Array], ...]`.
    pub fn from_raw_files(name: &str, files: &Array) -> std::result::Result<Data, JsValue> {
        let find = |wanted: &str| {
            files.iter().find_map(|entry| {
                let entry = Array::from(&entry);
                (entry.get(0).as_string().as_deref() == Some(wanted))
                    .then(|| Uint8Array::new(&entry.get(1)).to_vec())
            })
        };
        Ok(Self(published(name)?.assemble(&find)?))
    }

    /// The synthetic one that a specification means.
    pub fn synthetic(spec: JsValue) -> std::result::Result<Data, JsValue> {
        let (spec, _) = complete_one(spec, JsValue::UNDEFINED).map_err(|found| errors(&found))?;
        Ok(Self(experiment::load_synthetic(&spec)?))
    }

    /// What it is.
    pub fn describe(&self) -> JsValue {
        let data = &self.0;
        let (fewest, most) = data.points_per_task();
        object([
            ("name", data.name.as_str().into()),
            ("kind", to_js(&data.kind)),
            ("features", to_js(&data.features)),
            ("points", to_js(&data.point_count())),
            ("points_per_task", numbers([fewest as f64, most as f64])),
            ("task_names", to_js(&data.task_names)),
            ("sha256", data.sha256.as_str().into()),
            ("shape", to_js(&PlainShape::from(Shape::of(data)))),
        ])
    }

    /// Runs a specification on it. `now` gives seconds; `on_event`, if there is one, hears
    /// `{type: "clean", ...}` once and `{type: "progress", ...}` for every iteration.
    pub fn run(
        &self,
        spec: JsValue,
        now: Function,
        on_event: Option<Function>,
    ) -> std::result::Result<Run, JsValue> {
        let shape = to_js(&PlainShape::from(Shape::of(&self.0)));
        let (spec, _) = complete_one(spec, shape).map_err(|found| {
            found
                .into_iter()
                .next()
                .map_or(JsValue::NULL, JsValue::from)
        })?;
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
                numbers(
                    report
                        .trace
                        .iter()
                        .flat_map(|point| optional(&point.metric_per_task)),
                ),
            ),
        ]);
        let truth = report.true_correlation.as_deref();
        object([
            ("spec", to_js(&report.spec)),
            ("engine", report.engine.as_str().into()),
            ("data_sha256", report.data_sha256.as_str().into()),
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

fn canvas_area(
    canvas: HtmlCanvasElement,
) -> Result<plotters::drawing::DrawingArea<CanvasBackend, plotters::coord::Shift>> {
    CanvasBackend::with_canvas_object(canvas)
        .map(IntoDrawingArea::into_drawing_area)
        .ok_or_else(|| Error::data("this browser gives no 2-D canvas"))
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
    let curve = curve::Curve {
        metric,
        utility,
        clean_metric: options.clean_metric.filter(|value| value.is_finite()),
        metric_name: options.metric_name,
        iterations: options.iterations,
        attack: options.attack,
        method: options.method,
        cursor: options.cursor,
        per_task,
        tasks: &options.tasks,
        task: options.task,
    };
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

/// Draws a correlation onto a canvas.
#[wasm_bindgen]
pub fn draw_heatmap(
    canvas: HtmlCanvasElement,
    values: &[f64],
    options: JsValue,
) -> std::result::Result<(), JsValue> {
    let options: HeatmapOptions = from_js(options, "options")?;
    let heatmap = heatmap::Heatmap {
        values,
        tasks: options.tasks,
        targets: &options.targets,
        attackers: &options.attackers,
        title: &options.title,
        open_ended: options.open_ended,
        cursor: options.cursor,
        task: options.task,
    };
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

/// Clean and injected points of a run, iteration by iteration. Call `free` when it is no longer
/// needed.
#[wasm_bindgen]
pub struct PointsPicture {
    scene: Scene,
    path: Vec<Vec<f64>>,
}

#[wasm_bindgen]
impl PointsPicture {
    /// Of a scene, as the event `clean` brings it.
    #[wasm_bindgen(constructor)]
    pub fn new(scene: JsValue) -> std::result::Result<PointsPicture, JsValue> {
        let part = |name: &str| Reflect::get(&scene, &name.into()).unwrap_or_default();
        let list = |name| Float64Array::new(&part(name)).to_vec();
        let scene = Scene {
            names: ["along", "across"].map(|name| part(name).as_string().unwrap_or_default()),
            radius: part("radius").as_f64().unwrap_or_default(),
            classes: part("classes").is_truthy(),
            targets: from_js(part("targets"), "targets")?,
            attackers: from_js(part("attackers"), "attackers")?,
            clean: list("clean"),
            injected: list("injected"),
            count: 0,
        };
        let path = Vec::new();
        Ok(Self { scene, path })
    }

    /// Takes the places of the next iteration.
    pub fn add(&mut self, places: Vec<f64>) {
        self.path.push(places);
    }

    /// Draws an iteration, of one attacking task or (undefined) of all.
    pub fn draw(
        &self,
        canvas: HtmlCanvasElement,
        iteration: usize,
        task: Option<usize>,
        style: JsValue,
    ) -> std::result::Result<(), JsValue> {
        let picture = points::Picture {
            scene: &self.scene,
            path: &self.path,
            iteration,
            task,
        };
        let style = Style::from(&from_js::<PlainStyle>(style, "style")?);
        Ok(points::draw(&canvas_area(canvas)?, &picture, style)?)
    }
}

/// The height of the picture of the points at this width, in CSS pixels.
#[wasm_bindgen]
pub fn points_height(width: f64) -> f64 {
    points::height(width)
}

#[derive(Deserialize)]
struct PairOptions {
    style: PlainStyle,
    metric_names: [MetricName; 2],
    clean_metrics: [f64; 2],
}

/// Draws the courses of two runs: metric and utility of A and of B, at the height of a curve.
#[wasm_bindgen]
pub fn draw_pair(
    canvas: HtmlCanvasElement,
    a: &[f64],
    b: &[f64],
    a_utility: &[f64],
    b_utility: &[f64],
    options: JsValue,
) -> std::result::Result<(), JsValue> {
    let options: PairOptions = from_js(options, "options")?;
    let (metric, utility) = ([a, b], [a_utility, b_utility]);
    let runs = [0, 1].map(|run| pair::Run {
        metric: metric[run],
        utility: utility[run],
        clean_metric: options.clean_metrics[run],
        metric_name: options.metric_names[run],
    });
    let style = Style::from(&options.style);
    Ok(pair::draw(&canvas_area(canvas)?, &runs, style)?)
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

/// A figure: its runs, and what has come of them so far. Call `free` when it is no longer needed.
#[wasm_bindgen]
pub struct Sweep {
    figure: Figure,
    runs: Vec<Planned>,
    results: Vec<Option<Measured>>,
}

impl Sweep {
    fn done(&self) -> Vec<(&Planned, &Measured)> {
        let pairs = self.runs.iter().zip(&self.results);
        pairs
            .filter_map(|(planned, result)| Some((planned, result.as_ref()?)))
            .collect()
    }

    fn panels(&self, dataset: &str) -> Vec<figures::Panel> {
        figures::planned_panels(self.figure, dataset, &self.runs, &self.done())
    }

    fn rows(&self, dataset: &str) -> Vec<figures::CorrelationRow> {
        figures::correlation_rows(dataset, &self.done())
    }
}

#[wasm_bindgen]
impl Sweep {
    /// Plans a figure on some data sets with so many seeds.
    #[wasm_bindgen(constructor)]
    #[expect(
        clippy::needless_pass_by_value,
        reason = "wasm-bindgen hands over owned values"
    )]
    pub fn new(
        number: u32,
        datasets: Vec<String>,
        seeds: u32,
    ) -> std::result::Result<Sweep, JsValue> {
        let figure = Figure::of(number)?;
        let mut runs = Vec::new();
        for dataset in &datasets {
            runs.extend(figures::plan(figure, dataset, u64::from(seeds), 1)?);
        }
        let results = vec![None; runs.len()];
        Ok(Self {
            figure,
            runs,
            results,
        })
    }

    /// The runs, in their order: `[{dataset, title, spec, link}, ...]`.
    pub fn runs(&self) -> JsValue {
        let runs = self.runs.iter().map(|planned| {
            let shape = Shape::named(planned.dataset).expect("a plan is of known data sets");
            object([
                ("dataset", planned.dataset.into()),
                ("title", planned.title.as_str().into()),
                ("spec", to_js(&planned.spec)),
                ("link", link::encode(&planned.spec, &shape).into()),
            ])
        });
        runs.collect::<Array>().into()
    }

    /// Takes the result of a run.
    pub fn add(&mut self, run: usize, measured: JsValue) -> std::result::Result<(), JsValue> {
        let known = self.runs.len();
        let place = (self.results.get_mut(run))
            .ok_or_else(|| Error::field("run", run, format!("below {known}")))?;
        *place = Some(from_js(measured, "measured")?);
        Ok(())
    }

    /// The height of the picture of a data set at this width, in CSS pixels.
    pub fn height(&self, dataset: &str, width: f64) -> f64 {
        match self.figure {
            Figure::Correlations => sweep::correlations_height(width, &self.rows(dataset)),
            _ => sweep::height(width, self.panels(dataset).len()),
        }
    }

    /// Draws what is there of a data set.
    pub fn draw(
        &self,
        canvas: HtmlCanvasElement,
        dataset: &str,
        title: &str,
        style: JsValue,
    ) -> std::result::Result<(), JsValue> {
        let style = Style::from(&from_js::<PlainStyle>(style, "style")?);
        let area = canvas_area(canvas)?;
        Ok(match self.figure {
            Figure::Correlations => {
                sweep::draw_correlations(&area, title, &self.rows(dataset), style)
            }
            _ => sweep::draw(&area, title, &self.panels(dataset), style),
        }?)
    }

    /// The lines of Figure 1 or 2: `[{title, x_name, clean, series: [{name, x, mean, low, high}]}]`.
    pub fn panel_numbers(&self, dataset: &str) -> JsValue {
        let panels = self.panels(dataset).into_iter().map(|panel| {
            let series = panel.series.iter().map(|series| {
                let column = |pick: fn((f64, f64, f64)) -> f64| {
                    let places = 0..series.x.len();
                    numbers(places.map(|at| series.summary(at).map_or(f64::NAN, pick)))
                };
                object([
                    ("name", series.name.as_str().into()),
                    ("x", numbers(series.x.iter().copied())),
                    ("mean", column(|(mean, _, _)| mean)),
                    ("low", column(|(_, low, _)| low)),
                    ("high", column(|(_, _, high)| high)),
                ])
            });
            object([
                ("series", series.collect::<Array>().into()),
                ("title", panel.title.into()),
                ("x_name", panel.x_name.into()),
                ("clean", panel.clean.unwrap_or(f64::NAN).into()),
            ])
        });
        panels.collect::<Array>().into()
    }

    /// The attacks of Figure 3: `[{title, before, after}]`, row-major.
    pub fn correlation_numbers(&self, dataset: &str) -> JsValue {
        let rows = self.rows(dataset).into_iter().map(|row| {
            object([
                ("before", numbers(row.before)),
                ("after", numbers(row.after)),
                ("title", row.title.into()),
            ])
        });
        rows.collect::<Array>().into()
    }

    /// What the results of a data set say beside the paper's claim, sentence by sentence.
    pub fn findings(&self, dataset: &str) -> Vec<String> {
        findings::findings(self.figure, dataset, &self.done())
    }

    /// A digest over the digests of the runs that are done.
    pub fn digest(&self) -> String {
        figures::digest(&self.done())
    }

    /// The table of the results.
    pub fn csv(&self) -> String {
        figures::csv(self.figure, &self.done())
    }
}
