//! The module `extras`: readers of data files, pictures of points and of two runs, the comparison of
//! results, exported pictures and the specification that a file carries. Its other parts are `import`
//! (a user's own file), `sweep` (figures of the paper), `risk` (risk studies) and `tuning`.

use js_sys::{Array, Float64Array, Uint8Array};
use serde::{Deserialize, Serialize};
use tsify::{Ts, Tsify};
use wasm_bindgen::prelude::*;
use web_sys::HtmlCanvasElement;

use super::convert::{
    self, Bytes, ChartStyle, CurveOptions, HeatmapOptions, canvas_area, from_js, to_js,
};
use crate::chart::sheet::{self, Content};
use crate::chart::{self, Style, pair, points};
use crate::data::formats::bundle;
use crate::data::notes::FileNotes;
use crate::data::{DataSet, import, published};
use crate::error::{Error, Result};
use crate::metrics::MetricName;
use crate::projection::Scene;
use crate::provenance;
use crate::spec::link::{self, Comparison};

fn find(name: &str) -> Result<&'static published::Published> {
    published::find(name)
        .ok_or_else(|| Error::field("dataset", name, "the name of a published data set"))
}

/// The points in the bundle of a published data set, as the solver takes them; they are checked
/// against their hash.
#[wasm_bindgen]
pub fn read_bundle(name: &str, bytes: &[u8]) -> std::result::Result<Vec<u8>, JsValue> {
    Ok(bundle::payload(&find(name)?.read_bundle(bytes)?))
}

/// What a file holds.
#[derive(Serialize, Tsify)]
pub struct ReadFile {
    /// The points, as the solver takes them.
    payload: Bytes,
    /// What goes with them.
    notes: FileNotes,
}

impl ReadFile {
    pub(super) fn of(data: &DataSet) -> Self {
        Self {
            payload: Bytes::of(&bundle::payload(data)),
            notes: data.notes(),
        }
    }
}

/// The points in a user's file, known by the ending of its name, as the text of a mapping says if
/// there is one. Otherwise a raw file of a published data set is recognised as such.
#[wasm_bindgen]
#[expect(
    clippy::needless_pass_by_value,
    reason = "wasm-bindgen hands over owned values"
)]
pub fn read_file(
    name: &str,
    bytes: &[u8],
    columns: Option<String>,
) -> std::result::Result<Ts<ReadFile>, JsValue> {
    let columns = columns.as_deref().map(str::parse).transpose()?;
    let known = match &columns {
        None => published::recognise(bytes),
        Some(_) => None,
    };
    let data = match known {
        Some(data) => data?,
        None => import::read_with(name, bytes, columns.as_ref())?.data,
    };
    Ok(to_js(&ReadFile::of(&data)))
}

