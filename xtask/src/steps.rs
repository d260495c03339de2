//! What the steps of `cargo xtask test` do.
//!
//! A step either is one check (formatting, clippy, ...), which counts as one, or runs tests, which
//! are counted one by one (`tally`). A failed step does not stop the others. Not here: which steps a
//! tier has (`test`).

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::JoinHandle;

use anyhow::{Context, Result, anyhow, bail, ensure};
use serde_json::{Value, json};

use crate::settings::Settings;
use crate::tally::{self, CargoTests, Tally};
use crate::tier::Arguments;
use crate::workspace::{Workspace, cargo, output, run as run_command, typed};
use crate::{build, data, setup, wasm};

#[path = "../../tests/common/golden.rs"]
mod golden;

/// Bytes of a data set that the page downloads; bundles are compressed.
const LARGEST_BUNDLE: usize = 600_000;
/// Bytes of the Python package.
const LARGEST_WHEEL: u64 = 1_500_000;
/// Random user files whose reports are verified in Python.
const USER_FILES: usize = 60;
/// Inputs for each target of tests/fuzz in the full tier; the default is in the tests.
const FUZZ_CASES: &str = "20000";
/// With more failures than this, none is repeated.
const MOST_REPEATED: usize = 5;
/// Not in package.json: its many packages are installed in the full tier only.
const LIGHTHOUSE: &str = "@lhci/cli@0.15.1";

/// What the steps of a run share.
pub struct Session<'a> {
    workspace: &'a Workspace,
    settings: Settings,
    arguments: &'a Arguments,
    /// The data sets that are there, once they have been looked for.
    data: Option<Vec<String>>,
    golden: Option<Golden>,
    site_is_built: bool,
    browsers: Prefetch,
    modules: Prefetch,
}

/// The golden specifications run natively by the command line.
#[derive(Clone)]
struct Golden {
    /// Folder with a folder NAME for each, which holds its report.
    folder: PathBuf,
    digests: BTreeMap<String, String>,
    /// The digests as a JSON object.
    file: PathBuf,
    tally: Tally,
}

/// Work that a later step needs, started early because it waits for downloads or occupies only one
/// processor. The step does the same work again (then quickly), and reports what went wrong.
#[derive(Default)]
struct Prefetch(Option<JoinHandle<Result<()>>>);

impl Prefetch {
    fn start(work: impl FnOnce() -> Result<()> + Send + 'static) -> Self {
        Self(Some(std::thread::spawn(work)))
    }

    fn wait(&mut self) {
        if let Some(working) = self.0.take() {
            let _ = working.join();
        }
    }
}

// ---- the quick tier

pub fn rust_formatting(session: &mut Session) -> Result<Tally> {
    setup::components()?;
    check(session.cargo(&["fmt", "--all", "--", "--check"]))
}

pub fn javascript_lint(session: &mut Session) -> Result<Tally> {
    setup::node_packages(session.workspace)?;
    let mut biome = session.node_tool("biome");
    biome.args(["ci", "--colors=off", "--error-on-warnings"]);
    check(biome)
}

/// Not the runner of the wasm tests and the benchmarks, whose many packages no other step of the
/// quick tier needs.
pub fn clippy(session: &mut Session) -> Result<Tally> {
    setup::components()?;
    let packages = [
        "--workspace",
        "--exclude",
        "wasm-test-runner",
        "--exclude",
        "patom-benches",
    ];
    let mut command = session.cargo(&["clippy", "--all-targets"]);
    command.args(packages).args(["--", "-D", "warnings"]);
    check(command)
}

