//! The command line: files, progress, exit codes. The only product code that touches files, prints
//! or exits.

use std::fmt::Display;
use std::fs::File;
use std::io::{self, ErrorKind, IsTerminal as _, Read, Write as _};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

mod figure;
mod reproduce;

use clap::builder::{PathBufValueParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use patom::Error;
use patom::attack::Injection;
use patom::data::formats::csv::Table;
use patom::data::import::Preview;
use patom::data::import::mapping::Mapping;
use patom::data::{self, DataSet, MAX_FILE_BYTES, RawPoints, import, published};
use patom::error::visible;
use patom::experiment::{self, Observer, Outcome};
use patom::mtrl::{self, Limits, Loss, Problem, Solver, Status, Task, Weights};
use patom::report::TracePoint;
use patom::spec::link::{self, Link};
use patom::spec::{DATASETS, DatasetRef, Draft, Shape, Spec};
use serde_json::json;

use figure::FigureArguments;
use reproduce::ReproduceArguments;

/// Data poisoning of multi-task relationship learning: the command line of PATOM Lab.
///
/// Exit codes: 0 done, 1 not converged or failed, 2 bad input (the message is on standard error).
#[derive(Parser)]
#[command(name = "patom", version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run a specification: train, attack, train again.
    Run {
        /// A JSON file, `-` for standard input, or a share link.
        spec: String,
        /// Write report.json and points.csv into this folder.
        #[arg(long)]
        out: Option<PathBuf>,
        /// Print the report as JSON instead of a summary.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        columns: ColumnsArgument,
        #[command(flatten)]
        data: DataFolder,
    },
    /// Solve the lower level alone for the tasks of a CSV file.
    Solve(Solve),
    /// Data sets.
    Data {
        #[command(subcommand)]
        command: DataCommand,
    },
    /// Run a figure of the paper: tables, pictures and specifications, in parallel.
    Figure(FigureArguments),
    /// Compare every claim of the paper with what is measured: docs/reproduction.md.
    Reproduce(ReproduceArguments),
    /// Print the share link of a specification.
    Link {
        /// A JSON file, `-` for standard input, or a share link.
        spec: String,
        /// Address of the page to put before the link's fragment.
        #[arg(long, default_value = "")]
        base: String,
        #[command(flatten)]
        columns: ColumnsArgument,
        #[command(flatten)]
        data: DataFolder,
    },
}

#[derive(Subcommand)]
enum DataCommand {
    /// List the data sets and where their files are.
    List {
        /// Print JSON.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        data: DataFolder,
    },
}

/// Where data is looked for first.
#[derive(Args)]
pub struct DataFolder {
    /// Look for data here before $PATOM_DATA, ../shared/data and the cache.
    #[arg(long = "data", value_name = "DIR", value_parser = folder_argument())]
    folder: Option<PathBuf>,
}

/// The path of a folder that is there.
fn folder_argument() -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().try_map(|path| {
        if path.is_dir() {
            Ok(path)
        } else {
            Err("expected a folder that is there")
        }
    })
}

#[derive(Args)]
struct ColumnsArgument {
    /// What the columns of a file of your own are, where their names do not say it:
    /// `task:1;label:9;split:10,test;x:2-8`. A link carries the same text as c=.
    #[arg(long, value_name = "TEXT")]
    columns: Option<Mapping>,
}

