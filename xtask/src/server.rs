//! The static server: `cargo xtask serve` and the browser tests use the same one.
//!
//! It serves one folder and nothing else, with the headers a careful host would send. Tests can
//! make it misbehave ([`Fault`]) and ask what was requested.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, Result};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use futures_util::StreamExt as _;
use tokio::sync::oneshot;
use tower_http::compression::CompressionLayer;
use tower_http::services::ServeDir;

/// Scripts and workers from here only, no inline script, wasm may compile. Styles: the charts
/// measure text with a span whose `style` attribute is set, so attributes are allowed, and only
/// they. `frame-ancestors` is absent on purpose: the page may be embedded in slides.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self' \
     'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'; style-src 'self'; style-src-attr \
     'unsafe-inline'; img-src 'self' data: blob:; font-src 'self'; manifest-src 'self'; \
     frame-src 'self'; base-uri 'none'; form-action 'none'";

/// A way to misbehave, for tests.
#[derive(Debug, Clone)]
pub struct Fault {
    /// Every path that contains this text is concerned.
    pub path: String,
    /// What happens.
    pub kind: FaultKind,
}

/// What happens to a request.
#[derive(Debug, Clone)]
pub enum FaultKind {
    /// Answered by this status instead.
    Status(u16),
    /// The body ends after so many bytes, as if that were all of it.
    Truncated(usize),
    /// The connection breaks off after so many bytes of the body.
    Broken(usize),
    /// The byte at this position (or the last one) is inverted.
    Altered(usize),
    /// The answer is held back for so long.
    Slow(Duration),
    /// The header is replaced; an empty value removes it.
    Header(&'static str, &'static str),
}

/// How to serve.
#[derive(Debug, Clone)]
pub struct Options {
    /// The address to listen on; port 0 takes a free one.
    pub address: SocketAddr,
    /// The folder of the host the site appears in: `/` or, say, `/some/folder/`.
    pub mount: String,
    /// Further pages beside the site's, for tests: name and HTML.
    pub pages: Vec<(&'static str, &'static str)>,
    /// Whether answers are compressed, as hosts do it: each time anew, which hundreds of tests can
    /// do without.
    pub compressed: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            mount: "/".into(),
            pages: Vec::new(),
            compressed: true,
        }
    }
}

#[derive(Debug, Default)]
struct Control {
    faults: Mutex<Vec<Fault>>,
    requests: Mutex<Vec<String>>,
}

/// A running server; dropping it cuts every connection.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    mount: String,
    app: Router,
    control: Arc<Control>,
    running: Mutex<Option<Running>>,
}

