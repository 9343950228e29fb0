use std::net::TcpListener;

use serde_json::Value;

use crate::{
    foreign::{V1_BOT, V1_BOT_KEY, V1_ROOT},
    pod_process::{PodProcess, with_bundle},
    sandbox::{Outcome, Sandbox},
};

#[test]
fn the_tokens_are_elided_unless_asked_for() {
    let sandbox = with_bundle();
    let pod = PodProcess::start(&sandbox, "--import ca.crt.pem --user demo-bot1");
    let login = format!("{} --trust pod-root.pem", pod.login());

    let elided = sandbox.run(&login).succeeds();
    assert_eq!(
        elided.stdout,
        "session token:      [elided]\nkey manager token:  [elided]\n"
    );
    let elided = sandbox.run(&format!("{login} --json")).succeeds().json();
    assert_eq!(elided["sessionToken"], Value::Null);
    assert_eq!(elided["keyManagerToken"], Value::Null);
    assert_eq!(elided["tokensElided"], true);

    let shown = sandbox
        .run(&format!("{login} --json --show-tokens"))
        .succeeds()
        .json();
    let token = |name: &str| shown[name].as_str().unwrap().to_owned();
    assert!(token("sessionToken").len() > 16 && token("keyManagerToken").len() > 16);
    assert_ne!(token("sessionToken"), token("keyManagerToken"));
    assert_eq!(shown["tokensElided"], false);

    let text = sandbox
        .run(&format!("{login} --show-tokens"))
        .succeeds()
        .stdout;
    assert!(text.starts_with("session token:      ") && !text.contains("elided"));
}

#[cfg(target_os = "linux")]
#[test]
fn a_login_that_is_interrupted_leaves_no_session_at_the_pod() {
    use std::{
        os::unix::process::ExitStatusExt,
        process::{Command, Stdio},
    };

    use nix::{
        sys::signal::{Signal, kill},
        unistd::Pid,
    };

    let sandbox = with_bundle();
    for command in ["login", "login --show-tokens", "doctor"] {
        let arguments = "--import ca.crt.pem --user demo-bot1 \
             --fault 'key-manager POST /keyauth/v1/authenticate=delay:1s'";
        let (mut pod, mut log) = PodProcess::start_logging(&sandbox, arguments);
        let line = pod.login().replacen("login", command, 1);
        let program = sandbox.command(&format!("{line} --trust pod-root.pem"));
        let mut client = Command::new("env")
            .arg("--default-signal")
            .arg(program.get_program())
            .args(program.get_args())
            .envs(
                program
                    .get_envs()
                    .filter_map(|(name, value)| Some((name, value?))),
            )
            .current_dir(sandbox.path(""))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // The Pod has given a session, and the Key Manager hasn't answered yet.
        log.wait_for(2, "request ");
        kill(
            Pid::from_raw(client.id().try_into().unwrap()),
            Signal::SIGINT,
        )
        .unwrap();
        let ended = client.wait().unwrap();
        assert_eq!(ended.signal(), Some(Signal::SIGINT as i32), "{command}");
        kill(pod.process(), Signal::SIGTERM).unwrap();
        pod.ends();
        let rest = log.rest();
        let logouts = rest.iter().filter(|line| line.contains("/logout"));
        assert_eq!(logouts.count(), 2, "{command}: {rest:?}");
    }
}

#[test]
fn a_session_that_could_not_be_ended_is_not_said_to_be() {
    let sandbox = with_bundle();
    let arguments =
        "--import ca.crt.pem --user demo-bot1 --fault 'api POST /sessionauth/v1/logout=status:500'";
    let pod = PodProcess::start(&sandbox, arguments);
    let login = format!("{} --trust pod-root.pem", pod.login());
    let outcome = sandbox.run(&login).succeeds();
    assert!(
        outcome
            .stderr
            .starts_with("warning: the session is still open, until it expires: ")
            && !outcome.stderr.contains("logged out"),
        "{}",
        outcome.stderr
    );
}

