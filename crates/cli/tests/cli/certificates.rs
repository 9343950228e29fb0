use crate::{
    foreign::{BLANK, RSA_1024},
    sandbox::Sandbox,
};

#[test]
fn a_root_is_made_with_its_key() {
    let sandbox = Sandbox::new();
    let made = sandbox
        .run(
            "ca create --type ec-p256 --subject '/CN=Demo CA/O=Excelsior Bank/C=GB' --passout env:PW \
             --out-cert ca.crt.pem --out-key ca.key.pem",
        )
        .succeeds();
    assert_eq!(made.stdout, "");
    assert!(
        made.stderr
            .starts_with("ca.key.pem: ECDSA P-256 private key, encrypted\nca.crt.pem: certificate of C=GB,O=Excelsior Bank,CN=Demo CA, serial number "),
        "{}",
        made.stderr
    );
    assert_eq!(sandbox.files(), ["ca.crt.pem", "ca.key.pem"]);
    #[cfg(unix)]
    {
        assert_eq!(sandbox.mode("ca.key.pem"), 0o600);
        assert_eq!(sandbox.mode("ca.crt.pem") & 0o600, 0o600);
    }
}

#[test]
fn an_intermediate_signs_below_its_parent() {
    let sandbox = Sandbox::with_authority();
    sandbox.script(
        "ca create --type ec-p256 --subject /CN=Bots --path-len 0 --parent-cert ca.crt.pem --parent-key ca.key.pem \
         --out-cert bots.crt.pem --out-key bots.key.pem
         key generate --type ec-p256 --out bot.key.pem
         csr create --key bot.key.pem --subject /CN=demo-bot1 --out bot.csr.pem
         ca sign --ca-cert bots.crt.pem --ca-key bots.key.pem --csr bot.csr.pem --out bot.crt.pem",
    );
    let shown = sandbox.run("inspect bot.crt.pem").succeeds().stdout;
    assert!(shown.contains("CN=Bots"), "{shown}");

    sandbox
        .run("ca sign --ca-cert bots.crt.pem --ca-key bots.key.pem --csr bot.csr.pem --profile intermediate --out x.pem")
        .refuses(
            "error: signing bot.csr.pem: the path length constraint of CN=Bots does not allow as many CAs below it\n\
             hint: sign with a CA higher up, or with one that was made with a larger --path-len\n",
        );
}

/// A root that allows one CA below it, that CA `a`, and `chain.crt` with both.
fn with_chain() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.script(
        "ca create --type ec-p256 --subject /CN=R --path-len 1 --out-cert r.crt --out-key r.key
         ca create --type ec-p256 --subject /CN=A --parent-cert r.crt --parent-key r.key --out-cert a.crt --out-key a.key
         key generate --type ec-p256 --out bot.key
         csr create --key bot.key --subject /CN=bot --out bot.csr",
    );
    sandbox.write("chain.crt", sandbox.text("a.crt") + &sandbox.text("r.crt"));
    sandbox
}

const NOT_CHECKED: &str = "warning: a.crt ends before a root: the path lengths, name constraints, purposes and dates of \
                           CN=R, which issued the certificate of CN=A, and of its issuers were not checked; append its \
                           certificate to the file\n";

#[test]
fn the_issuers_of_a_parent_have_their_say_when_they_follow_in_its_file_and_are_missed_otherwise() {
    let sandbox = with_chain();
    let create = "ca create --type ec-p256 --subject /CN=B --parent-key a.key --out-cert b.crt --out-key b.key";
    sandbox
        .run(&format!("{create} --parent-cert chain.crt"))
        .refuses(
            "error: the CA's certificate: the path length constraint of CN=R does not allow as many CAs below it\n\
             hint: sign with a CA higher up, or with one that was made with a larger --path-len\n",
        );
    assert!(!sandbox.files().contains(&"b.crt".to_owned()));
    let made = sandbox
        .run(&format!("{create} --parent-cert a.crt"))
        .succeeds();
    assert!(made.stderr.starts_with(NOT_CHECKED), "{}", made.stderr);
}

