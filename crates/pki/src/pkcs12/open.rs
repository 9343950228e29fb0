//! Opening a bundle: form, budget, integrity and encryption.
//!
//! First the whole file is taken apart as far as it is in the clear, and everything that opening it will cost is
//! charged; then the MAC is checked over the octets as they stand; only then is anything decrypted and kept.

use std::{collections::HashSet, iter::once};

use zeroize::Zeroizing;

use super::{
    CertificateEntry, Entry, Integrity, Pkcs12, Pkcs12Parts, UnreadableCertificate, WHAT,
    bags::{Attributes, Bags, CertificateBag, DATA, ENCRYPTED_DATA, KeyBag, Pkcs8, VERSION},
    mac::Mac,
    sealed::Sealed,
};
use crate::{
    Budget, Certificate, Encrypted, Error, OtherKey, Passphrase,
    budget::Spending,
    der::{self as tlv, Reader, malformed},
    kdf::{self, Key},
    key::{self, Found},
    oid::unsupported,
    pbe::Password,
};

/// Opens a file as far as that is possible. What is wrong is an error nevertheless, a wrong passphrase among it; a missing one, or a
/// scheme that isn't implemented, leaves the part closed.
pub(crate) fn open(
    input: &[u8],
    passphrase: Option<&Passphrase>,
    spending: &mut Spending,
) -> Result<Pkcs12, Error> {
    let (mut opener, bags) = contents(input, passphrase, true, spending)?;
    let mut parts = Pkcs12Parts::default();
    for bag in bags.keys {
        let alias = bag.attributes.alias.clone();
        match opener.key(&bag)? {
            Found::Key { key, .. } => parts.keys.push(Entry {
                key,
                attributes: bag.attributes,
            }),
            Found::Other(other) => parts.other_keys.push(OtherKey { alias, ..other }),
            Found::Closed(closed) => parts.encrypted.push(Encrypted { alias, ..closed }),
        }
    }
    parts.encrypted.splice(0..0, opener.closed);
    parts.certificates = Certificates::parse(bags.certificates);
    parts.others = bags.others;
    parts.integrity = opener.integrity;
    parts.encryption = opener.encryption;
    Ok(Pkcs12::new(parts))
}

/// The certificates of a file, whose private keys stay closed. Without a passphrase the MAC is not checked.
pub(crate) fn open_certificates(
    input: &[u8],
    passphrase: Option<&Passphrase>,
    budget: Budget,
) -> Result<OpenedCertificates, Error> {
    let mut spending = Spending::new(budget);
    let (opener, bags) = contents(input, passphrase, false, &mut spending)?;
    if let Some(closed) = opener.closed.into_iter().next() {
        return Err(closed.error);
    }
    Ok(OpenedCertificates {
        certificates: Certificates::parse(bags.certificates),
        keys: bags.keys.len(),
        integrity: opener.integrity,
    })
}

/// What [`open_certificates`] gives.
pub(crate) struct OpenedCertificates {
    pub(crate) certificates: Certificates,
    /// How many private keys are beside them.
    pub(crate) keys: usize,
    pub(crate) integrity: Integrity,
}

/// The certificates of a file: those that can be parsed, each with the attributes of its bag, and the others.
#[derive(Debug, Default)]
pub(crate) struct Certificates {
    pub(crate) parsed: Vec<Certificate>,
    /// As many as there are certificates.
    pub(super) attributes: Vec<Attributes>,
    pub(crate) unreadable: Vec<UnreadableCertificate>,
}

impl Certificates {
    fn parse(bags: Vec<CertificateBag>) -> Self {
        let mut all = Self::default();
        for bag in bags {
            match bag.certificate() {
                Ok(certificate) => {
                    all.parsed.push(certificate);
                    all.attributes.push(bag.attributes);
                }
                Err(error) => all.unreadable.push(UnreadableCertificate {
                    alias: bag.attributes.alias,
                    error,
                }),
            }
        }
        all
    }

    pub(crate) fn entries(&self) -> impl Iterator<Item = CertificateEntry<'_>> {
        self.parsed
            .iter()
            .zip(&self.attributes)
            .map(|(certificate, attributes)| CertificateEntry {
                certificate,
                alias: attributes.alias.as_deref(),
                trusted: attributes.trusted,
            })
    }
}

