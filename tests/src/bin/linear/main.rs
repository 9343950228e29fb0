//! Hostile inputs for every public reader, of any size: what `cargo xtask linear` counts instructions over.
//!
//! `linear` lists the cases, one a line: name, reader, and the largest size in octets. `linear CASE LARGEST` makes inputs of
//! 64 KiB and of twice the size of the one before, up to the largest, and reads each in a [frame](FRAMES) of its own.
#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout
)] // a program for one command, which stops when it fails

mod input;

use std::{env, hint::black_box};

use auth::{Endpoints, Identity, Proxy, Token, TrustAnchors, config::BdkConfig};
use input::Input;
use pki::{
    Certificate, CertificateAuthority, CertificateRequest, Crl, CrlNumber, DistinguishedName,
    Issuance, Issuer, Passphrase, Pkcs12, PreparedCertificate, PreparedCrl, PreparedRequest,
    PrivateKey, Profile, PublicKey, RevocationReason, SerialNumber, SubjectAltName, TrustStore,
};

/// What a reader makes of an input: nothing, but for the error.
type Outcome = Result<(), String>;

/// A public reader, by its path, and the inputs for it. Each must be accepted or refused as is said here: one that is
/// refused at its third octet would prove nothing.
struct Reader {
    path: &'static str,
    read: fn(&[u8]) -> Outcome,
    inputs: Vec<Input>,
}

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let readers = readers();
    let cases = readers
        .iter()
        .flat_map(|reader| reader.inputs.iter().map(move |input| (reader, input)));
    let name = |reader: &Reader, input: &Input| format!("{}/{}", reader.path, input.name);
    match arguments.as_slice() {
        [] => {
            for (reader, input) in cases {
                println!("{}\t{}\t{}", name(reader, input), reader.path, input.limit);
            }
        }
        [case, largest] => {
            let largest: usize = largest.parse().expect("a size in octets");
            let mut cases = cases;
            let (reader, input) = cases
                .find(|(reader, input)| name(reader, input) == *case)
                .expect("a case of the list");
            let sizes = std::iter::successors(Some(SMALLEST), |size| size.checked_mul(2))
                .take_while(|size| *size <= largest.min(input.limit));
            for (frame, size) in FRAMES.iter().zip(sizes) {
                match (
                    frame(reader.read, &(input.make)(size - FRAMING)),
                    input.refused,
                ) {
                    (Ok(()), None) => {}
                    (Err(error), Some(reason)) if error.contains(reason) => {}
                    (outcome, _) => panic!("{case}: {outcome:?}"),
                }
            }
        }
        _ => panic!("expected a case and a size, or nothing"),
    }
}

/// What stands around the part of an input that grows, in octets, so that none is above its limit.
const FRAMING: usize = 2 << 10;

/// The smallest input, in octets.
const SMALLEST: usize = 64 << 10;

/// Functions by whose names the work for each size is told from the others', and from that of making the inputs.
macro_rules! frames {
    ($($name:ident)*) => {
        const FRAMES: &[fn(fn(&[u8]) -> Outcome, &[u8]) -> Outcome] = &[$($name),*];
        $(
            #[inline(never)]
            fn $name(read: fn(&[u8]) -> Outcome, octets: &[u8]) -> Outcome {
                black_box(stringify!($name)); // otherwise they would be one function
                black_box(read(black_box(octets)))
            }
        )*
    };
}

frames!(measured_0 measured_1 measured_2 measured_3 measured_4 measured_5 measured_6);

fn outcome<T, E: std::fmt::Display>(read: Result<T, E>) -> Outcome {
    match read {
        Ok(read) => {
            black_box(read);
            Ok(())
        }
        Err(error) => Err(error.to_string()),
    }
}

fn text(octets: &[u8]) -> &str {
    std::str::from_utf8(octets).unwrap()
}

fn passphrase() -> Passphrase {
    Passphrase::from("correct")
}

