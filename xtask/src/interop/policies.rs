//! Random certificate policies, mappings and constraints along a path: what our CA issues below them is accepted by others, and what it
//! refuses would be refused by others.
//!
//! `COUNTERSIGN_SOAK_POLICIES` says how many paths, and `COUNTERSIGN_SOAK_SEED` which is the first.
use std::{fs, path::Path};

use anyhow::{Context, Result, bail, ensure};
use fastrand::Rng;
use pki::{
    Certificate, CertificateAuthority, Error, Extension, Issuance, Issuer, KeyKind,
    PolicyConstraints, PolicyInformation, PolicyMapping, PrivateKey, Profile,
};

use super::{
    case::{Case, agrees},
    environment::number,
    tool::Tool::{Java, Openssl},
};

/// How many paths are tried: in them both verdicts are frequent.
const SAMPLE: u64 = 200;

/// Issues leaves below random CAs, by force where our CA refuses.
pub(super) fn cases(dir: &Path) -> Result<Vec<Case>> {
    let (first, count) = (
        number("COUNTERSIGN_SOAK_SEED", 0)?,
        number("COUNTERSIGN_SOAK_POLICIES", SAMPLE)?,
    );
    let dir = dir.join("policies");
    fs::create_dir(&dir)?;
    let authorities = Authorities::new()?;
    fs::write(
        dir.join("root.pem"),
        authorities.root.certificate().to_pem(),
    )?;
    let (mut of_openssl, mut of_java) = (String::new(), String::new());
    let (mut accepted, mut refused) = (0, 0);
    for seed in first..first.saturating_add(count) {
        let rng = &mut Rng::with_seed(seed);
        let (chain, verdict) = authorities
            .try_one(rng)
            .with_context(|| format!("seed {seed}"))?;
        match verdict {
            "accepted" => accepted += 1,
            _ => refused += 1,
        }
        let line = format!("{seed}.pem\tseed {seed}\t{verdict}\t\n");
        of_java.push_str(&line);
        if !is_strange_to_openssl(&chain)? {
            of_openssl.push_str(&line);
        }
        let chain: String = chain.iter().map(Certificate::to_pem).collect();
        fs::write(dir.join(format!("{seed}.pem")), chain)?;
    }
    ensure!(
        accepted.min(refused) > count / 10,
        "{accepted} accepted, {refused} refused: that shows nothing"
    );
    let judges = [
        (Openssl, "openssl_any_policy", of_openssl),
        (Java, "java", of_java),
    ];
    let mut cases = Vec::new();
    for (tool, program, expected) in judges {
        fs::write(dir.join(format!("expected.{program}")), expected)?;
        cases.push(agrees(
            tool,
            format!("what our CA issues ({accepted}) and refuses ({refused}) under random policies from seed {first}"),
            format!(
                "\"$PYTHON\" \"$JUDGES/chains.py\" {program} '{}'",
                dir.display()
            ),
        ));
    }
    Ok(cases)
}

