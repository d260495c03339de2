//! The finished site: which files there are, under which names, and how they get into `dist`.
//!
//! ```text
//! dist/index.html                 pages, manifest, icons, service worker: fixed names, revalidated
//! dist/build.json                 what this build consists of
//! dist/assets-<hash>/...          everything else of www/, names and relative imports untouched
//! dist/data/<name>-<hash>.<ext>   data bundles, fetched when chosen
//! ```
//! The hash of the folder is over all files in it, so a browser may keep them for ever; data has
//! hashes of its own, so that an edit of the page does not fetch the data again. Everything is
//! linked relatively: the site works from any folder of any static host.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::json;
use sha2::{Digest, Sha256};

/// All files of a site: path with forward slashes, relative to `dist`, and content.
pub type Files = BTreeMap<String, Vec<u8>>;

/// Lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn short_hash(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes)[..6])
}

/// Reads every file below `folder`; hidden files and type declarations are left out.
///
/// # Errors
/// When something cannot be read.
pub fn read_folder(folder: &Path) -> Result<Files> {
    let mut files = Files::new();
    let mut waiting = vec![PathBuf::new()];
    while let Some(inner) = waiting.pop() {
        let here = folder.join(&inner);
        for entry in
            fs::read_dir(&here).with_context(|| format!("cannot read {}", here.display()))?
        {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with('.') || name.ends_with(".d.ts") {
                continue;
            }
            let path = inner.join(&name);
            if entry.path().is_dir() {
                waiting.push(path);
            } else {
                let name = path.to_string_lossy().replace('\\', "/");
                files.insert(name, fs::read(entry.path())?);
            }
        }
    }
    Ok(files)
}

/// The line without the types in its middle: `/** @type {...} */` and what separates it from the rest.
fn without_types(line: &str) -> String {
    let mut kept = String::with_capacity(line.len());
    let mut rest = line;
    while let Some((before, after)) = rest.split_once("/** @type")
        && let Some((_, after)) = after.split_once("*/")
    {
        kept += before;
        rest = after.trim_start();
    }
    kept + rest
}

/// The script without the comments that have lines of their own, and without indentation: a quarter
/// of its size after gzip. What stands inside a template literal is left alone.
fn without_comments(script: &str) -> String {
    let mut kept = String::with_capacity(script.len());
    let (mut in_comment, mut in_template) = (false, false);
    for line in script.lines() {
        let bare = line.trim();
        if in_template {
            kept += line;
        } else if in_comment {
            let Some((_, after)) = bare.split_once("*/") else {
                continue;
            };
            in_comment = false;
            if after.is_empty() {
                continue;
            }
            kept += after;
        } else if bare.starts_with("/*") && (!bare.contains("*/") || bare.ends_with("*/")) {
            in_comment = !bare.contains("*/");
            continue;
        } else if bare.starts_with("//") || bare.is_empty() {
            continue;
        } else {
            kept += &without_types(bare);
        }
        kept.push('\n');
        in_template ^= line.matches('`').count() % 2 == 1;
    }
    kept
}

/// Whether a file of www/ keeps its name at the top of `dist`: browsers and hosts ask for these by
/// name, and they must be revalidated. (A service worker reaches no higher than its own folder.)
fn keeps_its_name(path: &str) -> bool {
    let top_level = !path.contains('/');
    (top_level
        && [".html", ".webmanifest"]
            .iter()
            .any(|end| path.ends_with(end)))
        || [SERVICE_WORKER, "robots.txt", "favicon.ico", "favicon.svg"].contains(&path)
        || path.starts_with("icons/")
}

const SERVICE_WORKER: &str = "sw.js";

fn is_page(path: &str) -> bool {
    Path::new(path)
        .extension()
        .is_some_and(|extension| extension == "html")
}

