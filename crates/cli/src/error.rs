//! How a command fails: what is said, the next step, and the exit status.

use std::{error::Error as StdError, fmt::Display, io};

use pki::Fault;
use pod::Port;
use rustls::{AlertDescription, CertificateError};

/// Why a command couldn't do its job.
///
/// It is made of text, because nothing but printing is ever done with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Error {
    kind: Kind,
    message: String,
    hint: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Refused,
    Failed,
    Misused,
    OutputClosed,
    Reported,
    NotJudged,
}

impl Error {
    /// The job can't be done, or the question not be judged (exit status 3).
    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self {
            kind: Kind::Failed,
            message: message.into(),
            hint: None,
        }
    }

    /// The answer is no (exit status 1).
    pub(crate) fn refused(message: impl Into<String>) -> Self {
        Self {
            kind: Kind::Refused,
            ..Self::failed(message)
        }
    }

    /// The command line makes no sense (exit status 2).
    pub(crate) fn misused(message: impl Into<String>) -> Self {
        Self {
            kind: Kind::Misused,
            ..Self::failed(message)
        }
    }

    /// The reader of standard output went away (exit status 0, and not a word).
    pub(crate) fn output_closed() -> Self {
        Self {
            kind: Kind::OutputClosed,
            ..Self::failed("standard output is closed")
        }
    }

    /// The result, which was printed, says itself what is wrong (exit status 1, and not another word).
    pub(crate) fn reported() -> Self {
        Self {
            kind: Kind::Reported,
            ..Self::failed("the report names problems")
        }
    }

    /// What was printed says itself what could not be judged (exit status 3, and not another word).
    pub(crate) fn not_judged() -> Self {
        Self {
            kind: Kind::NotJudged,
            ..Self::failed("the report names what could not be judged")
        }
    }

    /// Whether the command line is to blame, rather than what it names.
    pub(crate) fn is_misuse(&self) -> bool {
        self.kind == Kind::Misused
    }

    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// The next step for the user.
    pub(crate) fn next_step(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// The same, blamed on the command line.
    pub(crate) fn into_misuse(self) -> Self {
        Self {
            kind: Kind::Misused,
            ..self
        }
    }

    /// The same, as a failure that is told: standard output was to have a part of the result only.
    pub(crate) fn into_failure(self) -> Self {
        Self {
            kind: Kind::Failed,
            ..self
        }
    }

    /// With the next step for the user, in place of an earlier one.
    pub(crate) fn hint(self, hint: impl Into<String>) -> Self {
        Self {
            hint: Some(hint.into()),
            ..self
        }
    }

    /// The exit status.
    pub(crate) fn exit_status(&self) -> u8 {
        match self.kind {
            Kind::OutputClosed => 0,
            Kind::Reported | Kind::Refused => 1,
            Kind::Misused => 2,
            Kind::NotJudged | Kind::Failed => 3,
        }
    }

    /// What is to be printed, and the next step below it: nothing where that was done, or where nobody is left to read it.
    pub(crate) fn text(&self) -> Option<(&str, Option<&str>)> {
        let was_told = matches!(
            self.kind,
            Kind::OutputClosed | Kind::Reported | Kind::NotJudged
        );
        (!was_told).then_some((&self.message, self.hint.as_deref()))
    }
}

/// Says what a library's error is about, mostly a file, and adds the hint that goes with it.
pub(crate) trait Context<T> {
    /// `subject: error: its cause`. A subject that the error starts with is said once.
    ///
    /// # Errors
    ///
    /// The same failure, told to the user.
    fn about(self, subject: impl Display) -> Result<T, Error>;
}

impl<T, E: Hint> Context<T> for Result<T, E> {
    fn about(self, subject: impl Display) -> Result<T, Error> {
        self.map_err(|error| {
            let (subject, text) = (format!("{subject}: "), error.text());
            Error {
                kind: match error.is_refusal() {
                    true => Kind::Refused,
                    false => Kind::Failed,
                },
                hint: error.hint(),
                ..Error::failed(match text.starts_with(&subject) {
                    true => text,
                    false => format!("{subject}{text}"),
                })
            }
        })
    }
}

