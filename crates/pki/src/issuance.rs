//! One certificate that a CA is asked for, and what a profile grants of it.

use std::{collections::HashSet, time::SystemTime};

use crate::{
    Certificate, DistinguishedName, Error, Extension, KeyAlgorithm, PreparedCertificate, Profile,
    PublicKey, SerialNumber, SubjectAltName, Ungranted, Validity, VerifiedRequest, Version, der,
    extension::Present,
    profile::{AUTHORITY_KEY_IDENTIFIER, KEY_USAGE, SUBJECT_ALT_NAME, SUBJECT_KEY_IDENTIFIER},
    tbs, time,
};

/// One certificate that a CA is asked for: for whom, and what belongs to this one alone, such as its serial number.
///
/// ```
/// use pki::{CertificateAuthority, Issuance, KeyKind, PrivateKey, Profile};
///
/// # let key = PrivateKey::generate(KeyKind::EcP256)?;
/// # let ca = CertificateAuthority::create_root("/CN=Demo CA".parse()?, key, &Profile::root())?;
/// # let public_key = PrivateKey::generate(KeyKind::EcP256)?.public_key().clone();
/// let issuance = Issuance::for_key(&public_key, "/CN=demo-bot1".parse()?).serial_number(4096.try_into()?);
/// let prepared = ca.prepare(&issuance, &Profile::client())?;
/// let certificate = prepared.sign(ca.private_key())?;
/// assert_eq!(certificate.serial_number().to_string(), "0x1000");
/// # Ok::<(), pki::Error>(())
/// ```
#[must_use]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issuance {
    key: PublicKey,
    subject: DistinguishedName,
    /// The identifier of the key where others know it already.
    key_identifier: Option<Vec<u8>>,
    asked: Asked,
    own_subject: Option<DistinguishedName>,
    own_alt_names: Option<Vec<SubjectAltName>>,
    serial: Option<SerialNumber>,
    now: Option<SystemTime>,
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Asked {
    /// Whoever made a request.
    Requester {
        alt_names: Vec<SubjectAltName>,
        extensions: Vec<Present>,
        /// What else is in the request, by object identifiers.
        attributes: Vec<String>,
    },
    /// The caller.
    Caller,
    /// A certificate that is to go on.
    Renewal {
        certificate: Box<Certificate>,
        has_new_key: bool,
    },
}

impl Issuance {
    /// A certificate for the subject and the key of a request.
    pub fn for_request(request: &VerifiedRequest<'_>) -> Self {
        let request = request.request();
        let asked = Asked::Requester {
            alt_names: request.subject_alt_names().to_vec(),
            extensions: request.present_extensions().to_vec(),
            attributes: request.other_attributes().map(str::to_owned).collect(),
        };
        Self::new(request.public_key(), request.subject().clone(), asked)
    }

    /// A certificate for this key and subject, without a request. That the subject has the private key is for the caller to
    /// know: a certificate for somebody else's key lets its subject pass off as its own what the key signed.
    pub fn for_key(key: &PublicKey, subject: DistinguishedName) -> Self {
        Self::new(key, subject, Asked::Caller)
    }

    /// A cross-certificate (RFC 5280, section 3.2): for the name and the key of another CA, from its certificate. What was signed
    /// by that CA has a path to this one then; for that, it keeps its key identifier.
    ///
    /// # Errors
    /// [`Error::NotAnAuthority`] when the certificate is no CA's, and [`Error::UnsupportedKey`].
    pub fn cross_certificate(authority: &Certificate) -> Result<Self, Error> {
        authority.check_authority()?;
        let key_identifier = authority.subject_key_identifier().map(<[u8]>::to_vec);
        Ok(Self {
            key_identifier,
            ..Self::for_key(&authority.public_key()?, authority.subject().clone())
        })
    }

