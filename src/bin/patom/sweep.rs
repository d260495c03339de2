//! `patom sweep`: the runs of a grid in parallel, a row of results each.
//!
//! The folder holds `plan.jsonl` (every run, written before anything runs), `parts/*.jsonl` (the rows of
//! finished runs; each file has one writer ever, and lines are only added) and `results.csv`. A call runs
//! what no part has yet. So it may be interrupted, killed, repeated, and made in several places at once,
//! without locks.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant, SystemTime};

use indicatif::ProgressBar;
use patom::experiment::Observer;
use patom::pool;
use patom::spec::link::Link;
use patom::sweep::{self, Finished, Planned};

use crate::args::{Shard, SweepArguments};
use crate::input::{Source, find_source, read_text};
use crate::output::{bar, failed, note, print, warn, write};
use crate::{Failure, Outcomes};

/// Where no bar can be drawn, as in the log of a cluster, a line says how far the sweep is.
const LINE_EVERY: Duration = Duration::from_secs(30);

pub fn sweep(arguments: &SweepArguments) -> Outcomes<()> {
    let start = Instant::now();
    let folder = arguments.out.as_path();
    let Plan { runs, sources, .. } = &plan(arguments)?;
    let mine = share(runs, arguments.shard);
    let before = read_parts(folder)?;
    let todo: Vec<&Run> = (mine.iter())
        .filter(|run| !before.contains(&run.planned.key))
        .copied()
        .collect();
    let reused = mine.len() - todo.len();
    if arguments.plan {
        return print(&format!(
            "{} runs, {} in this shard: {reused} from earlier calls, {} to do",
            runs.len(),
            mine.len(),
            todo.len()
        ));
    }
    write_plan(folder, runs)?;
    run_all(&todo, sources, folder, arguments.threads)?;
    let done = write_table(folder, runs)?;

    let count = |is: &dyn Fn(&str) -> bool| mine.iter().filter(|run| is(&run.planned.key)).count();
    let wrong = count(&|key| done.has_failed(key));
    let unconverged = count(&|key| done.is_unconverged(key));
    let there = (runs.iter())
        .filter(|run| done.contains(&run.planned.key))
        .count();
    print(&format!(
        "Sweep: {reused} runs from earlier calls, {} run in {:.1} s; {wrong} failed, {unconverged} with a \
         solve that did not converge\nWritten: {}/results.csv, {there} of {} runs",
        todo.len(),
        start.elapsed().as_secs_f64(),
        folder.display(),
        runs.len()
    ))?;
    match wrong + unconverged {
        0 => Ok(()),
        _ => Err(Failure::Work(format!(
            "{wrong} of {} runs failed, and {unconverged} have a solve that did not converge; see the \
             columns error and converged of results.csv",
            mine.len()
        ))),
    }
}

/// A run and where its points are.
struct Run {
    planned: Planned,
    source: usize,
}

#[derive(Default)]
struct Plan {
    /// Different runs, in the order of the grid.
    runs: Vec<Run>,
    sources: Vec<Source>,
    /// What the sources were found by.
    names: Vec<String>,
}

/// Checks every specification and loads every data set once, before anything runs.
fn plan(arguments: &SweepArguments) -> Outcomes<Plan> {
    let links = sweep::expand(&read_text(&arguments.grid)?)?;
    let mut plan = Plan::default();
    let mut keys = BTreeSet::new();
    for (number, link) in links.iter().enumerate() {
        let run = plan
            .check(link, arguments)
            .map_err(|failure| match failure {
                Failure::Input(text) => {
                    Failure::Input(format!("run {} of the grid: {text}", number + 1))
                }
                other @ Failure::Work(_) => other,
            })?;
        if keys.insert(run.planned.key.clone()) {
            plan.runs.push(run);
        }
    }
    Ok(plan)
}

