//! An issuing service: a request in, a certificate and its chain out, and a record of it for the audit.
//!
//! It is started once for each request, as inetd or a web server does it; the CA's file goes on with its issuers:
//!
//! ```text
//! cargo run -p countersign-pki --example issuing_service -- ca.crt.pem ca.key.pem < bot.csr.pem > bot.crt.pem 2>> audit.log
//! ```
#![allow(clippy::print_stdout, clippy::print_stderr)] // a program that talks to others

use std::{env, error::Error as StdError, fs, io, io::Read, iter};

use pki::{Certificate, CertificateAuthority, CertificateRequest, Error, Fault, Issuance, Profile};

/// What is granted, whatever a request asks for.
const POLICY: &str = r#"
key-usage = ["digitalSignature"]
extended-key-usage = ["clientAuth"]
crl-distribution-points = ["http://ca.example.com/ca.crl"]
subject = { required = ["CN"], values = { O = "Excelsior Bank" } }
keys = { allowed = ["RSA 4096", "ECDSA P-256"] }
validity = { for = "30d", clamped = true }
"#;

/// A certificate and its issuers in PEM, but for the root, which others have; and a record of what was granted and what not.
pub(crate) fn issue(
    ca: &CertificateAuthority,
    request: &CertificateRequest,
) -> Result<(String, String), Error> {
    let issuance = Issuance::for_request(&request.verify()?);
    let prepared = ca.prepare(&issuance, &Profile::from_toml(POLICY)?)?;
    let certificate = prepared.sign(ca.private_key())?;
    let issuers = ca.chain().iter().filter(|issuer| !issuer.is_self_signed());
    let chain = iter::once(&certificate).chain(issuers);
    let record = format!(
        "issued {} to {:?}, not granted: {:?}",
        certificate.serial_number(),
        certificate.subject().to_string(),
        prepared.ungranted(),
    );
    Ok((chain.map(Certificate::to_pem).collect(), record))
}

fn main() -> Result<(), Box<dyn StdError>> {
    let files: Vec<String> = env::args().skip(1).collect();
    let [certificates, key] = files.as_slice() else {
        return Err("usage: issuing_service CERTIFICATES KEY < REQUEST".into());
    };
    let ca = CertificateAuthority::from_pem(fs::read(certificates)?, fs::read(key)?, None)?;
    let mut request = Vec::new();
    io::stdin().take(1 << 20).read_to_end(&mut request)?;
    let request = CertificateRequest::from_pem(request)
        .inspect_err(|error| println!("not a request: {error}"))?;
    let (chain, record) = issue(&ca, &request).inspect_err(|error| match error.fault() {
        Fault::Request => println!("refused: {error}"),
        _ => println!("not issued: ask the operator"),
    })?;
    eprintln!("{record}");
    print!("{chain}");
    Ok(())
}
