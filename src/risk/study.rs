//! The parts of a risk study as jobs: what is to be run, one job, and what has come of them so far. The
//! page runs the jobs in workers and keeps their results, the command line runs them in threads; the
//! numbers are the same. Also the published results, which the page shows before it computes anything.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::curve::{self, Curve, Harm, Knob};
use super::exposure::{self, Ended, Exposure, Planned};
use super::map::RiskMap;
use super::{Base, MapRow, check};
use crate::attack::Method;
use crate::choice::choice;
use crate::data::{DataSet, synthetic};
use crate::defence::sanitise::Sanitise;
use crate::error::{Error, Result};
use crate::experiment::{self, ENGINE, Unobserved};
use crate::metrics::MetricName;
use crate::paper::figures::{Measured, mean};
use crate::report::Digester;
use crate::spec::{DatasetRef, Draft, Shape, Spec};

choice! {
    /// A part of a study.
    Part {
        /// Attacks of several budgets, and remedies.
        Exposure = "exposure" => "Is this data at risk?",
        /// Every pair of tasks.
        Map = "map" => "Risk map",
        /// The map over λ2.
        Lambda2 = "lambda2" => "What sharing costs: over λ2",
        /// The map over the pull cap.
        PullCap = "pull_cap" => "What sharing costs: over the pull cap",
    }
}

/// What a study is about.
#[derive(Clone, Debug, PartialEq)]
pub struct Subject {
    /// The specification that every job varies.
    pub spec: Spec,
    /// Version of the engine.
    pub engine: String,
    /// SHA-256 of the data set.
    pub data_sha256: String,
    /// Names of the tasks.
    pub task_names: Vec<String>,
    /// Which metric.
    pub metric_name: MetricName,
}

/// What a job does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify))]
#[serde(rename_all = "snake_case")]
pub enum Work {
    /// A row of the map.
    Row,
    /// What a curve keeps of a row.
    Harm,
    /// The clean solve alone.
    Clean,
    /// A run.
    Run,
}

/// One job.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Job {
    /// What it does.
    pub work: Work,
    /// With this specification.
    pub spec: Spec,
    /// The task with injected points, of a row.
    pub attacker: usize,
}

/// What came of a job.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify))]
#[serde(untagged)]
pub enum Found {
    /// Of [`Work::Row`].
    Row(MapRow),
    /// Of [`Work::Harm`].
    Harm(Harm),
    /// Of [`Work::Clean`] and [`Work::Run`].
    Ended(Ended),
}

impl Work {
    /// The result of such a job, as JSON has it.
    ///
    /// # Errors
    /// Another value.
    pub fn read(self, value: Value) -> Result<Found> {
        let found = match self {
            Self::Row => serde_json::from_value(value).map(Found::Row),
            Self::Harm => serde_json::from_value(value).map(Found::Harm),
            Self::Clean | Self::Run => serde_json::from_value(value).map(Found::Ended),
        };
        found.map_err(|error| Error::field("result", error, "the result of a job"))
    }
}

/// Runs jobs one after the other and keeps what those of one specification share.
#[derive(Default)]
pub struct Runner {
    base: Option<(Spec, Base)>,
}

