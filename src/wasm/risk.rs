//! Part of the module `extras`: a risk study, its jobs in the workers, and its pictures, sentences and
//! tables on the page.

use serde::Serialize;
use serde_json::Value;
use tsify::{Ts, Tsify};
use wasm_bindgen::prelude::*;
use web_sys::HtmlCanvasElement;

use super::convert::{
    ChartStyle, Draft, Numbers, all_to_js, canvas_area, from_js, read_spec, to_js,
};
use super::run::Data;
use crate::chart::{self, Style, sweep};
use crate::error::{Error, Result};
use crate::metrics::MetricName;
use crate::risk::curve::{Curve, CurvePoint, Knob};
use crate::risk::exposure::Remedy;
use crate::risk::study::{Published, Work};
use crate::risk::{self, Found, Part, Study};
use crate::spec::{Shape, Spec};

/// What a study is about, beside its specification.
#[derive(serde::Deserialize, Tsify)]
pub struct RiskSubject {
    data_sha256: String,
    task_names: Vec<String>,
    metric: MetricName,
}

/// A job for a worker.
#[derive(Serialize, Tsify)]
pub struct RiskJob {
    work: Work,
    spec: Spec,
    attacker: usize,
}

/// Runs jobs in a worker. Call `free` when it is no longer needed.
#[wasm_bindgen]
#[derive(Default)]
pub struct RiskRunner(risk::Runner);

#[wasm_bindgen]
impl RiskRunner {
    /// Without anything to share yet.
    #[wasm_bindgen(constructor)]
    pub fn new() -> Self {
        Self::default()
    }

    /// Runs a job.
    pub fn run(
        &mut self,
        data: &Data,
        spec: Ts<Spec>,
        work: Ts<Work>,
        attacker: usize,
    ) -> std::result::Result<Ts<Found>, JsValue> {
        let job = risk::Job {
            spec: read_spec(spec, Some(&data.0))?,
            work: from_js(work, "work")?,
            attacker,
        };
        Ok(to_js(&self.0.run(&job, &data.0)?))
    }
}

/// The map in numbers.
#[derive(Serialize, Tsify)]
#[tsify(missing_as_null)]
pub struct RiskNumbers {
    /// Row i: damage by task i to each task, row-major.
    damage: Numbers,
    /// Learned from clean data, row-major.
    correlation: Numbers,
    /// The end of the scale of the damage.
    range: f64,
    /// Values lie beyond it.
    open_ended: bool,
    /// What its colours mean.
    legend: &'static str,
}

/// A line of the answer: an attack over the budgets.
#[derive(Serialize, Tsify)]
pub struct RiskLine {
    name: String,
    budgets: Vec<f64>,
    /// Over the seeds.
    mean: Numbers,
    low: Numbers,
    high: Numbers,
}

/// A study: its jobs, and what has come of them. Call `free` when it is no longer needed.
#[wasm_bindgen]
pub struct RiskStudy {
    study: Study,
    published: Option<Published>,
}

fn part_of(word: &str) -> Result<Part> {
    Part::from_word(word).ok_or_else(|| Error::field("part", word, Part::WORDS.join(", ")))
}

/// The name of a part.
#[wasm_bindgen]
pub fn risk_title(part: &str) -> std::result::Result<String, JsValue> {
    Ok(part_of(part)?.text().to_string())
}

fn knob_of(part: Part) -> Option<Knob> {
    match part {
        Part::Lambda2 => Some(Knob::Lambda2),
        Part::PullCap => Some(Knob::PullCap),
        Part::Exposure | Part::Map => None,
    }
}

