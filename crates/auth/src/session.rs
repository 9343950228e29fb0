use http::HeaderMap;

use crate::{Endpoint, Token};

/// The two tokens that [`Client::authenticate`](crate::Client::authenticate) gets.
///
/// How long they live is set by the Pod's administrator, from an hour to two weeks, and nobody tells: keep a session
/// until a call answers 401 ([`Error::Unauthorized`](crate::Error::Unauthorized)), then authenticate again.
#[derive(Debug)]
pub struct Session {
    session: Token,
    key_manager: Token,
}

impl Session {
    pub(crate) fn new(session: Token, key_manager: Token) -> Self {
        Self {
            session,
            key_manager,
        }
    }

    /// The Pod's token.
    pub fn session_token(&self) -> &Token {
        &self.session
    }

    /// The Key Manager's token.
    pub fn key_manager_token(&self) -> &Token {
        &self.key_manager
    }

    /// Adds the headers that a call to `endpoint` needs, replacing any of the same name: the session token for the
    /// Pod, the key manager token for the Key Manager, both for the Agent. The token that the endpoint has no use for
    /// is removed.
    ///
    /// [`Client::call`](crate::Client::call) and [`Client::layer`](crate::Client::layer) do this. For other HTTP
    /// clients: the tokens must not follow a redirect to another host.
    pub fn authorize(&self, endpoint: Endpoint, headers: &mut HeaderMap) {
        self.strip(headers);
        if matches!(endpoint, Endpoint::Pod | Endpoint::Agent) {
            self.session.insert_into(headers);
        }
        if matches!(endpoint, Endpoint::KeyManager | Endpoint::Agent) {
            self.key_manager.insert_into(headers);
        }
    }

    /// Removes what [`Session::authorize`] adds.
    pub(crate) fn strip(&self, headers: &mut HeaderMap) {
        headers.remove(self.session.header_name());
        headers.remove(self.key_manager.header_name());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(endpoint: Endpoint) -> Vec<(String, String)> {
        let session = Session::new(
            Token::new("sessionToken", "s".to_owned()).unwrap(),
            Token::new("keyManagerToken", "k".to_owned()).unwrap(),
        );
        let mut headers = HeaderMap::new();
        headers.insert("sessionToken", "stale".parse().unwrap());
        headers.insert("keyManagerToken", "stale".parse().unwrap());
        session.authorize(endpoint, &mut headers);
        let mut headers: Vec<_> = headers
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
            .collect();
        headers.sort();
        headers
    }

    #[test]
    fn each_endpoint_gets_the_tokens_that_belong_to_it() {
        let session = || ("sessiontoken".to_owned(), "s".to_owned());
        let key_manager = || ("keymanagertoken".to_owned(), "k".to_owned());
        assert_eq!(headers(Endpoint::Pod), [session()]);
        assert_eq!(headers(Endpoint::KeyManager), [key_manager()]);
        assert_eq!(headers(Endpoint::Agent), [key_manager(), session()]);
    }
}
