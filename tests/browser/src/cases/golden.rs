//! The golden specifications in the page's own workers: every engine gives the native digests.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::json;
use xtask::trust;
use xtask::workspace::Workspace;

use super::lab::needs;
use crate::cases;
use crate::harness::Case;
use crate::page::Page;

#[path = "../../../common/golden.rs"]
mod table;

pub fn cases() -> Vec<Case> {
    cases![
        golden_digests_are_the_native_ones_with_1_2_and_4_workers: 400,
    ]
}

/// What native code found, by name: `tests/golden.rs` writes it, called by `cargo xtask test`.
fn native() -> Result<BTreeMap<String, String>> {
    let path = Workspace::find()?.target.join("golden-digests.txt");
    let text = std::fs::read_to_string(&path)
        .with_context(|| format!("{} is missing: `cargo xtask test` makes it", path.display()))?;
    let pairs = text.lines().filter_map(|line| line.split_once(' '));
    Ok(pairs
        .map(|(name, digest)| (name.into(), digest.into()))
        .collect())
}

async fn golden_digests_are_the_native_ones_with_1_2_and_4_workers(page: &Page) -> Result<()> {
    let native = native()?;
    let table: Vec<(&str, &str)> = table::all()
        .filter(|(dataset, ..)| *dataset == "synthetic" || needs(dataset).is_ok())
        .map(|(_, name, link)| (name, link))
        .collect();
    let links: Vec<&str> = table.iter().map(|(_, link)| *link).collect();
    page.open("").await?;
    let script = "const [links, workers, done] = arguments; \
        const main = document.querySelector('script[type=module]').src; \
        const part = (name) => import(new URL(name, main)); \
        (async () => { \
          const { loadEngine } = await part('engine.js'); \
          const { Pool } = await part('pool.js'); \
          const { fetchBundle, syntheticSource } = await part('data.js'); \
          const engine = await loadEngine(); \
          const jobs = []; \
          for (const link of links) { \
            const { spec } = engine.complete(engine.readLink(link).draft); \
            const source = spec.dataset === 'synthetic' \
              ? syntheticSource(spec) : await fetchBundle(spec.dataset); \
            jobs.push({ spec, source }); \
          } \
          const digests = []; \
          const pool = new Pool(engine.module, workers, []); \
          await pool.run(jobs, \
            (k, measured) => (digests[k] = measured.digest), \
            (k, problem) => (digests[k] = problem.message)); \
          const repeated = pool.solvers.flatMap(({ repeated }) => repeated?.problem.message ?? []); \
          return [digests, repeated]; \
        })().then(done, (error) => done([[String(error)], []]))";
    page.driver
        .set_script_timeout(Duration::from_mins(2))
        .await?;
    let mut repeated = Vec::new();
    for workers in table::WORKERS {
        let (found, of_these): (Vec<String>, Vec<String>) = page
            .js_later(script, vec![json!(links), json!(workers)])
            .await?;
        repeated.extend(of_these);
        for (k, (name, _)) in table.iter().enumerate() {
            let expected = native
                .get(*name)
                .with_context(|| format!("{name} natively"))?;
            ensure!(
                found.get(k) == Some(expected),
                "{name} with {workers} workers: {:?} here, {expected} natively",
                found.get(k)
            );
        }
    }
    trust::record(
        &Workspace::find()?,
        &format!("golden/{}", page.engine.name()),
        &json!({"equal": links.len(), "workers": table::WORKERS, "repeated": repeated}),
    )
}
