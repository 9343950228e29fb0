//! Certificate requests.
use super::{
    case::{Case, read_by_us, reads_ours},
    tool::Tool::{Gnutls, Java, Nss, Openssl, Python},
};

pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (request, what) in [
        ("bot", "RSA 4096 request"),
        ("server", "request with two names"),
        ("ec-p384", "EC P-384 request"),
        ("ec-p521", "EC P-521 request"),
        ("ed25519", "Ed25519 request"),
    ] {
        cases.extend([
            // `req -verify` exits 0 whatever it finds before OpenSSL 3.4: what it says counts.
            reads_ours(
                Openssl,
                what,
                format!("openssl req -in $OURS/{request}.csr.pem -verify -noout 2>&1 | has 'verify OK'"),
            ),
            reads_ours(
                Gnutls,
                what,
                format!("certtool --crq-info --infile $OURS/{request}.csr.pem | has 'Self signature: verified'"),
            ),
            reads_ours(Python, what, format!("judge request $OURS/{request}.csr.pem")),
            reads_ours(Java, what, format!("keytool -printcertreq -file $OURS/{request}.csr.pem")),
        ]);
    }
    cases.push(reads_ours(
        Python,
        "the names in our request",
        "same 'localhost bot.example.com' \"$(judge request $OURS/server.csr.pem)\"",
    ));

    for (tool, what, made) in [
        (
            Openssl,
            "req -new with names",
            "openssl req -new -newkey rsa:2048 -noenc -keyout k.pem -subj /CN=theirs -out r.pem \
             -addext subjectAltName=DNS:localhost,DNS:bot.example.com",
        ),
        (
            Openssl,
            "req -new, EC, SHA-384",
            "openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-384 -sha384 -noenc -keyout k.pem -subj /CN=theirs \
             -out r.pem -addext subjectAltName=DNS:localhost,DNS:bot.example.com",
        ),
        (
            Openssl,
            "req -new in DER",
            "openssl req -new -newkey rsa:2048 -noenc -keyout k.pem -subj /CN=theirs -out r.pem -outform DER \
             -addext subjectAltName=DNS:localhost,DNS:bot.example.com",
        ),
        (
            Java,
            "keytool -certreq",
            "keytool -genkeypair -keyalg RSA -keysize 2048 -alias a -dname CN=theirs -keystore s.p12 -storepass $PASS
            keytool -certreq -alias a -keystore s.p12 -storepass $PASS -file r.pem \
             -ext san=dns:localhost,dns:bot.example.com",
        ),
        (
            Gnutls,
            "certtool --generate-request",
            "certtool --generate-privkey --key-type rsa --bits 2048 --outfile k.pem
            printf 'cn = theirs\\ndns_name = localhost\\ndns_name = bot.example.com\\n' > template
            certtool --generate-request --load-privkey k.pem --template template --outfile r.pem",
        ),
        (
            Nss,
            "certutil -R",
            "echo $PASS > pass; head -c 64 /dev/urandom > noise; mkdir db
            certutil -N -d sql:db -f pass
            certutil -R -d sql:db -f pass -z noise -s CN=theirs -k rsa -g 2048 -a -o r.pem --extSAN dns:localhost,dns:bot.example.com",
        ),
        (
            Python,
            "CertificateSigningRequestBuilder",
            "judge make-key k.pem; judge make-request k.pem r.pem",
        ),
    ] {
        cases.push(read_by_us(tool, what, signed_by_us(made)));
    }
    cases
}

/// Our CA signs the request as a server's; openssl judges the certificate, including its names.
fn signed_by_us(made: &str) -> String {
    format!(
        "{made}
        countersign ca sign --ca-cert $OURS/signing.crt.pem --ca-key $OURS/signing.key.pem --ca-passin env:PASS \\
            --profile server --csr r.pem --out c.pem
        openssl verify -x509_strict -purpose sslserver -verify_hostname bot.example.com \\
            -CAfile $OURS/root.crt.pem -untrusted $OURS/signing.crt.pem c.pem"
    )
}
