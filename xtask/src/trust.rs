//! `cargo xtask trust`: docs/trust.md, what was tried, how often, and what was found.
//!
//! Every number is read from a record: tests leave theirs in `target/trust`, each step of
//! `cargo xtask test` the names of what held, long runs of `cargo xtask fuzz --record` theirs in
//! `fuzz/records`. What has no record is called "not run".

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::{Map, Value, json};

use crate::build;
use crate::test::{Tally, golden};
use crate::workspace::Workspace;

const NOT_RUN: &str = "not run";
const ENGINES: [(&str, &str); 3] = [
    ("chromium", "Chromium"),
    ("firefox", "Firefox"),
    ("webkit", "WebKit"),
];

/// What surrounds the page fails, and the end-to-end case that makes it fail.
const FAILURES: [(&str, &str); 25] = [
    (
        "the worker is killed",
        "a_killed_worker_is_noticed_and_survived",
    ),
    (
        "the worker does not start",
        "a_worker_that_cannot_start_is_said_and_not_tried_for_ever",
    ),
    (
        "a worker of a figure dies",
        "a_worker_that_dies_fails_its_run_alone",
    ),
    ("the wasm traps", "a_panic_is_shown_and_survived"),
    (
        "the wasm traps once: the run begins again",
        "a_run_that_broke_down_begins_again",
    ),
    (
        "it traps once in a figure",
        "a_worker_that_breaks_down_once_fails_no_run",
    ),
    (
        "a result is wrong, where each run is computed twice",
        "a_wrong_result_is_noticed_where_runs_are_computed_twice",
    ),
    (
        "a result of a figure is wrong there",
        "a_wrong_result_of_one_run_changes_no_figure",
    ),
    ("memory runs out", "too_little_memory_is_said_and_survived"),
    (
        "storage is full or blocked",
        "a_browser_that_keeps_nothing_is_good_enough",
    ),
    (
        "what is stored is of another version",
        "records_of_another_version_are_passed_over",
    ),
    (
        "the store of the page's files is broken",
        "a_browser_whose_store_of_files_is_broken_loads_them",
    ),
    (
        "a part of the page does not come",
        "a_page_whose_parts_do_not_come_says_so",
    ),
    (
        "a part that is loaded later does not come",
        "parts_that_did_not_come_are_asked_for_again",
    ),
    (
        "a data set is not there",
        "a_data_set_that_is_missing_says_where_to_put_which_file",
    ),
    (
        "a bundle cannot be loaded",
        "a_bundle_that_cannot_be_loaded_is_explained",
    ),
    (
        "a bundle is cut short",
        "a_bundle_that_breaks_off_is_explained_and_loaded_anew",
    ),
    ("a bundle is altered", "an_altered_bundle_is_refused"),
    (
        "the network is gone",
        "after_one_visit_the_page_works_without_a_server",
    ),
    (
        "the host hangs",
        "a_host_that_hangs_does_not_keep_a_known_page_waiting",
    ),
    ("the host alters a file", "what_a_host_altered_is_not_kept"),
    (
        "a new version is published meanwhile",
        "a_new_version_leaves_an_open_tab_its_files_and_its_run",
    ),
    (
        "the tab is reloaded in a long run",
        "a_reload_in_a_long_run_keeps_its_curve",
    ),
    (
        "two tabs write at once",
        "two_tabs_lose_nothing_to_each_other",
    ),
    (
        "a very old link, a newer link",
        "an_old_link_reproduces_and_a_newer_one_is_refused",
    ),
];

/// What a visitor's browser is kept from, and the end-to-end case that tries it.
const IN_BROWSERS: [(&str, &str); 4] = [
    (
        "no view asks another host, and none could",
        "views_are_in_order_have_names_fit_and_ask_no_other_host",
    ),
    (
        "nothing in a link becomes markup",
        "nothing_in_a_link_becomes_markup",
    ),
    (
        "nothing in a picture becomes markup",
        "nothing_in_a_picture_becomes_markup",
    ),
    (
        "bad links are explained",
        "bad_links_are_explained_and_leave_a_working_page",
    ),
];