#[test]
fn an_authority_whose_issuer_is_unknown_earns_a_warning() {
    let sandbox = with_chain();
    let sign = "ca sign --ca-key a.key --csr bot.csr --out x.crt --force --ca-cert";
    let made = sandbox.run(&format!("{sign} a.crt")).succeeds();
    assert!(made.stderr.starts_with(NOT_CHECKED), "{}", made.stderr);
    let issue = "issue --ca-key a.key --type ec-p256 --subject /CN=bot --passout env:PW --dir d --force --ca-cert";
    let made = sandbox.run(&format!("{issue} a.crt")).succeeds();
    let incomplete = "warning: the chain ends before a root: a Pod must know the missing issuer itself, and not only one \
                      further up: that of CN=A was issued by CN=R\n";
    let told = format!("{NOT_CHECKED}{incomplete}d/bot.crt.pem: certificate of CN=bot, ");
    assert!(made.stderr.starts_with(&told), "{}", made.stderr);

    for line in [sign, issue] {
        let made = sandbox.run(&format!("{line} chain.crt")).succeeds();
        assert!(!made.stderr.contains("warning"), "{}", made.stderr);
    }
}

#[test]
fn issue_tells_what_would_be_in_the_way_of_a_login_and_nothing_twice() {
    let sandbox = Sandbox::with_authority();
    let issue = "issue --ca-cert ca.crt.pem --ca-key ca.key.pem --passout env:PW --dir d --force";
    for (rest, warning) in [
        (
            "--bits 2048 --subject /CN=bot",
            "warning: a Pod rejects RSA keys of less than 4096 bits\n",
        ),
        (
            "--type ec-p256 --subject '/CN=bot '",
            "warning: in the subject, CN starts or ends with a blank, which is a part of the name: \"bot \"\n",
        ),
        (
            "--type ec-p256 --subject /CN=bot --days 7",
            "warning: the client certificate expires in less than 30 days: on ",
        ),
    ] {
        let made = sandbox.run(&format!("{issue} {rest}")).succeeds();
        assert!(made.stderr.starts_with(warning), "{}", made.stderr);
        assert_eq!(made.stderr.matches("warning").count(), 1, "{}", made.stderr);
    }
}

#[test]
fn a_blank_at_an_end_of_a_subject_earns_a_warning_where_a_certificate_is_made() {
    let sandbox = Sandbox::with_authority();
    sandbox.write("bot.csr", BLANK);
    for line in [
        "ca create --type ec-p256 --subject '/CN=bot ' --out-cert a --out-key b",
        "issue --ca-cert ca.crt.pem --ca-key ca.key.pem --type ec-p256 --subject '/CN=bot ' --passout env:PW --dir d",
        "ca sign --ca-cert ca.crt.pem --ca-key ca.key.pem --csr bot.csr --out c",
    ] {
        let made = sandbox.run(line).succeeds();
        assert!(
            made.stderr.starts_with(
                "warning: in the subject, CN starts or ends with a blank, which is a part of the name: \"bot \"\n"
            ),
            "{}",
            made.stderr
        );
    }
}

#[test]
fn a_request_with_a_key_that_is_too_small_is_not_signed() {
    let sandbox = Sandbox::with_authority();
    sandbox.write("small.csr", RSA_1024);
    for profile in ["client", "server", "peer", "intermediate"] {
        let outcome = sandbox.run(&format!(
            "ca sign --ca-cert ca.crt.pem --ca-key ca.key.pem --csr small.csr --profile {profile} --out x.pem"
        ));
        assert_eq!(outcome.status, 1);
        assert!(
            outcome.stderr.ends_with(
                "error: signing small.csr: an RSA key of 1024 bits is below the minimum of 2048\n\
                 hint: have the request made again, with a longer key\n"
            ),
            "{}",
            outcome.stderr
        );
    }
    assert_eq!(sandbox.files(), ["ca.crt.pem", "ca.key.pem", "small.csr"]);
}

#[test]
fn an_authority_does_not_sign_for_its_own_name() {
    let sandbox = Sandbox::with_authority();
    sandbox.script(
        "key generate --type ec-p256 --out key.pem
         csr create --key key.pem --subject '/CN=Demo CA/O=Excelsior Bank/C=GB' --out own.csr",
    );
    sandbox
        .run("ca sign --ca-cert ca.crt.pem --ca-key ca.key.pem --csr own.csr --out x.pem")
        .refuses(
            "error: signing own.csr: C=GB,O=Excelsior Bank,CN=Demo CA is the CA itself, and can not be the subject \
             of what it signs\n\
             hint: have the request made again, with a subject of its own\n",
        );
}