    /// A certificate to follow this one: with its subject, its key, its alternative names and all its other extensions, as they
    /// are, but for key identifiers and signed certificate timestamps (RFC 6962), which are about the old one; with another serial
    /// number, and as long a validity from now on, unless the profile has one. What the profile would not grant to a new one, or would
    /// give to it beside, [`PreparedCertificate::ungranted`] says. Names that are not well-formed, and what looks like extensions in
    /// a certificate of version 1 or 2, are not signed again: whoever prepares it gets an error.
    ///
    /// # Errors
    /// [`Error::UnsupportedKey`].
    pub fn renewal(certificate: &Certificate) -> Result<Self, Error> {
        let asked = Asked::Renewal {
            certificate: Box::new(certificate.clone()),
            has_new_key: false,
        };
        let key_identifier = certificate.subject_key_identifier().map(<[u8]>::to_vec);
        Ok(Self {
            key_identifier,
            ..Self::new(
                &certificate.public_key()?,
                certificate.subject().clone(),
                asked,
            )
        })
    }

    /// Likewise, with another key: that of a request, for example, which proves that the subject has it.
    pub fn renewal_with_key(certificate: &Certificate, key: &PublicKey) -> Self {
        let asked = Asked::Renewal {
            certificate: Box::new(certificate.clone()),
            has_new_key: true,
        };
        Self::new(key, certificate.subject().clone(), asked)
    }

    fn new(key: &PublicKey, subject: DistinguishedName, asked: Asked) -> Self {
        Self {
            key: key.clone(),
            subject,
            key_identifier: None,
            asked,
            own_subject: None,
            own_alt_names: None,
            serial: None,
            now: None,
        }
    }

    /// Another subject than that which was asked for, and than that of the profile. Attributes that the profile requires or
    /// doesn't allow remain so.
    pub fn subject(mut self, subject: DistinguishedName) -> Self {
        self.own_subject = Some(subject);
        self
    }

    /// Other subject alternative names than those that were asked for, and than those of the profile. Patterns of the profile
    /// remain.
    pub fn subject_alt_names(mut self, names: impl IntoIterator<Item = SubjectAltName>) -> Self {
        self.own_alt_names = Some(names.into_iter().collect());
        self
    }

    /// The serial number. Otherwise it is a random one. No two certificates of one CA may have the same (RFC 5280, section
    /// 4.1.2.2), and nothing here keeps a record of those that were given out.
    pub fn serial_number(mut self, serial: SerialNumber) -> Self {
        self.serial = Some(serial);
        self
    }

    /// The serial number, where none was given.
    pub(crate) fn or_serial_number(self, serial: impl FnOnce() -> SerialNumber) -> Self {
        let serial = self.serial.unwrap_or_else(serial);
        Self {
            serial: Some(serial),
            ..self
        }
    }

    /// The time of the issuance, which the validity counts from. Otherwise it is now.
    pub fn at(mut self, now: SystemTime) -> Self {
        self.now = Some(now);
        self
    }

    /// A certificate that its own key signs, whether it is a CA's or not: for a test, or for a peer that is trusted by the
    /// certificate itself.
    ///
    /// ```
    /// use pki::{Issuance, KeyKind, PrivateKey, Profile, SubjectAltName};
    ///
    /// let key = PrivateKey::generate(KeyKind::EcP256)?;
    /// let issuance = Issuance::for_key(key.public_key(), "/CN=localhost".parse()?)
    ///     .subject_alt_names([SubjectAltName::dns("localhost")?]);
    /// let certificate = issuance.prepare_self_signed(&Profile::server())?.sign(&key)?;
    /// certificate.verify_issued_by(&certificate)?;
    /// # Ok::<(), pki::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`Issuer::prepare`](crate::Issuer::prepare) about what was asked for; a certificate to be renewed must have signed
    /// itself.
    pub fn prepare_self_signed(&self, profile: &Profile) -> Result<PreparedCertificate, Error> {
        if let Some(renewed) = self.renewed() {
            renewed.verify_issued_by(renewed)?;
        }
        let granted = self.granted_by(profile)?;
        // RFC 5280, section 4.1.2.4
        if granted.subject.is_empty() {
            return Err(Error::NameMissing {
                reason: "whoever signs a certificate has a subject",
            });
        }
        granted.prepare(&Signing {
            name: &granted.subject,
            key: &self.key,
            key_identifier: &granted.key_identifier,
            validity: None,
        })
    }

    /// When it takes place.
    pub(crate) fn now(&self) -> SystemTime {
        self.now.unwrap_or_else(SystemTime::now)
    }

