/// How much key-derivation work one call may do. The defaults are generous to honest files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct KdfBudget {
    /// Iterations in a single derivation.
    pub max_iterations: u64,
    /// Hash blocks in the whole call: iterations times output blocks, summed over every derivation and retry.
    pub max_blocks: u64,
    /// Memory of one scrypt derivation in octets (128 * N * r).
    pub max_scrypt_memory: u64,
    /// Work of one scrypt derivation (N * r * p).
    pub max_scrypt_work: u64,
}

impl Default for KdfBudget {
    fn default() -> Self {
        Self {
            max_iterations: 1_000_000,
            max_blocks: 10_000_000,
            max_scrypt_memory: 64 << 20,
            max_scrypt_work: 1 << 21,
        }
    }
}

/// What one call has spent of its budget.
pub(crate) struct Spending {
    budget: KdfBudget,
}

impl Spending {
    pub(crate) fn new(budget: KdfBudget) -> Self {
        Self { budget }
    }
}
