//! Periods on the command line: `30m`, `12h`, `7d`, `4w`.

use std::time::Duration;

/// A period with its unit.
///
/// # Errors
///
/// What to give instead.
pub(crate) fn parse(text: &str) -> Result<Duration, &'static str> {
    const EXPECTED: &str = "expected minutes, hours, days or weeks, such as 30m, 12h, 7d or 4w";
    let units = [
        ('m', 60),
        ('h', 60 * 60),
        ('d', 24 * 60 * 60),
        ('w', 7 * 24 * 60 * 60),
    ];
    let (number, unit) = units
        .into_iter()
        .find_map(|(letter, unit)| Some((text.strip_suffix(letter)?, unit)))
        .ok_or(EXPECTED)?;
    let number: u32 = number.parse().map_err(|_| EXPECTED)?;
    Ok(Duration::from_secs(u64::from(number) * unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_have_a_unit() {
        let day = Duration::from_secs(86_400);
        for (text, period) in [
            ("1440m", day),
            ("24h", day),
            ("1d", day),
            ("1w", 7 * day),
            ("0d", Duration::ZERO),
        ] {
            assert_eq!(parse(text), Ok(period));
        }
        for text in ["", "d", "7", "7 d", "-1d", "7y", "4294967296d", "7\u{e4}"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
