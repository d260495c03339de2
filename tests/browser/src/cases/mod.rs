//! The claims about the page. To add one: an `async fn claim(page: &Page) -> Result<()>` in a file
//! here, and its name in that file's list.

mod columns;
pub mod everyone;
mod failures;
mod figures;
mod files;
mod golden;
mod kept;
pub mod lab;
mod links;
mod looks;
mod offline;
mod reading;
mod readme;
mod runs;
mod smoke;
mod soak;
mod start;
mod story;
mod take;
mod tools;

use crate::harness::Case;

/// These measure times or memory.
const ALONE: [&str; 4] = [
    "the_page_opens_with_a_finished_synthetic_result",
    "the_curve_grows_while_the_run_goes_on",
    "cancel_keeps_the_curve_and_the_next_run_works",
    "a_thousand_runs_leave_the_memory_as_it_was",
];

/// These need what only Chromium's driver can do, or say nothing about an engine: why, and which.
const CHROMIUM_ONLY: [(&str, &[&str]); 6] = [
    (
        "only Chromium's driver sets media features, pixel ratios and paper",
        &[
            "media_and_pixel_ratio_reach_the_page",
            "pictures_can_be_told_from_the_page_in_forced_colours",
            "nothing_moves_when_motion_is_unwanted",
            "pictures_are_sharp_at_any_pixel_ratio",
            "dark_pictures_are_dark",
            "a_printed_page_is_light_and_complete",
        ],
    ),
    (
        "axe reads the document, the same in every engine",
        &[
            "axe_finds_nothing_in_any_view_in_light_and_dark",
            "guides_are_accessible",
        ],
    ),
    (
        "only Chromium says what keeps a page from being installed",
        &["the_page_can_be_installed"],
    ),
    (
        "only Chromium's driver slows a page down, and counts what shifts",
        &[
            "nothing_that_is_seen_shifts_while_a_slow_machine_starts",
            "nothing_that_is_seen_shifts_when_the_page_comes_in_parts",
        ],
    ),
    (
        "long use is tried in one engine, whose processes are measured",
        &[
            "a_thousand_runs_leave_the_memory_as_it_was",
            "fifty_cancelled_sweeps_leave_no_worker",
        ],
    ),
    (
        "pictures to look at, made in Chromium",
        &[
            "guides_have_their_pictures_taken",
            "views_of_reading_have_their_pictures_taken",
            "the_page_has_its_picture_taken",
        ],
    ),
];

/// Every case there is.
pub fn all() -> Vec<Case> {
    let mut all = listed();
    for case in &mut all {
        case.alone = ALONE.contains(&case.name);
        case.chromium_only = CHROMIUM_ONLY
            .iter()
            .find(|(_, names)| names.contains(&case.name))
            .map(|(reason, _)| *reason);
    }
    all
}

fn listed() -> Vec<Case> {
    [
        tools::cases(),
        smoke::cases(),
        start::cases(),
        story::cases(),
        runs::cases(),
        golden::cases(),
        links::cases(),
        files::cases(),
        columns::cases(),
        failures::cases(),
        figures::cases(),
        kept::cases(),
        everyone::cases(),
        offline::cases(),
        looks::cases(),
        reading::cases(),
        take::cases(),
        soak::cases(),
        readme::cases(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_of_cases_is_said_of_cases_that_there_are() {
        let all: Vec<&str> = listed().iter().map(|case| case.name).collect();
        let of_chromium = CHROMIUM_ONLY.iter().flat_map(|(_, names)| names.iter());
        for name in ALONE.iter().chain(of_chromium) {
            assert!(all.contains(name), "there is no case {name}");
        }
    }
}
