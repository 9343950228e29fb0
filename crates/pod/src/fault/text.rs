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

/// By the names in RFC 8446, section 6, and RFC 5246, section 7.2, which rustls writes in another way; or by number.
fn parse_alert(text: &str) -> Option<AlertDescription> {
    let name = match text {
        "unrecognized_name" => "UnrecognisedName".to_owned(),
        other => other.replace('_', ""),
    };
    let is_named = |alert: &AlertDescription| {
        alert
            .as_str()
            .is_some_and(|known| known.eq_ignore_ascii_case(&name))
    };
    match text.parse() {
        Ok(number) => Some(u8::into(number)),
        Err(_) => (0..=u8::MAX).map(AlertDescription::from).find(is_named),
    }
}

#[cfg(test)]
mod tests;
