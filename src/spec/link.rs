//! Specification <-> link. A link's fragment is readable: `#v=1&d=landmine&k=indirect&b=0.2`.
//!
//! Keys are those of the table of fields; defaults are left out, and the defaults of a version never
//! change. Task numbers are written as ranges (`t=0-14,20`), from 0 as in specifications. A user's
//! file is `d=file:NAME:SHA256`; where its columns need a mapping (`data::import::mapping`), `c` is the text
//! of it. Five keys describe a result ([`Claim`]): `e` engine, `h` first digits of the data's SHA-256,
//! `r` digest, `q` last metric, `u` last utility. Other keys are kept for the view of the page;
//! [`Link::unknown_keys`] lists those with no meaning. Values are untrusted: a value that is not of the
//! field's form is an error that names the field. Not here: ranges and contradictions (`rules`).
//!
//! A link has a version and keeps the meaning of that version for ever. One of version 1 (`v=1`, or no
//! `v`) becomes a specification of this version with the same meaning (`Draft::migrate`).
//! `tests/golden/links.txt` holds a link of every form that was ever written.

use std::fmt::Write as _;

use serde::Serialize;
use serde_json::Value;

use crate::data::import::mapping::Mapping;
use crate::error::{Error, Result, excerpt};
use crate::metrics::MetricName;
use crate::minus::minus;
use crate::ranges;
use crate::spec::{
    DatasetRef, Draft, FIELDS, Field, FieldKind, Shape, Spec, VERSION, unknown_version,
};

/// Longest link that is read, in bytes.
pub const MAX_LENGTH: usize = 16_384;

/// Keys of the page's view; they are no part of a specification.
const VIEW_KEYS: [&str; 7] = ["embed", "view", "left", "right", "map", "theme", "story"];

/// A link taken apart.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Link {
    /// The specification as far as it is written.
    pub draft: Draft,
    /// The mapping of the user's file, where its column names are not ours.
    pub columns: Option<Mapping>,
    /// The result that it claims.
    pub claim: Claim,
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

/// The result that a link claims; each part may be missing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Claim {
    /// Version of the engine that made it.
    pub engine: Option<String>,
    /// SHA-256 of the data behind it, or the first digits of that.
    pub data_sha256: Option<String>,
    /// Its digest.
    pub digest: Option<String>,
    /// Mean metric of the targets after the attack.
    pub metric: Option<f64>,
    /// Utility of the attacker after the attack.
    pub utility: Option<f64>,
}

impl Claim {
    /// Its keys as part of a link; empty if nothing is claimed.
    pub fn write(&self) -> String {
        let number = |value: Option<f64>| value.map(shortest);
        let pairs = [
            ("e", self.engine.as_deref().map(percent_encode)),
            ("h", self.data_sha256.clone()),
            ("r", self.digest.clone()),
            ("q", number(self.metric)),
            ("u", number(self.utility)),
        ];
        let pairs = pairs
            .into_iter()
            .filter_map(|(key, value)| Some(format!("{key}={}", value?)));
        pairs.collect::<Vec<_>>().join("&")
    }

