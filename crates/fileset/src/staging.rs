//! Staging directories: where the files of a set are until they are published.
//!
//! ```text
//! .countersign-XXXXXX.tmp/   mode 0700
//!   0.new  1.new ..          the files, synced, with the mode that they will have
//!   0.old  1.old ..          the files that they replace, to put them back if publishing fails
//!   journal                  what goes where; once it is there, everything else is
//! ```
use std::{
    ffi::OsStr,
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

use crate::journal::Journal;

const PREFIX: &str = ".countersign-";
const SUFFIX: &str = ".tmp";
const JOURNAL: &str = "journal";

/// Makes a staging directory in `parent`, for its owner alone.
pub(crate) fn create(parent: &Path) -> io::Result<PathBuf> {
    private_directory(PREFIX, SUFFIX, parent)
}

/// Makes a directory with a name that nobody has, which its owner alone can enter.
pub(crate) fn private_directory(prefix: &str, suffix: &str, parent: &Path) -> io::Result<PathBuf> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(prefix).suffix(suffix);
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
    Ok(builder.tempdir_in(parent)?.keep())
}

/// Removes a staging directory, if it is there. The journal goes first: without it, the rest counts for nothing.
pub(crate) fn remove(staging: &Path) -> io::Result<()> {
    match fs::remove_file(staging.join(JOURNAL)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    match fs::remove_dir_all(staging) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

/// Whether this is how a staging directory is called.
pub(crate) fn is_name(name: &OsStr) -> bool {
    let name = name.as_encoded_bytes();
    name.starts_with(PREFIX.as_bytes()) && name.ends_with(SUFFIX.as_bytes())
}

/// Whether a directory has a staging directory, whosever it is.
pub(crate) fn any_in(directory: &Path) -> io::Result<bool> {
    Ok(!named_in(directory)?.is_empty())
}

/// The staging directories in a directory that belong to this user. Nobody else can have put anything into them.
pub(crate) fn all_in(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = named_in(directory)?;
    if found.is_empty() {
        return Ok(found);
    }
    found.sort();
    own(found, directory)
}

fn named_in(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let entries = match fs::read_dir(directory) {
        // One may be allowed to write into a directory, and not to look into it.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Ok(found),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        if is_name(&entry.file_name()) {
            found.push(entry.path());
        }
    }
    Ok(found)
}

/// Keeps those that this user has made. Which user that is, is seen from a directory made now: on a network file system it
/// needn't be the one that the process runs as.
#[cfg(unix)]
fn own(mut found: Vec<PathBuf>, directory: &Path) -> io::Result<Vec<PathBuf>> {
    use std::os::unix::fs::MetadataExt;
    let probe = create(directory)?;
    let user = fs::symlink_metadata(&probe).map(|metadata| metadata.uid());
    fs::remove_dir(&probe)?;
    let user = user?;
    found.retain(|path| {
        fs::symlink_metadata(path).is_ok_and(|metadata| {
            metadata.is_dir() && metadata.uid() == user && metadata.mode() & 0o077 == 0
        })
    });
    Ok(found)
}

#[cfg(not(unix))]
fn own(mut found: Vec<PathBuf>, _directory: &Path) -> io::Result<Vec<PathBuf>> {
    found.retain(|path| fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_dir()));
    Ok(found)
}

/// The file that is to be published under the name with this number.
pub(crate) fn new_file(staging: &Path, number: usize) -> PathBuf {
    staging.join(format!("{number}.new"))
}

/// The file that it replaces.
pub(crate) fn old_file(staging: &Path, number: usize) -> PathBuf {
    staging.join(format!("{number}.old"))
}

/// Writes a new file and syncs it.
pub(crate) fn write(path: &Path, mode: u32, contents: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
    #[cfg(not(unix))]
    let _ = mode;
    let mut file = options.open(path)?;
    file.write_all(contents)?;
    file.sync_all()
}

/// Keeps the file that is going to be replaced, under another name.
pub(crate) fn keep(path: &Path, old: &Path) -> io::Result<()> {
    // Not every file system has hard links.
    fs::hard_link(path, old).or_else(|_| fs::copy(path, old).map(|_| ()))
}

/// Writes the journal. It is there as a whole, or not at all.
pub(crate) fn write_journal(staging: &Path, journal: &Journal) -> io::Result<()> {
    let unfinished = staging.join("journal.new");
    write(&unfinished, 0o600, &journal.to_bytes())?;
    fs::rename(unfinished, staging.join(JOURNAL))?;
    sync_directory(staging);
    Ok(())
}

/// The journal, if there is one.
pub(crate) fn read_journal(staging: &Path) -> io::Result<Option<Journal>> {
    match fs::read(staging.join(JOURNAL)) {
        Ok(bytes) => Ok(Journal::from_bytes(&bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Makes new names as durable as the contents. Not every file system can, and the files are complete either way.
pub(crate) fn sync_directory(directory: &Path) {
    if let Ok(directory) = File::open(directory) {
        let _ = directory.sync_all();
    }
}

/// What is in a directory, for tests.
#[cfg(test)]
pub(crate) fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}