    /// The certificate that is to go on, if one is.
    pub(crate) fn renewed(&self) -> Option<&Certificate> {
        match &self.asked {
            Asked::Renewal { certificate, .. } => Some(certificate),
            Asked::Requester { .. } | Asked::Caller => None,
        }
    }

    /// What the profile grants of it.
    pub(crate) fn granted_by<'a>(&'a self, profile: &'a Profile) -> Result<Granted<'a>, Error> {
        profile.check()?;
        let key_identifier = match &self.key_identifier {
            Some(known) => known.clone(),
            None => self.key.key_identifier().to_vec(),
        };
        let mut granted = Granted {
            issuance: self,
            profile,
            subject: self.subject.clone(),
            key_identifier,
            extensions: Vec::new(),
            ungranted: Vec::new(),
            replaced: None,
        };
        match &self.asked {
            Asked::Requester {
                alt_names,
                extensions,
                attributes,
            } => {
                granted.requested(alt_names, extensions)?;
                granted.leave_out_attributes(attributes);
            }
            Asked::Caller => granted.requested(&[], &[])?,
            Asked::Renewal {
                certificate,
                has_new_key,
            } => granted.renewed(certificate, *has_new_key)?,
        }
        Ok(granted)
    }
}

/// What goes into a certificate.
pub(crate) struct Granted<'a> {
    issuance: &'a Issuance,
    profile: &'a Profile,
    pub(crate) subject: DistinguishedName,
    key_identifier: Vec<u8>,
    extensions: Vec<tbs::Encoded>,
    ungranted: Vec<Ungranted>,
    /// The validity of the certificate that this one follows.
    replaced: Option<Validity>,
}

/// Who signs.
pub(crate) struct Signing<'a> {
    pub(crate) name: &'a DistinguishedName,
    pub(crate) key: &'a PublicKey,
    pub(crate) key_identifier: &'a [u8],
    /// When it may sign; one that signs itself says so by itself.
    pub(crate) validity: Option<Validity>,
}

