//! Runs the cases: a few browsers side by side take them from one queue, each case with a window, a
//! server and a time limit of its own. Reports in the words of `cargo test`.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use futures_case::CaseFuture;
use xtask::workspace::Workspace;

use crate::engine::{Browser, Engine};
use crate::page::{Page, Skipped, served};

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
    /// It measures times: in Chromium nothing else runs meanwhile. (The times of the others say
    /// nothing, see [`Page::within`].)
    pub alone: bool,
    /// Why it can run in Chromium only, if that is so.
    pub chromium_only: Option<&'static str>,
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
            alone: false,
            chromium_only: None,
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
    /// Save what the cases show, to be looked at.
    pub pictures: bool,
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
    let (elsewhere, once): (Vec<&Case>, Vec<&Case>) =
        chosen.iter().partition(|case| case.chromium_only.is_none());
    let mut jobs = Vec::new();
    let mut last = Vec::new();
    for &engine in &plan.engines {
        let chromium = engine == Engine::Chromium;
        let cases = if chromium { &chosen } else { &elsewhere };
        for &case in cases {
            let jobs = if chromium && case.alone {
                &mut last
            } else {
                &mut jobs
            };
            jobs.push(Job { engine, case });
        }
    }
    println!("\nrunning {} tests", jobs.len() + last.len());
    let others: Vec<&str> = (plan.engines.iter())
        .filter(|&&engine| engine != Engine::Chromium)
        .map(|engine| engine.name())
        .collect();
    let mut skipped = 0;
    for case in once.iter().filter(|_| !others.is_empty()) {
        let reason = case.chromium_only.unwrap_or_default();
        println!(
            "SKIPPED {}, in {}: {reason}",
            case.name,
            others.join(" and ")
        );
        skipped += 1;
    }
    let start = Instant::now();
    // The longest first, so that none is left at the end while other browsers have nothing to do.
    jobs.sort_by_key(|job| std::cmp::Reverse(job.case.limit));
    let mut ended = side_by_side(plan, jobs, lanes()?)?;
    ended.extend(side_by_side(plan, last, 1)?);
    let shaky = once_more(plan, &mut ended)?;
    let mut failures = Vec::new();
    let mut passed = 0;
    for (job, outcome) in ended {
        match outcome {
            Outcome::Passed => passed += 1,
            Outcome::Skipped(_) => skipped += 1,
            Outcome::Failed(message) => failures.push((job.name(), message)),
        }
    }
    for (title, list) in [
        ("passed only when tried again", &shaky),
        ("failures", &failures),
    ] {
        if !list.is_empty() {
            println!("\n{title}:");
        }
        for (name, message) in list {
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

/// A case to run in an engine.
#[derive(Clone, Copy)]
struct Job<'a> {
    engine: Engine,
    case: &'a Case,
}

impl Job<'_> {
    fn name(&self) -> String {
        format!("{}::{}", self.engine.name(), self.case.name)
    }
}

/// Runs the few cases that failed once more, one after the other: browsers and drivers on a busy
/// machine are not as dependable as a page has to be. The new outcome counts; what passes now is
/// returned with the words of its failure, and reported, so that nothing shaky stays unseen.
fn once_more(plan: &Plan, ended: &mut [Ended]) -> Result<Vec<(String, String)>> {
    // More than these is no accident.
    const MOST: usize = 5;
    let failed = |(_, outcome): &Ended| matches!(outcome, Outcome::Failed(_));
    let count = ended.iter().filter(|one| failed(one)).count();
    if count == 0 || count > MOST {
        return Ok(Vec::new());
    }
    println!("\nonce more, one after the other:");
    let mut shaky = Vec::new();
    for (job, outcome) in ended.iter_mut() {
        let Outcome::Failed(first) = outcome else {
            continue;
        };
        if let Some((_, second)) = side_by_side(plan, vec![*job], 1)?.pop() {
            if matches!(second, Outcome::Passed) {
                shaky.push((job.name(), std::mem::take(first)));
            }
            *outcome = second;
        }
    }
    Ok(shaky)
}

/// How many browsers work side by side: one more than the machine has cores, since a case also
/// waits.
fn lanes() -> Result<usize> {
    Ok(std::thread::available_parallelism()?.get() + 1)
}

/// Takes the next case: one of the same engine if there is one, else of the engine that has most.
fn next<'a>(queue: &Mutex<VecDeque<Job<'a>>>, engine: Option<Engine>) -> Option<Job<'a>> {
    let mut queue = queue.lock().unwrap_or_else(PoisonError::into_inner);
    let at = |engine: Engine| queue.iter().position(|job| job.engine == engine);
    let place = engine.and_then(at).or_else(|| {
        let left = |engine: Engine| queue.iter().filter(|job| job.engine == engine).count();
        let most = queue.iter().max_by_key(|job| left(job.engine))?;
        at(most.engine)
    })?;
    queue.remove(place)
}

