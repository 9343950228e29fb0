//! What a profile grants, in rcgen's terms.

use rcgen::{BasicConstraints as RcgenConstraints, ExtendedKeyUsagePurpose, IsCa, KeyUsagePurpose};

use crate::{Error, KeyAlgorithm, Profile, profile::Role};

pub(super) type Usages = (IsCa, Vec<KeyUsagePurpose>, Vec<ExtendedKeyUsagePurpose>);

pub(super) fn usages(profile: &Profile, key: KeyAlgorithm) -> Result<Usages, Error> {
    use ExtendedKeyUsagePurpose::{ClientAuth, ServerAuth};
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
    let server_usage = match key {
        KeyAlgorithm::Rsa { .. } => vec![DigitalSignature, KeyEncipherment],
        _ => vec![DigitalSignature],
    };
    let (usage, purposes) = match profile.role {
        Role::Server => (server_usage, vec![ServerAuth]),
        Role::Peer => (server_usage, vec![ServerAuth, ClientAuth]),
        _ => (vec![DigitalSignature], vec![ClientAuth]),
    };
    Ok((IsCa::ExplicitNoCa, usage, purposes))
}
