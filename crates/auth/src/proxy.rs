//! Which proxy stands before a host, if any.

use std::fmt;

use base64::{Engine, prelude::BASE64_STANDARD};
use http::{
    HeaderValue, Uri,
    uri::{self, Authority},
};
use hyper_util::client::proxy::matcher::Matcher;
use percent_encoding::percent_decode_str;
use pki::Passphrase;
use url::{Host, Url};
use zeroize::Zeroizing;

use crate::Error;

/// An HTTP proxy that connections are made through, with `CONNECT` (RFC 9110, section 9.3.6).
///
/// TLS is spoken with the server behind it, through the proxy: it sees host, port and amount of data, and nothing else.
/// With the proxy itself plain HTTP is spoken, so that the user name and the password of a proxy travel unprotected,
/// as they do with every client; proxies that want TLS or SOCKS are refused with [`Error::InvalidProxy`].
///
/// `Debug` and `Display` show host and port, and no credentials.
///
/// ```
/// let proxy = auth::Proxy::new("http://proxy.acme.com:3128")?.credentials("bot", &"secret".into());
/// assert_eq!(format!("{proxy:?}"), "Proxy(proxy.acme.com:3128, [credentials elided])");
/// # Ok::<(), auth::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
#[must_use = "it is not changed in place, and does nothing until a client is built with it"]
pub struct Proxy {
    authority: Authority,
    authorization: Option<HeaderValue>,
}

impl Proxy {
    /// A proxy by its URL: `http://proxy.example.com:8080`, with `user:password@` before the host where it wants
    /// them (percent-encoded). `http://` may be left out; the port is 80 where none is named.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidProxy`]. A proxy that was meant and can't be understood is never passed over.
    pub fn new(url: impl AsRef<str>) -> Result<Self, Error> {
        Self::parse(url.as_ref()).map_err(|reason| Error::InvalidProxy {
            origin: None,
            reason,
        })
    }

    /// With a user name and a password, sent with the Basic scheme (RFC 7617), in place of those in the URL.
    pub fn credentials(self, username: &str, password: &Passphrase) -> Self {
        Self {
            authorization: basic(username, password.as_str()),
            ..self
        }
    }

    /// Host and port, for example `proxy.example.com:8080`.
    pub fn authority(&self) -> &str {
        self.authority.as_str()
    }

    /// Where to connect to.
    pub(crate) fn uri(&self) -> Uri {
        let mut parts = uri::Parts::default();
        parts.scheme = Some(uri::Scheme::HTTP);
        parts.authority = Some(self.authority.clone());
        parts.path_and_query = Some(uri::PathAndQuery::from_static("/"));
        Uri::from_parts(parts).unwrap_or_default() // scheme, authority and path make a URI
    }

    pub(crate) fn authorization(&self) -> Option<&HeaderValue> {
        self.authorization.as_ref()
    }

    fn parse(text: &str) -> Result<Self, &'static str> {
        let text = text.trim();
        let url = if text.contains("://") {
            Url::parse(text)
        } else {
            Url::parse(&format!("http://{text}"))
        }
        .map_err(|_| "it is not a URL of the form http://host:port")?;
        match url.scheme() {
            "http" => {}
            "https" => return Err("a proxy that wants TLS itself is not supported, only http://"),
            scheme if scheme.starts_with("socks") => {
                return Err("a SOCKS proxy is not supported, only http://");
            }
            _ => return Err("the scheme is not http"),
        }
        if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
            return Err("a path, query or fragment has no place here");
        }
        let host = match url.host() {
            Some(Host::Domain(name)) => name.to_owned(),
            Some(Host::Ipv4(address)) => address.to_string(),
            Some(Host::Ipv6(address)) => format!("[{address}]"),
            None => return Err("there is no host"),
        };
        let port = match url.port_or_known_default() {
            Some(port @ 1..) => port,
            _ => return Err("the port is 0"),
        };
        let authority = format!("{host}:{port}")
            .parse()
            .map_err(|_| "the host is not a DNS name")?;
        let authorization = if url.username().is_empty() && url.password().is_none() {
            None
        } else {
            let decoded = |text| percent_decode_str(text).decode_utf8();
            let (Ok(username), Ok(password)) = (
                decoded(url.username()),
                decoded(url.password().unwrap_or_default()),
            ) else {
                return Err("the user name or password is not UTF-8");
            };
            basic(&username, &password)
        };
        Ok(Self {
            authority,
            authorization,
        })
    }
}

