//! Which subject alternative names a profile grants.

use std::{fmt, str::FromStr};

use crate::{
    Attribute, DistinguishedName, EmailAddress, Error, SubjectAltName, alt_name, der,
    network::Network,
};

/// Names that a [`Profile`](crate::Profile) grants when a request asks for them.
///
/// | text | grants |
/// |---|---|
/// | `DNS:a.example.com` | this host name, whatever its case |
/// | `DNS:*.example.com` | host names of one label before `example.com`; no wildcard |
/// | `DNS:**.example.com` | host names of any number of labels before `example.com`; no wildcard |
/// | `email:a@example.com` | this address; the host's case doesn't matter |
/// | `email:@example.com` | the addresses at this host |
/// | `IP:10.0.0.0/8`, `IP:::1` | the addresses of this network, or this one |
/// | `URI:spiffe://example.com/bot` | this URI, octet for octet |
/// | `URI:spiffe://example.com/bots/*` | the URIs that start so, and go on without `?`, `#`, `%`, and without `.` or `..` as a segment |
///
/// A wildcard name, a directory name, a registered ID and another name are granted where the profile
/// [names them itself](crate::Profile::subject_alt_names), and never by a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamePattern(Pattern);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Pattern {
    /// Host names in lower case.
    Host(String),
    OneLabelBelow(String),
    Below(String),
    Mailbox {
        local: String,
        host: String,
    },
    MailboxesAt(String),
    Network(Network),
    Uri(String),
    UrisFrom(String),
}

impl NamePattern {
    /// Whether it grants this name, which is no host name.
    fn grants(&self, name: &SubjectAltName) -> bool {
        match name {
            SubjectAltName::Ip(address) => {
                matches!(&self.0, Pattern::Network(network) if network.contains(*address))
            }
            SubjectAltName::Email(address) => {
                let (local, host) = address.parts();
                match &self.0 {
                    Pattern::Mailbox { local: l, host: h } => {
                        l == local && host.eq_ignore_ascii_case(h)
                    }
                    Pattern::MailboxesAt(at) => host.eq_ignore_ascii_case(at),
                    _ => false,
                }
            }
            SubjectAltName::Uri(uri) => match &self.0 {
                Pattern::Uri(one) => uri.as_str() == one,
                Pattern::UrisFrom(start) => uri.as_str().strip_prefix(start).is_some_and(is_plain),
                _ => false,
            },
            _ => false,
        }
    }

    /// Whether it grants this host name, in lower case.
    fn grants_host(&self, host: &str) -> bool {
        let before = |domain: &str| host.strip_suffix(domain)?.strip_suffix('.');
        match &self.0 {
            Pattern::Host(one) => host == one,
            Pattern::OneLabelBelow(domain) => before(domain).is_some_and(alt_name::is_label),
            Pattern::Below(domain) => {
                before(domain).is_some_and(|labels| labels.split('.').all(alt_name::is_label))
            }
            _ => false,
        }
    }
}

/// Whether a common name may be the one that a client compares with the host that it connects to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HostComparison {
    /// The certificate is no server's, or has a host name as alternative name, which is compared in its place.
    Unlikely,
    /// OpenSSL does so: `X509_check_host`.
    Likely,
}

/// Checks the names that a request asks for, and those in its subject that could be taken for some: e-mail addresses, and the
/// common names that look like a host name or an IP address.
pub(super) fn check(
    patterns: &[NamePattern],
    subject: &DistinguishedName,
    names: &[SubjectAltName],
    comparison: HostComparison,
) -> Result<(), Error> {
    let of_subject = subject.rdns().iter().flatten().count();
    let comparisons = names.len().saturating_add(of_subject);
    let comparisons = comparisons.saturating_mul(patterns.len());
    if comparisons > MAX_COMPARISONS {
        return Err(Error::BudgetExceeded {
            parameter: "number of comparisons of names with patterns of the profile",
            found: u64::try_from(comparisons).unwrap_or(u64::MAX),
            limit: MAX_COMPARISONS as u64,
        });
    }
    let is_granted = |name: &SubjectAltName| is_granted(patterns, name);
    let not_granted = names.iter().find(|name| !is_granted(name));
    let refused = not_granted
        .map(ToString::to_string)
        .or_else(|| {
            let address = |attribute: &Attribute| match EmailAddress::new(attribute.value()) {
                Ok(address) if attribute.has_tag(der::IA5_STRING) => {
                    is_granted(&SubjectAltName::Email(address))
                }
                _ => false,
            };
            let mut addresses = subject.email_addresses();
            let refused = addresses.find(|attribute| !address(attribute))?;
            Some(format!("emailAddress {:?} in the subject", refused.value()))
        })
        .or_else(|| {
            let mut names = subject.common_names();
            names.find_map(|name| refused_common_name(patterns, name, comparison))
        });
    match refused {
        None => Ok(()),
        Some(name) => Err(Error::NameNotGranted {
            name,
            granted: super::listed(patterns),
        }),
    }
}

