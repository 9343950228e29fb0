use std::{
    collections::{HashMap, VecDeque},
    fmt,
    time::{Duration, SystemTime},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Serialize;

/// The two kinds of token. One never stands in for the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub(crate) enum TokenKind {
    #[serde(rename = "sessionToken")]
    Session,
    #[serde(rename = "keyManagerToken")]
    KeyManager,
}

impl TokenKind {
    /// The header that the token is presented in. Header names have no case.
    pub(crate) const fn header(self) -> &'static str {
        match self {
            Self::Session => "sessiontoken",
            Self::KeyManager => "keymanagertoken",
        }
    }
}

/// The tokens that were issued and have not expired.
#[derive(Default)]
pub(crate) struct Tokens {
    simplified_key_delivery: bool,
    holders: HashMap<(TokenKind, String), Holder>,
    /// Oldest first. May name tokens that were revoked since.
    issued: VecDeque<(TokenKind, String)>,
}

struct Holder {
    username: String,
    /// `None`: later than any clock shows.
    expires: Option<SystemTime>,
}

impl Tokens {
    /// Session tokens offer simplified key delivery, or not.
    pub(crate) fn new(simplified_key_delivery: bool) -> Self {
        Self {
            simplified_key_delivery,
            ..Self::default()
        }
    }

    /// A new token, or nothing when the system gives no randomness.
    pub(crate) fn issue(
        &mut self,
        kind: TokenKind,
        username: &str,
        now: SystemTime,
        lifetime: Duration,
    ) -> Result<String, getrandom::Error> {
        let mut octets = [0; TOKEN_OCTETS];
        getrandom::fill(&mut octets)?;
        let random = URL_SAFE_NO_PAD.encode(octets);
        let token = match kind {
            TokenKind::Session => self.jwt(username, now, lifetime, &random),
            TokenKind::KeyManager => random,
        };

        if self.issued.len() >= MAX_TOKENS && self.holders.len() < self.issued.len() {
            // Those that were revoked make room.
            self.issued.retain(|token| self.holders.contains_key(token));
        }
        if self.issued.len() >= MAX_TOKENS
            && let Some(oldest) = self.issued.pop_front()
        {
            self.holders.remove(&oldest);
        }
        let key = (kind, token.clone());
        self.issued.push_back(key.clone());
        let holder = Holder {
            username: username.to_owned(),
            expires: now.checked_add(lifetime),
        };
        self.holders.insert(key, holder);
        Ok(token)
    }

    /// A JWT (RFC 7519), as session tokens are at present. Who hasn't its key can't tell its signature from randomness.
    fn jwt(&self, username: &str, now: SystemTime, lifetime: Duration, random: &str) -> String {
        let seconds = |time: SystemTime| {
            let since_1970 = time.duration_since(SystemTime::UNIX_EPOCH);
            since_1970.map_or(0, |since| since.as_secs())
        };
        let claims = serde_json::json!({
            "sub": username,
            "iat": seconds(now),
            "exp": now.checked_add(lifetime).map(seconds),
            "canUseSimplifiedKeyDelivery": self.simplified_key_delivery,
        });
        let [header, claims] = [r#"{"alg":"HS512","typ":"JWT"}"#, &claims.to_string()]
            .map(|part| URL_SAFE_NO_PAD.encode(part));
        format!("{header}.{claims}.{random}")
    }

    /// How many tokens of this kind the user holds.
    pub(crate) fn count(&self, kind: TokenKind, username: &str, now: SystemTime) -> usize {
        let held = |((of, _), holder): &(&(TokenKind, String), &Holder)| {
            *of == kind
                && holder.username == username
                && holder.expires.is_none_or(|expires| expires > now)
        };
        self.holders.iter().filter(held).count()
    }

    /// The user who holds the token, until it expires.
    pub(crate) fn holder(&self, kind: TokenKind, token: &str, now: SystemTime) -> Option<&str> {
        let holder = self.holders.get(&(kind, token.to_owned()))?;
        match holder.expires {
            Some(expires) if expires <= now => None,
            _ => Some(&holder.username),
        }
    }

    /// Ends one token.
    pub(crate) fn revoke(&mut self, kind: TokenKind, token: &str) {
        self.holders.remove(&(kind, token.to_owned()));
    }

    /// Ends all tokens of one user.
    pub(crate) fn revoke_user(&mut self, username: &str) {
        self.holders.retain(|_, holder| holder.username != username);
    }

    /// Ends all tokens.
    pub(crate) fn clear(&mut self) {
        self.holders.clear();
        self.issued.clear();
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tokens({} [secrets elided])", self.holders.len())
    }
}

const TOKEN_OCTETS: usize = 48;

/// A soak test authenticates tens of thousands of times: beyond this the oldest tokens end, so that memory stays flat.
const MAX_TOKENS: usize = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: SystemTime = SystemTime::UNIX_EPOCH;
    const HOUR: Duration = Duration::from_secs(3600);

