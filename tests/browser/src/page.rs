//! One browser session with the page in it: what the cases are written with.
//!
//! Elements are named by their `data-testid`. Everything that waits gives up after
//! [`Page::PATIENCE`] with a message that says what it waited for and what it saw.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use thirtyfour::cdp::Cdp;
use thirtyfour::prelude::*;
use xtask::server::{Options, Server};
use xtask::workspace::Workspace;

use crate::engine::{Browser, Engine};

/// A page with nothing but a frame: the narrow viewports of engines whose windows stay wide.
pub const FRAME: (&str, &str) = (
    "test-frame.html",
    "<!doctype html><html lang=\"en\"><title>frame</title><link rel=\"icon\" href=\"data:,\">\
     <body><iframe title=\"page\" id=\"frame\"></iframe></body></html>",
);

/// How cases have a site served: not compressed, which would be done anew for each of them.
pub fn served(mount: &str) -> Options {
    Options {
        mount: mount.into(),
        pages: vec![FRAME],
        compressed: false,
        ..Options::default()
    }
}

/// A case ends with this when it cannot run here.
#[derive(Debug)]
pub struct Skipped(pub String);

impl std::fmt::Display for Skipped {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "skipped: {}", self.0)
    }
}

impl std::error::Error for Skipped {}

/// One window, one page, one server: cases share the browser, but no address, and nothing that a
/// browser keeps for one.
pub struct Page {
    /// For whatever has no shorter name here.
    pub driver: WebDriver,
    /// The engine it runs in.
    pub engine: Engine,
    /// The page's own server: see its faults, requests, stop and resume.
    pub server: Server,
    #[allow(dead_code, reason = "for cases that write files")]
    /// An empty folder that belongs to the case and is removed after it.
    pub folder: PathBuf,
    /// The folder of the browser, by which its processes are known.
    pub browser: PathBuf,
    downloads: PathBuf,
    screenshots: PathBuf,
    pictures: bool,
    frame: Mutex<Option<(u32, u32)>>,
    metrics: Mutex<(u32, u32, f64)>,
    expected: Mutex<Vec<String>>,
    others: Mutex<Vec<Arc<Server>>>,
}

#[allow(
    dead_code,
    reason = "the vocabulary of the cases, whichever of it they use today"
)]
impl Page {
    /// How long a wait lasts before it fails.
    pub const PATIENCE: Duration = Duration::from_secs(15);

    pub(crate) async fn start(
        browser: &Browser,
        driver: WebDriver,
        server: Server,
        folder: PathBuf,
        (screenshots, pictures): (PathBuf, bool),
    ) -> Result<Self> {
        driver
            .set_page_load_timeout(Duration::from_secs(30))
            .await?;
        driver.set_script_timeout(Duration::from_secs(30)).await?;
        let page = Self {
            driver,
            engine: browser.engine,
            server,
            folder,
            browser: browser.folder.path().into(),
            downloads: browser.downloads(),
            screenshots,
            pictures,
            frame: Mutex::new(None),
            metrics: Mutex::new((1400, 1000, 1.0)),
            expected: Mutex::new(Vec::new()),
            others: Mutex::new(Vec::new()),
        };
        // Nothing of the case before.
        page.console_errors().await?;
        page.viewport(1400, 1000).await?;
        if page.engine == Engine::Chromium {
            // Of several windows, one has the focus, and elements of the others hear nothing of it.
            page.cdp(
                "Emulation.setFocusEmulationEnabled",
                json!({ "enabled": true }),
            )
            .await?;
        }
        Ok(page)
    }

    /// Serves another site to this page, for as long as there is the page: what it still loads
    /// when the case is done must find its server.
    pub fn serve(&self, site: &Path, mount: &str) -> Result<Arc<Server>> {
        let server = Arc::new(Server::start(site, &served(mount))?);
        lock(&self.others).push(Arc::clone(&server));
        Ok(server)
    }

    // ---- going somewhere

