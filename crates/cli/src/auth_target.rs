//! What the commands of `auth` have in common: who authenticates, where, and by which way.

use std::{borrow::Cow, path::PathBuf, time::Duration};

use auth::{Client, ClientBuilder, Endpoints, Identity, Proxy, TrustAnchors, config::BdkConfig};
use pki::Passphrase;
use tracing::Level;
use zeroize::Zeroizing;

use crate::{
    error::{Context, Error},
    file_name::InputName,
    input, log,
    passphrase::{Flag, Source, SourceParser},
    ui,
};

/// The usage of a command, which says where it authenticates in one of two ways; and what comes after them.
pub(crate) fn usage(command: &str, after: &str) -> String {
    format!(
        "{command} [OPTIONS] --p12 <FILE> --pod <URL> --key-manager <URL>\n       \
         {command} [OPTIONS] --config <FILE>{after}"
    )
}

#[derive(Debug, clap::Args)]
pub(crate) struct AuthTarget {
    /// The bot's PKCS#12 bundle, or PEM with its key and certificates
    #[arg(long, value_name = "FILE", required_unless_present = "config")]
    p12: Option<PathBuf>,

    /// The Pod, at its API port (usually 8444)
    #[arg(long, value_name = "URL", required_unless_present = "config")]
    pod: Option<String>,

    /// The Key Manager, at its API port (usually 8444)
    #[arg(long, value_name = "URL", required_unless_present = "config")]
    key_manager: Option<String>,

    /// Instead of --pod, --key-manager and --agent, the config.yaml of an official client (BDK), which names services, proxy, identity
    /// and trust store
    #[arg(long, value_name = "FILE", conflicts_with_all = ["pod", "key_manager", "agent"])]
    config: Option<PathBuf>,

    /// Passphrase of the bundle
    #[arg(long, value_name = "SRC", value_parser = SourceParser)]
    passin: Option<Source>,

    /// The Agent
    #[arg(long, value_name = "URL")]
    agent: Option<String>,

    /// Root certificates to trust beside the platform's: PEM, DER, PKCS#12 or JKS
    #[arg(long, value_name = "FILE")]
    trust: Option<PathBuf>,

    /// The passphrase of that file
    #[arg(long, value_name = "SRC", value_parser = SourceParser)]
    trust_passin: Option<Source>,

    /// The HTTP proxy to go through, `http://[USER:PASSWORD@]HOST:PORT` [default: HTTPS_PROXY or ALL_PROXY in the
    /// environment, unless NO_PROXY names the host; never for localhost]
    #[arg(long, value_name = "URL")]
    proxy: Option<String>,

    /// Use no proxy, whatever the environment or the configuration says
    #[arg(long, conflicts_with = "proxy")]
    no_proxy: bool,

    /// How long one call may take, from connecting to the last octet of the answer [default: 15 to connect, 60 without a
    /// word, 120 altogether]
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    timeout: Option<u64>,

    /// Tell what happens on the way
    #[arg(long, short)]
    verbose: bool,
}

impl AuthTarget {
    /// The configuration file, if one was named.
    ///
    /// # Errors
    ///
    /// [`Error`] when it can't be read.
    pub(crate) fn config(&self) -> Result<Option<BdkConfig>, Error> {
        self.config
            .as_ref()
            .map(|path| BdkConfig::load(path).about(InputName(path)))
            .transpose()
    }

    /// How long one call may take, if that was said.
    pub(crate) fn timeout(&self) -> Option<Duration> {
        self.timeout.map(Duration::from_secs)
    }

    /// Has what happens told from now on: all of it, if that was asked for, or why one waits.
    pub(crate) fn tell(&self) {
        match self.verbose {
            true => log::print("auth", Level::DEBUG),
            false => log::print("auth::login", Level::WARN),
        }
    }

    /// Where the services are.
    ///
    /// # Errors
    ///
    /// [`Error`] for a URL that can't be called.
    pub(crate) fn endpoints(&self, config: Option<&BdkConfig>) -> Result<Endpoints, Error> {
        if let Some(config) = config {
            return Ok(config.endpoints().clone());
        }
        let [pod, key_manager] =
            [&self.pod, &self.key_manager].map(|url| url.as_deref().unwrap_or_default());
        Endpoints::new(pod, key_manager)
            .and_then(|endpoints| match &self.agent {
                Some(agent) => endpoints.agent(agent),
                None => Ok(endpoints),
            })
            .about("the command line")
            .map_err(Error::into_misuse)
    }

    /// The identity, opened.
    ///
    /// # Errors
    ///
    /// [`Error`] when it can't be read or opened.
    pub(crate) fn identity(&self, config: Option<&BdkConfig>) -> Result<Identity, Error> {
        let flag = Flag::new("--passin", &self.passin);
        if let Some(path) = self.identity_path(config) {
            let configured = self.configured_passphrase(config);
            return input::open(&path, flag, |content, passphrase| {
                Identity::read(content, passphrase.or(configured))
            });
        }
        let given = flag.given("bot.certificate")?;
        match config.and_then(BdkConfig::certificate) {
            Some(material) => material
                .load()
                .and_then(|content| {
                    Identity::read(&content, given.as_ref().or(material.passphrase()))
                })
                .about("bot.certificate"),
            None => Err(no_identity()),
        }
    }

