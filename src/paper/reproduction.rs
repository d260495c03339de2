//! The figures by both methods compared with the paper's claims, as Markdown. No sentence with a number in
//! it is written by hand. Not here: running figures, files, printing.

use std::fmt::Write as _;

use super::ADDRESS;
use super::claims::{self, curve, swing};
use super::figures::Measured;
use super::findings::settled_at;
use super::plan::{BUDGETS, Figure, HYBRIDS, Planned, Protocol};
use crate::attack::{Attack, Method};
use crate::experiment::ENGINE;
use crate::minus::minus;

/// The data sets of the paper.
pub const DATASETS: [&str; 3] = ["sarcos", "landmine", "mnist"];

/// Mean and range of some numbers.
#[derive(Clone, Copy)]
pub(super) struct Spread {
    pub mean: f64,
    pub low: f64,
    pub high: f64,
    count: usize,
}

impl Spread {
    pub fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let values: Vec<f64> = values.into_iter().collect();
        Self {
            mean: values.iter().sum::<f64>() / values.len() as f64,
            low: values.iter().copied().fold(f64::INFINITY, f64::min),
            high: values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            count: values.len(),
        }
    }

    /// `mean (low to high)`.
    pub fn text(&self) -> String {
        if self.count == 0 {
            return "none".to_string();
        }
        let [mean, low, high] = [self.mean, self.low, self.high];
        let text = |value: f64| minus(format_args!("{value:.3}"));
        format!("{} ({} to {})", text(mean), text(low), text(high))
    }
}

/// Planned runs with their results.
pub type Runs<'a> = Vec<(&'a Planned, &'a Measured)>;

/// The first lines of the document.
pub fn introduction(seeds: u64, study_seeds: u64) -> String {
    let methods = Protocol::ALL.iter().map(|method| {
        let text = method.text();
        format!("- **{text}**: {}.\n", method.summary())
    });
    format!(
        "# The paper, reproduced\n\n\
         Made by `patom reproduce --seeds {seeds} --study-seeds {study_seeds}` with engine {ENGINE}; \
         do not edit by hand. [The paper]({ADDRESS}) is reproduced by two methods:\n\n{}\n\
         Both with λ1 = λ2 = 0.1, regression labels standardised on the training set, and the same data, \
         task sets, injected labels and starts. What the paper leaves open is searched in \
         [paper-settings.md](paper-settings.md). Numbers in brackets are the smallest and the largest over \
         seeds; figures are means over {seeds} seeds. NMSE: higher is a stronger attack; AUC: lower is \
         stronger. A claim *agrees* where it holds in 95 % of the cases, *in part* where in more than \
         half.\n",
        methods.collect::<String>(),
    )
}

/// The verdicts of a figure's claims by each method, its tables, and the reasons for the differences.
pub fn figure(figure: Figure, methods: &[(Protocol, Runs)]) -> String {
    let mut text = String::new();
    verdicts(&mut text, figure, methods);
    text.push('\n');
    match figure {
        Figure::Convergence => convergence(&mut text, methods),
        Figure::Quality => by_budget(&mut text, methods),
        Figure::Correlations => correlations(&mut text, methods),
    }
    text.push('\n');
    for (method, runs) in methods {
        let unconverged = runs.iter().filter(|(_, run)| !run.converged).count();
        let _ = writeln!(
            text,
            "{} of {} runs by {} have a solve that ended before it met its stopping rule.",
            unconverged,
            runs.len(),
            match method {
                Protocol::Paper => "the paper's method",
                Protocol::Exact => "the exact gradient",
            }
        );
    }
    let _ = writeln!(text, "\nWhy: {}\n", why(figure));
    text
}

fn verdicts(text: &mut String, figure: Figure, methods: &[(Protocol, Runs)]) {
    let mut columns = vec!["claim", "the paper"];
    columns.extend(methods.iter().map(|(method, _)| method.text()));
    header(text, &columns);
    let judged: Vec<Vec<claims::Judged>> = (methods.iter())
        .map(|(_, runs)| claims::judge(figure, runs))
        .collect();
    for claim in claims::claims(figure) {
        let _ = write!(text, "| {} | {} |", claim.text, claim.paper);
        for judged in &judged {
            let found = judged.iter().find(|judged| judged.claim == *claim);
            let sentence = found.map_or_else(String::new, claims::Judged::sentence);
            let _ = write!(text, " {sentence} |");
        }
        text.push('\n');
    }
}

/// The reasons behind the verdicts; the numbers are in the tables.
fn why(figure: Figure) -> &'static str {
    match figure {
        Figure::Convergence => {
            "the paper's constant step of 100 is so long that the first iteration carries every injected \
             point to the surface of the ball; after that the points jump about on it, so the curve \
             swings instead of settling. With backtracking it settles, unless the exact gradient \
             still finds something to gain. On Landmine the utility is a squared hinge and the AUC \
             only sees the order of the scores: the utility rises steadily while the AUC moves up and \
             down."
        }
        Figure::Quality => {
            "on Landmine nearly all points are of one class and the tasks are almost one (their \
             learned correlations are close to 1), so attacking the other tasks turns the shared model \
             round, which costs the AUC more than the larger training loss of a direct attack. The \
             paper's method jumps about and so happens on a smaller AUC than the exact gradient, which \
             keeps raising the training loss that the paper defines as the attacker's utility. On MNIST \
             the alternation without a floor is part of the damage: a direction that \u{3a9} has lost \
             hardly comes back, and many solves end at their limit. That the AUC rises again after a \
             budget of 10 % is seen with neither method."
        }
        Figure::Correlations => {
            "at these weights the optimum is nearly of rank one, so almost every correlation is close \
             to -1 or 1 with and without an attack; an attack turns the sign of whole tasks. Attacking \
             tasks therefore agree or oppose each other strongly; they agree on Landmine, where they \
             did before. There \u{3a9} is of rank one without a floor, and no attack changes a \
             correlation."
        }
    }
}

