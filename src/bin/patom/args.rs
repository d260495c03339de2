//! The arguments of the command line. Not here: what the commands do, a file each.

use std::path::PathBuf;
use std::str::FromStr;

use clap::builder::{PathBufValueParser, PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand};
use patom::data::import::mapping::Mapping;
use patom::mtrl::{Limits, Loss, Solver};
use patom::paper::plan::Protocol;
use patom::risk::curve::Knob;
use patom::spec::DATASETS;
use patom::tuning::Grid;

/// Data poisoning of multi-task relationship learning: the command line of PATOM Lab.
///
/// Exit codes: 0 done, 1 not converged or failed, 2 bad input (the message is on standard error).
#[derive(Parser)]
#[command(name = "patom", version, about)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand)]
pub enum Command {
    /// Run a specification: train, attack, train again.
    Run {
        /// A JSON file, `-` for standard input, a share link, or the report of an earlier run.
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
    /// Is the data at risk, and which task can be used against which?
    Risk(RiskArguments),
    /// What each defence is worth, against the standard attacker and attackers who know it.
    Defend {
        /// A JSON file, `-` for standard input, a share link, or a report. Its own defence is ignored,
        /// except for its pull cap, which is added to those of the study.
        spec: String,
        /// Write defence.json, defence.csv, rankings.csv and pictures into this folder.
        #[arg(long)]
        out: Option<PathBuf>,
        /// Print the study as JSON instead of a summary.
        #[arg(long)]
        json: bool,
        /// Threads; default: one for each core. Results do not depend on it.
        #[arg(long)]
        threads: Option<usize>,
        #[command(flatten)]
        columns: ColumnsArgument,
        #[command(flatten)]
        data: DataFolder,
    },
    /// Choose λ1 and λ2 by cross-validation on the clean training points of a specification.
    Tune {
        /// A JSON file, `-` for standard input, a share link, or a report.
        spec: String,
        /// Write tuning.json, trials.csv and spec.json (with the choice) into this folder.
        #[arg(long)]
        out: Option<PathBuf>,
        /// Print the result as JSON instead of a summary.
        #[arg(long)]
        json: bool,
        /// Parts of each task's training points, 2 to 20.
        #[arg(long, default_value_t = Grid::default().folds)]
        folds: usize,
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
    /// Run a grid of specifications in parallel. Runs that are there are not run again, so a sweep may be
    /// interrupted, repeated, extended, and shared between machines.
    Sweep(SweepArguments),
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

#[derive(Args)]
pub struct RiskArguments {
    /// A JSON file, `-` for standard input, a share link, or a report.
    pub spec: String,
    /// Write exposure and risk (or, with --curve, curve-lambda2 or curve-pull_cap), each as .json, .csv
    /// and .svg, into this folder.
    #[arg(long)]
    pub out: Option<PathBuf>,
    /// Print the map (or the curve) as JSON instead of a summary.
    #[arg(long)]
    pub json: bool,
    /// Threads; default: one for each core. Results do not depend on it.
    #[arg(long)]
    pub threads: Option<usize>,
    /// Instead: what sharing costs, the clean error and the worst indirect damage over λ2 or over the
    /// pull cap.
    #[arg(long, value_parser = knob())]
    pub curve: Option<Knob>,
    /// Instead: write the published results that the page shows into this folder.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["out", "json", "curve"])]
    pub page: Option<PathBuf>,
    #[command(flatten)]
    pub columns: ColumnsArgument,
    #[command(flatten)]
    pub data: DataFolder,
}

#[derive(Subcommand)]
pub enum DataCommand {
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
    pub folder: Option<PathBuf>,
}

/// The path of an existing folder.
fn folder_argument() -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().try_map(|path| {
        if path.is_dir() {
            Ok(path)
        } else {
            Err("expected an existing folder")
        }
    })
}

#[derive(Args)]
pub struct ColumnsArgument {
    /// What the columns of a file of your own are, where their names do not say it:
    /// `task:1;label:9;split:10,test;x:2-8`. A link carries the same text as c=.
    #[arg(long, value_name = "TEXT")]
    pub columns: Option<Mapping>,
}

#[derive(Args)]
pub struct Solve {
    /// CSV with columns task,label,x1..xd, or any file that `patom run` reads; rows that are marked
    /// as test points are left out. `-` for standard input.
    pub tasks: String,
    #[command(flatten)]
    pub columns: ColumnsArgument,
    #[arg(long, value_parser = loss(), default_value = Loss::Squared.word())]
    pub loss: Loss,
    #[arg(long, value_parser = solver(), default_value = Solver::Certified.word())]
    pub solver: Solver,
    /// λ1, weight of the penalty on the size of the model.
    #[arg(long, default_value_t = 0.1, allow_negative_numbers = true)]
    pub lambda1: f64,
    /// λ2, weight of the task relationship.
    #[arg(long, default_value_t = 0.1, allow_negative_numbers = true)]
    pub lambda2: f64,
    /// ε, floor of the task covariance.
    #[arg(long, default_value_t = 1e-6, allow_negative_numbers = true)]
    pub epsilon: f64,
    /// Stop at this certificate, relative to max(1, objective).
    #[arg(long, default_value_t = Limits::default().tolerance, allow_negative_numbers = true)]
    pub tolerance: f64,
    /// Most Newton steps, or rounds of the alternation.
    #[arg(long, default_value_t = Limits::default().max_iterations)]
    pub max_iterations: usize,
}

#[derive(Args)]
pub struct FigureArguments {
    /// 1 (convergence), 2 (quality over budgets) or 3 (task correlations).
    pub number: u32,
    /// By the paper's method as printed, or by ours.
    #[arg(long, value_parser = protocol(), default_value = Protocol::Paper.word())]
    pub method: Protocol,
    /// Only this data set; may be given several times. Default: those of the paper.
    #[arg(long)]
    pub dataset: Vec<String>,
    /// Repeats with different seeds.
    #[arg(long, default_value_t = 5)]
    pub seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 1)]
    pub first_seed: u64,
    /// Write tables, pictures and specifications into this folder.
    #[arg(long)]
    pub out: PathBuf,
    /// Threads; default: one for each core. Results do not depend on it.
    #[arg(long)]
    pub threads: Option<usize>,
    #[command(flatten)]
    pub data: DataFolder,
}

