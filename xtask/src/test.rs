//! `cargo xtask test`: every check and every test, and what came of them.
//!
//! A step either is one check (formatting, clippy, ...) and counts as one, or runs tests and is
//! counted by them. A failed step never keeps the others from running.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use serde::Serialize;
use serde_json::json;

use crate::settings::Settings;
use crate::setup;
use crate::workspace::{Workspace, cargo, typed};
use crate::{build, data, fuzz, site, supply, trust, wasm};

#[path = "../../tests/common/golden.rs"]
pub(crate) mod golden;

/// What `cargo xtask test` understands.
#[derive(Debug, Clone, Args)]
pub struct Arguments {
    /// Only formatting, clippy, data and the native tests: for the inner loop
    #[arg(long)]
    pub quick: bool,
    /// Only the steps whose name contains this (may be given several times)
    #[arg(long, value_name = "NAME")]
    pub only: Vec<String>,
    /// Only the end-to-end cases whose name contains this
    #[arg(long, value_name = "NAME")]
    pub case: Option<String>,
    /// The engines of the end-to-end tests, separated by commas
    #[arg(long, value_name = "LIST", default_value = setup::ENGINES)]
    pub engines: String,
    /// Save what the end-to-end cases show, to be looked at: target/screenshots/
    #[arg(long)]
    pub pictures: bool,
}

impl Arguments {
    /// Whether nothing is left out.
    fn all(&self) -> bool {
        !self.quick && self.only.is_empty() && self.case.is_none()
    }
}

/// What a step, or all of them, came to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Checks and tests that hold.
    pub passed: usize,
    /// The names of those that do not.
    pub failed: Vec<String>,
    /// The names of those that could not run, with the reason where one was given.
    pub skipped: Vec<String>,
    /// The names of those that hold, as far as they have names.
    pub held: Vec<String>,
}

impl Tally {
    /// One more that holds.
    pub(crate) fn hold(&mut self, name: &str) {
        self.passed += 1;
        self.held.push(name.to_owned());
    }

    /// One more, and how it went.
    pub(crate) fn note(&mut self, name: &str, done: Result<()>) {
        match done {
            Ok(()) => self.hold(name),
            Err(error) => {
                println!("{name}: {error:#}");
                self.failed.push(name.to_owned());
            }
        }
    }

    /// The closing line.
    pub fn line(&self) -> String {
        let mut line = format!("{} passed, {} failed", self.passed, self.failed.len());
        if !self.skipped.is_empty() {
            line += &format!(", {} skipped", self.skipped.len());
        }
        line
    }

    fn add(&mut self, step: &str, other: Self) {
        self.passed += other.passed;
        self.failed.extend(
            other
                .failed
                .into_iter()
                .map(|name| format!("{step}: {name}")),
        );
        self.skipped.extend(
            other
                .skipped
                .into_iter()
                .map(|name| format!("{step}: {name}")),
        );
    }
}

struct Session<'a> {
    workspace: &'a Workspace,
    settings: Settings,
    arguments: &'a Arguments,
    /// The data sets that are there; a test that misses one of these fails.
    data: Vec<String>,
    runner: Option<PathBuf>,
    /// What the golden specifications give natively, once they have run.
    digests: Option<String>,
    browsers: Ahead,
    deny: Ahead,
    modules: Ahead,
}

impl<'a> Session<'a> {
    fn new(workspace: &'a Workspace, arguments: &'a Arguments) -> Result<Self> {
        Ok(Self {
            workspace,
            settings: Settings::read(&workspace.root)?,
            arguments,
            data: Vec::new(),
            runner: None,
            digests: None,
            browsers: Ahead::default(),
            deny: Ahead::default(),
            modules: Ahead::default(),
        })
    }
}

/// What a later step needs, made while earlier ones work: much of it keeps one processor busy, or
/// waits for a download. That step asks for the same once more; what went wrong is said there.
#[derive(Default)]
struct Ahead(Option<JoinHandle<Result<()>>>);

impl Ahead {
    fn begin(work: impl FnOnce() -> Result<()> + Send + 'static) -> Self {
        Self(Some(std::thread::spawn(work)))
    }

    /// Waits for the end.
    fn end(&mut self) {
        if let Some(working) = self.0.take() {
            let _ = working.join();
        }
    }
}

