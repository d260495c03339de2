//! The variables of a MAT or NumPy file as a table: matrices with equally many rows are put side by
//! side, a column each (a vector of as many numbers is a column, too, and so are words); or cell
//! arrays of equally many such matrices are, after a column `cell` with the number of the cell, which
//! is usually the task. Not here: what a column means.

use crate::data::formats::csv::shorten;
use crate::data::formats::grid::Cell;
use crate::data::formats::roles::{Role, instead_of, misfit, plain, role, words};
use crate::data::formats::variable::{Value, Variable};
use crate::warning::{LeftOut, Warning, WarningCode};
use crate::{Error, Result};

/// Most variables that a message lists.
const SHOWN: usize = 12;

/// Matrices side by side, one block below the other.
pub(super) struct Blocks<'a> {
    /// Rows of each block.
    counts: Vec<usize>,
    /// For each variable, its columns in each block.
    parts: Vec<(&'a str, Vec<Part<'a>>)>,
    /// The blocks are cells: their number is the first column.
    numbered: bool,
}

/// A matrix, or a column of words.
struct Part<'a> {
    rows: usize,
    columns: usize,
    values: Values<'a>,
}

enum Values<'a> {
    /// Column-major.
    Numbers(&'a [f64]),
    Words(Vec<&'a str>),
}

impl<'a> Part<'a> {
    /// None for anything but a matrix of two dimensions or words, with something in it.
    fn of(value: &'a Value) -> Option<Self> {
        let words = match value {
            Value::Matrix(matrix) => {
                let (rows, columns) = matrix.rows_and_columns().filter(|(n, d)| n * d > 0)?;
                let values = Values::Numbers(&matrix.values);
                return Some(Self {
                    rows,
                    columns,
                    values,
                });
            }
            Value::Text { rows } => rows.iter().map(String::as_str).collect(),
            Value::Cell { items, .. } => words(items)?,
            _ => return None,
        };
        (!words.is_empty()).then_some(Self {
            rows: words.len(),
            columns: 1,
            values: Values::Words(words),
        })
    }

    fn is_row(&self) -> bool {
        self.rows == 1 && matches!(self.values, Values::Numbers(_))
    }

    fn cell(&self, row: usize, column: usize) -> Cell<'a> {
        let at = column * self.rows + row;
        match &self.values {
            Values::Numbers(numbers) => Cell::Number(numbers[at]),
            Values::Words(words) => Cell::Word(words[at]),
        }
    }
}

/// The matrices of a variable, and whether they are cells. Row vectors are columns, unless the rows
/// of the blocks are known and differ. None for anything but non-empty matrices of two dimensions and
/// words.
fn parts<'a>(value: &'a Value, counts: Option<&[usize]>) -> Option<(Vec<Part<'a>>, bool)> {
    let (mut parts, cells) = match (Part::of(value), value) {
        (Some(part), _) => (vec![part], false),
        (None, Value::Cell { items, .. }) => {
            let parts = items.iter().map(Part::of).collect::<Option<Vec<_>>>()?;
            (parts, true)
        }
        _ => return None,
    };
    let lie = match counts {
        None => true,
        Some(counts) => parts.iter().map(|part| &part.columns).eq(counts),
    };
    if lie && parts.iter().all(Part::is_row) {
        for part in &mut parts {
            (part.rows, part.columns) = (part.columns, 1);
        }
    }
    (!parts.is_empty()).then_some((parts, cells))
}

/// Which variables have the same rows, the largest first: it is the one that is meant.
fn groups(variables: &[Variable]) -> Vec<Vec<String>> {
    struct Group {
        names: Vec<String>,
        counts: Vec<usize>,
        cells: bool,
        size: usize,
    }
    let mut groups: Vec<Group> = Vec::new();
    // MATLAB keeps something without a name; one text is a note.
    let is_note = |one: &Variable| matches!(&one.value, Value::Text { rows } if rows.len() < 2);
    let candidates = variables
        .iter()
        .filter(|one| !one.name.is_empty() && !is_note(one));
    for variable in candidates {
        let Some((parts, cells)) = parts(&variable.value, None) else {
            continue;
        };
        let counts: Vec<usize> = parts.iter().map(|part| part.rows).collect();
        let size = parts.len() + parts.iter().map(|p| p.rows * p.columns).sum::<usize>();
        let same = |group: &&mut Group| group.counts == counts && group.cells == cells;
        match groups.iter_mut().find(same) {
            Some(group) => {
                group.names.push(variable.name.clone());
                group.size += size;
            }
            None => groups.push(Group {
                names: vec![variable.name.clone()],
                counts,
                cells,
                size,
            }),
        }
    }
    groups.sort_by_key(|group| std::cmp::Reverse(group.size));
    groups.into_iter().map(|group| group.names).collect()
}

