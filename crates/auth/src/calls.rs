//! Calls with the session that the client keeps: got when needed, refreshed when it has expired, retried when it may help.

use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use tokio::time::sleep;
use tracing::{Instrument, debug_span};

use crate::{
    Client, Endpoint, Error, Idempotent, Identity, RetryPolicy, Session,
    keeper::Login,
    login::Known,
    retry::{Attempts, Deadline, Progress, Transient},
    session::Tokens,
    transport::{Failure, reply},
};

impl Client {
    /// Makes a call with the tokens that belong to `endpoint`, and returns a reply that means success.
    ///
    /// The first call authenticates. The tokens are kept until a call answers 401: then those that it was sent are
    /// refreshed, once for all callers that wait for them, and each of these calls is repeated, once. Transient failures
    /// are retried as the [policy](RetryPolicy) says. If an endpoint answers 401 to fresh tokens too, its calls fail at
    /// once for a while, which begins with the policy's first pause, or half a second where that is shorter, and grows like
    /// it: new tokens wouldn't help. After a failed login, likewise, calls fail with its error for a while, and don't begin
    /// another.
    ///
    /// The request is like that of [`Client::send`]; it is held in memory, so that it can be sent again. To stop, drop
    /// the future: the call ends. A login that was begun for it goes on in a task of its own, and its session is kept for
    /// the next call.
    ///
    /// # Errors
    ///
    /// Those of [`Client::send`], the latest one if there were several attempts; those of [`Client::session`] if no
    /// tokens can be had, the same one for all callers that waited; [`Error::DeadlineExceeded`] at the
    /// [deadline](RetryPolicy::deadline). [`Error::Unauthorized`] from `endpoint` means that it refuses fresh tokens.
    pub async fn call(
        &self,
        endpoint: Endpoint,
        request: Request<Bytes>,
    ) -> Result<Response<Bytes>, Error> {
        let response = self.execute(endpoint, request).await?;
        let channels = self.inner.keeper.channels();
        reply::accept(channels.of(endpoint)?.peer(), response)
    }

    /// The session that the client keeps. If there is none, or an endpoint answered 401 to it, it authenticates: gets a
    /// session token from the Pod, and then a key manager token from the Key Manager.
    ///
    /// Each is one `POST` without body and without Content-Type, to `/sessionauth/v1/authenticate` and
    /// `/keyauth/v1/authenticate`. If the second one fails, the first one's token is logged out.
    ///
    /// The Key Manager is left out where the official Java client leaves it out: when the session token, a JWT, claims
    /// `canUseSimplifiedKeyDelivery`, and there is no Agent, or one whose `/agent/v1/info` tells version 24.12 or later.
    /// If anything of this can't be read, the Key Manager is asked.
    ///
    /// For HTTP clients that aren't [layered](Client::layer): add the tokens with [`Session::authorize`], and give the
    /// session to [`Client::renewed`] when a call answers 401.
    ///
    /// # Errors
    ///
    /// After as many attempts as the [policy](RetryPolicy) has, whatever can go wrong with a peer, and says which:
    /// [`Error::DnsFailed`], [`Error::ConnectionRefused`],
    /// [`Error::ConnectionReset`], [`Error::ConnectionClosed`], [`Error::Network`] and [`Error::Timeout`] on the way;
    /// [`Error::NotTls`], [`Error::ServerNotTrusted`], [`Error::ClientCertificateRefused`] and [`Error::TlsFailed`] in
    /// the handshake or right after it; [`Error::Unauthorized`] for an unknown user, [`Error::Forbidden`] for one that
    /// may not use certificates, [`Error::Status`] for any other answer; [`Error::MalformedReply`],
    /// [`Error::ReplyTooLarge`] (more than 64 KiB) and [`Error::Http`] for a reply that can't be used;
    /// [`Error::DeadlineExceeded`] at the [deadline](RetryPolicy::deadline).
    pub async fn session(&self) -> Result<Arc<Session>, Error> {
        let keeper = &self.inner.keeper;
        let login = keeper.login(Tokens::BOTH, Deadline::never()).await?;
        Ok(Arc::clone(&login.session))
    }

    /// The session that follows this one, which has expired. Whoever asks while it is being got waits for the same one,
    /// and whoever asks later gets it at once.
    ///
    /// # Errors
    ///
    /// As for [`Client::session`].
    pub async fn renewed(&self, expired: &Arc<Session>) -> Result<Arc<Session>, Error> {
        let keeper = &self.inner.keeper;
        let login = keeper.renewed(expired, Tokens::BOTH, Deadline::never());
        Ok(Arc::clone(&login.await?.session))
    }

    /// Ends the session that the client keeps, at both endpoints; without one, this does nothing. An endpoint that answers 401
    /// has ended it already, which is as good. Whatever comes back,
    /// it is kept no longer: the next call authenticates again.
    ///
    /// A login that is under way is not waited for: its session is ended too, as soon as it is there. A call that is
    /// under way may be answered 401 now, and authenticate anew: whoever means the end of all lets calls end first. The
    /// tokens are forgotten at once, so that a logout which is dropped, or fails, can't be repeated.
    ///
    /// # Errors
    ///
    /// As for [`Client::send`], but for [`Error::Unauthorized`]. Both endpoints are asked even if one fails; if both
    /// fail, the Pod's error is returned.
    pub async fn logout(&self) -> Result<(), Error> {
        match self.inner.keeper.take() {
            Some(login) => login.channels.end(&login.session, Tokens::BOTH).await,
            None => Ok(()),
        }
    }

