//! stub
use crate::workspace::Workspace;
/// Options.
#[derive(Debug, clap::Args)]
pub struct Arguments {}
/// Runs.
/// # Errors
/// x
pub fn run(_w: &Workspace, _a: &Arguments) -> anyhow::Result<bool> {
    Ok(true)
}