    /// Reads a key of a link; false if the key does not belong to a claim.
    fn read(&mut self, key: &str, text: &str) -> Result<bool> {
        let number = |field: &str| match read_number(text) {
            Some(number) => Ok(Some(number)),
            None => Err(Error::field(field, shorten(text), "a number")),
        };
        let hexadecimal = |field: &str| plain(field, text, |c| c.is_ascii_hexdigit()).map(Some);
        match key {
            "e" => {
                let allowed = |c: char| c.is_ascii_alphanumeric() || ".-+".contains(c);
                self.engine = Some(plain("engine", text, allowed)?);
            }
            "h" => self.data_sha256 = hexadecimal("data_sha256")?,
            "r" => self.digest = hexadecimal("digest")?,
            "q" => self.metric = number("metric")?,
            "u" => self.utility = number("utility")?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Compares the claim with a result; none if the claim has no digest.
    pub fn compare(&self, found: &Self, metric_name: MetricName) -> Option<Comparison> {
        let (claimed, digest) = (self.digest.as_ref()?, found.digest.as_ref()?);
        let same = claimed.eq_ignore_ascii_case(digest);
        if same {
            let words = format!("Reproduced bit for bit: digest {digest}.");
            return Some(Comparison { same, words });
        }
        let numbers = [(self.metric, found.metric), (self.utility, found.utility)];
        let numbers_match = numbers.iter().all(|(claimed, found)| claimed == found)
            && numbers.iter().any(|(claimed, _)| claimed.is_some());
        if numbers_match && self.engine == found.engine && !self.data_differ(found) {
            let words = format!(
                "The numbers match, the fingerprint does not: somebody edited the link. \
                 Digest {claimed} in the link, {digest} here."
            );
            return Some(Comparison { same, words });
        }
        let mut reasons = Vec::new();
        if let (Some(claimed), Some(found)) = (&self.engine, &found.engine)
            && claimed != found
        {
            reasons.push(format!(
                "the link was made by engine {claimed}; this is engine {found}"
            ));
        }
        let data_differ = self.data_differ(found);
        if data_differ {
            reasons.push("the data differ".to_string());
        }
        if reasons.is_empty() {
            reasons.push(match &self.engine {
                Some(_) => "engine and data are the same, so the link was edited".to_string(),
                None => "the link does not name the engine that made it".to_string(),
            });
        }
        reasons.extend(by_how_much(metric_name.text(), self.metric, found.metric));
        reasons.extend(by_how_much("utility", self.utility, found.utility));
        let words = format!(
            "Differs from the result in the link: digest {claimed} in the link, {digest} here; {}.",
            reasons.join("; ")
        );
        Some(Comparison { same, words })
    }

    fn data_differ(&self, found: &Self) -> bool {
        let (Some(claimed), Some(found)) = (&self.data_sha256, &found.data_sha256) else {
            return false;
        };
        let length = claimed.len().min(found.len());
        !claimed[..length].eq_ignore_ascii_case(&found[..length])
    }
}

/// How a result compares with the claim of a link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify))]
pub struct Comparison {
    /// Bit for bit.
    pub same: bool,
    /// The result of the comparison, for people.
    pub words: String,
}

/// From which digit on two numbers differ, and by which share of the larger.
fn by_how_much(name: &str, claimed: Option<f64>, found: Option<f64>) -> Option<String> {
    let (claimed, found) = (claimed?, found?);
    if claimed == found {
        return Some(format!("{name} {found} is the same to the last digit"));
    }
    let largest = claimed.abs().max(found.abs());
    // Halved first: a hostile pair of numbers must not overflow.
    let share = 2.0 * ((claimed / 2.0 - found / 2.0) / largest).abs();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "digits of a double: 1 to 17"
    )]
    let digit = (1.0 - libm::log10(share)).floor().clamp(1.0, 17.0) as usize;
    let ordinal = match digit {
        1 => "1st".to_string(),
        2 => "2nd".to_string(),
        3 => "3rd".to_string(),
        _ => format!("{digit}th"),
    };
    Some(format!(
        "{name} {} in the link, {} here: they differ in the {ordinal} digit (by {} of the value)",
        significant(claimed, largest, digit + 1),
        significant(found, largest, digit + 1),
        minus(format_args!("{share:.0e}")),
    ))
}

/// A number with so many digits, counted from the first one of `largest`.
fn significant(value: f64, largest: f64, digits: usize) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_possible_wrap,
        clippy::cast_sign_loss,
        reason = "exponents of doubles; clamped from below"
    )]
    let decimals = {
        let exponent = libm::log10(largest).floor() as i64;
        (digits as i64 - 1 - exponent).max(0) as usize
    };
    if decimals > 20 || largest >= 1e15 {
        minus(format_args!("{value:.*e}", digits - 1))
    } else {
        minus(format_args!("{value:.decimals$}"))
    }
}