/// Variables that can be put side by side, the best guess first. Where features and labels are known
/// by their names, it has these, with the task and the split; the labels come last.
pub(super) fn choices(variables: &[Variable]) -> Vec<Vec<String>> {
    let groups = groups(variables);
    let known = |group: &&Vec<String>| {
        let has = |wanted: Role| group.iter().any(|name| role(name) == wanted);
        has(Role::Features) && has(Role::Labels)
    };
    let Some(group) = groups.iter().find(known) else {
        return groups;
    };
    let mut best: Vec<String> = group.clone();
    best.retain(|name| role(name) != Role::Unknown);
    best.sort_by_key(|name| role(name));
    let others = groups.iter().filter(|other| {
        let is_same = other.len() == best.len() && other.iter().all(|name| best.contains(name));
        !is_same
    });
    std::iter::once(best.clone())
        .chain(others.cloned())
        .collect()
}

/// The best choice.
///
/// # Errors
/// Where features and labels, known by their names, do not fit.
pub(super) fn best_choice(variables: &[Variable]) -> Result<Vec<String>> {
    match misfit(variables) {
        Some(why) => Err(Error::data(why)),
        None => Ok(choices(variables).into_iter().next().unwrap_or_default()),
    }
}

/// The variables that are not used, with their sizes; and a warning of those that could be, by their
/// rows or by their names.
pub(super) fn not_used(
    variables: &[Variable],
    used: &[String],
) -> (Option<LeftOut>, Option<Warning>) {
    let shape = |one: &Variable| {
        let (parts, cells) = parts(&one.value, None)?;
        let rows: Vec<usize> = parts.iter().map(|part| part.rows).collect();
        Some((rows, cells))
    };
    let (kept, rest): (Vec<&Variable>, Vec<&Variable>) = variables
        .iter()
        .filter(|one| !one.name.is_empty())
        .partition(|one| used.contains(&one.name));
    let shapes: Vec<_> = kept.iter().filter_map(|one| shape(one)).collect();
    let could_be = |one: &&&Variable| {
        let is_named =
            role(&one.name) != Role::Unknown || role(&plain(&one.name).0) != Role::Unknown;
        is_named || shape(one).is_some_and(|shape| shapes.contains(&shape))
    };
    let name = |one: &&Variable| format!("{} ({})", shorten(&one.name), one.value.describe());
    let spare: Vec<String> = rest.iter().filter(could_be).take(SHOWN).map(name).collect();
    let warning = (!spare.is_empty()).then(|| {
        let text = format!(
            "Not used: {}. To use a variable with as many rows, add its name to `from` in the mapping \
             of the columns.",
            spare.join(", ")
        );
        Warning::new(WarningCode::LeftOut, text)
    });
    let left_out = (!rest.is_empty()).then(|| LeftOut {
        what: "variable",
        names: rest.iter().take(SHOWN).map(name).collect(),
        count: rest.len(),
        reason: "not used".to_string(),
    });
    (left_out, warning)
}