/// A data set that cannot be had is skipped by name.
pub fn data_sets(session: &mut Session) -> Result<Tally> {
    let mut tally = Tally::default();
    let mut there = Vec::new();
    for set in data::prepare(&session.workspace.root, &session.bundles())? {
        match set.bundle {
            Ok(bundle) if bundle.bytes > LARGEST_BUNDLE => {
                let (name, bytes) = (&set.name, bundle.bytes);
                tally
                    .failed
                    .push(format!("{name}: {bytes} bytes; at most {LARGEST_BUNDLE}"));
                there.push(set.name);
            }
            Ok(_) => {
                tally.passed += 1;
                there.push(set.name);
            }
            Err(reason) => tally.skipped.push(format!("{} ({reason})", set.name)),
        }
    }
    session.data = Some(there);
    Ok(tally)
}

/// Separately: with all packages at once, cargo would choose other features of their dependencies,
/// and compile those again.
pub fn native_tests(session: &mut Session) -> Result<Tally> {
    let mut both = Tally::default();
    for package in [None, Some("xtask")] {
        let mut command = session.cargo(&["test", "--no-fail-fast"]);
        let package = package.into_iter().flat_map(|name| ["--package", name]);
        command.args(package).args(["--", "--show-output"]);
        let tally = session.cargo_tests(command)?;
        both.passed += tally.passed;
        both.failed.extend(tally.failed);
        both.skipped.extend(tally.skipped);
    }
    Ok(both)
}

/// The quick tier takes the declarations of the modules from an unoptimised build.
pub fn types(session: &mut Session) -> Result<Tally> {
    setup::node_packages(session.workspace)?;
    let generated = session.workspace.root.join(&session.settings.output.pkg);
    if session.arguments.quick && generated.join("build.js").is_file() {
        session.modules.wait();
        wasm::declarations(session.workspace, &session.settings)?;
    } else {
        session.needs_site()?;
    }
    let mut tsc = session.node_tool("tsc");
    tsc.args(["--project", "tsconfig.json"]);
    check(tsc)
}

// ---- the default tier

pub fn clippy_for_wasm(session: &mut Session) -> Result<Tally> {
    setup::components()?;
    setup::wasm_target(&session.settings.build.target)?;
    let mut command = session.cargo(&["clippy", "--package", "patom", "--no-default-features"]);
    command
        .args(["--features", &session.settings.features()])
        .args(["--lib", "--test", "wasm"])
        .args(["--target", &session.settings.build.target])
        .args(["--", "-D", "warnings"]);
    wasm::with_flags(&mut command, &session.settings, false);
    check(command)
}

/// The extension module of the Python package, which no other step of this tier compiles.
pub fn clippy_for_python(session: &mut Session) -> Result<Tally> {
    setup::components()?;
    let mut command = session.cargo(&["clippy", "--package", "patom", "--lib"]);
    command.args(["--no-default-features", "--features", "python"]);
    command.args(["--", "-D", "warnings"]);
    check(command)
}

/// The verifier in Python derives every report again from its points: those of the golden
/// specifications, and of random user files.
pub fn verify_reports(session: &mut Session) -> Result<Tally> {
    let mut maker = setup::python(session.workspace)?;
    let mut verifier = setup::python(session.workspace)?;
    let golden = session.golden()?;
    let scripts = session.workspace.root.join("tests/oracle");
    let mut reports: Vec<String> = golden.digests.keys().cloned().collect();
    let mut tally = golden.tally;
    maker
        .arg(scripts.join("user_files.py"))
        .args(["user", &USER_FILES.to_string()])
        .current_dir(&golden.folder);
    run_command(&mut maker)?;
    let program = command_line(session.workspace)?;
    for number in 0..USER_FILES {
        let name = format!("user_{number}");
        let mut run = Command::new(&program);
        run.args(["run", &format!("user/{name}.json"), "--out", &name])
            .current_dir(&golden.folder);
        match output(&mut run) {
            Ok(_) => reports.push(name),
            Err(error) => tally.note(&name, Err(error)),
        }
    }
    verifier
        .arg(scripts.join("verify_report.py"))
        .args(&reports)
        .current_dir(&golden.folder);
    let verified = captured(verifier, tally::verified)?;
    tally.passed = verified.passed;
    tally.failed.extend(verified.failed);
    Ok(tally)
}

