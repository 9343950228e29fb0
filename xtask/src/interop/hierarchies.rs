//! Random hierarchies: what our CA issues in them is accepted by others, and what it refuses would be refused by others.
//!
//! The chains stay in `target/hierarchies`. `COUNTERSIGN_SOAK_HIERARCHIES` says how many hierarchies, and
//! `COUNTERSIGN_SOAK_SEED` which is the first.
use std::{
    collections::BTreeSet,
    fmt::Write,
    fs,
    path::Path,
    time::{Duration, SystemTime},
};

use anyhow::{Context, Result};
use fixtures::random::{Attempt, Ca, Ground, Hierarchy, Purpose, Subtree, Wish};

use super::{
    case::{Case, agrees},
    environment::number,
    tool::Tool::{Gnutls, Openssl},
};
use crate::workspace;

/// How many hierarchies are tried without being told: enough for every difference to show.
const SAMPLE: u64 = 180;

/// A certificate that was asked for, and what is known about it.
struct Tried<'a> {
    /// The issuers in the description, from the CA that was asked to the root.
    path: Vec<&'a Ca>,
    wish: &'a Wish,
    attempt: &'a Attempt,
}

/// Where a judge differs from our CA, and why.
struct Difference {
    reason: &'static str,
    applies: fn(&Tried<'_>) -> bool,
}

/// OpenSSL 3. Beside this, it doesn't count the last second of a validity.
const OPENSSL: &[Difference] = &[Difference {
    reason: "OpenSSL lets a wildcard stand for hosts that are excluded",
    applies: |tried| tried.refused_for("DNS:*."),
}];

/// GnuTLS 3.7.
const GNUTLS: &[Difference] = &[
    Difference {
        reason: "GnuTLS lets a wildcard stand for hosts that are excluded",
        applies: |tried| tried.refused_for("DNS:*."),
    },
    Difference {
        reason: "GnuTLS refuses all below excluded dirNames and URIs, which it doesn't compare",
        applies: |tried| {
            tried.issued()
                && tried
                    .excludes(|subtree| matches!(subtree, Subtree::Directory(_) | Subtree::Uri(_)))
        },
    },
    Difference {
        reason: "GnuTLS takes any common name of a server without host names for one: a host or not",
        applies: |tried| {
            tried.issued()
                && tried.wish.purpose == Purpose::Server
                && !tried.presents("DNS:")
                && tried.constrains(is_dns)
        },
    },
    Difference {
        reason: "GnuTLS counts self-issued CAs, and constrains their names",
        applies: |tried| {
            let self_issued =
                |pair: &[&Ca]| matches!(pair, [ca, issuer] if ca.subject == issuer.subject);
            tried.issued() && tried.path.windows(2).any(self_issued)
        },
    },
    Difference {
        reason: "GnuTLS accepts all below permitted dirNames, which it doesn't compare",
        applies: |tried| {
            tried.refused_for("subject ")
                && tried.permits(|subtree| matches!(subtree, Subtree::Directory(_)))
        },
    },
    Difference {
        reason: "GnuTLS accepts all below permitted URIs, which it doesn't compare",
        applies: |tried| {
            tried.refused_for("URI:") && tried.permits(|subtree| matches!(subtree, Subtree::Uri(_)))
        },
    },
    Difference {
        reason: "GnuTLS doesn't take the common name of a client for a host name",
        applies: |tried| tried.refused_for("common name ") && tried.wish.purpose == Purpose::Client,
    },
    Difference {
        reason: "GnuTLS tells IPv4 from IPv6: what permits addresses of the one leaves the other free",
        applies: |tried| {
            tried.refused_for("IP:") && tried.permits(|subtree| matches!(subtree, Subtree::Ip(..)))
        },
    },
    Difference {
        reason: "GnuTLS doesn't look at the purposes of a root",
        applies: |tried| {
            matches!(tried.attempt.refusal, Some((Ground::Purposes, _)))
                && tried
                    .path
                    .last()
                    .is_some_and(|root| root.purposes.is_some())
        },
    },
    Difference {
        reason: "GnuTLS compares an e-mail address in the subject only where there is none beside it",
        applies: |tried| tried.refused_for("emailAddress ") && tried.presents("email:"),
    },
];

fn is_dns(subtree: &Subtree) -> bool {
    matches!(subtree, Subtree::Dns(_))
}

impl Tried<'_> {
    fn issued(&self) -> bool {
        self.attempt.refusal.is_none()
    }

    /// Whether it was refused for the name that is printed with this prefix.
    fn refused_for(&self, name: &str) -> bool {
        matches!(&self.attempt.refusal, Some((Ground::NameConstraints, error)) if error.to_string().starts_with(name))
    }

    fn permits(&self, what: impl Fn(&Subtree) -> bool) -> bool {
        self.path.iter().any(|ca| ca.permitted.iter().any(&what))
    }

    fn excludes(&self, what: impl Fn(&Subtree) -> bool) -> bool {
        self.path.iter().any(|ca| ca.excluded.iter().any(&what))
    }