/// What is in the file, decrypted but for the private keys, which may be wanted afterwards.
fn contents<'p, 's>(
    input: &[u8],
    passphrase: Option<&'p Passphrase>,
    wants_keys: bool,
    spending: &'s mut Spending,
) -> Result<(Opener<'p, 's>, Bags), Error> {
    let budget = *spending.budget();
    budget.check_size(input, WHAT)?;
    let pfx = Pfx::read(input, &budget)?;
    let mut safes = pfx.safes(&budget)?;
    charge(&pfx, &safes, spending)?;

    let (integrity, passwords) = match (pfx.mac, passphrase) {
        (Some(mac), Some(passphrase)) => {
            // Without its MAC nothing can be said of the file, not even whether the passphrase is right.
            let mac = mac?;
            let password = Password::new(passphrase);
            let key = derive_with_mac(&mac, &password, &mut safes, wants_keys);
            let password = if mac.verifies(&key, &pfx.octets)? {
                password
            } else if let Some(null) = Password::null(passphrase)
                && verifies(&mac, &null, &pfx.octets, spending)?
            {
                null
            } else {
                return Err(why_mac_mismatches(&safes, &password)?);
            };
            (mac.integrity(), vec![password])
        }
        (Some(_), None) => (Integrity::Unchecked, Vec::new()),
        (None, None) => (Integrity::Absent, Vec::new()),
        (None, Some(passphrase)) => {
            let passwords = once(Password::new(passphrase)).chain(Password::null(passphrase));
            (Integrity::Absent, passwords.collect())
        }
    };

    let mut opener = Opener {
        passwords,
        spending,
        integrity,
        encryption: Vec::new(),
        seen: HashSet::new(),
        closed: Vec::new(),
    };
    let bags = opener.bags(safes)?;
    Ok((opener, bags))
}

/// The outermost structure.
struct Pfx {
    /// The encoded `AuthenticatedSafe`, over which the MAC is made: as it stands, BER or not.
    octets: Zeroizing<Vec<u8>>,
    /// Or the error that names one that isn't implemented.
    mac: Option<Result<Mac, Error>>,
}

impl Pfx {
    fn read(input: &[u8], budget: &Budget) -> Result<Self, Error> {
        let der = tlv::from_ber(input, budget.max_nesting, WHAT)?;
        let mut fields = Reader::enter(&der, tlv::SEQUENCE, WHAT)?;
        let version = fields.uint()?;
        if version != VERSION {
            return Err(malformed(WHAT, format!("version {version}, not 3")));
        }
        let mut content = fields.nested(tlv::SEQUENCE)?;
        let kind = content.oid()?;
        if kind != DATA {
            return Err(unsupported("PKCS#12 integrity", &kind));
        }
        let octets = Zeroizing::new(explicit_octets(&mut content)?.to_vec());
        let mac = match fields.optional(tlv::SEQUENCE)?.map(Mac::read) {
            Some(Err(error)) if !matches!(error, Error::UnsupportedScheme { .. }) => {
                return Err(error);
            }
            mac => mac,
        };
        fields.finish()?;
        Ok(Self { octets, mac })
    }

    /// The parts of the `AuthenticatedSafe`.
    fn safes(&self, budget: &Budget) -> Result<Vec<Safe>, Error> {
        let der = tlv::from_ber(&self.octets, budget.max_nesting, WHAT)?;
        let mut contents = Reader::enter(&der, tlv::SEQUENCE, WHAT)?;
        let mut safes = Vec::new();
        while !contents.is_empty() {
            let mut content = contents.nested(tlv::SEQUENCE)?;
            safes.push(match content.oid()? {
                DATA => {
                    let mut bags = Bags::default();
                    bags.read(explicit_octets(&mut content)?, budget)?;
                    Safe::Plain(bags)
                }
                ENCRYPTED_DATA => Safe::read_encrypted(content.value(tlv::EXPLICIT_0)?)?,
                other => return Err(unsupported(super::ENCRYPTION, &other)),
            });
            content.finish()?;
        }
        Ok(safes)
    }
}

