//! PEM (RFC 7468), written strictly and read leniently.
use crate::Error;
use zeroize::Zeroizing;

/// One block: its label, its RFC 1421 headers (only traditional encrypted keys have any) and the decoded body.
pub(crate) struct Block {
    pub(crate) label: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) der: Zeroizing<Vec<u8>>,
}

/// All blocks of the input, in order; text around them is skipped.
pub(crate) fn blocks(input: &[u8]) -> Result<Vec<Block>, Error> {
    let _ = input;
    todo!()
}
/// Whether the input looks like PEM rather than DER.
pub(crate) fn is_pem(input: &[u8]) -> bool {
    let _ = input;
    todo!()
}
/// One block with 64-character lines.
pub(crate) fn encode(label: &str, der: &[u8]) -> Zeroizing<String> {
    let _ = (label, der);
    todo!()
}
