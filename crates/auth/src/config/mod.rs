//! The `config.yaml` of the official clients (the Symphony BDKs), read as it is.
//!
//! | key | meaning |
//! |---|---|
//! | `host`, `port` (443), `scheme` (https), `context` | where the services are, unless their sections say otherwise |
//! | `proxy.{host,port,username,password}` | the proxy before them |
//! | `connectionTimeout`, `readTimeout` | in milliseconds (15000, 60000); 0, no limit in Java, is taken for the default |
//! | `defaultHeaders` | added to every request |
//! | `pod`, `agent`, `keyManager`, `sessionAuth` | one service each, with the same keys, which they inherit |
//! | `bot.username` | the service user |
//! | `bot.certificate.{path,content,password}` | the identity: PKCS#12 or PEM; `content` is base64 |
//! | `ssl.trustStore.{path,content,password}` | roots to trust beside the platform's: PEM, DER, PKCS#12 or JKS |
//! | `retry.{maxAttempts,initialIntervalMillis,multiplier,maxIntervalMillis}` | the [`RetryPolicy`]; `maxAttempts: -1` is as many as fit before its deadline |
//!
//! `${NAME}` and `${NAME:-default}` are replaced from the environment, in values; braces around anything but a name stand as
//! they are. JSON is read too, being YAML. Older
//! spellings (`bot.certificatePath`, `ssl.trustStorePath`, ...) are understood. Every other key is [named](Notice).
//!
//! ```
//! let text = "
//! host: acme.symphony.com
//! sessionAuth: { host: acme-api.symphony.com, port: 8444 }
//! keyManager: { host: acme-api.symphony.com, port: 8444 }
//! bot:
//!   username: demo-bot1
//!   certificate: { path: demo-bot1.p12, password: '${P12_PASS}' }
//! datafeed: { version: v2 }
//! ";
//! let lookup = |name: &str| (name == "P12_PASS").then(|| "changeit".to_owned());
//! let config = auth::config::BdkConfig::parse(text, lookup)?;
//! assert_eq!(config.username(), Some("demo-bot1"));
//! assert_eq!(config.notices()[0].to_string(), "line 8: datafeed: not supported, and ignored");
//! # Ok::<(), auth::Error>(())
//! ```

mod yaml;
mod section;

use std::{
    fmt,
    path::{Path, PathBuf},
    time::Duration,
};

use base64::{Engine, prelude::BASE64_STANDARD};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use pki::Passphrase;
use zeroize::Zeroizing;

use self::section::{Section, problem};
use crate::{
    Client, ClientBuilder, Endpoints, Error, Identity, Proxy, RetryPolicy, TrustAnchors,
    channels::Links,
    file::read,
    proxy::ProxyChoice,
    transport::{KeepAlive, Link, Timeouts},
};

/// A configuration that was read. Passwords in it are elided in `Debug`.
#[derive(Debug)]
pub struct BdkConfig {
    endpoints: Endpoints,
    links: Links,
    username: Option<String>,
    certificate: Option<Material>,
    trust_store: Option<Material>,
    retry: RetryPolicy,
    notices: Vec<Notice>,
}

/// Something in the configuration that its author should know about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    line: usize,
    key: String,
    reason: &'static str,
}

impl Notice {
    /// The line, counted from one.
    pub fn line(&self) -> usize {
        self.line
    }

    /// The key, for example `datafeed` or `pod.connectionPoolMax`.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// What about it.
    pub fn reason(&self) -> &'static str {
        self.reason
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}: {}", self.line, self.key, self.reason)
    }
}

/// A file, or its content, and the passphrase that opens it.
#[derive(Debug)]
pub struct Material {
    place: Place,
    passphrase: Option<Passphrase>,
}

enum Place {
    File(PathBuf),
    Content(Zeroizing<Vec<u8>>),
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Content(_) => f.write_str("[content elided]"),
        }
    }
}

impl Material {
    /// The file, unless the content itself stands in the configuration.
    pub fn path(&self) -> Option<&Path> {
        match &self.place {
            Place::File(path) => Some(path),
            Place::Content(_) => None,
        }
    }

    /// The passphrase that opens it.
    pub fn passphrase(&self) -> Option<&Passphrase> {
        self.passphrase.as_ref()
    }

    /// The content, from the file if need be. A relative path starts at the current directory.
    ///
    /// # Errors
    ///
    /// [`Error::File`] when the file can't be read or is larger than 16 MiB.
    pub fn load(&self) -> Result<Zeroizing<Vec<u8>>, Error> {
        match &self.place {
            Place::File(path) => read(path, FILE_LIMIT),
            Place::Content(content) => Ok(content.clone()),
        }
    }
}