/// Puts the site together from the files of www/ (with the generated code in it) and the bundles.
///
/// # Errors
/// When a page links a file that does not exist.
pub fn assemble(mut www: Files, pkg: &str, bundles: &Files, version: &str) -> Result<Files> {
    let mut site = Files::new();
    let mut data = serde_json::Map::new();
    for (name, bytes) in bundles {
        let (stem, extension) = name.rsplit_once('.').unwrap_or((name, "bin"));
        let hashed = format!("data/{stem}-{}.{extension}", short_hash(bytes));
        data.insert(
            name.clone(),
            json!({ "path": hashed, "bytes": bytes.len(), "sha256": hex(&Sha256::digest(bytes)) }),
        );
        site.insert(hashed, bytes.clone());
    }
    for (path, bytes) in &mut www {
        if Path::new(path).extension().is_some_and(|end| end == "js") {
            let text =
                std::str::from_utf8(bytes).with_context(|| format!("{path} is not UTF-8"))?;
            *bytes = without_comments(text).into_bytes();
        }
    }

    // This one is written back into www/, where its types are checked.
    www.insert(
        format!("{pkg}/build.js"),
        build_module(version, &data).into_bytes(),
    );

    let (fixed, assets): (Files, Files) =
        www.into_iter().partition(|(path, _)| keeps_its_name(path));
    let mut all = Sha256::new();
    for (path, bytes) in &assets {
        all.update(path.as_bytes());
        all.update([0]);
        all.update((bytes.len() as u64).to_le_bytes());
        all.update(bytes);
    }
    let folder = format!("assets-{}", hex(&all.finalize()[..6]));
    for (path, bytes) in &fixed {
        let bytes = if is_page(path) {
            let text =
                std::str::from_utf8(bytes).with_context(|| format!("{path} is not UTF-8"))?;
            point_to_assets(path, text, &folder, &assets, &fixed)?.into_bytes()
        } else {
            bytes.clone()
        };
        site.insert(path.clone(), bytes);
    }
    for (path, bytes) in assets {
        site.insert(format!("{folder}/{path}"), bytes);
    }
    if let Some(script) = site.remove(SERVICE_WORKER) {
        let known = known_to_service_worker(&site, &folder);
        site.insert(SERVICE_WORKER.into(), [known.into_bytes(), script].concat());
    }
    let list: serde_json::Map<_, _> = site
        .iter()
        .map(|(path, bytes)| {
            let entry = json!({ "bytes": bytes.len(), "sha256": hex(&Sha256::digest(bytes)) });
            (path.clone(), entry)
        })
        .collect();
    let build = json!({ "version": version, "assets": folder, "data": data, "files": list });
    site.insert("build.json".into(), format!("{build:#}\n").into_bytes());
    Ok(site)
}

/// The first line of the service worker: its version, the files that the page consists of, each
/// with its SHA-256, and the paths of the bundles. Any edit of the site changes it, and so brings
/// browsers the new version.
fn known_to_service_worker(site: &Files, folder: &str) -> String {
    let (data, files): (Vec<_>, Vec<_>) =
        site.iter().partition(|(path, _)| path.starts_with("data/"));
    let mut all = Sha256::new();
    let mut hashes = serde_json::Map::new();
    for (path, bytes) in files {
        let hash = hex(&Sha256::digest(bytes));
        all.update(format!("{path} {hash}\n"));
        hashes.insert(path.clone(), hash.into());
    }
    let data: Vec<_> = data.into_iter().map(|(path, _)| path).collect();
    let id = hex(&all.finalize()[..6]);
    let build = json!({ "id": id, "assets": folder, "files": hashes, "data": data });
    format!("const BUILD = {build};\n")
}

/// The generated module that tells the page its version and where the bundles are.
pub fn build_module(version: &str, data: &serde_json::Map<String, serde_json::Value>) -> String {
    let mut text = String::from(
        "// Generated by the build.\n\n\
         /** The version of the engine, as links carry it. */\n",
    );
    text += &format!("export const version = {};\n\n", json!(version));
    text += "/**\n * The data bundles of this build, by name. `bytes` is the size uncompressed.\n \
             * @type {Record<string, {url: string, bytes: number}>}\n */\n\
             export const bundles = {\n";
    for (name, entry) in data {
        text += &format!(
            "  {}: {{ url: new URL({}, import.meta.url).href, bytes: {} }},\n",
            json!(name),
            json!(format!(
                "../../{}",
                entry["path"].as_str().unwrap_or_default()
            )),
            entry["bytes"],
        );
    }
    text += "};\n";
    text
}

