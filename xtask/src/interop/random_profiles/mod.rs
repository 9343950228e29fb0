//! Random profiles: what we issue under them, openssl and Python's `cryptography` read as it was asked for; and what `cryptography`'s
//! builder writes at random, we read as it was asked for.
//!
//! `COUNTERSIGN_SOAK_PROFILES` says how many, and `COUNTERSIGN_SOAK_SEED` is the seed. What is asked for is JSON that both sides
//! describe certificates in: dates, and for each extension whether it is critical and what it says.
mod draw;
mod describe;

use std::{fmt::Write, fs, path::Path};

use anyhow::{Context, Result, ensure};
use fastrand::Rng;
use pki::{Certificate, Issuance, KeyKind, PrivateKey, Profile};
use serde_json::{Value, json};

use self::{describe::describe, draw::draw};
use super::{
    case::{Case, read_by_us, reads_ours},
    environment::number,
    shell::Shell,
    tool::Tool::Python,
};

/// How many are tried without being told.
const SAMPLE: u64 = 25;

/// Issues certificates under random profiles.
pub(super) fn cases(dir: &Path) -> Result<Vec<Case>> {
    let (seed, count) = (
        number("COUNTERSIGN_SOAK_SEED", 0)?,
        number("COUNTERSIGN_SOAK_PROFILES", SAMPLE)?,
    );
    let ours = dir.join("random-profiles.jsonl");
    fs::write(&ours, issued(seed, count)?)?;
    let ours = ours.display().to_string();
    Ok(vec![
        reads_ours(
            Python,
            format!("{count} random profiles from seed {seed}, as openssl does"),
            format!("\"$PYTHON\" \"$JUDGES/profiles.py\" read '{ours}'"),
        ),
        read_by_us(
            Python,
            format!("{count} certificates with random profiles from seed {seed}"),
            "",
        )
        .by(move |shell| read(shell, seed, count)),
    ])
}

/// A line of JSON for each.
fn issued(seed: u64, count: u64) -> Result<String> {
    let key = PrivateKey::generate(KeyKind::EcP256)?;
    let mut lines = String::new();
    for seed in seed..seed.saturating_add(count) {
        let (profile, asked) = draw(&mut Rng::with_seed(seed));
        // It signs itself, so that no CA above limits what can be asked for.
        let issuance = Issuance::for_key(key.public_key(), "/CN=random".parse()?);
        let certificate = Profile::from_toml(&profile)
            .and_then(|profile| issuance.prepare_self_signed(&profile)?.sign(&key))
            .with_context(|| format!("seed {seed}: {profile}"))?;
        let line = json!({ "seed": seed, "pem": certificate.to_pem(), "asked": asked });
        writeln!(lines, "{line}")?;
    }
    Ok(lines)
}

/// A line of what Python writes.
#[derive(serde::Deserialize)]
struct Written {
    seed: u64,
    pem: String,
    asked: Value,
}

/// Reads what Python writes.
fn read(shell: &Shell, seed: u64, count: u64) -> Result<()> {
    let written = shell.run(&format!(
        "\"$PYTHON\" \"$JUDGES/profiles.py\" write {seed} {count}"
    ))?;
    let mut found = 0;
    let mut wrong = Vec::new();
    for line in written.lines() {
        let line: Written = serde_json::from_str(line)?;
        let read = describe(&Certificate::from_pem(&line.pem)?)?;
        if read != line.asked {
            let Written { seed, asked, .. } = line;
            wrong.push(format!("seed {seed}: asked for {asked}, read {read}"));
        }
        found += 1;
    }
    ensure!(found == count, "{found} certificates instead of {count}");
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}
