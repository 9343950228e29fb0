//! `countersign quickstart`

use std::{
    env,
    fmt::Write as _,
    path::{Path, PathBuf},
    time::Instant,
};

use auth::{Client, Endpoint, Endpoints, Identity, TrustAnchors};
use http::Request;
use pki::{
    CertificateAuthority, CertificateRequest, DistinguishedName, KeyKind, Passphrase, Pkcs12,
    PrivateKey, Profile, SerialNumber,
};
use pod::{CertificateType, Pod};
use serde::Serialize;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::{
    command::runtime,
    error::{Context, Error},
    file_id::Inputs,
    help, new_key,
    output::{self, Access, Output, Target},
    signals::UNFINISHED,
    ui,
};

/// Go the whole way once: from a new key to a session at an embedded pod
///
/// Makes a CA, a bot's 4096-bit key, request, certificate and .p12; starts an embedded Pod and Key Manager,
/// imports the CA, creates the bot's service user, authenticates at both, and calls echo with both tokens. Each
/// step is printed with what it made and how long it took.
///
/// When all has gone well, the files are written, into a new directory for temporary files unless --dir names another one. Their passphrase is random,
/// and stands in passphrase.txt beside them. Nothing outside this computer is contacted.
#[derive(Debug, clap::Args)]
#[command(after_long_help = help::verbatim(EXAMPLES))]
pub(crate) struct Args {
    /// Directory for the files; it is made if it isn't there [default: a new temporary one]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,

    /// Report the steps in JSON
    #[arg(long)]
    json: bool,

    /// Replace the files of an earlier run in DIR
    #[arg(long)]
    force: bool,
}

const EXAMPLES: &str = "\
Examples:
  countersign quickstart
  countersign quickstart --dir demo --force";

const PASSPHRASE: &str = "passphrase.txt";
const CA_CERTIFICATE: &str = "ca.crt.pem";
const CA_KEY: &str = "ca.key.pem";
const KEY: &str = "demo-bot1.key.pem";
const REQUEST: &str = "demo-bot1.csr.pem";
const CERTIFICATE: &str = "demo-bot1.crt.pem";
const BUNDLE: &str = "demo-bot1.p12";

const CA_SUBJECT: &str = "/CN=Demo CA/O=Excelsior Bank/C=GB";
const BOT: &str = "demo-bot1";
const BOT_SUBJECT: &str =
    "/CN=demo-bot1/O=Excelsior Bank/OU=Collaboration Services/L=London/ST=London/C=GB";

pub(crate) fn run(args: &Args) -> Result<(), Error> {
    if let Some(directory) = &args.dir {
        // Early, before there is any work to lose.
        let _made = output::make_directory(directory)?;
        Bot::claim(directory, args.force)?;
    }
    let mut steps = Steps::new(args.json);
    let bot = make_bot(&mut steps)?;
    authenticate(&bot, &mut steps)?;
    let made = match &args.dir {
        Some(directory) => output::make_directory(directory)?,
        None => UNFINISHED
            .make_temporary_directory("countersign-quickstart-")
            .about(env::temp_dir().display())?,
    };
    bot.write(made.path(), args.force)?;
    steps.finish(made.path())
}

/// All that is made of the bot and its CA.
struct Bot {
    passphrase: Passphrase,
    ca_certificate: String,
    ca_key: Zeroizing<String>,
    key: Zeroizing<String>,
    request: String,
    certificate: String,
    bundle: Vec<u8>,
}

impl Bot {
    const FILES: [(&str, Access); 7] = [
        (PASSPHRASE, Access::Owner),
        (CA_CERTIFICATE, Access::Everyone),
        (CA_KEY, Access::Owner),
        (KEY, Access::Owner),
        (REQUEST, Access::Everyone),
        (CERTIFICATE, Access::Everyone),
        (BUNDLE, Access::Owner),
    ];

    fn claim(directory: &Path, force: bool) -> Result<[Target; 7], Error> {
        let paths = Self::FILES.map(|(name, access)| (directory.join(name), access));
        let outputs = paths.each_ref().map(|(path, access)| Output {
            flag: "--dir",
            path,
            access: *access,
        });
        output::claim(outputs, &Inputs::new(), force)
    }

