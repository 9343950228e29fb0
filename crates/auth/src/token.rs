use std::{fmt, str};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use zeroize::Zeroizing;

use crate::Error;

/// A token, with the name of the header in which it must be presented.
///
/// It is wiped when the last use of it ends and elided in `Debug`. The buffers of a connection that it was sent over
/// are not wiped.
///
/// ```
/// let token = auth::Token::new("sessionToken", "eyJhbGciOiJSUzUxMiJ9.e30.c2ln")?; // kept from an earlier login
/// assert!(!format!("{token:?}").contains("eyJ"));
/// # Ok::<(), auth::Error>(())
/// ```
#[derive(Clone)]
pub struct Token {
    name: HeaderName,
    value: HeaderValue,
}

impl Token {
    /// A token that was got elsewhere, or kept: `Token::new("sessionToken", "eyJhbGciOi...")`.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidToken`] if it can't be presented in this header.
    pub fn new(header_name: &str, value: impl Into<String>) -> Result<Self, Error> {
        Self::parse(header_name, value.into()).map_err(|reason| Error::InvalidToken { reason })
    }

    /// Checks what a reply gave; the error says what is wrong.
    pub(crate) fn parse(name: &str, value: String) -> Result<Self, &'static str> {
        let value = Zeroizing::new(value.into_bytes());
        let name = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| "`name` is not the name of a header")?;
        if RESERVED.contains(&name) {
            return Err("`name` is a header that HTTP itself uses");
        }
        if value.is_empty() {
            return Err("`token` is empty");
        }
        // `Bearer eyJ...` is a token, too.
        let inner = |octet: &u8| octet.is_ascii_graphic() || *octet == b' ';
        if !value.iter().all(inner) || value.trim_ascii().len() != value.len() {
            return Err("`token` holds characters that a header can not carry");
        }
        // The header value shares these octets with every request, and they are wiped when the last one is done.
        let mut value = HeaderValue::from_maybe_shared(Bytes::from_owner(value))
            .map_err(|_| "`token` holds characters that a header can not carry")?;
        value.set_sensitive(true);
        Ok(Self { name, value })
    }

    /// The header in which the token is presented, for example `sessionToken` (header names have no case).
    pub fn header_name(&self) -> &HeaderName {
        &self.name
    }

    /// The header's value, marked as sensitive: HTTP/2 keeps it out of its compression tables, and `Debug` elides it.
    pub fn header_value(&self) -> &HeaderValue {
        &self.value
    }

    /// The token itself. Whoever holds it is the user: don't log it.
    pub fn expose(&self) -> &str {
        str::from_utf8(self.value.as_bytes()).unwrap_or_default() // ASCII, checked above
    }

    pub(crate) fn insert_into(&self, headers: &mut HeaderMap) {
        headers.insert(self.name.clone(), self.value.clone());
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token({}, [token elided])", self.name)
    }
}

/// Headers whose meaning a reply must not be able to change.
const RESERVED: [HeaderName; 10] = [
    header::ACCEPT,
    header::CONNECTION,
    header::CONTENT_ENCODING,
    header::CONTENT_LENGTH,
    header::CONTENT_TYPE,
    header::EXPECT,
    header::HOST,
    header::TE,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_goes_into_the_header_that_its_reply_named() {
        let token = Token::new("sessionToken", "abc.DEF-123").unwrap();
        let mut headers = HeaderMap::new();
        token.insert_into(&mut headers);
        assert_eq!(headers["sessionToken"], "abc.DEF-123");
        assert_eq!(token.expose(), "abc.DEF-123");
    }

    #[test]
    fn neither_the_token_nor_its_header_shows_in_debug() {
        let token = Token::new("sessionToken", "secret").unwrap();
        let mut headers = HeaderMap::new();
        token.insert_into(&mut headers);
        assert_eq!(format!("{token:?}"), "Token(sessiontoken, [token elided])");
        assert!(!format!("{headers:?}").contains("secret"));
    }

    #[test]
    fn what_can_not_be_a_header_is_refused() {
        let refused = |name: &str, value: &str| match Token::new(name, value) {
            Err(Error::InvalidToken { reason }) => reason,
            other => panic!("{other:?}"),
        };
        assert_eq!(
            refused("session token", "t"),
            "`name` is not the name of a header"
        );
        assert_eq!(refused("", "t"), "`name` is not the name of a header");
        assert_eq!(
            refused("Host", "t"),
            "`name` is a header that HTTP itself uses"
        );
        assert_eq!(refused("sessionToken", ""), "`token` is empty");
        for value in [" a", "a ", "a\tb", "a\r\nx: y", "\u{e9}"] {
            assert_eq!(
                refused("sessionToken", value),
                "`token` holds characters that a header can not carry"
            );
        }
    }
}