impl Plan {
    fn check(&mut self, link: &Link, arguments: &SweepArguments) -> Outcomes<Run> {
        let dataset = link.draft.get("dataset");
        let name = format!(
            "{dataset:?} {:?} {}",
            link.columns,
            link.draft.was_version_1()
        );
        let known = self.names.iter().position(|known| *known == name);
        let source = match known {
            Some(source) => source,
            None => {
                self.sources.push(find_source(link, &arguments.data)?);
                self.names.push(name);
                self.sources.len() - 1
            }
        };
        let found = &self.sources[source];
        let planned = Planned::new(found.check(&link.draft)?, found.data.as_ref());
        Ok(Run { planned, source })
    }
}

/// The runs of a shard: equal in number, and mixed, so that none has all the long ones.
fn share(runs: &[Run], Shard { part, of }: Shard) -> Vec<&Run> {
    let mut order: Vec<usize> = (0..runs.len()).collect();
    order.sort_by_key(|&at| &runs[at].planned.key);
    let mut mine: Vec<usize> = order.into_iter().skip(part - 1).step_by(of).collect();
    mine.sort_unstable();
    mine.into_iter().map(|at| &runs[at]).collect()
}

/// What two calls at the same time do not both write.
fn unique() -> String {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let now = now.map_or(0, |time| time.as_nanos());
    format!("{now:x}-{}", std::process::id())
}

/// Replaces a file that other calls may be replacing, too.
fn write_whole(path: &Path, text: &str) -> Outcomes<()> {
    let partial = path.with_added_extension(unique());
    write(&partial, text)?;
    std::fs::rename(&partial, path).map_err(|error| failed(path, error))
}

fn write_plan(folder: &Path, runs: &[Run]) -> Outcomes<()> {
    let parts = folder.join("parts");
    std::fs::create_dir_all(&parts).map_err(|error| failed(&parts, error))?;
    let lines: String = (runs.iter()).map(|run| run.planned.line() + "\n").collect();
    write_whole(&folder.join("plan.jsonl"), &lines)
}

/// The files with rows, in the order of their names, and their lengths.
fn parts(folder: &Path) -> Outcomes<Vec<(PathBuf, u64)>> {
    let folder = folder.join("parts");
    let entries = match std::fs::read_dir(&folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(|error| failed(&folder, error))?,
    };
    let mut parts = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|error| failed(&folder, error))?;
        let path = entry.path();
        if path.extension().is_some_and(|ending| ending == "jsonl") {
            let about = entry.metadata().map_err(|error| failed(&path, error))?;
            parts.push((path, about.len()));
        }
    }
    parts.sort();
    Ok(parts)
}

/// Every row that is there. A file that another call is writing is read as far as it is.
fn read_parts(folder: &Path) -> Outcomes<Finished> {
    let mut finished = Finished::default();
    for (path, _) in parts(folder)? {
        let bytes = std::fs::read(&path).map_err(|error| failed(&path, error))?;
        // A cut end may lie within a character; anything else that is no text is no row.
        let text = String::from_utf8_lossy(&bytes);
        let read = finished.read(&path.display().to_string(), &text);
        read.map_err(|error| Failure::Work(error.to_string()))?;
    }
    Ok(finished)
}

/// Runs what is left, and adds a row for each run as soon as it is finished.
fn run_all(
    todo: &[&Run],
    sources: &[Source],
    folder: &Path,
    threads: Option<usize>,
) -> Outcomes<()> {
    let part = Mutex::new(Part::new(folder));
    let progress = Progress::new(todo.len());
    pool::run_all(todo, threads, |run| -> Outcomes<_> {
        let planned = &run.planned;
        let data = sources[run.source].data.as_ref();
        let row = planned.run(data, &mut Clock(Instant::now()));
        // It would fail in the same way again; the others go on.
        let row = row.unwrap_or_else(|error| {
            warn(&format!("#{}: {error}", planned.link));
            planned.failed_row(&error.to_string())
        });
        part.lock()
            .expect("no thread panics with the lock")
            .add(&row)?;
        progress.step();
        Ok(())
    })?;
    progress.bar.finish_and_clear();
    Ok(())
}

struct Clock(Instant);

impl Observer for Clock {
    fn now(&mut self) -> f64 {
        self.0.elapsed().as_secs_f64()
    }
}