/// One part of the `AuthenticatedSafe`.
enum Safe {
    Plain(Bags),
    Encrypted(Sealed),
}

impl Safe {
    /// `EncryptedData` (RFC 5652, section 8).
    fn read_encrypted(value: &[u8]) -> Result<Self, Error> {
        let mut fields = Reader::enter(value, tlv::SEQUENCE, WHAT)?;
        fields.uint()?;
        let mut info = fields.nested(tlv::SEQUENCE)?;
        let kind = info.oid()?;
        if kind != DATA {
            return Err(unsupported("PKCS#12 content", &kind));
        }
        let identifier = info.value(tlv::SEQUENCE)?;
        let ciphertext = tlv::implicit_octets(info.read()?, WHAT)?;
        info.finish()?;
        Sealed::new(identifier, ciphertext).map(Self::Encrypted)
    }
}

/// The octets in the `[0] { OCTET STRING }` of a `ContentInfo`.
fn explicit_octets<'a>(content: &mut Reader<'a>) -> Result<&'a [u8], Error> {
    let mut explicit = content.nested(tlv::EXPLICIT_0)?;
    let octets = explicit.value(tlv::OCTET_STRING)?;
    explicit.finish()?;
    Ok(octets)
}

/// Counts the keys, and charges every derivation, that can be seen from outside.
fn charge(pfx: &Pfx, safes: &[Safe], spending: &mut Spending) -> Result<(), Error> {
    let keys = safes.iter().map(|safe| match safe {
        Safe::Plain(bags) => bags.keys.len(),
        Safe::Encrypted(_) => 0,
    });
    spending.check_keys(keys.sum())?;
    if let Some(Ok(mac)) = &pfx.mac {
        mac.charge(spending)?;
    }
    for safe in safes {
        match safe {
            Safe::Plain(bags) => charge_keys(bags, spending)?,
            Safe::Encrypted(sealed) => sealed.charge(spending)?,
        }
    }
    Ok(())
}

fn charge_keys(bags: &Bags, spending: &mut Spending) -> Result<(), Error> {
    for bag in &bags.keys {
        if let Pkcs8::Shrouded(sealed) = &bag.key {
            sealed.charge(spending)?;
        }
    }
    Ok(())
}

/// Derives the key of the MAC, and with it, because that takes less time, those of what is encrypted. All of it has been charged.
fn derive_with_mac(
    mac: &Mac,
    password: &Password<'_>,
    safes: &mut [Safe],
    wants_keys: bool,
) -> Key {
    let mut sealed = Vec::new();
    for safe in safes {
        match safe {
            Safe::Encrypted(safe) => sealed.push(safe),
            Safe::Plain(bags) if wants_keys => {
                sealed.extend(bags.keys.iter_mut().filter_map(|bag| match &mut bag.key {
                    Pkcs8::Shrouded(key) => Some(key),
                    Pkcs8::Plain(_) => None,
                }));
            }
            Safe::Plain(_) => {}
        }
    }
    sealed.retain(|sealed| sealed.derivation(password).is_some());
    let derivations = sealed
        .iter()
        .filter_map(|sealed| sealed.derivation(password));
    let (mac_key, keys) = kdf::derive(mac.derivation(password), derivations);
    for (sealed, key) in sealed.into_iter().zip(keys) {
        sealed.key = Some(key);
    }
    mac_key
}

/// Whether the MAC is right under another form of the passphrase than that which was charged with the rest of the file.
fn verifies(
    mac: &Mac,
    password: &Password<'_>,
    octets: &[u8],
    spending: &mut Spending,
) -> Result<bool, Error> {
    mac.charge(spending)?;
    mac.verifies(&mac.derivation(password).derive(), octets)
}

/// Whether the passphrase is wrong or the file was altered: where it opens something, it was right. Everything here has
/// been charged.
fn why_mac_mismatches(safes: &[Safe], password: &Password<'_>) -> Result<Error, Error> {
    let opens = |sealed: &Sealed| match sealed.opened(password) {
        Err(Error::UnsupportedScheme { .. }) => Ok(false),
        opened => opened.map(|opened| opened.is_some()),
    };
    for safe in safes {
        let is_opened = match safe {
            Safe::Encrypted(sealed) => opens(sealed)?,
            Safe::Plain(bags) => {
                let mut any = false;
                for bag in &bags.keys {
                    if let Pkcs8::Shrouded(sealed) = &bag.key {
                        any = any || opens(sealed)?;
                    }
                }
                any
            }
        };
        if is_opened {
            return Ok(Error::MacMismatch);
        }
    }
    Ok(Error::WrongPassphrase { what: WHAT })
}

