//! A set of files, on its way to the disk.
use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsStr,
    fs, io,
    path::{Path, PathBuf},
};

use crate::{
    Error, Locked, Unfinished, disk,
    identity::Identity,
    journal::{FileState, Journal, Other, Record},
    staging,
};

/// Who may read a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Only its owner (mode 0600): keys, bundles, passphrases.
    Owner,
    /// Everybody, as far as the umask allows it (mode 0644): certificates and requests.
    Everyone,
}

/// Files that belong together.
#[derive(Debug, Default)]
#[must_use = "nothing is written until the set is staged and published"]
pub struct FileSet<'a> {
    files: Vec<NewFile<'a>>,
    replace: bool,
}

#[derive(Debug)]
struct NewFile<'a> {
    path: PathBuf,
    access: Access,
    contents: &'a [u8],
}

impl<'a> FileSet<'a> {
    /// Without a file, and for places where there is none yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether it replaces files that are there already. Default: no.
    pub fn replace(self, replace: bool) -> Self {
        Self { replace, ..self }
    }

    /// With one more file. Within a directory, files are published in the order in which they were added.
    pub fn file(mut self, path: impl Into<PathBuf>, access: Access, contents: &'a [u8]) -> Self {
        self.files.push(NewFile {
            path: path.into(),
            access,
            contents,
        });
        self
    }

    /// The directories of its files, which have to be locked.
    pub fn directories(&self) -> BTreeSet<&Path> {
        self.files
            .iter()
            .map(|file| directory(&file.path))
            .collect()
    }
}

fn directory(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent != OsStr::new("") => parent,
        _ => Path::new("."),
    }
}

impl Locked {
    /// Writes the files beside their places, which only their owner can enter, and syncs them.
    ///
    /// # Errors
    ///
    /// [`Error::Exists`] and [`Error::NotAFile`] when something is in the place of a file, [`Error::NotLocked`] when this
    /// isn't the lock of its directory, [`Error::Io`] when it can't be written.
    pub fn stage<'a>(
        &'a self,
        set: &FileSet<'_>,
        unfinished: &'a Unfinished,
    ) -> Result<Staged<'a>, Error> {
        let mut by_directory: BTreeMap<PathBuf, Vec<(&NewFile<'_>, PathBuf)>> = BTreeMap::new();
        for file in &set.files {
            let directory =
                fs::canonicalize(directory(&file.path)).map_err(Error::io(&file.path))?;
            let (Some(name), true) = (file.path.file_name(), self.holds(&directory)) else {
                return Err(Error::NotLocked {
                    path: file.path.clone(),
                });
            };
            let path = directory.join(name);
            by_directory
                .entry(directory)
                .or_default()
                .push((file, path));
        }

        // From here on, dropping it removes what was staged.
        let mut staged = Staged {
            parts: Vec::new(),
            unfinished,
            _locked: self,
        };
        for (directory, files) in by_directory {
            let staging = unfinished
                .lock()
                .stage(&directory)
                .map_err(Error::io(&directory))?;
            let mut part = Part {
                directory,
                staging,
                records: Vec::new(),
            };
            let result = files
                .into_iter()
                .try_for_each(|(file, path)| part.stage(file, path, set.replace));
            staged.parts.push(part);
            result?;
        }
        staged.write_journals()?;
        Ok(staged)
    }
}

/// Files that are written and not yet in their places. Dropping it removes them.
#[derive(Debug)]
#[must_use = "publish it"]
pub struct Staged<'a> {
    parts: Vec<Part>,
    unfinished: &'a Unfinished,
    /// Another process would take what is staged for something that a killed one has left.
    _locked: &'a Locked,
}

/// Those in one directory.
#[derive(Debug)]
struct Part {
    directory: PathBuf,
    staging: PathBuf,
    records: Vec<Record>,
}

