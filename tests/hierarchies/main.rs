//! Random hierarchies: what our CA issues below them is accepted by others, and what it refuses for the limits of its chain
//! would have been refused by others.
//!
//! A hierarchy that fails is drawn again by its seed: `COUNTERSIGN_SEED=17`. How many are drawn is
//! `COUNTERSIGN_SOAK_HIERARCHIES`.
#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that can't be set up has failed"
)]

mod case;
mod judges;

use std::env;

use self::{
    case::{Case, Verdict},
    judges::Judge,
};

#[test]
fn webpki_accepts_what_is_issued() {
    let tally = judge_all(drawn(60), &[Judge::Webpki]);
    // None of the checks is idle.
    assert!(tally.accepted > 50 && tally.judged > 50, "{tally:?}");
    assert!(
        tally.refused.iter().all(|refused| *refused > 10),
        "{tally:?}"
    );
}

#[test]
#[ignore = "needs openssl and certtool, and some seconds: cargo xtask interop runs it"]
fn openssl_gnutls_and_webpki_agree() {
    let judges = [Judge::OpenSsl, Judge::GnuTls, Judge::Webpki];
    let tally = judge_all(drawn(60), &judges);
    println!("{tally:?}");
}

/// How many of the cases there were.
#[derive(Debug, Default)]
struct Tally {
    hierarchies: u64,
    accepted: usize,
    /// By [`case::Ground`].
    refused: [usize; 3],
    /// Verdicts that were asked for.
    judged: usize,
}

fn judge_all(seeds: impl Iterator<Item = u64>, judges: &[Judge]) -> Tally {
    let folder = tempfile::tempdir().unwrap();
    let mut tally = Tally::default();
    for seed in seeds {
        tally.hierarchies += 1;
        for case in Case::all(seed) {
            match case.verdict {
                Verdict::Accepted => tally.accepted += 1,
                Verdict::Refused(ground) => tally.refused[ground as usize] += 1,
            }
            for judge in judges {
                match judge.check(&case, folder.path()) {
                    Ok(judged) => tally.judged += usize::from(judged),
                    Err(why) => panic!("seed {seed}: {judge:?}: {why}\n{case}"),
                }
            }
        }
    }
    tally
}

/// The seeds to draw from: as many as are usual, unless the environment says otherwise.
fn drawn(usual: u64) -> std::ops::Range<u64> {
    let number = |name| {
        env::var(name)
            .ok()
            .map(|value| value.parse::<u64>().unwrap())
    };
    match number("COUNTERSIGN_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("COUNTERSIGN_SOAK_HIERARCHIES").unwrap_or(usual),
    }
}
