//! Part of the module `extras`: a study of defences, its jobs, pictures and tables.

use js_sys::Float64Array;
use serde::{Deserialize, Serialize};
use tsify::{Ts, Tsify};
use wasm_bindgen::prelude::*;
use web_sys::HtmlCanvasElement;

use super::convert::{
    ChartStyle, Shape, all_to_js, canvas_area, from_js, read_draft, read_spec, to_js,
};
use super::run::Data;
use crate::chart::{self, Style, defence};
use crate::defence::study::{self, DefenceStudy, Job, JobResult, Row};
use crate::error::{Error, Result};
use crate::experiment::Unobserved;
use crate::spec::{self, Spec, link};

/// A job of a study.
#[derive(Serialize, Tsify)]
pub struct DefenceJob {
    title: String,
    /// What is run.
    spec: Spec,
    /// Opens the run in the lab.
    link: String,
}

/// A picture of a study.
#[derive(Clone, Copy, Deserialize, Tsify)]
#[serde(rename_all = "snake_case")]
pub enum DefencePicture {
    /// The metric over the pull cap.
    Caps,
    /// The filters against their attackers.
    Filters,
    /// ROC and precision-recall.
    Rankings,
}

/// Which picture, and of what in it.
#[derive(Clone, Copy, Deserialize, Tsify)]
#[tsify(missing_as_null)]
pub struct DefencePictureOptions {
    picture: DefencePicture,
    /// Whose points are ranked: the number of the attacker among `rankings`.
    #[serde(default)]
    attacker: usize,
    /// The point of the pull cap that is pointed at.
    #[serde(default)]
    cursor: Option<usize>,
}

/// Does a job of the study of a specification, by its number.
#[wasm_bindgen]
pub fn defence_job(
    data: &Data,
    spec: Ts<Spec>,
    job: usize,
) -> std::result::Result<Ts<JobResult>, JsValue> {
    let jobs = study::jobs(&read_spec(spec, Some(&data.0))?)?;
    let known = jobs.len();
    let job = (jobs.get(job)).ok_or_else(|| Error::field("job", job, format!("below {known}")))?;
    Ok(to_js(&JobResult::of(job, &data.0, &mut Unobserved)?))
}

/// A study, and what has come of it so far. Call `free` when it is no longer needed.
#[wasm_bindgen]
pub struct DefenceSweep {
    shape: spec::Shape,
    jobs: Vec<Job>,
    results: Vec<Option<JobResult>>,
    study: Option<DefenceStudy>,
}

impl DefenceSweep {
    fn known(&self) -> Result<&DefenceStudy> {
        let study = self.study.as_ref();
        study.ok_or_else(|| Error::data("the first job of the study is not done"))
    }
}

#[wasm_bindgen]
impl DefenceSweep {
    /// Plans the study of a specification, for data of this shape.
    #[wasm_bindgen(constructor)]
    pub fn new(spec: Ts<Spec>, shape: Ts<Shape>) -> std::result::Result<DefenceSweep, JsValue> {
        let shape = spec::Shape::from(&from_js(shape, "shape")?);
        // The page has checked it before: one message is enough.
        let spec = (read_draft(spec)?.check(&shape)).map_err(|mut errors| errors.swap_remove(0))?;
        let jobs = study::jobs(&spec)?;
        let results = vec![None; jobs.len()];
        Ok(Self {
            shape,
            jobs,
            results,
            study: None,
        })
    }

    /// The jobs, in their order.
    pub fn jobs(&self) -> Vec<Ts<DefenceJob>> {
        all_to_js(self.jobs.iter().map(|job| DefenceJob {
            title: job.title.clone(),
            link: link::encode(&job.spec, &self.shape),
            spec: job.spec.clone(),
        }))
    }

    /// Takes the result of a job.
    pub fn add(&mut self, job: usize, result: Ts<JobResult>) -> std::result::Result<(), JsValue> {
        let result = from_js(result, "result")?;
        let wanted = (self.jobs.get(job)).filter(|job| job.id == result.id);
        if wanted.is_none() {
            return Err(Error::field("job", job, format_args!("that of {}", result.id)).into());
        }
        self.results[job] = Some(result);
        self.study = DefenceStudy::of(&self.jobs, &self.results);
        Ok(())
    }

    /// What there is of it; nothing while the first job is not done.
    pub fn study(&self) -> Option<Ts<DefenceStudy>> {
        self.study.as_ref().map(to_js)
    }

    /// Every defence in one line.
    pub fn rows(&self) -> Vec<Ts<Row>> {
        all_to_js(self.study.iter().flat_map(DefenceStudy::rows))
    }

    /// The table of the defences, as CSV.
    pub fn csv(&self) -> std::result::Result<String, JsValue> {
        Ok(self.known()?.csv())
    }

    /// The table of the rankings, as CSV.
    pub fn rankings_csv(&self) -> std::result::Result<String, JsValue> {
        Ok(self.known()?.rankings_csv())
    }

    /// The height of a picture at this width, in CSS pixels.
    pub fn height(
        &self,
        options: Ts<DefencePictureOptions>,
        width: f64,
    ) -> std::result::Result<f64, JsValue> {
        let options = from_js(options, "options")?;
        Ok(self.height_of(options, width)?)
    }

    /// Where the curves over the pull cap lie at this width, in CSS pixels: left, top, width, height.
    pub fn caps_layout(width: f64) -> Float64Array {
        let panel = defence::caps_panel(width);
        Float64Array::from([panel.left, panel.top, panel.width, panel.height].as_slice())
    }

    /// Draws a picture.
    pub fn draw(
        &self,
        canvas: HtmlCanvasElement,
        options: Ts<DefencePictureOptions>,
        style: Ts<ChartStyle>,
    ) -> std::result::Result<(), JsValue> {
        let options = from_js(options, "options")?;
        let style = Style::from(&from_js(style, "style")?);
        Ok(self.draw_on(&canvas_area(canvas)?, options, style)?)
    }

    /// The same as SVG of this width in CSS pixels.
    pub fn svg(
        &self,
        options: Ts<DefencePictureOptions>,
        width: f64,
        style: Ts<ChartStyle>,
    ) -> std::result::Result<String, JsValue> {
        let options = from_js(options, "options")?;
        let style = Style::from(&from_js(style, "style")?);
        let height = self.height_of(options, width)?;
        let picture = chart::svg(width, height, style, |area, style| {
            self.draw_on(area, options, style)
        });
        Ok(picture?)
    }
}

impl DefenceSweep {
    fn height_of(&self, options: DefencePictureOptions, width: f64) -> Result<f64> {
        Ok(match options.picture {
            DefencePicture::Caps => defence::caps_height(width),
            DefencePicture::Filters => defence::sanitisers_height(width, self.known()?),
            DefencePicture::Rankings => defence::rankings_height(width),
        })
    }

    fn draw_on<DB: plotters::prelude::DrawingBackend>(
        &self,
        area: &plotters::drawing::DrawingArea<DB, plotters::coord::Shift>,
        options: DefencePictureOptions,
        style: Style,
    ) -> Result<()> {
        let study = self.known()?;
        match options.picture {
            DefencePicture::Caps => defence::draw_caps(area, study, options.cursor, style),
            DefencePicture::Filters => defence::draw_sanitisers(area, study, style),
            DefencePicture::Rankings => {
                let known = study.rankings.len();
                let rankings = (study.rankings.get(options.attacker)).ok_or_else(|| {
                    Error::field("attacker", options.attacker, format!("below {known}"))
                })?;
                defence::draw_rankings(area, rankings, style)
            }
        }
    }
}
