//! MATLAB variables that are tasks without a mapping: cells `feature` and `label` (one n x d matrix and n
//! labels a task), or matrices `X` (n x d) and `Y` (n x m: all tasks share the points). Labels that
//! are all -1 or 1, or all 0 or 1, make a classification. Not here: variables that need a mapping.

use super::roles::misfit;
use super::variable::{Matrix, Value, Variable};
use crate::data::{DataSet, Layout, RawPoints, classify_labels};
use crate::error::excerpt;
use crate::{Error, Result};

/// The data set in the variables of a MAT file.
pub(in crate::data) fn data_set(name: &str, variables: &[Variable]) -> Result<DataSet> {
    let find = |wanted: &str| {
        let variable = variables.iter().find(|variable| variable.name == wanted);
        variable.map(|variable| &variable.value)
    };
    let (layout, kind, features, tasks) = match (find("feature"), find("label")) {
        (Some(Value::Cell { items: x, .. }), Some(Value::Cell { items: y, .. })) => {
            let (tasks, features) = separate(x, y)?;
            let count = tasks.len();
            let mut tasks = tasks;
            let kind = classify_labels(tasks.iter_mut().flat_map(|t| t.labels.iter_mut()));
            let layout = Layout::Separate {
                tasks,
                is_test: None,
            };
            (layout, kind, features, count)
        }
        _ => match (find("X"), find("Y")) {
            (Some(Value::Matrix(x)), Some(Value::Matrix(y))) => {
                let (n, features, count) = match (x.rows_and_columns(), y.rows_and_columns()) {
                    (Some((n, d)), Some((rows, m))) if n == rows && n * d * m > 0 => (n, d, m),
                    _ => return Err(unexpected(name, variables)),
                };
                let mut labels: Vec<Vec<f64>> = y.values.chunks(n).map(<[f64]>::to_vec).collect();
                let kind = classify_labels(labels.iter_mut().flatten());
                let layout = Layout::Shared {
                    features: x.row_major(),
                    labels,
                };
                (layout, kind, features, count)
            }
            _ => return Err(unexpected(name, variables)),
        },
    };
    let names = (1..=tasks).map(|task| format!("task {task}")).collect();
    DataSet::new(name, kind, features, names, layout)
}

/// The variables that make the data set without a mapping, where there are such.
pub(in crate::data) fn used(variables: &[Variable]) -> Option<[&'static str; 2]> {
    let find = |wanted: &str| {
        let variable = variables.iter().find(|variable| variable.name == wanted);
        variable.map(|variable| &variable.value)
    };
    match [find("feature"), find("label"), find("X"), find("Y")] {
        [Some(Value::Cell { .. }), Some(Value::Cell { .. }), ..] => Some(["feature", "label"]),
        [.., Some(Value::Matrix(_)), Some(Value::Matrix(_))] => Some(["X", "Y"]),
        _ => None,
    }
}

fn unexpected(name: &str, variables: &[Variable]) -> Error {
    const SHOWN: usize = 12;
    if let Some(why) = misfit(variables) {
        return Error::data(format!("{name}: {why}"));
    }
    let mut found: Vec<String> = variables
        .iter()
        .take(SHOWN)
        .map(|variable| {
            let name = excerpt(&variable.name, 60);
            format!("`{name}` ({})", variable.value.describe())
        })
        .collect();
    if variables.len() > SHOWN {
        found.push(format!("{} more", variables.len() - SHOWN));
    }
    if found.is_empty() {
        found.push("no variables".into());
    }
    Error::data(format!(
        "{name}: found {}; expected cell arrays `feature` (one n x d matrix a task) and `label` (n \
         labels a task), or matrices `X` (n x d) and `Y` (n x number of tasks)",
        found.join(", ")
    ))
}

/// Tasks with points of their own, and d.
fn separate(features: &[Value], labels: &[Value]) -> Result<(Vec<RawPoints>, usize)> {
    if features.len() != labels.len() || features.is_empty() {
        return Err(Error::data(format!(
            "{} cells in `feature` and {} in `label`; expected one of each for every task",
            features.len(),
            labels.len()
        )));
    }
    let mut columns = None;
    let mut tasks = Vec::with_capacity(features.len());
    for (task, (x, y)) in features.iter().zip(labels).enumerate() {
        let wrong = |expected: String| {
            Error::data(format!(
                "task {}: `feature` is a {}, `label` a {}; expected {expected}",
                task + 1,
                x.describe(),
                y.describe()
            ))
        };
        let (Value::Matrix(x), Value::Matrix(y)) = (x, y) else {
            return Err(wrong("two matrices".into()));
        };
        let (Some((n, d)), true) = (x.rows_and_columns(), is_vector(y)) else {
            return Err(wrong("n x d features and n labels".into()));
        };
        let wanted = *columns.get_or_insert(d);
        if d != wanted || y.values.len() != n || n == 0 || d == 0 {
            return Err(wrong(format!("n x {wanted} features and n labels")));
        }
        tasks.push(RawPoints {
            features: x.row_major(),
            labels: y.values.clone(),
        });
    }
    Ok((tasks, columns.unwrap_or(0)))
}

