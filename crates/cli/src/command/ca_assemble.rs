//! `countersign ca assemble`

use std::path::PathBuf;

use pki::{
    Certificate, Issuer, PreparedCertificate, PreparedCrl, PreparedRequest, PublicKey,
    SignatureAlgorithm,
};
use serde_json::json;

use crate::{
    error::{Context, Error},
    file_id::Inputs,
    file_name::InputName,
    help, input,
    output::{self, Access, Output},
    report::Report,
    signature_choice::SignatureArgs,
    signing::Signature,
    ui,
};

/// Put a certificate, a CRL or a request together with a signature that was made elsewhere
///
/// What is signed was written with --print-tbs, by ca sign, ca crl, ca create, cert renew, issue or csr create. Whether it may be signed
/// was checked then, and is not checked again. The signature is verified before anything is written: with the key of the CA, or without
/// --ca-cert with the key that a root or a request is about.
#[derive(Debug, clap::Args)]
#[command(after_long_help = help::verbatim(EXAMPLES), mut_arg("signature_algorithm", |it| it.help(
    "Of a request, which does not name it, and of an RSA key: how it was signed [default: rsa-sha256]"
)))]
pub(crate) struct Args {
    /// What was to be signed, in DER: a TBSCertificate, a TBSCertList or a CertificationRequestInfo
    #[arg(long, value_name = "FILE")]
    tbs: PathBuf,

    /// Its signature, in octets: of ECDSA the DER
    #[arg(long, value_name = "FILE")]
    signature: PathBuf,

    /// Where to write the certificate, the CRL or the request; - is standard output
    #[arg(long, value_name = "FILE")]
    out: PathBuf,

    /// Certificate of the CA, in PEM or DER; not for a request, nor for what its own key signed
    #[arg(long, value_name = "FILE")]
    ca_cert: Option<PathBuf>,

    #[command(flatten)]
    signature_algorithm: SignatureArgs,

    /// Report in JSON: "certificate", "crl" or "request" is the file, "report" what inspect --json says of it
    #[arg(long)]
    json: bool,

    /// Replace the file if it exists
    #[arg(long)]
    force: bool,
}

const EXAMPLES: &str = "\
Examples:
  countersign ca sign --ca-cert ca.crt.pem --csr bot.csr.pem --print-tbs --out bot4.tbs
  # on the machine with the key, and nothing but openssl:
  openssl dgst -sha256 -sign ca.key.pem -passin env:CA_PASS -out bot4.sig bot4.tbs
  # and here again:
  countersign ca assemble --ca-cert ca.crt.pem --tbs bot4.tbs --signature bot4.sig --out bot4.crt.pem
  # a root that ca create --public-key --print-tbs prepared, signed with its own key:
  openssl dgst -sha256 -sign far.key.pem -out far.sig far.tbs
  countersign ca assemble --tbs far.tbs --signature far.sig --out far2.crt.pem";

pub(crate) fn run(args: &Args) -> Result<(), Error> {
    let out = Output {
        flag: "--out",
        path: &args.out,
        access: Access::Everyone,
    };
    let inputs = Inputs::new()
        .files("--ca-cert", &args.ca_cert)
        .file("--tbs", &args.tbs)
        .file("--signature", &args.signature);
    let [out] = output::claim([out], &inputs, args.force)?;
    output::keep_for_report(args.json, &[&out])?;
    let issuer = args.ca_cert.as_deref().map(input::issuer).transpose()?;
    let tbs = input::read(&args.tbs)?;
    let octets = input::read(&args.signature)?;

    let prepared = args.prepared(&tbs, issuer.as_ref().map(Issuer::certificate))?;
    let (algorithm, key) = prepared.algorithm_and_key();
    let signature = Signature {
        octets: &octets,
        algorithm,
        key: key.algorithm(),
    };
    let name = InputName(&args.signature);
    let (what, pem) = match &prepared {
        Prepared::Certificate(prepared) => {
            let certificate = signature.assemble(name, |octets| prepared.assemble(octets))?;
            let pem = certificate.to_pem();
            output::write([(out, pem.as_bytes())])?;
            ui::note_certificate(&certificate, &args.out);
            ("certificate", pem)
        }
        Prepared::Crl(prepared) => {
            let crl = signature.assemble(name, |octets| prepared.assemble(octets))?;
            let pem = crl.to_pem();
            output::write([(out, pem.as_bytes())])?;
            ui::note_crl(&crl, &args.out);
            ("crl", pem)
        }
        Prepared::Request(prepared) => {
            let request = signature.assemble(name, |octets| prepared.assemble(octets))?;
            let pem = request.to_pem();
            output::write([(out, pem.as_bytes())])?;
            ui::note_request(&request, &args.out);
            ("request", pem)
        }
    };
    if args.json {
        let report = Report::read(pem.as_bytes(), None).about(args.out.display())?;
        ui::json(&json!({
            what: args.out.display().to_string(),
            "report": report,
        }))?;
    }
    Ok(())
}

