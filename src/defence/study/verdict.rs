//! What a study says, in sentences. Every number in them comes from the study.

use super::{Against, Attacker, DefenceStudy, LEAST_DAMAGE, Rankings, TaskScore, harm};

/// A defence holds if at most this share of the undefended damage is done to it.
pub(super) const HOLDS: f64 = 0.1;

/// A defence, by the worst that any attacker of the study does to it.
struct Candidate {
    name: String,
    clean: f64,
    worst: f64,
}

/// One or two sentences: what helps against this attack.
pub(super) fn verdict(study: &DefenceStudy) -> String {
    let metric = study.metric_name.text();
    let undefended = study.undefended.against.first();
    let (Some(clean), Some(attacked)) = (
        study.undefended.clean,
        undefended.and_then(|standard| standard.attacked),
    ) else {
        return format!("The {metric} of the targets is not defined.");
    };
    let damage = worse_by(study, clean, attacked);
    if damage < LEAST_DAMAGE {
        return format!(
            "This attack does little damage: {metric} {clean:.3} without it, {attacked:.3} with it."
        );
    }
    let holds = |candidate: &&Candidate| {
        worse_by(study, candidate.clean, candidate.worst) <= HOLDS * damage
            && worse_by(study, candidate.worst, attacked) > 0.0
    };
    let caps = caps(study);
    let alone = single_task(study);
    // Caps ascend: the last one that holds shares most.
    if let Some(cap) = caps.iter().rfind(holds) {
        let mut text = format!(
            "The pull cap holds up to {}: there the {metric} is {:.3}, and at worst {:.3} under \
             attack; without a defence {clean:.3} and {attacked:.3}.",
            cap.name, cap.clean, cap.worst
        );
        let best = best(study, caps.iter().filter(holds)).unwrap_or(cap);
        match &alone {
            Some(alone) if worse_by(study, alone.worst, best.worst) > -0.0005 => {
                text += &format!(
                    " Single-task learning does as well or better: {:.3}.",
                    alone.worst
                );
            }
            Some(alone) => {
                text += &format!(
                    " Best is {}, at worst {:.3}; single-task learning has {:.3}.",
                    best.name, best.worst, alone.worst
                );
            }
            None => {}
        }
        return text;
    }
    let filters = filters(study);
    if let Some(filter) = best(study, filters.iter().filter(holds)) {
        return format!(
            "A filter holds against every attacker tried: with {} the {metric} is {:.3}, and at \
             worst {:.3} under attack; without a defence {clean:.3} and {attacked:.3}.",
            filter.name, filter.clean, filter.worst
        );
    }
    if let Some(alone) = alone.as_ref().filter(holds) {
        return format!(
            "Only single-task learning holds: {metric} {:.3}, and {:.3} under attack; without a \
             defence {clean:.3} and {attacked:.3}.",
            alone.clean, alone.worst
        );
    }
    let mut text = "No defence holds.".to_string();
    let standard = |row: &super::SanitiserStudy| {
        let found = row
            .against
            .iter()
            .find(|found| found.attacker == Attacker::Standard);
        found.and_then(|found| found.remaining)
    };
    let rows = (study.sanitisers.iter()).filter_map(|row| Some((row, standard(row)?)));
    if let Some((row, left)) = rows.min_by(|a, b| a.1.total_cmp(&b.1)) {
        text += &format!(
            " The best filter ({}) leaves {} of the damage of the standard attack",
            row.title,
            percent(left)
        );
        match knowing(&row.against) {
            Some((found, left)) => {
                text += &format!(
                    " and {} against an {}.",
                    percent(left),
                    found.attacker.text()
                );
            }
            None => text += ".",
        }
    }
    if study.targets_attacked {
        text += " The pull cap cannot protect targets that hold injected points themselves.";
    } else if let Some(cap) = best(study, caps.iter()) {
        text += &format!(
            " The best pull cap ({}) goes from {:.3} to {:.3}.",
            cap.name, cap.clean, cap.worst
        );
    }
    text
}

/// What else the numbers say, a sentence each.
pub(super) fn findings(study: &DefenceStudy) -> Vec<String> {
    let metric = study.metric_name.text();
    let mut out = Vec::new();
    if let (Some(multi), Some(alone)) = (study.undefended.clean, study.single_task.clean) {
        let gain = worse_by(study, multi, alone);
        let what = if gain.abs() < 0.005 {
            "learning the tasks together neither helps nor costs"
        } else if gain > 0.0 {
            "learning the tasks together helps"
        } else {
            "learning the tasks together costs"
        };
        out.push(format!(
            "On clean data {what}: {metric} {multi:.3}, single-task {alone:.3}."
        ));
    }
    let undefended = study.undefended.against.first();
    let undefended = undefended.and_then(|standard| standard.attacked);
    // A bound worse than what an attack on no defence does promises nothing.
    let useful = (study.caps.iter())
        .filter_map(|point| Some((point.pull_cap?, point.certified?, point.standard?)))
        .rfind(|&(_, certified, _)| {
            undefended.is_some_and(|undefended| worse_by(study, certified, undefended) > 0.0)
        });
    match useful {
        Some((cap, certified, reached)) => out.push(format!(
            "Up to μ = {cap} the certificate is worth something: no points in other tasks can take the \
             {metric} beyond {certified:.3}; the standard attack reaches {reached:.3}."
        )),
        None if study.targets_attacked => out.push(
            "Nothing is certified: the certificate holds for tasks whose own points are clean."
                .to_string(),
        ),
        None => out.push(
            "No cap of the study certifies less than the damage that the attack does without a defence."
                .to_string(),
        ),
    }
    for row in &study.sanitisers {
        if let Some(reason) = &row.refused {
            out.push(format!("{}: not possible; {reason}.", row.title));
        } else if let Some(price) = row.price.filter(|price| *price >= 0.005) {
            out.push(format!(
                "{} costs {price:.3} on clean data without any attack.",
                row.title
            ));
        }
    }
    if let Some(standard) = study.rankings.first() {
        out.extend(ranking(standard));
    }
    out
}

