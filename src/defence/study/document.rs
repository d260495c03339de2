//! `docs/defence.md` and its tables, from studies. No sentence with a number in it is written by hand.
//! Not here: running the studies, files.

use std::fmt::Write as _;

use super::plan::{ATTACKS, BUDGET, BUDGETS, Planned, SETTINGS, Setting};
use super::verdict::HOLDS;
use super::{DefenceStudy, PointScore, TaskScore, claims, harm};
use crate::attack::Attack;
use crate::experiment::ENGINE;
use crate::metrics::MetricName;
use crate::minus::minus;

/// A study of the plan that is done.
pub struct Done<'a> {
    /// What was planned.
    pub planned: &'a Planned,
    /// What was found.
    pub study: DefenceStudy,
}

/// Mean and range of some numbers.
#[derive(Clone, Copy)]
pub(super) struct Spread {
    pub mean: f64,
    low: f64,
    high: f64,
}

impl Spread {
    /// None where a number is missing, or there is none.
    pub(super) fn of(values: impl IntoIterator<Item = Option<f64>>) -> Option<Self> {
        let values: Vec<f64> = values.into_iter().collect::<Option<_>>()?;
        (!values.is_empty()).then(|| Self {
            mean: values.iter().sum::<f64>() / values.len() as f64,
            low: values.iter().copied().fold(f64::INFINITY, f64::min),
            high: values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        })
    }

    /// `mean (low to high)`, or the number alone.
    fn text(&self) -> String {
        if self.low == self.high {
            return format!("{:.3}", self.mean);
        }
        format!("{:.3} ({:.3} to {:.3})", self.mean, self.low, self.high)
    }
}

fn text(spread: Option<Spread>) -> String {
    spread.map_or("-".to_string(), |spread| spread.text())
}

fn short(spread: Option<Spread>) -> String {
    spread.map_or("-".to_string(), |spread| format!("{:.3}", spread.mean))
}

/// The repeats of one cell of the plan.
pub(super) fn repeats<'a>(
    done: &'a [Done<'a>],
    setting: Setting,
    attack: Attack,
    budget: f64,
) -> Vec<&'a DefenceStudy> {
    (done.iter())
        .filter(|done| {
            let planned = done.planned;
            planned.is_repeat
                && (planned.setting, planned.attack, planned.budget) == (setting, attack, budget)
        })
        .map(|done| &done.study)
        .collect()
}

/// A row of [`DefenceStudy::rows`], over repeats.
struct Average {
    title: String,
    clean: Option<Spread>,
    standard: Option<Spread>,
    knowing: Option<Spread>,
    certified: Option<Spread>,
    /// Shares of the undefended damage of the standard attacker that are left.
    left: [Option<Spread>; 2],
}

impl Average {
    /// The mean at the worst of the attackers.
    fn worst(&self, metric_name: MetricName) -> Option<f64> {
        let (standard, knowing) = (self.standard?.mean, self.knowing?.mean);
        Some(match metric_name {
            MetricName::Nmse => standard.max(knowing),
            MetricName::Auc => standard.min(knowing),
        })
    }
}

fn averages(studies: &[&DefenceStudy]) -> Vec<Average> {
    let rows: Vec<_> = studies.iter().map(|study| study.rows()).collect();
    let Some(first) = rows.first() else {
        return Vec::new();
    };
    (0..first.len())
        .map(|k| {
            let of = |pick: fn(&super::Row) -> Option<f64>| {
                Spread::of(rows.iter().map(|rows| pick(&rows[k])))
            };
            let left = |pick: fn(&super::Row) -> Option<f64>| {
                let pairs = rows.iter().zip(studies);
                Spread::of(pairs.map(|(rows, study)| study.remaining(pick(&rows[k]))))
            };
            Average {
                title: first[k].title.clone(),
                clean: of(|row| row.clean),
                standard: of(|row| row.standard),
                knowing: of(|row| row.knowing),
                certified: of(|row| row.certified),
                left: [left(|row| row.standard), left(|row| row.knowing)],
            }
        })
        .collect()
}

