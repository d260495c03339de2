//! Part of the module `extras`: a figure of the paper, its runs, pictures, numbers and table.

use js_sys::Array;
use wasm_bindgen::prelude::*;
use web_sys::HtmlCanvasElement;

use super::convert::{PlainStyle, canvas_area, from_js, numbers, object, to_js};
use crate::chart::{self, Style, sweep};
use crate::error::Error;
use crate::paper::figures::{self, Figure, Measured, Planned};
use crate::paper::findings;
use crate::spec::Shape;
use crate::spec::link;

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

    /// What is there of a data set, as SVG of this width in CSS pixels.
    pub fn svg(
        &self,
        dataset: &str,
        title: &str,
        width: f64,
        style: JsValue,
    ) -> std::result::Result<String, JsValue> {
        let style = Style::from(&from_js::<PlainStyle>(style, "style")?);
        let height = self.height(dataset, width);
        let picture = chart::svg(width, height, style, |area, style| match self.figure {
            Figure::Correlations => {
                sweep::draw_correlations(area, title, &self.rows(dataset), style)
            }
            _ => sweep::draw(area, title, &self.panels(dataset), style),
        });
        Ok(picture?)
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
