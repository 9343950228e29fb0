//! `countersign auth login`

use std::path::{Path, PathBuf};

use auth::{Client, Endpoints, Identity, TrustAnchors};
use pki::Version;
use serde_json::json;

use crate::{
    command::block_on,
    error::{Context, Error},
    input,
    passphrase::{self, Flag, Source, SourceParser},
    ui,
};

/// Authenticate with a .p12, and get both tokens
///
/// Authenticates at the Pod and at the Key Manager. The tokens are elided unless --show-tokens is given: whoever has
/// them is the bot, until they expire.
#[derive(Debug, clap::Args)]
#[command(after_long_help = format!("{EXAMPLES}\n\n{}", passphrase::SOURCES))]
pub(crate) struct Args {
    /// The bot's PKCS#12 bundle
    #[arg(long, value_name = "FILE")]
    p12: PathBuf,

    /// Its passphrase
    #[arg(long, value_name = "SRC", value_parser = SourceParser)]
    passin: Option<Source>,

    /// The Pod, at its API port (usually 8444)
    #[arg(long, value_name = "URL")]
    pod: String,

    /// The Key Manager, at its API port (usually 8444)
    #[arg(long, value_name = "URL")]
    key_manager: String,

    /// Root certificates to trust beside the platform's
    #[arg(long, value_name = "FILE")]
    trust: Option<PathBuf>,

    /// Show the tokens
    #[arg(long)]
    show_tokens: bool,

    /// Report in JSON; the tokens are null unless --show-tokens is given
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  countersign auth login --p12 bot.p12 --passin env:P12_PASS \\
    --pod https://acme-api.symphony.com:8444 --key-manager https://acme-keymanager.symphony.com:8444
  countersign auth login --p12 bot.p12 --passin env:P12_PASS --pod https://localhost:8444 \\
    --key-manager https://localhost:8445 --trust pod-root.pem --show-tokens --json | jq -r .sessionToken";

pub(crate) fn run(args: &Args) -> Result<(), Error> {
    let endpoints = Endpoints::new(&args.pod, &args.key_manager)
        .about("the command line")
        .map_err(Error::into_misuse)?;
    let passin = Flag::new("--passin", &args.passin);
    let identity = input::open(&args.p12, passin, |der, passphrase| match passphrase {
        Some(passphrase) => Identity::from_pkcs12(der, passphrase),
        None => Err(auth::Error::Identity(pki::Error::PassphraseRequired {
            what: "PKCS#12 file",
        })),
    })?;
    if identity.leaf().version() == Version::V1 {
        ui::warn(format!(
            "{}: the certificate is X.509 version 1, which many servers refuse; countersign ca sign makes version 3",
            input::Name(&args.p12)
        ));
    }
    let mut client = Client::builder(endpoints, identity);
    if let Some(trust) = &args.trust {
        client = client.trust(platform_and(trust)?);
    }
    let client = client.build().about("the client")?;

    let session = {
        let _progress = ui::progress("authenticating");
        block_on(client.authenticate())?.about("authentication")?
    };
    let tokens = [session.session_token(), session.key_manager_token()];
    let [session_token, key_manager_token] =
        tokens.map(|token| args.show_tokens.then(|| token.expose()));
    if args.json {
        return ui::json(&json!({
            "pod": args.pod,
            "keyManager": args.key_manager,
            "sessionToken": session_token,
            "keyManagerToken": key_manager_token,
            "tokensElided": !args.show_tokens,
        }));
    }
    ui::result(format!(
        "session token:      {}\nkey manager token:  {}",
        session_token.unwrap_or(ELIDED),
        key_manager_token.unwrap_or(ELIDED)
    ))?;
    if !args.show_tokens {
        ui::note("authenticated; --show-tokens shows the tokens");
    }
    Ok(())
}

const ELIDED: &str = "[elided]";

/// The platform's roots, if it has any, and those in a file.
fn platform_and(trust: &Path) -> Result<TrustAnchors, Error> {
    let pem: String = input::certificates(trust)?
        .iter()
        .map(pki::Certificate::to_pem)
        .collect();
    match TrustAnchors::platform() {
        Ok(platform) => platform.and_pem(pem),
        Err(auth::Error::NoPlatformRoots { .. }) => TrustAnchors::pem(pem),
        Err(error) => Err(error),
    }
    .about(input::Name(trust))
}
