//! The names of a certificate, as constraints see them.

use std::{fmt, net::IpAddr};

use crate::{
    DistinguishedName, EmailAddress, SubjectAltName,
    alt_name::{self, tag_number},
    der,
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
    Directory(CanonicalName),
    /// A form that isn't taken apart, or a value that isn't well-formed.
    Opaque,
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
        if !subject.is_empty() {
            names.push(Self {
                tag: tag_number(alt_name::DIRECTORY),
                value: Value::Directory(subject.canonical()),
                shown: Shown::Subject(subject),
            });
        }
        names.extend(subject.email_addresses().map(|attribute| Self {
            tag: tag_number(alt_name::EMAIL),
            value: match EmailAddress::new(attribute.value()) {
                Ok(address) if attribute.has_tag(der::IA5_STRING) => email(&address),
                _ => Value::Opaque,
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
            SubjectAltName::Directory(name) => Value::Directory(name.canonical()),
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
            alt_name::looks_like_host(name).then(|| Value::Dns(name.to_ascii_lowercase()))
        }
    }
}
