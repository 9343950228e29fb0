//! Subjects: the value of `--subject`, and what is odd about one that goes into a certificate.

use std::{fmt::Display, str::FromStr};

use pki::{Attribute, DistinguishedName};

use crate::{error::Error, ui};

/// A subject, and the text that it was given as.
#[derive(Debug, Clone)]
pub(crate) struct Subject {
    name: DistinguishedName,
    text: String,
}

impl Subject {
    /// Says what is odd about it.
    ///
    /// # Errors
    ///
    /// [`Error`] for a control character.
    pub(crate) fn checked(&self) -> Result<&DistinguishedName, Error> {
        check(&self.name, format!("the subject {}", self.name)).map_err(Error::into_misuse)?;
        if !self.text.starts_with('/') && is_upside_down(&self.name) {
            ui::warn(format!(
                "the subject {} is RFC 4514, which starts at the most specific end: its first attribute is the last one \
                 in the certificate; write {} if it should be the first",
                self.text,
                quoted(&openssl_form(self.name.rdns().iter().rev()))
            ));
        }
        Ok(&self.name)
    }
}

impl FromStr for Subject {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(advice) = printed_by_openssl(text) {
            return Err(advice);
        }
        match text.parse() {
            Ok(name) => Ok(Self {
                name,
                text: text.to_owned(),
            }),
            Err(error @ pki::Error::ControlCharacter { found: '\r', .. }) => Err(format!(
                "{error}, a carriage return, with which lines end in files from Windows: remove it, for example with \
                 tr -d '\\r'"
            )),
            Err(error @ pki::Error::MalformedName { .. }) if !text.contains('=') => Err(format!(
                "{error}; for a common name, write {}",
                quoted(&format!("/CN={text}"))
            )),
            Err(error @ pki::Error::UnknownAttribute { .. }) if text.starts_with('/') => {
                Err(format!("{error}; a slash within a value is written \\/"))
            }
            Err(error) => Err(error.to_string()),
        }
    }
}

/// Says what is odd about a subject before it goes into a certificate.
///
/// # Errors
///
/// [`Error`] for a control character: nobody could type that name, or see why it is another one.
pub(crate) fn check(subject: &DistinguishedName, about: impl Display) -> Result<(), Error> {
    for attribute in subject.rdns().iter().flatten() {
        let value = attribute.value();
        if let Some(found) = value.chars().find(|c| c.is_control()) {
            return Err(Error::failed(format!(
                "{about}: attribute {} holds the control character U+{:04X}",
                type_of(attribute),
                u32::from(found)
            )));
        }
        if value.starts_with(is_blank) || value.ends_with(is_blank) {
            ui::warn(format!(
                "in the subject, {} starts or ends with a blank, which is a part of the name: {value:?}",
                type_of(attribute)
            ));
        }
    }
    Ok(())
}

/// What prints as nothing: blanks of all sorts, and the byte order mark and its like (Unicode's default ignorables).
fn is_blank(c: char) -> bool {
    c.is_whitespace()
        || matches!(
            c,
            '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}'
        )
}

/// Whether the name is one that starts with its common name in the certificate, while others end with it there. RFC 4514
/// text gives that to those who wrote it in OpenSSL's order, `C=GB,O=Bank,CN=bot`.
fn is_upside_down(name: &DistinguishedName) -> bool {
    let holds_common_name = |rdn: Option<&Vec<Attribute>>| {
        rdn.is_some_and(|rdn| rdn.iter().any(|it| it.oid() == "2.5.4.3"))
    };
    holds_common_name(name.rdns().first()) && !holds_common_name(name.rdns().last())
}

