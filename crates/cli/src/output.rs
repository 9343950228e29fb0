//! Writing the files that a command makes: all of them or none, in one step each, and never over another one unasked.

use std::{
    ffi::{OsStr, OsString},
    fmt,
    fs::{self, File, Permissions},
    io::{self, IsTerminal, Write},
    path::{Path, PathBuf},
};

use tempfile::NamedTempFile;

use crate::{
    error::{Context, Error},
    ui,
};

/// Who may read a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Only its owner (mode 0600): keys, bundles, passphrases.
    Owner,
    /// Everybody, as far as the umask allows it (mode 0644): certificates and requests.
    Everyone,
}

/// A place where a file may be written.
#[derive(Debug)]
pub(crate) struct Target {
    place: Place,
    access: Access,
    force: bool,
}

#[derive(Debug)]
enum Place {
    /// `given` is how the user called it, for messages.
    File {
        given: PathBuf,
        path: PathBuf,
    },
    Stdout,
}

/// Checks all places before any work is done. `-` is standard output.
///
/// # Errors
///
/// [`Error`] when a file is there already and `force` is false, when its directory isn't there, when something other
/// than a file is in its place, or when two outputs have the same place.
pub(crate) fn claim<const N: usize>(
    targets: [(&Path, Access); N],
    force: bool,
) -> Result<[Target; N], Error> {
    let mut places = Vec::with_capacity(N);
    for (path, _) in &targets {
        let place = Place::find(path, force)?;
        if places.iter().any(|other| place.is(other)) {
            return Err(Error::misused(format!(
                "two outputs can not both go to {}",
                Name(path)
            )));
        }
        places.push(place);
    }
    let mut places = places.into_iter();
    Ok(targets.map(|(_, access)| Target {
        place: places.next().unwrap_or(Place::Stdout),
        access,
        force,
    }))
}

/// Writes all files, or none.
///
/// Every file is written under another name and synced before the first one gets its own. If one then can't have its
/// name, those that were new are removed again.
///
/// # Errors
///
/// [`Error`] when a file can't be written, or when one appeared in its place in the meantime.
pub(crate) fn write<const N: usize>(files: [(Target, &[u8]); N]) -> Result<(), Error> {
    let mut staged = Vec::with_capacity(N);
    let mut printed = Vec::new();
    for (target, contents) in files {
        match target.place {
            Place::File { given, path } => {
                let file = stage(&path, target.access, contents).about(given.display())?;
                staged.push((file, given, path, target.force));
            }
            Place::Stdout => printed.push(contents),
        }
    }

    let mut created: Vec<PathBuf> = Vec::with_capacity(N);
    for (file, given, path, force) in staged {
        let existed = force && path.exists();
        let persisted = if force {
            file.persist(&path)
        } else {
            file.persist_noclobber(&path)
        };
        if let Err(error) = persisted {
            for path in &created {
                // The failure that is reported matters more than one of these.
                let _ = fs::remove_file(path);
            }
            return match error.error.kind() {
                io::ErrorKind::AlreadyExists => Err(already_exists(&given)),
                _ => Err(error.error).about(given.display()),
            };
        }
        sync_directory(&path);
        if !existed {
            created.push(path);
        }
    }
    printed.into_iter().try_for_each(ui::result_bytes)
}

/// Makes a directory, and the ones above it, if they aren't there. If nothing is in them when the value is dropped,
/// because the command failed, they are removed again.
///
/// # Errors
///
/// [`Error`] when it can't be made.
pub(crate) fn make_directory(path: &Path) -> Result<MadeDirectories, Error> {
    let missing = path
        .ancestors()
        .filter(|ancestor| !ancestor.as_os_str().is_empty())
        .take_while(|ancestor| !ancestor.exists());
    let made = MadeDirectories(missing.map(Path::to_owned).collect());
    fs::create_dir_all(path).about(path.display())?;
    Ok(made)
}

/// The directories that were made for a command, the innermost first.
#[derive(Debug)]
pub(crate) struct MadeDirectories(Vec<PathBuf>);

impl Drop for MadeDirectories {
    fn drop(&mut self) {
        for directory in &self.0 {
            // This fails, and rightly so, when something is in it.
            let _ = fs::remove_dir(directory);
        }
    }
}

/// How an output is called in messages.
pub(crate) struct Name<'a>(pub(crate) &'a Path);

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if is_stdout(self.0) {
            f.write_str("standard output")
        } else {
            fmt::Display::fmt(&self.0.display(), f)
        }
    }
}

fn is_stdout(path: &Path) -> bool {
    path.as_os_str() == "-"
}

impl Target {
    /// Whether it is standard output.
    pub(crate) fn is_stdout(&self) -> bool {
        matches!(self.place, Place::Stdout)
    }

    /// Refuses to write octets that are not text to a terminal.
    ///
    /// # Errors
    ///
    /// [`Error`] when this is standard output and a terminal.
    pub(crate) fn holds_binary(&self) -> Result<(), Error> {
        if self.is_stdout() && io::stdout().is_terminal() {
            return Err(
                Error::misused("the file is binary and the output is a terminal")
                    .hint("name a file with --out, or pipe the output"),
            );
        }
        Ok(())
    }
}

