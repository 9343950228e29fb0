//! The text form of a rule. Its grammar stands with [`Rule`].
use std::{str::FromStr, time::Duration};

use bytes::Bytes;
use http::{HeaderValue, Method, StatusCode};
use rustls::AlertDescription;

use super::rule::Chance;
use crate::{Answer, BadCertificate, End, Error, Fault, Port, Rule};

impl FromStr for Rule {
    type Err = Error;

    /// Parses a rule.
    ///
    /// # Errors
    ///
    /// [`Error::FaultWithoutPlace`], [`Error::FaultPlace`], [`Error::UnknownFault`], [`Error::UnknownFaultOption`],
    /// [`Error::FaultValue`], and [`Error::FaultContradiction`] when the rule could never strike.
    fn from_str(text: &str) -> Result<Self, Error> {
        let (place, rest) = text
            .split_once('=')
            .ok_or_else(|| Error::FaultWithoutPlace {
                text: text.to_owned(),
            })?;
        let mut items = Items { rest: Some(rest) };
        let fault = items.next().unwrap_or_default();
        let mut rule = Self::new(parse_fault(&fault)?);
        parse_place(place, &mut rule)?;
        for option in items {
            parse_option(&option, fault.name, &mut rule)?;
        }
        rule.check()?;
        Ok(rule)
    }
}

/// What stands between commas: a name, and perhaps a value after a colon.
struct Items<'a> {
    rest: Option<&'a str>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Item<'a> {
    name: &'a str,
    value: Option<&'a str>,
}

impl<'a> Iterator for Items<'a> {
    type Item = Item<'a>;

    fn next(&mut self) -> Option<Item<'a>> {
        let rest = self.rest.take()?;
        // A body has commas of its own.
        if let Some(body) = rest.strip_prefix("body:") {
            return Some(Item {
                name: "body",
                value: Some(body),
            });
        }
        let item = match rest.split_once(',') {
            Some((item, rest)) => {
                self.rest = Some(rest);
                item
            }
            None => rest,
        };
        Some(match item.split_once(':') {
            Some((name, value)) => Item {
                name,
                value: Some(value),
            },
            None => Item {
                name: item,
                value: None,
            },
        })
    }
}