impl Runner {
    /// Runs a job on a data set; of the synthetic one, on that which the specification means.
    ///
    /// # Errors
    /// Those of a run.
    pub fn run(&mut self, job: &Job, data: &DataSet) -> Result<Found> {
        let own;
        let data = if job.spec.dataset == DatasetRef::Named(synthetic::NAME.to_string()) {
            own = experiment::load_synthetic(&job.spec)?;
            &own
        } else {
            data
        };
        if job.work == Work::Run {
            let report = experiment::run(&job.spec, data, &mut Unobserved)?.report;
            let measured = Measured::of(&report);
            return Ok(Found::Ended(Ended {
                attacked: measured.attacked(),
                clean: measured.clean,
                converged: measured.converged,
                digest: measured.digest,
            }));
        }
        let base = match self.base.take() {
            Some((spec, base)) if spec == job.spec => base,
            _ => Base::new(&job.spec, data)?,
        };
        let (_, base) = self.base.insert((job.spec.clone(), base));
        if job.work == Work::Clean {
            let metrics: Vec<f64> = base.clean_metric().iter().copied().flatten().collect();
            return Ok(Found::Ended(Ended {
                clean: mean(&metrics),
                attacked: None,
                converged: base.converged(),
                digest: String::new(),
            }));
        }
        let m = base.task_count();
        if job.attacker >= m {
            return Err(Error::field("attacker", job.attacker, format!("below {m}")));
        }
        let row = base.row(job.attacker)?;
        Ok(match job.work {
            Work::Harm => Found::Harm(Harm::of(&row, MetricName::of(data.kind))),
            _ => Found::Row(row),
        })
    }
}

/// The results of one part.
struct Results {
    jobs: Vec<Job>,
    found: Vec<Option<Found>>,
}

/// A study: its jobs, and what has come of them so far.
pub struct Study {
    /// What it is about.
    pub subject: Subject,
    exposure: Vec<Planned>,
    /// In the order of [`Part::ALL`].
    parts: Vec<Results>,
}

impl Study {
    /// Plans the study of a specification.
    ///
    /// # Errors
    /// A method that optimises nothing; a sanitiser.
    pub fn new(
        spec: &Spec,
        data_sha256: &str,
        task_names: &[String],
        metric: MetricName,
    ) -> Result<Self> {
        check(spec)?;
        let subject = Subject {
            spec: spec.clone(),
            engine: ENGINE.to_string(),
            data_sha256: data_sha256.to_string(),
            task_names: task_names.to_vec(),
            metric_name: metric,
        };
        let m = task_names.len();
        let exposure = exposure::plan(spec, m);
        let rows = |work: Work, spec: &Spec| -> Vec<Job> {
            let job = |attacker| Job {
                work,
                spec: spec.clone(),
                attacker,
            };
            (0..m).map(job).collect()
        };
        let curve = |knob: Knob| {
            let mut jobs = vec![Job {
                work: Work::Clean,
                spec: curve::alone(spec),
                attacker: 0,
            }];
            for value in knob.places() {
                jobs.extend(rows(Work::Harm, &knob.spec(spec, value)));
            }
            jobs
        };
        let run = |planned: &Planned| Job {
            work: Work::Run,
            spec: planned.spec.clone(),
            attacker: 0,
        };
        let parts = Part::ALL.iter().map(|part| {
            let jobs = match part {
                Part::Exposure => exposure.iter().map(run).collect(),
                Part::Map => rows(Work::Row, spec),
                Part::Lambda2 => curve(Knob::Lambda2),
                Part::PullCap => curve(Knob::PullCap),
            };
            let found = vec![None; jobs.len()];
            Results { jobs, found }
        });
        Ok(Self {
            parts: parts.collect(),
            exposure,
            subject,
        })
    }

    /// The study of data.
    ///
    /// # Errors
    /// As [`Study::new`].
    pub fn of(spec: &Spec, data: &DataSet) -> Result<Self> {
        let metric = MetricName::of(data.kind);
        Self::new(spec, &data.sha256, &data.task_names, metric)
    }

    /// A specification that a study can be made of: one optimised attack that sees all points, no sanitiser.
    pub fn studied(spec: &Spec) -> Spec {
        Spec {
            method: Method::Patom,
            sanitise: Sanitise::None,
            sanitise_share: None,
            starts: 1,
            knowledge: 1.0,
            ..spec.clone()
        }
    }

    fn part(&self, part: Part) -> &Results {
        &self.parts[part as usize]
    }

    /// The jobs of a part.
    pub fn jobs(&self, part: Part) -> &[Job] {
        &self.part(part).jobs
    }

