//! The browser engines: how each is started, and with which switches.

use std::collections::HashSet;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use serde_json::{Map, Value, json};
use tempfile::TempDir;
use thirtyfour::WebDriver;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, Command};
use xtask::server::{Options, Server};
use xtask::setup::{Chromium, geckodriver, mini_browser};
use xtask::workspace::{Workspace, which};

/// An engine the page must work in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Engine {
    Chromium,
    Firefox,
    Webkit,
}

impl Engine {
    pub fn name(self) -> &'static str {
        match self {
            Self::Chromium => "chromium",
            Self::Firefox => "firefox",
            Self::Webkit => "webkit",
        }
    }

    /// Below this width a window of this engine does not go; the page is then put into a frame.
    pub fn narrowest_window(self) -> u32 {
        match self {
            // Its screen is emulated.
            Self::Chromium => 1,
            Self::Firefox => 500,
            Self::Webkit => 447,
        }
    }

    /// What a session asks for. `folder` is empty and belongs to the session.
    fn capabilities(self, folder: &Path) -> Result<Map<String, Value>> {
        let downloads = folder.join(DOWNLOADS);
        let capabilities = match self {
            Self::Chromium => json!({
                "browserName": "chrome",
                "goog:loggingPrefs": { "browser": "ALL" },
                "goog:chromeOptions": {
                    "binary": Chromium::find().context("chromium is not installed")?.browser,
                    "args": chromium_switches(&folder.join("profile")),
                    "prefs": {
                        "download.default_directory": downloads,
                        "download.prompt_for_download": false,
                    },
                },
            }),
            Self::Firefox => json!({
                "browserName": "firefox",
                "moz:firefoxOptions": {
                    "binary": which("firefox-esr").or_else(|| which("firefox"))
                        .context("firefox is not installed")?,
                    "args": ["-headless", "--width=1400", "--height=1000"],
                    "prefs": firefox_preferences(&downloads),
                },
            }),
            Self::Webkit => json!({
                "browserName": "MiniBrowser",
                "webkitgtk:browserOptions": {
                    "binary": mini_browser()
                        .context("WebKit's MiniBrowser is not installed (package webkit2gtk-driver)")?,
                    "args": ["--automation"],
                },
            }),
        };
        match capabilities {
            Value::Object(map) => Ok(map),
            _ => bail!("capabilities are an object"),
        }
    }
}

/// The switches of a Chromium that keeps to itself. Shared with the runner of the wasm tests.
pub fn chromium_switches(profile: &Path) -> Vec<String> {
    let mut switches: Vec<String> = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--disable-dev-shm-usage",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--hide-scrollbars",
        "--window-size=1400,1000",
    ]
    .map(Into::into)
    .to_vec();
    switches.push(format!("--user-data-dir={}", profile.display()));
    switches
}

fn firefox_preferences(downloads: &Path) -> Value {
    json!({
        "app.normandy.enabled": false,
        "app.update.enabled": false,
        "browser.download.dir": downloads,
        "browser.download.folderList": 2,
        "browser.safebrowsing.downloads.enabled": false,
        "browser.safebrowsing.malware.enabled": false,
        "browser.safebrowsing.phishing.enabled": false,
        "datareporting.policy.dataSubmissionEnabled": false,
        "network.captive-portal-service.enabled": false,
        "network.connectivity-service.enabled": false,
        "services.settings.server": "data:,#remote-settings-dummy/v1",
        "toolkit.telemetry.enabled": false,
        "toolkit.telemetry.server": "",
    })
}

/// A browser and its driver, kept from case to case. Each case gets a window, and a server whose
/// port none had before: pages of two ports share nothing that a browser keeps.
pub struct Browser {
    pub engine: Engine,
    pub session: WebDriver,
    /// For its profile and its downloads.
    pub folder: TempDir,
    ports: HashSet<u16>,
    fresh: bool,
    _driver: Driver,
}

/// In the folder of a browser.
const DOWNLOADS: &str = "downloads";