/// Real profiles have a few patterns, and requests a few names; one of a megabyte has fifty thousand.
const MAX_COMPARISONS: usize = 1_000_000;

fn is_granted(patterns: &[NamePattern], name: &SubjectAltName) -> bool {
    match name {
        SubjectAltName::Dns(name) => grants_host(patterns, name.as_str()),
        name => patterns.iter().any(|it| it.grants(name)),
    }
}

fn grants_host(patterns: &[NamePattern], host: &str) -> bool {
    let host = host.to_ascii_lowercase();
    patterns.iter().any(|it| it.grants_host(&host))
}

/// A common name that is taken for a name which no pattern grants. A wildcard, of a part of a label too, makes no difference.
fn refused_common_name(
    patterns: &[NamePattern],
    common_name: &str,
    comparison: HostComparison,
) -> Option<String> {
    let Some(name) = alt_name::without_nuls(common_name) else {
        return Some(format!("common name {common_name:?}, which has a NUL,"));
    };
    let bracketed = name
        .strip_prefix('[')
        .and_then(|name| name.strip_suffix(']'));
    let host = alt_name::without_root(name);
    let (is_granted, what) = if let Ok(address) = bracketed.unwrap_or(name).parse() {
        let address = SubjectAltName::Ip(address);
        (is_granted(patterns, &address), "an IP address")
    } else if alt_name::looks_like_host(host)
        || comparison == HostComparison::Likely && may_be_typed(host)
    {
        (grants_host(patterns, host), "a host name")
    } else {
        return None;
    };
    (!is_granted).then(|| format!("common name {common_name:?}, {what},"))
}

/// Whether somebody could have a client connect to it: a label alone is a host, too, and what else a client passes on is its own
/// affair. What ends a host in a URL is not in it, and no blank.
fn may_be_typed(name: &str) -> bool {
    !name.is_empty()
        && !name.contains(|found: char| {
            found.is_whitespace() || found.is_control() || "/?#@\\".contains(found)
        })
}

/// The rest of a path that means what it says: nothing in it is decoded, or leads elsewhere.
fn is_plain(rest: &str) -> bool {
    !rest.is_empty()
        && !rest.contains(['?', '#', '%', '\\'])
        && rest
            .split('/')
            .all(|segment| !matches!(segment, "" | "." | ".."))
}

