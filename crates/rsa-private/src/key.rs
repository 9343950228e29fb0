//! The key, and its derivation from two primes (FIPS 186-5, A.1.1; C2SP det-keygen, steps 19 to 24).

use core::fmt;

use kernels::modular::Modulus;
use kernels::nat::{self, Nat};
use kernels::{Mask, declassify};
use zeroize::Zeroizing;

use crate::Error;

/// The public exponent of every key.
const E: u64 = 65537;

/// Why it may be known that a pair of primes was rejected: no key is made of them.
const REJECTED: &str = "a rejected pair of primes is forgotten";
/// Why it may be known that a check failed: no key leaves the crate. That a key passed everybody knows.
const NO_KEY: &str = "a key that fails a check is forgotten, and every other key has passed it";

/// An RSA private key: its numbers, big-endian, and nothing else.
///
/// They have a fixed length, whatever their value (leading bytes may be zero): a modulus' length for `n` and `d`, half of that for `p`, `q`, `dp`, `dq`, `qinv`.
/// They are wiped when the key is dropped; `Debug` shows none of the secret ones; and there is no `Clone`.
pub struct RsaKey {
    bits: usize,
    n: Vec<u8>,
    d: Zeroizing<Vec<u8>>,
    p: Zeroizing<Vec<u8>>,
    q: Zeroizing<Vec<u8>>,
    dp: Zeroizing<Vec<u8>>,
    dq: Zeroizing<Vec<u8>>,
    qinv: Zeroizing<Vec<u8>>,
}

impl RsaKey {
    /// The length of the modulus, in bits.
    #[must_use]
    pub fn bits(&self) -> usize {
        self.bits
    }

    /// The modulus, `p·q`.
    #[must_use]
    pub fn n(&self) -> &[u8] {
        &self.n
    }

    /// The public exponent, 65537, in three bytes.
    #[must_use]
    pub fn e(&self) -> &[u8] {
        &[1, 0, 1]
    }

    /// The private exponent, `e^-1 mod lcm(p-1, q-1)`.
    #[must_use]
    pub fn d(&self) -> &[u8] {
        &self.d
    }

    /// The first prime. It may be smaller or larger than the second.
    #[must_use]
    pub fn p(&self) -> &[u8] {
        &self.p
    }

    /// The second prime.
    #[must_use]
    pub fn q(&self) -> &[u8] {
        &self.q
    }

    /// The first CRT exponent, `d mod (p-1)`.
    #[must_use]
    pub fn dp(&self) -> &[u8] {
        &self.dp
    }

    /// The second CRT exponent, `d mod (q-1)`.
    #[must_use]
    pub fn dq(&self) -> &[u8] {
        &self.dq
    }

    /// The CRT coefficient, `q^-1 mod p`.
    #[must_use]
    pub fn qinv(&self) -> &[u8] {
        &self.qinv
    }
}

impl fmt::Debug for RsaKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RsaKey")
            .field("bits", &self.bits)
            .field("secret", &"[elided]")
            .finish()
    }
}

/// A key whose primes are still to be confirmed.
pub(crate) struct Draft {
    bits: usize,
    pub(crate) p: Nat,
    pub(crate) q: Nat,
    n: Nat,
    d: Nat,
    pub(crate) dp: Nat,
    pub(crate) dq: Nat,
}

impl Draft {
    /// Derives the exponents. `None` if the pair is to be rejected: `e` divides `p-1` or `q-1`, or the two have a common divisor of 2^32 or more.
    pub(crate) fn new(p: &Nat, q: &Nat, bits: usize) -> Result<Option<Self>, Error> {
        check_distance(p, q, bits / 2)?;
        let (p_minus_one, q_minus_one) = (minus_one(p), minus_one(q));
        // Halves are odd, because both primes are 3 modulo 4.
        let q_half = nat::halve(q);
        let divisor = nat::gcd_odd(&nat::halve(p), &q_half);
        let (low, high) = divisor.split_first().unwrap_or((&0, &[]));
        // The greatest common divisor of p-1 and q-1 is twice that.
        let large = nat::is_zero(high) ^ 1 | low >> 31;
        if declassify(large != 0, REJECTED) {
            return Ok(None);
        }
        let mut q_part = q_half;
        nat::divide_exactly(&mut q_part, *low);
        let lambda = nat::mul(&p_minus_one, &q_part);
        let (Some(d), Some(dp), Some(dq)) = (
            invert_e(&lambda),
            invert_e(&p_minus_one),
            invert_e(&q_minus_one),
        ) else {
            return Ok(None);
        };
        // d > 2^(bits/2) (A.1.1, criterion 3a); it is below the least common multiple by construction.
        let mut bound = nat::zero(d.len());
        if let Some(limb) = bound.get_mut(bits / 2 / 64) {
            *limb = 1 << (bits / 2 % 64);
        }
        if declassify(nat::less(&bound, &d) == 0, NO_KEY) {
            return Err(Error::Inconsistent {
                check: "d is greater than 2^(bits/2)",
            });
        }
        let n = nat::mul(p, q);
        Ok(Some(Self {
            bits,
            p: p.clone(),
            q: q.clone(),
            n,
            d,
            dp,
            dq,
        }))
    }

