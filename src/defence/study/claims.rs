//! What the paper says of defence, and what an earlier study of ours measured, compared with the
//! studies of the document.

use std::fmt::Write as _;

use super::document::{Done, Spread, header, repeats};
use super::plan::{ATTACKS, BUDGET, BUDGETS, KNOWN_SEEDS, SETTINGS};
use super::verdict::HOLDS;
use super::{Attacker, DefenceStudy, PointScore, SanitiserStudy, TaskScore, harm};
use crate::attack::Attack;
use crate::defence::detection;
use crate::defence::sanitise::Sanitise;

impl DefenceStudy {
    /// ROC AUC of a score of tasks for the standard attacker.
    pub(super) fn task_roc_auc(&self, score: TaskScore) -> Option<f64> {
        let tasks = &self.rankings.first()?.tasks;
        let found = tasks.iter().find(|found| found.score == score)?;
        found.figures.roc_auc
    }

    /// The same of the clean model: how well it finds these tasks without an attack.
    pub(super) fn clean_roc_auc(&self, score: TaskScore) -> Option<f64> {
        let (clean, _, truth) = self.task_scores(score)?;
        detection::figures(clean, &truth).roc_auc
    }

    /// The values of a score for the clean and the attacked model, and which tasks are attacked.
    fn task_scores(&self, score: TaskScore) -> Option<(&[f64], &[f64], Vec<bool>)> {
        let tasks = &self.rankings.first()?.tasks;
        let found = tasks.iter().find(|found| found.score == score)?;
        let m = found.attacked.len();
        let truth = (0..m).map(|task| self.spec.attackers.contains(&task));
        (m > 0 && found.clean.len() == m)
            .then(|| (&found.clean[..], &found.attacked[..], truth.collect()))
    }
}

fn verdict(share: f64) -> &'static str {
    if share >= 0.95 {
        "holds"
    } else if share > 0.5 {
        "holds in part"
    } else {
        "does not hold"
    }
}

/// Each sentence, with what was measured.
pub(super) fn claims(text: &mut String, done: &[Done]) {
    strong_correlation(text, done);
    clue(
        text,
        done,
        TaskScore::MeanCorrelation,
        "The learner can examine the data from tasks that form strong local correlations.",
        "mean |correlation| of a task",
    );
    clue(
        text,
        done,
        TaskScore::KnownCorrelation,
        "Once a task is demonstrated to be malicious, the learner can examine the tasks that strongly \
         correlate to it, which significantly reduces the effort.",
        "|correlation| with a known malicious task",
    );
    filters(text, done);
    relatedness(text, done);
}

fn strong_correlation(text: &mut String, done: &[Done]) {
    let last = BUDGETS[BUDGETS.len() - 1];
    let (mut higher, mut rose, mut all) = (0usize, 0usize, 0usize);
    let mut values = [[0.0; 2]; 2];
    for Done { planned, study } in done {
        let Some((clean, attacked, truth)) = study.task_scores(TaskScore::MeanCorrelation) else {
            continue;
        };
        if planned.budget != last || !planned.is_repeat || !truth.contains(&false) {
            continue;
        }
        let mean = |values: &[f64], wanted: bool| {
            let pairs = values.iter().zip(&truth);
            let chosen = pairs
                .filter(|(_, is)| **is == wanted)
                .map(|(value, _)| *value);
            let chosen: Vec<f64> = chosen.collect();
            chosen.iter().sum::<f64>() / chosen.len() as f64
        };
        let found = [clean, attacked].map(|scores| [mean(scores, true), mean(scores, false)]);
        all += 1;
        higher += usize::from(found[1][0] > found[1][1]);
        rose += usize::from(found[1][0] > found[0][0]);
        for (sum, found) in values.iter_mut().flatten().zip(found.iter().flatten()) {
            *sum += found;
        }
    }
    if all == 0 {
        return;
    }
    let [[clean, clean_rest], [attacked, attacked_rest]] =
        values.map(|pair| pair.map(|sum| sum / all as f64));
    let share = higher.min(rose) as f64 / all as f64;
    let _ = writeln!(
        text,
        "- \"The tasks under attacking show a strong correlation with only 30 % data injected.\" Mean \
         |correlation| at budget {last}: attacked tasks {attacked:.2}, others {attacked_rest:.2}; \
         without an attack {clean:.2} and {clean_rest:.2}. The attacked tasks' is above the others' in \
         {higher} of {all} studies, and above their own clean one in {rose}: **{}**.",
        verdict(share)
    );
}

