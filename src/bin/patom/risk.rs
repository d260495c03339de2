//! `patom risk`: the answer to "is my data at risk?", the risk map and the curves of what sharing costs, as
//! summaries, CSV, JSON and SVG; and the published results that the page shows.

use std::path::Path;

use patom::chart::{self, Style, sweep};
use patom::data::DataSet;
use patom::pool;
use patom::risk::curve::Knob;
use patom::risk::{Part, Runner, Study};
use patom::spec::Spec;

use crate::args::RiskArguments;
use crate::input::{load, read_spec};
use crate::output::{bar, failed, print, to_json, write, write_all};
use crate::{Failure, Outcomes};

/// Width of the pictures.
const WIDTH: f64 = 900.0;

pub fn risk(arguments: RiskArguments) -> Outcomes<()> {
    let RiskArguments {
        spec,
        out,
        json,
        threads,
        curve,
        page,
        columns,
        data: folder,
    } = arguments;
    let link = read_spec(&spec, columns)?;
    let (spec, data) = load(&link, &folder)?;
    // Before the work, which can take minutes.
    for folder in [&out, &page].into_iter().flatten() {
        std::fs::create_dir_all(folder).map_err(|error| failed(folder, error))?;
    }
    if let Some(page) = page {
        return publish(&spec, &data, threads, &page);
    }
    let mut study = Study::of(&spec, &data)?;
    let parts = match curve {
        // Nobody would see the answer.
        None if json && out.is_none() => vec![Part::Map],
        None => vec![Part::Exposure, Part::Map],
        Some(Knob::Lambda2) => vec![Part::Lambda2],
        Some(Knob::PullCap) => vec![Part::PullCap],
    };
    run_all(&mut study, &parts, &data, threads)?;
    if json {
        // The map alone, where there are two: its form is the older one.
        print(&as_json(&study, parts[parts.len() - 1]))?;
    } else {
        for &part in &parts {
            print(&format!(
                "{}\n{}",
                part.text(),
                indented(&study.findings(part))
            ))?;
        }
    }
    if let Some(out) = &out {
        let mut names = Vec::new();
        for &part in &parts {
            names.extend(write_part(out, &study, part)?);
        }
        if !json {
            print(&format!(
                "Written to {}: {}",
                out.display(),
                names.join(", ")
            ))?;
        }
    }
    if parts.iter().all(|&part| converged(&study, part)) {
        Ok(())
    } else {
        let text = "the lower level did not converge in every run";
        Err(Failure::Work(text.to_string()))
    }
}

/// Writes the results of all parts into the folder of the page.
pub fn publish(spec: &Spec, data: &DataSet, threads: Option<usize>, page: &Path) -> Outcomes<()> {
    let mut study = Study::of(spec, data)?;
    run_all(&mut study, Part::ALL, data, threads)?;
    let published = study.published(&crate::reproduce::today())?;
    let path = page.join(format!("risk-{}.json", data.name));
    let text = serde_json::to_string(&published).expect("results are plain data");
    write(&path, &text)?;
    print(&format!("Written: {}", path.display()))
}

fn indented(lines: &[String]) -> String {
    let lines = lines.iter().map(|line| format!("  {line}"));
    lines.collect::<Vec<_>>().join("\n")
}

/// Runs all jobs of some parts, in as many threads as there are.
fn run_all(
    study: &mut Study,
    parts: &[Part],
    data: &DataSet,
    threads: Option<usize>,
) -> Outcomes<()> {
    let jobs: Vec<(Part, usize)> = (parts.iter())
        .flat_map(|&part| (0..study.jobs(part).len()).map(move |number| (part, number)))
        .collect();
    let bar = bar(jobs.len() as u64);
    let shared: &Study = study;
    let found = pool::run_all_with(
        &jobs,
        threads,
        Runner::default,
        |runner, &(part, number)| {
            let found = runner.run(&shared.jobs(part)[number], data);
            bar.inc(1);
            found
        },
    )?;
    bar.finish_and_clear();
    for (&(part, number), found) in jobs.iter().zip(found) {
        study.add(part, number, found)?;
    }
    Ok(())
}

/// The files of a part, without their endings.
fn stem(part: Part) -> &'static str {
    match part {
        Part::Exposure => "exposure",
        Part::Map => "risk",
        Part::Lambda2 => "curve-lambda2",
        Part::PullCap => "curve-pull_cap",
    }
}

fn as_json(study: &Study, part: Part) -> String {
    match part {
        Part::Exposure => to_json(&study.exposure()),
        Part::Map => to_json(&study.map()),
        Part::Lambda2 => to_json(&study.curve(Knob::Lambda2)),
        Part::PullCap => to_json(&study.curve(Knob::PullCap)),
    }
}

fn converged(study: &Study, part: Part) -> bool {
    match part {
        Part::Exposure => study.exposure().converged,
        Part::Map => study.map().converged,
        Part::Lambda2 => study.curve(Knob::Lambda2).converged,
        Part::PullCap => study.curve(Knob::PullCap).converged,
    }
}

fn write_part(out: &Path, study: &Study, part: Part) -> Outcomes<Vec<String>> {
    let names = ["json", "csv", "svg"].map(|ending| format!("{}.{ending}", stem(part)));
    let files = [
        (names[0].as_str(), as_json(study, part) + "\n"),
        (names[1].as_str(), study.csv(part)),
        (names[2].as_str(), picture(study, part)?),
    ];
    write_all(out, &files)?;
    Ok(names.into())
}

fn picture(study: &Study, part: Part) -> Outcomes<String> {
    let title = part.text();
    let curve = |knob| {
        let height = chart::risk::curve_height(WIDTH);
        chart::svg(WIDTH, height, Style::default(), |area, style| {
            chart::risk::draw_curve(area, title, &study.curve(knob), style)
        })
    };
    Ok(match part {
        Part::Exposure => {
            let panel = study.exposure().panel();
            let height = sweep::height(WIDTH, 1);
            chart::svg(WIDTH, height, Style::default(), |area, style| {
                sweep::draw(area, title, std::slice::from_ref(&panel), style)
            })
        }
        Part::Map => {
            let map = study.map();
            let height = chart::risk::map_height(WIDTH, map.task_names.len());
            let title = format!("Risk map, budget {}", map.spec.budget);
            chart::svg(WIDTH, height, Style::default(), |area, style| {
                chart::risk::draw_map(area, &title, &map, style)
            })
        }
        Part::Lambda2 => curve(Knob::Lambda2),
        Part::PullCap => curve(Knob::PullCap),
    }?)
}
