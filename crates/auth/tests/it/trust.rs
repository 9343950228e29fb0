use auth::{Error, TrustAnchors};

use crate::lab::{as_version_1, lab, trust};

#[test]
fn what_was_loaded_can_be_listed() {
    let root = lab().root.certificate();
    let signing = lab().signing.certificate();
    let anchors = trust()
        .and_pem(signing.to_pem())
        .unwrap()
        .and_pem(root.to_pem())
        .unwrap();
    let listed: Vec<&[u8]> = anchors.certificates().iter().map(|der| der.as_ref()).collect();
    assert_eq!(listed, [root.as_der(), signing.as_der()], "in order, without repeats");
}

#[test]
fn pem_without_a_certificate_is_refused() {
    for pem in ["", "nothing here", &lab().bot.key_pem()] {
        let error = TrustAnchors::pem(pem).unwrap_err();
        assert!(matches!(error, Error::TrustAnchors(pki::Error::PemNotFound { .. })), "{error:?}");
    }
}

#[test]
fn a_version_1_root_is_accepted() {
    let root = as_version_1(lab().root.certificate(), &lab().root);
    assert_eq!(TrustAnchors::pem(root.to_pem()).unwrap().certificates().len(), 1);
}

#[test]
fn debug_counts() {
    assert_eq!(format!("{:?}", trust()), "TrustAnchors(1 certificates)");
}