    /// Loads the page with this fragment (or query): `open("")`, `open("#d=landmine")`.
    pub async fn open(&self, fragment: &str) -> Result<()> {
        self.leave(&self.server).await?;
        let url = format!("{}{fragment}", self.server.url());
        let frame = *lock(&self.frame);
        if let Some((width, height)) = frame {
            self.driver
                .goto(format!("{}{}", self.server.url(), FRAME.0))
                .await?;
            let script = "const frame = document.getElementById('frame'); \
                frame.style.border = '0'; frame.style.width = arguments[0] + 'px'; \
                frame.style.height = arguments[1] + 'px'; document.body.style.margin = '0'; \
                frame.src = arguments[2];";
            self.driver
                .execute(script, vec![json!(width), json!(height), json!(url)])
                .await?;
            self.driver
                .find(By::Id("frame"))
                .await?
                .enter_frame()
                .await?;
            self.until("the framed page to load", async || {
                let script = "return location.href !== 'about:blank' && \
                    document.readyState === 'complete'";
                self.js(script, vec![]).await
            })
            .await
        } else {
            self.driver
                .goto(url)
                .await
                .context("the page does not load")
        }
    }

    /// Goes to another page, since a change of the fragment alone loads nothing. If it can, to one
    /// of the same host: browsers start a process for each change of it, which costs Chromium as
    /// much as half a page.
    pub async fn leave(&self, server: &Server) -> Result<()> {
        let between = if server.answers(FRAME.0) {
            format!("{}{}", server.url(), FRAME.0)
        } else {
            "about:blank".into()
        };
        Ok(self.driver.goto(between).await?)
    }

    /// Loads the page again, the address as it is.
    pub async fn reload(&self) -> Result<()> {
        if lock(&self.frame).is_some() {
            bail!("reload works in no frame: use open");
        }
        Ok(self.driver.refresh().await?)
    }

    /// The same as the page itself does it: the way of Firefox's driver does not ask the service
    /// worker. Not for a page that would ask whether to leave it.
    pub async fn reload_itself(&self) -> Result<()> {
        self.js::<()>("window.left = true; location.reload(); return null", vec![])
            .await?;
        self.until("the page to load again", async || {
            let script = "return !window.left && document.readyState === 'complete'";
            self.js(script, vec![]).await
        })
        .await
    }

    /// [`Page::open`] of a page that a service worker will bring, from a page of the same server.
    /// Where the driver of WebKit 2.50 asks for such a page, now and then it waits for ever
    /// (microsoft/playwright#42273 tells the same); a page that goes there itself does not.
    pub async fn open_kept(&self, fragment: &str) -> Result<()> {
        if self.engine != Engine::Webkit {
            return self.open(fragment).await;
        }
        let url = format!("{}{fragment}", self.server.url());
        self.js::<()>(
            "history.replaceState(null, '', arguments[0]); return null",
            vec![json!(url)],
        )
        .await?;
        self.reload_itself().await
    }

    /// Changes the fragment in place, as a user who edits the address.
    pub async fn set_fragment(&self, fragment: &str) -> Result<()> {
        self.js(
            "location.hash = arguments[0]; return null",
            vec![json!(fragment)],
        )
        .await
    }

    /// The fragment in the address bar, with its `#`.
    pub async fn fragment(&self) -> Result<String> {
        self.js("return location.hash", vec![]).await
    }

    // ---- looking

    /// The one element with this test id.
    pub async fn find(&self, id: &str) -> Result<WebElement> {
        let selector = By::Css(format!("[data-testid='{id}']"));
        let found = self.driver.find_all(selector).await?;
        match <[WebElement; 1]>::try_from(found) {
            Ok([element]) => Ok(element),
            Err(found) => bail!("{} elements have the test id `{id}`", found.len()),
        }
    }

    /// The text a user sees in the element.
    pub async fn text(&self, id: &str) -> Result<String> {
        Ok(self.find(id).await?.text().await?)
    }

    /// The value of an input, or a property of any other element.
    pub async fn property(&self, id: &str, name: &str) -> Result<Option<String>> {
        Ok(self.find(id).await?.prop(name.to_owned()).await?)
    }

    /// Whether the element is there and visible.
    pub async fn is_visible(&self, id: &str) -> Result<bool> {
        match self.find(id).await {
            Ok(element) => Ok(element.is_displayed().await?),
            Err(_) => Ok(false),
        }
    }

