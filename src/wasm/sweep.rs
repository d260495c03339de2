//! Part of the module `extras`: a figure of the paper, its runs, pictures, numbers and table.

use serde::Serialize;
use tsify::{Ts, Tsify};
use wasm_bindgen::prelude::*;
use web_sys::HtmlCanvasElement;

use super::convert::{ChartStyle, Numbers, all_to_js, canvas_area, from_js, to_js};
use crate::chart::{self, Style, sweep};
use crate::error::Error;
use crate::paper::claims::{self, Spoken};
use crate::paper::figures::{self, Measured};
use crate::paper::plan::{self, Figure, Protocol};
use crate::paper::{self, findings};
use crate::spec::link;
use crate::spec::{Shape, Spec};

/// A run of a figure.
#[derive(Serialize, Tsify)]
pub struct Planned {
    dataset: &'static str,
    title: String,
    spec: Spec,
    link: String,
}

/// A line of Figure 1 or 2.
#[derive(Serialize, Tsify)]
pub struct Series {
    name: String,
    x: Numbers,
    mean: Numbers,
    low: Numbers,
    high: Numbers,
}

/// A panel of Figure 1 or 2.
#[derive(Serialize, Tsify)]
pub struct Panel {
    title: String,
    x_name: &'static str,
    /// Mean metric without an attack.
    clean: f64,
    series: Vec<Series>,
}

/// An attack of Figure 3.
#[derive(Serialize, Tsify)]
pub struct Correlations {
    title: String,
    /// Row-major.
    before: Numbers,
    /// Row-major.
    after: Numbers,
}

/// A method by which the attacks of a figure are computed.
#[derive(Serialize, Tsify)]
pub struct FigureMethod {
    word: &'static str,
    text: &'static str,
    summary: &'static str,
}

/// The methods, and the address of the paper.
#[derive(Serialize, Tsify)]
pub struct FigureMethods {
    methods: Vec<FigureMethod>,
    paper: &'static str,
}

/// The methods by which figures are computed.
#[wasm_bindgen]
pub fn figure_methods() -> Ts<FigureMethods> {
    let methods = Protocol::ALL.iter().map(|method| FigureMethod {
        word: method.word(),
        text: method.text(),
        summary: method.summary(),
    });
    to_js(&FigureMethods {
        methods: methods.collect(),
        paper: paper::ADDRESS,
    })
}

/// A figure: its runs, and what has come of them so far. Call `free` when it is no longer needed.
#[wasm_bindgen]
pub struct Sweep {
    figure: Figure,
    runs: Vec<plan::Planned>,
    results: Vec<Option<Measured>>,
    /// The published results to compare with, where there are some: a plan and its results.
    published: Vec<(plan::Planned, Measured)>,
}

impl Sweep {
    fn done(&self) -> Vec<(&plan::Planned, &Measured)> {
        let pairs = self.runs.iter().zip(&self.results);
        pairs
            .filter_map(|(planned, result)| Some((planned, result.as_ref()?)))
            .collect()
    }

    fn panels(&self, dataset: &str) -> Vec<figures::Panel> {
        let mut panels = figures::planned_panels(self.figure, dataset, &self.runs, &self.done());
        let published: Vec<_> = (self.published.iter())
            .map(|(planned, measured)| (planned, measured))
            .collect();
        let published = figures::panels(self.figure, dataset, &published);
        for (panel, published) in panels.iter_mut().zip(published) {
            panel.published = published.series;
        }
        panels
    }

    fn rows(&self, dataset: &str) -> Vec<figures::CorrelationRow> {
        figures::correlation_rows(dataset, &self.done())
    }
}

