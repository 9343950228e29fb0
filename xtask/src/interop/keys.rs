//! Private keys.
use super::{
    case::{Case, read_by_us, reads_ours},
    tool::Tool::{Gnutls, Openssl, Python},
};

pub(super) fn cases() -> Vec<Case> {
    let mut cases = vec![
        reads_ours(
            Openssl,
            "RSA 4096 key, encrypted PKCS#8",
            "openssl rsa -in $OURS/bot.key.pem -passin env:PASS -check -noout
            openssl pkey -in $OURS/bot.key.pem -passin env:PASS -text -noout | has '4096 bit'",
        ),
        reads_ours(
            Openssl,
            "our key under another passphrase is refused",
            "fails openssl pkey -in $OURS/bot.key.pem -passin pass:wrong -noout",
        ),
        reads_ours(
            Gnutls,
            "RSA 4096 key, encrypted PKCS#8",
            "certtool --key-info --infile $OURS/bot.key.pem --password $PASS | has '4096 bits'",
        ),
        reads_ours(
            Python,
            "RSA 4096 key, encrypted PKCS#8",
            "same 'RSA 4096' \"$(judge key $OURS/bot.key.pem $PASS)\"",
        ),
    ];
    for (kind, openssl, certtool, python) in [
        ("rsa", "2048 bit", "2048 bits", "RSA 2048"),
        ("ec-p256", "NIST CURVE: P-256", "SECP256R1", "EC secp256r1"),
        ("ec-p384", "NIST CURVE: P-384", "SECP384R1", "EC secp384r1"),
        ("ec-p521", "NIST CURVE: P-521", "SECP521R1", "EC secp521r1"),
        ("ed25519", "ED25519 Private-Key", "Ed25519", "Ed25519"),
    ] {
        cases.extend([
            reads_ours(
                Openssl,
                format!("{kind} key, plain PKCS#8"),
                format!(
                    "openssl pkey -in $OURS/{kind}.key.pem -check -noout
                    openssl pkey -in $OURS/{kind}.key.pem -text -noout | has '{openssl}'"
                ),
            ),
            reads_ours(
                Gnutls,
                format!("{kind} key, plain PKCS#8"),
                format!("certtool --key-info --infile $OURS/{kind}.key.pem | has '{certtool}'"),
            ),
            reads_ours(
                Python,
                format!("{kind} key, plain PKCS#8"),
                format!("same '{python}' \"$(judge key $OURS/{kind}.key.pem)\""),
            ),
        ]);
    }
    for (what, made) in [
        (
            "RSA key, genrsa -aes256",
            "openssl genrsa -aes256 -passout env:PASS -out k.pem 2048",
        ),
        (
            "RSA key, genrsa -traditional",
            "openssl genrsa -traditional -out k.pem 2048",
        ),
        (
            "RSA key, genrsa -traditional -aes256",
            "openssl genrsa -traditional -aes256 -passout env:PASS -out k.pem 2048",
        ),
        (
            "RSA key, genrsa -traditional -aes192",
            "openssl genrsa -traditional -aes192 -passout env:PASS -out k.pem 2048",
        ),
        (
            "RSA key, genrsa -traditional -aes128",
            "openssl genrsa -traditional -aes128 -passout env:PASS -out k.pem 2048",
        ),
        (
            "RSA key, genrsa -traditional -des3",
            "openssl genrsa -traditional -des3 -passout env:PASS -out k.pem 2048",
        ),
        (
            "RSA key, PBES2 with DES-EDE3",
            "openssl genpkey -algorithm RSA -des3 -pass env:PASS -out k.pem",
        ),
        (
            "RSA key, PBES2 with scrypt",
            "openssl genrsa 2048 | openssl pkcs8 -topk8 -scrypt -passout env:PASS -out k.pem",
        ),
        (
            "RSA key, PBES2 with HMAC-SHA1",
            "openssl genrsa 2048 | openssl pkcs8 -topk8 -v2 aes-128-cbc -v2prf hmacWithSHA1 -passout env:PASS -out k.pem",
        ),
        (
            "RSA key, PBES1 with MD5 and DES",
            "openssl genrsa 2048 | openssl pkcs8 -topk8 -provider legacy -provider default -v1 PBE-MD5-DES -passout env:PASS -out k.pem",
        ),
        (
            "RSA key, PBES1 with SHA-1 and RC2-64",
            "openssl genrsa 2048 | openssl pkcs8 -topk8 -provider legacy -provider default -v1 PBE-SHA1-RC2-64 -passout env:PASS -out k.pem",
        ),
        (
            "RSA key, PKCS#12's 3DES",
            "openssl genrsa 2048 | openssl pkcs8 -topk8 -v1 PBE-SHA1-3DES -passout env:PASS -out k.pem",
        ),
        (
            "RSA key, PBES2 with DES",
            "openssl genrsa 2048 | openssl pkcs8 -topk8 -provider legacy -provider default -v2 des-cbc -passout env:PASS -out k.pem",
        ),
        (
            "EC key, SEC1 with parameters",
            "openssl ecparam -name prime256v1 -genkey -out k.pem",
        ),
        (
            "EC key, P-384",
            "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out k.pem",
        ),
        (
            "EC key, P-521",
            "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-521 -out k.pem",
        ),
        (
            "EC key, P-521, SEC1",
            "openssl ecparam -name secp521r1 -genkey -noout -out k.pem",
        ),
        (
            "RSASSA-PSS key",
            "openssl genpkey -algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048 -out k.pem",
        ),
        (
            "RSASSA-PSS key for SHA-384 alone",
            "openssl genpkey -algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048 -pkeyopt rsa_pss_keygen_md:sha384 -pkeyopt rsa_pss_keygen_mgf1_md:sha384 -pkeyopt rsa_pss_keygen_saltlen:48 -out k.pem",
        ),
        (
            "Ed25519 key",
            "openssl genpkey -algorithm ED25519 -out k.pem",
        ),
    ] {
        cases.push(read_by_us(Openssl, what, key_read_by_us(made)));
    }
    cases.extend([
        read_by_us(
            Gnutls,
            "RSA key, encrypted PKCS#8",
            key_read_by_us("certtool --generate-privkey --key-type rsa --bits 2048 --pkcs8 --password $PASS --outfile k.pem"),
        ),
        read_by_us(
            Gnutls,
            "RSA key, PKCS#1 as certtool writes it",
            key_read_by_us("certtool --generate-privkey --key-type rsa --bits 2048 --no-text --outfile k.pem"),
        ),
        read_by_us(Python, "RSA key, encrypted PKCS#8", key_read_by_us("judge make-key k.pem $PASS")),
    ]);
    cases
}

/// We sign a request with the key; openssl, which knows the public half, verifies it.
fn key_read_by_us(made: &str) -> String {
    format!(
        "{made}
        countersign csr create --key k.pem --passin env:PASS --subject /CN=reader --out r.pem
        openssl req -in r.pem -verify -noout
        same \"$(openssl pkey -provider legacy -provider default -in k.pem -passin env:PASS -pubout)\" \"$(openssl req -in r.pem -pubkey -noout)\""
    )
}
