//! From a certificate to tokens, and their end.

use std::{sync::Arc, time::Duration};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use bytes::Bytes;
use http::{Method, Request, Uri};
use serde::Deserialize;
use tokio::{runtime::Handle, time::sleep};
use tracing::{Instrument, debug_span};

use crate::{
    Error, RetryPolicy, Session, Token,
    channels::Channels,
    retry::{Attempts, Deadline, Progress, Transient},
    session::{SAME_HEADER, Tokens},
    transport::{Channel, reply},
};

/// Tokens that need not be got.
#[derive(Default)]
pub(crate) struct Known {
    pub(crate) session: Option<Session>,
    /// Which of that session's tokens.
    pub(crate) tokens: Tokens,
}

impl Known {
    fn session_token(&self) -> Option<&Session> {
        self.session.as_ref().filter(|_| self.tokens.session)
    }

    fn key_manager_token(&self) -> Option<&Token> {
        let session = self.session.as_ref().filter(|_| self.tokens.key_manager)?;
        session.key_manager_token()
    }
}

impl Channels {
    /// Gets a session token from the Pod, and a key manager token from the Key Manager unless the Pod does without.
    ///
    /// Each endpoint is tried again by itself: one that gave its token is not asked for another. If the second one
    /// fails, or nobody waits any longer, the first one's token is given back.
    pub(crate) async fn log_in(
        self: &Arc<Self>,
        known: &Known,
        retry: &RetryPolicy,
        progress: &Progress,
    ) -> Result<Session, Error> {
        let deadline = Deadline::of(retry);
        let mut half = None;
        let _ahead = match (known.session_token(), known.key_manager_token()) {
            (None, None) => self.connect_to_key_manager_ahead(),
            _ => None,
        };
        let session = match known.session_token() {
            Some(session) => session,
            None => {
                let (pod, path) = (self.session_auth(), "/sessionauth/v1/authenticate");
                let reply = request_token(pod, path, retry, deadline, progress).await?;
                let session = Session::new(reply.token, None)?;
                let new = half.insert(Half {
                    channels: Arc::clone(self),
                    session: session.with_authorization(reply.authorization),
                    settled: false,
                });
                &new.session
            }
        };
        let whole = self
            .key_manager_token(session, known, retry, deadline, progress)
            .await
            .and_then(|key_manager| {
                session
                    .with_key_manager(key_manager)
                    .ok_or_else(|| Error::MalformedReply {
                        peer: self.key_manager.peer().clone(),
                        reason: SAME_HEADER,
                    })
            });
        if let Err(error) = &whole {
            // For those whose time is over before the first token is given back.
            progress.failed(error.clone());
        }
        if let Some(half) = half {
            half.settle(whole.is_ok()).await;
        }
        if let Ok(session) = &whole {
            let key_manager = session.key_manager_token().is_some();
            tracing::info!(pod = %self.session_auth().peer(), key_manager, "authenticated");
        }
        whole
    }

    async fn key_manager_token(
        &self,
        session: &Session,
        known: &Known,
        retry: &RetryPolicy,
        deadline: Deadline,
        progress: &Progress,
    ) -> Result<Option<Token>, Error> {
        if let Some(token) = known.key_manager_token() {
            return Ok(Some(token.clone()));
        }
        if delivers_keys_simply(session.session_token(), self.agent.as_ref()).await {
            tracing::debug!("simplified key delivery: the Key Manager is not asked");
            return Ok(None);
        }
        let path = "/keyauth/v1/authenticate";
        let reply = request_token(&self.key_manager, path, retry, deadline, progress).await?;
        Ok(Some(reply.token))
    }

    /// Ends these tokens of a session, concurrently.
    ///
    /// # Errors
    ///
    /// The Pod's, if both fail. A 401 means that the token has expired already, which is as good.
    pub(crate) async fn end(&self, session: &Session, tokens: Tokens) -> Result<(), Error> {
        let logout = async |channel: &Channel, path, which: Tokens| {
            let Some(token) = session.tokens(which.and(tokens)).next() else {
                return Ok(());
            };
            let mut request = post(path);
            token.insert_into(request.headers_mut());
            let response = channel.call(request, REPLY_LIMIT).await?;
            match reply::accept(channel.peer(), response) {
                Ok(_) | Err(Error::Unauthorized { .. }) => Ok(()),
                Err(error) => Err(error),
            }
        };
        let (pod, key_manager) = tokio::join!(
            logout(
                self.session_auth(),
                "/sessionauth/v1/logout",
                Tokens::SESSION
            ),
            logout(&self.key_manager, "/keyauth/v1/logout", Tokens::KEY_MANAGER),
        );
        pod.and(key_manager)
    }

