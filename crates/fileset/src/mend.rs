//! Mending what a killed process has left: its staging directories.
use std::{
    io,
    path::{Path, PathBuf},
};

use crate::{
    Error, disk,
    identity::Identity,
    journal::{FileState, Journal, Other, Record},
    staging,
};

/// What was found when a directory was locked, and what was done about it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mended {
    /// A process was killed while it published a set. The rest of the set is published now.
    Completed {
        /// The files that were missing or old.
        files: Vec<PathBuf>,
    },
    /// A process was killed while it published a set, and its files were changed since then. They are left as they are,
    /// and needn't belong together.
    Mixed {
        /// The files of the set.
        files: Vec<PathBuf>,
    },
    /// A process was killed while it wrote a set, and a directory of the set isn't there, so that nobody can tell how far
    /// it came. What is here of the set is kept: it is completed when all directories are there.
    Waiting {
        /// The files of the set that are in directories which are there. Each is the old one or the new one.
        files: Vec<PathBuf>,
        /// The directories that are missing.
        missing: Vec<PathBuf>,
        /// What is kept, in directories of its own: whoever gives the set up removes them.
        kept: Vec<PathBuf>,
    },
}

/// A staging directory whose process is no more, and what its journal says.
pub(crate) struct Left {
    staging: PathBuf,
    identity: Identity,
    journal: Journal,
}

impl Left {
    /// The staging directories in a locked directory that hold a part of a set whose publishing may have begun. Those
    /// that hold none are removed.
    pub(crate) fn all_in(directory: &Path) -> Result<Vec<Self>, Error> {
        let mut left = Vec::new();
        for staging in staging::all_in(directory).map_err(Error::io(directory))? {
            let Some(mut journal) = staging::read_journal(&staging).map_err(Error::io(&staging))?
            else {
                staging::remove(&staging).map_err(Error::io(&staging))?;
                continue;
            };
            // The places are beside the staging directory, whatever the directory around it was called then.
            for record in &mut journal.files {
                if let Some(name) = record.path.file_name() {
                    record.path = directory.join(name);
                }
            }
            left.push(Self {
                identity: Identity::of(&staging).map_err(Error::io(&staging))?,
                staging,
                journal,
            });
        }
        Ok(left)
    }

    /// The directories where the rest of the set is.
    pub(crate) fn other_directories(&self) -> impl Iterator<Item = &Path> {
        (self.journal.with.iter()).filter_map(|other| other.staging.parent())
    }

    /// Those of them that aren't there: nothing is, or another directory.
    fn missing_directories(&self) -> Vec<PathBuf> {
        let missing = |other: &&Other| {
            let now = other.staging.parent().map(Identity::of);
            !now.is_some_and(|now| now.is_ok_and(|now| now.to_text() == other.directory))
        };
        let missing = self.journal.with.iter().filter(missing);
        let directories = missing.filter_map(|other| other.staging.parent());
        directories.map(Path::to_owned).collect()
    }
}

/// Finishes the sets of which these are the parts.
pub(crate) fn mend(mut left: Vec<Left>) -> Result<Vec<Mended>, Error> {
    let mut mended = Vec::new();
    while let Some(first) = left.pop() {
        // Not by their paths: a directory of the set may have another name by now, and a link its old one.
        let others: Vec<_> = (first.journal.with.iter())
            .filter_map(|other| Identity::of(&other.staging).ok())
            .collect();
        let names_first = |part: &Left| {
            let mut with = part.journal.with.iter();
            with.any(|other| Identity::of(&other.staging).is_ok_and(|it| it == first.identity))
        };
        let is_part = |part: &mut Left| others.contains(&part.identity) || names_first(part);
        let mut parts: Vec<Left> = left.extract_if(.., is_part).collect();
        let rest = if parts.len() == first.journal.with.len() {
            Rest::Here
        } else {
            match first.missing_directories() {
                missing if missing.is_empty() => Rest::Gone,
                missing => Rest::Missing(missing),
            }
        };
        parts.push(first);
        parts.sort_by(|one, other| one.staging.cmp(&other.staging));
        mended.extend(mend_set(&parts, rest)?);
    }
    Ok(mended)
}

/// Where the other staging directories of a set are.
enum Rest {
    Here,
    /// Their directories are there, and they aren't in them.
    Gone,
    /// Their directories aren't there, and these are.
    Missing(Vec<PathBuf>),
}

/// How far a file has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    Staged,
    /// It has no second name, and is out of its place, where the new file isn't yet.
    SteppedAside,
    Published,
    /// Somebody else has touched it.
    Changed,
}

