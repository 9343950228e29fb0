//! One signature at a time with the same key (PKCS#1 v1.5 over SHA-256), beside the peers.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use aws_lc_rs::{rand::SystemRandom, rsa::KeyPair, signature::RSA_PKCS1_SHA256};
use kernels::modular::{self, Power, Stop};
use kernels::nat;
use rsa::pkcs8::{EncodePrivateKey, SecretDocument};
use rsa::{BoxedUint, Pkcs1v15Sign};
use rsa_private::{Hash, Kernel, Numbers, RsaKey, Scheme, SigningKey};

use crate::peers::Contestant;
use crate::table::{Sample, Table};
use crate::{name, peak, timed};

const MESSAGE: &[u8] = b"a message that is signed";

pub fn race(bits: usize, rounds: usize) {
    let key = rsa_private::generate(bits).expect("a key");
    let number = BoxedUint::from_be_slice_vartime;
    let reference = rsa::PrivateKey::from_components(
        number(key.n()),
        number(key.e()),
        number(key.d()),
        vec![number(key.p()), number(key.q())],
    )
    .expect("a key");
    let pkcs8 = reference.to_pkcs8_der().expect("an encoding");

    let mut contestants = Vec::new();
    for kernel in Kernel::available() {
        // More threads than two have nothing to do, and with IFMA one does both halves.
        for threads in if kernel == Kernel::Ifma { 1..=1 } else { 1..=2 } {
            let signer = SigningKey::new(&Numbers::from(&key))
                .and_then(|signer| signer.kernel(kernel))
                .expect("a key")
                .threads(threads);
            contestants.push(Contestant::new(&name(kernel, threads), 1, move || {
                drop(
                    signer
                        .sign(Scheme::Pkcs1v15(Hash::Sha256), MESSAGE)
                        .expect("a signature"),
                )
            }));
        }
    }
    let graviola =
        graviola::signing::rsa::SigningKey::from_pkcs8_der(pkcs8.as_bytes()).expect("a key");
    let mut signature = vec![0; bits / 8];
    contestants.push(Contestant::new("graviola", 1, move || {
        graviola
            .sign_pkcs1_sha256(&mut signature, MESSAGE)
            .expect("a signature");
    }));
    let aws_lc = KeyPair::from_pkcs8(pkcs8.as_bytes()).expect("a key");
    let mut signature = vec![0; bits / 8];
    contestants.push(Contestant::new("aws-lc-rs", 1, move || {
        aws_lc
            .sign(
                &RSA_PKCS1_SHA256,
                &SystemRandom::new(),
                MESSAGE,
                &mut signature,
            )
            .expect("a signature");
    }));
    contestants.push(Contestant::new("rsa", 1, move || {
        // A digest of any message is as good as another.
        drop(
            reference
                .sign(Pkcs1v15Sign::new_unprefixed(), &[7; 32])
                .expect("a signature"),
        )
    }));

    let mut samples = vec![Sample::default(); contestants.len()];
    for _ in 0..rounds {
        for (contestant, sample) in contestants.iter_mut().zip(&mut samples) {
            sample.push(timed(|| (contestant.run)()));
        }
    }
    let mut table = Table::new(
        &format!("{bits} bits: one signature"),
        &["best", "median", "mean"],
    );
    for (contestant, sample) in contestants.iter().zip(&samples) {
        table.row(
            &contestant.name,
            &[sample.best(), sample.median(), sample.mean()],
        );
    }
    if let Some((version, times)) = cryptography(&pkcs8, rounds) {
        let name = format!("{version} (cryptography)");
        table.row(&name, &[times.best(), times.median(), times.mean()]);
    }
    if let Some(milliseconds) = openssl(bits) {
        let mean = format!("{milliseconds:.2} ms");
        table.row("openssl speed", &[String::new(), String::new(), mean]);
    }
    table.print();
    exponentiations(bits, &key, rounds);
}