/// Packages, headers and the server, with the native test or check.
const HOST: [(&str, &str); 10] = [
    (
        "licences of all packages are on the list of deny.toml",
        "cargo-deny licenses",
    ),
    (
        "no package that picks its instructions at run time",
        "cargo-deny bans",
    ),
    (
        "packages come from the registry alone",
        "cargo-deny sources",
    ),
    ("no package has a known weakness", "cargo-deny advisories"),
    ("no development tool has one", "npm audit"),
    (
        "unsafe code is forbidden in every package of ours",
        "no package may hold unsafe code",
    ),
    (
        "types, nosniff, Referrer-Policy, Content-Security-Policy",
        "types_and_headers_are_those_of_a_careful_host",
    ),
    (
        "scripts from the page's own host only, none inline",
        "no_policy_allows_inline_scripts",
    ),
    (
        "only this computer is served unless told",
        "only_this_computer_is_served_unless_told",
    ),
    (
        "no path leads out of the folder",
        "no_path_leads_out_of_the_folder",
    ),
];

/// What the tests found and what was mended, with the test that failed first.
const FOUND: [(&str, &str); 27] = [
    (
        "A task whose test labels are all equal had an NMSE, made of rounding alone. It has none now.",
        "a_constant_label_has_no_nmse_and_standardised_no_weights",
    ),
    (
        "With almost no penalty the alternation went round in circles and the certified solver stalled.",
        "almost_no_penalty_and_the_squared_hinge_end_within_bounds",
    ),
    (
        "A hostile picture claimed a length whose sum overflowed in wasm.",
        "what_carries_nothing_or_something_bad_is_refused_with_words",
    ),
    (
        "A field given twice in JSON was taken silently.",
        "text_that_is_no_json_object_is_told_by_line_or_field",
    ),
    (
        "Results that waited to be kept piled up in memory.",
        "a_thousand_runs_leave_the_memory_as_it_was",
    ),
    (
        "The marks that time a run were never cleared: four more with every run.",
        "a_thousand_runs_leave_the_memory_as_it_was",
    ),
    (
        "Raw data files were copied into the published folder.",
        "raw_files_and_stamps_beside_the_bundles_are_not_published",
    ),
    (
        "Fuzzing: an empty matrix of a MAT file that claims a thousand million rows took seconds.",
        "an_empty_matrix_of_any_number_of_rows_takes_no_time",
    ),
    (
        "Fuzzing: the message about an unknown field repeated its name, however long.",
        "text_that_is_no_json_object_is_told_by_line_or_field",
    ),
    (
        "Fuzzing: the true correlation in a bundle could be NaN or beyond 1.",
        "a_true_correlation_that_is_none_is_refused",
    ),
    (
        "Three packages of ours stated no licence.",
        "cargo-deny licenses",
    ),
    (
        "Unsafe code was denied, which a line in the code could lift. It is forbidden now.",
        "no package may hold unsafe code",
    ),
    (
        "A quote that was never closed in a CSV file swallowed all rows after it, without a word.",
        "a_quote_that_is_not_closed_is_told_by_its_line",
    ),
    (
        "A small file of many tasks with many features took more memory than there is.",
        "more_tasks_of_many_features_than_memory_holds_are_refused",
    ),
    (
        "`--data` lost to a file of the same name in the current folder.",
        "the_folder_that_is_named_comes_before_the_current_one",
    ),
    (
        "A task's name of 70,000 letters ended the command line.",
        "a_task_has_a_name_that_fits_on_a_screen",
    ),
    (
        "Control characters of a file reached the terminal.",
        "an_excerpt_is_short_and_has_no_control_characters",
    ),
    (
        "A result that could not be written was lost, or stood beside the points of another.",
        "a_result_that_cannot_be_written_is_printed_and_replaces_no_file",
    ),
    (
        "A browser whose store of files is broken could not open the page any more.",
        "a_browser_whose_store_of_files_is_broken_loads_them",
    ),
    (
        "A page without one of its parts said \"Starting\" for ever.",
        "a_page_whose_parts_do_not_come_says_so",
    ),
    (
        "Run, pressed twice, cancelled itself; in a figure it also erased what was kept.",
        "a_sweep_without_a_result_leaves_the_one_before",
    ),
    (
        "One stored record of another shape hid all results, and closed a figure for good.",
        "records_of_another_version_are_passed_over",
    ),
    (
        "A file that could not be used ended the run that was going on.",
        "a_bad_file_leaves_a_run_alone",
    ),
    (
        "With other settings than its link's, the right file made the page call the link altered.",
        "a_link_to_a_file_is_held_to_its_own_settings",
    ),
    (
        "In Firefox, a run on a first visit held up whatever the page loaded until it was over.",
        "a_run_does_not_keep_the_page_from_being_kept",
    ),
    (
        "Data that came when the service worker was there already, but were asked for before, were not \
         kept.",
        "data_that_come_late_on_a_first_visit_are_kept",
    ),
    (
        "A wrong result that WebKit computed was shown as any other, unless a link told the right one.",
        "a_wrong_result_is_noticed_where_runs_are_computed_twice",
    ),
];