type Step = (&'static str, bool, fn(&mut Session) -> Result<Tally>);

/// Name, whether it is part of `--quick`, and what it does.
const STEPS: [Step; 18] = [
    ("formatting", true, formatting),
    ("clippy native", true, clippy_native),
    ("clippy wasm", false, clippy_wasm),
    ("documentation", false, documentation),
    ("packages", false, packages),
    ("data", true, data_sets),
    ("native tests", true, native_tests),
    ("build tool tests", false, tool_tests),
    ("reference in Python", false, python_tests),
    ("reports verified in Python", false, verify),
    ("MATLAB files against SciPy", false, matlab_files),
    ("hostile input", false, hostile_input),
    ("build", false, build_site),
    ("types", false, types),
    ("wasm tests in a Chromium worker", false, wasm_in_chromium),
    ("wasm tests in Node", false, wasm_in_node),
    ("golden digests in Node", false, golden_in_node),
    ("end-to-end", false, end_to_end),
];

/// Runs the steps asked for; true when nothing failed.
///
/// # Errors
/// When nothing can be run at all.
pub fn run(workspace: &Workspace, arguments: &Arguments) -> Result<bool> {
    let chosen = choose(arguments)?;
    let mut session = Session::new(workspace, arguments)?;
    if arguments.all() {
        trust::forget(workspace);
        session.begin_ahead()?;
    }
    let mut total = Tally::default();
    let mut durations = Vec::new();
    for (name, _, step) in chosen {
        println!("\n=== {name}");
        let start = Instant::now();
        let tally = step(&mut session).unwrap_or_else(|error| {
            println!("{error:#}");
            Tally {
                failed: vec![first_line(&error)],
                ..Tally::default()
            }
        });
        let took = start.elapsed();
        println!("=== {name}: {} ({})", tally.line(), seconds(took));
        trust::remember(workspace, name, &tally)?;
        durations.push((name, took, tally.line()));
        total.add(name, tally);
    }

    println!("\nsteps");
    for (name, took, line) in &durations {
        println!("  {:>8}  {name}: {line}", seconds(*took));
    }
    let all = durations.iter().map(|(_, took, _)| took).sum();
    println!("  {:>8}  together", seconds(all));
    for (title, names) in [("skipped", &total.skipped), ("failed", &total.failed)] {
        if !names.is_empty() {
            println!("\n{title}");
            for name in names {
                println!("  {name}");
            }
        }
    }
    println!("\n{}", total.line());
    Ok(total.failed.is_empty())
}

/// Lets the browser case of the README take its pictures, and keeps them in docs/images.
///
/// # Errors
/// When the page cannot be built or a picture cannot be taken.
pub fn screenshots(workspace: &Workspace) -> Result<()> {
    let arguments = Arguments {
        quick: false,
        only: vec!["end-to-end".into()],
        case: Some("picture_taken".into()),
        engines: "chromium".into(),
        pictures: true,
    };
    let mut session = Session::new(workspace, &arguments)?;
    let tally = end_to_end(&mut session)?;
    if !tally.failed.is_empty() || tally.passed == 0 {
        bail!("{}: {:?} {:?}", tally.line(), tally.failed, tally.skipped);
    }
    let images = workspace.root.join("docs/images");
    std::fs::create_dir_all(&images)?;
    let taken = workspace
        .target
        .join("screenshots/chromium/readme-page.png");
    std::fs::copy(&taken, images.join("page.png"))
        .with_context(|| format!("cannot copy {}", taken.display()))?;
    println!("written: docs/images/page.png");
    Ok(())
}

fn choose(arguments: &Arguments) -> Result<Vec<Step>> {
    let names = || step_names().collect::<Vec<_>>().join(", ");
    for part in &arguments.only {
        if !step_names().any(|name| name.contains(part.as_str())) {
            bail!(
                "--only {part}: no step is called so; there are: {}",
                names()
            );
        }
    }
    Ok(STEPS
        .into_iter()
        .filter(|&(_, quick, _)| quick || !arguments.quick)
        .filter(|(name, _, _)| {
            arguments.only.is_empty()
                || arguments
                    .only
                    .iter()
                    .any(|part| name.contains(part.as_str()))
        })
        .collect())
}

/// The names of all steps, in their order.
pub(crate) fn step_names() -> impl Iterator<Item = &'static str> {
    STEPS.into_iter().map(|(name, _, _)| name)
}

