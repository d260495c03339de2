//! The results of a figure compared with the paper's claim: sentences with numbers.
//!
//! They cover the finished runs only. Not here: tables and verdicts over many seeds (`reproduction`).

use std::fmt::Write as _;

use crate::attack::{Attack, Method};
use crate::minus::minus;
use crate::paper::figures::{self, CorrelationRow, Measured, Panel, Series};
use crate::paper::plan::{Figure, Planned};

/// The budget of the paper's numbers.
const BUDGET: f64 = 0.3;

/// The sentences for one data set; empty while too few runs are finished.
pub fn findings(figure: Figure, dataset: &str, runs: &[(&Planned, &Measured)]) -> Vec<String> {
    match figure {
        Figure::Convergence => convergence(&figures::panels(figure, dataset, runs)),
        Figure::Quality => quality(&figures::panels(figure, dataset, runs))
            .into_iter()
            .collect(),
        Figure::Correlations => correlations(dataset, &figures::correlation_rows(dataset, runs)),
    }
}

/// The first iteration from which the metric stays within 2 % of the way it has gone (at least
/// 0.1 % of its value).
pub fn settled_at(metric: &[f64]) -> usize {
    let (Some(first), Some(last)) = (metric.first(), metric.last()) else {
        return 0;
    };
    let band = 0.02 * (last - first).abs().max(0.05 * last.abs());
    metric
        .iter()
        .rposition(|value| (value - last).abs() > band)
        .map_or(0, |k| k + 1)
}

fn means(series: &Series) -> Vec<f64> {
    let places = 0..series.x.len();
    places
        .filter_map(|at| series.summary(at).map(|(mean, _, _)| mean))
        .collect()
}

fn convergence(panels: &[Panel]) -> Vec<String> {
    let sentence = |panel: &Panel| {
        let lines = panel.series.iter().filter_map(|series| {
            let curve = means(series);
            let (first, last) = (curve.first()?, curve.last()?);
            let settled = match settled_at(&curve) {
                at if at + 1 < curve.len() => format!("settled at iteration {at}"),
                end => format!("not settled by iteration {end}"),
            };
            let name = &series.name;
            Some(format!("{name} {first:.3} \u{2192} {last:.3}, {settled}"))
        });
        let lines: Vec<String> = lines.collect();
        let metric = panel.metric_name.text();
        format!("{}: {metric} {}.", panel.title, lines.join("; "))
    };
    let begun = panels.iter().filter(|panel| !panel.series.is_empty());
    begun.map(sentence).collect()
}

/// Mean over the panels of the metric at [`BUDGET`].
fn at_budget(panels: &[Panel], attack: Attack, method: Method) -> Option<f64> {
    let values: Vec<f64> = (panels.iter())
        .flat_map(|panel| &panel.series)
        .filter(|series| series.attack == attack && series.method == method)
        .filter_map(|series| {
            let at = series.x.iter().position(|&x| x == BUDGET)?;
            series.summary(at).map(|(mean, _, _)| mean)
        })
        .collect();
    figures::mean(&values)
}

fn quality(panels: &[Panel]) -> Option<String> {
    let clean: Vec<f64> = panels.iter().filter_map(|panel| panel.clean).collect();
    let (first, clean) = (panels.first()?, figures::mean(&clean)?);
    let lines: Vec<String> = [
        ("direct", Attack::Direct, Method::Patom),
        ("indirect", Attack::Indirect, Method::Patom),
        ("random direct", Attack::Direct, Method::Random),
        ("random indirect", Attack::Indirect, Method::Random),
    ]
    .into_iter()
    .filter_map(|(words, attack, method)| {
        let value = at_budget(panels, attack, method)?;
        let percent = 100.0 * (value / clean - 1.0);
        let percent = minus(format_args!("{percent:+.1}"));
        Some(format!("{words} {value:.3} ({percent} %)"))
    })
    .collect();
    let metric = first.metric_name.text();
    (!lines.is_empty()).then(|| {
        format!(
            "At a budget of 30 %, mean over the pairs: {metric} clean {clean:.3}, {}.",
            lines.join(", ")
        )
    })
}