    fn constrains(&self, what: impl Fn(&Subtree) -> bool) -> bool {
        self.permits(&what) || self.excludes(&what)
    }

    /// Whether there is an alternative name that is printed with this prefix.
    fn presents(&self, form: &str) -> bool {
        self.wish
            .alt_names
            .iter()
            .any(|name| name.to_string().starts_with(form))
    }
}

/// Writes the chains and what is expected of them. Fails where our CA refuses on grounds that nobody gave it.
pub(super) fn cases() -> Result<Vec<Case>> {
    let (first, count) = (
        number("COUNTERSIGN_SOAK_SEED", 0)?,
        number("COUNTERSIGN_SOAK_HIERARCHIES", SAMPLE)?,
    );
    let dir = workspace::root()?.join("target/hierarchies");
    if dir.exists() {
        fs::remove_dir_all(&dir)?;
    }
    let mut cases = Vec::new();
    let (mut start, end) = (first, first + count);
    while start < end {
        // A script has two minutes.
        let seeds = start..end.min(start + SAMPLE);
        let dir = dir.join(start.to_string());
        // In the usual sample, every difference shows.
        let whole = seeds == (0..SAMPLE);
        write(seeds, &dir, whole).with_context(|| dir.display().to_string())?;
        for (tool, program) in [(Openssl, "openssl"), (Gnutls, "gnutls")] {
            cases.push(agrees(
                tool,
                format!("what our CA issues and refuses in random hierarchies from seed {start}"),
                format!(
                    "\"$PYTHON\" \"$JUDGES/verdicts.py\" {program} '{}'",
                    dir.join(program).display()
                ),
            ));
        }
        start += SAMPLE;
    }
    Ok(cases)
}

/// Writes a directory for each judge.
fn write(seeds: std::ops::Range<u64>, dir: &Path, whole: bool) -> Result<()> {
    let now = SystemTime::now();
    let (mut roots, mut issuers) = (BTreeSet::new(), BTreeSet::new());
    let (mut openssl, mut gnutls) = (String::new(), String::new());
    for seed in seeds {
        let hierarchy = Hierarchy::new(seed, now)?;
        let description = hierarchy.description();
        for (index, wish) in description.wishes.iter().enumerate() {
            let attempt = hierarchy
                .attempt(index)
                .with_context(|| format!("seed {seed}, wish {index}"))?;
            let name = format!("{seed}-{index}");
            for judge in ["openssl", "gnutls"] {
                attempt.write(&dir.join(judge), &name)?;
            }
            let [_, between @ .., root] = &attempt.chain[..] else {
                anyhow::bail!("a chain has a leaf and a root");
            };
            roots.insert(root.to_pem());
            issuers.extend(between.iter().map(|issuer| issuer.to_pem()));
            let path = hierarchy.path(wish.issuer).into_iter();
            let tried = Tried {
                path: path.filter_map(|ca| description.cas.get(ca)).collect(),
                wish,
                attempt: &attempt,
            };
            let verdict = if tried.issued() {
                "accepted"
            } else {
                "refused"
            };
            let purpose = match wish.purpose {
                Purpose::Client => "client",
                Purpose::Server => "server",
            };
            for at in &attempt.at {
                // OpenSSL takes the last second of a validity for one after it.
                let at = if attempt
                    .chain
                    .iter()
                    .any(|certificate| certificate.validity().not_after == *at)
                {
                    *at - Duration::from_secs(1)
                } else {
                    *at
                };
                let seconds = at.duration_since(SystemTime::UNIX_EPOCH)?.as_secs();
                let difference = difference(OPENSSL, &tried);
                writeln!(
                    openssl,
                    "{name}.pem\t{purpose}\t{seconds}\t{verdict}\t{difference}"
                )?;
            }
            // certtool knows the present time only.
            if attempt.at.contains(&now) {
                let difference = difference(GNUTLS, &tried);
                writeln!(
                    gnutls,
                    "{name}.pem\t{purpose}\tnow\t{verdict}\t{difference}"
                )?;
            }
        }
    }
    for (judge, expected, differences) in
        [("openssl", openssl, OPENSSL), ("gnutls", gnutls, GNUTLS)]
    {
        let dir = dir.join(judge);
        fs::write(dir.join("expected"), expected)?;
        let reasons = differences
            .iter()
            .filter(|_| whole)
            .map(|difference| difference.reason);
        fs::write(
            dir.join("differences"),
            reasons.collect::<Vec<_>>().join("\n"),
        )?;
        fs::write(
            dir.join("roots"),
            roots.iter().map(String::as_str).collect::<String>(),
        )?;
        fs::write(
            dir.join("issuers"),
            issuers.iter().map(String::as_str).collect::<String>(),
        )?;
    }
    Ok(())
}

/// The difference that may turn a verdict round, or a dash.
fn difference(differences: &[Difference], tried: &Tried<'_>) -> &'static str {
    let applies = |difference: &&Difference| (difference.applies)(tried);
    differences
        .iter()
        .find(applies)
        .map_or("-", |difference| difference.reason)
}