#[test]
fn a_server_under_an_unknown_root_is_not_trusted() {
    let sandbox = with_bundle();
    let pod = PodProcess::start(&sandbox, "--import ca.crt.pem --user demo-bot1");
    let login = pod.login();
    let output = sandbox
        .command(&login)
        .env("SSL_CERT_FILE", sandbox.path("ca.crt.pem"))
        .output()
        .unwrap();
    let outcome = Outcome::of(&login, output);
    assert_eq!(outcome.status, 1);
    assert!(
        outcome
            .stderr
            .starts_with("error: authentication: the certificate of the ")
            && outcome.stderr.ends_with(
                "\nhint: name the root that issued the server's certificate with --trust\n"
            ),
        "{}",
        outcome.stderr
    );
}

#[test]
fn a_machine_without_roots_of_its_own_trusts_the_ones_it_is_given() {
    let sandbox = with_bundle();
    let pod = PodProcess::start(&sandbox, "--import ca.crt.pem --user demo-bot1");
    let login = format!("{} --trust pod-root.pem", pod.login());
    let output = sandbox
        .command(&login)
        .env("SSL_CERT_FILE", sandbox.path("missing.pem"))
        .env_remove("SSL_CERT_DIR")
        .output()
        .unwrap();
    Outcome::of(&login, output).succeeds();
}

#[test]
fn a_root_of_version_1_is_imported_as_a_signing_certificate_where_that_is_asked_for() {
    let sandbox = Sandbox::new();
    sandbox.write("root.crt", V1_ROOT);
    sandbox.write("bot.crt", V1_BOT);
    sandbox.write("bot.key", V1_BOT_KEY);
    sandbox.script(
        "p12 export --cert bot.crt --key bot.key --chain root.crt --iterations 1000 --passout env:PW --out bot.p12",
    );
    for (flag, admitted) in [("--import-signing", true), ("--import", false)] {
        let pod = PodProcess::start(&sandbox, &format!("{flag} root.crt --user v1-bot"));
        let outcome = sandbox.run(&format!(
            "auth login --p12 bot.p12 --passin env:PW --pod {} --key-manager {} --trust pod-root.pem",
            pod.urls["api"].as_str().unwrap(),
            pod.urls["keyManager"].as_str().unwrap()
        ));
        assert_eq!(outcome.status == 0, admitted, "{flag}: {outcome:?}");
    }
}

#[test]
fn a_bot_without_a_service_user_is_told() {
    let sandbox = with_bundle();
    let pod = PodProcess::start(&sandbox, "--import ca.crt.pem --user Demo-Bot1");
    let outcome = sandbox.run(&format!("{} --trust pod-root.pem", pod.login()));
    assert_eq!((outcome.status, outcome.stdout.as_str()), (1, ""));
    assert!(
        outcome.stderr.contains("answered 401 Unauthorized")
            && outcome
                .stderr
                .contains("\nhint: name the service user exactly like the Common Name"),
        "{}",
        outcome.stderr
    );
}

#[test]
fn a_certificate_that_was_not_imported_is_refused() {
    let sandbox = with_bundle();
    let pod = PodProcess::start(&sandbox, "--user demo-bot1");
    let outcome = sandbox.run(&format!("{} --trust pod-root.pem", pod.login()));
    assert_eq!((outcome.status, outcome.stdout.as_str()), (1, ""));
    assert!(
        outcome
            .stderr
            .contains("refused the client certificate: alert "),
        "{}",
        outcome.stderr
    );
}

#[test]
fn a_users_own_certificate_can_be_imported() {
    let sandbox = with_bundle();
    let pod = PodProcess::start(&sandbox, "--import bots/demo-bot1.crt.pem --user demo-bot1");
    sandbox
        .run(&format!("{} --trust pod-root.pem", pod.login()))
        .succeeds();
}

