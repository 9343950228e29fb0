use std::fmt;

use super::{dns::check_host_name, invalid};
use crate::Error;

/// An e-mail address in ASCII form: an rfc822Name (RFC 5280, section 4.2.1.6).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EmailAddress(String);

impl EmailAddress {
    /// Checks `local@domain`: a dot-string (RFC 5321, section 4.1.2) of at most 64 characters and a host name, together at
    /// most 254 characters. Quoted local parts and address literals, which are mail's but nobody's address, are refused.
    ///
    /// # Errors
    /// [`Error::InvalidSubjectAltName`].
    pub fn new(address: impl Into<String>) -> Result<Self, Error> {
        let address = address.into();
        match check(&address) {
            Ok(()) => Ok(Self(address)),
            Err(reason) => Err(invalid(address, reason)),
        }
    }

    /// The address as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What stands before and after the `@`.
    pub(crate) fn parts(&self) -> (&str, &str) {
        self.0.rsplit_once('@').unwrap_or(("", &self.0))
    }
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn check(address: &str) -> Result<(), &'static str> {
    let Some((local, domain)) = address.rsplit_once('@') else {
        return Err("expected an address such as \"a@example.com\"");
    };
    if address.len() > MAX_LEN || local.len() > MAX_LOCAL_LEN {
        return Err("an address has at most 254 characters, 64 of them at most before the \"@\"");
    }
    if !local.split('.').all(is_atom) {
        return Err(
            "what stands before the \"@\" is not of ASCII letters, digits, dots between them and \"!#$%&'*+-/=?^_`{|}~\"",
        );
    }
    check_host_name(domain).map_err(|_| "what follows the \"@\" is not a host name")
}

/// An atom of RFC 5322, section 3.2.3.
fn is_atom(atom: &str) -> bool {
    !atom.is_empty()
        && atom
            .bytes()
            .all(|octet| octet.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&octet))
}

/// RFC 5321, section 4.5.3.1.3, less the angle brackets.
const MAX_LEN: usize = 254;
/// RFC 5321, section 4.5.3.1.1.
const MAX_LOCAL_LEN: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken() {
        let longest_local = format!("{}@example.com", "a".repeat(64));
        let longest = format!("a@{0}.{0}.{0}.{1}", "a".repeat(63), "b".repeat(60));
        assert_eq!(longest.len(), 254);
        for address in [
            "a@example.com",
            "a.b+c@mail.example",
            "o'neill@localhost",
            &longest_local,
            &longest,
        ] {
            let taken = EmailAddress::new(address).unwrap();
            assert_eq!(taken.as_str(), address);
            assert_eq!(taken.to_string(), address);
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        let long_local = format!("{}@example.com", "a".repeat(65));
        let long_domain = format!("a@{0}.{0}.{0}.{1}", "a".repeat(63), "b".repeat(61));
        for address in [
            "",
            "a",
            "@",
            "a@",
            "@example.com",
            "a@b@example.com",
            "a..b@example.com",
            ".a@example.com",
            "a b@example.com",
            "a@example.com\0",
            "a\0@example.com",
            "\"a b\"@example.com",
            "a@[127.0.0.1]",
            "a@127.0.0.1",
            "a@*.example.com",
            "a@example..com",
            "A <a@example.com>",
            "\u{e4}@example.com",
            &long_local,
            &long_domain,
        ] {
            assert!(
                matches!(EmailAddress::new(address), Err(Error::InvalidSubjectAltName { name, .. }) if name == address),
                "{address:?}"
            );
        }
    }
}
