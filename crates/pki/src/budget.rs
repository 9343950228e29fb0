//! What one call may spend on what it reads, and what it has spent. Most of it goes into key derivation.

use crate::Error;

/// How much one call that reads a key, a bundle or a trust store may take. The defaults are generous to ordinary files.
///
/// A file states how much work opening it takes, so a small file can ask for hours. What exceeds the budget is refused
/// before the work is done, with [`Error::BudgetExceeded`], [`Error::TooLarge`] or [`Error::NestedTooDeeply`]. Start from
/// the default and change what you need to:
///
/// ```
/// let mut budget = pki::Budget::default();
/// budget.max_iterations = 5_000_000;
/// ```
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Budget {
    /// Iterations in a single derivation. Default: 1,000,000.
    pub max_iterations: u64,
    /// Hash blocks in the whole call: iterations times output blocks, summed over every derivation and retry. Default:
    /// 10,000,000 (a file that NSS wrote takes 1.8 million).
    pub max_blocks: u64,
    /// Memory of one scrypt derivation in octets: `128 * r * (N + p)`, RFC 7914. Default: 72 MiB.
    pub max_scrypt_memory: u64,
    /// Work of scrypt in the whole call: `N * r * p`, summed over every derivation. Default: 2,097,152.
    pub max_scrypt_work: u64,
    /// Size of the input in octets. Default: 4 MiB (a collection of every public root is a fourteenth of it). Other memory
    /// is a small multiple of it.
    pub max_size: usize,
    /// Levels of nesting in the BER of a PKCS#12 file. Default: 32 (ordinary files have about ten). Each takes a little of
    /// the stack; more than 256 are never read.
    pub max_nesting: usize,
    /// Private keys in a PKCS#12 file. Default: 1,000.
    pub max_private_keys: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            max_iterations: 1_000_000,
            max_blocks: 10_000_000,
            // N = 2^16 with r = 8 takes 64 MiB, and a little for p.
            max_scrypt_memory: 72 << 20,
            max_scrypt_work: 1 << 21,
            max_size: 4 << 20,
            max_nesting: 32,
            max_private_keys: 1_000,
        }
    }
}

impl Budget {
    /// Checks the size of an input, which errors call `what`.
    pub(crate) fn check_size(&self, input: &[u8], what: &'static str) -> Result<(), Error> {
        check_size(input, self.max_size, what)
    }
}

/// Checks the size of an input, which errors call `what`, against a limit in octets.
pub(crate) fn check_size(input: &[u8], limit: usize, what: &'static str) -> Result<(), Error> {
    if input.len() <= limit {
        return Ok(());
    }
    Err(Error::TooLarge {
        what,
        found: input.len(),
        limit,
    })
}

/// What one call has spent of its budget. Every derivation is charged before it is done.
#[derive(Debug)]
pub(crate) struct Spending {
    budget: Budget,
    blocks: u64,
    scrypt_work: u64,
}

impl Spending {
    pub(crate) fn new(budget: Budget) -> Self {
        Self {
            budget,
            blocks: 0,
            scrypt_work: 0,
        }
    }

    pub(crate) fn budget(&self) -> &Budget {
        &self.budget
    }

    /// Charges a derivation of `blocks` hash outputs, each of which takes `iterations`.
    pub(crate) fn charge(&mut self, iterations: u32, blocks: u64) -> Result<(), Error> {
        let iterations = u64::from(iterations);
        within(
            "key derivation iteration count",
            iterations,
            self.budget.max_iterations,
        )?;
        let sum = iterations
            .saturating_mul(blocks)
            .saturating_add(self.blocks);
        within(
            "key derivation work in hash blocks",
            sum,
            self.budget.max_blocks,
        )?;
        self.blocks = sum;
        Ok(())
    }

    /// Checks how many private keys a file has.
    pub(crate) fn check_keys(&self, count: usize) -> Result<(), Error> {
        within(
            "number of private keys",
            count as u64,
            self.budget.max_private_keys as u64,
        )
    }

    /// Charges a derivation with scrypt.
    pub(crate) fn charge_scrypt(&mut self, n: u64, r: u32, p: u32) -> Result<(), Error> {
        let (r, p) = (u64::from(r), u64::from(p));
        let memory = n.saturating_add(p).saturating_mul(r).saturating_mul(128);
        within(
            "scrypt memory in octets",
            memory,
            self.budget.max_scrypt_memory,
        )?;
        let work = n.saturating_mul(r).saturating_mul(p);
        let sum = work.saturating_add(self.scrypt_work);
        within("scrypt work (N * r * p)", sum, self.budget.max_scrypt_work)?;
        self.scrypt_work = sum;
        Ok(())
    }
}

fn within(parameter: &'static str, found: u64, limit: u64) -> Result<(), Error> {
    if found <= limit {
        Ok(())
    } else {
        Err(Error::BudgetExceeded {
            parameter,
            found,
            limit,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exceeded(result: Result<(), Error>) -> (u64, u64) {
        match result {
            Err(Error::BudgetExceeded { found, limit, .. }) => (found, limit),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_input_may_reach_the_limit_and_not_pass_it() {
        assert_eq!(check_size(&[0; 7], 8, "input"), Ok(()));
        assert_eq!(check_size(&[0; 8], 8, "input"), Ok(()));
        assert_eq!(
            check_size(&[0; 9], 8, "input"),
            Err(Error::TooLarge {
                what: "input",
                found: 9,
                limit: 8
            })
        );
    }

    #[test]
    fn one_derivation_may_reach_the_limit_and_not_pass_it() {
        let mut spending = Spending::new(Budget::default());
        spending.charge(1_000_000, 1).unwrap();
        assert_eq!(
            exceeded(spending.charge(1_000_001, 1)),
            (1_000_001, 1_000_000)
        );
    }

    #[test]
    fn the_sum_over_a_call_is_limited() {
        let mut spending = Spending::new(Budget::default());
        for _ in 0..5 {
            spending.charge(1_000_000, 2).unwrap();
        }
        assert_eq!(exceeded(spending.charge(1, 1)), (10_000_001, 10_000_000));
    }

    #[test]
    fn scrypt_is_limited_in_memory_and_in_work() {
        let mut spending = Spending::new(Budget::default());
        spending.charge_scrypt(1 << 14, 8, 1).unwrap();
        exceeded(spending.charge_scrypt(1 << 20, 8, 1));
        exceeded(spending.charge_scrypt(2, 1, 1 << 20));
        exceeded(spending.charge_scrypt(1 << 14, 8, 16));
        exceeded(spending.charge_scrypt(u64::MAX, u32::MAX, u32::MAX));
    }
}