#[derive(Args)]
pub struct ReproduceArguments {
    /// Folder for the runs; what is finished there is used again.
    #[arg(long, default_value = "target/reproduction")]
    pub work: PathBuf,
    /// Folder for reproduction.md, its pictures and tables.
    #[arg(long, default_value = "docs")]
    pub out: PathBuf,
    /// Folder for the published results that the page shows.
    #[arg(long, default_value = "www/public/published")]
    pub page: PathBuf,
    /// Repeats of the figures with different seeds.
    #[arg(long, default_value_t = 5)]
    pub seeds: u64,
    /// The studies of defences instead of the figures: docs/defence.md.
    #[arg(long)]
    pub defence: bool,
    /// With --defence: only these data sets. Default: all.
    #[arg(long, requires = "defence", value_parser = PossibleValuesParser::new(DATASETS))]
    pub dataset: Vec<String>,
    /// Repeats of the comparisons of settings and gradients.
    #[arg(long, default_value_t = 3)]
    pub study_seeds: u64,
    /// Instead, try what the paper leaves open, and write paper-settings.md.
    #[arg(long)]
    pub settings: bool,
    /// With `--settings`: repeats with different seeds on Sarcos and Landmine.
    #[arg(long, default_value_t = 10)]
    pub settings_seeds: u64,
    /// With `--settings`: repeats on MNIST, where a run takes as long as 50 others; 0 leaves it out.
    #[arg(long, default_value_t = 1)]
    pub settings_mnist_seeds: u64,
    #[command(flatten)]
    pub data: DataFolder,
}

fn protocol() -> impl TypedValueParser<Value = Protocol> {
    PossibleValuesParser::new(Protocol::WORDS)
        .map(|word| Protocol::from_word(&word).expect("one of the possible values"))
}

#[derive(Args)]
pub struct SweepArguments {
    /// A JSON file, or `-` for standard input: {"spec": {...}, "grid": {"budget": [0.1, 0.2], "seed":
    /// "1..10"}}, or a list of such.
    pub grid: String,
    /// The folder of the results: plan.jsonl, parts/ and results.csv.
    #[arg(long)]
    pub out: PathBuf,
    /// Only a share of the runs: 3/16 is the third of sixteen, for an array of jobs.
    #[arg(long, value_name = "I/N", default_value = "1/1")]
    pub shard: Shard,
    /// Threads; default: one for each core. Results do not depend on it.
    #[arg(long)]
    pub threads: Option<usize>,
    /// Check the grid, print how many runs there are to do, and write nothing.
    #[arg(long)]
    pub plan: bool,
    #[command(flatten)]
    pub data: DataFolder,
}

/// One of several equal shares of the runs.
#[derive(Clone, Copy)]
pub struct Shard {
    /// From 1.
    pub part: usize,
    /// How many there are.
    pub of: usize,
}

impl FromStr for Shard {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let numbers = (text.split_once('/'))
            .and_then(|(part, of)| Some((part.parse().ok()?, of.parse().ok()?)));
        match numbers {
            Some((part, of)) if 1 <= part && part <= of => Ok(Self { part, of }),
            _ => Err("expected a number and a count, such as 3/16"),
        }
    }
}

fn loss() -> impl TypedValueParser<Value = Loss> {
    PossibleValuesParser::new(Loss::WORDS)
        .map(|word| Loss::from_word(&word).expect("one of the possible values"))
}

fn knob() -> impl TypedValueParser<Value = Knob> {
    PossibleValuesParser::new(Knob::WORDS)
        .map(|word| Knob::from_word(&word).expect("one of the possible values"))
}

fn solver() -> impl TypedValueParser<Value = Solver> {
    PossibleValuesParser::new(Solver::WORDS)
        .map(|word| Solver::from_word(&word).expect("one of the possible values"))
}
