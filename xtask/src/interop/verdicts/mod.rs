//! What a profile can grant, and what others do with it: openssl prints what was asked for, and four judges accept the chain or
//! refuse it. docs/verdicts.md has the same lists.
mod granted;

use std::{
    fmt::Write,
    fs,
    path::Path,
    time::{Duration, SystemTime},
};

use anyhow::{Context, Result, ensure};
use pki::{CertificateAuthority, Issuance, KeyKind, PrivateKey, Profile};
use rustls_pki_types::{CertificateDer, UnixTime};
use webpki::{EndEntityCert, KeyUsage, anchor_from_trusted_cert};

use self::granted::{AUTHORITIES, Granted, LEAVES};
use super::{
    case::{Case, reads_ours},
    tool::Tool::{Gnutls, Java, Openssl, Webpki},
};

/// The tables of docs/verdicts.md.
pub(crate) fn table() -> String {
    let mut text = String::new();
    for (title, rows) in [
        ("In a certificate for a client", LEAVES),
        ("In a CA below the root, above a client", AUTHORITIES),
    ] {
        let _ = write!(
            text,
            "\n## {title}\n\n| granted | openssl | GnuTLS | Java | webpki |\n|---|---|---|---|---|\n"
        );
        for row in rows {
            let verdicts = row.verdicts.map(|verdict| verdict.shown());
            let _ = writeln!(text, "| {} | {} |", row.granted, verdicts.join(" | "));
        }
    }
    text.push('\n');
    text
}

/// Issues what there is to be judged.
pub(super) fn cases(dir: &Path) -> Result<Vec<Case>> {
    let dir = dir.join("granted");
    fs::create_dir(&dir)?;
    let authority = Authority::new()?;
    fs::write(dir.join("root.pem"), authority.root.certificate().to_pem())?;
    let judges = [(Openssl, "openssl"), (Gnutls, "gnutls"), (Java, "java")];
    let mut expected = judges.map(|_| String::new());
    let mut printed = String::new();
    let mut chains = Vec::new();
    for (number, row) in LEAVES.iter().chain(AUTHORITIES).enumerate() {
        let chain = authority
            .chain(row)
            .with_context(|| format!("{}: {}", row.granted, row.profile))?;
        let (file, alone) = (format!("{number}.pem"), format!("{number}.alone.pem"));
        fs::write(
            dir.join(&file),
            chain
                .iter()
                .map(pki::Certificate::to_pem)
                .collect::<String>(),
        )?;
        // A leaf alone, or a leaf and the CA that it is about.
        let granted = chain.last().context("a chain without a certificate")?;
        fs::write(dir.join(&alone), granted.to_pem())?;
        for part in row.prints {
            writeln!(printed, "{alone}\t{}\taccepted\t{part}", row.granted)?;
        }
        for (expected, verdict) in expected.iter_mut().zip(row.verdicts) {
            let (verdict, says) = verdict.expected();
            writeln!(expected, "{file}\t{}\t{verdict}\t{says}", row.granted)?;
        }
        chains.push((row, chain));
    }
    let script = |program: &str| {
        let dir = dir.display();
        format!("\"$PYTHON\" \"$JUDGES/chains.py\" {program} '{dir}'")
    };
    fs::write(dir.join("expected.text"), printed)?;
    let mut cases = vec![reads_ours(
        Openssl,
        "what every option of a profile grants, as text",
        script("text"),
    )];
    let what = "chains with every option of a profile";
    for ((tool, program), expected) in judges.into_iter().zip(expected) {
        fs::write(dir.join(format!("expected.{program}")), expected)?;
        cases.push(reads_ours(tool, what, script(program)));
    }
    let root = authority.root.certificate().clone();
    let ask = move || {
        let wrong: Vec<String> = chains
            .iter()
            .filter_map(|(row, chain)| {
                let [.., verdict] = row.verdicts;
                let (expected, says) = verdict.expected();
                let (found, said) = match webpki(chain, &root) {
                    Ok(()) => ("accepted", String::new()),
                    Err(error) => ("refused", format!("{error:?}")),
                };
                let is_so = found == expected && said.contains(says);
                (!is_so).then(|| {
                    format!(
                        "{}: expected {expected}, {says:?}; found {found}, {said}",
                        row.granted
                    )
                })
            })
            .collect();
        ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
        Ok(())
    };
    cases.push(reads_ours(Webpki, what, "").by(move |_| ask()));
    Ok(cases)
}

