//! Keys that the program never sees: openssl in another folder, on another machine, and tokens. The page about them is run as it stands.
use super::{
    case::{Case, agrees, reads_ours},
    tool::Tool::{Gnutls, Openssl, Softhsm},
};

/// The lines of `docs/signers.md` that can be run.
const PAGE: &str = include_str!("../../../docs/signers.md");

pub(super) fn cases() -> Vec<Case> {
    let mut cases = vec![reads_ours(
        Openssl,
        "docs/signers.md: a CA whose key is openssl's, in another folder",
        format!(
            "cp $OURS/bot.csr.pem .
            {}
            openssl verify -CAfile ca.crt.pem ca.crt.pem bot.crt.pem
            openssl crl -in ca.crl.pem -CAfile ca.crt.pem -noout 2>&1 | has 'verify OK'
            openssl crl -in ca.crl.pem -noout -text | has Superseded
            fails grep -l PRIVATE *",
            lines("openssl", "sh")
        ),
    )];
    for (key, made, signer) in [
        (
            "RSA",
            "-algorithm RSA -pkeyopt rsa_keygen_bits:2048",
            "openssl dgst -sha256 -sign k",
        ),
        (
            "RSA, --signature-algorithm rsa-pss-sha256",
            "-algorithm RSA -pkeyopt rsa_keygen_bits:2048",
            "openssl dgst -sha256 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:digest -sign k",
        ),
        (
            "RSA, RSASSA-PSS alone",
            "-algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048",
            "openssl dgst -sha256 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:digest -sign k",
        ),
        (
            "P-384",
            "-algorithm EC -pkeyopt ec_paramgen_curve:P-384",
            "openssl dgst -sha384 -sign k",
        ),
        (
            "P-521",
            "-algorithm EC -pkeyopt ec_paramgen_curve:P-521",
            "openssl dgst -sha512 -sign k",
        ),
        (
            "Ed25519",
            "-algorithm ED25519",
            "sh -c 'cat > tbs && openssl pkeyutl -sign -rawin -inkey k -in tbs'",
        ),
    ] {
        cases.push(reads_ours(
            Openssl,
            format!("signer command: openssl, {key}"),
            format!(
                "openssl genpkey {made} -out k; openssl pkey -in k -pubout -out p
                {}",
                in_all_places(signer, options(key))
            ),
        ));
    }
    cases.push(reads_ours(
        Openssl,
        "signer command: openssl, RSASSA-PSS by the profile and the environment",
        "printf 'signature-algorithm = \"RSASSA-PSS with SHA-384\"\\n' > pss.toml
        openssl rsa -in $OURS/signing.key.pem -passin env:PASS -out k
        signer='sh -c \"test \\\"$COUNTERSIGN_SIGNATURE_ALGORITHM\\\" = \\\"RSASSA-PSS with SHA-384\\\" && \
            openssl dgst -$COUNTERSIGN_DIGEST -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:digest -sign k\"'
        countersign ca sign --ca-cert $OURS/issuers.pem --csr $OURS/bot.csr.pem --profile-file pss.toml \
            --signer-command \"$signer\" --out c.pem
        openssl x509 -in c.pem -noout -text | has 'Signature Algorithm: rsassaPss'
        openssl verify -CAfile $OURS/root.crt.pem -untrusted $OURS/signing.crt.pem c.pem",
    ));
    cases.extend(offline());
    cases.extend(tokens());
    cases
}

