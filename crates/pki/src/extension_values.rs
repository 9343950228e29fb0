//! Values of a certificate's extensions that decide nothing here: taken apart when somebody asks.

use crate::{
    AccessDescription, Certificate, DistributionPoint, Error, GeneralName, PolicyConstraints,
    PolicyInformation, PolicyMapping,
    certificate_policy::skip_certs,
    der::{self, Reader},
};

/// Extensions that are read when they are asked for, since a malformed one doesn't make the certificate unreadable. Each is
/// empty, or `None`, when the certificate doesn't have it; what isn't in the form of RFC 5280 is an error.
impl Certificate {
    /// The value of the extension with this dotted object identifier, as it stands there: DER, as it should be.
    pub fn extension_value(&self, oid: &str) -> Option<&[u8]> {
        let mut present = self.present_extensions().iter();
        present
            .find(|extension| extension.oid == oid)
            .map(|extension| extension.value.as_slice())
    }

    /// Other names of its issuer (RFC 5280, section 4.2.1.7).
    ///
    /// # Errors
    /// [`Error::Malformed`] and [`Error::TrailingData`].
    pub fn issuer_alt_names(&self) -> Result<Vec<GeneralName>, Error> {
        self.all_of("2.5.29.18", GeneralName::read_all)
    }

    /// Where CRLs about it are (RFC 5280, section 4.2.1.13).
    ///
    /// # Errors
    /// [`Error::Malformed`] and [`Error::TrailingData`].
    pub fn crl_distribution_points(&self) -> Result<Vec<DistributionPoint>, Error> {
        self.all_of("2.5.29.31", DistributionPoint::read_all)
    }

    /// Where delta CRLs about it are (RFC 5280, section 4.2.1.15).
    ///
    /// # Errors
    /// [`Error::Malformed`] and [`Error::TrailingData`].
    pub fn freshest_crl(&self) -> Result<Vec<DistributionPoint>, Error> {
        self.all_of("2.5.29.46", DistributionPoint::read_all)
    }

    /// Where its issuer's certificate and OCSP responders are (RFC 5280, section 4.2.2.1).
    ///
    /// # Errors
    /// [`Error::Malformed`] and [`Error::TrailingData`].
    pub fn authority_information_access(&self) -> Result<Vec<AccessDescription>, Error> {
        self.all_of("1.3.6.1.5.5.7.1.1", AccessDescription::read_all)
    }

    /// Where something about the subject is (RFC 5280, section 4.2.2.2).
    ///
    /// # Errors
    /// [`Error::Malformed`] and [`Error::TrailingData`].
    pub fn subject_information_access(&self) -> Result<Vec<AccessDescription>, Error> {
        self.all_of("1.3.6.1.5.5.7.1.11", AccessDescription::read_all)
    }

    /// The policies that it was issued under (RFC 5280, section 4.2.1.4). A qualifier that isn't well-formed is an
    /// [`Other`](crate::PolicyQualifier::Other).
    ///
    /// # Errors
    /// [`Error::Malformed`] and [`Error::TrailingData`].
    pub fn certificate_policies(&self) -> Result<Vec<PolicyInformation>, Error> {
        self.all_of("2.5.29.32", PolicyInformation::read_all)
    }

    /// Which policies of the issuer count as which of the subject (RFC 5280, section 4.2.1.5).
    ///
    /// # Errors
    /// [`Error::Malformed`] and [`Error::TrailingData`].
    pub fn policy_mappings(&self) -> Result<Vec<PolicyMapping>, Error> {
        self.all_of("2.5.29.33", PolicyMapping::read_all)
    }

    /// What a path below it must say about policies (RFC 5280, section 4.2.1.11).
    ///
    /// # Errors
    /// [`Error::Malformed`] and [`Error::TrailingData`].
    pub fn policy_constraints(&self) -> Result<Option<PolicyConstraints>, Error> {
        let value = self.extension_value("2.5.29.36");
        value.map(PolicyConstraints::read).transpose()
    }

    /// After how many further certificates anyPolicy counts no longer (RFC 5280, section 4.2.1.14).
    ///
    /// # Errors
    /// [`Error::Malformed`] and [`Error::TrailingData`].
    pub fn inhibit_any_policy(&self) -> Result<Option<u32>, Error> {
        let value = self.extension_value("2.5.29.54");
        value
            .map(|value| skip_certs(value, "inhibitAnyPolicy"))
            .transpose()
    }

    /// The TLS extensions that a server with it must answer with (RFC 7633, section 4): 5 is status_request, which is known as
    /// "must staple".
    ///
    /// # Errors
    /// [`Error::Malformed`] and [`Error::TrailingData`].
    pub fn tls_features(&self) -> Result<Vec<u16>, Error> {
        const WHAT: &str = "TLS features";
        self.all_of("1.3.6.1.5.5.7.1.24", |value| {
            let mut numbers = Reader::enter(value, der::SEQUENCE, WHAT)?;
            let mut features = Vec::new();
            while !numbers.is_empty() {
                let number = u16::try_from(numbers.uint()?)
                    .map_err(|_| der::malformed(WHAT, "a TLS extension has 16 bits"))?;
                features.push(number);
            }
            Ok(features)
        })
    }

    fn all_of<T>(
        &self,
        oid: &str,
        read: impl FnOnce(&[u8]) -> Result<Vec<T>, Error>,
    ) -> Result<Vec<T>, Error> {
        self.extension_value(oid)
            .map_or_else(|| Ok(Vec::new()), read)
    }
}
