//! Which finding an error is.

use http::StatusCode;
use rustls::{AlertDescription, CertificateError};

use super::{Kind, catalogue as found};
use crate::{Endpoint, Error, Phase};

impl Kind {
    /// The finding that this error is when a client logs in (or, from the Agent, makes a call), with its [next step](Kind::next_step) for whoever must repair it;
    /// `None` for what the doctor doesn't meet, such as a file that isn't there: the error says it all.
    ///
    /// ```
    /// use auth::{Error, Identity, Passphrase, doctor::Kind};
    ///
    /// let error = Identity::read(b"neither the one nor the other", &Passphrase::from("changeit")).unwrap_err();
    /// let finding = Kind::of(&error).expect("the doctor meets it too");
    /// assert_eq!(finding.id(), "identity-not-pkcs12");
    /// println!("{error}; next: {:?}", finding.next_step());
    /// ```
    pub fn of(error: &Error) -> Option<&'static Self> {
        // Nobody logs in at the Agent.
        let is_of_the_agent = error
            .peer()
            .is_some_and(|peer| peer.endpoint() == Endpoint::Agent);
        let purpose = match is_of_the_agent {
            true => Purpose::Use,
            false => Purpose::Authentication,
        };
        of(error, purpose)
    }
}

/// What a call is for, since the same status means different things.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Purpose {
    Authentication,
    Use,
}

pub(super) fn of(error: &Error, purpose: Purpose) -> Option<&'static Kind> {
    Some(match error {
        Error::DnsFailed { .. } => &found::NAME_NOT_RESOLVED,
        Error::ConnectionRefused { .. } => &found::CONNECTION_REFUSED,
        Error::ConnectionReset { .. } => &found::CONNECTION_RESET,
        Error::ConnectionClosed { .. } => &found::CLOSED_WITHOUT_REASON,
        Error::Network { .. } => &found::NETWORK_FAILED,
        Error::Timeout {
            phase: Phase::Connect,
            ..
        } => &found::CONNECT_TIMEOUT,
        Error::DeadlineExceeded {
            latest: Some(latest),
            ..
        } => return of(latest, purpose),
        Error::Timeout { .. } | Error::DeadlineExceeded { .. } => &found::READ_TIMEOUT,
        Error::ProxyUnreachable { .. } => &found::PROXY_UNREACHABLE,
        Error::ProxyAuthenticationRequired { .. } => &found::PROXY_AUTHENTICATION,
        Error::ProxyRefused { .. } => &found::PROXY_REFUSED,
        Error::ProxyFailed { .. } => &found::PROXY_FAILED,
        Error::NotTls { .. } => &found::NOT_TLS,
        Error::TlsFailed { .. } => &found::TLS_FAILED,
        Error::ServerNotTrusted { reason, .. } => match reason {
            // A trusted root of the same name, with another key, gives a bad signature.
            CertificateError::UnknownIssuer | CertificateError::BadSignature => {
                &found::SERVER_NOT_TRUSTED
            }
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                &found::SERVER_CERTIFICATE_EXPIRED
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                &found::SERVER_CERTIFICATE_NOT_YET_VALID
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                &found::SERVER_CERTIFICATE_WRONG_HOST
            }
            _ => &found::SERVER_CERTIFICATE_INVALID,
        },
        Error::ClientCertificateRefused { alert, .. } => match alert {
            AlertDescription::UnknownCA => &found::CLIENT_ISSUER_UNKNOWN,
            AlertDescription::CertificateExpired => &found::CLIENT_CERTIFICATE_REFUSED_AS_EXPIRED,
            AlertDescription::CertificateRevoked => &found::CLIENT_CERTIFICATE_REVOKED,
            AlertDescription::CertificateRequired | AlertDescription::NoCertificate => {
                &found::CLIENT_KEY_NOT_ACCEPTED
            }
            _ => &found::CLIENT_CERTIFICATE_REFUSED,
        },
        Error::Unauthorized { .. } if purpose == Purpose::Use => &found::TOKEN_REFUSED,
        Error::Unauthorized { .. } => &found::UNAUTHORIZED,
        Error::Forbidden { .. } if purpose == Purpose::Use => &found::CALL_FORBIDDEN,
        Error::Forbidden { .. } => &found::FORBIDDEN,
        Error::Status {
            status,
            retry_after,
            ..
        } => match *status {
            StatusCode::NOT_FOUND if purpose == Purpose::Use => &found::CALL_NOT_FOUND,
            StatusCode::NOT_FOUND => &found::NOT_FOUND,
            StatusCode::TOO_MANY_REQUESTS => &found::THROTTLED,
            // One version of the Agent passes a 429 on as a 400.
            StatusCode::BAD_REQUEST if retry_after.is_some() => &found::THROTTLED,
            status if status.is_redirection() => &found::REDIRECTED,
            status if status.is_server_error() => &found::SERVER_ERROR,
            _ => &found::UNEXPECTED_STATUS,
        },
        Error::MalformedReply { .. } | Error::ReplyTooLarge { .. } => &found::MALFORMED_REPLY,
        Error::Http { .. } => &found::HTTP_FAILED,
        Error::Identity(error) => of_identity(error),
        Error::UnsupportedKey { .. } => &found::KEY_UNSUPPORTED,
        Error::NoPlatformRoots { .. } => &found::PLATFORM_ROOTS_MISSING,
        Error::InvalidProxy { .. } => &found::PROXY_INVALID,
        Error::UnsupportedCpu { .. } | Error::TlsConfiguration(_) => &found::CLIENT_UNUSABLE,
        Error::InvalidUrl { .. }
        | Error::EndpointNotConfigured { .. }
        | Error::UnknownTarget { .. }
        | Error::RequestBody { .. }
        | Error::Configuration { .. }
        | Error::File { .. }
        | Error::ForeignUrl { .. }
        | Error::InvalidPath { .. }
        | Error::InvalidToken { .. }
        | Error::TrustAnchors(_)
        | Error::InvalidTrustAnchor { .. } => return None,
    })
}

/// What can be wrong with an identity before anybody is called.
pub(super) fn of_identity(error: &pki::Error) -> &'static Kind {
    match error {
        pki::Error::WrongPassphrase { .. } => &found::IDENTITY_WRONG_PASSPHRASE,
        pki::Error::PassphraseRequired { .. } => &found::IDENTITY_PASSPHRASE_MISSING,
        pki::Error::PemNotFound { .. } => &found::IDENTITY_NOT_PKCS12,
        pki::Error::KeyMismatch { .. } => &found::KEY_MISMATCH,
        pki::Error::Pkcs12Lacks { .. } | pki::Error::Pkcs12SeveralKeys { .. } => {
            &found::IDENTITY_INCOMPLETE
        }
        _ => &found::IDENTITY_UNREADABLE,
    }
}
