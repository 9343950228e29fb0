use http::{Uri, uri};
use percent_encoding::percent_decode_str;
use rustls::pki_types::ServerName;
use url::{Host, Url};

use crate::{Endpoint, Error, Peer};

/// Where the services are.
///
/// A URL has scheme, host, an optional port (443 if there is none) and an optional context path, which is kept:
/// `https://acme.symphony.com:8444/context` is called at `/context/sessionauth/v1/authenticate`. A trailing slash
/// doesn't matter.
///
/// ```
/// let endpoints = auth::Endpoints::new("https://acme.symphony.com:8444", "https://km.acme.com:8444/keys")?
///     .agent("https://agent.acme.com")?;
/// assert_eq!(endpoints.key_manager_url(), "https://km.acme.com:8444/keys");
/// # Ok::<(), auth::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "it is not changed in place, and does nothing until a client is built with it"]
pub struct Endpoints {
    /// Where session tokens are given, if not at `pod`.
    pub(crate) session_auth: Option<Base>,
    pub(crate) pod: Base,
    pub(crate) key_manager: Base,
    pub(crate) agent: Option<Base>,
}

impl Endpoints {
    /// The two services that authenticate, by the URLs of the ports that ask for a client certificate (typically
    /// 8444). Text and [`url::Url`] are both fine.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidUrl`] if a URL isn't absolute, isn't `https`, or has a user name, a query or a fragment.
    pub fn new(pod: impl AsRef<str>, key_manager: impl AsRef<str>) -> Result<Self, Error> {
        Ok(Self {
            pod: Base::parse(Endpoint::Pod, pod.as_ref())?,
            key_manager: Base::parse(Endpoint::KeyManager, key_manager.as_ref())?,
            session_auth: None,
            agent: None,
        })
    }

    /// Where the Pod gives session tokens, if that isn't where it answers other calls: some Pods ask for a client
    /// certificate on a host or port of its own, and answer everything else at `acme.symphony.com:443`. Authentication
    /// and logout go there.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidUrl`], as for [`Endpoints::new`].
    pub fn session_auth(self, url: impl AsRef<str>) -> Result<Self, Error> {
        Ok(Self {
            session_auth: Some(Base::parse(Endpoint::SessionAuth, url.as_ref())?),
            ..self
        })
    }

    /// Adds the Agent, which takes both tokens. Without it, a call to the Agent is [`Error::EndpointNotConfigured`].
    ///
    /// # Errors
    ///
    /// [`Error::InvalidUrl`], as for [`Endpoints::new`].
    pub fn agent(self, url: impl AsRef<str>) -> Result<Self, Error> {
        Ok(Self {
            agent: Some(Base::parse(Endpoint::Agent, url.as_ref())?),
            ..self
        })
    }

    /// The URL of the Pod, without a slash at the end.
    pub fn pod_url(&self) -> String {
        self.pod.url()
    }

    /// The URL of the Key Manager, without a slash at the end.
    pub fn key_manager_url(&self) -> String {
        self.key_manager.url()
    }

    /// The service that a URL belongs to.
    ///
    /// Services may share a host, and even a context: then the first segment of the path tells them apart.
    pub(crate) fn owner_of(&self, target: &Uri) -> Option<Endpoint> {
        if has_dot_segments(target.path()) {
            return None;
        }
        let mut here: Vec<(Endpoint, &Base, &str)> = [
            (Endpoint::Pod, Some(&self.pod)),
            (Endpoint::KeyManager, Some(&self.key_manager)),
            (Endpoint::Agent, self.agent.as_ref()),
            (Endpoint::SessionAuth, self.session_auth.as_ref()),
        ]
        .into_iter()
        .filter_map(|(endpoint, base)| Some((endpoint, base?, base?.path_within(target)?)))
        .collect();
        // The longest context is the closest.
        let longest = here.iter().map(|(_, base, _)| base.context.len()).max()?;
        here.retain(|(_, base, _)| base.context.len() == longest);
        match here.as_slice() {
            [(endpoint, ..)] => Some(*endpoint),
            several => {
                let (_, _, path) = several.first()?;
                let by_path = match path.split('/').nth(1) {
                    Some("agent") => [Endpoint::Agent; 2],
                    Some("keyauth" | "relay") => [Endpoint::KeyManager; 2],
                    Some("sessionauth") => [Endpoint::SessionAuth, Endpoint::Pod],
                    _ => [Endpoint::Pod, Endpoint::SessionAuth],
                };
                let is_here = |wanted: &Endpoint| several.iter().any(|(here, ..)| here == wanted);
                by_path.into_iter().find(is_here)
            }
        }
    }
}

