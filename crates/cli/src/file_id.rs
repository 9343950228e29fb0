//! Files, known by what they are and not by what they are called: an output may be an input under another name.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::passphrase::Flag;

/// A file that exists: two paths with the same one lead to the same file, through links of either kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileId(#[cfg(unix)] (u64, u64), #[cfg(not(unix))] PathBuf);

impl FileId {
    /// The file that a path leads to, if it is one, and not a device or a pipe.
    pub(crate) fn of(path: &Path) -> Option<Self> {
        let metadata = fs::metadata(path).ok()?;
        #[cfg(unix)]
        return Self::from_metadata(&metadata);
        #[cfg(not(unix))]
        return metadata
            .is_file()
            .then(|| fs::canonicalize(path).ok().map(Self))?;
    }

    /// The file that was opened here. On some systems nobody can tell.
    pub(crate) fn of_file(file: &fs::File) -> Option<Self> {
        #[cfg(unix)]
        return Self::from_metadata(&file.metadata().ok()?);
        #[cfg(not(unix))]
        return {
            let _ = file;
            None
        };
    }

    /// The file that standard input is redirected from, if it is.
    pub(crate) fn of_stdin() -> Option<Self> {
        Self::of_stream(io::stdin())
    }

    /// The file that standard output is redirected to, if it is.
    pub(crate) fn of_stdout() -> Option<Self> {
        Self::of_stream(io::stdout())
    }

    #[cfg(unix)]
    fn of_stream(stream: impl std::os::fd::AsFd) -> Option<Self> {
        let file = fs::File::from(stream.as_fd().try_clone_to_owned().ok()?);
        Self::from_metadata(&file.metadata().ok()?)
    }

    #[cfg(not(unix))]
    fn of_stream<T>(_stream: T) -> Option<Self> {
        None
    }

    #[cfg(unix)]
    fn from_metadata(metadata: &fs::Metadata) -> Option<Self> {
        use std::os::unix::fs::MetadataExt;
        metadata
            .is_file()
            .then(|| Self((metadata.dev(), metadata.ino())))
    }
}

/// The files that a command reads, and the flags that name them.
#[derive(Debug, Default)]
pub(crate) struct Inputs(Vec<Input>);

#[derive(Debug)]
struct Input {
    flag: &'static str,
    path: PathBuf,
    id: FileId,
}

impl Inputs {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// With the file that a flag names, or standard input for `-`. One that isn't there is told when it is read.
    pub(crate) fn file(mut self, flag: &'static str, path: &Path) -> Self {
        let id = match path.as_os_str() == "-" {
            true => FileId::of_stdin(),
            false => FileId::of(path),
        };
        self.0.extend(id.map(|id| Input {
            flag,
            path: path.to_owned(),
            id,
        }));
        self
    }

    /// With the files that a flag names.
    pub(crate) fn files<'a>(
        self,
        flag: &'static str,
        paths: impl IntoIterator<Item = &'a PathBuf>,
    ) -> Self {
        paths
            .into_iter()
            .fold(self, |inputs, path| inputs.file(flag, path))
    }

    /// With the file that a passphrase comes from, if it comes from one.
    pub(crate) fn passphrase(self, flag: Flag<'_>) -> Self {
        match flag.source.and_then(|source| source.file()) {
            Some(path) => self.file(flag.name, &path),
            None => self,
        }
    }

    /// The flag that names this file.
    pub(crate) fn flag_of(&self, id: &FileId) -> Option<&'static str> {
        let input = self.0.iter().find(|input| input.id == *id)?;
        Some(input.flag)
    }

    /// The directories of the files.
    pub(crate) fn directories(&self) -> impl Iterator<Item = &Path> {
        self.0.iter().filter_map(|input| match input.path.parent() {
            Some(parent) if parent.as_os_str().is_empty() => Some(Path::new(".")),
            parent => parent,
        })
    }
}