#[derive(Args)]
struct Solve {
    /// CSV with columns task,label,x1..xd; where there is a column split, rows marked test are
    /// left out. `-` for standard input.
    tasks: String,
    #[arg(long, value_enum, default_value_t = LossArgument::Squared)]
    loss: LossArgument,
    #[arg(long, value_enum, default_value_t = SolverArgument::Certified)]
    solver: SolverArgument,
    /// λ1, weight of the penalty on the size of the model.
    #[arg(long, default_value_t = 0.1, allow_negative_numbers = true)]
    lambda1: f64,
    /// λ2, weight of the task relationship.
    #[arg(long, default_value_t = 0.1, allow_negative_numbers = true)]
    lambda2: f64,
    /// ε, floor of the task covariance.
    #[arg(long, default_value_t = 1e-6, allow_negative_numbers = true)]
    epsilon: f64,
    /// Stop at this certificate, relative to max(1, objective).
    #[arg(long, default_value_t = Limits::default().tolerance, allow_negative_numbers = true)]
    tolerance: f64,
    /// Most Newton steps, or rounds of the alternation.
    #[arg(long, default_value_t = Limits::default().max_iterations)]
    max_iterations: usize,
}

#[derive(Clone, Copy, ValueEnum)]
#[value(rename_all = "snake_case")]
enum LossArgument {
    Squared,
    SquaredHinge,
}

#[derive(Clone, Copy, ValueEnum)]
#[value(rename_all = "snake_case")]
enum SolverArgument {
    Certified,
    Alternating,
}

/// Largest specification.
const MAX_SPEC_BYTES: usize = 1 << 20;

/// Why a command did not succeed.
enum Failure {
    /// The input is wrong: exit code 2.
    Input(String),
    /// It was right, but the work did not succeed: exit code 1.
    Work(String),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Numerical { .. } | Error::Cancelled => Self::Work(error.to_string()),
            _ => Self::Input(error.to_string()),
        }
    }
}

type Outcomes<T> = Result<T, Failure>;

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Run {
            spec,
            out,
            json,
            columns,
            data,
        } => run(&spec, out.as_deref(), json, columns, &data),
        Command::Solve(options) => solve(&options),
        Command::Data {
            command: DataCommand::List { json, data },
        } => list(json, &data),
        Command::Figure(arguments) => figure::figure(&arguments),
        Command::Reproduce(arguments) => reproduce::reproduce(&arguments),
        Command::Link {
            spec,
            base,
            columns,
            data,
        } => print_link(&spec, &base, columns, &data),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Work(message)) => {
            tell(&message);
            ExitCode::from(1)
        }
        Err(Failure::Input(message)) => {
            tell(&message);
            ExitCode::from(2)
        }
    }
}

/// Tells something on standard error, if anybody listens. Of what a file or a link holds, nothing
/// is obeyed by a terminal.
fn tell(message: &str) {
    let lines: Vec<String> = message.split('\n').map(visible).collect();
    let _ = writeln!(std::io::stderr(), "patom: {}", lines.join("\n"));
}

/// Prints to standard output. A reader that went away (`patom ... | head`) is no failure.
fn print(text: &str) -> Outcomes<()> {
    match writeln!(std::io::stdout(), "{text}") {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Failure::Work(format!("standard output: {error}")))
        }
        _ => Ok(()),
    }
}

fn run(
    spec: &str,
    out: Option<&Path>,
    as_json: bool,
    columns: ColumnsArgument,
    folder: &DataFolder,
) -> Outcomes<()> {
    let link = read_spec(spec, columns)?;
    let (spec, data) = load(&link, folder)?;
    // Found out now, not after hours.
    out.map_or(Ok(()), prepare_folder)?;
    let mut progress = Progress::new(spec.iterations);
    let outcome = experiment::run(&spec, &data, &mut progress)?;
    progress.bar.finish_and_clear();
    let written = out.map(|out| write_files(out, &outcome));
    let report = &outcome.report;
    let comparison = link.claim.compare(&report.claim(), report.metric_name);
    if injected_count(&outcome) == 0 && spec.budget > 0.0 {
        tell(&format!(
            "no point is injected: a budget of {} gives none to the few training points of the \
             attacking tasks",
            spec.budget
        ));
    }
    if as_json {
        print(&to_json(report))?;
        if let Some(comparison) = comparison {
            tell(&comparison.words);
        }
    } else {
        print(&summary(&outcome))?;
        if let Some(comparison) = comparison {
            print(&comparison.words)?;
        }
        if let (Some(out), Some(Ok(()))) = (out, &written) {
            print(&format!(
                "Written: {0}/report.json, {0}/points.csv",
                out.display()
            ))?;
        }
    }
    written.unwrap_or(Ok(()))?;
    if report.converged() {
        Ok(())
    } else {
        Err(Failure::Work(format!(
            "the lower level did not converge (clean: {}, attack: {}); the certificates in the \
             report say how far the optimum may be",
            word(report.clean.solver_status),
            word(report.worst_solver_status)
        )))
    }
}

