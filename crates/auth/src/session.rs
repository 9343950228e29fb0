use std::ops::{BitOr, Not};

use http::HeaderMap;

use crate::{Endpoint, Error, Token};

/// The tokens that a [`Client`](crate::Client::session) gets, and keeps.
///
/// A pod with simplified key delivery needs no Key Manager: its sessions have no key manager token.
///
/// The lifetime is set by the Pod's administrator, from an hour to two weeks, and nobody tells: a session is kept until a
/// call answers 401 ([`Error::Unauthorized`](crate::Error::Unauthorized)), then [renewed](crate::Client::renewed).
///
/// ```no_run
/// # async fn bot(client: auth::Client) -> Result<(), auth::Error> {
/// use auth::{Endpoint, http::HeaderMap};
///
/// let session = client.session().await?;
/// let mut headers = HeaderMap::new();
/// session.authorize(Endpoint::Agent, &mut headers); // for a call that another HTTP client makes
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Session {
    session: Token,
    key_manager: Option<Token>,
    authorization: Option<Token>,
}

impl Session {
    /// A session from tokens that were got elsewhere, or kept; [`ClientBuilder::session`](crate::ClientBuilder::session)
    /// takes it up again. `None` where there is no key manager token.
    ///
    /// ```
    /// use auth::{Session, Token};
    ///
    /// let session = Session::new(Token::new("sessionToken", "eyJhbGciOi...")?, None)?;
    /// assert!(session.key_manager_token().is_none());
    /// # Ok::<(), auth::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::InvalidToken`] if both tokens go into the same header.
    pub fn new(session: Token, key_manager: impl Into<Option<Token>>) -> Result<Self, Error> {
        let alone = Self {
            session,
            key_manager: None,
            authorization: None,
        };
        alone
            .with_key_manager(key_manager.into())
            .ok_or(Error::InvalidToken {
                reason: SAME_HEADER,
            })
    }

    /// The same with another key manager token, or none; `None` if both tokens go into the same header.
    pub(crate) fn with_key_manager(&self, key_manager: Option<Token>) -> Option<Self> {
        let name = self.session.header_name();
        let clash = key_manager
            .as_ref()
            .is_some_and(|it| it.header_name() == name);
        (!clash).then(|| Self {
            key_manager,
            ..self.clone()
        })
    }

    /// With the short-lived token of the Pod's reply.
    pub(crate) fn with_authorization(self, authorization: Option<Token>) -> Self {
        Self {
            authorization,
            ..self
        }
    }

    /// The Pod's token.
    pub fn session_token(&self) -> &Token {
        &self.session
    }

    /// The Key Manager's token; `None` where simplified key delivery does without.
    pub fn key_manager_token(&self) -> Option<&Token> {
        self.key_manager.as_ref()
    }

    /// The short-lived token of newer pods, `authorizationToken`, as the value of the header `Authorization`: with
    /// `Bearer ` before it. It is a JWT, whose `exp` says when it expires, mostly in minutes. It is kept as it came:
    /// [`Session::authorize`] doesn't send it, and nobody refreshes it.
    pub fn authorization_token(&self) -> Option<&Token> {
        self.authorization.as_ref()
    }

    /// Adds the headers that a call to `endpoint` needs, replacing any of the same name: the session token for the
    /// Pod, the key manager token for the Key Manager, both for the Agent. The token that the endpoint has no use for
    /// is removed.
    ///
    /// [`Client::call`](crate::Client::call) and [`Client::layer`](crate::Client::layer) do this. For other HTTP
    /// clients: the tokens must not follow a redirect to another host.
    pub fn authorize(&self, endpoint: Endpoint, headers: &mut HeaderMap) {
        self.strip(headers);
        for token in self.tokens(self.sent_to(endpoint)) {
            token.insert_into(headers);
        }
    }

    /// Removes what [`Session::authorize`] adds.
    pub(crate) fn strip(&self, headers: &mut HeaderMap) {
        for token in self.tokens(Tokens::BOTH) {
            headers.remove(token.header_name());
        }
    }

