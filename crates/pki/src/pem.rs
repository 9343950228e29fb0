//! PEM (RFC 7468), written strictly and read leniently.
//!
//! Read are: text before, between and after blocks, several blocks, a byte order mark, UTF-16, any line ending, white space
//! around lines, bodies in one line or in many, missing padding, and RFC 1421 headers.

use base64::{
    Engine,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use zeroize::Zeroizing;

use crate::{Error, budget, der, text::Text};

/// The largest input that is read where the caller has no say: a platform's whole collection of roots is a quarter of it.
pub(crate) const MAX_INPUT: usize = 1 << 20;

/// One block: its label, its RFC 1421 headers (only traditional encrypted keys have any) and the decoded body.
pub(crate) struct Block {
    pub(crate) label: String,
    pub(crate) headers: Headers,
    pub(crate) der: Zeroizing<Vec<u8>>,
}

/// Names and values, in order.
type Headers = Vec<(String, String)>;

impl Block {
    /// The value of the first header of this name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(header, _)| header.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}

/// All blocks of the input, in order; text around them is skipped.
///
/// # Errors
/// `TooLarge`, and `MalformedPem` when a block doesn't end or isn't base64. No block at all is not an error here.
pub(crate) fn blocks(input: &[u8]) -> Result<Vec<Block>, Error> {
    blocks_within(input, MAX_INPUT)
}

/// Likewise, of an input of at most this size.
pub(crate) fn blocks_within(input: &[u8], max_size: usize) -> Result<Vec<Block>, Error> {
    budget::check_size(input, max_size, "PEM input")?;
    let text = Text::new(input);
    let mut blocks = Vec::new();
    let mut rest = &*text;
    while let Some(start) = find_begin(rest) {
        let (block, after) = read_block(start)?;
        blocks.push(block);
        rest = after;
    }
    Ok(blocks)
}

/// Whether the input looks like PEM rather than DER.
pub(crate) fn is_pem(input: &[u8]) -> bool {
    // DER may carry the text of a PEM block, in a comment for example.
    !der::is_sequence(input) && find(&Text::new(input), BEGIN).is_some()
}

/// The octets of a text that is nothing but base64, as a PEM block is without its first and its last line.
pub(crate) fn lone_body(input: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    decode(&Text::new(input)).filter(|octets| !octets.is_empty())
}

/// One block with 64-character lines.
pub(crate) fn encode(label: &str, der: &[u8]) -> Zeroizing<String> {
    let body = Zeroizing::new(ENGINE.encode(der));
    let lines = body.len().div_ceil(LINE);
    let frame = label.len().saturating_add(20).saturating_mul(2);
    let capacity = body.len().saturating_add(lines).saturating_add(frame);
    let mut out = Zeroizing::new(String::with_capacity(capacity));
    out.push_str("-----BEGIN ");
    out.push_str(label);
    out.push_str("-----\n");
    let mut rest = body.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at_checked(LINE).unwrap_or((rest, ""));
        out.push_str(line);
        out.push('\n');
        rest = after;
    }
    out.push_str("-----END ");
    out.push_str(label);
    out.push_str("-----\n");
    out
}

const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"-----END ";
const DASHES: &[u8] = b"-----";
/// RFC 7468, section 2: every line but the last has exactly 64 characters.
const LINE: usize = 64;
/// Longer than any label in use, short enough for an error message.
const MAX_LABEL: usize = 64;

const ENGINE: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What follows the next `-----BEGIN ` that has nothing but white space before it on its line.
fn find_begin(input: &[u8]) -> Option<&[u8]> {
    let mut rest = input;
    loop {
        let line = rest.trim_ascii_start();
        if let Some(found) = line.strip_prefix(BEGIN) {
            return Some(found);
        }
        let end = line
            .iter()
            .position(|octet| matches!(octet, b'\n' | b'\r'))?;
        rest = line.get(end..)?;
    }
}

/// The block whose label starts the input, and what follows its END line.
fn read_block(input: &[u8]) -> Result<(Block, &[u8]), Error> {
    let (label, body) = split_at(input, DASHES)
        .and_then(|(label, body)| Some((checked_label(label)?, body)))
        .ok_or_else(|| malformed("", "the BEGIN line has no proper label"))?;
    let (body, end) =
        split_at(body, END).ok_or_else(|| malformed(label, "there is no END line"))?;
    if find(body, BEGIN).is_some() {
        return Err(malformed(label, "there is no END line"));
    }
    let after = end
        .strip_prefix(label.as_bytes())
        .and_then(|end| end.strip_prefix(DASHES))
        .ok_or_else(|| malformed(label, "the END line has another label"))?;

    let (headers, body) = split_headers(body, label)?;
    let der = decode(body).ok_or_else(|| malformed(label, "the body is not base64"))?;
    if der.is_empty() {
        return Err(malformed(label, "the body is empty"));
    }
    Ok((
        Block {
            label: label.to_owned(),
            headers,
            der,
        },
        after,
    ))
}

/// Base64, white space within it.
fn decode(body: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mut text = Zeroizing::new(Vec::with_capacity(body.len()));
    text.extend(body.iter().filter(|octet| !octet.is_ascii_whitespace()));
    let mut octets = Zeroizing::new(Vec::with_capacity(text.len()));
    ENGINE.decode_vec(text.as_slice(), &mut octets).ok()?;
    Some(octets)
}

/// Splits RFC 1421 headers, which end at the first blank line, off a body. Base64 has no colon.
fn split_headers<'a>(body: &'a [u8], label: &str) -> Result<(Headers, &'a [u8]), Error> {
    let mut headers: Headers = Vec::new();
    let mut rest = body;
    // Looked for once, and not on each line.
    let from_last_colon = body
        .iter()
        .rposition(|octet| *octet == b':')
        .and_then(|at| body.get(at..))
        .map_or(0, <[u8]>::len);
    while (from_last_colon > 0 && rest.len() >= from_last_colon) || continues(rest, &headers) {
        let (line, after) = split_line(rest);
        let line = str::from_utf8(line)
            .map_err(|_| malformed(label, "a header is not text"))?
            .trim_end();
        match line.split_once(':') {
            _ if line.trim().is_empty() && headers.is_empty() => {}
            _ if line.trim().is_empty() => {
                return Err(malformed(label, "a header follows the blank line"));
            }
            _ if line.starts_with([' ', '\t']) && !headers.is_empty() => {
                if let Some((_, value)) = headers.last_mut() {
                    value.push_str(line.trim());
                }
            }
            Some((name, value)) => {
                headers.push((name.trim().to_owned(), value.trim().to_owned()));
            }
            None => return Err(malformed(label, "a header has no colon")),
        }
        rest = after;
    }
    Ok((headers, rest))
}

