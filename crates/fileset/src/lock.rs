//! The lock of a directory: whoever has it may publish files there.
use std::{
    collections::BTreeMap,
    ffi::OsStr,
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use crate::{
    Error, Mended, disk,
    identity::Identity,
    mend::{self, Left},
    staging,
};

/// How long one waits for a lock without a word: publishing takes less, unless a disk is slow.
const PATIENCE: Duration = match cfg!(test) {
    false => Duration::from_secs(1),
    true => Duration::from_millis(50),
};

/// How often one asks for it meanwhile.
const INTERVAL: Duration = Duration::from_millis(5);

/// The name of the lock where a directory itself can't be locked: on Windows, and on some network file systems.
const LOCK_FILE: &str = ".countersign.lock";

/// Directories that are locked until this is dropped.
#[derive(Debug)]
#[must_use = "the directories are locked while this lives"]
pub struct Locked {
    /// A directory that is locked twice under two names would wait for itself. And everybody locks them in this order.
    directories: BTreeMap<Identity, (PathBuf, File)>,
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
        for (directory, _) in locked.directories.values() {
            left.extend(Left::all_in(directory)?);
        }
        // All directories of a set are needed to mend it.
        let mut others: Vec<_> = left
            .iter()
            .flat_map(Left::other_directories)
            .filter(|other| other.is_dir() && !locked.holds(other))
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
/// Those that aren't there, or can't be changed, are passed over. For whoever is going to read files that belong together.
///
/// # Errors
///
/// Those of [`lock`].
pub fn mend<'a>(
    directories: impl IntoIterator<Item = &'a Path>,
    mut waiting: impl FnMut(&Path),
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
    let mut mended = Vec::new();
    for directory in affected {
        let directory = fs::canonicalize(directory).map_err(Error::io(directory))?;
        match lock([directory.as_path()], &mut waiting) {
            Ok(mut locked) => mended.append(&mut locked.mended),
            // Where this user can't make a staging directory, there is none of this user's.
            Err(Error::Io { path, source })
                if path == directory && staging::is_read_only(&source) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(mended)
}

impl Locked {
    fn take(wanted: &[PathBuf], waiting: &mut impl FnMut(&Path)) -> Result<Self, Error> {
        let mut ordered = BTreeMap::new();
        for directory in wanted {
            let identity = Identity::of(directory).map_err(Error::io(directory))?;
            ordered.insert(identity, directory);
        }
        let mut directories = BTreeMap::new();
        for directory in ordered.into_values() {
            let (identity, lock) = acquire(directory, waiting).map_err(Error::io(directory))?;
            directories.insert(identity, (directory.clone(), lock));
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

    /// Whether it holds the lock of a directory, and not that of one that had its name before.
    pub(crate) fn holds(&self, directory: &Path) -> bool {
        Identity::of(directory).is_ok_and(|identity| self.directories.contains_key(&identity))
    }
}

/// Whether this is the name of something that this crate has made for its own purposes.
pub fn is_internal(name: &OsStr) -> bool {
    name == LOCK_FILE || staging::is_name(name)
}

fn acquire(directory: &Path, waiting: &mut impl FnMut(&Path)) -> io::Result<(Identity, File)> {
    let mut lock = |file: File| wait_for(&file, || waiting(directory)).map(|()| file);
    loop {
        let (locked, path) = match disk::open_directory(directory).and_then(&mut lock) {
            Ok(locked) => (locked, directory.to_owned()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(error),
            Err(_) => {
                let path = directory.join(LOCK_FILE);
                (disk::open_lock_file(&path).and_then(&mut lock)?, path)
            }
        };
        // While one waits, the directory may be replaced by another one of the same name.
        if Identity::of(&path)?.is_of(&locked)? {
            return Ok((Identity::of(directory)?, locked));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        disk::{Step, testing},
        staging::names,
    };

    fn name(directory: &Path) -> &str {
        directory.file_name().unwrap().to_str().unwrap()
    }

    /// Somebody who comes while a directory is locked waits, and gets it when it is unlocked.
    #[track_caller]
    fn assert_excludes_others(directory: &Path, file_system: fn(&Path)) {
        let first = lock([directory], |_| {}).unwrap();
        let mut first = Some(first);
        thread::scope(|scope| {
            let (told, waits) = std::sync::mpsc::channel();
            let second = scope.spawn(move || {
                file_system(directory);
                let mut waited = false;
                let locked = lock([directory], |_| {
                    waited = true;
                    told.send(()).unwrap();
                });
                (locked.map(drop), waited)
            });
            waits.recv().unwrap();
            drop(first.take());
            let (locked, waited) = second.join().unwrap();
            locked.unwrap();
            assert!(waited);
        });
    }

    #[test]
    fn a_directory_is_locked_by_one_at_a_time() {
        let directory = tempfile::tempdir().unwrap();
        assert_excludes_others(directory.path(), |_| {});
        assert!(names(directory.path()).is_empty());
    }

    #[test]
    fn a_directory_that_can_not_be_locked_itself_has_a_file_for_that() {
        let unlockable = |directory: &Path| {
            testing::fails(
                Step::OpenDirectory,
                name(directory),
                io::ErrorKind::Unsupported,
            );
        };
        let directory = tempfile::tempdir().unwrap();
        unlockable(directory.path());
        assert_excludes_others(directory.path(), unlockable);
        assert_eq!(names(directory.path()), [LOCK_FILE]);
        assert!(is_internal(OsStr::new(LOCK_FILE)));
    }

    #[test]
    fn a_directory_that_is_not_there_can_not_be_locked() {
        let directory = tempfile::tempdir().unwrap();
        let missing = directory.path().join("missing");
        let error = lock([missing.as_path()], |_| {}).unwrap_err();
        assert!(
            matches!(&error, Error::Io { path, source }
                if *path == missing && source.kind() == io::ErrorKind::NotFound),
            "{error}"
        );
        assert_eq!(mend([missing.as_path()], |_| {}).unwrap(), []);
    }

    #[test]
    fn a_directory_that_is_replaced_while_one_waits_is_not_taken_for_the_new_one() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("d");
        fs::create_dir(&path).unwrap();
        let mut first = Some(lock([path.as_path()], |_| {}).unwrap());
        let second = lock([path.as_path()], |_| {
            fs::rename(&path, directory.path().join("old")).unwrap();
            fs::create_dir(&path).unwrap();
            drop(first.take());
        })
        .unwrap();
        assert!(first.is_none());
        assert!(second.holds(&path));
        // The new one is locked, and the old one isn't any more.
        let is_locked = |path: &Path| match File::open(path).unwrap().try_lock() {
            Ok(()) => false,
            Err(TryLockError::WouldBlock) => true,
            Err(TryLockError::Error(error)) => panic!("{error}"),
        };
        assert!(is_locked(&path));
        assert!(!is_locked(&directory.path().join("old")));

        // A lock doesn't go with the name either.
        fs::rename(&path, directory.path().join("new")).unwrap();
        fs::create_dir(&path).unwrap();
        assert!(!second.holds(&path));
    }

    #[cfg(unix)]
    #[test]
    fn two_names_of_a_directory_are_one_lock() {
        let directory = tempfile::tempdir().unwrap();
        let (path, link) = (directory.path().join("d"), directory.path().join("link"));
        fs::create_dir(&path).unwrap();
        std::os::unix::fs::symlink(&path, &link).unwrap();
        let locked = lock([path.as_path(), link.as_path()], |_| panic!("for itself")).unwrap();
        assert!(locked.holds(&path) && locked.holds(&link));
    }

    #[test]
    fn who_only_reads_passes_over_what_others_left_in_a_directory_that_can_not_be_changed() {
        let directory = tempfile::tempdir().unwrap();
        let path = fs::canonicalize(directory.path()).unwrap();
        let left = staging::create(&path).unwrap();
        for kind in [
            io::ErrorKind::PermissionDenied,
            io::ErrorKind::ReadOnlyFilesystem,
        ] {
            testing::fails(Step::MakeDirectory, name(&path), kind);
            assert_eq!(mend([path.as_path()], |_| {}).unwrap(), []);
            testing::works();

            // Where a lock needs a file of its own.
            testing::fails(Step::OpenDirectory, name(&path), io::ErrorKind::Unsupported);
            testing::fails(Step::OpenLockFile, LOCK_FILE, kind);
            assert_eq!(mend([path.as_path()], |_| {}).unwrap(), []);
            // Who is going to write is told.
            let error = lock([path.as_path()], |_| {}).unwrap_err();
            assert!(
                matches!(&error, Error::Io { path: found, source } if *found == path && source.kind() == kind),
                "{error}"
            );
            testing::works();
        }
        assert!(left.exists());

        testing::fails(Step::MakeDirectory, name(&path), io::ErrorKind::StorageFull);
        let error = mend([path.as_path()], |_| {}).unwrap_err();
        assert!(
            matches!(&error, Error::Io { source, .. } if source.kind() == io::ErrorKind::StorageFull),
            "{error}"
        );
        testing::works();
        mend([path.as_path()], |_| {}).unwrap();
        assert!(!left.exists());
    }
}