impl BdkConfig {
    /// Reads a file, with the variables of the environment.
    ///
    /// # Errors
    ///
    /// [`Error::File`], and those of [`BdkConfig::parse`].
    pub fn load(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let content = read(path, FILE_LIMIT)?;
        let text = std::str::from_utf8(&content).map_err(|_| problem(0, "", "not UTF-8"))?;
        Self::parse(text, |name| std::env::var(name).ok())
    }

    /// Reads a configuration; `lookup` gives the values of variables. No file is opened.
    ///
    /// # Errors
    ///
    /// [`Error::Configuration`] for what isn't YAML, for values of the wrong kind, for variables without a value and
    /// for hosts that are missing; [`Error::InvalidUrl`] and [`Error::InvalidProxy`].
    pub fn parse(text: &str, lookup: impl Fn(&str) -> Option<String>) -> Result<Self, Error> {
        let node = yaml::parse(text)
            .map_err(|yaml::Problem { line, reason }| problem(line, "", &reason))?;
        let mut notices = Vec::new();
        let mut top = Section::top(&node, &lookup)?;
        top.text("_version")?;

        let global = Service::read(&mut top, &mut notices)?;
        let mut service = |key| -> Result<Service, Error> {
            let mut section = top.section(key)?;
            let service = Service::read(&mut section, &mut notices)?.or(&global);
            section.finish(&mut notices);
            Ok(service)
        };
        let pod = service("pod")?;
        let agent = service("agent")?;
        let key_manager = service("keyManager")?;
        let session_auth = service("sessionAuth")?;

        let mut bot = top.section("bot")?;
        let username = bot.text("username")?;
        let certificate = material(
            &mut bot,
            "certificate",
            [
                "certificatePath",
                "certificateContent",
                "certificatePassword",
            ],
        )?;
        for key in ["privateKey", "privateKeyPath", "privateKeyContent"] {
            if bot.has(key) {
                notices.push(Notice {
                    line: bot.line_of(key),
                    key: bot.key(key),
                    reason: "RSA authentication, which is another way than by certificate; ignored",
                });
            }
        }
        bot.finish(&mut notices);

        let mut ssl = top.section("ssl")?;
        let trust_store = material(
            &mut ssl,
            "trustStore",
            ["trustStorePath", "trustStoreContent", "trustStorePassword"],
        )?;
        ssl.finish(&mut notices);

        let retry = retry_policy(&mut top, &mut notices)?;
        top.finish(&mut notices);
        notices.sort_by_key(|notice| notice.line);

        let mut endpoints = Endpoints::new(pod.url("pod")?, key_manager.url("keyManager")?)?;
        if session_auth.url("sessionAuth")? != pod.url("pod")? {
            endpoints = endpoints.session_auth(session_auth.url("sessionAuth")?)?;
        }
        if agent.host.is_some() {
            endpoints = endpoints.agent(agent.url("agent")?)?;
        }
        Ok(Self {
            endpoints,
            links: Links {
                session_auth: session_auth.link(),
                pod: pod.link(),
                key_manager: key_manager.link(),
                agent: agent.link(),
            },
            username,
            certificate,
            trust_store,
            retry,
            notices,
        })
    }

    /// Where the services are.
    pub fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    pub(crate) fn links(&self) -> &Links {
        &self.links
    }

    /// The service user, `bot.username`.
    pub fn username(&self) -> Option<&str> {
        self.username.as_deref()
    }

    /// `bot.certificate`
    pub fn certificate(&self) -> Option<&Material> {
        self.certificate.as_ref()
    }

    /// `ssl.trustStore`
    pub fn trust_store(&self) -> Option<&Material> {
        self.trust_store.as_ref()
    }

    /// What was ignored, in the order of the file.
    pub fn notices(&self) -> &[Notice] {
        &self.notices
    }

    /// Opens `bot.certificate`.
    ///
    /// # Errors
    ///
    /// [`Error::Configuration`] if there is none; [`Error::File`]; those of [`Identity::read`].
    pub fn identity(&self) -> Result<Identity, Error> {
        let material = self
            .certificate
            .as_ref()
            .ok_or_else(|| problem(0, "bot.certificate", "missing"))?;
        Identity::read(&material.load()?, material.passphrase())
    }

    /// The roots in `ssl.trustStore` beside the platform's, or the platform's alone.
    ///
    /// # Errors
    ///
    /// [`Error::File`]; those of [`TrustAnchors::read`] and [`TrustAnchors::platform`].
    pub fn trust_anchors(&self) -> Result<TrustAnchors, Error> {
        match &self.trust_store {
            None => TrustAnchors::platform(),
            Some(material) => {
                let name = material.path().map_or_else(
                    || "ssl.trustStore.content".to_owned(),
                    |path| path.display().to_string(),
                );
                let anchors = TrustAnchors::read(name, &material.load()?, material.passphrase())?;
                Ok(anchors.and_platform())
            }
        }
    }

