//! The module that is fetched when a result is taken along, or a picture is opened again: sheets,
//! SVG, what pictures carry.

use serde::Deserialize;
use wasm_bindgen::prelude::*;
use web_sys::HtmlCanvasElement;

use super::sweep::Sweep;
use super::{CurveOptions, HeatmapOptions, PlainStyle, canvas_area, from_js};
use crate::chart::sheet::{self, Content};
use crate::chart::{self, Style, sweep};
use crate::paper::figures::Figure;
use crate::provenance;

/// The fragment of the link that a file carries (PNG, SVG, JSON), without `#`.
#[wasm_bindgen]
pub fn read_carried(bytes: &[u8]) -> Result<String, JsValue> {
    Ok(provenance::read(bytes)?)
}

/// A PNG with a title and a note in it.
#[wasm_bindgen]
pub fn into_png(png: &[u8], title: &str, note: &str) -> Result<Vec<u8>, JsValue> {
    Ok(provenance::into_png(png, title, note)?)
}

/// An SVG with a title and a note in it.
#[wasm_bindgen]
pub fn into_svg(svg: &str, title: &str, note: &str) -> Result<String, JsValue> {
    Ok(provenance::into_svg(svg, title, note)?)
}

#[derive(Deserialize)]
struct PlainSheet {
    title: String,
    footer: String,
    width: f64,
    style: PlainStyle,
    curve: Option<PlainCurve>,
    heatmaps: Vec<PlainHeatmap>,
}

#[derive(Deserialize)]
struct PlainCurve {
    metric: Vec<f64>,
    utility: Vec<f64>,
    per_task: Vec<f64>,
    options: CurveOptions,
}

#[derive(Deserialize)]
struct PlainHeatmap {
    caption: String,
    values: Vec<f64>,
    options: HeatmapOptions,
}

/// A picture to take along, of a curve or of heatmaps. Call `free` when it is no longer needed.
#[wasm_bindgen]
pub struct Sheet(PlainSheet);

impl Sheet {
    fn with<T>(&self, work: impl FnOnce(&sheet::Sheet) -> T) -> T {
        let heatmaps = || {
            let maps = self.0.heatmaps.iter();
            maps.map(|map| (map.caption.clone(), map.options.heatmap(&map.values)))
        };
        let content = match &self.0.curve {
            Some(curve) => Content::Curve(curve.options.curve(
                &curve.metric,
                &curve.utility,
                &curve.per_task,
            )),
            None => Content::Heatmaps(heatmaps().collect()),
        };
        work(&sheet::Sheet {
            title: &self.0.title,
            footer: &self.0.footer,
            content,
        })
    }
}

#[wasm_bindgen]
impl Sheet {
    /// From `{title, footer, width, style, curve: {metric, utility, per_task,
    /// options} | null, heatmaps: [{caption, values, options}]}`.
    #[wasm_bindgen(constructor)]
    pub fn new(plain: JsValue) -> Result<Sheet, JsValue> {
        Ok(Self(from_js(plain, "sheet")?))
    }

    /// The height that it needs, in CSS pixels.
    pub fn height(&self) -> f64 {
        self.with(|sheet| sheet.height(self.0.width))
    }

    /// Draws it onto a canvas.
    pub fn draw(&self, canvas: HtmlCanvasElement) -> Result<(), JsValue> {
        let area = canvas_area(canvas)?;
        Ok(self.with(|sheet| sheet::draw(&area, sheet, Style::from(&self.0.style)))?)
    }

    /// Draws it as SVG.
    pub fn svg(&self) -> Result<String, JsValue> {
        let (width, style) = (self.0.width, Style::from(&self.0.style));
        Ok(self.with(|sheet| {
            let height = sheet.height(width);
            chart::svg(width, height, style, |area, style| {
                sheet::draw(area, sheet, style)
            })
        })?)
    }
}

#[wasm_bindgen]
impl Sweep {
    /// What is there of a data set, as SVG of this width in CSS pixels.
    pub fn svg(
        &self,
        dataset: &str,
        title: &str,
        width: f64,
        style: JsValue,
    ) -> Result<String, JsValue> {
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
}