impl Staged<'_> {
    /// Gives the files their names. [`Unfinished::abandon`] waits for it.
    ///
    /// # Errors
    ///
    /// [`Error::Exists`] when something has appeared in the place of a file in the meantime, [`Error::Io`] when a file
    /// can't have its name: all others are put back then. [`Error::Mixed`] when even that fails: what isn't in its place
    /// stays staged, for whoever locks the directory next.
    pub fn publish(mut self) -> Result<(), Error> {
        let unfinished = self.unfinished;
        let mut made = unfinished.lock();
        let result = self.publish_all();
        if matches!(result, Err(Error::Mixed { .. })) {
            for part in self.parts.drain(..) {
                made.leave(&part.staging);
            }
        }
        drop(made);
        result
    }

    fn publish_all(&self) -> Result<(), Error> {
        let mut published = Vec::new();
        for part in &self.parts {
            for (number, record) in part.records.iter().enumerate() {
                if let Err(source) = part.publish(number, record) {
                    let failed = (part, number, record);
                    return Err(put_back(&published, failed, source));
                }
                published.push((part, number, record));
            }
        }
        for part in &self.parts {
            disk::sync_directory(&part.directory);
        }
        Ok(())
    }

    /// A single file needs no journal: it is renamed or it isn't, unless the old one has to step aside.
    fn write_journals(&self) -> Result<(), Error> {
        let mut files = self.parts.iter().flat_map(Part::files);
        if let (Some((old, record)), None) = (files.next(), files.next())
            && (record.old.is_none() || FileState::of(&old).map_err(Error::io(&old))?.is_some())
        {
            return Ok(());
        }
        for part in &self.parts {
            disk::sync_directory(&part.directory);
            let mut with = Vec::new();
            for other in self
                .parts
                .iter()
                .filter(|other| other.staging != part.staging)
            {
                let directory =
                    Identity::of(&other.directory).map_err(Error::io(&other.directory))?;
                with.push(Other {
                    directory: directory.to_text(),
                    staging: other.staging.clone(),
                });
            }
            let journal = Journal {
                with,
                files: part.records.clone(),
            };
            staging::write_journal(&part.staging, &journal).map_err(Error::io(&part.directory))?;
        }
        Ok(())
    }
}

impl Drop for Staged<'_> {
    fn drop(&mut self) {
        let mut made = self.unfinished.lock();
        for part in &self.parts {
            made.unstage(&part.staging);
        }
    }
}

impl Part {
    /// The second name of what each file replaces, and its record.
    fn files(&self) -> impl Iterator<Item = (PathBuf, &Record)> {
        let numbered = self.records.iter().enumerate();
        numbered.map(|(number, record)| (staging::old_file(&self.staging, number), record))
    }

    fn stage(&mut self, file: &NewFile<'_>, path: PathBuf, replace: bool) -> Result<(), Error> {
        let old = match fs::symlink_metadata(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(source) => return Err(Error::io(&file.path)(source)),
            Ok(_) if !replace => {
                return Err(Error::Exists {
                    path: file.path.clone(),
                });
            }
            Ok(metadata) if !metadata.is_file() => {
                return Err(Error::NotAFile {
                    path: file.path.clone(),
                });
            }
            Ok(metadata) => {
                Some(FileState::from_metadata(&metadata).map_err(Error::io(&file.path))?)
            }
        };
        let number = self.records.len();
        let staged = staging::new_file(&self.staging, number);
        disk::write(&staged, file.access.mode(), file.contents).map_err(Error::io(&file.path))?;
        if old.is_some() {
            // Not every file system has links, and another user's file may not get one. Then it steps aside later on.
            let _ = disk::link(&path, &staging::old_file(&self.staging, number));
        }
        let metadata = fs::symlink_metadata(&staged).map_err(Error::io(&file.path))?;
        self.records.push(Record {
            path,
            new: FileState::from_metadata(&metadata).map_err(Error::io(&file.path))?,
            old,
        });
        Ok(())
    }

    /// Gives a file its name.
    fn publish(&self, number: usize, record: &Record) -> io::Result<()> {
        let new = staging::new_file(&self.staging, number);
        if record.old.is_none() {
            return disk::rename_new(&new, &record.path);
        }
        let old = staging::old_file(&self.staging, number);
        if FileState::of(&old)?.is_none() {
            disk::rename(&record.path, &old)?;
        }
        disk::rename(&new, &record.path)
    }

