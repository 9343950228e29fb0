//! `countersign ca assemble`

use std::path::PathBuf;

use pki::{Certificate, PreparedCertificate, PreparedCrl};
use serde_json::json;

use crate::{
    error::{Context, Error},
    file_id::Inputs,
    file_name::InputName,
    help, input,
    output::{self, Access, Output},
    report::Report,
    signing::Signature,
    ui,
};

/// Put a certificate or a CRL together with a signature that was made elsewhere
///
/// What is signed was written by ca sign or ca crl with --print-tbs. Whether it may be signed was checked then, and is not
/// checked again. The signature is verified before anything is written.
#[derive(Debug, clap::Args)]
#[command(after_long_help = help::verbatim(EXAMPLES))]
pub(crate) struct Args {
    /// Certificate of the CA, in PEM or DER
    #[arg(long, value_name = "FILE")]
    ca_cert: PathBuf,

    /// What was to be signed, in DER: a TBSCertificate or a TBSCertList
    #[arg(long, value_name = "FILE")]
    tbs: PathBuf,

    /// Its signature, in octets: of ECDSA the DER
    #[arg(long, value_name = "FILE")]
    signature: PathBuf,

    /// Where to write the certificate or the CRL; - is standard output
    #[arg(long, value_name = "FILE")]
    out: PathBuf,

    /// Report in JSON: "certificate" or "crl" is the file, "report" what inspect --json says of it
    #[arg(long)]
    json: bool,

    /// Replace the file if it exists
    #[arg(long)]
    force: bool,
}

const EXAMPLES: &str = "\
Examples:
  countersign ca sign --ca-cert ca.crt.pem --csr bot.csr.pem --print-tbs --out bot.tbs
  # on the machine with the key, and nothing but openssl:
  openssl dgst -sha256 -sign ca.key.pem -out bot.sig bot.tbs
  # and here again:
  countersign ca assemble --ca-cert ca.crt.pem --tbs bot.tbs --signature bot.sig \\
    --out bot.crt.pem";

pub(crate) fn run(args: &Args) -> Result<(), Error> {
    let out = Output {
        flag: "--out",
        path: &args.out,
        access: Access::Everyone,
    };
    let inputs = Inputs::new()
        .file("--ca-cert", &args.ca_cert)
        .file("--tbs", &args.tbs)
        .file("--signature", &args.signature);
    let [out] = output::claim([out], &inputs, args.force)?;
    output::keep_for_report(args.json, &[&out])?;
    let issuer = input::issuer(&args.ca_cert)?;
    let tbs = input::read(&args.tbs)?;
    let octets = input::read(&args.signature)?;

    let prepared = Prepared::read(&tbs, issuer.certificate()).about(InputName(&args.tbs))?;
    let signature = Signature {
        octets: &octets,
        algorithm: prepared.algorithm(),
        key: issuer.public_key().algorithm(),
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
}

impl Prepared {
    fn read(tbs: &[u8], issuer: &Certificate) -> Result<Self, pki::Error> {
        match PreparedCrl::from_der(tbs, issuer) {
            // A TBSCertificate begins otherwise than a TBSCertList.
            Err(pki::Error::Malformed { .. }) => PreparedCertificate::from_der(tbs, issuer)
                .map(Box::new)
                .map(Self::Certificate),
            crl => crl.map(Self::Crl),
        }
    }

    fn algorithm(&self) -> pki::SignatureAlgorithm {
        match self {
            Self::Certificate(prepared) => prepared.signature_algorithm(),
            Self::Crl(prepared) => prepared.signature_algorithm(),
        }
    }
}
