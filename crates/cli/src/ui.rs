//! Everything that the program prints goes through here.
//!
//! The rules of the user interface:
//!
//! 1. Standard output holds the result and nothing else, so that it can be piped; with `--json` it is one JSON value.
//! 2. Everything else (notes, warnings, progress, prompts, errors) goes to standard error.
//! 3. Progress is drawn only when standard error is a terminal. Nothing else depends on a terminal, except that a
//!    missing passphrase is asked for when there is one and is an error when there is none, or with `--no-input`.
//!    `--quiet` leaves out notes and progress, and neither warnings nor errors.
//! 4. An error is one line, `error: ` and what went wrong with which file, in lower case; the next step, if there is
//!    one, is on the line below after `hint: `.
//! 5. The exit status is 0 when the job is done; 1 when the answer is no (refused, not accepted, a problem found); 2 when
//!    the command line made no sense; 3 when the job could not be done or the question not be judged. A reader that closes
//!    the pipe early (`| head`) has what it wanted: that is no failure.
//! 6. No secret is printed, except where a flag asks for it by name (`--show-tokens`, `--out -`).
//! 7. Text that came from a file can't drive the terminal: control characters are shown escaped.
//! 8. No colours, no configuration file but one that is named, and no environment variable that changes what a command
//!    does, but for those by which every program finds its way out: `HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY`,
//!    `SSL_CERT_FILE` and `SSL_CERT_DIR`.

use std::{
    borrow::Cow,
    fmt::{Display, Write as _},
    io::{self, IsTerminal, Write},
    path::Path,
    process::ExitCode,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use indicatif::{ProgressBar, ProgressStyle};
use pki::{Certificate, CertificateRequest, Crl};
use serde::Serialize;

use crate::{error::Error, file_name::OutputName};

/// Whether notes and progress are left out.
static QUIET: AtomicBool = AtomicBool::new(false);

/// Leaves out notes and progress from now on.
pub(crate) fn be_quiet() {
    QUIET.store(true, Ordering::Relaxed);
}

fn is_quiet() -> bool {
    QUIET.load(Ordering::Relaxed)
}

/// Prints a result for people, and a line end.
///
/// # Errors
///
/// [`Error`] when standard output can't be written.
pub(crate) fn result(text: impl Display) -> Result<(), Error> {
    let text = text.to_string();
    result_bytes(format!("{}\n", printable(text.trim_end())).as_bytes())
}

/// Prints a result for programs.
///
/// # Errors
///
/// [`Error`] when standard output can't be written.
pub(crate) fn json(value: &impl Serialize) -> Result<(), Error> {
    let mut text = serde_json::to_string_pretty(value)
        .map_err(|error| Error::failed(format!("the report is not JSON: {error}")))?;
    text.push('\n');
    result_bytes(text.as_bytes())
}

/// Writes a result as it is.
///
/// # Errors
///
/// [`Error`] when standard output can't be written.
pub(crate) fn result_bytes(bytes: &[u8]) -> Result<(), Error> {
    let mut stdout = io::stdout().lock();
    stdout
        .write_all(bytes)
        .and_then(|()| stdout.flush())
        .map_err(|error| match error.kind() {
            io::ErrorKind::BrokenPipe => Error::output_closed(),
            _ => Error::failed(format!("standard output: {error}")),
        })
}

/// Says what was done or decided.
pub(crate) fn note(text: impl Display) {
    if !is_quiet() {
        complain("", &text.to_string());
    }
}

/// Prints a line of what the user asked to be told, `--log` or `--verbose`.
pub(crate) fn log(line: &str) {
    complain("", line);
}

/// Says what a certificate that was just made is, and where.
pub(crate) fn note_certificate(certificate: &Certificate, path: &Path) {
    let subject = match certificate.subject() {
        empty if empty.is_empty() => "an empty subject".to_owned(),
        subject => subject.to_string(),
    };
    note(format!(
        "{}: certificate of {subject}, serial number {}",
        OutputName(path),
        certificate.serial_number()
    ));
}

/// Tells which CRL was written.
pub(crate) fn note_crl(crl: &Crl, path: &Path) {
    let number = crl
        .number()
        .map_or_else(String::new, |number| format!(" {number}"));
    note(format!(
        "{}: CRL{number} of {}, {} revoked",
        OutputName(path),
        crl.issuer(),
        crl.entries().len()
    ));
}

/// Tells which request was written.
pub(crate) fn note_request(request: &CertificateRequest, path: &Path) {
    note(format!(
        "{}: certificate request of {}",
        OutputName(path),
        request.subject()
    ));
}

/// Says what the user would rather know before it hurts.
pub(crate) fn warn(text: impl Display) {
    complain("warning: ", &text.to_string());
}

/// Prints what went wrong and the next step, and gives the exit status.
pub(crate) fn failure(error: &Error) -> ExitCode {
    if let Some((message, hint)) = error.text() {
        complain("error: ", message);
        if let Some(hint) = hint {
            complain("hint: ", hint);
        }
    }
    ExitCode::from(error.exit_status())
}

/// Prints what is wrong with the command line. It quotes from there, so that it can't drive the terminal either.
pub(crate) fn misuse(text: impl Display) {
    complain("", text.to_string().trim_end());
}

/// Shows, on a terminal, that something takes its time; the line disappears when the value is dropped.
pub(crate) fn progress(doing: impl Display) -> Progress {
    // indicatif draws to standard error, and by itself draws nothing when that is not a terminal.
    let bar = match is_quiet() {
        true => ProgressBar::hidden(),
        false => ProgressBar::new_spinner(),
    };
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} ({elapsed})") {
        bar.set_style(style);
    }
    bar.set_message(printable(&doing.to_string()).into_owned());
    if io::stderr().is_terminal() && !bar.is_hidden() {
        bar.enable_steady_tick(Duration::from_millis(100));
    }
    Progress(bar)
}

/// A line of progress.
pub(crate) struct Progress(ProgressBar);

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

impl Progress {
    /// Says how far it has come.
    pub(crate) fn update(&self, doing: impl Display) {
        self.0
            .set_message(printable(&doing.to_string()).into_owned());
    }
}

fn complain(label: &str, text: &str) {
    // When even standard error is closed there is nobody left to tell.
    let _ = writeln!(io::stderr().lock(), "{label}{}", printable(text));
}

/// The text with its control characters escaped, except for line ends.
fn printable(text: &str) -> Cow<'_, str> {
    let harmless = |c: char| c == '\n' || !(c.is_control() || is_bidi_control(c));
    if text.chars().all(harmless) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().fold(String::new(), |mut shown, c| {
        if harmless(c) {
            shown.push(c);
        } else {
            // Writing to a String can't fail.
            let _ = write!(shown, "{}", c.escape_unicode());
        }
        shown
    }))
}

/// Characters that reorder the text around them, so that a name can pose as another (Unicode, UAX #9).
fn is_bidi_control(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_are_shown_and_not_obeyed() {
        assert_eq!(printable("CN=\u{1b}[2Jbot"), "CN=\\u{1b}[2Jbot");
        assert_eq!(printable("CN=\u{202e}tob"), "CN=\\u{202e}tob");
        assert_eq!(printable("two\nlines"), "two\nlines");
        assert_eq!(printable("Zoë Müller 株"), "Zoë Müller 株");
    }
}
