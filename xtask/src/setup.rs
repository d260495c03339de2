//! What a new machine lacks: installed where that is possible; otherwise the message is the command to
//! type. Not here: the data sets (`data`).

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::workspace::{Workspace, cargo, output, run, which};

/// Adds the wasm target when rustc lacks it.
pub fn wasm_target(target: &str) -> Result<()> {
    let libdir =
        output(Command::new("rustc").args(["--print", "target-libdir", "--target", target]))?;
    let has_std = fs::read_dir(libdir.trim()).is_ok_and(|entries| {
        entries
            .flatten()
            .any(|entry| entry.file_name().to_string_lossy().starts_with("libstd-"))
    });
    if has_std {
        return Ok(());
    }
    if which("rustup").is_none() {
        bail!(
            "the Rust compiler here cannot build for {target} and there is no rustup to add it; \
             install Rust from https://rustup.rs, or your system's package with the standard \
             library for {target}"
        );
    }
    println!("adding the Rust target {target}");
    run(Command::new("rustup").args(["target", "add", target]))
        .with_context(|| format!("the Rust target {target} is missing and could not be added"))
}

/// Adds rustfmt and clippy when they are missing.
pub fn components() -> Result<()> {
    for (component, program) in [("rustfmt", "fmt"), ("clippy", "clippy")] {
        if output(Command::new("cargo").args([program, "--version"])).is_err() {
            println!("adding the Rust component {component}");
            run(Command::new("rustup").args(["component", "add", component])).with_context(
                || {
                    format!(
                        "{component} is missing; type: rustup component add {component} (or \
                         install your system's package of it)"
                    )
                },
            )?;
        }
    }
    Ok(())
}

/// A browser and its WebDriver.
#[derive(Debug, Clone)]
pub struct Chromium {
    /// The browser.
    pub browser: PathBuf,
    /// Its WebDriver.
    pub driver: PathBuf,
}

impl Chromium {
    /// Looks on the search path.
    fn find() -> Option<Self> {
        let browser = [
            "chromium",
            "chromium-browser",
            "google-chrome",
            "google-chrome-stable",
        ]
        .iter()
        .find_map(which)?;
        Some(Self {
            browser,
            driver: which("chromedriver")?,
        })
    }
}

/// Finds Chromium and its driver, and installs them where this is allowed.
pub fn chromium() -> Result<Chromium> {
    if let Some(found) = Chromium::find() {
        return Ok(found);
    }
    packages(&["chromium", "chromium-driver"])?;
    Chromium::find().context(
        "chromium and chromium-driver were installed, but `chromium` and `chromedriver` are not \
         on the search path",
    )
}

/// The engines of the end-to-end tests.
pub const ENGINES: &str = "chromium,firefox,webkit";

/// The test browser of WebKitGTK.
fn mini_browser() -> Option<PathBuf> {
    let folders = [
        "/usr/lib/x86_64-linux-gnu",
        "/usr/lib/aarch64-linux-gnu",
        "/usr/libexec",
    ];
    folders
        .iter()
        .flat_map(|folder| ["webkit2gtk-4.1", "webkit2gtk-4.0"].map(|v| Path::new(folder).join(v)))
        .map(|folder| folder.join("MiniBrowser"))
        .find(|path| path.is_file())
}

/// A program that is compiled from its package where the system has none.
#[derive(Debug, Clone, Copy)]
pub struct Tool {
    /// Of the package, and of the program.
    pub name: &'static str,
    /// Pinned.
    pub version: &'static str,
    /// More words for `cargo install`.
    pub words: &'static [&'static str],
}

/// Firefox's WebDriver; compiled only where Firefox is tested.
const GECKODRIVER: Tool = Tool {
    name: "geckodriver",
    version: "0.37.1",
    words: &[],
};

/// Checks the packages by the rules of `deny.toml`.
pub const CARGO_DENY: Tool = Tool {
    name: "cargo-deny",
    version: "0.20.2",
    words: &["--no-default-features"],
};

