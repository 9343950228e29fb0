//! What our CA issues and refuses in random hierarchies, judged by webpki. `cargo xtask interop` asks openssl and GnuTLS.
use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use fixtures::random::{Attempt, Ca, Ground, Hierarchy, Purpose, Subtree, Wish};
use pki::SubjectAltName;
use rustls_pki_types::UnixTime;
use webpki::KeyUsage;

use crate::support::webpki_accepts;

/// A certificate that was asked for, and what is known about it.
struct Case<'a> {
    /// The issuers in the description, from the CA that was asked to the root.
    path: Vec<&'a Ca>,
    wish: &'a Wish,
    attempt: &'a Attempt,
}

/// Where webpki differs, and why. One that no case needs fails the test: then webpki has changed, and so must the list.
struct Difference {
    reason: &'static str,
    applies: fn(&Case<'_>) -> bool,
}

/// What webpki refuses although it is right.
const REFUSED_THOUGH_RIGHT: &[Difference] = &[
    Difference {
        reason: "permitted dirNames match nothing in webpki, and excluded ones everything",
        applies: |case| case.constrains(|subtree| matches!(subtree, Subtree::Directory(_))),
    },
    Difference {
        reason: "webpki doesn't compare e-mail addresses with constraints: none is permitted, all are excluded",
        applies: |case| {
            case.presents(|name| matches!(name, SubjectAltName::Email(_)))
                && case.constrains(|subtree| matches!(subtree, Subtree::Email(_)))
        },
    },
    Difference {
        reason: "webpki doesn't compare URIs with constraints: none is permitted, all are excluded",
        applies: |case| {
            case.presents(|name| matches!(name, SubjectAltName::Uri(_)))
                && case.constrains(|subtree| matches!(subtree, Subtree::Uri(_)))
        },
    },
    Difference {
        reason: "webpki counts self-issued CAs, which RFC 5280, section 6.1.4 (l), doesn't",
        applies: |case| {
            case.path.iter().any(|ca| ca.path_len.is_some())
                && case
                    .path
                    .windows(2)
                    .any(|pair| pair[0].subject == pair[1].subject)
        },
    },
];

/// What webpki accepts although it is wrong.
const ACCEPTED_THOUGH_WRONG: &[Difference] = &[
    Difference {
        reason: "a trust anchor is a name and a key: its path length isn't looked at",
        applies: |case| {
            case.refused(Ground::PathLength) && case.path.last().unwrap().path_len.is_some()
        },
    },
    Difference {
        reason: "a trust anchor is a name and a key: its dates aren't looked at",
        applies: |case| {
            let root = case.attempt.chain.last().unwrap();
            case.refused(Ground::Dates) && !root.is_valid_at(case.attempt.at[0])
        },
    },
    Difference {
        reason: "webpki doesn't look at e-mail addresses in subjects",
        applies: |case| {
            case.refused(Ground::NameConstraints)
                && case.wish.subject.to_string().contains("@")
                && case.constrains(|subtree| matches!(subtree, Subtree::Email(_)))
        },
    },
    Difference {
        reason: "webpki takes no common name for a host name",
        applies: |case| {
            case.refused(Ground::NameConstraints)
                && !case.presents(|name| matches!(name, SubjectAltName::Dns(_)))
                && case.constrains(|subtree| matches!(subtree, Subtree::Dns(_)))
        },
    },
];

impl Case<'_> {
    fn constrains(&self, by: impl Fn(&Subtree) -> bool) -> bool {
        self.path
            .iter()
            .any(|ca| ca.permitted.iter().chain(&ca.excluded).any(&by))
    }

    fn presents(&self, what: impl Fn(&SubjectAltName) -> bool) -> bool {
        self.wish.alt_names.iter().any(what)
    }

    fn refused(&self, on: Ground) -> bool {
        self.attempt
            .refusal
            .as_ref()
            .is_some_and(|(ground, _)| *ground == on)
    }
}

