use std::time::{Duration, SystemTime};

use crate::{Error, SignatureAlgorithm, SubjectAltName, Validity, time};

/// What a CA grants. A request asks; the profile decides.
///
/// Every certificate is X.509 v3 with a subject and an authority key identifier. KeyUsage, ExtendedKeyUsage and
/// BasicConstraints come from the profile alone, whatever the request asks for.
///
/// | profile | key usage | extended key usage | alternative names | valid for |
/// |---|---|---|---|---|
/// | [`root`](Self::root) | keyCertSign, cRLSign | | none | 3650 days |
/// | [`intermediate`](Self::intermediate) | keyCertSign, cRLSign | | none | 1825 days |
/// | [`client`](Self::client) | digitalSignature | clientAuth | none | 365 days |
/// | [`server`](Self::server) | digitalSignature, keyEncipherment (RSA) | serverAuth | the request's | 365 days |
/// | [`peer`](Self::peer) | digitalSignature, keyEncipherment (RSA) | serverAuth, clientAuth | the request's | 365 days |
///
/// ```
/// use pki::{Profile, SubjectAltName};
///
/// let server = Profile::server()
///     .subject_alt_names([SubjectAltName::dns("pod.example.com")?])
///     .valid_for_days(90);
/// let signing = Profile::intermediate().path_len(0); // it signs leaves only
/// # Ok::<(), pki::Error>(())
/// ```
///
/// Unless it was set, the end of the validity is clamped to that of the CA and its issuers. RSA keys have 2048 bits
/// at least, unless [`minimum_rsa_bits`](Self::minimum_rsa_bits) says otherwise.
#[must_use]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    pub(crate) role: Role,
    pub(crate) signature_algorithm: Option<SignatureAlgorithm>,
    pub(crate) path_len: Option<u32>,
    pub(crate) minimum_rsa_bits: usize,
    alt_names: AltNames,
    period: Period,
}

/// What the subject of a certificate is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Root,
    Intermediate,
    Client,
    Server,
    Peer,
}

impl Role {
    pub(crate) fn is_authority(self) -> bool {
        matches!(self, Self::Root | Self::Intermediate)
    }
}

