//! `cargo xtask`: build, serve, data, test, bench.
//!
//! Here: the command line. How the site is built is in [`build`], what a fresh machine lacks in
//! [`setup`], the tiers of `cargo xtask test` in [`mod@test`].

mod bench;
mod build;
mod data;
mod licences;
mod settings;
mod setup;
mod steps;
mod tally;
mod test;
mod tier;
mod wasm;
mod workspace;

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};
use clap::{Parser, Subcommand};

use crate::workspace::Workspace;

/// Builds, serves and tests PATOM Lab. Installs what a command needs where it can.
#[derive(Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    disable_help_subcommand = true
)]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Build the page into dist/, which any static host can serve from any folder
    Build,
    /// Build, then serve the page on this computer
    Serve {
        /// The port to listen on; 0 takes a free one
        #[arg(long, default_value_t = 8080)]
        port: u16,
        /// The address to listen on; 0.0.0.0 accepts connections from other computers
        #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
        host: IpAddr,
    },
    /// Find or download the data sets, check them and write the bundles
    Data,
    /// Time the same work natively, in wasm and by Python peers: docs/performance.md
    Bench(bench::Arguments),
    /// Run the checks and tests of a tier; the last line is `N passed, N failed`
    Test(tier::Arguments),
}

fn main() -> ExitCode {
    match run(Cli::parse().task) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task) -> Result<bool> {
    let workspace = Workspace::find()?;
    match task {
        Task::Build => {
            build::build(&workspace)?;
        }
        Task::Serve { port, host } => {
            let address = usable(SocketAddr::new(host, port))?;
            build::build(&workspace)?;
            serve(&workspace.root, address)?;
        }
        Task::Data => {
            data::prepare(&workspace.root, &workspace.cache().join("data"))?;
        }
        Task::Bench(arguments) => bench::bench(&workspace, &arguments)?,
        Task::Test(arguments) => return test::run(&workspace, &arguments),
    }
    Ok(true)
}

/// The address, with a free port in place of 0.
fn usable(address: SocketAddr) -> Result<SocketAddr> {
    let port = address.port();
    match TcpListener::bind(address).and_then(|listener| listener.local_addr()) {
        Ok(address) => Ok(address),
        Err(error) => match error.kind() {
            ErrorKind::AddrInUse => bail!(
                "port {port} is in use by another program; choose another: cargo xtask serve \
                 --port {}",
                port.saturating_add(1),
            ),
            ErrorKind::PermissionDenied => bail!(
                "port {port} requires administrator rights; choose one above 1023: cargo xtask \
                 serve --port 8080",
            ),
            ErrorKind::AddrNotAvailable => {
                bail!("{} is not an address of this computer", address.ip())
            }
            _ => Err(error).with_context(|| format!("cannot listen on {address}")),
        },
    }
}

/// Serves `dist` until it is stopped. The headers are in vite.config.js.
fn serve(root: &Path, address: SocketAddr) -> Result<()> {
    let mut server = Command::new(setup::node_tool(root, "vite"));
    server
        .args(["preview", "--strictPort", "--logLevel", "warn"])
        .args(["--host", &address.ip().to_string()])
        .args(["--port", &address.port().to_string()])
        .current_dir(root);
    println!("PATOM Lab: http://{address}/   (stop with Ctrl-C)");
    workspace::run(&mut server)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_computer_is_served_by_default() {
        let host = |words: &[&str]| {
            let words = [&["cargo xtask", "serve"], words].concat();
            match Cli::try_parse_from(words).map(|cli| cli.task) {
                Ok(Task::Serve { host, .. }) => host,
                _ => panic!("these words mean serve"),
            }
        };
        assert!(host(&[]).is_loopback());
        assert!(!host(&["--host", "0.0.0.0"]).is_loopback());
    }

    #[test]
    fn a_port_in_use_is_an_error_that_names_another() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = taken.local_addr().unwrap();
        let message = usable(address).unwrap_err().to_string();
        assert!(
            message.contains("in use") && message.contains("--port"),
            "{message}"
        );
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        assert_ne!(usable(any).unwrap().port(), 0);
    }
}