#[test]
fn a_stranger_in_the_file_of_an_authority_is_named() {
    let sandbox = Sandbox::with_bot();
    sandbox.script(
        "ca create --type ec-p256 --subject /CN=Stranger --out-cert other.crt --out-key other.key",
    );
    sandbox.write(
        "both.crt",
        sandbox.text("ca.crt.pem") + &sandbox.text("other.crt"),
    );
    let refusal = "error: both.crt: the certificate of CN=Stranger is not part of the chain of \
                   C=GB,O=Excelsior Bank,CN=Demo CA\n\
                   hint: leave out the certificates that are not its issuers\n";
    for line in [
        "ca sign --ca-cert both.crt --ca-key ca.key.pem --csr bot.csr.pem --out x.pem",
        "issue --ca-cert both.crt --ca-key ca.key.pem --type ec-p256 --subject /CN=x --passout env:PW --dir d",
        "ca create --type ec-p256 --subject /CN=x --parent-cert both.crt --parent-key ca.key.pem --out-cert x --out-key y",
    ] {
        sandbox.run(line).refuses(refusal);
    }
}

#[test]
fn a_parent_is_a_certificate_and_a_key() {
    let sandbox = Sandbox::with_authority();
    sandbox
        .run("ca create --subject /CN=a --parent-cert ca.crt.pem --out-cert a.crt --out-key a.key")
        .misuses("--parent-key <FILE>");
}

#[test]
fn of_two_outputs_both_are_written_or_none() {
    let sandbox = Sandbox::new();
    sandbox.write("ca.key.pem", "precious");
    sandbox
        .run("ca create --type ec-p256 --subject /CN=a --out-cert ca.crt.pem --out-key ca.key.pem")
        .fails(
            "error: ca.key.pem: already exists\n\
             hint: choose another name, or replace it with --force\n",
        );
    assert_eq!(sandbox.files(), ["ca.key.pem"]);
    assert_eq!(sandbox.text("ca.key.pem"), "precious");

    sandbox
        .run("ca create --type ec-p256 --subject /CN=a --out-cert a --out-key ./a --force")
        .misuses("error: --out-cert and --out-key can not both go to ./a\n");
}

#[test]
fn the_certificate_of_the_workflow_has_its_serial_number_and_is_version_3() {
    let sandbox = Sandbox::with_bot();
    let made = sandbox
        .run(
            "ca sign --ca-cert ca.crt.pem --ca-key ca.key.pem --csr bot.csr.pem --days 2922 --serial 0x1 \
             --out demo.crt.pem --json",
        )
        .succeeds();
    assert!(
        made.stderr
            .starts_with("demo.crt.pem: certificate of CN=demo-bot1, serial number "),
        "{}",
        made.stderr
    );
    let inspected = sandbox.run("inspect demo.crt.pem --json").succeeds();
    assert_eq!(made.json()["report"], inspected.json());
    let shown = sandbox.run("inspect demo.crt.pem").succeeds().stdout;
    assert!(shown.contains("clientAuth"), "{shown}");
}

#[test]
fn a_certificate_can_go_to_standard_output_but_not_together_with_a_report() {
    let sandbox = Sandbox::with_bot();
    let sign = "ca sign --ca-cert ca.crt.pem --ca-key ca.key.pem --csr bot.csr.pem --out -";
    let made = sandbox.run(sign).succeeds();
    assert!(made.stdout.starts_with("-----BEGIN CERTIFICATE-----\n"));
    sandbox
        .run(&format!("{sign} --json"))
        .misuses("error: the file and the report can not both go to standard output\n");
}

#[test]
fn a_request_that_was_altered_is_not_signed() {
    let sandbox = Sandbox::with_bot();
    // The subject is in the signed part: its last letter in base64 is somewhere in the second line.
    let request = sandbox.text("bot.csr.pem");
    let der = decode(&request);
    let at = der
        .windows(9)
        .position(|window| window == b"demo-bot1")
        .unwrap();
    let mut altered = der;
    altered[at + 8] = b'2';
    sandbox.write("bot.csr.der", altered);
    sandbox
        .run("ca sign --ca-cert ca.crt.pem --ca-key ca.key.pem --csr bot.csr.der --out x.pem")
        .refuses(
            "error: bot.csr.der: the signature of the certificate request does not match its public key\n\
             hint: the request was altered after it was signed: have it made again\n",
        );
    assert!(!sandbox.files().contains(&"x.pem".to_owned()));
}

