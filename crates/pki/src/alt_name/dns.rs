use std::{fmt, net::IpAddr};

use super::invalid;
use crate::Error;

/// A host name in ASCII form, perhaps with a wildcard as its first label: a dNSName (RFC 5280, section 4.2.1.6).
///
/// Displays as it was given; two of them are equal when their octets are.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DnsName(String);

impl DnsName {
    /// Checks the preferred name syntax (RFC 1034, section 3.5; RFC 1123, section 2.1), with `_` as in the names of
    /// services: labels of 1 to 63 letters, digits, `-` and `_` that neither start nor end with `-`, at most 253
    /// characters in all, no dot at the end, and a last label that isn't a number: `1.2.3` is an IP address to some
    /// programs. Names beyond ASCII must be in their `xn--` form.
    ///
    /// A wildcard is a whole first label (RFC 9525, section 6.3) before at least two others: `*.com` would stand for
    /// everybody's names.
    ///
    /// # Errors
    /// [`Error::InvalidSubjectAltName`].
    pub fn new(name: impl Into<String>) -> Result<Self, Error> {
        let name = name.into();
        let checked = match name.strip_prefix("*.") {
            Some(parent) if !parent.contains('.') => {
                Err("a wildcard stands before at least two labels, as in \"*.example.com\"")
            }
            Some(_) if name.len() > MAX_LEN => Err(LENGTH),
            Some(parent) => check_host_name(parent),
            None => check_host_name(&name),
        };
        match checked {
            Ok(()) => Ok(Self(name)),
            Err(reason) => Err(invalid(name, reason)),
        }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DnsName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Checks a host name without a wildcard.
pub(super) fn check_host_name(name: &str) -> Result<(), &'static str> {
    if !name.is_ascii() {
        return Err("host names beyond ASCII must be in their \"xn--\" form");
    }
    if name.parse::<IpAddr>().is_ok() {
        return Err("this is an IP address, not a host name");
    }
    if name.is_empty() || name.len() > MAX_LEN {
        return Err(LENGTH);
    }
    if name.ends_with('.') {
        return Err("a host name in a certificate has no dot at its end");
    }
    if !name.split('.').all(is_label) {
        return Err("labels have 1 to 63 letters, digits, \"-\" (not first or last) and \"_\"");
    }
    let last = name.rsplit('.').next().unwrap_or(name);
    let hexadecimal = last.strip_prefix("0x").or_else(|| last.strip_prefix("0X"));
    if last.bytes().all(|octet| octet.is_ascii_digit())
        || hexadecimal.is_some_and(|digits| digits.bytes().all(|octet| octet.is_ascii_hexdigit()))
    {
        return Err("the last label is a number, so that it may be taken for an IP address");
    }
    Ok(())
}

/// Whether this is one label of a host name.
pub(crate) fn is_label(label: &str) -> bool {
    label.len() <= 63 && is_label_of_any_length(label)
}

/// Likewise, but for the limit that DNS has.
fn is_label_of_any_length(label: &str) -> bool {
    !label.is_empty()
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label
            .bytes()
            .all(|octet| octet.is_ascii_alphanumeric() || octet == b'-' || octet == b'_')
}

/// A common name as OpenSSL takes it for a host name: NULs at its end don't count, and with one before nobody can judge it.
pub(crate) fn without_nuls(common_name: &str) -> Option<&str> {
    let name = common_name.trim_end_matches('\0');
    (!name.contains('\0')).then_some(name)
}

/// Whether a program may take a common name for a host where there is no other host name: two labels or more, of what host names
/// consist of in whatever order, and wildcards.
///
/// OpenSSL holds less of this against name constraints, and takes as much for a host when it compares names.
pub(crate) fn looks_like_host(common_name: &str) -> bool {
    common_name.contains('.')
        && common_name
            .bytes()
            .all(|octet| octet.is_ascii_alphanumeric() || b"-_.*".contains(&octet))
}

/// Without the dot of the root: the host is the same.
pub(crate) fn without_root(host: &str) -> &str {
    host.strip_suffix('.').unwrap_or(host)
}

/// 255 octets in DNS (RFC 1035, section 2.3.4), less the first length octet and the root's.
const MAX_LEN: usize = 253;
const LENGTH: &str = "a host name has 1 to 253 characters";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_names_are_taken() {
        let longest = format!("{0}.{0}.{0}.{1}", "a".repeat(63), "b".repeat(61));
        for name in [
            "localhost",
            "*.example.com",
            "xn--bcher-kva.example",
            "my_host.example",
            "_sip._tcp.example.com",
            "A.Example",
            "7.example",
            "1e3",
            &longest,
        ] {
            assert_eq!(DnsName::new(name).unwrap().as_str(), name);
        }
    }

    #[test]
    fn what_is_no_host_name_is_refused() {
        let too_long = format!("{0}.{0}.{0}.{1}", "a".repeat(63), "b".repeat(62));
        let too_long_with_wildcard = format!("*.{}", &too_long[2..]);
        for name in [
            "",
            ".",
            "a..b",
            ".a",
            "a.",
            "*.a.example.",
            "b\u{fc}cher.example",
            "a b",
            " a",
            "a\r",
            "good.example\0.evil.example",
            "127.0.0.1",
            "::1",
            "1.2.3",
            "1",
            "0x7f.1",
            "127.0x1",
            "0x",
            "a.*.b",
            "*",
            "*.",
            "*.com",
            "*.*.example.com",
            "f*.example.com",
            "*.1.2.3.4",
            "-a.example",
            "a-.example",
            "http://x",
            "x:443",
            "a,b",
            "a/b",
            "a@b.example",
            &"a".repeat(64),
            &too_long,
            &too_long_with_wildcard,
        ] {
            assert!(
                matches!(DnsName::new(name), Err(Error::InvalidSubjectAltName { name: found, .. }) if found == name),
                "{name:?}"
            );
        }
    }
}
