//! `cert check`.

use std::time::{Duration, SystemTime};

use pki::{Certificate, Issuance, PrivateKey, Profile};

use crate::sandbox::Sandbox;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// `NAME.crt`, valid for so many days from a time that is so many days away.
fn write_certificate(sandbox: &Sandbox, name: &str, from: i64, days: u32) -> Certificate {
    let key = PrivateKey::generate(pki::KeyKind::EcP256).unwrap();
    let subject = format!("/CN={name}").parse().unwrap();
    let apart = DAY * u32::try_from(from.abs()).unwrap();
    let now = SystemTime::now();
    let start = if from < 0 { now - apart } else { now + apart };
    // An hour more, so that the days are full ones while the test runs.
    let profile = Profile::client().valid_for(DAY * days + DAY / 24);
    let issuance = Issuance::for_key(key.public_key(), subject).at(start);
    let prepared = issuance.prepare_self_signed(&profile).unwrap();
    let certificate = prepared.sign(&key).unwrap();
    sandbox.write(&format!("{name}.crt"), certificate.to_pem());
    certificate
}

/// With certificates in all states.
fn with_certificates() -> (Sandbox, [Certificate; 4]) {
    let sandbox = Sandbox::new();
    let certificates = [
        write_certificate(&sandbox, "good", 0, 90),
        write_certificate(&sandbox, "due", 0, 12),
        write_certificate(&sandbox, "old", -40, 37),
        write_certificate(&sandbox, "new", 3, 90),
    ];
    (sandbox, certificates)
}

#[test]
fn each_certificate_has_its_line_in_the_order_in_which_it_was_named() {
    let (sandbox, [good, due, old, new]) = with_certificates();
    let outcome = sandbox.run("cert check new.crt due.crt old.crt good.crt");
    assert_eq!((outcome.status, outcome.stderr.as_str()), (1, ""));
    let lines: Vec<_> = outcome.stdout.lines().collect();
    for (line, state, certificate, left) in [
        (
            lines[0],
            "not yet valid: new.crt: CN=new",
            &new,
            "valid in ",
        ),
        (
            lines[1],
            "due: due.crt: CN=due",
            &due,
            "12 days left, until ",
        ),
        (
            lines[2],
            "expired: old.crt: CN=old",
            &old,
            "2 days ago, at ",
        ),
        (
            lines[3],
            "ok: good.crt: CN=good",
            &good,
            "90 days left, until ",
        ),
    ] {
        let serial = certificate.serial_number();
        let start = format!("{state}, serial number {serial}: {left}");
        assert!(line.starts_with(&start), "{line}");
    }
    assert_eq!(lines.len(), 4);
}