impl Browser {
    /// Starts one that has nothing in it.
    pub async fn start(engine: Engine, workspace: &Workspace) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        std::fs::create_dir_all(folder.path().join(DOWNLOADS))?;
        let driver = Driver::start(engine, workspace, folder.path()).await?;
        let start = async {
            let capabilities = engine.capabilities(folder.path())?;
            WebDriver::builder(driver.url.as_str(), capabilities)
                .request_timeout(Duration::from_mins(1))
                .await
                .with_context(|| format!("cannot open a session of {}", engine.name()))
        };
        let session = tokio::time::timeout(Duration::from_mins(1), start)
            .await
            .context("the browser does not start within 60 s")??;
        Ok(Self {
            engine,
            session,
            folder,
            ports: HashSet::new(),
            fresh: true,
            _driver: driver,
        })
    }

    /// Closes it; its driver ends what does not close by itself.
    pub async fn quit(self) {
        let quit = tokio::time::timeout(Duration::from_secs(10), self.session.clone().quit());
        if !matches!(quit.await, Ok(Ok(()))) {
            eprintln!("({} did not close by itself)", self.engine.name());
            let _ = self.session.clone().leak();
        }
    }

    /// Where what is saved comes to lie.
    pub fn downloads(&self) -> PathBuf {
        self.folder.path().join(match self.engine {
            // It saves into what it takes for the home of the user.
            Engine::Webkit => "",
            _ => DOWNLOADS,
        })
    }

    /// A server of this site on a port that no case in this browser had.
    pub fn server(&mut self, site: &Path, options: &Options) -> Result<Server> {
        let mut used = Vec::new();
        loop {
            let server = Server::start(site, options)?;
            if self.ports.insert(server.address().port()) {
                return Ok(server);
            }
            // Kept until there is another one, so that the system does not offer its port again.
            used.push(server);
        }
    }

    /// A window as a new browser has it; those of the case before are closed.
    pub async fn window(&mut self) -> Result<WebDriver> {
        for saved in std::fs::read_dir(self.downloads())?.flatten() {
            if saved.file_type()?.is_file() {
                std::fs::remove_file(saved.path())?;
            }
        }
        if !std::mem::replace(&mut self.fresh, false) {
            let old = self.session.windows().await?;
            let new = self.session.new_tab().await?;
            for window in old {
                self.session.switch_to_window(window).await?;
                self.session.close_window().await?;
            }
            self.session.switch_to_window(new).await?;
        }
        Ok(self.session.clone())
    }
}

/// A running WebDriver, and the display it draws on. Dropping it ends both, with all they started.
struct Driver {
    url: String,
    processes: Vec<Child>,
}

impl Driver {
    /// `home` is where the browser may keep what it likes.
    async fn start(engine: Engine, workspace: &Workspace, home: &Path) -> Result<Self> {
        let mut processes = Vec::new();
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let mut command = match engine {
            Engine::Chromium => {
                let driver = Chromium::find()
                    .context("chromedriver is not installed")?
                    .driver;
                let mut command = Command::new(driver);
                command.arg(format!("--port={port}"));
                command
            }
            Engine::Firefox => {
                let mut command =
                    Command::new(geckodriver(workspace).context("geckodriver is not installed")?);
                command.arg("--port").arg(port.to_string());
                command
            }
            Engine::Webkit => {
                let (display, name) = start_display().await?;
                processes.push(display);
                let driver =
                    which("WebKitWebDriver").context("WebKitWebDriver is not installed")?;
                let mut command = Command::new(driver);
                command
                    .arg(format!("--port={port}"))
                    .env("DISPLAY", name)
                    .env("HOME", home)
                    // There is no graphics card: drawing as if there were costs half as much again.
                    .env("WEBKIT_DISABLE_COMPOSITING_MODE", "1")
                    .env("LANG", "en_US.UTF-8");
                command
            }
        };
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot start the driver of {}", engine.name()))?;
        processes.push(child);
        let driver = Self {
            url: format!("http://127.0.0.1:{port}"),
            processes,
        };
        for _ in 0..200 {
            if is_ready(port).await {
                return Ok(driver);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        bail!(
            "the driver of {} does not answer within 10 s",
            engine.name()
        )
    }
}

/// Does a driver answer there? That something listens is not enough: it may be on its way to.
async fn is_ready(port: u16) -> bool {
    let ask = async {
        let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", port)).await?;
        let request =
            format!("GET /status HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).await?;
        Ok::<_, std::io::Error>(answer)
    };
    let limit = Duration::from_secs(1);
    matches!(tokio::time::timeout(limit, ask).await, Ok(Ok(answer)) if answer == *b"HTTP/1.1 200")
}

impl Drop for Driver {
    fn drop(&mut self) {
        for child in &mut self.processes {
            // Each is the head of a process group of its own: browsers it started end with it.
            if let Some(id) = child.id() {
                let _ = std::process::Command::new("kill")
                    .args(["-KILL", "--", &format!("-{id}")])
                    .stderr(Stdio::null())
                    .status();
            }
            let _ = child.start_kill();
        }
    }
}

/// WebKit needs a display: a virtual one that picks its own free number.
async fn start_display() -> Result<(Child, String)> {
    let mut display = Command::new(which("Xvfb").context("Xvfb is not installed (package xvfb)")?)
        .args([
            "-displayfd",
            "1",
            "-screen",
            "0",
            // As wide as the widest page that is looked at.
            "2600x1400x24",
            "-nolisten",
            "tcp",
        ])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()?;
    let output = display.stdout.take().context("standard output is piped")?;
    let mut number = String::new();
    let read = async { BufReader::new(output).read_line(&mut number).await };
    tokio::time::timeout(Duration::from_secs(10), read)
        .await
        .context("Xvfb does not start within 10 s")??;
    Ok((display, format!(":{}", number.trim())))
}