impl Granted<'_> {
    /// Grants a request, or the caller's wishes.
    fn requested(
        &mut self,
        requested_names: &[SubjectAltName],
        requested_extensions: &[Present],
    ) -> Result<(), Error> {
        let (issuance, profile) = (self.issuance, self.profile);
        let key = issuance.key.algorithm();
        profile.check_key(key)?;

        let own_subject = issuance.own_subject.as_ref().or(profile.own_subject());
        if let Some(own) = own_subject
            && *own != self.subject
        {
            self.ungranted
                .push(Ungranted::Subject(self.subject.clone()));
            self.subject = own.clone();
        }
        profile.check_subject(&self.subject)?;

        let own_names = issuance
            .own_alt_names
            .as_deref()
            .or(profile.own_alt_names());
        let names = distinct(own_names.unwrap_or(requested_names));
        let names = names.as_slice();
        if own_names.is_none() {
            names.iter().try_for_each(check_form)?;
        }
        profile.check_alt_names(&self.subject, names)?;
        if let Some(own) = own_names {
            self.leave_out(requested_names, own);
        }
        if !names.is_empty() {
            self.extensions.push(tbs::Encoded {
                oid: SUBJECT_ALT_NAME.to_owned(),
                critical: profile.has_critical_alt_names(&self.subject),
                value: SubjectAltName::encode_all(names)?,
            });
        }

        let of_profile = encoded(profile.extensions(), key)?;
        let key_identifier = self.encoded_key_identifier();
        for requested in requested_extensions {
            let is_granted = requested.oid == SUBJECT_ALT_NAME
                || key_identifier.says(requested)
                || of_profile.iter().any(|it| it.says(requested));
            if !is_granted {
                let oid = requested.oid.clone();
                self.ungranted.push(Ungranted::Extension(oid));
            }
        }
        self.extensions.extend(of_profile);
        Ok(())
    }

    /// Says which of these names are not among those that are granted.
    fn leave_out(&mut self, names: &[SubjectAltName], granted: &[SubjectAltName]) {
        let granted: HashSet<_> = granted.iter().collect();
        let left_out = names.iter().filter(|name| !granted.contains(name));
        self.ungranted
            .extend(left_out.cloned().map(Ungranted::SubjectAltName));
    }

    /// Says which attributes were not read. A challenge password is for the revocation, and asks for nothing in a certificate.
    fn leave_out_attributes(&mut self, attributes: &[String]) {
        let unread = attributes.iter().filter(|oid| *oid != CHALLENGE_PASSWORD);
        self.ungranted
            .extend(unread.cloned().map(Ungranted::Attribute));
    }

    /// Grants that a certificate goes on as it is, and says what the profile would not.
    fn renewed(&mut self, old: &Certificate, has_new_key: bool) -> Result<(), Error> {
        let (issuance, profile) = (self.issuance, self.profile);
        if issuance.own_subject.is_some() || issuance.own_alt_names.is_some() {
            return Err(Error::InvalidProfile {
                reason: "a certificate is renewed with the names that it has",
            });
        }
        if old.version() != Version::V3 && !old.present_extensions().is_empty() {
            return Err(Error::malformed(
                "certificate",
                format!("it has extensions, and is X.509 {}", old.version()),
            ));
        }
        if issuance.serial.as_ref() == Some(old.serial_number()) {
            return Err(Error::InvalidSerialNumber {
                reason: "it is that of the old certificate",
            });
        }
        old.subject_alt_names().iter().try_for_each(check_kept)?;
        self.replaced = Some(old.validity());
        let key = issuance.key.algorithm();
        let mut refusals = vec![
            profile.check_subject(&self.subject),
            profile.check_alt_names(&self.subject, old.subject_alt_names()),
        ];
        match profile.check_key(key) {
            Err(error) if has_new_key => return Err(error),
            checked => refusals.push(checked),
        }
        let refused = refusals.into_iter().filter_map(Result::err);
        self.ungranted.extend(refused.map(Ungranted::Refused));

        if profile
            .own_subject()
            .is_some_and(|own| *own != self.subject)
        {
            self.ungranted
                .push(Ungranted::Subject(self.subject.clone()));
        }
        let names = old.subject_alt_names();
        match profile.own_alt_names() {
            Some(own) => self.leave_out(names, own),
            None => {
                let others = names.iter().filter(|name| check_form(name).is_err());
                self.ungranted
                    .extend(others.cloned().map(Ungranted::SubjectAltName));
            }
        }

        let of_profile = encoded(profile.extensions(), key)?;
        for present in old.present_extensions() {
            let oid = present.oid.as_str();
            if ABOUT_ONE_CERTIFICATE.contains(&oid) {
                continue;
            }
            // As it will be: another kind of key has a use for other bits.
            let value = match old.key_usage().filter(|_| oid == KEY_USAGE && has_new_key) {
                Some(usage) => Extension::key_usage(usage).value_for(key)?,
                None => present.value.clone(),
            };
            let written = tbs::Encoded {
                oid: oid.to_owned(),
                critical: present.critical,
                value,
            };
            let is_granted = match oid {
                // What is in it was looked at above.
                SUBJECT_ALT_NAME => {
                    present.critical == profile.has_critical_alt_names(&self.subject)
                }
                _ => of_profile.contains(&written),
            };
            if !is_granted {
                self.ungranted
                    .push(Ungranted::Extension(written.oid.clone()));
            }
            self.extensions.push(written);
        }
        let has = |it: &tbs::Encoded| self.extensions.iter().any(|old| old.oid == it.oid);
        let missing = of_profile.iter().filter(|it| !has(it));
        let missing = missing.map(|it| Ungranted::MissingExtension(it.oid.clone()));
        self.ungranted.extend(missing.collect::<Vec<_>>());
        Ok(())
    }

    fn encoded_key_identifier(&self) -> tbs::Encoded {
        tbs::Encoded {
            oid: SUBJECT_KEY_IDENTIFIER.to_owned(),
            critical: false,
            value: der::tlv(der::OCTET_STRING, &[&self.key_identifier]),
        }
    }

    /// Lays the certificate out.
    pub(crate) fn prepare(&self, signing: &Signing<'_>) -> Result<PreparedCertificate, Error> {
        let issuance = self.issuance;
        let validity = self
            .profile
            .validity_at(issuance.now(), signing.validity, self.replaced)?;
        let calendar = |time| {
            time::to_calendar(time).ok_or(Error::InvalidValidity {
                reason: "a time lies outside the calendar",
            })
        };
        let serial = match &issuance.serial {
            // One that stands in a certificate may be what no new one may have.
            Some(serial) => SerialNumber::from_be_bytes(serial.as_bytes())?,
            None => SerialNumber::random()?,
        };
        let mut extensions = vec![self.encoded_key_identifier()];
        extensions.extend(self.extensions.iter().cloned());
        let algorithm = tbs::algorithm(signing.key.algorithm(), self.profile.signature_algorithm)?;
        let tbs = tbs::certificate(tbs::Fields {
            serial: &serial,
            algorithm,
            issuer: signing.name,
            not_before: calendar(validity.not_before)?,
            not_after: calendar(validity.not_after)?,
            subject: &self.subject,
            key: &issuance.key,
            authority_key_identifier: signing.key_identifier,
            extensions,
        })?;
        PreparedCertificate::new(tbs, algorithm, signing.key, self.ungranted.clone())
    }
}

