//! `countersign auth logout`

use auth::{Session, Token};
use serde_json::json;

use crate::{
    auth_target::AuthTarget,
    command::block_on,
    error::{Context, Error},
    help,
    passphrase::{self, Flag, Source, SourceParser},
    ui,
};

/// End a session that auth login --show-tokens left open
///
/// Logs out at the Pod and, with --key-manager-token, at the Key Manager. A session that has ended already is no error.
#[derive(Debug, clap::Args)]
#[command(after_long_help = help::verbatim(&format!("{EXAMPLES}\n\n{}", passphrase::SOURCES)))]
pub(crate) struct Args {
    /// The session token, from a source like those of passphrases
    #[arg(long, value_name = "SRC", value_parser = SourceParser)]
    session_token: Source,

    /// The key manager token
    #[arg(long, value_name = "SRC", value_parser = SourceParser)]
    key_manager_token: Option<Source>,

    #[command(flatten)]
    target: AuthTarget,

    /// Report in JSON: "pod", "keyManager", "sessionEnded"
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Example:
  countersign auth logout --session-token env:SESSION_TOKEN --key-manager-token env:KM_TOKEN --config config.yaml";

pub(crate) fn run(args: &Args) -> Result<(), Error> {
    args.target.tell();
    let config = args.target.config()?;
    let endpoints = args.target.endpoints(config.as_ref())?;
    let token = |flag: &'static str, header, source: &Source| {
        let flag = Flag {
            name: flag,
            source: Some(source),
        };
        let text = flag.given("the token")?;
        let text = text.as_ref().map_or("", |text| text.as_str());
        Token::new(header, text).about(flag.name)
    };
    let session = token("--session-token", "sessionToken", &args.session_token)?;
    let key_manager = args
        .key_manager_token
        .as_ref()
        .map(|source| token("--key-manager-token", "keyManagerToken", source))
        .transpose()?;
    let session = Session::new(session, key_manager).about("the tokens")?;
    let identity = args.target.identity(config.as_ref())?;
    let client = args
        .target
        .client(config.as_ref(), &endpoints, identity)?
        .session(session)
        .build()
        .about("the client")?;
    {
        let _progress = ui::progress("logging out");
        block_on(client.logout())?.about("logout")?;
    }
    if args.json {
        return ui::json(&json!({
            "pod": endpoints.pod_url(),
            "keyManager": endpoints.key_manager_url(),
            "sessionEnded": true,
        }));
    }
    ui::note("logged out");
    Ok(())
}
