//! Specification <-> link. A link's fragment is readable: `#v=1&d=landmine&k=indirect&b=0.2`.
//!
//! Keys are those of `spec::FIELDS`; defaults are left out, and the defaults of a version never
//! change. Task numbers are written as ranges (`t=0-14,20`), from 0 as in specifications. A user's
//! file is `d=file:NAME:SHA256`. Three keys speak of a result: `e` engine, `h` data SHA-256, `r`
//! digest. Every other key is kept and handed on, for the view of the page; [`Link::unknown_keys`]
//! names those that nobody knows. Values are treated as hostile: what is not of the field's form is
//! an error that names the field. Not here: ranges and contradictions (`spec`), what the page does.

use std::fmt::Write as _;

use serde_json::Value;

use crate::error::{Error, Result};
use crate::spec::{DatasetRef, Draft, FIELDS, Field, FieldKind, Shape, Spec, VERSION};

/// Longest link that is read, in bytes.
pub const MAX_LENGTH: usize = 16_384;

/// Keys of the page's view; they are no part of a specification.
const VIEW_KEYS: [&str; 5] = ["embed", "view", "compare", "map", "theme"];

/// A link taken apart.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Link {
    /// The specification as far as it is written.
    pub draft: Draft,
    /// Version of the engine that made the result.
    pub engine: Option<String>,
    /// SHA-256 of the data behind the result.
    pub data_sha256: Option<String>,
    /// Digest of the result.
    pub digest: Option<String>,
    /// Keys that are no part of the specification or the result, in their order.
    pub others: Vec<(String, String)>,
}

impl Link {
    /// Keys that neither a specification, nor a result, nor the view of the page has.
    pub fn unknown_keys(&self) -> Vec<&str> {
        (self.others.iter().map(|(key, _)| key.as_str()))
            .filter(|key| !VIEW_KEYS.contains(key))
            .collect()
    }
}

/// Is this text a link rather than a path or JSON?
pub fn is_link(text: &str) -> bool {
    is_address(text)
        || text.starts_with('#')
        || text.starts_with("v=")
        // An address as browsers show it, without http://.
        || text.contains("#v=")
}

fn is_address(text: &str) -> bool {
    text.starts_with("http://") || text.starts_with("https://")
}

/// Reads a link: a whole address, or its fragment with or without `#`.
///
/// # Errors
/// An address without a fragment; a newer version; a value that is not of the form of its field, named by it; a key that stands
/// twice; a link longer than [`MAX_LENGTH`].
pub fn decode(text: &str) -> Result<Link> {
    if text.len() > MAX_LENGTH {
        let found = format!("{} bytes", text.len());
        return Err(Error::field("link", found, format!("at most {MAX_LENGTH}")));
    }
    let text = text.trim();
    let fragment = match text.split_once('#') {
        Some((_, fragment)) => fragment,
        None if is_address(text) => {
            return Err(Error::field(
                "link",
                shorten(text),
                "an address that ends in a specification, such as #v=1&d=sarcos",
            ));
        }
        None => text,
    };
    let mut link = Link::default();
    let mut seen: Vec<String> = Vec::new();
    for pair in fragment.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (key, value) = (percent_decode(key)?, percent_decode(value)?);
        if seen.contains(&key) {
            return Err(Error::field(key, "given twice", "one value"));
        }
        match FIELDS.iter().find(|field| field.key == key) {
            Some(field) => {
                let value = read_value(field, &value)?;
                check_version(field, &value)?;
                link.draft.set(field.name, value);
            }
            None => match key.as_str() {
                "e" => {
                    link.engine = Some(plain("engine", &value, |c| {
                        c.is_ascii_alphanumeric() || ".-+".contains(c)
                    })?);
                }
                "h" => {
                    link.data_sha256 =
                        Some(plain("data_sha256", &value, |c| c.is_ascii_hexdigit())?);
                }
                "r" => link.digest = Some(plain("digest", &value, |c| c.is_ascii_hexdigit())?),
                _ => link.others.push((key.clone(), value)),
            },
        }
        seen.push(key);
    }
    Ok(link)
}

