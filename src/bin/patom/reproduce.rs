//! `patom reproduce`: runs the paper's figures by both methods (finished runs are reused) and writes the
//! comparison with its claims, and the published results that the page shows; with `--settings` the search
//! over what the paper leaves open. Not here: the comparison (`patom::paper`).

use std::fmt::Write as _;
use std::time::SystemTime;

use patom::data::DataSet;
use patom::paper::plan::{Figure, Protocol};
use patom::paper::published::Published;
use patom::paper::reproduction::{self, DATASETS, Runs};
use patom::paper::search::{self, Job, Table, Traced, Variant};
use patom::paper::studies;
use patom::pool;
use patom::spec::Spec;

use crate::Outcomes;
use crate::args::{DataFolder, FigureArguments, ReproduceArguments};
use crate::figure::{Done, run_figure, stem};
use crate::input::load_named;
use crate::output::{bar, failed, partial, print, replace, to_json, write};

pub fn reproduce(arguments: &ReproduceArguments) -> Outcomes<()> {
    if arguments.settings {
        return settings(arguments);
    }
    let mut text = reproduction::introduction(arguments.seeds, arguments.study_seeds);
    let folder = arguments.out.join("reproduction");
    for folder in [&folder, &arguments.page] {
        std::fs::create_dir_all(folder).map_err(|error| failed(folder, error))?;
    }
    for figure in [Figure::Convergence, Figure::Quality, Figure::Correlations] {
        let of = |&method: &Protocol| Ok((method, publish(figure, method, arguments)?));
        let done: Vec<(Protocol, Done)> = Protocol::ALL.iter().map(of).collect::<Outcomes<_>>()?;
        let number = figure.number();
        let _ = write!(
            text,
            "\n## Figure {number}: {}\n\n",
            figure.title().to_lowercase()
        );
        pictures(&mut text, figure);
        let methods: Vec<(Protocol, Runs)> = (done.iter())
            .map(|(method, done)| (*method, done.runs()))
            .collect();
        text += &reproduction::figure(figure, &methods);
    }
    let data = all_data(arguments)?;
    let bar = bar(0);
    text += &studies::studies(&data, arguments.study_seeds, &mut |done, all| {
        bar.set_length(all);
        bar.set_position(done);
    })?;
    bar.finish_and_clear();
    let synthetic = Spec::default_of("synthetic");
    let drawn = patom::experiment::load_synthetic(&synthetic)?;
    crate::risk::publish(&synthetic, &drawn, None, &arguments.page)?;
    for (name, data) in &data {
        crate::risk::publish(&Spec::default_of(name), data, None, &arguments.page)?;
    }
    let path = arguments.out.join("reproduction.md");
    write(&path, &text)?;
    print(&format!("Written: {}", path.display()))
}

/// Runs a figure by a method, writes its published results, and copies its pictures and its table.
fn publish(figure: Figure, method: Protocol, arguments: &ReproduceArguments) -> Outcomes<Done> {
    let done = run_figure(&FigureArguments {
        number: figure.number(),
        method,
        dataset: Vec::new(),
        seeds: arguments.seeds,
        first_seed: 1,
        out: arguments.work.clone(),
        threads: None,
        data: DataFolder {
            folder: arguments.data.folder.clone(),
        },
    })?;
    let stem = stem(figure, method);
    let pictures = figure.datasets().iter();
    let mut files: Vec<String> = pictures.map(|name| format!("{stem}-{name}.svg")).collect();
    // Figure 3 is a table of every matrix entry: large, and made again in seconds.
    if figure != Figure::Correlations {
        files.push(format!("{stem}.csv"));
    }
    for file in &files {
        let to = arguments.out.join("reproduction").join(file);
        std::fs::copy(done.folder.join(file), to).map_err(|error| failed(&done.folder, error))?;
    }
    let today = today();
    let published = Published::of(figure, method, arguments.seeds, &today, &done.runs());
    write(
        &arguments.page.join(format!("{stem}.json")),
        &serde_json::to_string(&published).expect("results are plain data"),
    )?;
    Ok(done)
}