    /// Runs JavaScript in the page: `js("return arguments[0] + 1", vec![json!(1)])`.
    pub async fn js<T: DeserializeOwned>(&self, script: &str, arguments: Vec<Value>) -> Result<T> {
        let answer = self.driver.execute(script, arguments).await?;
        serde_json::from_value(answer.json().clone())
            .with_context(|| format!("`{script}` returned {}", answer.json()))
    }

    /// The same for a script that ends by calling its last argument.
    pub async fn js_later<T: DeserializeOwned>(
        &self,
        script: &str,
        arguments: Vec<Value>,
    ) -> Result<T> {
        let answer = self.driver.execute_async(script, arguments).await?;
        serde_json::from_value(answer.json().clone())
            .with_context(|| format!("`{script}` returned {}", answer.json()))
    }

    // ---- waiting

    /// Waits until `check` is true. Its errors count as "not yet".
    pub async fn until(&self, what: &str, check: impl AsyncFn() -> Result<bool>) -> Result<()> {
        self.until_within(Self::PATIENCE, what, check).await
    }

    /// The same with another limit, for long runs.
    pub async fn until_within(
        &self,
        limit: Duration,
        what: &str,
        check: impl AsyncFn() -> Result<bool>,
    ) -> Result<()> {
        let start = Instant::now();
        loop {
            let problem = match check().await {
                Ok(true) => return Ok(()),
                Ok(false) => None,
                Err(error) => Some(error),
            };
            if start.elapsed() > limit {
                let message = format!("waited {} s for {what}", limit.as_secs());
                return Err(match problem {
                    Some(error) => error.context(message),
                    None => anyhow!(message),
                });
            }
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    }

    /// Waits until the element shows this text (or more).
    pub async fn wait_text(&self, id: &str, part: &str) -> Result<()> {
        self.wait_for(id, part, |text| text.contains(part)).await
    }

    /// Waits until the element's text is as `check` wants it; returns the text.
    pub async fn wait_for(&self, id: &str, what: &str, check: impl Fn(&str) -> bool) -> Result<()> {
        let last = Mutex::new(String::new());
        let outcome = self
            .until(&format!("`{id}` to show: {what}"), async || {
                let text = self.text(id).await?;
                let good = check(&text);
                *lock(&last) = text;
                Ok(good)
            })
            .await;
        outcome.with_context(|| format!("`{id}` showed: {}", lock(&last)))
    }

    /// Waits until the element is visible.
    pub async fn wait_visible(&self, id: &str) -> Result<()> {
        self.until(&format!("`{id}` to appear"), async || {
            self.is_visible(id).await
        })
        .await
    }

    /// Waits until the element is gone or hidden.
    pub async fn wait_hidden(&self, id: &str) -> Result<()> {
        self.until(&format!("`{id}` to go"), async || {
            Ok(!self.is_visible(id).await?)
        })
        .await
    }

    // ---- doing

    /// Scrolls to the element and clicks it once it can be clicked.
    pub async fn click(&self, id: &str) -> Result<()> {
        self.until(&format!("`{id}` to be clicked"), async || {
            let element = self.find(id).await?;
            element.scroll_into_view().await?;
            element.click().await?;
            Ok(true)
        })
        .await
    }

    /// Sets an input, text area, select or checkbox (`"true"`, `"false"`) and tells the page so.
    pub async fn set(&self, id: &str, value: &str) -> Result<()> {
        let element = self.find(id).await?;
        let script = "const [element, value] = arguments; \
            if (element.disabled) return 'it is disabled'; \
            if (element.type === 'checkbox' || element.type === 'radio') { \
              if (element.checked !== (value === 'true')) element.click(); return ''; } \
            element.focus(); element.value = value; \
            if (element.localName === 'select' && element.value !== value) \
              return 'it has no such option'; \
            element.dispatchEvent(new Event('input', { bubbles: true })); \
            element.dispatchEvent(new Event('change', { bubbles: true })); \
            return ''";
        let problem: String = self
            .js(script, vec![element.to_json()?, json!(value)])
            .await?;
        if !problem.is_empty() {
            bail!("cannot set `{id}` to {value}: {problem}");
        }
        Ok(())
    }

    /// Types into the element, key by key, after what stands there.
    pub async fn type_into(&self, id: &str, text: &str) -> Result<()> {
        Ok(self.find(id).await?.send_keys(text).await?)
    }

    /// Presses a key (or several) wherever the focus is.
    pub async fn press(&self, keys: impl Into<TypingData>) -> Result<()> {
        Ok(self.driver.action_chain().send_keys(keys).perform().await?)
    }

    /// The test id of the element that has the focus.
    pub async fn focused(&self) -> Result<Option<String>> {
        let script = "return document.activeElement?.getAttribute('data-testid') ?? null";
        self.js(script, vec![]).await
    }

    /// Chooses a file from disk in a file input, which may be hidden.
    pub async fn upload(&self, id: &str, path: &Path) -> Result<()> {
        let path = path
            .canonicalize()
            .with_context(|| format!("{}", path.display()))?;
        Ok(self
            .find(id)
            .await?
            .send_keys(path.to_string_lossy().as_ref())
            .await?)
    }

    /// Chooses a file with this name and content.
    pub async fn upload_bytes(&self, id: &str, name: &str, bytes: &[u8]) -> Result<()> {
        let path = self.folder.join(name);
        std::fs::write(&path, bytes)?;
        self.upload(id, &path).await
    }

    /// Drops a file with this name and content onto the element.
    pub async fn drop_file(&self, id: &str, name: &str, bytes: &[u8]) -> Result<()> {
        let make = "const [name, content] = given; \
            const bytes = Uint8Array.from(atob(content), letter => letter.charCodeAt(0)); \
            return [new File([bytes], name)]";
        let content = BASE64_STANDARD.encode(bytes);
        self.drop_made(id, make, json!([name, content])).await
    }

    /// Drops onto the element the files that the function body `make` returns for `given`.
    pub async fn drop_made(&self, id: &str, make: &str, given: Value) -> Result<()> {
        let element = self.find(id).await?;
        let script = format!(
            "const [element, given] = arguments; \
             const dataTransfer = new DataTransfer(); \
             const make = (given) => {{ {make} }}; \
             for (const file of make(given)) dataTransfer.items.add(file); \
             for (const type of ['dragenter', 'dragover', 'drop']) element.dispatchEvent( \
               new DragEvent(type, {{ dataTransfer, bubbles: true, cancelable: true }})); \
             return null"
        );
        self.js(&script, vec![element.to_json()?, given]).await
    }

    /// Waits for a finished download whose name ends so, and returns where it lies.
    pub async fn downloaded(&self, end: &str) -> Result<PathBuf> {
        let find = || -> Result<Option<PathBuf>> {
            for entry in std::fs::read_dir(&self.downloads)? {
                let path = entry?.path();
                if path.to_string_lossy().ends_with(end) && path.metadata()?.len() > 0 {
                    return Ok(Some(path));
                }
            }
            Ok(None)
        };
        self.until(&format!("a download named …{end}"), async || {
            Ok(find()?.is_some())
        })
        .await?;
        find()?.context("the download is there")
    }

    /// Fails when this took longer than the limit. In Chromium alone: the other engines run side by
    /// side, and their times say nothing.
    pub fn within(&self, what: &str, milliseconds: f64, limit: f64) -> Result<()> {
        if self.engine == Engine::Chromium && milliseconds > limit {
            bail!("{what} took {milliseconds} ms, at most {limit} are allowed");
        }
        Ok(())
    }

    // ---- the surroundings

    /// Sets the size the page sees, in CSS pixels. Call it before [`Page::open`].
    pub async fn viewport(&self, width: u32, height: u32) -> Result<()> {
        if self.engine == Engine::Chromium {
            let ratio = lock(&self.metrics).2;
            return self.set_metrics(width, height, ratio).await;
        }
        if width < self.engine.narrowest_window() {
            *lock(&self.frame) = Some((width, height));
            return Ok(());
        }
        *lock(&self.frame) = None;
        self.driver.enter_default_frame().await?;
        // The frame of the window is no part of what the page sees, and windows take their time.
        let mut frame = (0, 0);
        for _ in 0..5 {
            let (outer_width, outer_height) = (width + frame.0, height + frame.1);
            self.driver
                .set_window_rect(0, 0, outer_width, outer_height)
                .await?;
            for _ in 0..20 {
                let size = "return [innerWidth, innerHeight]";
                let (seen_width, seen_height): (u32, u32) = self.js(size, vec![]).await?;
                if (seen_width, seen_height) == (width, height) {
                    return Ok(());
                }
                frame = (
                    outer_width.saturating_sub(seen_width),
                    outer_height.saturating_sub(seen_height),
                );
                tokio::time::sleep(Duration::from_millis(25)).await;
            }
        }
        bail!("no window of {width} x {height}: its frame takes {frame:?}")
    }

    /// The same for a page that [`Page::resize`] makes narrower or wider while it is open.
    pub async fn elastic_viewport(&self, width: u32, height: u32) -> Result<()> {
        if self.engine == Engine::Chromium {
            return self.viewport(width, height).await;
        }
        *lock(&self.frame) = Some((width, height));
        Ok(())
    }

    /// Another size for an open page, after [`Page::elastic_viewport`].
    pub async fn resize(&self, width: u32, height: u32) -> Result<()> {
        if self.engine == Engine::Chromium {
            return self.viewport(width, height).await;
        }
        *lock(&self.frame) = Some((width, height));
        let script = "const { style } = frameElement; style.width = `${arguments[0]}px`; \
            style.height = `${arguments[1]}px`; return null";
        self.js(script, vec![json!(width), json!(height)]).await
    }

    /// Sets the device pixel ratio (Chromium only).
    pub async fn pixel_ratio(&self, ratio: f64) -> Result<()> {
        let (width, height, _) = *lock(&self.metrics);
        self.set_metrics(width, height, ratio).await
    }

    async fn set_metrics(&self, width: u32, height: u32, ratio: f64) -> Result<()> {
        *lock(&self.metrics) = (width, height, ratio);
        self.cdp(
            "Emulation.setDeviceMetricsOverride",
            json!({
                "width": width, "height": height, "deviceScaleFactor": ratio, "mobile": false,
            }),
        )
        .await?;
        Ok(())
    }

    /// Sets media features (Chromium only): `media(&[("prefers-color-scheme", "dark")])`, also
    /// `prefers-reduced-motion`, `forced-colors`. Each call replaces the one before.
    pub async fn media(&self, features: &[(&str, &str)]) -> Result<()> {
        let features: Vec<Value> = features
            .iter()
            .map(|(name, value)| json!({ "name": name, "value": value }))
            .collect();
        self.cdp(
            "Emulation.setEmulatedMedia",
            json!({ "features": features }),
        )
        .await?;
        Ok(())
    }

    /// Whether a case can set media features here.
    pub fn has_media(&self) -> bool {
        self.engine == Engine::Chromium
    }

    /// The looks a case can ask for, as whether they are dark.
    pub fn themes(&self) -> &'static [bool] {
        if self.has_media() {
            &[false, true]
        } else {
            &[false]
        }
    }