#[test]
fn what_a_certificate_is_imported_as_can_be_said() {
    let sandbox = with_bundle();
    let pod = PodProcess::start(&sandbox, "--import-signing ca.crt.pem --user demo-bot1");
    sandbox
        .run(&format!("{} --trust pod-root.pem", pod.login()))
        .succeeds();

    sandbox
        .run(
            "pod serve --web-port 0 --api-port 0 --key-manager-port 0 --dir second \
             --import-signing bots/demo-bot1.crt.pem",
        )
        .refuses(
            "error: bots/demo-bot1.crt.pem: the certificate of CN=demo-bot1 may not sign certificates: \
             its basicConstraints say that it is no CA\n",
        );
}

#[test]
fn the_bundle_is_opened_before_anybody_is_called() {
    let sandbox = with_bundle();
    let login = "auth login --p12 bots/demo-bot1.p12 --pod https://localhost:1 --key-manager https://localhost:1";
    sandbox.run(&format!("{login} --passin env:WRONG")).fails(
        "error: bots/demo-bot1.p12: client identity: the passphrase does not open the PKCS#12 file\n\
         hint: check the passphrase that --passin gives\n",
    );
    sandbox.run(login).fails(
        "error: bots/demo-bot1.p12 is encrypted and needs a passphrase\n\
         hint: name its source with --passin: env:NAME, file:PATH, fd:N or stdin\n",
    );
}

/// `config.yaml` for the pod, as the official clients read it.
fn with_config(sandbox: &Sandbox, pod: &PodProcess, more: &str) {
    let port = |name: &str| {
        let url = pod.urls[name].as_str().unwrap();
        url.rsplit_once(':').unwrap().1.to_owned()
    };
    sandbox.write(
        "config.yaml",
        format!(
            "host: localhost\nport: {}\nkeyManager: {{ port: {} }}\nbot:\n  username: demo-bot1\n  \
             certificate: {{ path: bots/demo-bot1.p12, password: '${{PW}}' }}\nssl:\n  trustStore: {{ path: pod-root.pem }}\n{more}",
            port("api"),
            port("keyManager"),
        ),
    );
}

#[test]
fn a_configuration_of_the_official_clients_is_enough() {
    let sandbox = with_bundle();
    let pod = PodProcess::start(&sandbox, "--import ca.crt.pem --user demo-bot1");
    with_config(&sandbox, &pod, "datafeed: { version: v2 }\n");
    let login = sandbox.run("auth login --config config.yaml").succeeds();
    assert_eq!(
        login.stderr,
        "warning: the configuration, line 9: datafeed: not supported, and ignored\n\
         authenticated, and logged out again; --show-tokens shows the tokens, and leaves the session open\n"
    );
    let doctor = sandbox.run("auth doctor --config config.yaml").succeeds();
    assert!(
        doctor.stdout.starts_with(
            "configuration\n  warning  configuration-ignored: a key of the configuration is not used: \
             line 9: datafeed: not supported, and ignored\n           next: none if it has nothing to do with \
             authentication; otherwise check its spelling and its place\nclient identity\n  ok       identity-opens: "
        ) && doctor.stdout.ends_with("\n  ok       answers: the endpoint accepts the tokens\nno problem found, 1 warning\n"),
        "{}",
        doctor.stdout
    );
}

#[test]
fn a_login_is_tried_again_as_the_configuration_says() {
    let sandbox = with_bundle();
    let pod = PodProcess::start(
        &sandbox,
        "--import ca.crt.pem --user demo-bot1 --fault any=status:503,retry-after:0s,times:2",
    );
    with_config(
        &sandbox,
        &pod,
        "retry: { maxAttempts: 5, initialIntervalMillis: 1 }\n",
    );
    sandbox.run("auth login --config config.yaml").succeeds();
}

