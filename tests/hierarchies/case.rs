//! What our CA is asked for, and what it says.

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use integration_tests::hierarchies::{
    Constraint, Hierarchy, Leaf,
    forge::{self, CaExtensions, Issuer},
};
use pki::{
    Certificate, CertificateAuthority, CertificateRequest, DistinguishedName, Error, KeyKind,
    PrivateKey, Profile, SubjectAltName, Validity,
};
use rand_core::UnwrapErr;

/// A path with our verdict on it.
pub(crate) struct Case {
    /// The leaf first, the root last. What we refused was forged.
    pub(crate) path: Vec<Certificate>,
    /// The name constraints on it.
    pub(crate) constraints: Vec<Constraint>,
    /// The alternative names of the leaf.
    pub(crate) names: Vec<SubjectAltName>,
    pub(crate) verdict: Verdict,
    /// When it is to be judged.
    pub(crate) times: Vec<SystemTime>,
    what: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Accepted,
    Refused(Ground),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ground {
    PathLength,
    Names,
    Dates,
}

impl Case {
    /// Every leaf and every CA of a hierarchy.
    pub(crate) fn all(seed: u64) -> Vec<Self> {
        let hierarchy = Hierarchy::random(seed, SystemTime::now());
        let key = PrivateKey::generate(KeyKind::EcP256).unwrap();
        let leaves = hierarchy
            .leaves
            .iter()
            .map(|(authority, leaf)| Self::of_leaf(&hierarchy, *authority, leaf, &key));
        let authorities = (0..hierarchy.authorities.len())
            .filter_map(|index| Self::of_authority(&hierarchy, index, &key));
        leaves.chain(authorities).collect()
    }

    fn of_leaf(hierarchy: &Hierarchy, authority: usize, leaf: &Leaf, key: &PrivateKey) -> Self {
        let mut request = CertificateRequest::builder(leaf.subject.clone());
        for name in &leaf.names {
            request = request.subject_alt_name(name.clone());
        }
        let request = request.sign(key).unwrap();
        let profile = match leaf.names.as_slice() {
            [] => Profile::client(),
            _ => Profile::peer(),
        };
        let issued = ours(hierarchy, authority).issue_at(
            &request.verify().unwrap(),
            &profile.validity(leaf.validity),
            hierarchy.now,
            &mut UnwrapErr(getrandom::SysRng),
        );
        let (first, verdict, times) = match &issued {
            Ok(certificate) => (
                certificate.clone(),
                Verdict::Accepted,
                times(leaf.validity, hierarchy.now),
            ),
            Err(error) => {
                let (ground, time) = ground(error, hierarchy.now);
                let issuer = issuer(hierarchy, authority);
                let forged = forge::leaf(issuer, key.public_key(), leaf);
                (forged, Verdict::Refused(ground), vec![time])
            }
        };
        Self {
            path: [vec![first], hierarchy.path(authority)].concat(),
            constraints: hierarchy.constraints(authority),
            names: leaf.names.clone(),
            verdict,
            times,
            what: format!("{leaf:?}: {issued:?}"),
        }
    }

