//! Random hierarchies of CAs: whatever they are, honest or not.
//!
//! [`Hierarchy::random`] draws one, in which path lengths, name constraints and dates are set at random and often broken
//! further down. [`forge`] signs what no CA of ours would.
#![allow(clippy::unwrap_used, reason = "a test that can't be set up has failed")]
#![allow(clippy::panic, clippy::indexing_slicing, reason = "likewise")]

pub mod forge;
mod random;

use std::time::SystemTime;

use pki::{Certificate, DistinguishedName, KeyKind, PrivateKey, SubjectAltName, Validity};

use self::forge::Form;

/// CAs, each but the root below an earlier one, and what each of them is asked to issue to others.
pub struct Hierarchy {
    /// The time at which everything is issued.
    pub now: SystemTime,
    /// The root first.
    pub authorities: Vec<Authority>,
    /// Leaves, each with the index of the CA that is asked for it.
    pub leaves: Vec<(usize, Leaf)>,
}

/// What the certificate of a CA says.
pub struct Authority {
    /// The index of its issuer; none for the root.
    pub parent: Option<usize>,
    /// Its name, which no other has.
    pub subject: DistinguishedName,
    /// Its key.
    pub key: PrivateKey,
    /// Its path length constraint.
    pub path_len: Option<u32>,
    /// Its name constraints.
    pub constraints: Vec<Constraint>,
    /// Its validity.
    pub validity: Validity,
    /// Its certificate, signed whether its issuer may or not.
    pub certificate: Certificate,
}

/// One subtree of name constraints.
#[derive(Debug, Clone)]
pub struct Constraint {
    /// Whether it permits or excludes.
    pub permitted: bool,
    /// The form of its base.
    pub form: Form,
    /// The contents of its base: text in ASCII, an address and its mask, or a Name in DER.
    pub base: Vec<u8>,
}

/// What a leaf asks for.
#[derive(Debug, Clone)]
pub struct Leaf {
    /// Its name.
    pub subject: DistinguishedName,
    /// Its alternative names.
    pub names: Vec<SubjectAltName>,
    /// The validity that is asked for.
    pub validity: Validity,
}

impl Hierarchy {
    /// The hierarchy of this seed, around this time; one in four is around the year 2050. Keys are new each time.
    pub fn random(seed: u64, now: SystemTime) -> Self {
        random::hierarchy(&mut fastrand::Rng::with_seed(seed), now)
    }

    /// The certificates from this CA up to the root.
    pub fn path(&self, authority: usize) -> Vec<Certificate> {
        let up = |index: &usize| self.authorities[*index].parent;
        std::iter::successors(Some(authority), up)
            .map(|index| self.authorities[index].certificate.clone())
            .collect()
    }

    /// The name constraints from this CA up to the root.
    pub fn constraints(&self, authority: usize) -> Vec<Constraint> {
        let up = |index: &usize| self.authorities[*index].parent;
        std::iter::successors(Some(authority), up)
            .flat_map(|index| self.authorities[index].constraints.clone())
            .collect()
    }
}

/// A kind of key, mostly one that is made quickly.
fn kind(rng: &mut fastrand::Rng) -> KeyKind {
    match rng.u8(..20) {
        0 => KeyKind::Rsa2048,
        1..5 => KeyKind::EcP384,
        5..9 => KeyKind::Ed25519,
        _ => KeyKind::EcP256,
    }
}