/// How well the scores of the tasks find the attacked ones.
fn ranking(rankings: &Rankings) -> Vec<String> {
    let mut out = Vec::new();
    let of = |score: TaskScore| {
        let found = rankings.tasks.iter().find(|ranking| ranking.score == score);
        found.and_then(|ranking| ranking.figures.roc_auc)
    };
    let measured = rankings
        .tasks
        .iter()
        .filter(|ranking| ranking.score != TaskScore::KnownCorrelation)
        .filter_map(|ranking| Some((ranking.score, ranking.figures.roc_auc?)));
    // The first of equal ones.
    let best = measured.fold(None, |best: Option<(TaskScore, f64)>, next| match best {
        Some(best) if best.1 >= next.1 => Some(best),
        _ => Some(next),
    });
    if let (Some((score, roc_auc)), Some(clue)) = (best, of(TaskScore::MeanCorrelation)) {
        let mut text = format!(
            "Of the scores of tasks, {} separates the attacked ones best (ROC AUC {roc_auc:.2})",
            score.text()
        );
        if score == TaskScore::MeanCorrelation {
            text += ".";
        } else {
            text += &format!("; the paper's clue, the mean |correlation|, has {clue:.2}.");
        }
        out.push(text);
    }
    if let Some(known) = of(TaskScore::KnownCorrelation) {
        out.push(format!(
            "With one malicious task known, |correlation| with it finds the others with a ROC AUC of \
             {known:.2}."
        ));
    }
    out
}

/// Positive: `after` is worse than `before`.
fn worse_by(study: &DefenceStudy, before: f64, after: f64) -> f64 {
    harm(study.metric_name, Some(before), Some(after)).unwrap_or(f64::NAN)
}

/// The worse of some metrics; none where one is missing.
fn worst(study: &DefenceStudy, values: impl IntoIterator<Item = Option<f64>>) -> Option<f64> {
    let mut values = values.into_iter();
    let first = values.next()??;
    values.try_fold(first, |worst, value| {
        let value = value?;
        Some(if worse_by(study, worst, value) > 0.0 {
            value
        } else {
            worst
        })
    })
}

/// The candidate that is least bad at its worst.
fn best<'a>(
    study: &DefenceStudy,
    candidates: impl Iterator<Item = &'a Candidate>,
) -> Option<&'a Candidate> {
    candidates.reduce(|best, next| {
        if worse_by(study, next.worst, best.worst) > 0.0 {
            next
        } else {
            best
        }
    })
}

/// The caps whose both attackers are done.
fn caps(study: &DefenceStudy) -> Vec<Candidate> {
    (study.caps.iter())
        .filter_map(|point| {
            Some(Candidate {
                name: format!("μ = {}", point.pull_cap?),
                clean: point.clean?,
                worst: worst(study, [point.standard, point.knowing])?,
            })
        })
        .collect()
}

/// The sanitisers that an attacker who knows them has tried.
fn filters(study: &DefenceStudy) -> Vec<Candidate> {
    (study.sanitisers.iter())
        .filter(|row| row.against.iter().any(|found| found.knows))
        .filter_map(|row| {
            Some(Candidate {
                name: row.title.clone(),
                clean: row.clean?,
                worst: worst(study, row.against.iter().map(|found| found.attacked))?,
            })
        })
        .collect()
}

fn single_task(study: &DefenceStudy) -> Option<Candidate> {
    let learned = &study.single_task;
    (learned.against.iter().any(|found| found.knows)).then_some(())?;
    Some(Candidate {
        name: "single-task learning".to_string(),
        clean: learned.clean?,
        worst: worst(study, learned.against.iter().map(|found| found.attacked))?,
    })
}

/// The knowing attacker of whose damage most is left.
fn knowing(against: &[Against]) -> Option<(&Against, f64)> {
    (against.iter().filter(|found| found.knows))
        .filter_map(|found| Some((found, found.remaining?)))
        .max_by(|a, b| a.1.total_cmp(&b.1))
}

/// Such as `69 %`; less than half a percent, or an improvement, is `none`.
fn percent(share: f64) -> String {
    if share < 0.005 {
        return "none".to_string();
    }
    format!("{:.0} %", 100.0 * share)
}