/// A library's error, and what the user can do about it with this program's flags.
pub(crate) trait Hint: StdError {
    /// The next step, if there is an obvious one.
    fn hint(&self) -> Option<String>;

    /// What is wrong, with its causes, in one line.
    fn text(&self) -> String
    where
        Self: Sized,
    {
        chain(self)
    }

    /// Whether the question was judged and the answer is no, rather than that the job could not be done.
    fn is_refusal(&self) -> bool {
        false
    }

    /// The error of `pki` that it is, or that it carries.
    fn as_pki(&self) -> Option<&pki::Error> {
        None
    }
}

impl Hint for io::Error {
    fn hint(&self) -> Option<String> {
        None
    }
}

impl Hint for pki::Error {
    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::PemNotFound { .. } => "countersign inspect FILE shows what a file holds",
            Self::MalformedPem { .. } | Self::TrailingData { .. } | Self::MacMismatch => {
                "the file was damaged on its way here: get a fresh copy"
            }
            Self::KeyMismatch { .. } => "give the key that the certificate was issued for",
            Self::UnsupportedKey { .. } => {
                "RSA and RSASSA-PSS of 1024 to 8192 bits, ECDSA P-256, P-384 and P-521, and Ed25519 are supported"
            }
            Self::InvalidCountry { .. } => "use the two-letter code, for example C=GB",
            Self::RequestSignatureInvalid => {
                "the request was altered after it was signed: have it made again"
            }
            Self::CertificateSignatureInvalid { .. } => {
                "that issuer did not sign this certificate; another one may have the same name"
            }
            Self::AlreadyRevoked { .. } => "leave it out: the entries of the previous CRL stay",
            Self::NotOnHold { .. } => {
                "only what is in the previous CRL as certificateHold can be released"
            }
            Self::CrlNumberNotRising { .. } => "leave out --number, or give a greater one",
            Self::CrlIssuerMismatch { .. } | Self::CrlSignatureInvalid { .. } => {
                "give the previous CRL of this CA, as the CA signed it"
            }
            Self::NotACrlIssuer { .. } => {
                "sign with a certificate whose key usage has cRLSign, as countersign ca create makes it"
            }
            Self::NotAnAuthority { .. } => {
                "sign with a CA's certificate, as countersign ca create makes it"
            }
            Self::AuthorityExpired { .. } => "countersign ca create makes a new CA",
            Self::AuthorityNotYetValid { .. } => "check this computer's clock",
            Self::KeyTooSmall { .. } => "have the request made again, with a longer key",
            Self::SubjectIsIssuer { .. } => {
                "have the request made again, with a subject of its own"
            }
            Self::PathLengthExceeded { .. } => {
                "sign with a CA higher up, or with one that was made with a larger --path-len"
            }
            Self::PurposeNotPermitted { .. } => {
                "sign with a CA for that purpose, or choose another --profile"
            }
            Self::PolicyNotPermitted { .. } => {
                "sign with a --profile-file whose certificate-policies has one of those of the CA (countersign inspect shows them)"
            }
            Self::UnsupportedCriticalExtension { .. } => {
                "programs that verify would refuse what it signs, unless they know that extension"
            }
            Self::ValidityExceedsAuthority { .. } => {
                "ask for fewer --days, or leave them out: the validity ends with the CA's then; in a profile's file, clamped = true does that"
            }
            Self::NameMissing { reason, .. } if reason.contains("alternative name") => {
                "name it with --dns, --ip or --email, where its request is made"
            }
            Self::UnsupportedSignatureAlgorithm { .. } => {
                "leave out --signature-algorithm, or signature-algorithm in the profile's file: it is the key that decides"
            }
            Self::IssuerMismatch { .. } => "give the certificate of the CA that issued it",
            Self::Pkcs12Lacks { .. } => "countersign p12 info FILE shows what the file holds",
            Self::NotInChain {
                missing: Some(issuer),
                ..
            } => {
                return Some(format!(
                    "add the certificate of {issuer}, with --chain or to the file, if it leads on to that one; otherwise leave that one out"
                ));
            }
            Self::NotInChain { .. } => "leave out the certificates that are not its issuers",
            Self::UnsupportedScheme {
                what: "PKCS#7 content",
                ..
            } => "it is a message and no chain of certificates: openssl cms opens it",
            Self::UnsupportedScheme {
                what: "PKCS#12 encryption" | "PKCS#12 MAC" | "PKCS#12 integrity",
                ..
            } => {
                "have it written with AES-256 and SHA-256 by the program that made it, or by OpenSSL: openssl pkcs12 -legacy -in FILE -nodes | openssl pkcs12 -export -out FILE.p12"
            }
            Self::UnsupportedScheme {
                what: "private key encryption",
                ..
            } => {
                "have it encrypted with AES-256 by the program that made it, or by OpenSSL: openssl pkcs8 -topk8 -v2 aes-256-cbc -in FILE -out FILE.pem"
            }
            Self::BudgetExceeded { parameter, .. }
                if parameter.starts_with("key derivation") || parameter.starts_with("scrypt") =>
            {
                "have it written again by the program that made it, with fewer iterations"
            }
            _ => return None,
        };
        Some(hint.to_owned())
    }

    /// What somebody was asked to sign, or to put together, is against the rules.
    fn is_refusal(&self) -> bool {
        match self {
            // Nothing was judged: the file can't be read, or it isn't known what its key would do.
            Self::InvalidProfileFile { .. } | Self::UnsupportedKey { .. } => false,
            _ => self.fault() != Fault::Other,
        }
    }

    fn as_pki(&self) -> Option<&pki::Error> {
        Some(self)
    }
}