#[test]
fn a_bot_can_not_sign() {
    let sandbox = Sandbox::with_bot();
    let outcome = sandbox.run(
        "ca sign --ca-cert bot.crt.pem --ca-key bot.key.pem --ca-passin env:PW --csr bot.csr.pem --out x.pem",
    );
    assert_eq!(outcome.status, 1);
    assert!(
        outcome.stderr.starts_with(
            "error: bot.crt.pem: the certificate of CN=demo-bot1 may not sign certificates: "
        ),
        "{}",
        outcome.stderr
    );
}

#[test]
fn an_authority_needs_its_own_key() {
    let sandbox = Sandbox::with_bot();
    sandbox
        .run("ca sign --ca-cert ca.crt.pem --ca-key bot.key.pem --ca-passin env:PW --csr bot.csr.pem --out x.pem")
        .refuses(
            "error: ca.crt.pem: the private key does not match the certificate of C=GB,O=Excelsior Bank,CN=Demo CA\n\
             hint: give the key that the certificate was issued for\n",
        );
}

#[test]
fn a_validity_beyond_the_authoritys_is_an_error_and_not_a_silent_cut() {
    let sandbox = Sandbox::with_bot();
    let outcome = sandbox.run(
        "ca sign --ca-cert ca.crt.pem --ca-key ca.key.pem --csr bot.csr.pem --days 9999 --out x.pem",
    );
    assert_eq!(outcome.status, 1);
    assert!(
        outcome
            .stderr
            .contains("exceeds that of the CA and its issuers, which ends at")
            && outcome.stderr.contains("\nhint: ask for fewer --days"),
        "{}",
        outcome.stderr
    );
}

#[test]
fn a_server_needs_a_name() {
    let sandbox = Sandbox::with_bot();
    let outcome = sandbox.run(
        "ca sign --ca-cert ca.crt.pem --ca-key ca.key.pem --csr bot.csr.pem --profile server --out x.pem",
    );
    assert_eq!(outcome.status, 1);
    assert!(
        outcome.stderr.contains("subject alternative name"),
        "{}",
        outcome.stderr
    );
}

#[test]
fn a_client_key_too_short_for_a_pod_earns_a_warning() {
    let sandbox = Sandbox::with_authority();
    sandbox.script(
        "key generate --bits 2048 --out bot.key.pem
         csr create --key bot.key.pem --subject /CN=bot --dns localhost --out bot.csr.pem",
    );
    let sign = "ca sign --ca-cert ca.crt.pem --ca-key ca.key.pem --csr bot.csr.pem --out x.pem --force --profile";
    let warning = "warning: a Pod rejects RSA keys of less than 4096 bits\n";
    for (profile, warns) in [("client", true), ("peer", true), ("server", false)] {
        let made = sandbox.run(&format!("{sign} {profile}")).succeeds();
        assert_eq!(
            made.stderr.contains(warning),
            warns,
            "{profile}: {}",
            made.stderr
        );
    }
}

#[test]
fn names_that_the_profile_does_not_grant_are_told() {
    let sandbox = Sandbox::with_bot();
    sandbox.script(
        "csr create --key bot.key.pem --passin env:PW --subject /CN=bot --dns a.example --ip 192.0.2.1 \
         --email bot@example.com --out named.csr.pem",
    );
    let sign = "ca sign --ca-cert ca.crt.pem --ca-key ca.key.pem --csr named.csr.pem --out x.pem --force --profile";
    for profile in ["client", "intermediate"] {
        let made = sandbox.run(&format!("{sign} {profile}")).succeeds();
        let warning = format!(
            "warning: the profile {profile} does not grant these names of the request: \
             DNS:a.example, IP:192.0.2.1, email:bot@example.com\n"
        );
        assert!(made.stderr.starts_with(&warning), "{}", made.stderr);
    }
    for profile in ["server", "peer"] {
        let made = sandbox.run(&format!("{sign} {profile}")).succeeds();
        assert!(!made.stderr.contains("warning"), "{}", made.stderr);
    }
}

