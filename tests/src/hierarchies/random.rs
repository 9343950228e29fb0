//! Draws hierarchies. The names are few, so that constraints and names often meet.

use std::time::{Duration, SystemTime};

use fastrand::Rng;
use pki::{DistinguishedName, PrivateKey, SubjectAltName, Validity};

use super::{
    Authority, Constraint, Hierarchy, Leaf,
    forge::{self, CaExtensions, Form, Issuer},
    kind,
};

pub(super) fn hierarchy(rng: &mut Rng, now: SystemTime) -> Hierarchy {
    // To the second, as certificates have it.
    let seconds = now
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap()
        .as_secs();
    let mut now = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
    if rng.u8(..4) == 0 {
        // Around the year 2050, where the encoding of times changes.
        now = SystemTime::UNIX_EPOCH + 29_219 * DAY;
    }
    let mut authorities: Vec<Authority> = Vec::new();
    for index in 0..rng.usize(1..6) {
        // Mostly below the last one: deep rather than wide.
        let parent = index.checked_sub(1).map(|last| {
            if rng.u8(..4) == 0 {
                rng.usize(..=last)
            } else {
                last
            }
        });
        authorities.push(authority(rng, now, index, parent, &authorities));
    }
    let leaves = (0..rng.usize(2..6))
        .map(|_| (rng.usize(..authorities.len()), leaf(rng, now)))
        .collect();
    Hierarchy {
        now,
        authorities,
        leaves,
    }
}

fn authority(
    rng: &mut Rng,
    now: SystemTime,
    index: usize,
    parent: Option<usize>,
    earlier: &[Authority],
) -> Authority {
    let key = PrivateKey::generate(kind(rng)).unwrap();
    let subject = subject(rng, &format!("CA {index}"));
    let path_len = (rng.u8(..5) < 2).then(|| rng.u32(..4));
    let constraints: Vec<Constraint> = match rng.u8(..5) {
        0 | 1 => (0..rng.usize(1..4)).map(|_| constraint(rng)).collect(),
        _ => Vec::new(),
    };
    // Seldom one that is not valid now.
    let validity = match rng.u8(..25) {
        0 => within(rng, now - 900 * DAY, now - DAY),
        1 => within(rng, now + DAY, now + 900 * DAY),
        _ => Validity {
            not_before: now - rng.u32(1..900) * DAY,
            not_after: now + rng.u32(1..900) * DAY,
        },
    };
    let own = Issuer {
        name: &subject,
        key: &key,
    };
    let issuer = parent.map_or(own, |parent| Issuer {
        name: &earlier[parent].subject,
        key: &earlier[parent].key,
    });
    let extensions = CaExtensions {
        path_len,
        constraints: &constraints,
    };
    let certificate = forge::ca(issuer, own, validity, &extensions);
    Authority {
        parent,
        subject,
        key,
        path_len,
        constraints,
        validity,
        certificate,
    }
}

fn leaf(rng: &mut Rng, now: SystemTime) -> Leaf {
    let common_name = *rng.choice(&COMMON_NAMES).unwrap();
    let mut subject = subject(rng, common_name);
    if rng.u8(..6) == 0 {
        let address = email(rng);
        subject = format!("/C=GB/O=Bank/CN={common_name}/emailAddress={address}")
            .parse()
            .unwrap();
    }
    let names = (0..rng.usize(..4)).map(|_| alt_name(rng)).collect();
    let validity = match rng.u8(..4) {
        // Seldom within what every CA above has.
        0 => within(rng, now - 900 * DAY, now + 900 * DAY),
        _ => Validity {
            not_before: now - rng.u32(1..1200) * (DAY / 24),
            not_after: now + rng.u32(1..1200) * (DAY / 24),
        },
    };
    Leaf {
        subject,
        names,
        validity,
    }
}

