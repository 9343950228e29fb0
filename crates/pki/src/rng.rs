use getrandom::SysRng;
use rand_core::{TryRng, UnwrapErr};

use crate::Error;

/// The operating system's randomness, after it has shown that it works: a source that answers once doesn't fail later.
pub(crate) fn system() -> Result<UnwrapErr<SysRng>, Error> {
    SysRng.try_next_u32().map_err(|_| Error::Randomness)?;
    Ok(UnwrapErr(SysRng))
}
