use crate::{
    Error, GeneralName, Uri,
    der::{self, Reader},
};

/// Where something about a CA is: an entry of the authority information access (RFC 5280, section 4.2.2.1) or of the subject
/// information access (section 4.2.2.2).
///
/// ```
/// use pki::{AccessDescription, Uri};
///
/// let access = AccessDescription::ca_issuers(Uri::new("http://ca.example.com/ca.cer")?);
/// assert_eq!(access.method, "1.3.6.1.5.5.7.48.2");
/// # Ok::<(), pki::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AccessDescription {
    /// What is there, or how to ask for it, as a dotted object identifier.
    pub method: String,
    /// Where it is.
    pub location: GeneralName,
}

impl AccessDescription {
    const OCSP: &str = "1.3.6.1.5.5.7.48.1";
    const CA_ISSUERS: &str = "1.3.6.1.5.5.7.48.2";
    pub(crate) const TIME_STAMPING: &str = "1.3.6.1.5.5.7.48.3";
    pub(crate) const CA_REPOSITORY: &str = "1.3.6.1.5.5.7.48.5";

    /// An OCSP responder (id-ad-ocsp).
    pub fn ocsp(uri: Uri) -> Self {
        Self::at(Self::OCSP, uri)
    }

    /// The certificate of the issuer, in DER (id-ad-caIssuers).
    pub fn ca_issuers(uri: Uri) -> Self {
        Self::at(Self::CA_ISSUERS, uri)
    }

    /// Where a CA publishes the certificates and CRLs that it issues (id-ad-caRepository), for the subject information access.
    pub fn ca_repository(uri: Uri) -> Self {
        Self::at(Self::CA_REPOSITORY, uri)
    }

    /// A timestamping service (id-ad-timeStamping), for the subject information access.
    pub fn time_stamping(uri: Uri) -> Self {
        Self::at(Self::TIME_STAMPING, uri)
    }

    fn at(method: &str, uri: Uri) -> Self {
        Self {
            method: method.to_owned(),
            location: GeneralName::Uri(uri),
        }
    }

    /// Reads AuthorityInfoAccessSyntax, or SubjectInfoAccessSyntax.
    pub(crate) fn read_all(der: &[u8]) -> Result<Vec<Self>, Error> {
        let mut descriptions = Reader::enter(der, der::SEQUENCE, "information access")?;
        let mut read = Vec::new();
        while !descriptions.is_empty() {
            let mut fields = descriptions.nested(der::SEQUENCE)?;
            read.push(Self {
                method: fields.dotted_oid()?,
                location: GeneralName::read(fields.read()?),
            });
            fields.finish()?;
        }
        Ok(read)
    }

    /// The SEQUENCE.
    pub(crate) fn encode(&self) -> Result<Vec<u8>, Error> {
        let method = der::dotted_oid(&self.method).ok_or(Error::InvalidExtension {
            extension: "information access",
            reason: "an access method is not a dotted object identifier",
        })?;
        Ok(der::sequence(&[&method, &self.location.encode()?]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_access_description_is_written_in_the_octets_of_rfc_5280() {
        let uri = || Uri::new("a:b").unwrap();
        assert_eq!(
            AccessDescription::ocsp(uri()).encode().unwrap(),
            b"\x30\x0f\x06\x08\x2b\x06\x01\x05\x05\x07\x30\x01\x86\x03a:b"
        );
        assert_eq!(
            AccessDescription::ca_issuers(uri()).encode().unwrap(),
            b"\x30\x0f\x06\x08\x2b\x06\x01\x05\x05\x07\x30\x02\x86\x03a:b"
        );
        for (access, last) in [
            (AccessDescription::ca_repository(uri()), 5),
            (AccessDescription::time_stamping(uri()), 3),
        ] {
            assert_eq!(access.encode().unwrap()[11], last);
        }
        let nameless = AccessDescription {
            method: "ocsp".to_owned(),
            ..AccessDescription::ocsp(uri())
        };
        assert!(matches!(
            nameless.encode(),
            Err(Error::InvalidExtension { .. })
        ));
    }
}
