//! `wasm-pack.toml`: how the wasm is built.

use std::path::Path;

use anyhow::{Context, Result};
use serde::Deserialize;

/// The whole file. The file itself explains each key.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// What is compiled, and how.
    pub build: Build,
    /// Where things go.
    pub output: Output,
}

/// What is compiled, and how.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Build {
    /// The cargo target.
    pub target: String,
    /// Features of the target, each with its sign, as in `+simd128`.
    pub target_features: Vec<String>,
    /// Functions up to this cost, as LLVM counts it, are inlined where they are called.
    pub inline_threshold: u32,
    /// The wasm modules: cargo features, and base names of the generated files.
    pub modules: Vec<String>,
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

    /// The cargo features of all modules, as cargo takes them.
    pub fn features(&self) -> String {
        self.build.modules.join(",")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: &str = include_str!("../../wasm-pack.toml");

    #[test]
    fn the_committed_file_asks_for_simd_and_two_modules() {
        let settings = Settings::parse(OURS).unwrap();
        assert_eq!(settings.build.target_features, ["+simd128"]);
        assert_eq!(settings.features(), "engine,extras");
    }

    #[test]
    fn unknown_and_missing_keys_are_named() {
        for (changed, key) in [
            (
                OURS.replace("modules =", "module ="),
                "unknown field `module`",
            ),
            (OURS.replace("dist =", "# dist ="), "missing field `dist`"),
        ] {
            let message = format!("{:#}", Settings::parse(&changed).unwrap_err());
            assert!(message.contains(key), "{message}");
        }
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