impl FromStr for NamePattern {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let invalid = || Error::InvalidNamePattern {
            pattern: text.to_owned(),
        };
        let (form, value) = text.split_once(':').ok_or_else(invalid)?;
        let host = |text: &str| match SubjectAltName::dns(text) {
            Ok(_) if !text.contains('*') => Ok(text.to_ascii_lowercase()),
            _ => Err(invalid()),
        };
        Ok(Self(match form {
            "DNS" => match (value.strip_prefix("**."), value.strip_prefix("*.")) {
                (Some(domain), _) => Pattern::Below(host(domain)?),
                (None, Some(domain)) => Pattern::OneLabelBelow(host(domain)?),
                (None, None) => Pattern::Host(host(value)?),
            },
            "email" => match value.strip_prefix('@') {
                Some(domain) => Pattern::MailboxesAt(host(domain)?),
                None => match SubjectAltName::email(value) {
                    Ok(SubjectAltName::Email(address)) => {
                        let (local, host) = address.parts();
                        Pattern::Mailbox {
                            local: local.to_owned(),
                            host: host.to_owned(),
                        }
                    }
                    _ => return Err(invalid()),
                },
            },
            "IP" => Pattern::Network(Network::parse(value).ok_or_else(invalid)?),
            // A prefix that ends within the host, or within a segment, would grant more than it seems to.
            "URI" => match value.strip_suffix('*') {
                Some(start) if start.ends_with('/') && !start.contains('*') => {
                    SubjectAltName::uri(start).map_err(|_| invalid())?;
                    let path = start
                        .split_once("://")
                        .and_then(|(_, rest)| rest.split_once('/'));
                    path.ok_or_else(invalid)?;
                    Pattern::UrisFrom(start.to_owned())
                }
                Some(_) => return Err(invalid()),
                None => {
                    SubjectAltName::uri(value).map_err(|_| invalid())?;
                    Pattern::Uri(value.to_owned())
                }
            },
            _ => return Err(invalid()),
        }))
    }
}

