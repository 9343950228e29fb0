//! The order of a chain: from the leaf to its issuers, by names and signatures. Where a signature can't be checked, for its
//! algorithm isn't supported, names and key identifiers have to do: this is about order, and trust is decided elsewhere.

use crate::{Certificate, Error};

impl Certificate {
    /// This certificate, then its issuers as far as `certificates` has them, in whatever order: each is the issuer of the one
    /// before it by name and signature, or by name and key identifiers where the signature's algorithm isn't supported.
    ///
    /// At most 16. This says how certificates belong together, and nothing about trust: neither dates nor extensions are
    /// looked at.
    #[must_use]
    pub fn chain_among<'a>(&'a self, certificates: &'a [Certificate]) -> Vec<&'a Certificate> {
        upwards(self, certificates)
    }
}

/// The leaf, then its issuers as far as `certificates` has them.
pub(crate) fn upwards<'a>(
    leaf: &'a Certificate,
    certificates: &'a [Certificate],
) -> Vec<&'a Certificate> {
    let mut chain = vec![leaf];
    let mut below = leaf;
    while chain.len() < MAX_LENGTH && !below.is_self_signed() {
        // Brought into its canonical form once, and not for each certificate.
        let name = below.issuer().canonical();
        let namesakes = certificates
            .iter()
            .filter(|issuer| issuer.subject().canonical() == name && !chain.contains(issuer))
            .take(MAX_NAMESAKES);
        // Whoever verifies it comes before whoever may have signed it.
        let Some(issuer) = namesakes
            .clone()
            .find(|issuer| below.verify_issued_by(issuer).is_ok())
            .or_else(|| {
                namesakes
                    .clone()
                    .find(|issuer| below.may_be_issued_by(issuer))
            })
        else {
            break;
        };
        chain.push(issuer);
        below = issuer;
    }
    chain
}

/// Likewise, of certificates that all belong to the chain. One that is given twice is taken once.
///
/// # Errors
/// [`Error::NotInChain`]; [`Error::CertificateSignatureInvalid`] or [`Error::SignatureAlgorithmMismatch`] when the chain
/// breaks off at one that has the name of the next issuer, and isn't.
pub(crate) fn upwards_all<'a>(
    leaf: &'a Certificate,
    certificates: &'a [Certificate],
) -> Result<Vec<&'a Certificate>, Error> {
    let chain = upwards(leaf, certificates);
    let Some(stranger) = certificates.iter().find(|other| !chain.contains(other)) else {
        return Ok(chain);
    };
    if let Some(last) = chain.last()
        && !last.is_self_signed()
        && let Err(
            error @ (Error::CertificateSignatureInvalid { .. }
            | Error::SignatureAlgorithmMismatch { .. }),
        ) = last.verify_issued_by(stranger)
    {
        return Err(error);
    }
    Err(Error::NotInChain {
        subject: stranger.subject().to_string(),
        leaf: leaf.subject().to_string(),
        missing: missing_issuer(&chain, certificates),
    })
}

/// The issuer of the last certificate of the chain, where no certificate with its name was given.
fn missing_issuer(chain: &[&Certificate], certificates: &[Certificate]) -> Option<String> {
    let issuer = chain.last()?.issuer();
    let name = issuer.canonical();
    let is_given = chain
        .iter()
        .copied()
        .chain(certificates)
        .any(|given| given.subject().canonical() == name);
    (!is_given).then(|| issuer.to_string())
}

/// Ten are more than any CA has.
const MAX_LENGTH: usize = 16;
/// A CA that was renewed or cross-signed has a few certificates; this bounds what a file full of them can cost.
const MAX_NAMESAKES: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CertificateAuthority, CertificateRequest, KeyKind, PrivateKey, Profile};

    #[test]
    fn a_chain_ends_at_a_root_whose_signature_can_not_be_checked() {
        let authority = || {
            let key = PrivateKey::generate(KeyKind::EcP256).unwrap();
            CertificateAuthority::create_root("/CN=Root".parse().unwrap(), key, &Profile::root())
                .unwrap()
        };
        let ca = authority();
        let key = PrivateKey::generate(KeyKind::EcP256).unwrap();
        let request = CertificateRequest::builder("/CN=leaf".parse().unwrap())
            .sign(&key)
            .unwrap();
        let leaf = ca
            .issue(&request.verify().unwrap(), &Profile::client())
            .unwrap();
        // ecdsa-with-SHA224 in the place of ecdsa-with-SHA256.
        let mut der = ca.certificate().as_der().to_vec();
        let oid = b"\x2a\x86\x48\xce\x3d\x04\x03\x02";
        for at in 0..der.len() {
            if der[at..].starts_with(oid) {
                der[at + 7] = 1;
            }
        }
        let root = Certificate::from_der(&der).unwrap();
        let namesake = authority().certificate().clone();
        assert!(root.is_self_signed());

        let found = upwards(&leaf, &[namesake, root.clone()])
            .into_iter()
            .cloned()
            .collect::<Vec<_>>();
        assert_eq!(found, [leaf, root]);
    }

    fn key() -> PrivateKey {
        PrivateKey::generate(KeyKind::EcP256).unwrap()
    }

    fn root(key: PrivateKey) -> CertificateAuthority {
        CertificateAuthority::create_root("/CN=Root".parse().unwrap(), key, &Profile::root())
            .unwrap()
    }

    fn copy(key: &PrivateKey) -> PrivateKey {
        PrivateKey::from_der(&key.to_pkcs8_der().unwrap(), None).unwrap()
    }

    fn below(ca: &CertificateAuthority, name: &str, key: &PrivateKey) -> CertificateAuthority {
        ca.create_intermediate(name.parse().unwrap(), copy(key), &Profile::intermediate())
            .unwrap()
    }

    #[test]
    fn a_chain_ends_at_the_first_root() {
        // The same key has two roots.
        let key = key();
        let ca = root(copy(&key));
        let again = root(key);
        assert_ne!(ca.certificate(), again.certificate());
        let leaf = below(&ca, "/CN=Signing", &self::key());
        let roots = [ca.certificate().clone(), again.certificate().clone()];
        assert_eq!(
            upwards(leaf.certificate(), &roots),
            [leaf.certificate(), &roots[0]]
        );
    }

    #[test]
    fn authorities_that_certify_each_other_are_listed_once() {
        let [first, second] = [key(), key()];
        let ca = root(key());
        let first_below_root = below(&ca, "/CN=First", &first);
        let second_below_first = below(&first_below_root, "/CN=Second", &second);
        let first_below_second = below(&second_below_first, "/CN=First", &first);
        let leaf = below(&first_below_root, "/CN=Leaf", &key());
        let crossed = [
            first_below_second.certificate().clone(),
            second_below_first.certificate().clone(),
        ];
        assert_eq!(
            upwards(leaf.certificate(), &crossed),
            [leaf.certificate(), &crossed[0], &crossed[1]]
        );
    }

    #[test]
    fn a_chain_has_at_most_sixteen_certificates() {
        let mut ca = root(key());
        for number in 1..MAX_LENGTH {
            ca = below(&ca, &format!("/CN={number}"), &key());
        }
        assert_eq!(ca.chain().len(), 16);
        let request = CertificateRequest::builder("/CN=leaf".parse().unwrap())
            .sign(&key())
            .unwrap();
        let leaf = ca
            .issue(&request.verify().unwrap(), &Profile::client())
            .unwrap();
        assert_eq!(upwards(&leaf, ca.chain()).len(), 16);
    }
}
