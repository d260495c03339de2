//! The claims about the page. To add one: an `async fn claim(page: &Page) -> Result<()>` in a file
//! here, and its name in that file's list.

mod smoke;
mod tools;

use crate::harness::Case;

/// Every case there is.
pub fn all() -> Vec<Case> {
    [tools::cases(), smoke::cases()]
        .into_iter()
        .flatten()
        .collect()
}
