//! A command that signs: the key is in a token, in a cloud or wherever the command keeps it, and never in this program.

use std::{
    ffi::OsStr,
    fmt,
    io::{self, Read, Write},
    path::PathBuf,
    process::{ChildStdin, ChildStdout, Command, Stdio},
    thread,
};

use clap::{Arg, builder::TypedValueParser};
use pki::SignatureAlgorithm;

use crate::{
    elided,
    error::{Context, Error},
    file_id::Inputs,
    helper::Helper,
};

/// What a command is given and has to give, for `--help`.
pub(crate) const PROTOCOL: &str = "\
Signer command (CMD):
  It reads what is to be signed from its standard input, and writes the signature
  to its standard output: for ECDSA in DER, for RSA and Ed25519 as it is.
  COUNTERSIGN_SIGNATURE_ALGORITHM in its environment is the algorithm, by the name
  that inspect prints; COUNTERSIGN_DIGEST is sha256, sha384 or sha512, and is not
  set for Ed25519, which takes what is to be signed as it is.
  Its words are split as a shell does it, but there is no shell: sh -c '...' is one.
  It may take its time: timeout 60 CMD is a limit. docs/signers.md has more of them.";

const ALGORITHM: &str = "COUNTERSIGN_SIGNATURE_ALGORITHM";
const DIGEST: &str = "COUNTERSIGN_DIGEST";

/// No signature is longer: that of the longest RSA key has 1024 octets.
const LIMIT: u64 = 16 << 10;

/// A command, split into words.
///
/// Its arguments are never shown: a PIN may be among them.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct SignerCommand {
    program: String,
    arguments: Vec<String>,
}

/// Parses `CMD`.
#[derive(Debug, Clone)]
pub(crate) struct SignerCommandParser;

impl TypedValueParser for SignerCommandParser {
    type Value = SignerCommand;

    fn parse_ref(
        &self,
        command: &clap::Command,
        arg: Option<&Arg>,
        value: &OsStr,
    ) -> Result<SignerCommand, clap::Error> {
        elided::parse(command, arg, value, SignerCommand::parse)
    }
}

impl SignerCommand {
    fn parse(text: &str) -> Result<Self, &'static str> {
        let words =
            shlex::split(text).ok_or("a quotation mark or a backslash at its end is left open")?;
        let mut words = words.into_iter();
        let program = words.next().filter(|program| !program.is_empty());
        let program = program.ok_or("it names no program")?;
        if is_assignment(&program) {
            return Err(
                "it begins with a variable, as in a shell, but there is no shell: \
                 env NAME=VALUE CMD sets one, or set it before",
            );
        }
        Ok(Self {
            program,
            arguments: words.collect(),
        })
    }

    /// With the files that a command names, if there is one: no output replaces them.
    pub(crate) fn inputs(command: Option<&Self>, inputs: Inputs) -> Inputs {
        let files: Vec<_> = command.iter().flat_map(|command| command.files()).collect();
        inputs.files("--signer-command", &files)
    }

    /// The files that it names, such as its key: also within a word, as in `file:ca.key.pem`, `--key=ca.key.pem` and
    /// `sh -c 'sign ca.key.pem'`.
    fn files(&self) -> impl Iterator<Item = PathBuf> {
        let all = std::iter::once(&self.program).chain(&self.arguments);
        let parts = all.flat_map(|word| {
            let ends = |c: char| c.is_whitespace() || "'\"=:;|<>".contains(c);
            std::iter::once(word.as_str()).chain(word.split(ends))
        });
        parts.map(PathBuf::from).filter(|path| path.is_file())
    }

    /// Runs it. That the signature is one is still to be verified.
    ///
    /// # Errors
    ///
    /// [`Error`] when it can't be started, doesn't end well, or writes nothing or too much.
    pub(crate) fn sign(
        &self,
        algorithm: SignatureAlgorithm,
        message: &[u8],
    ) -> Result<Vec<u8>, Error> {
        let mut command = Command::new(&self.program);
        command
            .args(&self.arguments)
            .env(ALGORITHM, algorithm.name())
            .env_remove(DIGEST)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        if let Some(digest) = digest(algorithm) {
            command.env(DIGEST, digest);
        }
        let mut helper = Helper::start(&mut command).about(self).map_err(|error| {
            error.hint("its first word is the program, and there is no shell: sh -c '...' is one")
        })?;
        let (Some(stdin), Some(stdout)) = helper.take_pipes() else {
            return Err(Error::failed(format!("{self}: no pipes to talk to it")));
        };
        let signature = converse(&mut helper, stdin, stdout, message).about(self)?;
        let Some(signature) = signature else {
            return Err(Error::failed(format!(
                "{self} wrote more than {} KiB, which is no signature",
                LIMIT >> 10
            )));
        };
        let status = helper.wait().about(self)?;
        if !status.success() {
            return Err(
                Error::failed(format!("{self} did not sign: {status}")).hint(
                    "what it says about it stands above; there is no shell: sh -c '...' is one",
                ),
            );
        }
        if signature.is_empty() {
            return Err(Error::failed(format!("{self} wrote no signature"))
                .hint("it has to write it to its standard output"));
        }
        Ok(signature)
    }
}

