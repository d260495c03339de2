//! Part of the module `extras`: λ1 and λ2 by cross-validation, and its picture.

use std::ops::ControlFlow;

use js_sys::Function;
use serde::Serialize;
use tsify::{Ts, Tsify};
use wasm_bindgen::prelude::*;
use web_sys::HtmlCanvasElement;

use super::convert::{ChartStyle, Numbers, canvas_area, from_js, read_spec, to_js};
use super::run::Data;
use crate::chart::{self, Style};
use crate::metrics::MetricName;
use crate::spec::Spec;
use crate::tuning::{self, Grid, Tuning};

/// The choice, and its curves.
#[derive(Serialize, Tsify)]
pub struct Tuned {
    tuning: Tuning,
    /// The values of λ1.
    lambda1: Numbers,
    /// For each of them the best metric over the values of λ2.
    multi_task: Numbers,
    /// The metric of single-task learning.
    single_task: Numbers,
}

/// Chooses λ1 and λ2 of a specification by cross-validation on its clean training points.
/// `on_progress` is called with the number of solved problems and how many there are.
#[wasm_bindgen]
pub fn tune(
    data: &Data,
    spec: Ts<Spec>,
    #[wasm_bindgen(unchecked_param_type = "(done: number, total: number) => void")]
    on_progress: &Function,
) -> std::result::Result<Ts<Tuned>, JsValue> {
    let spec = read_spec(spec, Some(&data.0))?;
    let tuning = tuning::tune(&spec, &data.0, &Grid::default(), &mut |done, total| {
        let (done, total) = (JsValue::from(done), JsValue::from(total));
        match on_progress.call2(&JsValue::UNDEFINED, &done, &total) {
            Ok(_) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        }
    })?;
    let curves = tuning.curves();
    Ok(to_js(&Tuned {
        lambda1: curves.iter().map(|(lambda1, ..)| *lambda1).collect(),
        multi_task: Numbers::optional(
            &curves
                .iter()
                .map(|(_, multi, _)| *multi)
                .collect::<Vec<_>>(),
        ),
        single_task: Numbers::optional(
            &curves
                .iter()
                .map(|(.., single)| *single)
                .collect::<Vec<_>>(),
        ),
        tuning,
    }))
}

/// Draws the curves of a choice.
#[wasm_bindgen]
pub fn draw_tuning(
    canvas: HtmlCanvasElement,
    lambda1: &[f64],
    multi_task: &[f64],
    single_task: &[f64],
    chosen: f64,
    metric_name: Ts<MetricName>,
    style: Ts<ChartStyle>,
) -> std::result::Result<(), JsValue> {
    let curves = chart::tuning::Curves {
        lambda1,
        multi_task,
        single_task,
        chosen,
        metric_name: from_js(metric_name, "metric_name")?,
    };
    let style = Style::from(&from_js(style, "style")?);
    Ok(chart::tuning::draw(&canvas_area(canvas)?, &curves, style)?)
}
