use std::{fmt, io, net::SocketAddr, time::SystemTime};

use crate::{CertificateType, Fingerprint, Port};

/// Everything that can go wrong in starting and steering a [`Pod`](crate::Pod).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The processor lacks instructions that the TLS cryptography is built on.
    #[error(
        "the TLS cryptography needs a processor with {}; this one lacks them",
        .missing.join(", ")
    )]
    #[non_exhaustive]
    UnsupportedCpu {
        /// The features that are missing.
        missing: Vec<&'static str>,
    },
    /// A port can't be listened on.
    #[error("can not listen on {address} for the {port} port")]
    #[non_exhaustive]
    Bind {
        /// Which of the ports.
        port: Port,
        /// The address that was asked for.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// A proxy can't listen on the loopback interface.
    #[error("can not listen for a proxy")]
    BindProxy(#[source] io::Error),
    /// The server's certificate can't be made, or its key can't be encoded.
    #[error("can not prepare the server certificate")]
    ServerCertificate(#[source] pki::Error),
    /// The server's certificate or key can't be used for TLS: there is none, they don't match, or the key is of a kind
    /// that the TLS cryptography doesn't know.
    #[error("can not use the server certificate for TLS")]
    UnusableServerCertificate(#[source] rustls::Error),
    /// No TLS version, or no HTTP version, is left to speak.
    #[error("at least one {what} version is needed")]
    #[non_exhaustive]
    NoVersion {
        /// "TLS" or "HTTP".
        what: &'static str,
    },
    /// A server certificate was asked for that only a pod with a CA of its own can make.
    #[error("the pod was given its server certificate, and has no CA to make another")]
    NoServerAuthority,

    /// A rule that could never strike.
    #[error("the fault can never strike: {reason}")]
    #[non_exhaustive]
    FaultContradiction {
        /// What doesn't go together.
        reason: &'static str,
    },
    /// The text of a rule has no `=` between the place and the fault.
    #[error("{text:?} is no rule: PLACE=FAULT is expected")]
    #[non_exhaustive]
    FaultWithoutPlace {
        /// The text.
        text: String,
    },
    /// The text before the `=` of a rule is no place.
    #[error(
        "{place:?} is no place: `any` is expected, or a port (web, api, key-manager), a method in capitals, and a path \
         that begins with a slash, in this order, one or more of them"
    )]
    #[non_exhaustive]
    FaultPlace {
        /// The text.
        place: String,
    },
    /// There is no fault of this name.
    #[error("there is no fault {name:?}")]
    #[non_exhaustive]
    UnknownFault {
        /// The name.
        name: String,
    },
    /// There is no option of this name, or it doesn't go with the fault.
    #[error("the fault {fault:?} has no option {name:?}")]
    #[non_exhaustive]
    UnknownFaultOption {
        /// The name of the fault.
        fault: String,
        /// The name of the option.
        name: String,
    },
    /// A fault or an option has no value or the wrong one.
    #[error("{name:?} has the value {value:?}: {expected} is expected")]
    #[non_exhaustive]
    FaultValue {
        /// The name of the fault or the option.
        name: String,
        /// The text after the colon; empty where there was none.
        value: String,
        /// What is expected.
        expected: &'static str,
    },

    /// The certificate that was to be imported can't be read, or its key is of an unknown kind.
    #[error("can not read the certificate")]
    MalformedCertificate(#[source] pki::Error),
    /// More than one certificate was given where one is imported at a time.
    #[error("{count} certificates were given, and one is imported at a time")]
    #[non_exhaustive]
    SeveralCertificates {
        /// How many there are.
        count: usize,
    },
    /// The certificate has expired.
    #[error("the certificate of {subject} expired {} ago", Span(*.not_after, *.now))]
    #[non_exhaustive]
    CertificateExpired {
        /// The subject of the certificate, in RFC 4514 form.
        subject: String,
        /// The end of its validity.
        not_after: SystemTime,
        /// The time of the attempt.
        now: SystemTime,
    },
    /// The certificate may not sign others, so that it is no signing certificate.
    #[error("the certificate of {subject} may not sign certificates: {reason}")]
    #[non_exhaustive]
    NotAnAuthority {
        /// The subject of the certificate, in RFC 4514 form.
        subject: String,
        /// Which condition of RFC 5280 is missing.
        reason: &'static str,
    },
    /// A client certificate with an RSA key that is too short.
    #[error("the RSA key of {subject} has {bits} bits, fewer than the minimum of {minimum}")]
    #[non_exhaustive]
    KeyTooSmall {
        /// The subject of the certificate, in RFC 4514 form.
        subject: String,
        /// The length of the modulus in bits.
        bits: usize,
        /// The least that is accepted, in bits.
        minimum: usize,
    },
    /// The certificate was imported before.
    #[error(
        "the certificate with SHA-256 fingerprint {fingerprint} was imported already, as {kind}"
    )]
    #[non_exhaustive]
    CertificateExists {
        /// Its fingerprint.
        fingerprint: Fingerprint,
        /// What it was imported as.
        kind: CertificateType,
    },
    /// No certificate with this fingerprint was imported.
    #[error("no certificate with SHA-256 fingerprint {fingerprint} was imported")]
    #[non_exhaustive]
    UnknownCertificate {
        /// The fingerprint.
        fingerprint: Fingerprint,
    },

    /// The name is taken.
    #[error("a user {username:?} exists already")]
    #[non_exhaustive]
    UserExists {
        /// The name.
        username: String,
    },
    /// There is no user of this name. The case of letters counts.
    #[error("there is no user {username:?}")]
    #[non_exhaustive]
    UnknownUser {
        /// The name.
        username: String,
    },
    /// A user name that is empty or longer than a Common Name can be.
    #[error("a user name has 1 to {limit} characters, and this one has {found}")]
    #[non_exhaustive]
    InvalidUsername {
        /// How many characters were found.
        found: usize,
        /// The limit in characters: that of the Common Name (X.520, `ub-common-name`).
        limit: usize,
    },
}

/// How much later the second time is than the first, in words.
struct Span(SystemTime, SystemTime);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.1.duration_since(self.0).unwrap_or_default().as_secs();
        match seconds {
            0..=7200 => write!(f, "{seconds} seconds"),
            7201..=172_800 => write!(f, "{} hours", seconds / 3600),
            _ => write!(f, "{} days", seconds / 86_400),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;

    #[test]
    fn an_expired_certificate_says_since_when() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(10 * 86_400);
        let expired = |ago| {
            Error::CertificateExpired {
                subject: "CN=a".to_owned(),
                not_after: now - Duration::from_secs(ago),
                now,
            }
            .to_string()
        };

        assert_eq!(expired(1), "the certificate of CN=a expired 1 seconds ago");
        assert_eq!(expired(8000), "the certificate of CN=a expired 2 hours ago");
        assert_eq!(
            expired(259_200),
            "the certificate of CN=a expired 3 days ago"
        );
    }
}
