//! Symphony certificate authentication: from a client certificate to a session token and a key manager token, and to
//! the calls that need them.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # use pki::{CertificateAuthority, CertificateRequest, KeyKind, Pkcs12, PrivateKey, Profile};
//! # let key = || PrivateKey::generate(KeyKind::EcP256);
//! # let ca = CertificateAuthority::create_root("/CN=Example CA".parse()?, key()?, &Profile::root())?;
//! # let bot = key()?;
//! # let request = CertificateRequest::builder("/CN=demo-bot1".parse()?).sign(&bot)?;
//! # let certificate = ca.issue(&request.verify()?, &Profile::client())?;
//! # let pod = pod::Pod::builder().start().await?;
//! # pod.import_certificate(ca.certificate().to_pem(), pod::CertificateType::UserSigning)?;
//! # pod.create_service_user("demo-bot1")?;
//! # let passphrase = auth::Passphrase::from("changeit");
//! # let p12 = Pkcs12::builder(&bot, &certificate)?.to_der(&passphrase)?;
//! # let pod_root = pod.trust_anchor_pem();
//! use auth::{Client, Endpoint, Endpoints, Identity, TrustAnchors, http::Request};
//!
//! let identity = Identity::from_pkcs12(&p12, &passphrase)?;
//! // An embedded pod here; elsewhere https://acme-api.symphony.com:8444, and so on.
//! let endpoints = Endpoints::new(pod.api_url(), pod.key_manager_url())?.agent(pod.agent_url())?;
//! let client = Client::builder(endpoints, identity)
//!     .trust(TrustAnchors::pem(pod_root)?)
//!     .build()?;
//!
//! let echo = Request::post("/agent/v1/util/echo")
//!     .header("content-type", "application/json")
//!     .body(r#"{"message":"hello"}"#.into())?;
//! let reply = client.call(Endpoint::Agent, echo).await?; // authenticates when it has to
//! assert_eq!(reply.body(), r#"{"message":"hello"}"#);
//!
//! client.logout().await?;
//! # pod.shutdown().await;
//! # Ok(())
//! # }
//! ```
//!
//! With the `config.yaml` of an official client, the first half is [`Client::from_config`].
//!
//! | | |
//! |---|---|
//! | [`Identity`], [`IdentityFile`] | the key and the certificates to present; a file of them that is replaced now and then |
//! | [`Endpoints`], [`Endpoint`], [`Proxy`] | whom to call, and by which way |
//! | [`TrustAnchors`], [`TrustAnchor`], [`TrustSource`] | the roots by which servers are verified |
//! | [`Client`], [`ClientBuilder`] | all of these together: calls, and the session that they need |
//! | [`RetryPolicy`], [`Idempotent`] | what is tried again, how often, and when |
//! | [`Session`], [`Token`] | what a login gets |
//! | [`AuthLayer`], [`AuthService`], [`AuthError`] | the same for another HTTP client, under `tower` |
//! | [`Error`], [`Phase`], [`Peer`], [`OsError`] | what failed, and at which endpoint |
//! | [`config`] | the `config.yaml` of the official clients |
//! | [`doctor`] | why a login doesn't work, with the next step for whoever must repair it |
//! | [`provider`] | where TLS takes its cryptography from |
//!
//! # What it speaks
//!
//! TLS 1.2 and 1.3, HTTP/1.1 and HTTP/2 (chosen by ALPN), on a tokio runtime. The cryptography of TLS is pure Rust and
//! assembly by default, and can be replaced: see [`provider`].
//!
//! # What it doesn't do
//!
//! Server certificates are always verified. Redirects are not followed, so that tokens stay with their host. Requests
//! and replies are held in memory: there is no streaming, but through another HTTP client under [`Client::layer`], secured
//! with [`Client::tls_config`].
#![forbid(unsafe_code)]
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

mod date;
mod peer;
mod error;
mod file;
mod endpoint;
mod rsa_key;
mod identity;
pub mod provider;
mod proxy;
mod retry;
mod tls;
mod token;
mod session;
mod transport;
mod trust;
mod verifier;
mod channels;
mod login;
mod keeper;
mod client;
mod calls;
mod identity_file;
pub mod config;
pub mod doctor;
mod layer;

pub use ::{http, rustls};
pub use client::{Client, ClientBuilder};
pub use endpoint::Endpoints;
pub use error::{Error, OsError, Phase};
pub use identity::Identity;
pub use identity_file::IdentityFile;
pub use layer::{AuthError, AuthLayer, AuthService, BoxError};
pub use peer::{Endpoint, Peer};
pub use pki::Passphrase;
pub use proxy::Proxy;
pub use retry::{Idempotent, RetryPolicy};
pub use session::Session;
pub use token::Token;
pub use trust::{TrustAnchor, TrustAnchors, TrustSource};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
