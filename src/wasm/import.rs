//! Part of the module `extras`: a user's own file, its preview, mapping and example.

use js_sys::Array;
use serde::Deserialize;
use wasm_bindgen::prelude::*;

use super::convert::{describe, error_object, from_js, object, to_js};
use crate::data::import::mapping::{Dialect, Mapping};
use crate::data::{import, sha256_hex, synthetic};
use crate::error::Result;

/// Looks at a file: `{sha256, preview, columns, limits}`; `columns` is the text of the guess.
/// `reading` says how to read it; undefined: as it seems to be.
#[wasm_bindgen]
pub fn inspect_file(
    name: &str,
    bytes: &[u8],
    reading: JsValue,
) -> std::result::Result<JsValue, JsValue> {
    let reading: Option<Dialect> = if reading.is_undefined() || reading.is_null() {
        None
    } else {
        Some(from_js(reading, "reading")?)
    };
    let preview = import::inspect(name, bytes, reading.as_ref())?;
    Ok(object([
        ("sha256", sha256_hex(bytes).into()),
        ("columns", preview.guess.to_string().into()),
        ("preview", to_js(&preview)),
        ("limits", to_js(&import::LIMITS)),
    ]))
}

/// A mapping, or the text of one.
#[derive(Deserialize)]
#[serde(untagged)]
enum Columns {
    Text(String),
    Mapping(Mapping),
}

/// What a mapping makes of a file: `{columns, mapping, description, dropped}`, or
/// `{problem, column}`, with `mapping` where it could be read.
#[wasm_bindgen]
pub fn check_columns(name: &str, bytes: &[u8], columns: JsValue) -> JsValue {
    let refusal = |refusal: &import::ImportError, mapping: Option<&Mapping>| {
        object([
            ("problem", error_object(&refusal.error)),
            ("column", to_js(&refusal.column)),
            ("mapping", to_js(&mapping)),
            ("columns", to_js(&mapping.map(Mapping::to_string))),
        ])
    };
    let mapping: Result<Mapping> = match from_js(columns, "columns") {
        Ok(Columns::Mapping(mapping)) => Ok(mapping),
        Ok(Columns::Text(text)) => text.parse(),
        Err(error) => Err(error),
    };
    let mapping = match mapping {
        Ok(mapping) => mapping,
        Err(error) => return refusal(&error.into(), None),
    };
    match import::read_mapped(name, bytes, &mapping) {
        Ok(made) => object([
            ("columns", mapping.to_string().into()),
            ("mapping", to_js(&mapping)),
            ("description", describe(&made.data)),
            ("dropped", to_js(&made.dropped)),
        ]),
        Err(error) => refusal(&error, Some(&mapping)),
    }
}

/// A file to look at and the limits: `[text, {bytes, tasks, features, values}]`.
#[wasm_bindgen]
pub fn example_file() -> std::result::Result<Array, JsValue> {
    Ok(Array::of2(
        &synthetic::example_csv()?.into(),
        &to_js(&import::LIMITS),
    ))
}
