//! Who signs: a key in a file, a command, or somebody on another machine.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use pki::{
    Certificate, DistinguishedName, Issuer, KeyAlgorithm, PreparedCertificate, PrivateKey,
    PublicKey, SignatureAlgorithm, Signer,
};

use crate::{
    error::{Context, Error},
    file_id::Inputs,
    file_name::{InputName, OutputName},
    input,
    passphrase::{Flag, Source, SourceParser},
    signer_command::{self, SignerCommand, SignerCommandParser},
    ui,
};

/// The flags that say who signs for a CA.
#[derive(Debug, clap::Args)]
pub(crate) struct AuthorityArgs {
    #[command(flatten)]
    signer: CaSigner,

    /// Passphrase of the CA's key, if it is encrypted
    #[arg(long, value_name = "SRC", value_parser = SourceParser, conflicts_with_all = ["signer_command", "print_tbs"])]
    ca_passin: Option<Source>,
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct CaSigner {
    /// Private key of the CA, in PEM or DER
    #[arg(long, value_name = "FILE")]
    ca_key: Option<PathBuf>,

    /// Command that signs with it instead, and keeps the key
    #[arg(long, value_name = "CMD", value_parser = SignerCommandParser)]
    signer_command: Option<SignerCommand>,

    /// Sign nothing: write what is to be signed (DER), for ca assemble
    #[arg(long)]
    print_tbs: bool,
}

/// A CA, and who signs for it: nobody here, where what is to be signed is carried elsewhere.
pub(crate) struct Authority {
    pub(crate) issuer: Issuer,
    pub(crate) key: Option<SigningKey>,
}

/// A key that signs.
pub(crate) enum SigningKey {
    Private(PrivateKey),
    Command(SignerCommand, PublicKey),
}

impl AuthorityArgs {
    fn ca_passin(&self) -> Flag<'_> {
        Flag::new("--ca-passin", &self.ca_passin)
    }

    /// Whether nobody signs here.
    pub(crate) fn prints_tbs(&self) -> bool {
        self.signer.print_tbs
    }

    /// With the files that they name.
    pub(crate) fn inputs(&self, inputs: Inputs) -> Inputs {
        SignerCommand::inputs(self.signer.signer_command.as_ref(), inputs)
            .files("--ca-key", &self.signer.ca_key)
            .passphrase(self.ca_passin())
    }

    /// The CA whose certificate is the first in the file, and which may go on with its issuers.
    ///
    /// # Errors
    ///
    /// [`Error`] when a file can't be read, or when they don't make a CA.
    pub(crate) fn authority(&self, certificate: &Path) -> Result<Authority, Error> {
        let private = self.signer.ca_key.as_ref();
        let private = private
            .map(|path| input::private_key(path, self.ca_passin()))
            .transpose()?;
        Authority::read(certificate, private, self.signer.signer_command.as_ref())
    }

    /// The command that signs with the private half of a key, if one does.
    pub(crate) fn command(&self, key: &PublicKey) -> Option<SigningKey> {
        let command = self.signer.signer_command.clone();
        command.map(|it| SigningKey::Command(it, key.clone()))
    }
}

impl Authority {
    /// The CA whose certificate is the first in the file: this key signs for it, or this command, or nobody here.
    ///
    /// # Errors
    ///
    /// [`Error`] when the file can't be read, or when they don't make a CA.
    pub(crate) fn read(
        certificate: &Path,
        private: Option<PrivateKey>,
        command: Option<&SignerCommand>,
    ) -> Result<Self, Error> {
        let issuer = input::issuer(certificate)?;
        let key = match private {
            Some(key) => {
                let checked = issuer.certificate().check_key(key.public_key());
                checked.about(InputName(certificate))?;
                Some(SigningKey::Private(key))
            }
            None => command.map(|it| SigningKey::Command(it.clone(), issuer.public_key().clone())),
        };
        Ok(Self { issuer, key })
    }

    /// Has a certificate signed, unless nobody signs here.
    ///
    /// # Errors
    ///
    /// Those of [`SigningKey::sign`].
    pub(crate) fn sign(
        &self,
        prepared: &PreparedCertificate,
    ) -> Result<Option<Certificate>, Error> {
        let key = self.key.as_ref();
        key.map(|key| key.certificate(prepared)).transpose()
    }
}

