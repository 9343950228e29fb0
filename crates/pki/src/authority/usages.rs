//! What a profile grants, in rcgen's terms.

use rcgen::{BasicConstraints as RcgenConstraints, ExtendedKeyUsagePurpose, IsCa, KeyUsagePurpose};

use crate::{Error, ExtendedKeyUsage, KeyAlgorithm, Profile, profile::Role};

pub(super) type Usages = (IsCa, Vec<KeyUsagePurpose>, Vec<ExtendedKeyUsagePurpose>);

pub(super) fn usages(profile: &Profile, key: KeyAlgorithm) -> Result<Usages, Error> {
    use KeyUsagePurpose::{CrlSign, DigitalSignature, KeyCertSign, KeyEncipherment};

    if profile.role.is_authority() {
        let constraints = match profile.path_len.map(u8::try_from) {
            None => RcgenConstraints::Unconstrained,
            Some(Ok(path_len)) => RcgenConstraints::Constrained(path_len),
            Some(Err(_)) => {
                return Err(Error::InvalidProfile {
                    reason: "a path length is at most 255",
                });
            }
        };
        return Ok((
            IsCa::Ca(constraints),
            vec![KeyCertSign, CrlSign],
            Vec::new(),
        ));
    }
    // RSA key exchange, which a TLS 1.2 server may still be asked for, needs keyEncipherment.
    let usage = match (key, profile.role) {
        (KeyAlgorithm::Rsa { .. }, Role::Server | Role::Peer) => {
            vec![DigitalSignature, KeyEncipherment]
        }
        _ => vec![DigitalSignature],
    };
    let purposes = purposes(profile.role).into_iter();
    Ok((
        IsCa::ExplicitNoCa,
        usage,
        purposes.map(|(_, rcgens)| rcgens).collect(),
    ))
}

/// What a leaf is good for, in our terms and in rcgen's. A CA is not limited to any purpose.
pub(super) fn purposes(role: Role) -> Vec<(ExtendedKeyUsage, ExtendedKeyUsagePurpose)> {
    let server = || {
        (
            ExtendedKeyUsage::ServerAuth,
            ExtendedKeyUsagePurpose::ServerAuth,
        )
    };
    let client = || {
        (
            ExtendedKeyUsage::ClientAuth,
            ExtendedKeyUsagePurpose::ClientAuth,
        )
    };
    match role {
        Role::Server => vec![server()],
        Role::Peer => vec![server(), client()],
        Role::Client => vec![client()],
        Role::Root | Role::Intermediate => Vec::new(),
    }
}