#[wasm_bindgen]
impl Sweep {
    /// Plans a figure by a method (`paper` or `exact`) on some data sets with so many seeds.
    #[wasm_bindgen(constructor)]
    #[expect(
        clippy::needless_pass_by_value,
        reason = "wasm-bindgen hands over owned values"
    )]
    pub fn new(
        number: u32,
        method: &str,
        datasets: Vec<String>,
        seeds: u32,
    ) -> std::result::Result<Sweep, JsValue> {
        let figure = Figure::of(number)?;
        let method = Protocol::from_word(method).ok_or_else(|| {
            Error::field(
                "method",
                method,
                format!("one of {}", Protocol::WORDS.join(", ")),
            )
        })?;
        let mut runs = Vec::new();
        for dataset in &datasets {
            runs.extend(plan::plan(figure, method, dataset, u64::from(seeds), 1)?);
        }
        let results = vec![None; runs.len()];
        Ok(Self {
            figure,
            runs,
            results,
            published: Vec::new(),
        })
    }

    /// The runs, in their order.
    pub fn runs(&self) -> Vec<Ts<Planned>> {
        all_to_js(self.runs.iter().map(|planned| {
            let shape = Shape::named(planned.dataset).expect("a plan is of known data sets");
            Planned {
                dataset: planned.dataset,
                title: planned.title.clone(),
                link: link::encode(&planned.spec, &shape),
                spec: planned.spec.clone(),
            }
        }))
    }

    /// Takes the result of a run.
    pub fn add(&mut self, run: usize, measured: Ts<Measured>) -> std::result::Result<(), JsValue> {
        let known = self.runs.len();
        let place = (self.results.get_mut(run))
            .ok_or_else(|| Error::field("run", run, format!("below {known}")))?;
        *place = Some(from_js(measured, "measured")?);
        Ok(())
    }

    /// Takes the finished runs of another sweep of this figure as the published results, whose means
    /// are drawn behind the lines.
    pub fn compare_with(&mut self, published: &Sweep) {
        let runs = published.done().into_iter();
        self.published = runs
            .map(|(planned, measured)| (planned.clone(), measured.clone()))
            .collect();
    }

    /// The paper's claims about the figure with what the finished runs say about them.
    pub fn claims(&self) -> Vec<Ts<Spoken>> {
        all_to_js(claims::spoken(self.figure, &self.done()))
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
        style: Ts<ChartStyle>,
    ) -> std::result::Result<(), JsValue> {
        let style = Style::from(&from_js(style, "style")?);
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
        style: Ts<ChartStyle>,
    ) -> std::result::Result<String, JsValue> {
        let style = Style::from(&from_js(style, "style")?);
        let height = self.height(dataset, width);
        let picture = chart::svg(width, height, style, |area, style| match self.figure {
            Figure::Correlations => {
                sweep::draw_correlations(area, title, &self.rows(dataset), style)
            }
            _ => sweep::draw(area, title, &self.panels(dataset), style),
        });
        Ok(picture?)
    }

    /// The panels of Figure 1 or 2.
    pub fn panel_numbers(&self, dataset: &str) -> Vec<Ts<Panel>> {
        all_to_js(self.panels(dataset).into_iter().map(|panel| {
            let series = panel.series.into_iter().map(|series| {
                let column = |pick: fn((f64, f64, f64)) -> f64| {
                    let places = 0..series.x.len();
                    places
                        .map(|at| series.summary(at).map_or(f64::NAN, pick))
                        .collect()
                };
                Series {
                    x: Numbers::of(&series.x),
                    mean: column(|(mean, _, _)| mean),
                    low: column(|(_, low, _)| low),
                    high: column(|(_, _, high)| high),
                    name: series.name,
                }
            });
            Panel {
                series: series.collect(),
                title: panel.title,
                x_name: panel.x_name,
                clean: panel.clean.unwrap_or(f64::NAN),
            }
        }))
    }

    /// The attacks of Figure 3, row-major.
    pub fn correlation_numbers(&self, dataset: &str) -> Vec<Ts<Correlations>> {
        all_to_js(self.rows(dataset).into_iter().map(|row| Correlations {
            before: Numbers::of(&row.before),
            after: Numbers::of(&row.after),
            title: row.title,
        }))
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
