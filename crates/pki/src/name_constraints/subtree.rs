//! One constraint, and what it says about a name.

use std::{fmt, net::IpAddr, str::FromStr};

use super::presented::{Directory, Name, Value};
use crate::{
    DistinguishedName, EmailAddress, Error,
    alt_name::{self, form_name, is_label, tag_number},
    der::{self, Reader, Tlv},
    network::Network,
};

/// The names of one form below a base (RFC 5280, section 4.2.1.10), for [`NameConstraints`](super::NameConstraints).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GeneralSubtree {
    der: Vec<u8>,
    tag: u8,
    base: Base,
    shown: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Base {
    Dns(Domain),
    Ip {
        address: Vec<u8>,
        mask: Vec<u8>,
    },
    Email(Domain),
    Mailbox {
        local: String,
        host: String,
    },
    Uri(Domain),
    Directory(Directory),
    /// Another form, a value that isn't well-formed, or one with a minimum or maximum, which RFC 5280 leaves no use for.
    Unsupported,
}

/// Host names in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Domain {
    /// The host itself; as a dNSName all below it too.
    Host(String),
    /// What is below the domain, without itself: RFC 5280 writes it with a leading dot, for e-mail addresses and URIs.
    /// Programs that issue and that verify know it for a dNSName as well.
    Below(String),
    /// Every host: an empty dNSName.
    All,
}

impl GeneralSubtree {
    /// The host `domain` and all below it; all below it alone where it starts with a dot; every host where it is empty.
    ///
    /// # Errors
    /// [`Error::InvalidExtension`] when it is not a host name.
    pub fn dns(domain: &str) -> Result<Self, Error> {
        Self::new(alt_name::DNS, domain.as_bytes())
    }

    /// The e-mail addresses at a host, at all hosts below a domain (`.example.com`), or one of them (`a@example.com`).
    ///
    /// # Errors
    /// [`Error::InvalidExtension`] when it is none of these.
    pub fn email(base: &str) -> Result<Self, Error> {
        if base.starts_with('@') {
            return Err(invalid("a host is written without \"@\" before it"));
        }
        Self::new(alt_name::EMAIL, base.as_bytes())
    }

    /// The URIs at a host, or at all hosts below a domain (`.example.com`).
    ///
    /// # Errors
    /// [`Error::InvalidExtension`] when it is neither.
    pub fn uri(host: &str) -> Result<Self, Error> {
        if host.contains('/') {
            return Err(invalid("it is the host of URIs, and no URI"));
        }
        Self::new(alt_name::URI, host.as_bytes())
    }

    /// The addresses of a network in the notation of RFC 4632, `10.0.0.0/8` or `2001:db8::/32`. An address alone is one.
    ///
    /// # Errors
    /// [`Error::InvalidExtension`] when it is no network, or its address has bits beyond its prefix.
    pub fn ip(network: &str) -> Result<Self, Error> {
        let network = Network::parse(network).ok_or(invalid(
            "expected a network such as 10.0.0.0/8, without bits beyond its prefix",
        ))?;
        Self::new(alt_name::IP, &network.to_octets())
    }

    /// The distinguished names that start with the RDNs of this one: all of them where it is empty.
    ///
    /// # Errors
    /// [`Error::InvalidExtension`] for a name that can't be read back.
    pub fn directory(name: &DistinguishedName) -> Result<Self, Error> {
        Self::new(alt_name::DIRECTORY, name.as_der())
    }

    /// What is written is what is read back and can be judged.
    fn new(identifier: u8, base: &[u8]) -> Result<Self, Error> {
        let der = der::sequence(&[&der::tlv(identifier, &[base])]);
        let subtree = Self::read(Reader::new(&der, "name constraints").read()?)?;
        if subtree.base == Base::Unsupported {
            return Err(invalid("not a base that names of its form can be below"));
        }
        Ok(subtree)
    }

    /// The DER.
    pub(super) fn as_der(&self) -> &[u8] {
        &self.der
    }

