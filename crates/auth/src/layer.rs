//! The same for [tower](https://docs.rs/tower): a layer around any HTTP service, and the client as a service.

use std::{
    error::Error as StdError,
    fmt,
    future::poll_fn,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{HeaderMap, Request, Response, header};
use http_body_util::{BodyExt, Full};
use hyper::body::Body;
use tower_layer::Layer;
use tower_service::Service;

use crate::{
    Client, Error, Idempotent, Session, calls::Outcome, endpoint::without_credentials,
    keeper::Login, retry::Transient,
};

type BoxFuture<T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send>>;

impl Client {
    /// A [`Layer`] that gives the requests of another HTTP client their tokens. See [`AuthLayer`].
    pub fn layer(&self) -> AuthLayer {
        AuthLayer {
            client: self.clone(),
        }
    }
}

/// Gives each request the tokens that belong to its URL, and treats its reply as [`Client::call`] does: a 401 renews the
/// session, a [transient](crate::RetryPolicy) status is retried. Made by [`Client::layer`].
///
/// It fits around any [`Service`] of [`http::Request`]s whose URLs are absolute, with any error that becomes a boxed one.
/// The body must be `Clone`, because it may be sent again: [`Bytes`], [`Full`], or text. The reply passes through as it is,
/// whatever its status. The service must be `Clone` too; each attempt waits until it is ready.
///
/// For reqwest, whose requests and replies are types of its own, a [`Service`] between takes a function: see the example
/// `reqwest` of this crate; `tower` has a stack with time limits inside and outside.
///
/// A URL belongs to an endpoint by scheme, host, port and context; where endpoints share these, by the first segment of
/// the path: `/agent`, `/keyauth` and `/relay`, or else the Pod. A request for any other URL is passed on without tokens,
/// and without headers of their names.
///
/// Errors of the service are passed on and not tried again: it isn't known what was sent by then.
///
/// # Redirects
///
/// Put this layer **inside** whatever follows redirects, so that each hop is judged by its own URL. A client that follows
/// them by itself copies headers to other hosts, and must be told not to: with reqwest,
/// `ClientBuilder::redirect(reqwest::redirect::Policy::none())`.
#[derive(Clone, Debug)]
pub struct AuthLayer {
    client: Client,
}

impl<S> Layer<S> for AuthLayer {
    type Service = AuthService<S>;

    fn layer(&self, inner: S) -> AuthService<S> {
        AuthService {
            client: self.client.clone(),
            inner,
        }
    }
}

/// A service under an [`AuthLayer`].
#[derive(Clone, Debug)]
pub struct AuthService<S> {
    client: Client,
    inner: S,
}

impl<S, B, R> Service<Request<B>> for AuthService<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Into<BoxError>,
    B: Clone + Send + 'static,
    R: Send,
{
    type Response = Response<R>;
    type Error = AuthError;
    type Future = BoxFuture<Response<R>, AuthError>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx).map_err(AuthError::service)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        // The one that is ready is for this request; its clone isn't, and is for the repeats.
        let spare = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, spare.clone());
        let client = self.client.clone();

        let Some(endpoint) = client.inner.connections.endpoints.owner_of(request.uri()) else {
            strip(request.headers_mut(), client.inner.keeper.peek().as_deref());
            let reply = inner.call(request);
            return Box::pin(async move { reply.await.map_err(AuthError::service) });
        };

        let idempotent = Idempotent::holds_for(&request);
        let mut ready = Some(inner);
        let send = move |login: Arc<Login>| {
            let session = &login.session;
            let mut request = request.clone();
            strip(request.headers_mut(), Some(session));
            // As in `Channel`: it would send the tokens to another virtual host.
            request.headers_mut().remove(header::HOST);
            session.authorize(endpoint, request.headers_mut());
            let (ready, mut spare) = (ready.take(), spare.clone());
            async move {
                // The session is in use until the reply is here.
                let _login = login;
                let reply = match ready {
                    Some(mut service) => service.call(request),
                    None => {
                        poll_fn(|cx| spare.poll_ready(cx))
                            .await
                            .map_err(AuthError::service)?;
                        spare.call(request)
                    }
                };
                reply.await.map_err(AuthError::service)
            }
        };
        Box::pin(async move { client.drive(endpoint, idempotent, send).await })
    }
}

/// No token goes where it doesn't belong, also when somebody above copied it there.
fn strip(headers: &mut HeaderMap, session: Option<&Session>) {
    headers.remove("sessionToken");
    headers.remove("keyManagerToken");
    if let Some(session) = session {
        session.strip(headers);
    }
}

/// A failure of an [`AuthService`].
#[derive(Debug)]
#[non_exhaustive]
pub enum AuthError {
    /// No tokens could be had, or the [deadline](crate::RetryPolicy::deadline) was exceeded.
    Auth(Error),
    /// The service below failed. Its error can be had back by `downcast_ref`.
    Service(BoxError),
}

/// Any error.
pub type BoxError = Box<dyn StdError + Send + Sync>;

impl AuthError {
    fn service(error: impl Into<BoxError>) -> Self {
        Self::Service(error.into())
    }
}

impl fmt::Display for AuthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auth(error) => error.fmt(f),
            Self::Service(error) => error.fmt(f),
        }
    }
}

impl StdError for AuthError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Auth(error) => error.source(),
            Self::Service(error) => error.source(),
        }
    }
}

impl Outcome for AuthError {
    fn from_auth(error: Error) -> Self {
        Self::Auth(error)
    }

    fn transient(&self) -> Option<Transient> {
        None
    }

    fn cause(&self) -> Option<Error> {
        None
    }
}

/// The client as a ready service, for what is generated or written against [`Service`]: over its own connections, with
/// its certificate, its session and its retries.
///
/// The request's URL is absolute and belongs to an endpoint, as with [`AuthLayer`]. Request and reply are held in memory.
/// A reply passes through whatever its status; what is an error, is one that [`Client::call`] has, or
/// [`Error::UnknownTarget`] for other URLs.
impl<B> Service<Request<B>> for Client
where
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    type Response = Response<Full<Bytes>>;
    type Error = Error;
    type Future = BoxFuture<Response<Full<Bytes>>, Error>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let client = self.clone();
        Box::pin(async move {
            let Some(endpoint) = client.inner.connections.endpoints.owner_of(request.uri()) else {
                let found = without_credentials(request.uri());
                return Err(Error::UnknownTarget { found });
            };
            let (mut parts, body) = request.into_parts();
            strip(&mut parts.headers, None);
            let body = body.collect().await.map_err(|error| Error::RequestBody {
                reason: error.into().to_string(),
            })?;
            let request = Request::from_parts(parts, body.to_bytes());
            let response = client.execute(endpoint, request).await?;
            Ok(response.map(Full::new))
        })
    }
}
