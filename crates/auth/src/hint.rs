use rustls::{AlertDescription, CertificateError};

use crate::{Endpoint, Error, Phase};

impl Error {
    /// The next step for whoever has to repair this, in one sentence; `None` when the error says it all.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::Identity(error) => return identity(error),
            Self::UnsupportedKey { .. } => {
                "issue the certificate for an RSA key of 4096 bits, which is what a Pod asks for"
            }
            Self::InvalidUrl { .. } => {
                "give scheme, host, port and context only, for example https://acme-api.symphony.com:8444"
            }
            Self::EndpointNotConfigured { .. } => "give the URL of the Agent",
            Self::UnknownTarget { .. } => {
                "send requests to the URLs of the endpoints that the client was built with"
            }
            Self::RequestBody { .. } => return None,
            Self::IdentityFile { .. } => "check the path of the .p12 file and who may read it",
            Self::ForeignUrl { .. } => {
                "send a path only; it is resolved against the URL of the endpoint"
            }
            Self::InvalidPath { .. } => "write the path without `.` and `..`, encoded or not",
            Self::InvalidToken { .. } => "give the token as the endpoint replied it",
            Self::Configuration { .. } => {
                "the keys are those of the official clients' config.yaml: host, port, bot.username, bot.certificate.path, ..."
            }
            Self::File { .. } => "check the path and its permissions",
            Self::TrustAnchors(
                pki::Error::WrongPassphrase { .. } | pki::Error::PassphraseRequired { .. },
            ) => "check the passphrase of the trust store",
            Self::TrustAnchors(_) | Self::InvalidTrustAnchor { .. } => {
                "give the server's root certificates as PEM, DER, PKCS#12 or JKS"
            }
            Self::NoPlatformRoots { .. } => {
                "install the system's CA certificates, or give the server's root certificate explicitly"
            }
            Self::UnsupportedCpu { .. } => {
                "use a more recent processor, or a build with the cargo feature ring or aws-lc-rs, which needs a C compiler"
            }
            Self::InvalidProxy { .. } => {
                "give the proxy as http://host:port, with user:password@ before the host where it wants them"
            }
            Self::TlsConfiguration(_) => "allow TLS 1.2 or 1.3",

            Self::DnsFailed { .. } => {
                "check the host name; behind a proxy, outside names may not resolve at all"
            }
            Self::ConnectionRefused { .. } => {
                "check host and port: the API ports that ask for a client certificate are usually 8444, not 443"
            }
            Self::ConnectionReset { .. } | Self::ConnectionClosed { .. } => {
                "a server that refuses a client certificate may close without saying so: check that the certificate's issuer is imported and trusted; a firewall or proxy may also cut the connection"
            }
            Self::Network { .. } => "check the route to the host, and whether a proxy is needed",
            Self::Timeout {
                phase: Phase::Connect,
                ..
            } => {
                "a firewall may drop packets to this port: check whether a proxy is needed, or blocks 8444"
            }
            Self::Timeout { .. } => {
                "the server accepts connections and does not answer: try again later"
            }

            Self::DeadlineExceeded {
                latest: Some(latest),
                ..
            } => return latest.hint(),
            Self::DeadlineExceeded { .. } => {
                "the server accepts connections and does not answer: try again later"
            }

            Self::ProxyUnreachable { .. } => {
                "check host and port of the proxy, or connect without it"
            }
            Self::ProxyAuthenticationRequired {
                credentials_sent: false,
                ..
            } => "give the proxy's user name and password: http://user:password@host:port",
            Self::ProxyAuthenticationRequired { .. } => {
                "check the proxy's user name and password; special characters in its URL are percent-encoded"
            }
            Self::ProxyRefused { status, .. } if status.is_server_error() => {
                "the proxy can not reach the server: check host and port of the server, and whether the proxy's names resolve it"
            }
            Self::ProxyRefused { .. } => {
                "have the proxy's operator allow CONNECT to this host and port; many proxies allow port 443 only"
            }
            Self::ProxyFailed { .. } => {
                "check host and port of the proxy: something other than an HTTP proxy may answer there"
            }

            Self::NotTls { .. } => "check the port: something other than TLS answers there",
            Self::ServerNotTrusted { reason, .. } => return Some(server_not_trusted(reason)),
            Self::ClientCertificateRefused { alert, .. } => return Some(refused(*alert)),
            Self::TlsFailed { .. } => {
                "check which TLS versions and cipher suites the server allows"
            }