/// Lets so many browsers work until nothing is left to do.
fn side_by_side<'a>(plan: &Plan, jobs: Vec<Job<'a>>, lanes: usize) -> Result<Vec<Ended<'a>>> {
    let lanes = lanes.min(jobs.len());
    let queue = Mutex::new(VecDeque::from(jobs));
    std::thread::scope(|scope| {
        let running: Vec<_> = (0..lanes)
            .map(|lane| {
                let first = plan.engines.get(lane % plan.engines.len()).copied();
                let queue = &queue;
                scope.spawn(move || run_lane(plan, queue, first))
            })
            .collect();
        let mut outcomes = Vec::new();
        for thread in running {
            outcomes.extend(thread.join().expect("cases return their failures")?);
        }
        Ok(outcomes)
    })
}

/// A window with nothing in it yet, a server, and an empty folder for the two.
pub async fn open(plan: &Plan, browser: &mut Browser) -> Result<(tempfile::TempDir, Page)> {
    let folder = tempfile::tempdir()?;
    let screenshots = plan.screenshots.join(browser.engine.name());
    std::fs::create_dir_all(&screenshots)?;
    let opening = async {
        // In a folder, as on a shared host: no address may start at the root.
        let server = browser.server(&plan.dist, &served("/some/folder/"))?;
        let window = browser.window().await?;
        Page::start(
            browser,
            window,
            server,
            folder.path().into(),
            (screenshots, plan.pictures),
        )
        .await
    };
    let page = tokio::time::timeout(Duration::from_secs(30), opening)
        .await
        .context("the browser gives no window within 30 s")??;
    Ok((folder, page))
}

/// How a case ended.
type Ended<'a> = (Job<'a>, Outcome);

/// What cases and audit run on.
pub fn runtime() -> Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?)
}

/// Runs case after case in one browser, and in another one where the queue or a failure asks for it.
fn run_lane<'a>(
    plan: &Plan,
    queue: &Mutex<VecDeque<Job<'a>>>,
    first: Option<Engine>,
) -> Result<Vec<Ended<'a>>> {
    runtime()?.block_on(async {
        let mut ended = Vec::new();
        let mut browser: Option<Browser> = None;
        let mut engine = first;
        while let Some(job) = next(queue, engine) {
            let Job {
                engine: wanted,
                case,
            } = job;
            engine = Some(wanted);
            let name = job.name();
            let begun = Instant::now();
            if let Some(other) = browser.take_if(|browser| browser.engine != wanted) {
                other.quit().await;
            }
            let outcome = match ready(plan, wanted, browser.take()).await {
                Ok((used, _folder, page)) => {
                    let outcome = attempt(plan, case, &page).await;
                    // What a failed case left behind must not disturb the next one.
                    if matches!(outcome, Outcome::Failed(_)) {
                        used.quit().await;
                    } else {
                        browser = Some(used);
                    }
                    outcome
                }
                Err(error) => Outcome::Failed(format!("{error:#}")),
            };
            let seconds = begun.elapsed().as_secs_f64();
            match &outcome {
                Outcome::Passed => println!("test {name} ... ok ({seconds:.1} s)"),
                Outcome::Skipped(reason) => println!("SKIPPED {name}: {reason}"),
                Outcome::Failed(message) => {
                    println!("test {name} ... FAILED ({seconds:.1} s)\n    {message}");
                }
            }
            ended.push((job, outcome));
        }
        if let Some(browser) = browser {
            browser.quit().await;
        }
        Ok(ended)
    })
}

/// A page in the browser that is there, or in a new one: browsers sometimes do not start on a busy
/// machine, or lose a window, which is no fault of the page.
async fn ready(
    plan: &Plan,
    engine: Engine,
    kept: Option<Browser>,
) -> Result<(Browser, tempfile::TempDir, Page)> {
    let mut browser = match kept {
        Some(browser) => browser,
        None => Browser::start(engine, &plan.workspace).await?,
    };
    let opened = match open(plan, &mut browser).await {
        Err(error) => {
            println!("(starting {} once more: {error:#})", engine.name());
            browser.quit().await;
            browser = Browser::start(engine, &plan.workspace).await?;
            open(plan, &mut browser).await
        }
        opened => opened,
    };
    let (folder, page) = opened?;
    Ok((browser, folder, page))
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
    match outcome {
        Outcome::Failed(message) => {
            let evidence = tokio::time::timeout(Duration::from_secs(20), keep(plan, case, page));
            Outcome::Failed(match evidence.await {
                Ok(text) => format!("{message}\n{text}"),
                Err(_) => format!("{message}\n(the browser gave no evidence in 20 s)"),
            })
        }
        other => other,
    }
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