/// OpenSSL (3.0) takes a policy that a CA maps for one that it has, where it has anyPolicy, inhibited or not; RFC 5280, section 6.1.4
/// (b), has only what is valid mapped.
fn is_strange_to_openssl(chain: &[Certificate]) -> Result<bool> {
    for certificate in chain {
        let policies = certificate.certificate_policies()?;
        let has = |policy: &str| policies.iter().any(|it| it.policy == policy);
        let mappings = certificate.policy_mappings()?;
        if has(PolicyInformation::ANY) && mappings.iter().any(|it| !has(&it.issuer_domain)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A root and CAs below each other without policies. Each lends its name and key to one with policies, and signs what that one
/// wouldn't.
struct Authorities {
    root: CertificateAuthority,
    below: Vec<CertificateAuthority>,
    leaf: PrivateKey,
}

impl Authorities {
    fn new() -> Result<Self> {
        let key = || PrivateKey::generate(KeyKind::EcP256);
        let root =
            CertificateAuthority::create_root("/CN=Root".parse()?, key()?, &Profile::root())?;
        let mut below: Vec<CertificateAuthority> = Vec::new();
        for number in 1..=3 {
            let subject = format!("/CN=CA {number}").parse()?;
            let issuer = below.last().unwrap_or(&root);
            below.push(issuer.create_intermediate(subject, key()?, &Profile::intermediate())?);
        }
        Ok(Self {
            root,
            below,
            leaf: key()?,
        })
    }

    /// A chain without its root, the leaf first, and what our CA makes of it.
    fn try_one(&self, rng: &mut Rng) -> Result<(Vec<Certificate>, &'static str)> {
        let depth = rng.usize(1..=self.below.len());
        let mut plain = &self.root;
        let mut chain = vec![self.root.certificate().clone()];
        for ca in self.below.iter().take(depth) {
            let profile = authority(rng)?;
            chain.insert(
                0,
                forced(plain, ca.private_key(), ca.certificate(), &profile)?,
            );
            plain = ca;
        }
        let profile = with_policies(Profile::client(), rng)?;
        let subject: pki::DistinguishedName = "/CN=leaf".parse()?;
        let issuance = Issuance::for_key(self.leaf.public_key(), subject);
        let [own, issuers @ ..] = &chain[..] else {
            bail!("a chain without a CA");
        };
        let issuer = Issuer::with_issuers(own.clone(), issuers.to_vec())?;
        let verdict = match issuer.prepare(&issuance, &profile) {
            Ok(_) => "accepted",
            Err(Error::PolicyNotPermitted { .. }) => "refused",
            Err(other) => return Err(other.into()),
        };
        let leaf = plain
            .issuer()
            .prepare(&issuance, &profile)?
            .sign(plain.private_key())?;
        chain.pop();
        chain.insert(0, leaf);
        Ok((chain, verdict))
    }
}

/// A certificate for the key and the name of a CA.
fn forced(
    issuer: &CertificateAuthority,
    key: &PrivateKey,
    named: &Certificate,
    profile: &Profile,
) -> Result<Certificate> {
    let issuance = Issuance::for_key(key.public_key(), named.subject().clone());
    let prepared = issuer.issuer().prepare(&issuance, profile)?;
    Ok(prepared.sign(issuer.private_key())?)
}

fn authority(rng: &mut Rng) -> Result<Profile> {
    let mut profile = with_policies(Profile::intermediate(), rng)?;
    if rng.u8(..3) == 0 {
        let mapping = |issuer: &str, subject: &str| PolicyMapping {
            issuer_domain: issuer.to_owned(),
            subject_domain: subject.to_owned(),
        };
        let mut mappings = vec![mapping(rng.choice(NAMED).unwrap_or(""), "1.2.3.2")];
        if rng.bool() {
            mappings.push(mapping("1.2.3.2", "1.2.3.3"));
        }
        mappings.dedup();
        profile = profile.extension(Extension::policy_mappings(mappings)?);
    }
    if rng.bool() {
        let constraints = PolicyConstraints {
            require_explicit_policy: Some(rng.u32(..3)),
            inhibit_policy_mapping: rng.bool().then(|| rng.u32(..3)),
        };
        profile = profile.extension(Extension::policy_constraints(constraints)?);
    }
    if rng.u8(..3) == 0 {
        profile = profile.extension(Extension::inhibit_any_policy(rng.u32(..3)));
    }
    Ok(profile)
}

fn with_policies(profile: Profile, rng: &mut Rng) -> Result<Profile> {
    let any = PolicyInformation::ANY;
    let mut policies: Vec<&str> = NAMED.into_iter().filter(|_| rng.bool()).collect();
    policies.extend((rng.u8(..3) == 0).then_some(any));
    if policies.is_empty() {
        return Ok(profile);
    }
    let policies = policies.into_iter().map(PolicyInformation::new);
    Ok(profile.extension(Extension::certificate_policies(policies)?))
}

const NAMED: [&str; 3] = ["1.2.3.1", "1.2.3.2", "1.2.3.3"];
