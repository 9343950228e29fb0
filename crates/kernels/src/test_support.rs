//! What several test modules need.

use num_bigint::BigUint;

pub(crate) fn below(random: &mut fastrand::Rng, bound: &BigUint) -> BigUint {
    let mut bytes = vec![0; bound.to_bytes_le().len() + 8];
    random.fill(&mut bytes);
    BigUint::from_bytes_le(&bytes) % bound
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