/// Decrypts what the file holds, now that its integrity is known.
struct Opener<'p, 's> {
    /// None when no passphrase was given.
    passwords: Vec<Password<'p>>,
    spending: &'s mut Spending,
    integrity: Integrity,
    /// Names of the schemes met, in order, and the same again for looking them up.
    encryption: Vec<String>,
    seen: HashSet<String>,
    /// Parts of the `AuthenticatedSafe` that stayed closed.
    closed: Vec<Encrypted>,
}

impl Opener<'_, '_> {
    fn bags(&mut self, safes: Vec<Safe>) -> Result<Bags, Error> {
        let mut all = Bags::default();
        for safe in safes {
            let bags = match safe {
                Safe::Plain(bags) => bags,
                Safe::Encrypted(sealed) => {
                    let contents = match self.open(&sealed) {
                        Ok(contents) => contents,
                        Err(error) if leaves_closed(&error) => {
                            self.closed.push(sealed.closed(PART, None, error));
                            continue;
                        }
                        Err(error) => return Err(error),
                    };
                    let mut bags = Bags::default();
                    bags.read(&contents, self.spending.budget())?;
                    charge_keys(&bags, self.spending)?;
                    bags
                }
            };
            all.keys.extend(bags.keys);
            self.spending.check_keys(all.keys.len())?;
            all.certificates.extend(bags.certificates);
            all.others.extend(bags.others);
        }
        Ok(all)
    }

    fn key(&mut self, bag: &KeyBag) -> Result<Found, Error> {
        match &bag.key {
            Pkcs8::Plain(der) => Found::new(key::unencrypted(der), None),
            Pkcs8::Shrouded(sealed) => {
                let read = self.open(sealed).and_then(|der| key::unencrypted(&der));
                Found::new(read, Some(sealed.encryption()))
            }
        }
    }

    /// Opens something that has been charged once.
    fn open(&mut self, sealed: &Sealed) -> Result<Zeroizing<Vec<u8>>, Error> {
        if self.passwords.is_empty() {
            return Err(Error::PassphraseRequired { what: WHAT });
        }
        let name = sealed.encryption();
        if self.seen.insert(name.clone()) {
            self.encryption.push(name);
        }
        for (number, password) in self.passwords.iter().enumerate() {
            if number > 0 {
                if !sealed.takes_bmp() {
                    break;
                }
                sealed.charge(self.spending)?;
            }
            if let Some(plaintext) = sealed.opened(password)? {
                return Ok(plaintext);
            }
        }
        Err(Error::WrongPassphrase { what: WHAT })
    }
}

/// Whether a part that can't be opened for this reason is none of the others' business.
fn leaves_closed(error: &Error) -> bool {
    matches!(
        error,
        Error::PassphraseRequired { .. } | Error::UnsupportedScheme { .. }
    )
}

/// What an encrypted part is called.
const PART: &str = "part of the PKCS#12 file";

#[cfg(test)]
mod tests {
    use const_oid::ObjectIdentifier;
    use getrandom::SysRng;

    use super::*;
    use crate::{
        PrivateKey,
        kdf::Hash,
        pbe::Encryption,
        pkcs12::{
            bags::{self, SHROUDED_KEY_BAG},
            mac::MacKind,
        },
    };

    const PEM: &str = include_str!("../../tests/data/pkcs12/leaf.key");
    const SAFE_CONTENTS_BAG: ObjectIdentifier =
        ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.10.1.6");

    fn passphrase() -> Passphrase {
        Passphrase::from("correct")
    }

    fn open(der: &[u8], passphrase: &Passphrase, budget: Budget) -> Result<Pkcs12, Error> {
        Pkcs12::open_within(der, passphrase, budget)
    }