            Self::Unauthorized { .. } => {
                "the service user's name must equal the certificate's Common Name, case included, and the port must be one that asks for a certificate, usually 8444; for a later call, the session may have expired: authenticate again"
            }
            Self::Forbidden { .. } => {
                "allow certificate authentication for this service user in the admin portal"
            }
            Self::Status { status, .. } if status.as_u16() == 404 => {
                "check the URL and its context: certificate endpoints and RSA (JWT) endpoints differ in host and path"
            }
            Self::Status { status, .. } if status.is_redirection() => {
                "the URL points to a web front end: use the host and port of the API"
            }
            // One version of the Agent passes a 429 on as a 400.
            Self::Status {
                status,
                retry_after,
                ..
            } if status.as_u16() == 429 || (status.as_u16() == 400 && retry_after.is_some()) => {
                "the server throttles: wait before trying again"
            }
            Self::Status { status, .. } if status.is_server_error() => {
                "the server has a problem of its own: try again later"
            }
            Self::Status { .. } => return None,
            Self::MalformedReply { peer, .. } => match peer.endpoint() {
                Endpoint::Pod | Endpoint::SessionAuth | Endpoint::KeyManager => {
                    "check the URL: a web page or a proxy may answer instead of the API"
                }
                Endpoint::Agent => "check the URL of the Agent",
            },
            Self::ReplyTooLarge { .. } => {
                "check the URL: the API's replies are smaller; a larger limit can be set"
            }
            Self::Http { .. } => {
                "try again; if it stays, something between here and the server may not cope with HTTP/2"
            }
        })
    }
}

fn identity(error: &pki::Error) -> Option<&'static str> {
    Some(match error {
        pki::Error::WrongPassphrase { .. } => {
            "check the passphrase; a trailing newline in a passphrase file counts when it is not stripped"
        }
        pki::Error::PassphraseRequired { .. } => "give the passphrase of the key",
        pki::Error::KeyMismatch { .. } => {
            "the first certificate must be the one that was issued for this key"
        }
        pki::Error::Malformed { .. } => {
            "check that the file is a PKCS#12 bundle (.p12, .pfx) and not PEM"
        }
        _ => return None,
    })
}

fn server_not_trusted(reason: &CertificateError) -> &'static str {
    match reason {
        CertificateError::UnknownIssuer => {
            "add the root that issued the server's certificate to the trust anchors, beside the platform's"
        }
        CertificateError::BadSignature => {
            "a trusted root has the name of the server's, and another key: get the root that is in use now"
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "the server's certificate has expired: its operator must renew it"
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "the server's certificate is not valid yet: check this machine's clock"
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "the server's certificate is for other names: check the host in the URL"
        }
        _ => "the server's operator must replace its certificate",
    }
}

fn refused(alert: AlertDescription) -> &'static str {
    match alert {
        AlertDescription::CertificateExpired => {
            "the client certificate has expired: issue a new one"
        }
        AlertDescription::CertificateRevoked => {
            "the client certificate or its issuer was revoked or disabled on the Pod"
        }
        AlertDescription::UnknownCA => {
            "import the root and signing certificates that issued the client certificate in the admin portal"
        }
        AlertDescription::CertificateRequired | AlertDescription::NoCertificate => {
            "the server accepts none of the signature schemes of the client's key: use RSA"
        }
        _ => {
            "check that the client certificate is valid, that its root and signing certificates are imported and trusted on the Pod, and that its service user exists"
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::StatusCode;

    use super::*;
    use crate::Peer;

    /// The symptoms that people report, each with the word that their repair turns on.
    #[test]
    fn every_known_symptom_has_its_next_step() {
        let peer = Peer::new(Endpoint::Pod, "pod.test:8444");
        let refused = |alert| Error::ClientCertificateRefused {
            peer: peer.clone(),
            alert,
        };
        let status = |status, retry_after| Error::Status {
            peer: peer.clone(),
            status,
            retry_after,
            code: None,
            message: None,
        };
        for (error, word) in [
            (refused(AlertDescription::BadCertificate), "imported"),
            (
                refused(AlertDescription::CertificateUnknown),
                "service user",
            ),
            (refused(AlertDescription::UnknownCA), "import"),
            (
                refused(AlertDescription::CertificateExpired),
                "issue a new one",
            ),
            (
                Error::ServerNotTrusted {
                    peer: peer.clone(),
                    reason: CertificateError::UnknownIssuer,
                },
                "beside the platform's",
            ),
            (
                Error::ConnectionClosed { peer: peer.clone() },
                "without saying so",
            ),
            (
                Error::Unauthorized {
                    peer: peer.clone(),
                    code: None,
                    message: None,
                },
                "Common Name",
            ),
            (
                Error::Forbidden {
                    peer: peer.clone(),
                    code: None,
                    message: None,
                },
                "allow certificate authentication",
            ),
            (status(StatusCode::NOT_FOUND, None), "JWT"),
            (status(StatusCode::TOO_MANY_REQUESTS, None), "throttles"),
            (
                status(StatusCode::BAD_REQUEST, Some(Duration::from_secs(9))),
                "throttles",
            ),
            (Error::ConnectionRefused { peer: peer.clone() }, "8444"),
            (
                Error::Timeout {
                    peer: peer.clone(),
                    phase: Phase::Connect,
                    after: Duration::from_secs(15),
                },
                "proxy",
            ),
            (
                Error::Identity(pki::Error::WrongPassphrase { what: "bundle" }),
                "passphrase",
            ),
            (
                Error::UnsupportedCpu {
                    missing: vec!["adx"],
                },
                "aws-lc-rs",
            ),
        ] {
            let hint = error.hint().unwrap_or_default();
            assert!(hint.contains(word), "{error}: {hint}");
        }
    }
}
