//! From when until when a certificate is valid.

use std::time::{Duration, SystemTime};

use crate::{Error, Validity, time};

/// What a profile says about validity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Lifetime {
    pub(super) period: Period,
    /// How long before the issuance it starts.
    pub(super) backdated: Duration,
    /// Whether it is cut where that of the CA ends, rather than refused.
    pub(super) is_clamped: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Period {
    /// What the profile has of its own: cut where that of the CA ends.
    Default(Duration),
    For(Duration),
    Exact(Validity),
    /// "No well-defined expiration date" (RFC 5280, section 4.1.2.5).
    Forever,
}

impl Lifetime {
    pub(super) fn of_days(days: u32) -> Self {
        Self {
            period: Period::Default(days_long(days)),
            backdated: CLOCK_SKEW,
            is_clamped: false,
        }
    }

    /// Where the profile has nothing but a default, as long as a certificate was before: from its first moment to its last.
    pub(super) fn lasting_like(mut self, replaced: Validity) -> Self {
        if !matches!(self.period, Period::Default(_)) {
            return self;
        }
        let length = replaced.not_after.duration_since(replaced.not_before);
        let length = length.unwrap_or_default();
        if time::from_timestamp(NEVER) == Some(replaced.not_after) {
            self.period = Period::Forever;
            self.is_clamped = true;
        } else if length > self.backdated {
            // It starts before now by so much.
            self.period = Period::Default(length.saturating_sub(self.backdated));
        } else if !length.is_zero() {
            self.period = Period::Default(length);
        }
        self
    }

    /// The validity of a certificate made at `now` under a CA with the given validity (`None` for one that signs itself).
    pub(super) fn validity_at(
        &self,
        now: SystemTime,
        authority: Option<Validity>,
    ) -> Result<Validity, Error> {
        let after = |duration: Duration| {
            if duration.as_secs() == 0 {
                return Err(Error::InvalidValidity {
                    reason: "it must last at least one second",
                });
            }
            now.checked_add(duration).ok_or(BEYOND)
        };
        let from = now.checked_sub(self.backdated).ok_or(BEYOND)?;
        let start = authority.map_or(from, |authority| from.max(authority.not_before));
        let (mut not_before, mut not_after) = match self.period {
            Period::Default(duration) | Period::For(duration) => (start, after(duration)?),
            Period::Exact(validity) => (validity.not_before, validity.not_after),
            Period::Forever => (start, time::from_timestamp(NEVER).ok_or(BEYOND)?),
        };
        let is_clamped = self.is_clamped || matches!(self.period, Period::Default(_));
        if let Some(authority) = authority.filter(|_| is_clamped) {
            not_before = not_before.max(authority.not_before);
            not_after = not_after.min(authority.not_after);
        }
        let validity = Validity {
            not_before: time::truncate(not_before).ok_or(BEYOND)?,
            not_after: time::truncate(not_after).ok_or(BEYOND)?,
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
        match authority {
            Some(authority) => check_within(validity, authority),
            None => Ok(validity),
        }
    }
}

fn check_within(validity: Validity, authority: Validity) -> Result<Validity, Error> {
    if validity.not_after > authority.not_after {
        return Err(Error::ValidityExceedsAuthority {
            requested: validity.not_after,
            limit: authority.not_after,
        });
    }
    if validity.not_before < authority.not_before {
        return Err(Error::ValidityPrecedesAuthority {
            requested: validity.not_before,
            limit: authority.not_before,
        });
    }
    Ok(validity)
}

/// So many times 24 hours.
pub(super) fn days_long(days: u32) -> Duration {
    Duration::from_secs(u64::from(days).saturating_mul(24 * 60 * 60))
}

/// For clocks that are behind.
const CLOCK_SKEW: Duration = Duration::from_secs(5 * 60);
/// 9999-12-31T23:59:59Z, in seconds since the epoch.
const NEVER: i64 = 253_402_300_799;
const BEYOND: Error = Error::InvalidValidity {
    reason: "a time lies outside the years that X.509 can express",
};
