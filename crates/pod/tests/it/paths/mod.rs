//! Which chains of certificates lead to one that was imported, and why the others don't.

mod anchors;
mod dates;
mod extensions;
mod issuers;
mod name_constraints;
mod search;
mod signatures;

use pki::{CertificateAuthority, DistinguishedName, PrivateKey};

use rustls::AlertDescription;

use crate::support::{BOT, Forgery, Identity, World, key, name, tlv, v1_certificate};

/// A self-signed v1 certificate.
fn self_signed(common_name: &str) -> Identity {
    let key = key();
    let name = name(common_name);
    Identity::new([v1_certificate(&name, &key, &name, &key)], &key)
}

/// A bot under a signing certificate of the world's CA, which is sent along.
fn below(world: &World, adorn: impl FnOnce(Forgery<'_>) -> Forgery<'_>) -> Identity {
    let ca = &world.ca;
    let (signing, signing_key) = (name("Signing"), key());
    let issuer = ca.certificate().subject();
    let middle = adorn(Forgery::new(
        issuer,
        ca.private_key(),
        &signing,
        &signing_key,
    ))
    .sign();
    let key = key();
    let leaf = v1_certificate(&signing, &signing_key, &name(BOT), &key);
    Identity::new([leaf, middle], &key)
}

/// A bot under the world's CA.
fn leaf(world: &World, adorn: impl FnOnce(Forgery<'_>) -> Forgery<'_>) -> Identity {
    let (bot, key) = (name(BOT), key());
    let issuer = world.ca.certificate().subject();
    let leaf = adorn(Forgery::new(issuer, world.ca.private_key(), &bot, &key)).sign();
    Identity::new([leaf], &key)
}

const KEY_USAGE: &[u8] = &[0x55, 0x1D, 15];
const SUBJECT_ALT_NAME: &[u8] = &[0x55, 0x1D, 17];
const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1D, 19];
const CERTIFICATE_POLICIES: &[u8] = &[0x55, 0x1D, 32];
const POLICY_MAPPINGS: &[u8] = &[0x55, 0x1D, 33];
const POLICY_CONSTRAINTS: &[u8] = &[0x55, 0x1D, 36];
const EXTENDED_KEY_USAGE: &[u8] = &[0x55, 0x1D, 37];
const INHIBIT_ANY_POLICY: &[u8] = &[0x55, 0x1D, 54];

/// 1.3.6.1.4.1.32473.1, of the arc that is set aside for examples (RFC 5612).
const UNHEARD_OF: &[u8] = &[0x2B, 6, 1, 4, 1, 0x81, 0xFD, 0x59, 1];

/// An ExtendedKeyUsage of these purposes: the last arc of serverAuth and its kin (1.3.6.1.5.5.7.3).
fn purposes(last_arcs: &[u8]) -> Vec<u8> {
    let purposes: Vec<_> = last_arcs
        .iter()
        .map(|arc| tlv(6, &[&[0x2B, 6, 1, 5, 5, 7, 3, *arc]]))
        .collect();
    tlv(0x30, &[&purposes.concat()])
}

const SERVER_AUTH: u8 = 1;

const CLIENT_AUTH: u8 = 2;

/// anyExtendedKeyUsage (2.5.29.37.0)
const ANY_PURPOSE: &[u8] = &[0x30, 6, 6, 4, 0x55, 0x1D, 37, 0];

/// The name as another program would have written it: in other string types, another case, other space.
fn otherwise_encoded(cn: &[u8], organization: &[u8]) -> DistinguishedName {
    // CN and O, PrintableString
    let rdn = |arc: u8, value: &[u8]| {
        let attribute = tlv(0x30, &[&[6, 3, 0x55, 4, arc], &tlv(0x13, &[value])]);
        tlv(0x31, &[&attribute])
    };
    let der = tlv(0x30, &[&rdn(3, cn), &rdn(10, organization)]);
    DistinguishedName::from_der(&der).unwrap()
}

/// What a CA would sign, whatever it is.
fn under<'a>(
    ca: &'a CertificateAuthority,
    subject: &'a DistinguishedName,
    key: &'a PrivateKey,
) -> Forgery<'a> {
    Forgery::new(ca.certificate().subject(), ca.private_key(), subject, key)
}

/// Refused because nobody of this name was imported as its issuer.
async fn assert_unknown(world: &World, identity: &Identity, issuer: &str) {
    let reason =
        format!("no trusted signing certificate of O=Excelsior Bank,CN={issuer} was imported");
    world
        .assert_refused(identity, AlertDescription::UnknownCA, &reason)
        .await;
}
