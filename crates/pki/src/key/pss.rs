//! `RSASSA-PSS-params` (RFC 4055, section 3.1): of a signature what it was made with, of a key what it may be used with.

use std::fmt;

use const_oid::{
    ObjectIdentifier,
    db::rfc5912::{ID_MGF_1, ID_SHA_1, ID_SHA_224, ID_SHA_256, ID_SHA_384, ID_SHA_512},
};

use crate::{
    Digest, Error,
    der::{self as tlv, Reader},
    oid,
};

/// What the parameters say, whether this crate can do it or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PssParameters {
    hash: ObjectIdentifier,
    mask_generation: ObjectIdentifier,
    /// The hash of MGF1; `None` for another mask generation function.
    mask_hash: Option<ObjectIdentifier>,
    salt_len: u64,
    trailer: u64,
}

impl PssParameters {
    /// Reads the contents of the SEQUENCE. Each field has a default, which DER leaves out; here it may also be there.
    pub(super) fn read(contents: &[u8], what: &'static str) -> Result<Self, Error> {
        let mut parameters = Self {
            hash: ID_SHA_1,
            mask_generation: ID_MGF_1,
            mask_hash: Some(ID_SHA_1),
            salt_len: 20,
            trailer: 1,
        };
        let mut fields = Reader::new(contents, what);
        if let Some(hash) = fields.optional(tlv::EXPLICIT_0)? {
            parameters.hash = hash_function(hash, what)?;
        }
        if let Some(function) = fields.optional(tlv::EXPLICIT_1)? {
            let mut function = Reader::enter(function, tlv::SEQUENCE, what)?;
            parameters.mask_generation = function.oid()?;
            parameters.mask_hash = None;
            if parameters.mask_generation == ID_MGF_1 {
                parameters.mask_hash = Some(hash_function(function.read()?.raw, what)?);
                function.finish()?;
            }
        }
        for (tag, field) in [
            (tlv::EXPLICIT_2, &mut parameters.salt_len),
            (tlv::EXPLICIT_3, &mut parameters.trailer),
        ] {
            if let Some(number) = fields.optional(tag)? {
                let mut number = Reader::new(number, what);
                *field = number.uint()?;
                number.finish()?;
            }
        }
        fields.finish()?;
        Ok(parameters)
    }

    /// The digest, of the message and in MGF1, and the length of the salt in octets; `None` where this crate doesn't
    /// implement what they ask for.
    pub(super) fn supported(&self) -> Option<(Digest, usize)> {
        let digest = [Digest::Sha256, Digest::Sha384, Digest::Sha512]
            .into_iter()
            .find(|digest| oid_of(*digest) == self.hash)?;
        let agrees = self.mask_hash == Some(self.hash) && self.trailer == 1;
        // No modulus leaves room for more.
        let salt_len = usize::try_from(self.salt_len).ok()?;
        (agrees && salt_len <= MAX_SALT).then_some((digest, salt_len))
    }
}

/// For example `RSASSA-PSS with SHA-256`; what differs from how this crate signs is said.
impl fmt::Display for PssParameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RSASSA-PSS with {}", HashName(&self.hash))?;
        match &self.mask_hash {
            None => write!(
                f,
                ", mask generation function {}",
                oid::name(&self.mask_generation)
                    .map_or_else(|| self.mask_generation.to_string(), str::to_owned)
            )?,
            Some(hash) if *hash != self.hash => write!(f, ", MGF1 with {}", HashName(hash))?,
            Some(_) => {}
        }
        if output_len(&self.hash) != Some(self.salt_len) {
            write!(f, ", salt of {} octets", self.salt_len)?;
        }
        if self.trailer != 1 {
            write!(f, ", trailer field {}", self.trailer)?;
        }
        Ok(())
    }
}

/// In octets: a modulus of 8192 bits, the longest, has as many.
const MAX_SALT: usize = 1024;

/// A HashAlgorithm, whose parameters may be NULL or absent (RFC 4055, section 2.1).
fn hash_function(identifier: &[u8], what: &'static str) -> Result<ObjectIdentifier, Error> {
    let mut fields = Reader::enter(identifier, tlv::SEQUENCE, what)?;
    let oid = fields.oid()?;
    fields.optional_null()?;
    fields.finish()?;
    Ok(oid)
}

fn oid_of(digest: Digest) -> ObjectIdentifier {
    match digest {
        Digest::Sha256 => ID_SHA_256,
        Digest::Sha384 => ID_SHA_384,
        Digest::Sha512 => ID_SHA_512,
    }
}

/// In octets, of the hash functions that have been in use here.
fn output_len(hash: &ObjectIdentifier) -> Option<u64> {
    Some(match *hash {
        ID_SHA_1 => 20,
        ID_SHA_224 => 28,
        ID_SHA_256 => 32,
        ID_SHA_384 => 48,
        ID_SHA_512 => 64,
        _ => return None,
    })
}

