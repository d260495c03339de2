//! The options of `cargo xtask test`, and its tiers. Not here: which steps a tier has (`test`).

use clap::Args;

use crate::setup;

/// Options of `cargo xtask test`.
#[derive(Debug, Clone, Default, Args)]
pub struct Arguments {
    /// The quick tier: formatting, lints, native tests, types
    #[arg(long)]
    pub quick: bool,
    /// The full tier, for releases: everything, in all browsers
    #[arg(long, conflicts_with = "quick")]
    pub full: bool,
    /// Only the steps whose name contains this, of any tier (may be repeated)
    #[arg(long, value_name = "NAME")]
    pub only: Vec<String>,
    /// Only the end-to-end cases whose name contains this
    #[arg(long, value_name = "NAME")]
    pub case: Option<String>,
    /// The engines of the end-to-end cases, separated by commas [default: chromium; in the full
    /// tier chromium,firefox,webkit]
    #[arg(long, value_name = "LIST")]
    pub engines: Option<String>,
    /// Save screenshots of the end-to-end cases: target/screenshots/
    #[arg(long)]
    pub pictures: bool,
}

impl Arguments {
    /// The tier that was asked for.
    pub fn tier(&self) -> Tier {
        match (self.quick, self.full) {
            (true, _) => Tier::Quick,
            (_, true) => Tier::Full,
            _ => Tier::Normal,
        }
    }

    /// The engines of the end-to-end cases, separated by commas.
    pub fn engines(&self) -> &str {
        let of_tier = if self.full {
            setup::ENGINES
        } else {
            "chromium"
        };
        self.engines.as_deref().unwrap_or(of_tier)
    }
}

/// How much is tested; each tier includes those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tier {
    /// While working.
    Quick,
    /// Before every commit.
    Normal,
    /// Before a release.
    Full,
}

impl Tier {
    /// As people are shown it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Quick => "quick",
            Self::Normal => "default",
            Self::Full => "full",
        }
    }
}
