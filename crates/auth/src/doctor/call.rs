//! What one endpoint makes of us.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, Uri};

use super::{
    Report, catalogue as found,
    diagnosis::{self, Purpose},
    watch::{Seen, Watch},
};
use crate::{
    Error, Identity, Peer, Token,
    proxy::Proxy,
    transport::{Channel, Failure, reply},
};

/// One endpoint, reached over watched connections.
pub(super) struct Watched<'a> {
    pub(super) channel: Channel,
    pub(super) origin: Uri,
    pub(super) proxy: Option<Proxy>,
    pub(super) resolve_within: Duration,
    pub(super) watch: Watch,
    pub(super) identity: &'a Identity,
}

impl Watched<'_> {
    /// Tells whether there is a proxy, or what the host name resolves to. That it doesn't is told by the call.
    pub(super) async fn way_there(&self, report: &mut Report) {
        if let Some(proxy) = &self.proxy {
            return report.add(self.peer(), &found::THROUGH_PROXY, proxy);
        }
        let host = self.origin.host().unwrap_or_default();
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let port = self.origin.port_u16().unwrap_or(443);
        let lookup = tokio::net::lookup_host((host, port));
        if let Ok(Ok(addresses)) = tokio::time::timeout(self.resolve_within, lookup).await {
            let mut addresses: Vec<String> = addresses.map(|it| it.ip().to_string()).collect();
            addresses.sort();
            addresses.dedup();
            report.add(self.peer(), &found::NAME_RESOLVES, addresses.join(", "));
        }
    }

    /// Authenticates, and tells how that went.
    pub(super) async fn authenticate(&self, report: &mut Report, path: &str) -> Option<Token> {
        let outcome = self.call(Request::post(path)).await;
        self.handshake(report);
        let peer = self.peer().clone();
        let http = outcome.as_ref().map(Response::version).ok();
        let token = outcome
            .map_err(Error::from)
            .and_then(|response| reply::accept(&peer, response))
            .and_then(|response| reply::token(&peer, response.body()));
        match token {
            Ok(reply) => {
                if self.watch.seen().asked_for.is_none() {
                    report.add(&peer, &found::CERTIFICATE_NOT_REQUESTED, "");
                }
                let http = http.map_or_else(String::new, |version| format!("over {version:?}"));
                report.add(peer, &found::AUTHENTICATED, http);
                Some(reply.token)
            }
            Err(error) => {
                self.failed(report, &error, Purpose::Authentication);
                None
            }
        }
    }

    /// Makes a call that needs tokens, and tells how that went.
    pub(super) async fn uses(
        &self,
        report: &mut Report,
        request: http::request::Builder,
        body: &'static str,
    ) {
        let outcome = self
            .call_with(request, Bytes::from_static(body.as_bytes()))
            .await;
        let peer = self.peer().clone();
        match outcome
            .map_err(Error::from)
            .and_then(|response| reply::accept(&peer, response))
        {
            Ok(_) => report.add(peer, &found::ANSWERS, ""),
            Err(error) => self.failed(report, &error, Purpose::Use),
        }
    }

    pub(super) async fn call(
        &self,
        request: http::request::Builder,
    ) -> Result<Response<Bytes>, Failure> {
        self.call_with(request, Bytes::new()).await
    }

    async fn call_with(
        &self,
        request: http::request::Builder,
        body: Bytes,
    ) -> Result<Response<Bytes>, Failure> {
        let request = request.body(body).map_err(|error| {
            Failure::unsent(Error::Http {
                peer: self.peer().clone(),
                reason: error.to_string(),
            })
        })?;
        self.channel.call(request, REPLY_LIMIT).await
    }

    pub(super) fn peer(&self) -> &Peer {
        self.channel.peer()
    }

    /// What the handshake showed.
    fn handshake(&self, report: &mut Report) {
        let Seen {
            chain,
            version,
            asked_for,
            ..
        } = self.watch.seen();
        let Some(version) = version else {
            return; // it didn't come that far
        };
        let peer = self.peer();
        report.add(peer, &found::TLS, version);
        report.add(peer, &found::SERVER_TRUSTED, described(chain.as_deref()));
        // Whether it is a problem that none is asked for, the answer shows.
        let Some(issuers) = asked_for else {
            return;
        };
        let named: Vec<String> = issuers.iter().map(|name| readable(name)).collect();
        let named = match named.len() {
            0 => "of any issuer".to_owned(),
            1..=5 => format!("of {}", named.join("; ")),
            count => format!("of {count} issuers"),
        };
        report.add(peer, &found::CERTIFICATE_REQUESTED, &named);
        let ours = |issuer: &Vec<u8>| {
            self.identity
                .chain()
                .any(|certificate| certificate.issuer().as_der() == issuer.as_slice())
        };
        if !issuers.is_empty() && !issuers.iter().any(ours) {
            let issuer = self.identity.leaf().issuer();
            report.add(peer, &found::ISSUER_NOT_REQUESTED, issuer);
        }
    }

    fn failed(&self, report: &mut Report, error: &Error, purpose: Purpose) {
        let seen = self.watch.seen();
        let answered = matches!(
            error,
            Error::Unauthorized { .. }
                | Error::Forbidden { .. }
                | Error::Status { .. }
                | Error::MalformedReply { .. }
                | Error::ReplyTooLarge { .. }
        );
        if purpose == Purpose::Authentication && answered && seen.asked_for.is_none() {
            report.add(self.peer(), &found::WRONG_PORT, error);
            // Who shows no certificate is not let in: the other findings for that would mislead.
            if matches!(error, Error::Unauthorized { .. } | Error::Forbidden { .. }) {
                return;
            }
        }
        let evidence = match error {
            Error::ServerNotTrusted { .. } => {
                format!("{error}; it shows {}", described(seen.chain.as_deref()))
            }
            error => error.to_string(),
        };
        let kind = diagnosis::of(error, purpose).unwrap_or(&found::CLIENT_UNUSABLE);
        report.add(self.peer(), kind, evidence);
        if seen.platform_would_trust {
            report.add(self.peer(), &found::TRUST_EXCLUDES_PLATFORM, "");
        }
    }
}

/// In octets.
const REPLY_LIMIT: usize = 1 << 20;

/// A chain by its subjects, the leaf first.
fn described(chain: Option<&[rustls::pki_types::CertificateDer<'static>]>) -> String {
    let mut parts = Vec::new();
    let mut last = None;
    for der in chain.unwrap_or_default() {
        match pki::Certificate::from_der(der) {
            Ok(certificate) => {
                parts.push(certificate.subject().to_string());
                last = (!certificate.is_self_signed()).then(|| certificate.issuer().to_string());
            }
            Err(_) => parts.push("a certificate that can not be read".to_owned()),
        }
    }
    let mut text = parts.join(", then ");
    if let Some(issuer) = last {
        text.push_str(&format!(", issued by {issuer}"));
    }
    text
}

fn readable(name: &[u8]) -> String {
    pki::DistinguishedName::from_der(name).map_or_else(
        |_| "a name that can not be read".to_owned(),
        |name| name.to_string(),
    )
}
