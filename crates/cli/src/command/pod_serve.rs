//! `countersign pod serve`

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
};

use pki::Certificate;
use pod::{CertificateType, Pod, Rule};
use serde_json::json;
use tracing::Level;

use crate::{
    command::block_on,
    directory_lock::DirectoryLock,
    error::{Context, Error},
    file_id::Inputs,
    file_name::InputName,
    help, input, log,
    output::{self, Access, Output},
    signals, ui,
};

/// Run a Pod and a Key Manager to test against
///
/// They listen on the loopback interface only, and keep nothing: every start is a Pod without users and certificates
/// but those named here, and with a new root. The root's certificate, which clients must trust, is written to
/// pod-root.pem and replaces the one of an earlier start. When the ports are open, the URLs are printed, and then a
/// line that starts with "ready" (or the JSON report, on one line).
///
/// Ctrl-C or SIGTERM ends it: requests under way are answered first, and the exit status is that of the signal (130 or 143
/// in a shell). A second one ends it on the spot.
#[derive(Debug, clap::Args)]
#[command(after_long_help = help::verbatim(EXAMPLES))]
pub(crate) struct Args {
    /// Directory for pod-root.pem; it is made if it isn't there
    #[arg(long, value_name = "DIR", default_value = ".")]
    dir: PathBuf,

    /// Port without client authentication; 0 is any free one
    #[arg(long, value_name = "N", default_value_t = 8443)]
    web_port: u16,

    /// Port of the Pod and the Agent with client authentication; 0 is any free one
    #[arg(long, value_name = "N", default_value_t = 8444)]
    api_port: u16,

    /// Port of the Key Manager; 0 is any free one
    #[arg(long, value_name = "N", default_value_t = 8445)]
    key_manager_port: u16,

    /// Certificates to import: those that say that they are a CA's as signing certificates, others as a user's; may be
    /// repeated
    #[arg(long, value_name = "FILE")]
    import: Vec<PathBuf>,

    /// Certificates to import as signing certificates, such as a root of X.509 v1, which can't say what it is; may be
    /// repeated
    #[arg(long, value_name = "FILE")]
    import_signing: Vec<PathBuf>,

    /// Service user to create, named like the certificate's common name; may be repeated
    #[arg(long, value_name = "NAME")]
    user: Vec<String>,

    /// What goes wrong on purpose, for example 'key-manager=refuse-client:unknown_ca' or
    /// 'api POST /agent/v1/util/echo=expire-tokens,skip:3,times:1'; may be repeated
    #[arg(long, value_name = "PLACE=FAULT")]
    fault: Vec<Rule>,

    /// Write a line for each handshake and each request to standard error: what, who, and why it was refused. No tokens
    #[arg(long)]
    log: bool,

    /// Report the URLs in JSON, on one line
    #[arg(long)]
    json: bool,
}

/// Who has it has the directory.
const LOCK: &str = ".pod-serve.lock";

const EXAMPLES: &str = "\
PLACE is any, or a port (web, api, key-manager), a method and a path, of which
any may be left out.
FAULT is one of these, with ,times:N ,skip:N or ,probability:P,seed:N after it:
  refuse  plain-text  hello-alert:ALERT  refuse-client:ALERT
  server-certificate:wrong-host|expired|not-yet-valid|unknown-root
  handshake-reset:N  handshake-close:N  handshake-silence:N  silence
  status:CODE[,retry-after:TIME][,html|,empty][,content-type:TYPE][,body:TEXT]
  throttle:N  expire-tokens  delay:TIME  without-token  no-answer  hang-up
  reset:N  close:N  silence:N  truncate:N  trickle:TIME  oversize:N  endless
N counts octets (requests a second for throttle), TIME is like 500ms, 2s or 1m.

Example, with a bot's files from countersign issue:
  countersign pod serve --import ca.crt.pem --user demo-bot1
  # in another terminal:
  countersign auth login --p12 bots/demo-bot1.p12 --trust pod-root.pem \\
    --pod https://localhost:8444 --key-manager https://localhost:8445";

pub(crate) fn run(args: &Args) -> Result<(), Error> {
    let signal = serve(args)?;
    signals::end_by(signal);
    Ok(())
}

/// Until somebody asks for the end, by the signal that comes back.
fn serve(args: &Args) -> Result<signals::End, Error> {
    let _made = output::make_directory(&args.dir)?;
    let _lock = DirectoryLock::take(&args.dir, LOCK)?;
    if args.log {
        log::print("pod", Level::INFO);
    }
    let root_path = args.dir.join("pod-root.pem");
    let root = Output {
        flag: "--dir",
        path: &root_path,
        access: Access::Everyone,
    };
    let inputs = Inputs::new()
        .files("--import", &args.import)
        .files("--import-signing", &args.import_signing);
    let [root] = output::claim([root], &inputs, true)?;

    block_on(async {
        // Before anybody is told that this is ready, and may end it.
        let asked_to_end = signals::asked_to_end();
        let pod = Pod::builder()
            .web_address(loopback(args.web_port))
            .api_address(loopback(args.api_port))
            .key_manager_address(loopback(args.key_manager_port))
            .start()
            .await
            .about("the pod")?;
        for path in &args.import {
            import(&pod, path, kind_of)?;
        }
        for path in &args.import_signing {
            import(&pod, path, |_| CertificateType::UserSigning)?;
        }
        for name in &args.user {
            pod.create_service_user(name).about("--user")?;
            ui::note(format!("created service user {name}"));
        }
        for rule in &args.fault {
            pod.inject(rule.clone()).about("--fault")?;
        }
        output::write_into(&args.dir, [(root, pod.trust_anchor_pem().as_bytes())])?;

        if args.json {
            // On one line, so that whoever started this can read it while it runs.
            ui::result(json!({
                "web": pod.web_url(),
                "api": pod.api_url(),
                "keyManager": pod.key_manager_url(),
                "agent": pod.agent_url(),
                "root": root_path.display().to_string(),
            }))?;
        } else {
            ui::result(format!(
                "web:          {}\napi:          {}\nkey manager:  {}\nagent:        {}\nroot:         {}\n\
                 ready (Ctrl-C ends it)",
                pod.web_url(),
                pod.api_url(),
                pod.key_manager_url(),
                pod.agent_url(),
                root_path.display()
            ))?;
        }
        let signal = asked_to_end.await;
        pod.shutdown().await;
        Ok(signal)
    })?
}

fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

fn import(
    pod: &Pod,
    path: &Path,
    kind_of: impl Fn(&Certificate) -> CertificateType,
) -> Result<(), Error> {
    for certificate in input::certificates(path)? {
        let imported = pod
            .import_certificate(certificate.as_der(), kind_of(&certificate))
            .about(InputName(path))?;
        ui::note(format!(
            "imported {} as {}",
            imported.subject, imported.kind
        ));
    }
    Ok(())
}

/// By what the certificate says. A self-signed one of X.509 v1 may be a root or a client's, and is taken for a client's.
fn kind_of(certificate: &Certificate) -> CertificateType {
    match certificate.basic_constraints() {
        Some(constraints) if constraints.ca => CertificateType::UserSigning,
        _ => CertificateType::User,
    }
}