/// The files of a run.
const FILES: [&str; 2] = ["report.json", "points.csv"];

/// What did not work with a file or a folder.
fn failed(path: &Path, error: impl Display) -> Failure {
    Failure::Work(format!("{}: {error}", path.display()))
}

/// Makes the folder of a run, and makes sure that its files can be written.
fn prepare_folder(out: &Path) -> Outcomes<()> {
    std::fs::create_dir_all(out).map_err(|error| failed(out, error))?;
    for name in FILES {
        let path = out.join(name);
        if path.is_dir() {
            return Err(failed(&path, "a folder; expected a file, or nothing"));
        }
        let beside = beside(&path);
        write(&beside, "")?;
        std::fs::remove_file(&beside).map_err(|error| failed(&beside, error))?;
    }
    Ok(())
}

/// Both files or none: the points are those of the report.
fn write_files(out: &Path, outcome: &Outcome) -> Outcomes<()> {
    let texts = [to_json(&outcome.report) + "\n", outcome.points_csv()];
    let paths = FILES.map(|name| out.join(name));
    let written = (paths.iter().zip(&texts))
        .try_for_each(|(path, text)| write(&beside(path), text))
        .and_then(|()| paths.iter().try_for_each(|path| replace(path)));
    if written.is_err() {
        for path in &paths {
            // As far as it is there.
            let _ = std::fs::remove_file(beside(path));
        }
    }
    written
}

/// Where a file is written before it is renamed, so that an interrupted write leaves no half file.
fn beside(path: &Path) -> PathBuf {
    path.with_added_extension("part")
}

fn write(path: &Path, text: &str) -> Outcomes<()> {
    std::fs::write(path, text).map_err(|error| failed(path, error))
}

/// Puts what was written beside a file in its place.
fn replace(path: &Path) -> Outcomes<()> {
    std::fs::rename(beside(path), path).map_err(|error| failed(path, error))
}

fn injected_count(outcome: &Outcome) -> usize {
    (outcome.injections.iter())
        .map(|injection| injection.labels.len())
        .sum()
}

fn to_json(value: &impl serde::Serialize) -> String {
    serde_json::to_string_pretty(value).expect("reports hold strings and finite numbers only")
}

fn word(status: Status) -> &'static str {
    match status {
        Status::Converged => "converged",
        Status::Settled => "settled above the tolerance",
        Status::IterationLimit => "iteration limit",
        Status::Stalled => "stalled",
    }
}

/// Widest column of names.
const MAX_WIDTH: usize = 200;

