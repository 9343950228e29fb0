use crate::sandbox::Sandbox;

const ISSUE: &str = "issue --ca-cert ca.crt.pem --ca-key ca.key.pem --type ec-p256 --subject /CN=demo-bot1/O=Bank \
     --passout env:PW --dir bots";

#[test]
fn one_call_makes_all_that_a_bot_needs() {
    let sandbox = Sandbox::with_authority();
    let made = sandbox.run(ISSUE).succeeds();
    assert_eq!(
        made.stdout,
        "bots/demo-bot1.key.pem\nbots/demo-bot1.csr.pem\nbots/demo-bot1.crt.pem\nbots/demo-bot1.p12\n"
    );
    assert!(
        sandbox
            .text("bots/demo-bot1.key.pem")
            .starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----")
    );
    #[cfg(unix)]
    {
        assert_eq!(sandbox.mode("bots/demo-bot1.key.pem"), 0o600);
        assert_eq!(sandbox.mode("bots/demo-bot1.p12"), 0o600);
    }
    let info = sandbox
        .run("p12 info bots/demo-bot1.p12 --passin env:PW --json")
        .succeeds()
        .json();
    assert_eq!(info["items"][0]["alias"], "demo-bot1");
    assert_eq!(
        info["items"][0]["certificates"].as_array().unwrap().len(),
        2
    );
}

#[test]
fn the_report_names_the_files() {
    let sandbox = Sandbox::with_authority();
    let report = sandbox
        .run(&format!("{ISSUE} --days 30 --serial 0x1 --json"))
        .succeeds()
        .json();
    assert_eq!(report["key"], "bots/demo-bot1.key.pem");
    assert_eq!(report["bundle"], "bots/demo-bot1.p12");
    let certificate = sandbox
        .run("inspect bots/demo-bot1.crt.pem --json")
        .succeeds()
        .json();
    assert_eq!(report["report"], certificate);
}

#[test]
fn of_the_four_files_all_are_written_or_none() {
    let sandbox = Sandbox::with_authority();
    std::fs::create_dir(sandbox.path("bots")).unwrap();
    sandbox.write("bots/demo-bot1.crt.pem", "precious");
    sandbox.run(ISSUE).fails(
        "error: bots/demo-bot1.crt.pem: already exists\n\
         hint: choose another name, or replace it with --force\n",
    );
    assert_eq!(std::fs::read_dir(sandbox.path("bots")).unwrap().count(), 1);
    assert_eq!(sandbox.text("bots/demo-bot1.crt.pem"), "precious");
}

#[test]
fn the_common_name_can_not_lead_out_of_the_directory() {
    let sandbox = Sandbox::with_authority();
    let made = sandbox
        .run(&ISSUE.replace("/CN=demo-bot1/O=Bank", "'CN=../../bot 1,O=Bank'"))
        .succeeds();
    assert!(
        made.stdout.starts_with("bots/_._.._bot_1.key.pem\n"),
        "{}",
        made.stdout
    );
    assert_eq!(sandbox.files(), ["bots", "ca.crt.pem", "ca.key.pem"]);
}

#[test]
fn without_a_common_name_there_is_no_name_for_the_files() {
    let sandbox = Sandbox::with_authority();
    sandbox
        .run(&ISSUE.replace("/CN=demo-bot1/O=Bank", "/O=Bank"))
        .misuses("error: the subject O=Bank has no common name to call the files by\n");
    assert_eq!(sandbox.files(), ["ca.crt.pem", "ca.key.pem"]);
}

#[test]
fn a_directory_that_was_made_for_nothing_is_removed_again() {
    let sandbox = Sandbox::with_authority();
    sandbox
        .run(&ISSUE.replace("env:PW", "env:NOT_SET"))
        .fails("error: --passout: the environment variable NOT_SET is not set\n");
    assert_eq!(sandbox.files(), ["ca.crt.pem", "ca.key.pem"]);
}

#[test]
fn the_issuers_of_the_authority_go_into_the_bundle() {
    let sandbox = Sandbox::with_authority();
    sandbox.script(
        "ca create --type ec-p256 --subject /CN=Bots --parent-cert ca.crt.pem --parent-key ca.key.pem \
         --out-cert bots.crt.pem --out-key bots.key.pem",
    );
    sandbox.write(
        "chain.pem",
        sandbox.text("bots.crt.pem") + &sandbox.text("ca.crt.pem"),
    );
    sandbox
        .run(
            &ISSUE
                .replace("ca.crt.pem", "chain.pem")
                .replace("ca.key.pem", "bots.key.pem"),
        )
        .succeeds();
    let info = sandbox
        .run("p12 info bots/demo-bot1.p12 --passin env:PW --json")
        .succeeds()
        .json();
    assert_eq!(
        info["items"][0]["certificates"].as_array().unwrap().len(),
        3
    );
}

const SERVER: &str = "issue --ca-cert ca.crt.pem --ca-key ca.key.pem --type ec-p256 --subject /CN=pod.example \
     --dns pod.example --ip 192.0.2.1 --dir servers";

