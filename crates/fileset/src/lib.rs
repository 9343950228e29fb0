//! Writes a set of files: all of them appear, or none, whatever ends the process.
//!
//! ```
//! use std::path::Path;
//! use fileset::{Access, FileSet, Unfinished};
//!
//! # let folder = tempfile::tempdir()?;
//! # let dir = folder.path();
//! let unfinished = Unfinished::new();
//! let set = FileSet::new()
//!     .file(dir.join("bot.key.pem"), Access::Owner, b"key")
//!     .file(dir.join("bot.crt.pem"), Access::Everyone, b"certificate");
//! let locked = fileset::lock(set.directories(), |dir| eprintln!("waiting for {}", dir.display()))?;
//! locked.stage(&set, &unfinished)?.publish()?;
//! # assert_eq!(std::fs::read(dir.join("bot.key.pem"))?, b"key");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | | |
//! |---|---|
//! | [`FileSet`], [`Access`] | the files, and who may read them |
//! | [`lock`], [`Locked`] | their directories, for as long as files are written |
//! | [`Staged`] | the files, written and not yet in their places |
//! | [`Unfinished`], [`Abandoned`], [`MadeDirectory`] | what must be removed when a signal ends the process |
//! | [`mend`], [`Mended`], [`is_internal`] | what a process that was killed left behind |
//! | [`Error`] | which step failed, at which path |
//!
//! How it is done, for each directory that gets a file of the set:
//!
//! 1. [`lock`] takes the directory's lock, and mends what a process left behind that held it before and was killed.
//! 2. [`Locked::stage`] writes the files into a staging directory beside their places, which only its owner can enter,
//!    and syncs them; then a journal of what is to be renamed where.
//! 3. [`Staged::publish`] renames the files into their places. If one of them can't be renamed, the others are put back;
//!    if that fails too, the journal stays for the next process.
//! 4. The staging directory is removed.
//!
//! A process that is killed before step 3 has done nothing, and the next one removes its staging directory. One that is
//! killed within step 3 leaves a journal, with which the next one finishes the job, and says so: [`Mended`].
//! A process that handles signals calls [`Unfinished::abandon`] before it ends: that waits for step 3, and otherwise
//! removes what is staged.
#![forbid(unsafe_code)]

mod disk;
mod error;
mod identity;
mod journal;
mod staging;
mod mend;
mod lock;
mod unfinished;
mod set;

pub use error::Error;
pub use lock::{Locked, is_internal, lock, mend};
pub use mend::Mended;
pub use set::{Access, FileSet, Staged};
pub use unfinished::{Abandoned, MadeDirectory, Unfinished};