#[wasm_bindgen]
impl RiskStudy {
    /// Plans the study of a checked specification: the attack optimised, without a sanitiser.
    #[wasm_bindgen(constructor)]
    pub fn new(
        spec: Ts<Draft>,
        shape: Ts<super::convert::Shape>,
        subject: Ts<RiskSubject>,
    ) -> std::result::Result<RiskStudy, JsValue> {
        let shape = Shape::from(&from_js(shape, "shape")?);
        let subject = from_js(subject, "subject")?;
        let draft = super::convert::read_draft(spec)?;
        let spec = (draft.check(&shape)).map_err(|mut errors| errors.swap_remove(0))?;
        let study = Study::new(
            &Study::studied(&spec),
            &subject.data_sha256,
            &subject.task_names,
            subject.metric,
        )?;
        Ok(Self {
            study,
            published: None,
        })
    }

    /// The study of published results, with these results.
    pub fn of_published(text: &str) -> std::result::Result<RiskStudy, JsValue> {
        let published = Published::read(text)?;
        Ok(Self {
            study: published.study()?,
            published: Some(published),
        })
    }

    /// Where published results come from; empty if they are not published.
    pub fn origin(&self) -> String {
        self.published
            .as_ref()
            .map_or_else(String::new, |published| {
                let Published { engine, date, .. } = published;
                format!("engine {engine}, computed on {date}")
            })
    }

    /// The digest of a published part.
    pub fn published_digest(&self, part: &str) -> Option<String> {
        let parts = &self.published.as_ref()?.parts;
        let mine = parts.iter().find(|published| published.part.word() == part);
        mine.map(|published| published.digest.clone())
    }

    /// The specification that the jobs vary.
    pub fn spec(&self) -> Ts<Spec> {
        to_js(&self.study.subject.spec)
    }

    /// Names of the tasks.
    pub fn task_names(&self) -> Vec<String> {
        self.study.subject.task_names.clone()
    }

    /// The jobs of a part, in their order.
    pub fn jobs(&self, part: &str) -> std::result::Result<Vec<Ts<RiskJob>>, JsValue> {
        let jobs = self.study.jobs(part_of(part)?).iter();
        Ok(all_to_js(jobs.map(|job| RiskJob {
            work: job.work,
            spec: job.spec.clone(),
            attacker: job.attacker,
        })))
    }

    /// Takes the result of a job.
    pub fn add(
        &mut self,
        part: &str,
        number: usize,
        #[wasm_bindgen(unchecked_param_type = "Found")] found: JsValue,
    ) -> std::result::Result<(), JsValue> {
        let part = part_of(part)?;
        let jobs = self.study.jobs(part);
        let job = (jobs.get(number))
            .ok_or_else(|| Error::field("job", number, format!("below {}", jobs.len())))?;
        let value: Value = serde_wasm_bindgen::from_value(found)
            .map_err(|error| Error::field("result", error, "plain data"))?;
        let found = job.work.read(value)?;
        Ok(self.study.add(part, number, found)?)
    }

    /// Forgets the results of a part.
    pub fn clear(&mut self, part: &str) -> std::result::Result<(), JsValue> {
        self.study.clear(part_of(part)?);
        Ok(())
    }

    /// The digest of a part; none while results are missing.
    pub fn digest(&self, part: &str) -> std::result::Result<Option<String>, JsValue> {
        Ok(self.study.digest(part_of(part)?))
    }

    /// What a part shows, a sentence each.
    pub fn findings(&self, part: &str) -> std::result::Result<Vec<String>, JsValue> {
        Ok(self.study.findings(part_of(part)?))
    }

    /// The table of a part.
    pub fn csv(&self, part: &str) -> std::result::Result<String, JsValue> {
        Ok(self.study.csv(part_of(part)?))
    }

    /// A part as JSON.
    pub fn json(&self, part: &str) -> std::result::Result<String, JsValue> {
        let text = match part_of(part)? {
            Part::Exposure => serde_json::to_string_pretty(&self.study.exposure()),
            Part::Map => serde_json::to_string_pretty(&self.study.map()),
            Part::Lambda2 => serde_json::to_string_pretty(&self.study.curve(Knob::Lambda2)),
            Part::PullCap => serde_json::to_string_pretty(&self.study.curve(Knob::PullCap)),
        };
        Ok(text.expect("results are plain data"))
    }