/// Rewrites the `src` and `href` attributes of a page that name files which moved.
fn point_to_assets(
    page: &str,
    html: &str,
    folder: &str,
    assets: &Files,
    fixed: &Files,
) -> Result<String> {
    let mut text = String::new();
    let mut rest = html;
    while let Some(start) = [" src=\"", " href=\""]
        .iter()
        .filter_map(|key| Some(rest.find(key)? + key.len()))
        .min()
    {
        let (before, after) = rest.split_at(start);
        text.push_str(before);
        let Some(end) = after.find('"') else {
            bail!("{page}: an attribute without its end")
        };
        let value = &after[..end];
        let bare = value.strip_prefix("./").unwrap_or(value);
        let elsewhere = bare.is_empty()
            || bare.starts_with(['#', '?'])
            || bare
                .split('/')
                .next()
                .is_some_and(|first| first.contains(':'));
        if assets.contains_key(bare) {
            text.push_str(folder);
            text.push('/');
            text.push_str(bare);
        } else if elsewhere || fixed.contains_key(bare) || bare == "build.json" {
            text.push_str(value);
        } else {
            bail!(
                "{page} links `{value}`, but there is no such file (links must be relative, so \
                 that the site works from any folder)"
            );
        }
        rest = &after[end..];
    }
    text.push_str(rest);
    Ok(text)
}

/// Makes `dist` hold exactly these files: written beside it, then swapped in. Returns whether
/// anything had to change.
///
/// # Errors
/// When writing fails; `dist` is then as it was.
pub fn write(files: &Files, dist: &Path) -> Result<bool> {
    if dist.is_dir() && read_folder(dist).is_ok_and(|old| old == *files) {
        return Ok(false);
    }
    let beside = |suffix: &str| {
        let mut name = dist.file_name().unwrap_or_default().to_os_string();
        name.push(suffix);
        dist.with_file_name(name)
    };
    let (fresh, old) = (beside(".new"), beside(".old"));
    for left_over in [&fresh, &old] {
        if left_over.exists() {
            fs::remove_dir_all(left_over)?;
        }
    }
    for (path, bytes) in files {
        let path = fresh.join(path);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(&path, bytes).with_context(|| format!("cannot write {}", path.display()))?;
    }
    if dist.exists() {
        fs::rename(dist, &old)?;
    }
    fs::rename(&fresh, dist)?;
    if old.exists() {
        fs::remove_dir_all(&old)?;
    }
    Ok(true)
}

/// A share of the budget of the first load.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    /// What is counted.
    pub what: &'static str,
    /// Bytes after gzip.
    pub gzip: usize,
    /// Most bytes allowed.
    pub limit: usize,
}

/// The files that a browser fetches before the first result: what the page links, and from there
/// static imports and addresses of workers and wasm. What `import()` brings comes later, as does data.
pub fn first_load(files: &Files) -> BTreeSet<String> {
    let mut found = BTreeSet::from(["index.html".to_owned()]);
    let mut waiting = vec!["index.html".to_owned()];
    while let Some(path) = waiting.pop() {
        let text = String::from_utf8_lossy(&files[&path]);
        let opening: &[&str] = match Path::new(&path).extension().and_then(|end| end.to_str()) {
            Some("html") => &["href=\"", "src=\""],
            Some("js") => &["from \"", "import \"", "new URL(\""],
            _ => continue,
        };
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        for opening in opening {
            for rest in text.split(opening).skip(1) {
                let link = rest.split('"').next().unwrap_or_default();
                let linked = resolve(folder, link);
                if !linked.starts_with("data/")
                    && files.contains_key(&linked)
                    && found.insert(linked.clone())
                {
                    waiting.push(linked);
                }
            }
        }
    }
    found
}

