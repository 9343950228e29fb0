//! Conversions to and from the types that rustls and webpki hand around.
#![allow(clippy::unwrap_used)] // tests

use pki::{
    Certificate, CertificateAuthority, CertificateRequest, Crl, CrlBuilder, Error, KeyKind,
    PrivateKey, Profile, PublicKey,
};
use rustls_pki_types::{
    CertificateDer, CertificateRevocationListDer, CertificateSigningRequestDer, PrivateKeyDer,
    SubjectPublicKeyInfoDer,
};

fn ca() -> CertificateAuthority {
    let key = PrivateKey::generate(KeyKind::EcP256).unwrap();
    CertificateAuthority::create_root("/CN=Root".parse().unwrap(), key, &Profile::root()).unwrap()
}

#[test]
fn everything_comes_back_as_it_went() {
    let ca = ca();
    let key = ca.private_key();

    let certificate = CertificateDer::from(ca.certificate());
    assert_eq!(&*certificate, ca.certificate().as_der());
    assert_eq!(
        &Certificate::try_from(&certificate).unwrap(),
        ca.certificate()
    );

    let request = CertificateRequest::builder("/CN=a".parse().unwrap())
        .sign(key)
        .unwrap();
    let der = CertificateSigningRequestDer::from(&request);
    assert_eq!(
        CertificateRequest::try_from(&der).unwrap().as_der(),
        request.as_der()
    );

    let crl = CrlBuilder::new().sign(&ca).unwrap();
    let der = CertificateRevocationListDer::from(&crl);
    assert_eq!(Crl::try_from(&der).unwrap().as_der(), crl.as_der());

    let spki = SubjectPublicKeyInfoDer::from(key.public_key());
    assert_eq!(&PublicKey::try_from(&spki).unwrap(), key.public_key());

    let secret = PrivateKeyDer::try_from(key).unwrap();
    assert!(matches!(secret, PrivateKeyDer::Pkcs8(_)));
    let read = PrivateKey::try_from(&secret).unwrap();
    assert_eq!(read.public_key(), key.public_key());
}

#[test]
fn what_is_none_of_them_is_refused() {
    let octets = &b"\x30\x00"[..];
    let malformed = |error| matches!(error, Some(Error::Malformed { .. }));
    assert!(malformed(
        Certificate::try_from(&CertificateDer::from(octets)).err()
    ));
    assert!(malformed(
        CertificateRequest::try_from(&CertificateSigningRequestDer::from(octets)).err()
    ));
    assert!(malformed(
        Crl::try_from(&CertificateRevocationListDer::from(octets)).err()
    ));
    assert!(malformed(
        PublicKey::try_from(&SubjectPublicKeyInfoDer::from(octets)).err()
    ));
    let key = PrivateKeyDer::Pkcs8(octets.into());
    assert!(malformed(PrivateKey::try_from(&key).err()));
}