    /// Takes the result of a job.
    ///
    /// # Errors
    /// No such job; the result of another kind of job, or of another number of tasks.
    pub fn add(&mut self, part: Part, number: usize, found: Found) -> Result<()> {
        let m = self.subject.task_names.len();
        let Results {
            jobs,
            found: places,
        } = &mut self.parts[part as usize];
        let Some(job) = jobs.get(number) else {
            let expected = format!("below {}", jobs.len());
            return Err(Error::field("job", number, expected));
        };
        let fits = match (&found, job.work) {
            (Found::Row(row), Work::Row) => {
                let lengths = [row.clean.len(), row.attacked.len(), row.correlation.len()];
                row.attacker == job.attacker && lengths == [m; 3]
            }
            (Found::Harm(harm), Work::Harm) => {
                harm.attacker == job.attacker && harm.target.is_none_or(|target| target < m)
            }
            (Found::Ended(_), Work::Clean | Work::Run) => true,
            _ => false,
        };
        if !fits {
            return Err(Error::invalid(
                "result",
                format!("does not fit job {number}"),
            ));
        }
        places[number] = Some(found);
        Ok(())
    }

    /// Forgets the results of a part.
    pub fn clear(&mut self, part: Part) {
        self.parts[part as usize].found.fill(None);
    }

    /// A digest over all results of a part, in their order; none while some are missing.
    pub fn digest(&self, part: Part) -> Option<String> {
        let all: Option<Vec<&Found>> = self.part(part).found.iter().map(Option::as_ref).collect();
        let mut digester = Digester::default();
        for found in all? {
            match found {
                Found::Row(row) => {
                    digester.numbers(&row.correlation);
                    for &value in row.clean.iter().chain(&row.attacked) {
                        digester.optional(value);
                    }
                }
                Found::Harm(harm) => {
                    for value in [harm.clean, harm.worst, harm.mean, harm.direct] {
                        digester.optional(value);
                    }
                }
                Found::Ended(ended) => {
                    digester.optional(ended.clean);
                    digester.optional(ended.attacked);
                    digester.text(&ended.digest);
                }
            }
        }
        Some(digester.finish())
    }

    /// The map.
    pub fn map(&self) -> RiskMap {
        let rows: Vec<Option<&MapRow>> = (self.part(Part::Map).found.iter())
            .map(|found| match found {
                Some(Found::Row(row)) => Some(row),
                _ => None,
            })
            .collect();
        RiskMap::new(&self.subject, &rows, self.digest(Part::Map))
    }

    /// A curve.
    pub fn curve(&self, knob: Knob) -> Curve {
        let part = match knob {
            Knob::Lambda2 => Part::Lambda2,
            Knob::PullCap => Part::PullCap,
        };
        let found = &self.part(part).found;
        let single_task = match &found[0] {
            Some(Found::Ended(ended)) => ended.clean,
            _ => None,
        };
        let rows: Vec<Option<&Harm>> = (found[1..].iter())
            .map(|found| match found {
                Some(Found::Harm(harm)) => Some(harm),
                _ => None,
            })
            .collect();
        Curve::new(&self.subject, knob, single_task, &rows, self.digest(part))
    }

    /// The answer to "is my data at risk?".
    pub fn exposure(&self) -> Exposure {
        let runs: Vec<Option<&Ended>> = (self.part(Part::Exposure).found.iter())
            .map(|found| match found {
                Some(Found::Ended(ended)) => Some(ended),
                _ => None,
            })
            .collect();
        let digest = self.digest(Part::Exposure);
        Exposure::new(&self.subject, &self.exposure, &runs, digest)
    }

    /// What a part shows, a sentence each.
    pub fn findings(&self, part: Part) -> Vec<String> {
        match part {
            Part::Exposure => {
                let exposure = self.exposure();
                exposure
                    .verdict()
                    .into_iter()
                    .chain(exposure.advice())
                    .collect()
            }
            Part::Map => self.map().findings(),
            Part::Lambda2 => self.curve(Knob::Lambda2).findings(),
            Part::PullCap => self.curve(Knob::PullCap).findings(),
        }
    }