pub fn build_site(session: &mut Session) -> Result<Tally> {
    session.site_is_built = false;
    session.needs_site()?;
    Ok(Tally {
        passed: 1,
        ..Tally::default()
    })
}

/// The page's modules that need no document.
pub fn page_modules(session: &mut Session) -> Result<Tally> {
    let files = test_files(&session.workspace.root.join("tests/page"))?;
    node_tests(session.workspace, &files, &[])
}

/// The modules and bundles of the page, and the npm package, compute the digests that native code computes.
pub fn golden_in_node(session: &mut Session) -> Result<Tally> {
    session.needs_site()?;
    let environment = [
        ("PATOM_PKG", session.settings.output.pkg.clone().into()),
        ("PATOM_BUNDLES", session.bundles()),
        ("PATOM_JOBS", session.golden_jobs()?),
        ("PATOM_PACKAGE", build::PACKAGE.into()),
    ];
    let files = ["tests/golden.mjs", "tests/package.mjs"].map(PathBuf::from);
    node_tests(session.workspace, &files, &environment)
}

/// The cases in browsers. A few failed cases are repeated once, to know whether they fail every time;
/// they count as failed either way.
pub fn end_to_end(session: &mut Session) -> Result<Tally> {
    session.needs_site()?;
    setup::node_packages(session.workspace)?;
    session.browsers.wait();
    let arguments = session.arguments;
    setup::engines(session.workspace, arguments.engines())?;
    let dist = session.workspace.root.join(&session.settings.output.dist);
    let tier = if arguments.full { "full" } else { "default" };
    let mut environment: Vec<(&str, PathBuf)> = vec![
        ("PATOM_DIST", dist),
        ("PATOM_ENGINES", arguments.engines().into()),
        ("PATOM_TIER", tier.into()),
        ("PATOM_DATA_THERE", session.data()?.join(",").into()),
        ("PATOM_DIGESTS", session.golden()?.file),
        ("PATOM_CLI", command_line(session.workspace)?),
    ];
    if arguments.pictures {
        let folder = session.workspace.target.join("screenshots");
        environment.push(("PATOM_PICTURES", folder));
    }
    if let Some(case) = &arguments.case {
        environment.push(("PATOM_CASE", case.into()));
    }
    let files = test_files(&session.workspace.root.join("tests/browser"))?;
    // Measured alone: beside another browser, times mean nothing.
    let measured = arguments.case.is_none() && arguments.engines().contains("chromium");
    let (alone, others): (Vec<_>, Vec<_>) = files
        .iter()
        .cloned()
        .partition(|file| measured && file.ends_with("times.test.mjs"));
    let mut tally = node_tests(session.workspace, &others, &environment)?;
    if measured {
        let times = node_tests(session.workspace, &alone, &environment)?;
        tally.passed += times.passed;
        tally.failed.extend(times.failed);
        tally.skipped.extend(times.skipped);
    }
    let few = tally.failed.len() <= MOST_REPEATED;
    for name in tally.failed.iter_mut().filter(|_| few) {
        println!("\nrepeating {name}");
        let title = name.split(tally::EXPLAINED).next().unwrap_or_default();
        let (engine, case) = title
            .split_once(tally::INSIDE)
            .unwrap_or(("chromium", title));
        // Of a variable given twice, the last value counts.
        environment.extend([
            ("PATOM_ENGINES", engine.into()),
            ("PATOM_CASE", case.into()),
        ]);
        let again = node_tests(session.workspace, &files, &environment).unwrap_or_default();
        if again.passed > 0 && again.failed.is_empty() {
            *name += " [flaky: passed when repeated]";
        }
    }
    Ok(tally)
}

// ---- the full tier

pub fn clippy_for_benchmarks(session: &mut Session) -> Result<Tally> {
    let mut command = session.cargo(&["clippy", "--package", "patom-benches", "--all-targets"]);
    command.args(["--", "-D", "warnings"]);
    check(command)
}

