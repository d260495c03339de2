//! The charts of the page as SVG, each with its specification in it.

use pyo3::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::exception;
use crate::attack::{Attack, Method};
use crate::chart::curve::{Baselines, Curve};
use crate::chart::heatmap::Heatmap;
use crate::chart::points::{self, Picture};
use crate::chart::sheet::{self, Content, Sheet};
use crate::chart::{self, Style};
use crate::error::{Error, Result};
use crate::experiment::ENGINE;
use crate::metrics::MetricName;
use crate::projection::Scene;
use crate::provenance;
use crate::report::{Report, mean_metric};
use crate::spec::{DatasetRef, Spec};

/// The data set of a specification, for people.
pub fn data_name(spec: &Spec) -> &str {
    match &spec.dataset {
        DatasetRef::Named(name) | DatasetRef::File { name, .. } => name,
    }
}

/// A picture as SVG, of a width in CSS pixels that is checked, with what opens it again: title, link and
/// digest.
pub fn picture(
    py: Python<'_>,
    (width, dark): (f64, bool),
    (title, link, digest): (&str, &str, &str),
    draw: impl FnOnce(f64, Style) -> Result<String>,
) -> PyResult<String> {
    let made = || {
        if !(200.0..=4000.0).contains(&width) {
            return Err(Error::out_of_range("width", width, "between 200 and 4000"));
        }
        let style = Style {
            dark,
            ..Style::default()
        };
        let note = json!({
            "software": format!("PATOM Lab {ENGINE}"),
            "link": link,
            "digest": digest,
        });
        provenance::into_svg(&draw(width, style)?, title, &note.to_string())
    };
    made().map_err(|error| exception(py, &error))
}

/// What the pictures of a run show.
#[derive(Serialize, Deserialize)]
pub struct Shown {
    /// What the run did, in one line.
    pub title: String,
    footer: String,
    metric_name: MetricName,
    attack: Attack,
    method: Method,
    metric: Vec<Option<f64>>,
    utility: Vec<f64>,
    clean_metric: Option<f64>,
    single_task: Option<f64>,
    sanitised: Option<f64>,
    certified: Option<f64>,
    targets: Vec<usize>,
    attackers: Vec<usize>,
    clean_correlation: Vec<f64>,
    attacked_correlation: Vec<f64>,
}

impl Shown {
    /// Of a report.
    pub fn of(report: &Report) -> Self {
        let name = data_name(&report.spec);
        let (metric_name, targets) = (report.metric_name, &report.target_tasks);
        let mean = |metric_per_task: &[Option<f64>]| mean_metric(metric_per_task, targets);
        let clean_metric = mean(&report.clean.metric_per_task);
        let number =
            |value: Option<f64>| value.map_or("-".to_string(), |value| format!("{value:.3}"));
        Self {
            title: format!(
                "{name}, {} attack: mean {} of the targets {} before, {} after",
                report.spec.attack.word(),
                metric_name.text(),
                number(clean_metric),
                number(report.trace.last().and_then(|point| point.metric)),
            ),
            footer: format!(
                "PATOM Lab, engine {} · data {name} · seed {} · digest {}",
                report.engine, report.spec.seed, report.digest
            ),
            metric_name,
            attack: report.spec.attack,
            method: report.spec.method,
            metric: report.trace.iter().map(|point| point.metric).collect(),
            utility: report.trace.iter().map(|point| point.utility).collect(),
            clean_metric,
            single_task: mean(&report.single_task.attacked.metric_per_task),
            sanitised: (report.defence.as_ref())
                .and_then(|defence| mean(&defence.attacked.metric_per_task)),
            // Where all targets have one: else it would bound a mean of fewer.
            certified: (report.certified.as_ref())
                .map(|certified| &certified.metric_per_task)
                .filter(|metrics| targets.iter().all(|&task| metrics[task].is_some()))
                .and_then(|metrics| mean(metrics)),
            targets: targets.clone(),
            attackers: report.attacking_tasks.clone(),
            clean_correlation: report.clean.correlation.concat(),
            attacked_correlation: report.attacked.correlation.concat(),
        }
    }

    fn sheet(&self, content: Content, width: f64, style: Style) -> Result<String> {
        let sheet = Sheet {
            title: &self.title,
            footer: &self.footer,
            content,
        };
        chart::svg(width, sheet.height(width), style, |area, style| {
            sheet::draw(area, &sheet, style)
        })
    }

    /// The course of the attack: metric and utility by iteration.
    pub fn curve(&self, width: f64, style: Style) -> Result<String> {
        let metric: Vec<f64> = (self.metric.iter())
            .map(|metric| metric.unwrap_or(f64::NAN))
            .collect();
        let curve = Curve {
            metric: &metric,
            utility: &self.utility,
            clean_metric: self.clean_metric,
            metric_name: self.metric_name,
            iterations: metric.len().saturating_sub(1),
            attack: self.attack,
            method: self.method,
            cursor: None,
            per_task: &[],
            tasks: &[],
            task: None,
            baselines: Baselines {
                single_task: self.single_task,
                sanitised: self.sanitised,
                certified: self.certified,
            },
        };
        self.sheet(Content::Curve(curve), width, style)
    }

    /// The task correlations before and after.
    pub fn correlations(&self, width: f64, style: Style) -> Result<String> {
        let heatmap = |values| Heatmap {
            values,
            tasks: self.clean_correlation.len().isqrt(),
            targets: &self.targets,
            attackers: &self.attackers,
            title: "task correlation",
            names: &[],
            open_ended: false,
            range: 1.0,
            cursor: None,
            task: None,
        };
        let maps = [
            ("before the attack", &self.clean_correlation),
            ("after the attack", &self.attacked_correlation),
        ];
        let maps = maps.map(|(title, values)| (title.to_string(), heatmap(values)));
        self.sheet(Content::Heatmaps(maps.into()), width, style)
    }
}

/// Clean and injected points in a plane, at the last iteration.
pub fn points(
    scene: Option<&Scene>,
    path: &[Vec<f64>],
    width: f64,
    style: Style,
) -> Result<String> {
    let picture = Picture {
        scene: scene.ok_or_else(|| Error::data("the run has no points to show"))?,
        path,
        iteration: path.len(),
        task: None,
        by_hand: false,
    };
    chart::svg(width, points::height(width), style, |area, style| {
        points::draw(area, &picture, style)
    })
}