    /// An intermediate CA, with as many below it as it may have, and a leaf below those.
    fn of_authority(hierarchy: &Hierarchy, index: usize, key: &PrivateKey) -> Option<Self> {
        let asked = &hierarchy.authorities[index];
        let parent = asked.parent?;
        let mut profile = Profile::intermediate().validity(asked.validity);
        if let Some(path_len) = asked.path_len {
            profile = profile.path_len(path_len);
        }
        let made = ours(hierarchy, parent).create_intermediate_at(
            asked.subject.clone(),
            copy(&asked.key),
            &profile,
            hierarchy.now,
            &mut UnwrapErr(getrandom::SysRng),
        );
        let (first, verdict, times) = match &made {
            Ok(made) => {
                let certificate = made.certificate().clone();
                (
                    certificate,
                    Verdict::Accepted,
                    times(asked.validity, hierarchy.now),
                )
            }
            Err(error) => {
                let (ground, time) = ground(error, hierarchy.now);
                let extensions = CaExtensions {
                    path_len: asked.path_len,
                    constraints: &[],
                };
                let subject = issuer(hierarchy, index);
                let issuer = issuer(hierarchy, parent);
                let forged = forge::ca(issuer, subject, asked.validity, &extensions);
                (forged, Verdict::Refused(ground), vec![time])
            }
        };
        let mut path = vec![first];
        for depth in 0..asked.path_len.unwrap_or(0) {
            let name = below(&asked.subject, &format!("below {depth}"));
            let (issuer_name, issuer_key) = match depth {
                0 => (asked.subject.clone(), &asked.key),
                _ => (path[0].subject().clone(), key),
            };
            let issuer = Issuer {
                name: &issuer_name,
                key: issuer_key,
            };
            let subject = Issuer { name: &name, key };
            path.insert(
                0,
                forge::ca(issuer, subject, asked.validity, &CaExtensions::default()),
            );
        }
        let leaf = Leaf {
            subject: below(&asked.subject, "leaf"),
            names: Vec::new(),
            validity: asked.validity,
        };
        let issuer_name = path[0].subject().clone();
        let issuer = Issuer {
            name: &issuer_name,
            key: if path.len() == 1 { &asked.key } else { key },
        };
        path.insert(0, forge::leaf(issuer, key.public_key(), &leaf));
        Some(Self {
            path: [path, hierarchy.path(parent)].concat(),
            constraints: hierarchy.constraints(parent),
            names: Vec::new(),
            verdict,
            times,
            what: format!(
                "{}, path length {:?}: {made:?}",
                asked.subject, asked.path_len
            ),
        })
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:?} {}", self.verdict, self.what)?;
        for certificate in &self.path {
            let validity = certificate.validity();
            writeln!(
                f,
                "  {} {:?} {:?} {}",
                certificate.subject(),
                certificate.basic_constraints(),
                (validity.not_before, validity.not_after),
                certificate
                    .name_constraints()
                    .map(ToString::to_string)
                    .unwrap_or_default()
            )?;
        }
        Ok(())
    }
}

/// Our CA with the certificate of this one, and those of its issuers.
fn ours(hierarchy: &Hierarchy, index: usize) -> CertificateAuthority {
    let path = hierarchy.path(index);
    let (own, issuers) = path.split_first().unwrap();
    let key = copy(&hierarchy.authorities[index].key);
    CertificateAuthority::with_issuers(own.clone(), issuers.to_vec(), key).unwrap()
}

fn issuer(hierarchy: &Hierarchy, index: usize) -> Issuer<'_> {
    let authority = &hierarchy.authorities[index];
    Issuer {
        name: &authority.subject,
        key: &authority.key,
    }
}

fn copy(key: &PrivateKey) -> PrivateKey {
    PrivateKey::from_der(&key.to_pkcs8_der().unwrap(), None).unwrap()
}

/// A name further down: what permits or excludes the one does so with the other.
fn below(name: &DistinguishedName, common_name: &str) -> DistinguishedName {
    let last: DistinguishedName = format!("/CN={common_name}").parse().unwrap();
    let contents = |name: &DistinguishedName| {
        let der = name.as_der();
        let header = if der[1] < 0x80 {
            2
        } else {
            2 + usize::from(der[1] & 0x7f)
        };
        der[header..].to_vec()
    };
    let der = forge::sequence(&[&contents(name), &contents(&last)]);
    DistinguishedName::from_der(&der).unwrap()
}

/// When a path with this validity is accepted.
fn times(validity: Validity, now: SystemTime) -> Vec<SystemTime> {
    let mut times = vec![validity.not_before, validity.not_after - A_SECOND];
    // One may be asked for that has passed, or has not begun.
    times.extend(validity.contains(now).then_some(now));
    times
}

/// The last second of a validity counts to it (RFC 5280, section 4.1.2.5), and OpenSSL says that it doesn't.
const A_SECOND: Duration = Duration::from_secs(1);

/// The limit that was refused for, and when it makes a difference.
fn ground(error: &Error, now: SystemTime) -> (Ground, SystemTime) {
    match error {
        Error::PathLengthExceeded { .. } => (Ground::PathLength, now),
        Error::NameNotPermitted { .. }
        | Error::NameExcluded { .. }
        | Error::UnsupportedNameConstraint { .. } => (Ground::Names, now),
        Error::AuthorityExpired { .. } | Error::AuthorityNotYetValid { .. } => (Ground::Dates, now),
        Error::ValidityExceedsAuthority { requested, .. } => (Ground::Dates, *requested - A_SECOND),
        Error::ValidityPrecedesAuthority { requested, .. } => (Ground::Dates, *requested),
        other => panic!("{other}"),
    }
}
