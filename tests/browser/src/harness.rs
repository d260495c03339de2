//! Runs the cases one after another, each in a session, on a server and with a time limit of its
//! own, and reports in the words of `cargo test`.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use futures_case::CaseFuture;
use xtask::server::{Options, Server};
use xtask::workspace::Workspace;

use crate::engine::{Driver, Engine};
use crate::page::{FRAME, Page, Skipped};

mod futures_case {
    use std::future::Future;
    use std::pin::Pin;

    /// What a case returns.
    pub type CaseFuture<'a> = Pin<Box<dyn Future<Output = anyhow::Result<()>> + 'a>>;
}

/// A case: a claim and its proof.
pub struct Case {
    pub name: &'static str,
    pub run: for<'a> fn(&'a Page) -> CaseFuture<'a>,
    pub limit: Duration,
}

/// Lists functions `async fn claim(page: &Page) -> Result<()>` as cases; `claim: 120` allows it
/// 120 seconds in place of 60.
#[macro_export]
macro_rules! cases {
    ($($name:ident $(: $seconds:literal)?),* $(,)?) => {
        vec![$($crate::harness::Case {
            name: stringify!($name),
            run: |page| Box::pin($name(page)),
            limit: std::time::Duration::from_secs($crate::cases!(@limit $($seconds)?)),
        }),*]
    };
    (@limit) => { 60 };
    (@limit $seconds:literal) => { $seconds };
}

/// What to run, and where things are.
pub struct Plan {
    pub workspace: Workspace,
    pub dist: PathBuf,
    pub screenshots: PathBuf,
    pub engines: Vec<Engine>,
    pub filter: Option<String>,
}

enum Outcome {
    Passed,
    Skipped(String),
    Failed(String),
}

/// Runs all cases in all engines asked for; true when none failed.
pub fn run(plan: &Plan, cases: &[Case]) -> Result<bool> {
    if !plan.dist.join("index.html").is_file() {
        bail!(
            "there is no page in {}; type: cargo xtask build",
            plan.dist.display()
        );
    }
    let chosen: Vec<&Case> = cases
        .iter()
        .filter(|case| {
            plan.filter
                .as_ref()
                .is_none_or(|part| case.name.contains(part.as_str()))
        })
        .collect();
    println!("\nrunning {} tests", chosen.len() * plan.engines.len());
    let start = Instant::now();
    // Chromium alone, since its cases measure times; the others side by side.
    let (first, others): (Vec<Engine>, Vec<Engine>) = plan
        .engines
        .iter()
        .partition(|&&engine| engine == Engine::Chromium);
    let mut outcomes = Vec::new();
    for side_by_side in [first, others] {
        let ended: Vec<Result<Vec<Ended>>> = std::thread::scope(|scope| {
            let running: Vec<_> = side_by_side
                .iter()
                .map(|&engine| {
                    scope.spawn({
                        let chosen = &chosen;
                        move || run_in(plan, engine, chosen)
                    })
                })
                .collect();
            running
                .into_iter()
                .map(|thread| thread.join().expect("cases return their failures"))
                .collect()
        });
        for of_engine in ended {
            outcomes.extend(of_engine?);
        }
    }
    let mut failures = Vec::new();
    let (mut passed, mut skipped) = (0, 0);
    for (name, outcome) in outcomes {
        match outcome {
            Outcome::Passed => passed += 1,
            Outcome::Skipped(_) => skipped += 1,
            Outcome::Failed(message) => failures.push((name, message)),
        }
    }
    if !failures.is_empty() {
        println!("\nfailures:");
        for (name, message) in &failures {
            println!("\n---- {name} ----\n{message}");
        }
    }
    println!(
        "\ntest result: {}. {passed} passed; {} failed; {skipped} ignored; 0 measured; {} filtered \
         out; finished in {:.2}s\n",
        if failures.is_empty() { "ok" } else { "FAILED" },
        failures.len(),
        cases.len() - chosen.len(),
        start.elapsed().as_secs_f64(),
    );
    Ok(failures.is_empty())
}