/// A relative link from a file in `folder`.
fn resolve(folder: &str, link: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in link.split('/') {
        match part {
            "." | "" => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// The sizes of the first load against their budgets; all of it last.
pub fn budget(files: &Files) -> Vec<Share> {
    const SHARES: [(&str, &[&str], usize); 4] = [
        ("HTML + CSS", &[".html", ".css"], 20_000),
        ("JavaScript", &[".js"], 40_000),
        ("wasm", &[".wasm"], 160_000),
        ("first load", &[""], 220_000),
    ];
    let first = first_load(files);
    SHARES
        .iter()
        .map(|&(what, ends, limit)| {
            let gzip = first
                .iter()
                .filter(|path| ends.iter().any(|end| path.ends_with(end)))
                .map(|path| gzip_size(&files[path]))
                .sum();
            Share { what, gzip, limit }
        })
        .collect()
}

/// A number of bytes in kB.
#[expect(
    clippy::cast_precision_loss,
    reason = "sizes of files, shown to one digit"
)]
pub fn kilo(bytes: usize) -> f64 {
    bytes as f64 / 1000.0
}

/// The size after gzip: 18 bytes of frame around the deflated data.
pub fn gzip_size(bytes: &[u8]) -> usize {
    miniz_oxide::deflate::compress_to_vec(bytes, 9).len() + 18
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(list: &[(&str, &str)]) -> Files {
        list.iter()
            .map(|(path, text)| ((*path).into(), text.as_bytes().to_vec()))
            .collect()
    }

    fn text<'a>(site: &'a Files, path: &str) -> &'a str {
        std::str::from_utf8(&site[path]).unwrap()
    }

    const PAGE: &str = r##"<link rel="stylesheet" href="style.css"><a href="#top">x</a>
        <a href="https://example.org/">y</a><script type="module" src="./js/main.js"></script>"##;

    #[test]
    fn comments_of_their_own_lines_are_no_part_of_the_site() {
        let script = "/** About. */\n/**\n * @param {number} x\n */\nfunction f(x) {\n  // Why.\n  \
            /** @type {number} */\n  const a = /** @type {any} */ (x); // kept\n  \
            /** @type {any} */ (x).y = 1;\n  return `\n  // text\n`;\n}\n";
        let expected =
            "function f(x) {\nconst a = (x); // kept\n(x).y = 1;\nreturn `\n  // text\n`;\n}\n";
        assert_eq!(without_comments(script), expected);
        let cast = "const f = (/** @type {Event} */ event, /** @type {{a: number}} */ b) => b;";
        assert_eq!(without_types(cast), "const f = (event, b) => b;");
        assert_eq!(without_types("a /** @type {b"), "a /** @type {b");
    }

    #[test]
    fn pages_stay_and_their_links_follow_the_assets() {
        let www = files(&[
            ("index.html", PAGE),
            ("style.css", "a"),
            ("js/main.js", "b"),
        ]);
        let site = assemble(www, "pkg", &Files::new(), "1").unwrap();
        let folder = site
            .keys()
            .find(|path| path.ends_with("style.css"))
            .unwrap();
        let folder = folder.strip_suffix("/style.css").unwrap().to_owned();
        let page = text(&site, "index.html");
        assert!(
            page.contains(&format!("href=\"{folder}/style.css\"")),
            "{page}"
        );
        assert!(
            page.contains(&format!("src=\"{folder}/js/main.js\"")),
            "{page}"
        );
        assert!(page.contains("href=\"#top\"") && page.contains("href=\"https://example.org/\""));
        assert!(site.contains_key(&format!("{folder}/pkg/build.js")));
    }

    #[test]
    fn a_link_to_nothing_is_an_error_that_names_it() {
        let www = files(&[("index.html", PAGE), ("style.css", "a")]);
        let message = assemble(www, "pkg", &Files::new(), "1")
            .unwrap_err()
            .to_string();
        assert!(message.contains("js/main.js"), "{message}");
    }

    #[test]
    fn any_edit_of_an_asset_changes_the_folder_and_an_edit_of_the_page_does_not() {
        let folder = |page: &str, style: &str| {
            let www = files(&[("index.html", page), ("style.css", style)]);
            let site = assemble(www, "pkg", &Files::new(), "1").unwrap();
            site.keys()
                .find(|path| path.ends_with("style.css"))
                .unwrap()
                .clone()
        };
        assert_ne!(folder("", "a"), folder("", "b"));
        assert_eq!(folder("", "a"), folder("x", "a"));
    }

    #[test]
    fn the_service_worker_knows_every_file_by_its_hash_and_changes_with_any_of_them() {
        let worker = |page: &str, style: &str| {
            let www = files(&[
                ("index.html", page),
                ("style.css", style),
                ("sw.js", "run();"),
            ]);
            let bundles = files(&[("landmine.bundle", "points")]);
            let site = assemble(www, "pkg", &bundles, "1").unwrap();
            let script = text(&site, "sw.js").to_owned();
            let (line, rest) = script.split_once('\n').unwrap();
            assert_eq!(rest, "run();\n");
            let known = line.strip_prefix("const BUILD = ").unwrap();
            let known: serde_json::Value =
                serde_json::from_str(known.strip_suffix(';').unwrap()).unwrap();
            for (path, bytes) in &site {
                let hash = hex(&Sha256::digest(bytes));
                match path.as_str() {
                    "sw.js" | "build.json" => assert!(known["files"][path].is_null()),
                    data if data.starts_with("data/") => assert_eq!(known["data"][0], data),
                    _ => assert_eq!(known["files"][path], hash, "{path}"),
                }
            }
            known["id"].as_str().unwrap().to_owned()
        };
        let id = worker("a", "b");
        assert_eq!(worker("a", "b"), id);
        assert_ne!(worker("x", "b"), id);
        assert_ne!(worker("a", "x"), id);
    }

    #[test]
    fn a_bundle_has_its_hash_in_its_name_and_stands_in_the_generated_module() {
        let bundles = files(&[("landmine.bundle", "points")]);
        let site = assemble(files(&[("index.html", "")]), "pkg", &bundles, "1").unwrap();
        let path = site
            .keys()
            .find(|path| path.starts_with("data/landmine-"))
            .unwrap();
        let module = site
            .keys()
            .find(|path| path.ends_with("pkg/build.js"))
            .unwrap();
        assert!(
            text(&site, module).contains(path),
            "{}",
            text(&site, module)
        );
        assert!(text(&site, "build.json").contains(path));
    }

    #[test]
    fn the_first_load_is_what_is_linked_and_not_what_is_imported_later() {
        let www = files(&[
            ("index.html", PAGE),
            ("style.css", "a"),
            (
                "js/main.js",
                "import init, * as page from \"../pkg/page.js\";\nawait import(\"./later.js\");\n\
                 new Worker(new URL(\"./worker.js\", import.meta.url));",
            ),
            ("js/worker.js", "import \"./deep.js\";"),
            (
                "js/deep.js",
                "compile(new URL(\"../pkg/page_bg.wasm\", import.meta.url))",
            ),
            ("js/later.js", "import { x } from \"./deepest.js\";"),
            ("js/deepest.js", ""),
            ("pkg/page.js", "import { bundles } from \"./build.js\";"),
            ("pkg/page_bg.wasm", ""),
        ]);
        let bundles = files(&[("landmine.bundle", "points")]);
        let site = assemble(www, "pkg", &bundles, "1").unwrap();
        let first = first_load(&site);
        let names: Vec<&str> = (first.iter())
            .map(|path| path.split_once('/').map_or(path.as_str(), |(_, name)| name))
            .collect();
        let expected = "js/deep.js js/main.js js/worker.js pkg/build.js pkg/page.js \
                        pkg/page_bg.wasm style.css index.html";
        assert_eq!(names.join(" "), expected);
        let all: usize = first.iter().map(|path| gzip_size(&site[path])).sum();
        assert_eq!(budget(&site)[3].gzip, all);
    }

    #[test]
    fn writing_again_changes_nothing_and_old_files_do_not_survive() {
        let folder = std::env::temp_dir().join(format!("site-test-{}", std::process::id()));
        let dist = folder.join("dist");
        let first = files(&[("a/b.txt", "1"), ("c.txt", "2")]);
        assert!(write(&first, &dist).unwrap());
        assert!(!write(&first, &dist).unwrap());
        assert!(write(&files(&[("c.txt", "2")]), &dist).unwrap());
        assert_eq!(read_folder(&dist).unwrap(), files(&[("c.txt", "2")]));
        fs::remove_dir_all(folder).unwrap();
    }
}
