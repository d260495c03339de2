//! `patom reproduce`: runs the paper's figures (finished runs are reused) and writes the comparison
//! with its claims. Not here: the comparison (`patom::paper::reproduction`).

use std::fmt::Write as _;

use patom::data::DataSet;
use patom::paper::figures::Figure;
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

    for figure in [Figure::Convergence, Figure::Quality, Figure::Correlations] {
        let done = run_figure(&FigureArguments {
            number: figure.number(),
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
