//! The upper level: what the attacker wants, the gradient of it, and PATOM (Algorithm 1).
//!
//! [`Injection`] holds the injected points; [`utility`] is U; [`gradient`] its three gradients;
//! [`patom`] the loop with its two step rules and the random baseline. It uses `mtrl`, never the
//! reverse. Not here: data sets, metrics, reports.

use crate::choice::choice;

pub mod gradient;
mod injection;
pub mod patom;
pub mod utility;

pub use injection::{Injection, project};
pub use patom::{Iterate, Settings, Stop, run};

choice! {
    /// Which tasks the attacker may inject into.
    Attack {
        /// The target tasks themselves.
        Direct = "direct",
        /// Tasks other than the targets.
        Indirect = "indirect",
        /// Any tasks.
        Hybrid = "hybrid",
    }
}

choice! {
    /// How the injected points are chosen.
    Method {
        /// Gradient ascent (Algorithm 1 of the paper).
        Patom = "patom",
        /// The initial points, not optimised.
        Random = "random",
    }
}

choice! {
    /// Which gradient of the attacker's utility is followed.
    Gradient {
        /// The paper's (15) and (16): the dual variables count as constants.
        Published = "published",
        /// Derivative of the optimality conditions with the task covariance held fixed.
        Implicit = "implicit",
        /// The exact one: the task covariance moves too.
        ImplicitTotal = "implicit_total",
    }
}

choice! {
    /// How far a step goes.
    Step {
        /// The paper's: a fixed step for each sampled point of a batch.
        Constant = "constant",
        /// The full gradient; the step grows and shrinks so that the utility never falls.
        Backtracking = "backtracking",
    }
}

choice! {
    /// How injected labels are drawn (once; they stay).
    InjectedLabels {
        /// Regression: uniform between the task's smallest and largest clean label.
        /// Classification: -1 or +1 with equal odds.
        Uniform = "uniform",
        /// Regression: drawn from the task's clean labels.
        Resampled = "resampled",
        /// Classification: drawn from the task's clean labels, sign flipped.
        Flipped = "flipped",
    }
}
