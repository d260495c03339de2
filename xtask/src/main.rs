//! `cargo xtask`: build, serve, data, test.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::{Parser, Subcommand};
use xtask::server::{Options, Server};
use xtask::workspace::Workspace;

/// Builds, serves and tests PATOM Lab. Whatever a command needs and lacks, it adds first.
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
        /// The address to listen on; 0.0.0.0 lets other computers in
        #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
        host: IpAddr,
    },
    /// Find, check and bundle the data sets; says where to put what cannot be had
    Data,
    /// Take the pictures of the README: docs/images/
    Screenshots,
    /// Time the same work natively, in wasm and by Python peers: docs/performance.md
    Bench(xtask::bench::Arguments),
    /// Try hostile input on the readers of files, links and specifications: target/fuzz/
    Fuzz(xtask::fuzz::Arguments),
    /// Measure the budgets (sizes, Lighthouse, axe, times): a table, and target/audit.json
    Audit,
    /// Write docs/trust.md: what the tests tried, how often, and what they found
    Trust,
    /// Run every check and every test; the last line is `N passed, N failed`
    Test(xtask::test::Arguments),
}

fn main() -> ExitCode {
    match run(Cli::parse().task) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task) -> Result<ExitCode> {
    let workspace = Workspace::find()?;
    match task {
        Task::Build => {
            xtask::build::build(&workspace)?;
        }
        Task::Serve { port, host } => {
            let dist = xtask::build::build(&workspace)?;
            serve(&dist, SocketAddr::new(host, port))?;
        }
        Task::Data => {
            xtask::data::prepare(&workspace.root, &workspace.cache().join("data"))?;
        }
        Task::Screenshots => xtask::test::screenshots(&workspace)?,
        Task::Bench(arguments) => xtask::bench::bench(&workspace, &arguments)?,
        Task::Audit => return Ok(exit_code(xtask::audit::run(&workspace)?)),
        Task::Fuzz(arguments) => return Ok(exit_code(xtask::fuzz::fuzz(&workspace, &arguments)?)),
        Task::Trust => xtask::trust::write(&workspace)?,
        Task::Test(arguments) => return Ok(exit_code(xtask::test::run(&workspace, &arguments)?)),
    }
    Ok(ExitCode::SUCCESS)
}

fn exit_code(good: bool) -> ExitCode {
    if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn serve(dist: &std::path::Path, address: SocketAddr) -> Result<()> {
    let options = Options {
        address,
        ..Options::default()
    };
    let server = match Server::start(dist, &options) {
        Ok(server) => server,
        Err(error) => match error
            .downcast_ref::<std::io::Error>()
            .map(std::io::Error::kind)
        {
            Some(std::io::ErrorKind::AddrInUse) => bail!(
                "port {} is in use by another program; choose another: cargo xtask serve --port {}",
                address.port(),
                address.port().saturating_add(1),
            ),
            Some(std::io::ErrorKind::PermissionDenied) => bail!(
                "port {} may not be used by an ordinary user; choose one above 1023: cargo xtask \
                 serve --port 8080",
                address.port(),
            ),
            Some(std::io::ErrorKind::AddrNotAvailable) => {
                bail!("{} is not an address of this computer", address.ip())
            }
            _ => return Err(error.context(format!("cannot listen on {address}"))),
        },
    };
    println!("PATOM Lab: {}   (stop with Ctrl-C)", server.url());
    server.wait();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_computer_is_served_unless_told() {
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
}