    /// Writes the files, in the order of [`Bot::FILES`].
    fn write(&self, directory: &Path, force: bool) -> Result<(), Error> {
        let [
            passphrase,
            ca_certificate,
            ca_key,
            key,
            request,
            certificate,
            bundle,
        ] = Self::claim(directory, force)?;
        let line = Zeroizing::new(format!("{}\n", self.passphrase.as_str()));
        output::write_into(
            directory,
            [
                (passphrase, line.as_bytes()),
                (ca_certificate, self.ca_certificate.as_bytes()),
                (ca_key, self.ca_key.as_bytes()),
                (key, self.key.as_bytes()),
                (request, self.request.as_bytes()),
                (certificate, self.certificate.as_bytes()),
                (bundle, &self.bundle),
            ],
        )
    }
}

/// The certificate workflow, up to the `.p12`.
fn make_bot(steps: &mut Steps) -> Result<Bot, Error> {
    let passphrase = random_passphrase()?;

    let (authority, ca_key) = steps.take("CA", || {
        let key = PrivateKey::generate(KeyKind::Rsa4096).about(CA_KEY)?;
        let encrypted = new_key::to_pem(&key, Some(&passphrase))?;
        let authority = CertificateAuthority::create_root(name(CA_SUBJECT)?, key, &Profile::root())
            .about(CA_CERTIFICATE)?;
        let what = format!("{CA_CERTIFICATE}, {CA_KEY}: {CA_SUBJECT}");
        Ok(((authority, encrypted), what))
    })?;

    let (key, encrypted) = steps.take("private key", || {
        let key = PrivateKey::generate(KeyKind::Rsa4096).about(KEY)?;
        let encrypted = new_key::to_pem(&key, Some(&passphrase))?;
        let what = format!("{KEY}: {}, encrypted", key.algorithm());
        Ok(((key, encrypted), what))
    })?;

    let request = steps.take("request", || {
        let request = CertificateRequest::builder(name(BOT_SUBJECT)?)
            .sign(&key)
            .about(REQUEST)?;
        Ok((request, format!("{REQUEST}: {BOT_SUBJECT}")))
    })?;

    let certificate = steps.take("certificate", || {
        let profile = Profile::client().valid_for_days(2922);
        let serial = SerialNumber::try_from(1).about(CERTIFICATE)?;
        let certificate = request
            .verify()
            .and_then(|request| authority.issue_with_serial(&request, &profile, serial))
            .about(CERTIFICATE)?;
        let what = format!("{CERTIFICATE}: TLS client, serial number 1, 2922 days");
        Ok((certificate, what))
    })?;

    let bundle = steps.take("bundle", || {
        let bundle = Pkcs12::builder(&key, &certificate)
            .and_then(|builder| {
                builder
                    .chain(authority.chain())
                    .alias(BOT)
                    .to_der(&passphrase)
            })
            .about(BUNDLE)?;
        let what = format!("{BUNDLE}: the key, its certificate and the CA's");
        Ok((bundle, what))
    })?;

    Ok(Bot {
        passphrase,
        ca_certificate: authority.certificate().to_pem(),
        ca_key,
        key: encrypted,
        request: request.to_pem(),
        certificate: certificate.to_pem(),
        bundle,
    })
}

/// What an administrator does, and then the bot.
fn authenticate(bot: &Bot, steps: &mut Steps) -> Result<(), Error> {
    let runtime = runtime()?;

    let pod = steps.take("pod", || {
        let pod = runtime.block_on(Pod::builder().start()).about("the pod")?;
        let what = format!(
            "Pod at {}, Key Manager at {}",
            pod.api_url(),
            pod.key_manager_url()
        );
        Ok((pod, what))
    })?;
    steps.take("import", || {
        let imported = pod
            .import_certificate(&bot.ca_certificate, CertificateType::UserSigning)
            .about(CA_CERTIFICATE)?;
        Ok(((), format!("{} as {}", imported.subject, imported.kind)))
    })?;
    steps.take("service user", || {
        let user = pod.create_service_user(BOT).about(BOT)?;
        Ok(((), user.username))
    })?;

    let client = steps.take("authenticate", || {
        let identity = Identity::from_pkcs12(&bot.bundle, &bot.passphrase).about(BUNDLE)?;
        let endpoints = Endpoints::new(pod.api_url(), pod.key_manager_url())
            .and_then(|endpoints| endpoints.agent(pod.agent_url()))
            .about("the pod")?;
        let client = TrustAnchors::pem(pod.trust_anchor_pem())
            .and_then(|trust| Client::builder(endpoints, identity).trust(trust).build())
            .about("the client")?;
        runtime.block_on(client.session()).about("authentication")?;
        let what = "session token [elided], key manager token [elided]".to_owned();
        Ok((client, what))
    })?;
    steps.take("echo", || {
        let message = json!({ "message": format!("hello from {BOT}") });
        let request = Request::post("/agent/v1/util/echo")
            .header("content-type", "application/json")
            .body(message.to_string().into())
            .map_err(|error| Error::failed(format!("echo: {error}")))?;
        let reply = runtime
            .block_on(client.call(Endpoint::Agent, request))
            .about("echo")?;
        if serde_json::from_slice::<Value>(reply.body()).ok().as_ref() != Some(&message) {
            return Err(Error::failed("echo: the pod answered something else"));
        }
        Ok(((), format!("{message}, with both tokens")))
    })?;

    runtime.block_on(async {
        client.logout().await.about("logout")?;
        pod.shutdown().await;
        Ok(())
    })
}

