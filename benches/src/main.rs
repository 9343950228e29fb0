//! Races key generation, signatures and key derivation against their peers, in one run: `cargo run --release -- [--keys N] [--bits 2048,4096] [--vectors DIR] [--countersign PATH]
//! [--debug-consumer DIR]`. `--once KERNEL` makes one key of the average case on one thread and stops, for `valgrind --tool=callgrind`, whose count of
//! instructions doesn't depend on the machine's mood. (Valgrind knows neither AVX-512 nor, in 3.19, ADX: so for the portable kernel.)
//!
//! Key generation is a lottery: its time varies by half of its mean from key to key, so 200 keys still leave an error of 4 % (one standard
//! deviation). The published average case (C2SP CCTV) has no such noise, but only a generator that takes its candidates from outside can run it. So ours runs
//! both. The column "processor" is the time on all cores, which a busy machine stretches less than the time on the wall. The contestants take turns, a key each, so that a busy minute on the machine hits all of them.

mod cold;
mod consumer;
mod derivation;
mod peak;
mod peers;
mod signing;
mod table;
mod timing;

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use kernels::modular::{self, Stop};
use kernels::{Kernel, nat};
use rsa_private::Generator;

use crate::peers::Contestant;
use crate::table::{Sample, Table};

struct Arguments {
    keys: usize,
    bits: Vec<usize>,
    vectors: PathBuf,
    countersign: Option<PathBuf>,
    consumer: Option<PathBuf>,
    once: Option<Kernel>,
    only: Option<String>,
    signatures: Option<usize>,
}

fn main() {
    let arguments = match Arguments::parse() {
        Ok(arguments) => arguments,
        Err(message) => {
            eprintln!(
                "{message}\nusage: [--keys N] [--bits 2048,4096] [--vectors DIR] [--countersign PATH] [--debug-consumer DIR] [--only keys|signatures|derivation] [--timing SIGNATURES] [--once KERNEL]"
            );
            std::process::exit(2);
        }
    };
    if let Some(kernel) = arguments.once {
        for bits in &arguments.bits {
            let candidates = average_candidates(*bits, &arguments).concat();
            let generator = Generator::new(*bits).kernel(kernel).threads(1);
            generator
                .generate_with_rng(&mut peers::List::new(&candidates))
                .expect("a key");
        }
        return;
    }
    println!("{}", table::machine());
    if let Some(signatures) = arguments.signatures {
        return timing::check(signatures);
    }
    let wants = |what| arguments.only.as_deref().is_none_or(|only| only == what);
    for bits in &arguments.bits {
        if wants("keys") {
            kernels(*bits, &arguments);
            average_case(*bits, &arguments);
            random_keys(*bits, &arguments);
        }
        if wants("signatures") {
            signing::race(*bits, arguments.keys);
        }
    }
    if wants("derivation") {
        derivation::race(arguments.keys);
    }
    if let Some(program) = &arguments.countersign {
        cold::race(program, arguments.keys);
    }
    if let Some(directory) = &arguments.consumer {
        consumer::measure(directory, arguments.keys);
    }
}

/// The kernels alone: one exponentiation of the average case's candidates, and the share of the machine's peak that IFMA reaches.
fn kernels(bits: usize, arguments: &Arguments) {
    let candidates: Vec<_> = average_candidates(bits, arguments)
        .iter()
        .map(|candidate| nat::from_bytes(candidate, bits / 128))
        .collect();
    let never = AtomicBool::new(false);
    let stop = Stop {
        done: &never,
        cancelled: None,
    };
    let mut table = Table::new(
        &format!("{bits} bits: one squaring modulo a {}-bit number", bits / 2),
        &["best", "per squaring", "of the bound"],
    );
    for kernel in Kernel::available() {
        let lanes = kernel.lanes();
        let squarings = (bits / 2) as f64;
        let best = (0..400 / lanes)
            .map(|i| {
                let batch = &candidates[i * lanes..(i + 1) * lanes];
                let batch: Vec<&[u64]> =
                    batch.iter().map(|candidate| candidate.as_slice()).collect();
                timed(|| modular::base_two(kernel, &batch, bits / 2, &stop))
            })
            .min()
            .unwrap_or_default();
        let squaring = best.as_secs_f64() / squarings;
        let share = if kernel == Kernel::Ifma {
            let limbs = modular::ifma_limbs(bits / 2) as f64;
            // Half of a square off the diagonal, low and high; the diagonal; the reduction without its zeros: see KEYGEN.
            let multiply_adds = limbs * (limbs - 1.0) + 2.0 * limbs + 2.0 * limbs * limbs;
            let rate = peak::multiply_adds_per_second();
            format!(
                "{:.2} times ({multiply_adds} multiply-adds at {:.2}/ns: {:.3} µs)",
                squaring * rate / multiply_adds,
                rate / 1e9,
                multiply_adds / rate * 1e6
            )
        } else {
            String::new()
        };
        table.row(
            &format!("{kernel}, {lanes} at once"),
            &[
                format!("{:.3} ms", best.as_secs_f64() * 1e3),
                format!("{:.3} µs", squaring * 1e6),
                share,
            ],
        );
    }
    table.print();
}