#[test]
fn a_mistake_in_a_configuration_is_told_with_its_line() {
    let sandbox = Sandbox::new();
    sandbox.write("config.yaml", "host: localhost\nport: ${NOWHERE_SET}\n");
    sandbox.run("auth login --config config.yaml").fails(
        "error: config.yaml: configuration, line 2: port: the environment variable NOWHERE_SET is not set\n\
         hint: the keys are those of the official clients' config.yaml: host, port, bot.username, bot.certificate.path, ...\n",
    );
    sandbox
        .run("auth login --config config.yaml --pod https://localhost")
        .misuses("cannot be used with");
}

#[test]
fn the_doctor_names_problems_and_exits_with_1() {
    let sandbox = with_bundle();
    let pod = PodProcess::start(&sandbox, "--import ca.crt.pem --user Demo-Bot1");
    let doctor =
        pod.login().replace("login", "doctor") + " --trust pod-root.pem --username Demo-Bot1";
    let outcome = sandbox.run(&doctor);
    assert_eq!((outcome.status, outcome.stderr.as_str()), (1, ""));
    assert!(
        outcome.stdout.contains("  problem  common-name-case: ")
            && outcome
                .stdout
                .contains("\n           next: name the service user exactly like the Common Name")
            && outcome.stdout.ends_with("\n3 problems found\n"),
        "{}",
        outcome.stdout
    );
    let report = sandbox.run(&format!("{doctor} --json")).json();
    assert_eq!(report["healthy"], false);
    let ids: Vec<_> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|finding| finding["severity"] == "problem")
        .map(|finding| finding["id"].as_str().unwrap())
        .collect();
    assert_eq!(ids, ["common-name-case", "unauthorized", "unauthorized"]);
}

#[test]
fn the_doctor_examines_one_endpoint_alone() {
    let sandbox = with_bundle();
    let pod = PodProcess::start(
        &sandbox,
        "--import ca.crt.pem --user demo-bot1 --fault api=status:500",
    );
    let doctor = pod.login().replace("login", "doctor") + " --trust pod-root.pem --only";
    let healthy = sandbox
        .run(&format!("{doctor} key-manager"))
        .succeeds()
        .stdout;
    assert!(
        healthy.contains("\nKey Manager at ") && !healthy.contains("\nPod at "),
        "{healthy}"
    );
    let outcome = sandbox.run(&format!("{doctor} session-auth"));
    assert_eq!(outcome.status, 1);
    assert!(
        outcome.stdout.contains("\n  problem  server-error: ")
            && !outcome.stdout.contains("\nKey Manager at "),
        "{}",
        outcome.stdout
    );
    sandbox
        .run(&format!("{doctor} agent"))
        .misuses("error: --only: no URL of the Agent was given\nhint: name it with --agent");
}

#[test]
fn the_doctor_lists_all_of_its_findings() {
    let list = Sandbox::new()
        .run("auth doctor --findings")
        .succeeds()
        .stdout;
    assert!(list.contains("wrong-port (problem): ") && list.contains("\n  next: "));
    for line in [
        "auth doctor --findings --quiet",
        "auth doctor --no-input --findings",
    ] {
        assert_eq!(Sandbox::new().run(line).succeeds().stdout, list);
    }

    let report = Sandbox::new().run("auth doctor --findings --json");
    let report = report.succeeds().json();
    let findings = report["findings"].as_array().unwrap();
    let told = list.lines().filter(|line| !line.starts_with("  next: "));
    let found = findings.iter().map(|it| {
        let text = |name: &str| it[name].as_str().unwrap();
        format!("{} ({}): {}", text("id"), text("severity"), text("meaning"))
    });
    assert_eq!(found.collect::<Vec<_>>(), told.collect::<Vec<_>>());
    let steps = findings.iter().filter(|it| it.get("nextStep").is_some());
    assert_eq!(steps.count(), list.matches("\n  next: ").count());

    for flag in ["--p12 a", "--config a", "--only pod", "--username a", "-v"] {
        let line = format!("auth doctor --findings {flag}");
        Sandbox::new().run(&line).misuses("cannot be used with");
    }
}