pub(super) fn header(text: &mut String, columns: &[&str]) {
    let _ = writeln!(text, "| {} |", columns.join(" | "));
    let _ = writeln!(text, "|{}", " --- |".repeat(columns.len()));
}

fn convergence(text: &mut String, methods: &[(Protocol, Runs)]) {
    text.push_str(
        "*Settled* is the first iteration from which the mean metric of the targets stays within 2 % of \
         the way it has gone (at least 0.1 % of its value); *swing* is the largest minus the smallest \
         metric over iterations 10 to 15. The claim is judged by the alternation without a floor and by \
         the exact gradient.\n\n",
    );
    header(
        text,
        &[
            "data", "method", "attack", "start", "end", "settled", "swing",
        ],
    );
    let mut groups: Vec<(&str, Protocol, &str, Attack)> = Vec::new();
    for (method, runs) in methods {
        for (planned, _) in runs {
            let (title, attack) = (planned.title.as_str(), planned.spec.attack);
            let key = (planned.dataset, *method, title, attack);
            if !groups.contains(&key) {
                groups.push(key);
            }
        }
    }
    for dataset in DATASETS {
        for &(_, method, title, attack) in groups.iter().filter(|group| group.0 == dataset) {
            let curves: Vec<Vec<f64>> = (methods.iter())
                .filter(|(of, _)| *of == method)
                .flat_map(|(_, runs)| runs)
                .filter(|(planned, _)| {
                    let key = (planned.dataset, planned.title.as_str(), planned.spec.attack);
                    key == (dataset, title, attack)
                })
                .map(|(planned, measured)| curve(planned, measured))
                .collect();
            let settled: Vec<usize> = curves.iter().map(|curve| settled_at(curve)).collect();
            let _ = writeln!(
                text,
                "| {dataset} | {}{title} | {} | {} | {} | {} to {} | {:.3} |",
                match method {
                    Protocol::Paper => "the paper's method, ",
                    Protocol::Exact => "",
                },
                attack.word(),
                Spread::of(curves.iter().map(|curve| curve[0])).text(),
                Spread::of(curves.iter().map(|curve| curve[curve.len() - 1])).text(),
                settled.iter().min().unwrap_or(&0),
                settled.iter().max().unwrap_or(&0),
                Spread::of(curves.iter().map(|curve| swing(curve))).mean,
            );
        }
    }
}

fn by_budget(text: &mut String, methods: &[(Protocol, Runs)]) {
    text.push_str("Mean metric of the targets over pairs and seeds, by budget:\n\n");
    header(
        text,
        &[
            "data", "attack", "method", "0", "0.1", "0.2", "0.3", "0.4", "0.5",
        ],
    );
    for dataset in DATASETS {
        for (words, attack, kind) in [
            ("direct", Attack::Direct, Method::Patom),
            ("indirect", Attack::Indirect, Method::Patom),
            ("random direct", Attack::Direct, Method::Random),
            ("random indirect", Attack::Indirect, Method::Random),
        ] {
            for (method, runs) in methods {
                let cells = BUDGETS.map(|budget| {
                    let values = runs.iter().filter(|(planned, _)| {
                        let key = (planned.dataset, planned.spec.attack, planned.spec.method);
                        key == (dataset, attack, kind) && planned.x == budget
                    });
                    let values = values.filter_map(|(_, measured)| measured.attacked());
                    format!("{:.3}", Spread::of(values).mean)
                });
                let (method, cells) = (method.text(), cells.join(" | "));
                let _ = writeln!(text, "| {dataset} | {words} | {method} | {cells} |");
            }
        }
    }
}

fn correlations(text: &mut String, methods: &[(Protocol, Runs)]) {
    header(
        text,
        &[
            "data",
            "attackers",
            "method",
            "T2 and T3 before",
            "after",
            "attackers with each other, before",
            "after",
        ],
    );
    for dataset in DATASETS {
        for panel in 0..HYBRIDS {
            for (method, runs) in methods {
                let here: Runs = (runs.iter().copied())
                    .filter(|(planned, _)| (planned.dataset, planned.panel) == (dataset, panel))
                    .collect();
                let Some((first, _)) = here.first() else {
                    continue;
                };
                let pair = |matrix: &[f64]| matrix[matrix.len().isqrt() + 2];
                let group = |of: fn(&Measured) -> &[f64]| {
                    let attackers = &first.spec.attackers;
                    let values = here.iter();
                    Spread::of(values.flat_map(|(_, run)| claims::between(of(run), attackers)))
                };
                let _ = writeln!(
                    text,
                    "| {dataset} | {} | {} | {} | {} | {} | {} |",
                    first.title.trim_start_matches("attackers "),
                    method.text(),
                    Spread::of(here.iter().map(|(_, run)| pair(&run.clean_correlation))).text(),
                    Spread::of(here.iter().map(|(_, run)| pair(&run.attacked_correlation))).text(),
                    group(|run| &run.clean_correlation).text(),
                    group(|run| &run.attacked_correlation).text(),
                );
            }
        }
    }
}