impl<'a> Item<'a> {
    fn value<T>(
        &self,
        parse: impl FnOnce(&'a str) -> Option<T>,
        expected: &'static str,
    ) -> Result<T, Error> {
        self.value
            .and_then(parse)
            .ok_or_else(|| self.wrong(expected))
    }

    fn number<T: FromStr>(&self) -> Result<T, Error> {
        self.value(|value| value.parse().ok(), "a whole number")
    }

    fn time(&self) -> Result<Duration, Error> {
        self.value(parse_time, "a time such as 500ms, 2s or 1m")
    }

    fn alert(&self) -> Result<AlertDescription, Error> {
        self.value(parse_alert, "an alert such as unknown_ca, or its number")
    }

    fn plain<T>(&self, what: T) -> Result<T, Error> {
        match self.value {
            None => Ok(what),
            Some(_) => Err(self.wrong("nothing")),
        }
    }

    fn wrong(&self, expected: &'static str) -> Error {
        Error::FaultValue {
            name: self.name.to_owned(),
            value: self.value.unwrap_or_default().to_owned(),
            expected,
        }
    }
}

fn parse_place(place: &str, rule: &mut Rule) -> Result<(), Error> {
    let wrong = || Error::FaultPlace {
        place: place.to_owned(),
    };
    if place == "any" {
        return Ok(());
    }
    for part in place.split(' ') {
        // Each kind once, and none after one that comes later in the order.
        let later = |also: bool| also || rule.path.is_some();
        if let Some(port) = Port::ALL.into_iter().find(|port| port.word() == part) {
            if later(rule.port.is_some() || rule.method.is_some()) {
                return Err(wrong());
            }
            rule.port = Some(port);
        } else if part.starts_with('/') {
            if later(false) {
                return Err(wrong());
            }
            rule.path = Some(part.to_owned());
        } else {
            if later(rule.method.is_some()) {
                return Err(wrong());
            }
            rule.method = Some(parse_method(part).ok_or_else(wrong)?);
        }
    }
    Ok(())
}

/// The methods of RFC 9110 and RFC 5789. Any other would rather be a misspelt port.
fn parse_method(text: &str) -> Option<Method> {
    [
        Method::GET,
        Method::HEAD,
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
        Method::OPTIONS,
    ]
    .into_iter()
    .find(|method| method.as_str() == text)
}

fn parse_fault(item: &Item<'_>) -> Result<Fault, Error> {
    let handshake = |end| {
        item.number()
            .map(|after| Fault::CutHandshake { end, after })
    };
    let answer = |end| item.number().map(|after| Fault::CutAnswer { end, after });
    match item.name {
        "refuse" => item.plain(Fault::Refuse),

        "plain-text" => item.plain(Fault::PlainText),
        "hello-alert" => item.alert().map(Fault::HelloAlert),
        "server-certificate" => item
            .value(
                parse_certificate,
                "wrong-host, expired, not-yet-valid or unknown-root",
            )
            .map(Fault::ServerCertificate),
        "refuse-client" => item.alert().map(Fault::RefuseClient),
        "silence" if item.value.is_none() => Ok(Fault::silence()),
        "handshake-reset" => handshake(End::Reset),
        "handshake-close" => handshake(End::Close),
        "handshake-silence" => handshake(End::Silence),

        "status" => item
            .value(
                |value| StatusCode::from_bytes(value.as_bytes()).ok(),
                "a status code of HTTP",
            )
            .map(Fault::status),
        "throttle" => item
            .number()
            .map(|per_second| Fault::Throttle { per_second }),
        "expire-tokens" => item.plain(Fault::ExpireTokens),

        "delay" => item.time().map(Fault::Delay),

        "without-token" => item.plain(Fault::WithoutToken),
        "no-answer" => item.plain(Fault::NoAnswer),
        "reset" => answer(End::Reset),
        "close" => answer(End::Close),
        "silence" => answer(End::Silence),
        "truncate" => item.number().map(|after| Fault::Truncate { after }),
        "trickle" => item.time().map(|pause| Fault::Trickle { pause }),
        "oversize" => item.number().map(|octets| Fault::Oversize { octets }),
        "endless" => item.plain(Fault::Endless),
        "hang-up" => item.plain(Fault::HangUp),
        name => Err(Error::UnknownFault {
            name: name.to_owned(),
        }),
    }
}

fn parse_option(item: &Item<'_>, fault: &str, rule: &mut Rule) -> Result<(), Error> {
    let unknown = || Error::UnknownFaultOption {
        fault: fault.to_owned(),
        name: item.name.to_owned(),
    };
    match item.name {
        "times" => rule.times = Some(item.number()?),
        "skip" => rule.skip = item.number()?,
        "probability" => {
            let probability = item.value(|value| value.parse().ok(), "a number from 0 to 1")?;
            rule.chance = Some(Chance {
                probability,
                seed: 0,
            });
        }
        "seed" => rule.chance.as_mut().ok_or_else(unknown)?.seed = item.number()?,
        _ => {
            let Fault::Answer(answer) = &rule.fault else {
                return Err(unknown());
            };
            let answer = parse_answer_option(item, answer.clone())?.ok_or_else(unknown)?;
            rule.fault = Fault::Answer(answer);
        }
    }
    Ok(())
}

/// `None` for an unknown option.
fn parse_answer_option(item: &Item<'_>, answer: Answer) -> Result<Option<Answer>, Error> {
    Ok(Some(match item.name {
        "retry-after" => answer.retry_after(item.time()?),
        "retry-after-date" => answer.retry_after_date(item.time()?),
        "html" => item.plain(answer.html())?,
        "empty" => item.plain(answer.empty())?,
        "content-type" if item.value == Some("none") => answer.without_content_type(),
        "content-type" => answer.content_type(item.value(
            |value| HeaderValue::from_str(value).ok(),
            "a media type or none",
        )?),
        "body" => answer.body(item.value(
            |value| Some(Bytes::copy_from_slice(value.as_bytes())),
            "a text",
        )?),
        _ => return Ok(None),
    }))
}

fn parse_time(text: &str) -> Option<Duration> {
    let unit = text.find(|character: char| !character.is_ascii_digit())?;
    let (number, unit) = text.split_at_checked(unit)?;
    let number: u64 = number.parse().ok()?;
    match unit {
        "ms" => Some(Duration::from_millis(number)),
        "s" => Some(Duration::from_secs(number)),
        "m" => number.checked_mul(60).map(Duration::from_secs),
        _ => None,
    }
}

fn parse_certificate(text: &str) -> Option<BadCertificate> {
    match text {
        "wrong-host" => Some(BadCertificate::WrongHost),
        "expired" => Some(BadCertificate::Expired),
        "not-yet-valid" => Some(BadCertificate::NotYetValid),
        "unknown-root" => Some(BadCertificate::UnknownRoot),
        _ => None,
    }
}

fn parse_alert(text: &str) -> Option<AlertDescription> {
    ALERTS
        .iter()
        .find_map(|(alert, name)| (*name == text).then_some(*alert))
        .or_else(|| text.parse::<u8>().ok().map(AlertDescription::from))
}

/// By their names in RFC 8446, section 6, and RFC 5246, section 7.2.
const ALERTS: [(AlertDescription, &str); 26] = [
    (AlertDescription::CloseNotify, "close_notify"),
    (AlertDescription::UnexpectedMessage, "unexpected_message"),
    (AlertDescription::BadRecordMac, "bad_record_mac"),
    (AlertDescription::RecordOverflow, "record_overflow"),
    (AlertDescription::HandshakeFailure, "handshake_failure"),
    (AlertDescription::BadCertificate, "bad_certificate"),
    (
        AlertDescription::UnsupportedCertificate,
        "unsupported_certificate",
    ),
    (AlertDescription::CertificateRevoked, "certificate_revoked"),
    (AlertDescription::CertificateExpired, "certificate_expired"),
    (AlertDescription::CertificateUnknown, "certificate_unknown"),
    (AlertDescription::IllegalParameter, "illegal_parameter"),
    (AlertDescription::UnknownCA, "unknown_ca"),
    (AlertDescription::AccessDenied, "access_denied"),
    (AlertDescription::DecodeError, "decode_error"),
    (AlertDescription::DecryptError, "decrypt_error"),
    (AlertDescription::ProtocolVersion, "protocol_version"),
    (
        AlertDescription::InsufficientSecurity,
        "insufficient_security",
    ),
    (AlertDescription::InternalError, "internal_error"),
    (
        AlertDescription::InappropriateFallback,
        "inappropriate_fallback",
    ),
    (AlertDescription::UserCanceled, "user_canceled"),
    (AlertDescription::MissingExtension, "missing_extension"),
    (
        AlertDescription::UnsupportedExtension,
        "unsupported_extension",
    ),
    (AlertDescription::UnrecognisedName, "unrecognized_name"),
    (
        AlertDescription::BadCertificateStatusResponse,
        "bad_certificate_status_response",
    ),
    (
        AlertDescription::CertificateRequired,
        "certificate_required",
    ),
    (
        AlertDescription::NoApplicationProtocol,
        "no_application_protocol",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Rule {
        text.parse()
            .unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    fn error(text: &str) -> Error {
        text.parse::<Rule>().expect_err(text)
    }

    #[test]
    fn a_place_is_any_or_its_parts_in_their_order() {
        let anywhere = Rule::new(Fault::NoAnswer);

        assert_eq!(parse("any=no-answer"), anywhere);
        assert_eq!(parse("web=no-answer"), anywhere.clone().port(Port::Web));
        assert_eq!(parse("GET=no-answer"), anywhere.clone().method(Method::GET));
        assert_eq!(parse("/a*=no-answer"), anywhere.clone().path("/a*"));
        assert_eq!(
            parse("key-manager POST /a=no-answer"),
            anywhere
                .port(Port::KeyManager)
                .method(Method::POST)
                .path("/a")
        );
    }

    #[test]
    fn what_is_no_place_is_named() {
        for wrong in [
            "",
            "*",
            "API",
            "api api",
            "post",
            "POST api",
            "/a POST",
            "/a /b",
            "GET POST",
            "any api",
            "api  POST",
        ] {
            let Error::FaultPlace { place } = error(&format!("{wrong}=no-answer")) else {
                panic!("{wrong}");
            };
            assert_eq!(place, wrong);
        }
        assert!(
            matches!(error("no-answer"), Error::FaultWithoutPlace { text } if text == "no-answer")
        );
    }

    #[test]
    fn every_fault_has_a_text() {
        let per_second = std::num::NonZeroU32::new(400).unwrap();
        let cut = |end, after| Fault::CutAnswer { end, after };
        let cut_handshake = |end, after| Fault::CutHandshake { end, after };
        let second = Duration::from_secs(1);
        for (text, fault) in [
            ("refuse", Fault::Refuse),
            ("plain-text", Fault::PlainText),
            (
                "hello-alert:protocol_version",
                Fault::HelloAlert(AlertDescription::ProtocolVersion),
            ),
            (
                "hello-alert:70",
                Fault::HelloAlert(AlertDescription::ProtocolVersion),
            ),
            (
                "server-certificate:wrong-host",
                Fault::ServerCertificate(BadCertificate::WrongHost),
            ),
            (
                "server-certificate:expired",
                Fault::ServerCertificate(BadCertificate::Expired),
            ),
            (
                "server-certificate:not-yet-valid",
                Fault::ServerCertificate(BadCertificate::NotYetValid),
            ),
            (
                "server-certificate:unknown-root",
                Fault::ServerCertificate(BadCertificate::UnknownRoot),
            ),
            (
                "refuse-client:unknown_ca",
                Fault::RefuseClient(AlertDescription::UnknownCA),
            ),
            ("silence", Fault::silence()),
            ("handshake-reset:1", cut_handshake(End::Reset, 1)),
            ("handshake-close:2", cut_handshake(End::Close, 2)),
            ("handshake-silence:3", cut_handshake(End::Silence, 3)),
            ("status:503", Fault::status(StatusCode::SERVICE_UNAVAILABLE)),
            ("throttle:400", Fault::Throttle { per_second }),
            ("expire-tokens", Fault::ExpireTokens),
            ("delay:1000ms", Fault::Delay(second)),
            ("delay:1s", Fault::Delay(second)),
            ("delay:1m", Fault::Delay(60 * second)),
            ("without-token", Fault::WithoutToken),
            ("no-answer", Fault::NoAnswer),
            ("reset:1", cut(End::Reset, 1)),
            ("close:2", cut(End::Close, 2)),
            ("silence:3", cut(End::Silence, 3)),
            ("truncate:4", Fault::Truncate { after: 4 }),
            ("trickle:1s", Fault::Trickle { pause: second }),
            ("oversize:1000000", Fault::Oversize { octets: 1_000_000 }),
            ("endless", Fault::Endless),
            ("hang-up", Fault::HangUp),
        ] {
            assert_eq!(parse(&format!("any={text}")), Rule::new(fault), "{text}");
        }
    }

    #[test]
    fn options_say_how_often() {
        let delay = Rule::new(Fault::Delay(Duration::from_secs(1)));

        assert_eq!(
            parse("any=delay:1s,times:3,skip:2"),
            delay.clone().times(3).skip(2)
        );
        assert_eq!(
            parse("any=delay:1s,probability:0.25"),
            delay.clone().probability(0.25, 0)
        );
        assert_eq!(
            parse("any=delay:1s,probability:0.25,seed:7"),
            delay.probability(0.25, 7)
        );
    }

    #[test]
    fn options_of_an_answer_are_applied_in_their_order() {
        let status = Answer::new(StatusCode::UNAUTHORIZED);
        let second = Duration::from_secs(1);
        for (text, answer) in [
            ("retry-after:1s", status.clone().retry_after(second)),
            (
                "retry-after-date:1s",
                status.clone().retry_after_date(second),
            ),
            ("html", status.clone().html()),
            ("empty", status.clone().empty()),
            ("content-type:none", status.clone().without_content_type()),
            (
                "content-type:a/b",
                status.clone().content_type(HeaderValue::from_static("a/b")),
            ),
            (
                "content-type:none,body:a,times:2",
                status.clone().without_content_type().body("a,times:2"),
            ),
            (
                "html,content-type:none",
                status.clone().html().without_content_type(),
            ),
        ] {
            let rule = Rule::new(Fault::Answer(answer));
            assert_eq!(parse(&format!("any=status:401,{text}")), rule, "{text}");
        }
    }

    #[test]
    fn unknown_names_are_named() {
        assert!(matches!(error("any="), Error::UnknownFault { name } if name.is_empty()));
        assert!(matches!(error("any=explode"), Error::UnknownFault { name } if name == "explode"));
        for (text, fault, name) in [
            ("endless,html", "endless", "html"),
            ("endless,", "endless", ""),
            ("status:500,colour:red", "status", "colour"),
            ("status:500,seed:1", "status", "seed"),
        ] {
            let Error::UnknownFaultOption {
                fault: found_fault,
                name: found_name,
            } = error(&format!("any={text}"))
            else {
                panic!("{text}");
            };
            assert_eq!((&*found_fault, &*found_name), (fault, name));
        }
    }

    #[test]
    fn wrong_values_are_named() {
        for (text, name, value) in [
            ("status:99", "status", "99"),
            ("status", "status", ""),
            ("reset:-1", "reset", "-1"),
            ("reset", "reset", ""),
            ("delay:5", "delay", "5"),
            ("delay:s", "delay", "s"),
            ("delay:1h", "delay", "1h"),
            (
                "delay:18446744073709551615m",
                "delay",
                "18446744073709551615m",
            ),
            ("throttle:0", "throttle", "0"),
            ("endless:1", "endless", "1"),
            ("refuse-client:unknown", "refuse-client", "unknown"),
            ("server-certificate:red", "server-certificate", "red"),
            ("endless,times:0", "times", "0"),
            ("endless,probability:often", "probability", "often"),
            ("status:500,html:1", "html", "1"),
            ("status:500,body", "body", ""),
        ] {
            let Error::FaultValue {
                name: found_name,
                value: found_value,
                ..
            } = error(&format!("any={text}"))
            else {
                panic!("{text}");
            };
            assert_eq!((&*found_name, &*found_value), (name, value));
        }
    }

    #[test]
    fn contradictions_are_refused() {
        for text in [
            "POST=refuse",
            "/a=server-certificate:expired",
            "any=refuse,times:1",
            "any=endless,probability:1.5",
            "any=endless,probability:NaN",
            "any=status:100",
            "any=refuse-client:close_notify",
            "web=refuse-client:unknown_ca",
        ] {
            assert!(
                matches!(error(text), Error::FaultContradiction { .. }),
                "{text}"
            );
        }
    }
}
