//! The names of a certificate, as constraints see them.

use std::{fmt, net::IpAddr};

use crate::{
    DistinguishedName, EmailAddress, SubjectAltName,
    alt_name::{self, tag_number},
    der::{self, Reader},
    name::CanonicalName,
};

/// A name that a certificate presents, with its form.
pub(super) struct Name<'a> {
    tag: u8,
    value: Value,
    shown: Shown<'a>,
}

/// What is compared. Hosts are in lower case.
pub(super) enum Value {
    Dns(String),
    Ip(IpAddr),
    Email {
        local: String,
        host: String,
    },
    /// The host, where that is a name; RFC 5280 has the others rejected.
    Uri(String),
    Directory(Directory),
    /// An emailAddress of the subject that is no IA5String (RFC 5280, section 4.1.2.6): OpenSSL refuses it under constraints of
    /// whatever form.
    NotIa5,
    /// A form that isn't taken apart, or a value that isn't well-formed.
    Opaque,
}

/// A distinguished name, as different programs compare it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Directory {
    any: CanonicalName,
    ascii: CanonicalName,
}

impl Directory {
    pub(super) fn of(name: &DistinguishedName) -> Self {
        Self {
            any: name.canonical(),
            ascii: name.canonical_ascii(),
        }
    }

    /// For every program.
    pub(super) fn is_within(&self, base: &Self) -> bool {
        self.any.is_within(&base.any) && self.ascii.is_within(&base.ascii)
    }

    /// For some program.
    pub(super) fn may_be_within(&self, base: &Self) -> bool {
        self.any.is_within(&base.any) || self.ascii.is_within(&base.ascii)
    }
}

enum Shown<'a> {
    AltName(&'a SubjectAltName),
    Subject(&'a DistinguishedName),
    Email(&'a str),
    CommonName(&'a str),
}

impl<'a> Name<'a> {
    /// The names of a certificate: [`super::NameConstraints::check`] says which.
    pub(super) fn all(
        subject: &'a DistinguishedName,
        alt_names: &'a [SubjectAltName],
        common_names: bool,
    ) -> Vec<Self> {
        let mut names: Vec<Self> = alt_names.iter().map(Self::of_alt_name).collect();
        names.extend(alt_names.iter().filter_map(Self::of_mailbox));
        if !subject.is_empty() {
            names.push(Self {
                tag: tag_number(alt_name::DIRECTORY),
                value: Value::Directory(Directory::of(subject)),
                shown: Shown::Subject(subject),
            });
        }
        names.extend(subject.email_addresses().map(|attribute| Self {
            tag: tag_number(alt_name::EMAIL),
            value: match EmailAddress::new(attribute.value()) {
                _ if !attribute.has_tag(der::IA5_STRING) => Value::NotIa5,
                Ok(address) => email(&address),
                Err(_) => Value::Opaque,
            },
            shown: Shown::Email(attribute.value()),
        }));
        let dns = tag_number(alt_name::DNS);
        if common_names && !alt_names.iter().any(|name| name.tag() == dns) {
            names.extend(subject.common_names().filter_map(|name| {
                Some(Self {
                    tag: dns,
                    value: host_of(name)?,
                    shown: Shown::CommonName(name),
                })
            }));
        }
        names
    }

    fn of_alt_name(name: &'a SubjectAltName) -> Self {
        let value = match name {
            SubjectAltName::Dns(host) => Value::Dns(host.as_str().to_ascii_lowercase()),
            SubjectAltName::Ip(address) => Value::Ip(*address),
            SubjectAltName::Email(address) => email(address),
            SubjectAltName::Uri(uri) => match uri.host_name() {
                Some(host) => Value::Uri(host.to_ascii_lowercase()),
                None => Value::Opaque,
            },
            SubjectAltName::Directory(name) => Value::Directory(Directory::of(name)),
            SubjectAltName::RegisteredId(_)
            | SubjectAltName::OtherName(_)
            | SubjectAltName::Other { .. } => Value::Opaque,
        };
        Self {
            tag: name.tag(),
            value,
            shown: Shown::AltName(name),
        }
    }

    /// The address of an internationalized mailbox, which constraints of e-mail addresses hold for (RFC 9598, section 6).
    fn of_mailbox(name: &'a SubjectAltName) -> Option<Self> {
        let SubjectAltName::OtherName(mailbox) = name else {
            return None;
        };
        if mailbox.type_id() != SMTP_UTF8_MAILBOX {
            return None;
        }
        let mut reader = Reader::new(mailbox.value_der(), "mailbox");
        let text = reader.value(der::UTF8_STRING).ok();
        let text = text.and_then(|text| str::from_utf8(text).ok());
        let value = match text.and_then(|text| text.rsplit_once('@')) {
            Some((local, host)) if host.split('.').all(alt_name::is_label) => Value::Email {
                local: local.to_owned(),
                host: host.to_ascii_lowercase(),
            },
            _ => Value::Opaque,
        };
        Some(Self {
            tag: tag_number(alt_name::EMAIL),
            value,
            shown: Shown::AltName(name),
        })
    }

    /// Its form: the number of its context tag.
    pub(super) fn tag(&self) -> u8 {
        self.tag
    }

    pub(super) fn value(&self) -> &Value {
        &self.value
    }
}

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.shown {
            Shown::AltName(name) => name.fmt(f),
            Shown::Subject(name) => write!(f, "subject {name}"),
            Shown::Email(text) => write!(f, "emailAddress {text:?} in the subject"),
            Shown::CommonName(text) => write!(f, "common name {text:?}, a host name,"),
        }
    }
}

const SMTP_UTF8_MAILBOX: &str = "1.3.6.1.5.5.7.8.9";

fn email(address: &EmailAddress) -> Value {
    let (local, host) = address.parts();
    Value::Email {
        local: local.to_owned(),
        host: host.to_ascii_lowercase(),
    }
}

/// What a common name is taken for where there is no other host name, and so is held against constraints.
fn host_of(common_name: &str) -> Option<Value> {
    match alt_name::without_nuls(common_name) {
        None => Some(Value::Opaque),
        Some(name) => {
            let host = alt_name::without_root(name);
            alt_name::looks_like_host(host).then(|| Value::Dns(host.to_ascii_lowercase()))
        }
    }
}