/// What is known of the engine in WebKit: counted by hand, once.
const WEBKIT: &str = "\
**On a busy machine WebKit 2.50.6 (Linux, x86-64) does not always run the engine rightly. The \
page computes twice there (the last point below); the cause is not known.** In one whole run of the \
tests, with three browsers at work, MNIST had another digest there with two workers than natively \
(18ba1c73ae35f69d, not 665374079d8e1334); later, \
beside four or more busy programs, `landmine_paper` had one too (6bc6b97a1e384a74, not \
e1b342920cf94b59; two workers). Besides, runs end in failures that the program cannot have: \
an index beyond a length that is 0 and cannot be, an address beyond the memory. But for what the \
table says, all whole runs were equal.\n\n\
| where | engine | circumstances | went wrong |\n\
| --- | --- | --- | --- |\n\
| page | one large function | all golden specifications over and over, several workers, modules \
compiled anew for every few runs | 7 of some 3,000 runs |\n\
| page | one large function | `mnist_paper`, eight workers, compilers that optimise earlier \
(WebKit's own options lower two thresholds) | 45 of 904 runs |\n\
| page | as it is now | the same | 0 of 432 runs, 280 of \
them with two innermost functions apart too, which halved the speed and was not kept |\n\
| page | as it is now | all golden specifications, beside four or more busy programs | 4 of 10 \
rounds, three in `landmine_paper` (digests 6bc6b97a1e384a74 and 6b25bcfeaa6e39d1 with two workers, \
an address beyond the memory with one) |\n\
| page | as it is now | `landmine_paper` alone, beside busy programs | 0 of 800 runs |\n\
| page | as it is now | all golden specifications, beside five busy programs, on another day | 0 of 9 \
rounds |\n\
| page | as it is now | beside six, with the thresholds lowered | 0 of 5 rounds |\n\
| page | as it is now | beside six, on a third day; what breaks down would begin again: nothing did | 0 of 6 \
rounds |\n\
| page | as it is now | figure 1 on Sarcos with four workers (digest 341114194b4ea4ed, not \
8ba1dc6aef1b9bb1), in a whole run of the tests on a fourth day | 1 figure |\n\
| page | as it is now, each run computed twice | all golden specifications, beside six busy programs, on the \
fourth day | 0 of 9 rounds; at least 3 runs began again |\n\
| page | the same | beside twelve | 0 of 1 round; one more did not end in 400 s |\n\
| JavaScriptCore's shell | one large function | `mnist_paper`, eight agents, beside four busy \
programs, thresholds lowered | 1 of 72 runs |\n\
| JavaScriptCore's shell | as it is now | the same specification: by itself, with thresholds lowered, \
beside a compiler | 0 of 3 x 864 runs |\n\n\
- Where the place was recorded (7 of 7), it was in the one function into which our compiler had \
put a whole run (`experiment::run`, 22 kB, 111 local variables). The phases of a run are functions \
of their own now, the largest has 9 kB, and a check keeps it so. That helps, and is no cure.\n\
- It happens in the shell too: so neither page, driver, shared modules nor ended workers are needed. \
It happened with one module for all workers and with one for each; with and without 128-bit vectors; \
with the last of WebKit's compilers switched off, or the entering of loops that are running already.\n\
- Not seen in Chromium, Firefox, Node or natively. The machine was tried: 536 million checks of \
registers across 18,103 signals, as WebKit sends them to stop its threads, and 27 million accesses to \
pages whose protection other threads change: 0 wrong. So the fault is likely WebKit's, in the code that \
it compiles while it runs. Known faults there (bug 301435: loops entered in optimised code load \
floating-point registers wrongly; bug 298802: code published before it is complete) fit, but neither \
was shown to be the cause.\n\
- What the page does: in WebKit it computes each run twice, one after the other in one worker, which takes \
up to twice as long. If the digests differ, or a run breaks down in any browser, it begins again, once, in \
an engine that is compiled anew; what goes wrong then is told. A fault that gave the same wrong result \
twice would still go unnoticed there; a link and a saved picture carry the digest, and are compared when \
they are opened. The reading of data is not done twice.\n";