    /// The map in numbers.
    pub fn map(&self) -> Ts<RiskNumbers> {
        let map = self.study.map();
        let (range, open_ended) = map.range();
        to_js(&RiskNumbers {
            damage: Numbers::of(&chart::risk::map_values(&map.damage)),
            correlation: Numbers::of(&chart::risk::map_values(&map.correlation)),
            range,
            open_ended,
            legend: chart::risk::map_legend(map.metric_name),
        })
    }

    /// What an entry of the map says.
    pub fn cell(&self, attacker: usize, target: usize) -> String {
        self.study.map().cell(attacker, target)
    }

    /// The points of a curve.
    pub fn points(&self, part: &str) -> std::result::Result<Vec<Ts<CurvePoint>>, JsValue> {
        let curve = self.curve(part)?;
        Ok(all_to_js(curve.points))
    }

    /// The attacks of the answer.
    pub fn lines(&self) -> Vec<Ts<RiskLine>> {
        let panel = self.study.exposure().panel();
        all_to_js(panel.series.into_iter().map(|series| {
            let column = |pick: fn((f64, f64, f64)) -> f64| {
                let places = 0..series.x.len();
                places
                    .map(|at| series.summary(at).map_or(f64::NAN, pick))
                    .collect()
            };
            RiskLine {
                mean: column(|(mean, ..)| mean),
                low: column(|(_, low, _)| low),
                high: column(|(.., high)| high),
                budgets: series.x.clone(),
                name: series.name,
            }
        }))
    }

    /// The learner as it is, then the remedies that were measured.
    pub fn learners(&self) -> Vec<Ts<Remedy>> {
        all_to_js(self.study.exposure().learners)
    }

    /// The height of the picture of a part at this width, in CSS pixels.
    pub fn height(&self, part: &str, width: f64) -> std::result::Result<f64, JsValue> {
        let tasks = self.study.subject.task_names.len();
        Ok(match part_of(part)? {
            Part::Exposure => sweep::height(width, 1),
            Part::Map => chart::risk::map_height(width, tasks),
            Part::Lambda2 | Part::PullCap => chart::risk::curve_height(width),
        })
    }

    /// Draws a part.
    pub fn draw(
        &self,
        canvas: HtmlCanvasElement,
        part: &str,
        title: &str,
        style: Ts<ChartStyle>,
    ) -> std::result::Result<(), JsValue> {
        let style = Style::from(&from_js(style, "style")?);
        Ok(self.draw_on(&canvas_area(canvas)?, part_of(part)?, title, style)?)
    }

    /// A part as SVG of this width in CSS pixels.
    pub fn svg(
        &self,
        part: &str,
        title: &str,
        width: f64,
        style: Ts<ChartStyle>,
    ) -> std::result::Result<String, JsValue> {
        let style = Style::from(&from_js(style, "style")?);
        let height = self.height(part, width)?;
        let part = part_of(part)?;
        Ok(chart::svg(width, height, style, |area, style| {
            self.draw_on(area, part, title, style)
        })?)
    }
}

impl RiskStudy {
    fn curve(&self, part: &str) -> Result<Curve> {
        let part = part_of(part)?;
        let knob = knob_of(part)
            .ok_or_else(|| Error::field("part", part.word(), Knob::WORDS.join(" or ")))?;
        Ok(self.study.curve(knob))
    }

    fn draw_on<DB: plotters::prelude::DrawingBackend>(
        &self,
        area: &plotters::drawing::DrawingArea<DB, plotters::coord::Shift>,
        part: Part,
        title: &str,
        style: Style,
    ) -> Result<()> {
        match knob_of(part) {
            Some(knob) => chart::risk::draw_curve(area, title, &self.study.curve(knob), style),
            None if part == Part::Map => {
                chart::risk::draw_map(area, title, &self.study.map(), style)
            }
            None => sweep::draw(area, title, &[self.study.exposure().panel()], style),
        }
    }
}