    pub(crate) fn prime_bits(&self) -> usize {
        self.bits / 2
    }

    /// Puts the signature together (RFC 8017, 5.1.2), verifies it, and makes the key.
    pub(crate) fn finish(self, message: &Nat, powers: &[Nat]) -> Result<RsaKey, Error> {
        let [qinv, s_p, s_q] = powers else {
            return Err(Error::Inconsistent {
                check: "three powers",
            });
        };
        let p = Modulus::new(&self.p, self.prime_bits());
        let signature = recombined([s_p, s_q], &p, &self.q, qinv);
        let expected = nat::extended(message, self.n.len());
        // An `n` of an odd number of limbs fits in one less than its factors together.
        let limbs = self.bits.div_ceil(64);
        let (n, signature, expected) = (
            cut(&self.n, limbs),
            cut(&signature, limbs),
            cut(&expected, limbs),
        );
        let verifies = nat::less(signature, n)
            & nat::equal(
                &Modulus::new(n, self.bits).power_public(signature, E),
                expected,
            );
        if declassify(verifies == 0, NO_KEY) {
            return Err(Error::Inconsistent {
                check: "a signature verifies",
            });
        }
        // The signature was made with dp and dq. With d it would be the same one if d is dp modulo p-1, and dq modulo q-1.
        let agree =
            is_congruent(&self.d, &self.dp, &self.p) & is_congruent(&self.d, &self.dq, &self.q);
        if declassify(agree == 0, NO_KEY) {
            return Err(Error::Inconsistent {
                check: "d agrees with dp and dq",
            });
        }
        let (whole, half) = (self.bits / 8, self.bits / 16);
        Ok(RsaKey {
            bits: self.bits,
            n: nat::to_bytes(&self.n, whole).to_vec(),
            d: nat::to_bytes(&self.d, whole),
            p: nat::to_bytes(&self.p, half),
            q: nat::to_bytes(&self.q, half),
            dp: nat::to_bytes(&self.dp, half),
            dq: nat::to_bytes(&self.dq, half),
            qinv: nat::to_bytes(qinv, half),
        })
    }
}

/// The number below `p·q` with these residues modulo `p` and `q` (RFC 8017, section 5.1.2, step 2b), for two primes of exactly `bits` bits in either order
/// and `qinv = q^-1 mod p`.
pub(crate) fn recombined([s_p, s_q]: [&Nat; 2], p: &Modulus, q: &Nat, qinv: &Nat) -> Nat {
    // s_q mod p: both primes have their top bit set, so it is below 2 p.
    let mut difference = s_q.clone();
    nat::reduce_once(&mut difference, 0, p.value());
    let mut h = s_p.clone();
    let borrow = nat::sub(&mut h, &difference);
    nat::add_masked(&mut h, p.value(), Mask::from_bit(borrow));
    let h = p.multiply(&h, qinv);
    let mut whole = nat::mul(q, &h);
    let s_q = nat::extended(s_q, whole.len());
    nat::add(&mut whole, &s_q);
    whole
}

fn cut(number: &[u64], limbs: usize) -> &[u64] {
    number.get(..limbs).unwrap_or(number)
}

/// `p - 1` for an odd `p`.
fn minus_one(p: &Nat) -> Nat {
    let mut even = p.clone();
    if let Some(low) = even.first_mut() {
        *low &= !1;
    }
    even
}

/// 1 if `d = exponent` modulo `p - 1`, else 0, for two odd numbers and a `p` that is 3 modulo 4: then half of `p - 1` is odd, and both
/// are 1 modulo the other factor, 2.
fn is_congruent(d: &Nat, exponent: &Nat, p: &Nat) -> u64 {
    let mut difference = d.clone();
    let borrow = nat::sub(&mut difference, &nat::extended(exponent, d.len()));
    let odd = d.first().copied().unwrap_or(0) & exponent.first().copied().unwrap_or(0) & 1;
    nat::is_multiple(&difference, &nat::halve(p)) & odd & (borrow ^ 1)
}

/// `e^-1 mod m`: `(1 + k·m) / e`, with the `k = -m^-1 mod e` that makes the division exact. `None` if `e` divides `m`.
fn invert_e(m: &[u64]) -> Option<Nat> {
    let residue = nat::mod_65537(m);
    if declassify(residue == 0, REJECTED) {
        return None;
    }
    let mut inverse = nat::mul_small(m, E - nat::invert_65537(residue), 1);
    nat::divide_exactly(&mut inverse, E);
    inverse.truncate(m.len());
    Some(inverse)
}