    /// The table of a part.
    pub fn csv(&self, part: Part) -> String {
        match part {
            Part::Exposure => self.exposure().csv(),
            Part::Map => self.map().csv(),
            Part::Lambda2 => self.curve(Knob::Lambda2).csv(),
            Part::PullCap => self.curve(Knob::PullCap).csv(),
        }
    }

    /// The results of all parts, for the page, computed on this date.
    ///
    /// # Errors
    /// A part that is not complete.
    pub fn published(&self, date: &str) -> Result<Published> {
        let parts = Part::ALL.iter().map(|&part| {
            let missing = || Error::data(format!("the part {} is not complete", part.word()));
            let digest = self.digest(part).ok_or_else(missing)?;
            let results: serde_json::Result<_> = (self.part(part).found.iter().flatten())
                .map(serde_json::to_value)
                .collect();
            Ok(PublishedPart {
                part,
                digest,
                results: results.map_err(|error| Error::data(error.to_string()))?,
            })
        });
        let DatasetRef::Named(dataset) = &self.subject.spec.dataset else {
            return Err(Error::data(
                "only results of a published data set are published",
            ));
        };
        let shape = Shape::named(dataset).ok_or_else(|| Error::data("no published data set"))?;
        let spec = self.subject.spec.differences(&shape);
        Ok(Published {
            engine: self.subject.engine.clone(),
            date: date.to_string(),
            seeds: exposure::SEEDS,
            data_sha256: self.subject.data_sha256.clone(),
            task_names: self.subject.task_names.clone(),
            spec: spec.into_value(),
            parts: parts.collect::<Result<_>>()?,
        })
    }
}

/// Published results of a data set.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Published {
    /// Version of the engine that computed them.
    pub engine: String,
    /// When.
    pub date: String,
    /// Seeds of the attacks of [`Part::Exposure`]; the other parts have the first of them.
    pub seeds: u64,
    /// SHA-256 of the data set.
    pub data_sha256: String,
    /// Names of the tasks.
    pub task_names: Vec<String>,
    /// The fields of the specification that are not default.
    pub spec: Value,
    /// The results.
    pub parts: Vec<PublishedPart>,
}

/// Published results of a part.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PublishedPart {
    /// Which one.
    pub part: Part,
    /// The digest of the results.
    pub digest: String,
    /// Of the jobs, in their order.
    pub results: Vec<Value>,
}

impl Published {
    /// Reads the file of a data set.
    ///
    /// # Errors
    /// Another text.
    pub fn read(text: &str) -> Result<Self> {
        serde_json::from_str(text)
            .map_err(|error| Error::field("results", error, "published results"))
    }

    /// The study that they are of, with its results.
    ///
    /// # Errors
    /// Results that do not fit the specification or their digest.
    pub fn study(&self) -> Result<Study> {
        let draft = Draft::from_value(self.spec.clone())?;
        let shape = match draft.dataset()? {
            DatasetRef::Named(name) => Shape::named(&name),
            DatasetRef::File { .. } => None,
        };
        let shape = shape.ok_or_else(|| Error::invalid("dataset", "not a published data set"))?;
        let spec = (draft.check(&shape)).map_err(|mut errors| errors.swap_remove(0))?;
        let metric = MetricName::of(spec.kind(&shape));
        let mut study = Study::new(&spec, &self.data_sha256, &self.task_names, metric)?;
        for PublishedPart {
            part,
            digest,
            results,
        } in &self.parts
        {
            for (number, value) in results.iter().enumerate() {
                let Some(job) = study.jobs(*part).get(number) else {
                    return Err(Error::field("job", number, "a job of the study"));
                };
                let found = job.work.read(value.clone())?;
                study.add(*part, number, found)?;
            }
            // Results of another version of the engine may have other jobs.
            if self.engine == ENGINE && study.digest(*part).as_ref() != Some(digest) {
                let reason = format!("{} differs from that of the results", part.word());
                return Err(Error::invalid("digest", reason));
            }
        }
        Ok(study)
    }
}