#[test]
fn webpki_agrees_with_our_ca_about_random_hierarchies() {
    let (first, count) = (
        number("COUNTERSIGN_SOAK_SEED", 0),
        number("COUNTERSIGN_SOAK_HIERARCHIES", SAMPLE),
    );
    let now = SystemTime::now();
    let dir = failures_dir();
    let (mut found, mut needed) = (Vec::new(), BTreeMap::new());
    let mut totals: BTreeMap<Option<Ground>, usize> = BTreeMap::new();
    for seed in first..first + count {
        let hierarchy = Hierarchy::new(seed, now).unwrap();
        let description = hierarchy.description();
        for (index, wish) in description.wishes.iter().enumerate() {
            let attempt = match hierarchy.attempt(index) {
                Ok(attempt) => attempt,
                Err(error) => {
                    found.push(format!(
                        "seed {seed}, wish {index}: refused on other grounds: {error}"
                    ));
                    continue;
                }
            };
            *totals
                .entry(attempt.refusal.as_ref().map(|refusal| refusal.0))
                .or_default() += 1;
            let case = Case {
                path: hierarchy
                    .path(wish.issuer)
                    .into_iter()
                    .map(|ca| &description.cas[ca])
                    .collect(),
                wish,
                attempt: &attempt,
            };
            let Some(disagreement) = disagreement(&case) else {
                continue;
            };
            let differences = match attempt.refusal {
                None => REFUSED_THOUGH_RIGHT,
                Some(_) => ACCEPTED_THOUGH_WRONG,
            };
            match differences
                .iter()
                .find(|difference| (difference.applies)(&case))
            {
                Some(difference) => *needed.entry(difference.reason).or_insert(0) += 1,
                None => {
                    attempt.write(&dir, &format!("{seed}-{index}")).unwrap();
                    found.push(format!("seed {seed}, wish {index}: {disagreement}"));
                }
            }
        }
    }
    println!("{totals:?}, {needed:#?}");
    assert!(
        found.is_empty(),
        "the chains are in {}\n{}",
        dir.display(),
        found.join("\n")
    );
    if count >= SAMPLE {
        for difference in REFUSED_THOUGH_RIGHT.iter().chain(ACCEPTED_THOUGH_WRONG) {
            assert!(
                needed.contains_key(difference.reason),
                "not so: {}",
                difference.reason
            );
        }
        for ground in [
            None,
            Some(Ground::PathLength),
            Some(Ground::NameConstraints),
            Some(Ground::Dates),
        ] {
            assert!(totals.contains_key(&ground), "{ground:?} never came about");
        }
    }
}

/// How webpki disagrees with our CA.
fn disagreement(case: &Case<'_>) -> Option<String> {
    let usage = || match case.wish.purpose {
        Purpose::Client => KeyUsage::client_auth(),
        Purpose::Server => KeyUsage::server_auth(),
    };
    case.attempt.at.iter().find_map(|at| {
        let seconds = at.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
        let at = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        match (
            &case.attempt.refusal,
            webpki_accepts(&case.attempt.chain, usage(), at),
        ) {
            (None, Err(error)) => Some(format!("issued, and webpki says {error:?} at {seconds}")),
            (Some((_, error)), Ok(())) => Some(format!(
                "accepted by webpki at {seconds}, and refused by us: {error}"
            )),
            (None, Ok(())) | (Some(_), Err(_)) => None,
        }
    })
}

/// How many hierarchies a plain run tries: enough for every difference to show.
const SAMPLE: u64 = 300;

fn number(variable: &str, default: u64) -> u64 {
    env::var(variable).map_or(default, |value| value.parse().expect(variable))
}

/// An empty directory for the chains that fail.
fn failures_dir() -> PathBuf {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("hierarchies");
    if dir.exists() {
        fs::remove_dir_all(&dir).unwrap();
    }
    dir
}