/// Whether the next line continues the last header (RFC 1421, section 4.4).
fn continues(rest: &[u8], headers: &[(String, String)]) -> bool {
    !headers.is_empty()
        && matches!(rest.first(), Some(b' ' | b'\t'))
        && !split_line(rest).0.trim_ascii().is_empty()
}

/// The first line, without its ending (LF, CR LF, CR, or the CR CR LF of two conversions), and what follows it.
fn split_line(input: &[u8]) -> (&[u8], &[u8]) {
    let end = input
        .iter()
        .position(|octet| matches!(octet, b'\n' | b'\r'))
        .unwrap_or(input.len());
    let (line, ending) = input.split_at(end);
    let ([b'\r', b'\r', b'\n', after @ ..]
    | [b'\r', b'\n', after @ ..]
    | [_, after @ ..]
    | after @ []) = ending;
    (line, after)
}

fn checked_label(label: &[u8]) -> Option<&str> {
    let label = str::from_utf8(label).ok()?;
    let fits = label.len() <= MAX_LABEL && label.chars().all(|c| matches!(c, ' '..='~'));
    fits.then_some(label)
}

/// What stands before and after the first `needle`.
fn split_at<'a>(input: &'a [u8], needle: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = find(input, needle)?;
    let after = at.checked_add(needle.len())?;
    Some((input.get(..at)?, input.get(after..)?))
}

fn find(input: &[u8], needle: &[u8]) -> Option<usize> {
    input
        .windows(needle.len())
        .position(|window| window == needle)
}