pub fn documentation(session: &mut Session) -> Result<Tally> {
    let mut command = session.cargo(&["doc", "--workspace", "--no-deps"]);
    command.args(["--exclude", "wasm-test-runner"]);
    command.env("RUSTDOCFLAGS", "-D warnings");
    check(command)
}

/// Licences, sources and advisories of the packages. What the network does not give is skipped.
pub fn packages(session: &mut Session) -> Result<Tally> {
    let mut tally = Tally::default();
    let deny = setup::CARGO_DENY.get(session.workspace)?;
    let deny = |words: &[&str]| {
        let mut command = Command::new(&deny);
        command.arg("--workspace").args(words);
        command.current_dir(&session.workspace.root);
        command
    };
    // The packages of other platforms as well: cargo-deny reads them all.
    run_command(&mut session.cargo(&["fetch", "--locked"]))?;
    for rules in ["licenses", "bans", "sources"] {
        let outcome = run_command(&mut deny(&["--offline", "check", rules]));
        tally.note(&format!("cargo-deny {rules}"), outcome);
    }
    if output(&mut deny(&["fetch", "db"])).is_ok() {
        let outcome = run_command(&mut deny(&["check", "--disable-fetch", "advisories"]));
        tally.note("cargo-deny advisories", outcome);
    } else {
        let reason = "cargo-deny advisories (the advisory database cannot be fetched)";
        tally.skipped.push(reason.into());
    }
    setup::node_packages(session.workspace)?;
    let mut audit = session.program("npm");
    let done = audit.args(["audit", "--json"]).output()?;
    let answer: Value = serde_json::from_slice(&done.stdout).unwrap_or_default();
    match answer["vulnerabilities"].as_object() {
        None => tally
            .skipped
            .push("npm audit (no answer from the registry)".into()),
        Some(found) if found.is_empty() => tally.passed += 1,
        Some(found) => {
            let names: Vec<_> = found.keys().cloned().collect();
            tally
                .failed
                .push(format!("npm audit: {}", names.join(", ")));
        }
    }
    Ok(tally)
}

pub fn reference_in_python(session: &mut Session) -> Result<Tally> {
    let mut command = setup::python(session.workspace)?;
    command
        .args(["-m", "unittest", "discover", "-v"])
        .args(["-s", "tests/oracle", "-p", "test_*.py"])
        .current_dir(&session.workspace.root);
    captured(command, tally::unittest)
}

/// SciPy's own MAT files, and files that it writes: the same values, or a clear error.
pub fn matlab_files(session: &mut Session) -> Result<Tally> {
    let mut python = setup::python_with_scipy(session.workspace)?;
    run_command(&mut session.cargo(&["build", "--quiet", "--example", "matlab_dump"]))?;
    let dump = format!("debug/examples/matlab_dump{}", std::env::consts::EXE_SUFFIX);
    python
        .arg(session.workspace.root.join("tests/oracle/matlab.py"))
        .arg(session.workspace.target.join(dump));
    check(python)
}

