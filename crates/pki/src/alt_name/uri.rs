use std::{
    fmt,
    net::{Ipv4Addr, Ipv6Addr},
};

use super::{dns::check_host_name, invalid};
use crate::Error;

/// A URI in ASCII form: a uniformResourceIdentifier (RFC 5280, section 4.2.1.6).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Uri(String);

impl Uri {
    /// Checks an absolute URI (RFC 3986) of at most 2048 characters: a scheme, and something after it. One with an
    /// authority (`//`) has a host name or an IP address in it and no user information; `http`, `https`, `ws`, `wss`,
    /// `ftp`, `ldap`, `ldaps` and `spiffe` need one.
    ///
    /// # Errors
    /// [`Error::InvalidSubjectAltName`].
    pub fn new(uri: impl Into<String>) -> Result<Self, Error> {
        let uri = uri.into();
        match check(&uri) {
            Ok(_) => Ok(Self(uri)),
            Err(reason) => Err(invalid(uri, reason)),
        }
    }

    /// The URI as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The host name, when it has an authority and that is not an IP address.
    pub(crate) fn host_name(&self) -> Option<&str> {
        match check(&self.0) {
            Ok(Some(Host::Name(name))) => Some(name),
            _ => None,
        }
    }
}

impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

enum Host<'a> {
    Name(&'a str),
    Address,
}

fn check(uri: &str) -> Result<Option<Host<'_>>, &'static str> {
    if uri.len() > MAX_LEN {
        return Err("a URI has at most 2048 characters");
    }
    let Some((scheme, rest)) = uri.split_once(':') else {
        return Err("expected a URI with a scheme, such as \"spiffe://example.com/bot\"");
    };
    let is_scheme = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme
            .bytes()
            .all(|octet| octet.is_ascii_alphanumeric() || b"+-.".contains(&octet));
    if !is_scheme {
        return Err(
            "its scheme is not a letter followed by letters, digits, \"+\", \"-\" and \".\"",
        );
    }
    if rest.is_empty() {
        return Err("nothing follows its scheme");
    }
    let Some(rest) = rest.strip_prefix("//") else {
        if NEED_HOST
            .iter()
            .any(|known| known.eq_ignore_ascii_case(scheme))
        {
            return Err("a URI with this scheme needs a host");
        }
        check_characters(rest)?;
        return Ok(None);
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    check_characters(path)?;
    host(authority).map(Some)
}

/// `host [":" port]` (RFC 3986, section 3.2).
fn host(authority: &str) -> Result<Host<'_>, &'static str> {
    if authority.contains('@') {
        return Err("a URI in a certificate has no user information");
    }
    let (host, port) = match authority.strip_prefix('[') {
        Some(bracketed) => {
            let (address, port) = bracketed.split_once(']').ok_or(HOST)?;
            address.parse::<Ipv6Addr>().map_err(|_| HOST)?;
            (
                Host::Address,
                port.strip_prefix(':').or(port.is_empty().then_some("")),
            )
        }
        None => {
            let (host, port) = authority.split_once(':').unwrap_or((authority, ""));
            if host.parse::<Ipv4Addr>().is_ok() {
                (Host::Address, Some(port))
            } else {
                check_host_name(host).map_err(|_| HOST)?;
                (Host::Name(host), Some(port))
            }
        }
    };
    match port {
        Some(port) if port.bytes().all(|octet| octet.is_ascii_digit()) => Ok(host),
        _ => Err("its port is not a number"),
    }
}

/// The characters of path, query and fragment (RFC 3986, appendix A).
fn check_characters(text: &str) -> Result<(), &'static str> {
    let mut octets = text.bytes();
    while let Some(octet) = octets.next() {
        let allowed = match octet {
            b'%' => [octets.next(), octets.next()]
                .iter()
                .all(|digit| digit.is_some_and(|digit| digit.is_ascii_hexdigit())),
            _ => octet.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/?#".contains(&octet),
        };
        if !allowed {
            return Err("it holds a character that must be percent-encoded in a URI");
        }
    }
    Ok(())
}

const MAX_LEN: usize = 2048;
const HOST: &str = "its host is neither a host name nor an IP address";
const NEED_HOST: [&str; 8] = [
    "http", "https", "ws", "wss", "ftp", "ldap", "ldaps", "spiffe",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uris_are_taken() {
        let longest = format!("urn:{}", "a".repeat(2044));
        for (uri, host) in [
            ("spiffe://example.com/bot", Some("example.com")),
            ("https://a.example:8443/b?c=%20#d", Some("a.example")),
            ("https://a.example?b", Some("a.example")),
            ("https://a.example:", Some("a.example")),
            ("https://127.0.0.1/", None),
            ("https://[::1]:8443/", None),
            ("urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6", None),
            ("sip:bot@example.com", None),
            (&longest, None),
        ] {
            let parsed = Uri::new(uri).unwrap();
            assert_eq!(parsed.to_string(), uri);
            assert_eq!((parsed.as_str(), parsed.host_name()), (uri, host));
        }
    }

    #[test]
    fn what_is_no_uri_is_refused() {
        let long = format!("urn:{}", "a".repeat(2045));
        for uri in [
            "",
            "URI",
            "URI:",
            ":",
            "no scheme",
            "1a:b",
            "a b:c",
            "/relative",
            "//example.com/",
            "https:",
            "https://",
            "https:///path",
            "https:path",
            "SPIFFE:bot",
            "https://a..b/",
            "https://*.example.com/",
            "https://user@a.example/",
            "https://a.example:x/",
            "https://a.example:1:2/",
            "https://[::1/",
            "https://[::1]x/",
            "https://[a.example]/",
            "https://1.2.3/",
            "https://%61.example/",
            "https://a.example/ b",
            "https://a.example/\0",
            "https://a.example/%2",
            "https://a.example/%zz",
            "https://a.example/\u{e4}",
            "urn:a[b]",
            &long,
        ] {
            assert!(
                matches!(Uri::new(uri), Err(Error::InvalidSubjectAltName { name, .. }) if name == uri),
                "{uri:?}"
            );
        }
    }
}
