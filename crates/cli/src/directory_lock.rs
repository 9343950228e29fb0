//! A directory that one process has to itself for as long as it runs.

use std::{
    fs::{self, File, TryLockError},
    io::{Read, Write},
    path::{Path, PathBuf},
    process,
};

use crate::{
    error::{Context, Error},
    file_id::FileId,
};

/// The lock of a directory: a file in it, locked, with the number of the process. The system lets go of the lock when the
/// process ends in whatever way, so that a file which is left behind hinders nobody.
///
/// The lock of the directory itself is another one: who writes files has it, and not for long.
#[derive(Debug)]
pub(crate) struct DirectoryLock {
    file: Option<File>,
    path: PathBuf,
}

impl DirectoryLock {
    /// Takes the lock.
    ///
    /// # Errors
    ///
    /// [`Error`] when another process has it, or when the file can't be made.
    pub(crate) fn take(directory: &Path, name: &str) -> Result<Self, Error> {
        let path = directory.join(name);
        loop {
            let mut file = File::options()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .open(&path)
                .about(path.display())?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Err(taken(directory, &mut file)),
                Err(TryLockError::Error(error)) => return Err(error).about(path.display()),
            }
            // Who had the lock may have removed the file after it was opened here.
            if cfg!(unix) && FileId::of(&path) != FileId::of_file(&file) {
                continue;
            }
            file.set_len(0)
                .and_then(|()| writeln!(file, "{}", process::id()))
                .about(path.display())?;
            return Ok(Self {
                file: Some(file),
                path,
            });
        }
    }
}

impl Drop for DirectoryLock {
    fn drop(&mut self) {
        // Before the lock is let go of, so that it is never that of another process. Some systems remove no file that is
        // open: it stays there, and hinders nobody.
        let _ = fs::remove_file(&self.path);
        self.file = None;
    }
}

fn taken(directory: &Path, file: &mut File) -> Error {
    let mut owner = String::new();
    // It may not have written its number yet.
    let owner = match file.take(20).read_to_string(&mut owner) {
        Ok(_) => owner.trim().parse::<u32>().ok(),
        Err(_) => None,
    };
    let owner = owner.map_or_else(String::new, |number| format!(", process {number}"));
    Error::failed(format!(
        "{}: in use by another pod serve{owner}",
        directory.display()
    ))
    .hint("name another directory with --dir, or end the other one")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_left_behind_hinders_nobody() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("x.lock"), "4711\n").unwrap();

        let lock = DirectoryLock::take(directory.path(), "x.lock").unwrap();
        assert_eq!(
            DirectoryLock::take(directory.path(), "x.lock").unwrap_err(),
            Error::failed(format!(
                "{}: in use by another pod serve, process {}",
                directory.path().display(),
                process::id()
            ))
            .hint("name another directory with --dir, or end the other one")
        );
        drop(lock);

        DirectoryLock::take(directory.path(), "x.lock").unwrap();
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
    }
}
