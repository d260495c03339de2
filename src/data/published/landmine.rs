//! Landmine: a cell for each field, features rounded to f32 (see `published`).

use super::round_to_single;
use crate::data::formats::{matlab, matlab_tasks};
use crate::data::{DataSet, Layout};
use crate::{Error, Result};

pub(super) fn assemble(file: &[u8]) -> Result<DataSet> {
    let data = matlab_tasks::data_set("landmine", &matlab::read(file)?)?;
    let Layout::Separate { mut tasks, .. } = data.layout else {
        return Err(Error::data("landmine: expected a cell for each task"));
    };
    for task in &mut tasks {
        round_to_single(&mut task.features);
    }
    let names = (1..=tasks.len()).map(|task| format!("field {task}"));
    DataSet::new(
        "landmine",
        data.kind,
        data.features,
        names.collect(),
        Layout::Separate {
            tasks,
            is_test: None,
        },
    )
}
