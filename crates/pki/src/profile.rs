use crate::{Digest, SerialNumber, SubjectAltName};
use std::time::SystemTime;
/// From when until when, both inclusive (RFC 5280, section 4.1.2.5), to the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    /// notBefore
    pub not_before: SystemTime,
    /// notAfter
    pub not_after: SystemTime,
}
/// What an authority grants.
#[derive(Debug, Clone)]
pub struct Profile {
    _todo: (),
}
impl Profile {
    /// A root authority
    pub fn root() -> Self {
        todo!()
    }
    /// An intermediate authority: a "signing certificate"
    pub fn intermediate() -> Self {
        todo!()
    }
    /// clientAuth
    pub fn client() -> Self {
        todo!()
    }
    /// serverAuth, copies SANs
    pub fn server() -> Self {
        todo!()
    }
    /// clientAuth and serverAuth, copies SANs
    pub fn peer() -> Self {
        todo!()
    }
    /// days from now
    pub fn valid_for_days(self, _days: u32) -> Self {
        todo!()
    }
    /// exact validity
    pub fn validity(self, _validity: Validity) -> Self {
        todo!()
    }
    /// explicit serial
    pub fn serial(self, _serial: SerialNumber) -> Self {
        todo!()
    }
    /// digest
    pub fn digest(self, _digest: Digest) -> Self {
        todo!()
    }
    /// path length
    pub fn path_len(self, _path_len: u32) -> Self {
        todo!()
    }
    /// these names, instead of the request's
    pub fn subject_alt_names(self, _names: impl IntoIterator<Item = SubjectAltName>) -> Self {
        todo!()
    }
    /// whether the request's SANs are granted
    pub fn copy_subject_alt_names(self, _copy: bool) -> Self {
        todo!()
    }
    /// unused
    pub fn now() -> SystemTime {
        todo!()
    }
}