    /// The tokens that another session has, too.
    pub(crate) fn shared_with(&self, other: &Self) -> Tokens {
        let same = |ours: &Token, theirs: &Token| ours.expose() == theirs.expose();
        let key_managers = self.key_manager.as_ref().zip(other.key_manager.as_ref());
        Tokens {
            session: same(&self.session, &other.session),
            key_manager: key_managers.is_some_and(|(ours, theirs)| same(ours, theirs)),
        }
    }

    /// What [`Session::authorize`] adds.
    pub(crate) fn sent_to(&self, endpoint: Endpoint) -> Tokens {
        let mut tokens = Tokens::for_calls_to(endpoint);
        tokens.key_manager &= self.key_manager.is_some();
        tokens
    }

    /// These of its tokens, as far as it has them.
    pub(crate) fn tokens(&self, which: Tokens) -> impl Iterator<Item = &Token> {
        let session = which.session.then_some(&self.session);
        let key_manager = self.key_manager.as_ref().filter(|_| which.key_manager);
        session.into_iter().chain(key_manager)
    }
}

pub(crate) const SAME_HEADER: &str = "`name` is the header of the session token";

/// Which of the two tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Tokens {
    pub(crate) session: bool,
    pub(crate) key_manager: bool,
}

impl Tokens {
    pub(crate) const NONE: Self = Self {
        session: false,
        key_manager: false,
    };
    pub(crate) const SESSION: Self = Self {
        session: true,
        key_manager: false,
    };
    pub(crate) const KEY_MANAGER: Self = Self {
        session: false,
        key_manager: true,
    };
    pub(crate) const BOTH: Self = Self {
        session: true,
        key_manager: true,
    };

    pub(crate) fn for_calls_to(endpoint: Endpoint) -> Self {
        Self {
            session: matches!(
                endpoint,
                Endpoint::Pod | Endpoint::SessionAuth | Endpoint::Agent
            ),
            key_manager: matches!(endpoint, Endpoint::KeyManager | Endpoint::Agent),
        }
    }

    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            session: self.session && other.session,
            key_manager: self.key_manager && other.key_manager,
        }
    }
}

impl BitOr for Tokens {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self {
            session: self.session || other.session,
            key_manager: self.key_manager || other.key_manager,
        }
    }
}

impl Not for Tokens {
    type Output = Self;

    fn not(self) -> Self {
        Self {
            session: !self.session,
            key_manager: !self.key_manager,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(session: &Session, endpoint: Endpoint) -> Vec<(String, String)> {
        let mut headers = HeaderMap::new();
        headers.insert("sessionToken", "stale".parse().unwrap());
        if session.key_manager_token().is_some() {
            headers.insert("keyManagerToken", "stale".parse().unwrap());
        }
        session.authorize(endpoint, &mut headers);
        let mut headers: Vec<_> = headers
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
            .collect();
        headers.sort();
        headers
    }

    fn session_token() -> Token {
        Token::new("sessionToken", "s").unwrap()
    }

    #[test]
    fn each_endpoint_gets_the_tokens_that_belong_to_it() {
        let key_manager = Token::new("keyManagerToken", "k").unwrap();
        let both = Session::new(session_token(), key_manager).unwrap();
        let session = || ("sessiontoken".to_owned(), "s".to_owned());
        let key_manager = || ("keymanagertoken".to_owned(), "k".to_owned());
        assert_eq!(headers(&both, Endpoint::Pod), [session()]);
        assert_eq!(headers(&both, Endpoint::SessionAuth), [session()]);
        assert_eq!(headers(&both, Endpoint::KeyManager), [key_manager()]);
        assert_eq!(headers(&both, Endpoint::Agent), [key_manager(), session()]);
    }

    #[test]
    fn a_session_without_a_key_manager_token_sends_what_it_has() {
        let alone = Session::new(session_token(), None).unwrap();
        let session = || ("sessiontoken".to_owned(), "s".to_owned());
        assert_eq!(headers(&alone, Endpoint::Agent), [session()]);
        assert_eq!(headers(&alone, Endpoint::KeyManager), []);
        assert_eq!(alone.sent_to(Endpoint::KeyManager), Tokens::NONE);
    }

    #[test]
    fn two_tokens_need_two_headers() {
        let other = Token::new("SESSIONTOKEN", "k").unwrap();
        assert_eq!(
            Session::new(session_token(), other).unwrap_err(),
            Error::InvalidToken {
                reason: SAME_HEADER
            }
        );
    }
}
