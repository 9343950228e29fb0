//! What the processor can do.

/// Whether the CPU and the operating system support AVX-512F and IFMA.
#[cfg(target_arch = "x86_64")]
pub(crate) fn has_ifma() -> bool {
    #[cfg(any(test, constant_time))]
    if let Some(forced) = crate::gate::forced() {
        return forced == crate::Kernel::Ifma;
    }
    is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512ifma")
}

/// Whether the CPU supports `mulx`, `adcx` and `adox`.
#[cfg(target_arch = "x86_64")]
pub(crate) fn has_mulx() -> bool {
    #[cfg(any(test, constant_time))]
    if let Some(forced) = crate::gate::forced() {
        // Every processor with IFMA has them.
        return forced != crate::Kernel::Portable;
    }
    is_x86_feature_detected!("bmi2") && is_x86_feature_detected!("adx")
}

/// Whether the CPU supports the SHA extensions.
#[cfg(target_arch = "x86_64")]
pub(crate) fn has_sha256() -> bool {
    is_x86_feature_detected!("sha") && is_x86_feature_detected!("ssse3")
}

/// There is no assembly for others.
#[cfg(not(target_arch = "x86_64"))]
pub(crate) fn has_sha256() -> bool {
    false
}