/// What was seen, and neither explained nor mended.
const OPEN: [&str; 2] = [
    "WebKit 2.50 did not answer its driver any more when the page was opened again right after \
     pkg/engine.js alone had failed to load (4 of 4 tries); by way of another page it did.",
    "On a busy machine WebKit 2.50 once ended a worker (\"The browser ended the calculation\"; \
     regression_fixed_covariance, two workers).",
];

/// Where tests leave their records.
pub fn folder(workspace: &Workspace) -> PathBuf {
    workspace.target.join("trust")
}

/// Writes the record of a test; `name` may begin with folders.
///
/// # Errors
/// When it cannot be written.
pub fn record(workspace: &Workspace, name: &str, value: &Value) -> Result<()> {
    let path = folder(workspace).join(format!("{name}.json"));
    fs::create_dir_all(path.parent().context("a file is in a folder")?)?;
    fs::write(&path, format!("{value:#}\n"))
        .with_context(|| format!("cannot write {}", path.display()))
}

/// Removes the records of earlier runs.
pub fn forget(workspace: &Workspace) {
    let _ = fs::remove_dir_all(folder(workspace));
}

/// What a step of `cargo xtask test` came to. The end-to-end tests may run in parts, an engine or a
/// case at a time: what is known of the others stays.
///
/// # Errors
/// When it cannot be written.
pub fn remember(workspace: &Workspace, step: &str, tally: &Tally) -> Result<()> {
    let name = format!("steps/{step}");
    let old = read(&folder(workspace).join(format!("{name}.json")));
    let all = match old {
        Some(old) if step == END_TO_END => joined(tally, &old),
        _ => tally.clone(),
    };
    record(workspace, &name, &json!(all))
}

const END_TO_END: &str = "end-to-end";

/// The outcomes of both, the new one where a test has two. Every test has a name.
fn joined(new: &Tally, old: &Value) -> Tally {
    let mut all = new.clone();
    let is_new = |entry: &str| {
        (new.held.iter().chain(&new.failed).chain(&new.skipped))
            .any(|name| outcome_name(name) == outcome_name(entry))
    };
    let kept = |list: &str| -> Vec<String> {
        let entries = strings(&old[list]).filter(|entry| !is_new(entry));
        entries.map(Into::into).collect()
    };
    all.held.extend(kept("held"));
    all.failed.extend(kept("failed"));
    all.skipped.extend(kept("skipped"));
    all.passed = all.held.len();
    all
}

/// The name of a test in a list of a [`Tally`], where a reason may follow.
fn outcome_name(entry: &str) -> &str {
    entry.split_once(": ").map_or(entry, |(name, _)| name)
}

fn strings(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
}

fn read(path: &Path) -> Option<Value> {
    serde_json::from_str(&fs::read_to_string(path).ok()?).ok()
}

/// All records, as they were found.
struct Records {
    /// By path below `target/trust`, without its ending.
    trust: BTreeMap<String, Value>,
    /// The long runs, by target.
    fuzz: BTreeMap<String, Value>,
}

/// Writes docs/trust.md.
///
/// # Errors
/// When it cannot be written.
pub fn write(workspace: &Workspace) -> Result<()> {
    let records = Records {
        trust: read_all(&folder(workspace)),
        fuzz: read_all(&crate::fuzz::records(workspace)),
    };
    let path = workspace.root.join("docs/trust.md");
    fs::write(&path, records.document())?;
    println!("written: docs/trust.md");
    Ok(())
}