    /// The same for tokens that nobody needs any longer, whatever comes of it.
    pub(crate) async fn give_back(&self, session: &Session, tokens: Tokens) {
        match tokio::time::timeout(GIVING_BACK, self.end(session, tokens)).await {
            Ok(Ok(())) => tracing::debug!("ended a session that nobody needs"),
            Ok(Err(error)) => tracing::debug!(%error, "a session that nobody needs was not ended"),
            Err(_) => tracing::debug!("a session that nobody needs was not ended in time"),
        }
    }
}

/// The Pod's token, before it is known whether there will be a whole session.
struct Half {
    channels: Arc<Channels>,
    session: Session,
    settled: bool,
}

impl Half {
    /// Lets it be, or gives it back.
    async fn settle(mut self, whole: bool) {
        if !whole {
            self.channels.give_back(&self.session, Tokens::BOTH).await;
        }
        self.settled = true;
    }
}

impl Drop for Half {
    /// Who waited for the login has given up.
    fn drop(&mut self) {
        if !self.settled
            && let Ok(runtime) = Handle::try_current()
        {
            let (channels, session) = (Arc::clone(&self.channels), self.session.clone());
            runtime.spawn(async move { channels.give_back(&session, Tokens::BOTH).await });
        }
    }
}

async fn request_token(
    channel: &Channel,
    path: &'static str,
    retry: &RetryPolicy,
    deadline: Deadline,
    progress: &Progress,
) -> Result<reply::TokenReply, Error> {
    let attempts = async {
        progress.is_at(channel.peer());
        let mut attempts = Attempts::new(retry, deadline);
        loop {
            let call = deadline.limit(channel.call(post(path), TOKEN_REPLY_LIMIT));
            let outcome = match call.await {
                Ok(outcome) => outcome,
                Err(after) => return Err(progress.exceeded(after)),
            };
            let (failure, error) = match outcome {
                Ok(response) => {
                    let failure = Transient::of_response(response.status(), response.headers());
                    let accepted = reply::accept(channel.peer(), response);
                    match accepted
                        .and_then(|response| reply::token(channel.peer(), response.body()))
                    {
                        Ok(token) => return Ok(token),
                        Err(error) => (failure, error),
                    }
                }
                Err(failed) => (
                    Transient::of_login_error(&failed.error, failed.sent),
                    failed.error,
                ),
            };
            let Some(pause) = failure.and_then(|failure| attempts.pause(failure, true)) else {
                return Err(error);
            };
            tracing::warn!(attempt = attempts.made(), ?pause, %error, "login failed, and is tried again after a pause");
            progress.failed(error);
            sleep(pause).await;
        }
    };
    let span = debug_span!("authenticate", peer = %channel.peer());
    attempts.instrument(span).await
}

fn post(path: &'static str) -> Request<Bytes> {
    let mut request = Request::new(Bytes::new());
    *request.method_mut() = Method::POST;
    *request.uri_mut() = Uri::from_static(path);
    request
}

/// Whether the Key Manager is dispensable, decided as the official Java client does: the Pod must offer simplified key
/// delivery, and the Agent, where there is one, know it. What can't be read is a no.
pub(crate) async fn delivers_keys_simply(token: &Token, agent: Option<&Channel>) -> bool {
    if !claims_simplified_key_delivery(token.expose()) {
        return false;
    }
    let Some(agent) = agent else {
        return true;
    };
    let mut request = Request::new(Bytes::new());
    *request.uri_mut() = Uri::from_static("/agent/v1/info");
    match tokio::time::timeout(INFO_TIMEOUT, agent.call(request, INFO_LIMIT)).await {
        Ok(Ok(reply)) if reply.status().is_success() => {
            agent_version(reply.body()).is_some_and(|version| version >= SIMPLIFIED_SINCE)
        }
        _ => false,
    }
}