/// Whole keys from the published list of candidates: everything but the randomness of the candidates.
fn average_case(bits: usize, arguments: &Arguments) {
    let candidates = average_candidates(bits, arguments).concat();
    let mut table = Table::new(
        &format!("{bits} bits: the CCTV average case, whole keys"),
        &["best", "mean", "n"],
    );
    for kernel in Kernel::available() {
        for threads in thread_counts() {
            let generator = Generator::new(bits).kernel(kernel).threads(threads);
            let runs = (arguments.keys / 4).max(5);
            let sample: Sample = (0..runs)
                .map(|_| {
                    let mut list = peers::List::new(&candidates);
                    timed(|| generator.generate_with_rng(&mut list).expect("a key"))
                })
                .collect();
            table.row(
                &name(kernel, threads),
                &[sample.best(), sample.mean(), runs.to_string()],
            );
        }
    }
    table.print();
}

/// Random keys, beside the peers.
fn random_keys(bits: usize, arguments: &Arguments) {
    let mut contestants = Vec::new();
    for kernel in Kernel::available() {
        for threads in thread_counts() {
            let generator = Generator::new(bits).kernel(kernel).threads(threads);
            // Ours take less time, so they can afford more keys and a smaller error.
            let turns = if kernel == Kernel::Ifma { 5 } else { 1 };
            contestants.push(Contestant::new(&name(kernel, threads), turns, move || {
                drop(generator.generate().expect("a key"))
            }));
        }
    }
    contestants.extend(peers::all(bits));
    let mut samples = vec![Sample::default(); contestants.len()];
    let mut processors = vec![Duration::ZERO; contestants.len()];
    for _ in 0..arguments.keys {
        for ((contestant, sample), processor) in contestants
            .iter_mut()
            .zip(&mut samples)
            .zip(&mut processors)
        {
            for _ in 0..contestant.turns {
                let before = table::processor_time();
                sample.push(timed(|| (contestant.run)()));
                *processor += table::processor_time() - before;
            }
        }
    }
    let reference = |wanted: &str| {
        contestants
            .iter()
            .zip(&samples)
            .find(|(contestant, _)| contestant.name == wanted)
            .map(|(_, sample)| sample.clone())
    };
    let (openssl, graviola) = (reference(peers::OPENSSL), reference(peers::GRAVIOLA));
    let mut table = Table::new(
        &format!("{bits} bits: random keys"),
        &[
            "mean",
            "median",
            "processor",
            "n",
            "openssl takes",
            "graviola takes",
        ],
    );
    for ((contestant, sample), processor) in contestants.iter().zip(&samples).zip(&processors) {
        let ratio = |reference: &Option<Sample>| {
            reference.as_ref().map_or_else(String::new, |reference| {
                format!(
                    "{:.2} times",
                    reference.mean_seconds() / sample.mean_seconds()
                )
            })
        };
        table.row(
            &contestant.name,
            &[
                sample.mean(),
                sample.median(),
                format!(
                    "{:.2} ms",
                    processor.as_secs_f64() * 1e3 / sample.len() as f64
                ),
                sample.len().to_string(),
                ratio(&openssl),
                ratio(&graviola),
            ],
        );
    }
    table.print();
}

fn name(kernel: Kernel, threads: usize) -> String {
    format!(
        "countersign, {kernel}, {threads} thread{}",
        if threads == 1 { "" } else { "s" }
    )
}

fn thread_counts() -> Vec<usize> {
    let all = std::thread::available_parallelism().map_or(1, usize::from);
    if all == 1 { vec![1] } else { vec![1, all] }
}

fn average_candidates(bits: usize, arguments: &Arguments) -> Vec<Vec<u8>> {
    let path = arguments.vectors.join(format!("cctv/rsa.bench.{bits}.txt"));
    let text = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}; see --vectors", path.display()));
    text.split_whitespace()
        .map(|hex| {
            (0..hex.len() / 2)
                .map(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).expect("hexadecimal"))
                .collect()
        })
        .collect()
}

fn timed<T>(work: impl FnOnce() -> T) -> Duration {
    let start = Instant::now();
    let result = work();
    let elapsed = start.elapsed();
    drop(std::hint::black_box(result));
    elapsed
}

impl Arguments {
    fn parse() -> Result<Self, String> {
        let default_vectors =
            || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/vectors");
        let mut parsed = Self {
            keys: 200,
            bits: vec![2048, 4096],
            vectors: std::env::var_os("COUNTERSIGN_VECTORS")
                .map_or_else(default_vectors, PathBuf::from),
            countersign: None,
            consumer: None,
            once: None,
            only: None,
            signatures: None,
        };
        let mut arguments = std::env::args().skip(1);
        while let Some(flag) = arguments.next() {
            let value = arguments
                .next()
                .ok_or_else(|| format!("{flag} needs a value"))?;
            match flag.as_str() {
                "--keys" => {
                    parsed.keys = value.parse().map_err(|error| format!("--keys: {error}"))?
                }
                "--bits" => {
                    parsed.bits = value
                        .split(',')
                        .filter(|size| !size.is_empty())
                        .map(str::parse)
                        .collect::<Result<_, _>>()
                        .map_err(|error| format!("--bits: {error}"))?
                }
                "--vectors" => parsed.vectors = value.into(),
                "--countersign" => parsed.countersign = Some(value.into()),
                "--debug-consumer" => parsed.consumer = Some(value.into()),
                "--once" => {
                    parsed.once = Some(value.parse().map_err(|error| format!("--once: {error}"))?)
                }
                "--only" => parsed.only = Some(value),
                "--timing" => {
                    parsed.signatures = Some(
                        value
                            .parse()
                            .map_err(|error| format!("--timing: {error}"))?,
                    )
                }
                _ => return Err(format!("unknown option {flag}")),
            }
        }
        Ok(parsed)
    }
}