/// The wheel in an environment of its own: its size, and the tests of tests/python, with the current
/// versions of what it works with.
pub fn python_package(session: &mut Session) -> Result<Tally> {
    let workspace = session.workspace;
    let python = setup::package_python(workspace)?;
    let run_python = || {
        let mut command = Command::new(&python);
        command.current_dir(&workspace.root).stdin(Stdio::null());
        command
    };
    let folder = workspace.target.join("wheel");
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    let mut build = run_python();
    build.args(["-m", "maturin", "build", "--release", "--quiet"]);
    build.args(["--compression-level", "9", "--out"]);
    run_command(build.arg(&folder))?;
    let wheels = std::fs::read_dir(&folder)?.collect::<std::io::Result<Vec<_>>>()?;
    let [wheel] = wheels.as_slice() else {
        bail!("{}: expected one wheel", folder.display());
    };
    let bytes = wheel.metadata()?.len();
    let mut install = run_python();
    install.args(["-m", "pip", "install", "--quiet", "--no-deps"]);
    run_command(install.arg("--force-reinstall").arg(wheel.path()))?;
    let mut tests = run_python();
    tests
        .args(["-m", "unittest", "discover", "-v"])
        .args(["-s", "tests/python", "-p", "test_*.py"])
        .env("PATOM_JOBS", session.golden_jobs()?)
        .env("PATOM_CLI", command_line(workspace)?)
        .env("PATOM_DATA", workspace.root.join("target/data"));
    let mut tally = captured(tests, tally::unittest)?;
    let size = if bytes <= LARGEST_WHEEL {
        Ok(())
    } else {
        Err(anyhow!("{bytes} bytes; at most {LARGEST_WHEEL}"))
    };
    tally.note("size of the wheel", size);
    Ok(tally)
}

pub fn hostile_input(session: &mut Session) -> Result<Tally> {
    let mut command = session.cargo(&["test", "--package", "patom-fuzz", "--no-fail-fast"]);
    command.env("PROPTEST_CASES", FUZZ_CASES);
    session.cargo_tests(command)
}

pub fn wasm_in_chromium(session: &mut Session) -> Result<Tally> {
    session.browsers.wait();
    let chromium = setup::chromium()?;
    let options = json!({"goog:chromeOptions": {
        "binary": chromium.browser,
        "args": ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
    }});
    let path = session.workspace.target.join("webdriver.json");
    std::fs::write(&path, options.to_string())?;
    let mut command = session.wasm_tests()?;
    command
        .env("CHROMEDRIVER", &chromium.driver)
        .env("WASM_BINDGEN_TEST_WEBDRIVER_JSON", path)
        .env("WASM_BINDGEN_USE_DEDICATED_WORKER", "1")
        .env("WASM_BINDGEN_TEST_TIMEOUT", "300");
    session.cargo_tests(command)
}

pub fn wasm_in_node(session: &mut Session) -> Result<Tally> {
    let command = session.wasm_tests()?;
    session.cargo_tests(command)
}

/// Lighthouse on a phone and on a desktop computer, with the scores that tests/lighthouse demands.
pub fn audit(session: &mut Session) -> Result<Tally> {
    session.needs_site()?;
    let chromium = setup::chromium()?;
    let mut tally = Tally::default();
    for form in ["mobile", "desktop"] {
        let mut lighthouse = session.program("npx");
        lighthouse
            .args(["--yes", LIGHTHOUSE, "autorun"])
            .arg(format!("--config=tests/lighthouse/{form}.json"))
            .env("CHROME_PATH", &chromium.browser);
        tally.note(&format!("Lighthouse, {form}"), run_command(&mut lighthouse));
    }
    Ok(tally)
}

// ---- what steps share

impl<'a> Session<'a> {
    pub fn new(workspace: &'a Workspace, arguments: &'a Arguments) -> Result<Self> {
        Ok(Self {
            workspace,
            settings: Settings::read(&workspace.root)?,
            arguments,
            data: None,
            golden: None,
            site_is_built: false,
            browsers: Prefetch::default(),
            modules: Prefetch::default(),
        })
    }

    /// Starts what takes longest of all that the steps need.
    pub fn start_early(&mut self) {
        let (workspace, settings) = (self.workspace.clone(), self.settings.clone());
        if self.arguments.quick {
            return;
        }
        self.modules = Prefetch::start(move || {
            setup::wasm_target(&settings.build.target)?;
            wasm::build(&workspace, &settings)
        });
        let workspace = self.workspace.clone();
        let engines = self.arguments.engines().to_owned();
        self.browsers = Prefetch::start(move || setup::engines(&workspace, &engines));
    }

    fn bundles(&self) -> PathBuf {
        self.workspace.cache().join("data")
    }

