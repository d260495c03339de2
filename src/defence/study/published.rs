//! The published studies of a data set: what the page shows before it computes anything.

use serde::Serialize;

use super::plan::Planned;
use super::{Attacker, JobResult};
use crate::defence::detection::ScoreCurves;
use crate::experiment::ENGINE;
use crate::spec::{Shape, link};

/// Studies of default specifications of one data set, one for each attack.
#[derive(Debug, Serialize)]
pub struct Published {
    engine: &'static str,
    date: String,
    dataset: &'static str,
    data_sha256: String,
    seeds: Vec<u64>,
    studies: Vec<PublishedStudy>,
}

#[derive(Debug, Serialize)]
struct PublishedStudy {
    /// That of the standard attacker's run: the specification of the study.
    link: String,
    /// In the order of the jobs.
    results: Vec<JobResult>,
}

impl Published {
    /// Of a data set that is known by name, from the studies of its default specifications with all
    /// of their results, computed on this date.
    ///
    /// # Panics
    /// If there is none, or the data set is not known by name.
    pub fn of(dataset: &'static str, date: &str, studies: &[(&Planned, &[JobResult])]) -> Self {
        let shape = Shape::named(dataset).expect("known by name");
        let (first, results) = studies.first().expect("a study");
        Self {
            engine: ENGINE,
            date: date.to_string(),
            dataset,
            data_sha256: results[0].data_sha256.clone(),
            seeds: vec![first.seed],
            studies: (studies.iter())
                .map(|(planned, results)| PublishedStudy {
                    link: link::encode(&planned.jobs[0].spec, &shape),
                    results: (planned.jobs.iter().zip(*results))
                        .map(|(job, result)| shortened(job.attacker, result))
                        .collect(),
                })
                .collect(),
        }
    }
}

/// Without what makes a file large and is no part of the digest: curves of the standard attacker only,
/// with four digits.
fn shortened(attacker: Attacker, result: &JobResult) -> JobResult {
    let mut result = result.clone();
    let tasks = result.tasks.iter_mut().map(|ranking| &mut ranking.curves);
    let points = result.points.iter_mut().map(|ranking| &mut ranking.curves);
    for curves in tasks.chain(points) {
        if attacker == Attacker::Standard {
            for curve in [&mut curves.roc, &mut curves.precision_recall] {
                let vertices = curve.iter_mut().flatten();
                vertices.for_each(|value| *value = (*value * 1e4).round() / 1e4);
            }
        } else {
            *curves = ScoreCurves::default();
        }
    }
    result
}