fn first_line(error: &anyhow::Error) -> String {
    format!("{error:#}")
        .lines()
        .next()
        .unwrap_or_default()
        .to_owned()
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

// ---- the steps

fn formatting(session: &mut Session) -> Result<Tally> {
    setup::components()?;
    check(session.cargo(&["fmt", "--all", "--", "--check"]))
}

fn clippy_native(session: &mut Session) -> Result<Tally> {
    setup::components()?;
    check(session.cargo(&[
        "clippy",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ]))
}

fn clippy_wasm(session: &mut Session) -> Result<Tally> {
    setup::components()?;
    let target = session.settings.build.target.clone();
    setup::wasm_target(&target)?;
    let mut command = session.cargo(&[
        "clippy",
        "--package",
        "patom",
        "--no-default-features",
        "--features",
        &session.settings.features(),
        "--lib",
        "--test",
        "wasm",
        "--target",
    ]);
    command.arg(target).args(["--", "-D", "warnings"]);
    wasm::with_flags(&mut command, &session.settings, false);
    check(command)
}

fn documentation(session: &mut Session) -> Result<Tally> {
    let mut command = session.cargo(&["doc", "--workspace", "--no-deps"]);
    command.env("RUSTDOCFLAGS", "-D warnings");
    check(command)
}

/// Licences, advisories, and that nobody may write unsafe code.
fn packages(session: &mut Session) -> Result<Tally> {
    session.deny.end();
    setup::node_packages(session.workspace)?;
    supply::check(session.workspace)
}

/// Before the tests that use them: a data set that cannot be had is skipped by name.
fn data_sets(session: &mut Session) -> Result<Tally> {
    let mut tally = Tally::default();
    for set in data::prepare(
        &session.workspace.root,
        &session.workspace.cache().join("data"),
    )? {
        if set.available {
            tally.passed += 1;
            session.data.push(set.name);
        } else {
            tally.skipped.push(format!(
                "{} ({})",
                set.name,
                set.message.unwrap_or_default()
            ));
        }
    }
    Ok(tally)
}

fn native_tests(session: &mut Session) -> Result<Tally> {
    // `--show-output`: a passing test that says it skipped something must be heard.
    tests(
        session,
        session.cargo(&["test", "--no-fail-fast", "--", "--show-output"]),
    )
}

fn tool_tests(session: &mut Session) -> Result<Tally> {
    let words = [
        "test",
        "--package",
        "xtask",
        "--package",
        "browser-tests",
        "--package",
        "fuzz",
        "--no-fail-fast",
        "--",
        "--show-output",
    ];
    tests(session, session.cargo(&words))
}

/// The Python tests of the reference implementation and of the verifier of reports.
fn python_tests(session: &mut Session) -> Result<Tally> {
    let mut command = setup::python(session.workspace)?;
    command
        .args(["-m", "unittest", "discover", "-v"])
        .args(["-s", "tests/oracle", "-p", "test_*.py"])
        .current_dir(&session.workspace.root)
        .stdin(Stdio::null());
    let done = command
        .output()
        .with_context(|| format!("cannot start `{}`", typed(&command)))?;
    // unittest prints on standard error.
    let text = String::from_utf8_lossy(&done.stderr);
    print!("{text}");
    let tally = count_unittest(&text);
    if !done.status.success() && tally.failed.is_empty() {
        bail!("`{}` ended with {}", typed(&command), done.status);
    }
    Ok(tally)
}

/// Random files of users whose reports are verified.
const USER_FILES: usize = 60;

/// Runs the golden specifications and random files of users with the command line and lets the verifier in Python derive
/// every report again from its points.
fn verify(session: &mut Session) -> Result<Tally> {
    let mut python = setup::python(session.workspace)?;
    let mut written = Vec::new();
    if session.data.is_empty() {
        data_sets(session)?;
    }
    let program = command_line_program(session.workspace)?;
    let folder = session.workspace.target.join("verify");
    std::fs::create_dir_all(&folder)?;
    let mut tally = Tally::default();
    for (dataset, name, link) in golden::all() {
        if dataset != "synthetic" && !session.data.iter().any(|known| known == dataset) {
            tally
                .skipped
                .push(format!("{name} (no {dataset} data on this machine)"));
            continue;
        }
        let mut run = Command::new(&program);
        run.args(["run", link, "--out", name, "--data"])
            .arg(session.workspace.root.join("target/data"))
            .env_remove("PATOM_DATA")
            .current_dir(&folder);
        match crate::workspace::output(&mut run) {
            Ok(_) => written.push(name.to_owned()),
            Err(error) => {
                println!("{name}: {error:#}");
                tally.failed.push(name.to_owned());
            }
        }
    }
    // Random files of users, each with a specification.
    let mut maker = setup::python(session.workspace)?;
    maker
        .arg(session.workspace.root.join("tests/oracle/user_files.py"))
        .args(["user", &USER_FILES.to_string()])
        .current_dir(&folder);
    crate::workspace::run(&mut maker)?;
    for number in 0..USER_FILES {
        let name = format!("user_{number}");
        let mut run = Command::new(&program);
        run.args(["run", &format!("user/{name}.json"), "--out", &name])
            .current_dir(&folder);
        match crate::workspace::output(&mut run) {
            Ok(_) => written.push(name),
            Err(error) => {
                println!("{name}: {error:#}");
                tally.failed.push(name);
            }
        }
    }
    python
        .arg(session.workspace.root.join("tests/oracle/verify_report.py"))
        .args(&written)
        .current_dir(&folder)
        .stdin(Stdio::null());
    let done = python
        .output()
        .with_context(|| format!("cannot start `{}`", typed(&python)))?;
    let text = String::from_utf8_lossy(&done.stdout);
    print!("{text}{}", String::from_utf8_lossy(&done.stderr));
    for line in text.lines() {
        match line.split_once(": ") {
            Some((_, verdict)) if verdict.starts_with("verified, ") => tally.passed += 1,
            Some((name, verdict)) if verdict.contains(" discrepancies, ") => {
                tally.failed.push(format!("{name}: {verdict}"));
            }
            _ => {}
        }
    }
    if !done.status.success() && tally.failed.is_empty() {
        bail!("`{}` ended with {}", typed(&python), done.status);
    }
    let record = json!({
        "reports": written.len(),
        "of_user_files": USER_FILES,
        "verified": tally.passed,
        "discrepancies": tally.failed,
        "not_run": tally.skipped,
    });
    trust::record(session.workspace, "verified", &record)?;
    Ok(tally)
}

/// SciPy's own MAT files, and files that it writes: the same values, or a clear refusal.
fn matlab_files(session: &mut Session) -> Result<Tally> {
    let mut python = match setup::python_with_scipy(session.workspace) {
        Ok(python) => python,
        Err(error) => {
            return Ok(Tally {
                skipped: vec![format!("no SciPy with the files of its tests: {error:#}")],
                ..Tally::default()
            });
        }
    };
    crate::workspace::run(&mut session.cargo(&["build", "--quiet", "--example", "matlab_dump"]))?;
    let dump = format!("debug/examples/matlab_dump{}", std::env::consts::EXE_SUFFIX);
    python
        .arg(session.workspace.root.join("tests/oracle/matlab.py"))
        .arg(session.workspace.target.join(dump))
        .arg("--record")
        .arg(session.workspace.target.join("trust/matlab.json"));
    check(python)
}

/// A fixed number of inputs for each fuzz target.
fn hostile_input(session: &mut Session) -> Result<Tally> {
    let result = fuzz::fixed(session.workspace)?;
    let mut tally = Tally::default();
    for target in result["targets"].as_array().into_iter().flatten() {
        match target["findings"]
            .as_array()
            .and_then(|found| found.first())
        {
            None => tally.passed += 1,
            Some(found) => tally.failed.push(format!("{}: {found}", target["target"])),
        }
    }
    Ok(tally)
}

fn build_site(session: &mut Session) -> Result<Tally> {
    session.modules.end();
    let dist = build::build(session.workspace)?;
    let files = site::read_folder(&dist)?;
    let mut tally = Tally::default();
    tally.note(
        "no function of the engine is very large",
        check_functions(&files),
    );
    for share in site::budget(&files) {
        if share.gzip > share.limit {
            let (gzip, limit) = (share.gzip, share.limit);
            tally.failed.push(format!(
                "{}: {gzip} bytes after gzip; at most {limit}",
                share.what
            ));
        } else {
            tally.passed += 1;
        }
    }
    Ok(tally)
}

fn check_functions(files: &site::Files) -> Result<()> {
    let (_, engine) = (files.iter())
        .find(|(path, _)| path.ends_with("/engine_bg.wasm"))
        .context("the site has no engine")?;
    let (largest, limit) = (site::largest_function(engine)?, site::LARGEST_FUNCTION);
    ensure!(largest <= limit, "{largest} bytes of code; at most {limit}");
    Ok(())
}

fn types(session: &mut Session) -> Result<Tally> {
    session.needs_site()?;
    setup::node_packages(session.workspace)?;
    let mut command = Command::new(setup::node_tool(&session.workspace.root, "tsc"));
    command
        .args(["--project", "tsconfig.json"])
        .current_dir(&session.workspace.root);
    check(command)
}

fn wasm_in_chromium(session: &mut Session) -> Result<Tally> {
    session.browsers("chromium")?;
    let mut command = session.wasm_tests()?;
    command
        .env("WASM_BINDGEN_USE_DEDICATED_WORKER", "1")
        .env("WASM_BINDGEN_TEST_TIMEOUT", "300");
    tests(session, command)
}

fn wasm_in_node(session: &mut Session) -> Result<Tally> {
    let command = session.wasm_tests()?;
    tests(session, command)
}

/// The modules and the bundles of the page, with every golden specification.
fn golden_in_node(session: &mut Session) -> Result<Tally> {
    session.needs_site()?;
    let digests = session.native_digests()?;
    let natively = |name: &str| {
        let mut lines = digests.lines().filter_map(|line| line.split_once(' '));
        lines.find(|(of, _)| *of == name).map(|(_, digest)| digest)
    };
    let jobs: Vec<_> = golden::all()
        .map(|(dataset, name, link)| {
            json!({"name": name, "dataset": dataset, "link": link, "digest": natively(name)})
        })
        .collect();
    let path = session.workspace.target.join("golden-jobs.json");
    std::fs::write(
        &path,
        json!({"workers": golden::WORKERS, "jobs": jobs}).to_string(),
    )?;
    let mut command = Command::new("node");
    command
        .arg("tests/golden.mjs")
        .args([&session.settings.output.pkg])
        .arg(session.workspace.cache().join("data"))
        .arg(path)
        .current_dir(&session.workspace.root);
    let tally = tests(session, command)?;
    let equal = json!({"equal": tally.passed, "workers": golden::WORKERS});
    trust::record(session.workspace, "golden/node", &equal)?;
    Ok(tally)
}

fn end_to_end(session: &mut Session) -> Result<Tally> {
    session.needs_site()?;
    session.browsers(&session.arguments.engines)?;
    // For the case that compares them with the page's.
    session.native_digests()?;
    let mut command = Command::new(session.runner()?);
    command
        .args(["--engines", &session.arguments.engines])
        .args(session.arguments.pictures.then_some("--pictures"))
        .args(&session.arguments.case)
        .current_dir(&session.workspace.root);
    tests(session, command)
}

impl Session<'_> {
    /// What takes longest of all that the steps will ask for.
    fn begin_ahead(&mut self) -> Result<()> {
        // Both the modules and clippy ask for it.
        setup::wasm_target(&self.settings.build.target)?;
        let workspace = self.workspace.clone();
        let list = self.arguments.engines.clone();
        self.browsers = Ahead::begin(move || setup::engines(&workspace, &list));
        let workspace = self.workspace.clone();
        self.deny = Ahead::begin(move || supply::CARGO_DENY.get(&workspace).map(drop));
        let workspace = self.workspace.clone();
        let settings = self.settings.clone();
        self.modules = Ahead::begin(move || {
            wasm::build(&workspace, &settings)?;
            crate::workspace::run(wasm_tests(&workspace, &settings).arg("--no-run"))
        });
        Ok(())
    }

    fn cargo(&self, words: &[&str]) -> Command {
        let mut command = cargo();
        command.args(words).current_dir(&self.workspace.root);
        command
    }

    /// Builds the site unless a step before did (as with `--only`).
    fn needs_site(&mut self) -> Result<()> {
        if !self
            .workspace
            .root
            .join(&self.settings.output.dist)
            .join("index.html")
            .is_file()
            || !self.arguments.only.is_empty()
        {
            build::build(self.workspace)?;
        }
        Ok(())
    }

    /// Waits for these engines, and installs what is missing.
    fn browsers(&mut self, list: &str) -> Result<()> {
        self.browsers.end();
        setup::engines(self.workspace, list)
    }

    fn runner(&mut self) -> Result<PathBuf> {
        if let Some(runner) = &self.runner {
            return Ok(runner.clone());
        }
        let runner = browser_program(self.workspace)?;
        self.runner = Some(runner.clone());
        Ok(runner)
    }

    /// What the golden specifications give natively: lines `name digest`, from `tests/golden.rs`.
    fn native_digests(&mut self) -> Result<String> {
        if let Some(found) = &self.digests {
            return Ok(found.clone());
        }
        let path = self.workspace.target.join("golden-digests.txt");
        // Written anew or not there: never those of an older engine.
        let _ = std::fs::remove_file(&path);
        let mut command =
            self.cargo(&["test", "--quiet", "--test", "golden", "handed_to_the_wasm"]);
        command.env("PATOM_DIGESTS_FILE", &path);
        crate::workspace::output(&mut command)?;
        let found =
            std::fs::read_to_string(&path).context("the native digests were not written")?;
        self.digests = Some(found.clone());
        Ok(found)
    }

    fn wasm_tests(&mut self) -> Result<Command> {
        self.modules.end();
        let target = self.settings.build.target.clone();
        setup::wasm_target(&target)?;
        let runner = self.runner()?;
        let mut command = wasm_tests(self.workspace, &self.settings);
        command.env("PATOM_NATIVE_DIGESTS", self.native_digests()?);
        let variable = target.to_uppercase().replace('-', "_");
        command.env(
            format!("CARGO_TARGET_{variable}_RUNNER"),
            format!("{} wasm-test-runner", runner.display()),
        );
        Ok(command)
    }
}