/// Reads a link: a whole address, or its fragment with or without `#`.
///
/// # Errors
/// An address without a fragment; a newer version, or one that never was; a value that is not of
/// the form of its field; a key that is given twice; a link longer than [`MAX_LENGTH`].
pub fn decode(text: &str) -> Result<Link> {
    if text.len() > MAX_LENGTH {
        let found = format!("{} bytes", text.len());
        return Err(Error::out_of_range(
            "link",
            found,
            format!("at most {MAX_LENGTH}"),
        ));
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
    let pairs = pairs(fragment)?;
    match version(&pairs)? {
        1 => {
            let mut link = read(pairs, 1)?;
            link.draft.migrate();
            link.columns = link.columns.map(Mapping::with_rules_of_version_1);
            Ok(link)
        }
        VERSION => read(pairs, VERSION),
        other => Err(unknown_version(other)),
    }
}

/// Keys and values, decoded, in their order.
fn pairs(fragment: &str) -> Result<Vec<(String, String)>> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    for pair in fragment.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (key, value) = (percent_decode(key)?, percent_decode(value)?);
        if pairs.iter().any(|(other, _)| *other == key) {
            return Err(Error::invalid(shorten(&key), "given twice"));
        }
        pairs.push((key, value));
    }
    Ok(pairs)
}

/// The version of a link; 1 if it has none.
fn version(pairs: &[(String, String)]) -> Result<u64> {
    let Some((_, text)) = pairs.iter().find(|(key, _)| key == "v") else {
        return Ok(1);
    };
    (text.parse()).map_err(|_| Error::field("version", shorten(text), "a whole number"))
}

/// The keys of a version: those of the table of fields that it had.
fn read(pairs: Vec<(String, String)>, version: u64) -> Result<Link> {
    let mut link = Link::default();
    for (key, value) in pairs {
        let mut known = FIELDS.iter().filter(|field| field.since <= version);
        match known.find(|field| field.key == key) {
            Some(field) => link.draft.set(field.name, read_value(field, &value)?),
            None if key == "c" => link.columns = Some(value.parse()?),
            None => {
                if !link.claim.read(&key, &value)? {
                    link.others.push((key, value));
                }
            }
        }
    }
    if let Some(columns) = &link.columns
        && !matches!(link.draft.dataset(), Ok(DatasetRef::File { .. }))
    {
        return Err(Error::invalid(
            "columns",
            format!(
                "{} applies only to a file of your own (d=file:NAME:SHA256)",
                shorten(&columns.to_string())
            ),
        ));
    }
    Ok(link)
}

/// Writes the fragment of a specification, without `#`.
pub fn encode(spec: &Spec, shape: &Shape) -> String {
    write(&spec.differences(shape))
}

/// Writes the fragment of the fields that a draft has, unchecked: what is not of the form of its
/// field stays so, and [`decode`] refuses it. The version is always written: a link without one is
/// of version 1.
pub fn write(draft: &Draft) -> String {
    let version = (draft.get("version").is_none()).then(|| format!("v={VERSION}"));
    let pairs = FIELDS.iter().filter_map(|field| {
        let value = match (field.kind, draft.get(field.name)?) {
            (FieldKind::Dataset, value) => match (value["name"].as_str(), value["sha256"].as_str())
            {
                (Some(name), Some(sha256)) => format!("file:{}:{sha256}", percent_encode(name)),
                _ => word(value),
            },
            (FieldKind::Tasks, value) => ranges(value).unwrap_or_else(|| word(value)),
            (_, value) => word(value),
        };
        Some(format!("{}={value}", field.key))
    });
    version
        .into_iter()
        .chain(pairs)
        .collect::<Vec<_>>()
        .join("&")
}

/// The fragment of a specification with the mapping of its file, where it needs one.
pub fn with_columns(fragment: &str, columns: Option<&str>) -> String {
    match columns {
        // The separators of a mapping are legal in a fragment, and stay readable.
        Some(text) => format!("{fragment}&c={}", escape(text, b"-._~:,;")),
        None => fragment.to_string(),
    }
}