    /// Takes a GeneralSubtree apart.
    pub(super) fn read(subtree: Tlv<'_>) -> Result<Self, Error> {
        let mut fields = Reader::new(subtree.value, "name constraints");
        let name = fields.read()?;
        let minimum = fields.optional(der::IMPLICIT_0)?;
        let maximum = fields.optional(der::IMPLICIT_1)?;
        fields.finish()?;
        let base = if minimum.is_none_or(|minimum| minimum == [0]) && maximum.is_none() {
            Base::read(name.tag, name.value)
        } else {
            Base::Unsupported
        };
        let tag = tag_number(name.tag);
        let shown = match (&base, form_name(tag)) {
            (Base::Ip { address, mask }, Some(form)) => {
                format!("{form}:{}", network(address, mask))
            }
            (Base::Directory(_), Some(form)) => {
                DistinguishedName::from_der(name.value).map(|name| format!("{form}:{name}"))?
            }
            (Base::Unsupported, Some(form)) => {
                format!("{form}:{} (not supported)", name.value.escape_ascii())
            }
            (_, Some(form)) => format!("{form}:{}", name.value.escape_ascii()),
            (_, None) => format!("[{tag}]"),
        };
        Ok(Self {
            der: subtree.raw.to_vec(),
            tag,
            base,
            shown,
        })
    }

    /// The form of its names: the number of their context tag.
    pub(super) fn tag(&self) -> u8 {
        self.tag
    }

    /// Whether it says anything about this name of its form.
    pub(super) fn can_judge(&self, name: &Name<'_>) -> bool {
        self.base != Base::Unsupported && !matches!(name.value(), Value::Opaque | Value::NotIa5)
    }

    /// Whether all that the name stands for is within.
    pub(super) fn covers(&self, name: &Name<'_>) -> bool {
        match (&self.base, name.value()) {
            (Base::Dns(domain), Value::Dns(host)) => domain.has_tree(host),
            (Base::Ip { address, mask }, Value::Ip(ip)) => within(*ip, address, mask),
            (Base::Email(domain), Value::Email { host, .. }) => domain.has(host),
            (Base::Mailbox { local, host }, Value::Email { local: l, host: h }) => {
                // RFC 5280, section 7.5: only the host is compared without regard to case.
                local == l && host == h
            }
            (Base::Uri(domain), Value::Uri(host)) => domain.has(host),
            (Base::Directory(base), Value::Directory(name)) => name.is_within(base),
            _ => false,
        }
    }

    /// Whether something that the name stands for is within: a wildcard stands for each host that has its first label
    /// replaced.
    pub(super) fn touches(&self, name: &Name<'_>) -> bool {
        let may_be = match (&self.base, name.value()) {
            (Base::Dns(Domain::Host(base)), Value::Dns(host)) => host
                .strip_prefix("*.")
                .is_some_and(|parent| base.split_once('.').is_some_and(|(_, rest)| rest == parent)),
            (Base::Directory(base), Value::Directory(name)) => name.may_be_within(base),
            _ => false,
        };
        may_be || self.covers(name)
    }
}

const fn invalid(reason: &'static str) -> Error {
    Error::InvalidExtension {
        extension: "name constraints",
        reason,
    }
}

/// A base as it is displayed: `DNS:example.com`, `IP:10.0.0.0/8`, `email:example.com`, `URI:example.com` or `dirName:O=a`.
impl FromStr for GeneralSubtree {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        const FORM: Error =
            invalid("expected a form, DNS, IP, email, URI or dirName, and a base after its colon");
        match text.split_once(':').ok_or(FORM)? {
            ("DNS", domain) => Self::dns(domain),
            ("IP", network) => Self::ip(network),
            ("email", base) => Self::email(base),
            ("URI", host) => Self::uri(host),
            ("dirName", name) => Self::directory(&name.parse()?),
            _ => Err(FORM),
        }
    }
}

