//! PKCS#7 and CMS files of certificates: `.p7b`, `.p7c` and what browsers and CAs hand out as a chain.

use const_oid::ObjectIdentifier;

use crate::{
    Budget, Certificate, Crl, Error, UnreadableCertificate,
    der::{self, Reader},
    oid::unsupported,
};

/// The certificates and CRLs of a `SignedData` (RFC 5652, section 5.1; RFC 2315, section 9.1), which usually signs nothing and is
/// called degenerate or certs-only then.
///
/// Their order means nothing. Where there are signatures, they were not verified: what is here is what somebody put beside them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pkcs7 {
    certificates: Vec<Certificate>,
    unreadable: Vec<UnreadableCertificate>,
    crls: Vec<Crl>,
    others: usize,
    signers: usize,
}

impl Pkcs7 {
    /// The certificates, in file order.
    pub fn certificates(&self) -> &[Certificate] {
        &self.certificates
    }

    /// The certificates that can't be read. None of them is among [`certificates`](Self::certificates).
    pub fn unreadable(&self) -> &[UnreadableCertificate] {
        &self.unreadable
    }

    /// The CRLs, in file order. Their signatures were not verified.
    pub fn crls(&self) -> &[Crl] {
        &self.crls
    }

    /// How many things there are among the certificates and the CRLs that are neither: attribute certificates and OCSP responses, for
    /// example.
    pub fn others(&self) -> usize {
        self.others
    }

    /// How many signatures there are. A file that does nothing but hand out certificates has none.
    pub fn signers(&self) -> usize {
        self.signers
    }

    /// Reads a `ContentInfo`, DER or BER.
    ///
    /// # Errors
    /// `UnsupportedScheme` for content of another type than signedData; `TooLarge`, `NestedTooDeeply`, `Malformed` and
    /// `TrailingData`; those of [`Crl::from_der`].
    pub(crate) fn read(input: &[u8], budget: &Budget) -> Result<Self, Error> {
        budget.check_size(input, WHAT)?;
        let der = der::from_ber(input, budget.max_nesting, WHAT)?;
        let mut fields = Reader::enter(&der, der::SEQUENCE, WHAT)?;
        let kind = fields.oid()?;
        if kind != SIGNED_DATA {
            return Err(unsupported("PKCS#7 content", &kind));
        }
        let mut signed = Reader::enter(fields.value(der::EXPLICIT_0)?, der::SEQUENCE, WHAT)?;
        fields.finish()?;

        signed.uint()?; // version
        signed.value(der::SET)?; // digestAlgorithms
        signed.value(der::SEQUENCE)?; // encapContentInfo
        let certificates = signed.optional(der::EXPLICIT_0)?;
        let crls = signed.optional(der::EXPLICIT_1)?;
        let mut signers = signed.nested(der::SET)?;
        signed.finish()?;

        let mut read = Self {
            certificates: Vec::new(),
            unreadable: Vec::new(),
            crls: Vec::new(),
            others: 0,
            signers: 0,
        };
        for certificate in read.of_x509(certificates)? {
            match Certificate::from_der(certificate) {
                Ok(certificate) => read.certificates.push(certificate),
                Err(error) => read
                    .unreadable
                    .push(UnreadableCertificate { alias: None, error }),
            }
        }
        for crl in read.of_x509(crls)? {
            read.crls.push(Crl::from_der(crl)?);
        }
        while !signers.is_empty() {
            signers.read_tagged(der::SEQUENCE)?;
            read.signers = read.signers.saturating_add(1);
        }
        Ok(read)
    }

    /// The elements of a set that have no tag of their own: those of X.509 (RFC 5652, sections 10.2.1 and 10.2.2).
    fn of_x509<'a>(&mut self, set: Option<&'a [u8]>) -> Result<Vec<&'a [u8]>, Error> {
        let mut elements = Reader::new(set.unwrap_or_default(), WHAT);
        let mut found = Vec::new();
        while !elements.is_empty() {
            let element = elements.read()?;
            if element.tag == der::SEQUENCE {
                found.push(element.raw);
            } else {
                self.others = self.others.saturating_add(1);
            }
        }
        Ok(found)
    }
}

/// What errors call it.
const WHAT: &str = "PKCS#7 file";

const SIGNED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.2");

/// Whether a PEM block with this label is one: RFC 7468, sections 8 and 9, and what older programs write.
pub(crate) fn is_label(label: &str) -> bool {
    matches!(label, "PKCS7" | "CMS" | "PKCS #7 SIGNED DATA")
}

/// Whether the input starts like a `ContentInfo`: with an object identifier in a SEQUENCE, whatever the form of their lengths.
pub(crate) fn is_pkcs7(input: &[u8]) -> bool {
    input.first() == Some(&der::SEQUENCE)
        && der::after_header(input).and_then(<[u8]>::first) == Some(&der::OID)
}
