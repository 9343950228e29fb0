use std::net::IpAddr;
/// BasicConstraints (RFC 5280, section 4.2.1.9).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BasicConstraints {
    /// cA
    pub ca: bool,
    /// pathLenConstraint
    pub path_len: Option<u32>,
}
/// KeyUsage (RFC 5280, section 4.2.1.3): bit N of the ASN.1 is bit N here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyUsage(u16);
impl KeyUsage {
    /// keyCertSign
    pub fn key_cert_sign(self) -> bool {
        self.0 & (1 << 5) != 0
    }
    /// names, in bit order, as RFC 5280 spells them
    pub fn names(self) -> Vec<&'static str> {
        todo!()
    }
}
/// One purpose of the ExtendedKeyUsage (RFC 5280, section 4.2.1.12).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExtendedKeyUsage {
    /// id-kp-serverAuth
    ServerAuth,
    /// id-kp-clientAuth
    ClientAuth,
    /// any other, as a dotted OID
    Other(String),
}
/// A subject alternative name (RFC 5280, section 4.2.1.6).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SubjectAltName {
    /// dNSName
    Dns(String),
    /// iPAddress
    Ip(IpAddr),
    /// rfc822Name
    Email(String),
    /// uniformResourceIdentifier
    Uri(String),
    /// Any other form, by its context tag.
    Other(u8),
}
