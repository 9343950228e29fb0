//! PBKDF2-HMAC-SHA-256, beside the peers and what OpenSSL's bulk rate of SHA-256 allows: two compressions an iteration.

use std::process::{Command, Stdio};
use std::time::Duration;

use kernels::sha256::{Chain, Hmac, Kernel, run};

use crate::peers::Contestant;
use crate::table::{Sample, Table};
use crate::timed;

const ITERATIONS: u32 = 100_000;
const PASSWORD: &[u8] = b"a longer one than this";
const SALT: [&[u8]; 2] = [b"one salt of 16 o", b"other salt of 16"];

pub fn race(rounds: usize) {
    let mut contestants = Vec::new();
    for kernel in Kernel::available() {
        for lanes in 1..=2 {
            let name = match kernel {
                Kernel::ShaExtensions => "countersign, SHA extensions",
                _ => "countersign, portable (`sha2`)",
            };
            let name = format!("{name}, {lanes} at once");
            contestants.push((
                lanes,
                // Few enough steps for one thread.
                Contestant::new(&name, 1, move || {
                    for _ in 0..ITERATIONS / SLICE {
                        let hmac = Hmac::new(kernel, PASSWORD);
                        let chain = |salt| Chain::of_hmac(&hmac, &[salt, &[0, 0, 0, 1]], SLICE);
                        let mut chains: Vec<_> = SALT.into_iter().take(lanes).map(chain).collect();
                        run(kernel, &mut chains);
                        std::hint::black_box(&chains);
                    }
                }),
            ));
        }
    }
    contestants.push((
        1,
        Contestant::new("pbkdf2", 1, || {
            let mut key = [0; 32];
            pbkdf2::pbkdf2_hmac::<sha2::Sha256>(PASSWORD, SALT[0], ITERATIONS, &mut key);
            std::hint::black_box(key);
        }),
    ));
    contestants.push((1, Contestant::new("openssl kdf (process)", 1, openssl)));

    let mut samples = vec![Sample::default(); contestants.len()];
    let mut bulk = Vec::new();
    for round in 0..rounds {
        for ((_, contestant), sample) in contestants.iter_mut().zip(&mut samples) {
            sample.push(timed(|| (contestant.run)()));
        }
        if round % 10 == 0 {
            bulk.extend(bulk_rate());
        }
    }
    let mut rows: Vec<_> = contestants
        .iter()
        .zip(&samples)
        .map(|((lanes, contestant), sample)| {
            let name = contestant.name.clone();
            (name, sample.best_seconds() / *lanes as f64)
        })
        .collect();
    if let Some(sample) = python(rounds) {
        rows.push(("hashlib.pbkdf2_hmac".to_owned(), sample.best_seconds()));
    }
    let rate = bulk.into_iter().fold(f64::NAN, f64::max);
    let bound = 2.0 * 64.0 / rate * f64::from(ITERATIONS);
    rows.push(("bound: openssl speed -evp sha256".to_owned(), bound));

    let mut table = Table::new(
        &format!("PBKDF2-HMAC-SHA-256, {ITERATIONS} iterations, one thread"),
        &["best, for each key", "an iteration", "of the bound"],
    );
    for (name, seconds) in rows {
        table.row(
            &name,
            &[
                format!("{:.2} ms", seconds * 1e3),
                format!("{:.0} ns", seconds / f64::from(ITERATIONS) * 1e9),
                format!("{:.2} times", seconds / bound),
            ],
        );
    }
    table.print();
}

/// Two of these are not worth a thread.
const SLICE: u32 = 4_000;

/// `openssl kdf`, the program: its start takes some milliseconds.
fn openssl() {
    let hex =
        |octets: &[u8]| -> String { octets.iter().map(|octet| format!("{octet:02x}")).collect() };
    let status = Command::new("openssl")
        .args(["kdf", "-keylen", "32", "-kdfopt", "digest:SHA256"])
        .args(["-kdfopt", &format!("hexpass:{}", hex(PASSWORD))])
        .args(["-kdfopt", &format!("hexsalt:{}", hex(SALT[0]))])
        .args(["-kdfopt", &format!("iter:{ITERATIONS}"), "PBKDF2"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    assert!(status.is_ok_and(|status| status.success()), "openssl kdf");
}

/// Octets in a second, of one long message.
fn bulk_rate() -> Option<f64> {
    let output = Command::new("openssl")
        .args([
            "speed", "-seconds", "1", "-bytes", "16384", "-evp", "sha256",
        ])
        .stderr(Stdio::null())
        .output()
        .ok()?;
    // sha256 1172594.26k
    let text = String::from_utf8(output.stdout).ok()?;
    let line = text.lines().rfind(|line| line.starts_with("sha256"))?;
    let rate: f64 = line
        .split_whitespace()
        .nth(1)?
        .strip_suffix('k')?
        .parse()
        .ok()?;
    Some(rate * 1e3)
}

const PYTHON: &str = r#"
import hashlib, sys, time
for _ in range(int(sys.argv[1])):
    start = time.perf_counter()
    hashlib.pbkdf2_hmac("sha256", b"a longer one than this", b"one salt of 16 o", 100_000, 32)
    print(time.perf_counter() - start)
"#;

/// Python's, which is OpenSSL's.
fn python(rounds: usize) -> Option<Sample> {
    let output = Command::new("python3")
        .args(["-c", PYTHON, &rounds.to_string()])
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let times: Sample = text
        .lines()
        .filter_map(|line| line.parse().ok())
        .map(Duration::from_secs_f64)
        .collect();
    (times.len() == rounds).then_some(times)
}
