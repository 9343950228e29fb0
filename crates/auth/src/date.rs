use std::{fmt, time::SystemTime};

use time::{OffsetDateTime, PrimitiveDateTime};

/// A day of the Gregorian calendar, as in `2026-11-24`, in UTC.
pub(crate) struct Date(pub(crate) SystemTime);

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // `From<SystemTime>` panics beyond the year 9999.
        let time = self
            .0
            .duration_since(SystemTime::UNIX_EPOCH)
            .map_or(Ok(0), |since| i64::try_from(since.as_secs()))
            .ok()
            .and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok())
            .unwrap_or(PrimitiveDateTime::MAX.assume_utc());
        time.date().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_day_is_written_as_iso_8601_does() {
        for (seconds, expected) in [
            (0, "1970-01-01"),
            (951_827_696, "2000-02-29"),
            (1_795_478_400, "2026-11-24"),
            (253_402_300_800, "9999-12-31"),
        ] {
            let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
            assert_eq!(Date(time).to_string(), expected);
        }
    }
}