#[test]
fn the_usage_says_which_options_are_mandatory() {
    for (command, other) in [
        ("auth login", ""),
        ("auth logout --session-token <SRC>", ""),
        (
            "auth doctor",
            "       countersign auth doctor --findings [--json]\n",
        ),
    ] {
        let usage = format!(
            "Usage: countersign {command} [OPTIONS] --p12 <FILE> --pod <URL> --key-manager <URL>\n       \
             countersign {command} [OPTIONS] --config <FILE>\n{other}\n"
        );
        let words: Vec<_> = command.split(' ').take(2).collect();
        let help = Sandbox::new().run(&format!("{} --help", words.join(" ")));
        let help = help.succeeds().stdout;
        assert!(help.contains(&usage), "{help}");
        Sandbox::new().run(&words.join(" ")).misuses("--p12 <FILE>");
    }
}

#[test]
fn the_doctor_needs_no_terminal_to_miss_a_passphrase() {
    let sandbox = with_bundle();
    let outcome = sandbox.run(
        "auth doctor --p12 bots/demo-bot1.p12 --pod https://localhost:1 --key-manager https://localhost:1",
    );
    assert_eq!(outcome.status, 3);
    assert!(
        outcome.stdout.contains("identity-passphrase-missing"),
        "{outcome:?}"
    );
}

#[test]
fn a_limit_of_the_rate_is_waited_for_and_a_reply_without_a_token_is_told() {
    let sandbox = with_bundle();
    let pod = PodProcess::start(
        &sandbox,
        "--import ca.crt.pem --user demo-bot1 --fault any=throttle:1",
    );
    let login = format!("{} --trust pod-root.pem --show-tokens", pod.login());
    let once = sandbox.run(&login);
    assert_eq!(once.status, 3, "{once:?}");
    assert!(
        once.stderr.contains("answered 429 Too Many Requests"),
        "{once:?}"
    );
    sandbox.run(&format!("{login} --attempts 5")).succeeds();

    let pod = PodProcess::start(
        &sandbox,
        "--dir second --import ca.crt.pem --user demo-bot1 --fault any=without-token",
    );
    let outcome = sandbox.run(&format!("{} --trust second/pod-root.pem", pod.login()));
    assert_eq!(outcome.status, 3);
    assert!(
        outcome
            .stderr
            .starts_with("error: authentication: malformed reply of the "),
        "{outcome:?}"
    );
}

#[test]
fn faults_are_ordered_by_the_command_line() {
    let sandbox = with_bundle();
    let pod = PodProcess::start(
        &sandbox,
        "--import ca.crt.pem --user demo-bot1 --fault key-manager=status:403",
    );
    let outcome = sandbox.run(&format!("{} --trust pod-root.pem", pod.login()));
    assert_eq!(outcome.status, 1);
    assert!(
        outcome.stderr.contains("answered 403 Forbidden"),
        "{outcome:?}"
    );
    sandbox
        .run("pod serve --fault nonsense")
        .misuses("--fault <PLACE=FAULT>");
}

#[test]
fn trust_stores_of_java_are_read() {
    let sandbox = with_bundle();
    let pod = PodProcess::start(&sandbox, "--import ca.crt.pem --user demo-bot1");
    let root = pki::Certificate::from_pem(sandbox.read("pod-root.pem")).unwrap();
    let store = pki::TrustStore::from_iter([("root".to_owned(), root)]);
    let p12 = store
        .pkcs12()
        .iterations(1000)
        .to_der(&pki::Passphrase::from(crate::sandbox::PASSPHRASE))
        .unwrap();
    sandbox.write("trust.p12", p12);
    sandbox
        .run(&format!(
            "{} --trust trust.p12 --trust-passin env:PW",
            pod.login()
        ))
        .succeeds();
    let outcome = sandbox.run(&format!(
        "{} --trust trust.p12 --trust-passin env:WRONG",
        pod.login()
    ));
    assert_eq!(outcome.status, 3);
    assert!(
        outcome
            .stderr
            .ends_with("\nhint: check the passphrase that --trust-passin gives\n"),
        "{outcome:?}"
    );
}