#[test]
fn a_request_whose_subject_holds_a_control_character_is_not_signed() {
    let sandbox = Sandbox::with_authority();
    sandbox.write("cr.csr.pem", CARRIAGE_RETURN);
    sandbox
        .run("ca sign --ca-cert ca.crt.pem --ca-key ca.key.pem --csr cr.csr.pem --out x.pem")
        .fails(
            "error: cr.csr.pem: attribute CN holds the control character U+000D\n\
             hint: have the request made again, with a subject that holds no control character\n",
        );
    assert!(!sandbox.files().contains(&"x.pem".to_owned()));
}

/// Of `openssl req -new -subj $'/CN=bot\r'`.
const CARRIAGE_RETURN: &str = "\
-----BEGIN CERTIFICATE REQUEST-----
MIHKMHECAQAwDzENMAsGA1UEAwwEYm90DTBZMBMGByqGSM49AgEGCCqGSM49AwEH
A0IABNtqLhibrTovJA3Wqy2DFcfDQJEQXDLiPXmCCRMVF3HIXgoET1qZFbEiW2lf
eA8oiYLU/BMuQirB60B3SkG0BISgADAKBggqhkjOPQQDAgNJADBGAiEAwdLHochb
N4RbUx45H36MTrztHXCNcr7VpmNKHHrdkMYCIQD2c5xpdP7tTk8W+UhBE1xDk6Y6
zYPQbOpgQkhrJ56FQA==
-----END CERTIFICATE REQUEST-----
";

/// The body of a PEM file.
fn decode(pem: &str) -> Vec<u8> {
    let base64: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let mut octets = Vec::new();
    let (mut bits, mut held) = (0_u32, 0);
    for c in base64.bytes().filter(|&c| c != b'=') {
        let value = match c {
            b'A'..=b'Z' => c - b'A',
            b'a'..=b'z' => c - b'a' + 26,
            b'0'..=b'9' => c - b'0' + 52,
            b'+' => 62,
            _ => 63,
        };
        bits = bits << 6 | u32::from(value);
        held += 6;
        if held >= 8 {
            held -= 8;
            octets.push((bits >> held) as u8);
        }
    }
    octets
}

#[test]
fn a_profile_of_ones_own_decides_and_says_what_it_does_not_grant() {
    let sandbox = Sandbox::with_authority();
    sandbox.write(
        "bot.toml",
        "key-usage = ['digitalSignature']\n\
         extended-key-usage = ['clientAuth', '1.2.3.4']\n\
         crl-distribution-points = ['http://ca.example.com/ca.crl']\n\
         subject = { required = ['CN'], values = { O = 'Bank' } }\n\
         validity = { for = '30d', clamped = true }\n",
    );
    sandbox.script(
        "key generate --type ec-p256 --out bot.key
         csr create --key bot.key --subject /CN=bot/O=Bank --dns a.example --out bot.csr
         csr create --key bot.key --subject /CN=bot/O=Other --out other.csr",
    );
    let sign = "ca sign --ca-cert ca.crt.pem --ca-key ca.key.pem --profile-file bot.toml";
    let signed = sandbox
        .run(&format!("{sign} --csr bot.csr --out bot.crt"))
        .succeeds();
    assert!(
        signed.stderr.contains(
            "warning: the profile bot.toml does not grant these names of the request: DNS:a.example\n"
        ),
        "{}",
        signed.stderr
    );
    let shown = sandbox.run("inspect bot.crt").succeeds().stdout;
    assert!(shown.contains("clientAuth, 1.2.3.4"), "{shown}");
    let report = sandbox
        .run(&format!("{sign} --csr bot.csr --out json.crt --json"))
        .succeeds()
        .json();
    assert_eq!(
        report["ungranted"],
        serde_json::json!(["the name DNS:a.example"])
    );

    sandbox
        .run(&format!("{sign} --csr other.csr --out x.crt"))
        .refuses(
            "error: signing other.csr: the subject has the attribute O with the value \"Other\": the profile asks for another \
             value\n",
        );
    // The file says how long it is valid; neither of the two wins in silence.
    sandbox
        .run(&format!("{sign} --days 9 --csr bot.csr --out x.crt"))
        .misuses("cannot be used with");
    sandbox.write("bot.toml", "\nkey_usage = []\n");
    let refused = sandbox.run(&format!("{sign} --csr bot.csr --out x.crt"));
    assert!(
        refused.stderr.starts_with(
            "error: bot.toml: the profile can not be read, line 2: unknown field `key_usage`"
        ),
        "{}",
        refused.stderr
    );
    assert!(!sandbox.files().contains(&"x.crt".to_owned()));
}