impl<'a> Blocks<'a> {
    /// The wanted variables side by side. A file with only one may leave its name out.
    pub(super) fn find(variables: &'a [Variable], wanted: &[String]) -> Result<Self> {
        let expected = || {
            let known: Vec<String> = groups(variables)
                .into_iter()
                .map(|names| {
                    let names: Vec<String> = names.iter().map(|name| shorten(name)).collect();
                    names.join(" with ")
                })
                .collect();
            if known.is_empty() {
                let all = variables.iter().take(SHOWN).map(|variable| {
                    format!(
                        "{} ({})",
                        shorten(&variable.name),
                        variable.value.describe()
                    )
                });
                let all = all.collect::<Vec<_>>().join(", ");
                let instead = variables.iter().map(|one| match &one.value {
                    Value::Unread { what } => instead_of(what),
                    _ => "",
                });
                let instead = instead.max_by_key(|text| text.len()).unwrap_or_default();
                return format!(
                    "a file with a matrix or a cell array of matrices; it has: {all}{instead}"
                );
            }
            format!("one of {}", known.join("; "))
        };
        let wrong = |found: String| Error::field("columns", found, expected());
        let only = match variables {
            [only] if wanted.is_empty() => vec![only.name.clone()],
            _ => wanted.to_vec(),
        };
        let mut counts: Option<(Vec<usize>, bool)> = None;
        let mut parts: Vec<(&str, Vec<Part>)> = Vec::new();
        for name in &only {
            let variable = variables.iter().find(|variable| variable.name == *name);
            let Some(variable) = variable else {
                let reason = format!(
                    "variable `{}` not found; expected {}",
                    shorten(name),
                    expected()
                );
                return Err(Error::invalid("columns", reason));
            };
            let rows = counts.as_ref().map(|(counts, _)| &counts[..]);
            let Some((found, cells)) = self::parts(&variable.value, rows) else {
                let what = variable.value.describe();
                return Err(wrong(format!("the variable `{}` ({what})", shorten(name))));
            };
            let rows: Vec<usize> = found.iter().map(|part| part.rows).collect();
            let known = counts.get_or_insert_with(|| (rows.clone(), cells));
            let columns = found[0].columns;
            let is_odd = |part: &Part| part.columns != columns;
            let detail = if let Some(at) = found.iter().position(is_odd) {
                format!(
                    ": cell {} has {} columns, cell 1 {columns}",
                    at + 1,
                    found[at].columns
                )
            } else if *known == (rows.clone(), cells) {
                parts.push((variable.name.as_str(), found));
                continue;
            } else {
                let first = parts.first().map_or("", |(name, _)| name);
                let both = known.0.iter().zip(&rows).enumerate();
                match both.into_iter().find(|(_, (a, b))| a != b) {
                    Some((at, (a, b))) if cells && known.1 => format!(
                        ": cell {} has {b} rows, of `{}` {a}",
                        at + 1,
                        shorten(first)
                    ),
                    Some((_, (a, b))) => format!(": {b} rows, `{}` has {a}", shorten(first)),
                    None => String::new(),
                }
            };
            return Err(wrong(format!(
                "the variable `{}` ({}), whose numbers of rows or columns differ{detail},",
                shorten(name),
                variable.value.describe()
            )));
        }
        let Some((counts, numbered)) = counts else {
            let reason = format!(
                "a file with several variables needs the names of some (from:X,y); expected {}",
                expected()
            );
            return Err(Error::invalid("columns", reason));
        };
        Ok(Self {
            counts,
            parts,
            numbered,
        })
    }

    pub(super) fn names(&self) -> Vec<String> {
        let mut names = Vec::new();
        if self.numbered {
            names.push("cell".to_string());
        }
        for (name, parts) in &self.parts {
            let name = shorten(name);
            match parts[0].columns {
                1 => names.push(name),
                columns => names.extend((1..=columns).map(|column| format!("{name} {column}"))),
            }
        }
        names
    }

    /// Hands over the rows with their numbers.
    pub(super) fn rows<E>(
        &self,
        mut take: impl FnMut(u64, &[Cell<'_>]) -> std::result::Result<(), E>,
    ) -> std::result::Result<(), E> {
        let mut cells = Vec::new();
        let mut number = 0;
        for (block, count) in self.counts.iter().enumerate() {
            for row in 0..*count {
                number += 1;
                cells.clear();
                if self.numbered {
                    cells.push(Cell::Number(block as f64 + 1.0));
                }
                for (_, parts) in &self.parts {
                    let part = &parts[block];
                    cells.extend((0..part.columns).map(|column| part.cell(row, column)));
                }
                take(number, &cells)?;
            }
        }
        Ok(())
    }
}