impl tbs::Encoded {
    /// Whether it says the same as this one, critical or not.
    fn says(&self, other: &Present) -> bool {
        self.oid == other.oid && self.value == other.value
    }
}

fn encoded(extensions: &[Extension], key: KeyAlgorithm) -> Result<Vec<tbs::Encoded>, Error> {
    extensions
        .iter()
        .map(|extension| {
            Ok(tbs::Encoded {
                oid: extension.oid(),
                critical: extension.is_critical(),
                value: extension.value_for(key)?,
            })
        })
        .collect()
}

/// RFC 2985, section 5.4.1
const CHALLENGE_PASSWORD: &str = "1.2.840.113549.1.9.7";

/// Each name once, in this order.
fn distinct(names: &[SubjectAltName]) -> Vec<SubjectAltName> {
    let mut seen = HashSet::new();
    let distinct = names.iter().filter(|name| seen.insert(*name));
    distinct.cloned().collect()
}

/// Which forms of names are granted because a request asks for them. The others say more than where something is: a user
/// principal name, for one, is whom Active Directory takes its owner for.
fn check_form(name: &SubjectAltName) -> Result<(), Error> {
    match name {
        SubjectAltName::Dns(_)
        | SubjectAltName::Ip(_)
        | SubjectAltName::Email(_)
        | SubjectAltName::Uri(_) => Ok(()),
        _ => Err(Error::InvalidSubjectAltName {
            name: name.to_string(),
            reason: "a name of this form, or that is not well-formed, is not granted to a request",
        }),
    }
}

/// Of an old certificate, what isn't well-formed is not signed again: nobody knows what others take it for. Two forms are never taken
/// apart (x400Address, ediPartyName), and go on as they are.
fn check_kept(name: &SubjectAltName) -> Result<(), Error> {
    match name {
        SubjectAltName::Other { tag, .. } if ![3, 5].contains(tag) => {
            Err(Error::InvalidSubjectAltName {
                name: name.to_string(),
                reason: "a name that is not well-formed is not signed again",
            })
        }
        _ => Ok(()),
    }
}