    fn shrouded_key(iterations: u32) -> Vec<u8> {
        let pkcs8 = PrivateKey::from_pem(PEM, None)
            .unwrap()
            .to_pkcs8_der()
            .unwrap();
        let (algorithm, ciphertext) = Encryption::Aes256
            .encrypt(&pkcs8, &passphrase(), iterations, &mut SysRng)
            .unwrap();
        let shrouded = tlv::sequence(&[&algorithm, &tlv::tlv(tlv::OCTET_STRING, &[&ciphertext])]);
        bags::bag(&SHROUDED_KEY_BAG, &shrouded, &Attributes::default())
    }

    fn encrypted_safe(safe_contents: &[u8]) -> Vec<u8> {
        let (algorithm, ciphertext) = Encryption::Aes256
            .encrypt(safe_contents, &passphrase(), 1, &mut SysRng)
            .unwrap();
        let info = tlv::sequence(&[
            &tlv::oid(&DATA),
            &algorithm,
            &tlv::tlv(tlv::IMPLICIT_0, &[&ciphertext]),
        ]);
        let encrypted_data = tlv::sequence(&[&tlv::uint(0), &info]);
        tlv::sequence(&[
            &tlv::oid(&ENCRYPTED_DATA),
            &tlv::tlv(tlv::EXPLICIT_0, &[&encrypted_data]),
        ])
    }

    /// A file of one part, without a MAC.
    fn file(safe: &[u8]) -> Vec<u8> {
        bags::pfx(&tlv::sequence(&[safe]), &[])
    }

    fn mac_data(password: &Password<'_>, iterations: u32, octets: &[u8]) -> Vec<u8> {
        let kind = MacKind::Classic(Hash::Sha256);
        let key = kind.derivation(password, b"salt", iterations).derive();
        kind.mac_data(&key, b"salt", iterations, octets).unwrap()
    }

    fn budget(max_blocks: u64) -> Budget {
        Budget {
            max_blocks,
            ..Budget::default()
        }
    }

    #[test]
    fn keys_within_encrypted_contents_are_opened_and_charged() {
        let contents = tlv::sequence(&[&shrouded_key(500), &shrouded_key(501)]);
        let der = file(&encrypted_safe(&contents));
        let bundle = open(&der, &passphrase(), budget(1002)).unwrap();
        // It is the same key twice.
        assert_eq!(bundle.private_keys().len(), 1);
        assert_eq!(bundle.encryption().len(), 3);
        assert_eq!(
            open(&der, &passphrase(), budget(1001)).unwrap_err(),
            Error::BudgetExceeded {
                parameter: "key derivation work in hash blocks",
                found: 1002,
                limit: 1001,
            }
        );
    }

    #[test]
    fn many_bags_are_charged_before_the_first_is_opened() {
        let bag = shrouded_key(1);
        let bags: Vec<&[u8]> = vec![&bag; 1000];
        let der = file(&bags::data(&tlv::sequence(&bags)));
        assert!(matches!(
            open(&der, &passphrase(), budget(999)),
            Err(Error::BudgetExceeded { found: 1000, .. })
        ));
    }

    #[test]
    fn private_keys_are_counted() {
        let bag = shrouded_key(1);
        let der = file(&bags::data(&tlv::sequence(&[&bag, &bag, &bag])));
        let budget = |max_private_keys| Budget {
            max_private_keys,
            ..Budget::default()
        };
        open(&der, &passphrase(), budget(3)).unwrap();
        assert_eq!(
            open(&der, &passphrase(), budget(2)).unwrap_err(),
            Error::BudgetExceeded {
                parameter: "number of private keys",
                found: 3,
                limit: 2
            }
        );
    }

    /// Whose keys are derived together with that of the MAC: there was no work, or the passphrase would be found to be wrong.
    #[test]
    fn private_keys_are_counted_before_the_mac_is_verified() {
        let key = PrivateKey::generate(crate::KeyKind::EcP256).unwrap();
        let ca = crate::CertificateAuthority::create_root(
            "/CN=ca".parse().unwrap(),
            key,
            &crate::Profile::root(),
        )
        .unwrap();
        let key = PrivateKey::generate(crate::KeyKind::EcP256).unwrap();
        let request = crate::CertificateRequest::builder("/CN=bot".parse().unwrap())
            .sign(&key)
            .unwrap();
        let issued = ca
            .issue(&request.verify().unwrap(), &crate::Profile::client())
            .unwrap();
        let der = Pkcs12::builder(&key, &issued)
            .unwrap()
            .to_der(&passphrase())
            .unwrap();
        let budget = Budget {
            max_private_keys: 0,
            ..Budget::default()
        };
        assert!(matches!(
            open(&der, &Passphrase::from("another one"), budget),
            Err(Error::BudgetExceeded {
                parameter: "number of private keys",
                ..
            })
        ));
    }

