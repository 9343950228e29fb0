//! `ca crl`, and CRLs in `inspect`.

use crate::sandbox::Sandbox;

const CRL: &str = "ca crl --ca-cert ca.crt.pem --ca-key ca.key.pem";

#[test]
fn a_crl_follows_another() {
    let sandbox = Sandbox::with_authority();
    let first = sandbox
        .run(&format!(
            "{CRL} --revoke 0x1:keyCompromise:2026-01-01 --out 1.crl"
        ))
        .succeeds();
    assert!(
        first
            .stderr
            .contains("1.crl: CRL 0x1 of C=GB,O=Excelsior Bank,CN=Demo CA, 1 revoked"),
        "{}",
        first.stderr
    );
    sandbox.write(
        "list",
        "# what else is lost\n2:certificateHold\n\n0xff:superseded:2026-01-02T03:04:05Z # old\n3\n",
    );
    sandbox
        .run(&format!(
            "{CRL} --previous 1.crl --from list --next-update 30d --out 2.crl"
        ))
        .succeeds();
    sandbox
        .run(&format!(
            "{CRL} --previous 2.crl --release 2 --number 0x10 --out 3.crl"
        ))
        .succeeds();
    let shown = sandbox.run("inspect 3.crl").succeeds().stdout;
    let entry = |lines: &[&str]| format!("  revokedCertificate:\n    {}\n", lines.join("\n    "));
    for expected in [
        "crl (PEM)\n",
        "  number: 0x10\n",
        "  outdated: false\n",
        &entry(&[
            "serialNumber: 0x1",
            "revocationDate: 2026-01-01T00:00:00Z",
            "reason: keyCompromise",
        ]),
        &entry(&[
            "serialNumber: 0xff",
            "revocationDate: 2026-01-02T03:04:05Z",
            "reason: superseded",
        ]),
        "serialNumber: 0x3\n",
    ] {
        assert!(shown.contains(expected), "{expected}\n{shown}");
    }
    assert!(!shown.contains("0x2"), "{shown}");
}

#[test]
fn a_certificate_is_revoked_by_its_file() {
    let sandbox = Sandbox::with_authority();
    sandbox.script(
        "issue --ca-cert ca.crt.pem --ca-key ca.key.pem --type ec-p256 --subject /CN=bot --serial 0x10 --no-passphrase --dir bots
         ca create --type ec-p256 --subject /CN=other --out-cert other.crt --out-key other.key",
    );
    sandbox
        .run(&format!(
            "{CRL} --revoke bots/bot.crt.pem:superseded --out ca.crl"
        ))
        .succeeds();
    let shown = sandbox.run("inspect ca.crl").succeeds().stdout;
    for expected in ["serialNumber: 0x10\n", "reason: superseded\n"] {
        assert!(shown.contains(expected), "{expected}\n{shown}");
    }
    let outcome = sandbox.run(&format!("{CRL} --revoke other.crt --out another.crl"));
    assert_eq!(outcome.status, 1, "{outcome:?}");
    assert!(
        outcome.stderr.starts_with("error: other.crt: "),
        "{outcome:?}"
    );
    sandbox
        .run(&format!(
            "{CRL} --revoke bots/missing.pem --out another.crl"
        ))
        .fails("error: bots/missing.pem: No such file or directory (os error 2)\n");
    sandbox
        .run(&format!("{CRL} --revoke bot --out another.crl"))
        .misuses("or a file such as bot.crt.pem");
}

#[test]
fn a_crl_takes_the_place_of_the_one_before() {
    let sandbox = Sandbox::with_authority();
    sandbox.script(&format!(
        "{CRL} --revoke 1 --out ca.crl
         {CRL} --previous ca.crl --revoke 2 --out ca.crl --force"
    ));
    let shown = sandbox.run("inspect ca.crl").succeeds().stdout;
    for expected in ["number: 0x2", "serialNumber: 0x1\n", "serialNumber: 0x2\n"] {
        assert!(shown.contains(expected), "{expected}\n{shown}");
    }
    let before = sandbox.read("ca.crl");
    let untouched = |line: &str, refusal: &str| {
        sandbox.run(line).misuses(refusal);
        assert_eq!(sandbox.read("ca.crl"), before);
    };
    untouched(
        &format!("{CRL} --revoke 3 --number 9 --out ca.crl --force"),
        "error: --out would replace ca.crl, a CRL of this CA with 2 revoked, by one that doesn't follow it\n\
         hint: go on with it: --previous takes the same file; or name another file\n",
    );
    let is_read =
        "error: --out would replace ca.crl, which --previous reads\nhint: name another file\n";
    untouched(
        "ca crl --ca-cert ca.crt.pem --print-tbs --previous ca.crl --out ca.crl --force",
        is_read,
    );

    // Another CA's, of whatever name, is a file like any other.
    sandbox.script(&format!(
        "ca create --type ec-p256 --subject '/CN=Demo CA/O=Excelsior Bank/C=GB' \
         --out-cert ca.crt.pem --out-key ca.key.pem --force
         {CRL} --out ca.crl --force"
    ));
    assert_ne!(sandbox.read("ca.crl"), before);
}

#[test]
fn what_can_not_follow_is_refused() {
    let sandbox = Sandbox::with_authority();
    sandbox
        .run(&format!("{CRL} --revoke 1 --number 7 --out 1.crl"))
        .succeeds();
    for (flags, reason) in [
        ("--revoke 1", "serial number 0x1 is revoked already"),
        ("--release 1", "serial number 0x1 is not on hold"),
        ("--number 7", "number 0x7 is not greater than 0x7"),
        (
            "--revoke 2:unspecified:2999-01-01",
            "revoked, or invalid, only later",
        ),
    ] {
        let outcome = sandbox.run(&format!("{CRL} --previous 1.crl {flags} --out 2.crl"));
        assert_eq!(outcome.status, 1, "{flags}: {}", outcome.stderr);
        assert!(outcome.stderr.contains(reason), "{}", outcome.stderr);
        assert!(!sandbox.path("2.crl").exists());
    }
    let outcome = sandbox.run(&format!("{CRL} --revoke 01:02:03 --out 2.crl"));
    assert!(
        outcome
            .stderr
            .contains("as one number: 0x010203, if that is meant"),
        "{}",
        outcome.stderr
    );
    let outcome = sandbox.run(&format!("{CRL} --next-update 99y --out late.crl"));
    assert_eq!(outcome.status, 0);
    assert!(
        outcome
            .stderr
            .contains("warning: the next CRL comes after the end of the CA's certificate, 20"),
        "{}",
        outcome.stderr
    );
    sandbox.write("list", "1\n2:lost\n");
    let outcome = sandbox.run(&format!("{CRL} --from list --out 2.crl"));
    assert_eq!(outcome.status, 3, "{}", outcome.stderr);
    let reason = "list: line 2: unknown reason for a revocation: \"lost\"";
    assert!(outcome.stderr.contains(reason), "{}", outcome.stderr);
}
