//! Calls with the session that the client keeps: got when needed, renewed when it is over, tried again when it may help.

use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use tokio::time::sleep;
use tracing::{Instrument, debug_span};

use crate::{
    Client, Endpoint, Error, Idempotent, Identity, Phase, RetryPolicy, Session,
    http::{Failure, reply},
    keeper::{BoxedSession, Effort},
    retry::{Attempts, Transient},
};

impl Client {
    /// Makes a call with the tokens that belong to `endpoint`, and returns a reply that means success.
    ///
    /// The first call authenticates. The tokens are kept until a call answers 401: then both are got anew, once for all
    /// callers that wait for them, and each of these calls is repeated, once. Whatever [may pass](RetryPolicy) is tried
    /// again. If an endpoint answers 401 to fresh tokens too, its calls fail at once for a while, which begins with the
    /// policy's first pause and grows like it: new tokens wouldn't help.
    ///
    /// The request is like that of [`Client::send`]; it is held in memory, so that it can be sent again. To stop, drop
    /// the future: nothing goes on behind it, and a renewal that others wait for is left to them.
    ///
    /// # Errors
    ///
    /// Those of [`Client::send`], the latest one if there were several attempts; those of [`Client::authenticate`] if no
    /// tokens can be had, the same one for all callers that waited; [`Error::Timeout`] with [`Phase::Deadline`] at the
    /// [deadline](RetryPolicy::deadline). [`Error::Unauthorized`] from `endpoint` means that it refuses fresh tokens.
    pub async fn call(
        &self,
        endpoint: Endpoint,
        request: Request<Bytes>,
    ) -> Result<Response<Bytes>, Error> {
        let response = self.execute(endpoint, request).await?;
        reply::accept(self.channels().of(endpoint)?.peer(), response)
    }

    /// The session that the client keeps; authenticates if there is none.
    ///
    /// For HTTP clients that aren't [layered](Client::layer): add the tokens with [`Session::authorize`], and give the
    /// session to [`Client::renewed`] when a call answers 401.
    ///
    /// # Errors
    ///
    /// As for [`Client::authenticate`], after as many attempts as the [policy](RetryPolicy) has.
    pub async fn session(&self) -> Result<Arc<Session>, Error> {
        let renew = |effort| self.renewal(effort);
        if let Some(age) = self.inner.setup.renew_after {
            self.inner.keeper.renew_by_age(age, renew).await;
        }
        self.inner.keeper.session(renew).await
    }

    /// The session that follows this one, which is over. Whoever asks while it is being got waits for the same one, and
    /// whoever asks later gets it at once.
    ///
    /// # Errors
    ///
    /// As for [`Client::session`].
    pub async fn renewed(&self, over: &Arc<Session>) -> Result<Arc<Session>, Error> {
        let renew = |effort| self.renewal(effort);
        self.inner.keeper.renewed(over, renew).await
    }

    /// Ends the session that the client keeps, at both endpoints; without one, this does nothing. Whatever comes back,
    /// it is kept no longer: the next call authenticates again.
    ///
    /// # Errors
    ///
    /// As for [`Client::end`].
    pub async fn logout(&self) -> Result<(), Error> {
        match self.inner.keeper.take().await {
            Some(session) => self.end(&session).await,
            None => Ok(()),
        }
    }

    /// Authenticates with another identity, and uses it from now on, over new connections.
    ///
    /// Calls under way end as they began, with their connections and tokens. If anything fails, all stays as it was.
    ///
    /// # Errors
    ///
    /// As for [`Client::authenticate`], and [`Error::UnsupportedKey`].
    pub async fn replace_identity(&self, identity: &Identity) -> Result<(), Error> {
        let channels = Arc::new(self.inner.setup.channels(identity)?);
        let session = channels.authenticate(&RetryPolicy::none()).await?;
        self.set_channels(channels);
        self.inner.keeper.put(Arc::new(session));
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
        self.channels().of(endpoint)?.check(request.uri())?;
        let idempotent = Idempotent::holds_for(&request);
        let span =
            debug_span!("call", %endpoint, method = %request.method(), path = request.uri().path());
        let send = |session: Arc<Session>| {
            let (client, mut request) = (self.clone(), request.clone());
            async move {
                let channels = client.channels();
                let channel = channels.of(endpoint).map_err(Failure::unsent)?;
                session.authorize(endpoint, request.headers_mut());
                channel.call(request, client.inner.setup.reply_limit).await
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
        send: F,
    ) -> Result<Response<R>, E>
    where
        E: Outcome,
        F: FnMut(Arc<Session>) -> Fut,
        Fut: Future<Output = Result<Response<R>, E>>,
    {
        let policy = &self.inner.setup.retry;
        match Attempts::within(policy, self.attempts(endpoint, idempotent, send)).await {
            Ok(result) => result,
            Err(after) => {
                let channels = self.channels();
                let peer = channels.of(endpoint).map_err(E::from_auth)?.peer().clone();
                let phase = Phase::Deadline;
                Err(E::from_auth(Error::Timeout { peer, phase, after }))
            }
        }
    }

    async fn attempts<R, E, F, Fut>(
        &self,
        endpoint: Endpoint,
        idempotent: bool,
        mut send: F,
    ) -> Result<Response<R>, E>
    where
        E: Outcome,
        F: FnMut(Arc<Session>) -> Fut,
        Fut: Future<Output = Result<Response<R>, E>>,
    {
        let mut attempts = Attempts::new(&self.inner.setup.retry);
        let mut session = self.session().await.map_err(E::from_auth)?;
        let mut renewed = false;
        loop {
            let result = send(Arc::clone(&session)).await;
            let failure = match &result {
                Ok(response) => self.judge(endpoint, response, &session, renewed),
                Err(error) => error.transient().map(After::Pause),
            };
            let pause = match failure {
                None => return result,
                Some(After::Renewal) => None,
                Some(After::Pause(failure)) => match attempts.pause(failure, idempotent) {
                    Some(pause) => Some(pause),
                    None => return result,
                },
            };
            drop(result);
            match pause {
                Some(pause) => {
                    tracing::debug!(
                        attempt = attempts.made(),
                        ?pause,
                        "tried again after a pause"
                    );
                    sleep(pause).await;
                }
                None => {
                    tracing::debug!("401: the session is over");
                    session = self.renewed(&session).await.map_err(E::from_auth)?;
                    renewed = true;
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
                keeper.refused(endpoint, session, &self.inner.setup.retry);
            }
            return (!renewed && keeper.may_renew(endpoint)).then_some(After::Renewal);
        }
        if response.status().is_success() {
            keeper.accepted(endpoint, session);
        }
        Transient::of_response(response.status(), response.headers()).map(After::Pause)
    }

    fn renewal(&self, effort: Effort) -> BoxedSession {
        let client = self.clone();
        let renewal = async move {
            match effort {
                Effort::Full => {
                    client
                        .channels()
                        .authenticate(&client.inner.setup.retry)
                        .await
                }
                Effort::Once => client.authenticate().await,
            }
        };
        Box::pin(renewal.instrument(debug_span!(parent: None, "renew")))
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

    /// Whether it may pass.
    fn transient(&self) -> Option<Transient>;
}

impl Outcome for Failure {
    fn from_auth(error: Error) -> Self {
        Self::unsent(error)
    }

    fn transient(&self) -> Option<Transient> {
        Transient::of_error(&self.error, self.sent)
    }
}
