//! The exponentiations that a draft of a key has to pass: Miller-Rabin rounds with random bases, and a signature.

use kernels::declassify;
use kernels::modular::{self, Power};
use kernels::nat::{self, Nat};
use zeroize::Zeroizing;

use crate::Error;
use crate::key::Draft;

/// Miller-Rabin rounds with random bases for a prime of so many bits: FIPS 186-5, table B.1 (and appendix C.1 for the sizes in between), for an
/// error probability of 2^-112 at 1024 bits, 2^-128 at 1536 and 2^-144 from 2048 on.
pub(crate) fn rounds(bits: usize) -> usize {
    match bits {
        3747.. => 3,
        1345.. => 4,
        476.. => 5,
        400.. => 6,
        347.. => 7,
        308.. => 8,
        55.. => 27,
        _ => 34,
    }
}

/// The Miller-Rabin rounds of one number that is 3 modulo 4, so that one exponentiation to `(n-1)/2` is a whole round.
pub(crate) struct Rounds {
    bases: Vec<Nat>,
    half: Nat,
}

impl Rounds {
    pub(crate) fn new(
        modulus: &Nat,
        bits: usize,
        random: &mut impl FnMut(&mut [u8]) -> Result<(), Error>,
    ) -> Result<Self, Error> {
        let bases = (0..rounds(bits)).map(|_| base(modulus, bits, random));
        Ok(Self {
            bases: bases.collect::<Result<_, _>>()?,
            half: nat::halve(modulus),
        })
    }

    pub(crate) fn jobs<'a>(&'a self, modulus: &'a Nat) -> impl Iterator<Item = Power<'a>> {
        self.bases.iter().map(|base| Power {
            base,
            exponent: &self.half,
            modulus,
        })
    }

    /// Whether the number has passed all of its rounds, given their powers.
    pub(crate) fn passed(powers: &[Nat], modulus: &Nat) -> bool {
        powers
            .iter()
            .all(|power| modular::is_one_or_minus_one(power, modulus))
    }
}

/// The random numbers of one draft's trials.
pub(crate) struct Trials {
    for_p: Rounds,
    for_q: Rounds,
    p_minus_two: Nat,
    message: Nat,
}

impl Trials {
    pub(crate) fn new(
        draft: &Draft,
        mut random: impl FnMut(&mut [u8]) -> Result<(), Error>,
    ) -> Result<Self, Error> {
        let bits = draft.prime_bits();
        let for_p = Rounds::new(&draft.p, bits, &mut random)?;
        let for_q = Rounds::new(&draft.q, bits, &mut random)?;
        // Shorter than both primes, so that it is its own residue.
        let mut bytes = Zeroizing::new(vec![0; bits / 8 - 1]);
        random(&mut bytes)?;
        let message = nat::from_bytes(&bytes, draft.p.len());
        let mut p_minus_two = draft.p.clone();
        let mut two = nat::zero(p_minus_two.len());
        if let Some(low) = two.first_mut() {
            *low = 2;
        }
        nat::sub(&mut p_minus_two, &two);
        Ok(Self {
            for_p,
            for_q,
            p_minus_two,
            message,
        })
    }

    /// The rounds for `p`, the rounds for `q`, and then `q^-1 mod p` and the two halves of a signature.
    pub(crate) fn jobs<'a>(&'a self, draft: &'a Draft) -> Vec<Power<'a>> {
        let power = |base: &'a Nat, exponent: &'a Nat, modulus: &'a Nat| Power {
            base,
            exponent,
            modulus,
        };
        let mut jobs: Vec<_> = self.for_p.jobs(&draft.p).collect();
        jobs.extend(self.for_q.jobs(&draft.q));
        jobs.push(power(&draft.q, &self.p_minus_two, &draft.p));
        jobs.push(power(&self.message, &draft.dp, &draft.p));
        jobs.push(power(&self.message, &draft.dq, &draft.q));
        jobs
    }

    /// Whether `p` and `q` have passed all of their rounds.
    pub(crate) fn judge(&self, powers: &[Nat], draft: &Draft) -> (bool, bool) {
        let (for_p, rest) = powers.split_at(self.for_p.bases.len());
        let (for_q, _) = rest.split_at(self.for_q.bases.len());
        (
            Rounds::passed(for_p, &draft.p),
            Rounds::passed(for_q, &draft.q),
        )
    }

    /// `q^-1 mod p` and the two halves of a signature of [`Trials::message`].
    pub(crate) fn consistency<'a>(&self, powers: &'a [Nat]) -> &'a [Nat] {
        let rounds = self.for_p.bases.len() + self.for_q.bases.len();
        powers.split_at(rounds).1
    }

    pub(crate) fn message(&self) -> &Nat {
        &self.message
    }
}

/// A random base, at least 2 and at most `modulus - 2` (FIPS 186-5, B.3.1, steps 4.1 and 4.2).
fn base(
    modulus: &[u64],
    bits: usize,
    random: &mut impl FnMut(&mut [u8]) -> Result<(), Error>,
) -> Result<Nat, Error> {
    let mut minus_one = Zeroizing::new(modulus.to_vec());
    let mut two = nat::zero(modulus.len());
    if let (Some(low), Some(first)) = (minus_one.first_mut(), two.first_mut()) {
        *low &= !1;
        *first = 2;
    }
    let mut bytes = Zeroizing::new(vec![0; bits / 8]);
    loop {
        random(&mut bytes)?;
        let base = nat::from_bytes(&bytes, modulus.len());
        let fits = nat::less(&base, &minus_one) & (nat::less(&base, &two) ^ 1);
        if declassify(
            fits == 1,
            "which random bases are too large says next to nothing about the prime",
        ) {
            return Ok(base);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_are_those_of_fips_186_5() {
        for (bits, expected) in [
            (4096, 3),
            (3747, 3),
            (3746, 4),
            (2048, 4),
            (1345, 4),
            (1344, 5),
            (1024, 5),
            (476, 5),
            (475, 6),
            (400, 6),
            (399, 7),
            (347, 7),
            (346, 8),
            (308, 8),
            (307, 27),
            (55, 27),
            (54, 34),
        ] {
            assert_eq!(rounds(bits), expected, "{bits} bits");
        }
    }

    #[test]
    fn bases_are_from_two_to_the_modulus_less_two() {
        let modulus = [1_000_003];
        let first_of = |drawn: &[u64]| {
            let mut drawn = drawn.iter();
            let base = base(&modulus, 64, &mut |bytes| {
                bytes.copy_from_slice(&drawn.next().unwrap().to_be_bytes());
                Ok(())
            });
            base.unwrap()[0]
        };
        assert_eq!(first_of(&[0, 1, 1_000_002, 1_000_003, 2]), 2);
        assert_eq!(first_of(&[1_000_001]), 1_000_001);
        assert_eq!(
            base(&modulus, 64, &mut |_| Err(Error::Cancelled)).unwrap_err(),
            Error::Cancelled
        );
    }
}