pub(super) fn header(text: &mut String, columns: &[&str]) {
    // A bar of |x| would end the cell.
    let columns = columns.iter().map(|column| column.replace('|', "\\|"));
    let columns: Vec<String> = columns.collect();
    let _ = writeln!(text, "| {} |", columns.join(" | "));
    let _ = writeln!(text, "|{}", " --- |".repeat(columns.len()));
}

/// The whole document, of studies with so many repeats, made by this command.
pub fn document(command: &str, seeds: u64, done: &[Done]) -> String {
    let mut text = format!(
        "# Defences, measured\n\n\
         Made by `{command}` with engine {ENGINE}; do not edit by hand. \
         {} studies, {} runs. Numbers are means over seeds 1 to {seeds}, in \
         brackets the smallest and the largest. NMSE: lower is better; \
         AUC: higher is better; of the target tasks. Unless stated otherwise: budget {BUDGET}, default \
         specifications (λ1 = λ2 = 0.1), exact gradient, backtracking.\n\n\
         - *clean*: trained without injected points: the price of the defence. *standard*: the attacker \
         of multi-task learning without a defence. *knowing*: the worst attacker who knows the defence: \
         for sanitisers one who copies rows of other tasks and one who keeps within the norms of 75 % of \
         the clean points, for the pull cap and single-task learning one who follows the gradient \
         through it. These attackers are greedy: a better one may exist, so what survives them is not \
         thereby safe.\n\
         - *certified*: no points in other tasks can do worse, whatever they are.\n\
         - *left*: the share of the undefended damage of the standard attacker that is left; below 0 is \
         better than no defence on clean data.\n\
         - *oracle*: the injected points removed exactly.\n\
         - Sanitisers that drop a share drop the attacker's, b / (1 + b): they know the budget.\n",
        done.len(),
        done.iter()
            .map(|done| done.planned.jobs.len())
            .sum::<usize>(),
    );
    text.push_str(
        "\n## In short\n\n\
         A defence *holds* if the worst attacker does at most 10 % of the undefended damage to it. The \
         largest pull cap that holds shares most between tasks; the filter is the best against the \
         standard attack, which knows nothing of it.\n\n",
    );
    overview(&mut text, done);
    certificates(&mut text, done);
    text.push_str("\n## What the paper says of defence\n\n");
    claims::claims(&mut text, done);
    text.push_str("\n## Every defence\n");
    every_defence(&mut text, done);
    by_budget(&mut text, done);
    rankings(&mut text, done);
    text.push_str("\n## Numbers of an earlier study\n\n");
    claims::known_numbers(&mut text, done);
    text
}