fn read_all(folder: &Path) -> BTreeMap<String, Value> {
    let mut found = BTreeMap::new();
    let mut waiting = vec![(folder.to_path_buf(), String::new())];
    while let Some((folder, before)) = waiting.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let name = format!("{before}{}", entry.file_name().to_string_lossy());
            if entry.path().is_dir() {
                waiting.push((entry.path(), format!("{name}/")));
            } else if let (Some(stem), Some(value)) =
                (name.strip_suffix(".json"), read(&entry.path()))
            {
                found.insert(stem.to_owned(), value);
            }
        }
    }
    found
}

impl Records {
    fn document(&self) -> String {
        format!(
            "# What was tried, and what was found\n\n\
             Written by `cargo xtask trust` from the records of `cargo xtask test` and \
             `cargo xtask fuzz --record`. No number in the tables is typed by hand; \"{NOT_RUN}\" means that \
             there is no record. Engine {}.\n\n{}",
            build::version(),
            [
                self.digits(),
                self.other_programs(),
                self.hostile_input(),
                self.properties(),
                self.edge_cases(),
                self.failures(),
                self.host(),
                self.long_use(),
                self.found(),
                self.steps(),
            ]
            .join("\n")
        )
    }

    fn digits(&self) -> String {
        let count = golden::all().count();
        let mut text = format!(
            "## The same digits everywhere\n\n\
             A digest is taken over a whole report. {count} golden specifications \
             (`tests/common/golden.rs`: the synthetic data, Landmine, Sarcos and MNIST) reach both \
             losses, both solvers, all gradients and every other choice. Their digests, compared \
             with the native ones:\n\n\
             | where | threads or workers | equal |\n| --- | --- | --- |\n"
        );
        let places = [("native", "native"), ("node", "Node")];
        for (key, name) in places.into_iter().chain(ENGINES) {
            let cells = match self.trust.get(&format!("golden/{key}")) {
                None => format!("| {NOT_RUN}"),
                Some(record) => {
                    let workers: Vec<String> = record["workers"]
                        .as_array()
                        .into_iter()
                        .flatten()
                        .map(Value::to_string)
                        .collect();
                    let again: Vec<&str> = record["repeated"]
                        .as_array()
                        .into_iter()
                        .flatten()
                        .filter_map(Value::as_str)
                        .collect();
                    let again = match again.len() {
                        0 => String::new(),
                        count => format!(", a second try in {count} ({})", again.join("; ")),
                    };
                    format!(
                        "{} | {} of {count}{again}",
                        workers.join(", "),
                        record["equal"]
                    )
                }
            };
            let _ = writeln!(text, "| {name} | {cells} |");
        }
        text
    }

    fn other_programs(&self) -> String {
        let optima = self.trust.get("optima").map_or(NOT_RUN.into(), |record| {
            format!(
                "{} problems | the farthest is {} off, {} allowed",
                record["problems"],
                power(&record["farthest_from_cvxpy"]),
                power(&record["bound"])
            )
        });
        let reports = self.trust.get("verified").map_or(NOT_RUN.into(), |record| {
            format!(
                "{} reports, {} of them of random files of users | {} verified, {} with \
                 discrepancies, {} not run",
                record["reports"],
                record["of_user_files"],
                record["verified"],
                length(&record["discrepancies"]),
                length(&record["not_run"])
            )
        });
        let matlab = self.trust.get("matlab").map_or(NOT_RUN.into(), |record| {
            let counts = record["counts"].as_object();
            let counts: Vec<String> = (counts.into_iter().flatten())
                .map(|(what, n)| format!("{n} {what}"))
                .collect();
            let files = record["files"].as_object().map_or(0, Map::len);
            format!("{files} files | {}", counts.join(", "))
        });
        format!(
            "## Compared with other programs\n\n| what | tried | found |\n| --- | --- | --- |\n\
             | optima against CVXPY | {} |\n\
             | reports derived again from their points, in Python | {} |\n\
             | MAT files read by SciPy and by us | {} |\n",
            two(&optima),
            two(&reports),
            two(&matlab)
        )
    }