/// The report for a reader at a terminal.
fn summary(outcome: &Outcome) -> String {
    let report = &outcome.report;
    let metric = match report.metric_name {
        patom::metrics::MetricName::Nmse => "NMSE",
        patom::metrics::MetricName::Auc => "AUC",
    };
    let number = |value: Option<f64>| value.map_or("-".to_string(), |value| format!("{value:.4}"));
    let mut lines = vec![format!(
        "{:>5}  {:>10}  {:>12}  {:>9}",
        "iter", metric, "utility", "seconds"
    )];
    lines.extend(report.trace.iter().map(|point| {
        format!(
            "{:>5}  {:>10}  {:>12.4}  {:>9.4}",
            point.iteration,
            number(point.metric),
            point.utility,
            point.seconds
        )
    }));
    lines.push(String::new());
    let names: Vec<String> = report.task_names.iter().map(|name| visible(name)).collect();
    let width = (names.iter())
        .map(|name| name.chars().count())
        .fold(4, usize::max)
        .min(MAX_WIDTH);
    lines.push(format!(
        "{:>5}  {:<width$}  {:>10}  {:>10}  role",
        "", "task", "clean", "attacked"
    ));
    for (task, name) in names.iter().enumerate() {
        let role = match (
            report.target_tasks.contains(&task),
            report.attacking_tasks.contains(&task),
        ) {
            (true, true) => "target, attacking",
            (true, false) => "target",
            (false, true) => "attacking",
            (false, false) => "",
        };
        let missing = report.clean.metric_per_task[task].is_none();
        let note = if missing {
            " (no metric: its test labels are all alike)"
        } else {
            ""
        };
        lines.push(format!(
            "{:>5}  {name:<width$}  {:>10}  {:>10}  {role}{note}",
            format!("T{}", task + 1),
            number(report.clean.metric_per_task[task]),
            number(report.attacked.metric_per_task[task])
        ));
    }
    lines.push(String::new());
    lines.push(format!("Injected points: {}", injected_count(outcome)));
    lines.push(format!(
        "Lower level: {} (clean), {} (attack), certificate {:.1e}",
        word(report.clean.solver_status),
        word(report.worst_solver_status),
        report.attacked.certificate
    ));
    lines.push(format!(
        "Digest: {}   engine {}",
        report.digest, report.engine
    ));
    lines.join("\n")
}

/// A bar on a terminal, nothing elsewhere.
struct Progress {
    start: Instant,
    bar: ProgressBar,
}

impl Progress {
    fn new(iterations: usize) -> Self {
        Self {
            start: Instant::now(),
            bar: bar(iterations as u64),
        }
    }
}

fn bar(length: u64) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {elapsed} {msg}")
        .expect("the template is valid");
    ProgressBar::new(length).with_style(style)
}

impl Observer for Progress {
    fn now(&mut self) -> f64 {
        self.start.elapsed().as_secs_f64()
    }

    fn iteration(&mut self, point: &TracePoint, _: &[Injection]) -> ControlFlow<()> {
        self.bar.set_position(point.iteration as u64);
        if let Some(metric) = point.metric {
            self.bar.set_message(format!("metric {metric:.4}"));
        }
        ControlFlow::Continue(())
    }
}

/// The checked specification and its data set.
fn load(link: &Link, folder: &DataFolder) -> Outcomes<(Spec, DataSet)> {
    let mut draft = link.draft.clone();
    let columns = link.columns.as_ref();
    let (data, shape) = match draft.dataset()? {
        DatasetRef::Named(name) if columns.is_some() && DATASETS.contains(&name.as_str()) => {
            let expected = "--columns only with a file of your own";
            return Err(Error::field("dataset", name, expected).into());
        }
        DatasetRef::Named(name) if name == "synthetic" => (None, Shape::named(&name)),
        DatasetRef::Named(name) if DATASETS.contains(&name.as_str()) => {
            (Some(load_named(&name, folder)?), Shape::named(&name))
        }
        DatasetRef::Named(path) => {
            let data = read_file(&path, columns, folder)?;
            draft.set(
                "dataset",
                json!({ "name": data.name, "sha256": data.sha256 }),
            );
            let shape = Shape::of(&data);
            (Some(data), Some(shape))
        }
        DatasetRef::File { name, sha256 } => {
            let data = find_by_hash(&name, &sha256, columns, folder)?;
            let shape = Shape::of(&data);
            (Some(data), Some(shape))
        }
    };
    let shape = shape.expect("every name of DATASETS has a shape");
    let spec = check(&draft, &shape)?;
    let data = match data {
        Some(data) => data,
        None => experiment::load_synthetic(&spec)?,
    };
    Ok((spec, data))
}