/// openssl in a folder, with nothing else in it but the key, and nothing in its environment.
fn offline() -> [Case; 4] {
    let machine = "mkdir -p machine/bin; ln -s \"$(command -v openssl)\" machine/bin/
    there() { (cd machine && env -i PATH=\"$PWD/bin\" /bin/sh -ec \"$1\"); }";
    let sent = |tbs: &str| {
        format!(
            "cp {tbs} machine/; same \"$(echo bin {tbs} ca.key.pem | tr ' ' '\\n' | sort)\" \"$(ls machine)\""
        )
    };
    let root = lines("The root of another machine", "sh");
    // Two lines before the signatures, and two after them.
    let root: Vec<_> = root.lines().filter(|line| !line.is_empty()).collect();
    [
        reads_ours(
            Openssl,
            "docs/signers.md: a CA on another machine",
            format!(
                "{machine}
                openssl ecparam -name prime256v1 -genkey -noout -out machine/ca.key.pem
                openssl req -x509 -key machine/ca.key.pem -subj '/CN=Far Away' -days 30 -addext keyUsage=critical,keyCertSign,cRLSign -out ca.crt.pem
                cp $OURS/bot.csr.pem .
                {}
                {}
                there '{}'
                mv machine/bot.sig .; rm machine/bot.tbs
                {}
                openssl verify -CAfile ca.crt.pem bot.crt.pem
                countersign ca crl --ca-cert ca.crt.pem --revoke 0x12:superseded --print-tbs --out ca.tbs
                {}
                there 'openssl dgst -sha256 -sign ca.key.pem -out ca.sig ca.tbs'
                fails countersign ca assemble --ca-cert ca.crt.pem --tbs ca.tbs --signature bot.sig --out ca.crl.pem 2>&1 | has 'does not verify'
                countersign ca assemble --ca-cert ca.crt.pem --tbs ca.tbs --signature machine/ca.sig --out ca.crl.pem
                openssl crl -in ca.crl.pem -CAfile ca.crt.pem -noout 2>&1 | has 'verify OK'",
                first(&lines("A CA on another machine", "sh")),
                sent("bot.tbs"),
                lines("A CA on another machine", "sh offline").trim(),
                last(&lines("A CA on another machine", "sh")),
                sent("ca.tbs"),
            ),
        ),
        reads_ours(
            Openssl,
            "docs/signers.md: the root of another machine",
            format!(
                "{machine}
                openssl ecparam -name prime256v1 -genkey -noout -out machine/ca.key.pem
                openssl pkey -in machine/ca.key.pem -pubout -out ca.pub.pem
                {}
                cp root.tbs far.tbs machine/
                there '{}'
                mv machine/*.sig .
                {}
                openssl verify -CAfile root.crt.pem root.crt.pem
                openssl req -in far.csr.pem -verify -noout 2>&1 | has 'verify OK'
                fails countersign ca assemble --tbs far.tbs --signature root.sig --out x 2>&1 | has 'does not verify'",
                root.get(..2).unwrap_or_default().join("\n"),
                lines("The root of another machine", "sh offline").trim(),
                root.get(2..).unwrap_or_default().join("\n"),
            ),
        ),
        reads_ours(
            Openssl,
            "a CA on another machine: Ed25519",
            format!(
                "{machine}
                openssl genpkey -algorithm ED25519 -out machine/ca.key.pem
                openssl req -x509 -key machine/ca.key.pem -subj '/CN=Far Away' -days 30 -addext keyUsage=critical,keyCertSign,cRLSign -out ca.crt.pem
                countersign ca sign --ca-cert ca.crt.pem --csr $OURS/ec-p256.csr.pem --print-tbs --out bot.tbs --json > report
                has '\"digest\": null' < report
                {}
                there 'openssl pkeyutl -sign -rawin -inkey ca.key.pem -in bot.tbs -out bot.sig'
                countersign ca assemble --ca-cert ca.crt.pem --tbs bot.tbs --signature machine/bot.sig --out bot.crt.pem
                openssl verify -CAfile ca.crt.pem bot.crt.pem",
                sent("bot.tbs")
            ),
        ),
        agrees(
            Openssl,
            "a CA on another machine: the algorithm that it is told",
            "openssl rsa -in $OURS/signing.key.pem -passin env:PASS -out ca.key.pem
            printf 'signature-algorithm = \"RSASSA-PSS with SHA-512\"\\n' > pss.toml
            countersign ca sign --ca-cert $OURS/issuers.pem --csr $OURS/bot.csr.pem --profile-file pss.toml --print-tbs --out bot.tbs 2> told
            line=$(sed -n 's/^  \\(openssl dgst .*\\) -sign KEY -out SIGNATURE TBS$/\\1/p' told)
            $line -sign ca.key.pem -out bot.sig bot.tbs
            countersign ca assemble --ca-cert $OURS/issuers.pem --tbs bot.tbs --signature bot.sig --out bot.crt.pem
            openssl verify -CAfile $OURS/root.crt.pem -untrusted $OURS/signing.crt.pem bot.crt.pem
            openssl dgst -sha512 -sign ca.key.pem -out other.sig bot.tbs
            refuses countersign ca assemble --ca-cert $OURS/issuers.pem --tbs bot.tbs --signature other.sig --out other.crt.pem",
        ),
    ]
}

fn tokens() -> Vec<Case> {
    let page = format!(
        "cp $OURS/bot.csr.pem .
        {}
        ",
        lines("A token: PKCS#11", "sh")
    );
    let mut cases = vec![
        reads_ours(
            Softhsm,
            "docs/signers.md: CAs whose keys are in a token",
            format!(
                "{page}
                openssl verify -CAfile root.crt.pem -untrusted issuing.crt.pem bot.crt.pem
                openssl verify -x509_strict -CAfile root.crt.pem issuing.crt.pem
                openssl req -in issuing.csr.pem -verify -noout
                openssl crl -in issuing.crl.pem -CAfile issuing.crt.pem -noout 2>&1 | has 'verify OK'
                openssl x509 -in root.crt.pem -noout -text | has 'Public-Key: (4096 bit)'
                fails grep -l PRIVATE *.*"
            ),
        ),
        reads_ours(
            Gnutls,
            "certificates that tokens signed",
            format!(
                "{page}cat bot.crt.pem issuing.crt.pem > chain
                certtool --verify --load-ca-certificate root.crt.pem --infile chain | has 'Verified. The certificate is trusted'
                certtool --verify-crl --load-ca-certificate issuing.crt.pem --infile issuing.crl.pem 2>&1 | has 'Verified. The certificate is trusted'"
            ),
        ),
        agrees(
            Softhsm,
            "what is no signature, and a wrong PIN",
            format!(
                "{TOKEN}$token --keypairgen --key-type EC:prime256v1 --usage-sign --id 01
                $token --read-object --type pubkey --id 01 --output-file p
                try() {{ local status=0; \"${{@:2}}\" 2> told || status=$?; same \"$1\" $status; }}
                raw=\"sh -c 'openssl dgst -sha256 -binary | $token --sign --id 01 --mechanism ECDSA'\"
                try 3 countersign csr create --public-key p --subject /CN=a --signer-command \"$raw\" --out a.csr
                has '64 octets of r and s alone' < told; has 'signature-format openssl' < told
                try 3 env PIN=0000 countersign csr create --public-key p --subject /CN=a --signer-command \"$raw\" --out a.csr
                has 'CKR_PIN_INCORRECT' < told
                other=\"sh -c 'openssl dgst -sha384 -binary | $token --sign --id 01 --mechanism ECDSA --signature-format openssl'\"
                try 1 countersign csr create --public-key p --subject /CN=a --signer-command \"$other\" --out a.csr
                has 'does not verify' < told
                [ ! -e a.csr ]"
            ),
        ),
    ];
    let hashed = |digest: &str| {
        format!(
            "sh -c 'openssl dgst -{digest} -binary | $token --sign --id 01 --mechanism ECDSA --signature-format openssl'"
        )
    };
    for (key, kind, signer) in [
        (
            "RSA",
            "rsa:2048",
            "$token --sign --id 01 --mechanism SHA256-RSA-PKCS".to_owned(),
        ),
        (
            "RSA, --signature-algorithm rsa-pss-sha384",
            "rsa:2048",
            "$token --sign --id 01 --mechanism SHA384-RSA-PKCS-PSS".to_owned(),
        ),
        ("P-256", "EC:prime256v1", hashed("sha256")),
        ("P-521", "EC:secp521r1", hashed("sha512")),
        (
            "Ed25519",
            "EC:edwards25519",
            "$token --sign --id 01 --mechanism EDDSA".to_owned(),
        ),
    ] {
        cases.push(reads_ours(
            Softhsm,
            format!("signer command: pkcs11-tool, {key}"),
            format!(
                "{TOKEN}$token --keypairgen --key-type {kind} --usage-sign --id 01
                $token --read-object --type pubkey --id 01 --output-file p
                {}",
                in_all_places(&signer, options(key))
            ),
        ));
    }
    cases
}

/// A token without keys.
const TOKEN: &str = "export SOFTHSM2_CONF=$PWD/softhsm2.conf PIN=1234
mkdir tokens; echo \"directories.tokendir = $PWD/tokens\" > softhsm2.conf
softhsm2-util --init-token --free --label bots --pin $PIN --so-pin 5678
token='pkcs11-tool --module /usr/lib/softhsm/libsofthsm2.so --token-label bots --login --pin env:PIN'
";

/// A root, a certificate, a CRL and a request that this command signs with the private half of the key `p`.
fn in_all_places(signer: &str, options: &str) -> String {
    format!(
        "signer=\"{signer}\"
        countersign ca create {options} --subject '/CN=Elsewhere' --public-key p --signer-command \"$signer\" --out-cert ca.crt.pem
        countersign ca sign {options} --ca-cert ca.crt.pem --csr $OURS/ec-p256.csr.pem --signer-command \"$signer\" --out c.pem
        openssl verify -CAfile ca.crt.pem ca.crt.pem c.pem
        countersign ca crl {options} --ca-cert ca.crt.pem --revoke 7 --signer-command \"$signer\" --out crl.pem
        openssl crl -in crl.pem -CAfile ca.crt.pem -noout 2>&1 | has 'verify OK'
        countersign csr create {options} --subject /CN=a --public-key p --signer-command \"$signer\" --out a.csr
        openssl req -in a.csr -verify -noout 2>&1 | has 'verify OK'"
    )
}

/// The options in the name of a key.
fn options(key: &str) -> &str {
    key.find("--")
        .and_then(|at| key.get(at..))
        .unwrap_or_default()
}

/// The blocks of a chapter of the page that are marked so, one after the other.
fn lines(chapter: &str, mark: &str) -> String {
    let text = PAGE.split("\n## ").find(|text| text.starts_with(chapter));
    let text = text.unwrap_or_default();
    let blocks = text.split("\n```").skip(1).step_by(2);
    blocks
        .filter_map(|block| block.strip_prefix(mark)?.strip_prefix('\n'))
        .collect::<Vec<_>>()
        .join("\n")
}

fn first(lines: &str) -> &str {
    lines.trim().lines().next().unwrap_or_default()
}

fn last(lines: &str) -> &str {
    lines.trim().lines().last().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_lines_to_run() {
        for (chapter, mark, commands) in [
            ("openssl", "sh", 3),
            ("A token: PKCS#11", "sh", 5),
            ("A CA on another machine", "sh", 2),
            ("A CA on another machine", "sh offline", 0),
            ("The root of another machine", "sh", 4),
            ("The root of another machine", "sh offline", 0),
        ] {
            let lines = lines(chapter, mark);
            assert_eq!(lines.matches("countersign ").count(), commands, "{lines}");
            assert!(!lines.is_empty());
        }
        let offline = lines("A CA on another machine", "sh offline");
        assert!(offline.lines().all(|line| line.starts_with("openssl ")));
        assert!(!offline.contains('\''));
    }
}
