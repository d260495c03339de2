//! `patom defend`: the study of defences for a specification, as a summary, CSV, JSON and SVG.

use std::path::Path;

use patom::chart::{self, Style, defence as pictures};
use patom::defence::study::{self, DefenceStudy, JobResult};
use patom::experiment::Unobserved;
use patom::pool;

use crate::args::{ColumnsArgument, DataFolder};
use crate::input::{load, read_spec};
use crate::output::{bar, failed, print, to_json, write_all};
use crate::{Failure, Outcomes};

/// Width of the pictures.
const WIDTH: f64 = 900.0;

pub fn defend(
    spec: &str,
    out: Option<&Path>,
    as_json: bool,
    threads: Option<usize>,
    columns: ColumnsArgument,
    folder: &DataFolder,
) -> Outcomes<()> {
    let link = read_spec(spec, columns)?;
    let (spec, data) = load(&link, folder)?;
    let jobs = study::jobs(&spec)?;
    // Before the work, which can take minutes.
    if let Some(out) = out {
        std::fs::create_dir_all(out).map_err(|error| failed(out, error))?;
    }
    let bar = bar(jobs.len() as u64);
    let results = pool::run_all(&jobs, threads, |job| {
        JobResult::of(job, &data, &mut Unobserved).map(|result| {
            bar.inc(1);
            Some(result)
        })
    })?;
    bar.finish_and_clear();
    let study = DefenceStudy::of(&jobs, &results).expect("the first job is done");
    if let Some(out) = out {
        write_files(out, &study)?;
    }
    if as_json {
        print(&to_json(&study))?;
    } else {
        print(&summary(&study))?;
        if let Some(out) = out {
            print(&format!(
                "Written: {0}/defence.json, {0}/defence.csv, {0}/rankings.csv, {0}/caps.svg, \
                 {0}/filters.svg, {0}/rankings.svg",
                out.display()
            ))?;
        }
    }
    if study.converged {
        Ok(())
    } else {
        Err(Failure::Work(
            "the lower level did not converge in every run of the study".to_string(),
        ))
    }
}

fn write_files(out: &Path, study: &DefenceStudy) -> Outcomes<()> {
    let style = Style::default();
    let mut files = vec![
        ("defence.json", to_json(study) + "\n"),
        ("defence.csv", study.csv()),
        ("rankings.csv", study.rankings_csv()),
        (
            "caps.svg",
            chart::svg(WIDTH, pictures::caps_height(WIDTH), style, |area, style| {
                pictures::draw_caps(area, study, None, style)
            })?,
        ),
        (
            "filters.svg",
            chart::svg(
                WIDTH,
                pictures::sanitisers_height(WIDTH, study),
                style,
                |area, style| pictures::draw_sanitisers(area, study, style),
            )?,
        ),
    ];
    if let Some(standard) = study.rankings.first() {
        let height = pictures::rankings_height(WIDTH);
        let picture = chart::svg(WIDTH, height, style, |area, style| {
            pictures::draw_rankings(area, standard, style)
        });
        files.push(("rankings.svg", picture?));
    }
    write_all(out, &files)
}

/// For a reader at a terminal: the verdict, then a table.
fn summary(study: &DefenceStudy) -> String {
    let number = |value: Option<f64>| value.map_or("-".to_string(), |value| format!("{value:.4}"));
    let metric = study.metric_name.text();
    let mut lines = vec![
        study.verdict.clone(),
        String::new(),
        format!("Mean {metric} of the targets (knowing: the worst attacker who knows the defence)"),
        format!(
            "{:<28}{:>10}{:>10}{:>10}{:>10}",
            "", "clean", "standard", "knowing", "certified"
        ),
    ];
    for row in study.rows() {
        lines.push(format!(
            "{:<28}{:>10}{:>10}{:>10}{:>10}",
            row.title,
            number(row.clean),
            number(row.standard),
            number(row.knowing),
            number(row.certified),
        ));
    }
    lines.push(String::new());
    lines.extend(study.findings.iter().cloned());
    lines.join("\n")
}