fn mend_set(parts: &[Left], rest: Rest) -> Result<Option<Mended>, Error> {
    let mut files = Vec::new();
    for part in parts {
        for (number, record) in part.journal.files.iter().enumerate() {
            let staged = staging::new_file(&part.staging, number);
            let old = staging::old_file(&part.staging, number);
            let progress = progress(&staged, &old, record).map_err(Error::io(&record.path))?;
            files.push((progress, staged, record, &part.staging));
        }
    }
    let any = |progress| files.iter().any(|(file, ..)| *file == progress);
    let begun = any(Progress::Published) || any(Progress::SteppedAside);
    let ended = !any(Progress::Staged) && !any(Progress::SteppedAside);
    let mended = if any(Progress::Changed) {
        Some(mixed(parts)?)
    } else if let Rest::Missing(missing) = rest {
        return Ok(Some(Mended::Waiting {
            files: all_files(parts),
            missing,
            kept: parts.iter().map(|part| part.staging.clone()).collect(),
        }));
    } else if !begun || ended {
        None
    } else if matches!(rest, Rest::Gone) {
        Some(mixed(parts)?)
    } else {
        let mut completed = Vec::new();
        for (_, staged, record, staging) in files
            .iter()
            .filter(|(file, ..)| *file != Progress::Published)
        {
            let publish = match record.old {
                Some(_) => disk::rename,
                None => disk::rename_new,
            };
            publish(staged, &record.path).map_err(|source| Error::Unfinished {
                path: record.path.clone(),
                staging: staging.to_path_buf(),
                source,
            })?;
            completed.push(record.path.clone());
        }
        Some(Mended::Completed { files: completed })
    };
    for part in parts {
        // What the killed process published, too: nobody else has.
        part.staging
            .parent()
            .into_iter()
            .for_each(disk::sync_directory);
    }
    for part in parts {
        staging::remove(&part.staging).map_err(Error::io(&part.staging))?;
    }
    Ok(mended)
}

/// Leaves the files as they are; one whose place is empty gets back into it.
fn mixed(parts: &[Left]) -> Result<Mended, Error> {
    for part in parts {
        for (number, record) in part.journal.files.iter().enumerate() {
            let old = staging::old_file(&part.staging, number);
            match disk::rename_new(&old, &record.path) {
                Err(error)
                    if !matches!(
                        error.kind(),
                        io::ErrorKind::NotFound | io::ErrorKind::AlreadyExists
                    ) =>
                {
                    return Err(Error::Unfinished {
                        path: record.path.clone(),
                        staging: part.staging.clone(),
                        source: error,
                    });
                }
                _ => {}
            }
        }
    }
    Ok(Mended::Mixed {
        files: all_files(parts),
    })
}

fn all_files(parts: &[Left]) -> Vec<PathBuf> {
    let records = parts.iter().flat_map(|part| &part.journal.files);
    records.map(|record| record.path.clone()).collect()
}

fn progress(staged: &Path, old: &Path, record: &Record) -> io::Result<Progress> {
    let place = FileState::of(&record.path)?;
    if place == Some(record.new) {
        return Ok(Progress::Published);
    }
    if FileState::of(staged)? != Some(record.new) {
        return Ok(Progress::Changed);
    }
    Ok(match place {
        place if place == record.old => Progress::Staged,
        None if FileState::of(old)? == record.old => Progress::SteppedAside,
        _ => Progress::Changed,
    })
}

#[cfg(test)]
mod tests {
    use std::{fs, mem};

    use super::*;
    use crate::{
        Access, FileSet, Unfinished,
        disk::{Step, testing},
        lock,
        staging::names,
    };

    /// Two directories, with a set of four files of which a process published the first `published` ones before it was
    /// killed.
    struct Killed {
        directory: tempfile::TempDir,
        paths: Vec<PathBuf>,
    }

    impl Killed {
        fn new(replace: bool, published: usize) -> Self {
            let directory = tempfile::tempdir().unwrap();
            let root = fs::canonicalize(directory.path()).unwrap();
            let paths: Vec<_> = ["a/1", "a/2", "b/3", "b/4"]
                .map(|path| root.join(path))
                .into();
            for parent in ["a", "b"] {
                fs::create_dir(root.join(parent)).unwrap();
            }
            if replace {
                for path in &paths {
                    fs::write(path, "old").unwrap();
                }
            }
            let mut set = FileSet::new().replace(replace);
            for path in &paths {
                set = set.file(path, Access::Owner, b"new set");
            }
            let unfinished = Unfinished::new();
            let locked = lock(set.directories(), |_| {}).unwrap();
            let staged = locked.stage(&set, &unfinished).unwrap();
            for (index, path) in paths.iter().enumerate().take(published) {
                let staging = staging_in(path.parent().unwrap());
                fs::rename(staging::new_file(&staging, index % 2), path).unwrap();
            }
            mem::forget(staged);
            Self { directory, paths }
        }

