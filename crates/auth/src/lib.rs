//! Symphony certificate authentication: from a client certificate to a session token and a key manager token, and to
//! the calls that need them.
//!
//! ```no_run
//! use auth::{Client, Endpoint, Endpoints, Identity, TrustAnchors, http::Request};
//!
//! # async fn bot(passphrase: auth::Passphrase) -> Result<(), Box<dyn std::error::Error>> {
//! let identity = Identity::from_pkcs12(&std::fs::read("demo-bot1.p12")?, &passphrase)?;
//! let endpoints = Endpoints::new("https://acme-api.symphony.com:8444", "https://acme-keymanager.symphony.com:8444")?
//!     .agent("https://acme-agent.symphony.com:443")?;
//! let client = Client::builder(endpoints, identity)
//!     .trust(TrustAnchors::platform()?.and_pem(std::fs::read("corporate-root.pem")?)?)
//!     .build()?;
//!
//! let echo = Request::post("/agent/v1/util/echo")
//!     .header("content-type", "application/json")
//!     .body(r#"{"message":"hello"}"#.into())?;
//! let reply = client.call(Endpoint::Agent, echo).await?; // authenticates when it has to
//! assert_eq!(reply.body(), r#"{"message":"hello"}"#);
//!
//! client.logout().await?;
//! # Ok(())
//! # }
//! ```
//!
//! The parts, in the order in which they meet: an [`Identity`] to present, [`Endpoints`] to call, [`TrustAnchors`] to
//! check the servers against, a [`Client`] made of the three (or [from the `config.yaml`](Client::from_config) of an
//! official client), the [`Session`] that it keeps with its [`Token`]s, and
//! the [`RetryPolicy`] by which it retries. Whatever fails is one [`Error`], which names the peer and has a [hint](Error::hint) for whoever must repair it.
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
mod endpoint;
mod hint;
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
pub mod config;
pub mod doctor;
mod identity_file;
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
