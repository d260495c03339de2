//! The command line: reads the arguments, runs a command, sets the exit code. Only this program touches
//! files, prints and exits; `input` and `output` do so for all commands, which are a file each.

use std::process::ExitCode;

use clap::Parser as _;
use patom::Error;

mod args;
mod data;
mod defence;
mod defend;
mod figure;
mod input;
mod link;
mod output;
mod reproduce;
mod risk;
mod run;
mod solve;
mod sweep;
mod tune;

use args::{Cli, Command, DataCommand};

/// Why a command did not succeed.
pub enum Failure {
    /// The input is wrong: exit code 2.
    Input(String),
    /// The input is valid, but the work failed: exit code 1.
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

/// What a command returns.
pub type Outcomes<T> = Result<T, Failure>;

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Run {
            spec,
            out,
            json,
            columns,
            data,
        } => run::run(&spec, out.as_deref(), json, columns, &data),
        Command::Risk(arguments) => risk::risk(arguments),
        Command::Defend {
            spec,
            out,
            json,
            threads,
            columns,
            data,
        } => defend::defend(&spec, out.as_deref(), json, threads, columns, &data),
        Command::Tune {
            spec,
            out,
            json,
            folds,
            columns,
            data,
        } => tune::tune(&spec, out.as_deref(), json, folds, columns, &data),
        Command::Solve(options) => solve::solve(&options),
        Command::Data {
            command: DataCommand::List { json, data },
        } => data::list(json, &data),
        Command::Figure(arguments) => figure::figure(&arguments),
        Command::Reproduce(arguments) if arguments.defence => defence::defence(&arguments),
        Command::Reproduce(arguments) => reproduce::reproduce(&arguments),
        Command::Sweep(arguments) => sweep::sweep(&arguments),
        Command::Link {
            spec,
            base,
            columns,
            data,
        } => link::print_link(&spec, &base, columns, &data),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Work(message)) => {
            output::warn(&message);
            ExitCode::from(1)
        }
        Err(Failure::Input(message)) => {
            output::warn(&message);
            ExitCode::from(2)
        }
    }
}
