use std::collections::BTreeSet;

use super::limits::is_self_issued;
use crate::{Certificate, Error, PolicyConstraints, PolicyInformation};

/// Whether a certificate has a policy that the CAs above allow, where one of them requires that (RFC 5280, section 6.1, where
/// nobody asks for a certain policy: the user-initial-policy-set is any-policy). Then it doesn't matter from which policy one
/// came, and a set at each level says as much as the tree: the simplification of RFC 9618.
///
/// A root at the end is a trust anchor: its constraints hold, and what it says about policies doesn't count.
pub(super) fn check(chain: &[Certificate], unsigned: &Certificate) -> Result<(), Error> {
    let speaks = |issuer: &Certificate| {
        [POLICY_CONSTRAINTS, POLICY_MAPPINGS]
            .into_iter()
            .any(|oid| issuer.extension_value(oid).is_some())
    };
    if !chain.iter().any(speaks) {
        return Ok(());
    }
    let mut path = Path::new();
    let (anchor, issuers) = match chain.split_last() {
        Some((root, issuers)) if is_self_issued(root) => (Some(root), issuers),
        _ => (None, chain),
    };
    if let Some(anchor) = anchor {
        path.constrain(anchor)?;
    }
    for issuer in issuers.iter().rev() {
        path.enter(issuer, IsLast::No)?;
        path.pass(issuer)?;
    }
    if unsigned.is_authority() {
        return path.enter(unsigned, IsLast::No);
    }
    // Section 6.1.5, (a) and (b).
    step(&mut path.explicit);
    path.constrain(unsigned)?;
    path.enter(unsigned, IsLast::Yes)
}

/// What is known on the way down.
struct Path {
    /// The policies that may come next; `None` when there are none left.
    expected: Option<Policies>,
    /// How many certificates may still follow before a policy is required, mappings are ignored, and anyPolicy counts no longer;
    /// `None` for any number.
    explicit: Option<u32>,
    mapping: Option<u32>,
    any_policy: Option<u32>,
    /// Whose constraints require a policy.
    required_by: String,
}

/// A set of policies that isn't empty.
struct Policies {
    is_any: bool,
    named: BTreeSet<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum IsLast {
    Yes,
    No,
}

impl Path {
    fn new() -> Self {
        Self {
            expected: Policies::some(true, BTreeSet::new()),
            explicit: None,
            mapping: None,
            any_policy: None,
            required_by: String::new(),
        }
    }

    /// Section 6.1.3, (d) to (f).
    fn enter(&mut self, certificate: &Certificate, is_last: IsLast) -> Result<(), Error> {
        let mut has_any = false;
        let mut named = BTreeSet::new();
        for information in certificate.certificate_policies()? {
            if information.policy == PolicyInformation::ANY {
                has_any = self.any_policy != Some(0)
                    || is_last == IsLast::No && is_self_issued(certificate);
            } else {
                named.insert(information.policy);
            }
        }
        self.expected = self.expected.take().and_then(|expected| {
            if !expected.is_any {
                named.retain(|policy| expected.named.contains(policy));
            }
            if has_any {
                named.extend(expected.named);
            }
            Policies::some(expected.is_any && has_any, named)
        });
        if self.explicit == Some(0) && self.expected.is_none() {
            return Err(Error::PolicyNotPermitted {
                issuer: self.required_by.clone(),
                subject: certificate.subject().to_string(),
            });
        }
        Ok(())
    }

    /// Section 6.1.4, as far as it is about policies.
    fn pass(&mut self, issuer: &Certificate) -> Result<(), Error> {
        self.map(issuer)?;
        if !is_self_issued(issuer) {
            step(&mut self.explicit);
            step(&mut self.mapping);
            step(&mut self.any_policy);
        }
        self.constrain(issuer)
    }

    /// (a) and (b): policies of the issuer that is passed become those of its subject.
    fn map(&mut self, issuer: &Certificate) -> Result<(), Error> {
        let mappings = issuer.policy_mappings()?;
        let is_any = |policy: &String| policy == PolicyInformation::ANY;
        if mappings
            .iter()
            .any(|mapping| is_any(&mapping.issuer_domain) || is_any(&mapping.subject_domain))
        {
            return Err(Error::malformed(
                "policy mappings",
                "anyPolicy is mapped, which RFC 5280 doesn't allow",
            ));
        }
        let Some(mut expected) = self.expected.take() else {
            return Ok(());
        };
        let mut mapped = BTreeSet::new();
        for mapping in &mappings {
            let is_valid = expected.is_any || expected.named.contains(&mapping.issuer_domain);
            if is_valid && self.mapping != Some(0) {
                mapped.insert(mapping.subject_domain.clone());
            }
        }
        for mapping in &mappings {
            expected.named.remove(&mapping.issuer_domain);
        }
        expected.named.extend(mapped);
        self.expected = Policies::some(expected.is_any, expected.named);
        Ok(())
    }

    /// (i) and (j).
    fn constrain(&mut self, issuer: &Certificate) -> Result<(), Error> {
        let PolicyConstraints {
            require_explicit_policy,
            inhibit_policy_mapping,
        } = issuer.policy_constraints()?.unwrap_or_default();
        if lower(&mut self.explicit, require_explicit_policy) {
            self.required_by = issuer.subject().to_string();
        }
        lower(&mut self.mapping, inhibit_policy_mapping);
        lower(&mut self.any_policy, issuer.inhibit_any_policy()?);
        Ok(())
    }
}

impl Policies {
    fn some(is_any: bool, named: BTreeSet<String>) -> Option<Self> {
        (is_any || !named.is_empty()).then_some(Self { is_any, named })
    }
}

fn step(number: &mut Option<u32>) {
    *number = number.map(|number| number.saturating_sub(1));
}

/// Whether it became smaller.
fn lower(number: &mut Option<u32>, limit: Option<u32>) -> bool {
    match (*number, limit) {
        (Some(number), Some(limit)) if number <= limit => false,
        (_, None) => false,
        (_, Some(_)) => {
            *number = limit;
            true
        }
    }
}

pub(super) const POLICY_CONSTRAINTS: &str = "2.5.29.36";
pub(super) const POLICY_MAPPINGS: &str = "2.5.29.33";