        /// What the next process finds, which needs one of the directories alone.
        fn next(&self) -> Vec<Mended> {
            let locked = lock([self.paths[3].parent().unwrap()], |_| {}).unwrap();
            for parent in ["a", "b"] {
                let left = names(&self.directory.path().join(parent));
                assert!(left.iter().all(|name| !name.starts_with('.')), "{left:?}");
            }
            locked.mended().to_vec()
        }

        fn contents(&self) -> Vec<Option<String>> {
            self.paths
                .iter()
                .map(|path| fs::read_to_string(path).ok())
                .collect()
        }
    }

    fn staging_in(directory: &Path) -> PathBuf {
        staging::all_in(directory).unwrap().remove(0)
    }

    #[test]
    fn what_a_killed_process_began_to_publish_is_completed_by_the_next_one() {
        for replace in [false, true] {
            for published in 1..=3 {
                let killed = Killed::new(replace, published);
                let Some([Mended::Completed { files }]) = killed.next().first_chunk().cloned()
                else {
                    panic!("{published} of 4 were published, and nothing was said");
                };
                assert_eq!(files, killed.paths[published..]);
                assert_eq!(killed.contents(), vec![Some("new set".to_owned()); 4]);
                assert_eq!(killed.next(), []);
            }
        }
    }

    #[test]
    fn what_a_killed_process_had_not_begun_to_publish_is_forgotten() {
        let killed = Killed::new(true, 0);
        assert_eq!(killed.next(), []);
        assert_eq!(killed.contents(), vec![Some("old".to_owned()); 4]);

        let killed = Killed::new(false, 0);
        assert_eq!(killed.next(), []);
        assert_eq!(killed.contents(), vec![None; 4]);
    }

    #[test]
    fn a_set_that_was_published_as_a_whole_is_not_worth_a_word() {
        let killed = Killed::new(true, 4);
        assert_eq!(killed.next(), []);
        assert_eq!(killed.contents(), vec![Some("new set".to_owned()); 4]);
    }

    #[test]
    fn files_that_somebody_changed_since_are_left_as_they_are_with_a_word() {
        for changed in 0..4 {
            let killed = Killed::new(true, 2);
            fs::write(&killed.paths[changed], "changed by hand").unwrap();
            let before = killed.contents();
            assert_eq!(
                killed.next(),
                [Mended::Mixed {
                    files: killed.paths.clone()
                }]
            );
            assert_eq!(killed.contents(), before);
        }
    }

    #[test]
    fn a_set_whose_other_directory_is_missing_waits_for_it() {
        for replace in [false, true] {
            for published in 0..=4 {
                for (missing, here) in [("a", 2..4), ("b", 0..2)] {
                    let killed = Killed::new(replace, published);
                    let root = fs::canonicalize(killed.directory.path()).unwrap();
                    let (missing, away) = (root.join(missing), root.join("away"));
                    let parent = killed.paths[here.start].parent().unwrap();
                    fs::rename(&missing, &away).unwrap();
                    for unmounted in [false, true] {
                        if unmounted {
                            fs::create_dir(&missing).unwrap();
                        }
                        let locked = lock([parent], |_| {}).unwrap();
                        let waiting = Mended::Waiting {
                            files: killed.paths[here.clone()].to_vec(),
                            missing: vec![missing.clone()],
                            kept: vec![staging_in(parent)],
                        };
                        assert_eq!(locked.mended(), [waiting]);
                    }
                    fs::remove_dir(&missing).unwrap();
                    fs::rename(&away, &missing).unwrap();
                    let outcome = killed.next();
                    let new = vec![Some("new set".to_owned()); 4];
                    match published {
                        0 => assert!(outcome.is_empty() && killed.contents() != new),
                        4 => assert!(outcome.is_empty() && killed.contents() == new),
                        _ => assert_eq!(
                            (outcome.as_slice(), killed.contents()),
                            (
                                &[Mended::Completed {
                                    files: killed.paths[published..].to_vec()
                                }][..],
                                new
                            )
                        ),
                    }
                }
            }
        }
    }

    #[test]
    fn a_set_whose_other_part_was_removed_is_left_as_it_is_with_a_word() {
        let killed = Killed::new(true, 3);
        fs::remove_dir_all(staging_in(killed.paths[0].parent().unwrap())).unwrap();
        let locked = lock([killed.paths[3].parent().unwrap()], |_| {}).unwrap();
        assert_eq!(
            locked.mended(),
            [Mended::Mixed {
                files: killed.paths[2..].to_vec()
            }]
        );
        assert_eq!(killed.contents()[3].as_deref(), Some("old"));
    }

