use std::time::SystemTime;

/// From when until when a certificate is valid, both ends included, in whole seconds (RFC 5280, section 4.1.2.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Validity {
    /// The first moment.
    pub not_before: SystemTime,
    /// The last moment.
    pub not_after: SystemTime,
}

impl Validity {
    /// Whether `time` lies within.
    #[must_use]
    pub fn contains(&self, time: SystemTime) -> bool {
        self.not_before <= time && time <= self.not_after
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_validity_has_its_first_and_its_last_moment() {
        let start = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
        let validity = Validity {
            not_before: start,
            not_after: start + Duration::from_secs(60),
        };
        let second = Duration::from_secs(1);
        for (time, within) in [
            (validity.not_before - second, false),
            (validity.not_before, true),
            (start + second, true),
            (validity.not_after, true),
            (validity.not_after + second, false),
        ] {
            assert_eq!(validity.contains(time), within, "{time:?}");
        }
    }
}
