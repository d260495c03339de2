//! `wasm-pack.toml`: how the wasm is built.

use std::path::Path;

use anyhow::{Context, Result};
use serde::Deserialize;

/// The whole file. The file itself explains each key.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// What cargo and rustc are told.
    pub build: Build,
    /// The wasm modules.
    #[serde(rename = "module")]
    pub modules: Vec<Module>,
    /// What the generator of the JavaScript glue is told.
    pub bindgen: Bindgen,
    /// Where things go.
    pub output: Output,
}

/// What cargo and rustc are told.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Build {
    /// The cargo target.
    pub target: String,
    /// Features of the target, each with its sign, as in `+simd128`.
    pub target_features: Vec<String>,
    /// Further flags for rustc.
    pub rustflags: Vec<String>,
    /// The cargo profile.
    pub profile: String,
}

impl Build {
    /// The folder cargo uses for the profile.
    pub fn profile_folder(&self) -> &str {
        if self.profile == "dev" {
            "debug"
        } else {
            &self.profile
        }
    }
}

/// A wasm module: the library with some of its exports.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Module {
    /// The cargo feature that brings the exports, and the base name of the generated files.
    pub name: String,
}

/// What the generator of the JavaScript glue is told.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "they are the generator's independent switches"
)]
pub struct Bindgen {
    /// The kind of glue.
    pub target: GlueTarget,
    /// Whether to write type declarations.
    pub typescript: bool,
    /// Assertions in the glue.
    pub debug: bool,
    /// Keep debug information in the wasm.
    pub keep_debug: bool,
    /// Drop symbol names from the wasm.
    pub remove_name_section: bool,
    /// Drop compiler versions from the wasm.
    pub remove_producers_section: bool,
}

/// The kinds of glue the page can use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GlueTarget {
    /// An ES module that fetches the wasm beside it.
    Web,
}

/// Where things go, relative to the checkout.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Output {
    /// The page's sources.
    pub www: String,
    /// Generated code.
    pub pkg: String,
    /// The finished site.
    pub dist: String,
}

impl Settings {
    /// Reads `wasm-pack.toml` in `root`.
    ///
    /// # Errors
    /// When it is missing, or has an unknown, missing or wrong key; the message names the key.
    pub fn read(root: &Path) -> Result<Self> {
        let path = root.join("wasm-pack.toml");
        let text = std::fs::read_to_string(&path)
            .with_context(|| format!("cannot read {}", path.display()))?;
        Self::parse(&text)
    }

    /// # Errors
    /// As for [`Settings::read`].
    pub fn parse(text: &str) -> Result<Self> {
        let settings: Self = toml::from_str(text).context("wasm-pack.toml")?;
        for feature in &settings.build.target_features {
            anyhow::ensure!(
                feature.starts_with(['+', '-']),
                "wasm-pack.toml: build.target_features: `{feature}` needs a sign, as in `+simd128`"
            );
        }
        let www = Path::new(&settings.output.www);
        anyhow::ensure!(
            Path::new(&settings.output.pkg).parent() == Some(www),
            "wasm-pack.toml: output.pkg: must be a folder directly inside output.www (`{}`), so \
             that the page can import it",
            settings.output.www
        );
        Ok(settings)
    }

    /// The flags for rustc.
    pub fn rustflags(&self) -> Vec<String> {
        let mut flags = self.build.rustflags.clone();
        if !self.build.target_features.is_empty() {
            flags.push("-C".into());
            flags.push(format!(
                "target-feature={}",
                self.build.target_features.join(",")
            ));
        }
        flags
    }

    /// The cargo features of all modules, as cargo takes them.
    pub fn features(&self) -> String {
        let names: Vec<&str> = self.modules.iter().map(|one| one.name.as_str()).collect();
        names.join(",")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: &str = include_str!("../../wasm-pack.toml");

    #[test]
    fn the_committed_file_is_read_and_asks_for_simd() {
        let settings = Settings::parse(OURS).unwrap();
        assert_eq!(settings.rustflags(), ["-C", "target-feature=+simd128"]);
        assert_eq!(settings.build.profile_folder(), "small");
        assert_eq!(settings.features(), "engine,reading,extras,take");
    }

    #[test]
    fn an_unknown_key_is_named() {
        let text = OURS.replace("keep_debug", "keep_debugs");
        let message = format!("{:#}", Settings::parse(&text).unwrap_err());
        assert!(message.contains("keep_debugs"), "{message}");
    }

    #[test]
    fn a_missing_key_is_named() {
        let text = OURS.replace("typescript = true", "");
        let message = format!("{:#}", Settings::parse(&text).unwrap_err());
        assert!(message.contains("typescript"), "{message}");
    }

    #[test]
    fn a_feature_without_its_sign_is_refused() {
        let message = format!(
            "{:#}",
            Settings::parse(&OURS.replace("+simd128", "simd128")).unwrap_err()
        );
        assert!(message.contains("simd128"), "{message}");
    }
}