#[test]
fn the_status_says_whether_all_are_valid_for_that_long() {
    let (sandbox, _) = with_certificates();
    for (arguments, status) in [
        ("good.crt", 0),
        ("good.crt --expires-in 12w", 0),
        ("good.crt --expires-in 13w", 1),
        ("due.crt", 1),
        ("due.crt --expires-in 12d", 0),
        ("due.crt --expires-in 290h", 1),
        ("due.crt good.crt --expires-in 0d", 0),
        ("old.crt --expires-in 0d", 1),
        ("new.crt --expires-in 0d", 1),
        ("good.crt new.crt", 1),
    ] {
        let outcome = sandbox.run(&format!("cert check {arguments}"));
        assert_eq!(outcome.status, status, "{arguments}: {outcome:?}");
        assert_eq!(outcome.stderr, "", "{arguments}");
    }
    sandbox
        .run("cert check good.crt --expires-in 30")
        .misuses(r#"expected seconds, minutes, hours, days, weeks or years, such as "90m", "30d" or "1y", and found "#);
    sandbox.run("cert check").misuses("<FILE>...");
}

#[test]
fn what_can_not_be_read_is_told_beside_what_can() {
    let (sandbox, _) = with_certificates();
    sandbox.write("junk.crt", "nothing");
    sandbox.write("empty.crt", "");
    let unread = "error: missing.crt: No such file or directory (os error 2)\n\
                  error: empty.crt: nothing in it\n";
    let outcome = sandbox.run("cert check missing.crt good.crt empty.crt");
    assert_eq!((outcome.status, outcome.stderr.as_str()), (3, unread));
    assert!(outcome.stdout.starts_with("ok: good.crt: "));
    // That one is due is certain, whatever is in the others.
    let outcome = sandbox.run("cert check missing.crt due.crt empty.crt");
    assert_eq!((outcome.status, outcome.stderr.as_str()), (1, unread));
    assert!(outcome.stdout.starts_with("due: due.crt: "));

    let outcome = sandbox.run("cert check junk.crt");
    assert_eq!((outcome.status, outcome.stdout.as_str()), (3, ""));
    assert!(
        outcome.stderr.starts_with("error: junk.crt: malformed "),
        "{}",
        outcome.stderr
    );
}

#[test]
fn every_certificate_of_every_kind_of_file_is_looked_at() {
    let sandbox = Sandbox::with_bot();
    sandbox.script(
        "p12 export --cert bot.crt.pem --key bot.key.pem --passin env:PW --chain ca.crt.pem --passout env:PW --out bot.p12",
    );
    let der = Certificate::from_pem(sandbox.read("ca.crt.pem")).unwrap();
    sandbox.write("ca.der", der.as_der());
    // The key is encrypted, and of no interest.
    sandbox.write(
        "all.pem",
        sandbox.text("bot.key.pem") + &sandbox.text("bot.crt.pem") + &sandbox.text("ca.crt.pem"),
    );
    sandbox.write(
        "trust.jks",
        include_bytes!("../../../pki/tests/data/trust/keytool-trust.jks"),
    );
    let lines = |line: &str, input: &[u8]| -> Vec<String> {
        let shown = sandbox.run_with_input(line, input).succeeds().stdout;
        let words = shown.lines().map(|line| line.split(", serial").next());
        words.map(|it| it.unwrap().to_owned()).collect()
    };
    let ca = "C=GB,O=Excelsior Bank,CN=Demo CA";
    for (file, expected) in [
        ("ca.der", vec![format!("ok: ca.der: {ca}")]),
        (
            "all.pem",
            vec![
                "ok: all.pem: CN=demo-bot1".to_owned(),
                format!("ok: all.pem: {ca}"),
            ],
        ),
        (
            "bot.p12 --passin env:PW",
            vec![
                "ok: bot.p12: CN=demo-bot1".to_owned(),
                format!("ok: bot.p12: {ca}"),
            ],
        ),
    ] {
        assert_eq!(lines(&format!("cert check {file}"), b""), expected);
    }
    assert!(lines("cert check trust.jks", b"")[0].starts_with("ok: trust.jks: "));
    let input = sandbox.read("bot.crt.pem");
    assert_eq!(
        lines("cert check -", &input),
        ["ok: standard input: CN=demo-bot1"]
    );

    sandbox.run("cert check bot.key.pem").fails(
        "error: bot.key.pem: no certificate in it\n\
         hint: countersign inspect FILE shows what a file holds\n",
    );
    sandbox.run("cert check bot.p12 --no-input").fails(
        "error: bot.p12 is encrypted and needs a passphrase\n\
         hint: name its source with --passin: env:NAME, file:PATH, fd:N or stdin\n",
    );
    sandbox.run("cert check bot.p12 --passin env:WRONG").fails(
        "error: bot.p12: the passphrase does not open the PKCS#12 file\n\
         hint: check the passphrase that --passin gives\n",
    );
    sandbox
        .run("cert check bot.p12 --passin prompt --no-input")
        .misuses("--no-input forbids to ask");
}

#[test]
fn a_certificate_that_can_not_be_read_is_named_and_the_others_are_checked() {
    let (sandbox, _) = with_certificates();
    let broken = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
    sandbox.write("all.pem", broken.to_owned() + &sandbox.text("good.crt"));
    let outcome = sandbox.run("cert check all.pem");
    assert_eq!(outcome.status, 3);
    assert!(outcome.stdout.starts_with("ok: all.pem: CN=good"));
    assert!(
        outcome
            .stderr
            .starts_with("error: all.pem: malformed certificate: "),
        "{}",
        outcome.stderr
    );
}

#[test]
fn files_without_a_certificate_are_passed_over_and_directories_looked_through() {
    let sandbox = Sandbox::with_authority();
    sandbox.script(
        "issue --ca-cert ca.crt.pem --ca-key ca.key.pem --type ec-p256 --subject /CN=bot --passout env:PW --dir bots",
    );
    sandbox.write("bots/README.md", "not a certificate");
    let all = "bots/bot.crt.pem bots/bot.csr.pem bots/bot.key.pem bots/bot.p12";
    for files in [all, "bots"] {
        let outcome = sandbox
            .run(&format!("cert check {files} --passin env:PW"))
            .succeeds();
        assert_eq!(outcome.stdout.lines().count(), 3, "{outcome:?}");
        assert_eq!(
            outcome.stderr,
            "passed over, with no certificate in it: bots/bot.csr.pem, bots/bot.key.pem\n"
        );
    }
    for nothing in ["bots/bot.key.pem", "bots/bot.csr.pem bots/bot.key.pem"] {
        let outcome = sandbox.run(&format!("cert check {nothing}"));
        assert_eq!((outcome.status, outcome.stdout.as_str()), (3, ""));
        assert!(
            outcome.stderr.contains(": no certificate in it\n"),
            "{outcome:?}"
        );
    }
    let sandbox = Sandbox::new();
    sandbox.write("notes.txt", "");
    sandbox
        .run("cert check .")
        .fails("error: .: no certificate in it\n");
}

#[test]
fn the_report_has_the_documented_shape() {
    let (sandbox, _) = with_certificates();
    let outcome = sandbox.run("cert check due.crt old.crt missing.crt --expires-in 2w --json");
    assert_eq!(outcome.status, 1);
    let report = outcome.json();
    let documented = crate::program::documented("cert check");
    let shapes = [&report, &documented];
    assert_eq!(
        shapes.map(crate::program::keys)[0],
        crate::program::keys(&documented)
    );
    for part in ["certificates", "unreadable"] {
        let [ours, page] = shapes.map(|it| crate::program::keys(&it[part][0]));
        assert_eq!(ours, page, "{part}");
    }
    assert_eq!(report["expiresInSeconds"], 14 * 24 * 60 * 60);
    assert_eq!(report["certificates"][0]["file"], "due.crt");
    assert_eq!(report["certificates"][0]["state"], "due");
    assert_eq!(report["certificates"][0]["daysLeft"], 12);
    assert_eq!(report["certificates"][1]["state"], "expired");
    assert_eq!(report["certificates"][1]["daysLeft"], -3);
    assert_eq!(report["unreadable"][0]["file"], "missing.crt");
}