/// Writes the fragment of a specification, without `#`.
pub fn encode(spec: &Spec, shape: &Shape) -> String {
    let short = spec.differences(shape);
    let pairs = FIELDS.iter().filter_map(|field| {
        let value = match field.kind {
            FieldKind::Dataset => match &spec.dataset {
                DatasetRef::Named(name) => name.clone(),
                DatasetRef::File { name, sha256 } => {
                    format!("file:{}:{sha256}", percent_encode(name))
                }
            },
            FieldKind::Tasks => ranges(short.get(field.name)?),
            _ => match short.get(field.name)? {
                Value::String(word) => percent_encode(word),
                // Whole numbers are read without exponents.
                number => match number.as_u64() {
                    Some(whole) => whole.to_string(),
                    None => shortest(number.as_f64()?),
                },
            },
        };
        Some(format!("{}={value}", field.key))
    });
    pairs.collect::<Vec<_>>().join("&")
}

/// The fragment of a result: the specification, and what it gave.
pub fn encode_result(spec: &Spec, shape: &Shape, result: &crate::report::Report) -> String {
    format!(
        "{}&e={}&h={}&r={}",
        encode(spec, shape),
        percent_encode(&result.engine),
        &result.data_sha256,
        result.digest
    )
}

fn check_version(field: &Field, value: &Value) -> Result<()> {
    match value.as_u64() {
        Some(version) if field.name == "version" && version > VERSION => Err(Error::field(
            "version",
            version,
            format!(
                "at most {VERSION}: the link was made by a newer version of this page; reload the \
                 page, or open the link where it was made"
            ),
        )),
        _ => Ok(()),
    }
}

/// Text of a link to a JSON value of the field's form. Ranges are checked with the specification.
fn read_value(field: &Field, text: &str) -> Result<Value> {
    let refuse = |expected: &str| Err(Error::field(field.name, shorten(text), expected));
    match field.kind {
        FieldKind::Choice { .. } => Ok(Value::from(text)),
        FieldKind::Integer { .. } => match text.parse::<u64>() {
            Ok(number) => Ok(Value::from(number)),
            Err(_) => refuse("a whole number"),
        },
        FieldKind::Number { .. } => match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(Value::from(number)),
            _ => refuse("a number"),
        },
        FieldKind::Tasks => read_tasks(field, text),
        FieldKind::Dataset => match text.strip_prefix("file:").and_then(|f| f.rsplit_once(':')) {
            Some((name, sha256)) => Ok(serde_json::json!({ "name": name, "sha256": sha256 })),
            None => Ok(Value::from(text)),
        },
    }
}

fn read_tasks(field: &Field, text: &str) -> Result<Value> {
    // More tasks than any data set may have: a short text must not become a long list.
    const MOST: u64 = 100_000;
    let refuse = || {
        Err(Error::field(
            field.name,
            shorten(text),
            "task numbers and ranges such as 0-14,20",
        ))
    };
    let mut tasks = Vec::new();
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (Ok(first), Ok(last)) = (first.parse::<u64>(), last.parse::<u64>()) else {
            return refuse();
        };
        if first > last || last >= MOST || tasks.len() as u64 + (last - first) >= MOST {
            return refuse();
        }
        tasks.extend((first..=last).map(Value::from));
    }
    Ok(Value::from(tasks))
}

/// The shorter of the two ways to write a number without losing a bit.
fn shortest(value: f64) -> String {
    let (plain, exponent) = (value.to_string(), format!("{value:e}"));
    if exponent.len() < plain.len() {
        exponent
    } else {
        plain
    }
}

fn ranges(tasks: &Value) -> String {
    let tasks: Vec<u64> = tasks
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_u64)
        .collect();
    let mut parts: Vec<(u64, u64)> = Vec::new();
    for task in tasks {
        match parts.last_mut() {
            Some((_, last)) if *last + 1 == task => *last = task,
            _ => parts.push((task, task)),
        }
    }
    let parts = parts.into_iter().map(|(first, last)| {
        if first == last {
            first.to_string()
        } else {
            format!("{first}-{last}")
        }
    });
    parts.collect::<Vec<_>>().join(",")
}