/// Every field that is wrong, a line each.
fn check(draft: &Draft, shape: &Shape) -> Outcomes<Spec> {
    draft.check(shape).map_err(|errors| {
        let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
        Failure::Input(lines.join("\n       "))
    })
}

/// What was given as SPEC: a link, or a file (`-` for standard input) that holds JSON or a link.
fn read_spec(text: &str, given: ColumnsArgument) -> Outcomes<Link> {
    let mut link = read_link_or_json(text)?;
    match (&link.columns, given.columns) {
        (Some(own), Some(columns)) if *own != columns => Err(Error::field(
            "columns",
            columns,
            format!("no --columns beside a link, or those of the link: {own}"),
        )
        .into()),
        (_, None) => Ok(link),
        (_, columns) => {
            link.columns = columns;
            Ok(link)
        }
    }
}

fn read_link_or_json(text: &str) -> Outcomes<Link> {
    if link::is_link(text) {
        return read_link(text);
    }
    let content = read_text(text)?;
    if link::is_link(content.trim()) && !content.trim_start().starts_with('{') {
        return read_link(&content);
    }
    let draft = Draft::parse(&content)?;
    Ok(Link {
        draft,
        ..Link::default()
    })
}

fn read_link(text: &str) -> Outcomes<Link> {
    let link = link::decode(text)?;
    for key in link.unknown_keys() {
        tell(&format!("link: key {key} is unknown and has no effect"));
    }
    Ok(link)
}

/// The text of a specification.
fn read_text(path: &str) -> Outcomes<String> {
    let bytes = read_bytes(path, MAX_SPEC_BYTES)?;
    String::from_utf8(bytes)
        .map_err(|error| Failure::Input(format!("{path}: {error}; expected UTF-8 text")))
}

/// A file, a pipe, or standard input for `-`.
fn read_bytes(path: &str, most: usize) -> Outcomes<Vec<u8>> {
    let result = if path == "-" {
        read_at_most(io::stdin(), most)
    } else {
        File::open(path).and_then(|file| read_at_most(file, most))
    };
    result.map_err(|error| {
        Failure::Input(format!(
            "{path}: {error}; expected a file of at most {most} bytes"
        ))
    })
}

fn read_at_most(source: impl Read, most: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    source.take(most as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > most {
        let what = format!("more than {most} bytes");
        return Err(io::Error::new(ErrorKind::FileTooLarge, what));
    }
    Ok(bytes)
}

/// The bytes of a data set. A pipe could keep us waiting for ever.
fn read_data(path: &Path) -> io::Result<Vec<u8>> {
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::new(ErrorKind::InvalidInput, "no file"));
    }
    read_at_most(File::open(path)?, MAX_FILE_BYTES)
}

/// A user's file: at this path, or else below one of the folders that hold data.
fn read_file(path: &str, columns: Option<&Mapping>, folder: &DataFolder) -> Outcomes<DataSet> {
    let path = Path::new(path);
    let known = path.extension().is_some_and(|ending| {
        let is = |known| ending.eq_ignore_ascii_case(known);
        ["csv", "tsv", "txt", "mat"].into_iter().any(is)
    });
    if !known {
        return Err(Error::field(
            "dataset",
            path.display(),
            format!(
                "one of {}, or the path of a .csv, .tsv, .txt or .mat file",
                DATASETS.join(", ")
            ),
        )
        .into());
    }
    // The folder that was asked for, here, and then the others. (An absolute path is itself below
    // any folder.)
    let mut places: Vec<PathBuf> = (folders(folder).iter())
        .map(|folder| folder.join(path))
        .collect();
    places.insert(usize::from(folder.folder.is_some()), path.to_path_buf());
    let is_there = |place: &&PathBuf| place.exists();
    let place = places.iter().find(is_there).map_or(path, PathBuf::as_path);
    let bytes = read_data(place).map_err(|error| {
        Failure::Input(format!(
            "dataset: {}: {error}; expected a file of at most {MAX_FILE_BYTES} bytes here or in \
             the folder that --data names",
            place.display()
        ))
    })?;
    let name = path
        .file_name()
        .map_or_else(String::new, |name| name.to_string_lossy().into());
    read_mapped(&name, &bytes, columns)
}

