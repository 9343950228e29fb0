//! What every target shares: the passphrase of the seeds, and a budget that is enough for them.

use pki::{Budget, Passphrase};

pub(crate) fn passphrase() -> Passphrase {
    Passphrase::from("correct")
}

pub(crate) fn budget() -> Budget {
    let mut budget = Budget::default();
    budget.max_iterations = 2_048;
    budget.max_blocks = 10_000;
    budget.max_scrypt_memory = 2 << 20;
    budget.max_scrypt_work = 1 << 14;
    budget
}
