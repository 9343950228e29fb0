//! The environment variable that chooses a kernel.

#![allow(clippy::unwrap_used)] // a test

use std::process::Command;

use kernels::{Error, KERNEL_VARIABLE, Kernel};

/// Runs this test program again with the variable set: the second run checks what it finds.
#[test]
fn the_variable_chooses_the_kernel() {
    for name in ["ifma", "mulx", "portable", "abacus"] {
        let status = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "what_the_variable_says_is_obeyed"])
            .env(KERNEL_VARIABLE, name)
            .output()
            .unwrap()
            .status;
        assert!(status.success(), "{name}");
    }
}

#[test]
fn what_the_variable_says_is_obeyed() {
    let detected = Kernel::detect();
    match std::env::var(KERNEL_VARIABLE).map(|name| name.parse::<Kernel>()) {
        Ok(Ok(kernel)) if kernel.is_available() => assert_eq!(detected, Ok(kernel)),
        Ok(Ok(kernel)) => assert!(
            matches!(detected, Err(Error::Unavailable { kernel: found, .. }) if found == kernel),
            "{detected:?}"
        ),
        Ok(Err(error)) => assert_eq!(detected, Err(error)),
        Err(_) => assert_eq!(detected, Ok(Kernel::available().next().unwrap())),
    }
}
