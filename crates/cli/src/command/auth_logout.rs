//! `countersign auth logout`

use auth::{Client, Endpoint, Session, Token};
use http::{Method, Request, Uri};
use serde_json::json;

use crate::{
    auth_target::{self, AuthTarget},
    command::block_on,
    error::{Context, Error},
    help,
    passphrase::{self, Flag, Source, SourceParser},
    ui,
};

/// End a session that auth login --show-tokens left open
///
/// Logs out at the Pod and, with --key-manager-token, at the Key Manager. A token that they don't know is refused (exit status
/// 1): they can't tell one whose session has ended already from a wrong one, whose session would stay open.
#[derive(Debug, clap::Args)]
#[command(
    after_long_help = help::verbatim(&format!("{EXAMPLES}\n\n{}", passphrase::SOURCES)),
    override_usage = auth_target::usage("countersign auth logout --session-token <SRC>", "")
)]
pub(crate) struct Args {
    /// The session token, from a source like those of passphrases; of 64 KiB at most
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
        let text = Flag::token(flag, source)?;
        Token::new(header, text.as_str()).about(flag)
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
        .build()
        .about("the client")?;
    {
        let _progress = ui::progress("logging out");
        block_on(end(&client, &session))??;
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

/// Asks both endpoints, even if one fails. (`Client::logout` is for a client's own session, and takes any 401 for its end.)
async fn end(client: &Client, session: &Session) -> Result<(), Error> {
    let logout = async |endpoint, path| {
        let mut request = Request::new(Default::default());
        *request.method_mut() = Method::POST;
        *request.uri_mut() = Uri::from_static(path);
        match client.send(session, endpoint, request).await {
            Ok(_) => Ok(()),
            Err(error) => {
                let unknown = matches!(error, auth::Error::Unauthorized { .. });
                let error = Err(error).about("logout");
                if unknown {
                    error.map_err(|error: Error| error.hint(UNKNOWN))
                } else {
                    error
                }
            }
        }
    };
    let pod = logout(Endpoint::SessionAuth, "/sessionauth/v1/logout").await;
    let key_manager = match session.key_manager_token() {
        Some(_) => logout(Endpoint::KeyManager, "/keyauth/v1/logout").await,
        None => Ok(()),
    };
    pod.and(key_manager)
}

const UNKNOWN: &str = "the session of that token has ended already, or the token is wrong";
