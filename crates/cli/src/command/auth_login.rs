//! `countersign auth login`

use auth::{Endpoints, RetryPolicy, Session, Token, config::BdkConfig};
use pki::Version;
use serde_json::json;

use crate::{
    auth_target::{self, AuthTarget},
    command::{runtime, to_the_end},
    error::{Context, Error},
    help, passphrase, ui,
};

/// Authenticate with a .p12, and get both tokens
///
/// Authenticates at the Pod and at the Key Manager, and ends the session again: a token that nobody has is of no use.
///
/// With --show-tokens it shows the tokens and leaves the session open. Whoever has them is the bot, until they expire or
/// auth logout ends the session.
#[derive(Debug, clap::Args)]
#[command(
    after_long_help = help::verbatim(&format!("{EXAMPLES}\n\n{}", passphrase::SOURCES)),
    override_usage = auth_target::usage("countersign auth login", "")
)]
pub(crate) struct Args {
    #[command(flatten)]
    target: AuthTarget,

    /// Show the tokens, and leave the session open
    #[arg(long)]
    show_tokens: bool,

    /// How often to try each endpoint, with growing pauses, of which -v tells [default: 1; with --config as it says, or 10]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    attempts: Option<u32>,

    /// Report in JSON: "pod", "keyManager", "sessionToken", "keyManagerToken" (both null unless --show-tokens is given),
    /// "tokensElided", "sessionEnded"
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
    args.target.tell();
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
    let mut client = args.target.client(config.as_ref(), &endpoints, identity)?;
    client = match (args.attempts, &config) {
        (Some(attempts), _) => client.retry(RetryPolicy::default().attempts(attempts)),
        (None, None) => client.retry(RetryPolicy::none()),
        (None, Some(_)) => client, // which says how to try again
    };
    let client = client.build().about("the client")?;

    let logout = async || {
        let ended = client.logout().await.about("logout");
        if let Err(error) = &ended {
            ui::warn(format!(
                "the session is still open, until it expires: {}",
                error.message()
            ));
        }
        ended.is_ok()
    };
    let runtime = runtime()?;
    let (session, ended) = {
        let _progress = ui::progress("authenticating");
        runtime.block_on(to_the_end(async |interrupted| {
            let session = client.session().await.about("authentication")?;
            let ended = (interrupted() || !args.show_tokens) && logout().await;
            Ok((session, ended))
        }))?
    };
    let shown = show(args, &endpoints, &session, ended);
    if shown.is_err() && !ended {
        // Nobody has its tokens.
        runtime.block_on(logout());
    }
    shown
}

fn show(args: &Args, endpoints: &Endpoints, session: &Session, ended: bool) -> Result<(), Error> {
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
            "sessionEnded": ended,
        }));
    }
    ui::result(format!(
        "session token:      {}\nkey manager token:  {}",
        session_token.unwrap_or(elided(tokens[0])),
        key_manager_token.unwrap_or(elided(tokens[1]))
    ))?;
    if ended {
        ui::note(
            "authenticated, and logged out again; --show-tokens shows the tokens, and leaves the session open",
        );
    }
    Ok(())
}

const ELIDED: &str = "[elided]";
const NOT_NEEDED: &str = "none, the Pod delivers keys without the Key Manager";