impl Place {
    fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::File { path, .. }, Self::File { path: other, .. }) => path == other,
            (Self::Stdout, Self::Stdout) => true,
            _ => false,
        }
    }

    fn find(given: &Path, force: bool) -> Result<Self, Error> {
        if is_stdout(given) {
            return Ok(Self::Stdout);
        }
        let Some(name) = given.file_name() else {
            return Err(Error::failed(format!(
                "{}: not the name of a file",
                given.display()
            )));
        };
        let directory = directory_of(given);
        if !directory.is_dir() {
            return Err(Error::failed(format!(
                "{}: there is no directory {}",
                given.display(),
                directory.display()
            ))
            .hint("make the directory first"));
        }
        // Through symbolic links, so that two names of one place are seen to be one, and so that a link stays a link.
        let directory = fs::canonicalize(directory).about(given.display())?;
        let path = directory.join(name);
        let path = match fs::symlink_metadata(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => path,
            Err(error) => return Err(error).about(given.display()),
            Ok(_) if !force => return Err(already_exists(given)),
            Ok(_) => {
                let path = fs::canonicalize(&path).about(given.display())?;
                if !path.is_file() {
                    return Err(Error::failed(format!(
                        "{}: not a file, so it can not be replaced",
                        given.display()
                    ))
                    .hint("--out - writes to standard output"));
                }
                path
            }
        };
        Ok(Self::File {
            given: given.to_owned(),
            path,
        })
    }
}

fn already_exists(path: &Path) -> Error {
    Error::failed(format!("{}: already exists", path.display()))
        .hint("choose another name, or replace it with --force")
}

/// Writes a temporary file beside the place where it will be.
fn stage(path: &Path, access: Access, contents: &[u8]) -> io::Result<NamedTempFile> {
    let mut prefix = OsString::from(".");
    prefix.push(path.file_name().unwrap_or(OsStr::new("countersign")));
    prefix.push(".");
    let mut builder = tempfile::Builder::new();
    builder.prefix(&prefix).suffix(".tmp");
    if let Some(permissions) = access.permissions() {
        builder.permissions(permissions);
    }
    let mut file = builder.tempfile_in(directory_of(path))?;
    file.write_all(contents)?;
    file.as_file().sync_all()?;
    Ok(file)
}

impl Access {
    #[cfg(unix)]
    fn permissions(self) -> Option<Permissions> {
        use std::os::unix::fs::PermissionsExt;
        Some(Permissions::from_mode(match self {
            Self::Owner => 0o600,
            Self::Everyone => 0o644,
        }))
    }

    #[cfg(not(unix))]
    fn permissions(self) -> Option<Permissions> {
        None
    }
}

fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(directory) if directory.as_os_str().is_empty() => Path::new("."),
        Some(directory) => directory,
        None => path,
    }
}

/// Makes the new name as durable as the contents. Not every file system can, and the file is complete either way.
fn sync_directory(path: &Path) {
    if let Ok(directory) = File::open(directory_of(path)) {
        let _ = directory.sync_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(directory: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(directory)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_that_appears_in_the_meantime_is_kept_and_the_others_are_taken_back() {
        let directory = tempfile::tempdir().unwrap();
        let (first, second) = (directory.path().join("a"), directory.path().join("b"));
        let [a, b] = claim(
            [(&first, Access::Everyone), (&second, Access::Owner)],
            false,
        )
        .unwrap();

        fs::write(&second, "someone else's").unwrap();

        let error = write([(a, b"one"), (b, b"two")]).unwrap_err();
        assert_eq!(error, already_exists(&second));
        assert_eq!(names(directory.path()), ["b"]);
        assert_eq!(fs::read(&second).unwrap(), b"someone else's");
    }

    #[test]
    fn force_replaces_the_file_behind_a_link() {
        let directory = tempfile::tempdir().unwrap();
        let (file, link) = (directory.path().join("file"), directory.path().join("link"));
        fs::write(&file, "old").unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink(&file, &link).unwrap();
        #[cfg(not(unix))]
        fs::hard_link(&file, &link).unwrap();

        let [target] = claim([(&link, Access::Owner)], true).unwrap();
        write([(target, b"new")]).unwrap();

        assert_eq!(fs::read(&link).unwrap(), b"new");
        assert_eq!(names(directory.path()), ["file", "link"]);
    }

    #[test]
    fn two_names_of_one_place_are_noticed() {
        let directory = tempfile::tempdir().unwrap();
        let plain = directory.path().join("a");
        // `Path` compares without dots of its own accord, but not without a detour.
        fs::create_dir(directory.path().join("b")).unwrap();
        let roundabout = directory.path().join("b").join("..").join("a");
        let error = claim(
            [(&plain, Access::Owner), (&roundabout, Access::Everyone)],
            true,
        )
        .unwrap_err();
        assert_eq!(
            error,
            Error::misused(format!(
                "two outputs can not both go to {}",
                roundabout.display()
            ))
        );
    }

    #[test]
    fn a_directory_that_stays_empty_is_removed_again() {
        let directory = tempfile::tempdir().unwrap();
        let (used, unused) = (
            directory.path().join("used"),
            directory.path().join("a").join("b"),
        );
        drop(make_directory(&unused).unwrap());
        let made = make_directory(&used).unwrap();
        fs::write(used.join("file"), "").unwrap();
        drop(made);
        assert_eq!(names(directory.path()), ["used"]);

        // One that was there before stays, empty or not.
        fs::remove_file(used.join("file")).unwrap();
        drop(make_directory(&used).unwrap());
        assert_eq!(names(directory.path()), ["used"]);
    }

    #[cfg(unix)]
    #[test]
    fn a_device_is_not_replaced() {
        let error = claim([(Path::new("/dev/null"), Access::Owner)], true).unwrap_err();
        assert_eq!(
            error,
            Error::failed("/dev/null: not a file, so it can not be replaced")
                .hint("--out - writes to standard output")
        );
    }
}