    #[test]
    fn nested_contents_are_read_down_to_a_limit() {
        let nested = |levels| {
            let mut contents = tlv::sequence(&[&shrouded_key(1)]);
            for _ in 0..levels {
                let bag = bags::bag(&SAFE_CONTENTS_BAG, &contents, &Attributes::default());
                contents = tlv::sequence(&[&bag]);
            }
            open(
                &file(&bags::data(&contents)),
                &passphrase(),
                Budget::default(),
            )
        };
        assert_eq!(nested(3).unwrap().private_keys().len(), 1);
        assert!(matches!(nested(9), Err(Error::NestedTooDeeply { .. })));
    }

    /// They are seen after decryption, when nothing around them tells how deep they are.
    #[test]
    fn encrypted_contents_are_read_down_to_the_callers_limit() {
        let mut contents = tlv::sequence(&[&shrouded_key(1)]);
        for _ in 0..3 {
            let bag = bags::bag(&SAFE_CONTENTS_BAG, &contents, &Attributes::default());
            contents = tlv::sequence(&[&bag]);
        }
        let open_within = |contents: &[u8], max_nesting| {
            let budget = Budget {
                max_nesting,
                ..Budget::default()
            };
            open(&file(&encrypted_safe(contents)), &passphrase(), budget)
        };
        open_within(&tlv::sequence(&[]), 12).unwrap();
        assert_eq!(
            open_within(&contents, 12).unwrap_err(),
            Error::NestedTooDeeply {
                what: WHAT,
                limit: 12
            }
        );
        assert_eq!(open_within(&contents, 32).unwrap().private_keys().len(), 1);
    }

    #[test]
    fn an_empty_passphrase_is_tried_as_none_and_charged_again() {
        let empty = Passphrase::from("");
        let contents = tlv::sequence(&[&bags::data(&tlv::sequence(&[]))]);
        let mac = mac_data(&Password::null(&empty).unwrap(), 10, &contents);
        let der = bags::pfx(&contents, &mac);
        open(&der, &empty, budget(20)).unwrap();
        assert!(matches!(
            open(&der, &empty, budget(19)),
            Err(Error::BudgetExceeded { found: 20, .. })
        ));
        assert_eq!(
            open(&der, &passphrase(), budget(20)).unwrap_err(),
            Error::WrongPassphrase { what: WHAT }
        );
    }

    #[test]
    fn a_mac_over_ber_is_checked_as_it_stands() {
        // An AuthenticatedSafe with an indefinite length, without any parts.
        let contents = [0x30, 0x80, 0, 0];
        let mac = mac_data(&Password::new(&passphrase()), 1, &contents);
        let der = bags::pfx(&contents, &mac);
        let bundle = open(&der, &passphrase(), Budget::default()).unwrap();
        assert!(bundle.certificates().is_empty());
    }

    #[test]
    fn public_key_integrity_and_privacy_are_named() {
        let signed = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.2");
        let enveloped = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.3");
        let content = |kind| {
            let empty = tlv::tlv(tlv::EXPLICIT_0, &[&tlv::sequence(&[])]);
            tlv::sequence(&[&tlv::oid(kind), &empty])
        };
        let name = |der: &[u8]| match open(der, &passphrase(), Budget::default()) {
            Err(Error::UnsupportedScheme { name, .. }) => name,
            other => panic!("{other:?}"),
        };
        let signed = tlv::sequence(&[&tlv::uint(VERSION), &content(&signed)]);
        assert_eq!(name(&signed), "id-signedData");
        assert_eq!(name(&file(&content(&enveloped))), "id-envelopedData");
    }
}
