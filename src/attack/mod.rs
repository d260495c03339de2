//! The upper level: the attacker's utility, its gradient, and PATOM (Algorithm 1).
//!
//! [`Injection`] holds the injected points, [`Domain`] says where they may lie, [`Pool`] what may be
//! copied; [`utility`] is U ([`ranking`] that of pairs); [`gradient`] its three gradients; [`patom`] the loop with its two step
//! rules and the random baseline; `step` how far a step goes. It uses `mtrl`, never the
//! reverse. Not here: data sets, metrics, reports.

use crate::choice::choice;

mod copied;
mod domain;
pub mod gradient;
mod injection;
pub mod patom;
pub mod ranking;
mod step;
pub mod utility;

pub use copied::{InjectedFeatures, Pool};
pub(crate) use copied::{place, quantile};
pub use domain::{Domain, FeatureDomain, Interval};
pub use injection::{Injection, project};
pub use patom::{Iterate, Settings, Stop, run};
pub use step::Work;
pub use utility::{Aim, Utility};

choice! {
    /// Which tasks the attacker may inject into.
    Attack {
        /// The target tasks themselves.
        Direct = "direct" => "inject into the target tasks",
        /// Tasks other than the targets.
        Indirect = "indirect" => "inject into other tasks only",
        /// Any tasks.
        Hybrid = "hybrid" => "inject into any tasks",
    }
}

choice! {
    /// How the injected points are chosen.
    Method {
        /// Gradient ascent (Algorithm 1 of the paper).
        Patom = "patom" => "optimised points (PATOM)",
        /// The initial points, not optimised.
        Random = "random" => "random points (baseline)",
    }
}

choice! {
    /// Which gradient of the attacker's utility is followed.
    Gradient {
        /// The paper's (15) and (16): the dual variables count as constants.
        Published = "published" => "the paper's approximation",
        /// Derivative of the optimality conditions with the task covariance held fixed.
        Implicit = "implicit" => "exact for a fixed task covariance",
        /// The exact one: the task covariance moves too.
        ImplicitTotal = "implicit_total" => "exact",
    }
}

choice! {
    /// How far a step goes.
    Step {
        /// The paper's: a fixed step for each sampled point of a batch.
        Constant = "constant" => "constant (the paper's; can oscillate)",
        /// The full gradient; the step grows and shrinks so that the utility never falls.
        Backtracking = "backtracking" => "backtracking (the utility never falls)",
    }
}

choice! {
    /// How injected labels are drawn (once; they stay).
    InjectedLabels {
        /// Regression: uniform between the task's smallest and largest clean label.
        /// Classification: -1 or +1 with equal odds.
        Uniform = "uniform" => "uniform over the label range",
        /// Regression: drawn from the task's clean labels.
        Resampled = "resampled" => "resampled from the clean labels",
        /// Classification: drawn from the task's clean labels, sign flipped.
        Flipped = "flipped" => "flipped clean labels",
    }
}
