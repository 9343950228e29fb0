use std::{error::Error as StdError, fmt, sync::Arc, time::SystemTime};

use crate::time::Rfc3339;

/// Everything that can go wrong in this crate.
///
/// Variants carry the evidence that a caller needs to explain the failure, and never a secret: no passphrase, no key
/// material and no decrypted content.
///
/// Fields may be added to most struct variants: match them with `..`. [`PassphraseRequired`](Self::PassphraseRequired),
/// [`WrongPassphrase`](Self::WrongPassphrase) and [`Pkcs12Lacks`](Self::Pkcs12Lacks) are complete, so that crates which read
/// more on top of this one can report the same.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    // --- Form -------------------------------------------------------------------------------------------------
    /// The input holds no PEM block, or not the one that was asked for.
    #[error("no {expected} PEM block found{}", found_labels(.found))]
    #[non_exhaustive]
    PemNotFound {
        /// What was looked for, in words.
        expected: &'static str,
        /// The labels of the blocks that are there.
        found: Vec<String>,
    },
    /// A PEM block starts and doesn't end, or its body is not base64.
    #[error("malformed PEM block {label:?}: {reason}")]
    #[non_exhaustive]
    MalformedPem {
        /// The label of the block.
        label: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A DER (or BER) structure can't be decoded.
    #[error("malformed {what}: {reason}")]
    #[non_exhaustive]
    Malformed {
        /// The structure that was being read.
        what: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// Octets follow the end of a structure that should have filled the input.
    #[error("{count} octets follow the end of the {what}")]
    #[non_exhaustive]
    TrailingData {
        /// The structure that was read.
        what: &'static str,
        /// How many octets are left over.
        count: usize,
    },
    /// The input is larger than any well-formed one of its kind needs to be.
    #[error("{what} of {found} octets is larger than the limit of {limit}")]
    #[non_exhaustive]
    TooLarge {
        /// What was being read.
        what: &'static str,
        /// The size of the input in octets.
        found: usize,
        /// The limit in octets.
        limit: usize,
    },
    /// Structures are nested more deeply than in any file that programs write.
    #[error("{what} is nested more than {limit} levels deep")]
    #[non_exhaustive]
    NestedTooDeeply {
        /// What was being read.
        what: &'static str,
        /// The limit in levels.
        limit: usize,
    },
    /// An algorithm or scheme that this crate doesn't implement.
    #[error("unsupported {what}: {name} ({oid})")]
    #[non_exhaustive]
    UnsupportedScheme {
        /// What the scheme would be used for, for example "PKCS#12 encryption".
        what: &'static str,
        /// The object identifier in dotted form.
        oid: String,
        /// The name of the scheme, or "unknown".
        name: String,
    },

    // --- Secrets ----------------------------------------------------------------------------------------------
    /// The key or bundle is encrypted and no passphrase was given.
    #[error("{what} is encrypted and needs a passphrase")]
    PassphraseRequired {
        /// What is encrypted.
        what: &'static str,
    },
    /// The passphrase doesn't open what it was given for.
    #[error("the passphrase does not open the {what}")]
    WrongPassphrase {
        /// What could not be opened.
        what: &'static str,
    },
    /// The passphrase opens the PKCS#12 contents, but the MAC over them doesn't match: the file was altered or damaged.
    #[error(
        "the MAC of the PKCS#12 file does not match its contents: the file is damaged or was altered"
    )]
    MacMismatch,
    /// Reading would take more key-derivation work than the budget allows (nothing was derived), or judging more
    /// comparisons.
    #[error("{parameter} of {found} exceeds the limit of {limit}")]
    #[non_exhaustive]
    BudgetExceeded {
        /// The parameter that is too high.
        parameter: &'static str,
        /// Its value, or the sum that the call would reach.
        found: u64,
        /// The limit.
        limit: u64,
    },
    /// The operating system gave no randomness.
    #[error("the system's random number generator is unavailable")]
    Randomness,

    // --- Keys -------------------------------------------------------------------------------------------------
    /// A key of a kind or size that this crate doesn't handle.
    #[error("unsupported key: {found}{}", in_parentheses(.oid.as_deref()))]
    #[non_exhaustive]
    UnsupportedKey {
        /// The algorithm, curve or size that was found.
        found: String,
        /// The object identifier of the algorithm or curve in dotted form; none where that is one which this crate handles, and
        /// the size, for example, isn't.
        oid: Option<String>,
    },
    /// A private key that is inconsistent: its numbers, or its two halves, don't match.
    #[error("invalid private key: {reason}")]
    #[non_exhaustive]
    InvalidKey {
        /// What is wrong with it.
        reason: String,
    },
    /// The generation of a key gave up, or what it made failed its own checks.
    #[error("key generation: {reason}")]
    #[non_exhaustive]
    KeyGeneration {
        /// What happened.
        reason: String,
    },
    /// A seed that is too short to make a key from.
    #[error("a seed of {found} octets is shorter than the {limit} it needs")]
    #[non_exhaustive]
    SeedTooShort {
        /// The length in octets.
        found: usize,
        /// The least length in octets.
        limit: usize,
    },
    /// The caller cancelled the generation of a key.
    #[error("cancelled")]
    Cancelled,
    /// The private key doesn't belong to the certificate.
    #[error("the private key does not match the certificate of {subject}")]
    #[non_exhaustive]
    KeyMismatch {
        /// The subject of the certificate, in RFC 4514 form.
        subject: String,
    },
    /// An RSA key below the minimum of the profile.
    #[error("an RSA key of {found} bits is below the minimum of {minimum}")]
    #[non_exhaustive]
    KeyTooSmall {
        /// The length of its modulus in bits.
        found: usize,
        /// The profile's minimum in bits.
        minimum: usize,
    },
    /// A key of an algorithm or a size that the profile doesn't certify.
    #[error("a key of {found} is not among those that the profile certifies: {allowed}")]
    #[non_exhaustive]
    KeyNotAllowed {
        /// The algorithm and size of the key.
        found: String,
        /// Those of the profile; RSA's are the smallest.
        allowed: String,
    },
    /// A signature algorithm that can't be used with this kind of key.
    #[error("{algorithm} can not be used with a key of {key}")]
    #[non_exhaustive]
    UnsupportedSignatureAlgorithm {
        /// The signature algorithm.
        algorithm: &'static str,
        /// The kind of key.
        key: String,
    },

    // --- Names ------------------------------------------------------------------------------------------------
    /// A distinguished name that can't be parsed.
    #[error("malformed distinguished name at character {position}: {reason}")]
    #[non_exhaustive]
    MalformedName {
        /// Where, in characters from the start, counted from one.
        position: usize,
        /// What is wrong.
        reason: &'static str,
    },
    /// An attribute type that is not known by name, nor a dotted object identifier.
    #[error("unknown attribute {name:?} in a distinguished name")]
    #[non_exhaustive]
    UnknownAttribute {
        /// The word that was used.
        name: String,
    },
    /// An attribute without a value. OpenSSL would leave it out.
    #[error("attribute {attribute} has no value")]
    #[non_exhaustive]
    EmptyAttribute {
        /// The attribute's short name.
        attribute: String,
    },
    /// An attribute value longer than X.520 allows.
    #[error("attribute {attribute} has {found} characters, more than the limit of {limit}")]
    #[non_exhaustive]
    AttributeTooLong {
        /// The attribute's short name.
        attribute: String,
        /// The length that was found, in characters.
        found: usize,
        /// The limit in characters.
        limit: usize,
    },
    /// An attribute value shorter than its type allows.
    #[error("attribute {attribute} has {found} characters, fewer than the {limit} it needs")]
    #[non_exhaustive]
    AttributeTooShort {
        /// The attribute's short name.
        attribute: String,
        /// The length that was found, in characters.
        found: usize,
        /// The lowest length in characters.
        limit: usize,
    },
    /// An attribute value with characters that its string type can't hold.
    #[error("attribute {attribute} holds {found:?}, which {string_type} can not carry")]
    #[non_exhaustive]
    AttributeCharacter {
        /// The attribute's short name.
        attribute: String,
        /// The first such character.
        found: char,
        /// The ASN.1 string type.
        string_type: &'static str,
    },
    /// A control character in the text of an attribute value, such as the carriage return of a line that ends in CR LF.
    #[error("attribute {attribute} holds the control character U+{:04X}", u32::from(*.found))]
    #[non_exhaustive]
    ControlCharacter {
        /// The attribute's short name.
        attribute: String,
        /// The first such character.
        found: char,
    },
    /// A country that is not a two-letter ISO 3166 code.
    #[error("country {found:?} is not a two-letter ISO 3166 code such as \"GB\"")]
    #[non_exhaustive]
    InvalidCountry {
        /// What was given.
        found: String,
    },
    /// A subject alternative name that can't be encoded.
    #[error("invalid subject alternative name {name:?}: {reason}")]
    #[non_exhaustive]
    InvalidSubjectAltName {
        /// The name.
        name: String,
        /// What is wrong with it.
        reason: &'static str,
    },

    /// A subject without an attribute that the profile requires.
    #[error("the subject has no {attribute}, which the profile requires")]
    #[non_exhaustive]
    AttributeMissing {
        /// The attribute, as the profile names it.
        attribute: String,
    },
    /// A subject with an attribute that the profile doesn't allow, or not so.
    #[error("the subject has the attribute {attribute} with the value {value:?}: {reason}")]
    #[non_exhaustive]
    AttributeNotAllowed {
        /// The attribute's short name, or its object identifier.
        attribute: String,
        /// Its value.
        value: String,
        /// What the profile says.
        reason: &'static str,
    },
    /// A subject alternative name, or what may be taken for one in the subject, that no pattern of the profile grants.
    #[error("{name} is not among the names that the profile grants: {granted}")]
    #[non_exhaustive]
    NameNotGranted {
        /// The name.
        name: String,
        /// The patterns of the profile.
        granted: String,
    },
    /// A text that is no pattern of names.
    #[error("{pattern:?} is not a pattern of names such as \"DNS:*.example.com\"")]
    #[non_exhaustive]
    InvalidNamePattern {
        /// The text.
        pattern: String,
    },
    /// A name outside what an issuer's name constraints permit (RFC 5280, section 4.2.1.10).
    #[error("{name} is not among the names that {issuer} may issue for: {permitted}")]
    #[non_exhaustive]
    NameNotPermitted {
        /// The subject of the issuer, in RFC 4514 form.
        issuer: String,
        /// The name.
        name: String,
        /// The constraints of the name's form, or the first few of them.
        permitted: String,
    },
    /// A name that an issuer's name constraints exclude.
    #[error("{name} is excluded from the names that {issuer} may issue for by {excluded}")]
    #[non_exhaustive]
    NameExcluded {
        /// The subject of the issuer, in RFC 4514 form.
        issuer: String,
        /// The name.
        name: String,
        /// The constraint.
        excluded: String,
    },
    /// A name under a name constraint of its form, one of which this crate can't compare.
    #[error("{name} can't be compared with the name constraint {constraint} of {issuer}")]
    #[non_exhaustive]
    UnsupportedNameConstraint {
        /// The subject of the issuer, in RFC 4514 form.
        issuer: String,
        /// The name.
        name: String,
        /// The constraint.
        constraint: String,
    },

    /// An extension that says what RFC 5280 doesn't allow, or nothing.
    #[error("invalid {extension}: {reason}")]
    #[non_exhaustive]
    InvalidExtension {
        /// The extension, in words.
        extension: &'static str,
        /// What is wrong with it.
        reason: &'static str,
    },

    // --- Requests, certificates, CAs ------------------------------------------------------------------
    /// The signature of a certificate request doesn't verify with the key in it: no proof of possession.
    #[error("the signature of the certificate request does not match its public key")]
    RequestSignatureInvalid,
    /// The signature of a certificate doesn't verify with the issuer's key.
    #[error("the signature of the certificate of {subject} does not match the key of {issuer}")]
    #[non_exhaustive]
    CertificateSignatureInvalid {
        /// The subject of the certificate, in RFC 4514 form.
        subject: String,
        /// The subject of the supposed issuer, in RFC 4514 form.
        issuer: String,
    },
    /// A certificate names one signature algorithm in what is signed and another one outside (RFC 5280, section 4.1.1.2).
    #[error(
        "the certificate of {subject} names the signature algorithm {inner} inside and {outer} outside"
    )]
    #[non_exhaustive]
    SignatureAlgorithmMismatch {
        /// The subject of the certificate, in RFC 4514 form.
        subject: String,
        /// What stands in the part that is signed: its name and the octets of its identifier.
        inner: String,
        /// What stands beside the signature.
        outer: String,
    },
    /// A signature that was just made doesn't verify with the public half of the key that made it.
    #[error("the signature that was made does not verify with its own public key")]
    SignatureFailed,
    /// The [`Signer`](crate::Signer) didn't sign: the source is its own error.
    #[error("the signer did not sign")]
    #[non_exhaustive]
    SignerFailed {
        /// What the signer says.
        source: SignerError,
    },
    /// A certificate was compared with one that is not its issuer.
    #[error("the certificate of {subject} was issued by {expected}, not by {found}")]
    #[non_exhaustive]
    IssuerMismatch {
        /// The subject of the certificate, in RFC 4514 form.
        subject: String,
        /// The issuer that it names.
        expected: String,
        /// The subject of the supposed issuer.
        found: String,
    },
    /// A certificate that may not act as a CA.
    #[error("the certificate of {subject} may not sign certificates: {reason}")]
    #[non_exhaustive]
    NotAnAuthority {
        /// The subject of the certificate, in RFC 4514 form.
        subject: String,
        /// Which condition of RFC 5280 is missing.
        reason: &'static str,
    },
    /// A certificate of the CA's chain has an extension that is critical and that this crate doesn't evaluate
    /// (RFC 5280, section 4.2): nobody can tell what it forbids.
    #[error(
        "the certificate of {subject} has a critical extension that is not evaluated: {extension}"
    )]
    #[non_exhaustive]
    UnsupportedCriticalExtension {
        /// The subject of the certificate, in RFC 4514 form.
        subject: String,
        /// The object identifier of the extension, in dotted form.
        extension: String,
    },
    /// A purpose that is not among those for which a certificate of the CA's chain is good.
    #[error("the extended key usage of {issuer} does not allow {purpose} below it")]
    #[non_exhaustive]
    PurposeNotPermitted {
        /// The subject of the one with the extension, in RFC 4514 form.
        issuer: String,
        /// What the profile would grant, for example "clientAuth".
        purpose: String,
    },
    /// A certificate under no policy that the policies and mappings of the CA's chain allow, where the policy constraints of one of
    /// them require one (RFC 5280, section 6.1).
    #[error(
        "the policy constraints of {issuer} require a certificate policy, and {subject} has none that its issuers allow"
    )]
    #[non_exhaustive]
    PolicyNotPermitted {
        /// The subject of the one with the constraints, in RFC 4514 form.
        issuer: String,
        /// The subject of the certificate, which may be one of the chain, in RFC 4514 form.
        subject: String,
    },
    /// The certificate of the CA, or of one of its issuers, has expired.
    #[error("the certificate of {subject} expired at {} (now {})", Rfc3339(*.not_after), Rfc3339(*.now))]
    #[non_exhaustive]
    AuthorityExpired {
        /// The subject of that certificate, in RFC 4514 form.
        subject: String,
        /// The end of its validity.
        not_after: SystemTime,
        /// The time of the attempt.
        now: SystemTime,
    },
    /// The certificate of the CA, or of one of its issuers, is not valid yet.
    #[error("the certificate of {subject} is not valid before {} (now {})", Rfc3339(*.not_before), Rfc3339(*.now))]
    #[non_exhaustive]
    AuthorityNotYetValid {
        /// The subject of that certificate, in RFC 4514 form.
        subject: String,
        /// The start of its validity.
        not_before: SystemTime,
        /// The time of the attempt.
        now: SystemTime,
    },
    /// The path length constraint of the CA, or of one of its issuers, leaves no room for another CA, or for
    /// as many below it as it is to allow.
    #[error("the path length constraint of {subject} does not allow as many CAs below it")]
    #[non_exhaustive]
    PathLengthExceeded {
        /// The subject of the one with the constraint, in RFC 4514 form.
        subject: String,
    },
    /// A validity that ends before it starts, or lies outside what X.509 can express.
    #[error("invalid validity: {reason}")]
    #[non_exhaustive]
    InvalidValidity {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// An explicit wish for a validity beyond that of the CA or one of its issuers.
    #[error("validity until {} exceeds that of the CA and its issuers, which ends at {}", Rfc3339(*.requested), Rfc3339(*.limit))]
    #[non_exhaustive]
    ValidityExceedsAuthority {
        /// The end that was asked for.
        requested: SystemTime,
        /// The end of the first of those certificates to expire.
        limit: SystemTime,
    },
    /// An explicit wish for a validity that starts before that of the CA or one of its issuers.
    #[error("validity from {} precedes that of the CA and its issuers, which starts at {}", Rfc3339(*.requested), Rfc3339(*.limit))]
    #[non_exhaustive]
    ValidityPrecedesAuthority {
        /// The start that was asked for.
        requested: SystemTime,
        /// The start of the last of those certificates to become valid.
        limit: SystemTime,
    },
    /// A subject that is the issuer's own: its certificate would pass for the issuer's.
    #[error("{subject} is the CA itself, and can not be the subject of what it signs")]
    #[non_exhaustive]
    SubjectIsIssuer {
        /// The subject, in RFC 4514 form.
        subject: String,
    },
    /// A serial number that RFC 5280, section 4.1.2.2, doesn't allow.
    #[error("invalid serial number: {reason}")]
    #[non_exhaustive]
    InvalidSerialNumber {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The profile can't be applied to this request.
    #[error("the profile can not be applied: {reason}")]
    #[non_exhaustive]
    InvalidProfile {
        /// What is wrong.
        reason: &'static str,
    },
    /// The request lacks a name that the profile requires.
    #[error("the profile can not be applied: {reason}")]
    #[non_exhaustive]
    NameMissing {
        /// What is required.
        reason: &'static str,
    },
    /// A profile in TOML that can't be read.
    #[error("the profile can not be read{}: {reason}", at_line(*.line))]
    #[non_exhaustive]
    InvalidProfileFile {
        /// The line that it is about, counted from one, where it is about one.
        line: Option<usize>,
        /// What is wrong.
        reason: String,
    },
    /// A text that is no duration.
    #[error(
        "expected seconds, minutes, hours, days, weeks or years, such as \"90m\", \"30d\" or \"1y\", and found {text:?}"
    )]
    #[non_exhaustive]
    InvalidDuration {
        /// The text.
        text: String,
    },
    /// A parameter for writing a key or bundle that its readers would refuse.
    #[error("{parameter} of {found} is outside the range {min} to {max}")]
    #[non_exhaustive]
    ParameterOutOfRange {
        /// The parameter.
        parameter: &'static str,
        /// What was asked for.
        found: u64,
        /// The lowest value that is written.
        min: u64,
        /// The highest value that is written.
        max: u64,
    },

    // --- CRLs -------------------------------------------------------------------------------------------------
    /// A CRL was compared with a certificate that is not its issuer's.
    #[error("the CRL was issued by {expected}, not by {found}{}", other_key(*.is_other_key))]
    #[non_exhaustive]
    CrlIssuerMismatch {
        /// The issuer that it names, in RFC 4514 form.
        expected: String,
        /// The subject of the supposed issuer.
        found: String,
        /// Whether it is the key identifiers that differ.
        is_other_key: bool,
    },
    /// A certificate whose key may not sign CRLs.
    #[error("the certificate of {subject} may not sign CRLs: {reason}")]
    #[non_exhaustive]
    NotACrlIssuer {
        /// The subject of the certificate, in RFC 4514 form.
        subject: String,
        /// What is missing.
        reason: &'static str,
    },
    /// The signature of a CRL doesn't verify with the issuer's key.
    #[error("the signature of the CRL does not match the key of {issuer}")]
    #[non_exhaustive]
    CrlSignatureInvalid {
        /// The issuer, in RFC 4514 form.
        issuer: String,
    },
    /// A CRL names one signature algorithm in what is signed and another one outside (RFC 5280, section 5.1.1.2).
    #[error("the CRL of {issuer} names the signature algorithm {inner} inside and {outer} outside")]
    #[non_exhaustive]
    CrlSignatureAlgorithmMismatch {
        /// The issuer, in RFC 4514 form.
        issuer: String,
        /// What stands in the part that is signed: its name and the octets of its identifier.
        inner: String,
        /// What stands beside the signature.
        outer: String,
    },
    /// A CRL that RFC 5280 doesn't allow, or that can't follow the one before it.
    #[error("the CRL can not be made: {}{reason}", about.as_ref().map(|it| format!("{it}: ")).unwrap_or_default())]
    #[non_exhaustive]
    InvalidCrl {
        /// The entry, by its serial number, or the extension, by its object identifier, where it is one that is wrong.
        about: Option<String>,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The number of a CRL that isn't greater than that of the one before it.
    #[error("the CRL's number {found} is not greater than {previous}, that of the previous one")]
    #[non_exhaustive]
    CrlNumberNotRising {
        /// The number that was asked for.
        found: String,
        /// That of the previous CRL.
        previous: String,
    },
    /// A certificate that is revoked twice.
    #[error("the certificate with the serial number {serial} is revoked already")]
    #[non_exhaustive]
    AlreadyRevoked {
        /// Its serial number.
        serial: String,
    },
    /// A certificate that is to be taken off hold, and isn't on hold.
    #[error("the certificate with the serial number {serial} is not on hold")]
    #[non_exhaustive]
    NotOnHold {
        /// Its serial number.
        serial: String,
    },
    /// A word that is no reason for a revocation.
    #[error("unknown reason for a revocation: {name:?}")]
    #[non_exhaustive]
    UnknownRevocationReason {
        /// The word.
        name: String,
    },

    // --- Files ------------------------------------------------------------------------------------------------
    /// A file without what was asked for.
    #[error("the file holds no {expected}{}", found_labels(.found))]
    #[non_exhaustive]
    NotInFile {
        /// What was looked for, in words.
        expected: &'static str,
        /// What is there instead, in words.
        found: Vec<String>,
    },
    /// A file with several private keys, where one was expected.
    #[error("the file holds {count} private keys where one was expected")]
    #[non_exhaustive]
    SeveralPrivateKeys {
        /// How many there are.
        count: usize,
    },

    // --- Bundles ----------------------------------------------------------------------------------------------
    /// A PKCS#12 file without the private key, or the certificate, that was asked for.
    #[error("the PKCS#12 file holds no {what}")]
    Pkcs12Lacks {
        /// What is missing.
        what: &'static str,
    },
    /// A PKCS#12 file with several private keys, where one was expected.
    #[error("the PKCS#12 file holds {count} private keys where one was expected")]
    #[non_exhaustive]
    Pkcs12SeveralKeys {
        /// How many there are.
        count: usize,
    },
    /// A trust store in which no trusted certificate could be read.
    #[error(
        "no trusted certificate found{}",
        beside(*.private_keys, *.unreadable)
    )]
    #[non_exhaustive]
    NoTrustedCertificate {
        /// How many private keys are there, whose certificates are not trusted.
        private_keys: usize,
        /// How many certificates are there that can't be read.
        unreadable: usize,
    },
    /// Two entries of a PKCS#12 file under one alias, of which Java would see one only.
    #[error("the alias {alias:?} is given twice")]
    #[non_exhaustive]
    DuplicateAlias {
        /// The alias.
        alias: String,
    },
    /// Certificates that don't form a chain up from the leaf, or from the CA.
    #[error("the certificate of {subject} is not part of the chain of {leaf}{}", gap(.missing.as_deref()))]
    #[non_exhaustive]
    NotInChain {
        /// The subject of the certificate that doesn't fit, in RFC 4514 form.
        subject: String,
        /// The subject of the leaf, in RFC 4514 form.
        leaf: String,
        /// The issuer at which the chain breaks off because its certificate was not given, in RFC 4514 form: the one that
        /// doesn't fit may be further up.
        missing: Option<String>,
    },
}

