//! Mending what a killed process has left: its staging directories.
use std::{
    fs, io,
    path::{Path, PathBuf},
};

use tempfile::TempPath;

use crate::{
    Error,
    journal::{FileState, Journal, Record},
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
}

/// A staging directory whose process is no more, and what its journal says.
pub(crate) struct Left {
    staging: PathBuf,
    journal: Journal,
}

impl Left {
    /// The staging directories in a locked directory that hold a part of a set whose publishing may have begun. Those
    /// that hold none are removed.
    pub(crate) fn all_in(directory: &Path) -> Result<Vec<Self>, Error> {
        let mut left = Vec::new();
        for staging in staging::all_in(directory).map_err(Error::io(directory))? {
            match staging::read_journal(&staging).map_err(Error::io(&staging))? {
                Some(journal) => left.push(Self { staging, journal }),
                None => staging::remove(&staging).map_err(Error::io(&staging))?,
            }
        }
        Ok(left)
    }

    /// The directories where the rest of the set is.
    pub(crate) fn other_directories(&self) -> impl Iterator<Item = &Path> {
        self.journal.with.iter().filter_map(|path| path.parent())
    }
}

/// Finishes the sets of which these are the parts.
pub(crate) fn mend(mut left: Vec<Left>) -> Result<Vec<Mended>, Error> {
    let mut mended = Vec::new();
    while let Some(first) = left.pop() {
        let is_part = |part: &mut Left| first.journal.with.contains(&part.staging);
        let mut parts: Vec<Left> = left.extract_if(.., is_part).collect();
        let whole = parts.len() == first.journal.with.len();
        parts.push(first);
        mended.extend(mend_set(&parts, whole)?);
    }
    Ok(mended)
}

/// How far a file has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    Staged,
    Published,
    /// Somebody else has touched it.
    Changed,
}

fn mend_set(parts: &[Left], whole: bool) -> Result<Option<Mended>, Error> {
    let mut files = Vec::new();
    for part in parts {
        for (number, record) in part.journal.files.iter().enumerate() {
            let staged = staging::new_file(&part.staging, number);
            let progress = progress(&staged, record).map_err(Error::io(&record.path))?;
            files.push((progress, staged, record, &part.staging));
        }
    }
    let any = |progress| files.iter().any(|(file, ..)| *file == progress);
    let mended = if any(Progress::Changed) {
        Some(mixed(parts))
    } else if !any(Progress::Published) || !any(Progress::Staged) {
        // Nothing was published yet, or everything.
        None
    } else if !whole {
        Some(mixed(parts))
    } else {
        let mut completed = Vec::new();
        for (_, staged, record, staging) in
            files.iter().filter(|(file, ..)| *file == Progress::Staged)
        {
            publish(staged, &record.path, record.old.is_some()).map_err(|source| {
                Error::Unfinished {
                    path: record.path.clone(),
                    staging: staging.to_path_buf(),
                    source,
                }
            })?;
            completed.push(record.path.clone());
        }
        completed
            .iter()
            .filter_map(|path| path.parent())
            .for_each(staging::sync_directory);
        Some(Mended::Completed { files: completed })
    };
    for part in parts {
        staging::remove(&part.staging).map_err(Error::io(&part.staging))?;
    }
    Ok(mended)
}

fn mixed(parts: &[Left]) -> Mended {
    let records = parts.iter().flat_map(|part| &part.journal.files);
    Mended::Mixed {
        files: records.map(|record| record.path.clone()).collect(),
    }
}

fn progress(staged: &Path, record: &Record) -> io::Result<Progress> {
    let place = FileState::of(&record.path)?;
    Ok(if place == Some(record.new) {
        Progress::Published
    } else if place == record.old && FileState::of(staged)? == Some(record.new) {
        Progress::Staged
    } else {
        Progress::Changed
    })
}

/// Renames a staged file into its place, where there is a file only if `replace` says so.
pub(crate) fn publish(staged: &Path, path: &Path, replace: bool) -> io::Result<()> {
    if replace {
        return fs::rename(staged, path);
    }
    TempPath::try_from_path(staged)?
        .persist_noclobber(path)
        .map_err(|error| error.error)
}

#[cfg(test)]
mod tests {
    use std::mem;

    use super::*;
    use crate::{Access, FileSet, Unfinished, lock, staging::names};

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
                publish(&staging::new_file(&staging, index % 2), path, replace).unwrap();
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
            fs::write(&killed.paths[changed], "by hand").unwrap();
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
    fn a_set_whose_other_directory_is_gone_is_left_as_it_is_with_a_word() {
        let killed = Killed::new(true, 3);
        fs::remove_dir_all(killed.paths[0].parent().unwrap()).unwrap();
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
        staging::write(&staging::new_file(&staging, 0), 0o600, b"key").unwrap();
        fs::write(staging.join("journal.new"), "countersign file set 1\0fi").unwrap();
        assert_eq!(lock([directory.path()], |_| {}).unwrap().mended(), []);
        assert!(names(directory.path()).is_empty());
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