/// The points in the raw files of a published data set.
#[wasm_bindgen]
pub fn read_raw_files(
    name: &str,
    #[wasm_bindgen(unchecked_param_type = "[string, Uint8Array][]")] files: &Array,
) -> std::result::Result<Vec<u8>, JsValue> {
    let file = |wanted: &str| {
        files.iter().find_map(|entry| {
            let entry = Array::from(&entry);
            (entry.get(0).as_string().as_deref() == Some(wanted))
                .then(|| Uint8Array::new(&entry.get(1)).to_vec())
        })
    };
    Ok(bundle::payload(&find(name)?.assemble(&file)?))
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
    pub fn new(scene: Ts<convert::Scene>) -> std::result::Result<PointsPicture, JsValue> {
        let scene = from_js(scene, "scene")?;
        let scene = Scene {
            names: [scene.along, scene.across],
            radius: scene.radius,
            classes: scene.classes,
            targets: scene.targets,
            attackers: scene.attackers,
            clean: scene.clean.to_vec(),
            injected: scene.injected.to_vec(),
            count: scene.count,
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
        style: Ts<ChartStyle>,
    ) -> std::result::Result<(), JsValue> {
        let picture = points::Picture {
            scene: &self.scene,
            path: &self.path,
            iteration,
            task,
            by_hand: false,
        };
        let style = Style::from(&from_js(style, "style")?);
        Ok(points::draw(&canvas_area(canvas)?, &picture, style)?)
    }

    /// Draws points that a person moved, and where the attack had left them: two numbers each.
    pub fn draw_by_hand(
        &self,
        canvas: HtmlCanvasElement,
        home: Vec<f64>,
        now: Vec<f64>,
        style: Ts<ChartStyle>,
    ) -> std::result::Result<(), JsValue> {
        let picture = points::Picture {
            scene: &self.scene,
            path: &[home, now],
            iteration: 1,
            task: None,
            by_hand: true,
        };
        let style = Style::from(&from_js(style, "style")?);
        Ok(points::draw(&canvas_area(canvas)?, &picture, style)?)
    }

    /// Where the plane lies at this width, in CSS pixels: `[left, top, side, reach]`. The middle of
    /// the square is the origin; its sides are `reach` from there in the plane.
    pub fn frame(&self, width: f64) -> Float64Array {
        Float64Array::from(points::frame(&self.scene, width).as_slice())
    }
}

/// The height of the picture of the points at this width, in CSS pixels.
#[wasm_bindgen]
pub fn points_height(width: f64) -> f64 {
    points::height(width)
}

/// What a picture of two runs shows beside their numbers.
#[derive(Deserialize, Tsify)]
pub struct PairOptions {
    style: ChartStyle,
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
    options: Ts<PairOptions>,
) -> std::result::Result<(), JsValue> {
    let options = from_js(options, "options")?;
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

/// Compares what two links say of a result, the second one found here; nothing if the first
/// says nothing.
#[wasm_bindgen]
pub fn compare_claims(
    told: &str,
    found: &str,
    metric_name: Ts<MetricName>,
) -> std::result::Result<Option<Ts<Comparison>>, JsValue> {
    let (told, found) = (link::decode(told)?.claim, link::decode(found)?.claim);
    let comparison = told.compare(&found, from_js(metric_name, "metric_name")?);
    Ok(comparison.as_ref().map(to_js))
}

/// The fragment of the link that a file carries (PNG, SVG, JSON), without `#`.
#[wasm_bindgen]
pub fn read_carried(bytes: &[u8]) -> std::result::Result<String, JsValue> {
    Ok(provenance::read(bytes)?)
}

/// A PNG with a title and a note in it.
#[wasm_bindgen]
pub fn into_png(png: &[u8], title: &str, note: &str) -> std::result::Result<Vec<u8>, JsValue> {
    Ok(provenance::into_png(png, title, note)?)
}

/// An SVG with a title and a note in it.
#[wasm_bindgen]
pub fn into_svg(svg: &str, title: &str, note: &str) -> std::result::Result<String, JsValue> {
    Ok(provenance::into_svg(svg, title, note)?)
}

/// What a sheet shows: a curve or heatmaps.
#[derive(Deserialize, Tsify)]
#[tsify(missing_as_null)]
pub struct SheetContent {
    title: String,
    footer: String,
    width: f64,
    style: ChartStyle,
    curve: Option<SheetCurve>,
    heatmaps: Vec<SheetHeatmap>,
}

/// The curve of a sheet.
#[derive(Deserialize, Tsify)]
pub struct SheetCurve {
    #[tsify(type = "Numbers | number[]")]
    metric: Vec<f64>,
    #[tsify(type = "Numbers | number[]")]
    utility: Vec<f64>,
    #[tsify(type = "Numbers | number[]")]
    per_task: Vec<f64>,
    options: CurveOptions,
}

/// A heatmap of a sheet.
#[derive(Deserialize, Tsify)]
pub struct SheetHeatmap {
    caption: String,
    #[tsify(type = "Numbers | number[]")]
    values: Vec<f64>,
    options: HeatmapOptions,
}

/// A picture to take along, of a curve or of heatmaps. Call `free` when it is no longer needed.
#[wasm_bindgen]
pub struct Sheet(SheetContent);

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
    /// Of this content.
    #[wasm_bindgen(constructor)]
    pub fn new(content: Ts<SheetContent>) -> std::result::Result<Sheet, JsValue> {
        Ok(Self(from_js(content, "sheet")?))
    }

    /// The height that it needs, in CSS pixels.
    pub fn height(&self) -> f64 {
        self.with(|sheet| sheet.height(self.0.width))
    }

    /// Draws it onto a canvas.
    pub fn draw(&self, canvas: HtmlCanvasElement) -> std::result::Result<(), JsValue> {
        let area = canvas_area(canvas)?;
        Ok(self.with(|sheet| sheet::draw(&area, sheet, Style::from(&self.0.style)))?)
    }

    /// Draws it as SVG.
    pub fn svg(&self) -> std::result::Result<String, JsValue> {
        let (width, style) = (self.0.width, Style::from(&self.0.style));
        Ok(self.with(|sheet| {
            let height = sheet.height(width);
            chart::svg(width, height, style, |area, style| {
                sheet::draw(area, sheet, style)
            })
        })?)
    }
}
