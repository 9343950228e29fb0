//! `countersign auth doctor`

use auth::{
    Endpoint,
    doctor::{CATALOGUE, Doctor, Finding, Report, Severity},
};
use serde::Serialize;
use serde_json::json;

use crate::{
    auth_target::{self, AuthTarget, Way},
    command::{runtime, to_the_end},
    error::{Context, Error},
    help, passphrase, ui,
};

/// Find out why authentication doesn't work
///
/// Looks at the identity first, then at each endpoint: name, proxy, TLS, certificates, and what it answers. Every
/// finding has an identifier and a next step. Nothing is changed, and the session that may come about is ended.
///
/// The exit status is 1 when a problem is found, and 3 when nothing could be examined: a file or a variable can't be read,
/// or a passphrase is missing, for example. With --json, that is a finding too.
#[derive(Debug, clap::Args)]
#[command(
    after_long_help = help::verbatim(&format!("{EXAMPLES}\n\n{}", passphrase::SOURCES)),
    override_usage = auth_target::usage("countersign auth doctor", "\n       countersign auth doctor --findings [--json]"),
    mut_args(|it| match it.get_id().as_str() {
        "p12" | "pod" | "key_manager" => it.required_unless_present("findings"),
        _ => it,
    })
)]
pub(crate) struct Args {
    #[command(flatten)]
    target: AuthTarget,

    /// The service user that the certificate is for, to compare with its common name
    #[arg(long, value_name = "NAME")]
    username: Option<String>,

    /// Examine this endpoint alone: the pod takes the token of session-auth, and the agent those of session-auth and
    /// key-manager, which are got before
    #[arg(long, value_name = "ENDPOINT")]
    only: Option<Only>,

    /// Report in JSON: "healthy", and "findings", each with "id", "severity", "about", "message" and perhaps "nextStep"; of
    /// --findings, "meaning" in place of "about" and "message"
    #[arg(long)]
    json: bool,

    /// List every finding that there is, and do nothing else
    #[arg(long, conflicts_with_all = [
        "p12", "pod", "key_manager", "config", "passin", "agent", "trust", "trust_passin", "proxy", "no_proxy", "timeout", "verbose",
        "username", "only",
    ])]
    findings: bool,
}

/// The sections of an official client's configuration.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Only {
    SessionAuth,
    Pod,
    KeyManager,
    Agent,
}

impl From<Only> for Endpoint {
    fn from(only: Only) -> Self {
        match only {
            Only::SessionAuth => Self::SessionAuth,
            Only::Pod => Self::Pod,
            Only::KeyManager => Self::KeyManager,
            Only::Agent => Self::Agent,
        }
    }
}

const EXAMPLES: &str = "\
Examples:
  countersign auth doctor --config config.yaml
  countersign auth doctor --p12 bot.p12 --passin env:P12_PASS --username demo-bot1 \\
    --pod https://acme-api.symphony.com:8444 --key-manager https://acme-keymanager.symphony.com:8444
  countersign auth doctor --config config.yaml --only key-manager
  countersign auth doctor --config config.yaml --json | jq -r '.findings[] | select(.severity == \"problem\").id'";

pub(crate) fn run(args: &Args) -> Result<(), Error> {
    if args.findings {
        return match args.json {
            true => ui::json(&json!({ "findings": in_json() })),
            false => list(),
        };
    }
    args.target.tell();
    let report = match examine(args) {
        Err(error) if args.json && !error.is_misuse() => {
            ui::json(&json!({ "healthy": false, "findings": [NotExamined::new(&error)] }))?;
            return Err(error);
        }
        report => report?,
    };
    if args.json {
        ui::json(&report)?;
    } else {
        ui::result(&report)?;
    }
    let nothing_opened = |finding: &Finding| finding.kind().id() == "identity-passphrase-missing";
    match report.findings() {
        _ if report.is_healthy() => Ok(()),
        findings if findings.iter().any(nothing_opened) => Err(Error::not_judged()),
        _ => Err(Error::reported()),
    }
}

/// The finding of a program that asked for some, when there is nothing to find any in. It has the shape of the others.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NotExamined<'a> {
    id: &'static str,
    severity: String,
    about: &'static str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_step: Option<&'a str>,
}

impl<'a> NotExamined<'a> {
    fn new(error: &'a Error) -> Self {
        Self {
            id: NOT_EXAMINED,
            severity: Severity::Problem.to_string(),
            about: "input",
            message: error.message(),
            next_step: error.next_step(),
        }
    }
}

const NOT_EXAMINED: &str = "input-unreadable";

fn examine(args: &Args) -> Result<Report, Error> {
    let way = args.target.way()?;
    let config = args.target.config()?;
    let endpoints = args.target.endpoints(config.as_ref())?;
    let (identity, passphrase) = args.target.unopened_identity(config.as_ref())?;
    let identity = identity.to_vec(); // the doctor wipes its own copy
    let mut doctor = match &config {
        Some(config) => Doctor::of_config(config, identity, passphrase).about("ssl.trustStore")?,
        None => Doctor::new(endpoints, identity, passphrase),
    };
    if let Some(trust) = args.target.trust(config.as_ref())? {
        doctor = doctor.trust(trust);
    }
    if let Some(username) = &args.username {
        doctor = doctor.username(username);
    }
    if let Some(only) = args.only {
        let chosen = doctor.only(only.into()).about("--only");
        doctor = chosen.map_err(|error| {
            error
                .into_misuse()
                .hint("name it with --agent, or in the configuration")
        })?;
    }
    doctor = match way {
        Way::Default => doctor,
        Way::Direct => doctor.no_proxy(),
        Way::Through(proxy) => doctor.proxy(proxy),
    };
    if let Some(limit) = args.target.timeout() {
        doctor = doctor
            .connect_timeout(limit)
            .read_timeout(limit)
            .total_timeout(limit);
    }
    let _progress = ui::progress("examining");
    runtime()?.block_on(to_the_end(async |_| Ok(doctor.examine().await)))
}

const MEANING: &str = "with --json alone: something that the examination needs can not be read";

/// All that there are.
fn in_json() -> Vec<serde_json::Value> {
    let kind = |id: &str, severity: Severity, meaning: &str, next: Option<&str>| {
        let mut kind = json!({ "id": id, "severity": severity.to_string(), "meaning": meaning });
        if let (Some(next), Some(kind)) = (next, kind.as_object_mut()) {
            kind.insert("nextStep".to_owned(), next.into());
        }
        kind
    };
    let known = CATALOGUE
        .iter()
        .map(|it| kind(it.id(), it.severity(), it.meaning(), it.next_step()));
    let step = Some("as the finding says");
    let own = kind(NOT_EXAMINED, Severity::Problem, MEANING, step);
    known.chain([own]).collect()
}

fn list() -> Result<(), Error> {
    let findings: Vec<String> = CATALOGUE
        .iter()
        .map(|kind| {
            let next = kind
                .next_step()
                .map_or_else(String::new, |step| format!("\n  next: {step}"));
            format!(
                "{} ({}): {}{next}",
                kind.id(),
                kind.severity(),
                kind.meaning()
            )
        })
        .collect();
    ui::result(format!(
        "{}\n{NOT_EXAMINED} ({}): {MEANING}\n  next: as the finding says",
        findings.join("\n"),
        Severity::Problem
    ))
}