/// A word, a flag or a number; anything else as what no field takes.
fn word(value: &Value) -> String {
    match (value, value.as_u64()) {
        (Value::String(word), _) => percent_encode(word),
        (Value::Bool(true), _) => "true".to_string(),
        (Value::Bool(false), _) => "false".to_string(),
        // Whole numbers are read without exponents.
        (_, Some(whole)) => whole.to_string(),
        _ => value.as_f64().map_or_else(|| "?".to_string(), shortest),
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
        FieldKind::Number { words, .. } if words.contains(&text) => Ok(Value::from(text)),
        FieldKind::Number { .. } => match read_number(text) {
            Some(number) => Ok(Value::from(number)),
            None => refuse("a number"),
        },
        FieldKind::Flag => match text.parse::<bool>() {
            Ok(flag) => Ok(Value::from(flag)),
            Err(_) => refuse("true or false"),
        },
        FieldKind::Tasks => read_tasks(field, text),
        FieldKind::Dataset => match text.strip_prefix("file:").and_then(|f| f.rsplit_once(':')) {
            Some((name, sha256)) => {
                let sha256 = sha256.to_ascii_lowercase();
                let entries = [("name", name), ("sha256", &sha256)];
                let entries = entries.map(|(key, text)| (key.to_string(), Value::from(text)));
                Ok(Value::Object(entries.into_iter().collect()))
            }
            None => Ok(Value::from(text)),
        },
    }
}

/// A finite number, rounded to nearest.
fn read_number(text: &str) -> Option<f64> {
    let number = text.parse::<f64>().ok()?;
    number.is_finite().then_some(number)
}