    /// Dark or light: one of [`Page::themes`].
    pub async fn dark(&self, dark: bool) -> Result<()> {
        if self.themes() == [dark] {
            return Ok(());
        }
        self.media(&[("prefers-color-scheme", if dark { "dark" } else { "light" })])
            .await
    }

    /// A command of the Chrome DevTools protocol.
    pub async fn cdp(&self, method: &str, parameters: Value) -> Result<Value> {
        if self.engine != Engine::Chromium {
            bail!("{method} needs Chromium: such cases are listed in cases/mod.rs");
        }
        Ok(Cdp::new(self.driver.handle().clone())
            .send_raw(method, parameters)
            .await?)
    }

    /// What axe finds wrong with the whole page, as `rule: where`, one line each.
    pub async fn axe(&self) -> Result<Vec<String>> {
        self.axe_with(json!({ "resultTypes": ["violations"] }))
            .await
    }

    /// The same for colours alone: enough where nothing else differs from what was looked at.
    pub async fn axe_colors(&self) -> Result<Vec<String>> {
        let rules = ["color-contrast", "link-in-text-block"];
        let only = json!({ "type": "rule", "values": rules });
        self.axe_with(json!({ "resultTypes": ["violations"], "runOnly": only }))
            .await
    }

    async fn axe_with(&self, options: Value) -> Result<Vec<String>> {
        let there = "return 'axe' in window";
        if !self.js::<bool>(there, vec![]).await? {
            let path = Workspace::find()?
                .root
                .join("node_modules/axe-core/axe.min.js");
            let axe = std::fs::read_to_string(&path)
                .with_context(|| format!("{} (npm ci installs it)", path.display()))?;
            self.driver.execute(axe, vec![]).await?;
        }
        let script = "const [options, done] = arguments; axe.run(document, options) \
            .then(({ violations }) => done(violations.flatMap(({ id, nodes }) => nodes.map( \
              ({ target, failureSummary }) => `${id}: ${target} ${failureSummary}`))))";
        self.js_later(script, vec![options]).await
    }

