//! Reading the files that a command is given.

use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

use pki::{
    Certificate, CertificateRequest, Crl, Issuer, Item, Passphrase, PrivateKey, Profile, PublicKey,
    TrustStore,
};
use zeroize::Zeroizing;

use crate::{
    error::{Context, Error, Hint},
    file_name::{self, InputName},
    passphrase::Flag,
    stdin,
};

/// No key, request, certificate or bundle is larger, and hardly any CRL. In octets.
const LIMIT: u64 = 64 << 20;

/// The contents of a file, or of standard input for `-`.
///
/// # Errors
///
/// [`Error`] when it can't be read, is empty or larger than 64 MiB.
pub(crate) fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, Error> {
    let contents = if file_name::is_stdin(path) {
        read_bounded(stdin::as_file(InputName(path))?, 0, InputName(path))?
    } else {
        let file = File::open(path).about(InputName(path))?;
        let size = file.metadata().about(InputName(path))?.len();
        read_bounded(file, size, InputName(path))?
    };
    if contents.is_empty() {
        return Err(Error::failed(format!("{}: nothing in it", InputName(path))));
    }
    Ok(contents)
}

/// A private key in any of the formats that `pki` reads.
///
/// # Errors
///
/// [`Error`] when the file is no private key, or the passphrase is missing or wrong.
pub(crate) fn private_key(path: &Path, passphrase: Flag<'_>) -> Result<PrivateKey, Error> {
    open(path, passphrase, |contents, passphrase| {
        PrivateKey::from_pem_or_der(contents, passphrase)
    })
}

/// A public key (SubjectPublicKeyInfo), which may stand among other things.
///
/// # Errors
///
/// [`Error`] when the file holds none.
pub(crate) fn public_key(path: &Path) -> Result<PublicKey, Error> {
    let contents = pki::open(&read(path)?, None).about(InputName(path))?;
    let key = contents
        .into_items()
        .into_iter()
        .find_map(|item| match item {
            Item::PublicKey(key) => Some(key),
            _ => None,
        });
    key.ok_or_else(|| {
        Error::failed(format!("{}: no public key in it", InputName(path)))
            .hint("openssl pkey -in KEY -pubout -out FILE writes that of a private key")
    })
}

/// All certificates in a file; there is at least one.
///
/// # Errors
///
/// [`Error`] when the file holds no certificate.
pub(crate) fn certificates(path: &Path) -> Result<Vec<Certificate>, Error> {
    Certificate::all_from_pem_or_der(&read(path)?).about(InputName(path))
}

/// The first certificate in a file.
///
/// # Errors
///
/// [`Error`] when the file holds none.
pub(crate) fn certificate(path: &Path) -> Result<Certificate, Error> {
    own_and_issuers(&certificates(path)?, path).map(|(own, _)| own)
}

/// The trust stores in these files, in any format. One passphrase is for all of them.
///
/// # Errors
///
/// [`Error`] when a file holds no trusted certificate, or the passphrase is missing or wrong.
pub(crate) fn trust_stores(paths: &[PathBuf], flag: Flag<'_>) -> Result<Vec<TrustStore>, Error> {
    each(paths, flag, "the trust stores", |contents, passphrase| {
        TrustStore::read(contents, passphrase)
    })?
    .map(|(_, store)| store)
    .collect()
}

/// A certificate request.
///
/// # Errors
///
/// [`Error`] when the file holds none.
pub(crate) fn request(path: &Path) -> Result<CertificateRequest, Error> {
    CertificateRequest::from_pem_or_der(&read(path)?).about(InputName(path))
}

/// A certificate revocation list.
///
/// # Errors
///
/// [`Error`] when the file holds none.
pub(crate) fn crl(path: &Path) -> Result<Crl, Error> {
    Crl::from_pem_or_der(&read(path)?).about(InputName(path))
}

/// A profile in TOML.
///
/// # Errors
///
/// [`Error`] when the file holds none.
pub(crate) fn profile(path: &Path) -> Result<Profile, Error> {
    let contents = read(path)?;
    let Ok(text) = str::from_utf8(&contents) else {
        return Err(Error::failed(format!(
            "{}: it is not UTF-8",
            InputName(path)
        )));
    };
    Profile::from_toml(text).about(InputName(path))
}

