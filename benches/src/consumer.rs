//! What somebody who depends on `pki` gets from `cargo run`: a crate outside the workspace, without profile settings, unoptimised.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rsa_private::Kernel;

use crate::table::Table;

const MANIFEST: &str = r#"[package]
name = "debug-consumer"
version = "0.0.0"
edition = "2024"

[workspace]

[dependencies]
countersign-pki = { path = "WORKSPACE/crates/pki" }
countersign-rsa-private = { path = "WORKSPACE/crates/rsa-private" }
"#;

const MAIN: &str = r#"use std::time::Instant;

use pki::{CertificateAuthority, CertificateRequest, KeyKind, Passphrase, Pkcs12, PrivateKey, Profile};
use rsa_private::{Generator, Hash, Kernel, Numbers, Scheme, SigningKey};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let what = arguments.next().unwrap();
    let rounds: usize = arguments.next().unwrap().parse().unwrap();
    let kernel = arguments.next().map_or_else(Kernel::detect, |name| name.parse().unwrap());
    if what == "keys" {
        let start = Instant::now();
        for _ in 0..rounds {
            Generator::new(4096).kernel(kernel).generate().unwrap();
        }
        println!("{}", start.elapsed().as_secs_f64() / rounds as f64);
        return;
    }
    let best = |work: &dyn Fn()| {
        let time = |_| {
            let start = Instant::now();
            work();
            start.elapsed().as_secs_f64()
        };
        (0..rounds).map(time).fold(f64::INFINITY, f64::min)
    };
    if what == "signatures" {
        let key = rsa_private::generate(4096).unwrap();
        for threads in [1, 2] {
            let signer = SigningKey::new(&Numbers::from(&key)).unwrap().kernel(kernel).unwrap().threads(threads);
            let scheme = Scheme::Pkcs1v15(Hash::Sha256);
            println!("{}", best(&|| drop(signer.sign(scheme, b"message").unwrap())));
        }
        return;
    }
    let key = PrivateKey::generate(KeyKind::Rsa4096).unwrap();
    let ca_key = PrivateKey::generate(KeyKind::Rsa4096).unwrap();
    let ca = CertificateAuthority::create_root("/CN=Root".parse().unwrap(), ca_key, &Profile::root()).unwrap();
    let request = CertificateRequest::builder("/CN=bot".parse().unwrap()).sign(&key).unwrap();
    let certificate = ca.issue(&request.verify().unwrap(), &Profile::client()).unwrap();
    let passphrase = Passphrase::from("a longer one than this");
    let builder = Pkcs12::builder(&key, &certificate).unwrap().chain(ca.chain());
    let bundle = builder.to_der(&passphrase).unwrap();
    println!("{}", best(&|| drop(builder.to_der(&passphrase).unwrap())));
    println!("{}", best(&|| drop(Pkcs12::open(&bundle, &passphrase).unwrap())));
}
"#;

/// Makes the crate in `directory`, builds it, and lets it make 4096-bit keys with each kernel, write bundles and open them, and sign.
pub fn measure(directory: &Path, keys: usize) {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the workspace around the benches");
    fs::create_dir_all(directory.join("src")).expect("a directory for the scratch crate");
    fs::write(
        directory.join("Cargo.toml"),
        MANIFEST.replace("WORKSPACE", &workspace.to_string_lossy()),
    )
    .expect("its manifest");
    fs::write(directory.join("src/main.rs"), MAIN).expect("its source");
    fs::copy(workspace.join("Cargo.lock"), directory.join("Cargo.lock"))
        .expect("the versions of the workspace");
    bundles(directory, keys);
    signatures(directory, keys);
    generation(directory, keys);
}

/// A default `.p12`: a 4096-bit key, its certificate and the root, three derivations of 100,000 iterations.
fn bundles(directory: &Path, rounds: usize) {
    let mut table = Table::new(
        "a .p12 with the defaults, through pki, best of all",
        &["writing", "opening"],
    );
    for profile in ["release", "debug"] {
        let mut command = Command::new(built(directory, profile));
        let times = seconds(command.args(["bundles", &rounds.to_string()]));
        let times = times
            .iter()
            .map(|seconds| format!("{:.2} ms", seconds * 1e3));
        table.row(profile, &times.collect::<Vec<_>>());
    }
    table.print();
}

fn signatures(directory: &Path, rounds: usize) {
    let mut table = Table::new(
        "4096 bits: a signature, best of all",
        &["one thread", "two threads"],
    );
    for profile in ["release", "debug"] {
        let program = built(directory, profile);
        for kernel in Kernel::available() {
            let mut command = Command::new(&program);
            let times =
                seconds(command.args(["signatures", &rounds.to_string(), &kernel.to_string()]));
            let times = times
                .iter()
                .map(|seconds| format!("{:.2} ms", seconds * 1e3));
            table.row(&format!("{profile}, {kernel}"), &times.collect::<Vec<_>>());
        }
    }
    table.print();
}

/// Builds the program.
fn built(directory: &Path, profile: &str) -> PathBuf {
    let mut cargo = Command::new("cargo");
    cargo
        .args(["build", "--quiet"])
        .current_dir(directory)
        .env("CARGO_TARGET_DIR", directory.join("target"));
    if profile == "release" {
        cargo.arg("--release");
    }
    assert!(
        cargo.status().is_ok_and(|status| status.success()),
        "cargo build"
    );
    directory
        .join("target")
        .join(profile)
        .join("debug-consumer")
}

/// The numbers of seconds that it prints.
fn seconds(command: &mut Command) -> Vec<f64> {
    let output = command.output().expect("the scratch program");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .map(|line| line.parse().expect("a number of seconds"))
        .collect()
}

fn generation(directory: &Path, keys: usize) {
    let program = built(directory, "debug");
    let mut table = Table::new(
        "4096 bits: a consumer's debug build, all threads",
        &["mean", "n"],
    );
    for kernel in Kernel::available() {
        let keys = match kernel {
            Kernel::Ifma => keys,
            Kernel::Mulx => keys.div_ceil(4),
            _ => keys.div_ceil(20),
        };
        let mut command = Command::new(&program);
        let times = seconds(command.args(["keys", &keys.to_string(), &kernel.to_string()]));
        let mean = times.first().copied().unwrap_or(f64::NAN);
        table.row(
            &format!("countersign, {kernel}"),
            &[format!("{:.1} ms", mean * 1e3), keys.to_string()],
        );
    }
    table.print();
}
