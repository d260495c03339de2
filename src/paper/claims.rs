//! The paper's claims, and what measured runs say about each: a verdict, the evidence and the reason.
//!
//! Not here: tables (`reproduction`), sentences about one data set (`findings`).

use std::collections::BTreeMap;

use serde::Serialize;

use super::figures::{self, Measured};
use super::findings::settled_at;
use super::plan::{BUDGETS, Figure, Planned};
use crate::attack::{Attack, Method};
use crate::choice::choice;

choice! {
    /// Whether measured runs agree with a claim.
    Verdict {
        /// In at least 95 % of the cases, or within the bounds that the claim's test states.
        Agrees = "agrees" => "agrees",
        /// In more than half of the cases.
        InPart = "in_part" => "in part",
        /// Otherwise.
        Differs = "differs" => "differs",
    }
}

impl Verdict {
    /// By the share of cases in which a claim holds.
    pub fn of_share(share: f64) -> Self {
        if share >= 0.95 {
            Self::Agrees
        } else if share > 0.5 {
            Self::InPart
        } else {
            Self::Differs
        }
    }
}

/// A claim of the paper about one of its figures.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Claim {
    /// In a few words.
    pub text: &'static str,
    /// What the paper gives: a number where it has one.
    pub paper: &'static str,
}

/// What runs say about a claim.
#[derive(Clone, Debug)]
pub struct Judged {
    /// The claim.
    pub claim: &'static Claim,
    /// Whether the runs agree with it.
    pub verdict: Verdict,
    /// What was measured.
    pub evidence: String,
    /// Why the verdict is not better; empty where the runs agree.
    pub because: String,
}

impl Judged {
    /// Verdict, evidence and reason as one sentence.
    pub fn sentence(&self) -> String {
        let verdict = match self.verdict {
            Verdict::Agrees => "Agrees",
            Verdict::InPart => "In part",
            Verdict::Differs => "Differs",
        };
        let reason = match self.because.as_str() {
            "" => String::new(),
            because => format!(", because {because}"),
        };
        let sentence = format!("{verdict}: {}{reason}.", self.evidence);
        [" -", "(-"].into_iter().fold(sentence, |text, hyphen| {
            text.replace(hyphen, &hyphen.replace('-', "\u{2212}"))
        })
    }
}

/// A claim with its verdict, as the page shows it.
#[derive(Debug, Serialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify), tsify(missing_as_null))]
pub struct Spoken {
    text: &'static str,
    /// What the paper gives.
    paper: &'static str,
    /// None while no run that it speaks of is done.
    verdict: Option<Verdict>,
    /// Verdict, evidence and reason.
    sentence: String,
}

/// All claims about a figure with what its runs say.
pub fn spoken(figure: Figure, runs: &Runs) -> Vec<Spoken> {
    let judged = judge(figure, runs);
    let of = |claim: &&'static Claim| {
        let found = judged.iter().find(|judged| judged.claim == *claim);
        Spoken {
            text: claim.text,
            paper: claim.paper,
            verdict: found.map(|judged| judged.verdict),
            sentence: found.map_or_else(String::new, Judged::sentence),
        }
    };
    claims(figure).iter().map(of).collect()
}

/// Planned runs with their results.
pub type Runs<'a> = [(&'a Planned, &'a Measured)];

const CONVERGENCE: Claim = Claim {
    text: "PATOM converges to local optima",
    paper: "in less than 10 iterations",
};
const DIRECT_INDIRECT: Claim = Claim {
    text: "Direct attacks are more effective than indirect ones of the same budget",
    paper: "on all data sets",
};
const DIRECT_RANDOM: Claim = Claim {
    text: "Direct attacks significantly outperform random direct ones",
    paper: "on all data sets",
};
const INDIRECT_RANDOM: Claim = Claim {
    text: "Indirect attacks significantly outperform random indirect ones",
    paper: "on all data sets",
};
const PAIRS: Claim = Claim {
    text: "Which is stronger, indirect or random direct, depends on the pair of task sets",
    paper: "either, on Sarcos",
};
const RISE: Claim = Claim {
    text: "30 % injected directly raise the NMSE on Sarcos",
    paper: "by about 50 %",
};
const MNIST_INDIRECT: Claim = Claim {
    text: "Indirect attacks have almost no effect on MNIST",
    paper: "almost none",
};
const MNIST_LOWEST: Claim = Claim {
    text: "The AUC on MNIST is lowest near a budget of 10 %, then rises slightly",
    paper: "near 10 %",
};
const SUBVERTED: Claim = Claim {
    text: "The task correlations are significantly subverted on both data sets",
    paper: "on both",
};
const FLIP: Claim = Claim {
    text: "The correlation of tasks 2 and 3 of Sarcos turns round",
    paper: "from \u{2212}0.99 to 0.99",
};
const ATTACKERS: Claim = Claim {
    text: "Attacking tasks are highly positively correlated with each other",
    paper: "usually",
};

