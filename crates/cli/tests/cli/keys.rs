use crate::sandbox::{Outcome, Sandbox};

#[test]
fn a_key_without_a_passphrase_is_readable_by_its_owner_only() {
    let sandbox = Sandbox::new();
    let made = sandbox
        .run("key generate --type ec-p256 --out bot.key.pem")
        .succeeds();
    assert_eq!(made.stdout, "");
    assert_eq!(
        made.stderr,
        "bot.key.pem: ECDSA P-256 private key, not encrypted (--passout encrypts it)\n"
    );
    assert!(
        sandbox
            .text("bot.key.pem")
            .starts_with("-----BEGIN PRIVATE KEY-----\n")
    );
    assert_eq!(sandbox.files(), ["bot.key.pem"]);
    #[cfg(unix)]
    assert_eq!(sandbox.mode("bot.key.pem"), 0o600);
}

#[test]
fn a_key_with_a_passphrase_is_encrypted() {
    let sandbox = Sandbox::new();
    let made = sandbox
        .run("key generate --bits 2048 --passout env:PW --out bot.key.pem")
        .succeeds();
    assert_eq!(
        made.stderr,
        "warning: a Pod rejects RSA keys of less than 4096 bits\n\
         bot.key.pem: RSA 2048 private key, encrypted\n"
    );
    assert!(
        sandbox
            .text("bot.key.pem")
            .starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----\n")
    );
    sandbox
        .run("csr create --key bot.key.pem --passin env:PW --subject /CN=a --out a.csr.pem")
        .succeeds();
}

#[test]
fn every_type_of_key_can_be_made() {
    let sandbox = Sandbox::new();
    for (kind, algorithm) in [
        ("ec-p256", "ECDSA P-256"),
        ("ec-p384", "ECDSA P-384"),
        ("ec-p521", "ECDSA P-521"),
        ("ed25519", "Ed25519"),
    ] {
        let made = sandbox
            .run(&format!("key generate --type {kind} --out {kind}.pem"))
            .succeeds();
        assert!(made.stderr.contains(algorithm), "{}", made.stderr);
    }
}

#[test]
fn a_key_can_go_to_standard_output() {
    let sandbox = Sandbox::new();
    let made = sandbox
        .run("key generate --type ed25519 --out -")
        .succeeds();
    assert!(made.stdout.starts_with("-----BEGIN PRIVATE KEY-----\n"));
    assert!(made.stdout.ends_with("-----END PRIVATE KEY-----\n"));
    assert_eq!(
        made.stderr,
        "standard output: Ed25519 private key, not encrypted (--passout encrypts it)\n"
    );
    assert!(sandbox.files().is_empty());
}

#[test]
fn a_file_is_replaced_only_by_force() {
    let sandbox = Sandbox::new();
    sandbox.write("bot.key.pem", "precious");

    sandbox
        .run("key generate --type ec-p256 --out bot.key.pem")
        .fails(
            "error: bot.key.pem: already exists\n\
             hint: choose another name, or replace it with --force\n",
        );
    assert_eq!(sandbox.text("bot.key.pem"), "precious");

    sandbox
        .run("key generate --type ec-p256 --out bot.key.pem --force")
        .succeeds();
    assert!(sandbox.text("bot.key.pem").contains("PRIVATE KEY"));
}

#[cfg(unix)]
#[test]
fn a_key_that_replaces_a_public_file_is_private_all_the_same() {
    let sandbox = Sandbox::new();
    sandbox.write("bot.key.pem", "");
    sandbox.set_mode("bot.key.pem", 0o644);
    sandbox
        .run("key generate --type ec-p256 --out bot.key.pem --force")
        .succeeds();
    assert_eq!(sandbox.mode("bot.key.pem"), 0o600);
}

#[test]
fn the_existing_file_is_noticed_before_a_passphrase_is_asked_for() {
    let sandbox = Sandbox::new();
    sandbox.write("bot.key.pem", "precious");
    sandbox
        .run("key generate --passout env:NOT_SET --out bot.key.pem")
        .fails(
            "error: bot.key.pem: already exists\n\
             hint: choose another name, or replace it with --force\n",
        );
}

#[test]
fn the_directory_must_be_there() {
    let sandbox = Sandbox::new();
    sandbox
        .run("key generate --type ec-p256 --out keys/bot.key.pem")
        .fails(
            "error: keys/bot.key.pem: there is no directory keys\n\
             hint: make the directory first\n",
        );
}

#[test]
fn only_rsa_keys_have_a_choice_of_bits() {
    let sandbox = Sandbox::new();
    sandbox
        .run("key generate --type ec-p256 --bits 4096 --out a.pem")
        .misuses("error: --bits goes with --type rsa only\n");
    sandbox
        .run("key generate --bits 1024 --out a.pem")
        .misuses("[possible values: 2048, 3072, 4096, 8192]");
    assert!(sandbox.files().is_empty());
}

#[test]
fn a_seed_makes_the_same_key_each_time_and_a_warning() {
    let sandbox = Sandbox::new();
    sandbox.write("a.seed", "a seed of enough octets");
    sandbox.write("b.seed", "a seed of other octets.");
    let make = |seed: &str, out: &str| {
        sandbox
            .run(&format!(
                "key generate --bits 2048 --seed-file {seed} --out {out}"
            ))
            .succeeds()
    };
    let made = make("a.seed", "a1.pem");
    assert!(
        made.stderr.contains(
            "warning: the key is no more secret than a.seed: whoever has that file has the key\n"
        ),
        "{}",
        made.stderr
    );
    make("a.seed", "a2.pem");
    make("b.seed", "b.pem");
    assert_eq!(sandbox.text("a1.pem"), sandbox.text("a2.pem"));
    assert_ne!(sandbox.text("a1.pem"), sandbox.text("b.pem"));
}

#[test]
fn a_seed_that_can_not_make_the_key_is_refused() {
    let sandbox = Sandbox::new();
    sandbox.write("short.seed", "too short");
    sandbox
        .run("key generate --bits 2048 --seed-file short.seed --out a.pem")
        .fails(
            "warning: a Pod rejects RSA keys of less than 4096 bits\n\
             warning: the key is no more secret than short.seed: whoever has that file has the key\n\
             error: generating the private key: a seed of 9 octets is shorter than the 16 it needs\n",
        );
    sandbox.write("long.seed", "a seed of enough octets");
    sandbox
        .run("key generate --type ed25519 --seed-file long.seed --out a.pem")
        .misuses("--seed-file goes with --type rsa only");
    assert_eq!(sandbox.files(), ["long.seed", "short.seed"]);
}

#[test]
fn no_variable_chooses_what_computes() {
    let sandbox = Sandbox::new();
    for line in [
        "key generate --bits 2048 --out bot.key.pem",
        "csr create --key bot.key.pem --subject /CN=a --out a.csr.pem",
    ] {
        let output = sandbox
            .command(line)
            .env("COUNTERSIGN_RSA_KERNEL", "abacus")
            .output()
            .unwrap();
        Outcome::of(line, output).succeeds();
    }
}