fn is_vector(matrix: &Matrix) -> bool {
    matches!(matrix.shape[..], [_, 1] | [1, _])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::formats::matlab::tests::Writer;
    use crate::data::import::read_file;
    use crate::data::{Kind, sha256_hex};

    const WRITER: Writer = Writer { big_endian: false };

    fn cells(name: &str, items: &[(u32, u32, &[f64])]) -> Vec<u8> {
        let items: Vec<Vec<u8>> = items
            .iter()
            .map(|(rows, columns, values)| WRITER.doubles(&[*rows, *columns], "", values))
            .collect();
        let count = u32::try_from(items.len()).unwrap();
        WRITER.array(1, &[1, count], name, &items)
    }

    fn user(elements: &[Vec<u8>]) -> Result<DataSet> {
        read_file("mine.MAT", &WRITER.file(elements))
    }

    fn message(elements: &[Vec<u8>]) -> String {
        user(elements).unwrap_err().to_string()
    }

    #[test]
    fn cells_of_features_and_labels_are_tasks_with_points_of_their_own() {
        let feature = cells(
            "feature",
            &[(2, 2, &[1.0, 3.0, 2.0, 4.0]), (1, 2, &[5.0, 6.0])],
        );
        let label = cells("label", &[(1, 2, &[0.0, 1.0]), (1, 1, &[1.0])]);
        let elements = [label, feature];
        let data = user(&elements).unwrap();
        assert_eq!(data.kind, Kind::Classification);
        assert_eq!(data.sha256, sha256_hex(&WRITER.file(&elements)));
        let Layout::Separate { tasks, .. } = data.layout else {
            panic!("tasks have points of their own");
        };
        assert_eq!(tasks[0].features, [1.0, 2.0, 3.0, 4.0]);
        assert_eq!(tasks[0].labels, [-1.0, 1.0]);
        assert_eq!(tasks[1].features, [5.0, 6.0]);
    }

    #[test]
    fn matrices_x_and_y_are_tasks_that_share_their_points() {
        let x = WRITER.doubles(&[2, 1], "X", &[1.0, 2.0]);
        let y = WRITER.doubles(&[2, 2], "Y", &[3.0, 4.0, 5.0, 6.0]);
        let data = user(&[x, y]).unwrap();
        assert_eq!(data.kind, Kind::Regression);
        let Layout::Shared { features, labels } = data.layout else {
            panic!("tasks share their points");
        };
        assert_eq!(features, [1.0, 2.0]);
        assert_eq!(labels, [[3.0, 4.0], [5.0, 6.0]]);
    }

    #[test]
    fn variables_that_do_not_fit_are_refused_by_name_and_size() {
        let x = WRITER.doubles(&[2, 1], "X", &[1.0, 2.0]);
        let short = WRITER.doubles(&[1, 2], "Y", &[3.0, 4.0]);
        let text = message(&[x.clone(), short]);
        assert!(
            text.contains("`X` (2x1 matrix), `Y` (1x2 matrix); expected"),
            "{text}"
        );
        assert!(message(&[]).contains("found no variables"));
        let empty = WRITER.doubles(&[2, 0], "Y", &[]);
        assert!(message(&[x, empty]).contains("2x0"));
        let one = cells("feature", &[(1, 1, &[1.0])]);
        assert!(
            message(&[one.clone(), cells("label", &[])]).contains("1 cells in `feature` and 0")
        );
        let two = cells("label", &[(2, 1, &[1.0, 2.0])]);
        assert!(message(&[one.clone(), two]).contains("task 1: `feature` is a 1x1 matrix"));
        let nan = cells("label", &[(1, 1, &[f64::NAN])]);
        assert!(message(&[one, nan]).contains("label NaN"));
        let ragged = cells("feature", &[(1, 1, &[1.0]), (1, 2, &[1.0, 2.0])]);
        let labels = cells("label", &[(1, 1, &[1.0]), (1, 1, &[1.0])]);
        assert!(message(&[ragged, labels]).contains("task 2"));
    }

    #[test]
    fn the_content_decides_the_reader() {
        for name in ["a.b.csv", "data.txt", "csv", ""] {
            let csv = read_file(name, b"task,label,x1\n1,0.5,1\n").unwrap();
            assert_eq!(csv.task_count(), 1);
        }
        let x = WRITER.doubles(&[2, 1], "X", &[1.0, 2.0]);
        let y = WRITER.doubles(&[2, 1], "Y", &[1.0, 2.0]);
        let data = read_file("mine.dat", &WRITER.file(&[x, y])).unwrap();
        assert_eq!(data.task_count(), 1);
    }
}