/// `|p - q| > 2^(bits - 100)` for primes of so many bits (A.1.3, step 5.5). It fails with probability 2^-97: so an error, and not another try.
fn check_distance(p: &Nat, q: &Nat, bits: usize) -> Result<(), Error> {
    let mut distance = p.clone();
    let borrow = nat::sub(&mut distance, q);
    // Where q is greater, it is q - p.
    let mut other = q.clone();
    nat::sub(&mut other, p);
    let negative = Mask::from_bit(borrow);
    for (limb, negated) in distance.iter_mut().zip(other.iter()) {
        *limb = negative.select(*negated, *limb);
    }
    let mut bound = nat::zero(p.len());
    let least = bits.saturating_sub(100);
    if let Some(limb) = bound.get_mut(least / 64) {
        *limb = 1 << (least % 64);
    }
    if declassify(nat::less(&bound, &distance) == 1, NO_KEY) {
        Ok(())
    } else {
        Err(Error::Inconsistent {
            check: "|p - q| is greater than 2^(bits/2 - 100)",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Generator;
    use crate::trials::Trials;
    use core::sync::atomic::AtomicBool;
    use kernels::Kernel;
    use kernels::modular::{self, Stop};

    const DISAGREES: &str = "d agrees with dp and dq";
    const NO_SIGNATURE: &str = "a signature verifies";

    /// What becomes of the draft of a key that `change` has damaged before it is tried, and `powers` after that.
    fn finished(change: impl Fn(&mut Draft), powers: impl Fn(&mut [Nat])) -> Result<RsaKey, Error> {
        let key = Generator::new(2048)
            .generate_from_seed(b"two primes for this test")
            .unwrap();
        let [p, q] = [key.p(), key.q()].map(|prime| nat::from_bytes(prime, 16));
        let mut draft = Draft::new(&p, &q, 2048).unwrap().unwrap();
        change(&mut draft);
        let mut random = fastrand::Rng::with_seed(1);
        let trials = Trials::new(&draft, |bytes| {
            random.fill(bytes);
            Ok(())
        });
        let trials = trials.unwrap();
        let never = AtomicBool::new(false);
        let stop = Stop {
            done: &never,
            cancelled: None,
        };
        let kernel = Kernel::available().next().unwrap();
        let mut results: Vec<Nat> = trials
            .jobs(&draft)
            .chunks(kernel.lanes())
            .flat_map(|jobs| modular::power(kernel, jobs, 1024, &stop).unwrap())
            .collect();
        assert_eq!(trials.judge(&results, &draft), (true, true));
        let first = results.len() - 3;
        powers(&mut results[first..]);
        draft.finish(trials.message(), trials.consistency(&results))
    }

    #[test]
    fn a_key_with_a_wrong_number_is_refused() {
        assert!(finished(|_| (), |_| ()).is_ok());

        type Damage = fn(&mut Draft);
        let drafts: [(&str, Damage); 7] = [
            // Right modulo p-1 alone, and modulo q-1 alone.
            (DISAGREES, |draft| {
                nat::add(&mut draft.d, &nat::extended(&minus_one(&draft.p), 32));
            }),
            (DISAGREES, |draft| {
                nat::add(&mut draft.d, &nat::extended(&minus_one(&draft.q), 32));
            }),
            (DISAGREES, |draft| draft.d[0] ^= 1),
            // Right modulo half of p-1, and modulo q-1 or half of it, but even.
            (DISAGREES, |draft| {
                let product = nat::mul(&nat::halve(&draft.p), &nat::halve(&draft.q));
                nat::add(&mut draft.d, &product);
            }),
            (NO_SIGNATURE, |draft| draft.dp[3] ^= 4),
            (NO_SIGNATURE, |draft| draft.dq[15] ^= 1),
            (NO_SIGNATURE, |draft| draft.n[0] ^= 2),
        ];
        for (i, (check, change)) in drafts.into_iter().enumerate() {
            let error = finished(change, |_| ()).unwrap_err();
            assert_eq!(error, Error::Inconsistent { check }, "draft {i}");
        }

        for i in 0..3 {
            // q^-1 mod p, and the halves of the signature.
            let error = finished(|_| (), |powers| powers[i][1] ^= 1).unwrap_err();
            let check = NO_SIGNATURE;
            assert_eq!(error, Error::Inconsistent { check }, "power {i}");
        }
    }

    #[test]
    fn a_d_below_the_exponent_is_not_congruent_to_it_because_the_difference_wraps() {
        let [p, exponent] = [7, 5].map(|number| nat::from_bytes(&[number], 1));
        assert_eq!(is_congruent(&nat::from_bytes(&[11], 1), &exponent, &p), 1);
        // 1 - 5 + 2^64 is a multiple of 3.
        assert_eq!(is_congruent(&nat::from_bytes(&[1], 1), &exponent, &p), 0);
    }

    #[test]
    fn primes_are_further_apart_than_the_standard_s_distance() {
        // With 2^(1024 - 100) for primes of 1024 bits.
        let distant = |more: u64| {
            let [mut p, q] = [(); 2].map(|()| {
                let mut number = nat::zero(16);
                number[15] = 1 << 63;
                number
            });
            p[14] = 1 << 28;
            p[0] = more;
            [check_distance(&p, &q, 1024), check_distance(&q, &p, 1024)]
        };
        let check = "|p - q| is greater than 2^(bits/2 - 100)";
        let too_close = || Err(Error::Inconsistent { check });
        assert_eq!(distant(0), [too_close(), too_close()]);
        assert_eq!(distant(1), [Ok(()), Ok(())]);
    }
}