/// What to write instead of a text that looks like a name as OpenSSL prints it: `C = GB, O = Bank, CN = bot`, and since
/// OpenSSL 3.2 `C=GB, O=Bank, CN=bot`. It is in the order of the certificate, which is the opposite of RFC 4514's, while
/// other programs print RFC 4514 with blanks after the commas.
fn printed_by_openssl(text: &str) -> Option<String> {
    let printed = text.strip_prefix("subject").map(str::trim_start);
    let printed = printed.and_then(|rest| rest.strip_prefix('='));
    let name = printed.unwrap_or(text).trim();
    let without_prefix = |name: &str| format!("leave out \"subject=\": write {}", quoted(name));
    if name.starts_with('/') {
        return printed.map(|_| without_prefix(name));
    }
    let has_blanks = name
        .split_once('=')
        .is_some_and(|(before, after)| before.ends_with(' ') && after.starts_with(' '));
    let parsed = DistinguishedName::from_rfc4514(name);
    let is_one_way = parsed.is_ok() && !has_blanks && !has_blanks_after_commas(name);
    if printed.is_some() && is_one_way {
        // With -nameopt RFC2253.
        return Some(without_prefix(name));
    }
    if is_one_way || (printed.is_none() && !has_blanks && !has_blanks_after_commas(name)) {
        return None;
    }
    let what = if has_blanks {
        "this looks like a name that openssl printed, which is in the opposite order of RFC 4514"
    } else {
        "with blanks after its commas, this may be a name that openssl printed, which is in the opposite order of RFC 4514"
    };
    let Ok(parsed) = parsed else {
        return Some(format!(
            "{what}: let it print RFC 4514, with -nameopt RFC2253"
        ));
    };
    let as_printed = quoted(&openssl_form(parsed.rdns().iter().rev()));
    match parsed.rdns().len() {
        0 | 1 if printed.is_none() => None, // either order is the same
        0 | 1 => Some(format!("leave out \"subject=\": write {as_printed}")),
        _ => Some(format!(
            "{what}: write {as_printed} for openssl's order, or {} for that of RFC 4514",
            quoted(&openssl_form(parsed.rdns().iter()))
        )),
    }
}

/// Whether a blank follows a comma that stands between attributes: no backslash precedes it, and no quotation marks are
/// around it.
fn has_blanks_after_commas(text: &str) -> bool {
    let (mut is_escaped, mut is_quoted, mut is_comma) = (false, false, false);
    for c in text.chars() {
        if is_comma && c.is_whitespace() {
            return true;
        }
        is_quoted ^= c == '"' && !is_escaped;
        is_comma = c == ',' && !is_escaped && !is_quoted;
        is_escaped = c == '\\' && !is_escaped;
    }
    false
}

/// The form of `openssl req -subj`, which says by itself which order it has.
fn openssl_form<'a>(rdns: impl Iterator<Item = &'a Vec<Attribute>>) -> String {
    let attribute = |attribute: &Attribute| {
        let mut text = format!("{}=", type_of(attribute));
        for c in attribute.value().chars() {
            if matches!(c, '/' | '+' | '\\') {
                text.push('\\');
            }
            text.push(c);
        }
        text
    };
    rdns.map(|rdn| {
        let members: Vec<_> = rdn.iter().map(attribute).collect();
        format!("/{}", members.join("+"))
    })
    .collect()
}

fn type_of(attribute: &Attribute) -> &str {
    attribute.short_name().unwrap_or_else(|| attribute.oid())
}