/// The wasm tests, without what runs them.
fn wasm_tests(workspace: &Workspace, settings: &Settings) -> Command {
    let mut command = cargo();
    command
        .args(["test", "--package", "patom", "--test", "wasm"])
        .args(["--no-default-features", "--features", &settings.features()])
        .args(["--target", &settings.build.target])
        .current_dir(&workspace.root);
    wasm::with_flags(&mut command, settings, false);
    command
}

/// The command line, built as the native tests build it.
///
/// # Errors
/// When it cannot be built.
pub fn command_line_program(workspace: &Workspace) -> Result<PathBuf> {
    program(workspace, "patom", "patom")
}

/// The program that drives browsers; it is also the runner of the wasm tests.
pub(crate) fn browser_program(workspace: &Workspace) -> Result<PathBuf> {
    program(workspace, "browser-tests", "browser-tests")
}

/// Builds a program of the workspace; where it lies.
pub(crate) fn program(workspace: &Workspace, package: &str, name: &str) -> Result<PathBuf> {
    let mut command = cargo();
    command
        .args(["build", "--quiet", "--package", package, "--bin", name])
        .current_dir(&workspace.root);
    crate::workspace::run(&mut command)?;
    let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    Ok(workspace.target.join("debug").join(file))
}

// ---- running and counting