fn within(rng: &mut Rng, from: SystemTime, until: SystemTime) -> Validity {
    let seconds = until.duration_since(from).unwrap().as_secs();
    let first = rng.u64(..seconds - 1);
    let last = rng.u64(first + 2..=seconds);
    Validity {
        not_before: from + Duration::from_secs(first),
        not_after: from + Duration::from_secs(last),
    }
}

fn subject(rng: &mut Rng, common_name: &str) -> DistinguishedName {
    let (country, organization) = *rng.choice(&ORGANIZATIONS).unwrap();
    let attributes = [(6, country), (10, organization), (3, common_name)];
    forge::name(&attributes, string_type(rng))
}

fn string_type(rng: &mut Rng) -> u8 {
    rng.choice([0x0c, 0x13]).unwrap() // UTF8String, PrintableString
}

fn constraint(rng: &mut Rng) -> Constraint {
    let form = rng
        .choice([
            Form::Dns,
            Form::Dns,
            Form::Email,
            Form::Ip,
            Form::Uri,
            Form::Directory,
        ])
        .unwrap();
    let dot = if rng.bool() { "." } else { "" };
    let base = match form {
        Form::Dns => rng.choice(DOMAINS).unwrap().to_uppercase().into_bytes(),
        Form::Email if rng.u8(..3) == 0 => email(rng).into_bytes(),
        Form::Email | Form::Uri => format!("{dot}{}", rng.choice(DOMAINS).unwrap()).into_bytes(),
        Form::Ip => {
            let (address, mask) = *rng.choice(&NETWORKS).unwrap();
            [address, mask].concat()
        }
        Form::Directory => {
            let (country, organization) = *rng.choice(&ORGANIZATIONS).unwrap();
            let attributes = [(6, country), (10, organization)];
            let depth = rng.usize(1..=2);
            forge::name(&attributes[..depth], string_type(rng))
                .as_der()
                .to_vec()
        }
    };
    Constraint {
        permitted: rng.u8(..3) > 0,
        form,
        base,
    }
}

fn alt_name(rng: &mut Rng) -> SubjectAltName {
    let domain = rng.choice(DOMAINS).unwrap();
    match rng.u8(..8) {
        0 => SubjectAltName::dns(format!("*.{domain}")),
        1 | 2 => SubjectAltName::dns(domain),
        3 => SubjectAltName::dns(format!("www.{domain}")),
        4 => SubjectAltName::email(email(rng)),
        5 => SubjectAltName::uri(format!("https://{domain}/bot")),
        _ => Ok(SubjectAltName::Ip(
            rng.choice(&ADDRESSES).unwrap().parse().unwrap(),
        )),
    }
    .unwrap()
}

fn email(rng: &mut Rng) -> String {
    let local: &str = rng.choice(["bot", "Bot"]).unwrap();
    format!("{local}@{}", rng.choice(DOMAINS).unwrap())
}

const DOMAINS: [&str; 5] = [
    "example.com",
    "a.example.com",
    "b.a.example.com",
    "example.org",
    "badexample.com",
];
const COMMON_NAMES: [&str; 5] = [
    "demo-bot1",
    "Demo Bot",
    "www.example.com",
    "a.example.org",
    "v1.2 of the bot",
];
/// The same ones in several forms, and others.
const ORGANIZATIONS: [(&str, &str); 5] = [
    ("GB", "Bank"),
    ("gb", "BANK"),
    ("GB", " Bank "),
    ("GB", "Banks"),
    ("DE", "Bank"),
];
const NETWORKS: [(&[u8], &[u8]); 4] = [
    (&[10, 0, 0, 0], &[255, 0, 0, 0]),
    (&[10, 1, 2, 0], &[255, 255, 255, 128]),
    (&[0; 4], &[0; 4]),
    (
        &[0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        &[255, 255, 255, 255, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    ),
];
const ADDRESSES: [&str; 5] = ["10.1.2.3", "10.1.2.200", "192.0.2.1", "2001:db8::1", "::1"];
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
