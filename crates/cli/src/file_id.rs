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
    /// `-` for standard input.
    path: PathBuf,
    /// Whether an output may take its place: it was read whole by then.
    is_replaceable: bool,
}

impl Inputs {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// With the file that a flag names, or standard input for `-`. One that isn't there is told when it is read.
    pub(crate) fn file(mut self, flag: &'static str, path: &Path) -> Self {
        self.0.push(Input {
            flag,
            path: path.to_owned(),
            is_replaceable: false,
        });
        self
    }

    /// The same for a file that the output goes on with, and may take the place of.
    pub(crate) fn replaceable_files<'a>(
        mut self,
        flag: &'static str,
        paths: impl IntoIterator<Item = &'a PathBuf>,
    ) -> Self {
        self.0.extend(paths.into_iter().map(|path| Input {
            flag,
            path: path.to_owned(),
            is_replaceable: true,
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

    /// The flag that names a file which has to stay: the one that this path leads to now, whose identity is known, or the one
    /// that would be there.
    pub(crate) fn flag_of(&self, path: &Path, id: Option<&FileId>) -> Option<&'static str> {
        let place = place_of(path);
        let is_it = |input: &&Input| match input.id() {
            Some(input) => Some(&input) == id,
            None => !input.is_stdin() && place.is_some() && place_of(&input.path) == place,
        };
        let mut precious = self.0.iter().filter(|input| !input.is_replaceable);
        precious.find(is_it).map(|input| input.flag)
    }

    /// The directories of the files, of those that aren't there too.
    pub(crate) fn directories(&self) -> impl Iterator<Item = &Path> {
        let files = self.0.iter().filter(|input| !input.is_stdin());
        files.filter_map(|input| match input.path.parent() {
            Some(parent) if parent.as_os_str().is_empty() => Some(Path::new(".")),
            parent => parent,
        })
    }
}

impl Input {
    fn is_stdin(&self) -> bool {
        self.path.as_os_str() == "-"
    }

    fn id(&self) -> Option<FileId> {
        match self.is_stdin() {
            true => FileId::of_stdin(),
            false => FileId::of(&self.path),
        }
    }
}

/// Where a path leads, whether or not there is something: its directory, without links, and its last component.
fn place_of(path: &Path) -> Option<PathBuf> {
    let directory = match path.parent()? {
        parent if parent.as_os_str().is_empty() => Path::new("."),
        parent => parent,
    };
    Some(fs::canonicalize(directory).ok()?.join(path.file_name()?))
}
