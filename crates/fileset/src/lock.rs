//! The lock of a directory: whoever has it may publish files there.
use std::{
    collections::BTreeMap,
    ffi::OsStr,
    fs::{self, File, Metadata, OpenOptions, TryLockError},
    io,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use crate::{
    Error, Mended,
    mend::{self, Left},
    staging,
};

/// How long one waits for a lock without a word: publishing takes less, unless a disk is slow.
const PATIENCE: Duration = Duration::from_secs(1);

/// How often one asks for it meanwhile.
const INTERVAL: Duration = Duration::from_millis(5);

/// The name of the lock where a directory itself can't be locked: on Windows, and on some network file systems.
const LOCK_FILE: &str = ".countersign.lock";

/// Directories that are locked until this is dropped.
#[derive(Debug)]
pub struct Locked {
    directories: BTreeMap<PathBuf, File>,
    mended: Vec<Mended>,
}

/// Locks directories, and mends what a process left in them that was killed while it held their locks.
///
/// `waiting` is called, for each directory, when another process has held its lock for a second.
///
/// # Errors
///
/// [`Error::Io`] when a directory isn't there or can't be read, [`Error::Unfinished`] when what was left can't be mended.
pub fn lock<'a>(
    directories: impl IntoIterator<Item = &'a Path>,
    mut waiting: impl FnMut(&Path),
) -> Result<Locked, Error> {
    let mut wanted = Vec::new();
    for directory in directories {
        wanted.push(fs::canonicalize(directory).map_err(Error::io(directory))?);
    }
    loop {
        let mut locked = Locked::take(&wanted, &mut waiting)?;
        let mut left = Vec::new();
        for directory in locked.directories.keys() {
            left.extend(Left::all_in(directory)?);
        }
        // All directories of a set are needed to mend it, and all are locked in the same order by everybody.
        let mut others: Vec<_> = left
            .iter()
            .flat_map(Left::other_directories)
            .filter(|other| !locked.directories.contains_key(*other) && other.is_dir())
            .map(Path::to_owned)
            .collect();
        if others.is_empty() {
            locked.mended = mend::mend(left)?;
            return Ok(locked);
        }
        wanted.append(&mut others);
    }
}

/// Mends what a killed process has left in these directories, without locking those where there is nothing of the kind.
/// Those that aren't there are passed over. For whoever is going to read files that belong together.
///
/// # Errors
///
/// Those of [`lock`].
pub fn mend<'a>(
    directories: impl IntoIterator<Item = &'a Path>,
    waiting: impl FnMut(&Path),
) -> Result<Vec<Mended>, Error> {
    let mut affected = Vec::new();
    for directory in directories {
        match staging::any_in(directory) {
            Ok(true) => affected.push(directory),
            Ok(false) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(Error::io(directory)(error)),
        }
    }
    if affected.is_empty() {
        return Ok(Vec::new());
    }
    Ok(lock(affected, waiting)?.mended)
}

impl Locked {
    fn take(wanted: &[PathBuf], waiting: &mut impl FnMut(&Path)) -> Result<Self, Error> {
        let mut wanted: Vec<_> = wanted.iter().collect();
        wanted.sort();
        wanted.dedup();
        let mut directories = BTreeMap::new();
        for directory in wanted {
            let lock = acquire(directory, waiting).map_err(Error::io(directory))?;
            directories.insert(directory.clone(), lock);
        }
        Ok(Self {
            directories,
            mended: Vec::new(),
        })
    }

    /// What was mended when the lock was taken.
    pub fn mended(&self) -> &[Mended] {
        &self.mended
    }

    /// Whether it holds the lock of a directory, which is a canonical path.
    pub(crate) fn holds(&self, directory: &Path) -> bool {
        self.directories.contains_key(directory)
    }
}

/// Whether this is the name of something that this crate has made for its own purposes.
pub fn is_internal(name: &OsStr) -> bool {
    name == LOCK_FILE || staging::is_name(name)
}

fn acquire(directory: &Path, waiting: &mut impl FnMut(&Path)) -> io::Result<File> {
    loop {
        let lock = match File::open(directory)
            .and_then(|file| wait_for(&file, || waiting(directory)).map(|()| file))
        {
            Ok(lock) => lock,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(error),
            Err(_) => {
                let file = OpenOptions::new()
                    .write(true)
                    .create(true)
                    .truncate(false)
                    .open(directory.join(LOCK_FILE))?;
                wait_for(&file, || waiting(directory))?;
                return Ok(file);
            }
        };
        // While one waits, the directory may be replaced by another one of the same name.
        if is_same(&lock.metadata()?, &fs::metadata(directory)?) {
            return Ok(lock);
        }
    }
}

fn wait_for(file: &File, waiting: impl FnOnce()) -> io::Result<()> {
    let started = Instant::now();
    while started.elapsed() < PATIENCE {
        match file.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::WouldBlock) => thread::sleep(INTERVAL),
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
    waiting();
    loop {
        match file.lock() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

#[cfg(unix)]
fn is_same(one: &Metadata, other: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

#[cfg(not(unix))]
fn is_same(_: &Metadata, _: &Metadata) -> bool {
    true
}
