use std::{io, path::PathBuf};

/// Why a set of files can't be written. Unless it says otherwise, none of them was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file, link or directory is there already, and the set is not one that replaces files.
    #[error("{}: already exists", path.display())]
    #[non_exhaustive]
    Exists {
        /// Where the file was to be.
        path: PathBuf,
    },
    /// Something other than a file is in the place of a file.
    #[error("{}: not a file, so it can not be replaced", path.display())]
    #[non_exhaustive]
    NotAFile {
        /// Where the file was to be.
        path: PathBuf,
    },
    /// The path has no last component, or lies in a directory that wasn't locked.
    #[error("{}: not the path of a file in a directory that is locked", path.display())]
    #[non_exhaustive]
    NotLocked {
        /// The path.
        path: PathBuf,
    },
    /// A file or directory can't be read or written.
    #[error("{}: {source}", path.display())]
    #[non_exhaustive]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// Publishing failed, and then a file that had been replaced already couldn't be put back: the set is mixed. What is
    /// missing stays staged, and whoever locks the directory next publishes it.
    #[error("{}: {source}; and {} can not be put back: {second}", path.display(), replaced.display())]
    #[non_exhaustive]
    Mixed {
        /// The file that couldn't be published.
        path: PathBuf,
        /// The reason.
        source: io::Error,
        /// The file that couldn't be put back.
        replaced: PathBuf,
        /// The reason.
        second: io::Error,
    },
    /// A process was killed while it published a set, and the rest of it can't be published now.
    #[error(
        "{}: what an interrupted run has left can not be finished: {source}; its files are in {}",
        path.display(), staging.display()
    )]
    #[non_exhaustive]
    Unfinished {
        /// The file that can't be published.
        path: PathBuf,
        /// The staging directory that holds the rest of the set.
        staging: PathBuf,
        /// The reason.
        source: io::Error,
    },
}

impl Error {
    pub(crate) fn io(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { path, source }
    }
}
