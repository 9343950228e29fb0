use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use pki::{SubjectAltName, Validity};
use rustls::{crypto::CryptoProvider, sign::SingleCertAndKey};

use super::BadCertificate;
use crate::{Error, issuer::Issuer};

/// Makes server certificates that no client should accept.
pub(crate) struct Forger {
    provider: Arc<CryptoProvider>,
    /// The CA that clients trust. `None` when the pod was given its certificate.
    issuer: Option<Issuer>,
}

impl Forger {
    pub(crate) fn new(provider: Arc<CryptoProvider>, issuer: Option<Issuer>) -> Self {
        Self { provider, issuer }
    }

    pub(super) fn forge(&self, kind: BadCertificate) -> Result<Arc<SingleCertAndKey>, Error> {
        let issuer = self.issuer.as_ref().ok_or(Error::NoServerAuthority)?;
        let names = issuer.names();
        let now = SystemTime::now();
        let identity = match kind {
            BadCertificate::WrongHost => {
                SubjectAltName::dns(WRONG_HOST).and_then(|name| issuer.issue(&[name], None))
            }
            BadCertificate::Expired => issuer.issue(
                names,
                Some(Validity {
                    not_before: now - 10 * DAY,
                    not_after: now - DAY,
                }),
            ),
            BadCertificate::NotYetValid => issuer.issue(
                names,
                Some(Validity {
                    not_before: now + DAY,
                    not_after: now + 10 * DAY,
                }),
            ),
            BadCertificate::UnknownRoot => {
                Issuer::create("Countersign unknown root", names.to_vec())
                    .and_then(|unknown| unknown.issue(names, None))
            }
        }
        .map_err(Error::ServerCertificate)?;
        let certified = identity.certified_key(&self.provider)?;
        Ok(Arc::new(SingleCertAndKey::from(certified)))
    }
}

const WRONG_HOST: &str = "wrong-host.invalid";
const DAY: Duration = Duration::from_secs(86_400);
