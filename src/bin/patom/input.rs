//! What the commands read: specifications, links, data sets, wherever they are. Not here: what they mean.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

use patom::data::import::ImportResult;
use patom::data::import::mapping::Mapping;
use patom::data::{self, DataSet, MAX_FILE_BYTES, import, published};
use patom::provenance;
use patom::spec::link::{self, Link};
use patom::spec::{DATASETS, DatasetRef, Draft, Shape, Spec};
use patom::{Error, experiment};
use serde_json::{Value, json};

use crate::args::{ColumnsArgument, DataFolder};
use crate::output::{note, warn};
use crate::{Failure, Outcomes};

/// Largest specification, or report with one.
const MAX_SPEC_BYTES: usize = provenance::MAX_BYTES;

/// The checked specification and its data set.
pub fn load(link: &Link, folder: &DataFolder) -> Outcomes<(Spec, DataSet)> {
    let found = find_source(link, folder)?;
    let spec = found.check(&link.draft)?;
    let data = match found.data {
        Some(data) => data,
        None => experiment::load_synthetic(&spec)?,
    };
    Ok((spec, data))
}

/// Where the points of a specification come from.
pub struct Source {
    /// None for the synthetic data set, which the seed decides.
    pub data: Option<DataSet>,
    shape: Shape,
    /// A user's file as specifications name it: by its hash, not by its path.
    dataset: Option<Value>,
}

impl Source {
    /// The checked specification of a run on these points.
    pub fn check(&self, draft: &Draft) -> Outcomes<Spec> {
        let mut draft = draft.clone();
        if let Some(dataset) = &self.dataset {
            draft.set("dataset", dataset.clone());
        }
        check(&draft, &self.shape)
    }
}

/// Loads the data set that a link or a specification names.
pub fn find_source(link: &Link, folder: &DataFolder) -> Outcomes<Source> {
    let draft = &link.draft;
    let columns = link.columns.as_ref();
    let named = |name: &str, data| Source {
        data,
        shape: Shape::named(name).expect("every name of DATASETS has a shape"),
        dataset: None,
    };
    let of_file = |data: DataSet| Source {
        shape: Shape::of(&data),
        dataset: Some(json!({ "name": data.name, "sha256": data.sha256 })),
        data: Some(data),
    };
    match draft.dataset()? {
        DatasetRef::Named(name) if columns.is_some() && DATASETS.contains(&name.as_str()) => {
            let expected = "a file of your own with --columns";
            Err(Error::field("dataset", name, expected).into())
        }
        DatasetRef::Named(name) if name == "synthetic" => Ok(named(&name, None)),
        DatasetRef::Named(name) if DATASETS.contains(&name.as_str()) => {
            Ok(named(&name, Some(load_named(&name, folder)?)))
        }
        DatasetRef::Named(path) => {
            let (name, bytes) = find_file(&path, folder)?;
            let data = if draft.was_version_1() {
                import::read_with(&name, &bytes, columns)?.data
            } else {
                open(&name, &bytes, columns)?.data
            };
            Ok(of_file(data))
        }
        DatasetRef::File { name, sha256 } => {
            Ok(of_file(find_by_hash(&name, &sha256, columns, folder)?))
        }
    }
}

/// Every field that is wrong, a line each.
pub fn check(draft: &Draft, shape: &Shape) -> Outcomes<Spec> {
    draft.check(shape).map_err(|errors| {
        let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
        Failure::Input(lines.join("\n       "))
    })
}

/// The argument SPEC: a link, or a file (`-` for standard input) that holds JSON or a link.
pub fn read_spec(text: &str, given: ColumnsArgument) -> Outcomes<Link> {
    let mut link = read_link_or_json(text)?;
    let given = if link.draft.was_version_1() {
        given.columns.map(Mapping::with_rules_of_version_1)
    } else {
        given.columns
    };
    match (&link.columns, given) {
        (Some(own), Some(columns)) if *own != columns => Err(Error::field(
            "columns",
            columns,
            format!("no --columns with a link, or those of the link: {own}"),
        )
        .into()),
        (_, None) => Ok(link),
        (_, columns) => {
            link.columns = columns;
            Ok(link)
        }
    }
}

pub fn read_link_or_json(text: &str) -> Outcomes<Link> {
    if link::is_link(text) {
        return read_link(text);
    }
    let content = read_text(text)?;
    if link::is_link(content.trim()) && !content.trim_start().starts_with('{') {
        return read_link(&content);
    }
    if provenance::is_report(&content) {
        return read_link(&provenance::read(content.as_bytes())?);
    }
    let draft = Draft::parse(&content)?;
    Ok(Link {
        draft,
        ..Link::default()
    })
}

pub fn read_link(text: &str) -> Outcomes<Link> {
    let link = link::decode(text)?;
    for key in link.unknown_keys() {
        warn(&format!("link: unknown key {key} has no effect"));
    }
    Ok(link)
}

/// The text of a specification.
pub fn read_text(path: &str) -> Outcomes<String> {
    let bytes = read_bytes(path, MAX_SPEC_BYTES)?;
    String::from_utf8(bytes)
        .map_err(|error| Failure::Input(format!("{path}: {error}; expected UTF-8 text")))
}