#[test]
fn a_profile_that_can_not_be_is_told_with_key_and_value_and_refuses_nobody() {
    let sandbox = Sandbox::with_bot();
    let sign = "ca sign --ca-cert ca.crt.pem --ca-key ca.key.pem --csr bot.csr.pem --profile-file p.toml --out x.crt";
    for (profile, reason) in [
        (
            "key-usage = ['digitalsignature']",
            "key-usage: \"digitalsignature\": it has no bit with this name",
        ),
        (
            "key-usage = ['digitalSignature']\ncritical = ['ocsp']",
            "it has no extension \"ocsp\" to be critical or not",
        ),
        (
            "validity = { for = '1d', forever = true }",
            "validity: it is for a time, between two dates or forever, and not several of these",
        ),
        (
            "key-usage = ['keyCertSign']",
            "only a CA has the key usage keyCertSign",
        ),
    ] {
        sandbox.write("p.toml", profile);
        sandbox.run(sign).fails(&format!(
            "error: p.toml: the profile can not be read: {reason}\n"
        ));
    }
}

#[test]
fn an_attribute_of_a_request_that_is_not_understood_is_told() {
    let sandbox = Sandbox::with_authority();
    sandbox.write(
        "a.csr",
        include_bytes!("../../../pki/tests/data/attributes.csr.pem"),
    );
    let shown = sandbox.run("inspect a.csr").succeeds().stdout;
    assert!(
        shown.contains("\n  otherAttributes: unstructuredName, challengePassword\n"),
        "{shown}"
    );
    let signed = sandbox
        .run("ca sign --ca-cert ca.crt.pem --ca-key ca.key.pem --csr a.csr --out a.crt --json")
        .succeeds();
    assert!(
        signed.stderr.starts_with(
            "warning: the profile client does not grant what the request asks for: the attribute unstructuredName\n"
        ),
        "{}",
        signed.stderr
    );
    assert_eq!(
        signed.json()["ungranted"],
        serde_json::json!(["the attribute 1.2.840.113549.1.9.2"])
    );
}

#[test]
fn wherever_a_key_signs_its_algorithm_can_be_chosen() {
    let sandbox = Sandbox::new();
    let pss = "--signature-algorithm rsa-pss-sha384";
    sandbox.script(&format!(
        "ca create --bits 2048 --subject /CN=R {pss} --out-cert r.crt --out-key r.key
         ca create --bits 2048 --subject /CN=A --parent-cert r.crt --parent-key r.key {pss} --out-cert a.crt --out-key a.key
         key generate --type ec-p256 --out bot.key
         csr create --key bot.key --subject /CN=bot --out bot.csr
         ca sign --ca-cert r.crt --ca-key r.key --csr bot.csr {pss} --out signed.crt
         cert renew --ca-cert r.crt --ca-key r.key --cert signed.crt {pss} --out renewed.crt
         cert self-sign --key r.key --subject /CN=S --dns s {pss} --out self.crt
         issue --ca-cert r.crt --ca-key r.key --type ec-p256 --subject /CN=issued --no-passphrase {pss} --dir ."
    ));
    for name in [
        "r.crt",
        "a.crt",
        "signed.crt",
        "renewed.crt",
        "self.crt",
        "issued.crt.pem",
    ] {
        let certificate = pki::Certificate::from_pem(sandbox.read(name)).unwrap();
        assert_eq!(
            certificate.signature_algorithm(),
            "RSASSA-PSS with SHA-384",
            "{name}"
        );
    }
    sandbox
        .run(&format!(
            "cert self-sign --key bot.key --subject /CN=S --dns s {pss} --out x.crt"
        ))
        .refuses(
            "error: the certificate of CN=S: RSASSA-PSS with SHA-384 can not be used with a key of ECDSA P-256\n\
             hint: leave out --signature-algorithm, or signature-algorithm in the profile's file: it is the key that decides\n",
        );
    sandbox.write("p.toml", "names = 'none'\n");
    sandbox
        .run(&format!(
            "ca sign --ca-cert r.crt --ca-key r.key --csr bot.csr {pss} --profile-file p.toml --out x.crt"
        ))
        .misuses("cannot be used with");
}