/// The two exponentiations of a signature with the IFMA kernel, beside the time that its multiply-adds take at this machine's best rate.
fn exponentiations(bits: usize, key: &RsaKey, rounds: usize) {
    if !Kernel::Ifma.is_available() {
        return;
    }
    let limbs = bits / 128;
    let [p, q, dp, dq] =
        [key.p(), key.q(), key.dp(), key.dq()].map(|number| nat::from_bytes(number, limbs));
    let job = |exponent, modulus| Power {
        base: exponent,
        exponent,
        modulus,
    };
    let jobs = [job(&dp, &p), job(&dq, &q)];
    let never = AtomicBool::new(false);
    let stop = Stop {
        done: &never,
        cancelled: None,
    };
    let times: Sample = (0..rounds)
        .map(|_| {
            timed(|| modular::power(Kernel::Ifma, &jobs, bits / 2, &stop).expect("two powers"))
        })
        .collect();
    // A row multiplies `x` by a limb and `n` by a digit, low and high halves, in each of two numbers; a window of five bits is five squarings and a product.
    let (rows, vectors) = match bits {
        2048 => (20, 3),
        3072 => (30, 4),
        4096 => (40, 5),
        _ => (80, 10),
    };
    let products = bits / 2 + bits / 10 + 30;
    let multiply_adds = (products * rows * 8 * vectors) as f64;
    let rate = peak::multiply_adds_per_second();
    println!(
        "The two exponentiations, ifma: best {}, {:.2} times the {:.3} ms that {multiply_adds} multiply-adds take at {:.2}/ns.\n",
        times.best(),
        times.best_seconds() * rate / multiply_adds,
        multiply_adds / rate * 1e3,
        rate / 1e9
    );
}

/// Signs in a loop with the OpenSSL that Python's cryptography package brings, and prints its version, then seconds.
const PYTHON: &str = r#"
import sys, time
from cryptography.hazmat.backends.openssl.backend import backend
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.serialization import load_der_private_key

key = load_der_private_key(sys.stdin.buffer.read(), None)
print(" ".join(backend.openssl_version_text().split(" ")[:2]))
for _ in range(int(sys.argv[1])):
    start = time.perf_counter()
    key.sign(b"a message that is signed", PKCS1v15(), hashes.SHA256())
    print(time.perf_counter() - start)
"#;

/// What that says, if the package is there (in `COUNTERSIGN_JUDGES`, where `.ci/run` puts it, or in the system's Python).
fn cryptography(pkcs8: &SecretDocument, rounds: usize) -> Option<(String, Sample)> {
    let judges = std::env::var_os("COUNTERSIGN_JUDGES").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/judges"),
        PathBuf::from,
    );
    let python = judges.join("bin/python");
    let python = if python.is_file() {
        python
    } else {
        "python3".into()
    };
    let mut child = Command::new(python)
        .args(["-c", PYTHON, &rounds.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    child.stdin.take()?.write_all(pkcs8.as_bytes()).ok()?;
    let output = child.wait_with_output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let (version, times) = text.split_once('\n')?;
    let times: Sample = times
        .lines()
        .filter_map(|line| line.parse().ok())
        .map(Duration::from_secs_f64)
        .collect();
    (times.len() == rounds).then(|| (version.to_owned(), times))
}

/// What `openssl speed` says, in milliseconds.
fn openssl(bits: usize) -> Option<f64> {
    let output = Command::new("openssl")
        .args(["speed", "-seconds", "2", &format!("rsa{bits}")])
        .stderr(Stdio::null())
        .output()
        .ok()?;
    // rsa 4096 bits 0.004000s 0.000060s 250.0 16666.7
    let text = String::from_utf8(output.stdout).ok()?;
    let line = text.lines().rfind(|line| line.starts_with("rsa "))?;
    let seconds: f64 = line
        .split_whitespace()
        .nth(3)?
        .strip_suffix('s')?
        .parse()
        .ok()?;
    Some(seconds * 1e3)
}
