//! Sarcos: one matrix, 21 features and 7 torques, rounded to f32 (see `published`).

use super::round_to_single;
use crate::data::formats::matlab;
use crate::data::formats::variable::{Matrix, Value};
use crate::data::{DataSet, Kind, Layout};
use crate::{Error, Result};

pub(super) fn assemble(file: &[u8]) -> Result<DataSet> {
    const FEATURES: usize = 21;
    const TASKS: usize = 7;
    let variables = matlab::read(file)?;
    let matrix = variables.iter().find_map(|variable| match &variable.value {
        Value::Matrix(matrix) if variable.name == "sarcos_inv_test" => Some(matrix),
        _ => None,
    });
    let Some((matrix, (n, _))) = matrix
        .and_then(|matrix| Some((matrix, matrix.rows_and_columns()?)))
        .filter(|(_, (n, columns))| *n > 0 && *columns == FEATURES + TASKS)
    else {
        return Err(Error::data(
            "sarcos: expected a matrix `sarcos_inv_test` of 28 columns",
        ));
    };
    let mut columns = matrix.values.clone();
    round_to_single(&mut columns);
    let labels = columns.split_off(FEATURES * n);
    let features = Matrix {
        shape: vec![n, FEATURES],
        values: columns,
    };
    DataSet::new(
        "sarcos",
        Kind::Regression,
        FEATURES,
        (1..=TASKS)
            .map(|joint| format!("torque of joint {joint}"))
            .collect(),
        Layout::Shared {
            features: features.row_major(),
            labels: labels.chunks(n).map(<[f64]>::to_vec).collect(),
        },
    )
}
