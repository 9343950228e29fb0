//! `countersign auth login`

use std::sync::Arc;

use auth::{Client, Token, config::BdkConfig};
use pki::Version;
use serde_json::json;

use crate::{
    command::{
        auth_target::{Target, Way},
        block_on,
    },
    error::{Context, Error},
    passphrase, ui,
};

/// Authenticate with a .p12, and get both tokens
///
/// Authenticates at the Pod and at the Key Manager. The tokens are elided unless --show-tokens is given: whoever has
/// them is the bot, until they expire.
#[derive(Debug, clap::Args)]
#[command(after_long_help = format!("{EXAMPLES}\n\n{}", passphrase::SOURCES))]
pub(crate) struct Args {
    #[command(flatten)]
    target: Target,

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
  countersign auth login --config config.yaml
  countersign auth login --p12 bot.p12 --passin env:P12_PASS --pod https://localhost:8444 \\
    --key-manager https://localhost:8445 --trust pod-root.pem --show-tokens --json | jq -r .sessionToken";

pub(crate) fn run(args: &Args) -> Result<(), Error> {
    let way = args.target.way()?;
    let config = args.target.config()?;
    for notice in config.iter().flat_map(BdkConfig::notices) {
        ui::warn(format!("the configuration, {notice}"));
    }
    let endpoints = args.target.endpoints(config.as_ref())?;
    let identity = args.target.identity(config.as_ref())?;
    if identity.leaf().version() == Version::V1 {
        ui::warn(
            "the client certificate is X.509 version 1, which many servers refuse; countersign ca sign makes version 3",
        );
    }
    let mut client = match &config {
        Some(config) => config.client(identity).about("ssl.trustStore")?,
        None => Client::builder(endpoints.clone(), identity),
    };
    if let Some(trust) = args.target.trust(config.as_ref())? {
        client = client.trust(trust);
    }
    let client = match way {
        Way::Default => client,
        Way::Direct => client.no_proxy(),
        Way::Through(proxy) => client.proxy(proxy),
    };
    let client = client.build().about("the client")?;

    let session = {
        let _progress = ui::progress("authenticating");
        block_on(async {
            match config {
                // It says how to try again, too.
                Some(_) => client.session().await,
                None => client.authenticate().await.map(Arc::new),
            }
        })?
        .about("authentication")?
    };
    let tokens = [Some(session.session_token()), session.key_manager_token()];
    let [session_token, key_manager_token] =
        tokens.map(|token| token.filter(|_| args.show_tokens).map(Token::expose));
    let elided = |token: Option<&Token>| if token.is_some() { ELIDED } else { NOT_NEEDED };
    if args.json {
        return ui::json(&json!({
            "pod": endpoints.pod_url(),
            "keyManager": endpoints.key_manager_url(),
            "sessionToken": session_token,
            "keyManagerToken": key_manager_token,
            "tokensElided": !args.show_tokens,
        }));
    }
    ui::result(format!(
        "session token:      {}\nkey manager token:  {}",
        session_token.unwrap_or(elided(tokens[0])),
        key_manager_token.unwrap_or(elided(tokens[1]))
    ))?;
    if !args.show_tokens {
        ui::note("authenticated; --show-tokens shows the tokens");
    }
    Ok(())
}

const ELIDED: &str = "[elided]";
const NOT_NEEDED: &str = "none, the Pod delivers keys without the Key Manager";