fn plain(field: &str, text: &str, allowed: impl Fn(char) -> bool) -> Result<String> {
    if !text.is_empty() && text.len() <= 64 && text.chars().all(allowed) {
        Ok(text.to_string())
    } else {
        Err(Error::field(
            field,
            shorten(text),
            "at most 64 plain letters and digits",
        ))
    }
}

fn shorten(text: &str) -> String {
    if text.chars().count() <= 60 {
        return text.to_string();
    }
    text.chars().take(57).chain("...".chars()).collect()
}

fn percent_encode(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

fn percent_decode(text: &str) -> Result<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        if *first == b'%' {
            let digit = |at: usize| char::from(*tail.get(at)?).to_digit(16);
            let value = digit(0).zip(digit(1)).map(|(high, low)| 16 * high + low);
            let Some(value) = value.and_then(|value| u8::try_from(value).ok()) else {
                return Err(Error::field(
                    "link",
                    shorten(text),
                    "two hex digits after each %",
                ));
            };
            bytes.push(value);
            rest = &tail[2..];
        } else {
            bytes.push(*first);
        }
    }
    String::from_utf8(bytes).map_err(|_| Error::field("link", shorten(text), "UTF-8 text"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(text: &str) -> Result<Spec> {
        let link = decode(text)?;
        let shape = match link.draft.dataset()? {
            DatasetRef::Named(name) => {
                Shape::named(&name).ok_or_else(|| Error::field("dataset", &name, "a known name"))?
            }
            DatasetRef::File { .. } => Shape {
                tasks: 5,
                kind: Some(crate::data::Kind::Regression),
                has_split: false,
            },
        };
        link.draft
            .check(&shape)
            .map_err(|mut errors| errors.remove(0))
    }

    #[test]
    fn golden_links_of_version_1_mean_what_they_meant() {
        // Frozen: a change here breaks links that people have shared.
        let golden = [
            ("v=1&d=synthetic", Spec::default_of("synthetic")),
            ("v=1&d=landmine", Spec::default_of("landmine")),
            ("v=1&d=sarcos", Spec::default_of("sarcos")),
            ("v=1&d=mnist", Spec::default_of("mnist")),
            (
                "v=1&d=landmine&t=0-14&k=indirect&b=0.2&s=42",
                Spec {
                    attack: crate::attack::Attack::Indirect,
                    attackers: (15..29).collect(),
                    ..Spec::default_of("landmine")
                },
            ),
            (
                "v=1&d=sarcos&t=0,2&a=1,3-5&k=hybrid&g=published&p=constant&ps=10&i=3&l1=0.01&l2=0.5&eps=0.0001&s=7",
                Spec {
                    targets: vec![0, 2],
                    attackers: vec![1, 3, 4, 5],
                    attack: crate::attack::Attack::Hybrid,
                    gradient: crate::attack::Gradient::Published,
                    step: crate::attack::Step::Constant,
                    step_size: 10.0,
                    iterations: 3,
                    lambda1: 0.01,
                    lambda2: 0.5,
                    epsilon: 1e-4,
                    seed: 7,
                    ..Spec::default_of("sarcos")
                },
            ),
        ];
        for (text, spec) in golden {
            assert_eq!(resolve(text).unwrap(), spec, "{text}");
            let DatasetRef::Named(name) = &spec.dataset else {
                unreachable!()
            };
            let again = encode(&spec, &Shape::named(name).unwrap());
            assert_eq!(resolve(&again).unwrap(), spec, "{text} -> {again}");
            assert!(again.len() <= text.len(), "{text} -> {again}");
        }
    }

    #[test]
    fn links_are_told_from_paths_and_json() {
        let links = ["#", "#d=sarcos", "v=1&d=sarcos", "https://a.org/#v=1"];
        for text in links.iter().chain(&["127.0.0.1:8080/#v=1&d=sarcos"]) {
            assert!(is_link(text), "{text}");
        }
        for text in ["spec.json", "-", "./v=1.json", "{}", "", "a#b.json"] {
            assert!(!is_link(text), "{text}");
        }
    }

    #[test]
    fn round_numbers_of_any_field_can_be_read_again() {
        let shape = Shape::named("synthetic").unwrap();
        let spec = Spec {
            seed: 1_000_000,
            iterations: 1000,
            test_per_task: Some(100),
            step_size: 1e8,
            lambda1: 1e-5,
            ..Spec::default_of("synthetic")
        };
        let text = encode(&spec, &shape);
        assert_eq!(
            text,
            "v=1&d=synthetic&nt=100&ps=1e8&i=1000&l1=1e-5&s=1000000"
        );
        assert_eq!(resolve(&text).unwrap(), spec);
    }

    #[test]
    fn a_users_file_travels_by_name_and_hash() {
        let sha256 = "ab".repeat(32);
        let text =
            format!("https://example.org/lab/#v=1&d=file:my%20d%3Aata%26.csv:{sha256}&b=0.3");
        let spec = resolve(&text).unwrap();
        let name = "my d:ata&.csv".to_string();
        assert_eq!(spec.dataset, DatasetRef::File { name, sha256 });
        let shape = Shape {
            tasks: 5,
            kind: Some(crate::data::Kind::Regression),
            has_split: false,
        };
        assert_eq!(resolve(&encode(&spec, &shape)).unwrap(), spec);
    }

    #[test]
    fn what_a_link_says_of_the_result_and_the_view_is_kept() {
        let link = decode("#v=1&d=sarcos&e=0.1.0&r=0123456789abcdef&embed=1&zzz=%41").unwrap();
        assert_eq!(link.engine.as_deref(), Some("0.1.0"));
        assert_eq!(link.digest.as_deref(), Some("0123456789abcdef"));
        assert_eq!(link.others[1], ("zzz".to_string(), "A".to_string()));
        assert_eq!(link.unknown_keys(), ["zzz"]);
    }

    #[test]
    fn hostile_values_are_refused_by_name() {
        for (text, field) in [
            ("v=2&d=sarcos", "version"),
            ("v=99999999999999999999", "version"),
            ("v=1&d=<script>", "dataset"),
            ("v=1&d=file:a:b", "dataset"),
            ("v=1&d=sarcos&t=0-99999999999", "targets"),
            ("v=1&d=sarcos&t=0-50000,0-60000", "targets"),
            ("v=1&d=sarcos&t=5-2", "targets"),
            ("v=1&d=sarcos&t=", "targets"),
            ("v=1&d=sarcos&t=0,0", "targets"),
            ("v=1&d=sarcos&b=NaN", "budget"),
            ("v=1&d=sarcos&b=inf", "budget"),
            ("v=1&d=sarcos&b=1e999", "budget"),
            ("v=1&d=sarcos&b=-0.1", "budget"),
            ("v=1&d=sarcos&s=-1", "seed"),
            ("v=1&d=sarcos&s=1.5", "seed"),
            ("v=1&d=sarcos&i=1e3", "iterations"),
            ("v=1&d=sarcos&k=Direct", "attack"),
            ("v=1&d=sarcos&k=%FF", "link"),
            ("v=1&d=sarcos&k=%4", "link"),
            ("v=1&d=sarcos&k=%+1", "link"),
            ("https://example.org/lab/", "link"),
            ("https://example.org/lab/?v=1&d=sarcos", "link"),
            ("v=1&d=sarcos&b=0.1&b=0.2", "b"),
            ("v=1&d=sarcos&r=xyz", "digest"),
            ("v=1&d=sarcos&e=<b>", "engine"),
        ] {
            let error = resolve(text).expect_err(text);
            assert_eq!(error.field_name(), Some(field), "{text}: {error}");
        }
        assert!(decode(&"x".repeat(MAX_LENGTH + 1)).is_err());
    }
}