fn name(text: &str) -> Result<DistinguishedName, Error> {
    text.parse().about(text)
}

/// 128 bits, in hexadecimal.
fn random_passphrase() -> Result<Passphrase, Error> {
    let mut octets = Zeroizing::new([0; 16]);
    getrandom::fill(&mut *octets)
        .map_err(|error| Error::failed(format!("the system's randomness: {error}")))?;
    let mut text = String::with_capacity(32);
    for octet in octets.iter() {
        // Writing to a String can't fail.
        let _ = write!(text, "{octet:02x}");
    }
    Ok(Passphrase::new(text))
}

/// Takes the steps, and tells of each what it made and how long it took.
struct Steps {
    json: bool,
    taken: Vec<Step>,
}

#[derive(Serialize)]
struct Step {
    step: &'static str,
    made: String,
    seconds: f64,
}

#[derive(Serialize)]
struct Report<'a> {
    directory: String,
    steps: &'a [Step],
}

impl Steps {
    fn new(json: bool) -> Self {
        Self {
            json,
            taken: Vec::new(),
        }
    }

    fn take<T>(
        &mut self,
        step: &'static str,
        work: impl FnOnce() -> Result<(T, String), Error>,
    ) -> Result<T, Error> {
        let started = Instant::now();
        let (value, made) = {
            let _progress = ui::progress(step);
            work()?
        };
        let seconds = started.elapsed().as_secs_f64();
        self.taken.push(Step {
            step,
            made,
            seconds,
        });
        if let (false, Some(Step { made, .. })) = (self.json, self.taken.last()) {
            let number = self.taken.len();
            ui::result(format!("{number:2}  {step:<13} {seconds:6.2} s  {made}"))?;
        }
        Ok(value)
    }

    fn finish(&self, directory: &Path) -> Result<(), Error> {
        if self.json {
            return ui::json(&Report {
                directory: directory.display().to_string(),
                steps: &self.taken,
            });
        }
        let seconds: f64 = self.taken.iter().map(|step| step.seconds).sum();
        ui::result(format!(
            "    {:<13} {seconds:6.2} s\n\n{}",
            "done",
            next_steps(directory)
        ))
    }
}

/// What to do next, in lines that can be pasted.
fn next_steps(directory: &Path) -> String {
    let program = env::args_os()
        .next()
        .map_or_else(|| "countersign".to_owned(), |name| quoted(Path::new(&name)));
    let file = |name: &str| quoted(&directory.join(name));
    let passin = format!("file:{}", directory.join(PASSPHRASE).display());
    let passin = quoted(Path::new(&passin));
    format!(
        "\
The files are in {}; their passphrase is in {PASSPHRASE}.

Look into the bundle:
  {program} p12 info {} --passin {passin}

Run the pod yourself, and log in from another terminal:
  {program} pod serve --dir {} --import {} --user {BOT}
  {program} auth login --p12 {} --passin {passin} --trust {} \\
    --pod https://localhost:8444 --key-manager https://localhost:8445

On a real Pod, import your own CA's certificate in the Admin portal, create a service user whose name
is the bot's common name, and issue the bot's certificate:
  {program} ca create --help
  {program} issue --help",
        directory.display(),
        file(BUNDLE),
        quoted(directory),
        file(CA_CERTIFICATE),
        file(BUNDLE),
        file("pod-root.pem"),
    )
}

/// A word for a shell.
fn quoted(word: &Path) -> String {
    let word = word.display().to_string();
    let plain = |c: char| c.is_alphanumeric() || "/._-:+,@%=".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_for_a_shell_when_they_have_to_be() {
        assert_eq!(quoted(Path::new("/tmp/a-1.p12")), "/tmp/a-1.p12");
        assert_eq!(quoted(Path::new("my files/it's")), r"'my files/it'\''s'");
    }
}