/// A checked URL that paths are appended to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Base {
    peer: Peer,
    authority: uri::Authority,
    /// Starts with a slash and doesn't end with one, or is empty.
    context: String,
}

impl Base {
    fn parse(endpoint: Endpoint, text: &str) -> Result<Self, Error> {
        let invalid = |reason| Error::InvalidUrl { endpoint, reason };

        let url = Url::parse(text.trim()).map_err(|_| invalid("not an absolute URL"))?;
        if url.scheme() != "https" {
            return Err(invalid("the scheme is not https"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(invalid("a user name or password has no place here"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(invalid("a query or fragment has no place here"));
        }
        let host = match url.host() {
            Some(Host::Domain(name)) => {
                // Otherwise the certificate's names couldn't be checked against it.
                ServerName::try_from(name).map_err(|_| invalid("the host is not a DNS name"))?;
                name.to_owned()
            }
            Some(Host::Ipv4(address)) => address.to_string(),
            Some(Host::Ipv6(address)) => format!("[{address}]"),
            None => return Err(invalid("there is no host")),
        };
        let authority = match url.port() {
            Some(0) => return Err(invalid("the port is 0")),
            Some(port) => format!("{host}:{port}"),
            None => host.clone(),
        };
        Ok(Self {
            peer: Peer::new(
                endpoint,
                format!("{host}:{}", url.port().unwrap_or(HTTPS_PORT)),
            ),
            authority: authority
                .parse()
                .map_err(|_| invalid("the host is not a DNS name"))?,
            context: url.path().trim_end_matches('/').to_owned(),
        })
    }

    fn url(&self) -> String {
        format!("https://{}{}", self.authority, self.context)
    }

    /// Scheme, host and port.
    pub(crate) fn origin(&self) -> Uri {
        let mut parts = uri::Parts::default();
        parts.scheme = Some(uri::Scheme::HTTPS);
        parts.authority = Some(self.authority.clone());
        parts.path_and_query = Some(uri::PathAndQuery::from_static("/"));
        Uri::from_parts(parts).unwrap_or_default() // scheme, authority and path make a URI
    }

    pub(crate) fn peer(&self) -> &Peer {
        &self.peer
    }

    /// The URL of a request: a path is appended to the context, an absolute URL must be within it.
    pub(crate) fn resolve(&self, target: &Uri) -> Result<Uri, Error> {
        let path_and_query = target.path_and_query().map_or("/", |path| path.as_str());
        let foreign = || Error::ForeignUrl {
            peer: self.peer.clone(),
            found: without_credentials(target),
        };
        if has_dot_segments(target.path()) {
            return Err(Error::InvalidPath {
                peer: self.peer.clone(),
                reason: "its path has dot segments",
            });
        }
        let path_and_query = match (target.scheme(), target.authority()) {
            (None, None) if path_and_query.starts_with('/') => {
                format!("{}{path_and_query}", self.context)
            }
            (Some(_), Some(_)) if self.path_within(target).is_some() => path_and_query.to_owned(),
            _ => return Err(foreign()),
        };
        Uri::builder()
            .scheme(uri::Scheme::HTTPS)
            .authority(self.authority.clone())
            .path_and_query(path_and_query)
            .build()
            .map_err(|_| foreign())
    }

    /// The path of a URL of this very endpoint, without the context.
    fn path_within<'u>(&self, target: &'u Uri) -> Option<&'u str> {
        let (scheme, authority) = (target.scheme()?, target.authority()?);
        let rest = target.path().strip_prefix(self.context.as_str())?;
        let whole_segments = rest.is_empty() || rest.starts_with('/');
        (whole_segments && self.is_origin(scheme, authority)).then_some(rest)
    }

    fn is_origin(&self, scheme: &uri::Scheme, authority: &uri::Authority) -> bool {
        *scheme == uri::Scheme::HTTPS
            && !authority.as_str().contains('@')
            && authority.host().eq_ignore_ascii_case(self.authority.host())
            && authority.port_u16().unwrap_or(HTTPS_PORT)
                == self.authority.port_u16().unwrap_or(HTTPS_PORT)
    }
}

/// Whether a server could take a path to lead upwards (RFC 3986, section 5.2.4), and with it the tokens to another service
/// on its host. Servers differ in what they decode, in what they take for a slash, and whether a segment ends at a
/// semicolon.
fn has_dot_segments(path: &str) -> bool {
    let decoded = percent_decode_str(path).decode_utf8_lossy();
    let twice = percent_decode_str(&decoded).decode_utf8_lossy();
    [path, &decoded, &twice].iter().any(|path| {
        path.split(['/', '\\'])
            .filter_map(|segment| segment.split(';').next())
            .any(|segment| matches!(segment, "." | ".."))
    })
}

/// Scheme, host and port, or the path where there is none: what stands before an `@` may be a password.
pub(crate) fn without_credentials(target: &Uri) -> String {
    let scheme = target
        .scheme()
        .map_or_else(String::new, |scheme| format!("{scheme}://"));
    let port = target
        .port()
        .map_or_else(String::new, |port| format!(":{port}"));
    match target.host() {
        Some(host) => format!("{scheme}{host}{port}"),
        None => target.path().to_owned(),
    }
}

const HTTPS_PORT: u16 = 443;

#[cfg(test)]
mod tests {
    use super::*;

    fn base(url: &str) -> Base {
        Base::parse(Endpoint::Pod, url).unwrap()
    }

    fn resolved(url: &str, target: &str) -> String {
        base(url)
            .resolve(&target.parse().unwrap())
            .unwrap()
            .to_string()
    }

    #[test]
    fn urls_are_told_without_a_slash_at_the_end() {
        let endpoints = Endpoints::new("https://pod.test:8444/a/", "https://km.test").unwrap();
        assert_eq!(endpoints.pod_url(), "https://pod.test:8444/a");
        assert_eq!(endpoints.key_manager_url(), "https://km.test");
    }

    #[test]
    fn paths_are_appended_to_the_context() {
        let path = "/sessionauth/v1/authenticate";
        for (url, expected) in [
            (
                "https://pod.test",
                "https://pod.test/sessionauth/v1/authenticate",
            ),
            (
                "https://pod.test:8444/",
                "https://pod.test:8444/sessionauth/v1/authenticate",
            ),
            (
                "https://pod.test/ctx/",
                "https://pod.test/ctx/sessionauth/v1/authenticate",
            ),
            (
                "HTTPS://POD.test/a/b",
                "https://pod.test/a/b/sessionauth/v1/authenticate",
            ),
            (
                "https://[::1]:8444",
                "https://[::1]:8444/sessionauth/v1/authenticate",
            ),
            (
                "https://bot_pod.test",
                "https://bot_pod.test/sessionauth/v1/authenticate",
            ),
        ] {
            assert_eq!(resolved(url, path), expected, "{url}");
        }
    }

    #[test]
    fn a_url_has_one_owner_or_none() {
        let apart = Endpoints::new("https://pod.test:8444/ctx", "https://km.test:8444")
            .unwrap()
            .agent("https://agent.test")
            .unwrap();
        let together = Endpoints::new("https://acme.test", "https://acme.test")
            .unwrap()
            .agent("https://acme.test:443")
            .unwrap();
        let nested = Endpoints::new("https://acme.test", "https://acme.test/km").unwrap();
        for (endpoints, url, owner) in [
            (
                &apart,
                "https://pod.test:8444/ctx/pod/v2/sessioninfo",
                Some(Endpoint::Pod),
            ),
            (&apart, "https://POD.test:8444/ctx", Some(Endpoint::Pod)),
            (
                &apart,
                "https://km.test:8444/relay/x",
                Some(Endpoint::KeyManager),
            ),
            (
                &apart,
                "https://agent.test/agent/v1/util/echo",
                Some(Endpoint::Agent),
            ),
            (
                &apart,
                "https://agent.test:443/anything",
                Some(Endpoint::Agent),
            ),
            (
                &together,
                "https://acme.test/agent/v1/util/echo",
                Some(Endpoint::Agent),
            ),
            (
                &together,
                "https://acme.test/relay/keys",
                Some(Endpoint::KeyManager),
            ),
            (
                &together,
                "https://acme.test/keyauth/v1/logout",
                Some(Endpoint::KeyManager),
            ),
            (
                &together,
                "https://acme.test/pod/v2/sessioninfo",
                Some(Endpoint::Pod),
            ),
            (&together, "https://acme.test/agents", Some(Endpoint::Pod)),
            (
                &nested,
                "https://acme.test/km/relay/keys",
                Some(Endpoint::KeyManager),
            ),
            (&nested, "https://acme.test/kmx", Some(Endpoint::Pod)),
            (&apart, "https://pod.test:8444/ctxx/pod", None),
            (&apart, "https://pod.test:8444/", None),
            (&apart, "https://pod.test/ctx/pod", None),
            (&apart, "http://pod.test:8444/ctx/pod", None),
            (&apart, "https://me@pod.test:8444/ctx/pod", None),
            (&apart, "https://pod.test:8444@evil.test/ctx/pod", None),
            (&apart, "https://pod.test.evil.test:8444/ctx/pod", None),
            (&apart, "/ctx/pod", None),
        ] {
            assert_eq!(endpoints.owner_of(&url.parse().unwrap()), owner, "{url}");
        }
    }

    #[test]
    fn the_session_auth_base_owns_its_urls() {
        let endpoints = |session_auth| {
            let endpoints = Endpoints::new("https://acme.test", "https://km.test").unwrap();
            endpoints.session_auth(session_auth).unwrap()
        };
        let owner = |endpoints: &Endpoints, url: &str| endpoints.owner_of(&url.parse().unwrap());
        let apart = endpoints("https://api.test:8444");
        let url = "https://api.test:8444/sessionauth/v1/app/authenticate";
        assert_eq!(owner(&apart, url), Some(Endpoint::SessionAuth));
        let url = "https://acme.test/sessionauth/v1/app/authenticate";
        assert_eq!(owner(&apart, url), Some(Endpoint::Pod));
        let shared = Endpoints::new("https://acme.test", "https://acme.test").unwrap();
        assert_eq!(owner(&shared, url), Some(Endpoint::Pod));
        let together = endpoints("https://acme.test:443");
        assert_eq!(owner(&together, url), Some(Endpoint::SessionAuth));
        let url = "https://acme.test/pod/v2/sessioninfo";
        assert_eq!(owner(&together, url), Some(Endpoint::Pod));
    }

    #[test]
    fn paths_do_not_lead_upwards() {
        let pod = base("https://pod.test/ctx");
        let owners = Endpoints::new("https://pod.test/ctx", "https://km.test").unwrap();
        for path in [
            "/..",
            "/../admin",
            "/a/../../admin",
            "/./a",
            "/a/.",
            "/%2e%2e/admin",
            "/.%2E/admin",
            "/%252e%252e/admin",
            "/a%2f..%2fadmin",
            "/..%5cadmin",
            "/..;x=1/admin",
            "/%2e%2e%3b/admin",
        ] {
            assert_eq!(
                pod.resolve(&path.parse().unwrap()).unwrap_err(),
                Error::InvalidPath {
                    peer: Peer::new(Endpoint::Pod, "pod.test:443"),
                    reason: "its path has dot segments"
                },
                "{path}"
            );
            let url = format!("https://pod.test/ctx{path}").parse().unwrap();
            assert!(pod.resolve(&url).is_err(), "{path}");
            assert_eq!(owners.owner_of(&url), None, "{path}");
        }
        for path in ["/a..b", "/...", "/.well-known/x", "/a?b=/../c", "/a;.."] {
            let resolved = pod.resolve(&path.parse().unwrap()).unwrap();
            assert_eq!(resolved, *format!("https://pod.test/ctx{path}"));
        }
    }

    #[test]
    fn a_query_survives() {
        assert_eq!(
            resolved("https://pod.test/ctx", "/pod/v2/user?email=a%40b"),
            "https://pod.test/ctx/pod/v2/user?email=a%40b"
        );
    }

    #[test]
    fn an_absolute_url_within_the_context_is_taken_as_it_is() {
        assert_eq!(
            resolved("https://pod.test/ctx", "https://POD.test:443/ctx/other?a"),
            "https://pod.test/ctx/other?a"
        );
    }

    #[test]
    fn an_absolute_url_outside_the_context_is_refused() {
        let pod = base("https://pod.test/ctx");
        for target in ["https://pod.test/other", "https://pod.test/ctxother"] {
            let error = pod.resolve(&target.parse().unwrap()).unwrap_err();
            assert!(matches!(error, Error::ForeignUrl { .. }), "{error:?}");
        }
    }

    #[test]
    fn an_absolute_url_of_another_origin_is_refused_without_its_password() {
        let pod = base("https://pod.test:8444");
        for (target, expected) in [
            ("https://evil.test:8444/x", "https://evil.test:8444"),
            ("https://pod.test/x", "https://pod.test"),
            ("http://pod.test:8444/x", "http://pod.test:8444"),
            ("https://me:secret@pod.test:8444/x", "https://pod.test:8444"),
            ("https://pod.test:8444@evil.test/x", "https://evil.test"),
            ("pod.test:8444", "pod.test:8444"),
            ("*", "*"),
        ] {
            let error = pod.resolve(&target.parse().unwrap()).unwrap_err();
            assert_eq!(
                error,
                Error::ForeignUrl {
                    peer: Peer::new(Endpoint::Pod, "pod.test:8444"),
                    found: expected.to_owned()
                },
                "{target}"
            );
        }
    }

    #[test]
    fn what_can_not_be_an_endpoint_is_refused() {
        for (url, reason) in [
            ("pod.test", "not an absolute URL"),
            ("", "not an absolute URL"),
            ("http://pod.test", "the scheme is not https"),
            ("ftp://pod.test", "the scheme is not https"),
            (
                "https://me@pod.test",
                "a user name or password has no place here",
            ),
            (
                "https://me:pw@pod.test",
                "a user name or password has no place here",
            ),
            (
                "https://pod.test/?a=b",
                "a query or fragment has no place here",
            ),
            (
                "https://pod.test/#top",
                "a query or fragment has no place here",
            ),
            ("https://pod.test:0", "the port is 0"),
            ("https://a..b/", "the host is not a DNS name"),
        ] {
            assert_eq!(
                Endpoints::new(url, "https://km.test"),
                Err(Error::InvalidUrl {
                    endpoint: Endpoint::Pod,
                    reason
                }),
                "{url}"
            );
        }
    }

    #[test]
    fn the_error_names_the_url_that_is_wrong() {
        assert_eq!(
            Endpoints::new("https://pod.test", "http://km.test"),
            Err(Error::InvalidUrl {
                endpoint: Endpoint::KeyManager,
                reason: "the scheme is not https"
            })
        );
    }
}
