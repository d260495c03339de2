//! The check of a specification: the value of each field against its row of the table, and fields
//! that are fine alone but not together. Not here: the ranges themselves (`fields`).

use serde_json::Value;

use super::{
    DATASETS, DatasetRef, Field, FieldKind, LINE, Shape, Spec, VERSION, shorten, unknown_version,
};
use crate::attack::{Attack, Gradient, InjectedFeatures, InjectedLabels, Method, Utility};
use crate::data::Kind;
use crate::data::published;
use crate::data::sample::TargetScaling;
use crate::data::sample::no_shared_rows;
use crate::defence::sanitise::Sanitise;
use crate::error::{Error, Result, excerpt};
use crate::mtrl::{Learner, Loss, Solver};

/// Checks a value against the row of its field.
pub(super) fn check_value(field: &Field, value: &Value, shape: &Shape) -> Result<()> {
    let refuse = |expected: String| Err(Error::field(field.name, shorten(value), expected));
    let out_of_range = |range| Err(Error::out_of_range(field.name, shorten(value), range));
    match field.kind {
        FieldKind::Integer { .. } if field.name == "version" => match value.as_u64() {
            Some(VERSION) => Ok(()),
            Some(version) => Err(unknown_version(version)),
            None => refuse(format!("{VERSION}")),
        },
        FieldKind::Choice { words, .. } => match value.as_str() {
            Some(word) if words.contains(&word) => Ok(()),
            _ => refuse(format!("one of {}", words.join(", "))),
        },
        FieldKind::Integer { min, max, .. } => match value.as_u64() {
            Some(number) if (min..=max).contains(&number) => Ok(()),
            Some(_) => out_of_range(format!("between {min} and {max}")),
            None => refuse(format!("a whole number between {min} and {max}")),
        },
        FieldKind::Number { words, .. }
            if value.as_str().is_some_and(|word| words.contains(&word)) =>
        {
            Ok(())
        }
        FieldKind::Number {
            min,
            max,
            or_zero,
            words,
            ..
        } => match value.as_f64() {
            Some(number) if number.is_finite() && number >= min && number <= max => Ok(()),
            Some(0.0) if or_zero => Ok(()),
            Some(_) if or_zero => {
                out_of_range(format!("0, or between {} and {}", plain(min), plain(max)))
            }
            Some(_) => out_of_range(format!("between {} and {}", plain(min), plain(max))),
            None => {
                let words = words
                    .iter()
                    .fold(String::new(), |text, word| text + ", or " + word);
                refuse(format!(
                    "a number between {} and {}{words}",
                    plain(min),
                    plain(max)
                ))
            }
        },
        FieldKind::Flag => match value {
            Value::Bool(_) => Ok(()),
            _ => refuse("true or false".to_string()),
        },
        FieldKind::Tasks => check_tasks(field, value, shape),
        FieldKind::Dataset => match DatasetRef::try_from(value.clone())? {
            DatasetRef::Named(name) if DATASETS.contains(&name.as_str()) => Ok(()),
            DatasetRef::Named(name) => {
                let names = DATASETS.join(", ");
                let name = excerpt(&name, LINE);
                let reason = format!("{name} not found; available: {names}, or a file");
                Err(Error::invalid(field.name, reason))
            }
            DatasetRef::File { .. } => Ok(()),
        },
    }
}

/// A bound as people write it: 5 rather than 5.0, but 1e-12.
fn plain(bound: f64) -> String {
    let text = format!("{bound:?}");
    text.strip_suffix(".0").unwrap_or(&text).to_string()
}

fn check_tasks(field: &Field, value: &Value, shape: &Shape) -> Result<()> {
    let last = shape.tasks - 1;
    let expected = format!("a list of different task numbers from 0 to {last}");
    let refuse = |found: String| Err(Error::field(field.name, found, &expected));
    let Some(tasks) = value.as_array().filter(|tasks| !tasks.is_empty()) else {
        return refuse(shorten(value));
    };
    let mut seen = vec![false; shape.tasks];
    for task in tasks {
        match task.as_u64().and_then(|task| usize::try_from(task).ok()) {
            Some(task) if task < shape.tasks => {
                if std::mem::replace(&mut seen[task], true) {
                    return Err(Error::invalid(
                        field.name,
                        format!("task {task} is given twice"),
                    ));
                }
            }
            _ => return refuse(shorten(task)),
        }
    }
    Ok(())
}

