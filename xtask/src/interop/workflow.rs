//! The workflow page's own commands, end to end, against the embedded pod.
use super::{
    case::{Case, read_by_us, reads_ours},
    tool::Tool::{Curl, Openssl},
};

pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (whose, p12) in [
        ("our bundle", "$OURS/bot.p12"),
        (
            "our bundle, EC under intricate names",
            "$OURS/intricate-bot.p12",
        ),
        ("openssl's bundle, X.509 v1", "$THEIRS/bot.p12"),
    ] {
        for (how, options) in [
            ("TLS 1.3, HTTP/2", ""),
            ("TLS 1.3, HTTP/1.1", "--http1.1"),
            ("TLS 1.2, HTTP/2", "--tls-max 1.2"),
            ("TLS 1.2, HTTP/1.1", "--tls-max 1.2 --http1.1"),
        ] {
            cases.push(reads_ours(
                Curl,
                format!("our pod: {whose} authenticates over {how}"),
                format!(
                    "curl {options} --silent --show-error --fail --cert-type P12 --cert {p12}:$PASS --cacert $POD_ROOT \\
                        -X POST $POD/sessionauth/v1/authenticate | has '\"name\":\"sessionToken\"'
                    curl {options} --silent --show-error --fail --cert-type P12 --cert {p12}:$PASS --cacert $POD_ROOT \\
                        -X POST $KEY_MANAGER/keyauth/v1/authenticate | has '\"name\":\"keyManagerToken\"'"
                ),
            ));
        }
    }
    cases.extend([
        reads_ours(
            Curl,
            "our pod: both tokens open the echo, and logging out ends them",
            "token() { curl --silent --show-error --fail --cert-type P12 --cert $THEIRS/bot.p12:$PASS --cacert $POD_ROOT -X POST $1 |
                \"$PYTHON\" -c 'import json, sys; print(json.load(sys.stdin)[\"token\"])'; }
            session=$(token $POD/sessionauth/v1/authenticate); key_manager=$(token $KEY_MANAGER/keyauth/v1/authenticate)
            call() { curl --silent --show-error --cert-type P12 --cert $THEIRS/bot.p12:$PASS --cacert $POD_ROOT \\
                --header \"sessionToken: $session\" --header \"keyManagerToken: $key_manager\" \"$@\"; }
            call --fail --json '{\"message\":\"hello\"}' $AGENT/agent/v1/util/echo | has hello
            call --fail -X POST $POD/sessionauth/v1/logout
            same 401 $(call --output body --write-out '%{http_code}' --json '{\"message\":\"hello\"}' $AGENT/agent/v1/util/echo)",
        ),
        reads_ours(
            Curl,
            "our pod: a client of an unknown CA is refused",
            "fails curl --silent --show-error --cert-type P12 --cert $THEIRS/stranger.p12:$PASS --cacert $POD_ROOT \\
                -X POST $POD/sessionauth/v1/authenticate 2>&1 | has 'unknown ca'",
        ),
        reads_ours(
            Curl,
            "our pod: the API port demands a certificate",
            "fails curl --silent --show-error --cacert $POD_ROOT -X POST $POD/sessionauth/v1/authenticate 2>&1 |
                has 'certificate required'",
        ),
        reads_ours(
            Curl,
            "our pod: its certificate is not trusted without its root",
            "fails curl --silent --show-error -X POST $POD_WEB/sessionauth/v1/authenticate 2>&1 | has 'certificate problem'",
        ),
        read_by_us(
            Openssl,
            "the workflow's bundle, X.509 v1: auth login",
            format!("openssl x509 -in $THEIRS/bot.pem -noout -text | has 'Version: 1 '\n{}", login("$THEIRS/bot.p12")),
        ),
        read_by_us(
            Openssl,
            "the workflow's certificate, X.509 v1: p12 export warns",
            "countersign p12 export --cert $THEIRS/bot.pem --key $THEIRS/bot.key --passin env:PASS --chain $THEIRS/ca.pem \\
                --passout env:PASS --out b.p12 2>&1 | has 'X.509 version 1'",
        ),
        read_by_us(Openssl, "the workflow's bundle in its legacy form: auth login", login("$THEIRS/bot.legacy.p12")),
        read_by_us(
            Openssl,
            "our request, signed and packed by openssl: auth login",
            format!(
                "openssl x509 -req -sha256 -days 2922 -in $OURS/bot.csr.pem -CA $THEIRS/ca.pem -CAkey $THEIRS/ca.key \\
                    -passin env:PASS -set_serial 0x2 -out c.pem
                openssl pkcs12 -export -in c.pem -inkey $OURS/bot.key.pem -passin env:PASS -passout env:PASS -out b.p12
                {}",
                login("b.p12")
            ),
        ),
        reads_ours(
            Curl,
            "openssl's request and key, signed and packed by us",
            "countersign ca sign --ca-cert $THEIRS/ca.pem --ca-key $THEIRS/ca.key --ca-passin env:PASS \\
                --csr $THEIRS/bot.csr --days 2922 --serial 0x1 --out c.pem
            countersign p12 export --cert c.pem --key $THEIRS/bot.key --passin env:PASS --chain $THEIRS/ca.pem \\
                --name demo-bot1 --passout env:PASS --out b.p12
            curl --silent --show-error --fail --cert-type P12 --cert b.p12:$PASS --cacert $POD_ROOT \\
                -X POST $POD/sessionauth/v1/authenticate | has sessionToken",
        ),
        read_by_us(
            Openssl,
            "published symphony/identity.p12, of Symphony's Java BDK: p12 info and auth login",
            format!(
                "export PASS=password
                countersign p12 info $VECTORS/symphony/identity.p12 --passin env:PASS | has botkey
                {}",
                login("$VECTORS/symphony/identity.p12")
            ),
        ),
    ]);
    cases
}

/// Authenticates at the pod with a bundle.
pub(super) fn login(p12: &str) -> String {
    format!(
        "countersign auth login --p12 {p12} --passin env:PASS --pod $POD --key-manager $KEY_MANAGER --trust $POD_ROOT"
    )
}