    /// Takes a published file back, and puts the one that it has replaced into its place.
    fn take_back(&self, number: usize, record: &Record) -> io::Result<()> {
        let new = staging::new_file(&self.staging, number);
        let Some(_) = record.old else {
            return disk::rename(&record.path, &new);
        };
        // With a second name, there is a file in the place all the time.
        disk::link(&record.path, &new).or_else(|_| disk::rename(&record.path, &new))?;
        disk::rename(&staging::old_file(&self.staging, number), &record.path)
    }

    /// Puts a file back that has stepped aside, if it has.
    fn step_back(&self, number: usize, record: &Record) -> io::Result<()> {
        let old = staging::old_file(&self.staging, number);
        match (FileState::of(&record.path)?, FileState::of(&old)?) {
            (None, Some(_)) => disk::rename(&old, &record.path),
            _ => Ok(()),
        }
    }
}

/// Undoes what was published when one file couldn't be.
fn put_back(
    published: &[(&Part, usize, &Record)],
    (part, number, failed): (&Part, usize, &Record),
    source: io::Error,
) -> Error {
    let mut undone = part
        .step_back(number, failed)
        .map_err(|error| (failed, error));
    for &(part, number, record) in published.iter().rev() {
        undone = undone.and_then(|()| {
            part.take_back(number, record)
                .map_err(|error| (record, error))
        });
    }
    let path = failed.path.clone();
    match undone {
        Err((replaced, second)) => Error::Mixed {
            path,
            source,
            replaced: replaced.path.clone(),
            second,
        },
        Ok(()) if source.kind() == io::ErrorKind::AlreadyExists => Error::Exists { path },
        Ok(()) => Error::Io { path, source },
    }
}