    /// A client as this configuration wants it, with its [trust anchors](BdkConfig::trust_anchors).
    ///
    /// # Errors
    ///
    /// Those of [`BdkConfig::trust_anchors`].
    pub fn client(&self, identity: Identity) -> Result<ClientBuilder, Error> {
        Ok(Client::builder(self.endpoints.clone(), identity)
            .trust(self.trust_anchors()?)
            .links(self.links.clone())
            .retry(self.retry.clone()))
    }
}

impl Client {
    /// A client as the `config.yaml` of an official client wants it: endpoints, proxies, time limits, retries,
    /// `bot.certificate` and `ssl.trustStore`. What the configuration says in vain is logged as a warning; the longer way,
    /// by [`BdkConfig::load`], gives these [notices](BdkConfig::notices), and a [builder](BdkConfig::client).
    ///
    /// ```no_run
    /// # async fn bot() -> Result<(), auth::Error> {
    /// let client = auth::Client::from_config("config.yaml")?;
    /// let session = client.session().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`BdkConfig::load`], [`BdkConfig::identity`], [`BdkConfig::trust_anchors`] and
    /// [`ClientBuilder::build`].
    pub fn from_config(path: impl AsRef<Path>) -> Result<Self, Error> {
        let config = BdkConfig::load(path)?;
        for notice in config.notices() {
            tracing::warn!("configuration, {notice}");
        }
        config.client(config.identity()?)?.build()
    }
}

/// How one service is reached.
#[derive(Clone, Default)]
struct Service {
    scheme: Option<String>,
    host: Option<String>,
    port: Option<u16>,
    context: Option<String>,
    proxy: Option<Proxy>,
    connection_timeout: Option<u64>,
    read_timeout: Option<u64>,
    headers: Option<HeaderMap>,
}

impl Service {
    fn read(section: &mut Section<'_>, notices: &mut Vec<Notice>) -> Result<Self, Error> {
        let mut limit = |key| -> Result<Option<u64>, Error> {
            let milliseconds = section.number(key)?;
            Ok(milliseconds.filter(|number| *number > 0))
        };
        let (connection_timeout, read_timeout) =
            (limit("connectionTimeout")?, limit("readTimeout")?);
        Ok(Self {
            scheme: section.text("scheme")?,
            host: section.text("host")?,
            port: section.number("port")?,
            context: section.text("context")?,
            proxy: proxy(section, notices)?,
            connection_timeout,
            read_timeout,
            headers: headers(section, notices)?,
        })
    }

    fn or(self, global: &Self) -> Self {
        let global = global.clone();
        Self {
            scheme: self.scheme.or(global.scheme),
            host: self.host.or(global.host),
            port: self.port.or(global.port),
            context: self.context.or(global.context),
            proxy: self.proxy.or(global.proxy),
            connection_timeout: self.connection_timeout.or(global.connection_timeout),
            read_timeout: self.read_timeout.or(global.read_timeout),
            headers: self.headers.or(global.headers),
        }
    }

    fn url(&self, key: &str) -> Result<String, Error> {
        let Some(host) = self.host.as_deref().map(str::trim) else {
            return Err(problem(0, &format!("{key}.host"), "missing"));
        };
        let scheme = self.scheme.as_deref().unwrap_or("https");
        let port = self.port.unwrap_or(443);
        let context = self.context.as_deref().unwrap_or_default();
        let slash = if context.is_empty() || context.starts_with('/') {
            ""
        } else {
            "/"
        };
        Ok(format!("{scheme}://{host}:{port}{slash}{context}"))
    }

    fn link(&self) -> Link {
        let defaults = Timeouts::default();
        let limit = |millis: Option<u64>, default| millis.map_or(default, Duration::from_millis);
        let connect = limit(self.connection_timeout, defaults.connect);
        let read = limit(self.read_timeout, defaults.read);
        Link {
            proxy: self
                .proxy
                .clone()
                .map_or_else(ProxyChoice::default, ProxyChoice::Via),
            timeouts: Timeouts {
                connect,
                read,
                total: defaults.total.max(connect.saturating_add(read)),
            },
            keep_alive: KeepAlive::default(),
            headers: self.headers.clone().unwrap_or_default(),
        }
    }
}

