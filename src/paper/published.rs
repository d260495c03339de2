//! The published results of a figure: what the page shows before it computes anything. A file of the
//! page (`www/views/published.js` reads it). Not here: running, writing files.

use serde::Serialize;

use super::figures::Measured;
use super::plan::{Figure, Planned};
use crate::experiment::ENGINE;

/// The results of a whole plan. Of each run only what the figure shows, and no wall times, which cannot
/// be reproduced.
#[derive(Debug, Serialize)]
pub struct Published<'a> {
    figure: u32,
    engine: &'static str,
    date: &'a str,
    seeds: u64,
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
    converged: bool,
    clean: Option<f64>,
    /// Figure 1: every iteration; otherwise the first and the last.
    metric: Vec<Option<f64>>,
    /// Figure 1 only.
    #[serde(skip_serializing_if = "Option::is_none")]
    utility: Option<&'a [f64]>,
    /// Figure 3 only, first seed only.
    #[serde(skip_serializing_if = "Option::is_none")]
    clean_correlation: Option<&'a [f64]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attacked_correlation: Option<&'a [f64]>,
}

impl<'a> Published<'a> {
    /// The results of a plan with this number of seeds, in its order, computed on this date.
    pub fn of(
        figure: Figure,
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
                runs: mine()
                    .map(|(planned, measured)| PublishedRun::of(figure, planned, measured))
                    .collect(),
            })
        });
        Self {
            figure: figure.number(),
            engine: ENGINE,
            date,
            seeds,
            datasets: datasets.collect(),
        }
    }
}

impl<'a> PublishedRun<'a> {
    fn of(figure: Figure, planned: &Planned, measured: &'a Measured) -> Self {
        let curve = figure == Figure::Convergence;
        let matrices = figure == Figure::Correlations && planned.repeat == 0;
        let ends = [measured.metric.first(), measured.metric.last()];
        Self {
            digest: &measured.digest,
            converged: measured.converged,
            clean: measured.clean,
            metric: if curve {
                measured.metric.clone()
            } else {
                ends.into_iter().flatten().copied().collect()
            },
            utility: curve.then_some(&measured.utility),
            clean_correlation: matrices.then_some(&measured.clean_correlation),
            attacked_correlation: matrices.then_some(&measured.attacked_correlation),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::paper::figures::plan;

    /// The first and the last published run of a figure on Sarcos with two seeds.
    fn published(figure: Figure) -> (Value, Value) {
        let runs = plan(figure, "sarcos", 2, 1).unwrap();
        let measured = Measured {
            engine: ENGINE.to_string(),
            data_sha256: "hash".to_string(),
            digest: "digest".to_string(),
            converged: true,
            seconds: 1.0,
            clean: Some(0.5),
            metric: [1.0, 2.0, 3.0].map(Some).to_vec(),
            utility: vec![4.0, 5.0, 6.0],
            clean_correlation: vec![1.0],
            attacked_correlation: vec![0.5],
        };
        let pairs: Vec<_> = runs.iter().map(|run| (run, &measured)).collect();
        let value = serde_json::to_value(Published::of(figure, 2, "2026-11-28", &pairs)).unwrap();
        let runs = value["datasets"][0]["runs"].as_array().unwrap();
        assert_eq!(runs.len(), pairs.len());
        (runs[0].clone(), runs[runs.len() - 1].clone())
    }

    #[test]
    fn each_figure_publishes_what_it_shows() {
        let mut run =
            json!({"digest": "digest", "converged": true, "clean": 0.5, "metric": [1.0, 3.0]});
        assert_eq!(published(Figure::Quality), (run.clone(), run.clone()));
        let last = run.clone();
        run["clean_correlation"] = json!([1.0]);
        run["attacked_correlation"] = json!([0.5]);
        assert_eq!(published(Figure::Correlations), (run, last.clone()));
        let mut run = last;
        run["metric"] = json!([1.0, 2.0, 3.0]);
        run["utility"] = json!([4.0, 5.0, 6.0]);
        assert_eq!(published(Figure::Convergence), (run.clone(), run));
    }
}