fn clue(text: &mut String, done: &[Done], score: TaskScore, sentence: &str, what: &str) {
    let mut parts = Vec::new();
    let (mut found, mut all) = (0usize, 0usize);
    for attack in ATTACKS {
        let values: Vec<f64> = (done.iter())
            .filter(|done| done.planned.is_repeat && done.planned.attack == attack)
            .filter_map(|done| done.study.task_roc_auc(score))
            .collect();
        all += values.len();
        found += values.iter().filter(|value| **value >= 0.9).count();
        if let Some(spread) = Spread::of(values.into_iter().map(Some)) {
            parts.push(format!("{} {:.2}", attack.word(), spread.mean));
        }
    }
    let _ = writeln!(
        text,
        "- \"{sentence}\" ROC AUC of the {what}, mean over all data and budgets: {}; at least 0.9 in \
         {found} of {all} studies: **{}**.",
        parts.join(", "),
        verdict(found as f64 / all.max(1) as f64)
    );
}

fn filters(text: &mut String, done: &[Done]) {
    let (mut all, mut standard, mut knowing) = (0usize, 0usize, 0usize);
    for Done { planned, study } in done {
        let usable = (study.sanitisers.iter()).filter(|row| row.refused.is_none());
        let damage = harm(
            study.metric_name,
            study.undefended.clean,
            study.undefended.against[0].attacked,
        );
        if !planned.is_repeat || study.remaining(study.undefended.clean).is_none() {
            continue;
        }
        let holds = |row: &SanitiserStudy, all: bool| {
            row.against.iter().all(|found| {
                let own = harm(study.metric_name, row.clean, found.attacked);
                let held =
                    matches!((own, damage), (Some(own), Some(damage)) if own <= HOLDS * damage);
                held || !(all || found.attacker == Attacker::Standard)
            })
        };
        let usable: Vec<&SanitiserStudy> = usable.collect();
        all += 1;
        standard += usize::from(usable.iter().any(|row| holds(row, false)));
        knowing += usize::from(usable.iter().any(|row| holds(row, true)));
    }
    let _ = writeln!(
        text,
        "- \"Data sanitization\" as a class of defences. Some sanitiser keeps the standard attack to 10 % \
         of its damage in {standard} of {all} studies that have damage, and attackers who know it, too, \
         in {knowing}: **{}** against the attack of the paper, **{}** against an attacker who knows.",
        verdict(standard as f64 / all.max(1) as f64),
        verdict(knowing as f64 / all.max(1) as f64)
    );
}