#[test]
fn without_a_passphrase_the_key_is_not_encrypted_and_there_is_no_bundle() {
    let sandbox = Sandbox::with_authority();
    let made = sandbox
        .run(&format!(
            "{SERVER} --profile server --no-passphrase --no-input"
        ))
        .succeeds();
    assert_eq!(
        made.stdout,
        "servers/pod.example.key.pem\nservers/pod.example.csr.pem\nservers/pod.example.crt.pem\n"
    );
    assert!(
        made.stderr.starts_with(
            "servers/pod.example.key.pem: ECDSA P-256 private key, not encrypted (--passout encrypts it)\n\
             servers/pod.example.crt.pem: certificate of CN=pod.example, "
        ),
        "{}",
        made.stderr
    );
    assert!(
        sandbox
            .text("servers/pod.example.key.pem")
            .starts_with("-----BEGIN PRIVATE KEY-----")
    );
    #[cfg(unix)]
    assert_eq!(sandbox.mode("servers/pod.example.key.pem"), 0o600);
    let files: Vec<_> = std::fs::read_dir(sandbox.path("servers"))
        .unwrap()
        .collect();
    assert_eq!(files.len(), 3);

    let report = sandbox
        .run(&format!(
            "{SERVER} --profile server --no-passphrase --force --json"
        ))
        .succeeds()
        .json();
    assert_eq!(report["bundle"], serde_json::Value::Null);
    let item = &report["report"]["items"][0];
    assert_eq!(item["extendedKeyUsage"], serde_json::json!(["serverAuth"]));
    assert_eq!(
        item["subjectAltNames"],
        serde_json::json!(["DNS:pod.example", "IP:192.0.2.1"])
    );

    sandbox
        .run(&format!("{SERVER} --no-passphrase --passout env:PW"))
        .misuses("cannot be used with");
}

#[test]
fn a_bundle_of_an_earlier_run_is_told_from_the_new_files() {
    let sandbox = Sandbox::with_authority();
    sandbox.run(ISSUE).succeeds();
    let line = ISSUE.replace("--passout env:PW", "--no-passphrase");
    sandbox.run(&line).fails(
        "error: bots/demo-bot1.key.pem: already exists\n\
         hint: choose another name, or replace it with --force\n",
    );
    let made = sandbox.run(&format!("{line} --force")).succeeds();
    assert!(
        made.stderr.contains(
            "warning: bots/demo-bot1.p12: an earlier one, which does not belong to the new key\n"
        ),
        "{}",
        made.stderr
    );
}

#[test]
fn names_that_were_typed_are_granted_or_nothing_is_made() {
    let sandbox = Sandbox::with_authority();
    for profile in ["", "--profile client", "--profile intermediate"] {
        let name = profile.strip_prefix("--profile ").unwrap_or("client");
        sandbox
            .run(&format!("{SERVER} --no-passphrase {profile}"))
            .refuses(&format!(
                "error: the profile {name} does not grant DNS:pod.example, IP:192.0.2.1\n\
                 hint: --profile server grants names, and so does --profile peer\n"
            ));
    }
    sandbox.write("p.toml", "names.fixed = ['DNS:other.example']\n");
    sandbox
        .run(&format!("{SERVER} --no-passphrase --profile-file p.toml"))
        .refuses(
            "error: the profile p.toml does not grant DNS:pod.example, IP:192.0.2.1\n\
             hint: leave the names out, or grant them in the profile's file (names)\n",
        );
    let files = ["ca.crt.pem", "ca.key.pem", "p.toml"];
    assert_eq!(sandbox.files(), files);
}

#[test]
fn what_else_a_profile_does_not_grant_is_told() {
    let sandbox = Sandbox::with_authority();
    sandbox.write("p.toml", "subject.fixed = '/CN=fixed'\n");
    let made = sandbox
        .run(&format!("{ISSUE} --profile-file p.toml --json"))
        .succeeds();
    assert!(
        made.stderr.starts_with(
            "warning: the profile p.toml does not grant what the request asks for: the subject O=Bank,CN=demo-bot1\n\
             bots/demo-bot1.crt.pem: certificate of CN=fixed, "
        ),
        "{}",
        made.stderr
    );
    assert_eq!(
        made.json()["ungranted"],
        serde_json::json!(["the subject O=Bank,CN=demo-bot1"])
    );
}

#[test]
fn nobody_is_asked_for_a_passphrase_with_no_input() {
    let sandbox = Sandbox::with_authority();
    sandbox
        .run(&ISSUE.replace("--passout env:PW", "--no-input"))
        .fails(
            "error: the new key needs a passphrase\n\
             hint: name its source with --passout: env:NAME, file:PATH, fd:N or stdin; or leave the key unencrypted with \
             --no-passphrase\n",
        );
    assert_eq!(sandbox.files(), ["ca.crt.pem", "ca.key.pem"]);
}

#[test]
fn a_server_is_not_examined_as_a_client_is() {
    let sandbox = Sandbox::with_authority();
    // A short validity, and a short key: a Pod would mind.
    let line =
        SERVER.replace("--type ec-p256", "--bits 2048") + " --no-passphrase --days 7 --force";
    for (profile, warns) in [("server", false), ("peer", true)] {
        let made = sandbox
            .run(&format!("{line} --profile {profile}"))
            .succeeds();
        assert_eq!(made.stderr.contains("warning: "), warns, "{}", made.stderr);
    }
}