    // ---- what stays

    /// Saves what is seen as `target/screenshots/<engine>/<name>.png`, if pictures are asked for.
    pub async fn screenshot(&self, name: &str) -> Result<()> {
        self.settle().await?;
        let Some(path) = self.picture(name) else {
            return Ok(());
        };
        let framed = lock(&self.frame).is_some();
        if framed {
            self.driver.enter_parent_frame().await?;
            let frame = self.driver.find(By::Id("frame")).await?;
            let saved = frame.screenshot(&path).await;
            frame.enter_frame().await?;
            saved?;
        } else {
            self.driver.screenshot(&path).await?;
        }
        Ok(())
    }

    /// Where a picture comes to lie. They are only to be looked at, and slow.
    fn picture(&self, name: &str) -> Option<PathBuf> {
        self.pictures
            .then(|| self.screenshots.join(format!("{name}.png")))
    }

    /// For cases that do nothing else.
    pub fn needs_pictures(&self) -> Result<()> {
        if self.pictures {
            return Ok(());
        }
        bail!(Skipped("it only takes pictures: see --pictures".into()))
    }

    /// Saves the whole page from top to bottom (Chromium; elsewhere what is seen).
    pub async fn screenshot_whole(&self, name: &str) -> Result<()> {
        if self.engine != Engine::Chromium || !self.pictures {
            return self.screenshot(name).await;
        }
        let (width, height, ratio) = *lock(&self.metrics);
        let whole: u32 = self
            .js("return document.documentElement.scrollHeight", vec![])
            .await?;
        self.set_metrics(width, whole.clamp(height, 16_000), ratio)
            .await?;
        let saved = self.screenshot(name).await;
        self.set_metrics(width, height, ratio).await?;
        saved
    }

