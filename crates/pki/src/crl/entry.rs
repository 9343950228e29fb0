//! Entries of a CRL (RFC 5280, sections 5.1.2.6 and 5.3).

use std::{mem, ops::Range, time::SystemTime};

use super::{RevocationReason, WHAT, extensions::Extension};
use crate::{
    Error, SerialNumber,
    der::{self, Reader, Tlv, malformed},
    oid,
};

/// One revoked certificate of a [`Crl`](super::Crl).
#[derive(Debug, Clone, Copy)]
pub struct RevokedCertificate<'a> {
    crl: &'a [u8],
    entry: &'a Entry,
}

impl<'a> RevokedCertificate<'a> {
    pub(super) fn new(crl: &'a [u8], entry: &'a Entry) -> Self {
        Self { crl, entry }
    }

    /// The serial number of the certificate.
    pub fn serial_number(&self) -> SerialNumber {
        SerialNumber::as_found(self.serial_octets())
    }

    /// The octets of the serial number without leading zeros.
    pub(super) fn serial_octets(&self) -> &'a [u8] {
        self.entry.serial_in(self.crl)
    }

    /// When the CA revoked it.
    pub fn revocation_date(&self) -> SystemTime {
        self.entry.revocation_date
    }

    /// Why it did.
    pub fn reason(&self) -> RevocationReason {
        self.entry.reason
    }

    /// From when on its private key is, or may be, in other hands, where that is said.
    pub fn invalidity_date(&self) -> Option<SystemTime> {
        self.entry.invalidity_date
    }

    /// Whether it is a certificate of the issuer of the CRL. In an indirect CRL it may be another one's (RFC 5280, section
    /// 5.3.3), and then its serial number says nothing about the CRL issuer's certificates.
    pub fn is_of_crl_issuer(&self) -> bool {
        self.entry.is_of_crl_issuer
    }

    /// The entry in DER.
    pub(super) fn as_der(&self) -> &'a [u8] {
        self.crl.get(self.entry.raw.range()).unwrap_or_default()
    }
}

/// What an entry says, beside where it stands. It has nothing of its own on the heap: there may be a million of them.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// Its place in the CRL.
    raw: Span,
    /// Where the octets of the serial number are, without leading zeros.
    serial: Span,
    revocation_date: SystemTime,
    invalidity_date: Option<SystemTime>,
    reason: RevocationReason,
    is_of_crl_issuer: bool,
}

/// A place in a CRL, which is far shorter than 4 GiB.
#[derive(Debug, Clone, Copy)]
struct Span {
    start: u32,
    len: u32,
}

impl Span {
    fn new(start: usize, len: usize) -> Result<Self, Error> {
        match (start.try_into(), len.try_into()) {
            (Ok(start), Ok(len)) => Ok(Self { start, len }),
            _ => Err(malformed(WHAT, "it has more than 4 GiB")),
        }
    }

    fn range(self) -> Range<usize> {
        let start = self.start as usize;
        start..start.saturating_add(self.len as usize)
    }
}

/// An entry, and what it says to those who read the list.
pub(super) struct Read {
    pub(super) entry: Entry,
    /// The contents of certificateIssuer, GeneralNames: from this entry on it is about certificates of that issuer.
    pub(super) certificate_issuer: Option<Vec<u8>>,
    /// The first extension that is critical and not evaluated, as a dotted object identifier.
    pub(super) unsupported_critical: Option<String>,
}

impl Entry {
    /// Reads the entry that begins `start` octets into the CRL.
    pub(super) fn read(tlv: &Tlv<'_>, start: usize) -> Result<Read, Error> {
        let mut fields = Reader::new(tlv.value, WHAT);
        let serial = fields.read_tagged(der::INTEGER)?;
        match serial.value {
            [] => return Err(malformed(WHAT, "a serial number is empty")),
            [first, ..] if *first > 0x7f => {
                return Err(malformed(WHAT, "a serial number is negative"));
            }
            _ => {}
        }
        let zeros = serial.value.iter().take_while(|octet| **octet == 0).count();
        let len = serial.value.len().saturating_sub(zeros);
        // The serial number's octets end where those of its element do.
        let serial_end = start
            .saturating_add(tlv.raw.len().saturating_sub(tlv.value.len()))
            .saturating_add(serial.raw.len());
        let mut read = Read {
            entry: Self {
                raw: Span::new(start, tlv.raw.len())?,
                serial: Span::new(serial_end.saturating_sub(len), len)?,
                revocation_date: der::read_time(&fields.read()?, WHAT)?,
                invalidity_date: None,
                reason: RevocationReason::Unspecified,
                is_of_crl_issuer: true,
            },
            certificate_issuer: None,
            unsupported_critical: None,
        };
        if !fields.is_empty() {
            let mut extensions = fields.nested(der::SEQUENCE)?;
            let mut seen = Seen::default();
            while !extensions.is_empty() {
                read.extension(&Extension::read(&mut extensions, WHAT)?, &mut seen)?;
            }
        }
        fields.finish()?;
        Ok(read)
    }

    /// The octets of the serial number without leading zeros.
    pub(super) fn serial_in<'a>(&self, crl: &'a [u8]) -> &'a [u8] {
        crl.get(self.serial.range()).unwrap_or_default()
    }

    pub(super) fn is_of_crl_issuer(&self) -> bool {
        self.is_of_crl_issuer
    }

    pub(super) fn set_is_of_crl_issuer(&mut self, is: bool) {
        self.is_of_crl_issuer = is;
    }
}

/// Which of the extensions that mean something here were there.
#[derive(Default)]
struct Seen {
    reason: bool,
    invalidity_date: bool,
    certificate_issuer: bool,
}

impl Read {
    fn extension(&mut self, extension: &Extension<'_>, seen: &mut Seen) -> Result<(), Error> {
        let mut value = Reader::new(extension.value, WHAT);
        let seen_before = match extension.oid {
            REASON_CODE => {
                self.entry.reason = match value.value(der::ENUMERATED)? {
                    [code] => RevocationReason::from_code(*code),
                    _ => return Err(malformed(WHAT, "a reason is no number of one octet")),
                };
                mem::replace(&mut seen.reason, true)
            }
            INVALIDITY_DATE => {
                self.entry.invalidity_date = Some(der::read_time(&value.read()?, WHAT)?);
                mem::replace(&mut seen.invalidity_date, true)
            }
            CERTIFICATE_ISSUER => {
                self.certificate_issuer = Some(value.value(der::SEQUENCE)?.to_vec());
                mem::replace(&mut seen.certificate_issuer, true)
            }
            other => {
                if extension.critical && self.unsupported_critical.is_none() {
                    self.unsupported_critical = Some(oid::dotted(other));
                }
                return Ok(());
            }
        };
        if seen_before {
            return Err(malformed(WHAT, "an entry has the same extension twice"));
        }
        value.finish()
    }
}

pub(super) const REASON_CODE: &[u8] = &[0x55, 0x1d, 21];
pub(super) const INVALIDITY_DATE: &[u8] = &[0x55, 0x1d, 24];
const CERTIFICATE_ISSUER: &[u8] = &[0x55, 0x1d, 29];