/// Whose fault an [`Error`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fault {
    /// The requester's: a request for something else may be granted.
    Request,
    /// The caller's: the profile, or what it was told beside the request, can't be followed.
    Profile,
    /// The CA's own: its certificate, or that of one of its issuers, sets a limit that this profile or this name exceeds, or is no
    /// CA's.
    Authority,
    /// That of what was put together: a signature, a key, an issuer or an entry isn't the one that belongs there.
    Mismatch,
    /// Nobody's of these: something can't be read, or not be done.
    Other,
}

impl Error {
    /// Whose fault it is. Of an error of [`Issuer::prepare`](crate::Issuer::prepare) and of what calls it, a service that issues
    /// tells its clients about their own faults, and its operators about the rest. All but [`Fault::Other`] are refusals: the
    /// question was judged.
    pub fn fault(&self) -> Fault {
        // Without `_`: a new error has its place decided.
        match self {
            Self::RequestSignatureInvalid
            | Self::KeyTooSmall { .. }
            | Self::KeyNotAllowed { .. }
            | Self::UnsupportedKey { .. }
            | Self::AttributeMissing { .. }
            | Self::AttributeNotAllowed { .. }
            | Self::NameMissing { .. }
            | Self::NameNotGranted { .. }
            | Self::InvalidSubjectAltName { .. }
            | Self::SubjectIsIssuer { .. } => Fault::Request,
            Self::InvalidProfile { .. }
            | Self::InvalidProfileFile { .. }
            | Self::InvalidExtension { .. }
            | Self::InvalidValidity { .. }
            | Self::UnsupportedSignatureAlgorithm { .. }
            | Self::InvalidSerialNumber { .. } => Fault::Profile,
            Self::AuthorityExpired { .. }
            | Self::AuthorityNotYetValid { .. }
            | Self::ValidityExceedsAuthority { .. }
            | Self::ValidityPrecedesAuthority { .. }
            | Self::PathLengthExceeded { .. }
            | Self::PurposeNotPermitted { .. }
            | Self::PolicyNotPermitted { .. }
            | Self::NameNotPermitted { .. }
            | Self::NameExcluded { .. }
            | Self::UnsupportedNameConstraint { .. }
            | Self::UnsupportedCriticalExtension { .. }
            | Self::NotAnAuthority { .. }
            | Self::NotACrlIssuer { .. } => Fault::Authority,
            Self::KeyMismatch { .. }
            | Self::CertificateSignatureInvalid { .. }
            | Self::SignatureAlgorithmMismatch { .. }
            | Self::SignatureFailed
            | Self::IssuerMismatch { .. }
            | Self::NotInChain { .. }
            | Self::CrlIssuerMismatch { .. }
            | Self::CrlSignatureInvalid { .. }
            | Self::CrlSignatureAlgorithmMismatch { .. }
            | Self::InvalidCrl { .. }
            | Self::CrlNumberNotRising { .. }
            | Self::AlreadyRevoked { .. }
            | Self::NotOnHold { .. } => Fault::Mismatch,
            Self::PemNotFound { .. }
            | Self::MalformedPem { .. }
            | Self::Malformed { .. }
            | Self::TrailingData { .. }
            | Self::TooLarge { .. }
            | Self::NestedTooDeeply { .. }
            | Self::UnsupportedScheme { .. }
            | Self::PassphraseRequired { .. }
            | Self::WrongPassphrase { .. }
            | Self::MacMismatch
            | Self::BudgetExceeded { .. }
            | Self::Randomness
            | Self::InvalidKey { .. }
            | Self::KeyGeneration { .. }
            | Self::SeedTooShort { .. }
            | Self::Cancelled
            | Self::MalformedName { .. }
            | Self::UnknownAttribute { .. }
            | Self::EmptyAttribute { .. }
            | Self::AttributeTooLong { .. }
            | Self::AttributeTooShort { .. }
            | Self::AttributeCharacter { .. }
            | Self::ControlCharacter { .. }
            | Self::InvalidCountry { .. }
            | Self::InvalidNamePattern { .. }
            | Self::InvalidDuration { .. }
            | Self::SignerFailed { .. }
            | Self::ParameterOutOfRange { .. }
            | Self::UnknownRevocationReason { .. }
            | Self::NotInFile { .. }
            | Self::SeveralPrivateKeys { .. }
            | Self::Pkcs12Lacks { .. }
            | Self::Pkcs12SeveralKeys { .. }
            | Self::NoTrustedCertificate { .. }
            | Self::DuplicateAlias { .. } => Fault::Other,
        }
    }