/// The file that this call adds rows to. It is made with the first row.
struct Part {
    folder: PathBuf,
    path: Option<PathBuf>,
}

impl Part {
    fn new(folder: &Path) -> Self {
        Self {
            folder: folder.join("parts"),
            path: None,
        }
    }

    /// Opened and closed for each row: closing is what makes a row visible to others on a network disk.
    fn add(&mut self, row: &str) -> Outcomes<()> {
        let path = match &self.path {
            Some(path) => path,
            None => {
                let path = self.folder.join(format!("{}.jsonl", unique()));
                // No file of another machine that happens to have the same name.
                File::create_new(&path).map_err(|error| failed(&path, error))?;
                self.path.insert(path)
            }
        };
        let added = OpenOptions::new().append(true).open(path);
        let added = added.and_then(|mut file| file.write_all(format!("{row}\n").as_bytes()));
        added.map_err(|error| failed(path, error))
    }
}

/// Writes results.csv: the rows of the plan that are there, in its order. Of calls that end at the same
/// time, the last one to write has seen the rows of all.
fn write_table(folder: &Path, runs: &[Run]) -> Outcomes<Finished> {
    loop {
        let seen = parts(folder)?;
        let done = read_parts(folder)?;
        let rows = runs.iter().filter_map(|run| done.row(&run.planned.key));
        write_whole(&folder.join("results.csv"), &sweep::csv(rows)?)?;
        if parts(folder)? == seen {
            return Ok(done);
        }
    }
}

/// A bar on a terminal; elsewhere a line now and then.
struct Progress {
    bar: ProgressBar,
    runs: usize,
    start: Instant,
    /// How many runs are done, and when the last line was printed.
    state: Mutex<(usize, Instant)>,
}

impl Progress {
    fn new(runs: usize) -> Self {
        let start = Instant::now();
        Self {
            bar: bar(runs as u64),
            runs,
            start,
            state: Mutex::new((0, start)),
        }
    }

    fn step(&self) {
        self.bar.inc(1);
        let mut state = self.state.lock().expect("no thread panics with the lock");
        let (done, last) = &mut *state;
        *done += 1;
        if self.bar.is_hidden() && last.elapsed() >= LINE_EVERY {
            *last = Instant::now();
            note(&progress_line(*done, self.runs, self.start.elapsed()));
        }
    }
}

fn progress_line(done: usize, runs: usize, elapsed: Duration) -> String {
    let left = elapsed.as_secs_f64() * (runs - done) as f64 / done as f64;
    let unit = match left {
        left if left < 120.0 => format!("{left:.0} s"),
        left if left < 7200.0 => format!("{:.0} min", left / 60.0),
        left => format!("{:.1} h", left / 3600.0),
    };
    format!("{done} of {runs} runs, {unit} left")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_left_is_in_a_unit_that_fits() {
        let after = |done, seconds| progress_line(done, 1000, Duration::from_secs(seconds));
        assert_eq!(after(500, 100), "500 of 1000 runs, 100 s left");
        assert_eq!(after(100, 100), "100 of 1000 runs, 15 min left");
        assert_eq!(after(10, 360), "10 of 1000 runs, 9.9 h left");
    }

    #[test]
    fn shards_are_disjoint_equal_and_together_everything() {
        let runs: Vec<Run> = (0..103)
            .map(|seed| {
                let link = format!("v=2&s={seed}");
                let draft = patom::spec::link::decode(&link).map(|link| link.draft);
                let shape = patom::spec::Shape::named("synthetic").expect("always there");
                let spec = draft.expect("a link").check(&shape).expect("valid");
                let planned = Planned::new(spec, None);
                Run { planned, source: 0 }
            })
            .collect();
        let mut seen = BTreeSet::new();
        for part in 1..=7 {
            let share = share(&runs, Shard { part, of: 7 });
            assert!((14..=15).contains(&share.len()));
            assert!(share.iter().all(|run| seen.insert(&run.planned.key)));
        }
        assert_eq!(seen.len(), runs.len());
    }
}
