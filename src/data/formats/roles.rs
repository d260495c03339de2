//! What the variables of a file are by their names, and why features and labels do not fit each other.
//! Not here: tables of variables (`import`).

use super::csv::shorten;
use super::variable::{Value, Variable};

/// What a variable is, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::data) enum Role {
    /// Names the task of a point.
    Task,
    /// Marks test points.
    Split,
    /// Cannot be told.
    Unknown,
    /// Numbers to predict from.
    Features,
    /// Numbers or classes to predict.
    Labels,
}

/// The name without structures and without `train` or `test`, and whether it was for testing: `X_train`
/// and `trainX` are X.
pub(in crate::data) fn plain(name: &str) -> (String, bool) {
    const PARTS: [(&str, bool); 7] = [
        ("training", false),
        ("train", false),
        ("trn", false),
        ("tr", false),
        ("testing", true),
        ("test", true),
        ("te", true),
    ];
    let last = name.rsplit('.').next().unwrap_or_default().to_lowercase();
    for (part, is_test) in PARTS {
        // Short words count only where something separates them.
        let is_long = part.len() > 3;
        let begin = last
            .strip_prefix(part)
            .filter(|rest| is_long || rest.starts_with('_'));
        let end = last
            .strip_suffix(part)
            .filter(|rest| is_long || rest.ends_with('_'));
        let rest = begin.or(end).map(|rest| rest.trim_matches('_'));
        if let Some(rest) = rest.filter(|rest| !rest.is_empty() && *rest != "is") {
            return (rest.to_string(), is_test);
        }
    }
    (last, false)
}

/// The role of a variable. Of a field `data.X`, the last name counts; variables for testing have none,
/// since they are other points.
pub(in crate::data) fn role(name: &str) -> Role {
    const TASKS: &[&str] = &[
        "task",
        "tasks",
        "taskid",
        "task_id",
        "tasknames",
        "group",
        "groups",
        "subject",
        "subjects",
        "chunk",
        "chunks",
        "domain",
        "domains",
        "site",
        "user",
        "school",
        "patient",
        "qid",
    ];
    const SPLITS: &[&str] = &[
        "split",
        "set",
        "subset",
        "fold",
        "partition",
        "is_test",
        "istest",
    ];
    const FEATURES: &[&str] = &[
        "x",
        "feature",
        "features",
        "fea",
        "feat",
        "feats",
        "data",
        "sample",
        "samples",
        "input",
        "inputs",
        "predictors",
    ];
    const LABELS: &[&str] = &[
        "y", "label", "labels", "gnd", "target", "targets", "class", "classes", "output",
        "outputs", "response", "outcome",
    ];
    let (plain, is_test) = plain(name);
    let is = |names: &[&str]| names.contains(&plain.as_str());
    if is_test {
        Role::Unknown
    } else if is(TASKS) {
        Role::Task
    } else if is(SPLITS) {
        Role::Split
    } else if is(FEATURES) {
        Role::Features
    } else if is(LABELS) {
        Role::Labels
    } else {
        Role::Unknown
    }
}

/// Sizes of a matrix or a column of words; none: anything else.
fn rows_and_columns(value: &Value) -> Option<(usize, usize)> {
    match value {
        Value::Matrix(matrix) => matrix.rows_and_columns(),
        Value::Text { rows } => Some((rows.len(), 1)),
        Value::Cell { items, .. } if words(items).is_some() => Some((items.len(), 1)),
        _ => None,
    }
}

/// Cells that are words, one each: a column.
pub(in crate::data) fn words(items: &[Value]) -> Option<Vec<&str>> {
    let is_word = |item: &Value| match item {
        Value::Text { rows } => rows.len() < 2,
        // An empty text is an empty matrix in some files.
        Value::Matrix(matrix) => matrix.values.is_empty(),
        _ => false,
    };
    let has_text = items.iter().any(|item| matches!(item, Value::Text { .. }));
    if !has_text || !items.iter().all(is_word) {
        return None;
    }
    let text = items.iter().map(|item| match item {
        Value::Text { rows } => rows.first().map_or("", String::as_str),
        _ => "",
    });
    Some(text.collect())
}

