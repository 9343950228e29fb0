//! The one way from a secret to a branch.

/// An answer about a secret that may be known, and `reason` says why: the code may branch on it from here on.
///
/// `cargo xtask constant-time` lets Valgrind follow the secrets, and reports every branch on one that doesn't come through here.
#[inline(always)]
pub fn declassify(answer: bool, reason: &'static str) -> bool {
    // The barrier keeps what the answer was computed from (say, two comparisons) from becoming branches of its own.
    let answer = crate::mask::opaque(u64::from(answer));
    #[cfg(any(test, constant_time))]
    let answer = crate::gate::declassified(answer, reason);
    let _ = reason;
    answer != 0
}
