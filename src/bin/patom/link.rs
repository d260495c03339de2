//! `patom link`: the share link of a specification.

use patom::spec::{DATASETS, DatasetRef, Shape, link};

use crate::Outcomes;
use crate::args::{ColumnsArgument, DataFolder};
use crate::input::{check, load, read_spec};
use crate::output::{print, print_warnings};

pub fn print_link(
    spec: &str,
    base: &str,
    columns: ColumnsArgument,
    folder: &DataFolder,
) -> Outcomes<()> {
    let link = read_spec(spec, columns)?;
    let draft = &link.draft;
    // Only a user's own file is needed to know its defaults.
    let (spec, shape, columns) = match draft.dataset()? {
        DatasetRef::Named(name) if link.columns.is_none() && DATASETS.contains(&name.as_str()) => {
            let shape = Shape::named(&name).expect("every name of DATASETS has a shape");
            (check(draft, &shape)?, shape, None)
        }
        _ => {
            let (spec, data) = load(&link, folder)?;
            print_warnings(&data.warnings);
            let shape = Shape::of(&data);
            (spec, shape, data.columns)
        }
    };
    let fragment = link::with_columns(&link::encode(&spec, &shape), columns.as_deref());
    print(&format!("{base}#{fragment}"))
}
