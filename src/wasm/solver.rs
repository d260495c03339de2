//! The solver's module: a data set, runs on it, their reports.
//!
//! Specifications are taken as they come: those of `page::complete`, which checks them.

use std::ops::ControlFlow;

use js_sys::{Function, JSON};
use wasm_bindgen::prelude::*;

use super::{PlainShape, from_js, matrix, numbers, object, optional, to_js};
use crate::data::{DataSet, bundle};
use crate::experiment::{self, Observer, Outcome};
use crate::figures::Measured;
use crate::link::Claim;
use crate::report::{Model, TracePoint};
use crate::spec::{Shape, Spec};

/// A data set, kept where the solver is. Call `free` when it is no longer needed.
#[wasm_bindgen]
pub struct Data(DataSet);

#[wasm_bindgen]
impl Data {
    /// From what `extras` read out of a file.
    pub fn from_payload(bytes: &[u8]) -> std::result::Result<Data, JsValue> {
        Ok(Self(bundle::read_payload(bytes)?))
    }

    /// The synthetic one that a specification means.
    pub fn synthetic(spec: JsValue) -> std::result::Result<Data, JsValue> {
        let spec = from_js(spec, "spec")?;
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

    /// Runs a specification on it. `on_event` hears `{type: "clean", ...}` once and
    /// `{type: "progress", ...}` for every iteration; `now` gives seconds.
    pub fn run(
        &self,
        spec: JsValue,
        on_event: Function,
        now: Function,
    ) -> std::result::Result<Run, JsValue> {
        let spec: Spec = from_js(spec, "spec")?;
        let mut observer = Listener {
            on_event,
            now,
            targets: spec.targets.clone(),
        };
        Ok(Run(experiment::run(&spec, &self.0, &mut observer)?))
    }
}

struct Listener {
    on_event: Function,
    now: Function,
    targets: Vec<usize>,
}

impl Listener {
    fn tell(&self, event: &JsValue) -> ControlFlow<()> {
        match self.on_event.call1(&JsValue::UNDEFINED, event) {
            Ok(_) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        }
    }
}

impl Observer for Listener {
    fn now(&mut self) -> f64 {
        let time = self.now.call0(&JsValue::UNDEFINED);
        time.ok().and_then(|time| time.as_f64()).unwrap_or(0.0)
    }

    fn clean(&mut self, model: &Model) -> ControlFlow<()> {
        self.tell(&object([
            ("type", "clean".into()),
            ("model", plain_model(model, &self.targets)),
        ]))
    }

    fn iteration(&mut self, point: &TracePoint) -> ControlFlow<()> {
        self.tell(&object([
            ("type", "progress".into()),
            ("iteration", to_js(&point.iteration)),
            ("utility", point.utility.into()),
            ("metric", point.metric.unwrap_or(f64::NAN).into()),
            ("metric_per_task", numbers(optional(&point.metric_per_task))),
            ("objective", point.objective.into()),
            ("certificate", point.certificate.into()),
            ("seconds", point.seconds.into()),
        ]))
    }
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
            ("claim", Claim::of(report).write().into()),
        ])
    }

    /// What a figure keeps of the report.
    pub fn measured(&self) -> JsValue {
        to_js(&Measured::of(&self.0.report))
    }

    /// The text of `report.json`.
    pub fn report_json(&self) -> String {
        // The browser's own writer gives back every bit, too, and need not be loaded.
        let report = to_js(&self.0.report);
        let text = JSON::stringify_with_replacer_and_space(&report, &JsValue::NULL, &2.into());
        text.expect("a report is plain data").into()
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