    /// Authenticates with another identity, and uses it from now on, over new connections.
    ///
    /// Calls under way end as they began, with their connections and tokens; then the former session is logged out.
    /// Calls that wait for a session get the new one. If anything fails, all stays as it was.
    ///
    /// # Errors
    ///
    /// As for [`Client::session`], after one attempt, and [`Error::UnsupportedKey`].
    pub async fn replace_identity(&self, identity: &Identity) -> Result<(), Error> {
        let channels = Arc::new(self.inner.connections.under(identity)?);
        let progress = Progress::new(channels.session_auth().peer().clone());
        let (known, retry) = (Known::default(), RetryPolicy::none());
        let session = channels.log_in(&known, &retry, &progress).await?;
        self.inner.keeper.put(session, channels);
        tracing::info!(subject = %identity.leaf().subject(), "identity replaced");
        Ok(())
    }

    /// As [`Client::call`], with any reply, whatever its status.
    pub(crate) async fn execute(
        &self,
        endpoint: Endpoint,
        request: Request<Bytes>,
    ) -> Result<Response<Bytes>, Error> {
        // What can't be sent needs no tokens.
        let channels = self.inner.keeper.channels();
        channels.of(endpoint)?.check(request.uri())?;
        drop(channels);
        let idempotent = Idempotent::holds_for(&request);
        let span =
            debug_span!("call", %endpoint, method = %request.method(), path = request.uri().path());
        let limit = self.inner.reply_limit;
        let send = |login: Arc<Login>| {
            let mut request = request.clone();
            async move {
                let channel = login.channels.of(endpoint).map_err(Failure::unsent)?;
                login.session.authorize(endpoint, request.headers_mut());
                channel.call(request, limit).await
            }
        };
        self.drive(endpoint, idempotent, send)
            .instrument(span)
            .await
            .map_err(|failure: Failure| failure.error)
    }

    /// Sends until there is nothing to gain from sending again, or no time.
    pub(crate) async fn drive<R, E, F, Fut>(
        &self,
        endpoint: Endpoint,
        idempotent: bool,
        mut send: F,
    ) -> Result<Response<R>, E>
    where
        E: Outcome,
        F: FnMut(Arc<Login>) -> Fut,
        Fut: Future<Output = Result<Response<R>, E>>,
    {
        let keeper = &self.inner.keeper;
        let deadline = Deadline::of(&self.inner.retry);
        let mut attempts = Attempts::new(&self.inner.retry, deadline);
        let needed = Tokens::for_calls_to(endpoint);
        let login = keeper.login(needed, deadline).await;
        let mut login = login.map_err(E::from_auth)?;
        let channel = login.channels.of(endpoint).map_err(E::from_auth)?;
        let peer = channel.peer().clone();
        let progress = Progress::new(peer.clone());
        let mut renewed = false;
        loop {
            let result = match deadline.limit(send(Arc::clone(&login))).await {
                Ok(result) => result,
                Err(after) => return Err(E::from_auth(progress.exceeded(after))),
            };
            let failure = match &result {
                Ok(response) => self.judge(endpoint, response, &login.session, renewed),
                Err(error) => error.transient().map(After::Pause),
            };
            match failure {
                None => return result,
                Some(After::Renewal) => {
                    tracing::debug!("401: the session has expired");
                    let expired = login.session.sent_to(endpoint);
                    let next = keeper.renewed(&login.session, expired, deadline).await;
                    login = next.map_err(E::from_auth)?;
                    renewed = true;
                }
                Some(After::Pause(failure)) => {
                    let Some(pause) = attempts.pause(failure, idempotent) else {
                        return result;
                    };
                    let attempt = attempts.made();
                    tracing::debug!(attempt, ?pause, "trying again after a pause");
                    let cause = match &result {
                        Ok(reply) => {
                            Some(reply::refusal(&peer, reply.status(), reply.headers(), &[]))
                        }
                        Err(error) => error.cause(),
                    };
                    cause.into_iter().for_each(|cause| progress.failed(cause));
                    drop(result);
                    sleep(pause).await;
                }
            }
        }
    }

    /// After what to try again; `None` if the response is what the caller gets.
    fn judge<R>(
        &self,
        endpoint: Endpoint,
        response: &Response<R>,
        session: &Arc<Session>,
        renewed: bool,
    ) -> Option<After> {
        let keeper = &self.inner.keeper;
        if response.status() == StatusCode::UNAUTHORIZED {
            if renewed {
                keeper.refused(endpoint, session);
            }
            let sent = session.sent_to(endpoint) != Tokens::NONE;
            return (sent && !renewed && keeper.may_renew(endpoint)).then_some(After::Renewal);
        }
        if response.status().is_success() {
            keeper.accepted(endpoint, session);
        }
        Transient::of_response(response.status(), response.headers()).map(After::Pause)
    }
}

/// What comes before a repeat.
enum After {
    Renewal,
    Pause(Transient),
}

/// An error that a way of sending has.
pub(crate) trait Outcome {
    /// No tokens could be had, or no time was left.
    fn from_auth(error: Error) -> Self;

    /// Whether another attempt may succeed.
    fn transient(&self) -> Option<Transient>;

    /// The same as an error of this crate, if it is one.
    fn cause(&self) -> Option<Error>;
}

impl Outcome for Failure {
    fn from_auth(error: Error) -> Self {
        Self::unsent(error)
    }

    fn transient(&self) -> Option<Transient> {
        Transient::of_error(&self.error, self.sent)
    }

    fn cause(&self) -> Option<Error> {
        Some(self.error.clone())
    }
}