/// Fields that are valid alone but not together.
pub(super) fn contradictions(spec: &Spec, shape: &Shape) -> Vec<Error> {
    let mut errors = Vec::new();
    let mut refuse = |field: &str, reason: String| errors.push(Error::invalid(field, reason));
    if spec.train_per_task.is_some() && spec.train_share.is_some() {
        refuse(
            "train_share",
            "cannot be combined with train_per_task; give only one of them".to_string(),
        );
    }
    if let DatasetRef::Named(name) = &spec.dataset
        && !spec.shared_rows
        && !published::find(name).is_some_and(|data| data.shared_rows)
    {
        refuse("shared_rows", no_shared_rows(name));
    }
    let shared: Vec<String> = (spec.attackers.iter())
        .filter(|task| spec.targets.contains(task))
        .map(ToString::to_string)
        .collect();
    match spec.attack {
        Attack::Direct if spec.attackers != spec.targets => refuse(
            "attackers",
            format!(
                "{:?} differ from the targets; a direct attack injects into the target tasks",
                spec.attackers
            ),
        ),
        Attack::Indirect if !shared.is_empty() => refuse(
            "attackers",
            format!(
                "{} are target tasks; an indirect attack injects into other tasks only",
                shared.join(", ")
            ),
        ),
        Attack::Indirect if spec.attackers.is_empty() => refuse(
            "targets",
            "every task is a target; an indirect attack needs another task".to_string(),
        ),
        _ => {}
    }
    let kind = spec.kind(shape);
    if kind == Kind::Regression && spec.loss == Loss::SquaredHinge {
        refuse(
            "loss",
            "squared_hinge needs the labels \u{2212}1 and +1; use squared for regression"
                .to_string(),
        );
    }
    if kind == Kind::Regression && spec.utility == Utility::Ranking {
        refuse(
            "utility",
            "ranking needs the labels \u{2212}1 and +1; use training_loss for regression"
                .to_string(),
        );
    }
    if kind == Kind::Regression && spec.injected_labels == InjectedLabels::Flipped {
        refuse(
            "injected_labels",
            "flipped needs classes; use uniform or resampled for regression".to_string(),
        );
    }
    if kind == Kind::Classification && spec.injected_labels == InjectedLabels::Resampled {
        refuse(
            "injected_labels",
            "resampled is for regression; use uniform or flipped for classification".to_string(),
        );
    }
    if kind == Kind::Classification && spec.target_scaling == TargetScaling::Standardised {
        refuse(
            "target_scaling",
            "standardised is for regression; use raw for the labels \u{2212}1 and +1".to_string(),
        );
    }
    if spec.epsilon == 0.0 && spec.solver == Solver::Certified {
        refuse(
            "epsilon",
            "0 needs the alternating solver; must be at least 1e-12 for the certified one"
                .to_string(),
        );
    } else if spec.epsilon == 0.0
        && spec.gradient != Gradient::Published
        && spec.method == Method::Patom
    {
        refuse(
            "epsilon",
            "0 needs the published gradient; must be at least 1e-12 for the implicit ones"
                .to_string(),
        );
    }
    match (spec.learner, spec.pull_cap) {
        (Learner::Capped, None) => refuse(
            "pull_cap",
            "missing; the capped learner needs one, 0.1 for example".to_string(),
        ),
        (Learner::MultiTask | Learner::SingleTask, Some(cap)) => refuse(
            "pull_cap",
            format!("{cap} counts with `learner: capped` only; set the learner, or leave it out"),
        ),
        _ => {}
    }
    if spec.learner != Learner::MultiTask && spec.solver == Solver::Alternating {
        refuse(
            "solver",
            "alternating is for the multi_task learner; use certified".to_string(),
        );
    }
    if spec.sanitise == Sanitise::None && spec.sanitise_share.is_some() {
        refuse(
            "sanitise_share",
            "needs a sanitiser; set sanitise to norm, vouch or trim".to_string(),
        );
    }
    if spec.sanitise == Sanitise::Trim && spec.sanitise_share.is_none() {
        refuse(
            "sanitise",
            "trim drops a fixed share of each task; set sanitise_share, b / (1 + b) for a budget b"
                .to_string(),
        );
    }
    if spec.sanitise == Sanitise::Vouch && shape.tasks < 2 {
        refuse(
            "sanitise",
            "vouch needs at least two tasks; use norm".to_string(),
        );
    }
    if spec.injected_features == InjectedFeatures::Copied {
        if shape.tasks < 2 {
            refuse(
                "injected_features",
                "copied needs another task to copy from; use free".to_string(),
            );
        }
        if spec.injected_labels != InjectedLabels::Uniform {
            refuse(
                "injected_labels",
                "copied points get extreme labels of their own; leave it out".to_string(),
            );
        }
    }
    errors
}
