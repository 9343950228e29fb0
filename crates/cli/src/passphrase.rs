//! Passphrases and where they come from: `SRC` on the command line.

use std::{
    env,
    ffi::OsStr,
    fmt,
    fs::File,
    io::{self, IsTerminal, Read},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use clap::{Arg, Command, builder::TypedValueParser};
use pki::Passphrase;
use zeroize::Zeroizing;

use crate::{
    elided,
    error::{Context, Error},
    stdin, terminal, ui,
};

/// The forms of `SRC`, for `--help`.
pub(crate) const SOURCES: &str = "\
Passphrase sources (SRC):
  env:NAME    the environment variable NAME
  file:PATH   the first line of a file
  fd:N        the first line of the open file descriptor N (Unix)
  stdin       the next line of standard input
  prompt      asked for on the terminal, twice for a new one
  pass:TEXT   TEXT itself, with a warning: others on this computer can see it
Without one, a passphrase that is needed is asked for if there is a terminal.";

/// What a source gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Secret {
    Passphrase,
    /// Of a session.
    Token,
}

impl Secret {
    /// None that is in use is longer. In octets.
    fn limit(self) -> usize {
        match self {
            Self::Passphrase => 4096,
            Self::Token => 64 << 10,
        }
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Passphrase => "passphrase",
            Self::Token => "token",
        })
    }
}

/// Where a passphrase comes from.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Source {
    Env(String),
    File(PathBuf),
    Fd(u32),
    Stdin,
    Prompt,
    Literal(Arc<Passphrase>),
}

/// Where the passphrase of one thing comes from: the flag, and what was given with it, if anything was.
#[derive(Clone, Copy)]
pub(crate) struct Flag<'a> {
    /// For example `--passin`.
    pub(crate) name: &'static str,
    pub(crate) source: Option<&'a Source>,
    secret: Secret,
}

impl<'a> Flag<'a> {
    pub(crate) fn new(name: &'static str, source: &'a Option<Source>) -> Self {
        Self {
            name,
            source: source.as_ref(),
            secret: Secret::Passphrase,
        }
    }

    /// The token of a session, which comes from where passphrases do.
    ///
    /// # Errors
    ///
    /// [`Error`] when the source doesn't give it.
    pub(crate) fn token(name: &'static str, source: &'a Source) -> Result<Passphrase, Error> {
        let flag = Self {
            name,
            source: Some(source),
            secret: Secret::Token,
        };
        source.read(flag, || {
            prompt(&format!("token for {name}: "), Secret::Token)
        })
    }

    /// The passphrase of something that exists, if a source was named for it.
    ///
    /// # Errors
    ///
    /// [`Error`] when the source doesn't give one.
    pub(crate) fn given(self, subject: impl fmt::Display) -> Result<Option<Passphrase>, Error> {
        self.source
            .map(|source| source.read(self, || prompt_for(subject)))
            .transpose()
    }

    /// The passphrase of something that exists and turned out to need one, with no source named for it.
    ///
    /// # Errors
    ///
    /// [`Error`] when there is no terminal to ask on.
    pub(crate) fn asked(self, subject: impl fmt::Display) -> Result<Passphrase, Error> {
        if has_terminal() {
            prompt_for(subject)
        } else {
            let problem = format!("{subject} is encrypted and needs a passphrase");
            Err(Error::failed(problem).hint(self.advice()))
        }
    }

    /// The passphrase of something new, if a source was named for it.
    ///
    /// # Errors
    ///
    /// [`Error`] when the source doesn't give one, or an empty one.
    pub(crate) fn chosen(self, subject: impl fmt::Display) -> Result<Option<Passphrase>, Error> {
        self.source
            .map(|source| {
                let passphrase = source.read(self, || prompt_twice(&subject))?;
                if passphrase.is_empty() {
                    return Err(Error::failed(format!(
                        "the new passphrase for {subject} is empty"
                    )));
                }
                Ok(passphrase)
            })
            .transpose()
    }

