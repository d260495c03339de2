//! The charts of the page as SVG, each with its specification in it.

use pyo3::prelude::*;
use serde_json::json;

use super::exception;
use crate::chart::curve::{Baselines, Curve};
use crate::chart::heatmap::Heatmap;
use crate::chart::points::{self, Picture};
use crate::chart::sheet::{self, Content, Sheet};
use crate::chart::{self, Style};
use crate::error::{Error, Result};
use crate::experiment::ENGINE;
use crate::projection::Scene;
use crate::provenance;
use crate::report::{Model, Report, mean_metric};
use crate::spec::{DatasetRef, Spec};

/// The data set of a specification, for people.
pub fn data_name(spec: &Spec) -> &str {
    match &spec.dataset {
        DatasetRef::Named(name) | DatasetRef::File { name, .. } => name,
    }
}

/// What a run did, in one line.
pub fn title(report: &Report) -> String {
    let number = |value: Option<f64>| value.map_or("-".to_string(), |value| format!("{value:.3}"));
    let after = report.trace.last().and_then(|point| point.metric);
    format!(
        "{}, {} attack: mean {} of the targets {} before, {} after",
        data_name(&report.spec),
        report.spec.attack.word(),
        report.metric_name.text(),
        number(report.clean.mean_metric(&report.target_tasks)),
        number(after),
    )
}

fn footer(report: &Report) -> String {
    format!(
        "PATOM Lab, engine {} · data {} · seed {} · digest {}",
        report.engine,
        data_name(&report.spec),
        report.spec.seed,
        report.digest
    )
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

fn sheet_svg(report: &Report, content: Content, width: f64, style: Style) -> Result<String> {
    let (title, footer) = (title(report), footer(report));
    let sheet = Sheet {
        title: &title,
        footer: &footer,
        content,
    };
    chart::svg(width, sheet.height(width), style, |area, style| {
        sheet::draw(area, &sheet, style)
    })
}

/// The course of the attack: metric and utility by iteration.
pub fn curve(report: &Report, width: f64, style: Style) -> Result<String> {
    let metric: Vec<f64> = (report.trace.iter())
        .map(|point| point.metric.unwrap_or(f64::NAN))
        .collect();
    let utility: Vec<f64> = report.trace.iter().map(|point| point.utility).collect();
    let mean = |metric_per_task: &[Option<f64>]| mean_metric(metric_per_task, &report.target_tasks);
    let curve = Curve {
        metric: &metric,
        utility: &utility,
        clean_metric: report.clean.mean_metric(&report.target_tasks),
        metric_name: report.metric_name,
        iterations: report.trace.len().saturating_sub(1),
        attack: report.spec.attack,
        method: report.spec.method,
        cursor: None,
        per_task: &[],
        tasks: &[],
        task: None,
        baselines: Baselines {
            single_task: mean(&report.single_task.attacked.metric_per_task),
            sanitised: (report.defence.as_ref())
                .and_then(|defence| mean(&defence.attacked.metric_per_task)),
            // Where all targets have one: else it would bound a mean of fewer.
            certified: (report.certified.as_ref())
                .map(|certified| &certified.metric_per_task)
                .filter(|metrics| (report.target_tasks.iter()).all(|&task| metrics[task].is_some()))
                .and_then(|metrics| mean(metrics)),
        },
    };
    sheet_svg(report, Content::Curve(curve), width, style)
}

/// The task correlations before and after.
pub fn correlations(report: &Report, width: f64, style: Style) -> Result<String> {
    let values = |model: &Model| model.correlation.concat();
    let (clean, attacked) = (values(&report.clean), values(&report.attacked));
    let heatmap = |values| Heatmap {
        values,
        tasks: report.task_names.len(),
        targets: &report.target_tasks,
        attackers: &report.attacking_tasks,
        title: "task correlation",
        names: &[],
        open_ended: false,
        range: 1.0,
        cursor: None,
        task: None,
    };
    let maps = vec![
        ("before the attack".to_string(), heatmap(&clean)),
        ("after the attack".to_string(), heatmap(&attacked)),
    ];
    sheet_svg(report, Content::Heatmaps(maps), width, style)
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
