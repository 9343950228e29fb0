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
