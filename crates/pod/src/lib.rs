//! An embedded Pod and Key Manager to test against and to show things with, over real TLS.
//!
//! A [`Pod`] listens on three ports of the loopback interface, as Symphony's do:
//!
//! | port | client certificate | calls |
//! |---|---|---|
//! | [web](Port::Web) | never asked for | those of the Pod |
//! | [API](Port::Api) | required in the handshake | those of the Pod and of the Agent |
//! | [Key Manager](Port::KeyManager) | required in the handshake | those of the Key Manager |
//!
//! | | call | headers | answer |
//! |---|---|---|---|
//! | Pod | `POST /sessionauth/v1/authenticate` | | `{"name":"sessionToken","token":".."}`: a JWT |
//! | | `POST /sessionauth/v1/logout` | `sessionToken` | `{"message":".."}` |
//! | | `GET /pod/v2/sessioninfo` | `sessionToken` | the user |
//! | Agent | `POST /agent/v1/util/echo` | both tokens | the JSON that was sent |
//! | | `GET /agent/v1/info` | | its [version](PodBuilder::agent_version) |
//! | Key Manager | `POST /keyauth/v1/authenticate` | | `{"name":"keyManagerToken","token":".."}` |
//! | | `POST /keyauth/v1/logout` | `keyManagerToken` | `{"message":".."}` |
//!
//! A handshake that demands a certificate and gets none, or one that is not accepted, ends in an alert, which names the
//! cause as RFC 8446, section 6.2, does: `certificate_required`, `unknown_ca`, `certificate_expired`, and so on. The
//! alert arrives, whatever the client is sending at the time. [`Pod::refused_certificates`] says more than it can.
//!
//! It is steered by method calls, where a real Pod has its Admin portal: import a
//! [signing certificate](CertificateType::UserSigning) or a [client certificate](CertificateType::User), create a
//! service user whose name is the certificate's Common Name, and a client may authenticate.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use pki::{CertificateAuthority, KeyKind, PrivateKey, Profile};
//! use pod::{CertificateType, Pod};
//!
//! let pod = Pod::builder().start().await?;
//!
//! let key = PrivateKey::generate(KeyKind::EcP256)?;
//! let ca = CertificateAuthority::create_root("/CN=Example CA".parse()?, key, &Profile::root())?;
//! pod.import_certificate(ca.certificate().to_pem(), CertificateType::UserSigning)?;
//! pod.create_service_user("demo-bot1")?;
//!
//! // A client that trusts `pod.trust_anchor_pem()`, and shows a certificate that the CA issued to `CN=demo-bot1`, now
//! // gets its tokens from `{api_url}/sessionauth/v1/authenticate` and `{key_manager_url}/keyauth/v1/authenticate`.
//! assert!(pod.api_url().starts_with("https://localhost:"));
//! assert!(pod.requests().is_empty());
//!
//! pod.shutdown().await;
//! # Ok(())
//! # }
//! ```
//!
//! # What is where
//!
//! | | |
//! |---|---|
//! | [`Pod`], [`PodBuilder`] | a running pod, and how it is to be: ports, versions, clock, limits |
//! | [`CertificateType`], [`Status`], [`ImportedCertificate`], [`Fingerprint`], [`User`] | what an administrator does |
//! | [`Fault`], [`Rule`], [`Answer`], [`BadCertificate`], [`End`], [`Injected`] | what goes wrong, where, and how often |
//! | [`RecordedRequest`], [`HandshakeCounts`], [`RefusedCertificate`] | what a test looks at |
//! | [`Proxy`], [`ProxyBuilder`], [`ProxyFault`], [`RecordedConnect`] | an HTTP proxy before the pod |
//! | [`Error`] | why a pod doesn't start, or doesn't take what it is given |
//!
//! # Faults
//!
//! What can go wrong with a real Pod goes wrong here when a [`Rule`] says so: a [`Fault`], where it strikes, and how
//! often. Rules come from code or from text, and the text is what `countersign pod serve --fault` takes.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use http::StatusCode;
//! use pod::{BadCertificate, Fault, Pod, Port, Rule};
//!
//! let pod = Pod::builder().start().await?;
//!
//! // The first two authentications fail, the third gets through.
//! let unavailable = Rule::new(Fault::status(StatusCode::SERVICE_UNAVAILABLE))
//!     .path("/sessionauth/v1/authenticate")
//!     .times(2);
//! let unavailable = pod.inject(unavailable)?;
//! // From now on the Key Manager shows a certificate that has expired.
//! let expired = Fault::ServerCertificate(BadCertificate::Expired);
//! pod.inject(Rule::new(expired).port(Port::KeyManager))?;
//! // One answer in a hundred breaks off after ten octets, and the rate is limited as Symphony does it.
//! pod.inject("any=reset:10,probability:0.01,seed:7".parse()?)?;
//! pod.inject("any=throttle:400".parse()?)?;
//!
//! // ... the client under test at work ...
//!
//! assert_eq!(unavailable.applied(), 0);
//! pod.clear_faults();
//! // Requests are recorded, spoilt or not, and a client that leaks connections is found out.
//! assert_eq!(pod.requests_to("/sessionauth/v1/authenticate"), 0);
//! pod.all_closed().await;
//! # Ok(())
//! # }
//! ```
//!
//! Some of what goes wrong is no fault, and is steered directly: tokens [expire](Pod::expire_tokens), a CA is
//! [revoked or disabled](Pod::set_status), a user [may not use certificates](Pod::set_certificates_allowed), TLS and
//! HTTP come in [chosen versions](PodBuilder::tls_versions). And a [`Proxy`] stands between a client and the pod, where
//! there is one.
//!
//! # Limitations
//!
//! Name constraints are evaluated, and policies are not: a path through a certificate that marks policyConstraints or
//! policyMappings critical is refused. There is no revocation by CRL or OCSP, only by [`Status`]. TLS sessions are not resumed,
//! so that each connection is one full handshake under the certificates of the moment.
#![forbid(unsafe_code)]

mod certificate_rules;
mod imported;
mod port;
mod error;
mod open_connections;
mod reply;
mod signature;
mod certificates;
mod sync;
mod door;
mod tasks;
mod proxy;
mod rsa_key;
mod tls;
mod issuer;
mod fault;
mod tokens;
mod record;
mod users;
mod state;
mod path_validation;
mod endpoints;
mod pod;
mod verifier;
mod connection;
mod builder;

pub use builder::{HttpVersion, PodBuilder, TlsVersion};
pub use error::Error;
pub use fault::{Answer, BadCertificate, End, Fault, Injected, Rule};
pub use imported::{CertificateType, Fingerprint, ImportedCertificate, Status};
pub use pod::Pod;
pub use port::Port;
pub use proxy::{Proxy, ProxyBuilder, ProxyFault, RecordedConnect};
pub use record::{HandshakeCounts, RecordedRequest, RefusedCertificate};
pub use users::User;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