fn check(mut command: Command) -> Result<Tally> {
    crate::workspace::run(&mut command)?;
    Ok(Tally {
        passed: 1,
        ..Tally::default()
    })
}

/// Runs a command that prints as `cargo test` does, passes its output on, and counts.
fn tests(session: &Session, mut command: Command) -> Result<Tally> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start `{}`", typed(&command)))?;
    let output = child.stdout.take().context("standard output is piped")?;
    let mut counter = Counter::default();
    for line in BufReader::new(output).split(b'\n') {
        let line = line?;
        let line = String::from_utf8_lossy(&line);
        if counter.hear(line.trim_end()) {
            println!("{}", line.trim_end());
        }
    }
    let status = child.wait()?;
    let mut tally = counter.finish(&session.data);
    if !status.success() && tally.failed.is_empty() {
        tally
            .failed
            .push(format!("`{}` ended with {status}", typed(&command)));
    }
    if tally == Tally::default() {
        tally
            .failed
            .push(format!("`{}` ran no test", typed(&command)));
    }
    Ok(tally)
}

/// Reads the output of `cargo test` line by line.
#[derive(Debug, Default)]
struct Counter {
    passed: usize,
    failed: usize,
    ignored: usize,
    held: Vec<String>,
    failed_names: Vec<String>,
    ignored_names: Vec<String>,
    skipped: Vec<String>,
    /// In a list of the names of passed tests, which nobody needs twice.
    in_successes: bool,
}

