//! Traditional PEM encryption
use zeroize::Zeroizing;

use crate::{Error, Passphrase, pem::Block};

pub(super) fn is_encrypted(block: &Block) -> bool {
    block.header("Proc-Type").is_some()
}

pub(super) fn decrypt(block: &Block, passphrase: &Passphrase) -> Result<Zeroizing<Vec<u8>>, Error> {
    todo!()
}
