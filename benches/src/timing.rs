//! Does the time of a signature tell the key or the message? One key and one message against random ones, compared by Welch's t-test.
//!
//! The method is that of dudect (Reparaz, Balasch, Verbauwhede, 2017): both classes are drawn at random in one run, and the slowest
//! measurements, in which the system did something else, are left out at several quantiles. An |t| below 4.5 says that no difference was found in so many
//! signatures. A leak that is put there must be found, or the test is void.

use std::hint::black_box;
use std::time::Duration;

use kernels::modular::Modulus;
use kernels::{Kernel, nat};
use rsa_private::{Hash, Numbers, RsaKey, Scheme, SigningKey};

use crate::table::Table;
use crate::timed;

const BITS: usize = 2048;
const RANDOM_KEYS: usize = 64;
const LIMIT: f64 = 4.5;
/// Which share of the measurements counts.
const SHARES: [f64; 5] = [0.5, 0.75, 0.9, 0.99, 1.0];
/// So many signatures tell where these shares end.
const TRIAL: usize = 2_000;

/// Fails if the time of a signature depends on which key and message it was, or if a leak goes unnoticed.
pub fn check(signatures: usize) {
    let keys: Vec<_> = (0..=RANDOM_KEYS)
        .map(|_| rsa_private::generate(BITS).expect("a key"))
        .collect();
    let mut table = Table::new(
        &format!("{BITS} bits: one key and message against random ones, {signatures} signatures"),
        &["|t|"],
    );
    let mut fails = Vec::new();
    for kernel in Kernel::available() {
        for leaks in [false, true] {
            let t = largest_t(&keys, kernel, signatures, leaks);
            let name = if leaks { ", with a leak" } else { "" };
            let name = format!("countersign, {kernel}{name}");
            table.row(&name, &[format!("{t:.2}")]);
            if leaks != (t > LIMIT) {
                fails.push(name);
            }
        }
    }
    table.print();
    assert!(
        fails.is_empty(),
        "|t| is on the wrong side of {LIMIT}: {fails:?}"
    );
}

/// The largest |t| of all shares.
fn largest_t(keys: &[RsaKey], kernel: Kernel, signatures: usize, leaks: bool) -> f64 {
    let mut random = fastrand::Rng::new();
    let fixed = [2; 32];
    let mut measure = || {
        let is_fixed = random.bool();
        let mut message = [0; 32];
        random.fill(&mut message);
        let mut key = &keys[1 + random.usize(..RANDOM_KEYS)];
        if is_fixed {
            (key, message) = (&keys[0], fixed);
        }
        // Made anew for both classes, so that neither finds its numbers in a nearer cache.
        let signer = SigningKey::new(&Numbers::from(key))
            .and_then(|signer| signer.kernel(kernel))
            .expect("a key")
            .threads(1);
        let n = nat::from_bytes(key.n(), BITS / 64);
        let time = timed(|| {
            if leaks && message[0] & 1 == 1 {
                // Some multiplications more than the thousands of a signature.
                black_box(Modulus::new(&n, BITS));
            }
            signer.sign(Scheme::Pkcs1v15(Hash::Sha256), &message)
        });
        (is_fixed, time)
    };
    let mut trial: Vec<Duration> = (0..TRIAL).map(|_| measure().1).collect();
    trial.sort();
    let ends = SHARES.map(|share| match trial.get((share * TRIAL as f64) as usize) {
        Some(end) => *end,
        None => Duration::MAX,
    });
    let mut classes = [[Class::default(); 2]; SHARES.len()];
    for _ in 0..signatures {
        let (is_fixed, time) = measure();
        for (end, classes) in ends.iter().zip(&mut classes) {
            if time < *end {
                classes[usize::from(is_fixed)].add(time.as_secs_f64());
            }
        }
    }
    let t = classes.map(|[random, fixed]| random.t(&fixed).abs());
    t.into_iter().fold(0.0, f64::max)
}

/// The mean and the variance of what was added so far (Welford's method).
#[derive(Clone, Copy, Default)]
struct Class {
    count: f64,
    mean: f64,
    squares: f64,
}

impl Class {
    fn add(&mut self, value: f64) {
        self.count += 1.0;
        let before = value - self.mean;
        self.mean += before / self.count;
        self.squares += before * (value - self.mean);
    }

    /// Welch's statistic.
    fn t(&self, other: &Self) -> f64 {
        let error = |class: &Self| class.squares / (class.count - 1.0) / class.count;
        (self.mean - other.mean) / (error(self) + error(other)).sqrt()
    }
}
