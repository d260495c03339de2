//! The module that is fetched after the first result: pictures of points and of two runs, what two
//! links say of a result.

use js_sys::{Float64Array, Reflect};
use serde::Deserialize;
use wasm_bindgen::prelude::*;
use web_sys::HtmlCanvasElement;

use super::{PlainStyle, canvas_area, from_js, object};
use crate::chart::{Style, pair, points};
use crate::metrics::MetricName;
use crate::projection::Scene;
use crate::spec::link;

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
    pub fn new(scene: &JsValue) -> std::result::Result<PointsPicture, JsValue> {
        let part = |name: &str| Reflect::get(scene, &name.into()).unwrap_or_default();
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

/// Compares what two links say of a result, the second one found here: `{same, words}`, or null if
/// the first tells of none.
#[wasm_bindgen]
pub fn compare_claims(
    told: &str,
    found: &str,
    metric_name: JsValue,
) -> std::result::Result<JsValue, JsValue> {
    let (told, found) = (link::decode(told)?.claim, link::decode(found)?.claim);
    let comparison = told.compare(&found, from_js(metric_name, "metric_name")?);
    Ok(comparison.map_or(JsValue::NULL, |comparison| {
        object([
            ("same", comparison.same.into()),
            ("words", comparison.words.into()),
        ])
    }))
}
