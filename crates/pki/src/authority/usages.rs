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
    let purposes = purposes(profile.role);
    let is_server = purposes.contains(&ExtendedKeyUsage::ServerAuth);
    let usage = match key {
        KeyAlgorithm::Rsa { .. } if is_server => vec![DigitalSignature, KeyEncipherment],
        _ => vec![DigitalSignature],
    };
    let purposes = purposes
        .iter()
        .filter_map(|purpose| match purpose {
            ExtendedKeyUsage::ServerAuth => Some(ExtendedKeyUsagePurpose::ServerAuth),
            ExtendedKeyUsage::ClientAuth => Some(ExtendedKeyUsagePurpose::ClientAuth),
            _ => None,
        })
        .collect();
    Ok((IsCa::ExplicitNoCa, usage, purposes))
}

/// What a leaf is good for. An authority is not limited to any purpose.
pub(super) fn purposes(role: Role) -> &'static [ExtendedKeyUsage] {
    use ExtendedKeyUsage::{ClientAuth, ServerAuth};
    match role {
        Role::Server => &[ServerAuth],
        Role::Peer => &[ServerAuth, ClientAuth],
        Role::Client => &[ClientAuth],
        Role::Root | Role::Intermediate => &[],
    }
}
