//! A data set, runs on it and their reports: part of both modules. `engine` has the paper's learner and
//! attacker only, so that the first load stays small; a worker that needs more uses `extras`.

use std::ops::ControlFlow;

use js_sys::{Function, JSON, JsString};
use tsify::Ts;
use wasm_bindgen::prelude::*;

use super::convert::{Description, from_js, plain, read_spec, to_js};
use super::result::{self, Progress, Report, RunEvent};
use crate::attack::Injection;
use crate::data::DataSet;
use crate::data::formats::bundle;
use crate::data::notes::FileNotes;
use crate::data::sample::Sample;
use crate::experiment::{self, Observer, Outcome};
use crate::mtrl::Solution;
use crate::paper::figures::Measured;
use crate::projection::Plane;
use crate::report::{self, TracePoint};
use crate::spec::Spec;

/// A data set, kept where the solver is. Call `free` when it is no longer needed.
#[wasm_bindgen]
pub struct Data(pub(super) DataSet);

#[wasm_bindgen]
impl Data {
    /// From what `extras` read out of a bundle, or out of a user's file with its notes.
    pub fn from_payload(
        bytes: &[u8],
        notes: Option<Ts<FileNotes>>,
    ) -> std::result::Result<Data, JsValue> {
        let mut data = bundle::read_payload(bytes)?;
        if let Some(notes) = notes {
            data.take_notes(from_js(notes, "notes")?)?;
        }
        Ok(Self(data))
    }

    /// The synthetic one that a specification means.
    pub fn synthetic(spec: Ts<Spec>) -> std::result::Result<Data, JsValue> {
        let spec = read_spec(spec, None)?;
        Ok(Self(experiment::load_synthetic(&spec)?))
    }

    /// What it is.
    pub fn describe(&self) -> Ts<Description> {
        to_js(&Description::from(&self.0))
    }

    /// Runs a specification on it. `now` gives seconds; `on_event`, if there is one, is called with
    /// the clean model once and with every iteration.
    pub fn run(
        &self,
        spec: Ts<Spec>,
        #[wasm_bindgen(unchecked_param_type = "() => number")] now: Function,
        #[wasm_bindgen(unchecked_optional_param_type = "(event: RunEvent) => void")]
        on_event: Option<Function>,
    ) -> std::result::Result<Run, JsValue> {
        let spec = read_spec(spec, Some(&self.0))?;
        let mut observer = Listener {
            on_event,
            now,
            spec: spec.clone(),
            plane: None,
            follows: self.0.task_count() <= result::FOLLOWED_TASKS,
            correlation: Vec::new(),
        };
        Ok(Run(experiment::run(&spec, &self.0, &mut observer)?))
    }
}

struct Listener {
    on_event: Option<Function>,
    now: Function,
    spec: Spec,
    plane: Option<Plane>,
    /// Are the correlations of each iteration reported?
    follows: bool,
    /// Of the model of this iteration.
    correlation: Vec<f64>,
}

impl Listener {
    fn emit(&self, event: &RunEvent) -> ControlFlow<()> {
        match &self.on_event {
            Some(on_event)
                if on_event
                    .call1(&JsValue::UNDEFINED, &to_js(event).into())
                    .is_err() =>
            {
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
        model: &report::Model,
        sample: &Sample,
        injections: &[Injection],
    ) -> ControlFlow<()> {
        if self.on_event.is_none() {
            return ControlFlow::Continue(());
        }
        let targets = &self.spec.targets;
        let radius = experiment::radius(&self.spec, sample);
        let plane = Plane::new(sample, &model.weights, targets, injections, radius);
        let event = RunEvent::Clean {
            model: result::Model::new(model, targets),
            scene: result::scene(&plane),
        };
        self.plane = Some(plane);
        self.emit(&event)
    }

    fn solved(&mut self, solution: &Solution) {
        if self.follows {
            self.correlation = solution.spectrum.correlation();
        }
    }

    fn iteration(&mut self, point: &TracePoint, injections: &[Injection]) -> ControlFlow<()> {
        let Some(plane) = &self.plane else {
            return ControlFlow::Continue(());
        };
        let progress = Progress::new(point, &plane.look(injections), &self.correlation);
        self.emit(&RunEvent::Progress(progress))
    }
}

/// The outcome of a run. Call `free` when it is no longer needed.
#[wasm_bindgen]
pub struct Run(Outcome);

#[wasm_bindgen]
impl Run {
    /// The report, for showing.
    pub fn report(&self) -> Ts<Report> {
        let injected = self.0.injections.iter().map(|one| one.labels.len()).sum();
        to_js(&Report::new(&self.0.report, injected))
    }

    /// What a figure keeps of the report.
    pub fn measured(&self) -> Ts<Measured> {
        to_js(&Measured::of(&self.0.report))
    }

    /// The text of `report.json`. The browser writes it: another writer of JSON would be the largest
    /// function of this module.
    pub fn report_json(&self) -> std::result::Result<JsString, JsValue> {
        let report = plain(&self.0.report);
        JSON::stringify_with_replacer_and_space(&report, &JsValue::NULL, &JsValue::from(2))
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