    /// The passphrase of something new that must have one.
    ///
    /// # Errors
    ///
    /// [`Error`] when the source doesn't give one, or an empty one, or when there is neither a source nor a terminal.
    pub(crate) fn chosen_or_asked(self, subject: impl fmt::Display) -> Result<Passphrase, Error> {
        let flag = match self.source {
            None if has_terminal() => Self {
                source: Some(&Source::Prompt),
                ..self
            },
            _ => self,
        };
        flag.chosen(&subject)?.ok_or_else(|| {
            Error::failed(format!("{subject} needs a passphrase")).hint(self.advice())
        })
    }

    fn advice(self) -> String {
        format!(
            "name its source with {}: env:NAME, file:PATH, fd:N or stdin",
            self.name
        )
    }
}

/// Java opens no bundle whose passphrase has other characters.
pub(crate) fn warn_if_java_refuses(passphrase: &Passphrase) {
    if !passphrase.as_str().is_ascii() {
        ui::warn("the passphrase of the bundle is not ASCII: Java will refuse it");
    }
}

impl Source {
    /// The file that it reads, if it reads one; `-` for standard input.
    pub(crate) fn file(&self) -> Option<PathBuf> {
        match self {
            Self::File(path) => Some(path.clone()),
            Self::Fd(number) => Some(PathBuf::from(format!("/dev/fd/{number}"))),
            Self::Stdin => Some(PathBuf::from("-")),
            Self::Env(_) | Self::Prompt | Self::Literal(_) => None,
        }
    }

    fn parse(text: &str) -> Result<Self, &'static str> {
        let source = match text.split_once(':') {
            Some(("env", name)) if !name.is_empty() => Self::Env(name.to_owned()),
            Some(("file", path)) if !path.is_empty() => Self::File(PathBuf::from(path)),
            Some(("fd", number)) => match number.parse() {
                Ok(0) => Self::Stdin,
                Ok(number) => Self::Fd(number),
                Err(_) => return Err("fd: takes the number of an open file descriptor"),
            },
            Some(("pass", text)) => Self::Literal(Arc::new(Passphrase::from(text))),
            None if text == "stdin" => Self::Stdin,
            None if text == "prompt" => Self::Prompt,
            // What was given may be the passphrase itself, so it isn't repeated.
            _ => {
                return Err(
                    "a passphrase source is env:NAME, file:PATH, fd:N, stdin, prompt or pass:TEXT",
                );
            }
        };
        Ok(source)
    }

    fn read(
        &self,
        Flag { name, secret, .. }: Flag<'_>,
        prompt: impl FnOnce() -> Result<Passphrase, Error>,
    ) -> Result<Passphrase, Error> {
        let flag = name;
        match self {
            Self::Env(name) => match env::var(name) {
                Ok(value) => Ok(Passphrase::new(value)),
                Err(env::VarError::NotPresent) => Err(Error::failed(format!(
                    "{flag}: the environment variable {name} is not set"
                ))),
                Err(env::VarError::NotUnicode(_)) => Err(Error::failed(format!(
                    "{flag}: the environment variable {name} is not UTF-8"
                ))),
            },
            Self::File(path) => {
                let file = File::open(path).about(path.display())?;
                next_line(file, &path.display().to_string(), secret)
            }
            Self::Fd(number) => {
                let file = open_fd(*number).about(format!("file descriptor {number}"))?;
                next_line(file, &format!("file descriptor {number}"), secret)
            }
            Self::Stdin => next_line(stdin::as_lines(flag)?, "standard input", secret),
            Self::Prompt => prompt(),
            Self::Literal(passphrase) => {
                ui::warn(format!(
                    "{flag} pass:... can be seen by everybody on this computer; env:, file:, fd: or stdin can not"
                ));
                Ok(Passphrase::from(passphrase.as_str()))
            }
        }
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(f, "env:{name}"),
            Self::File(path) => write!(f, "file:{}", path.display()),
            Self::Fd(number) => write!(f, "fd:{number}"),
            Self::Stdin => f.write_str("stdin"),
            Self::Prompt => f.write_str("prompt"),
            Self::Literal(_) => f.write_str("pass:[passphrase elided]"),
        }
    }
}