/// Helpful relatedness kept, harmful relatedness cut: the pull cap.
fn relatedness(text: &mut String, done: &[Done]) {
    let mut counts = Vec::new();
    for attack in ATTACKS {
        let (mut held, mut all) = (0usize, 0usize);
        for Done { planned, study } in done {
            if planned.attack == attack
                && planned.is_repeat
                && study.remaining(study.undefended.clean).is_some()
            {
                all += 1;
                held += usize::from(largest_cap(study).is_some());
            }
        }
        counts.push((attack, held, all));
    }
    let parts: Vec<String> = (counts.iter())
        .map(|(attack, held, all)| format!("{} {held} of {all}", attack.word()))
        .collect();
    let mut kept = Vec::new();
    for setting in SETTINGS {
        let studies = repeats(done, setting, Attack::Indirect, BUDGET);
        let mean = |pick: &dyn Fn(&DefenceStudy) -> Option<f64>| {
            Some(Spread::of(studies.iter().copied().map(pick))?.mean)
        };
        let Some(first) = studies.first() else {
            continue;
        };
        let (multi, alone) = (
            mean(&|study| study.undefended.clean),
            mean(&|study| study.single_task.clean),
        );
        let gain = harm(first.metric_name, multi, alone);
        if gain.is_none_or(|gain| gain < 0.005) {
            continue;
        }
        // What is kept, and what there is to keep, in the seeds in which a cap holds.
        let pairs: Vec<(f64, f64)> = (studies.iter())
            .filter_map(|study| {
                let (alone, multi) = (study.single_task.clean, study.undefended.clean);
                let (_, capped) = largest_cap(study)?;
                let of_cap = harm(study.metric_name, Some(capped), alone)?;
                Some((of_cap, harm(study.metric_name, multi, alone)?))
            })
            .collect();
        if pairs.is_empty() {
            kept.push(format!("{}: no cap holds", setting.title));
            continue;
        }
        let (of_cap, of_multi) = pairs
            .iter()
            .fold((0.0, 0.0), |(a, b), (cap, multi)| (a + cap, b + multi));
        let count = pairs.len() as f64;
        kept.push(format!(
            "{}: {:.3} of {:.3} ({} of {} seeds)",
            setting.title,
            of_cap / count,
            of_multi / count,
            pairs.len(),
            studies.len()
        ));
    }
    let kept = if kept.is_empty() {
        "Multi-task learning is better than single-task learning on clean data in none of the \
         settings, so there was nothing helpful to preserve."
            .to_string()
    } else {
        format!(
            "Where multi-task learning beats single-task learning on clean data, the largest cap that \
             holds against the indirect attack keeps of that gain: {}. Smaller caps are in the table below.",
            kept.join("; ")
        )
    };
    let (_, held, all) = counts[1];
    let share = held as f64 / all.max(1) as f64;
    let _ = writeln!(
        text,
        "- \"Differentiate the helpful relatedness and the harmful task relatedness, so that we can \
         preserve the helpful relatedness and reduce the harmful relatedness.\" The pull cap bounds how \
         hard tasks pull each other. Some cap holds against both attackers in (studies with damage): {}. \
         {kept} **{}** for attacks through other tasks; it cannot help a task that holds injected points \
         itself.",
        parts.join(", "),
        verdict(share)
    );
}

/// The largest cap that holds, and its metric on clean data.
fn largest_cap(study: &DefenceStudy) -> Option<(f64, f64)> {
    let damage = harm(
        study.metric_name,
        study.undefended.clean,
        study.undefended.against[0].attacked,
    )?;
    let mut holding = study.caps.iter().filter(|point| {
        point.pull_cap.is_some()
            && [point.standard, point.knowing].iter().all(|&attacked| {
                harm(study.metric_name, point.clean, attacked)
                    .is_some_and(|own| own <= HOLDS * damage)
            })
    });
    let last = holding.next_back()?;
    Some((last.pull_cap?, last.clean?))
}