/// Do so many labels belong to so many points? A vector may lie.
fn fit(points: (usize, usize), labels: (usize, usize)) -> bool {
    labels.0 == points.0 || labels == (1, points.0) || (points.0 == 1 && labels.0 == points.1)
}

/// Why the features of a file and its labels, known by their names, do not fit: a whole sentence. None
/// where some fit, or there are none.
pub(in crate::data) fn misfit(variables: &[Variable]) -> Option<String> {
    let of = |wanted: Role| {
        variables
            .iter()
            .filter(move |one| role(&one.name) == wanted)
    };
    let mut first = None;
    for x in of(Role::Features) {
        for y in of(Role::Labels) {
            match pair(x, y) {
                None => return None,
                Some(why) => first = first.or(Some(why)),
            }
        }
    }
    first
}

/// What to type where something is not read.
pub(in crate::data) fn instead_of(what: &str) -> &'static str {
    match what {
        "an object" => {
            "; in MATLAB, save tables as X = table2array(T), strings and categories as Y = cellstr(Y)"
        }
        "a complex matrix" => "; in MATLAB, save X = real(X) or [real(X), imag(X)]",
        _ => "",
    }
}

/// Why these features and labels do not fit.
fn pair(x: &Variable, y: &Variable) -> Option<String> {
    let (x_name, y_name) = (shorten(&x.name), shorten(&y.name));
    let sizes = format!(
        "`{x_name}` is a {}, `{y_name}` a {}",
        x.value.describe(),
        y.value.describe()
    );
    for (name, value) in [(&x_name, &x.value), (&y_name, &y.value)] {
        match value {
            Value::Matrix(matrix) if matrix.shape.len() > 2 => {
                return Some(format!(
                    "`{name}` is a {}, and arrays of three dimensions are not read; save a cell for \
                     each task: {x_name} = {{{x_name}(:,:,1), {x_name}(:,:,2)}} and \
                     {y_name} = {{{y_name}(:,1), {y_name}(:,2)}}, and so on",
                    value.describe()
                ));
            }
            Value::Unread { what } => {
                let instead = instead_of(what);
                return Some(format!("`{name}` is {what}, which is not read{instead}"));
            }
            _ => {}
        }
    }
    if let (Some(points), Some(labels)) = (rows_and_columns(&x.value), rows_and_columns(&y.value)) {
        if fit(points, labels) && points.0 * points.1 * labels.0 * labels.1 > 0 {
            return None;
        }
        let mut why = format!("{sizes}; expected as many labels as points (rows)");
        if points.1 == labels.0 || (labels.0 == 1 && points.1 == labels.1) {
            why += &format!("; if the points are columns, save {x_name} = {x_name}'");
        }
        return Some(why);
    }
    let (Value::Cell { items: xs, .. }, Value::Cell { items: ys, .. }) = (&x.value, &y.value)
    else {
        return Some(format!(
            "{sizes}; expected two matrices with as many rows, or two cell arrays with a cell for \
             each task"
        ));
    };
    cells(&x_name, xs, &y_name, ys)
}

