//! How many 512-bit multiply-adds this machine does in a second, at best: twelve independent chains, nothing else.

#[cfg(target_arch = "x86_64")]
pub fn multiply_adds_per_second() -> f64 {
    const ROUNDS: u64 = 1_000_000;
    assert!(is_x86_feature_detected!("avx512ifma"));
    let best = (0..20)
        .map(|_| {
            crate::timed(|| {
                // SAFETY: the CPU has the instructions, and no memory is touched.
                unsafe {
                    std::arch::asm!(
                        "2:",
                        "vpmadd52luq zmm0, zmm16, zmm17", "vpmadd52huq zmm1, zmm16, zmm17", "vpmadd52luq zmm2, zmm16, zmm17",
                        "vpmadd52huq zmm3, zmm16, zmm17", "vpmadd52luq zmm4, zmm16, zmm17", "vpmadd52huq zmm5, zmm16, zmm17",
                        "vpmadd52luq zmm6, zmm16, zmm17", "vpmadd52huq zmm7, zmm16, zmm17", "vpmadd52luq zmm8, zmm16, zmm17",
                        "vpmadd52huq zmm9, zmm16, zmm17", "vpmadd52luq zmm10, zmm16, zmm17", "vpmadd52huq zmm11, zmm16, zmm17",
                        "dec {rounds}", "jnz 2b",
                        rounds = inout(reg) ROUNDS => _,
                        out("zmm0") _, out("zmm1") _, out("zmm2") _, out("zmm3") _, out("zmm4") _, out("zmm5") _,
                        out("zmm6") _, out("zmm7") _, out("zmm8") _, out("zmm9") _, out("zmm10") _, out("zmm11") _,
                        options(nostack, nomem),
                    );
                }
            })
        })
        .min()
        .unwrap_or_default();
    12.0 * ROUNDS as f64 / best.as_secs_f64()
}

#[cfg(not(target_arch = "x86_64"))]
pub fn multiply_adds_per_second() -> f64 {
    f64::NAN
}
