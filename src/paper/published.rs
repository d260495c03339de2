//! The published results of a figure: what the page shows before it computes anything. A file of the
//! page (`www/views/published.js` reads it). Not here: running, writing files.

use serde::Serialize;

use super::claims::{self, Spoken};
use super::figures::Measured;
use super::plan::{Figure, Planned, Protocol};
use crate::experiment::ENGINE;

/// The results of a whole plan. Of each run only what the figure shows, and no wall times, which cannot
/// be reproduced.
#[derive(Debug, Serialize)]
pub struct Published<'a> {
    figure: u32,
    method: Protocol,
    engine: &'static str,
    date: &'a str,
    seeds: u64,
    /// Verdicts of all runs, of which not all matrices are published.
    claims: Vec<Spoken>,
    datasets: Vec<PublishedData<'a>>,
}

#[derive(Debug, Serialize)]
struct PublishedData<'a> {
    dataset: &'static str,
    data_sha256: &'a str,
    runs: Vec<PublishedRun<'a>>,
}

#[derive(Debug, Serialize)]
struct PublishedRun<'a> {
    digest: &'a str,
    /// Left out where it is true.
    #[serde(skip_serializing_if = "Clone::clone")]
    converged: bool,
    clean: Option<f64>,
    /// Figure 1: every iteration; otherwise the first and the last.
    metric: Vec<Option<f64>>,
    /// Figure 1 only.
    #[serde(skip_serializing_if = "Option::is_none")]
    utility: Option<Vec<f64>>,
    /// Figure 3 only, first seed only; left out where it equals that of the run before.
    #[serde(skip_serializing_if = "Option::is_none")]
    clean_correlation: Option<Vec<f64>>,
    /// Figure 3 only, first seed only.
    #[serde(skip_serializing_if = "Option::is_none")]
    attacked_correlation: Option<Vec<f64>>,
}

impl<'a> Published<'a> {
    /// The results of a plan by this method with this number of seeds, in its order, computed on this
    /// date. Digests are those of all bits; numbers are rounded to what is shown.
    pub fn of(
        figure: Figure,
        method: Protocol,
        seeds: u64,
        date: &'a str,
        runs: &[(&'a Planned, &'a Measured)],
    ) -> Self {
        let datasets = figure.datasets().iter().filter_map(|&dataset| {
            let mine =
                || (runs.iter().copied()).filter(move |(planned, _)| planned.dataset == dataset);
            let (_, first) = mine().next()?;
            Some(PublishedData {
                dataset,
                data_sha256: &first.data_sha256,
                runs: runs_of(figure, mine()),
            })
        });
        Self {
            figure: figure.number(),
            method,
            engine: ENGINE,
            date,
            seeds,
            claims: claims::spoken(figure, runs),
            datasets: datasets.collect(),
        }
    }
}

fn runs_of<'a>(
    figure: Figure,
    runs: impl Iterator<Item = (&'a Planned, &'a Measured)>,
) -> Vec<PublishedRun<'a>> {
    let mut before = None;
    runs.map(|(planned, measured)| {
        let mut run = PublishedRun::of(figure, planned, measured);
        if run.clean_correlation == before {
            run.clean_correlation = None;
        } else {
            before.clone_from(&run.clean_correlation);
        }
        run
    })
    .collect()
}

/// To so many significant digits.
fn rounded(value: f64, digits: usize) -> f64 {
    let text = format!("{value:.*e}", digits - 1);
    text.parse().expect("a number that was written")
}

/// Significant digits of metrics and utilities, of which three are shown.
const DIGITS: usize = 6;

/// The same of correlations, of which two are shown.
const CORRELATION_DIGITS: usize = 3;

impl<'a> PublishedRun<'a> {
    fn of(figure: Figure, planned: &Planned, measured: &'a Measured) -> Self {
        let curve = figure == Figure::Convergence;
        let matrices = figure == Figure::Correlations && planned.repeat == 0;
        let ends = [measured.metric.first(), measured.metric.last()];
        let short = |value: &Option<f64>| value.map(|value| rounded(value, DIGITS));
        let matrix = |values: &[f64]| {
            let short = |&value: &f64| rounded(value, CORRELATION_DIGITS);
            matrices.then(|| values.iter().map(short).collect())
        };
        Self {
            digest: &measured.digest,
            converged: measured.converged,
            clean: short(&measured.clean),
            metric: if curve {
                measured.metric.iter().map(short).collect()
            } else {
                ends.into_iter().flatten().map(short).collect()
            },
            utility: curve.then(|| {
                let values = measured.utility.iter();
                values.map(|&value| rounded(value, DIGITS)).collect()
            }),
            clean_correlation: matrix(&measured.clean_correlation),
            attacked_correlation: matrix(&measured.attacked_correlation),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::paper::plan::plan;

    /// The published runs of a figure on Sarcos with two seeds.
    fn published(figure: Figure) -> Vec<Value> {
        let runs = plan(figure, Protocol::Paper, "sarcos", 2, 1).unwrap();
        let measured = Measured {
            engine: ENGINE.to_string(),
            data_sha256: "hash".to_string(),
            digest: "digest".to_string(),
            converged: figure != Figure::Quality,
            seconds: 1.0,
            clean: Some(0.5),
            metric: [1.0, 2.0, 3.000_000_4].map(Some).to_vec(),
            utility: vec![4.0, 5.0, 1_234_567.0],
            clean_correlation: vec![1.0; 49],
            attacked_correlation: vec![-0.123_456; 49],
            sanitised: None,
        };
        let pairs: Vec<_> = runs.iter().map(|run| (run, &measured)).collect();
        let published = Published::of(figure, Protocol::Paper, 2, "2026-11-28", &pairs);
        let value = serde_json::to_value(published).unwrap();
        assert_eq!(value["method"], "paper");
        assert!(value["claims"][0]["verdict"].is_string());
        let runs = value["datasets"][0]["runs"].as_array().unwrap();
        assert_eq!(runs.len(), pairs.len());
        runs.clone()
    }

    #[test]
    fn each_figure_publishes_what_it_shows() {
        let plain = json!({"digest": "digest", "clean": 0.5, "metric": [1.0, 3.0]});
        let mut run = plain.clone();
        run["converged"] = json!(false);
        assert_eq!(published(Figure::Quality)[0], run);
        let runs = published(Figure::Correlations);
        let mut run = plain.clone();
        run["attacked_correlation"] = json!(vec![-0.123; 49]);
        assert_eq!(runs[1], run, "as clean as the first");
        run["clean_correlation"] = json!(vec![1.0; 49]);
        assert_eq!(runs[0], run);
        assert_eq!(runs[5], plain, "matrices of the first seed only");
        let mut run = plain;
        run["metric"] = json!([1.0, 2.0, 3.0]);
        run["utility"] = json!([4.0, 5.0, 1_234_570.0]);
        assert_eq!(published(Figure::Convergence)[0], run);
    }
}