/// Every setting and attack in a row.
fn overview(text: &mut String, done: &[Done]) {
    header(
        text,
        &[
            "data",
            "attack",
            "no defence: clean, attacked",
            "single-task: clean, worst",
            "largest cap that holds: clean, worst, certified",
            "best filter against the standard attack: clean, standard, knowing",
            "what holds",
        ],
    );
    let mut held = ATTACKS.map(|attack| (attack, Vec::<Vec<&str>>::new()));
    let mut better_alone: Vec<(Setting, bool)> = Vec::new();
    for setting in SETTINGS {
        for attack in ATTACKS {
            let studies = repeats(done, setting, attack, BUDGET);
            let Some(first) = studies.first() else {
                continue;
            };
            let metric_name = first.metric_name;
            let rows = averages(&studies);
            let none = &rows[0];
            let mean = |spread: Option<Spread>| spread.map(|spread| spread.mean);
            let damage = harm(metric_name, mean(none.clean), mean(none.standard));
            let holds = |row: &&Average| {
                let own = harm(metric_name, mean(row.clean), row.worst(metric_name));
                matches!((own, damage), (Some(own), Some(damage)) if own <= HOLDS * damage)
            };
            let named = |start: &str| rows.iter().find(|row| row.title.starts_with(start));
            let cap = (rows.iter())
                .filter(|row| row.title.starts_with("pull cap"))
                .rfind(holds);
            let filters = rows.iter().filter(|row| row.title.contains(','));
            let filters: Vec<&Average> = filters.collect();
            let filter = filters.iter().copied().reduce(|best, next| {
                let worse = harm(metric_name, mean(next.standard), mean(best.standard));
                if worse.is_some_and(|worse| worse > 0.0) {
                    next
                } else {
                    best
                }
            });
            let worst = |row: &Average| {
                row.worst(metric_name)
                    .map_or("-".to_string(), |w| format!("{w:.3}"))
            };
            let alone = named("single-task");
            let alone_gains = alone.and_then(|row| {
                let gain = harm(metric_name, mean(row.clean), mean(none.clean))?;
                Some(gain > 0.0)
            });
            better_alone.push((setting, alone_gains == Some(true)));
            let mut what: Vec<&str> = Vec::new();
            if cap.is_some() {
                what.push("cap");
            }
            if alone.as_ref().is_some_and(holds) {
                what.push("single-task");
            }
            if filters.iter().any(holds) {
                what.push("filter");
            }
            let places = held.iter_mut().filter(|(of, _)| *of == attack);
            places.for_each(|(_, all)| all.push(what.clone()));
            let _ = writeln!(
                text,
                "| {} | {} | {}, {} | {} | {} | {} | {} |",
                setting.title,
                attack.word(),
                short(none.clean),
                short(none.standard),
                alone.map_or("-".to_string(), |row| format!(
                    "{}, {}",
                    short(row.clean),
                    worst(row)
                )),
                cap.map_or("none".to_string(), |row| format!(
                    "{}: {}, {}, {}",
                    row.title.trim_start_matches("pull cap "),
                    short(row.clean),
                    worst(row),
                    short(row.certified)
                )),
                filter.map_or("-".to_string(), |row| format!(
                    "{}: {}, {}, {}",
                    row.title,
                    short(row.clean),
                    short(row.standard),
                    short(row.knowing)
                )),
                if what.is_empty() {
                    "**nothing**".to_string()
                } else {
                    what.join(", ")
                },
            );
        }
    }
    counted(text, &held, &better_alone);
}

/// The table of the overview in numbers: what holds, by attack, and in how many settings the tasks are
/// better learned alone.
fn counted(text: &mut String, held: &[(Attack, Vec<Vec<&str>>)], better_alone: &[(Setting, bool)]) {
    text.push('\n');
    for (attack, all) in held {
        let count = |what: &str| all.iter().filter(|held| held.contains(&what)).count();
        let nothing = all.iter().filter(|held| held.is_empty()).count();
        let _ = writeln!(
            text,
            "- {} attacks, {} settings: a pull cap holds in {}, single-task learning in {}, a filter in \
             {}, nothing in {nothing}.",
            attack.word(),
            all.len(),
            count("cap"),
            count("single-task"),
            count("filter"),
        );
    }
    let mut settings = better_alone.to_vec();
    settings.dedup();
    let alone = settings.iter().filter(|(_, better)| *better).count();
    let _ = writeln!(
        text,
        "- Without any attack, single-task learning is better than multi-task learning in {alone} of {} \
         settings.",
        settings.len()
    );
}

