//! `countersign auth doctor`

use auth::doctor::{CATALOGUE, Doctor};

use crate::{
    command::{
        auth_target::{Target, Way},
        block_on,
    },
    error::{Context, Error},
    passphrase, ui,
};

/// Find out why authentication doesn't work
///
/// Looks at the identity first, then at each endpoint: name, proxy, TLS, certificates, and what it answers. Every
/// finding has an identifier and a next step. Nothing is changed, and the session that may come about is ended. The
/// exit status is 1 when a problem is found.
#[derive(Debug, clap::Args)]
#[command(after_long_help = format!("{EXAMPLES}\n\n{}", passphrase::SOURCES))]
pub(crate) struct Args {
    #[command(flatten)]
    target: Target,

    /// The service user that the certificate is for, to compare with its common name
    #[arg(long, value_name = "NAME")]
    username: Option<String>,

    /// Report in JSON
    #[arg(long)]
    json: bool,

    /// List every finding that there is, and do nothing else
    #[arg(long, exclusive = true)]
    findings: bool,
}

const EXAMPLES: &str = "\
Examples:
  countersign auth doctor --config config.yaml
  countersign auth doctor --p12 bot.p12 --passin env:P12_PASS --username demo-bot1 \\
    --pod https://acme-api.symphony.com:8444 --key-manager https://acme-keymanager.symphony.com:8444
  countersign auth doctor --config config.yaml --json | jq -r '.findings[] | select(.severity == \"problem\").id'";

pub(crate) fn run(args: &Args) -> Result<(), Error> {
    if args.findings {
        return list();
    }
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
    doctor = match way {
        Way::Default => doctor,
        Way::Direct => doctor.no_proxy(),
        Way::Through(proxy) => doctor.proxy(proxy),
    };
    let report = {
        let _progress = ui::progress("examining");
        block_on(doctor.examine())?
    };
    if args.json {
        ui::json(&report)?;
    } else {
        ui::result(&report)?;
    }
    if report.is_healthy() {
        Ok(())
    } else {
        Err(Error::reported())
    }
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
    ui::result(findings.join("\n"))
}