/// A file, a pipe, or standard input for `-`.
pub fn read_bytes(path: &str, most: usize) -> Outcomes<Vec<u8>> {
    let result = if path == "-" {
        read_at_most(io::stdin(), most)
    } else {
        File::open(path).and_then(|file| read_at_most(file, most))
    };
    result.map_err(|error| {
        Failure::Input(format!(
            "{path}: {error}; expected a file of at most {most} bytes"
        ))
    })
}

pub fn read_at_most(source: impl Read, most: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    source.take(most as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > most {
        let what = format!("more than {most} bytes");
        return Err(io::Error::new(ErrorKind::FileTooLarge, what));
    }
    Ok(bytes)
}

/// The bytes of a data set. Only regular files: reading a pipe could block for ever.
pub fn read_data(path: &Path) -> io::Result<Vec<u8>> {
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::new(
            ErrorKind::InvalidInput,
            "not a regular file",
        ));
    }
    read_at_most(File::open(path)?, MAX_FILE_BYTES)
}

/// Name and bytes of a user's file: at this path, or else below one of the folders that hold data.
fn find_file(path: &str, folder: &DataFolder) -> Outcomes<(String, Vec<u8>)> {
    let path = Path::new(path);
    let is_known = path.extension().is_some_and(|ending| {
        let is = |known| ending.eq_ignore_ascii_case(known);
        import::ENDINGS.into_iter().any(is)
    });
    // The given folder, the current one, and then the others. (An absolute path is itself below
    // any folder.)
    let mut places: Vec<PathBuf> = (folders(folder).iter())
        .map(|folder| folder.join(path))
        .collect();
    places.insert(usize::from(folder.folder.is_some()), path.to_path_buf());
    let is_there = |place: &&PathBuf| place.exists();
    let place = places.iter().find(is_there);
    // A word that is no data set, rather than the name of a file.
    if place.is_none() && !is_known {
        let reason = format!(
            "{} not found; available: {}; or give the path of a file (.csv, .txt, .mat, .npz, ...)",
            path.display(),
            DATASETS.join(", ")
        );
        return Err(Error::invalid("dataset", reason).into());
    }
    let place = place.map_or(path, PathBuf::as_path);
    let bytes = read_data(place).map_err(|error| {
        Failure::Input(format!(
            "dataset: {}: {error}; expected a file of at most {MAX_FILE_BYTES} bytes here or in \
             the folder that --data names",
            place.display()
        ))
    })?;
    let name = path
        .file_name()
        .map_or_else(String::new, |name| name.to_string_lossy().into());
    Ok((name, bytes))
}

/// What is in a user's file, by a mapping, or by our names, or by a guess that is sure and is printed.
pub fn open(name: &str, bytes: &[u8], columns: Option<&Mapping>) -> Outcomes<ImportResult> {
    let Some(columns) = columns else {
        let made = import::open(name, bytes)?;
        if let Some(mapping) = &made.mapping {
            note(&format!(
                "Columns: {}  (--columns '{mapping}')",
                made.roles()
            ));
            for left in made
                .data
                .left_out
                .iter()
                .filter(|left| left.what == "column")
            {
                let more = left.count - left.names.len();
                let more = if more > 0 {
                    format!(" and {more} more")
                } else {
                    String::new()
                };
                note(&format!(
                    "Not used: {}{more} ({})",
                    left.names.join(", "),
                    left.reason
                ));
            }
        }
        return Ok(made);
    };
    Ok(import::read_with(name, bytes, Some(columns))?)
}

/// Folders that may hold data, in the order in which they are looked through.
pub fn folders(folder: &DataFolder) -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = folder.folder.clone().into_iter().collect();
    folders.extend(std::env::var_os("PATOM_DATA").map(PathBuf::from));
    folders.extend([
        PathBuf::from("../shared/data"),
        PathBuf::from("target/data"),
    ]);
    folders
}

pub fn find(file: &str, folder: &DataFolder) -> Option<Vec<u8>> {
    folders(folder)
        .iter()
        .find_map(|folder| read_data(&folder.join(file)).ok())
}

/// A published data set from wherever its files are.
pub fn load_named(name: &str, folder: &DataFolder) -> Outcomes<DataSet> {
    Ok(published::load(name, &|file| find(file, folder))?)
}

pub fn find_by_hash(
    name: &str,
    sha256: &str,
    columns: Option<&Mapping>,
    folder: &DataFolder,
) -> Outcomes<DataSet> {
    let mut folders = folders(folder);
    folders.push(PathBuf::from("."));
    let mut others = Vec::new();
    for path in folders.iter().map(|folder| folder.join(name)) {
        let bytes = match read_data(&path) {
            Ok(bytes) => bytes,
            Err(error) => {
                if error.kind() != ErrorKind::NotFound {
                    others.push(format!("{}: {error}", path.display()));
                }
                continue;
            }
        };
        let found = data::sha256_hex(&bytes);
        if found == sha256 {
            return Ok(import::read_with(name, &bytes, columns)?.data);
        }
        others.push(format!("{} has {found}", path.display()));
    }
    let found = if others.is_empty() {
        "not found".to_string()
    } else {
        others.join("; ")
    };
    let reason = format!(
        "{name}: {found}; expected a file with SHA-256 {sha256} (name its folder with --data)"
    );
    Err(Error::invalid("dataset", reason).into())
}