impl Hint for auth::Error {
    fn hint(&self) -> Option<String> {
        let next_step = || {
            let finding = auth::doctor::Kind::of(self)?;
            finding.next_step().map(str::to_owned)
        };
        match self {
            Self::ServerNotTrusted {
                reason: CertificateError::UnknownIssuer,
                ..
            } => Some("name the root that issued the server's certificate with --trust".to_owned()),
            Self::Identity(error) => Hint::hint(error).or_else(next_step),
            Self::ClientCertificateRefused {
                alert: AlertDescription::UnsupportedCertificate,
                ..
            } => Some(
                "the client certificate may not be meant for clients (clientAuth): countersign auth doctor looks at it"
                    .to_owned(),
            ),
            Self::ClientCertificateRefused { .. } | Self::Unauthorized { .. } => {
                next_step().map(|step| format!("{step}; countersign auth doctor finds out more"))
            }
            Self::TrustAnchors(
                pki::Error::WrongPassphrase { .. } | pki::Error::PassphraseRequired { .. },
            ) => Some("check the passphrase of the trust store".to_owned()),
            Self::InvalidUrl { .. } => Some(
                "give scheme, host, port and context only, for example https://acme-api.symphony.com:8444"
                    .to_owned(),
            ),
            Self::Configuration { .. } => Some(
                "the keys are those of the official clients' config.yaml: host, port, bot.username, bot.certificate.path, ..."
                    .to_owned(),
            ),
            Self::TrustAnchors(_) | Self::InvalidTrustAnchor { .. } => {
                Some("give the server's root certificates as PEM, DER, PKCS#12 or JKS".to_owned())
            }
            _ => next_step(),
        }
    }

    fn text(&self) -> String {
        match self {
            Self::ServerNotTrusted {
                peer,
                reason:
                    CertificateError::NotValidForNameContext {
                        expected,
                        presented,
                    },
                ..
            } => format!(
                "the certificate of the {peer} is not trusted: it is for {}, and not for {}",
                names_in(presented),
                expected.to_str()
            ),
            _ => chain(self),
        }
    }

    /// The server was reached and said no, or is not the one that it should be.
    fn is_refusal(&self) -> bool {
        match self {
            Self::Identity(error) => Hint::is_refusal(error),
            Self::ServerNotTrusted { .. }
            | Self::ClientCertificateRefused { .. }
            | Self::Unauthorized { .. }
            | Self::Forbidden { .. }
            | Self::ProxyAuthenticationRequired { .. }
            | Self::ProxyRefused { .. } => true,
            _ => false,
        }
    }