impl Access {
    fn mode(self) -> u32 {
        match self {
            Self::Owner => 0o600,
            Self::Everyone => 0o644,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;
    use crate::{
        Mended,
        disk::{Step, testing},
        lock,
        staging::names,
    };

    fn write(set: &FileSet<'_>) -> Result<(), Error> {
        let unfinished = Unfinished::new();
        let locked = lock(set.directories(), |_| {})?;
        locked.stage(set, &unfinished)?.publish()
    }

    #[test]
    fn a_file_that_appears_in_the_meantime_is_kept_and_the_others_are_taken_back() {
        let directory = tempfile::tempdir().unwrap();
        let (first, second) = (directory.path().join("a"), directory.path().join("b"));
        let set = FileSet::new().file(&first, Access::Everyone, b"one").file(
            &second,
            Access::Owner,
            b"two",
        );
        let unfinished = Unfinished::new();
        let locked = lock(set.directories(), |_| {}).unwrap();
        let staged = locked.stage(&set, &unfinished).unwrap();

        fs::write(&second, "someone else's").unwrap();

        let error = staged.publish().unwrap_err();
        assert!(matches!(error, Error::Exists { path } if path.ends_with("b")));
        assert_eq!(names(directory.path()), ["b"]);
        assert_eq!(fs::read(&second).unwrap(), b"someone else's");
    }

    #[test]
    fn files_that_were_replaced_are_put_back_when_another_one_can_not_be() {
        let directory = tempfile::tempdir().unwrap();
        let paths = ["a", "b", "c"].map(|name| directory.path().join(name));
        fs::write(&paths[0], "old a").unwrap();
        fs::write(&paths[2], "old c").unwrap();
        let set = paths
            .iter()
            .fold(FileSet::new().replace(true), |set, path| {
                set.file(path, Access::Owner, b"new")
            });
        let unfinished = Unfinished::new();
        let locked = lock(set.directories(), |_| {}).unwrap();
        let staged = locked.stage(&set, &unfinished).unwrap();

        fs::remove_file(&paths[2]).unwrap();
        fs::create_dir(&paths[2]).unwrap();

        let error = staged.publish().unwrap_err();
        assert!(
            matches!(&error, Error::Io { path, source }
                if path.ends_with("c") && source.kind() == io::ErrorKind::IsADirectory),
            "{error}"
        );
        assert_eq!(names(directory.path()), ["a", "c"]);
        assert_eq!(fs::read(&paths[0]).unwrap(), b"old a");
    }

    #[test]
    fn a_set_that_can_neither_be_published_nor_taken_back_is_completed_by_the_next_process() {
        let directory = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(directory.path()).unwrap();
        let paths = ["key", "crt", "p12"].map(|name| root.join(name));
        for replace in [true, false] {
            let set = paths
                .iter()
                .fold(FileSet::new().replace(replace), |set, path| {
                    set.file(path, Access::Owner, b"new")
                });
            let names_left = if replace { 4 } else { 2 };
            for path in &paths {
                let _ = fs::remove_file(path);
                if replace {
                    fs::write(path, "old").unwrap();
                }
            }
            let unfinished = Unfinished::new();
            let locked = lock(set.directories(), |_| {}).unwrap();
            let staged = locked.stage(&set, &unfinished).unwrap();
            testing::fails(Step::Rename, "p12", io::ErrorKind::StorageFull);
            // Neither the old one's way back nor the new one's.
            testing::fails(Step::Rename, "0.new", io::ErrorKind::PermissionDenied);
            testing::fails(Step::Link, "0.new", io::ErrorKind::PermissionDenied);
            let error = staged.publish().unwrap_err();
            testing::works();
            let Error::Mixed {
                path,
                source,
                replaced,
                second,
            } = error
            else {
                panic!("{error}");
            };
            assert_eq!((&path, &replaced), (&paths[2], &paths[0]));
            assert_eq!(source.kind(), io::ErrorKind::StorageFull);
            assert_eq!(second.kind(), io::ErrorKind::PermissionDenied);
            assert_eq!(fs::read(&paths[0]).unwrap(), b"new");
            drop(locked);

            // Not even a signal makes it forget.
            drop(unfinished.abandon());
            assert_eq!(names(&root).len(), names_left, "{:?}", names(&root));
            let locked = lock([root.as_path()], |_| {}).unwrap();
            assert_eq!(
                locked.mended(),
                [Mended::Completed {
                    files: paths[1..].to_vec()
                }]
            );
            assert_eq!(names(&root), ["crt", "key", "p12"]);
            for path in &paths {
                assert_eq!(fs::read(path).unwrap(), b"new");
            }
        }
    }

    #[test]
    fn a_file_that_gets_no_second_name_is_replaced_and_put_back_all_the_same() {
        let directory = tempfile::tempdir().unwrap();
        let paths = ["a", "b"].map(|name| directory.path().join(name));
        let set = paths
            .iter()
            .fold(FileSet::new().replace(true), |set, path| {
                set.file(path, Access::Owner, b"new")
            });
        for path in &paths {
            fs::write(path, "old").unwrap();
        }
        // What Linux says about another user's file (`protected_hardlinks`).
        for name in ["0.old", "1.old"] {
            testing::fails(Step::Link, name, io::ErrorKind::PermissionDenied);
        }
        let unfinished = Unfinished::new();
        let locked = lock(set.directories(), |_| {}).unwrap();
        let staged = locked.stage(&set, &unfinished).unwrap();
        // The second one steps aside, and the new one can't take its place.
        let staging = staged.parts[0].staging.clone();
        fs::remove_file(staging::new_file(&staging, 1)).unwrap();
        let error = staged.publish().unwrap_err();
        assert!(
            matches!(&error, Error::Io { path, source }
                if path.ends_with("b") && source.kind() == io::ErrorKind::NotFound),
            "{error}"
        );
        assert_eq!(names(directory.path()), ["a", "b"]);
        for path in &paths {
            assert_eq!(fs::read(path).unwrap(), b"old");
        }

        locked.stage(&set, &unfinished).unwrap().publish().unwrap();
        assert_eq!(names(directory.path()), ["a", "b"]);
        for path in &paths {
            assert_eq!(fs::read(path).unwrap(), b"new");
        }
    }

    #[test]
    fn contents_are_synced_before_the_journal_and_the_journal_before_a_file_gets_its_name() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("crt"), "old").unwrap();
        let parent = directory.path().file_name().unwrap().to_str().unwrap();
        let set = FileSet::new()
            .replace(true)
            .file(directory.path().join("key"), Access::Owner, b"new")
            .file(directory.path().join("crt"), Access::Owner, b"new");
        testing::taken();
        write(&set).unwrap();
        let synced = format!("SyncDirectory {parent}");
        assert_eq!(
            testing::taken(),
            [
                &format!("OpenDirectory {parent}"),
                &format!("MakeDirectory {parent}"),
                "Write 0.new",
                "Sync 0.new",
                "Write 1.new",
                "Sync 1.new",
                "Link 1.old",
                &synced,
                "Write journal.new",
                "Sync journal.new",
                "Rename journal",
                "SyncDirectory staging",
                "Rename key",
                "RenameExclusively key",
                "Rename crt",
                &synced,
                "Remove journal",
                "Remove staging",
            ]
        );
    }

