//! `patom reproduce`: runs the paper's figures (finished runs are reused) and writes the comparison
//! with its claims, and the published results that the page shows. Not here: the comparison (`patom::paper::reproduction`).

use std::fmt::Write as _;
use std::time::SystemTime;

use patom::data::DataSet;
use patom::paper::plan::Figure;
use patom::paper::published::Published;
use patom::paper::reproduction::{self, DATASETS, Runs};

use crate::Outcomes;
use crate::args::{DataFolder, FigureArguments, ReproduceArguments};
use crate::figure::run_figure;
use crate::input::load_named;
use crate::output::{bar, failed, print, write};

pub fn reproduce(arguments: &ReproduceArguments) -> Outcomes<()> {
    let mut text = reproduction::introduction(arguments.seeds, arguments.study_seeds);
    let folder = |name: &str| arguments.out.join("reproduction").join(name);
    std::fs::create_dir_all(folder("")).map_err(|error| failed(&arguments.out, error))?;
    std::fs::create_dir_all(&arguments.page).map_err(|error| failed(&arguments.page, error))?;
    let today = today();

    for figure in [Figure::Convergence, Figure::Quality, Figure::Correlations] {
        let done = run_figure(&FigureArguments {
            number: figure.number(),
            method: patom::paper::plan::Protocol::Exact,
            dataset: Vec::new(),
            seeds: arguments.seeds,
            first_seed: 1,
            out: arguments.work.clone(),
            threads: None,
            data: DataFolder {
                folder: arguments.data.folder.clone(),
            },
        })?;
        let runs: Runs = done.runs.iter().zip(&done.results).collect();
        let number = figure.number();
        let _ = write!(
            text,
            "\n## Figure {number}\n\nThe paper: {}\n\n",
            figure.claim()
        );
        for name in figure.datasets() {
            let file = format!("figure{number}-{name}.svg");
            std::fs::copy(done.folder.join(&file), folder(&file))
                .map_err(|error| failed(&done.folder, error))?;
            let _ = writeln!(text, "![Figure {number}, {name}](reproduction/{file})\n");
        }
        let published = Published::of(figure, arguments.seeds, &today, &runs);
        write(
            &arguments.page.join(format!("figure{number}.json")),
            &serde_json::to_string(&published).expect("results are plain data"),
        )?;
        let table = format!("figure{number}.csv");
        // Figure 3 is a table of every matrix entry: large, and made again in seconds.
        if figure != Figure::Correlations {
            std::fs::copy(done.folder.join(&table), folder(&table))
                .map_err(|error| failed(&done.folder, error))?;
            let _ = writeln!(text, "All numbers: [{table}](reproduction/{table}).\n");
        }
        text += &reproduction::figure(figure, &runs);
    }
    let data = DATASETS
        .iter()
        .map(|&name| Ok((name, load_named(name, &arguments.data)?)))
        .collect::<Outcomes<Vec<(&str, DataSet)>>>()?;
    let bar = bar(0);
    text += &reproduction::studies(&data, arguments.study_seeds, &mut |done, all| {
        bar.set_length(all);
        bar.set_position(done);
    })?;
    bar.finish_and_clear();
    let path = arguments.out.join("reproduction.md");
    write(&path, &text)?;
    print(&format!("Written: {}", path.display()))
}

/// Today's date in UTC, such as 2026-11-28.
fn today() -> String {
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
