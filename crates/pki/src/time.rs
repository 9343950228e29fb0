//! Between `SystemTime`, which is what the public interface speaks, and the calendar.

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use time::OffsetDateTime;

/// The calendar's view of a time, to the second, between the years -9999 and 9999.
pub(crate) fn to_calendar(time: SystemTime) -> Option<OffsetDateTime> {
    let seconds = match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_secs()).ok()?,
        Err(before) => {
            let before = before.duration();
            let floor = before
                .as_secs()
                .checked_add(u64::from(before.subsec_nanos() > 0))?;
            i64::try_from(floor).ok()?.checked_neg()?
        }
    };
    OffsetDateTime::from_unix_timestamp(seconds).ok()
}

/// From seconds since the epoch, as x509-parser reports them.
pub(crate) fn from_timestamp(seconds: i64) -> Option<SystemTime> {
    let distance = Duration::from_secs(seconds.unsigned_abs());
    if seconds < 0 {
        SystemTime::UNIX_EPOCH.checked_sub(distance)
    } else {
        SystemTime::UNIX_EPOCH.checked_add(distance)
    }
}

/// Whole seconds, rounded down: what a certificate can say, where it can say it.
pub(crate) fn truncate(time: SystemTime) -> Option<SystemTime> {
    from_timestamp(to_calendar(time)?.unix_timestamp())
}

/// Displays a time as RFC 3339 in UTC, to the second.
pub(crate) struct Rfc3339(pub(crate) SystemTime);

impl fmt::Display for Rfc3339 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match to_calendar(self.0) {
            Some(t) => write!(
                f,
                "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
                t.year(),
                u8::from(t.month()),
                t.day(),
                t.hour(),
                t.minute(),
                t.second()
            ),
            None => f.write_str("a time beyond the year 9999"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_printed_in_utc_to_the_second() {
        let at = |seconds| Rfc3339(from_timestamp(seconds).unwrap()).to_string();
        assert_eq!(at(0), "1970-01-01T00:00:00Z");
        assert_eq!(at(1_767_225_599), "2025-12-31T23:59:59Z");
        assert_eq!(at(-1), "1969-12-31T23:59:59Z");
    }

    #[test]
    fn fractions_are_rounded_down_on_both_sides_of_the_epoch() {
        let half = Duration::from_millis(500);
        assert_eq!(
            truncate(SystemTime::UNIX_EPOCH + half).unwrap(),
            SystemTime::UNIX_EPOCH
        );
        let second = Duration::from_secs(1);
        assert_eq!(
            truncate(SystemTime::UNIX_EPOCH - half).unwrap(),
            SystemTime::UNIX_EPOCH - second
        );
    }

    #[test]
    fn the_calendar_ends_without_a_panic() {
        let far = SystemTime::UNIX_EPOCH + Duration::from_secs(1 << 40);
        assert_eq!(to_calendar(far), None);
        assert_eq!(truncate(far), None);
    }
}