/// How often a certificate was exceeded.
fn certificates(text: &mut String, done: &[Done]) {
    let (mut compared, mut exceeded) = (0usize, 0usize);
    let mut closest = f64::INFINITY;
    for Done { study, .. } in done {
        for point in &study.caps {
            for metric in [point.clean, point.standard, point.knowing] {
                if point.pull_cap.is_some()
                    && let Some(room) = harm(study.metric_name, metric, point.certified)
                {
                    compared += 1;
                    exceeded += usize::from(room < 0.0);
                    closest = closest.min(room);
                }
            }
        }
    }
    let _ = writeln!(
        text,
        "\nThe certificate of the pull cap was exceeded in {exceeded} of {compared} comparisons (every \
         cap, budget and seed of attacks on other tasks only); the closest came within {} of \
         it. It is empty for attacks that inject into the targets, and where μ / λ1 is large beside the \
         weights (classification).",
        minus(format_args!("{closest:.1e}"))
    );
}

/// Not every cap: all are in the table of numbers.
fn is_shown(title: &str) -> bool {
    !["pull cap 0.001", "pull cap 0.003", "pull cap 1"].contains(&title)
}

fn every_defence(text: &mut String, done: &[Done]) {
    text.push_str(
        "\nAll caps, budgets and numbers: [defence.csv](defence/defence.csv). `vouch` is refused where \
         tasks share rows.\n",
    );
    for setting in SETTINGS {
        for attack in ATTACKS {
            let studies = repeats(done, setting, attack, BUDGET);
            let Some(first) = studies.first() else {
                continue;
            };
            let _ = writeln!(
                text,
                "\n### {}, {} ({}, {} seeds)\n",
                setting.title,
                attack.word(),
                first.metric_name.text(),
                studies.len()
            );
            header(
                text,
                &[
                    "defence",
                    "clean",
                    "standard",
                    "knowing",
                    "certified",
                    "left: standard, knowing",
                ],
            );
            for row in averages(&studies) {
                if !is_shown(&row.title) {
                    continue;
                }
                let left = row.left.map(|left| {
                    left.map_or("-".to_string(), |left| {
                        minus(format_args!("{:.0} %", 100.0 * left.mean))
                    })
                });
                let _ = writeln!(
                    text,
                    "| {} | {} | {} | {} | {} | {} |",
                    row.title,
                    short(row.clean),
                    self::text(row.standard),
                    self::text(row.knowing),
                    short(row.certified),
                    left.join(", "),
                );
            }
        }
    }
}

/// The same few defences at every budget.
fn by_budget(text: &mut String, done: &[Done]) {
    text.push_str("\n## By budget\n\nStandard attacker / knowing attacker.\n\n");
    let columns: Vec<String> = BUDGETS.iter().map(ToString::to_string).collect();
    let mut names = vec!["data", "attack", "defence"];
    names.extend(columns.iter().map(String::as_str));
    header(text, &names);
    let shown = |title: &str| {
        [
            "no defence",
            "single-task learning",
            "pull cap 0.03",
            "norm, fence",
        ]
        .contains(&title)
            || title.starts_with("norm,")
            || title.starts_with("trim,")
    };
    for setting in SETTINGS.into_iter().filter(|setting| setting.every_budget) {
        for attack in ATTACKS {
            let columns: Vec<Vec<Average>> = BUDGETS
                .iter()
                .map(|&budget| averages(&repeats(done, setting, attack, budget)))
                .collect();
            if columns.iter().any(Vec::is_empty) {
                continue;
            }
            for (k, row) in columns[0].iter().enumerate() {
                if !shown(&row.title) {
                    continue;
                }
                // Its share differs from budget to budget.
                let title = match row.title.split_once(',') {
                    Some((rule, setting)) if setting.contains('%') => format!("{rule}, share"),
                    _ => row.title.clone(),
                };
                let cells: Vec<String> = (columns.iter())
                    .map(|rows| format!("{} / {}", short(rows[k].standard), short(rows[k].knowing)))
                    .collect();
                let _ = writeln!(
                    text,
                    "| {} | {} | {title} | {} |",
                    setting.title,
                    attack.word(),
                    cells.join(" | ")
                );
            }
        }
    }
}