fn readers() -> Vec<Reader> {
    let reader = |path, read, inputs: Vec<Input>| Reader { path, read, inputs };
    vec![
        reader(
            "pki::Certificate::all_from_pem",
            |i| outcome(Certificate::all_from_pem(i)),
            input::certificates_in_pem(),
        ),
        reader(
            "pki::Certificate::from_pem",
            |i| outcome(Certificate::from_pem(i)),
            vec![input::many_certificates().short()],
        ),
        reader(
            "pki::Certificate::from_der",
            |i| outcome(Certificate::from_der(i)),
            input::certificates(),
        ),
        reader(
            "pki::Certificate::from_pem_or_der",
            |i| outcome(Certificate::from_pem_or_der(i)),
            vec![
                input::begins_in_a_line().short(),
                input::many_extensions().short(),
            ],
        ),
        reader(
            "pki::Certificate::all_from_pem_or_der",
            |i| outcome(Certificate::all_from_pem_or_der(i)),
            vec![input::many_certificates().short()],
        ),
        reader(
            "pki::CertificateRequest::from_der",
            |i| outcome(CertificateRequest::from_der(i)),
            input::requests(),
        ),
        reader(
            "pki::CertificateRequest::from_pem",
            |i| outcome(CertificateRequest::from_pem(i)),
            vec![input::request_in_pem().short()],
        ),
        reader(
            "pki::CertificateRequest::from_pem_or_der",
            |i| outcome(CertificateRequest::from_pem_or_der(i)),
            vec![input::request_in_pem().short()],
        ),
        // What is granted of it.
        reader(
            "pki::CertificateRequest::from_der",
            |i| {
                let request = CertificateRequest::from_der(i).map_err(|it| it.to_string())?;
                let verified = request.verify().map_err(|it| it.to_string())?;
                let issuance = Issuance::for_request(&verified);
                let own = SubjectAltName::dns("own.example").map_err(|it| it.to_string())?;
                outcome(issuance.prepare_self_signed(&Profile::server()))?;
                outcome(issuance.prepare_self_signed(&Profile::server().subject_alt_names([own])))
            },
            vec![input::requested_names().short()],
        ),
        reader(
            "pki::Crl::from_der",
            |i| outcome(Crl::from_der(i)),
            input::crls(),
        ),
        reader(
            "pki::Crl::from_pem",
            |i| outcome(Crl::from_pem(i)),
            vec![input::crl_in_pem()],
        ),
        reader(
            "pki::Crl::from_pem_or_der",
            |i| outcome(Crl::from_pem_or_der(i)),
            vec![input::entries().short()],
        ),
        reader(
            "pki::PreparedCrl::from_der",
            |i| outcome(PreparedCrl::from_der(i, input::crl_issuer())),
            vec![input::prepared_entries().short()],
        ),
        reader(
            "pki::CrlNumber::from_str",
            |i| outcome(text(i).parse::<CrlNumber>()),
            vec![input::digits()],
        ),
        reader(
            "pki::RevocationReason::from_str",
            |i| outcome(text(i).parse::<RevocationReason>()),
            vec![input::letters()],
        ),
        reader(
            "pki::CertificateAuthority::from_pem",
            |i| {
                let key = input::key_pem();
                outcome(CertificateAuthority::from_pem(i, key, None))
            },
            vec![input::issuers().short()],
        ),
        reader(
            "pki::Issuer::from_pem",
            |i| outcome(Issuer::from_pem(i)),
            vec![input::issuers().short()],
        ),
        reader(
            "pki::PreparedCertificate::from_der",
            |i| {
                outcome(PreparedCertificate::from_der(
                    i,
                    input::root().certificate(),
                ))
            },
            vec![input::prepared()],
        ),
        reader(
            "pki::PreparedCertificate::self_signed_from_der",
            |i| outcome(PreparedCertificate::self_signed_from_der(i)),
            vec![input::prepared_self_signed()],
        ),
        reader(
            "pki::PreparedRequest::from_der",
            |i| outcome(PreparedRequest::from_der(i, None)),
            vec![input::prepared_request()],
        ),
        reader(
            "pki::Profile::from_toml",
            |i| outcome(Profile::from_toml(text(i))),
            input::profiles(),
        ),
        reader(
            "pki::PrivateKey::from_pem",
            |i| outcome(PrivateKey::from_pem(i, None)),
            input::keys_in_pem(),
        ),
        reader(
            "pki::PrivateKey::from_der",
            |i| outcome(PrivateKey::from_der(i, None)),
            input::keys(),
        ),
        reader(
            "pki::PrivateKey::from_pem_or_der",
            |i| outcome(PrivateKey::from_pem_or_der(i, None)),
            vec![input::large_exponent().short()],
        ),
        reader(
            "pki::PrivateKey::from_pem_or_der_within",
            |i| {
                let budget = pki::Budget::default();
                outcome(PrivateKey::from_pem_or_der_within(i, None, budget))
            },
            vec![input::large_exponent().short()],
        ),
        reader(
            "pki::PublicKey::from_spki_der",
            |i| outcome(PublicKey::from_spki_der(i)),
            vec![input::large_public_exponent()],
        ),
        reader(
            "pki::Pkcs12::open",
            |i| outcome(Pkcs12::open(i, &passphrase()).and_then(Pkcs12::into_identity)),
            input::bundles(),
        ),
        reader(
            "pki::Pkcs12::open_within",
            |i| {
                let budget = pki::Budget::default();
                outcome(Pkcs12::open_within(i, &passphrase(), budget))
            },
            vec![input::many_bag_attributes().short()],
        ),
        reader(
            "pki::TrustStore::read",
            |i| outcome(TrustStore::read(i, None)),
            input::trust_stores(),
        ),
        reader(
            "pki::TrustStore::read_within",
            |i| outcome(TrustStore::read_within(i, None, pki::Budget::default())),
            vec![input::jks().short()],
        ),
        reader(
            "pki::DistinguishedName::from_der",
            |i| outcome(DistinguishedName::from_der(i)),
            input::names(),
        ),
        reader(
            "pki::DistinguishedName::from_openssl",
            |i| outcome(DistinguishedName::from_openssl(text(i))),
            input::openssl_names(),
        ),
        reader(
            "pki::DistinguishedName::from_rfc4514",
            |i| outcome(DistinguishedName::from_rfc4514(text(i))),
            input::rfc4514_names(),
        ),
        reader(
            "pki::DistinguishedName::from_str",
            |i| outcome(text(i).parse::<DistinguishedName>()),
            vec![input::openssl_rdns()],
        ),
        reader(
            "pki::SerialNumber::from_be_bytes",
            |i| outcome(SerialNumber::from_be_bytes(i)),
            vec![input::zeros()],
        ),
        reader(
            "pki::SerialNumber::from_str",
            |i| outcome(text(i).parse::<SerialNumber>()),
            vec![input::digits()],
        ),
        reader(
            "pki::open",
            |i| outcome(pki::open(i, &passphrase())),
            input::files(),
        ),
        reader(
            "pki::OpenOptions::open",
            |i| {
                let passphrase = passphrase();
                outcome(pki::OpenOptions::new().key_passphrase(&passphrase).open(i))
            },
            input::java_keystores(),
        ),
        reader(
            "auth::Identity::read",
            |i| outcome(Identity::read(i, None)),
            vec![input::identity_in_pem().short()],
        ),
        reader(
            "auth::Identity::from_pem",
            |i| outcome(Identity::from_pem(i, i, None)),
            vec![input::identity_in_pem().short()],
        ),
        reader(
            "auth::Identity::from_pkcs12",
            |i| outcome(Identity::from_pkcs12(i, &passphrase())),
            vec![input::many_bag_attributes().short()],
        ),
        reader(
            "auth::TrustAnchors::pem",
            |i| outcome(TrustAnchors::pem(i)),
            vec![input::many_certificates().short()],
        ),
        reader(
            "auth::TrustAnchors::and_pem",
            |i| {
                let anchors = TrustAnchors::pem(input::certificate_pem()).unwrap();
                outcome(anchors.and_pem(i))
            },
            vec![input::many_certificates().short()],
        ),
        reader(
            "auth::TrustAnchors::read",
            |i| outcome(TrustAnchors::read("a", i, None)),
            vec![input::jks().short()],
        ),
        reader(
            "auth::TrustAnchors::and_read",
            |i| {
                let anchors = TrustAnchors::pem(input::certificate_pem()).unwrap();
                outcome(anchors.and_read("a", i, None))
            },
            vec![input::jks().short()],
        ),
        reader(
            "auth::BdkConfig::parse",
            |i| {
                let variable = |_: &str| Some("value".to_owned());
                outcome(BdkConfig::parse(text(i), variable))
            },
            input::configurations(),
        ),
        reader(
            "auth::Endpoints::new",
            |i| outcome(Endpoints::new(text(i), "https://a.example")),
            vec![input::url()],
        ),
        reader(
            "auth::Endpoints::session_auth",
            |i| outcome(endpoints().session_auth(text(i))),
            vec![input::url()],
        ),
        reader(
            "auth::Endpoints::agent",
            |i| outcome(endpoints().agent(text(i))),
            vec![input::url()],
        ),
        reader(
            "auth::Token::new",
            |i| outcome(Token::new("sessionToken", text(i))),
            vec![input::url()],
        ),
        reader(
            "auth::Proxy::new",
            |i| outcome(Proxy::new(text(i))),
            vec![input::proxy()],
        ),
    ]
}

fn endpoints() -> Endpoints {
    Endpoints::new("https://a.example", "https://a.example").unwrap()
}
