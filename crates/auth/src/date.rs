use std::{
    fmt,
    time::{Duration, SystemTime},
};

/// A day of the Gregorian calendar, as in `2026-11-24`, in UTC.
pub(crate) struct Date(pub(crate) SystemTime);

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // HTTP's dates have years of four digits, and httpdate panics beyond.
        let since_1970 = self.0.duration_since(SystemTime::UNIX_EPOCH);
        let time = SystemTime::UNIX_EPOCH.checked_add(since_1970.unwrap_or_default().min(LAST));
        let date = httpdate::HttpDate::from(time.unwrap_or(SystemTime::UNIX_EPOCH)).to_string();
        // "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110, section 5.6.7)
        let mut parts = date.split(' ').skip(1);
        let (Some(day), Some(month), Some(year)) = (parts.next(), parts.next(), parts.next())
        else {
            return f.write_str("an unknown day");
        };
        let month = (1..).zip(MONTHS).find(|(_, name)| *name == month);
        write!(
            f,
            "{year}-{:02}-{day}",
            month.map_or(0, |(number, _)| number)
        )
    }
}

/// 9999-12-31T23:59:59Z.
const LAST: Duration = Duration::from_secs(253_402_300_799);

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

#[cfg(test)]
mod tests {
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