/// A session token is opaque by its documentation, and a JWT (RFC 7519) at present. It is read for this alone, and not
/// verified: it came from the Pod itself, over TLS.
fn claims_simplified_key_delivery(token: &str) -> bool {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Claims {
        can_use_simplified_key_delivery: bool,
    }

    let token = token.strip_prefix("Bearer ").unwrap_or(token);
    let mut parts = token.split('.');
    let (Some(_), Some(claims), Some(_), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    BASE64_URL_SAFE_NO_PAD
        .decode(claims.trim_end_matches('='))
        .ok()
        .and_then(|claims| serde_json::from_slice::<Claims>(&claims).ok())
        .is_some_and(|claims| claims.can_use_simplified_key_delivery)
}

/// The first two numbers of `Agent-24.12.1`.
fn agent_version(info: &[u8]) -> Option<(u32, u32)> {
    #[derive(Deserialize)]
    struct Info {
        version: String,
    }

    let info: Info = serde_json::from_slice(info).ok()?;
    let (_, version) = info.version.split_once("Agent-")?;
    let mut numbers = version.split('.');
    let major = numbers.next()?.parse().ok()?;
    let minor = numbers.next()?.parse().ok()?;
    numbers.next()?; // as the Java client has it: something follows
    Some((major, minor))
}

/// The Java client calls this "higher than 24.12", and means 24.12 too.
const SIMPLIFIED_SINCE: (u32, u32) = (24, 12);

/// The login goes on with the Key Manager when the Agent takes longer.
const INFO_TIMEOUT: Duration = Duration::from_secs(10);

/// In octets.
const INFO_LIMIT: usize = 64 << 10;

/// In octets. Well-formed replies take one or two thousand.
const TOKEN_REPLY_LIMIT: usize = 64 << 10;

/// In octets, for what a logout says.
const REPLY_LIMIT: usize = 64 << 10;

/// How long it may take to end a session that nobody needs.
const GIVING_BACK: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_claim_is_read_tolerantly_and_is_a_boolean() {
        let claimed = |claims: &str| {
            let claims = BASE64_URL_SAFE_NO_PAD.encode(claims);
            claims_simplified_key_delivery(&format!("eyJhbGciOiJSUzUxMiJ9.{claims}.c2ln"))
        };
        assert!(claimed(
            r#"{"sub":"bot","canUseSimplifiedKeyDelivery":true,"exp":1}"#
        ));
        for claims in [
            r#"{"canUseSimplifiedKeyDelivery":false}"#,
            r#"{"canUseSimplifiedKeyDelivery":"true"}"#,
            r#"{"canUseSimplifiedKeyDelivery":null}"#,
            r#"{"canusesimplifiedkeydelivery":true}"#,
            r#"{"sub":"bot"}"#,
            "[]",
            "not JSON",
        ] {
            assert!(!claimed(claims), "{claims}");
        }
        let claims = BASE64_URL_SAFE_NO_PAD.encode(r#"{"canUseSimplifiedKeyDelivery":true}"#);
        for (token, read) in [
            (format!("Bearer h.{claims}.s"), true),
            (format!("h.{claims}=.s"), true),
            (format!("h.{claims}"), false),
            (format!("h.{claims}.s.more"), false),
            (claims.clone(), false),
            ("h.***.s".to_owned(), false),
            (String::new(), false),
        ] {
            assert_eq!(claims_simplified_key_delivery(&token), read, "{token}");
        }
    }

    #[test]
    fn the_version_of_an_agent_is_its_first_two_numbers() {
        for (version, expected) in [
            ("Agent-24.12.1", Some((24, 12))),
            ("Agent-25.3.0-SNAPSHOT", Some((25, 3))),
            ("The Agent-2.57.0", Some((2, 57))),
            ("Agent-24.12", None),
            ("24.12.1", None),
            ("Agent-x.12.1", None),
            ("Agent-24.x.1", None),
            ("Agent-99999999999.1.1", None),
            ("", None),
        ] {
            let info = format!(r#"{{"hostname":"a","version":"{version}"}}"#);
            assert_eq!(agent_version(info.as_bytes()), expected, "{version}");
        }
        assert_eq!(agent_version(b"<html>"), None);
        assert_eq!(agent_version(br#"{"version":24}"#), None);
    }
}
