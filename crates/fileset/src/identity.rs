//! Directories, known by what they are and not by what they are called.
use std::{
    fs::{self, File},
    io,
    path::Path,
};

/// A directory or a file: two paths with the same one lead to the same thing, through links and mounts of all kinds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Identity(
    #[cfg(unix)] (u64, u64),
    #[cfg(not(unix))] std::path::PathBuf,
);

impl Identity {
    /// What is there now.
    pub(crate) fn of(path: &Path) -> io::Result<Self> {
        #[cfg(unix)]
        return fs::metadata(path).map(|metadata| Self::from_metadata(&metadata));
        #[cfg(not(unix))]
        return fs::canonicalize(path).map(Self);
    }

    /// In a form that can be kept. Where only paths tell what a directory is, it is the same for all.
    pub(crate) fn to_text(&self) -> String {
        #[cfg(unix)]
        return format!("{}.{}", self.0.0, self.0.1);
        #[cfg(not(unix))]
        return "-".to_owned();
    }

    /// Whether this is what was opened. Where that can't be told, nobody can have replaced what is open.
    pub(crate) fn is_of(&self, file: &File) -> io::Result<bool> {
        #[cfg(unix)]
        return file
            .metadata()
            .map(|metadata| *self == Self::from_metadata(&metadata));
        #[cfg(not(unix))]
        return file.metadata().map(|_| true);
    }

    #[cfg(unix)]
    fn from_metadata(metadata: &fs::Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;
        Self((metadata.dev(), metadata.ino()))
    }
}