/// Parses `SRC`, which may be the passphrase itself.
#[derive(Debug, Clone)]
pub(crate) struct SourceParser;

impl TypedValueParser for SourceParser {
    type Value = Source;

    fn parse_ref(
        &self,
        command: &Command,
        arg: Option<&Arg>,
        value: &OsStr,
    ) -> Result<Source, clap::Error> {
        elided::parse(command, arg, value, Source::parse)
    }
}

/// Whether nobody is to be asked.
static NO_INPUT: AtomicBool = AtomicBool::new(false);

/// Asks for nothing from now on.
pub(crate) fn never_ask() {
    NO_INPUT.store(true, Ordering::Relaxed);
}

fn has_terminal() -> bool {
    !NO_INPUT.load(Ordering::Relaxed) && (io::stdin().is_terminal() || io::stderr().is_terminal())
}

fn prompt(question: &str, secret: Secret) -> Result<Passphrase, Error> {
    if NO_INPUT.load(Ordering::Relaxed) {
        return Err(
            Error::misused("a passphrase source is prompt, and --no-input forbids to ask")
                .hint("name another source: env:NAME, file:PATH, fd:N or stdin"),
        );
    }
    terminal::ask(question, |terminal| {
        read_line(terminal, "the terminal", secret)
    })
    .map_err(|error| {
        Error::failed(format!("no terminal to ask for a {secret} on: {error}"))
            .hint("name another source: env:NAME, file:PATH, fd:N or stdin")
    })
    .flatten()?
    .ok_or_else(|| Error::failed(format!("a {secret} was asked for, and nothing was entered")))
}

fn prompt_for(subject: impl fmt::Display) -> Result<Passphrase, Error> {
    prompt(&format!("passphrase for {subject}: "), Secret::Passphrase)
}

fn prompt_twice(subject: impl fmt::Display) -> Result<Passphrase, Error> {
    let first = prompt(
        &format!("new passphrase for {subject}: "),
        Secret::Passphrase,
    )?;
    let second = prompt("the same again: ", Secret::Passphrase)?;
    if first == second {
        Ok(first)
    } else {
        Err(Error::failed("the two passphrases differ"))
    }
}

#[cfg(unix)]
fn open_fd(number: u32) -> io::Result<File> {
    File::open(format!("/dev/fd/{number}")).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => io::Error::new(io::ErrorKind::NotFound, "it is not open"),
        _ => error,
    })
}

#[cfg(not(unix))]
fn open_fd(_number: u32) -> io::Result<File> {
    Err(io::ErrorKind::Unsupported.into())
}

fn next_line(reader: impl Read, name: &str, secret: Secret) -> Result<Passphrase, Error> {
    read_line(reader, name, secret)?
        .ok_or_else(|| Error::failed(format!("{name}: ended where a {secret} was expected")))
}