/// The CA that everything is below.
struct Authority {
    root: CertificateAuthority,
    below: PrivateKey,
    leaf: PrivateKey,
}

impl Authority {
    fn new() -> Result<Self> {
        let subject = "/CN=Root/O=Excelsior Bank".parse()?;
        let key = || PrivateKey::generate(KeyKind::EcP256);
        // What is below may start earlier than now.
        let profile = Profile::root().valid_forever().backdated(LONG);
        Ok(Self {
            root: CertificateAuthority::create_root(subject, key()?, &profile)?,
            below: key()?,
            leaf: key()?,
        })
    }

    /// The chain, without the root.
    fn chain(&self, row: &Granted) -> Result<Vec<pki::Certificate>> {
        let issue =
            |authority: &CertificateAuthority, profile: String, key: &PrivateKey, subject: &str| {
                let issuance = Issuance::for_key(key.public_key(), subject.parse()?);
                let prepared = authority
                    .issuer()
                    .prepare(&issuance, &Profile::from_toml(&profile)?)?;
                Ok::<_, anyhow::Error>(prepared.sign(authority.private_key())?)
            };
        let Some(leaf) = row.leaf else {
            let leaf = issue(
                &self.root,
                with(LEAF, row.profile),
                &self.leaf,
                "/O=b/CN=leaf",
            )?;
            return Ok(vec![leaf]);
        };
        let below = issue(
            &self.root,
            with(BELOW, row.profile),
            &self.below,
            "/CN=below/O=Excelsior Bank",
        )?;
        let key = self.below.to_pem()?;
        let authority =
            CertificateAuthority::new(below, PrivateKey::from_pem(key.as_bytes(), None)?)?;
        let leaf = issue(&authority, with(LEAF, leaf), &self.leaf, "/O=b/CN=leaf")?;
        Ok(vec![leaf, authority.certificate().clone()])
    }
}

/// What a profile says, and of these lines what it doesn't say.
fn with(usual: &str, profile: &str) -> String {
    let mut text = String::new();
    for line in usual.lines() {
        let key = line.split_inclusive('=').next().unwrap_or_default();
        if !profile.lines().any(|own| own.starts_with(key)) {
            text.push_str(line);
            text.push('\n');
        }
    }
    text + profile
}

const LONG: Duration = Duration::from_secs(50 * 365 * 24 * 60 * 60);

const LEAF: &str = "key-usage = ['digitalSignature']\nextended-key-usage = ['clientAuth']";
const BELOW: &str = "basic-constraints = { ca = true }\nkey-usage = ['keyCertSign', 'cRLSign']";

/// Whether webpki accepts it for a client.
fn webpki(chain: &[pki::Certificate], root: &pki::Certificate) -> Result<(), webpki::Error> {
    let der: Vec<CertificateDer<'_>> = chain.iter().map(|it| it.as_der().into()).collect();
    let root = CertificateDer::from(root.as_der());
    let Some((leaf, issuers)) = der.split_first() else {
        return Err(webpki::Error::BadDer);
    };
    let algorithms = rustls_graviola::default_provider()
        .signature_verification_algorithms
        .all;
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let now = UnixTime::since_unix_epoch(now.unwrap_or(Duration::ZERO));
    EndEntityCert::try_from(leaf)?
        .verify_for_usage(
            algorithms,
            &[anchor_from_trusted_cert(&root)?],
            issuers,
            now,
            KeyUsage::client_auth(),
            None,
            None,
        )
        .map(drop)
}