/// `None` can't happen: base64 is always fit for a header.
fn basic(username: &str, password: &str) -> Option<HeaderValue> {
    let pair = Zeroizing::new(format!("{username}:{password}"));
    let encoded = Zeroizing::new(BASE64_STANDARD.encode(pair.as_bytes()));
    let mut value = HeaderValue::from_str(&Zeroizing::new(format!("Basic {}", *encoded))).ok()?;
    value.set_sensitive(true);
    Some(value)
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.authority())
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proxy({}", self.authority)?;
        if self.authorization.is_some() {
            f.write_str(", [credentials elided]")?;
        }
        f.write_str(")")
    }
}

/// Where the proxy of an endpoint comes from.
#[derive(Debug, Clone, Default)]
pub(crate) enum ProxyChoice {
    /// What the environment says, as almost every HTTP client reads it.
    #[default]
    Environment,
    /// None, whatever the environment says.
    Direct,
    /// This one, whatever the environment says.
    Via(Proxy),
}

impl ProxyChoice {
    /// The proxy for a URL.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidProxy`] for one from the environment.
    pub(crate) fn resolve(&self, target: &Uri) -> Result<Option<Proxy>, Error> {
        match self {
            Self::Environment => in_environment(target, |name| {
                // What isn't Unicode isn't a proxy, and must not pass for an unset variable.
                std::env::var_os(name).map(|value| value.to_string_lossy().into_owned())
            }),
            Self::Direct => Ok(None),
            Self::Via(proxy) => Ok(Some(proxy.clone())),
        }
    }
}