/// Tells what is to be done with what is to be signed, by a CA or by the key that it is about, where ca assemble is told this flag.
pub(crate) fn note_to_be_signed(
    algorithm: SignatureAlgorithm,
    ca: Option<&DistinguishedName>,
    flag: Option<&str>,
    path: &Path,
) {
    let signer = match ca {
        Some(ca) => format!("the key of {ca}"),
        None => "its own key".to_owned(),
    };
    let ca_cert = ca.map(|_| "--ca-cert FILE");
    let flags = ca_cert.or(flag).map(|flag| format!(" {flag}"));
    ui::note(format!(
        "{}: to be signed with {algorithm} by {signer}, for example so:\n  {}\n  \
         countersign ca assemble{} --tbs TBS --signature SIGNATURE --out FILE",
        OutputName(path),
        openssl(algorithm),
        flags.unwrap_or_default(),
    ));
}

impl SigningKey {
    pub(crate) fn public_key(&self) -> &PublicKey {
        match self {
            Self::Private(key) => key.public_key(),
            Self::Command(_, key) => key,
        }
    }

    /// Has a certificate signed.
    ///
    /// # Errors
    ///
    /// Those of [`sign`](Self::sign).
    pub(crate) fn certificate(&self, prepared: &PreparedCertificate) -> Result<Certificate, Error> {
        let algorithm = prepared.signature_algorithm();
        self.sign(algorithm, prepared.as_der(), |it| prepared.assemble(it))
    }

    /// Has something signed and put together, where the signature is verified.
    ///
    /// # Errors
    ///
    /// [`Error`] when there is no signature, or none that verifies.
    pub(crate) fn sign<T>(
        &self,
        algorithm: SignatureAlgorithm,
        to_be_signed: &[u8],
        assemble: impl FnOnce(&[u8]) -> Result<T, pki::Error>,
    ) -> Result<T, Error> {
        match self {
            Self::Private(key) => {
                let signature = Signer::sign(key, algorithm, to_be_signed)
                    .map_err(|error| Error::failed(format!("signing: {error}")))?;
                assemble(&signature).about("signing")
            }
            Self::Command(command, key) => {
                let signature = command.sign(algorithm, to_be_signed)?;
                let signature = Signature {
                    octets: &signature,
                    algorithm,
                    key: key.algorithm(),
                };
                signature.assemble(command, assemble)
            }
        }
    }
}

/// A signature that was made elsewhere.
pub(crate) struct Signature<'a> {
    pub(crate) octets: &'a [u8],
    /// What it is to be.
    pub(crate) algorithm: SignatureAlgorithm,
    pub(crate) key: KeyAlgorithm,
}

impl Signature<'_> {
    /// Has something put together with it, where it is verified.
    ///
    /// # Errors
    ///
    /// [`Error`] when it doesn't verify: with what is wrong with it, where that can be seen.
    pub(crate) fn assemble<T>(
        &self,
        from: impl fmt::Display,
        assemble: impl FnOnce(&[u8]) -> Result<T, pki::Error>,
    ) -> Result<T, Error> {
        let assembled = assemble(self.octets);
        let is_wrong = matches!(assembled, Err(pki::Error::SignatureFailed));
        match self.flaw() {
            Some((flaw, hint)) if is_wrong => Err(Error::failed(format!(
                "{from}: not a signature with {}: {flaw}",
                self.algorithm
            ))
            .hint(hint)),
            _ => assembled.about(from).map_err(|error| match is_wrong {
                true => error.hint(self.requirements()),
                false => error,
            }),
        }
    }

    /// Why it can't be a signature with such a key, and what to do.
    fn flaw(&self) -> Option<(String, &'static str)> {
        const AS_IT_IS: &str = "give what the signer makes, and nothing else";
        let is_text = |octet: &u8| octet.is_ascii_graphic() || octet.is_ascii_whitespace();
        if self.octets.iter().all(is_text) {
            return Some((
                "it is text".to_owned(),
                "give the octets themselves; base64 -d or xxd -r -p makes them of text",
            ));
        }
        let found = self.octets.len();
        let numbers = match self.key {
            KeyAlgorithm::EcP256 => 64,
            KeyAlgorithm::EcP384 => 96,
            KeyAlgorithm::EcP521 => 132,
            other => {
                let expected = other.rsa_bits().map_or(64, |bits| bits.div_ceil(8));
                let flaw = format!("{found} octets instead of {expected}");
                return (found != expected).then_some((flaw, AS_IT_IS));
            }
        };
        if is_sequence(self.octets) {
            None
        } else if found == numbers {
            Some((
                format!("{found} octets of r and s alone, instead of their SEQUENCE in DER"),
                "pkcs11-tool writes DER with --signature-format openssl",
            ))
        } else {
            Some(("it is no SEQUENCE in DER".to_owned(), AS_IT_IS))
        }
    }

    /// What a signature that has the right form may lack.
    fn requirements(&self) -> String {
        let how = match self.algorithm {
            SignatureAlgorithm::RsaPss(_) => ", and a salt as long as the digest",
            _ => "",
        };
        format!(
            "it has to be made with the key of the certificate, over these very octets, with {}{how}",
            self.algorithm
        )
    }
}