/// The extensions that a renewed certificate doesn't take over. The last has signatures over the old one (RFC 6962, section 3.3).
const ABOUT_ONE_CERTIFICATE: [&str; 3] = [
    SUBJECT_KEY_IDENTIFIER,
    AUTHORITY_KEY_IDENTIFIER,
    "1.3.6.1.4.1.11129.2.4.2",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CertificateRequest, KeyKind, PrivateKey, Signer, der::Reader};

    /// What a profile doesn't grant of a request with these attributes.
    fn ungranted(key: &PrivateKey, attributes: &[u8]) -> Result<Vec<Ungranted>, Error> {
        let algorithm = tbs::algorithm(key.public_key().algorithm(), None).unwrap();
        let subject: DistinguishedName = "/CN=a".parse().unwrap();
        let info = der::sequence(&[
            &der::uint(0),
            subject.as_der(),
            key.public_key().spki_der(),
            &der::tlv(der::EXPLICIT_0, &[attributes]),
        ]);
        let signature = Signer::sign(key, algorithm, &info).unwrap();
        let request = tbs::assemble(&info, algorithm, &signature, key.public_key()).unwrap();
        let request = CertificateRequest::from_der(&request)?;
        let issuance = Issuance::for_request(&request.verify().unwrap());
        let prepared = issuance.prepare_self_signed(&Profile::client()).unwrap();
        Ok(prepared.ungranted().to_vec())
    }

    fn attribute(oid: &str, value: &[u8]) -> Vec<u8> {
        let oid = der::dotted_oid(oid).unwrap();
        der::sequence(&[&oid, &der::tlv(der::SET, &[value])])
    }

    fn extension(oid: &str, value: &[u8]) -> Vec<u8> {
        let extension = der::sequence(&[
            &der::dotted_oid(oid).unwrap(),
            &der::tlv(der::OCTET_STRING, &[value]),
        ]);
        der::sequence(&[&extension])
    }

    const OF_PKCS_9: &str = "1.2.840.113549.1.9.14";
    const OF_MICROSOFT: &str = "1.3.6.1.4.1.311.2.1.14";

    /// OpenSSL's `req` asks for it with `subjectKeyIdentifier = hash`.
    #[test]
    fn a_requested_key_identifier_is_granted_where_it_is_that_of_the_key() {
        let key = PrivateKey::generate(KeyKind::EcP256).unwrap();
        let ungranted = |identifier: &[u8]| {
            let identifier = der::tlv(der::OCTET_STRING, &[identifier]);
            let extension = extension(SUBJECT_KEY_IDENTIFIER, &identifier);
            ungranted(&key, &attribute(OF_PKCS_9, &extension)).unwrap()
        };
        assert_eq!(ungranted(&key.public_key().key_identifier()), []);
        assert_eq!(
            ungranted(&[1; 20]),
            [Ungranted::Extension(SUBJECT_KEY_IDENTIFIER.to_string())]
        );
    }

    #[test]
    fn extensions_are_asked_for_in_the_attribute_of_pkcs_9_or_in_that_of_microsoft() {
        let key = PrivateKey::generate(KeyKind::EcP256).unwrap();
        let extension = extension(KEY_USAGE, b"\x03\x02\x02\x04");
        let [standard, microsoft] = [OF_PKCS_9, OF_MICROSOFT].map(|it| attribute(it, &extension));
        for one in [&standard, &microsoft] {
            let expected = [Ungranted::Extension(KEY_USAGE.to_string())];
            assert_eq!(ungranted(&key, one).unwrap(), expected);
        }
        for two in [[&standard, &microsoft], [&microsoft, &microsoft]] {
            assert!(matches!(
                ungranted(&key, &[&two[0][..], two[1]].concat()),
                Err(Error::Malformed { reason, .. })
                    if reason == "it has two extension request attributes"
            ));
        }
    }

    #[test]
    fn an_attribute_that_is_not_read_is_told() {
        let key = PrivateKey::generate(KeyKind::EcP256).unwrap();
        let text = der::tlv(der::UTF8_STRING, &[b"a"]);
        let attributes = ["1.2.3.4", CHALLENGE_PASSWORD, "1.3.6.1.4.1.311.13.2.3"];
        let attributes: Vec<_> = attributes.iter().map(|it| attribute(it, &text)).collect();
        let expected =
            ["1.2.3.4", "1.3.6.1.4.1.311.13.2.3"].map(|it| Ungranted::Attribute(it.to_owned()));
        assert_eq!(ungranted(&key, &attributes.concat()).unwrap(), expected);
        assert_eq!(expected[0].to_string(), "the attribute 1.2.3.4");
    }

    /// A certificate with these extensions, that its own key signed.
    fn self_signed(key: &PrivateKey, version: Version, extensions: &[tbs::Encoded]) -> Certificate {
        let algorithm = tbs::algorithm(key.public_key().algorithm(), None).unwrap();
        let name = "/CN=a".parse().unwrap();
        let tbs = tbs::certificate(tbs::Fields {
            serial: &SerialNumber::try_from(7).unwrap(),
            algorithm,
            issuer: &name,
            not_before: time::to_calendar(SystemTime::now()).unwrap(),
            not_after: time::to_calendar(SystemTime::now()).unwrap(),
            subject: &name,
            key: key.public_key(),
            authority_key_identifier: &[1],
            extensions: extensions.to_vec(),
        })
        .unwrap();
        let mut fields = Reader::enter(&tbs, der::SEQUENCE, "test").unwrap();
        let tbs = match version {
            Version::V3 => tbs.clone(),
            _ => {
                fields.value(der::EXPLICIT_0).unwrap();
                let mut rest = Vec::new();
                while !fields.is_empty() {
                    rest.extend(fields.read().unwrap().raw);
                }
                der::sequence(&[&rest])
            }
        };
        let signature = Signer::sign(key, algorithm, &tbs).unwrap();
        let der = tbs::assemble(&tbs, algorithm, &signature, key.public_key()).unwrap();
        Certificate::from_der(&der).unwrap()
    }

    fn renewed(old: &Certificate, profile: &Profile) -> Result<Certificate, Error> {
        let prepared = Issuance::renewal(old)
            .unwrap()
            .prepare_self_signed(profile)?;
        Ok(prepared.unsigned().clone())
    }

    #[test]
    fn a_name_that_is_not_well_formed_is_not_signed_again() {
        let key = PrivateKey::generate(KeyKind::EcP256).unwrap();
        for (tag, value, is_kept) in [
            (0x82, &b"good.example\0.evil.example"[..], false),
            (0x82, b"good.example", true),
            (0x81, b"a", false),
            (0x86, b":", false),
            (0x87, &[1, 2, 3], false),
            (0xa4, b"a", false),
            (0x88, b"", false),
            (0xa0, b"", false),
            // Never taken apart.
            (0xa3, b"\x05\x00", true),
            (0xa5, b"\x05\x00", true),
        ] {
            let names = tbs::Encoded {
                oid: SUBJECT_ALT_NAME.to_owned(),
                critical: false,
                value: der::sequence(&[&der::tlv(tag, &[value])]),
            };
            let old = self_signed(&key, Version::V3, std::slice::from_ref(&names));
            for profile in [Profile::server(), Profile::client()] {
                match renewed(&old, &profile) {
                    Ok(new) => assert_eq!(new.subject_alt_names(), old.subject_alt_names()),
                    Err(Error::InvalidSubjectAltName { .. }) => assert!(!is_kept, "{tag}"),
                    Err(error) => panic!("{error}"),
                }
            }
            assert_eq!(renewed(&old, &Profile::client()).is_ok(), is_kept, "{tag}");
        }
    }

    #[test]
    fn what_looks_like_extensions_in_version_1_does_not_become_some() {
        let key = PrivateKey::generate(KeyKind::EcP256).unwrap();
        let is_ca = encoded(Profile::root().extensions(), key.public_key().algorithm()).unwrap();
        let of_version = |version| self_signed(&key, version, &is_ca);
        assert!(of_version(Version::V3).is_authority());
        assert!(renewed(&of_version(Version::V3), &Profile::root()).is_ok());
        assert!(!of_version(Version::V1).is_authority());
        assert!(matches!(
            renewed(&of_version(Version::V1), &Profile::root()),
            Err(Error::Malformed { reason, .. }) if reason == "it has extensions, and is X.509 v1"
        ));
    }

    #[test]
    fn timestamps_of_the_old_certificate_are_not_in_the_new_one() {
        let key = PrivateKey::generate(KeyKind::EcP256).unwrap();
        let timestamps = tbs::Encoded {
            oid: "1.3.6.1.4.1.11129.2.4.2".to_owned(),
            critical: false,
            value: der::tlv(der::OCTET_STRING, &[&[0, 0]]),
        };
        let old = self_signed(&key, Version::V3, std::slice::from_ref(&timestamps));
        assert!(old.extension_value(&timestamps.oid).is_some());
        let new = renewed(&old, &Profile::client()).unwrap();
        assert_eq!(new.extension_value(&timestamps.oid), None);
    }
}