/// Whether a shell would take it for a variable that is set: what is there may be a PIN, and messages repeat the program.
fn is_assignment(word: &str) -> bool {
    let is_name = |name: &str| name.chars().all(|c| c == '_' || c.is_ascii_alphanumeric());
    word.split_once('=').is_some_and(|(name, _)| is_name(name))
}

/// The digest that is signed, as openssl's options have it, for example `sha256`; none for Ed25519.
pub(crate) fn digest(algorithm: SignatureAlgorithm) -> Option<String> {
    let name = algorithm.digest()?.name();
    Some(name.replace('-', "").to_ascii_lowercase())
}

/// Writes the message while it reads what comes back: nothing where that is too much, in which case the helper is ended.
///
/// # Errors
///
/// [`io::Error`] when reading or writing fails. A helper that doesn't read to the end is none.
fn converse(
    helper: &mut Helper,
    mut stdin: ChildStdin,
    stdout: ChildStdout,
    message: &[u8],
) -> io::Result<Option<Vec<u8>>> {
    thread::scope(|scope| {
        let writer =
            thread::Builder::new().spawn_scoped(scope, move || stdin.write_all(message))?;
        let mut output = Vec::new();
        let read = stdout.take(LIMIT + 1).read_to_end(&mut output);
        let is_too_much = u64::try_from(output.len()).is_ok_and(|length| length > LIMIT);
        if is_too_much || read.is_err() {
            // It would wait for somebody to read on, and the writer for it.
            helper.kill();
        }
        let written = match writer.join() {
            Ok(written) => written,
            Err(_) => Err(io::Error::other("its input could not be written")),
        };
        read?;
        match written {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe && !is_too_much => Err(error),
            _ => Ok((!is_too_much).then_some(output)),
        }
    })
}

/// How it is called in messages.
impl fmt::Display for SignerCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the signer command {}", self.program)
    }
}

impl fmt::Debug for SignerCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignerCommand")
            .field("program", &self.program)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_split_as_a_shell_does_it() {
        for (text, words) in [
            ("sign", &["sign"][..]),
            ("  a\tb  c ", &["a", "b", "c"]),
            (r#"a 'b c' "d e" f\ g"#, &["a", "b c", "d e", "f g"]),
            (
                r#"a 'b "c" \d' "e 'f' \"g\"""#,
                &["a", r#"b "c" \d"#, r#"e 'f' "g""#],
            ),
            ("a '' b", &["a", "", "b"]),
            ("sh -c 'a | b'", &["sh", "-c", "a | b"]),
            ("a $HOME * ~ ; b", &["a", "$HOME", "*", "~", ";", "b"]),
        ] {
            let command = SignerCommand::parse(text).unwrap();
            let mut found = vec![command.program];
            found.extend(command.arguments);
            assert_eq!(found, words, "{text}");
        }
    }

    #[test]
    fn a_command_names_a_program_and_closes_its_quotes() {
        for text in ["", " ", "''", "'' a", "# a", "a 'b", "a \"b", "a \\"] {
            assert!(SignerCommand::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_variable_before_the_program_is_refused_and_not_repeated() {
        for text in ["PIN=1234 sign", "'PIN=12 34' sign", "_p1=1234", "=1234"] {
            let refusal = SignerCommand::parse(text).unwrap_err();
            assert!(refusal.contains("env NAME=VALUE CMD"), "{text}");
            assert!(!refusal.contains("12"), "{text}");
        }
        for text in ["env PIN=1234 sign", "./a=b/sign", "sign --pin=1234"] {
            SignerCommand::parse(text).unwrap();
        }
    }

    #[test]
    fn its_arguments_are_not_shown() {
        let command = SignerCommand::parse("sign --pin 1234").unwrap();
        assert!(!format!("{command:?} {command}").contains("1234"));
    }
}
