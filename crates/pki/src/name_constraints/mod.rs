//! NameConstraints (RFC 5280, section 4.2.1.10): which names a CA's certificates may carry.

mod presented;
mod subtree;

use std::fmt;

use self::presented::{Name, Value};
pub use self::subtree::GeneralSubtree;
use crate::{
    DistinguishedName, Error, SubjectAltName,
    der::{self, Reader},
};

/// The NameConstraints of a CA (RFC 5280, section 4.2.1.10), as they stand in its certificate.
///
/// They are judged for host names, e-mail addresses, URIs, IP addresses and distinguished names. What can't be judged (a
/// constraint of another form, one that is not well-formed, one with a minimum or maximum) permits no name of its form.
///
/// A CA gets them with [`Extension::name_constraints`](crate::Extension::name_constraints).
/// [`Certificate::check_name_constraints`](crate::Certificate::check_name_constraints) applies them. `Display` prints
/// them as OpenSSL does: `permitted DNS:example.com, excluded IP:10.0.0.0/8`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameConstraints {
    permitted: Vec<GeneralSubtree>,
    excluded: Vec<GeneralSubtree>,
}

/// How a name offends against constraints.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Violation {
    NotPermitted { name: String, permitted: String },
    Excluded { name: String, excluded: String },
    Unsupported { name: String, constraint: String },
    TooMuchWork { found: usize },
}

impl Violation {
    /// The error about the constraints of this issuer.
    pub(crate) fn of(self, issuer: &DistinguishedName) -> Error {
        let issuer = issuer.to_string();
        match self {
            Self::NotPermitted { name, permitted } => Error::NameNotPermitted {
                issuer,
                name,
                permitted,
            },
            Self::Excluded { name, excluded } => Error::NameExcluded {
                issuer,
                name,
                excluded,
            },
            Self::Unsupported { name, constraint } => Error::UnsupportedNameConstraint {
                issuer,
                name,
                constraint,
            },
            Self::TooMuchWork { found } => Error::BudgetExceeded {
                parameter: "number of comparisons of names with name constraints",
                found: u64::try_from(found).unwrap_or(u64::MAX),
                limit: MAX_COMPARISONS as u64,
            },
        }
    }
}

impl NameConstraints {
    /// Constraints that permit these names and exclude those. A form of name of which nothing is permitted is not
    /// constrained, but for what is excluded.
    ///
    /// ```
    /// use pki::{GeneralSubtree, NameConstraints};
    ///
    /// let constraints = NameConstraints::new(
    ///     [GeneralSubtree::dns("example.com")?, GeneralSubtree::ip("10.0.0.0/8")?],
    ///     [GeneralSubtree::dns("secret.example.com")?],
    /// )?;
    /// assert_eq!(
    ///     constraints.to_string(),
    ///     "permitted DNS:example.com, permitted IP:10.0.0.0/8, excluded DNS:secret.example.com"
    /// );
    /// # Ok::<(), pki::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::InvalidExtension`] when there are neither.
    pub fn new(
        permitted: impl IntoIterator<Item = GeneralSubtree>,
        excluded: impl IntoIterator<Item = GeneralSubtree>,
    ) -> Result<Self, Error> {
        let constraints = Self {
            permitted: permitted.into_iter().collect(),
            excluded: excluded.into_iter().collect(),
        };
        if constraints.permitted.is_empty() && constraints.excluded.is_empty() {
            return Err(Error::InvalidExtension {
                extension: WHAT,
                reason: "they permit and exclude nothing",
            });
        }
        Ok(constraints)
    }

    /// The names that are permitted, of the forms that are named; a form without any is permitted as a whole.
    pub fn permitted(&self) -> &[GeneralSubtree] {
        &self.permitted
    }

    /// The names that are excluded, whether they are permitted or not.
    pub fn excluded(&self) -> &[GeneralSubtree] {
        &self.excluded
    }