/// As one word for a shell.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> String {
        text.parse::<Subject>().unwrap_err()
    }

    const OPPOSITE: &str =
        "this looks like a name that openssl printed, which is in the opposite order of RFC 4514";

    const AMBIGUOUS: &str = "with blanks after its commas, this may be a name that openssl printed, which is in the \
                             opposite order of RFC 4514";

    #[test]
    fn a_name_that_openssl_printed_in_the_order_of_rfc_4514_only_loses_its_prefix() {
        for text in [
            "subject=CN=bot,O=Excelsior,C=GB",
            "subject= CN=bot,O=Excelsior,C=GB",
        ] {
            assert_eq!(
                refusal(text),
                "leave out \"subject=\": write 'CN=bot,O=Excelsior,C=GB'"
            );
        }
        assert_eq!(
            refusal(r"subject=CN=bot,O=Excelsior\, Inc"),
            r#"leave out "subject=": write 'CN=bot,O=Excelsior\, Inc'"#
        );
    }

    #[test]
    fn a_name_that_openssl_printed_is_not_read_the_wrong_way_round() {
        for text in [
            "C = GB, O = Excelsior, CN = bot",
            "subject=C = GB, O = Excelsior, CN = bot",
        ] {
            assert_eq!(
                refusal(text),
                format!(
                    "{OPPOSITE}: write '/C=GB/O=Excelsior/CN=bot' for openssl's order, \
                     or '/CN=bot/O=Excelsior/C=GB' for that of RFC 4514"
                ),
                "{text}"
            );
        }
        for text in [
            "C=GB, O=Excelsior, CN=bot",
            "subject=C=GB, O=Excelsior, CN=bot",
            "subject = C=GB, O=Excelsior, CN=bot",
        ] {
            assert_eq!(
                refusal(text),
                format!(
                    "{AMBIGUOUS}: write '/C=GB/O=Excelsior/CN=bot' for openssl's order, \
                     or '/CN=bot/O=Excelsior/C=GB' for that of RFC 4514"
                ),
                "{text}"
            );
        }
        // Openssl prints a certificate that starts with its common name like others print one that ends with it.
        for text in ["CN=bot, O=Excelsior, C=GB", "CN=bot,O=Excelsior, C=GB"] {
            assert_eq!(
                refusal(text),
                format!(
                    "{AMBIGUOUS}: write '/CN=bot/O=Excelsior/C=GB' for openssl's order, \
                     or '/C=GB/O=Excelsior/CN=bot' for that of RFC 4514"
                ),
                "{text}"
            );
        }
        let compat = "leave out \"subject=\": write '/C=GB/CN=bot'";
        assert_eq!(refusal("subject= /C=GB/CN=bot"), compat);
        assert_eq!(
            refusal("subject=CN = bot"),
            "leave out \"subject=\": write '/CN=bot'"
        );
    }

    #[test]
    fn what_can_not_be_read_as_rfc_4514_gets_the_flag_that_prints_it() {
        let flag = format!("{OPPOSITE}: let it print RFC 4514, with -nameopt RFC2253");
        // A value with a sign that openssl leaves as it is, and several lines.
        assert_eq!(refusal("C = GB, O = A<B, CN = bot"), flag);
        assert_eq!(
            refusal("C=GB, O=A<B, CN=bot"),
            format!("{AMBIGUOUS}: let it print RFC 4514, with -nameopt RFC2253")
        );
        assert_eq!(
            refusal("\n    countryName               = GB\n    commonName                = bot"),
            flag
        );
    }

    #[test]
    fn what_to_write_instead_is_one_word_for_a_shell_and_the_same_name() {
        let advice = refusal(r"O = A/B\, C\+D, CN = it's + UID = 7");
        let written = r"/O=A\/B, C\+D/CN=it'\''s+UID=7";
        assert!(
            advice.contains(&format!("write '{written}' for")),
            "{advice}"
        );
        let unquoted = written.replace(r"'\''", "'");
        assert_eq!(
            unquoted.parse::<Subject>().unwrap().name,
            r"CN=it's+UID=7,O=A/B\, C\+D".parse().unwrap()
        );
    }

    #[test]
    fn rfc_4514_is_read_with_blanks_where_they_say_nothing_about_the_order() {
        for text in [
            r"CN=bot,O=The Bank\, Inc,C=GB",
            "CN=bot,O=\"The Bank, Inc\",C=GB",
            "CN=bot + UID=7",
            "CN = bot",
            "CN =bot,O=Bank",
            "/CN = bot",
        ] {
            let parsed = text.parse::<Subject>().map(|subject| subject.name).ok();
            assert_eq!(parsed, text.parse().ok(), "{text}");
        }
    }

    #[test]
    fn a_common_name_at_the_far_end_is_suspicious() {
        let name = |text: &str| text.parse::<DistinguishedName>().unwrap();
        assert!(is_upside_down(&name("C=GB,O=Bank,CN=bot")));
        assert!(is_upside_down(&name("O=Bank,CN=bot")));
        for right in [
            "CN=bot,O=Bank,C=GB",
            "CN=bot",
            "O=Bank",
            "CN=bot,CN=Users,DC=example",
        ] {
            assert!(!is_upside_down(&name(right)), "{right}");
        }
    }
}
