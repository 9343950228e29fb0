use std::{
    net::IpAddr,
    time::{Duration, SystemTime},
};

use pki::{
    CertificateAuthority, CertificateRequest, DistinguishedName, KeyKind, PrivateKey, Profile,
    SubjectAltName, Validity,
};

use crate::tls::ServerIdentity;

/// The CA over a pod's own server certificates.
#[derive(Debug)]
pub(crate) struct Issuer {
    authority: CertificateAuthority,
    names: Vec<SubjectAltName>,
}

impl Issuer {
    /// A new CA, and the names under which clients know the server.
    pub(crate) fn create(
        common_name: &str,
        names: Vec<SubjectAltName>,
    ) -> Result<Self, pki::Error> {
        let now = SystemTime::now();
        let authority = CertificateAuthority::create_root(
            name(common_name)?,
            PrivateKey::generate(KeyKind::EcP256)?,
            &Profile::root().validity(Validity {
                // Old enough for a certificate that has expired.
                not_before: now - 30 * DAY,
                not_after: now + VALID_DAYS * DAY,
            }),
        )?;
        Ok(Self { authority, names })
    }

    /// A certificate for these names, valid from now until the CA ends, unless said otherwise.
    pub(crate) fn issue(
        &self,
        names: &[SubjectAltName],
        validity: Option<Validity>,
    ) -> Result<ServerIdentity, pki::Error> {
        let key = PrivateKey::generate(KeyKind::EcP256)?;
        let request = names
            .iter()
            .cloned()
            .fold(
                CertificateRequest::builder(name("localhost")?),
                pki::CertificateRequestBuilder::subject_alt_name,
            )
            .sign(&key)?;
        let profile = match validity {
            Some(validity) => Profile::server().validity(validity),
            // Cut to the CA's; the same number of days would end a moment after it.
            None => Profile::server(),
        };
        let certificate = self.authority.issue(&request.verify()?, &profile)?;
        Ok(ServerIdentity::issued(
            certificate,
            self.authority.certificate(),
            key,
        ))
    }

    /// The names under which clients know the server.
    pub(crate) fn names(&self) -> &[SubjectAltName] {
        &self.names
    }
}

/// `localhost` and these addresses.
pub(crate) fn local_names(addresses: &[IpAddr]) -> Result<Vec<SubjectAltName>, pki::Error> {
    std::iter::once(SubjectAltName::dns("localhost"))
        .chain(
            addresses
                .iter()
                .copied()
                .map(|ip| Ok(SubjectAltName::Ip(ip))),
        )
        .collect()
}

fn name(common_name: &str) -> Result<DistinguishedName, pki::Error> {
    DistinguishedName::builder()
        .common_name(common_name)
        .organization("Countersign")
        .build()
}

/// A pod lives for hours; one that is left running for a season still works.
const VALID_DAYS: u32 = 90;
const DAY: Duration = Duration::from_secs(86_400);