struct HashName<'a>(&'a ObjectIdentifier);

impl fmt::Display for HashName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self.0 {
            ID_SHA_1 => f.write_str("SHA-1"),
            ID_SHA_224 => f.write_str("SHA-224"),
            ID_SHA_256 => f.write_str("SHA-256"),
            ID_SHA_384 => f.write_str("SHA-384"),
            ID_SHA_512 => f.write_str("SHA-512"),
            other => match oid::name(&other) {
                Some(name) => f.write_str(name),
                None => write!(f, "{other}"),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHAT: &str = "test";

    fn field(tag: u8, value: &[u8]) -> Vec<u8> {
        tlv::tlv(tag, &[value])
    }

    fn hash(oid: &ObjectIdentifier) -> Vec<u8> {
        tlv::sequence(&[&tlv::oid(oid), tlv::ENCODED_NULL])
    }

    fn parameters(hash_oid: &ObjectIdentifier, mask: &ObjectIdentifier, salt: u64) -> Vec<u8> {
        let mgf1 = tlv::sequence(&[&tlv::oid(&ID_MGF_1), &hash(mask)]);
        [
            field(tlv::EXPLICIT_0, &hash(hash_oid)),
            field(tlv::EXPLICIT_1, &mgf1),
            field(tlv::EXPLICIT_2, &tlv::uint(salt)),
        ]
        .concat()
    }

    #[test]
    fn what_is_supported_has_one_digest_and_any_salt() {
        for (oid, digest) in [
            (ID_SHA_256, Digest::Sha256),
            (ID_SHA_384, Digest::Sha384),
            (ID_SHA_512, Digest::Sha512),
        ] {
            for salt in [0, 20, 32, 222, 1024] {
                let read = PssParameters::read(&parameters(&oid, &oid, salt), WHAT).unwrap();
                assert_eq!(read.supported(), Some((digest, salt.try_into().unwrap())));
            }
        }
    }

    #[test]
    fn what_is_not_supported_is_described() {
        let sha256 = |mask, salt| parameters(&ID_SHA_256, &mask, salt);
        let trailer = [
            sha256(ID_SHA_256, 32),
            field(tlv::EXPLICIT_3, &tlv::uint(2)),
        ]
        .concat();
        let shake = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.11");
        let other_function = [
            field(tlv::EXPLICIT_0, &hash(&ID_SHA_256)),
            field(tlv::EXPLICIT_1, &hash(&shake)),
            field(tlv::EXPLICIT_2, &tlv::uint(32)),
        ]
        .concat();
        for (contents, description) in [
            (Vec::new(), "RSASSA-PSS with SHA-1"),
            (
                parameters(&ID_SHA_1, &ID_SHA_1, 20),
                "RSASSA-PSS with SHA-1",
            ),
            (
                parameters(&ID_SHA_224, &ID_SHA_224, 28),
                "RSASSA-PSS with SHA-224",
            ),
            (
                sha256(ID_SHA_1, 32),
                "RSASSA-PSS with SHA-256, MGF1 with SHA-1",
            ),
            (
                sha256(ID_SHA_256, 1025),
                "RSASSA-PSS with SHA-256, salt of 1025 octets",
            ),
            (trailer, "RSASSA-PSS with SHA-256, trailer field 2"),
            (
                other_function,
                "RSASSA-PSS with SHA-256, mask generation function id-shake128",
            ),
        ] {
            let read = PssParameters::read(&contents, WHAT).unwrap();
            assert_eq!(read.supported(), None, "{description}");
            assert_eq!(read.to_string(), description);
        }
    }

    #[test]
    fn a_hash_may_be_without_its_null_and_nothing_else() {
        let absent = tlv::sequence(&[&tlv::oid(&ID_SHA_256)]);
        let read = PssParameters::read(&field(tlv::EXPLICIT_0, &absent), WHAT).unwrap();
        assert_eq!(read.hash, ID_SHA_256);
        for wrong in [
            tlv::sequence(&[&tlv::oid(&ID_SHA_256), &[5, 1, 0]]),
            tlv::sequence(&[&tlv::oid(&ID_SHA_256), &[5, 0, 5, 0]]),
            tlv::sequence(&[&tlv::oid(&ID_SHA_256), &[2, 1, 0]]),
        ] {
            assert!(PssParameters::read(&field(tlv::EXPLICIT_0, &wrong), WHAT).is_err());
        }
    }

    #[test]
    fn nothing_may_follow_a_field() {
        let right = parameters(&ID_SHA_256, &ID_SHA_256, 32);
        let two_numbers = [tlv::uint(32), tlv::uint(32)].concat();
        for wrong in [
            [right, tlv::uint(1)].concat(),
            field(tlv::EXPLICIT_2, &two_numbers),
            field(tlv::EXPLICIT_3, &two_numbers),
        ] {
            assert!(matches!(
                PssParameters::read(&wrong, WHAT),
                Err(Error::TrailingData { .. })
            ));
        }
    }
}