impl Counter {
    /// Returns whether the line is worth passing on.
    fn hear(&mut self, line: &str) -> bool {
        if line == "successes:" {
            self.in_successes = true;
            return false;
        }
        if self.in_successes {
            if line.starts_with("    ") {
                return false;
            }
            self.in_successes = line.is_empty();
        }
        if let Some(rest) = line.strip_prefix("SKIPPED ") {
            self.skipped.push(rest.to_owned());
        } else if let Some(rest) = line.strip_prefix("test result: ") {
            self.passed += number_before(rest, " passed");
            self.failed += number_before(rest, " failed");
            self.ignored += number_before(rest, " ignored");
        } else if let Some(rest) = line.strip_prefix("test ")
            && let Some((name, outcome)) = rest.split_once(" ... ")
        {
            let name = name.trim().to_owned();
            // It may be tried again: then the last verdict counts, as in the closing line.
            self.failed_names.retain(|failed| *failed != name);
            // wasm-bindgen-test says FAIL, cargo test FAILED.
            if outcome.starts_with("FAIL") {
                self.failed_names.push(name);
            } else if outcome.starts_with("ignored") {
                self.ignored_names.push(format!("{name} ({outcome})"));
            } else {
                self.held.push(name);
            }
        }
        true
    }

    fn finish(mut self, data: &[String]) -> Tally {
        while self.failed_names.len() < self.failed {
            self.failed_names
                .push("a test whose name was not printed".into());
        }
        // A test that skips itself, or a part of itself, passes in the eyes of `cargo test`.
        let skips_itself = |name: &String| {
            let last = name.rsplit("::").next().unwrap_or(name);
            let mut after = (self.skipped.iter()).filter_map(|skip| skip.strip_prefix(last));
            after.any(|rest| rest.starts_with(": ") || rest.starts_with(" with "))
        };
        self.held.retain(|name| !skips_itself(name));
        let mut tally = Tally {
            failed: self.failed_names,
            held: self.held,
            ..Tally::default()
        };
        tally.skipped = self.ignored_names;
        // A runner may count its skips as ignored without a line of its own for each.
        let unnamed = self.ignored.saturating_sub(tally.skipped.len());
        tally.passed = self
            .passed
            .saturating_sub(self.skipped.len().saturating_sub(unnamed));
        for _ in self.skipped.len()..unnamed {
            tally
                .skipped
                .push("a test whose name was not printed".into());
        }
        for skip in self.skipped {
            let lower = skip.to_lowercase();
            match data.iter().find(|name| lower.contains(name.as_str())) {
                Some(name) => {
                    tally.failed.push(format!(
                        "{skip} [skipped, although the {name} data is there]"
                    ));
                }
                None => tally.skipped.push(skip),
            }
        }
        tally
    }
}