#[derive(Debug)]
struct Running {
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl Server {
    /// Starts to serve `folder`; it answers when this returns.
    ///
    /// # Errors
    /// When the address is taken or may not be used.
    pub fn start(folder: &Path, options: &Options) -> Result<Self> {
        let listener = TcpListener::bind(options.address)?;
        let address = listener.local_addr()?;
        let control = Arc::new(Control::default());
        let app = router(folder, options, &control);
        let running = Mutex::new(Some(listen(listener, app.clone())?));
        Ok(Self {
            address,
            mount: options.mount.clone(),
            app,
            control,
            running,
        })
    }

    /// Cuts every connection and refuses new ones, as if the network were gone.
    pub fn stop(&self) {
        if let Some(running) = lock(&self.running).take() {
            let _ = running.stop.send(());
            let _ = running.thread.join();
        }
    }

    /// Serves again at the same address after [`Server::stop`].
    ///
    /// # Errors
    /// When the address was taken in the meantime.
    pub fn resume(&self) -> Result<()> {
        let mut running = lock(&self.running);
        if running.is_none() {
            *running = Some(listen(TcpListener::bind(self.address)?, self.app.clone())?);
        }
        Ok(())
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address of the page.
    pub fn url(&self) -> String {
        format!("http://{}{}", self.address, self.mount)
    }

    /// Adds a fault; it holds until [`Server::heal`].
    pub fn fault(&self, path: impl Into<String>, kind: FaultKind) {
        lock(&self.control.faults).push(Fault {
            path: path.into(),
            kind,
        });
    }

    /// Removes all faults.
    pub fn heal(&self) {
        lock(&self.control.faults).clear();
    }

    /// Whether it runs, and has no fault for this path.
    pub fn answers(&self, path: &str) -> bool {
        let faults = lock(&self.control.faults);
        lock(&self.running).is_some() && !faults.iter().any(|fault| path.contains(&fault.path))
    }

    /// The paths requested since the last call, in order.
    pub fn take_requests(&self) -> Vec<String> {
        std::mem::take(&mut lock(&self.control.requests))
    }

    /// Waits until the server ends by itself, which it does only in trouble.
    pub fn wait(&self) {
        let running = lock(&self.running).take();
        if let Some(Running { stop, thread }) = running {
            let _ = thread.join();
            drop(stop);
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

fn listen(listener: TcpListener, app: Router) -> Result<Running> {
    listener.set_nonblocking(true)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the server")?;
    let (stop, stopped) = oneshot::channel::<()>();
    let thread = std::thread::spawn(move || {
        runtime.block_on(async {
            let serve =
                async { axum::serve(tokio::net::TcpListener::from_std(listener)?, app).await };
            tokio::select! {
                outcome = serve => if let Err(error) = outcome {
                    eprintln!("the server stopped: {error}");
                },
                _ = stopped => {}
            }
        });
        // Ends the connections still open.
        runtime.shutdown_background();
    });
    Ok(Running { stop, thread })
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn router(folder: &Path, options: &Options, control: &Arc<Control>) -> Router {
    // Whatever leads outside the folder is not found: ServeDir refuses `..`, encoded or not.
    let files = ServeDir::new(folder).append_index_html_on_directories(true);
    let mut app = Router::new();
    for &(name, html) in &options.pages {
        app = app.route(
            &format!("{}{name}", options.mount),
            get(move || async move { Html(html) }),
        );
    }
    let app = if options.mount == "/" {
        app.fallback_service(files)
    } else {
        app.nest_service(options.mount.trim_end_matches('/'), files)
    };
    let mut app = app.layer(from_fn_with_state(control.clone(), misbehave));
    if options.compressed {
        app = app.layer(CompressionLayer::new());
    }
    app.layer(from_fn_with_state(control.clone(), finish))
}

/// Adds the headers, to errors as well.
async fn finish(State(control): State<Arc<Control>>, request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    lock(&control.requests).push(path.clone());
    let mut response = next.run(request).await;
    let kept =
        response.status().is_success() && (path.contains("/assets-") || path.contains("/data/"));
    let headers = response.headers_mut();
    let mut set = |name: HeaderName, value: &'static str| {
        headers.insert(name, HeaderValue::from_static(value));
    };
    set(header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY);
    set(header::REFERRER_POLICY, "no-referrer");
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    );
    set(
        HeaderName::from_static("permissions-policy"),
        "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    );
    // Hashed names may be kept for ever, everything else is asked for again.
    set(
        header::CACHE_CONTROL,
        if kept {
            "public, max-age=31536000, immutable"
        } else {
            "no-cache"
        },
    );
    for fault in lock(&control.faults)
        .iter()
        .filter(|fault| path.contains(&fault.path))
    {
        if let FaultKind::Header(name, value) = fault.kind {
            if value.is_empty() {
                headers.remove(name);
            } else {
                headers.insert(
                    HeaderName::from_static(name),
                    HeaderValue::from_static(value),
                );
            }
        }
    }
    response
}

async fn misbehave(State(control): State<Arc<Control>>, request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let faults: Vec<Fault> = lock(&control.faults)
        .iter()
        .filter(|fault| path.contains(&fault.path))
        .cloned()
        .collect();
    let mut response = next.run(request).await;
    for fault in faults {
        response = match fault.kind {
            FaultKind::Status(code) => StatusCode::from_u16(code)
                .unwrap_or(StatusCode::NOT_FOUND)
                .into_response(),
            FaultKind::Truncated(length) => {
                with_body(response, |bytes| bytes.truncate(length)).await
            }
            FaultKind::Broken(length) => broken_off(response, length).await,
            FaultKind::Altered(position) => {
                with_body(response, |bytes| {
                    let last = bytes.len().saturating_sub(1);
                    if let Some(byte) = bytes.get_mut(position.min(last)) {
                        *byte = !*byte;
                    }
                })
                .await
            }
            FaultKind::Slow(time) => {
                tokio::time::sleep(time).await;
                response
            }
            FaultKind::Header(..) => response,
        };
    }
    response
}

/// The beginning of the body, and then an error, which ends the connection.
async fn broken_off(response: Response, length: usize) -> Response {
    let response = with_body(response, |bytes| bytes.truncate(length)).await;
    let (parts, body) = response.into_parts();
    let first = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let parts_of_body = [Ok(first), Err(std::io::Error::other("broken off"))];
    // One after the other: an error at once would leave no answer at all.
    let stream = futures_util::stream::iter(parts_of_body).then(async |part| {
        if part.is_err() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        part
    });
    Response::from_parts(parts, Body::from_stream(stream))
}

async fn with_body(response: Response, change: impl FnOnce(&mut Vec<u8>)) -> Response {
    let (mut parts, body) = response.into_parts();
    match to_bytes(body, usize::MAX).await {
        Ok(bytes) => {
            let mut bytes = bytes.to_vec();
            change(&mut bytes);
            parts.headers.remove(header::CONTENT_LENGTH);
            Response::from_parts(parts, Body::from(bytes))
        }
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read as _, Write as _};
    use std::net::TcpStream;

    use crate::workspace::Workspace;

    struct Site {
        folder: std::path::PathBuf,
        server: Server,
    }

    impl Drop for Site {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.folder);
        }
    }

    fn site(name: &str, mount: &str) -> Site {
        let folder =
            std::env::temp_dir().join(format!("server-test-{name}-{}", std::process::id()));
        let dist = folder.join("dist");
        std::fs::create_dir_all(dist.join("assets-1")).unwrap();
        std::fs::write(folder.join("secret.txt"), "secret-text").unwrap();
        std::fs::create_dir_all(folder.join("dist-2")).unwrap();
        std::fs::write(folder.join("dist-2/secret.txt"), "secret-text").unwrap();
        std::fs::write(dist.join("index.html"), "the page").unwrap();
        std::fs::write(dist.join("app.webmanifest"), "{}").unwrap();
        std::fs::write(dist.join("assets-1/a.wasm"), "0123456789").unwrap();
        std::fs::write(dist.join("assets-1/a.js"), "export {};".repeat(100)).unwrap();
        let options = Options {
            mount: mount.into(),
            ..Options::default()
        };
        let server = Server::start(&dist, &options).unwrap();
        Site { folder, server }
    }

    /// One raw request: a client library would tidy up the path.
    fn ask(site: &Site, path: &str, more: &str) -> String {
        say(site, "GET", path, more)
    }

    fn say(site: &Site, method: &str, path: &str, more: &str) -> String {
        let mut stream = TcpStream::connect(site.server.address()).unwrap();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{more}\r\n"
        )
        .unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        String::from_utf8_lossy(&answer).to_lowercase()
    }

    #[test]
    fn types_and_headers_are_those_of_a_careful_host() {
        let site = site("headers", "/");
        let page = ask(&site, "/", "");
        for line in [
            "http/1.1 200",
            "content-type: text/html",
            "x-content-type-options: nosniff",
            "referrer-policy: no-referrer",
            "'wasm-unsafe-eval'",
            "cache-control: no-cache",
            "the page",
        ] {
            assert!(page.contains(line), "{line} is not in {page}");
        }
        let wasm = ask(&site, "/assets-1/a.wasm", "");
        assert!(wasm.contains("content-type: application/wasm"), "{wasm}");
        assert!(wasm.contains("immutable"), "{wasm}");
        assert!(ask(&site, "/assets-1/a.js", "").contains("content-type: text/javascript"));
        let manifest = ask(&site, "/app.webmanifest", "");
        assert!(
            manifest.contains("content-type: application/manifest+json"),
            "{manifest}"
        );
        let packed = ask(&site, "/assets-1/a.js", "Accept-Encoding: gzip\r\n");
        assert!(packed.contains("content-encoding: gzip"), "{packed}");
    }

    #[test]
    fn no_path_leads_out_of_the_folder() {
        let site = site("traversal", "/");
        let mut paths: Vec<String> = [
            "/secret.txt",
            "/%00",
            "/../secret.txt%00.html",
            "/%c0%ae%c0%ae/secret.txt",
            "/%252e%252e/secret.txt",
            "http://x/../secret.txt",
        ]
        .map(Into::into)
        .into();
        for start in [
            "/",
            "//",
            "/assets-1/../",
            "/./",
            "/assets-1/a.js/../../",
            "/none/../",
        ] {
            for up in ["..", "%2e%2e", ".%2e", "%2E.", "..;"] {
                for separator in ["/", "%2f", "%5c", "\\", "//"] {
                    for file in ["secret.txt", "dist-2/secret.txt"] {
                        paths.push(format!("{start}{up}{separator}{file}"));
                    }
                }
            }
        }
        // What lies outside by its whole name.
        let outside = site.folder.join("secret.txt").display().to_string();
        paths.extend([
            outside.clone(),
            format!("/{outside}"),
            format!("/file://{outside}"),
        ]);
        let mut led_out = Vec::new();
        for path in &paths {
            let answer = ask(&site, path, "");
            if answer.contains("secret-text") || answer.starts_with("http/1.1 200") {
                led_out.push(format!("{path}: {answer}"));
            }
            assert!(
                answer.contains("nosniff") || answer.contains(" 400 "),
                "{path}: {answer}"
            );
        }
        let record = serde_json::json!({"tried": paths.len(), "led_out": led_out.len()});
        crate::trust::record(&Workspace::find().unwrap(), "server", &record).unwrap();
        assert!(led_out.is_empty(), "{led_out:?}");
    }

    #[test]
    fn nothing_is_listed_and_nothing_is_taken() {
        let site = site("methods", "/");
        for path in ["/assets-1", "/assets-1/"] {
            let answer = ask(&site, path, "");
            assert!(!answer.contains("a.wasm"), "{answer}");
        }
        for method in ["POST", "PUT", "DELETE"] {
            let answer = say(&site, method, "/index.html", "");
            assert!(answer.starts_with("http/1.1 405"), "{method}: {answer}");
        }
        assert_eq!(
            std::fs::read_to_string(site.folder.join("dist/index.html")).unwrap(),
            "the page"
        );
    }

    /// The sources that a policy allows for scripts.
    fn script_sources(policy: &str) -> Vec<&str> {
        let mut directives = policy.split(';').map(str::trim);
        let scripts = directives.find_map(|directive| directive.strip_prefix("script-src "));
        scripts.unwrap().split(' ').collect()
    }

    #[test]
    fn no_policy_allows_inline_scripts() {
        let page = include_str!("../../www/index.html");
        let meta = page
            .split_once("http-equiv=\"Content-Security-Policy\" content=\"")
            .and_then(|(_, rest)| rest.split_once('"'));
        for policy in [CONTENT_SECURITY_POLICY, meta.unwrap().0] {
            assert_eq!(script_sources(policy), ["'self'", "'wasm-unsafe-eval'"]);
            assert!(policy.starts_with("default-src 'none';"), "{policy}");
            assert!(!policy.contains("http"), "{policy}");
        }
    }

    #[test]
    fn only_this_computer_is_served_unless_told() {
        let site = site("loopback", "/");
        let address = site.server.address();
        assert_eq!(address.ip().to_string(), "127.0.0.1");
        // Another address of this computer is not listened on.
        let other = SocketAddr::from(([127, 0, 0, 2], address.port()));
        assert!(TcpStream::connect(other).is_err());
    }

    #[test]
    fn faults_are_seen_until_they_are_healed() {
        let site = site("faults", "/");
        site.server.fault(".wasm", FaultKind::Truncated(4));
        assert!(ask(&site, "/assets-1/a.wasm", "").ends_with("\r\n\r\n0123"));
        site.server.heal();
        site.server.fault(".wasm", FaultKind::Broken(4));
        let broken = ask(&site, "/assets-1/a.wasm", "");
        // The headers have digits of their own: those of the date.
        let (_, body) = broken.split_once("\r\n\r\n").unwrap();
        assert!(body.contains("0123") && !body.contains("45"), "{broken}");
        // Chunks without the last, empty one: whoever reads knows that something is missing.
        assert!(!broken.ends_with("0\r\n\r\n"), "{broken}");
        site.server.heal();
        site.server.fault("/", FaultKind::Status(503));
        assert!(ask(&site, "/", "").starts_with("http/1.1 503"));
        site.server.heal();
        assert!(ask(&site, "/assets-1/a.wasm", "").ends_with("0123456789"));
        assert_eq!(
            site.server.take_requests(),
            [
                "/assets-1/a.wasm",
                "/assets-1/a.wasm",
                "/",
                "/assets-1/a.wasm"
            ]
        );
    }

    #[test]
    fn a_site_can_live_in_any_folder_of_a_host() {
        let site = site("mount", "/some/folder/");
        assert!(ask(&site, "/some/folder/", "").contains("the page"));
        assert!(ask(&site, "/some/folder/assets-1/a.wasm", "").contains("0123456789"));
        assert!(ask(&site, "/", "").starts_with("http/1.1 404"));
    }

    #[test]
    fn a_stopped_server_refuses_and_a_resumed_one_answers_again() {
        let site = site("stop", "/");
        site.server.stop();
        assert!(TcpStream::connect(site.server.address()).is_err());
        site.server.resume().unwrap();
        assert!(ask(&site, "/", "").contains("the page"));
    }

    #[test]
    fn a_taken_port_is_an_error_that_says_so() {
        let site = site("port", "/");
        let options = Options {
            address: site.server.address(),
            ..Options::default()
        };
        let error = Server::start(&site.folder, &options).unwrap_err();
        let kind = error.downcast_ref::<std::io::Error>().unwrap().kind();
        assert_eq!(kind, std::io::ErrorKind::AddrInUse);
    }
}