    fn as_pki(&self) -> Option<&pki::Error> {
        match self {
            Self::Identity(error) | Self::TrustAnchors(error) => Some(error),
            _ => None,
        }
    }
}

impl Hint for pod::Error {
    fn is_refusal(&self) -> bool {
        matches!(
            self,
            Self::CertificateExpired { .. }
                | Self::NotAnAuthority { .. }
                | Self::KeyTooSmall { .. }
        )
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Bind { port, .. } => {
                let flag = match port {
                    Port::Web => "--web-port",
                    Port::Api => "--api-port",
                    _ => "--key-manager-port",
                };
                Some(format!(
                    "choose another port with {flag}; 0 is any free one"
                ))
            }
            _ => None,
        }
    }
}

/// The names of a certificate, which rustls gives as its code writes them: `DnsName("localhost")`.
fn names_in(presented: &[String]) -> String {
    let plain = |name: &String| {
        let name = name.split_once('(').map_or(name.as_str(), |(_, name)| name);
        name.trim_end_matches(')').trim_matches('"').to_owned()
    };
    match presented {
        [] => "no host".to_owned(),
        names => names.iter().map(plain).collect::<Vec<_>>().join(", "),
    }
}

/// The error and its causes in one line, each said once: many errors repeat their cause in their own text.
fn chain(error: &dyn StdError) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = error.to_string();
        if !text.contains(&next) {
            text.push_str(": ");
            text.push_str(&next);
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{text}")]
    struct Layer {
        text: &'static str,
        source: Option<Box<Layer>>,
    }

    #[test]
    fn a_cause_is_said_once() {
        let error = Layer {
            text: "no connection: refused",
            source: Some(Box::new(Layer {
                text: "refused",
                source: Some(Box::new(Layer {
                    text: "port 8444",
                    source: None,
                })),
            })),
        };
        assert_eq!(chain(&error), "no connection: refused: port 8444");
    }

    #[test]
    fn an_error_says_what_it_is_about_and_what_to_do() {
        let error: Result<(), _> = Err(pki::Error::RequestSignatureInvalid);
        let error = error.about("bot.csr.pem").unwrap_err();
        assert_eq!(
            error.message,
            "bot.csr.pem: the signature of the certificate request does not match its public key"
        );
        assert!(error.hint.is_some());
    }

    #[test]
    fn what_was_judged_is_a_refusal_and_what_could_not_be_is_a_failure() {
        let refused = [
            pki::Error::RequestSignatureInvalid,
            pki::Error::SignatureFailed,
            pki::SerialNumber::from_be_bytes(&[]).unwrap_err(),
            pki::SubjectAltName::dns("a b").unwrap_err(),
        ];
        let failed = [
            pki::Error::MacMismatch,
            pki::Error::Randomness,
            pki::Error::Cancelled,
            pki::Error::WrongPassphrase { what: "key" },
            pki::Error::PassphraseRequired { what: "key" },
            pki::Error::Pkcs12Lacks {
                what: "private key",
            },
            pki::Error::malformed("certificate", "it is cut off"),
            // The caller's, and the requester's; but nothing of theirs was judged.
            pki::Profile::from_toml("unknown = 1").unwrap_err(),
            // X25519 (RFC 8410, section 3).
            pki::PublicKey::from_spki_der(
                &[
                    &b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x6e\x03\x21\x00"[..],
                    &[9; 32],
                ]
                .concat(),
            )
            .unwrap_err(),
        ];
        assert!(matches!(
            failed.last(),
            Some(pki::Error::UnsupportedKey { .. })
        ));
        for (errors, status) in [(&refused[..], 1), (&failed, 3)] {
            for error in errors {
                let told: Result<(), _> = Err(error.clone());
                let told = told.about("a file").unwrap_err();
                assert_eq!(told.exit_status(), status, "{error:?}");
            }
        }
    }
}
