//! The other contestants.

use std::convert::Infallible;
use std::process::{Command, Stdio};

pub const OPENSSL: &str = "openssl genrsa (process)";
pub const GRAVIOLA: &str = "graviola";

pub struct Contestant {
    pub name: String,
    /// Runs per round.
    pub turns: usize,
    pub run: Box<dyn FnMut()>,
}

impl Contestant {
    pub fn new(name: &str, turns: usize, run: impl FnMut() + 'static) -> Self {
        Self {
            name: name.to_owned(),
            turns,
            run: Box::new(run),
        }
    }
}

pub fn all(bits: usize) -> Vec<Contestant> {
    let mut peers = Vec::new();
    if let Some(size) = graviola_size(bits) {
        peers.push(Contestant::new(GRAVIOLA, 1, move || {
            drop(graviola::signing::rsa::SigningKey::generate(size).expect("a key"))
        }));
    }
    if let Some(size) = aws_lc_size(bits) {
        peers.push(Contestant::new("aws-lc-rs", 1, move || {
            drop(aws_lc_rs::rsa::KeyPair::generate(size).expect("a key"))
        }));
    }
    peers.push(Contestant::new("rsa", 1, move || {
        drop(rsa::PrivateKey::new(&mut rand::rng(), bits).expect("a key"))
    }));
    peers.push(Contestant::new(OPENSSL, 1, move || openssl(bits)));
    peers
}

/// `openssl genrsa`, the program: its start takes some milliseconds.
pub fn openssl(bits: usize) {
    let status = Command::new("openssl")
        .args(["genrsa", "-out", "/dev/null", &bits.to_string()])
        .stderr(Stdio::null())
        .status();
    assert!(
        status.is_ok_and(|status| status.success()),
        "openssl genrsa"
    );
}

fn graviola_size(bits: usize) -> Option<graviola::signing::rsa::KeySize> {
    use graviola::signing::rsa::KeySize;
    match bits {
        2048 => Some(KeySize::Rsa2048),
        3072 => Some(KeySize::Rsa3072),
        4096 => Some(KeySize::Rsa4096),
        8192 => Some(KeySize::Rsa8192),
        _ => None,
    }
}

fn aws_lc_size(bits: usize) -> Option<aws_lc_rs::rsa::KeySize> {
    use aws_lc_rs::rsa::KeySize;
    match bits {
        2048 => Some(KeySize::Rsa2048),
        3072 => Some(KeySize::Rsa3072),
        4096 => Some(KeySize::Rsa4096),
        8192 => Some(KeySize::Rsa8192),
        _ => None,
    }
}

/// A list of candidates as if it were randomness, and then numbers that are random enough for a benchmark.
pub struct List<'a> {
    candidates: &'a [u8],
    state: u64,
}

impl<'a> List<'a> {
    pub fn new(candidates: &'a [u8]) -> Self {
        Self {
            candidates,
            state: 0x9e37_79b9_7f4a_7c15,
        }
    }

    fn next(&mut self) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state
    }
}

impl rand::rand_core::TryRng for List<'_> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(self.next() as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.next())
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        let listed = bytes.len().min(self.candidates.len());
        let (now, later) = self.candidates.split_at(listed);
        self.candidates = later;
        bytes[..listed].copy_from_slice(now);
        for chunk in bytes[listed..].chunks_mut(8) {
            let random = self.next().to_le_bytes();
            chunk.copy_from_slice(&random[..chunk.len()]);
        }
        Ok(())
    }
}

impl rand::rand_core::TryCryptoRng for List<'_> {}