    /// The identity as it stands in its file, and the passphrase that should open it.
    ///
    /// # Errors
    ///
    /// [`Error`] when it can't be read, or its passphrase can't be had.
    pub(crate) fn unopened_identity(
        &self,
        config: Option<&BdkConfig>,
    ) -> Result<(Zeroizing<Vec<u8>>, Option<Passphrase>), Error> {
        let flag = Flag::new("--passin", &self.passin);
        let path = self.identity_path(config);
        let name = path
            .as_deref()
            .map_or(Cow::Borrowed("bot.certificate"), |path| {
                Cow::Owned(InputName(path).to_string())
            });
        let given = flag.given(&name)?;
        let content = match (&path, config.and_then(BdkConfig::certificate)) {
            (Some(path), _) => input::read(path)?,
            (None, Some(material)) => material.load().about(&name)?,
            (None, None) => return Err(no_identity()),
        };
        let configured = self.configured_passphrase(config);
        let passphrase = given.or_else(|| configured.map(|it| Passphrase::from(it.as_str())));
        if passphrase.is_none() && is_encrypted(&content) {
            // Without a terminal to ask on, the finding is that it is missing.
            return Ok((content, flag.asked(&name).ok()));
        }
        Ok((content, passphrase))
    }

    fn identity_path(&self, config: Option<&BdkConfig>) -> Option<PathBuf> {
        let configured = || config?.certificate()?.path().map(PathBuf::from);
        self.p12.clone().or_else(configured)
    }

    /// That of the configuration belongs to its own file, and not to another that was named.
    fn configured_passphrase<'c>(&self, config: Option<&'c BdkConfig>) -> Option<&'c Passphrase> {
        match self.p12 {
            Some(_) => None,
            None => config?.certificate()?.passphrase(),
        }
    }

    /// The roots that were named, by `--trust` or by the configuration, beside the platform's; `None` if none were.
    ///
    /// # Errors
    ///
    /// [`Error`] when a file can't be read or opened.
    pub(crate) fn trust(&self, config: Option<&BdkConfig>) -> Result<Option<TrustAnchors>, Error> {
        let configured = match config {
            Some(config) if config.trust_store().is_some() => {
                Some(config.trust_anchors().about("ssl.trustStore")?)
            }
            _ => None,
        };
        let Some(path) = &self.trust else {
            return Ok(configured);
        };
        let flag = Flag::new("--trust-passin", &self.trust_passin);
        let anchors = input::open(path, flag, |content, passphrase| {
            let name = InputName(path).to_string();
            match &configured {
                Some(anchors) => anchors.clone().and_read(name, content, passphrase),
                None => TrustAnchors::read(name, content, passphrase),
            }
        })?;
        Ok(Some(anchors.and_platform()))
    }

    /// A client with this identity, by the way and within the time that were named.
    ///
    /// # Errors
    ///
    /// [`Error`] for a proxy that can't be used, and when the roots can't be read.
    pub(crate) fn client(
        &self,
        config: Option<&BdkConfig>,
        endpoints: &Endpoints,
        identity: Identity,
    ) -> Result<ClientBuilder, Error> {
        let way = self.way()?;
        let mut client = match config {
            Some(config) => config.client(identity).about("ssl.trustStore")?,
            None => Client::builder(endpoints.clone(), identity),
        };
        if let Some(trust) = self.trust(config)? {
            client = client.trust(trust);
        }
        if let Some(limit) = self.timeout() {
            client = client
                .connect_timeout(limit)
                .read_timeout(limit)
                .total_timeout(limit);
        }
        Ok(match way {
            Way::Default => client,
            Way::Direct => client.no_proxy(),
            Way::Through(proxy) => client.proxy(proxy),
        })
    }

    /// The way that the command line names.
    ///
    /// # Errors
    ///
    /// [`Error`] for a proxy that can't be used.
    pub(crate) fn way(&self) -> Result<Way, Error> {
        let Some(url) = &self.proxy else {
            return Ok(if self.no_proxy {
                Way::Direct
            } else {
                Way::Default
            });
        };
        if url.contains('@') {
            ui::warn(
                "the password in --proxy can be seen by everybody on this computer; HTTPS_PROXY in the environment can not",
            );
        }
        Proxy::new(url)
            .map(Way::Through)
            .about("--proxy")
            .map_err(Error::into_misuse)
    }
}

/// How to get to the services.
pub(crate) enum Way {
    /// As the configuration or the environment says.
    Default,
    Direct,
    Through(Proxy),
}

fn is_encrypted(content: &[u8]) -> bool {
    let holds = |text: &[u8]| content.windows(text.len()).any(|window| window == text);
    content.first() == Some(&0x30) || holds(b"ENCRYPTED")
}

fn no_identity() -> Error {
    Error::failed("the configuration names no bot.certificate")
        .hint("name the bot's PKCS#12 bundle with --p12")
}