fn read_tasks(field: &Field, text: &str) -> Result<Value> {
    // More tasks than any data set may have.
    const MOST: u64 = 100_000;
    match ranges::read(text, MOST) {
        Some(tasks) => Ok(Value::from(tasks)),
        None => Err(Error::field(
            field.name,
            shorten(text),
            "task numbers and ranges such as 0-14,20",
        )),
    }
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

/// Task numbers with runs of them as ranges; none if this is no list of whole numbers.
fn ranges(tasks: &Value) -> Option<String> {
    let tasks: Vec<u64> = (tasks.as_array()?.iter().map(Value::as_u64)).collect::<Option<_>>()?;
    Some(ranges::write(tasks))
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

/// A value for a message.
fn shorten(text: &str) -> String {
    excerpt(text, 60)
}

fn percent_encode(text: &str) -> String {
    escape(text, b"-._~")
}

/// All but ASCII letters, digits and the characters to keep becomes %XX, byte by byte.
fn escape(text: &str, kept: &[u8]) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || kept.contains(&byte) {
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
    use crate::data::sample::FeatureScaling;

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
    fn every_key_of_a_link_has_one_meaning() {
        let mut keys: Vec<&str> = FIELDS.iter().map(|field| field.key).collect();
        keys.extend(["c", "e", "h", "r", "q", "u"]);
        keys.extend(VIEW_KEYS);
        for (at, key) in keys.iter().enumerate() {
            assert!(!keys[..at].contains(key), "{key} is used twice");
        }
        for (at, field) in FIELDS.iter().enumerate() {
            let earlier = FIELDS[..at].iter().any(|other| other.name == field.name);
            assert!(!earlier, "{} is defined twice", field.name);
        }
    }

    #[test]
    fn the_columns_of_a_file_travel_readably() {
        let sha256 = "ab".repeat(32);
        let columns = "sep:semicolon;task:1;label:9;split:10,hold out;x:2-8;class:b%2Ca,né";
        let fragment = with_columns(&format!("v=2&d=file:my.csv:{sha256}&b=0.3"), Some(columns));
        // Never change this: it would break links that people have shared.
        let tail =
            "&c=sep:semicolon;task:1;label:9;split:10,hold%20out;x:2-8;class:b%252Ca,n%C3%A9";
        assert!(fragment.ends_with(tail), "{fragment}");
        let link = decode(&fragment).unwrap();
        assert_eq!(link.columns.unwrap().to_string(), columns);
        assert!(link.others.is_empty());
        assert_eq!(with_columns("v=1", None), "v=1");
    }

    #[test]
    fn a_mapping_keeps_the_rules_of_the_version_of_its_link() {
        let sha256 = "ab".repeat(32);
        let columns = |version: u64, columns: &str| {
            let text = format!("v={version}&d=file:my.csv:{sha256}&c={columns}");
            decode(&text).unwrap().columns.unwrap().to_string()
        };
        let dropping = "task:1;label:2;x:3;missing:drop";
        assert_eq!(columns(1, dropping), format!("{dropping};rules:1"));
        assert_eq!(columns(2, dropping), dropping);
        // Where both versions read the same, nothing is added.
        assert_eq!(columns(1, "label:2;x:3"), "label:2;x:3");
    }

    #[test]
    fn messages_have_no_control_characters() {
        for text in ["v=1&b=%1B]0;a%07", "v=1&%1B=1&%1B=2", "v=1&r=%E2%80%AE"] {
            let message = decode(text).unwrap_err().to_string();
            assert!(
                message.contains(r"\u{") && !message.contains('\u{1b}'),
                "{message}"
            );
        }
    }

    #[test]
    fn links_are_distinguished_from_paths_and_json() {
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
            "v=2&d=synthetic&nt=100&ps=1e8&i=1000&l1=1e-5&s=1000000"
        );
        assert_eq!(resolve(&text).unwrap(), spec);
    }

    #[test]
    fn a_file_keeps_the_scaling_of_the_version_of_its_link() {
        let file = format!("d=file:a.csv:{}", "ab".repeat(32));
        let scaling = |text: &str| resolve(text).unwrap().feature_scaling;
        for text in [format!("v=1&{file}"), file.clone()] {
            assert_eq!(scaling(&text), FeatureScaling::None);
            assert!(decode(&text).unwrap().draft.was_version_1());
            let spec = resolve(&text).unwrap();
            assert_eq!(spec.version, 2);
        }
        let text = format!("v=2&{file}");
        assert_eq!(scaling(&text), FeatureScaling::Standard);
        assert!(!decode(&text).unwrap().draft.was_version_1());
        // No key of version 1, but any link may have keys that mean nothing.
        let link = decode("v=1&d=sarcos&fs=standard&fd=observed").unwrap();
        assert_eq!(link.unknown_keys(), ["fs", "fd"]);
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
    fn a_link_keeps_its_claim_and_the_keys_of_the_view() {
        let link =
            decode("#v=1&d=sarcos&e=0.1.0&r=0123456789abcdef&embed=1&zzz=%41&story=3").unwrap();
        assert_eq!(link.claim.engine.as_deref(), Some("0.1.0"));
        assert_eq!(link.claim.digest.as_deref(), Some("0123456789abcdef"));
        assert_eq!(link.others[1], ("zzz".to_string(), "A".to_string()));
        assert_eq!(link.unknown_keys(), ["zzz"]);
    }

    #[test]
    fn a_claim_survives_writing_and_reading() {
        let text = "e=0.1.0&h=00ffab&r=0123456789abcdef&q=1.1647382910394857&u=3e-9";
        let claim = decode(&format!("v=1&{text}")).unwrap().claim;
        assert_eq!(claim.metric, Some(1.164_738_291_039_485_7));
        assert_eq!(claim.write(), text);
        assert_eq!(Claim::default().write(), "");
    }

    #[test]
    fn a_comparison_names_what_differs_and_by_how_much() {
        let claim = |text: &str| decode(text).unwrap().claim;
        let found = claim("e=0.3.0&h=00ffab12&r=0123456789abcdef&q=1.1649&u=250");
        let words = |claimed: &str| {
            let comparison = claim(claimed).compare(&found, MetricName::Nmse)?;
            assert!(!comparison.same);
            Some(comparison.words)
        };
        assert_eq!(words("e=0.1.0&q=1"), None);
        for (claimed, part) in [
            ("r=00&e=0.1.0", "made by engine 0.1.0; this is engine 0.3.0"),
            ("r=00&e=0.3.0&h=00FF", "so the link was edited"),
            ("r=00&e=0.3.0&h=00ffab12345", "so the link was edited"),
            ("r=00&e=0.3.0&h=00fe", "the data differ"),
            (
                "r=00&e=0.3.0&h=00ffab12&q=1.1649&u=250",
                "The numbers match, the fingerprint does not: somebody edited the link.",
            ),
            ("r=00", "does not name the engine"),
            (
                "r=00&q=1.1647",
                "NMSE 1.1647 in the link, 1.1649 here: they differ in the 4th digit (by 2e\u{2212}4 of the value)",
            ),
            ("r=00&q=1.1649", "NMSE 1.1649 is the same to the last digit"),
            (
                "r=00&u=-3e2",
                "utility \u{2212}300 in the link, 250 here: they differ in the 1st digit",
            ),
            (
                "r=00&u=249.99999999999997",
                "in the 16th digit (by 1e\u{2212}16",
            ),
            ("r=00&u=1e308", "1.0e308 in the link, 2.5e2 here"),
            (
                "r=00&u=0",
                "0 in the link, 250 here: they differ in the 1st digit (by 1e0",
            ),
        ] {
            let words = words(claimed).unwrap();
            assert!(words.contains(part), "{claimed}: {words}");
        }
        let same = claim("r=0123456789ABCDEF").compare(&found, MetricName::Auc);
        assert!(same.unwrap().same);
    }

    #[test]
    fn a_draft_is_written_in_full_and_invalid_values_stay_invalid() {
        let draft = Draft::parse(
            r#"{"version":1,"dataset":"sarcos","targets":[0,1,2,5],"budget":0.25,"seed":3.0}"#,
        );
        let text = write(&draft.unwrap());
        assert_eq!(text, "v=2&d=sarcos&t=0-2,5&b=0.25&s=3");
        assert_eq!(write(&Draft::default()), "v=2");
        for (json, field) in [
            (r#"{"targets":[0,1.5]}"#, "targets"),
            (r#"{"targets":{"a":1}}"#, "targets"),
            (r#"{"targets":[18446744073709551615]}"#, "targets"),
            (r#"{"dataset":{"name":"a"}}"#, "dataset"),
            (r#"{"budget":"0.1&s=5"}"#, "budget"),
            (r#"{"seed":[1]}"#, "seed"),
            (r#"{"attack":7}"#, "attack"),
        ] {
            let text = write(&Draft::parse(json).unwrap());
            let error = resolve(&text).expect_err(json);
            assert_eq!(error.field_name(), Some(field), "{json}: {error}");
        }
    }

    #[test]
    fn hostile_values_are_refused_by_name() {
        for (text, field) in [
            ("v=0&d=sarcos", "version"),
            ("v=-1", "version"),
            ("v=", "version"),
            ("v=1&d=sarcos&q=NaN", "metric"),
            ("v=1&d=sarcos&q=1e999", "metric"),
            ("v=1&d=sarcos&u=<b>", "utility"),
            ("v=3&d=sarcos", "version"),
            ("v=2&d=sarcos&fs=robust", "feature_scaling"),
            ("v=2&d=sarcos&fd=", "feature_domain"),
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
            ("v=1&d=sarcos&l1=-3", "lambda1"),
            ("v=1&d=sarcos&eps=0", "epsilon"),
            ("v=1&d=sarcos&i=1e3", "iterations"),
            ("v=1&d=sarcos&i=1.5", "iterations"),
            ("v=1&d=sarcos&k=Direct", "attack"),
            ("v=1&d=sarcos&k=sideways", "attack"),
            ("v=1&d=sarcos&k=%FF", "link"),
            ("v=1&d=sarcos&k=%4", "link"),
            ("v=1&d=sarcos&k=%+1", "link"),
            ("https://example.org/lab/", "link"),
            ("https://example.org/lab/?v=1&d=sarcos", "link"),
            ("v=1&d=sarcos&b=0.1&b=0.2", "b"),
            ("v=1&d=sarcos&r=xyz", "digest"),
            ("v=1&d=sarcos&e=<b>", "engine"),
            ("v=1&d=sarcos&c=label:1;x:2", "columns"),
            ("v=1&c=label:1;x:2", "columns"),
            ("v=1&d=file:a.csv:0&c=", "columns"),
            ("v=1&d=file:a.csv:0&c=<script>", "columns"),
            ("v=1&d=file:a.csv:0&c=label:1;x:2-99999999999", "columns"),
            ("v=1&d=file:a.csv:0&c=label:1;x:2&c=label:1;x:2", "c"),
        ] {
            let error = resolve(text).expect_err(text);
            assert_eq!(error.field_name(), Some(field), "{text}: {error}");
        }
        assert!(decode(&"x".repeat(MAX_LENGTH + 1)).is_err());
    }
}
