use std::{fmt, str::FromStr};

use crate::Error;

/// Why a certificate was revoked (RFC 5280, section 5.3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum RevocationReason {
    /// Nothing is said about it: the entry has no reason, which RFC 5280 prefers to one that says so.
    #[default]
    Unspecified,
    /// Somebody else has, or may have, the private key of the subject.
    KeyCompromise,
    /// Somebody else has, or may have, the private key of the CA that the certificate is about.
    CaCompromise,
    /// The subject's name or other particulars have changed.
    AffiliationChanged,
    /// Another certificate has taken its place.
    Superseded,
    /// It is no longer needed.
    CessationOfOperation,
    /// It is on hold: it may be valid again later, or be revoked for good.
    CertificateHold,
    /// It is no longer on hold, or has expired: in a delta CRL only.
    RemoveFromCrl,
    /// A privilege that it tells of was withdrawn.
    PrivilegeWithdrawn,
    /// The private key of an attribute authority is, or may be, in other hands.
    AaCompromise,
    /// A number that RFC 5280 gives no meaning to. It is read, and never written.
    Other(u8),
}

impl RevocationReason {
    const ALL: [(Self, u8, &str); 10] = [
        (Self::Unspecified, 0, "unspecified"),
        (Self::KeyCompromise, 1, "keyCompromise"),
        (Self::CaCompromise, 2, "cACompromise"),
        (Self::AffiliationChanged, 3, "affiliationChanged"),
        (Self::Superseded, 4, "superseded"),
        (Self::CessationOfOperation, 5, "cessationOfOperation"),
        (Self::CertificateHold, 6, "certificateHold"),
        (Self::RemoveFromCrl, 8, "removeFromCRL"),
        (Self::PrivilegeWithdrawn, 9, "privilegeWithdrawn"),
        (Self::AaCompromise, 10, "aACompromise"),
    ];

    /// The reason with this number.
    pub(super) fn from_code(code: u8) -> Self {
        let mut known = Self::ALL.into_iter();
        known
            .find(|(_, number, _)| *number == code)
            .map_or(Self::Other(code), |(reason, ..)| reason)
    }

    /// Its number.
    pub(super) fn code(self) -> u8 {
        match self {
            Self::Other(code) => code,
            known => Self::ALL
                .into_iter()
                .find(|(reason, ..)| *reason == known)
                .map_or(0, |(_, code, _)| code),
        }
    }
}

/// The name, as RFC 5280 spells it: `keyCompromise` for example.
impl fmt::Display for RevocationReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Self::ALL.into_iter().find(|(reason, ..)| reason == self) {
            Some((_, _, name)) => f.write_str(name),
            None => write!(f, "reason {}", self.code()),
        }
    }
}

/// From the name as RFC 5280 spells it, whatever its case: OpenSSL writes `CACompromise`.
impl FromStr for RevocationReason {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        Self::ALL
            .into_iter()
            .find(|(_, _, known)| known.eq_ignore_ascii_case(name))
            .map(|(reason, ..)| reason)
            .ok_or_else(|| Error::UnknownRevocationReason {
                name: name.to_owned(),
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_are_those_of_rfc_5280() {
        for (code, name) in [
            (0, "unspecified"),
            (1, "keyCompromise"),
            (2, "cACompromise"),
            (3, "affiliationChanged"),
            (4, "superseded"),
            (5, "cessationOfOperation"),
            (6, "certificateHold"),
            (8, "removeFromCRL"),
            (9, "privilegeWithdrawn"),
            (10, "aACompromise"),
        ] {
            let reason = RevocationReason::from_code(code);
            assert_eq!((reason.code(), reason.to_string().as_str()), (code, name));
            assert_eq!(name.to_uppercase().parse(), Ok(reason));
        }
        for code in [7, 11, 255] {
            let reason = RevocationReason::from_code(code);
            assert_eq!(
                (reason, reason.code()),
                (RevocationReason::Other(code), code)
            );
            assert_eq!(reason.to_string(), format!("reason {code}"));
        }
        assert_eq!(
            "reason 7".parse::<RevocationReason>(),
            Err(Error::UnknownRevocationReason {
                name: "reason 7".to_owned()
            })
        );
    }
}
