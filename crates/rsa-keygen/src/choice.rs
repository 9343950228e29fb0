//! Which kernel computes: the fastest that the machine can run, unless the environment or the caller names one.

use core::str::FromStr;

use crate::{Error, Kernel};

/// The environment variable that [`Kernel::detect`] obeys: `ifma`, `mulx` or `portable`.
pub const KERNEL_VARIABLE: &str = "COUNTERSIGN_RSA_KERNEL";

impl Kernel {
    /// The fastest available kernel for making keys, or the one that the environment variable `COUNTERSIGN_RSA_KERNEL` names.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownKernel`] and [`Error::KernelUnavailable`], both only when the variable is set.
    pub fn detect() -> Result<Self, Error> {
        Self::named_or(|_| true)
    }

    /// Likewise, for a single signature: eight lanes are of no use to its two exponentiations.
    pub(crate) fn detect_for_one() -> Result<Self, Error> {
        Self::named_or(|kernel| kernel.lanes() == 1)
    }

    /// The kernel that the environment names, or the fastest one that fits.
    fn named_or(fits: impl Fn(&Self) -> bool) -> Result<Self, Error> {
        match std::env::var(KERNEL_VARIABLE) {
            Ok(name) => name.parse::<Self>()?.checked(),
            Err(std::env::VarError::NotPresent) => {
                Ok(Self::available().find(fits).unwrap_or(Self::Portable))
            }
            Err(std::env::VarError::NotUnicode(name)) => Err(Error::UnknownKernel {
                name: name.to_string_lossy().into_owned(),
            }),
        }
    }

    /// `self` if this machine can run it.
    pub(crate) fn checked(self) -> Result<Self, Error> {
        if self.is_available() {
            Ok(self)
        } else {
            Err(Error::KernelUnavailable { kernel: self })
        }
    }
}

impl FromStr for Kernel {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        match name {
            "ifma" => Ok(Self::Ifma),
            "mulx" => Ok(Self::Mulx),
            "portable" => Ok(Self::Portable),
            _ => Err(Error::UnknownKernel {
                name: name.to_owned(),
            }),
        }
    }
}