/// The next line, without its line end; `None` at the end. It is read octet by octet, so that what follows it stays for the
/// next reader.
#[expect(
    clippy::unbuffered_bytes,
    reason = "a buffer would swallow the lines of the next reader"
)]
fn read_line(reader: impl Read, name: &str, secret: Secret) -> Result<Option<Passphrase>, Error> {
    let limit = secret.limit();
    // Allocated once at full size: a buffer that grows would leave copies behind.
    let mut line = Zeroizing::new(Vec::with_capacity(limit));
    let mut ended = false;
    for octet in reader.bytes() {
        match octet.about(name)? {
            b'\n' => {
                ended = true;
                break;
            }
            _ if line.len() == limit => {
                return Err(Error::failed(format!(
                    "{name}: a {secret} of more than {limit} octets"
                )));
            }
            octet => line.push(octet),
        }
    }
    if line.is_empty() && !ended {
        return Ok(None);
    }
    // In UTF-8 and UTF-16. Other programs would take it for a part of the passphrase, so that it is no use to leave it out.
    if [&b"\xef\xbb\xbf"[..], b"\xff\xfe", b"\xfe\xff"]
        .iter()
        .any(|mark| line.starts_with(mark))
    {
        return Err(Error::failed(format!(
            "{name}: the {secret} starts with a byte order mark"
        ))
        .hint("editors on Windows put it there: save the text as UTF-8 without BOM"));
    }
    let line = line.strip_suffix(b"\r").unwrap_or(&line);
    std::str::from_utf8(line)
        .map(|line| Some(Passphrase::from(line)))
        .map_err(|_| Error::failed(format!("{name}: the {secret} is not UTF-8")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_written_as_openssl_writes_them() {
        assert_eq!(Source::parse("env:PW"), Ok(Source::Env("PW".into())));
        assert_eq!(
            Source::parse("file:/run/a:b"),
            Ok(Source::File("/run/a:b".into()))
        );
        assert_eq!(Source::parse("fd:3"), Ok(Source::Fd(3)));
        assert_eq!(Source::parse("fd:0"), Ok(Source::Stdin));
        assert_eq!(Source::parse("stdin"), Ok(Source::Stdin));
        assert_eq!(Source::parse("prompt"), Ok(Source::Prompt));
        let Ok(Source::Literal(text)) = Source::parse("pass:a:b") else {
            panic!("pass: is a source");
        };
        assert_eq!(text.as_str(), "a:b");
    }

    #[test]
    fn a_passphrase_without_its_prefix_is_refused_and_not_repeated() {
        for text in ["hunter2", "env:", "file:", "fd:x", "secret:x", ""] {
            let problem = Source::parse(text).unwrap_err();
            assert!(text.is_empty() || !problem.contains("hunter2"), "{problem}");
        }
    }

    #[test]
    fn debug_output_elides_the_text() {
        let source = Source::parse("pass:hunter2").unwrap();
        assert_eq!(format!("{source:?}"), "pass:[passphrase elided]");
    }

    #[test]
    fn each_reader_gets_the_next_line() {
        let mut input = &b"one\r\n\nthree"[..];
        assert_eq!(
            next_line(&mut input, "x", Secret::Passphrase)
                .unwrap()
                .as_str(),
            "one"
        );
        assert_eq!(
            next_line(&mut input, "x", Secret::Passphrase)
                .unwrap()
                .as_str(),
            ""
        );
        assert_eq!(
            next_line(&mut input, "x", Secret::Passphrase)
                .unwrap()
                .as_str(),
            "three"
        );
        assert_eq!(
            next_line(&mut input, "x", Secret::Passphrase),
            Err(Error::failed("x: ended where a passphrase was expected"))
        );
    }

    #[test]
    fn an_endless_line_is_cut_off() {
        for (secret, limit) in [(Secret::Passphrase, 4096), (Secret::Token, 65536)] {
            let reason = format!("x: a {secret} of more than {limit} octets");
            let cut_off = next_line(io::repeat(b'a'), "x", secret);
            assert_eq!(cut_off, Err(Error::failed(reason)));
            let longest = "a".repeat(limit);
            let read = next_line(longest.as_bytes(), "x", secret).unwrap();
            assert_eq!(read.as_str(), longest);
        }
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_a_passphrase() {
        for text in [
            &b"\xef\xbb\xbfsecret\r\n"[..],
            b"\xff\xfes\0e\0",
            b"\xfe\xff\0s\0e",
        ] {
            assert_eq!(
                next_line(text, "x", Secret::Passphrase),
                Err(
                    Error::failed("x: the passphrase starts with a byte order mark").hint(
                        "editors on Windows put it there: save the text as UTF-8 without BOM"
                    )
                )
            );
        }
    }

    #[test]
    fn octets_that_are_not_utf8_are_refused() {
        assert_eq!(
            next_line(&b"p\xe4ss\n"[..], "x", Secret::Passphrase),
            Err(Error::failed("x: the passphrase is not UTF-8"))
        );
    }
}
