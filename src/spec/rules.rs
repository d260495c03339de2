//! The check of a specification: the value of each field against its row of the table, and fields
//! that are fine alone but not together. Not here: the ranges themselves (`fields`).

use serde_json::Value;

use super::{DATASETS, DatasetRef, Field, FieldKind, Shape, Spec, shorten};
use crate::attack::{Attack, Gradient, InjectedLabels, Method};
use crate::data::Kind;
use crate::data::sample::TargetScaling;
use crate::error::{Error, Result};
use crate::mtrl::{Loss, Solver};

/// Checks a value against the row of its field.
pub(super) fn check_value(field: &Field, value: &Value, shape: &Shape) -> Result<()> {
    let refuse = |expected: String| Err(Error::field(field.name, shorten(value), expected));
    match field.kind {
        FieldKind::Choice { words, .. } => match value.as_str() {
            Some(word) if words.contains(&word) => Ok(()),
            _ => refuse(format!("one of {}", words.join(", "))),
        },
        FieldKind::Integer { min, max, .. } => match value.as_u64() {
            Some(number) if (min..=max).contains(&number) => Ok(()),
            _ if min == max => refuse(format!("{min}")),
            _ => refuse(format!("a whole number from {min} to {max}")),
        },
        FieldKind::Number {
            min, max, or_zero, ..
        } => match value.as_f64() {
            Some(number) if number.is_finite() && number >= min && number <= max => Ok(()),
            Some(0.0) if or_zero => Ok(()),
            _ if or_zero => refuse(format!("0, or a number from {min:?} to {max:?}")),
            _ => refuse(format!("a number from {min:?} to {max:?}")),
        },
        FieldKind::Tasks => check_tasks(field, value, shape),
        FieldKind::Dataset => match DatasetRef::try_from(value.clone())? {
            DatasetRef::Named(name) if DATASETS.contains(&name.as_str()) => Ok(()),
            DatasetRef::Named(_) => refuse(format!("one of {}, or a file", DATASETS.join(", "))),
            DatasetRef::File { .. } => Ok(()),
        },
    }
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
                    return refuse(format!("{task} twice"));
                }
            }
            _ => return refuse(shorten(task)),
        }
    }
    Ok(())
}

/// Fields that are fine alone but not together.
pub(super) fn contradictions(spec: &Spec, shape: &Shape) -> Vec<Error> {
    let mut errors = Vec::new();
    let mut refuse = |field: &str, value: &dyn std::fmt::Display, expected: &str| {
        errors.push(Error::field(field, value, expected));
    };
    if let (Some(_), Some(share)) = (spec.train_per_task, spec.train_share) {
        refuse(
            "train_share",
            &share,
            "nothing, because train_per_task is given",
        );
    }
    let shared: Vec<String> = (spec.attackers.iter())
        .filter(|task| spec.targets.contains(task))
        .map(|task| format!("task {task}"))
        .collect();
    match spec.attack {
        Attack::Direct if spec.attackers != spec.targets => {
            let found = format!("{:?}", spec.attackers);
            refuse(
                "attackers",
                &found,
                "the target tasks, because the attack is direct",
            );
        }
        Attack::Indirect if !shared.is_empty() => refuse(
            "attackers",
            &shared.join(", "),
            "no target task, because the attack is indirect",
        ),
        Attack::Indirect if spec.attackers.is_empty() => {
            refuse("targets", &"every task", "some task left to attack from");
        }
        _ => {}
    }
    let kind = spec.kind(shape);
    if kind == Kind::Regression && spec.loss == Loss::SquaredHinge {
        refuse(
            "loss",
            &spec.loss.word(),
            "squared, because the labels are real numbers",
        );
    }
    if kind == Kind::Regression && spec.injected_labels == InjectedLabels::Flipped {
        refuse(
            "injected_labels",
            &"flipped",
            "uniform or resampled, because this is regression",
        );
    }
    if kind == Kind::Classification && spec.injected_labels == InjectedLabels::Resampled {
        refuse(
            "injected_labels",
            &"resampled",
            "uniform or flipped, because this is classification",
        );
    }
    if kind == Kind::Classification && spec.target_scaling == TargetScaling::Standardised {
        refuse(
            "target_scaling",
            &"standardised",
            "raw, because labels of classes are -1 and +1",
        );
    }
    if spec.epsilon == 0.0 && spec.solver == Solver::Certified {
        refuse(
            "epsilon",
            &spec.epsilon,
            "at least 1e-12, because the solver is certified",
        );
    } else if spec.epsilon == 0.0
        && spec.gradient != Gradient::Published
        && spec.method == Method::Patom
    {
        refuse(
            "epsilon",
            &spec.epsilon,
            "at least 1e-12, because the gradient is implicit",
        );
    }
    errors
}