    /// [`Error::Malformed`], for crates that read more structures on top of this one.
    pub fn malformed(what: &'static str, reason: impl Into<String>) -> Self {
        Self::Malformed {
            what,
            reason: reason.into(),
        }
    }
}

fn other_key(is_other: bool) -> &'static str {
    if is_other { " with this key" } else { "" }
}

/// Why a [`Signer`](crate::Signer) didn't sign: its own error.
#[derive(Debug, Clone)]
pub struct SignerError(Arc<dyn StdError + Send + Sync>);

impl SignerError {
    /// What a signer says; an error of this crate stays what it is.
    pub(crate) fn of(error: Box<dyn StdError + Send + Sync>) -> Error {
        match error.downcast::<Error>() {
            Ok(own) => *own,
            Err(other) => Error::SignerFailed {
                source: Self(Arc::from(other)),
            },
        }
    }
}

/// It is the signer's own error that is displayed.
impl fmt::Display for SignerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl StdError for SignerError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source()
    }
}

/// Two of them are equal when they are the same error.
impl PartialEq for SignerError {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for SignerError {}

fn found_labels(found: &[String]) -> String {
    if found.is_empty() {
        String::new()
    } else {
        format!(", only {}", found.join(", "))
    }
}

fn in_parentheses(oid: Option<&str>) -> String {
    oid.map_or_else(String::new, |oid| format!(" ({oid})"))
}

fn at_line(line: Option<usize>) -> String {
    line.map_or_else(String::new, |line| format!(", line {line}"))
}

fn gap(missing: Option<&str>) -> String {
    missing.map_or_else(String::new, |issuer| {
        format!(", which breaks off where that of {issuer} is missing")
    })
}

fn beside(private_keys: usize, unreadable: usize) -> String {
    match (private_keys, unreadable) {
        (0, 0) => String::new(),
        (0, _) => format!(", only {unreadable} that can't be read"),
        (_, 0) => format!(", only {private_keys} private keys with their own certificates"),
        _ => format!(
            ", only {private_keys} private keys with their own certificates, and {unreadable} certificates that can't be read"
        ),
    }
}
