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

/// Every case there is.
pub fn all() -> Vec<Case> {
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
