//! Signatures, their algorithms and keys.

use pki::{Certificate, KeyKind, PrivateKey, Profile};
use pod::Pod;
use rustls::AlertDescription;

use super::{ANY_PURPOSE, EXTENDED_KEY_USAGE, leaf};
use crate::support::{BOT, Forgery, Identity, World, bot_with, key, name, v1_certificate};

#[tokio::test]
async fn an_altered_certificate_is_bad() {
    let world = World::new().await;
    let mut der = world.bot.leaf().as_der().to_vec();
    *der.last_mut().unwrap() ^= 1;
    let mut identity = world.bot.clone();
    identity.chain = vec![Certificate::from_der(&der).unwrap()];

    world
        .assert_refused(
            &identity,
            AlertDescription::BadCertificate,
            "the certificate of O=Excelsior Bank,CN=demo-bot1: the signature does not match",
        )
        .await;
}

#[tokio::test]
async fn both_signature_algorithms_are_the_same() {
    let world = World::new().await;
    // ecdsa-with-SHA384, and the right one with parameters that it doesn't have.
    let sha384 = [0x30, 10, 6, 8, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 4, 3, 3];
    let with_null = [0x30, 12, 6, 8, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 4, 3, 2, 5, 0];
    for other in [&sha384[..], &with_null] {
        for v3 in [false, true] {
            let bot = leaf(&world, |bot| {
                let bot = bot.inner_algorithm(other);
                if v3 {
                    bot.extension(EXTENDED_KEY_USAGE, false, ANY_PURPOSE)
                } else {
                    bot
                }
            });
            world
                .assert_refused(
                    &bot,
                    AlertDescription::BadCertificate,
                    "the certificate of O=Excelsior Bank,CN=demo-bot1: the signature algorithm within what was signed is another than the one beside it",
                )
                .await;
        }
    }
}

#[tokio::test]
async fn a_signature_algorithm_goes_with_its_kind_of_key() {
    let world = World::new().await;
    let (signing, signing_key) = (name("Signing"), key());
    let ed25519 = PrivateKey::generate(KeyKind::Ed25519).unwrap();
    let ca = world.ca.certificate().subject();
    let middle = Forgery::new(ca, world.ca.private_key(), &signing, &ed25519)
        .ca()
        .sign();
    let bot_key = key();
    let leaf = v1_certificate(&signing, &signing_key, &name(BOT), &bot_key);

    world
        .assert_refused(
            &Identity::new([leaf, middle], &bot_key),
            AlertDescription::CertificateUnknown,
            "the certificate of O=Excelsior Bank,CN=demo-bot1: the signature algorithm is not supported, or not with this kind of key",
        )
        .await;
}

#[tokio::test]
async fn short_rsa_keys_are_refused_unless_the_minimum_is_lowered() {
    let key = PrivateKey::generate(KeyKind::Rsa2048).unwrap();

    let strict = World::new().await;
    let identity = bot_with(&strict.ca, BOT, &key, &Profile::client());
    strict
        .assert_refused(
            &identity,
            AlertDescription::CertificateUnknown,
            "the RSA key has 2048 bits, fewer than the minimum of 4096",
        )
        .await;

    let lenient = World::with(Pod::builder().minimum_rsa_bits(2048)).await;
    let identity = bot_with(&lenient.ca, BOT, &key, &Profile::client());
    lenient.assert_authenticates(&identity).await;
}
