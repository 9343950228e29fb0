//! The text form of a rule, written. It is read in `text`.
use std::{fmt, time::Duration};

use http::HeaderValue;
use rustls::AlertDescription;

use super::{
    answer::RetryAfter,
    rule::{Chance, Rule},
};
use crate::{Answer, BadCertificate, End, Fault, reply::JSON};

/// As it is parsed, where its text can say it all: what is less than a millisecond is left out, and so is what of a body is no
/// UTF-8.
impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let port = self.port.map(|port| port.word().to_owned());
        let method = self.method.as_ref().map(ToString::to_string);
        let place: Vec<_> = [port, method, self.path.clone()]
            .into_iter()
            .flatten()
            .collect();
        match place.as_slice() {
            [] => f.write_str("any")?,
            place => f.write_str(&place.join(" "))?,
        }
        write!(f, "={}", WithoutBody(&self.fault))?;
        if let Some(times) = self.times {
            write!(f, ",times:{times}")?;
        }
        if self.skip > 0 {
            write!(f, ",skip:{}", self.skip)?;
        }
        if let Some(Chance { probability, seed }) = self.chance {
            write!(f, ",probability:{probability}")?;
            if seed != 0 {
                write!(f, ",seed:{seed}")?;
            }
        }
        write!(f, "{}", Body(&self.fault))
    }
}

/// As in the text of a [`Rule`].
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", WithoutBody(self), Body(self))
    }
}

struct WithoutBody<'a>(&'a Fault);

impl fmt::Display for WithoutBody<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Fault::Refuse => f.write_str("refuse"),

            Fault::PlainText => f.write_str("plain-text"),
            Fault::HelloAlert(alert) => write!(f, "hello-alert:{}", name_of(*alert)),
            Fault::ServerCertificate(kind) => write!(f, "server-certificate:{}", word_for(*kind)),
            Fault::RefuseClient(alert) => write!(f, "refuse-client:{}", name_of(*alert)),
            silence if *silence == Fault::silence() => f.write_str("silence"),
            Fault::CutHandshake { end, after } => write!(f, "handshake-{}:{after}", end_of(*end)),

            Fault::Answer(answer) => write_answer(f, answer),
            Fault::Throttle { per_second } => write!(f, "throttle:{per_second}"),
            Fault::ExpireTokens => f.write_str("expire-tokens"),

            Fault::Delay(time) => write!(f, "delay:{}", Time(*time)),

            Fault::WithoutToken => f.write_str("without-token"),
            Fault::NoAnswer => f.write_str("no-answer"),
            Fault::CutAnswer { end, after } => write!(f, "{}:{after}", end_of(*end)),
            Fault::Truncate { after } => write!(f, "truncate:{after}"),
            Fault::Trickle { pause } => write!(f, "trickle:{}", Time(*pause)),
            Fault::Oversize { octets } => write!(f, "oversize:{octets}"),
            Fault::Endless => f.write_str("endless"),
            Fault::HangUp => f.write_str("hang-up"),
        }
    }
}

fn write_answer(f: &mut fmt::Formatter<'_>, answer: &Answer) -> fmt::Result {
    write!(f, "status:{}", answer.status.as_u16())?;
    match answer.retry_after {
        Some(RetryAfter::Seconds(seconds)) => write!(f, ",retry-after:{seconds}s")?,
        Some(RetryAfter::Date(wait)) => write!(f, ",retry-after-date:{}", Time(wait))?,
        None => {}
    }
    if let Some(word) = whole(answer) {
        return write!(f, ",{word}");
    }
    match &answer.content_type {
        None => f.write_str(",content-type:none"),
        Some(json) if *json == JSON => Ok(()),
        Some(other) => write!(f, ",content-type:{}", lossy(other)),
    }
}

/// What says body and Content-Type in one.
fn whole(answer: &Answer) -> Option<&'static str> {
    let bare = Answer::new(answer.status);
    let is =
        |other: &Answer| (&answer.body, &answer.content_type) == (&other.body, &other.content_type);
    if is(&bare.clone().html()) {
        Some("html")
    } else if is(&bare.empty()) {
        Some("empty")
    } else {
        None
    }
}

fn lossy(value: &HeaderValue) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(value.as_bytes())
}

/// The last option, where there is one: all that follows it is the body.
struct Body<'a>(&'a Fault);

impl fmt::Display for Body<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Fault::Answer(answer) if whole(answer).is_none() => match &answer.body {
                Some(body) => write!(f, ",body:{}", String::from_utf8_lossy(body)),
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }
}

struct Time(Duration);

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.subsec_nanos() {
            0 => write!(f, "{}s", self.0.as_secs()),
            _ => write!(f, "{}ms", self.0.as_millis()),
        }
    }
}

fn end_of(end: End) -> &'static str {
    match end {
        End::Reset => "reset",
        End::Close => "close",
        End::Silence => "silence",
    }
}

fn word_for(kind: BadCertificate) -> &'static str {
    match kind {
        BadCertificate::WrongHost => "wrong-host",
        BadCertificate::Expired => "expired",
        BadCertificate::NotYetValid => "not-yet-valid",
        BadCertificate::UnknownRoot => "unknown-root",
    }
}

/// Its name in RFC 8446, section 6, which rustls writes as `UnknownCA`; or its number.
fn name_of(alert: AlertDescription) -> String {
    let Some(name) = alert.as_str() else {
        return u8::from(alert).to_string();
    };
    if alert == AlertDescription::UnrecognisedName {
        return "unrecognized_name".to_owned();
    }
    let mut words = String::new();
    let mut letters = name.chars().peekable();
    let mut after_lower = false;
    while let Some(letter) = letters.next() {
        let before_lower = letters.peek().is_some_and(char::is_ascii_lowercase);
        if letter.is_ascii_uppercase() && (after_lower || before_lower && !words.is_empty()) {
            words.push('_');
        }
        after_lower = letter.is_ascii_lowercase();
        words.push(letter.to_ascii_lowercase());
    }
    words
}
