//! `patom reproduce --defence`: runs the studies of defences (finished jobs are reused) and writes
//! docs/defence.md with its tables, and the published results that the page shows. Not here: the
//! text (`patom::defence::study`).

use std::path::Path;

use patom::data::{DataSet, synthetic};
use patom::defence::study::document::{self, Done};
use patom::defence::study::plan::{Planned, plan};
use patom::defence::study::published::Published;
use patom::defence::study::{DefenceStudy, Job, JobResult};
use patom::experiment::{self, ENGINE, Unobserved};
use patom::pool;
use patom::spec::{DATASETS, Draft, Shape, Spec};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Outcomes;
use crate::args::ReproduceArguments;
use crate::input::load_named;
use crate::output::{bar, failed, partial, print, replace, to_json, write};
use crate::reproduce::today;

/// A finished job on disk: the specification, so that a stale file is noticed, and its result.
#[derive(Serialize, Deserialize)]
struct Finished {
    spec: Value,
    result: JobResult,
}

pub fn defence(arguments: &ReproduceArguments) -> Outcomes<()> {
    let mut plan = plan(arguments.seeds)?;
    let is_wanted = |name: &str| {
        arguments.dataset.is_empty() || arguments.dataset.iter().any(|wanted| wanted == name)
    };
    plan.retain(|planned| is_wanted(planned.setting.dataset));
    let folder = arguments.work.join("defence");
    std::fs::create_dir_all(&folder).map_err(|error| failed(&folder, error))?;
    let results = run_all(&plan, &folder, arguments)?;
    let done: Vec<Done> = (plan.iter().zip(&results))
        .map(|(planned, results)| {
            let results: Vec<_> = results.iter().cloned().map(Some).collect();
            let study = DefenceStudy::of(&planned.jobs, &results).expect("all jobs are done");
            Done { planned, study }
        })
        .collect();
    let tables = arguments.out.join("defence");
    for folder in [&tables, &arguments.page] {
        std::fs::create_dir_all(folder).map_err(|error| failed(folder, error))?;
    }
    write(&tables.join("defence.csv"), &document::csv(&done))?;
    let path = arguments.out.join("defence.md");
    let mut command = format!("patom reproduce --defence --seeds {}", arguments.seeds);
    for name in &arguments.dataset {
        command += &format!(" --dataset {name}");
    }
    write(&path, &document::document(&command, arguments.seeds, &done))?;
    for name in DATASETS.into_iter().filter(|name| is_wanted(name)) {
        let base = Spec::default_of(name);
        let studies: Vec<(&Planned, &[JobResult])> = (plan.iter().zip(&results))
            .filter(|(planned, _)| {
                planned.setting.id == name
                    && (planned.budget, planned.seed) == (base.budget, base.seed)
            })
            .map(|(planned, results)| (planned, results.as_slice()))
            .collect();
        let published = Published::of(name, &today(), &studies);
        write(
            &arguments.page.join(format!("defence-{name}.json")),
            &serde_json::to_string(&published).expect("results are plain data"),
        )?;
    }
    let unfinished = done.iter().filter(|done| !done.study.converged).count();
    print(&format!(
        "{} studies, {unfinished} with a solve that did not converge; written: {}",
        done.len(),
        path.display()
    ))
}

/// The results of every study, in the order of its jobs.
fn run_all(
    plan: &[Planned],
    folder: &Path,
    arguments: &ReproduceArguments,
) -> Outcomes<Vec<Vec<JobResult>>> {
    let mut named: Vec<&str> = plan.iter().map(|planned| planned.setting.dataset).collect();
    named.dedup();
    let data = (named.into_iter())
        .filter(|&name| name != synthetic::NAME)
        .map(|name| Ok((name, load_named(name, &arguments.data)?)))
        .collect::<Outcomes<Vec<(&str, DataSet)>>>()?;
    let jobs: Vec<(&Planned, &Job)> = (plan.iter())
        .flat_map(|planned| planned.jobs.iter().map(move |job| (planned, job)))
        .collect();
    let bar = bar(jobs.len() as u64);
    let results = pool::run_all(&jobs, None, |&(planned, job)| -> Outcomes<_> {
        let found = data
            .iter()
            .find(|(name, _)| *name == planned.setting.dataset);
        let path = folder.join(format!("{}-{}.json", planned.id, job.id));
        let result = match found {
            Some((_, data)) => one(job, data, &path)?,
            None => one(job, &experiment::load_synthetic(&job.spec)?, &path)?,
        };
        bar.inc(1);
        bar.set_message(planned.id.clone());
        Ok(result)
    })?;
    bar.finish_and_clear();
    let mut results = results.into_iter();
    Ok((plan.iter())
        .map(|planned| results.by_ref().take(planned.jobs.len()).collect())
        .collect())
}

fn one(job: &Job, data: &DataSet, path: &Path) -> Outcomes<JobResult> {
    let spec = serde_json::to_value(&job.spec).expect("a specification is plain data");
    let shape = Shape::of(data);
    let kept = std::fs::read_to_string(path)
        .ok()
        .and_then(|text| serde_json::from_str::<Finished>(&text).ok())
        .filter(|kept| {
            // Fields that came later have defaults that mean what the run meant.
            let was = Draft::from_value(kept.spec.clone()).map(|draft| draft.check(&shape));
            matches!(was, Ok(Ok(was)) if was == job.spec)
                && kept.result.engine == ENGINE
                && kept.result.data_sha256 == data.sha256
        });
    if let Some(kept) = kept {
        return Ok(kept.result);
    }
    let result = JobResult::of(job, data, &mut Unobserved)?;
    let finished = Finished {
        spec,
        result: result.clone(),
    };
    write(&partial(path), &to_json(&finished))?;
    replace(path)?;
    Ok(result)
}
