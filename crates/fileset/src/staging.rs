//! Staging directories: where the files of a set are until they are published.
//!
//! ```text
//! .countersign-XXXXXX.tmp/   mode 0700
//!   0.new  1.new ..          the files, synced, with the mode that they will have
//!   0.old  1.old ..          the files that they replace, to put them back if publishing fails: a second name of each,
//!                            or, where there can't be one, the file itself while the new one takes its place
//!   journal                  what goes where; once it is there, everything else is
//! ```
use std::{
    ffi::OsStr,
    fs, io,
    path::{Path, PathBuf},
};

use crate::{disk, journal::Journal};

const PREFIX: &str = ".countersign-";
const SUFFIX: &str = ".tmp";
const JOURNAL: &str = "journal";

/// Makes a staging directory in `parent`, for its owner alone.
pub(crate) fn create(parent: &Path) -> io::Result<PathBuf> {
    disk::make_private_directory(PREFIX, SUFFIX, parent)
}

/// Removes a staging directory, if it is there. The journal goes first: without it, the rest counts for nothing.
pub(crate) fn remove(staging: &Path) -> io::Result<()> {
    match disk::remove_file(&staging.join(JOURNAL)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    match disk::remove_dir_all(staging) {
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

/// Whether the reason is that one can look into a directory, and not change it.
pub(crate) fn is_read_only(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem
    )
}

/// The file that is to be published under the name with this number.
pub(crate) fn new_file(staging: &Path, number: usize) -> PathBuf {
    staging.join(format!("{number}.new"))
}

/// The file that it replaces.
pub(crate) fn old_file(staging: &Path, number: usize) -> PathBuf {
    staging.join(format!("{number}.old"))
}

/// Writes the journal. It is there as a whole, or not at all.
pub(crate) fn write_journal(staging: &Path, journal: &Journal) -> io::Result<()> {
    let unfinished = staging.join("journal.new");
    disk::write(&unfinished, 0o600, &journal.to_bytes())?;
    disk::rename(&unfinished, &staging.join(JOURNAL))?;
    disk::sync_directory(staging);
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