    /// The contents of the extension.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let list = |tag, subtrees: &[GeneralSubtree]| match subtrees {
            [] => Vec::new(),
            some => {
                let subtrees: Vec<&[u8]> = some.iter().map(GeneralSubtree::as_der).collect();
                der::tlv(tag, &subtrees)
            }
        };
        der::sequence(&[
            &list(der::EXPLICIT_0, &self.permitted),
            &list(der::EXPLICIT_1, &self.excluded),
        ])
    }

    /// Reads the contents of the extension.
    pub(crate) fn from_der(der: &[u8]) -> Result<Self, Error> {
        let mut lists = Reader::enter(der, der::SEQUENCE, WHAT)?;
        let constraints = Self {
            permitted: subtrees(lists.optional(der::EXPLICIT_0)?)?,
            excluded: subtrees(lists.optional(der::EXPLICIT_1)?)?,
        };
        lists.finish()?;
        Ok(constraints)
    }

    /// Checks the names of a certificate: its subject, the e-mail addresses in that, its alternative names; and, when
    /// `common_names` says so, its common names where they look like host names and there is no host name beside them.
    pub(crate) fn check(
        &self,
        subject: &DistinguishedName,
        alt_names: &[SubjectAltName],
        common_names: bool,
    ) -> Result<(), Violation> {
        let names = Name::all(subject, alt_names, common_names);
        let constraints = self.permitted.len().saturating_add(self.excluded.len());
        let comparisons = names.len().saturating_mul(constraints);
        if comparisons > MAX_COMPARISONS {
            return Err(Violation::TooMuchWork { found: comparisons });
        }
        names.iter().try_for_each(|name| self.check_name(name))
    }

    fn check_name(&self, name: &Name<'_>) -> Result<(), Violation> {
        let form = |subtree: &&GeneralSubtree| {
            subtree.tag() == name.tag() || matches!(name.value(), Value::NotIa5)
        };
        let mut all = self.excluded.iter().chain(&self.permitted).filter(form);
        if let Some(constraint) = all.find(|subtree| !subtree.can_judge(name)) {
            return Err(Violation::Unsupported {
                name: name.to_string(),
                constraint: constraint.to_string(),
            });
        }
        let mut excluded = self.excluded.iter().filter(form);
        if let Some(constraint) = excluded.find(|subtree| subtree.touches(name)) {
            return Err(Violation::Excluded {
                name: name.to_string(),
                excluded: constraint.to_string(),
            });
        }
        let mut permitted = self.permitted.iter().filter(form).peekable();
        if permitted.peek().is_some() && !permitted.any(|subtree| subtree.covers(name)) {
            let permitted: Vec<&GeneralSubtree> = self.permitted.iter().filter(form).collect();
            return Err(Violation::NotPermitted {
                name: name.to_string(),
                permitted: listed(&permitted),
            });
        }
        Ok(())
    }
}

impl fmt::Display for NameConstraints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let permitted = self.permitted.iter().map(|subtree| ("permitted", subtree));
        let excluded = self.excluded.iter().map(|subtree| ("excluded", subtree));
        for (i, (list, subtree)) in permitted.chain(excluded).enumerate() {
            let comma = if i > 0 { ", " } else { "" };
            write!(f, "{comma}{list} {subtree}")?;
        }
        Ok(())
    }
}

fn subtrees(list: Option<&[u8]>) -> Result<Vec<GeneralSubtree>, Error> {
    let mut subtrees = Vec::new();
    if let Some(list) = list {
        let mut list = Reader::new(list, WHAT);
        // SIZE (1..MAX): an empty list of what is permitted could mean all or nothing.
        while subtrees.is_empty() || !list.is_empty() {
            subtrees.push(GeneralSubtree::read(list.read_tagged(der::SEQUENCE)?)?);
        }
    }
    Ok(subtrees)
}

const WHAT: &str = "name constraints";

/// The first few, for an error.
fn listed(subtrees: &[&GeneralSubtree]) -> String {
    const SHOWN: usize = 5;
    let shown: Vec<String> = subtrees
        .iter()
        .take(SHOWN)
        .map(ToString::to_string)
        .collect();
    match subtrees.len().checked_sub(SHOWN) {
        Some(more @ 1..) => format!("{} and {more} more", shown.join(", ")),
        _ => shown.join(", "),
    }
}

/// webpki's limit, too. Real CAs have a few hundred constraints, and certificates a few hundred names.
const MAX_COMPARISONS: usize = 250_000;

#[cfg(test)]
mod tests;
