//! Name constraints (RFC 5280, section 4.2.1.10).

use rustls::AlertDescription;

use super::{SUBJECT_ALT_NAME, under};
use crate::support::{BOT, Forgery, Identity, World, key, name, tlv, v1_certificate};

const NAME_CONSTRAINTS: &[u8] = &[0x55, 0x1D, 30];

/// NameConstraints with one host name in one list.
fn constraint(list: u8, host: &str) -> Vec<u8> {
    let subtree = tlv(0x30, &[&tlv(0x82, &[host.as_bytes()])]);
    tlv(0x30, &[&tlv(list, &[&subtree])])
}

const PERMITTED: u8 = 0xA0;

const EXCLUDED: u8 = 0xA1;

/// A subjectAltName with one host name.
fn host(name: &str) -> Vec<u8> {
    tlv(0x30, &[&tlv(0x82, &[name.as_bytes()])])
}

#[tokio::test]
async fn name_constraints_forbid_what_they_say_critical_or_not() {
    let world = World::new().await;
    let (signing, signing_key) = (name("Signing"), key());
    for critical in [false, true] {
        for (list, base, refused) in [
            (
                PERMITTED,
                "good.example",
                "DNS:bot.evil.example is not among the names that O=Excelsior Bank,CN=Signing may issue for: DNS:good.example",
            ),
            (
                EXCLUDED,
                "evil.example",
                "DNS:bot.evil.example is excluded from the names that O=Excelsior Bank,CN=Signing may issue for by DNS:evil.example",
            ),
        ] {
            let middle = under(&world.ca, &signing, &signing_key)
                .ca()
                .extension(NAME_CONSTRAINTS, critical, &constraint(list, base))
                .sign();
            let bot_with = |host_name| {
                let (bot, key) = (name(BOT), key());
                let leaf = Forgery::new(&signing, &signing_key, &bot, &key)
                    .extension(SUBJECT_ALT_NAME, false, &host(host_name))
                    .sign();
                Identity::new([leaf, middle.clone()], &key)
            };

            world
                .assert_refused(
                    &bot_with("bot.evil.example"),
                    AlertDescription::CertificateUnknown,
                    &format!("the certificate of O=Excelsior Bank,CN=demo-bot1: {refused}"),
                )
                .await;
            world
                .assert_authenticates(&bot_with("bot.good.example"))
                .await;
        }
    }
}

#[tokio::test]
async fn name_constraints_hold_for_everything_below_but_what_is_self_issued() {
    let world = World::new().await;
    let (root, root_key) = (name("Constrained Root"), key());
    // Its own name is excluded, and another CA's.
    let unwanted = name("Unwanted");
    let subtrees = [&root, &unwanted]
        .map(|name| tlv(0x30, &[&tlv(0xA4, &[name.as_der()])]))
        .concat();
    let excluded = tlv(0x30, &[&tlv(EXCLUDED, &[&subtrees])]);
    let certificate = Forgery::new(&root, &root_key, &root, &root_key)
        .ca()
        .extension(NAME_CONSTRAINTS, false, &excluded)
        .sign();
    world.trust(&certificate);

    let refused = "the certificate of O=Excelsior Bank,CN=Constrained Root: subject O=Excelsior Bank,CN=Constrained Root is excluded from the names that O=Excelsior Bank,CN=Constrained Root may issue for by dirName:O=Excelsior Bank,CN=Constrained Root";

    // With a new key it has the old name still (RFC 5280, section 6.1.3 (b)), unless it is a client's.
    let new_key = key();
    let renewed = Forgery::new(&root, &root_key, &root, &new_key).ca().sign();
    let bot_key = key();
    let bot = v1_certificate(&root, &new_key, &name(BOT), &bot_key);
    world
        .assert_authenticates(&Identity::new([bot, renewed.clone()], &bot_key))
        .await;
    world
        .assert_refused(
            &Identity::new([renewed], &new_key),
            AlertDescription::CertificateUnknown,
            refused,
        )
        .await;

    // One that is below by two.
    let (signing, signing_key) = (name("Signing"), key());
    let middle = Forgery::new(&root, &root_key, &signing, &signing_key)
        .ca()
        .sign();
    let leaf = v1_certificate(&signing, &signing_key, &root, &bot_key);
    world
        .assert_refused(
            &Identity::new([leaf, middle], &bot_key),
            AlertDescription::CertificateUnknown,
            refused,
        )
        .await;

    // A CA in the middle that is not self-issued.
    let middle = Forgery::new(&root, &root_key, &unwanted, &signing_key)
        .ca()
        .sign();
    let leaf = v1_certificate(&unwanted, &signing_key, &name(BOT), &bot_key);
    world
        .assert_refused(
            &Identity::new([leaf, middle], &bot_key),
            AlertDescription::CertificateUnknown,
            "the certificate of O=Excelsior Bank,CN=Unwanted: subject O=Excelsior Bank,CN=Unwanted is excluded from the names that O=Excelsior Bank,CN=Constrained Root may issue for by dirName:O=Excelsior Bank,CN=Unwanted",
        )
        .await;
}