/// The claims about a figure, in the paper's order.
pub fn claims(figure: Figure) -> &'static [&'static Claim] {
    match figure {
        Figure::Convergence => &[&CONVERGENCE],
        Figure::Quality => &[
            &DIRECT_INDIRECT,
            &DIRECT_RANDOM,
            &INDIRECT_RANDOM,
            &PAIRS,
            &RISE,
            &MNIST_INDIRECT,
            &MNIST_LOWEST,
        ],
        Figure::Correlations => &[&SUBVERTED, &FLIP, &ATTACKERS],
    }
}

/// The verdicts of a figure's runs, by the claims of [`claims`]; a claim without a finished run that it
/// speaks of is left out.
pub fn judge(figure: Figure, runs: &Runs) -> Vec<Judged> {
    match figure {
        Figure::Convergence => convergence(runs).into_iter().collect(),
        Figure::Quality => quality(&Cells::of(runs)),
        Figure::Correlations => correlations(runs),
    }
}

/// A data set's name for people.
pub fn title(dataset: &str) -> &str {
    match dataset {
        "sarcos" => "Sarcos",
        "landmine" => "Landmine",
        "mnist" => "MNIST",
        other => other,
    }
}

/// A claim that holds in the part `share` of its cases. The reason is left out where the runs agree.
fn judged(claim: &'static Claim, verdict: Verdict, evidence: String, because: String) -> Judged {
    Judged {
        claim,
        verdict,
        evidence,
        because: if verdict == Verdict::Agrees {
            String::new()
        } else {
            because
        },
    }
}

/// a, b and c.
fn listed(parts: &[String]) -> String {
    match parts {
        [first @ .., last] if !first.is_empty() => format!("{} and {last}", first.join(", ")),
        _ => parts.concat(),
    }
}

/// Mean, smallest and largest; none of nothing.
fn spread(values: &[f64]) -> Option<(f64, f64, f64)> {
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    figures::mean(values).map(|mean| (mean, low, high))
}

fn datasets<'a>(runs: &Runs<'a>) -> Vec<&'a str> {
    let mut names: Vec<&str> = Vec::new();
    for (planned, _) in runs {
        if !names.contains(&planned.dataset) {
            names.push(planned.dataset);
        }
    }
    names
}

/// The metric of a run by iteration, as long as the plan: a run that ended early stays where it is.
pub fn curve(planned: &Planned, measured: &Measured) -> Vec<f64> {
    let mut curve: Vec<f64> = measured.metric.iter().flatten().copied().collect();
    let last = *curve.last().unwrap_or(&f64::NAN);
    curve.resize(planned.spec.iterations + 1, last);
    curve
}

/// Largest less smallest metric from iteration 10 on.
pub fn swing(curve: &[f64]) -> f64 {
    spread(curve.get(10..).unwrap_or_default()).map_or(0.0, |(_, low, high)| high - low)
}

/// The first panel is the method itself.
fn convergence(runs: &Runs) -> Option<Judged> {
    let (mut settled, mut all) = (0usize, 0usize);
    let mut swings = Vec::new();
    for dataset in datasets(runs) {
        let curves: Vec<Vec<f64>> = (runs.iter())
            .filter(|(planned, _)| planned.dataset == dataset && planned.panel == 0)
            .map(|(planned, measured)| curve(planned, measured))
            .collect();
        settled += curves.iter().filter(|curve| settled_at(curve) < 10).count();
        all += curves.len();
        let late: Vec<f64> = curves.iter().map(|curve| swing(curve)).collect();
        if let Some(mean) = figures::mean(&late) {
            swings.push(format!("{mean:.3} on {}", title(dataset)));
        }
    }
    (all > 0).then(|| {
        judged(
            &CONVERGENCE,
            Verdict::of_share(settled as f64 / all as f64),
            format!("the metric settles before iteration 10 in {settled} of {all} runs"),
            format!(
                "from iteration 10 on it still varies by {} on average",
                listed(&swings)
            ),
        )
    })
}