/// `DNS:example.com`, `IP:10.0.0.0/8`, as OpenSSL has it.
impl fmt::Display for GeneralSubtree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl Base {
    fn read(identifier: u8, value: &[u8]) -> Self {
        let text = str::from_utf8(value).ok();
        let base = match identifier {
            alt_name::DNS => text.and_then(|text| {
                if text.is_empty() {
                    Some(Self::Dns(Domain::All))
                } else {
                    Domain::read(text).map(Self::Dns)
                }
            }),
            alt_name::EMAIL => text.and_then(|text| {
                if text.contains('@') {
                    let mailbox = EmailAddress::new(text).ok()?;
                    let (local, host) = mailbox.parts();
                    Some(Self::Mailbox {
                        local: local.to_owned(),
                        host: host.to_ascii_lowercase(),
                    })
                } else {
                    Domain::read(text).map(Self::Email)
                }
            }),
            alt_name::URI => text.and_then(Domain::read).map(Self::Uri),
            alt_name::IP => Self::network(value),
            alt_name::DIRECTORY => DistinguishedName::from_der(value)
                .ok()
                .map(|name| Self::Directory(Directory::of(&name))),
            _ => None,
        };
        base.unwrap_or(Self::Unsupported)
    }

    /// An address and a mask of the same length, whose bits are those of a prefix ("in the style of RFC 4632").
    fn network(value: &[u8]) -> Option<Self> {
        if !matches!(value.len(), 8 | 32) {
            return None;
        }
        let (address, mask) = value.split_at(value.len() / 2);
        let ones = prefix_len(mask);
        let set: u32 = mask.iter().map(|octet| octet.count_ones()).sum();
        (ones == set).then(|| Self::Ip {
            address: address.to_vec(),
            mask: mask.to_vec(),
        })
    }
}

impl Domain {
    fn read(text: &str) -> Option<Self> {
        let text = text.to_ascii_lowercase();
        let (domain, host) = match text.strip_prefix('.') {
            Some(parent) => (Self::Below as fn(String) -> Self, parent),
            None => (Self::Host as fn(String) -> Self, text.as_str()),
        };
        host.split('.')
            .all(is_label)
            .then(|| domain(host.to_owned()))
    }

    /// As RFC 5280 matches the hosts of e-mail addresses and URIs.
    fn has(&self, host: &str) -> bool {
        match self {
            Self::Host(base) => host == base,
            Self::Below(base) => is_below(host, base),
            Self::All => true,
        }
    }

    /// As RFC 5280 matches dNSNames: "any DNS name that can be constructed by simply adding zero or more labels".
    fn has_tree(&self, host: &str) -> bool {
        match self {
            Self::Host(base) => host == base || is_below(host, base),
            Self::Below(_) | Self::All => self.has(host),
        }
    }
}

fn is_below(host: &str, domain: &str) -> bool {
    host.strip_suffix(domain)
        .is_some_and(|labels| labels.ends_with('.'))
}

fn within(ip: IpAddr, address: &[u8], mask: &[u8]) -> bool {
    let matches = |octets: &[u8]| {
        octets.len() == address.len()
            && octets
                .iter()
                .zip(address)
                .zip(mask)
                .all(|((octet, base), mask)| (octet ^ base) & mask == 0)
    };
    match ip {
        IpAddr::V4(ip) => matches(&ip.octets()),
        IpAddr::V6(ip) => matches(&ip.octets()),
    }
}

fn prefix_len(mask: &[u8]) -> u32 {
    let full = mask.iter().take_while(|octet| **octet == 0xff);
    let partial = mask.iter().find(|octet| **octet != 0xff);
    full.map(|octet| octet.count_ones())
        .chain(partial.map(|octet| octet.leading_ones()))
        .sum()
}

/// In the notation of RFC 4632: `10.0.0.0/8`.
fn network(address: &[u8], mask: &[u8]) -> String {
    let v4 = <[u8; 4]>::try_from(address).map(IpAddr::from);
    let address = v4.or_else(|_| <[u8; 16]>::try_from(address).map(IpAddr::from));
    match address {
        Ok(address) => format!("{address}/{}", prefix_len(mask)),
        Err(_) => String::new(),
    }
}