#[test]
fn a_proxy_is_named_by_flag_or_environment() {
    let sandbox = with_bundle();
    let nowhere = "auth login --p12 bots/demo-bot1.p12 --passin env:PW --pod https://pod.test:8444 \
                   --key-manager https://km.test:8444 --trust ca.crt.pem";
    let through = sandbox.run(&format!("{nowhere} --proxy http://127.0.0.1:1"));
    assert!(
        through
            .stderr
            .starts_with("error: authentication: proxy 127.0.0.1:1 before the ")
            && through
                .stderr
                .ends_with("\nhint: check host and port of the proxy, or connect without it\n"),
        "{through:?}"
    );
    let shown = sandbox.run(&format!(
        "{nowhere} --proxy 'http://me:battery staple@127.0.0.1:1'"
    ));
    assert!(
        shown.stderr.starts_with("warning: the password in --proxy"),
        "{shown:?}"
    );
    sandbox
        .run(&format!("{nowhere} --proxy socks5://127.0.0.1:1"))
        .misuses("error: --proxy: proxy: a SOCKS proxy is not supported, only http://\n");

    let from_environment = |line: &str, variable: &str, value: &str| {
        let output = sandbox.command(line).env(variable, value).output().unwrap();
        Outcome::of(line, output).stderr
    };
    let stderr = from_environment(nowhere, "HTTPS_PROXY", "http://127.0.0.1:1");
    assert!(stderr.contains("proxy 127.0.0.1:1 before the "), "{stderr}");
    let stderr = from_environment(nowhere, "HTTPS_PROXY", "https://127.0.0.1:1");
    assert!(
        stderr.starts_with("error: the client: proxy in HTTPS_PROXY: a proxy that wants TLS itself is not supported"),
        "{stderr}"
    );
    let stderr = from_environment(
        &format!("{nowhere} --no-proxy"),
        "HTTPS_PROXY",
        "http://127.0.0.1:1",
    );
    assert!(stderr.contains("does not resolve"), "{stderr}");
}

#[test]
fn a_url_that_can_not_be_called_is_misuse() {
    let sandbox = Sandbox::new();
    sandbox
        .run("auth login --p12 a.p12 --pod http://localhost --key-manager https://localhost")
        .misuses("error: the command line: URL of the Pod: the scheme is not https\nhint: ");
}

#[test]
fn a_port_that_is_taken_is_told_with_its_flag() {
    let sandbox = Sandbox::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let outcome = sandbox.run(&format!(
        "pod serve --web-port 0 --api-port {port} --key-manager-port 0"
    ));
    assert_eq!(outcome.status, 3);
    assert!(
        outcome
            .stderr
            .ends_with("\nhint: choose another port with --api-port; 0 is any free one\n"),
        "{}",
        outcome.stderr
    );
    assert!(sandbox.files().is_empty());
}

#[test]
fn what_can_not_be_imported_is_named() {
    let sandbox = Sandbox::new();
    sandbox
        .run("pod serve --web-port 0 --api-port 0 --key-manager-port 0 --import missing.pem")
        .fails("error: missing.pem: No such file or directory (os error 2)\n");
}

