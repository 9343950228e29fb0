//! Which kernel computes: the fastest that the machine can run, unless the caller names one.

use core::fmt;
use core::str::FromStr;

use thiserror::Error;

use crate::processor;

/// How many numbers a kernel works on side by side, at most.
pub(crate) const LANES: usize = 8;

/// Why there is no such kernel.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Error {
    /// The caller named a kernel that this machine can't run.
    #[error("the {kernel} kernel needs a processor that has its instructions")]
    #[non_exhaustive]
    Unavailable {
        /// The kernel asked for.
        kernel: Kernel,
    },
    /// A text that is not the name of a kernel.
    #[error("a kernel is ifma, mulx or portable, not {name:?}")]
    #[non_exhaustive]
    Unknown {
        /// The name found.
        name: String,
    },
}

/// An implementation of modular exponentiation.
///
/// They compute the same numbers at different speeds. Use what [`Kernel::detect`] gives, unless you test or measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kernel {
    /// AVX-512 IFMA: eight candidates side by side, or the two halves of a signature.
    Ifma,
    /// x86_64 with BMI2 and ADX: `mulx`, `adcx`, `adox`.
    Mulx,
    /// Plain Rust, for every target.
    Portable,
}

impl Kernel {
    /// All kernels, the fastest first.
    pub const ALL: [Self; 3] = [Self::Ifma, Self::Mulx, Self::Portable];

    /// The kernels that this machine can run, the fastest first. Never empty: [`Kernel::Portable`] runs everywhere.
    pub fn available() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|kernel| kernel.is_available())
    }

    /// Whether this machine can run this kernel.
    #[must_use]
    pub fn is_available(self) -> bool {
        match self {
            Self::Portable => true,
            #[cfg(target_arch = "x86_64")]
            Self::Ifma => processor::has_ifma(),
            #[cfg(target_arch = "x86_64")]
            Self::Mulx => processor::has_mulx(),
            #[cfg(not(target_arch = "x86_64"))]
            Self::Ifma | Self::Mulx => false,
        }
    }

    /// How many exponentiations this kernel does at once.
    #[must_use]
    pub fn lanes(self) -> usize {
        match self {
            Self::Ifma => LANES,
            Self::Mulx | Self::Portable => 1,
        }
    }

    /// The fastest that this machine can run.
    #[must_use]
    pub fn detect() -> Self {
        Self::available().next().unwrap_or(Self::Portable)
    }

    /// `self` if this machine can run it.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`].
    pub fn checked(self) -> Result<Self, Error> {
        if self.is_available() {
            Ok(self)
        } else {
            Err(Error::Unavailable { kernel: self })
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
            _ => Err(Error::Unknown {
                name: name.to_owned(),
            }),
        }
    }
}

impl fmt::Display for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ifma => "ifma",
            Self::Mulx => "mulx",
            Self::Portable => "portable",
        })
    }
}