impl fmt::Display for NamePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Pattern::Host(host) => write!(f, "DNS:{host}"),
            Pattern::OneLabelBelow(domain) => write!(f, "DNS:*.{domain}"),
            Pattern::Below(domain) => write!(f, "DNS:**.{domain}"),
            Pattern::Mailbox { local, host } => write!(f, "email:{local}@{host}"),
            Pattern::MailboxesAt(host) => write!(f, "email:@{host}"),
            Pattern::Network(network) => write!(f, "IP:{network}"),
            Pattern::Uri(uri) => write!(f, "URI:{uri}"),
            Pattern::UrisFrom(start) => write!(f, "URI:{start}*"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{HostComparison::Unlikely as UNLIKELY, *};

    fn pattern(text: &str) -> NamePattern {
        text.parse().unwrap()
    }

    fn name(text: &str) -> SubjectAltName {
        let (form, value) = text.split_once(':').unwrap();
        match form {
            "DNS" => SubjectAltName::dns(value).unwrap(),
            "email" => SubjectAltName::email(value).unwrap(),
            "URI" => SubjectAltName::uri(value).unwrap(),
            "IP" => SubjectAltName::Ip(value.parse().unwrap()),
            _ => SubjectAltName::user_principal_name(value).unwrap(),
        }
    }

    #[test]
    fn a_pattern_grants_what_it_says_and_nothing_beside() {
        for (text, granted, refused) in [
            (
                "DNS:a.example.com",
                &["DNS:a.example.com", "DNS:A.Example.com"][..],
                &[
                    "DNS:b.a.example.com",
                    "DNS:example.com",
                    "UPN:a.example.com",
                ][..],
            ),
            (
                "DNS:*.example.com",
                &["DNS:a.example.com", "DNS:A.EXAMPLE.COM"],
                &[
                    "DNS:example.com",
                    "DNS:b.a.example.com",
                    "DNS:aexample.com",
                    "DNS:*.example.com",
                    "DNS:a.example.com.evil.example",
                ],
            ),
            (
                "DNS:**.example.com",
                &["DNS:a.example.com", "DNS:b.a.example.com"],
                &[
                    "DNS:example.com",
                    "DNS:aexample.com",
                    "DNS:*.a.example.com",
                    "DNS:*.example.com",
                ],
            ),
            (
                "email:a@example.com",
                &["email:a@example.com", "email:a@EXAMPLE.com"],
                &[
                    "email:A@example.com",
                    "email:b@example.com",
                    "email:a@b.example.com",
                ],
            ),
            (
                "email:@example.com",
                &["email:a@example.com", "email:b@Example.com"],
                &[
                    "email:a@b.example.com",
                    "email:a@example.org",
                    "DNS:example.com",
                ],
            ),
            (
                "IP:10.0.0.0/8",
                &["IP:10.1.2.3"],
                &["IP:11.0.0.0", "IP:::a00:0", "DNS:a10.example"],
            ),
            ("IP:::1", &["IP:::1"], &["IP:::2"]),
            (
                "URI:spiffe://example.com/bot",
                &["URI:spiffe://example.com/bot"],
                &[
                    "URI:spiffe://example.com/bot/a",
                    "URI:spiffe://example.com/Bot",
                ],
            ),
            (
                "URI:spiffe://example.com/bots/*",
                &[
                    "URI:spiffe://example.com/bots/a",
                    "URI:spiffe://example.com/bots/a/b",
                ],
                &[
                    "URI:spiffe://example.com/bots/",
                    "URI:spiffe://example.com/bots/../admin",
                    "URI:spiffe://example.com/bots/./a",
                    "URI:spiffe://example.com/bots//a",
                    "URI:spiffe://example.com/bots/%2e%2e/admin",
                    "URI:spiffe://example.com/bots/a?b",
                    "URI:spiffe://example.com/bots/a#b",
                    "URI:spiffe://example.org/bots/a",
                ],
            ),
        ] {
            let pattern = pattern(text);
            assert!(pattern.to_string().starts_with(text), "{pattern}");
            let patterns = [pattern];
            for it in granted {
                assert!(is_granted(&patterns, &name(it)), "{text} {it}");
            }
            for it in refused {
                assert!(!is_granted(&patterns, &name(it)), "{text} {it}");
            }
        }
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for text in [
            "",
            "a.example",
            "dns:a.example",
            "DNS:",
            "DNS:*",
            "DNS:*.*.example.com",
            "DNS:a*.example.com",
            "DNS:***.example.com",
            "email:a",
            "email:@",
            "email:@*.example.com",
            "IP:10.0.0.1/8",
            "IP:a",
            "URI:spiffe://example.com*",
            "URI:spiffe://example.com/bot*",
            "URI:spiffe://*/",
            "URI:spiffe://*",
            "URI:urn:a/*",
            "URI:*",
            "UPN:a@example.com",
        ] {
            assert!(
                matches!(text.parse::<NamePattern>(), Err(Error::InvalidNamePattern { pattern }) if pattern == text),
                "{text}"
            );
        }
    }

    #[test]
    fn all_names_are_held_against_all_patterns() {
        let patterns = [pattern("DNS:*.example.com"), pattern("IP:10.0.0.0/8")];
        let check = |subject: &str, names: &[&str]| {
            let names: Vec<_> = names.iter().copied().map(name).collect();
            check(&patterns, &subject.parse().unwrap(), &names, UNLIKELY)
        };
        for subject in [
            "/CN=bot",
            "/CN=a.example.com",
            "/CN=Dr. A. Example",
            "/O=evil.example",
        ] {
            let granted = check(subject, &["IP:10.0.0.1", "DNS:a.example.com"]);
            assert_eq!(granted, Ok(()), "{subject}");
        }
        let refused = |name: &str| {
            Err(Error::NameNotGranted {
                name: name.to_owned(),
                granted: "DNS:*.example.com, IP:10.0.0.0/8".to_owned(),
            })
        };
        assert_eq!(
            check("/CN=a", &["IP:10.0.0.1", "DNS:evil.example"]),
            refused("DNS:evil.example")
        );
        assert_eq!(
            check("/CN=a/CN=evil.example", &[]),
            refused("common name \"evil.example\", a host name,")
        );
        for name in ["*.example.com", "f*.example.com"] {
            assert_eq!(
                check(&format!("/CN={name}"), &[]),
                refused(&format!("common name {name:?}, a host name,"))
            );
        }
    }

    #[test]
    fn a_common_name_that_is_an_ip_address_is_held_against_networks() {
        let patterns = [pattern("DNS:*.example.com"), pattern("IP:10.0.0.0/8")];
        let check = |subject: &str| check(&patterns, &subject.parse().unwrap(), &[], UNLIKELY);
        assert_eq!(check("/CN=10.0.0.1"), Ok(()));
        for address in ["11.0.0.1", "::1", "[::1]"] {
            assert!(
                matches!(
                    check(&format!("/CN={address}")),
                    Err(Error::NameNotGranted { name, .. }) if name.contains("an IP address")
                ),
                "{address}"
            );
        }
    }

    #[test]
    fn the_work_is_limited() {
        let subject = "/CN=a".parse().unwrap();
        let names = vec![name("DNS:a.example"); 999];
        let check = |patterns| {
            let patterns = vec![pattern("DNS:a.example"); patterns];
            check(&patterns, &subject, &names, UNLIKELY)
        };
        assert_eq!(check(1000), Ok(()));
        assert!(matches!(
            check(1001),
            Err(Error::BudgetExceeded {
                found: 1_001_000,
                limit: 1_000_000,
                ..
            })
        ));
    }

    /// `openssl verify -verify_hostname` takes each of these for the host of that name.
    #[test]
    fn a_common_name_that_a_client_compares_with_a_host_is_held_against_the_patterns() {
        let patterns = [pattern("DNS:*.example.com"), pattern("DNS:intranet")];
        let is_granted = |name: &str, comparison| {
            let subject = DistinguishedName::builder()
                .common_name(name)
                .build()
                .unwrap();
            check(&patterns, &subject, &[], comparison).is_ok()
        };
        for granted in [
            "a.example.com",
            "a.example.com.",
            "Intranet",
            "Dr. A. Example",
            "Excelsior Bank",
            "bot/7",
            "a@evil",
        ] {
            assert!(is_granted(granted, HostComparison::Likely), "{granted}");
        }
        for refused in ["evil", "localhost", "*", "a!", "[::a:b", "b\u{fc}cher"] {
            assert!(!is_granted(refused, HostComparison::Likely), "{refused}");
            assert!(is_granted(refused, UNLIKELY), "{refused}");
        }
        for refused in [
            "evil.example.",
            "-evil.example",
            "evil-.example",
            "evil..example",
            ".evil.example",
            "[::1]",
        ] {
            for comparison in [HostComparison::Likely, UNLIKELY] {
                assert!(!is_granted(refused, comparison), "{refused}");
            }
        }
    }

    /// OpenSSL doesn't count NULs at the end, and others end a name at the first.
    #[test]
    fn a_nul_hides_no_host_name() {
        let patterns = [pattern("DNS:*.example.com")];
        let check = |common_name: &str| {
            let value = der::tlv(0x0c, &[common_name.as_bytes()]); // UTF8String
            let attribute = der::sequence(&[b"\x06\x03\x55\x04\x03", &value]);
            let subject = der::sequence(&[&der::tlv(0x31, &[&attribute])]);
            let subject = DistinguishedName::from_der(&subject).unwrap();
            check(&patterns, &subject, &[], UNLIKELY)
        };
        assert_eq!(check("a.example.com\0"), Ok(()));
        for name in [
            "evil.example\0",
            "evil.example\0 x",
            "a.example.com\0.b",
            "a\0b",
        ] {
            assert!(
                matches!(check(name), Err(Error::NameNotGranted { .. })),
                "{name:?}"
            );
        }
    }

    #[test]
    fn an_email_address_in_the_subject_is_held_against_the_patterns() {
        let patterns = [pattern("email:@example.com")];
        let check = |subject: &str| check(&patterns, &subject.parse().unwrap(), &[], UNLIKELY);
        assert_eq!(check("/CN=a/emailAddress=a@example.com"), Ok(()));
        for address in ["a@evil.example", "a", "a@example.com@evil.example"] {
            let refused = check(&format!(
                "/emailAddress=b@example.com/emailAddress={address}"
            ));
            let shown = format!("emailAddress {address:?} in the subject");
            assert!(
                matches!(&refused, Err(Error::NameNotGranted { name, .. }) if *name == shown),
                "{refused:?}"
            );
        }
        // An IA5String is what it has to be (RFC 2985, section 5.2.1): what others make of another type is unknown.
        for (tag, granted) in [(der::IA5_STRING, true), (0x0c, false)] {
            let value = der::tlv(tag, &[b"a@example.com"]);
            let oid = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01";
            let attribute = der::sequence(&[oid, &value]);
            let subject = der::sequence(&[&der::tlv(0x31, &[&attribute])]);
            let subject = DistinguishedName::from_der(&subject).unwrap();
            assert_eq!(
                super::check(&patterns, &subject, &[], UNLIKELY).is_ok(),
                granted
            );
        }
    }
}