impl Tool {
    /// Where it is compiled to: among the user's caches, so that a fresh checkout finds it there.
    fn folder(self, workspace: &Workspace) -> PathBuf {
        let caches = std::env::var_os("XDG_CACHE_HOME")
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
            .or_else(|| Some(std::env::home_dir()?.join(".cache")));
        let ours = caches.map_or_else(|| workspace.target.join("tools"), |c| c.join("patom-lab"));
        ours.join(format!("{}-{}", self.name, self.version))
    }

    /// The system's, or our own.
    fn find(self, workspace: &Workspace) -> Option<PathBuf> {
        let file = format!("{}{}", self.name, std::env::consts::EXE_SUFFIX);
        let own = self.folder(workspace).join("bin").join(file);
        which(self.name).or_else(|| own.is_file().then_some(own))
    }

    /// The same, compiled if there is none.
    pub fn get(self, workspace: &Workspace) -> Result<PathBuf> {
        if let Some(found) = self.find(workspace) {
            return Ok(found);
        }
        println!("building {} {}", self.name, self.version);
        run(cargo()
            .args(["install", self.name, "--version", self.version])
            .args(["--locked", "--debug", "--quiet"])
            .args(self.words)
            .arg("--root")
            .arg(self.folder(workspace))
            .env("CARGO_PROFILE_DEV_DEBUG", "0"))?;
        self.find(workspace)
            .with_context(|| format!("{} was installed and is not there", self.name))
    }
}

/// The search path, with the folder of Firefox's WebDriver where [`engines`] compiled it.
pub fn path_with_tools(workspace: &Workspace) -> Result<OsString> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let own = GECKODRIVER.folder(workspace).join("bin");
    Ok(std::env::join_paths(
        std::env::split_paths(&path).chain([own]),
    )?)
}

/// Installs what the engines in a list such as `chromium,firefox` need.
pub fn engines(workspace: &Workspace, list: &str) -> Result<()> {
    let mut missing: Vec<&str> = Vec::new();
    let mut needs_geckodriver = false;
    for engine in list.split(',') {
        match engine.trim() {
            "chromium" => {
                if Chromium::find().is_none() {
                    missing.extend(["chromium", "chromium-driver"]);
                }
            }
            "firefox" => {
                if which("firefox-esr").is_none() && which("firefox").is_none() {
                    missing.push("firefox-esr");
                }
                needs_geckodriver = true;
            }
            "webkit" => {
                if which("WebKitWebDriver").is_none() || mini_browser().is_none() {
                    missing.push("webkit2gtk-driver");
                }
                if which("Xvfb").is_none() {
                    missing.push("xvfb");
                }
            }
            other => bail!("no engine `{other}`; available: {ENGINES}"),
        }
    }
    if !missing.is_empty() {
        packages(&missing)?;
    }
    if needs_geckodriver {
        GECKODRIVER.get(workspace)?;
    }
    Ok(())
}

/// Installs system packages when this process may.
fn packages(names: &[&str]) -> Result<()> {
    let list = names.join(" ");
    if which("apt-get").is_none() {
        bail!(
            "missing: {list}. Install these, however your system's package manager calls them, \
             so that their programs are on the search path"
        );
    }
    let is_root = output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0");
    if !is_root {
        bail!(
            "missing: {list}. Type: sudo apt-get update && sudo apt-get install -y \
             --no-install-recommends {list}"
        );
    }
    println!("installing {list}");
    let apt = |words: &[&str]| {
        let mut command = Command::new("apt-get");
        command
            // Another program may be installing something: wait for it.
            .args(["-o", "DPkg::Lock::Timeout=300"])
            .args(words)
            .env("DEBIAN_FRONTEND", "noninteractive");
        run(&mut command)
    };
    let install = [&["install", "-y", "--no-install-recommends"], names].concat();
    // The lists may be stale, or there is no connection: the install decides.
    let _ = apt(&["update"]);
    if apt(&install).is_err() {
        let _ = apt(&["install", "-y", "--fix-broken"]);
        apt(&install).with_context(|| {
            format!("type: apt-get update && apt-get install -y --no-install-recommends {list}")
        })?;
    }
    Ok(())
}