    fn hostile_input(&self) -> String {
        let mut text = String::from(
            "## Hostile input\n\nEach reader takes any bytes and ends in a value or a named error, \
             without a panic, in bounded time and memory. `cargo xtask test` tries the same inputs \
             every time; `cargo xtask fuzz` lets libFuzzer look for others; what it found is mended \
             and listed below, and the run was repeated.\n\n\
             | reader | in every test run | findings | long run | findings |\n\
             | --- | --- | --- | --- | --- |\n",
        );
        let fixed = self.trust.get("hostile_input");
        for name in crate::fuzz::TARGETS {
            let of = |record: Option<&Value>| {
                let target = record?["targets"]
                    .as_array()?
                    .iter()
                    .find(|target| target["target"] == name)?;
                Some((
                    thousands(&target["executions"]),
                    length(&target["findings"]),
                    target["seconds"].as_f64()?,
                ))
            };
            let short = of(fixed).map_or(format!("{NOT_RUN} |"), |(executions, found, _)| {
                format!("{executions} | {found}")
            });
            let record = self.fuzz.get(name);
            let long = of(record).map_or(format!("{NOT_RUN} |"), |(executions, found, seconds)| {
                let engine = record.and_then(|one| one["engine"].as_str());
                let engine = engine.unwrap_or_default();
                format!("{executions} in {seconds:.0} s ({engine}) | {found}")
            });
            let _ = writeln!(text, "| {name} | {short} | {long} |");
        }
        text
    }

    fn properties(&self) -> String {
        let mut text = String::from(
            "## Properties\n\nOn random specifications, problems and links \
             (`tests/properties.rs`):\n\n| what holds | cases |\n| --- | --- |\n",
        );
        match self.trust.get("properties").and_then(Value::as_object) {
            None => text += &format!("| {NOT_RUN} | |\n"),
            Some(properties) => {
                for (what, cases) in properties {
                    let _ = writeln!(text, "| {what} | {cases} |");
                }
            }
        }
        text
    }

    fn edge_cases(&self) -> String {
        let mut text = String::from(
            "## Numerical edge cases\n\nEach runs through the whole engine with both solvers, and \
             with both losses where its labels allow both (`tests/edge_cases.rs` holds the answer \
             that is expected). A run trains twice, without and with the attack. The certificate bounds how far the optimum may be.\n\n\
             | case | runs | certified solver ends | alternation ends |\n\
             | --- | --- | --- | --- |\n",
        );
        let mut groups: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
        for (name, record) in &self.trust {
            let Some(case) = name.strip_prefix("edge_cases/") else {
                continue;
            };
            let group = case.split(", ").next().unwrap_or(case);
            let tried = record["tried"].as_array().into_iter().flatten();
            groups.entry(group).or_default().extend(tried);
        }
        if groups.is_empty() {
            text += &format!("| {NOT_RUN} | | | |\n");
        }
        for (group, tried) in groups {
            let ends = |solver: &str| {
                let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
                let mut worst: f64 = 0.0;
                for run in tried.iter().filter(|run| run["solver"] == solver) {
                    for status in [&run["status"], &run["attacked_status"]] {
                        *counts.entry(status.as_str().unwrap_or("?")).or_default() += 1;
                    }
                    let objective = run["objective"].as_f64().unwrap_or(f64::NAN);
                    let certificate = run["certificate"].as_f64().unwrap_or(f64::NAN);
                    worst = worst.max(certificate / objective.max(1.0));
                }
                if counts.is_empty() {
                    return NOT_RUN.into();
                }
                let words: Vec<String> = (counts.iter())
                    .map(|(status, n)| format!("{n} {}", status.replace('_', " ")))
                    .collect();
                format!("{}, certificate at most {worst:.0e}", words.join(", "))
            };
            let _ = writeln!(
                text,
                "| {group} | {} | {} | {} |",
                tried.len(),
                ends("certified"),
                ends("alternating")
            );
        }
        text
    }

    fn failures(&self) -> String {
        let mut text = String::from(
            "## When the surroundings fail\n\nEnd to end in real browsers. Each time: words for the \
             user, nothing lost, and the next run works.\n\n",
        );
        text += &self.in_browsers("what happens", &FAILURES);
        text
    }

