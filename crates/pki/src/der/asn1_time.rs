//! Times in DER (RFC 5280, section 4.1.2.5).

use std::time::SystemTime;

use time::{Date, Month, OffsetDateTime, Time};

use super::{GENERALIZED_TIME, Tlv, UTC_TIME, tlv};
use crate::{
    Error,
    time::{from_timestamp, to_calendar},
};

/// Reads a Time in the forms that RFC 5280, sections 4.1.2.5.1 and 4.1.2.5.2, has: UTCTime as `YYMMDDHHMMSSZ`, GeneralizedTime
/// as `YYYYMMDDHHMMSSZ`.
pub(crate) fn read_time(found: &Tlv<'_>, what: &'static str) -> Result<SystemTime, Error> {
    let malformed = || super::malformed(what, "a time is not in the form of RFC 5280");
    let (year, rest) = match (found.tag, found.value) {
        (UTC_TIME, [a, b, rest @ ..]) => {
            let year = number(&[*a, *b]).ok_or_else(malformed)?;
            (
                year.saturating_add(if year < 50 { 2000 } else { 1900 }),
                rest,
            )
        }
        (GENERALIZED_TIME, [a, b, c, d, rest @ ..]) => {
            (number(&[*a, *b, *c, *d]).ok_or_else(malformed)?, rest)
        }
        _ => return Err(malformed()),
    };
    let [m1, m2, d1, d2, h1, h2, n1, n2, s1, s2, b'Z'] = rest else {
        return Err(malformed());
    };
    let two = |tens: &u8, ones: &u8| u8::try_from(number(&[*tens, *ones])?).ok();
    let at = || {
        let month = Month::try_from(two(m1, m2)?).ok()?;
        let date = Date::from_calendar_date(year, month, two(d1, d2)?).ok()?;
        let time = Time::from_hms(two(h1, h2)?, two(n1, n2)?, two(s1, s2)?).ok()?;
        from_timestamp(date.with_time(time).assume_utc().unix_timestamp())
    };
    at().ok_or_else(malformed)
}

/// The number of these decimal digits.
fn number(digits: &[u8]) -> Option<i32> {
    digits.iter().try_fold(0_i32, |number, digit| {
        let digit = char::from(*digit).to_digit(10)?;
        number.checked_mul(10)?.checked_add_unsigned(digit)
    })
}

/// A Time (RFC 5280, section 4.1.2.5): UTCTime from 1950 to 2049, GeneralizedTime from then on; `None` for other years.
pub(crate) fn time(at: SystemTime) -> Option<Vec<u8>> {
    let calendar = to_calendar(at)?;
    match calendar.year() {
        1950..2050 => {
            let text = generalized(calendar);
            Some(tlv(UTC_TIME, &[text.get(2..)?.as_bytes()]))
        }
        2050..=9999 => generalized_time(at),
        _ => None,
    }
}

/// A GeneralizedTime, whatever the year; `None` before 0000 and after 9999.
pub(crate) fn generalized_time(at: SystemTime) -> Option<Vec<u8>> {
    let calendar = to_calendar(at)?;
    (calendar.year() >= 0).then(|| tlv(GENERALIZED_TIME, &[generalized(calendar).as_bytes()]))
}

fn generalized(t: OffsetDateTime) -> String {
    format!(
        "{:04}{:02}{:02}{:02}{:02}{:02}Z",
        t.year(),
        u8::from(t.month()),
        t.day(),
        t.hour(),
        t.minute(),
        t.second()
    )
}

#[cfg(test)]
mod tests {
    use super::{super::Reader, *};

    #[test]
    fn a_time_is_written_in_the_form_of_its_year_and_read_back() {
        for (seconds, octets) in [
            (-631_152_000, &b"\x17\x0d500101000000Z"[..]),
            (0, b"\x17\x0d700101000000Z"),
            (1_767_225_599, b"\x17\x0d251231235959Z"),
            (2_524_607_999, b"\x17\x0d491231235959Z"),
            (2_524_608_000, b"\x18\x0f20500101000000Z"),
            (253_402_300_799, b"\x18\x0f99991231235959Z"),
        ] {
            let at = from_timestamp(seconds).unwrap();
            assert_eq!(time(at).unwrap(), octets);
            let tlv = Reader::new(octets, "test").read().unwrap();
            assert_eq!(read_time(&tlv, "test"), Ok(at));
        }
        assert_eq!(time(from_timestamp(-631_152_001).unwrap()), None);
        let epoch = generalized_time(SystemTime::UNIX_EPOCH).unwrap();
        assert_eq!(epoch, b"\x18\x0f19700101000000Z");
    }

    #[test]
    fn what_is_no_time_of_rfc_5280_is_refused() {
        for octets in [
            &b"\x17\x0b2512312359Z"[..], // no seconds
            b"\x17\x0e251231235959+0",
            b"\x17\x0d251331235959Z", // month 13
            b"\x17\x0d250229235959Z", // no leap year
            b"\x17\x0d251231240000Z",
            b"\x17\x0d251231235960Z",
            b"\x17\x0d2512312359 9Z",
            b"\x18\x0d251231235959Z", // a UTCTime's digits
            b"\x18\x1120251231235959.5Z",
            b"\x04\x0d251231235959Z",
            b"\x17\x00",
        ] {
            let tlv = Reader::new(octets, "test").read().unwrap();
            assert!(
                matches!(read_time(&tlv, "test"), Err(Error::Malformed { .. })),
                "{octets:?}"
            );
        }
    }
}