/// The last metric of each run of Figure 2, by data set, panel, repeat, attack, method and place of
/// the budget.
struct Cells<'a> {
    names: Vec<&'a str>,
    values: BTreeMap<(&'a str, usize, u64, Attack, Method, usize), f64>,
}

type Kind = (Attack, Method);
const DIRECT: Kind = (Attack::Direct, Method::Patom);
const INDIRECT: Kind = (Attack::Indirect, Method::Patom);
const RANDOM_DIRECT: Kind = (Attack::Direct, Method::Random);
const RANDOM_INDIRECT: Kind = (Attack::Indirect, Method::Random);

impl<'a> Cells<'a> {
    fn of(runs: &Runs<'a>) -> Self {
        let values = runs.iter().filter_map(|(planned, measured)| {
            let place = BUDGETS.iter().position(|&budget| budget == planned.x)?;
            let (attack, method) = (planned.spec.attack, planned.spec.method);
            let key = (
                planned.dataset,
                planned.panel,
                planned.repeat,
                attack,
                method,
                place,
            );
            Some((key, measured.attacked()?))
        });
        Self {
            names: datasets(runs),
            values: values.collect(),
        }
    }

    /// Panels and repeats of a data set.
    fn groups(&self, dataset: &str) -> Vec<(usize, u64)> {
        let mut groups: Vec<(usize, u64)> = (self.values.keys())
            .filter(|key| key.0 == dataset)
            .map(|key| (key.1, key.2))
            .collect();
        groups.sort_unstable();
        groups.dedup();
        groups
    }

    fn get(
        &self,
        dataset: &str,
        (panel, repeat): (usize, u64),
        (attack, method): Kind,
        place: usize,
    ) -> Option<f64> {
        let name = self.names.iter().find(|name| **name == dataset)?;
        let key = (*name, panel, repeat, attack, method, place);
        self.values.get(&key).copied()
    }

    /// How much stronger one attack is than the other, for each panel, repeat and budget above 0.
    fn leads(&self, dataset: &str, first: Kind, second: Kind) -> Vec<(usize, f64)> {
        let direction = if dataset == "sarcos" { 1.0 } else { -1.0 };
        let mut leads = Vec::new();
        for group in self.groups(dataset) {
            for place in 1..BUDGETS.len() {
                let of = |kind| self.get(dataset, group, kind, place);
                if let (Some(a), Some(b)) = (of(first), of(second)) {
                    leads.push((group.0, (a - b) * direction));
                }
            }
        }
        leads
    }

    fn duel(&self, claim: &'static Claim, first: Kind, second: Kind) -> Option<Judged> {
        let (mut won, mut all) = (0usize, 0usize);
        let (mut shares, mut weak) = (Vec::new(), Vec::new());
        for dataset in &self.names {
            let leads = self.leads(dataset, first, second);
            if leads.is_empty() {
                continue;
            }
            let here = leads.iter().filter(|(_, lead)| *lead > 0.0).count();
            let share = here as f64 / leads.len() as f64;
            if share < 0.95 {
                weak.push(format!("{here} of {} on {}", leads.len(), title(dataset)));
            }
            shares.push(share);
            won += here;
            all += leads.len();
        }
        let share = figures::mean(&shares)?;
        let evidence = format!("stronger in {won} of {all} cases (pair, seed, budget)");
        let because = format!("it is so in only {}", listed(&weak));
        Some(judged(claim, Verdict::of_share(share), evidence, because))
    }

    /// For each panel and repeat: metric without injected points, and at a place with an attack.
    fn effect(&self, dataset: &str, attack: Attack, place: usize) -> Vec<(f64, f64)> {
        let groups = self.groups(dataset).into_iter();
        groups
            .filter_map(|group| {
                let of = |place| self.get(dataset, group, (attack, Method::Patom), place);
                of(0).zip(of(place))
            })
            .collect()
    }
}

/// Budget of 30 %.
const THIRTY: usize = 3;

