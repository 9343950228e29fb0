//! What several test modules need.

use num_bigint::BigUint;

/// A generator that gives the same numbers every time, so that a failure can be repeated.
pub(crate) struct Xorshift(u64);

impl Xorshift {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub(crate) fn fill(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let random = self.next().to_le_bytes();
            chunk.copy_from_slice(&random[..chunk.len()]);
        }
    }

    pub(crate) fn below(&mut self, bound: &BigUint) -> BigUint {
        let mut bytes = vec![0; bound.to_bytes_le().len() + 8];
        self.fill(&mut bytes);
        BigUint::from_bytes_le(&bytes) % bound
    }
}

pub(crate) fn limbs(number: &BigUint, length: usize) -> Vec<u64> {
    let mut bytes = number.to_bytes_le();
    bytes.resize(8 * length, 0);
    bytes
        .chunks(8)
        .map(|chunk| u64::from_le_bytes(chunk.try_into().unwrap()))
        .collect()
}

pub(crate) fn integer(limbs: &[u64]) -> BigUint {
    BigUint::from_bytes_le(
        &limbs
            .iter()
            .flat_map(|limb| limb.to_le_bytes())
            .collect::<Vec<_>>(),
    )
}