/// What was to be signed.
enum Prepared {
    Certificate(Box<PreparedCertificate>),
    Crl(PreparedCrl),
    Request(Box<PreparedRequest>),
}

/// The context tag 0, the version of a TBSCertificate (RFC 5280, section 4.1).
const CERTIFICATE: &[u8] = &[0xa0];
/// The version 2 of a TBSCertList (RFC 5280, section 5.1).
const CRL: &[u8] = &[0x02, 1, 1];
/// The version 1 of a CertificationRequestInfo (RFC 2986, section 4.1).
const REQUEST: &[u8] = &[0x02, 1, 0];

impl Args {
    /// What was to be signed, told apart by how it begins.
    fn prepared(&self, tbs: &[u8], ca: Option<&Certificate>) -> Result<Prepared, Error> {
        let name = InputName(&self.tbs);
        let begins = |with| contents(tbs).is_some_and(|contents| contents.starts_with(with));
        let algorithm = self.signature_algorithm.chosen();
        if begins(REQUEST) {
            if ca.is_some() {
                return Err(
                    Error::misused(format!("{name}: a request is signed by its own key"))
                        .hint("leave --ca-cert out"),
                );
            }
            let prepared = PreparedRequest::from_der(tbs, algorithm).about(name)?;
            return Ok(Prepared::Request(Box::new(prepared)));
        }
        if algorithm.is_some() {
            let only = "--signature-algorithm is for a request: all others name it themselves";
            return Err(Error::misused(only));
        }
        if begins(CERTIFICATE) {
            let prepared = match ca {
                Some(ca) => PreparedCertificate::from_der(tbs, ca),
                None => PreparedCertificate::self_signed_from_der(tbs),
            };
            return prepared
                .map(|it| Prepared::Certificate(Box::new(it)))
                .about(name)
                .map_err(|error| match ca {
                    Some(_) => error,
                    None => error.hint("name the CA that issues it with --ca-cert"),
                });
        }
        if begins(CRL) {
            let Some(ca) = ca else {
                return Err(Error::misused(format!("{name}: a CRL is its CA's"))
                    .hint("name it with --ca-cert"));
            };
            let prepared = PreparedCrl::from_der(tbs, ca).about(name)?;
            return Ok(Prepared::Crl(prepared));
        }
        let kinds = "neither a TBSCertificate, a TBSCertList nor a CertificationRequestInfo in DER";
        Err(Error::failed(format!("{name}: {kinds}"))
            .hint("give what --print-tbs wrote, as it is and still without its signature"))
    }
}

/// What is in a SEQUENCE, from its first octet on.
fn contents(sequence: &[u8]) -> Option<&[u8]> {
    match sequence {
        [0x30, 0..0x80, contents @ ..] => Some(contents),
        [0x30, length, rest @ ..] => rest.get(usize::from(length & 0x7f)..),
        _ => None,
    }
}

impl Prepared {
    fn algorithm_and_key(&self) -> (SignatureAlgorithm, &PublicKey) {
        match self {
            Self::Certificate(it) => (it.signature_algorithm(), it.signing_key()),
            Self::Crl(it) => (it.signature_algorithm(), it.signing_key()),
            Self::Request(it) => (it.signature_algorithm(), it.signing_key()),
        }
    }
}