/// The data set in a user's file; where its columns need a mapping, with the words for one.
fn read_mapped(name: &str, bytes: &[u8], columns: Option<&Mapping>) -> Outcomes<DataSet> {
    let made = import::read_with(name, bytes, columns).map_err(|error| {
        let guess = match columns {
            None => import::inspect(name, bytes, None).ok(),
            Some(_) => None,
        };
        let is_good = |preview: &Preview| {
            !preview.has_our_names && preview.guess.check(preview.columns.len()).is_ok()
        };
        match guess.filter(is_good) {
            Some(preview) => Failure::Input(format!(
                "{error}\n       Or say what its columns are, perhaps --columns '{}'",
                preview.guess
            )),
            None => error.into(),
        }
    })?;
    if made.dropped > 0 {
        tell(&format!(
            "{} of {} rows lack a value and were left out",
            made.dropped, made.rows
        ));
    }
    Ok(made.data)
}

/// Folders that may hold data, in the order in which they are looked through.
fn folders(folder: &DataFolder) -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = folder.folder.clone().into_iter().collect();
    folders.extend(std::env::var_os("PATOM_DATA").map(PathBuf::from));
    folders.extend([
        PathBuf::from("../shared/data"),
        PathBuf::from("target/data"),
    ]);
    folders
}

fn find(file: &str, folder: &DataFolder) -> Option<Vec<u8>> {
    folders(folder)
        .iter()
        .find_map(|folder| read_data(&folder.join(file)).ok())
}

/// A published data set from wherever its files are.
fn load_named(name: &str, folder: &DataFolder) -> Outcomes<DataSet> {
    Ok(published::load(name, &|file| find(file, folder))?)
}

fn find_by_hash(
    name: &str,
    sha256: &str,
    columns: Option<&Mapping>,
    folder: &DataFolder,
) -> Outcomes<DataSet> {
    let mut folders = folders(folder);
    folders.push(PathBuf::from("."));
    let mut others = Vec::new();
    for path in folders.iter().map(|folder| folder.join(name)) {
        let bytes = match read_data(&path) {
            Ok(bytes) => bytes,
            Err(error) => {
                if error.kind() != ErrorKind::NotFound {
                    others.push(format!("{}: {error}", path.display()));
                }
                continue;
            }
        };
        let found = data::sha256_hex(&bytes);
        if found == sha256 {
            return read_mapped(name, &bytes, columns);
        }
        others.push(format!("{} has {found}", path.display()));
    }
    let found = if others.is_empty() {
        "no such file".to_string()
    } else {
        others.join("; ")
    };
    Err(Error::field(
        "dataset",
        format!("{name}: {found}"),
        format!("a file with SHA-256 {sha256}; name its folder with --data"),
    )
    .into())
}

fn print_link(
    spec: &str,
    base: &str,
    columns: ColumnsArgument,
    folder: &DataFolder,
) -> Outcomes<()> {
    let link = read_spec(spec, columns)?;
    let draft = &link.draft;
    // Only a user's own file is needed to know its defaults.
    let (spec, shape) = match draft.dataset()? {
        DatasetRef::Named(name) if link.columns.is_none() && DATASETS.contains(&name.as_str()) => {
            let shape = Shape::named(&name).expect("every name of DATASETS has a shape");
            (check(draft, &shape)?, shape)
        }
        _ => {
            let (spec, data) = load(&link, folder)?;
            (spec, Shape::of(&data))
        }
    };
    let columns = link.columns.map(|columns| columns.to_string());
    let fragment = link::with_columns(&link::encode(&spec, &shape), columns.as_deref());
    print(&format!("{base}#{fragment}"))
}

