//! Writing the files that a command makes: all of them or none, in one step each, and never over another one unasked.

use std::{
    fs,
    io::{self, IsTerminal},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

pub(crate) use fileset::Access;
use fileset::{FileSet, MadeDirectory, Mended};

use crate::{
    error::{Context, Error},
    file_id::{FileId, Inputs},
    file_name::{OutputName, is_stdout},
    signals::UNFINISHED,
    ui,
};

/// A file that a command is asked to write.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output<'a> {
    /// The flag that says where: `--out`.
    pub(crate) flag: &'static str,
    /// `-` is standard output.
    pub(crate) path: &'a Path,
    pub(crate) access: Access,
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

/// Checks all places before any work is done, and mends what an earlier run has left there, or beside the inputs.
///
/// # Errors
///
/// [`Error`] when a place is one of the inputs, when two outputs have the same place, when a file is there already and
/// `force` is false, when its directory isn't there, or when something other than a file is in its place.
pub(crate) fn claim<const N: usize>(
    outputs: [Output<'_>; N],
    inputs: &Inputs,
    force: bool,
) -> Result<[Target; N], Error> {
    let directories = outputs
        .iter()
        .filter(|output| !is_stdout(output.path))
        .map(|output| directory_of(output.path));
    tell(&fileset::mend(directories.chain(inputs.directories()), waiting).map_err(describe)?);
    // Not before: mending may bring an input back, or replace it.
    for output in &outputs {
        if let Some(flag) = inputs.flag_of(output.path, output.id().as_ref()) {
            return Err(Error::misused(format!(
                "{} would replace {}, which {flag} reads",
                output.flag,
                OutputName(output.path)
            ))
            .hint("name another file"));
        }
    }

    let mut claimed: Vec<(&Output<'_>, Place)> = Vec::with_capacity(N);
    for output in &outputs {
        let place = Place::find(output.path, force)?;
        if let Some((other, _)) = claimed.iter().find(|(other, taken)| {
            place.is(taken) || output.id().is_some_and(|id| Some(id) == other.id())
        }) {
            return Err(Error::misused(format!(
                "{} and {} can not both go to {}",
                other.flag,
                output.flag,
                OutputName(output.path)
            )));
        }
        claimed.push((output, place));
    }
    let mut places = claimed.into_iter().map(|(_, place)| place);
    Ok(outputs.map(|output| Target {
        place: places.next().unwrap_or(Place::Stdout),
        access: output.access,
        force,
    }))
}

/// Refuses a report on standard output when a file goes there too.
///
/// # Errors
///
/// [`Error`] when that is so.
pub(crate) fn keep_for_report(json: bool, targets: &[&Target]) -> Result<(), Error> {
    if json && targets.iter().any(|target| target.is_stdout()) {
        return Err(
            Error::misused("the file and the report can not both go to standard output")
                .hint("name a file, or leave out --json"),
        );
    }
    Ok(())
}

/// Writes all files, or none, whatever signal arrives.
///
/// # Errors
///
/// [`Error`] when a file can't be written, or when one appeared in its place in the meantime.
pub(crate) fn write<const N: usize>(files: [(Target, &[u8]); N]) -> Result<(), Error> {
    write_set(files, || Ok(None))
}

/// The same for files in a directory that the command [makes](make_directory). Another run that made it at the same time may
/// have removed it since, because it failed and nothing was in it.
///
/// # Errors
///
/// Those of [`write()`] and [`make_directory`].
pub(crate) fn write_into<const N: usize>(
    directory: &Path,
    files: [(Target, &[u8]); N],
) -> Result<(), Error> {
    write_set(files, || make_directory(directory).map(Some))
}

/// How often a directory is made that others remove.
const ATTEMPTS: usize = 10;

fn write_set<const N: usize>(
    files: [(Target, &[u8]); N],
    make_directory: impl Fn() -> Result<Option<MadeDirectory<'static>>, Error>,
) -> Result<(), Error> {
    let mut set = FileSet::new();
    let mut given = Vec::with_capacity(N);
    let mut printed = Vec::new();
    for (target, contents) in &files {
        match &target.place {
            Place::File { given: name, path } => {
                set = set
                    .replace(target.force)
                    .file(path, target.access, contents);
                given.push((path, name));
            }
            Place::Stdout => printed.push(contents),
        }
    }
    if given.is_empty() {
        return printed.into_iter().try_for_each(|it| ui::result_bytes(it));
    }
    // In the user's own words, where an error is about one of the files.
    let told = |error: fileset::Error| match error {
        fileset::Error::Exists { path, .. } => {
            let name = given.iter().find(|(known, _)| **known == path);
            already_exists(name.map_or(&path, |(_, name)| *name))
        }
        other => describe(other),
    };

    let mut attempts = 1..ATTEMPTS;
    loop {
        let made = make_directory()?;
        // Between two steps, somebody may have removed it, or replaced it by another one.
        let mut is_gone = |error: &fileset::Error| {
            let is_gone = match error {
                fileset::Error::Io { source, .. } => source.kind() == io::ErrorKind::NotFound,
                fileset::Error::NotLocked { .. } => true,
                _ => false,
            };
            is_gone && made.is_some() && attempts.next().is_some()
        };
        let locked = match fileset::lock(set.directories(), waiting) {
            Err(error) if is_gone(&error) => continue,
            locked => locked.map_err(told)?,
        };
        tell(locked.mended());
        let staged = match locked.stage(&set, &UNFINISHED) {
            Err(error) if is_gone(&error) => continue,
            staged => staged.map_err(told)?,
        };
        for contents in printed {
            // A part of the result is of no use: here, a reader that has gone away is a failure like any other.
            ui::result_bytes(contents).map_err(|error| error.into_failure())?;
        }
        return staged.publish().map_err(told);
    }
}

/// Makes a directory, and the ones above it, if they aren't there. If nothing is in them when the value is dropped,
/// because the command failed, they are removed again.
///
/// # Errors
///
/// [`Error`] when it can't be made.
pub(crate) fn make_directory(path: &Path) -> Result<MadeDirectory<'static>, Error> {
    UNFINISHED
        .make_directory(path)
        .map_err(|error| match path.metadata() {
            Ok(it) if !it.is_dir() => {
                Error::failed(format!("{}: it is not a directory", path.display()))
            }
            _ => Error::failed(format!("{}: {error}", path.display())),
        })
}

/// Tells that another process has the lock of a directory.
fn waiting(directory: &Path) {
    ui::note(format!(
        "waiting for another program that writes to {}",
        directory.display()
    ));
}

/// Tells what an earlier run has left, and what became of it.
fn tell(mended: &[Mended]) {
    let list = |files: &[PathBuf]| {
        let names: Vec<_> = files
            .iter()
            .map(|file| file.display().to_string())
            .collect();
        names.join(", ")
    };
    // What waits is found again by whoever locks the directory next, in this run too.
    static TOLD: Mutex<Vec<Mended>> = Mutex::new(Vec::new());
    let mut told = TOLD.lock().unwrap_or_else(PoisonError::into_inner);
    for mended in mended {
        if told.contains(mended) {
            continue;
        }
        told.push(mended.clone());
        match mended {
            Mended::Completed { files } => ui::warn(format!(
                "an earlier run was killed while it wrote its files; completed now: {}",
                list(files)
            )),
            Mended::Mixed { files } => ui::warn(format!(
                "an earlier run was killed while it wrote its files, which were changed since: {} may not belong together",
                list(files)
            )),
            Mended::Waiting {
                files,
                missing,
                kept,
                ..
            } => ui::warn(format!(
                "an earlier run was killed while it wrote its files, and {} is not there: {} may not belong together until it is, or {} is removed",
                list(missing),
                list(files),
                list(kept)
            )),
            _ => {}
        }
    }
}

/// The error, and what to do about it.
fn describe(error: fileset::Error) -> Error {
    let told = Error::failed(error.to_string());
    match error {
        fileset::Error::NotAFile { path, .. } => not_a_file(&path),
        fileset::Error::Mixed { .. } => told.hint(
            "make room for the files: the next command that reads or writes there completes them",
        ),
        fileset::Error::Unfinished { .. } => {
            told.hint("make room for the file, or give the directory up by removing it")
        }
        _ => told,
    }
}

fn not_a_file(path: &Path) -> Error {
    Error::failed(format!(
        "{}: not a file, so it can not be replaced",
        path.display()
    ))
    .hint("--out - writes to standard output")
}

impl Output<'_> {
    /// The file that is there now.
    fn id(&self) -> Option<FileId> {
        if is_stdout(self.path) {
            FileId::of_stdout()
        } else {
            FileId::of(self.path)
        }
    }
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
            Ok(_) if path.exists() && !path.is_file() => {
                return Err(not_a_file(given));
            }
            Ok(_) if !force => return Err(already_exists(given)),
            Ok(_) => fs::canonicalize(&path).about(given.display())?,
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

fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(directory) if directory.as_os_str().is_empty() => Path::new("."),
        Some(directory) => directory,
        None => path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn out(path: &Path) -> Output<'_> {
        Output {
            flag: "--out",
            path,
            access: Access::Owner,
        }
    }

    fn names(directory: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(directory)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_that_appears_in_the_meantime_is_called_as_the_user_called_it() {
        let directory = tempfile::tempdir().unwrap();
        let first = directory.path().join("a");
        fs::create_dir(directory.path().join("d")).unwrap();
        let second = directory.path().join("d").join("..").join("b");
        let [a, b] = claim([out(&first), out(&second)], &Inputs::new(), false).unwrap();

        fs::write(&second, "someone else's").unwrap();

        let error = write([(a, b"one"), (b, b"two")]).unwrap_err();
        assert_eq!(error, already_exists(&second));
        assert_eq!(names(directory.path()), ["b", "d"]);
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

        let [target] = claim([out(&link)], &Inputs::new(), true).unwrap();
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
        let same = |one: &Path, other: &Path| {
            let other = Output {
                flag: "--out-key",
                ..out(other)
            };
            claim([out(one), other], &Inputs::new(), true).unwrap_err()
        };
        let refusal = |path: &Path| {
            Error::misused(format!(
                "--out and --out-key can not both go to {}",
                path.display()
            ))
        };
        assert_eq!(same(&plain, &roundabout), refusal(&roundabout));

        fs::write(&plain, "").unwrap();
        let link = directory.path().join("link");
        fs::hard_link(&plain, &link).unwrap();
        assert_eq!(same(&plain, &link), refusal(&link));
    }

    #[cfg(unix)]
    #[test]
    fn a_device_is_not_replaced() {
        for force in [false, true] {
            let error = claim([out(Path::new("/dev/null"))], &Inputs::new(), force).unwrap_err();
            assert_eq!(
                error,
                Error::failed("/dev/null: not a file, so it can not be replaced")
                    .hint("--out - writes to standard output")
            );
        }
    }

    #[cfg(unix)]
    #[test]
    fn standard_output_has_other_names() {
        for name in ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"] {
            let [target] = claim([out(Path::new(name))], &Inputs::new(), false).unwrap();
            assert!(target.is_stdout(), "{name}");
        }
    }
}