/// A browser with nothing in it yet, a server, and an empty folder for the two.
pub async fn open(
    plan: &Plan,
    engine: Engine,
    driver: &Driver,
) -> Result<(tempfile::TempDir, Page)> {
    let folder = tempfile::tempdir()?;
    let screenshots = plan.screenshots.join(engine.name());
    std::fs::create_dir_all(&screenshots)?;
    // In a folder, as on a shared host: no address may start at the root.
    let options = Options {
        mount: "/some/folder/".into(),
        pages: vec![FRAME],
        ..Options::default()
    };
    let server = Server::start(&plan.dist, &options)?;
    let start = Page::start(engine, driver, server, folder.path().into(), screenshots);
    let page = tokio::time::timeout(Duration::from_mins(1), start)
        .await
        .context("the browser does not start within 60 s")??;
    Ok((folder, page))
}

/// How a case ended, with its name and its engine's.
type Ended = (String, Outcome);

/// What cases and audit run on.
pub fn runtime() -> Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?)
}

/// Runs the cases one after another in one engine.
fn run_in(plan: &Plan, engine: Engine, cases: &[&Case]) -> Result<Vec<Ended>> {
    runtime()?.block_on(async {
        let mut driver = Driver::start(engine, &plan.workspace).await?;
        let mut ended = Vec::new();
        for case in cases {
            let name = format!("{}::{}", engine.name(), case.name);
            let begun = Instant::now();
            let opened = match open(plan, engine, &driver).await {
                Err(error) => {
                    // Browsers sometimes do not start on a busy machine: no fault of the page.
                    println!("(starting {} once more: {error:#})", engine.name());
                    driver = Driver::start(engine, &plan.workspace).await?;
                    open(plan, engine, &driver).await
                }
                opened => opened,
            };
            let outcome = match opened {
                Ok((_folder, page)) => attempt(plan, case, &page).await,
                Err(error) => Outcome::Failed(format!("{error:#}")),
            };
            let seconds = begun.elapsed().as_secs_f64();
            match &outcome {
                Outcome::Passed => println!("test {name} ... ok ({seconds:.1} s)"),
                Outcome::Skipped(reason) => println!("SKIPPED {name}: {reason}"),
                Outcome::Failed(_) => println!("test {name} ... FAILED ({seconds:.1} s)"),
            }
            ended.push((name, outcome));
        }
        Ok(ended)
    })
}

async fn attempt(plan: &Plan, case: &Case, page: &Page) -> Outcome {
    let outcome = match tokio::time::timeout(case.limit, (case.run)(page)).await {
        Ok(outcome) => outcome,
        Err(_) => Err(anyhow::anyhow!(
            "not done within {} s",
            case.limit.as_secs()
        )),
    };
    let outcome = match outcome {
        Ok(()) => match page.console_errors().await {
            Ok(errors) if errors.is_empty() => Outcome::Passed,
            Ok(errors) => {
                Outcome::Failed(format!("errors in the console:\n  {}", errors.join("\n  ")))
            }
            Err(error) => Outcome::Failed(format!("the console cannot be read: {error:#}")),
        },
        Err(error) => match error.downcast_ref::<Skipped>() {
            Some(Skipped(reason)) => Outcome::Skipped(reason.clone()),
            None => Outcome::Failed(format!("{error:#}")),
        },
    };
    let outcome = match outcome {
        Outcome::Failed(message) => {
            let evidence = tokio::time::timeout(Duration::from_secs(20), keep(plan, case, page));
            Outcome::Failed(match evidence.await {
                Ok(text) => format!("{message}\n{text}"),
                Err(_) => format!("{message}\n(the browser gave no evidence in 20 s)"),
            })
        }
        other => other,
    };
    let quit = tokio::time::timeout(Duration::from_secs(10), page.driver.clone().quit());
    if !matches!(quit.await, Ok(Ok(()))) {
        eprintln!("(the browser of {} did not close by itself)", case.name);
    }
    outcome
}

/// Saves what a failed case looked like, and returns what there is to say about it.
async fn keep(plan: &Plan, case: &Case, page: &Page) -> String {
    let stem = plan
        .screenshots
        .join(format!("failed-{}-{}", page.engine.name(), case.name));
    let mut text = String::new();
    if page
        .driver
        .screenshot(&stem.with_extension("png"))
        .await
        .is_ok()
    {
        text += &format!("screenshot: {}\n", stem.with_extension("png").display());
    }
    if let Ok(source) = page.driver.source().await
        && std::fs::write(stem.with_extension("html"), source).is_ok()
    {
        text += &format!("source: {}\n", stem.with_extension("html").display());
    }
    if let Ok(url) = page.driver.current_url().await {
        text += &format!("address: {url}\n");
    }
    if let Ok(errors) = page.console_errors().await {
        for error in errors {
            text += &format!("console: {error}\n");
        }
    }
    text
}