    #[test]
    fn a_process_that_was_killed_while_it_staged_leaves_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let staging = staging::create(directory.path()).unwrap();
        disk::write(&staging::new_file(&staging, 0), 0o600, b"key").unwrap();
        fs::write(staging.join("journal.new"), "countersign file set 1\0fi").unwrap();
        assert_eq!(lock([directory.path()], |_| {}).unwrap().mended(), []);
        assert!(names(directory.path()).is_empty());
    }

    #[test]
    fn what_can_not_be_completed_now_is_kept_and_completed_later() {
        for replace in [false, true] {
            let killed = Killed::new(replace, 2);
            testing::fails(Step::Rename, "4", io::ErrorKind::StorageFull);
            let locked = [killed.paths[3].parent().unwrap()];
            for _ in 0..2 {
                let error = lock(locked, |_| {}).unwrap_err();
                let Error::Unfinished {
                    path,
                    staging,
                    source,
                } = error
                else {
                    panic!("{error}");
                };
                assert_eq!(path, killed.paths[3]);
                assert_eq!(source.kind(), io::ErrorKind::StorageFull);
                assert_eq!(fs::read(staging.join("1.new")).unwrap(), b"new set");
            }
            testing::works();
            assert_eq!(
                killed.next(),
                [Mended::Completed {
                    files: vec![killed.paths[3].clone()]
                }]
            );
            assert_eq!(killed.contents(), vec![Some("new set".to_owned()); 4]);
        }
    }

    #[test]
    fn what_the_disk_refuses_to_rename_is_not_removed() {
        let directory = tempfile::tempdir().unwrap();
        let staged = directory.path().join("staged");
        fs::write(&staged, "the only copy").unwrap();
        let nowhere = directory.path().join("missing").join("key");
        let error = disk::rename_new(&staged, &nowhere).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        fs::write(directory.path().join("key"), "there").unwrap();
        let error = disk::rename_new(&staged, &directory.path().join("key")).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&staged).unwrap(), b"the only copy");
    }

    #[test]
    fn the_reason_why_nothing_can_be_staged_is_the_system_s_own() {
        let directory = tempfile::tempdir().unwrap();
        let error = staging::create(&directory.path().join("missing")).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        assert!(error.raw_os_error().is_some(), "{error}");
        assert!(!error.to_string().contains(".countersign-"), "{error}");
    }

    #[test]
    fn a_disk_that_can_not_rename_to_an_empty_place_in_one_step_is_written_to_all_the_same() {
        let directory = tempfile::tempdir().unwrap();
        let (staged, place) = (
            directory.path().join("staged"),
            directory.path().join("key"),
        );
        for kind in [io::ErrorKind::InvalidInput, io::ErrorKind::PermissionDenied] {
            fs::write(&staged, "new").unwrap();
            testing::fails(Step::RenameExclusively, "key", kind);
            disk::rename_new(&staged, &place).unwrap();
            assert_eq!(fs::read(&place).unwrap(), b"new");
            fs::write(&staged, "newer").unwrap();
            assert_eq!(disk::rename_new(&staged, &place).unwrap_err().kind(), kind);
            assert_eq!(fs::read(&place).unwrap(), b"new");
            fs::remove_file(&place).unwrap();
            testing::works();
        }
    }

    #[test]
    fn a_file_that_stepped_aside_for_one_that_did_not_come_is_replaced() {
        let killed = Killed::new(true, 1);
        let staging = staging_in(killed.paths[1].parent().unwrap());
        assert!(staging::old_file(&staging, 1).exists());
        fs::remove_file(&killed.paths[1]).unwrap();
        assert_eq!(
            killed.next(),
            [Mended::Completed {
                files: killed.paths[1..].to_vec()
            }]
        );
        assert_eq!(killed.contents(), vec![Some("new set".to_owned()); 4]);
    }

    /// Where files get no second name, a process is killed between the two steps with the file that has this number.
    fn killed_while_a_file_stepped_aside(
        files: usize,
        number: usize,
    ) -> (tempfile::TempDir, Vec<PathBuf>) {
        let directory = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(directory.path()).unwrap();
        let paths: Vec<_> = (0..files).map(|file| root.join(file.to_string())).collect();
        for (number, path) in paths.iter().enumerate() {
            fs::write(path, "old").unwrap();
            testing::fails(
                Step::Link,
                &format!("{number}.old"),
                io::ErrorKind::Unsupported,
            );
        }
        let set = FileSet::new().replace(true);
        let set = (paths.iter()).fold(set, |set, path| set.file(path, Access::Owner, b"new set"));
        let unfinished = Unfinished::new();
        let locked = lock(set.directories(), |_| {}).unwrap();
        mem::forget(locked.stage(&set, &unfinished).unwrap());
        testing::works();
        let staging = staging_in(&root);
        for (earlier, path) in paths.iter().enumerate().take(number + 1) {
            fs::rename(path, staging::old_file(&staging, earlier)).unwrap();
            if earlier < number {
                fs::rename(staging::new_file(&staging, earlier), path).unwrap();
            }
        }
        (directory, paths)
    }

    #[test]
    fn a_file_that_has_no_second_name_is_not_lost_when_it_stepped_aside() {
        for (files, number) in [(1, 0), (2, 0), (2, 1)] {
            let (directory, paths) = killed_while_a_file_stepped_aside(files, number);
            let locked = lock([directory.path()], |_| {}).unwrap();
            assert_eq!(
                locked.mended(),
                [Mended::Completed {
                    files: paths[number..].to_vec()
                }]
            );
            for path in paths {
                assert_eq!(fs::read(path).unwrap(), b"new set");
            }
        }
    }

    #[test]
    fn a_file_that_stepped_aside_gets_back_where_the_set_can_not_be_completed() {
        for (files, number) in [(1, 0), (2, 0), (2, 1)] {
            let (directory, paths) = killed_while_a_file_stepped_aside(files, number);
            let staging = staging_in(paths[0].parent().unwrap());
            fs::write(staging::new_file(&staging, number), "changed").unwrap();
            let locked = lock([directory.path()], |_| {}).unwrap();
            assert_eq!(
                locked.mended(),
                [Mended::Mixed {
                    files: paths.clone()
                }]
            );
            assert_eq!(fs::read(&paths[number]).unwrap(), b"old");
            assert_eq!(names(directory.path()).len(), files);
        }
    }

    #[test]
    fn what_is_completed_is_synced_before_the_journal_goes() {
        let killed = Killed::new(true, 3);
        testing::taken();
        killed.next();
        let taken = testing::taken();
        let at = |step| taken.iter().position(|it| it == step).unwrap();
        assert!(at("Rename 4") < at("SyncDirectory b"), "{taken:?}");
        // What the killed process renamed there may not be on the disk either.
        for directory in ["SyncDirectory a", "SyncDirectory b"] {
            assert!(at(directory) < at("Remove journal"), "{taken:?}");
        }
    }

    #[test]
    fn a_directory_of_the_set_that_has_another_name_now_is_the_same_directory() {
        let killed = Killed::new(true, 1);
        let old = killed.paths[0].parent().unwrap();
        let new = old.with_file_name("moved");
        fs::rename(old, &new).unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink(&new, old).unwrap();
        #[cfg(not(unix))]
        fs::rename(&new, old).unwrap();
        let locked = lock([new.as_path()], |directory| {
            panic!("it waits for itself in {}", directory.display())
        })
        .unwrap();
        let Some([Mended::Completed { files }]) = locked.mended().first_chunk() else {
            panic!("{:?}", locked.mended());
        };
        assert_eq!(files.len(), 3);
        assert_eq!(killed.contents(), vec![Some("new set".to_owned()); 4]);
    }

    #[test]
    fn a_directory_that_was_moved_is_still_of_the_set() {
        for (moved, kept) in [(0, 3), (3, 0)] {
            let killed = Killed::new(true, 1);
            let old = killed.paths[moved].parent().unwrap();
            let new = old.with_file_name("moved");
            fs::rename(old, &new).unwrap();
            let kept = killed.paths[kept].parent().unwrap();
            let locked = lock([new.as_path(), kept], |_| {}).unwrap();
            let Some([Mended::Completed { files }]) = locked.mended().first_chunk() else {
                panic!("{:?}", locked.mended());
            };
            assert_eq!(files.len(), 3);
        }
    }

    #[cfg(unix)]
    #[test]
    fn what_others_could_have_written_is_not_obeyed() {
        use std::os::unix::fs::PermissionsExt;
        let killed = Killed::new(true, 1);
        let staging = staging_in(killed.paths[0].parent().unwrap());
        fs::set_permissions(&staging, fs::Permissions::from_mode(0o777)).unwrap();
        let locked = lock([killed.paths[0].parent().unwrap()], |_| {}).unwrap();
        assert_eq!(locked.mended(), []);
        assert_eq!(killed.contents()[1].as_deref(), Some("old"));
        assert!(staging.exists());
    }
}