fn rankings(text: &mut String, done: &[Done]) {
    text.push_str(
        "\n## Who is suspicious\n\n\
         ROC AUC of scores for \"this task holds injected points\": 1 finds all, 0.5 is chance, 0 ranks \
         them last. In square brackets the same score of the clean model, for the same tasks: what the \
         attack did not cause.\n\n",
    );
    let mut names = vec!["data", "attack"];
    names.extend(TaskScore::ALL.iter().map(|score| score.text()));
    header(text, &names);
    for (setting, attack, studies) in main_cells(done) {
        let cells: Vec<String> = (TaskScore::ALL.iter())
            .map(|&score| {
                let found = Spread::of(studies.iter().map(|study| study.task_roc_auc(score)));
                let before = Spread::of(studies.iter().map(|study| study.clean_roc_auc(score)));
                match before {
                    Some(before) => format!("{} [{:.3}]", self::text(found), before.mean),
                    None => self::text(found),
                }
            })
            .collect();
        let _ = writeln!(
            text,
            "| {} | {} | {} |",
            setting.title,
            attack.word(),
            cells.join(" | ")
        );
    }
    text.push_str(
        "\nROC AUC of scores for \"this point is injected\": standard attacker / copied rows / within \
         the norms of 75 %.\n\n",
    );
    let mut names = vec!["data", "attack"];
    names.extend(PointScore::ALL.iter().map(|score| score.text()));
    header(text, &names);
    for (setting, attack, studies) in main_cells(done) {
        let cells: Vec<String> = (PointScore::ALL.iter())
            .map(|&score| {
                let of_attacker = (0..3).map(|place| {
                    short(Spread::of(studies.iter().map(|study| {
                        let found = study.rankings.get(place)?;
                        let found = found.points.iter().find(|found| found.score == score);
                        found?.figures.roc_auc
                    })))
                });
                of_attacker.collect::<Vec<_>>().join(" / ")
            })
            .collect();
        let _ = writeln!(
            text,
            "| {} | {} | {} |",
            setting.title,
            attack.word(),
            cells.join(" | ")
        );
    }
}

/// The repeats of every setting and attack at the main budget.
fn main_cells<'a>(done: &'a [Done<'a>]) -> Vec<(Setting, Attack, Vec<&'a DefenceStudy>)> {
    let pairs = SETTINGS
        .into_iter()
        .flat_map(|setting| ATTACKS.map(|attack| (setting, attack)));
    pairs
        .map(|(setting, attack)| (setting, attack, repeats(done, setting, attack, BUDGET)))
        .filter(|(.., studies)| !studies.is_empty())
        .collect()
}

/// A row for each setting, attack, budget and defence: means over the repeats.
pub fn csv(done: &[Done]) -> String {
    let mut text =
        "setting,attack,budget,seeds,metric,defence,clean,standard,standard_low,standard_high,\
                    knowing,knowing_low,knowing_high,certified,left_standard,left_knowing\n"
            .to_string();
    for setting in SETTINGS {
        for attack in ATTACKS {
            for budget in BUDGETS {
                let studies = repeats(done, setting, attack, budget);
                let Some(first) = studies.first() else {
                    continue;
                };
                for row in averages(&studies) {
                    let one = |spread: Option<Spread>| {
                        spread.map_or(String::new(), |spread| format!("{:.5}", spread.mean))
                    };
                    let three = |spread: Option<Spread>| {
                        spread.map_or(",,".to_string(), |spread| {
                            format!("{:.5},{:.5},{:.5}", spread.mean, spread.low, spread.high)
                        })
                    };
                    let _ = writeln!(
                        text,
                        "{},{},{budget},{},{},{},{},{},{},{},{},{}",
                        setting.id,
                        attack.word(),
                        studies.len(),
                        first.metric_name.word(),
                        row.title.replace(", ", " "),
                        one(row.clean),
                        three(row.standard),
                        three(row.knowing),
                        one(row.certified),
                        one(row.left[0]),
                        one(row.left[1]),
                    );
                }
            }
        }
    }
    text
}
