//! The steps that change a disk. All of this crate's go through here, so that its tests see their order, and can let one
//! of them fail that succeeds on every disk at hand.
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

use tempfile::TempPath;

/// What is done, for tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    MakeDirectory,
    Write,
    Sync,
    SyncDirectory,
    Link,
    Rename,
    RenameExclusively,
    Remove,
    OpenDirectory,
    OpenLockFile,
}

/// Makes a directory with a name that nobody has, which its owner alone can enter.
pub(crate) fn make_private_directory(
    prefix: &str,
    suffix: &str,
    parent: &Path,
) -> io::Result<PathBuf> {
    step(Step::MakeDirectory, parent)?;
    let mut directory = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut directory, 0o700);
    // Not `tempdir_in`, whose errors name the directory that couldn't be made, and lose what the system says.
    let mut builder = tempfile::Builder::new();
    let made = builder
        .prefix(prefix)
        .suffix(suffix)
        .make_in(parent, |path| directory.create(path))?;
    made.into_temp_path().keep().map_err(|error| error.error)
}

/// Writes a new file and syncs it.
pub(crate) fn write(path: &Path, mode: u32, contents: &[u8]) -> io::Result<()> {
    step(Step::Write, path)?;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
    #[cfg(not(unix))]
    let _ = mode;
    let mut file = options.open(path)?;
    file.write_all(contents)?;
    sync(&file, path)
}

fn sync(file: &File, path: &Path) -> io::Result<()> {
    step(Step::Sync, path)?;
    file.sync_all()
}

/// Makes new names as durable as the contents. Not every file system can, and the files are complete either way.
pub(crate) fn sync_directory(directory: &Path) {
    if step(Step::SyncDirectory, directory).is_ok()
        && let Ok(directory) = File::open(directory)
    {
        let _ = directory.sync_all();
    }
}

/// Gives a file a second name.
pub(crate) fn link(path: &Path, second: &Path) -> io::Result<()> {
    step(Step::Link, second)?;
    fs::hard_link(path, second)
}

/// Renames a file, over another one if there is one.
pub(crate) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    step(Step::Rename, to)?;
    fs::rename(from, to)
}

/// Renames a file to a name that nothing has. If something has it, or the disk won't, the file stays as it was.
///
/// Where a file system can neither do that in one step nor has links, looking first has to do: whoever else keeps to the lock
/// of the directory isn't there.
pub(crate) fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    step(Step::Rename, to)?;
    let result = rename_exclusively(from, to);
    let can_not = |error: &io::Error| {
        matches!(
            error.kind(),
            io::ErrorKind::InvalidInput
                | io::ErrorKind::PermissionDenied
                | io::ErrorKind::Unsupported
        )
    };
    match (result, fs::symlink_metadata(to)) {
        (Err(error), Err(nothing))
            if can_not(&error) && nothing.kind() == io::ErrorKind::NotFound =>
        {
            fs::rename(from, to)
        }
        (result, _) => result,
    }
}

fn rename_exclusively(from: &Path, to: &Path) -> io::Result<()> {
    step(Step::RenameExclusively, to)?;
    let mut from = TempPath::try_from_path(from)?;
    // Otherwise, a file that can't be renamed is removed.
    from.disable_cleanup(true);
    from.persist_noclobber(to).map_err(|error| error.error)
}

pub(crate) fn remove_file(path: &Path) -> io::Result<()> {
    step(Step::Remove, path)?;
    fs::remove_file(path)
}

pub(crate) fn remove_dir_all(path: &Path) -> io::Result<()> {
    step(Step::Remove, path)?;
    fs::remove_dir_all(path)
}

/// Opens a directory, to lock it.
pub(crate) fn open_directory(path: &Path) -> io::Result<File> {
    step(Step::OpenDirectory, path)?;
    File::open(path)
}

/// Opens a file, to lock it, and makes it if need be.
pub(crate) fn open_lock_file(path: &Path) -> io::Result<File> {
    step(Step::OpenLockFile, path)?;
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
}

#[cfg(not(test))]
fn step(_step: Step, _path: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
use testing::step;

/// What tests see of the steps of their own thread, and which they let fail.
#[cfg(test)]
pub(crate) mod testing {
    use std::{cell::RefCell, io, path::Path};

    use super::Step;

    #[derive(Default)]
    struct Disk {
        taken: Vec<String>,
        failing: Vec<(Step, String, io::ErrorKind)>,
    }

    thread_local! {
        static DISK: RefCell<Disk> = RefCell::default();
    }

    pub(super) fn step(step: Step, path: &Path) -> io::Result<()> {
        let name = path.file_name().unwrap().to_str().unwrap();
        DISK.with_borrow_mut(|disk| {
            let shown = if name.starts_with(".countersign-") {
                "staging"
            } else {
                name
            };
            disk.taken.push(format!("{step:?} {shown}"));
            let fails = |(failing, path, _): &&(Step, String, _)| *failing == step && path == name;
            match disk.failing.iter().find(fails) {
                Some((.., kind)) => Err((*kind).into()),
                None => Ok(()),
            }
        })
    }

    /// Lets a step fail in this thread, with a file of this name, until [`works`] again.
    pub(crate) fn fails(step: Step, name: &str, kind: io::ErrorKind) {
        DISK.with_borrow_mut(|disk| disk.failing.push((step, name.to_owned(), kind)));
    }

    /// Lets no step fail.
    pub(crate) fn works() {
        DISK.with_borrow_mut(|disk| disk.failing.clear());
    }

    /// The steps that this thread took since it was last asked.
    pub(crate) fn taken() -> Vec<String> {
        DISK.with_borrow_mut(|disk| std::mem::take(&mut disk.taken))
    }
}