    #[test]
    fn a_token_is_valid_until_its_lifetime_ends() {
        let mut tokens = Tokens::default();
        let token = tokens.issue(TokenKind::Session, "bot", NOW, HOUR).unwrap();

        let just_before = NOW + HOUR - Duration::from_nanos(1);
        assert_eq!(
            tokens.holder(TokenKind::Session, &token, just_before),
            Some("bot")
        );
        assert_eq!(tokens.holder(TokenKind::Session, &token, NOW + HOUR), None);
    }

    #[test]
    fn kinds_are_not_interchangeable() {
        let mut tokens = Tokens::default();
        let token = tokens.issue(TokenKind::Session, "bot", NOW, HOUR).unwrap();

        assert_eq!(tokens.holder(TokenKind::KeyManager, &token, NOW), None);
    }

    #[test]
    fn an_endless_lifetime_is_no_overflow() {
        let mut tokens = Tokens::default();
        let token = tokens
            .issue(TokenKind::Session, "bot", NOW, Duration::MAX)
            .unwrap();

        let late = NOW + Duration::from_secs(1 << 40);
        assert_eq!(tokens.holder(TokenKind::Session, &token, late), Some("bot"));
    }

    #[test]
    fn revoked_tokens_do_not_count() {
        let mut tokens = Tokens::default();
        let lasting = tokens.issue(TokenKind::Session, "bot", NOW, HOUR).unwrap();
        for _ in 0..2 * MAX_TOKENS {
            let short = tokens.issue(TokenKind::Session, "bot", NOW, HOUR).unwrap();
            tokens.revoke(TokenKind::Session, &short);
        }
        let holder = tokens.holder(TokenKind::Session, &lasting, NOW);
        assert_eq!(holder, Some("bot"));
        assert!(tokens.issued.len() <= MAX_TOKENS);
    }

    #[test]
    fn the_number_of_tokens_is_bounded_and_the_newest_hold() {
        let mut tokens = Tokens::default();
        let first = tokens.issue(TokenKind::Session, "bot", NOW, HOUR).unwrap();
        let mut last = String::new();
        for _ in 0..MAX_TOKENS {
            last = tokens.issue(TokenKind::Session, "bot", NOW, HOUR).unwrap();
        }

        assert_eq!(tokens.holders.len(), MAX_TOKENS);
        assert_eq!(tokens.holder(TokenKind::Session, &first, NOW), None);
        assert_eq!(tokens.holder(TokenKind::Session, &last, NOW), Some("bot"));
    }

    #[test]
    fn a_session_token_tells_whether_the_key_manager_is_needed() {
        for simplified in [false, true] {
            let mut tokens = Tokens::new(simplified);
            let token = tokens.issue(TokenKind::Session, "bot", NOW, HOUR).unwrap();
            let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap());
            let claims: serde_json::Value = serde_json::from_slice(&claims.unwrap()).unwrap();
            assert_eq!(claims["canUseSimplifiedKeyDelivery"], simplified);
            assert_eq!(
                (&claims["sub"], &claims["exp"]),
                (&"bot".into(), &3600.into())
            );
        }
    }

    #[test]
    fn tokens_are_counted_until_they_end() {
        let mut tokens = Tokens::default();
        let first = tokens.issue(TokenKind::Session, "bot", NOW, HOUR).unwrap();
        tokens
            .issue(TokenKind::Session, "bot", NOW, HOUR * 2)
            .unwrap();
        tokens
            .issue(TokenKind::Session, "other", NOW, HOUR)
            .unwrap();
        tokens
            .issue(TokenKind::KeyManager, "bot", NOW, HOUR)
            .unwrap();
        let count = |tokens: &Tokens, now| tokens.count(TokenKind::Session, "bot", now);
        assert_eq!((count(&tokens, NOW), count(&tokens, NOW + HOUR)), (2, 1));
        tokens.revoke(TokenKind::Session, &first);
        assert_eq!(count(&tokens, NOW), 1);
    }

    #[test]
    fn debug_shows_no_token() {
        let mut tokens = Tokens::default();
        let token = tokens.issue(TokenKind::Session, "bot", NOW, HOUR).unwrap();

        assert!(!format!("{tokens:?}").contains(&token));
    }
}
