//! The module that is fetched when it is asked for: readers of files, figures of the paper (`sweep`).

use js_sys::{Array, Uint8Array};
use wasm_bindgen::prelude::*;

use crate::data::formats::bundle;
use crate::data::{import, published};
use crate::error::{Error, Result};

fn find(name: &str) -> Result<&'static published::Published> {
    published::find(name)
        .ok_or_else(|| Error::field("dataset", name, "the name of a published data set"))
}

/// The points in the bundle of a published data set, as the solver takes them; they are checked
/// against their hash.
#[wasm_bindgen]
pub fn read_bundle(name: &str, bytes: &[u8]) -> std::result::Result<Vec<u8>, JsValue> {
    Ok(bundle::payload(&find(name)?.read_bundle(bytes)?))
}

/// The points in a user's file, known by the ending of its name, as the text of a mapping says if
/// there is one. Otherwise a raw file of a published data set is recognised as such.
#[wasm_bindgen]
#[expect(
    clippy::needless_pass_by_value,
    reason = "wasm-bindgen hands over owned values"
)]
pub fn read_file(
    name: &str,
    bytes: &[u8],
    columns: Option<String>,
) -> std::result::Result<Vec<u8>, JsValue> {
    let columns = columns.as_deref().map(str::parse).transpose()?;
    let known = match &columns {
        None => published::recognise(bytes),
        Some(_) => None,
    };
    let data = match known {
        Some(data) => data?,
        None => import::read_with(name, bytes, columns.as_ref())?.data,
    };
    Ok(bundle::payload(&data))
}

/// The points in the raw files of a published data set: `[[name, Uint8Array], ...]`.
#[wasm_bindgen]
pub fn read_raw_files(name: &str, files: &Array) -> std::result::Result<Vec<u8>, JsValue> {
    let file = |wanted: &str| {
        files.iter().find_map(|entry| {
            let entry = Array::from(&entry);
            (entry.get(0).as_string().as_deref() == Some(wanted))
                .then(|| Uint8Array::new(&entry.get(1)).to_vec())
        })
    };
    Ok(bundle::payload(&find(name)?.assemble(&file)?))
}
