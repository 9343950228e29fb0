use crate::sandbox::{PASSPHRASE, Sandbox};

/// With `bot.key.pem`, whose passphrase is in `PW`.
fn with_encrypted_key() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.script("key generate --type ec-p256 --passout env:PW --out bot.key.pem");
    sandbox
}

fn use_key(source: &str) -> String {
    format!("csr create --key bot.key.pem {source} --subject /CN=a --out a.csr.pem")
}

#[test]
fn a_passphrase_comes_from_a_file_or_from_standard_input() {
    let sandbox = with_encrypted_key();
    sandbox.write("pw", format!("{PASSPHRASE}\r\nsecond line\n"));
    sandbox.run(&use_key("--force --passin file:pw")).succeeds();
    let input = format!("{PASSPHRASE}\n");
    sandbox
        .run_with_input(&use_key("--force --passin stdin"), input.as_bytes())
        .succeeds();
}

#[cfg(unix)]
#[test]
fn a_passphrase_comes_from_a_file_descriptor() {
    let sandbox = with_encrypted_key();
    sandbox.write("pw", PASSPHRASE);
    let line = use_key("--passin fd:3");
    let program = sandbox.command(&line);
    let status = std::process::Command::new("sh")
        .args(["-c", "exec \"$0\" \"$@\" 3<pw"])
        .arg(program.get_program())
        .args(program.get_args())
        .current_dir(sandbox.path(""))
        .status()
        .unwrap();
    assert!(status.success());
}

#[test]
fn two_passphrases_from_standard_input_are_two_lines() {
    let sandbox = with_encrypted_key();
    sandbox.script(
        "csr create --key bot.key.pem --passin env:PW --subject /CN=a --out a.csr.pem
         ca create --type ec-p256 --subject /CN=CA --passout env:PW --out-cert ca.crt --out-key ca.key
         ca sign --ca-cert ca.crt --ca-key ca.key --ca-passin env:PW --csr a.csr.pem --out a.crt.pem",
    );
    let input = format!("{PASSPHRASE}\nfor the bundle\n");
    sandbox
        .run_with_input(
            "p12 export --cert a.crt.pem --key bot.key.pem --passin stdin --passout stdin --out a.p12",
            input.as_bytes(),
        )
        .succeeds();
    sandbox
        .run_with_input("p12 info a.p12 --passin stdin", b"for the bundle")
        .succeeds();
}

#[test]
fn a_passphrase_in_the_arguments_earns_a_warning_that_does_not_repeat_it() {
    let sandbox = Sandbox::new();
    let made = sandbox
        .run(&format!(
            "key generate --type ec-p256 --passout 'pass:{PASSPHRASE}' --out bot.key.pem"
        ))
        .succeeds();
    assert_eq!(
        made.stderr,
        "warning: --passout pass:... can be seen by everybody on this computer; env:, file:, fd: or stdin can not\n\
         bot.key.pem: ECDSA P-256 private key, encrypted\n"
    );
    sandbox.run(&use_key("--passin env:PW")).succeeds();
}

#[test]
fn a_passphrase_given_without_its_source_is_not_repeated() {
    let sandbox = Sandbox::new();
    sandbox
        .run(&format!(
            "key generate --passout '{PASSPHRASE}' --out bot.key.pem"
        ))
        .misuses(
            "error: invalid value for '--passout <SRC>': \
             a passphrase source is env:NAME, file:PATH, fd:N, stdin, prompt or pass:TEXT\n",
        );
}

#[test]
fn the_wrong_passphrase_is_told_with_its_flag() {
    let sandbox = with_encrypted_key();
    sandbox.run(&use_key("--passin env:WRONG")).fails(
        "error: bot.key.pem: the passphrase does not open the private key\n\
         hint: check the passphrase that --passin gives\n",
    );
    assert_eq!(sandbox.files(), ["bot.key.pem"]);
}

#[test]
fn without_a_source_and_a_terminal_an_encrypted_key_can_not_be_opened() {
    let sandbox = with_encrypted_key();
    sandbox.run(&use_key("")).fails(
        "error: bot.key.pem is encrypted and needs a passphrase\n\
         hint: name its source with --passin: env:NAME, file:PATH, fd:N or stdin\n",
    );
}

#[test]
fn a_source_that_gives_nothing_is_told() {
    let sandbox = with_encrypted_key();
    sandbox
        .run(&use_key("--passin env:NOT_SET"))
        .fails("error: --passin: the environment variable NOT_SET is not set\n");
    sandbox
        .run(&use_key("--passin file:missing"))
        .fails("error: missing: No such file or directory (os error 2)\n");
    sandbox
        .run(&use_key("--passin stdin"))
        .fails("error: standard input: ended where a passphrase was expected\n");
    sandbox.write("pw", b"p\xe4ss");
    sandbox
        .run(&use_key("--passin file:pw"))
        .fails("error: pw: the passphrase is not UTF-8\n");
}

#[test]
fn a_new_passphrase_is_not_empty() {
    let sandbox = Sandbox::new();
    sandbox.write("pw", "\n");
    sandbox
        .run("key generate --type ec-p256 --passout file:pw --out bot.key.pem")
        .fails("error: the new passphrase for the private key is empty\n");
    assert_eq!(sandbox.files(), ["pw"]);
}

#[test]
fn a_key_that_is_not_encrypted_needs_no_passphrase() {
    let sandbox = Sandbox::new();
    sandbox.script("key generate --type ec-p256 --out bot.key.pem");
    sandbox.run(&use_key("--passin env:PW")).succeeds();
}

#[test]
fn nobody_is_asked_with_no_input() {
    let sandbox = Sandbox::with_bot();
    sandbox
        .run("csr create --no-input --key bot.key.pem --subject /CN=a --out a.csr.pem")
        .fails(
            "error: bot.key.pem is encrypted and needs a passphrase\n\
             hint: name its source with --passin: env:NAME, file:PATH, fd:N or stdin\n",
        );
    sandbox
        .run("csr create --no-input --key bot.key.pem --passin prompt --subject /CN=a --out a.csr.pem")
        .misuses("error: a passphrase source is prompt, and --no-input forbids to ask\nhint: ");
}

#[test]
fn a_byte_order_mark_in_a_passphrase_file_is_told() {
    let sandbox = Sandbox::with_bot();
    sandbox.write(
        "pw.txt",
        format!("\u{feff}{}\r\n", crate::sandbox::PASSPHRASE),
    );
    sandbox
        .run("csr create --key bot.key.pem --passin file:pw.txt --subject /CN=a --out a.csr.pem")
        .fails(
            "error: pw.txt: the passphrase starts with a byte order mark\n\
             hint: editors on Windows put it there: save the text as UTF-8 without BOM\n",
        );
}
