//! Alternative names on the command line: the values of `--dns`, `--ip` and `--email`.

use std::net::IpAddr;

use pki::{CertificateRequest, CertificateRequestBuilder, DistinguishedName, SubjectAltName};

/// The flags for alternative names.
#[derive(Debug, clap::Args)]
pub(crate) struct AltNameArgs {
    /// DNS name to be valid for; may be repeated
    #[arg(long, value_name = "NAME", value_parser = dns)]
    dns: Vec<SubjectAltName>,

    /// IP address to be valid for; may be repeated
    #[arg(long, value_name = "ADDRESS", value_parser = ip)]
    ip: Vec<SubjectAltName>,

    /// Email address to be valid for; may be repeated
    #[arg(long, value_name = "ADDRESS", value_parser = email)]
    email: Vec<SubjectAltName>,
}

impl AltNameArgs {
    pub(crate) fn is_empty(&self) -> bool {
        self.all().next().is_none()
    }

    /// A request for them.
    pub(crate) fn request(&self, subject: &DistinguishedName) -> CertificateRequestBuilder {
        self.all().cloned().fold(
            CertificateRequest::builder(subject.clone()),
            |builder, name| builder.subject_alt_name(name),
        )
    }

    fn all(&self) -> impl Iterator<Item = &SubjectAltName> {
        [&self.dns, &self.ip, &self.email].into_iter().flatten()
    }
}

/// A host name, as the value of `--dns`. What is often given instead gets its own advice.
///
/// # Errors
///
/// What to give instead.
fn dns(text: &str) -> Result<SubjectAltName, String> {
    let advice = if text.is_empty() {
        "the name is empty".to_owned()
    } else if text.parse::<IpAddr>().is_ok() {
        format!("this is an IP address: give it as --ip {text}")
    } else if let Some((_, rest)) = text.split_once("://") {
        let host = rest.split(['/', ':', '?', '#']).next().unwrap_or_default();
        format!("this is a URL: give its host name alone, {host}")
    } else if text.contains(',') {
        "these are several names: repeat --dns for each".to_owned()
    } else if let Some((host, port)) = text.rsplit_once(':')
        && port.bytes().all(|octet| octet.is_ascii_digit())
    {
        format!("a host name has no port: give {host}")
    } else if text.contains('@') {
        format!("this is an email address: give it as --email {text}")
    } else {
        return SubjectAltName::dns(text).map_err(reason);
    };
    Err(advice)
}

/// An IP address, as the value of `--ip`.
///
/// # Errors
///
/// What to give instead.
fn ip(text: &str) -> Result<SubjectAltName, String> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Ok(address.into());
    }
    Err(if text.contains(',') {
        "these are several addresses: repeat --ip for each".to_owned()
    } else if text.contains('/') {
        "expected one address such as 192.0.2.1 or 2001:db8::1, not a network or a URL".to_owned()
    } else if dns(text).is_ok() && text.bytes().any(|octet| octet.is_ascii_alphabetic()) {
        format!("this is a host name: give it as --dns {text}")
    } else {
        "expected an address such as 192.0.2.1 or 2001:db8::1, without brackets and port".to_owned()
    })
}

/// An email address, as the value of `--email`.
///
/// # Errors
///
/// What to give instead.
fn email(text: &str) -> Result<SubjectAltName, String> {
    if text.contains(',') {
        return Err("these are several addresses: repeat --email for each".to_owned());
    }
    if text.contains('<') || text.starts_with("mailto:") {
        return Err("give the address alone, such as bot@example.com".to_owned());
    }
    if !text.contains('@') {
        return Err("expected an address such as bot@example.com".to_owned());
    }
    SubjectAltName::email(text).map_err(reason)
}

fn reason(error: pki::Error) -> String {
    match error {
        pki::Error::InvalidSubjectAltName { reason, .. } => reason.to_owned(),
        error => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_host_name_is_refused_with_what_to_give_instead() {
        for (given, advice) in [
            ("", "the name is empty"),
            ("1.2.3.4", "this is an IP address: give it as --ip 1.2.3.4"),
            ("::1", "this is an IP address: give it as --ip ::1"),
            ("http://x", "this is a URL: give its host name alone, x"),
            (
                "https://x:443/y",
                "this is a URL: give its host name alone, x",
            ),
            ("x:443", "a host name has no port: give x"),
            ("a,b", "these are several names: repeat --dns for each"),
            ("a@b", "this is an email address: give it as --email a@b"),
        ] {
            assert_eq!(dns(given), Err(advice.to_owned()), "{given:?}");
        }
        for given in [
            "a b",
            "a\0b",
            "a/b",
            "*",
            "a..b",
            "b\u{fc}cher.example",
            "x:y",
        ] {
            assert!(dns(given).is_err(), "{given:?}");
        }
        for given in ["localhost", "*.example.com", "xn--bcher-kva.example"] {
            assert_eq!(
                dns(given).map(|name| name.to_string()),
                Ok(format!("DNS:{given}"))
            );
        }
    }

    #[test]
    fn what_is_no_address_is_refused_with_what_to_give_instead() {
        let one = "expected one address such as 192.0.2.1 or 2001:db8::1, not a network or a URL";
        let plain =
            "expected an address such as 192.0.2.1 or 2001:db8::1, without brackets and port";
        for (given, advice) in [
            ("", plain),
            (
                "localhost",
                "this is a host name: give it as --dns localhost",
            ),
            ("1.2.3", plain),
            ("[::1]", plain),
            ("1.2.3.4:443", plain),
            ("10.0.0.0/8", one),
            ("http://1.2.3.4", one),
            (
                "1.2.3.4,1.2.3.5",
                "these are several addresses: repeat --ip for each",
            ),
        ] {
            assert_eq!(ip(given), Err(advice.to_owned()), "{given:?}");
        }
        for given in ["192.0.2.1", "2001:db8::1"] {
            assert_eq!(
                ip(given).map(|name| name.to_string()),
                Ok(format!("IP:{given}"))
            );
        }
    }

    #[test]
    fn what_is_no_email_address_is_refused_with_what_to_give_instead() {
        let alone = "give the address alone, such as bot@example.com";
        for (given, advice) in [
            (
                "a@example.com,b@example.com",
                "these are several addresses: repeat --email for each",
            ),
            ("Bot <a@example.com>", alone),
            ("mailto:a@example.com", alone),
        ] {
            assert_eq!(email(given), Err(advice.to_owned()), "{given:?}");
        }
        for given in ["", "notmail"] {
            let address = "expected an address such as bot@example.com".to_owned();
            assert_eq!(email(given), Err(address), "{given:?}");
        }
        for given in ["a@", "@b", "a b@example.com"] {
            assert!(email(given).is_err(), "{given:?}");
        }
        assert!(email("bot@example.com").is_ok());
    }
}
