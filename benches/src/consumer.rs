//! What somebody who depends on `pki` gets from `cargo run`: a crate outside the workspace, without profile settings, unoptimised.

use std::fs;
use std::path::Path;
use std::process::Command;

use rsa_private::{KERNEL_VARIABLE, Kernel};

use crate::table::Table;

const MANIFEST: &str = r#"[package]
name = "debug-consumer"
version = "0.0.0"
edition = "2024"

[workspace]

[dependencies]
countersign-pki = { path = "PATH" }
"#;

const MAIN: &str = r#"use pki::{KeyKind, PrivateKey};

fn main() {
    assert!(cfg!(debug_assertions));
    let keys: usize = std::env::args().nth(1).unwrap().parse().unwrap();
    let start = std::time::Instant::now();
    for _ in 0..keys {
        PrivateKey::generate(KeyKind::Rsa4096).unwrap();
    }
    println!("{}", start.elapsed().as_secs_f64() / keys as f64);
}
"#;

/// Makes the crate in `directory`, builds it with `cargo build`, and lets it make 4096-bit keys with each kernel.
pub fn measure(directory: &Path, keys: usize) {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the workspace around the benches");
    fs::create_dir_all(directory.join("src")).expect("a directory for the scratch crate");
    let pki = workspace.join("crates/pki");
    fs::write(
        directory.join("Cargo.toml"),
        MANIFEST.replace("PATH", &pki.to_string_lossy()),
    )
    .expect("its manifest");
    fs::write(directory.join("src/main.rs"), MAIN).expect("its source");
    fs::copy(workspace.join("Cargo.lock"), directory.join("Cargo.lock"))
        .expect("the versions of the workspace");
    let status = Command::new("cargo")
        .args(["build", "--quiet"])
        .current_dir(directory)
        .env("CARGO_TARGET_DIR", directory.join("target"))
        .status();
    assert!(status.is_ok_and(|status| status.success()), "cargo build");

    let mut table = Table::new(
        "4096 bits: a consumer's debug build, through pki, all threads",
        &["mean", "n"],
    );
    for kernel in Kernel::available() {
        let keys = match kernel {
            Kernel::Ifma => keys,
            Kernel::Mulx => keys.div_ceil(4),
            _ => keys.div_ceil(20),
        };
        let output = Command::new(directory.join("target/debug/debug-consumer"))
            .arg(keys.to_string())
            .env(KERNEL_VARIABLE, kernel.to_string())
            .output()
            .expect("the scratch program");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let seconds: f64 = String::from_utf8_lossy(&output.stdout)
            .trim()
            .parse()
            .expect("a number of seconds");
        table.row(
            &format!("countersign, {kernel}"),
            &[format!("{:.1} ms", seconds * 1e3), keys.to_string()],
        );
    }
    table.print();
}