/// The proxy that the environment names for an `https` URL: `HTTPS_PROXY` or else `ALL_PROXY`, in capitals or not,
/// unless `NO_PROXY` names the host. Hosts of the loopback interface have none: the proxy's are others.
fn in_environment(
    target: &Uri,
    lookup: impl Fn(&str) -> Option<String>,
) -> Result<Option<Proxy>, Error> {
    let set = |name: &&'static str| {
        lookup(name)
            .filter(|value| !value.trim().is_empty())
            .map(|value| (*name, value))
    };
    let Some((name, value)) = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"]
        .iter()
        .find_map(set)
    else {
        return Ok(None);
    };
    let host = target.host().unwrap_or_default().trim_end_matches('.');
    if is_loopback(host) {
        return Ok(None);
    }
    let exceptions = ["NO_PROXY", "no_proxy"].iter().find_map(set);
    let exceptions = exceptions.map_or_else(String::new, |(_, hosts)| hosts);
    // The matcher below takes the asterisk for names only, and not for addresses.
    if exceptions.split(',').any(|host| host.trim() == "*") {
        return Ok(None);
    }
    // Only whether it matches is asked for: a URL that it doesn't understand would mean "no proxy" to it.
    let matcher = Matcher::builder()
        .https("http://proxy.invalid")
        .no(exceptions)
        .build();
    let Ok(target) = format!("https://{host}").parse() else {
        return Ok(None);
    };
    if matcher.intercept(&target).is_none() {
        return Ok(None);
    }
    Proxy::parse(&value)
        .map(Some)
        .map_err(|reason| Error::InvalidProxy {
            origin: Some(name),
            reason,
        })
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || address
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(url: &str) -> &'static str {
        match Proxy::new(url) {
            Err(Error::InvalidProxy {
                origin: None,
                reason,
            }) => reason,
            other => panic!("{url}: {other:?}"),
        }
    }

    fn environment(variables: &[(&str, &str)], host: &str) -> Result<Option<String>, Error> {
        let target = format!("https://{host}").parse().unwrap();
        let lookup = |name: &str| {
            variables
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, value)| (*value).to_owned())
        };
        in_environment(&target, lookup).map(|proxy| proxy.map(|proxy| proxy.to_string()))
    }

    #[test]
    fn a_proxy_is_named_in_the_usual_ways() {
        for (url, authority, authorization) in [
            ("http://proxy.test:8080", "proxy.test:8080", None),
            ("proxy.test:8080", "proxy.test:8080", None),
            ("http://proxy.test/", "proxy.test:80", None),
            (" http://Proxy_1.test:3128 ", "proxy_1.test:3128", None),
            ("http://[::1]:8080", "[::1]:8080", None),
            ("10.0.0.1:8080", "10.0.0.1:8080", None),
            (
                "http://Aladdin:open%20sesame@proxy.test:8080",
                "proxy.test:8080",
                Some("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),
            ),
            ("me@proxy.test", "proxy.test:80", Some("Basic bWU6")),
        ] {
            let proxy = Proxy::new(url).unwrap();
            assert_eq!(proxy.authority(), authority, "{url}");
            let found = proxy.authorization().map(|value| value.to_str().unwrap());
            assert_eq!(found, authorization, "{url}");
        }
    }

    #[test]
    fn what_can_not_be_a_proxy_is_refused() {
        for (url, expected) in [
            ("", "it is not a URL of the form http://host:port"),
            ("http://", "it is not a URL of the form http://host:port"),
            ("http://a b", "it is not a URL of the form http://host:port"),
            (
                "proxy.test:99999",
                "it is not a URL of the form http://host:port",
            ),
            (
                "https://proxy.test",
                "a proxy that wants TLS itself is not supported, only http://",
            ),
            (
                "socks5h://proxy.test",
                "a SOCKS proxy is not supported, only http://",
            ),
            ("ftp://proxy.test", "the scheme is not http"),
            (
                "http://proxy.test/pac",
                "a path, query or fragment has no place here",
            ),
            ("http://proxy.test:0", "the port is 0"),
            (
                "http://me:%ff@proxy.test",
                "the user name or password is not UTF-8",
            ),
        ] {
            assert_eq!(reason(url), expected, "{url}");
        }
    }

    #[test]
    fn credentials_are_not_shown() {
        let proxy = Proxy::new("http://me:s3cret@proxy.test:8080").unwrap();
        assert_eq!(
            format!("{proxy:?} {proxy}"),
            "Proxy(proxy.test:8080, [credentials elided]) proxy.test:8080"
        );
        assert!(!format!("{:?}", proxy.authorization()).contains("czNjcmV0"));
        let other = Proxy::new("proxy.test:8080").unwrap();
        let given = other.credentials("me", &Passphrase::from("s3cret"));
        assert_eq!(given, proxy);
    }

    #[test]
    fn the_environment_names_a_proxy() {
        for (variables, expected) in [
            (&[][..], None),
            (&[("HTTPS_PROXY", "a.test:1")][..], Some("a.test:1")),
            (&[("https_proxy", "http://a.test:1")], Some("a.test:1")),
            (&[("ALL_PROXY", "a.test:1")], Some("a.test:1")),
            (
                &[("ALL_PROXY", "a.test:1"), ("HTTPS_PROXY", "b.test:2")],
                Some("b.test:2"),
            ),
            (&[("HTTP_PROXY", "a.test:1")], None),
            (&[("HTTPS_PROXY", "")], None),
        ] {
            let found = environment(variables, "pod.test").unwrap();
            assert_eq!(found.as_deref(), expected, "{variables:?}");
        }
    }

    #[test]
    fn no_proxy_names_the_exceptions() {
        for (exceptions, host, direct) in [
            ("pod.test", "pod.test", true),
            ("pod.test", "POD.test:8444", true),
            ("pod.test", "pod.test.:8444", true),
            ("pod.test", "a.pod.test", true),
            (".test", "pod.test", true),
            ("od.test", "pod.test", false),
            ("other.test, pod.test", "pod.test", true),
            ("*", "pod.test", true),
            ("*", "10.1.2.3:8444", true),
            ("a.test, *", "[2001:db8::1]:8444", true),
            ("*.test", "10.1.2.3", false),
            ("10.0.0.0/8", "10.1.2.3:8444", true),
            ("10.0.0.0/8", "11.1.2.3", false),
            ("fe80::/10", "[fe80::1]:8444", true),
            ("", "localhost:8444", true),
            ("", "127.0.0.2", true),
            ("", "[::1]:8444", true),
        ] {
            let variables = [("HTTPS_PROXY", "a.test:1"), ("NO_PROXY", exceptions)];
            let found = environment(&variables, host).unwrap();
            assert_eq!(found.is_none(), direct, "{exceptions} {host}");
        }
    }

    #[test]
    fn a_malformed_proxy_in_the_environment_is_an_error_and_not_a_direct_connection() {
        assert_eq!(
            environment(&[("https_proxy", "socks5://a.test")], "pod.test"),
            Err(Error::InvalidProxy {
                origin: Some("https_proxy"),
                reason: "a SOCKS proxy is not supported, only http://",
            })
        );
    }
}