    fn in_browsers(&self, title: &str, cases: &[(&str, &str)]) -> String {
        let mut text =
            format!("| {title} | Chromium | Firefox | WebKit |\n| --- | --- | --- | --- |\n");
        for (what, case) in cases {
            let outcomes = ENGINES.map(|(key, _)| self.outcome(&format!("{key}::{case}")));
            let _ = writeln!(text, "| {what} | {} |", outcomes.join(" | "));
        }
        text
    }

    fn host(&self) -> String {
        let mut text = String::from(
            "## Packages, headers, and what a link may do\n\n| what | outcome |\n| --- | --- |\n",
        );
        for (what, test) in HOST {
            let _ = writeln!(text, "| {what} | {} |", self.outcome(test));
        }
        if let Some(paths) = self.trust.get("server") {
            let _ = writeln!(
                text,
                "\n{} paths out of the folder were tried; {} led there.",
                paths["tried"], paths["led_out"]
            );
        }
        text + "\n" + &self.in_browsers("in the browser", &IN_BROWSERS)
    }

    fn long_use(&self) -> String {
        let memory = self.trust.get("soak").map_or(
            format!("Runs in one tab: {NOT_RUN}.\n"),
            |record| {
                let sizes: Vec<String> = (record["mebibytes"].as_array().into_iter().flatten())
                    .map(|size| format!("{:.0}", size.as_f64().unwrap_or(f64::NAN)))
                    .collect();
                format!(
                    "{} runs in one tab, after {} to warm up: the processes of the browser held \
                     {} MiB before, in the middle and after; {:.0} MiB more are allowed.\n",
                    record["runs"],
                    record["warm_up"],
                    sizes.join(", "),
                    record["bound"].as_f64().unwrap_or(f64::NAN)
                )
            },
        );
        let cases = [
            (
                "a thousand runs",
                "a_thousand_runs_leave_the_memory_as_it_was",
            ),
            (
                "a sweep cancelled fifty times leaves no worker",
                "fifty_cancelled_sweeps_leave_no_worker",
            ),
        ];
        format!(
            "## Long use\n\n{memory}\n{}",
            self.in_browsers("what", &cases)
        )
    }

    fn found(&self) -> String {
        let mut text = String::from(
            "## What was found\n\nMended, each with a test that failed first, or a check that did:\n\n\
             | what was wrong | test | now |\n| --- | --- | --- |\n",
        );
        for (what, test) in FOUND {
            let _ = writeln!(text, "| {what} | {test} | {} |", self.outcome(test));
        }
        let _ = write!(text, "\n{WEBKIT}");
        text += "\nNot explained:\n\n";
        for what in OPEN {
            let _ = writeln!(text, "- {what}");
        }
        text
    }

    fn steps(&self) -> String {
        let mut text = String::from(
            "## All tests\n\n| step | passed | failed | skipped |\n| --- | --- | --- | --- |\n",
        );
        let mut skipped = String::new();
        for step in crate::test::step_names() {
            let Some(record) = self.trust.get(&format!("steps/{step}")) else {
                let _ = writeln!(text, "| {step} | {NOT_RUN} | | |");
                continue;
            };
            let _ = writeln!(
                text,
                "| {step} | {} | {} | {} |",
                record["passed"],
                length(&record["failed"]),
                length(&record["skipped"])
            );
            for name in strings(&record["skipped"]) {
                let _ = writeln!(skipped, "- {step}: {name}");
            }
        }
        if !skipped.is_empty() {
            text += &format!("\nSkipped, with the reason:\n\n{skipped}");
        }
        text
    }

    /// How the test of this name ended; in the browsers the name begins with the engine's.
    fn outcome(&self, test: &str) -> String {
        let is_it = |name: &str| {
            name == test
                || name
                    .strip_suffix(test)
                    .is_some_and(|rest| rest.ends_with("::"))
        };
        for (name, record) in &self.trust {
            if !name.starts_with("steps/") {
                continue;
            }
            if strings(&record["failed"]).any(|name| is_it(outcome_name(name))) {
                return "**fails**".into();
            }
            if strings(&record["held"]).any(is_it) {
                return "holds".into();
            }
            if let Some(entry) = strings(&record["skipped"]).find(|name| is_it(outcome_name(name)))
            {
                let reason = entry.split_once(": ").map_or("", |(_, reason)| reason);
                return format!("skipped: {reason}");
            }
        }
        NOT_RUN.into()
    }
}