fn quality(cells: &Cells) -> Vec<Judged> {
    [
        cells.duel(&DIRECT_INDIRECT, DIRECT, INDIRECT),
        cells.duel(&DIRECT_RANDOM, DIRECT, RANDOM_DIRECT),
        cells.duel(&INDIRECT_RANDOM, INDIRECT, RANDOM_INDIRECT),
        pairs(cells),
        rise(cells),
        mnist_indirect(cells),
        mnist_lowest(cells),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn pairs(cells: &Cells) -> Option<Judged> {
    let leads = cells.leads("sarcos", INDIRECT, RANDOM_DIRECT);
    let panels: Vec<f64> = (0..=leads.iter().map(|lead| lead.0).max()?)
        .filter_map(|panel| {
            let here: Vec<f64> = (leads.iter())
                .filter(|lead| lead.0 == panel)
                .map(|lead| lead.1)
                .collect();
            figures::mean(&here)
        })
        .collect();
    let ahead = panels.iter().filter(|lead| **lead > 0.0).count();
    let won = leads.iter().filter(|lead| lead.1 > 0.0).count();
    let (all, pairs) = (leads.len(), panels.len());
    let share = won as f64 / all as f64;
    let verdict = if ahead > 0 && ahead < pairs {
        Verdict::Agrees
    } else if (0.02..=0.98).contains(&share) {
        Verdict::InPart
    } else {
        Verdict::Differs
    };
    Some(judged(
        &PAIRS,
        verdict,
        format!(
            "on average indirect attacks are stronger for {ahead} of {pairs} pairs, and in {won} of \
             {all} cases"
        ),
        "on average the order is the same for every pair".to_string(),
    ))
}

fn rise(cells: &Cells) -> Option<Judged> {
    let rises: Vec<f64> = (cells.effect("sarcos", Attack::Direct, THIRTY).iter())
        .map(|(clean, hit)| 100.0 * (hit / clean - 1.0))
        .collect();
    let (mean, low, high) = spread(&rises)?;
    let verdict = if (35.0..=65.0).contains(&mean) {
        Verdict::Agrees
    } else if low <= 50.0 && high >= 50.0 {
        Verdict::InPart
    } else {
        Verdict::Differs
    };
    Some(judged(
        &RISE,
        verdict,
        format!("by {mean:.0} % on average, {low:.0} % to {high:.0} % over pairs and seeds"),
        format!("the mean is {mean:.0} %, not within 35 % to 65 %"),
    ))
}

fn mnist_indirect(cells: &Cells) -> Option<Judged> {
    let change = |attack| {
        let changes: Vec<f64> = (cells.effect("mnist", attack, THIRTY).iter())
            .map(|(clean, hit)| hit - clean)
            .collect();
        spread(&changes)
    };
    let ((mean, low, high), (direct, ..)) = (change(Attack::Indirect)?, change(Attack::Direct)?);
    let verdict = if low > -0.05 {
        Verdict::Agrees
    } else if mean > -0.1 {
        Verdict::InPart
    } else {
        Verdict::Differs
    };
    Some(judged(
        &MNIST_INDIRECT,
        verdict,
        format!(
            "at 30 % they change the AUC by {mean:.3} ({low:.3} to {high:.3}), direct ones by \
             {direct:.3}"
        ),
        format!("the AUC falls by up to {:.3}", -low),
    ))
}

fn mnist_lowest(cells: &Cells) -> Option<Judged> {
    let mut lowest = [0usize; BUDGETS.len()];
    for group in cells.groups("mnist") {
        let values = (0..BUDGETS.len())
            .filter_map(|place| Some((place, cells.get("mnist", group, DIRECT, place)?)));
        let best = values.min_by(|a, b| a.1.total_cmp(&b.1));
        lowest[best?.0] += 1;
    }
    let all: usize = lowest.iter().sum();
    if all == 0 {
        return None;
    }
    let place = |count: &usize, budget: f64| format!("{:.0} % in {count}", 100.0 * budget);
    let found: Vec<String> = (lowest.iter().zip(BUDGETS))
        .filter(|(count, _)| **count > 0)
        .map(|(count, budget)| place(count, budget))
        .collect();
    Some(judged(
        &MNIST_LOWEST,
        Verdict::of_share(lowest[1] as f64 / all as f64),
        format!("lowest at {} of {all} curves", found.join(", at ")),
        format!(
            "{} of {all} curves fall further above a budget of 10 %",
            lowest[2..].iter().sum::<usize>()
        ),
    ))
}

/// Correlations of different tasks of this list; none where a run has no matrix (the published runs of
/// further seeds).
pub(super) fn between(matrix: &[f64], tasks: &[usize]) -> Vec<f64> {
    let m = matrix.len().isqrt();
    let tasks = if m == 0 { &[] } else { tasks };
    let pairs = tasks.iter().enumerate().flat_map(|(k, &a)| {
        let before = tasks[..k].iter();
        before.map(move |&b| matrix[a * m + b])
    });
    pairs.collect()
}

/// A pair of tasks is subverted when its correlation changes by more than this.
const LARGE: f64 = 0.5;

fn correlations(runs: &Runs) -> Vec<Judged> {
    [subverted(runs), flip(runs), attackers(runs)]
        .into_iter()
        .flatten()
        .collect()
}

fn subverted(runs: &Runs) -> Option<Judged> {
    let mut shares = Vec::new();
    for dataset in datasets(runs) {
        let mut changes = Vec::new();
        for (_, measured) in (runs.iter()).filter(|(planned, _)| planned.dataset == dataset) {
            let all: Vec<usize> = (0..measured.clean_correlation.len().isqrt()).collect();
            let before = between(&measured.clean_correlation, &all);
            let after = between(&measured.attacked_correlation, &all);
            changes.extend(before.iter().zip(&after).map(|(a, b)| (b - a).abs()));
        }
        let large = changes.iter().filter(|change| **change > LARGE).count();
        if !changes.is_empty() {
            shares.push((dataset, large as f64 / changes.len() as f64));
        }
    }
    let text = |(dataset, share): &(&str, f64)| {
        format!("{:.0} % of the pairs on {}", 100.0 * share, title(dataset))
    };
    let enough = |share: &&(&str, f64)| share.1 >= 0.25;
    let strong = shares.iter().filter(enough).count();
    let verdict = match strong {
        _ if shares.is_empty() => return None,
        0 => Verdict::Differs,
        some if some == shares.len() => Verdict::Agrees,
        _ => Verdict::InPart,
    };
    let all: Vec<String> = shares.iter().map(text).collect();
    let weak: Vec<String> = (shares.iter())
        .filter(|share| !enough(share))
        .map(|share| title(share.0).to_string())
        .collect();
    Some(judged(
        &SUBVERTED,
        verdict,
        format!(
            "the correlation changes by more than {LARGE} in {}",
            listed(&all)
        ),
        format!("on {} that is less than a quarter", listed(&weak)),
    ))
}

fn flip(runs: &Runs) -> Option<Judged> {
    let pair = |matrix: &[f64]| matrix.get(matrix.len().isqrt() + 2).copied();
    let pairs: Vec<(f64, f64)> = (runs.iter())
        .filter(|(planned, _)| planned.dataset == "sarcos")
        .filter_map(|(_, run)| pair(&run.clean_correlation).zip(pair(&run.attacked_correlation)))
        .collect();
    let (before, after): (Vec<f64>, Vec<f64>) = pairs.iter().copied().unzip();
    let ((before, ..), (after, low, high)) = (spread(&before)?, spread(&after)?);
    let turned = |(before, after): &&(f64, f64)| *before < -0.5 && *after > 0.5;
    let (turned, all) = (pairs.iter().filter(turned).count(), pairs.len());
    Some(judged(
        &FLIP,
        Verdict::of_share(turned as f64 / all as f64),
        format!(
            "from {before:.2} to {after:.2} on average ({low:.2} to {high:.2}), from below -0.5 to \
             above 0.5 in {turned} of {all} attacks"
        ),
        format!(
            "it does not turn round in {} of {all} attacks",
            all - turned
        ),
    ))
}

fn attackers(runs: &Runs) -> Option<Judged> {
    let mut shares = Vec::new();
    let mut weak = Vec::new();
    for dataset in datasets(runs) {
        let values: Vec<f64> = (runs.iter())
            .filter(|(planned, _)| planned.dataset == dataset)
            .flat_map(|(planned, run)| between(&run.attacked_correlation, &planned.spec.attackers))
            .collect();
        if values.is_empty() {
            continue;
        }
        let share =
            values.iter().filter(|value| **value > 0.5).count() as f64 / values.len() as f64;
        let text = format!("{:.0} % on {}", 100.0 * share, title(dataset));
        if share < 0.95 {
            weak.push(text.clone());
        }
        shares.push((share, text));
    }
    let share = figures::mean(&shares.iter().map(|share| share.0).collect::<Vec<_>>())?;
    let texts: Vec<String> = shares.iter().map(|share| share.1.clone()).collect();
    Some(judged(
        &ATTACKERS,
        Verdict::of_share(share),
        format!(
            "their correlation is above 0.5 in {} of the pairs",
            listed(&texts)
        ),
        format!("it is so in only {}", listed(&weak)),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paper::figures::tests::measured;
    use crate::paper::plan::{Protocol, plan};

    /// The verdicts of a figure on Sarcos with results that depend on the planned run.
    fn judged_with(
        figure: Figure,
        dataset: &str,
        result: impl Fn(&Planned) -> Measured,
    ) -> Vec<Judged> {
        let runs = plan(figure, Protocol::Paper, dataset, 1, 1).unwrap();
        let results: Vec<Measured> = runs.iter().map(result).collect();
        let pairs: Vec<_> = runs.iter().zip(&results).collect();
        judge(figure, &pairs)
    }

    #[test]
    fn a_figure_without_runs_has_no_verdict() {
        for figure in [Figure::Convergence, Figure::Quality, Figure::Correlations] {
            assert!(judge(figure, &[]).is_empty());
            assert!(!claims(figure).is_empty());
        }
    }

    #[test]
    fn a_swinging_curve_does_not_converge_and_a_constant_one_does() {
        let of = |metric: fn(usize) -> f64| {
            let curve: Vec<f64> = (0..16).map(metric).collect();
            let mut judged = judged_with(Figure::Convergence, "sarcos", |_| measured(&curve));
            assert_eq!(judged.len(), 1);
            judged.remove(0)
        };
        let swinging = of(|k| if k % 2 == 0 { 1.0 } else { 1.5 });
        assert_eq!(swinging.verdict, Verdict::Differs);
        let text = swinging.sentence();
        assert!(
            text.contains("0 of 3 runs, because") && text.contains("0.500 on Sarcos"),
            "{text}"
        );
        let settled = of(|_| 1.0);
        assert_eq!(settled.verdict, Verdict::Agrees);
        assert!(settled.because.is_empty());
    }

    #[test]
    fn the_stronger_attack_is_that_of_the_higher_nmse_or_the_lower_auc() {
        for (dataset, direct, indirect) in [("sarcos", 2.0, 1.5), ("landmine", 0.2, 0.5)] {
            let judged = judged_with(Figure::Quality, dataset, |planned| {
                let value = match (planned.spec.attack, planned.spec.method) {
                    _ if planned.x == 0.0 => 1.0,
                    (_, Method::Random) => 1.0,
                    (Attack::Direct, _) => direct,
                    _ => indirect,
                };
                measured(&[1.0, value])
            });
            let beats = &judged[0];
            assert_eq!(beats.claim, &DIRECT_INDIRECT);
            assert_eq!(beats.verdict, Verdict::Agrees, "{}", beats.sentence());
            assert!(beats.evidence.contains("20 of 20"), "{}", beats.evidence);
        }
    }

    #[test]
    fn the_rise_on_sarcos_is_compared_with_half() {
        for (value, verdict, part) in [
            (1.5, Verdict::Agrees, "by 50 %"),
            (2.5, Verdict::Differs, "because the mean is 150 %"),
        ] {
            let judged = judged_with(Figure::Quality, "sarcos", |planned| {
                measured(&[1.0, if planned.x == 0.0 { 1.0 } else { value }])
            });
            let rise = judged.iter().find(|judged| judged.claim == &RISE).unwrap();
            assert_eq!(rise.verdict, verdict);
            assert!(rise.sentence().contains(part), "{}", rise.sentence());
        }
    }

    #[test]
    fn claims_about_mnist_need_mnist() {
        let has = |dataset| {
            let judged = judged_with(Figure::Quality, dataset, |_| measured(&[0.9]));
            judged.iter().any(|judged| judged.claim == &MNIST_LOWEST)
        };
        assert!(has("mnist") && !has("sarcos"));
    }

    #[test]
    fn a_correlation_that_turns_round_is_found() {
        let judged = judged_with(Figure::Correlations, "sarcos", |_| Measured {
            clean_correlation: vec![-0.9; 49],
            attacked_correlation: vec![0.9; 49],
            ..measured(&[])
        });
        let verdicts: Vec<Verdict> = judged.iter().map(|judged| judged.verdict).collect();
        assert_eq!(verdicts, [Verdict::Agrees; 3]);
        assert!(judged[1].evidence.contains("from -0.90 to 0.90"));
        assert!(judged[1].sentence().contains("from \u{2212}0.90 to 0.90"));
    }
}