    #[test]
    fn what_is_there_is_replaced_only_on_request_and_only_if_it_is_a_file() {
        let directory = tempfile::tempdir().unwrap();
        let (file, folder) = (directory.path().join("file"), directory.path().join("d"));
        fs::write(&file, "old").unwrap();
        fs::create_dir(&folder).unwrap();
        let both = |replace| {
            FileSet::new()
                .replace(replace)
                .file(&file, Access::Owner, b"new")
                .file(&folder, Access::Owner, b"new")
        };
        assert!(matches!(write(&both(false)), Err(Error::Exists { path }) if path == file));
        assert!(matches!(write(&both(true)), Err(Error::NotAFile { path }) if path == folder));
        assert_eq!(fs::read(&file).unwrap(), b"old");
        assert_eq!(names(directory.path()), ["d", "file"]);
    }

    #[test]
    fn a_directory_that_is_not_locked_is_not_written_to() {
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let path = one.path().join("a");
        let set = FileSet::new().file(&path, Access::Owner, b"x");
        let locked = lock([other.path()], |_| {}).unwrap();
        let unfinished = Unfinished::new();
        let error = locked.stage(&set, &unfinished).unwrap_err();
        assert!(matches!(error, Error::NotLocked { path: found } if found == path));
    }

    #[test]
    fn nothing_is_published_after_it_was_abandoned() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a");
        let set = FileSet::new().file(&path, Access::Owner, b"x");
        let unfinished = Unfinished::new();
        let locked = lock(set.directories(), |_| {}).unwrap();
        let staged = locked.stage(&set, &unfinished).unwrap();
        drop(unfinished.abandon());
        assert!(names(directory.path()).is_empty());
        let error = staged.publish().unwrap_err();
        assert!(
            matches!(&error, Error::Io { source, .. } if source.kind() == io::ErrorKind::NotFound),
            "{error}"
        );
        assert!(names(directory.path()).is_empty());
    }

    #[test]
    fn of_sets_that_are_written_at_the_same_time_one_is_there_as_a_whole() {
        let directory = tempfile::tempdir().unwrap();
        let paths = ["a", "b", "c"].map(|name| directory.path().join(name));
        thread::scope(|scope| {
            for number in 0..6_u8 {
                let paths = &paths;
                scope.spawn(move || {
                    for _ in 0..5 {
                        let contents = [number];
                        let set = paths
                            .iter()
                            .fold(FileSet::new().replace(true), |set, path| {
                                set.file(path, Access::Everyone, &contents)
                            });
                        write(&set).unwrap();
                    }
                });
            }
        });
        assert_eq!(names(directory.path()), ["a", "b", "c"]);
        let contents = paths.map(|path| fs::read(path).unwrap());
        assert!(
            contents.iter().all(|other| *other == contents[0]),
            "{contents:?}"
        );
    }

    #[cfg(unix)]
    #[test]
    fn files_are_for_whom_they_are_meant_and_for_nobody_else_before() {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let directory = tempfile::tempdir().unwrap();
        let (secret, public) = (directory.path().join("s"), directory.path().join("p"));
        fs::write(&secret, "old").unwrap();
        fs::set_permissions(&secret, fs::Permissions::from_mode(0o666)).unwrap();
        let set = FileSet::new()
            .replace(true)
            .file(&secret, Access::Owner, b"x")
            .file(&public, Access::Everyone, b"x");
        let unfinished = Unfinished::new();
        let locked = lock(set.directories(), |_| {}).unwrap();
        let staged = locked.stage(&set, &unfinished).unwrap();
        for part in &staged.parts {
            assert_eq!(mode(&part.staging), 0o700);
        }
        staged.publish().unwrap();
        assert_eq!(mode(&secret), 0o600);
        assert_eq!(mode(&public) & 0o600, 0o600);
        assert_eq!(mode(&public) & 0o022, 0);
    }
}