/// Both cells, where one says it all.
fn two(cells: &str) -> String {
    if cells == NOT_RUN {
        format!("{NOT_RUN} |")
    } else {
        cells.into()
    }
}

fn length(list: &Value) -> usize {
    list.as_array().map_or(0, Vec::len)
}

fn power(number: &Value) -> String {
    number
        .as_f64()
        .map_or(NOT_RUN.into(), |x| format!("{x:.0e}"))
}

/// 1234567 as 1,234,567.
fn thousands(number: &Value) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn empty() -> Records {
        Records {
            trust: BTreeMap::new(),
            fuzz: BTreeMap::new(),
        }
    }

    #[test]
    fn what_has_no_record_is_not_run() {
        let text = empty().document();
        assert!(text.contains("| Node | | not run |"), "{text}");
        assert!(
            text.contains("| matlab | not run | | not run | |"),
            "{text}"
        );
        assert!(!text.contains("| holds"), "{text}");
    }

    #[test]
    fn numbers_and_outcomes_are_those_of_the_records() {
        let mut records = empty();
        let count = golden::all().count();
        let equal = json!({"equal": 7, "workers": [1, 2, 4]});
        records.trust.insert("golden/node".into(), equal);
        let step = json!({
            "passed": 2,
            "failed": ["webkit::an_altered_bundle_is_refused"],
            "skipped": ["firefox::an_altered_bundle_is_refused: no network"],
            "held": ["server::tests::no_path_leads_out_of_the_folder",
                "chromium::an_altered_bundle_is_refused"],
        });
        records.trust.insert("steps/end-to-end".into(), step);
        let target =
            json!({"target": "csv", "executions": 1_234_567, "seconds": 600, "findings": []});
        let long = json!({"engine": "libFuzzer", "targets": [target]});
        records.fuzz.insert("csv".into(), long);
        let text = records.document();
        for line in [
            &format!("| Node | 1, 2, 4 | 7 of {count} |"),
            "| a bundle is altered | holds | skipped: no network | **fails** |",
            "| no path leads out of the folder | holds |",
            "| csv | not run | | 1,234,567 in 600 s (libFuzzer) | 0 |",
            "| end-to-end | 2 | 1 | 1 |",
            "- end-to-end: firefox::an_altered_bundle_is_refused: no network",
        ] {
            assert!(text.contains(line), "{line} is not in {text}");
        }
    }

    #[test]
    fn a_part_of_the_end_to_end_tests_leaves_the_other_outcomes() {
        let old = json!({"passed": 1, "failed": ["chromium::b"], "skipped": ["webkit::a: why"],
            "held": ["chromium::a"]});
        let new = Tally {
            passed: 1,
            held: vec!["chromium::b".into()],
            ..Tally::default()
        };
        let all = joined(&new, &old);
        assert_eq!(all.held, ["chromium::b", "chromium::a"]);
        assert_eq!(all.skipped, ["webkit::a: why"]);
        assert_eq!(all.line(), "2 passed, 0 failed, 1 skipped");
    }

    #[test]
    fn every_test_that_the_document_names_exists() {
        let workspace = Workspace::find().unwrap();
        let mut sources = String::new();
        for folder in ["src", "tests", "xtask/src"] {
            for (path, bytes) in crate::site::read_folder(&workspace.root.join(folder)).unwrap() {
                // Not this table itself.
                if path != "trust.rs" {
                    sources += &String::from_utf8_lossy(&bytes);
                }
            }
        }
        let named = [&FAILURES[..], &IN_BROWSERS, &HOST, &FOUND].concat();
        for (_, test) in named {
            let function = sources.contains(&format!("fn {test}("));
            let check = sources.contains(&format!("\"{test}\""))
                || test
                    .strip_prefix("cargo-deny ")
                    .is_some_and(|rules| sources.contains(&format!("\"{rules}\"")));
            assert!(function || check, "{test}");
        }
    }
}
