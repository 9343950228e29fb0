//! Certificate revocation lists (RFC 5280, section 5): read, verified and made.

mod reason;
mod number;
mod issuing_distribution_point;
mod extensions;
mod entry;
mod list;
mod build;

pub(crate) use self::list::{MAX_PEM_SIZE, is_label};
pub use self::{
    build::{CrlBuilder, PreparedCrl, Revocation},
    entry::RevokedCertificate,
    issuing_distribution_point::IssuingDistributionPoint,
    list::Crl,
    number::CrlNumber,
    reason::RevocationReason,
};

/// What errors call it.
const WHAT: &str = "certificate revocation list";
