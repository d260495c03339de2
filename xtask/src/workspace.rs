//! Where things are, and how commands are run.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use anyhow::{Context, Result, bail};

/// The checkout and its build folder.
#[derive(Debug, Clone)]
pub struct Workspace {
    /// The folder of the root manifest.
    pub root: PathBuf,
    /// Cargo's build folder, wherever the environment or a configuration file puts it.
    pub target: PathBuf,
}

impl Workspace {
    /// Finds the checkout that this tool was started in.
    pub fn find() -> Result<Self> {
        // Asking cargo takes a while.
        static FOUND: OnceLock<Workspace> = OnceLock::new();
        if let Some(found) = FOUND.get() {
            return Ok(found.clone());
        }
        let manifest_dir = std::env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let mut command = cargo();
        command
            .args([
                "metadata",
                "--no-deps",
                "--offline",
                "--format-version",
                "1",
            ])
            .current_dir(&manifest_dir);
        let metadata: serde_json::Value = serde_json::from_str(&output(&mut command)?)?;
        let path = |field: &str| -> Result<PathBuf> {
            let value = metadata[field].as_str();
            Ok(PathBuf::from(value.with_context(|| {
                format!("cargo metadata has no `{field}`")
            })?))
        };
        let found = Self {
            root: path("workspace_root")?,
            target: path("target_directory")?,
        };
        Ok(FOUND.get_or_init(|| found).clone())
    }

    /// Our own part of the build folder.
    pub fn cache(&self) -> PathBuf {
        self.target.join("site")
    }
}

/// The cargo that started this tool.
pub fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // Without the variables that cargo set for this tool: build scripts would run again because of
    // them.
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_")
            || [
                "CARGO_MANIFEST_DIR",
                "CARGO_MANIFEST_PATH",
                "CARGO_PRIMARY_PACKAGE",
                "OUT_DIR",
            ]
            .contains(&text.as_ref())
        {
            command.env_remove(&name);
        }
    }
    command
}

/// The command as a person would type it.
pub fn typed(command: &Command) -> String {
    let mut words = vec![
        Path::new(command.get_program())
            .file_name()
            .unwrap_or(command.get_program())
            .to_string_lossy()
            .into_owned(),
    ];
    words.extend(
        command
            .get_args()
            .map(|word| word.to_string_lossy().into_owned()),
    );
    words.join(" ")
}

/// Runs a command to its end.
pub fn run(command: &mut Command) -> Result<()> {
    let status = command
        .stdin(std::process::Stdio::null())
        .status()
        .with_context(|| format!("cannot start `{}`", typed(command)))?;
    if !status.success() {
        bail!("`{}` failed ({status})", typed(command));
    }
    Ok(())
}

/// Runs a command and returns what it prints on standard output.
pub fn output(command: &mut Command) -> Result<String> {
    let done = command
        .stdin(std::process::Stdio::null())
        .output()
        .with_context(|| format!("cannot start `{}`", typed(command)))?;
    if !done.status.success() {
        bail!(
            "`{}` failed ({}):\n{}",
            typed(command),
            done.status,
            String::from_utf8_lossy(&done.stderr).trim_end()
        );
    }
    Ok(String::from_utf8_lossy(&done.stdout).into_owned())
}

/// The full path of a program on the search path.
pub fn which(program: impl AsRef<OsStr>) -> Option<PathBuf> {
    std::env::split_paths(&std::env::var_os("PATH")?)
        .map(|folder| folder.join(program.as_ref()))
        .find(|path| path.is_file())
}