/// Whether it is one SEQUENCE of less than 256 octets.
fn is_sequence(der: &[u8]) -> bool {
    match der {
        [0x30, 0x81, length, contents @ ..] | [0x30, length, contents @ ..] => {
            usize::from(*length) == contents.len()
        }
        _ => false,
    }
}

/// openssl's line that signs so.
fn openssl(algorithm: SignatureAlgorithm) -> String {
    let options = match algorithm {
        SignatureAlgorithm::RsaPss(_) => {
            " -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:digest"
        }
        _ => "",
    };
    match signer_command::digest(algorithm) {
        Some(digest) => format!("openssl dgst -{digest}{options} -sign KEY -out SIGNATURE TBS"),
        None => "openssl pkeyutl -sign -rawin -inkey KEY -in TBS -out SIGNATURE".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use pki::Digest;

    use super::*;

    #[test]
    fn what_is_no_signature_is_told_from_one_that_is_wrong() {
        const P256: (SignatureAlgorithm, KeyAlgorithm) = (
            SignatureAlgorithm::Ecdsa(Digest::Sha256),
            KeyAlgorithm::EcP256,
        );
        const P521: (SignatureAlgorithm, KeyAlgorithm) = (
            SignatureAlgorithm::Ecdsa(Digest::Sha512),
            KeyAlgorithm::EcP521,
        );
        const RSA: (SignatureAlgorithm, KeyAlgorithm) = (
            SignatureAlgorithm::RsaPss(Digest::Sha256),
            KeyAlgorithm::Rsa { bits: 2041 },
        );
        const ED25519: (SignatureAlgorithm, KeyAlgorithm) =
            (SignatureAlgorithm::Ed25519, KeyAlgorithm::Ed25519);
        let sequence = |header: &[u8], length: usize| {
            let mut der = header.to_vec();
            der.resize(header.len() + length, 0xff);
            der
        };
        for ((algorithm, key), octets, expected) in [
            (P256, sequence(&[0x30, 70], 70), None),
            (P256, sequence(&[0x30, 62], 62), None),
            (P521, sequence(&[0x30, 0x81, 137], 137), None),
            (P256, sequence(&[0x30, 71], 70), Some("no SEQUENCE in DER")),
            (P256, vec![0xff; 64], Some("64 octets of r and s alone")),
            (P521, vec![0xff; 132], Some("132 octets of r and s alone")),
            (P521, vec![0xff; 64], Some("no SEQUENCE in DER")),
            (P256, b"MEUCIQD+\n".to_vec(), Some("it is text")),
            (RSA, vec![0xff; 256], None),
            (RSA, vec![0xff; 255], Some("255 octets instead of 256")),
            (RSA, b"3045 0220".to_vec(), Some("it is text")),
            (ED25519, vec![0xff; 64], None),
            (ED25519, vec![0xff; 65], Some("65 octets instead of 64")),
        ] {
            let signature = Signature {
                octets: &octets,
                algorithm,
                key,
            };
            let found = signature.flaw().map(|(flaw, _)| flaw);
            match (&found, expected) {
                (Some(flaw), Some(expected)) => assert!(flaw.contains(expected), "{flaw}"),
                _ => assert_eq!(found.is_some(), expected.is_some(), "{octets:?}: {found:?}"),
            }
        }
    }
}