    fn program(&self, name: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(name);
        command
            .current_dir(&self.workspace.root)
            .stdin(Stdio::null());
        command
    }

    fn cargo(&self, words: &[&str]) -> Command {
        let mut command = cargo();
        command.args(words).current_dir(&self.workspace.root);
        command
    }

    fn node_tool(&self, name: &str) -> Command {
        self.program(setup::node_tool(&self.workspace.root, name))
    }

    fn data(&mut self) -> Result<Vec<String>> {
        if self.data.is_none() {
            data_sets(self)?;
        }
        Ok(self.data.clone().unwrap_or_default())
    }

    fn needs_site(&mut self) -> Result<()> {
        self.modules.wait();
        if !self.site_is_built {
            build::build(self.workspace)?;
            self.site_is_built = true;
        }
        Ok(())
    }

    fn golden(&mut self) -> Result<Golden> {
        if self.golden.is_none() {
            let there = self.data()?;
            self.golden = Some(run_golden(self.workspace, &there)?);
        }
        self.golden.clone().context("the golden runs are there")
    }

    /// A file with the golden specifications and their digests, for tests in other languages.
    fn golden_jobs(&mut self) -> Result<PathBuf> {
        let golden = self.golden()?;
        let jobs: Vec<_> = golden::all()
            .map(|(dataset, name, link)| {
                let digest = golden.digests.get(name);
                json!({"name": name, "dataset": dataset, "link": link, "digest": digest})
            })
            .collect();
        let path = self.workspace.target.join("golden-jobs.json");
        let jobs = json!({"workers": golden::WORKERS, "jobs": jobs});
        std::fs::write(&path, jobs.to_string())?;
        Ok(path)
    }

    fn wasm_tests(&mut self) -> Result<Command> {
        let target = self.settings.build.target.clone();
        setup::wasm_target(&target)?;
        let golden = self.golden()?;
        let digests = golden
            .digests
            .iter()
            .flat_map(|(name, digest)| [name.as_str(), " ", digest.as_str(), "\n"]);
        let digests: String = digests.collect();
        let runner = program(self.workspace, "wasm-test-runner", "wasm-test-runner")?;
        let variable = target.to_uppercase().replace('-', "_");
        let mut command = self.cargo(&["test", "--package", "patom", "--test", "wasm"]);
        command
            .args([
                "--no-default-features",
                "--features",
                &self.settings.features(),
            ])
            .args(["--target", &target]);
        wasm::with_flags(&mut command, &self.settings, false);
        command
            .env("PATOM_NATIVE_DIGESTS", digests)
            .env(format!("CARGO_TARGET_{variable}_RUNNER"), runner);
        Ok(command)
    }

    /// Runs a command that prints as `cargo test` does, shows its output, and counts.
    fn cargo_tests(&self, mut command: Command) -> Result<Tally> {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start `{}`", typed(&command)))?;
        let output = child.stdout.take().context("standard output is piped")?;
        let mut tests = CargoTests::default();
        for line in BufReader::new(output).split(b'\n') {
            let line = line?;
            let line = String::from_utf8_lossy(&line);
            if tests.read(line.trim_end()) {
                println!("{}", line.trim_end());
            }
        }
        let tally = tests.finish(self.data.as_deref().unwrap_or_default());
        plausible(tally, &command, child.wait()?.success())
    }
}

