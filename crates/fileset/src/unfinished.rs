//! What has to go when the process ends early.
use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::{disk, staging};

/// What a process has made and not finished: staging directories, and directories that are still empty.
///
/// A process that handles signals has one of these, for all that it does with this crate, and calls
/// [`Unfinished::abandon`] when a signal ends it. A process that doesn't handle them just makes one where one is needed.
#[derive(Debug, Default)]
pub struct Unfinished(Mutex<Made>);

#[derive(Debug, Default)]
pub(crate) struct Made {
    staging: Vec<PathBuf>,
    directories: Vec<PathBuf>,
}

impl Unfinished {
    /// Nothing yet.
    pub const fn new() -> Self {
        Self(Mutex::new(Made {
            staging: Vec::new(),
            directories: Vec::new(),
        }))
    }

    /// Removes what isn't finished, so that the process can end.
    ///
    /// It waits while a set is being published, and nothing is published or made until what it returns is dropped. Hold
    /// that until the process has ended: it may also be held while the process is merely stopped.
    pub fn abandon(&self) -> Abandoned<'_> {
        let mut made = self.hold();
        for staging in made.0.staging.drain(..) {
            // The thread that is staging may make another file before it notices. It makes no other directory, though.
            while staging::remove(&staging)
                .is_err_and(|error| error.kind() == io::ErrorKind::DirectoryNotEmpty)
            {}
        }
        for directory in made.0.directories.drain(..).rev() {
            // This fails, and rightly so, when something is in it.
            let _ = fs::remove_dir(directory);
        }
        made
    }

    /// Waits while a set is being published, and lets none be published until what it returns is dropped: for a process
    /// that is about to be stopped for a while.
    pub fn hold(&self) -> Abandoned<'_> {
        Abandoned(self.lock())
    }

    /// Makes a directory and those above it, as far as they aren't there. Those that are still empty when the value is
    /// dropped are removed again.
    ///
    /// # Errors
    ///
    /// Those of [`fs::create_dir_all`].
    pub fn make_directory(&self, path: &Path) -> io::Result<MadeDirectory<'_>> {
        let mut made = self.lock();
        let missing: Vec<_> = path
            .ancestors()
            .filter(|ancestor| !ancestor.as_os_str().is_empty())
            .take_while(|ancestor| !ancestor.exists())
            .map(Path::to_owned)
            .collect();
        if let Err(error) = fs::create_dir_all(path) {
            for directory in &missing {
                let _ = fs::remove_dir(directory);
            }
            return Err(error);
        }
        made.directories.extend(missing.iter().rev().cloned());
        Ok(MadeDirectory {
            unfinished: self,
            path: path.to_owned(),
            made: missing,
        })
    }

    /// Makes a directory for its owner alone (mode 0700), with a new name that starts with `prefix`, where temporary
    /// files go. If it is still empty when the value is dropped, it is removed again.
    ///
    /// # Errors
    ///
    /// [`io::Error`] when it can't be made.
    pub fn make_temporary_directory(&self, prefix: &str) -> io::Result<MadeDirectory<'_>> {
        let mut made = self.lock();
        let path = disk::make_private_directory(prefix, "", &std::env::temp_dir())?;
        made.directories.push(path.clone());
        Ok(MadeDirectory {
            unfinished: self,
            path: path.clone(),
            made: vec![path],
        })
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Made> {
        // A list of paths is valid whenever somebody panicked.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Made {
    /// Makes a staging directory in `parent`.
    pub(crate) fn stage(&mut self, parent: &Path) -> io::Result<PathBuf> {
        let path = staging::create(parent)?;
        self.staging.push(path.clone());
        Ok(path)
    }

    /// Removes a staging directory that [`Made::stage`] has made.
    pub(crate) fn unstage(&mut self, path: &Path) {
        // What can't be removed now is removed by the next process.
        let _ = staging::remove(path);
        self.leave(path);
    }

    /// Leaves a staging directory to the next process, which finishes what its journal says.
    pub(crate) fn leave(&mut self, path: &Path) {
        self.staging.retain(|known| known != path);
    }
}

/// While this lives, nothing is published.
#[derive(Debug)]
#[must_use = "hold it until the process has ended"]
pub struct Abandoned<'a>(MutexGuard<'a, Made>);

/// A directory that was made for a set of files.
#[derive(Debug)]
pub struct MadeDirectory<'a> {
    unfinished: &'a Unfinished,
    path: PathBuf,
    /// It, and those above it that weren't there either; the innermost first.
    made: Vec<PathBuf>,
}

impl MadeDirectory<'_> {
    /// The directory.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for MadeDirectory<'_> {
    fn drop(&mut self) {
        let mut made = self.unfinished.lock();
        for directory in &self.made {
            // This fails, and rightly so, when something is in it.
            let _ = fs::remove_dir(directory);
        }
        made.directories.retain(|known| !self.made.contains(known));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_that_stays_empty_is_removed_again() {
        let directory = tempfile::tempdir().unwrap();
        let used = directory.path().join("used");
        let unfinished = Unfinished::new();
        drop(
            unfinished
                .make_directory(&directory.path().join("a").join("b"))
                .unwrap(),
        );
        let made = unfinished.make_directory(&used).unwrap();
        fs::write(used.join("file"), "").unwrap();
        drop(made);
        assert_eq!(staging::names(directory.path()), ["used"]);

        // One that was there before stays, empty or not.
        fs::remove_file(used.join("file")).unwrap();
        drop(unfinished.make_directory(&used).unwrap());
        assert_eq!(staging::names(directory.path()), ["used"]);
    }

    #[test]
    fn what_is_not_finished_goes_when_it_is_abandoned() {
        let directory = tempfile::tempdir().unwrap();
        let unfinished = Unfinished::new();
        let made = unfinished
            .make_directory(&directory.path().join("a").join("b"))
            .unwrap();
        let staging = unfinished.lock().stage(directory.path()).unwrap();
        fs::write(staging.join("0.new"), "secret").unwrap();
        drop(unfinished.abandon());
        assert!(staging::names(directory.path()).is_empty());
        drop(made);
    }
}
