//! Distinguished names (X.501, RFC 4514) that own their DER.
use std::{fmt, str::FromStr};

use crate::Error;

/// A distinguished name that owns its DER.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct DistinguishedName {
    der: Vec<u8>,
}

/// One attribute of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// dotted OID
    pub oid: String,
    /// short name ("CN"), when it has one
    pub short_name: Option<&'static str>,
    /// the value as text; values that are not strings as "#hex"
    pub value: String,
}

impl DistinguishedName {
    /// `/CN=a/O=b`
    pub fn from_openssl(text: &str) -> Result<Self, Error> {
        let _ = text;
        todo!()
    }
    /// `CN=a,O=b` (RFC 4514: last RDN first)
    pub fn from_rfc4514(text: &str) -> Result<Self, Error> {
        let _ = text;
        todo!()
    }
    /// typed setters
    pub fn builder() -> DistinguishedNameBuilder {
        todo!()
    }
    /// DER in
    pub fn from_der(der: &[u8]) -> Result<Self, Error> {
        Ok(Self { der: der.to_vec() })
    }
    /// DER out
    pub fn as_der(&self) -> &[u8] {
        &self.der
    }
    /// no RDN at all
    pub fn is_empty(&self) -> bool {
        todo!()
    }
    /// RDNs in order, each with its attributes
    pub fn rdns(&self) -> Vec<Vec<Attribute>> {
        todo!()
    }
    /// value of the last (most specific) CN
    pub fn common_name(&self) -> Option<String> {
        todo!()
    }
}
impl FromStr for DistinguishedName {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self, Error> {
        let _ = text;
        todo!()
    }
}
impl fmt::Display for DistinguishedName {
    fn fmt(&self, _f: &mut fmt::Formatter<'_>) -> fmt::Result {
        todo!()
    }
}
impl fmt::Debug for DistinguishedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// typed setters: each adds one RDN in call order
#[derive(Debug, Default)]
pub struct DistinguishedNameBuilder {
    _todo: (),
}
impl DistinguishedNameBuilder {
    /// CN
    pub fn common_name(self, _value: impl Into<String>) -> Self {
        todo!()
    }
    /// O
    pub fn organization(self, _value: impl Into<String>) -> Self {
        todo!()
    }
    /// OU
    pub fn organizational_unit(self, _value: impl Into<String>) -> Self {
        todo!()
    }
    /// L
    pub fn locality(self, _value: impl Into<String>) -> Self {
        todo!()
    }
    /// ST
    pub fn state_or_province(self, _value: impl Into<String>) -> Self {
        todo!()
    }
    /// C
    pub fn country(self, _value: impl Into<String>) -> Self {
        todo!()
    }
    /// any other by short name
    pub fn attribute(self, _name: &str, _value: impl Into<String>) -> Self {
        todo!()
    }
    /// done
    pub fn build(self) -> Result<DistinguishedName, Error> {
        todo!()
    }
}