/// The pictures of both methods side by side, and their tables.
fn pictures(text: &mut String, figure: Figure) {
    let methods = Protocol::ALL;
    let titles: Vec<&str> = methods.iter().map(|method| method.text()).collect();
    let _ = writeln!(
        text,
        "| {} |\n|{}",
        titles.join(" | "),
        " --- |".repeat(methods.len())
    );
    for name in figure.datasets() {
        let cells: Vec<String> = (methods.iter())
            .map(|&method| {
                let (title, stem) = (method.text(), stem(figure, method));
                format!("![{name}, {title}](reproduction/{stem}-{name}.svg)")
            })
            .collect();
        let _ = writeln!(text, "| {} |", cells.join(" | "));
    }
    if figure != Figure::Correlations {
        let tables: Vec<String> = (methods.iter())
            .map(|&method| {
                let stem = stem(figure, method);
                format!("[{stem}.csv](reproduction/{stem}.csv)")
            })
            .collect();
        let _ = writeln!(text, "\nAll numbers: {}.", tables.join(", "));
    }
    text.push('\n');
}

fn all_data(arguments: &ReproduceArguments) -> Outcomes<Vec<(&'static str, DataSet)>> {
    (DATASETS.iter())
        .map(|&name| Ok((name, load_named(name, &arguments.data)?)))
        .collect()
}

/// Tries every variant of the paper's method, and what helps together.
fn settings(arguments: &ReproduceArguments) -> Outcomes<()> {
    let out = &arguments.out;
    std::fs::create_dir_all(out).map_err(|error| failed(out, error))?;
    let data = all_data(arguments)?;
    let mut table = Table::default();
    for variant in search::variants() {
        table.add(&variant, &variant_runs(&variant, &data, arguments)?);
    }
    if let Some(variant) = table.combination() {
        table.add(&variant, &variant_runs(&variant, &data, arguments)?);
    }
    let seeds = (arguments.settings_seeds, arguments.settings_mnist_seeds);
    let command = format!(
        "patom reproduce --settings --settings-seeds {} --settings-mnist-seeds {}",
        seeds.0, seeds.1
    );
    let path = out.join("paper-settings.md");
    write(&path, &table.text(&command, seeds))?;
    print(&format!("Written: {}", path.display()))
}

/// The runs of a variant on all data sets; those of a data set are kept together on disk.
fn variant_runs(
    variant: &Variant,
    data: &[(&str, DataSet)],
    arguments: &ReproduceArguments,
) -> Outcomes<Vec<(Job, Traced)>> {
    let folder = arguments.work.join("settings");
    std::fs::create_dir_all(&folder).map_err(|error| failed(&folder, error))?;
    let mut runs = Vec::new();
    for (name, data) in data {
        let seeds = match *name {
            "mnist" => arguments.settings_mnist_seeds,
            _ => arguments.settings_seeds,
        };
        if seeds == 0 {
            continue;
        }
        let jobs = search::jobs(variant, name, seeds)?;
        // Named after what determines the results: a variant that changes nothing here finds those of
        // another one.
        let path = folder.join(format!("{}.json", search::key(&jobs, data)));
        let kept = std::fs::read_to_string(&path).ok();
        let kept = kept.and_then(|text| serde_json::from_str::<Vec<Traced>>(&text).ok());
        let traced = match kept.filter(|kept| kept.len() == jobs.len()) {
            Some(kept) => kept,
            None => {
                let bar = bar(jobs.len() as u64);
                bar.set_message(format!("{name}, {}", variant.text()));
                let traced = pool::run_all(&jobs, None, |job| -> Outcomes<_> {
                    let traced = search::trace(job, data)?;
                    bar.inc(1);
                    Ok(traced)
                })?;
                bar.finish_and_clear();
                write(&partial(&path), &to_json(&traced))?;
                replace(&path)?;
                traced
            }
        };
        runs.extend(jobs.into_iter().zip(traced));
    }
    Ok(runs)
}

/// Today's date in UTC, such as 2026-11-28.
pub fn today() -> String {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    date(now.map_or(0, |time| time.as_secs() / 86_400))
}

/// The date this many days after 1970-01-01.
fn date(days: u64) -> String {
    // Counted in years from March, so that a leap day is the last day of its year.
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = 400 * era + year + u64::from(month <= 2);
    format!("{year}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::date;

    #[test]
    fn days_are_turned_into_dates() {
        let dates = [0, 19_782, 19_783, 20_785].map(date);
        assert_eq!(
            dates,
            ["1970-01-01", "2024-02-29", "2024-03-01", "2026-11-28"]
        );
    }
}