#[test]
fn findings_are_printed_as_json_when_nothing_can_be_examined() {
    let sandbox = with_bundle();
    let doctor =
        "auth doctor --json --pod https://localhost:1 --key-manager https://localhost:1 --p12";
    for (arguments, message) in [
        (
            "missing.p12",
            "missing.p12: No such file or directory (os error 2)",
        ),
        (
            "bots/demo-bot1.p12 --passin env:NOWHERE_SET",
            "--passin: the environment variable NOWHERE_SET is not set",
        ),
        (
            "bots/demo-bot1.p12 --passin env:PW --trust missing.pem",
            "missing.pem: No such file or directory (os error 2)",
        ),
    ] {
        let outcome = sandbox.run(&format!("{doctor} {arguments}"));
        assert_eq!(
            (outcome.status, outcome.stderr.clone()),
            (3, format!("error: {message}\n"))
        );
        assert_eq!(
            outcome.json(),
            serde_json::json!({
                "healthy": false,
                "findings": [{
                    "id": "input-unreadable",
                    "severity": "problem",
                    "about": "input",
                    "message": message,
                }],
            })
        );
    }
    let without = sandbox.run("auth doctor --json --config missing.yaml");
    assert_eq!(without.status, 3);
    assert_eq!(
        without.json()["findings"][0]["message"],
        "missing.yaml: no such file"
    );
    sandbox
        .run(
            &doctor
                .replace("--p12", "--p12 a.p12")
                .replace("https://localhost:1", "http://x"),
        )
        .misuses("error: the command line: URL of the Pod: the scheme is not https\n");
}

#[test]
fn a_login_waits_and_tries_again_as_it_is_told() {
    let sandbox = with_bundle();
    let pod = PodProcess::start(
        &sandbox,
        "--import ca.crt.pem --user demo-bot1 --fault any=status:503,retry-after:0s,times:2",
    );
    let login = format!("{} --trust pod-root.pem", pod.login());
    // Each of the two faults takes one of the two endpoints.
    let once = sandbox.run(&login);
    assert_eq!((once.status, once.stdout.as_str()), (3, ""), "{once:?}");
    assert!(
        once.stderr.contains("answered 503 Service Unavailable"),
        "{once:?}"
    );

    let pod = PodProcess::start(
        &sandbox,
        "--dir second --import ca.crt.pem --user demo-bot1 --fault any=status:503,retry-after:0s,times:2",
    );
    let login = format!("{} --trust second/pod-root.pem", pod.login());
    let told = sandbox
        .run(&format!("{login} --attempts 3 --verbose"))
        .succeeds();
    assert!(
        told.stderr.contains("\ncall answered peer=")
            && told
                .stderr
                .contains(" path=/sessionauth/v1/authenticate status=200\n"),
        "{}",
        told.stderr
    );

    // Nothing at all, and something all the time.
    for (dir, fault) in [("third", "silence"), ("fourth", "trickle:300ms")] {
        let arguments =
            format!("--dir {dir} --import ca.crt.pem --user demo-bot1 --fault any={fault}");
        let slow = PodProcess::start(&sandbox, &arguments);
        let target = format!("{} --trust {dir}/pod-root.pem --timeout 1", slow.login());
        let outcome = sandbox.run(&target);
        assert_eq!(outcome.status, 3);
        assert!(
            outcome.stderr.contains(" took more than 1s\n"),
            "{outcome:?}"
        );
        let outcome = sandbox.run(&target.replace("login", "doctor"));
        assert_eq!(outcome.status, 1);
        assert!(
            outcome.stdout.contains(" took more than 1s\n"),
            "{outcome:?}"
        );
    }
}

#[test]
fn a_certificate_for_another_host_is_told_with_its_names() {
    let sandbox = with_bundle();
    let pod = PodProcess::start(
        &sandbox,
        "--import ca.crt.pem --user demo-bot1 --fault any=server-certificate:wrong-host",
    );
    let outcome = sandbox.run(&format!("{} --trust pod-root.pem", pod.login()));
    assert_eq!(outcome.status, 1);
    assert!(
        outcome
            .stderr
            .contains(" is not trusted: it is for wrong-host.invalid, and not for localhost\n"),
        "{outcome:?}"
    );
}