/// A Python with NumPy.
pub fn python(workspace: &Workspace) -> Result<Command> {
    const PROBE: &str = "import numpy";
    python_with(workspace, &["numpy"], PROBE).or_else(|_| {
        // Without venv or a package index, the system's package.
        packages(&["python3-numpy"])?;
        output(Command::new("python3").args(["-c", PROBE]))?;
        Ok(Command::new("python3"))
    })
}

/// A Python with SciPy and the MAT files of its tests, which some systems leave out.
pub fn python_with_scipy(workspace: &Workspace) -> Result<Command> {
    const PROBE: &str = "import os, scipy.io; \
        os.listdir(os.path.join(os.path.dirname(scipy.io.__file__), 'matlab/tests/data'))";
    python_with(workspace, &["numpy", "scipy"], PROBE)
}

/// The system's Python if it runs the probe, else one of our own with these packages, in the
/// versions of tests/oracle/requirements.txt.
fn python_with(workspace: &Workspace, packages: &[&str], probe: &str) -> Result<Command> {
    let runs = |python: &Path| output(Command::new(python).args(["-c", probe])).is_ok();
    let own = workspace.target.join("python/bin/python3");
    if let Some(found) = [Path::new("python3"), &own]
        .into_iter()
        .find(|path| runs(path))
    {
        return Ok(Command::new(found));
    }
    let requirements = fs::read_to_string(workspace.root.join("tests/oracle/requirements.txt"))
        .context("cannot read tests/oracle/requirements.txt")?;
    let is_wanted = |line: &&str| packages.contains(&line.split("==").next().unwrap_or_default());
    let wanted: Vec<&str> = requirements.lines().filter(is_wanted).collect();
    pip_install(&workspace.target.join("python"), &wanted)?;
    Ok(Command::new(own))
}

/// A Python with what the peers of the benchmarks need.
pub fn peers_python(workspace: &Workspace) -> Result<PathBuf> {
    let folder = workspace.target.join("peers");
    let list = workspace.root.join("benches/peers/requirements.txt");
    pip_install(&folder, &["-r", &list.to_string_lossy()])?;
    Ok(folder.join("bin/python3"))
}

/// A Python with what builds and tests our package: the current versions, since it has no upper bounds.
pub fn package_python(workspace: &Workspace) -> Result<PathBuf> {
    let folder = workspace.target.join("python-package");
    let packages = [
        "maturin",
        "numpy",
        "scikit-learn",
        "matplotlib",
        "nbclient",
        "ipykernel",
        "distributed",
        "pyarrow",
    ];
    pip_install(&folder, &[&["--upgrade"], packages.as_slice()].concat())?;
    Ok(folder.join("bin/python3"))
}

/// A virtual environment with these packages.
fn pip_install(folder: &Path, words: &[&str]) -> Result<()> {
    if which("python3").is_none() {
        bail!("Python is missing. Type: sudo apt-get install -y python3 python3-numpy");
    }
    println!("installing {} under {}", words.join(" "), folder.display());
    run(Command::new("python3").args(["-m", "venv"]).arg(folder))?;
    run(Command::new(folder.join("bin/python3"))
        .args(["-m", "pip", "install", "--quiet"])
        .args(words))
}

/// Installs the development tools of package.json when they are not those of the lock file.
pub fn node_packages(workspace: &Workspace) -> Result<()> {
    let lock = fs::read(workspace.root.join("package-lock.json"))
        .context("cannot read package-lock.json")?;
    let stamp = workspace.root.join("node_modules").join(".installed-lock");
    if fs::read(&stamp).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    if which("node").is_none() || which("npm").is_none() {
        bail!(
            "Node.js with npm is missing; install it (version 20 or newer), for example: sudo apt-get install -y nodejs npm"
        );
    }
    println!("installing the JavaScript development tools");
    run(Command::new("npm")
        .args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"])
        .current_dir(&workspace.root))?;
    fs::write(stamp, lock)?;
    Ok(())
}

/// A tool of package.json.
pub fn node_tool(root: &Path, name: &str) -> PathBuf {
    root.join("node_modules").join(".bin").join(name)
}