/// Which subject alternative names are granted.
#[derive(Debug, Clone, PartialEq, Eq)]
enum AltNames {
    Requested,
    Fixed(Vec<SubjectAltName>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Period {
    /// The profile's own number of days, cut where the CA ends.
    DefaultDays(u32),
    Days(u32),
    Exact(Validity),
}

impl Profile {
    /// A root CA, which signs itself.
    pub fn root() -> Self {
        Self::new(Role::Root, AltNames::Fixed(Vec::new()), 3650)
    }

    /// A CA below another one: what Symphony calls a signing certificate.
    pub fn intermediate() -> Self {
        Self::new(Role::Intermediate, AltNames::Fixed(Vec::new()), 1825)
    }

    /// A TLS client: a bot.
    pub fn client() -> Self {
        Self::new(Role::Client, AltNames::Fixed(Vec::new()), 365)
    }

    /// A TLS server. It needs at least one subject alternative name.
    pub fn server() -> Self {
        Self::new(Role::Server, AltNames::Requested, 365)
    }

    /// A TLS server that is a client too. It needs at least one subject alternative name.
    pub fn peer() -> Self {
        Self::new(Role::Peer, AltNames::Requested, 365)
    }

    fn new(role: Role, alt_names: AltNames, days: u32) -> Self {
        Self {
            role,
            signature_algorithm: None,
            path_len: None,
            minimum_rsa_bits: 2048,
            alt_names,
            period: Period::DefaultDays(days),
        }
    }

    /// Validity from five minutes ago (for clocks that are behind) until `days` times 24 hours from now.
    pub fn valid_for_days(mut self, days: u32) -> Self {
        self.period = Period::Days(days);
        self
    }

    /// Validity between two exact times; fractions of a second are cut off.
    pub fn validity(mut self, validity: Validity) -> Self {
        self.period = Period::Exact(validity);
        self
    }

    /// The algorithm of the CA's signature, RSASSA-PSS for example. Otherwise it is
    /// [the usual one](SignatureAlgorithm::usual_for) of the CA's key.
    pub fn signature_algorithm(mut self, algorithm: SignatureAlgorithm) -> Self {
        self.signature_algorithm = Some(algorithm);
        self
    }

    /// How many further CAs may stand below this one (0: it signs leaves only). Otherwise it is unlimited.
    pub fn path_len(mut self, path_len: u32) -> Self {
        self.path_len = Some(path_len);
        self
    }

    /// Grants these subject alternative names, whatever the request asks for.
    pub fn subject_alt_names(mut self, names: impl IntoIterator<Item = SubjectAltName>) -> Self {
        self.alt_names = AltNames::Fixed(names.into_iter().collect());
        self
    }

    /// Grants the subject alternative names that the request asks for.
    pub fn requested_subject_alt_names(mut self) -> Self {
        self.alt_names = AltNames::Requested;
        self
    }

    /// The shortest RSA key that is certified, in bits. Otherwise it is 2048, below which RSA is no longer held to be
    /// strong enough (NIST SP 800-131A); a Symphony pod wants 4096 of its clients.
    pub fn minimum_rsa_bits(mut self, bits: usize) -> Self {
        self.minimum_rsa_bits = bits;
        self
    }

    /// The alternative names that a request for these is granted.
    pub(crate) fn granted<'a>(&'a self, requested: &'a [SubjectAltName]) -> &'a [SubjectAltName] {
        match &self.alt_names {
            AltNames::Requested => requested,
            AltNames::Fixed(names) => names,
        }
    }

    /// The validity of a certificate made at `now` under a CA with the given validity (`None` for a root).
    pub(crate) fn validity_at(
        &self,
        now: SystemTime,
        authority: Option<Validity>,
    ) -> Result<Validity, Error> {
        let from = now.checked_sub(CLOCK_SKEW).ok_or(BEYOND)?;
        let (not_before, not_after) = match self.period {
            Period::DefaultDays(days) => {
                let until = after_days(now, days)?;
                authority.map_or((from, until), |a| {
                    (from.max(a.not_before), until.min(a.not_after))
                })
            }
            Period::Days(days) => (
                authority.map_or(from, |a| from.max(a.not_before)),
                after_days(now, days)?,
            ),
            Period::Exact(validity) => (validity.not_before, validity.not_after),
        };
        let to_seconds = |time| {
            time::truncate(time).ok_or(Error::InvalidValidity {
                reason: "a time lies outside the years that X.509 can express",
            })
        };
        let validity = Validity {
            not_before: to_seconds(not_before)?,
            not_after: to_seconds(not_after)?,
        };
        let first_year = time::to_calendar(validity.not_before).map(|calendar| calendar.year());
        if first_year.is_none_or(|year| year < 1950) {
            return Err(Error::InvalidValidity {
                reason: "it starts before 1950, where UTCTime begins",
            });
        }
        if validity.not_after < validity.not_before {
            return Err(Error::InvalidValidity {
                reason: "it ends before it starts",
            });
        }
        if let Some(authority) = authority {
            if validity.not_after > authority.not_after {
                let (requested, limit) = (validity.not_after, authority.not_after);
                return Err(Error::ValidityExceedsAuthority { requested, limit });
            }
            if validity.not_before < authority.not_before {
                let (requested, limit) = (validity.not_before, authority.not_before);
                return Err(Error::ValidityPrecedesAuthority { requested, limit });
            }
        }
        Ok(validity)
    }
}

const CLOCK_SKEW: Duration = Duration::from_secs(5 * 60);
const BEYOND: Error = Error::InvalidValidity {
    reason: "a time lies outside the years that X.509 can express",
};

fn after_days(now: SystemTime, days: u32) -> Result<SystemTime, Error> {
    if days == 0 {
        return Err(Error::InvalidValidity {
            reason: "it must last at least one day",
        });
    }
    let seconds = u64::from(days).saturating_mul(24 * 60 * 60);
    now.checked_add(Duration::from_secs(seconds)).ok_or(BEYOND)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(24 * 60 * 60);

    fn now() -> SystemTime {
        SystemTime::UNIX_EPOCH + 20_000 * DAY
    }

    fn authority() -> Validity {
        Validity {
            not_before: now() - DAY,
            not_after: now() + 10 * DAY,
        }
    }

    #[test]
    fn validity_starts_five_minutes_ago() {
        let validity = Profile::root()
            .valid_for_days(1)
            .validity_at(now(), None)
            .unwrap();
        assert_eq!(
            validity,
            Validity {
                not_before: now() - Duration::from_secs(300),
                not_after: now() + DAY
            }
        );
    }

    #[test]
    fn a_default_is_clamped_to_the_authority_on_both_ends() {
        let authority = Validity {
            not_before: now(),
            ..authority()
        };
        let validity = Profile::client()
            .validity_at(now(), Some(authority))
            .unwrap();
        assert_eq!(validity, authority);
    }

    #[test]
    fn an_explicit_wish_beyond_the_authority_is_an_error() {
        let limit = authority().not_after;
        assert_eq!(
            Profile::client()
                .valid_for_days(11)
                .validity_at(now(), Some(authority())),
            Err(Error::ValidityExceedsAuthority {
                requested: now() + 11 * DAY,
                limit
            })
        );
        let early = Validity {
            not_before: now() - 2 * DAY,
            not_after: now(),
        };
        assert_eq!(
            Profile::client()
                .validity(early)
                .validity_at(now(), Some(authority())),
            Err(Error::ValidityPrecedesAuthority {
                requested: now() - 2 * DAY,
                limit: now() - DAY
            })
        );
    }

    #[test]
    fn the_shortest_and_the_oldest_validity_are_granted() {
        // 1950 began 7305 days before 1970.
        let start = SystemTime::UNIX_EPOCH - 7305 * DAY;
        for exact in [
            Validity {
                not_before: start,
                not_after: now(),
            },
            Validity {
                not_before: now(),
                not_after: now(),
            },
        ] {
            let granted = Profile::client().validity(exact).validity_at(now(), None);
            assert_eq!(granted, Ok(exact));
        }
    }

    #[test]
    fn impossible_validities_are_errors() {
        let backwards = Validity {
            not_before: now(),
            not_after: now() - DAY,
        };
        let ancient = Validity {
            not_before: SystemTime::UNIX_EPOCH - 7305 * DAY - Duration::from_secs(1),
            not_after: now(),
        };
        for profile in [
            Profile::client().valid_for_days(0),
            Profile::client().valid_for_days(u32::MAX),
            Profile::client().validity(backwards),
            Profile::client().validity(ancient),
        ] {
            assert!(matches!(
                profile.validity_at(now(), None),
                Err(Error::InvalidValidity { .. })
            ));
        }
    }
}