/// Counts what `python3 -m unittest -v` prints.
fn count_unittest(text: &str) -> Tally {
    let mut tally = Tally::default();
    let mut ran = 0;
    for line in text.lines() {
        let failure = line
            .strip_prefix("FAIL: ")
            .or_else(|| line.strip_prefix("ERROR: "));
        if let Some(name) = failure {
            // Each case of a subtest has a line: the test counts once.
            let name = name.split_inclusive(')').next().unwrap_or(name).to_owned();
            if !tally.failed.contains(&name) {
                tally.failed.push(name);
            }
        } else if let Some((name, reason)) = line.split_once(" ... skipped ") {
            tally.skipped.push(format!("{name} ({reason})"));
        } else if let Some(rest) = line.strip_prefix("Ran ") {
            ran = number_before(rest, " test");
        }
    }
    tally.passed = ran.saturating_sub(tally.failed.len() + tally.skipped.len());
    tally
}

fn number_before(text: &str, word: &str) -> usize {
    text.split(word)
        .next()
        .and_then(|before| before.rsplit(|c: char| !c.is_ascii_digit()).next())
        .and_then(|digits| digits.parse().ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(text: &str, data: &[&str]) -> (Tally, Vec<String>) {
        let mut counter = Counter::default();
        let shown = text
            .lines()
            .filter(|line| counter.hear(line))
            .map(Into::into)
            .collect();
        let data: Vec<String> = data.iter().map(|name| (*name).to_owned()).collect();
        (counter.finish(&data), shown)
    }

    #[test]
    fn of_a_case_that_was_tried_again_the_last_verdict_counts() {
        let tried = |again: &str, failed: usize| {
            let text = format!(
                "test x::a ... FAILED (1.0 s)\ntest x::b ... ok (1.0 s)\n\nonce more:\n\
                 test x::a ... {again} (1.0 s)\n\
                 test result: ok. {} passed; {failed} failed; 0 ignored\n",
                2 - failed
            );
            count(&text, &[]).0
        };
        let passed = tried("ok", 0);
        assert_eq!((passed.passed, passed.failed), (2, vec![]));
        assert_eq!(passed.held.iter().filter(|name| *name == "x::a").count(), 1);
        let failed = tried("FAILED", 1);
        assert_eq!((failed.passed, failed.failed), (1, vec!["x::a".to_owned()]));
    }

    const NATIVE: &str = "\
running 4 tests
test a ... ok
test b ... FAILED
test c ... ignored, slow
test d ... ok

successes:

---- d stdout ----
SKIPPED d: no landmine data

successes:
    a
    d

failures:
    b

test result: FAILED. 2 passed; 1 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s
";

    #[test]
    fn passed_failed_ignored_and_self_skipped_are_told_apart() {
        let (tally, shown) = count(NATIVE, &[]);
        assert_eq!(tally.passed, 1);
        assert_eq!(tally.failed, ["b"]);
        assert_eq!(tally.skipped, ["c (ignored, slow)", "d: no landmine data"]);
        assert_eq!(tally.line(), "1 passed, 1 failed, 2 skipped");
        assert!(!shown.iter().any(|line| line == "    a"), "{shown:?}");
        assert!(shown.iter().any(|line| line == "    b"), "{shown:?}");
    }

    #[test]
    fn a_test_that_skips_itself_although_its_data_is_there_fails() {
        let (tally, _) = count(NATIVE, &["landmine"]);
        assert_eq!(tally.failed.len(), 2, "{tally:?}");
        assert_eq!(tally.line(), "1 passed, 2 failed, 1 skipped");
    }

    #[test]
    fn skips_that_the_runner_itself_counted_do_not_lower_what_passed() {
        let text = "test x::a ... ok (1.0 s)\nSKIPPED x::b: needs Chromium\n\
                    test result: ok. 1 passed; 0 failed; 1 ignored; 0 measured";
        let (tally, _) = count(text, &[]);
        assert_eq!(tally.line(), "1 passed, 0 failed, 1 skipped");
    }

    #[test]
    fn a_test_that_one_engine_alone_runs_held_there() {
        let text = "SKIPPED a, in firefox: the same there\ntest chromium::a ... ok (1.0 s)\n\
                    test result: ok. 1 passed; 0 failed; 1 ignored; 0 measured";
        let (tally, _) = count(text, &[]);
        assert_eq!(tally.held, ["chromium::a"]);
        assert_eq!(tally.line(), "1 passed, 0 failed, 1 skipped");
    }

    #[test]
    fn python_tests_are_counted_with_their_subtests_as_one() {
        let text = "\
test_a (test_x.A.test_a)
What a does. ... ok
test_b (test_x.A.test_b) ... FAIL
test_c (test_x.A.test_c) ... skipped 'no data'
test_d (test_x.A.test_d) ... ERROR

======================================================================
FAIL: test_b (test_x.A.test_b) (k=1)
FAIL: test_b (test_x.A.test_b) (k=2)
ERROR: test_d (test_x.A.test_d)
Ran 4 tests in 0.1s

FAILED (failures=2, errors=1, skipped=1)
";
        let tally = count_unittest(text);
        assert_eq!(tally.line(), "1 passed, 2 failed, 1 skipped");
        assert_eq!(tally.failed[0], "test_b (test_x.A.test_b)");
    }

    #[test]
    fn without_skips_the_line_has_two_numbers() {
        let (tally, _) = count("test result: ok. 12 passed; 0 failed; 0 ignored", &[]);
        assert_eq!(tally.line(), "12 passed, 0 failed");
    }

    #[test]
    fn quick_is_formatting_clippy_data_and_native_tests() {
        let arguments = Arguments {
            quick: true,
            only: Vec::new(),
            case: None,
            engines: "chromium".into(),
            pictures: false,
        };
        let names: Vec<_> = choose(&arguments)
            .unwrap()
            .iter()
            .map(|step| step.0)
            .collect();
        assert_eq!(
            names,
            ["formatting", "clippy native", "data", "native tests"]
        );
    }

    #[test]
    fn an_unknown_step_is_refused_with_the_list() {
        let only = vec!["nonsense".to_owned()];
        let arguments = Arguments {
            quick: false,
            only,
            case: None,
            engines: String::new(),
            pictures: false,
        };
        let message = choose(&arguments).unwrap_err().to_string();
        assert!(
            message.contains("nonsense") && message.contains("end-to-end"),
            "{message}"
        );
    }
}