fn list(as_json: bool, folder: &DataFolder) -> Outcomes<()> {
    let mut entries = vec![json!({
        "name": "synthetic", "title": "Synthetic tasks with known correlation",
        "available": true, "tasks": 8, "features": 10, "message": null,
    })];
    for source in &published::CATALOGUE {
        let loaded = source.load(&|file| find(file, folder));
        entries.push(match loaded {
            Ok(data) => json!({
                "name": source.name, "title": source.title, "available": true,
                "tasks": data.task_count(), "features": data.features,
                "points": data.point_count(), "data_sha256": data.sha256, "message": null,
            }),
            Err(error) => json!({
                "name": source.name, "title": source.title, "available": false,
                "message": error.to_string(),
            }),
        });
    }
    if as_json {
        return print(&to_json(&entries));
    }
    for entry in &entries {
        let text = |key: &str| entry[key].as_str().unwrap_or_default().to_string();
        if entry["available"] == true {
            print(&format!(
                "{:<10} {} tasks, {} features  {}",
                text("name"),
                entry["tasks"],
                entry["features"],
                text("title")
            ))?;
        } else {
            print(&format!(
                "{:<10} not there: {}",
                text("name"),
                text("message")
            ))?;
        }
    }
    Ok(())
}

fn solve(options: &Solve) -> Outcomes<()> {
    let table = Table::read(&read_bytes(&options.tasks, MAX_FILE_BYTES)?)?;
    let training = table.training_points();
    for (task, points) in table.tasks.iter().zip(&training) {
        if points.labels.is_empty() {
            return Err(Error::data(format!(
                "task {} has test points only; expected at least one to train",
                task.name
            ))
            .into());
        }
    }
    let dimension = table.features + 1;
    let tasks = training
        .into_iter()
        .map(|points| task(points, dimension - 1));
    let weights = Weights {
        loss: match options.loss {
            LossArgument::Squared => Loss::Squared,
            LossArgument::SquaredHinge => Loss::SquaredHinge,
        },
        lambda1: options.lambda1,
        lambda2: options.lambda2,
        epsilon: options.epsilon,
    };
    let solver = match options.solver {
        SolverArgument::Certified => Solver::Certified,
        SolverArgument::Alternating => Solver::Alternating,
    };
    let limits = Limits {
        tolerance: options.tolerance,
        max_iterations: options.max_iterations,
    };
    let start = Instant::now();
    let mut problem = Problem::new(weights, dimension, tasks.collect())?;
    let solution = mtrl::solve(solver, &mut problem, None, &limits)?;
    let seconds = start.elapsed().as_secs_f64();
    let m = problem.task_count();
    let rows = |values: &[f64]| -> Vec<Vec<f64>> {
        values
            .chunks_exact(values.len() / m)
            .map(<[f64]>::to_vec)
            .collect()
    };
    print(&to_json(&json!({
        "weights": rows(&solution.w),
        "omega": rows(&solution.spectrum.omega()),
        "correlation": rows(&solution.spectrum.correlation()),
        "objective": solution.objective,
        "certificate": solution.certificate,
        "iterations": solution.iterations,
        "solver_status": solution.status,
        "seconds": seconds,
    })))?;
    if matches!(solution.status, Status::Converged | Status::Settled) {
        Ok(())
    } else {
        Err(Failure::Work(format!(
            "not converged ({}), certificate {:.3e}",
            word(solution.status),
            solution.certificate
        )))
    }
}

/// Appends the bias to each point.
fn task(points: RawPoints, features: usize) -> Task {
    let rows = points.features.chunks_exact(features);
    Task {
        points: rows
            .flat_map(|row| row.iter().copied().chain([1.0]))
            .collect(),
        clean: points.labels.len(),
        labels: points.labels,
    }
}
