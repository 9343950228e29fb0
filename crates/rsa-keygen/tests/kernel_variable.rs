//! The environment variable that chooses a kernel.

#![allow(clippy::unwrap_used)] // a test

use std::process::Command;

use rsa_keygen::{Error, KERNEL_VARIABLE, Kernel};

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
    let expected = match std::env::var(KERNEL_VARIABLE) {
        Ok(name) => match name.parse::<Kernel>() {
            Ok(kernel) if kernel.is_available() => Ok(kernel),
            Ok(kernel) => Err(Error::KernelUnavailable { kernel }),
            Err(error) => Err(error),
        },
        Err(_) => Ok(Kernel::available().next().unwrap()),
    };
    assert_eq!(Kernel::detect(), expected);
}
