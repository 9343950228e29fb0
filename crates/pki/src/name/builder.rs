use super::{DistinguishedName, attribute_type::AttributeType, encode};
use crate::Error;

/// Builds a [`DistinguishedName`] of single-valued RDNs, in the order of the calls.
///
/// ```
/// use pki::DistinguishedName;
///
/// let name = DistinguishedName::builder()
///     .common_name("demo-bot1")
///     .organization("Excelsior Bank")
///     .organizational_unit("Collaboration Services")
///     .locality("London")
///     .state_or_province("London")
///     .country("GB")
///     .build()?;
/// assert_eq!(
///     name,
///     "/CN=demo-bot1/O=Excelsior Bank/OU=Collaboration Services/L=London/ST=London/C=GB".parse()?
/// );
/// # Ok::<(), pki::Error>(())
/// ```
#[must_use]
#[derive(Debug, Clone, Default)]
pub struct DistinguishedNameBuilder {
    attributes: Vec<(String, String)>,
}

impl DistinguishedNameBuilder {
    /// CN, at most 64 characters: for a bot, the name of its service user.
    pub fn common_name(self, value: impl Into<String>) -> Self {
        self.attribute("CN", value)
    }

    /// O, at most 64 characters.
    pub fn organization(self, value: impl Into<String>) -> Self {
        self.attribute("O", value)
    }

    /// OU, at most 64 characters; call it again for a second one.
    pub fn organizational_unit(self, value: impl Into<String>) -> Self {
        self.attribute("OU", value)
    }

    /// L, at most 128 characters.
    pub fn locality(self, value: impl Into<String>) -> Self {
        self.attribute("L", value)
    }

    /// ST, at most 128 characters.
    pub fn state_or_province(self, value: impl Into<String>) -> Self {
        self.attribute("ST", value)
    }

    /// C, a two-letter ISO 3166 code.
    pub fn country(self, value: impl Into<String>) -> Self {
        self.attribute("C", value)
    }

    /// Any other attribute, by its short name (`DC`, `UID`, `emailAddress`), long name or object identifier.
    pub fn attribute(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.attributes.push((name.into(), value.into()));
        self
    }

    /// Checks and encodes.
    ///
    /// # Errors
    /// [`Error::UnknownAttribute`], [`Error::EmptyAttribute`], [`Error::AttributeTooLong`],
    /// [`Error::AttributeTooShort`], [`Error::AttributeCharacter`], [`Error::ControlCharacter`] and
    /// [`Error::InvalidCountry`].
    pub fn build(self) -> Result<DistinguishedName, Error> {
        let rdns = self
            .attributes
            .into_iter()
            .map(|(name, value)| {
                let attribute_type = AttributeType::by_openssl_name(&name)
                    .ok_or(Error::UnknownAttribute { name })?;
                Ok(vec![encode::typed_attribute(attribute_type, &value)?])
            })
            .collect::<Result<_, Error>>()?;
        DistinguishedName::from_der(&encode::name(rdns))
    }
}