/// Runs the golden specifications whose data are `there` with the command line.
fn run_golden(workspace: &Workspace, there: &[String]) -> Result<Golden> {
    let program = command_line(workspace)?;
    let folder = workspace.target.join("verify");
    std::fs::create_dir_all(&folder)?;
    let mut tally = Tally::default();
    let mut digests = BTreeMap::new();
    for (dataset, name, link) in golden::all() {
        if dataset != "synthetic" && !there.iter().any(|known| known == dataset) {
            tally.skipped.push(format!("{name} (no {dataset} data)"));
            continue;
        }
        let mut run = Command::new(&program);
        run.args(["run", link, "--out", name, "--data"])
            .arg(workspace.root.join("target/data"))
            .env_remove("PATOM_DATA")
            .current_dir(&folder);
        let digest = output(&mut run).and_then(|_| digest_in(&folder.join(name)));
        match digest {
            Ok(digest) => {
                digests.insert(name.to_owned(), digest);
            }
            Err(error) => tally.note(name, Err(error)),
        }
    }
    let file = workspace.target.join("golden-digests.json");
    std::fs::write(&file, serde_json::to_string_pretty(&digests)?)?;
    Ok(Golden {
        folder,
        digests,
        file,
        tally,
    })
}

fn digest_in(folder: &Path) -> Result<String> {
    let report: Value = serde_json::from_slice(&std::fs::read(folder.join("report.json"))?)?;
    let digest = report["digest"]
        .as_str()
        .context("the report has no digest")?;
    Ok(digest.to_owned())
}

/// The command line of the product.
fn command_line(workspace: &Workspace) -> Result<PathBuf> {
    program(workspace, "patom", "patom")
}

/// Builds a program of the workspace, and returns its path.
fn program(workspace: &Workspace, package: &str, name: &str) -> Result<PathBuf> {
    let mut command = cargo();
    command
        .args(["build", "--quiet", "--package", package, "--bin", name])
        .current_dir(&workspace.root);
    run_command(&mut command)?;
    let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    Ok(workspace.target.join("debug").join(file))
}

/// The files of node:test in a folder.
fn test_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let is_test = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.ends_with(".test.js") || name.ends_with(".test.mjs")
    };
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = std::fs::read_dir(&folder)
            .with_context(|| format!("cannot read {}", folder.display()))?;
        for entry in entries {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if is_test(&path) {
                files.push(path);
            }
        }
    }
    files.sort();
    ensure!(!files.is_empty(), "{}: no file *.test.js", folder.display());
    Ok(files)
}

/// Runs test files of node:test, shows a readable report, and counts a second one.
fn node_tests(
    workspace: &Workspace,
    files: &[PathBuf],
    environment: &[(&str, PathBuf)],
) -> Result<Tally> {
    let tap = workspace.target.join("node-tests.tap");
    let mut command = Command::new("node");
    command
        .args([
            "--test",
            "--test-concurrency=2",
            "--test-reporter=spec",
            "--test-reporter-destination=stdout",
        ])
        .arg("--test-reporter=tap")
        .arg(format!("--test-reporter-destination={}", tap.display()))
        .args(files)
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .env("PATH", setup::path_with_tools(workspace)?)
        .current_dir(&workspace.root)
        .stdin(Stdio::null());
    let status = command
        .status()
        .with_context(|| format!("cannot start `{}`", typed(&command)))?;
    let text = std::fs::read_to_string(&tap).context("node:test wrote no report")?;
    plausible(tally::node_tests(&text), &command, status.success())
}

/// One check, which passes when the command succeeds.
fn check(mut command: Command) -> Result<Tally> {
    run_command(&mut command)?;
    Ok(Tally {
        passed: 1,
        ..Tally::default()
    })
}

/// Runs a command to its end, shows what it prints, and counts that.
fn captured(mut command: Command, count: fn(&str) -> Tally) -> Result<Tally> {
    let done = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start `{}`", typed(&command)))?;
    let text = String::from_utf8_lossy(&done.stdout) + String::from_utf8_lossy(&done.stderr);
    print!("{text}");
    plausible(count(&text), &command, done.status.success())
}

/// A command that ends with an error or runs no test has failed, whatever was counted.
fn plausible(mut tally: Tally, command: &Command, success: bool) -> Result<Tally> {
    if !success && tally.failed.is_empty() {
        bail!("`{}` ended with an error", typed(command));
    }
    if tally == Tally::default() {
        tally
            .failed
            .push(format!("`{}` ran no test", typed(command)));
    }
    Ok(tally)
}
