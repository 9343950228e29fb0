//! What the certificates above allow (RFC 5280, section 6.1): what goes beyond it, others would refuse.

use std::time::SystemTime;

use crate::{
    Certificate, DistinguishedName, Error, ExtendedKeyUsage, SubjectAltName, Validity,
    name_constraints::Violation,
};

/// The limits of a CA.
pub(super) struct Limits<'a> {
    own: &'a Certificate,
    /// The CA's own certificate, then those of its issuers as far as they are known.
    chain: &'a [Certificate],
}

impl<'a> Limits<'a> {
    pub(super) fn of(own: &'a Certificate, chain: &'a [Certificate]) -> Self {
        Self { own, chain }
    }

    /// When every certificate of the chain is valid, if all are now. A certificate within that never outlives the path that
    /// it needs.
    pub(super) fn validity_at(&self, now: SystemTime) -> Result<Validity, Error> {
        let mut common = self.own.validity();
        for certificate in self.chain {
            let subject = || certificate.subject().to_string();
            let Validity {
                not_before,
                not_after,
            } = certificate.validity();
            if now > not_after {
                return Err(Error::AuthorityExpired {
                    subject: subject(),
                    not_after,
                    now,
                });
            }
            if now < not_before {
                return Err(Error::AuthorityNotYetValid {
                    subject: subject(),
                    not_before,
                    now,
                });
            }
            common.not_before = common.not_before.max(not_before);
            common.not_after = common.not_after.min(not_after);
        }
        Ok(common)
    }

    /// Whether the certificates above allow what this one says, which is to be signed.
    pub(super) fn check(&self, unsigned: &Certificate) -> Result<(), Error> {
        if let Some(constraints) = unsigned.basic_constraints().filter(|it| it.ca) {
            self.check_path_len(constraints.path_len.unwrap_or(0).saturating_add(1))?;
        } else {
            self.check_path_len(0)?;
        }
        if let Some(purposes) = unsigned.extended_key_usage() {
            self.check_purposes(purposes)?;
        }
        self.check_names(
            unsigned.subject(),
            unsigned.subject_alt_names(),
            unsigned.is_authority(),
        )
    }

    /// Whether there is room for as many CAs below this one. Self-issued certificates don't count (section 6.1.4
    /// (l)).
    fn check_path_len(&self, below: u32) -> Result<(), Error> {
        let mut authorities = below;
        for certificate in self.chain {
            let path_len = certificate
                .basic_constraints()
                .and_then(|constraints| constraints.path_len);
            if path_len.is_some_and(|path_len| authorities > path_len) {
                return Err(Error::PathLengthExceeded {
                    subject: certificate.subject().to_string(),
                });
            }
            if !is_self_issued(certificate) {
                authorities = authorities.saturating_add(1);
            }
        }
        Ok(())
    }

    /// Whether all certificates above are good for these purposes. RFC 5280 leaves open what an extended key usage means for a
    /// CA; those who verify (OpenSSL, webpki, browsers) take it for a limit to what is below.
    fn check_purposes(&self, purposes: &[ExtendedKeyUsage]) -> Result<(), Error> {
        for issuer in self.chain {
            let Some(allowed) = issuer.extended_key_usage() else {
                continue;
            };
            if !allowed.contains(&ExtendedKeyUsage::Any)
                && let Some(purpose) = purposes.iter().find(|purpose| !allowed.contains(purpose))
            {
                return Err(Error::PurposeNotPermitted {
                    issuer: issuer.subject().to_string(),
                    purpose: purpose.to_string(),
                });
            }
        }
        Ok(())
    }

    /// Whether the names of a certificate are allowed by all above it, and so are those of the CAs between:
    /// constraints hold for whole paths, but for the self-issued certificates within (section 6.1.3 (b), (c)).
    ///
    /// The common names of a leaf are taken for host names where they look so and there is no other: RFC 5280 doesn't
    /// constrain them, and OpenSSL does.
    fn check_names(
        &self,
        subject: &DistinguishedName,
        alt_names: &[SubjectAltName],
        is_authority: bool,
    ) -> Result<(), Error> {
        for (i, issuer) in self.chain.iter().enumerate() {
            let Some(constraints) = issuer.name_constraints() else {
                continue;
            };
            let named = |violation: Violation| violation.of(issuer.subject());
            constraints
                .check(subject, alt_names, !is_authority)
                .map_err(named)?;
            for between in self.chain.iter().take(i) {
                if !is_self_issued(between) {
                    issuer
                        .check_name_constraints(between.subject(), between.subject_alt_names())?;
                }
            }
        }
        Ok(())
    }
}

pub(super) fn is_self_issued(certificate: &Certificate) -> bool {
    certificate.subject().matches(certificate.issuer())
}
