use std::{fmt, str::FromStr};

use super::invalid;
use crate::{
    Error,
    der::{self, Reader},
};

/// A name of a form that is known by its object identifier: an otherName (RFC 5280, section 4.2.1.6).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct OtherName {
    /// The object identifier of the form, dotted.
    type_id: String,
    /// One value in DER.
    value: Vec<u8>,
}

impl OtherName {
    /// A name of the form `type_id`, in dotted form; `value` is the DER that this form asks for.
    ///
    /// # Errors
    /// [`Error::InvalidSubjectAltName`] when `type_id` is no object identifier, or `value` is not one DER value, well-formed to
    /// its last octet and at every level, with tag numbers up to 30.
    pub fn new(type_id: &str, value: impl Into<Vec<u8>>) -> Result<Self, Error> {
        let type_id = type_id.to_owned();
        if !der::is_dotted_oid(&type_id) {
            return Err(invalid(type_id, "expected a dotted object identifier"));
        }
        let value = value.into();
        if !der::is_well_formed(&value) {
            return Err(invalid(
                format!("otherName:{type_id}"),
                "its value is not one well-formed DER value",
            ));
        }
        Ok(Self { type_id, value })
    }

    /// A user principal name, by which Active Directory knows an account: `demo-bot1@example.com`.
    ///
    /// # Errors
    /// [`Error::InvalidSubjectAltName`] when it is empty or holds a control character.
    pub fn user_principal_name(name: impl Into<String>) -> Result<Self, Error> {
        let name = name.into();
        if name.is_empty() || name.chars().any(char::is_control) {
            return Err(invalid(
                name,
                "a user principal name is text without control characters",
            ));
        }
        Ok(Self {
            type_id: UPN.to_owned(),
            value: der::tlv(der::UTF8_STRING, &[name.as_bytes()]),
        })
    }

    /// The object identifier of the form, dotted.
    pub fn type_id(&self) -> String {
        self.type_id.clone()
    }

    /// The value in DER.
    pub fn value_der(&self) -> &[u8] {
        &self.value
    }

    /// The text of a user principal name; `None` for other forms, and for a value that isn't text.
    pub fn as_user_principal_name(&self) -> Option<&str> {
        if self.type_id != UPN {
            return None;
        }
        let mut fields = Reader::new(&self.value, "otherName");
        let text = str::from_utf8(fields.value(der::UTF8_STRING).ok()?).ok()?;
        (!text.chars().any(char::is_control)).then_some(text)
    }

    /// From the contents octets.
    pub(super) fn read(contents: &[u8]) -> Option<Self> {
        let mut fields = Reader::new(contents, "otherName");
        let type_id = fields.dotted_oid().ok()?;
        let value = fields.value(der::EXPLICIT_0).ok()?.to_vec();
        fields.finish().ok()?;
        der::is_one_value(&value).then_some(Self { type_id, value })
    }

    /// The contents octets.
    pub(super) fn encode(&self) -> Result<Vec<u8>, Error> {
        let type_id = der::dotted_oid(&self.type_id)
            .ok_or_else(|| invalid(self.type_id.clone(), "expected a dotted object identifier"))?;
        let value = der::tlv(der::EXPLICIT_0, &[&self.value]);
        Ok([type_id, value].concat())
    }
}

/// The object identifier of the form and the value's DER in hexadecimal digits: `1.2.3:0500`.
impl FromStr for OtherName {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let invalid = || {
            invalid(
                format!("otherName:{text}"),
                "expected an object identifier and DER, such as \"1.2.3:0500\"",
            )
        };
        let (type_id, value) = text.split_once(':').ok_or_else(invalid)?;
        let value = base16ct::mixed::decode_vec(value).map_err(|_| invalid())?;
        Self::new(type_id, value)
    }
}

/// `UPN:demo-bot1@example.com`; of another form, `otherName:1.2.3:0500`: its object identifier, and the value in hexadecimal digits.
impl fmt::Display for OtherName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.as_user_principal_name() {
            Some(name) => write!(f, "UPN:{name}"),
            None => {
                let value = base16ct::lower::encode_string(&self.value);
                write!(f, "otherName:{}:{value}", self.type_id)
            }
        }
    }
}

const UPN: &str = "1.3.6.1.4.1.311.20.2.3";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_form_is_an_object_identifier_and_one_value() {
        let name = OtherName::new("1.2.3", [5, 0]).unwrap();
        assert_eq!(name.type_id(), "1.2.3");
        assert_eq!(name.value_der(), [5, 0]);
        assert_eq!(name.as_user_principal_name(), None);
        assert_eq!(name.to_string(), "otherName:1.2.3:0500");
        assert_eq!("1.2.3:0500".parse(), Ok(name.clone()));
        assert_eq!(OtherName::read(&name.encode().unwrap()), Some(name));
    }

    #[test]
    fn what_is_no_value_is_refused() {
        for (type_id, value) in [
            ("", &[5, 0][..]),
            ("1.2.x", &[5, 0]),
            ("1.2.3", &[]),
            ("1.2.3", &[5, 0, 0]),
            ("1.2.3", &[0x30, 1, 5]),
            ("1.2.3", &[5, 1, 0]),
        ] {
            assert!(
                matches!(
                    OtherName::new(type_id, value),
                    Err(Error::InvalidSubjectAltName { .. })
                ),
                "{type_id} {value:?}"
            );
        }
        for text in ["1.2.3", "1.2.3:", "1.2.3:5", "1.2.3:05", "1.2.x:0500"] {
            assert!(
                matches!(
                    text.parse::<OtherName>(),
                    Err(Error::InvalidSubjectAltName { .. })
                ),
                "{text}"
            );
        }
        for name in ["", "a\nb", "a\0"] {
            assert!(OtherName::user_principal_name(name).is_err(), "{name:?}");
        }
    }
}
