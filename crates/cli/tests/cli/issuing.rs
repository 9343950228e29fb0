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
