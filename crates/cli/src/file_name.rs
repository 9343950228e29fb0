//! How files are called in messages, and that `-` is none.

use std::{fmt, path::Path};

/// How an input file is called.
pub(crate) struct InputName<'a>(pub(crate) &'a Path);

impl fmt::Display for InputName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if is_stdin(self.0) {
            f.write_str("standard input")
        } else {
            fmt::Display::fmt(&self.0.display(), f)
        }
    }
}

/// How an output file is called.
pub(crate) struct OutputName<'a>(pub(crate) &'a Path);

impl fmt::Display for OutputName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if is_stdout(self.0) {
            f.write_str("standard output")
        } else {
            fmt::Display::fmt(&self.0.display(), f)
        }
    }
}

/// Whether an input is standard input.
pub(crate) fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Whether an output goes to standard output. Its names in the file system count as well: nothing there can be replaced.
pub(crate) fn is_stdout(path: &Path) -> bool {
    let names: &[&str] = if cfg!(unix) {
        &["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"]
    } else {
        &["-"]
    };
    names.iter().any(|name| path == Path::new(name))
}
