//! The order of a chain: from the leaf to its issuers, by names and signatures. Where a signature can't be checked, for its
//! algorithm isn't supported, names and key identifiers have to do: this is about order, and trust is decided elsewhere.

use crate::Certificate;

/// The leaf, then its issuers as far as `certificates` has them.
pub(super) fn upwards<'a>(
    leaf: &'a Certificate,
    certificates: &'a [Certificate],
) -> Vec<&'a Certificate> {
    let mut chain = vec![leaf];
    let mut below = leaf;
    while chain.len() < MAX_LENGTH && !below.is_self_signed() {
        let Some(issuer) = certificates
            .iter()
            .filter(|issuer| issuer.subject() == below.issuer() && !chain.contains(issuer))
            .take(MAX_NAMESAKES)
            .find(|issuer| below.may_be_issued_by(issuer))
        else {
            break;
        };
        chain.push(issuer);
        below = issuer;
    }
    chain
}

/// Ten are more than any authority has.
const MAX_LENGTH: usize = 16;
/// An authority that was renewed or cross-signed has a few certificates; this bounds what a file full of them can cost.
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
}
