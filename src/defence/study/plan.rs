//! The studies behind `docs/defence.md` and the published results of the page. Not here: running them.

use super::{Job, jobs};
use crate::attack::Attack;
use crate::error::{Error, Result};
use crate::paper::plan::MAX_SEEDS;
use crate::spec::{Draft, Shape, Spec};

/// Budgets of the document.
pub const BUDGETS: [f64; 4] = [0.05, 0.1, 0.2, 0.3];

/// The budget of its tables, and of specifications by default.
pub const BUDGET: f64 = 0.2;

/// The attacks of the document.
pub const ATTACKS: [Attack; 3] = [Attack::Direct, Attack::Indirect, Attack::Hybrid];

/// The seeds for which the numbers of an earlier study are known.
pub const KNOWN_SEEDS: [u64; 2] = [42, 1];

/// A data set with the fields that are not its defaults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting {
    /// For people.
    pub title: &'static str,
    /// Good in a file name.
    pub id: &'static str,
    /// Data set.
    pub dataset: &'static str,
    /// Fields as JSON, without the data set.
    fields: &'static str,
    /// At every budget, not only at [`BUDGET`].
    pub every_budget: bool,
}

/// The settings of the document, in its order.
pub const SETTINGS: [Setting; 7] = [
    Setting {
        title: "Sarcos",
        id: "sarcos",
        dataset: "sarcos",
        fields: "",
        every_budget: true,
    },
    Setting {
        title: "Sarcos, rows of its own for each task",
        id: "sarcos-apart",
        dataset: "sarcos",
        fields: r#", "shared_rows": false"#,
        every_budget: true,
    },
    Setting {
        title: "Landmine",
        id: "landmine",
        dataset: "landmine",
        fields: "",
        every_budget: true,
    },
    Setting {
        title: "Landmine, λ1 = λ2 = 0.0003",
        id: "landmine-weak",
        dataset: "landmine",
        fields: r#", "lambda1": 3e-4, "lambda2": 3e-4"#,
        every_budget: false,
    },
    Setting {
        title: "Synthetic",
        id: "synthetic",
        dataset: "synthetic",
        fields: "",
        every_budget: true,
    },
    Setting {
        title: "Synthetic, 15 points, λ1 = λ2 = 0.01",
        id: "synthetic-few",
        dataset: "synthetic",
        fields: r#", "train_per_task": 15, "lambda1": 0.01, "lambda2": 0.01"#,
        every_budget: false,
    },
    Setting {
        title: "MNIST",
        id: "mnist",
        dataset: "mnist",
        fields: "",
        every_budget: true,
    },
];

/// One study of the document.
#[derive(Clone, Debug, PartialEq)]
pub struct Planned {
    /// Unique; good as a file name.
    pub id: String,
    /// Its data set and fields.
    pub setting: Setting,
    /// Its attack.
    pub attack: Attack,
    /// Its budget.
    pub budget: f64,
    /// Its seed.
    pub seed: u64,
    /// Is it one of the repeats that the tables average? Otherwise it is there for the known numbers
    /// and the page.
    pub is_repeat: bool,
    /// Its jobs.
    pub jobs: Vec<Job>,
}

/// All studies with so many repeats (seeds from 1 on), and those of the known seeds.
///
/// # Errors
/// A number of seeds out of range; those of the jobs.
pub fn plan(seeds: u64) -> Result<Vec<Planned>> {
    if !(1..=MAX_SEEDS).contains(&seeds) {
        let range = format!("1 to {MAX_SEEDS}");
        return Err(Error::out_of_range("seeds", seeds, range));
    }
    let mut out = Vec::new();
    for setting in SETTINGS {
        for attack in ATTACKS {
            let mut add = |budget: f64, seed: u64, is_repeat: bool| {
                let id = format!("{}-{}-b{budget}-s{seed}", setting.id, attack.word());
                let jobs = jobs(&spec(setting, attack, budget, seed))?;
                out.push(Planned {
                    id,
                    setting,
                    attack,
                    budget,
                    seed,
                    is_repeat,
                    jobs,
                });
                Ok::<(), Error>(())
            };
            for budget in BUDGETS {
                if budget == BUDGET || setting.every_budget {
                    for seed in 1..=seeds {
                        add(budget, seed, true)?;
                    }
                }
            }
            for seed in KNOWN_SEEDS.into_iter().filter(|&seed| seed > seeds) {
                add(BUDGET, seed, false)?;
            }
        }
    }
    Ok(out)
}

fn spec(setting: Setting, attack: Attack, budget: f64, seed: u64) -> Spec {
    let text = format!(
        r#"{{"dataset": "{}", "attack": "{}", "budget": {budget}, "seed": {seed}{}}}"#,
        setting.dataset,
        attack.word(),
        setting.fields
    );
    let shape = Shape::named(setting.dataset).expect("settings are of named data sets");
    let draft = Draft::parse(&text).expect("settings are JSON");
    draft.check(&shape).expect("settings are valid")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_planned_study_has_an_id_of_its_own_and_the_default_seed_is_among_them() {
        let plan = plan(2).unwrap();
        let mut ids: Vec<&str> = plan.iter().map(|planned| planned.id.as_str()).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), plan.len());
        for name in ["sarcos", "landmine", "mnist", "synthetic"] {
            let default = Spec::default_of(name);
            let found = plan
                .iter()
                .find(|planned| planned.jobs[0].spec == default)
                .unwrap();
            assert!(!found.is_repeat, "{name}");
        }
    }
}
