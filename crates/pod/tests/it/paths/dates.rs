//! The time of the handshake counts.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use pki::{CertificateAuthority, Profile};
use pod::Pod;
use rustls::AlertDescription;

use super::under;
use crate::support::{BOT, Identity, World, bot_with, key, name};

const DAY: Duration = Duration::from_secs(86_400);

#[tokio::test]
async fn dates_are_checked_at_each_handshake() {
    let (world, ahead) = in_time().await;
    let leaf = bot_with(&world.ca, BOT, &key(), &Profile::client().valid_for_days(1));
    let later = SystemTime::now() + 10 * DAY;
    let future = Profile::client().validity(pki::Validity {
        not_before: later,
        not_after: later + DAY,
    });
    let early = bot_with(&world.ca, BOT, &key(), &future);

    world.assert_authenticates(&leaf).await;
    world
        .assert_refused(
            &early,
            AlertDescription::CertificateExpired,
            "the certificate of O=Excelsior Bank,CN=demo-bot1 is not valid yet",
        )
        .await;

    ahead.store(10 * DAY.as_secs() + 60, Ordering::Relaxed);
    world
        .assert_refused(
            &leaf,
            AlertDescription::CertificateExpired,
            "the certificate of O=Excelsior Bank,CN=demo-bot1 has expired",
        )
        .await;
    world.assert_authenticates(&early).await;

    // The leaf's CA is over as well: told first is what is wrong with the leaf's own.
    ahead.store(20 * 365 * DAY.as_secs(), Ordering::Relaxed);
    world
        .assert_refused(
            &early,
            AlertDescription::CertificateExpired,
            "the certificate of O=Excelsior Bank,CN=demo-bot1 has expired",
        )
        .await;
}

#[tokio::test]
async fn an_expired_authority_lets_nobody_in() {
    let (world, ahead) = in_time().await;
    let short = CertificateAuthority::create_root(
        name("Short Root"),
        key(),
        &Profile::root().valid_for_days(1),
    )
    .unwrap();
    world.trust(short.certificate());
    // Valid longer than its CA, which `pki` wouldn't sign.
    let key = key();
    let leaf = under(&short, &name(BOT), &key).sign();
    let identity = Identity::new([leaf], &key);
    world.assert_authenticates(&identity).await;

    ahead.store(2 * DAY.as_secs(), Ordering::Relaxed);
    world
        .assert_refused(
            &identity,
            AlertDescription::CertificateExpired,
            "the certificate of O=Excelsior Bank,CN=Short Root has expired",
        )
        .await;
}

/// A world, and how many seconds its clock is ahead.
async fn in_time() -> (World, Arc<AtomicU64>) {
    let ahead = Arc::new(AtomicU64::new(0));
    let clock = {
        let ahead = Arc::clone(&ahead);
        move || SystemTime::now() + Duration::from_secs(ahead.load(Ordering::Relaxed))
    };
    (World::with(Pod::builder().clock(clock)).await, ahead)
}
