//! What is to be renamed where, so that another process can finish the job.
//!
//! Records end in a NUL octet, which no path contains:
//!
//! ```text
//! countersign file set 1
//! with DIRECTORY PATH        another staging directory of the same set, and the identity of the directory that it is in
//! file NEW OLD PATH          file number n, in the order of these records
//! ```
//!
//! NEW and OLD are the states of the file to publish and of the one that it replaces, `-` for none.
use std::{
    ffi::OsString,
    fs::{self, Metadata},
    io,
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

const HEADER: &[u8] = b"countersign file set 1";

/// What one staging directory holds, and where the rest of the set is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Journal {
    pub(crate) with: Vec<Other>,
    pub(crate) files: Vec<Record>,
}

/// Another staging directory of the set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Other {
    /// [`Identity::to_text`](crate::identity::Identity::to_text) of the directory around it: where a file system isn't
    /// mounted, another one may have its path.
    pub(crate) directory: String,
    pub(crate) staging: PathBuf,
}

/// A file to publish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record {
    /// Where it goes.
    pub(crate) path: PathBuf,
    pub(crate) new: FileState,
    /// What it replaces, if there was a file.
    pub(crate) old: Option<FileState>,
}

/// By what a file is known again after it was renamed, and known to be unchanged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileState {
    inode: u64,
    size: u64,
    /// In nanoseconds since 1970.
    modified: u128,
}

impl FileState {
    /// The state of a file, `None` when there is none.
    pub(crate) fn of(path: &Path) -> io::Result<Option<Self>> {
        match fs::symlink_metadata(path) {
            Ok(metadata) => Self::from_metadata(&metadata).map(Some),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(crate) fn from_metadata(metadata: &Metadata) -> io::Result<Self> {
        let modified = metadata.modified()?;
        Ok(Self {
            inode: inode(metadata),
            size: metadata.len(),
            // Before 1970, the distance does as well.
            modified: match modified.duration_since(UNIX_EPOCH) {
                Ok(distance) => distance.as_nanos(),
                Err(error) => error.duration().as_nanos(),
            },
        })
    }

    fn to_text(self) -> String {
        format!("{}.{}.{}", self.inode, self.size, self.modified)
    }

    fn from_text(text: &str) -> Option<Self> {
        let mut numbers = text.split('.');
        let state = Self {
            inode: numbers.next()?.parse().ok()?,
            size: numbers.next()?.parse().ok()?,
            modified: numbers.next()?.parse().ok()?,
        };
        numbers.next().is_none().then_some(state)
    }
}

#[cfg(unix)]
fn inode(metadata: &Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(metadata)
}

#[cfg(not(unix))]
fn inode(_metadata: &Metadata) -> u64 {
    0
}

impl Journal {
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = HEADER.to_vec();
        bytes.push(0);
        for Other { directory, staging } in &self.with {
            bytes.extend_from_slice(format!("with {directory} ").as_bytes());
            push_path(&mut bytes, staging);
        }
        for Record { path, new, old } in &self.files {
            let old = old.map_or_else(|| "-".to_owned(), FileState::to_text);
            bytes.extend_from_slice(format!("file {} {old} ", new.to_text()).as_bytes());
            push_path(&mut bytes, path);
        }
        bytes
    }

    /// `None` when it isn't a journal: it was written and synced before it got its name, so this is not one of ours.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut records = bytes.strip_suffix(&[0])?.split(|octet| *octet == 0);
        if records.next() != Some(HEADER) {
            return None;
        }
        let mut journal = Self::default();
        for record in records {
            if let Some(other) = record.strip_prefix(b"with ") {
                let mut fields = other.splitn(2, |octet| *octet == b' ');
                journal.with.push(Other {
                    directory: std::str::from_utf8(fields.next()?).ok()?.to_owned(),
                    staging: to_path(fields.next()?)?,
                });
                continue;
            }
            let mut fields = record
                .strip_prefix(b"file ")?
                .splitn(3, |octet| *octet == b' ');
            let new = std::str::from_utf8(fields.next()?).ok()?;
            let old = std::str::from_utf8(fields.next()?).ok()?;
            journal.files.push(Record {
                new: FileState::from_text(new)?,
                old: match old {
                    "-" => None,
                    old => Some(FileState::from_text(old)?),
                },
                path: to_path(fields.next()?)?,
            });
        }
        Some(journal)
    }
}

fn push_path(bytes: &mut Vec<u8>, path: &Path) {
    #[cfg(unix)]
    bytes.extend_from_slice(std::os::unix::ffi::OsStrExt::as_bytes(path.as_os_str()));
    // A path that isn't Unicode doesn't survive this: its set is left as it is, with a word.
    #[cfg(not(unix))]
    bytes.extend_from_slice(path.to_string_lossy().as_bytes());
    bytes.push(0);
}

fn to_path(bytes: &[u8]) -> Option<PathBuf> {
    #[cfg(unix)]
    let path = Some(std::os::unix::ffi::OsStringExt::from_vec(bytes.to_vec()));
    #[cfg(not(unix))]
    let path = std::str::from_utf8(bytes).ok().map(OsString::from);
    path.map(|path: OsString| PathBuf::from(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_what_it_wrote_whatever_the_files_are_called() {
        let state = |inode| FileState {
            inode,
            size: 7,
            modified: 1_800_000_000_123_456_789,
        };
        let journal = Journal {
            with: vec![Other {
                directory: "1.2".to_owned(),
                staging: "/a b/\n".into(),
            }],
            files: vec![
                Record {
                    path: "/x/file 1.2 - y\n".into(),
                    new: state(1),
                    old: None,
                },
                Record {
                    path: "/x/ü".into(),
                    new: state(2),
                    old: Some(state(3)),
                },
            ],
        };
        assert_eq!(
            Journal::from_bytes(&journal.to_bytes()),
            Some(journal.clone())
        );
        let bytes = journal.to_bytes();
        for end in 0..bytes.len() {
            assert_ne!(
                Journal::from_bytes(&bytes[..end]).as_ref(),
                Some(&journal),
                "cut at {end}"
            );
        }
    }
}