fn cells(x_name: &str, xs: &[Value], y_name: &str, ys: &[Value]) -> Option<String> {
    if xs.len() != ys.len() || xs.is_empty() {
        return Some(format!(
            "`{x_name}` has {} cells, `{y_name}` {}; expected one of each for every task",
            xs.len(),
            ys.len()
        ));
    }
    let mut columns = None;
    for (at, (x, y)) in xs.iter().zip(ys).enumerate() {
        let cell = at + 1;
        for (name, value) in [(x_name, x), (y_name, y)] {
            let found = match rows_and_columns(value) {
                Some((rows, columns)) if rows * columns > 0 => continue,
                Some((rows, columns)) => format!("empty ({rows}x{columns})"),
                None => format!("a {}", value.describe()),
            };
            return Some(format!(
                "cell {cell} of `{name}` is {found}; expected a matrix with a row for each point; \
                 remove the task from both, or fill it in"
            ));
        }
        let (points, labels) = (rows_and_columns(x)?, rows_and_columns(y)?);
        if !fit(points, labels) {
            let rows = if labels.0 == 1 { labels.1 } else { labels.0 };
            return Some(format!(
                "cell {cell} of `{x_name}` has {} rows, of `{y_name}` {rows}; expected as many labels \
                 as points",
                points.0
            ));
        }
        let wanted = *columns.get_or_insert(points.1);
        if points.1 != wanted {
            return Some(format!(
                "cell {cell} of `{x_name}` has {} columns, cell 1 has {wanted}; expected the same \
                 features for every task",
                points.1
            ));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::formats::variable::Matrix;

    fn matrix(shape: &[usize]) -> Value {
        Value::Matrix(Matrix {
            shape: shape.to_vec(),
            values: vec![0.0; shape.iter().product()],
        })
    }

    fn cell(items: Vec<Value>) -> Value {
        let shape = vec![1, items.len()];
        Value::Cell { shape, items }
    }

    fn why(x: Value, y: Value) -> Option<String> {
        let variable = |name: &str, value| Variable {
            name: name.into(),
            value,
        };
        misfit(&[variable("X", x), variable("Y", y)])
    }

    #[test]
    fn names_of_training_points_have_the_role_of_the_rest() {
        for (name, expected) in [
            ("X", Role::Features),
            ("data.X", Role::Features),
            ("X_train", Role::Features),
            ("trainY", Role::Labels),
            ("y_tr", Role::Labels),
            ("ds.sa.chunks", Role::Task),
            ("is_test", Role::Split),
            ("X_test", Role::Unknown),
            ("test", Role::Unknown),
            ("str", Role::Unknown),
            ("", Role::Unknown),
        ] {
            assert_eq!(role(name), expected, "{name}");
        }
    }

    #[test]
    fn features_and_labels_that_fit_are_no_misfit() {
        let text = |rows: usize| Value::Text {
            rows: vec!["a".into(); rows],
        };
        assert_eq!(why(matrix(&[60, 3]), matrix(&[60, 1])), None);
        assert_eq!(why(matrix(&[60, 3]), matrix(&[1, 60])), None);
        assert_eq!(why(matrix(&[60, 3]), text(60)), None);
        assert_eq!(why(matrix(&[2, 3]), cell(vec![text(1), text(1)])), None);
        let x = cell(vec![matrix(&[5, 3]), matrix(&[4, 3])]);
        assert_eq!(
            why(x.clone(), cell(vec![matrix(&[5, 1]), matrix(&[1, 4])])),
            None
        );
        assert_eq!(why(x, cell(vec![text(5), text(4)])), None);
        assert_eq!(misfit(&[]), None);
    }

    #[test]
    fn the_reason_names_the_sizes_or_the_cell() {
        let x = || cell(vec![matrix(&[20, 3]), matrix(&[19, 3]), matrix(&[20, 3])]);
        let labels = |n: usize| matrix(&[n, 1]);
        for (x, y, part) in [
            (
                matrix(&[60, 3]),
                matrix(&[50, 1]),
                "`X` is a 60x3 matrix, `Y` a 50x1 matrix; expected as many labels",
            ),
            (matrix(&[3, 60]), matrix(&[60, 1]), "save X = X'"),
            (matrix(&[3, 60]), matrix(&[1, 60]), "save X = X'"),
            (
                matrix(&[20, 3, 2]),
                matrix(&[20, 2]),
                "X = {X(:,:,1), X(:,:,2)}",
            ),
            (
                x(),
                cell(vec![labels(20), labels(20), labels(20)]),
                "cell 2 of `X` has 19 rows, of `Y` 20",
            ),
            (x(), cell(vec![labels(20)]), "`X` has 3 cells, `Y` 1"),
            (
                x(),
                matrix(&[60, 1]),
                "`X` is a 1x3 cell array, `Y` a 60x1 matrix",
            ),
            (
                cell(vec![labels(2), matrix(&[0, 0])]),
                cell(vec![labels(2), matrix(&[0, 0])]),
                "cell 2 of `X` is empty (0x0)",
            ),
            (
                cell(vec![matrix(&[2, 3]), matrix(&[2, 2])]),
                cell(vec![labels(2), labels(2)]),
                "cell 2 of `X` has 2 columns, cell 1 has 3",
            ),
            (
                Value::Unread {
                    what: "an object".into(),
                },
                labels(2),
                "`X` is an object, which is not read; in MATLAB, save tables as X = table2array(T)",
            ),
        ] {
            let why = why(x, y).unwrap();
            assert!(why.contains(part), "{why}");
        }
    }
}