    /// Saves one element.
    pub async fn screenshot_of(&self, id: &str, name: &str) -> Result<()> {
        self.settle().await?;
        let element = self.find(id).await?;
        if let Some(path) = self.picture(name) {
            element.screenshot(&path).await?;
        }
        Ok(())
    }

    /// Waits two animation frames, so that what was changed has been drawn.
    pub async fn settle(&self) -> Result<()> {
        let script = "const done = arguments[0]; \
            requestAnimationFrame(() => requestAnimationFrame(() => done(null)))";
        self.js_later(script, vec![]).await
    }

    /// Waits until nothing scrolls or moves any more.
    pub async fn still(&self) -> Result<()> {
        let script = "const done = arguments[0]; let [last, frames] = [scrollY, 0]; \
            requestAnimationFrame(function look() { \
              const moving = document.getAnimations().some(a => a.playState === 'running'); \
              frames = scrollY === last && !moving ? frames + 1 : 0; \
              last = scrollY; \
              if (frames < 6) requestAnimationFrame(look); else done(null); })";
        self.js_later(script, vec![]).await
    }

    /// A console error that contains this text is part of the case; any other one fails it.
    pub fn expect_console_error(&self, part: &str) {
        lock(&self.expected).push(part.to_owned());
    }

    /// The errors in the console since the last call that nobody expected (Chromium only).
    pub async fn console_errors(&self) -> Result<Vec<String>> {
        if self.engine != Engine::Chromium {
            return Ok(Vec::new());
        }
        let log = self.driver.browser_log().await?;
        let expected = lock(&self.expected);
        Ok(log
            .into_iter()
            .filter(|entry| entry.level == "SEVERE")
            .map(|entry| entry.message)
            .filter(|message| !expected.iter().any(|part| message.contains(part)))
            .collect())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}