/// Asked: measured in NumPy by a program that shares no code with this one. Found: here.
pub(super) fn known_numbers(text: &mut String, done: &[Done]) {
    text.push_str(
        "Asked: measured before, in NumPy, by a program that shares no code with this one. Seeds 42 and \
         1. Its attacks took other steps, so that the injected points differ a little.\n\n",
    );
    header(text, &["what", "asked", "allowed", "found", "within"]);
    let study = |id: &str, attack: Attack, seed: u64| {
        let found = done.iter().find(|done| {
            let planned = done.planned;
            planned.setting.id == id
                && (planned.attack, planned.budget, planned.seed) == (attack, BUDGET, seed)
        });
        found.map(|done| &done.study)
    };
    let (mut rows, mut moved) = (0usize, Vec::new());
    let mut row = |what: &str, asked: &[f64], allowed: f64, found: Vec<Option<f64>>| {
        if found.iter().all(Option::is_none) {
            return;
        }
        let numbers = |values: &mut dyn Iterator<Item = Option<f64>>| {
            let texts = values.map(|value| match value {
                None => "-".to_string(),
                Some(value) if value.fract() == 0.0 => value.to_string(),
                Some(value) => format!("{value:.4}"),
            });
            texts.collect::<Vec<_>>().join(", ")
        };
        let within = (asked.iter().zip(&found))
            .all(|(asked, found)| found.is_some_and(|found| (found - asked).abs() <= allowed));
        rows += 1;
        if !within {
            moved.push(what.to_string());
        }
        let _ = writeln!(
            text,
            "| {what} | {} | {allowed} | {} | {} |",
            numbers(&mut asked.iter().map(|&v| Some(v))),
            numbers(&mut found.iter().copied()),
            if within { "yes" } else { "**no**" }
        );
    };
    let both = |id: &str, attack: Attack, pick: &dyn Fn(&DefenceStudy) -> Option<f64>| {
        KNOWN_SEEDS
            .map(|seed| study(id, attack, seed).and_then(pick))
            .to_vec()
    };
    type Pick = fn(&super::CapPoint) -> Option<f64>;
    let at_cap = |cap: f64, pick: Pick| {
        move |study: &DefenceStudy| {
            let point = study.caps.iter().find(|point| point.pull_cap == Some(cap));
            point.and_then(pick)
        }
    };
    let (clean, attacked, certified): (Pick, Pick, Pick) = (
        |point| point.clean,
        |point| point.standard,
        |point| point.certified,
    );
    let indirect = Attack::Indirect;
    for (id, cap, allowed, what, asked, pick) in [
        ("sarcos", 0.1, 0.001, "clean", [0.7344, 0.7256], clean),
        ("sarcos", 0.1, 0.001, "attacked", [0.7351, 0.7265], attacked),
        (
            "sarcos",
            0.1,
            0.001,
            "certified",
            [0.7384, 0.7294],
            certified,
        ),
        ("sarcos", 0.03, 0.001, "clean", [0.6498, 0.6485], clean),
        (
            "sarcos",
            0.03,
            0.001,
            "certified",
            [0.6506, 0.6495],
            certified,
        ),
        ("synthetic", 0.1, 0.002, "clean", [0.5060, 0.4948], clean),
        (
            "synthetic",
            0.1,
            0.002,
            "attacked",
            [0.5173, 0.4983],
            attacked,
        ),
        (
            "synthetic",
            0.1,
            0.002,
            "certified",
            [0.5981, 0.6118],
            certified,
        ),
    ] {
        let what = format!("{id}, indirect, cap {cap}: {what}");
        row(
            &what,
            &asked,
            allowed,
            both(id, indirect, &at_cap(cap, pick)),
        );
    }
    row(
        "sarcos, direct, cap 0.1: attacked (it does not help)",
        &[1.1706, 1.1664],
        0.001,
        both("sarcos", Attack::Direct, &at_cap(0.1, attacked)),
    );
    row(
        "sarcos, single-task learning",
        &[0.6167, 0.6184],
        1e-4,
        both("sarcos", indirect, &|study| study.single_task.clean),
    );
    let direct = |pick: &dyn Fn(&DefenceStudy) -> Option<f64>| both("sarcos", Attack::Direct, pick);
    fn trim(study: &DefenceStudy) -> Option<&SanitiserStudy> {
        sanitiser(study, Sanitise::Trim, true)
    }
    row(
        "sarcos, direct, trim: error",
        &[1.0036, 0.9578],
        0.01,
        direct(&|study| trim(study)?.against.first()?.attacked),
    );
    row(
        "sarcos, direct, trim: caught",
        &[0.428, 0.539],
        0.01,
        direct(&|study| {
            let dropped = trim(study)?.against.first()?.dropped?;
            Some(dropped.caught as f64 / dropped.injected as f64)
        }),
    );
    row(
        "sarcos, trim on clean data: error",
        &[0.864, 0.882],
        0.01,
        direct(&|study| trim(study)?.clean),
    );
    row(
        "sarcos, direct, norm: precision",
        &[0.872, 0.828],
        0.006,
        direct(&|study| {
            let points = &study.rankings.first()?.points;
            let found = points.iter().find(|found| found.score == PointScore::Norm);
            found?.figures.precision
        }),
    );
    row(
        "sarcos, direct, norm: error",
        &[0.801, 0.821],
        0.006,
        direct(&|study| {
            sanitiser(study, Sanitise::Norm, true)?
                .against
                .first()?
                .attacked
        }),
    );
    for (id, attack, score) in [
        ("sarcos", Attack::Direct, TaskScore::OwnLoss),
        ("synthetic", Attack::Direct, TaskScore::OwnLoss),
        ("sarcos", indirect, TaskScore::LeftOutGain),
    ] {
        row(
            &format!("{id}, {}: ROC AUC, {}", attack.word(), score.text()),
            &[1.0, 1.0],
            0.0,
            both(id, attack, &|study| study.task_roc_auc(score)),
        );
    }
    for (attack, asked) in [
        (Attack::Direct, [335.0, 133.0, 0.4515, 0.7804]),
        (indirect, [241.0, 157.0, 0.1645, 0.7789]),
    ] {
        let found = study("landmine", attack, 42);
        let fence = found.and_then(|study| sanitiser(study, Sanitise::Vouch, false));
        let first = fence.and_then(|row| row.against.first());
        let dropped = first.and_then(|found| found.dropped);
        let what = format!("landmine, {}, vouch, fence, seed 42", attack.word());
        row(
            &format!("{what}: caught, lost"),
            &asked[..2],
            1.0,
            vec![
                dropped.map(|dropped| dropped.caught as f64),
                dropped.map(|dropped| dropped.lost as f64),
            ],
        );
        row(
            &format!("{what}: AUC before, after"),
            &asked[2..],
            1e-3,
            vec![
                found.and_then(|study| study.undefended.against[0].attacked),
                first.and_then(|found| found.attacked),
            ],
        );
    }
    for (attack, injected) in [(Attack::Direct, 24.0), (indirect, 40.0)] {
        let found = study("synthetic", attack, 42);
        let row_of = found.and_then(|study| sanitiser(study, Sanitise::Vouch, false));
        let dropped = row_of.and_then(|row| row.against.first()?.dropped);
        row(
            &format!(
                "synthetic, {}, vouch, fence: caught, injected",
                attack.word()
            ),
            &[0.0, injected],
            0.0,
            vec![
                dropped.map(|dropped| dropped.caught as f64),
                dropped.map(|dropped| dropped.injected as f64),
            ],
        );
    }
    for (place, what, asked) in [
        (0, "standard attack", [1.115, 0.815]),
        (1, "copied rows", [1.019, 1.027]),
        (2, "radius q75", [0.943, 0.962]),
    ] {
        let mean = |pick: &dyn Fn(&DefenceStudy) -> Option<f64>| {
            let values = both("sarcos-apart", Attack::Direct, pick);
            Spread::of(values).map(|spread| spread.mean)
        };
        let none = mean(&|study| study.undefended.against.get(place)?.attacked);
        let vouch = mean(&|study| {
            sanitiser(study, Sanitise::Vouch, false)?
                .against
                .get(place)?
                .attacked
        });
        row(
            &format!(
                "sarcos with rows apart (other rows were drawn), direct, {what}: no defence, vouch"
            ),
            &asked,
            0.1,
            vec![none, vouch],
        );
    }
    let _ = writeln!(
        text,
        "\n{} of {rows} rows are outside of what was allowed: {}. They depend on where the attack puts its \
         points, which moved when the rule for its steps was improved; rows of defences that do not \
         depend on it agree. Rank correlations of the risk map, and the invariant |∇f_i| <= μ on random \
         problems, are tests of their own (`tests/risk.rs`, `tests/defence.rs`).",
        moved.len(),
        if moved.is_empty() {
            "none".to_string()
        } else {
            moved.join("; ")
        }
    );
}

fn sanitiser(study: &DefenceStudy, rule: Sanitise, with_share: bool) -> Option<&SanitiserStudy> {
    let mut rows = study.sanitisers.iter();
    rows.find(|row| row.rule == rule && row.share.is_some() == with_share)
}
