//! Variables of a file: named arrays, cells of them, structures and texts, as MAT files (`matlab`) and
//! NumPy files (`npy`) hold them. Not here: reading files, which variables make a data set.

/// A variable of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Variable {
    /// Its name; empty for what MATLAB keeps for itself.
    pub name: String,
    /// Its value.
    pub value: Value,
}

/// The value of a variable, a cell or a field.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A numeric or logical array.
    Matrix(Matrix),
    /// A cell array, column-major.
    Cell {
        /// At least two sizes.
        shape: Vec<usize>,
        /// The product of the sizes.
        items: Vec<Value>,
    },
    /// Text: a character array or strings, a row each.
    Text {
        /// Without the blanks at the end of a row.
        rows: Vec<String>,
    },
    /// A structure array.
    Struct {
        /// At least two sizes.
        shape: Vec<usize>,
        /// Each field with as many values as the product of the sizes.
        fields: Vec<(String, Vec<Value>)>,
    },
    /// Something that is not read; in words, for example `an object`.
    Unread {
        /// What it is.
        what: String,
    },
}

/// A numeric array. Numbers may be NaN or infinite here: `DataSet` refuses them with their place.
#[derive(Clone, Debug, PartialEq)]
pub struct Matrix {
    /// At least two sizes.
    pub shape: Vec<usize>,
    /// The product of the sizes, column-major.
    pub values: Vec<f64>,
}

impl Matrix {
    /// Number of rows and columns, where there are exactly two sizes.
    pub fn rows_and_columns(&self) -> Option<(usize, usize)> {
        match self.shape[..] {
            [rows, columns] => Some((rows, columns)),
            _ => None,
        }
    }

    /// The values row by row. Only for two sizes; other arrays give their order in the file.
    pub fn row_major(&self) -> Vec<f64> {
        let Some((rows, columns)) = self.rows_and_columns() else {
            return self.values.clone();
        };
        let mut values = Vec::with_capacity(self.values.len());
        // A matrix without columns may claim any number of rows.
        for row in 0..if columns == 0 { 0 } else { rows } {
            values.extend((0..columns).map(|column| self.values[column * rows + row]));
        }
        values
    }
}

impl Value {
    /// The kind and the sizes in a few words, for messages: `4449x28 matrix`.
    pub fn describe(&self) -> String {
        match self {
            Self::Matrix(matrix) if matrix.shape.len() > 2 => {
                format!("{} array", sizes(&matrix.shape))
            }
            Self::Matrix(matrix) => format!("{} matrix", sizes(&matrix.shape)),
            Self::Cell { shape, .. } => format!("{} cell array", sizes(shape)),
            Self::Text { rows } if rows.len() < 2 => "text".to_string(),
            Self::Text { rows } => format!("{} rows of text", rows.len()),
            Self::Struct { shape, .. } if shape.iter().all(|size| *size == 1) => {
                "a structure".to_string()
            }
            Self::Struct { shape, .. } => format!("{} structure array", sizes(shape)),
            Self::Unread { what } => what.clone(),
        }
    }
}

/// Sizes as people write them: `60x3`.
fn sizes(shape: &[usize]) -> String {
    let sizes: Vec<String> = shape.iter().map(usize::to_string).collect();
    sizes.join("x")
}

/// The variables with the fields of structures as variables of their own: `data.X`. A field of a
/// structure array, or of cells with equal structures, is a cell array: each structure has one.
pub fn flatten(variables: Vec<Variable>) -> Vec<Variable> {
    let mut flat = Vec::with_capacity(variables.len());
    for variable in variables {
        flatten_into(variable, &mut flat);
    }
    flat
}

fn flatten_into(Variable { name, value }: Variable, flat: &mut Vec<Variable>) {
    let (shape, fields) = match value {
        Value::Struct { shape, fields } => (shape, fields),
        Value::Cell { shape, items } if are_like_structures(&items) => {
            let mut fields: Vec<(String, Vec<Value>)> = Vec::new();
            for item in items {
                let Value::Struct { fields: own, .. } = item else {
                    continue;
                };
                if fields.is_empty() {
                    fields = own;
                } else {
                    for ((_, values), (_, more)) in fields.iter_mut().zip(own) {
                        values.extend(more);
                    }
                }
            }
            (shape, fields)
        }
        value => {
            flat.push(Variable { name, value });
            return;
        }
    };
    let is_one = shape.iter().all(|size| *size == 1);
    for (field, mut items) in fields {
        let value = match items.pop() {
            Some(value) if is_one => value,
            last => {
                items.extend(last);
                let shape = shape.clone();
                Value::Cell { shape, items }
            }
        };
        let name = format!("{name}.{field}");
        flatten_into(Variable { name, value }, flat);
    }
}

/// Single structures with the same fields in the same order.
fn are_like_structures(items: &[Value]) -> bool {
    let names = |item: &Value| match item {
        Value::Struct { shape, fields } if shape.iter().all(|size| *size == 1) => {
            let names: Vec<String> = fields.iter().map(|(name, _)| name.clone()).collect();
            Some(names)
        }
        _ => None,
    };
    let first = items.first().and_then(names);
    first.is_some() && items.iter().all(|item| names(item) == first)
}