fn malformed(label: &str, reason: &'static str) -> Error {
    Error::MalformedPem {
        label: label.to_owned(),
        reason,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] = &[0x30, 0x03, 0x02, 0x01, 0x05];

    fn bodies(input: &str) -> Vec<Vec<u8>> {
        blocks(input.as_bytes())
            .unwrap()
            .iter()
            .map(|block| block.der.to_vec())
            .collect()
    }

    fn reason(input: &str) -> &'static str {
        match blocks(input.as_bytes()) {
            Err(Error::MalformedPem { reason, .. }) => reason,
            Err(other) => panic!("{other}"),
            Ok(_) => panic!("it was read"),
        }
    }

    #[test]
    fn what_is_written_has_lines_of_64_characters_and_is_read_back() {
        for len in [1, 47, 48, 49, 96, 1000] {
            let der = vec![0xa5; len];
            let pem = encode("X", &der);
            let lines: Vec<_> = pem.lines().collect();
            assert_eq!(lines.first(), Some(&"-----BEGIN X-----"));
            assert_eq!(lines.last(), Some(&"-----END X-----"));
            assert!(lines[1..lines.len() - 2].iter().all(|l| l.len() == 64));
            assert!(pem.ends_with("-----\n"));
            assert_eq!(bodies(&pem), [der]);
        }
    }

    #[test]
    fn untidy_blocks_are_read() {
        for untidy in [
            "-----BEGIN X-----\nMAMCAQU=\n-----END X-----\n",
            "-----BEGIN X-----\r\nMAMC\r\nAQU=\r\n-----END X-----",
            "\u{feff}-----BEGIN X-----\nMAMCAQU=\n-----END X-----\n",
            "-----BEGIN X-----MAMCAQU=-----END X-----",
            "Bag Attributes\n  friendlyName: x\nKey Attributes: <none>\n-----BEGIN X-----\nMAMCAQU\n-----END X-----\n",
            "  -----BEGIN X-----  \n\n MAMC  \n\tAQU=  \n  -----END X-----  \n",
            "-----BEGIN X-----\rMAMCAQU=\r-----END X-----\r",
        ] {
            assert_eq!(bodies(untidy), [BODY], "{untidy:?}");
        }
    }

    #[test]
    fn several_blocks_keep_their_order_and_labels() {
        let text = "-----BEGIN A-----\nMAMCAQU=\n-----END A-----\ntext\n-----BEGIN B-----\nBAEB\n-----END B-----\n";
        let blocks = blocks(text.as_bytes()).unwrap();
        let labels: Vec<_> = blocks.iter().map(|block| block.label.as_str()).collect();
        assert_eq!(labels, ["A", "B"]);
    }

    #[test]
    fn headers_are_read_with_their_continuation() {
        let text = "-----BEGIN X-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,\n 0011\n\nMAMCAQU=\n-----END X-----\n";
        let blocks = blocks(text.as_bytes()).unwrap();
        assert_eq!(blocks[0].header("proc-type"), Some("4,ENCRYPTED"));
        assert_eq!(blocks[0].header("DEK-Info"), Some("AES-256-CBC,0011"));
        assert_eq!(*blocks[0].der, BODY);
    }

    #[test]
    fn lines_with_headers_end_in_any_way() {
        let text = "-----BEGIN X-----\nA: 1\nB: 2,\n 3\n\nMAMC\nAQU=\n-----END X-----\n";
        for ending in ["\n", "\r\n", "\r", "\r\r\n"] {
            let blocks = blocks(text.replace('\n', ending).as_bytes()).unwrap();
            assert_eq!(blocks[0].header("A"), Some("1"), "{ending:?}");
            assert_eq!(blocks[0].header("B"), Some("2,3"), "{ending:?}");
            assert_eq!(*blocks[0].der, BODY, "{ending:?}");
        }
    }

    #[test]
    fn a_block_that_does_not_end_is_refused() {
        assert_eq!(reason("-----BEGIN X-----\nMAMC"), "there is no END line");
        assert_eq!(
            reason("-----BEGIN X-----\nMAMC\n-----BEGIN X-----\nMAMCAQU=\n-----END X-----\n"),
            "there is no END line"
        );
        assert_eq!(
            reason("-----BEGIN X-----\nMAMC\n-----END Y-----"),
            "the END line has another label"
        );
        assert_eq!(reason("-----BEGIN X"), "the BEGIN line has no proper label");
    }

    #[test]
    fn a_body_that_is_not_base64_is_refused() {
        assert_eq!(
            reason("-----BEGIN X-----\nM?MC\n-----END X-----"),
            "the body is not base64"
        );
        assert_eq!(
            reason("-----BEGIN X-----\n-----END X-----"),
            "the body is empty"
        );
    }

    #[test]
    fn text_within_a_line_does_not_start_a_block() {
        assert_eq!(
            bodies("put it between -----BEGIN X----- and the end"),
            Vec::<Vec<u8>>::new()
        );
    }

    #[test]
    fn too_large_an_input_is_refused() {
        let error = blocks(&vec![b' '; MAX_INPUT + 1]).err().unwrap();
        assert!(matches!(error, Error::TooLarge { .. }));
    }

    #[test]
    fn der_is_told_apart_even_when_it_quotes_pem() {
        let quote = b"-----BEGIN X-----";
        let der = der::sequence(&[&der::tlv(der::OCTET_STRING, &[quote])]);
        assert!(!is_pem(&der));
        assert!(is_pem(quote));
        assert!(is_pem(b"0 is how this preamble starts\n-----BEGIN X-----"));
    }
}