/// The CA whose certificate is the first in a file, which may go on with the CA's own issuers.
///
/// # Errors
///
/// [`Error`] when the file can't be read, or when its certificates don't make a CA.
pub(crate) fn issuer(certificate: &Path) -> Result<Issuer, Error> {
    let (own, issuers) = own_and_issuers(&certificates(certificate)?, certificate)?;
    Issuer::with_issuers(own, issuers).about(InputName(certificate))
}

fn own_and_issuers(
    certificates: &[Certificate],
    file: &Path,
) -> Result<(Certificate, Vec<Certificate>), Error> {
    match certificates.split_first() {
        Some((own, issuers)) => Ok((own.clone(), issuers.to_vec())),
        None => Err(Error::failed(format!(
            "{}: no certificate in it",
            InputName(file)
        ))),
    }
}

/// Opens what may be encrypted: with the passphrase whose source was named, or else with one that is asked for once it
/// turns out to be needed.
///
/// # Errors
///
/// [`Error`] when the file can't be read or opened.
pub(crate) fn open<T, E: Hint>(
    path: &Path,
    flag: Flag<'_>,
    open: impl Fn(&[u8], Option<&Passphrase>) -> Result<T, E>,
) -> Result<T, Error> {
    // The passphrase comes first: it may be the first line of a standard input that goes on with the file.
    let given = flag.given(InputName(path))?;
    open_with(path, flag, given.as_ref(), open)
}

/// Opens several files, one after the other, of which some may be encrypted. One passphrase is for all of them.
///
/// # Errors
///
/// [`Error`] when the source doesn't give the passphrase; and for each file, when it can't be read or opened.
pub(crate) fn each<'a, T, E: Hint>(
    paths: &'a [PathBuf],
    flag: Flag<'a>,
    subject: &str,
    open: impl Fn(&[u8], Option<&Passphrase>) -> Result<T, E> + 'a,
) -> Result<impl Iterator<Item = (&'a Path, Result<T, Error>)>, Error> {
    let given = flag.given(subject)?;
    Ok(paths
        .iter()
        .map(move |path| (path.as_path(), open_with(path, flag, given.as_ref(), &open))))
}

fn open_with<T, E: Hint>(
    path: &Path,
    flag: Flag<'_>,
    given: Option<&Passphrase>,
    open: impl Fn(&[u8], Option<&Passphrase>) -> Result<T, E>,
) -> Result<T, Error> {
    let contents = read(path)?;
    let mut opened = open(&contents, given);
    let cause = opened.as_ref().err().and_then(Hint::as_pki);
    if given.is_none() && matches!(cause, Some(pki::Error::PassphraseRequired { .. })) {
        let asked = flag.asked(InputName(path))?;
        opened = open(&contents, Some(&asked));
    }
    let cause = opened.as_ref().err().and_then(Hint::as_pki);
    let wrong = given.is_some() && matches!(cause, Some(pki::Error::WrongPassphrase { .. }));
    opened.about(InputName(path)).map_err(|error| {
        if wrong {
            error.hint(format!("check the passphrase that {} gives", flag.name))
        } else {
            error
        }
    })
}

fn read_bounded(
    reader: impl Read,
    expected: u64,
    name: InputName<'_>,
) -> Result<Zeroizing<Vec<u8>>, Error> {
    // What is read may be a private key: a buffer of the right size from the start leaves no copies behind.
    let capacity = usize::try_from(expected.min(LIMIT)).unwrap_or(0);
    let mut contents = Zeroizing::new(Vec::with_capacity(capacity.saturating_add(1)));
    let size = reader
        .take(LIMIT.saturating_add(1))
        .read_to_end(&mut contents)
        .about(&name)?;
    if u64::try_from(size).is_ok_and(|size| size <= LIMIT) {
        Ok(contents)
    } else {
        Err(Error::failed(format!(
            "{name}: larger than the limit of {} MiB",
            LIMIT >> 20
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endless_input_is_cut_off() {
        let error = read_bounded(std::io::repeat(0), 0, InputName(Path::new("-"))).unwrap_err();
        assert_eq!(
            error,
            Error::failed("standard input: larger than the limit of 64 MiB")
        );
    }
}