fn signed(value: f64) -> String {
    minus(format_args!("{value:.2}"))
}

/// Mean correlation of different attacking tasks.
fn among_attackers(row: &CorrelationRow, values: &[f64]) -> Option<f64> {
    let m = values.len().isqrt();
    let pairs: Vec<f64> = (row.attackers.iter())
        .flat_map(|&i| row.attackers.iter().map(move |&j| (i, j)))
        .filter(|(i, j)| i < j)
        .map(|(i, j)| values[i * m + j])
        .collect();
    figures::mean(&pairs)
}

fn correlations(dataset: &str, rows: &[CorrelationRow]) -> Vec<String> {
    let sentence = |row: &CorrelationRow| {
        let m = row.before.len().isqrt();
        let mut text = row.title.clone();
        let among = |values| among_attackers(row, values);
        if let (Some(before), Some(after)) = (among(&row.before), among(&row.after)) {
            let (before, after) = (signed(before), signed(after));
            let _ = write!(
                text,
                ": mean correlation among them {before} \u{2192} {after}"
            );
        }
        // The pair that the paper speaks of.
        if dataset == "sarcos" && m > 2 {
            let (before, after) = (signed(row.before[m + 2]), signed(row.after[m + 2]));
            let _ = write!(text, "; T2 and T3 {before} \u{2192} {after}");
        }
        text + "."
    };
    rows.iter().map(sentence).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paper::plan::{Protocol, plan};

    #[test]
    fn a_curve_is_settled_where_it_stays() {
        assert_eq!(settled_at(&[]), 0);
        assert_eq!(settled_at(&[1.0, 2.0, 2.0]), 1);
        assert_eq!(settled_at(&[1.0, 2.0, 1.0, 2.0]), 3);
    }

    fn measured(metric: &[f64], after: &[f64]) -> Measured {
        Measured {
            clean_correlation: vec![0.0; after.len()],
            attacked_correlation: after.to_vec(),
            sanitised: None,
            ..figures::tests::measured(metric)
        }
    }

    fn said(figure: Figure, result: &Measured) -> String {
        let runs = plan(figure, Protocol::Exact, "sarcos", 1, 1).unwrap();
        let pairs: Vec<_> = runs.iter().map(|run| (run, result)).collect();
        assert!(findings(figure, "landmine", &pairs).is_empty());
        findings(figure, "sarcos", &pairs).join(" ")
    }

    #[test]
    fn findings_contain_the_measured_numbers() {
        let text = said(Figure::Convergence, &measured(&[0.6; 16], &[]));
        assert!(text.contains("settled at iteration 0"), "{text}");
        let swinging: Vec<f64> = (0..16).map(|k| f64::from(k % 2)).collect();
        let text = said(Figure::Convergence, &measured(&swinging, &[]));
        assert!(text.contains("not settled by iteration 15"), "{text}");
        let text = said(Figure::Convergence, &measured(&[0.6, 0.9], &[]));
        assert!(
            text.contains("direct 0.600 \u{2192} 0.900, settled at iteration 1"),
            "{text}"
        );
        let text = said(Figure::Quality, &measured(&[0.6, 0.75], &[]));
        assert!(
            text.contains("clean 0.500, direct 0.750 (+50.0 %)"),
            "{text}"
        );
        let text = said(Figure::Correlations, &measured(&[], &[0.25; 49]));
        assert!(
            text.contains("0.00 \u{2192} 0.25; T2 and T3 0.00 \u{2192} 0.25"),
            "{text}"
        );
        for figure in [Figure::Convergence, Figure::Quality, Figure::Correlations] {
            assert!(findings(figure, "sarcos", &[]).is_empty());
        }
    }
}
