use std::time::Duration;

use crate::Error;

/// A whole number of seconds, minutes, hours, days, weeks or years of 365 days: `"30s"`, `"90m"`, `"12h"`, `"30d"`, `"2w"`, `"1y"`.
///
/// ```
/// use std::time::Duration;
///
/// assert_eq!(pki::parse_duration("90m")?, Duration::from_secs(5400));
/// # Ok::<(), pki::Error>(())
/// ```
///
/// # Errors
/// [`Error::InvalidDuration`] for another text, and for more than ten thousand years.
pub fn parse_duration(text: &str) -> Result<Duration, Error> {
    parse(text).ok_or_else(|| Error::InvalidDuration {
        text: text.to_owned(),
    })
}

fn parse(text: &str) -> Option<Duration> {
    const DAY: u64 = 24 * 60 * 60;
    let units = [
        ('s', 1),
        ('m', 60),
        ('h', 60 * 60),
        ('d', DAY),
        ('w', 7 * DAY),
        ('y', 365 * DAY),
    ];
    let mut units = units.iter();
    let (number, unit) =
        units.find_map(|(letter, unit)| Some((text.strip_suffix(*letter)?, *unit)))?;
    if !number.bytes().all(|octet| octet.is_ascii_digit()) {
        return None;
    }
    let seconds = number.parse::<u64>().ok()?.checked_mul(unit)?;
    (seconds <= 10_000 * 365 * DAY).then(|| Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_has_a_unit() {
        let day = Duration::from_secs(86_400);
        for (text, duration) in [
            ("86400s", day),
            ("1440m", day),
            ("24h", day),
            ("1d", day),
            ("1w", 7 * day),
            ("1y", 365 * day),
            ("10000y", 3_650_000 * day),
            ("0d", Duration::ZERO),
        ] {
            assert_eq!(parse_duration(text), Ok(duration));
        }
        for text in [
            "",
            "d",
            "7",
            "7 d",
            "-1d",
            "+1d",
            "1dd",
            "7D",
            "7\u{e4}",
            "10001y",
            "3650001d",
            "99999999999999999999d",
        ] {
            assert_eq!(
                parse_duration(text),
                Err(Error::InvalidDuration {
                    text: text.to_owned()
                })
            );
        }
    }
}