fn proxy(section: &mut Section<'_>, notices: &mut Vec<Notice>) -> Result<Option<Proxy>, Error> {
    let mut proxy = section.section("proxy")?;
    if proxy.is_empty() {
        return Ok(None);
    }
    let Some(host) = proxy.text("host")? else {
        return Err(proxy.problem("host", "missing"));
    };
    let port = proxy.number::<u16>("port")?.unwrap_or(80);
    let username = proxy.text("username")?;
    let password = proxy.secret("password")?;
    if username.is_none() && password.is_some() {
        return Err(proxy.problem("password", "given without `username`"));
    }
    let password = password.map_or_else(|| Passphrase::from(""), passphrase);
    proxy.finish(notices);
    let found = Proxy::new(format!("http://{}:{port}", host.trim()))?;
    Ok(Some(match username {
        Some(username) => found.credentials(&username, &password),
        None => found,
    }))
}

fn headers(
    section: &mut Section<'_>,
    notices: &mut Vec<Notice>,
) -> Result<Option<HeaderMap>, Error> {
    const KEY: &str = "defaultHeaders";
    let texts = section.texts(KEY)?;
    if texts.is_empty() {
        return Ok(None);
    }
    let mut headers = HeaderMap::new();
    for (name, value) in texts {
        let (Ok(parsed), Ok(mut value)) = (
            HeaderName::try_from(name),
            HeaderValue::try_from(value.trim()),
        ) else {
            return Err(section.problem(KEY, "not a header that HTTP can carry"));
        };
        if OF_THE_CONNECTION.contains(&parsed) || parsed.as_str() == "keep-alive" {
            notices.push(Notice {
                line: section.line_of(KEY),
                key: section.key(&format!("{KEY}.{name}")),
                reason: "set by the client itself, and ignored",
            });
        } else {
            value.set_sensitive(true);
            headers.insert(parsed, value);
        }
    }
    Ok(Some(headers))
}

/// Headers about the connection or the body, which HTTP/2 forbids or which would be wrong for most requests.
const OF_THE_CONNECTION: [HeaderName; 7] = [
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::CONTENT_TYPE,
    header::HOST,
    header::TE,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// `{path, content, password}`, or its older spelling.
fn material(
    section: &mut Section<'_>,
    key: &'static str,
    [old_path, old_content, old_password]: [&'static str; 3],
) -> Result<Option<Material>, Error> {
    let mut own = section.section(key)?;
    let (path, content, password) = if own.is_empty() {
        (
            section.text(old_path)?,
            section.secret(old_content)?,
            section.secret(old_password)?,
        )
    } else {
        (
            own.text("path")?,
            own.secret("content")?,
            own.secret("password")?,
        )
    };
    let place = match (path, content) {
        (Some(_), Some(_)) => return Err(own.problem("content", "given beside `path`")),
        (Some(path), None) => Place::File(path.into()),
        (None, Some(content)) => {
            let compact: Zeroizing<String> = Zeroizing::new(content.split_whitespace().collect());
            match BASE64_STANDARD.decode(compact.as_bytes()) {
                Ok(decoded) => Place::Content(Zeroizing::new(decoded)),
                // PEM is its own armour.
                Err(_) if content.contains("-----BEGIN ") => {
                    Place::Content(Zeroizing::new(content.as_bytes().to_vec()))
                }
                Err(_) => return Err(own.problem("content", "neither base64 nor PEM")),
            }
        }
        (None, None) => return Ok(None),
    };
    Ok(Some(Material {
        place,
        passphrase: password.map(passphrase),
    }))
}

fn passphrase(mut text: Zeroizing<String>) -> Passphrase {
    Passphrase::new(std::mem::take(&mut *text))
}

fn retry_policy(top: &mut Section<'_>, notices: &mut Vec<Notice>) -> Result<RetryPolicy, Error> {
    let mut section = top.section("retry")?;
    let mut policy = RetryPolicy::default();
    match section.number::<i64>("maxAttempts")? {
        None => {}
        // This is how the official clients say "without end".
        Some(-1) => policy = policy.attempts(u32::MAX),
        Some(attempts) => {
            let attempts = u32::try_from(attempts)
                .map_err(|_| section.problem("maxAttempts", "a number is expected"))?;
            policy = policy.attempts(attempts);
        }
    }
    if let Some(millis) = section.number("initialIntervalMillis")? {
        policy = policy.first_pause(Duration::from_millis(millis));
    }
    if let Some(multiplier) = section.number::<f64>("multiplier")? {
        if !(1.0..=f64::MAX).contains(&multiplier) {
            return Err(section.problem("multiplier", "a number of at least 1 is expected"));
        }
        policy = policy.multiplier(multiplier);
    }
    if let Some(millis) = section.number("maxIntervalMillis")? {
        policy = policy.longest_pause(Duration::from_millis(millis));
    }
    section.finish(notices);
    Ok(policy)
}

/// In octets.
const FILE_LIMIT: u64 = 16 << 20;

#[cfg(test)]
mod tests;
