use std::{fmt, time::SystemTime};

/// A day of the Gregorian calendar, as in `2026-11-24`, in UTC.
pub(crate) struct Date(pub(crate) SystemTime);

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let date = httpdate::HttpDate::from(self.0.max(SystemTime::UNIX_EPOCH)).to_string();
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

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

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
        ] {
            let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
            assert_eq!(Date(time).to_string(), expected);
        }
    }
}
