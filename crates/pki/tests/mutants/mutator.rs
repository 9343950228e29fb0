//! Mutants of an original: of its DER elements where it has any, and of its octets.

/// Makes mutants, the same ones for the same seed.
pub(crate) struct Mutator {
    random: Random,
    original: Vec<u8>,
    /// Empty when the original is not DER.
    elements: Vec<Element>,
}

impl Mutator {
    pub(crate) fn new(seed: u64, original: &[u8]) -> Self {
        Self {
            random: Random(0x9e37_79b9_7f4a_7c15 ^ seed),
            original: original.to_vec(),
            elements: Element::parse(original, 0).unwrap_or_default(),
        }
    }

    pub(crate) fn mutant(&mut self) -> Vec<u8> {
        if self.elements.is_empty() || self.random.below(3) == 0 {
            let mut mutant = self.original.clone();
            for _ in 0..=self.random.below(3) {
                self.random.damage(&mut mutant);
            }
            return mutant;
        }
        let mut elements = self.elements.clone();
        for _ in 0..=self.random.below(3) {
            let count = elements.iter().map(Element::count).sum();
            let mut at = self.random.below(count);
            change(&mut elements, &mut at, &mut self.random);
        }
        elements.iter().flat_map(Element::encode).collect()
    }
}

/// The octets in a PEM block.
pub(crate) fn pem_body(pem: &[u8]) -> Vec<u8> {
    let text = std::str::from_utf8(pem).unwrap();
    let body: String = text
        .lines()
        .skip_while(|line| !line.starts_with("-----BEGIN"))
        .filter(|line| !line.starts_with('-') && !line.contains(':') && !line.is_empty())
        .collect();
    unbase64(&body)
}

fn unbase64(text: &str) -> Vec<u8> {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = Vec::new();
    let (mut bits, mut len) = (0_u32, 0);
    for digit in text.bytes().filter(|octet| *octet != b'=') {
        let value = ALPHABET.iter().position(|known| *known == digit).unwrap();
        bits = (bits << 6) | u32::try_from(value).unwrap();
        len += 6;
        if len >= 8 {
            len -= 8;
            out.push(u8::try_from((bits >> len) & 0xff).unwrap());
        }
    }
    out
}

/// xorshift64*: no more is needed for variety.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let number = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(number).unwrap() % bound.max(1)
    }

    fn one_of<'a, T: ?Sized>(&mut self, choices: &[&'a T]) -> &'a T {
        choices[self.below(choices.len())]
    }

    /// One change somewhere in the octets.
    fn damage(&mut self, octets: &mut Vec<u8>) {
        if octets.is_empty() {
            octets.push(0x30);
        }
        let at = self.below(octets.len());
        let end = (at + self.below(40)).min(octets.len());
        match self.below(8) {
            0 | 1 => octets[at] ^= 1 << self.below(8),
            2 => octets[at] = [0x00, 0x01, 0x30, 0x7f, 0x80, 0x81, 0x84, 0xff][self.below(8)],
            3 => octets[at] = octets[at].wrapping_add(1),
            4 => octets[at] = octets[at].wrapping_sub(1),
            5 => drop(octets.drain(at..end)),
            6 => {
                let copy = octets[at..end].to_vec();
                let to = self.below(octets.len());
                octets.splice(to..to, copy);
            }
            _ => octets.truncate(at.max(1)),
        }
    }
}

/// A DER element; where a string holds DER, that is taken apart, too.
#[derive(Clone)]
struct Element {
    tag: u8,
    /// When there are no children.
    value: Vec<u8>,
    children: Vec<Element>,
    /// Length octets that are not those of the contents.
    wrong_length: Option<Vec<u8>>,
}

impl Element {
    /// The elements that fill the octets; `None` if that isn't what they are.
    fn parse(octets: &[u8], depth: usize) -> Option<Vec<Self>> {
        let mut elements = Vec::new();
        let mut rest = octets;
        while let [tag, first, after @ ..] = rest {
            let (len, after) = match *first {
                short @ 0..=0x7f => (usize::from(short), after),
                long @ 0x81..=0x84 => {
                    let (digits, after) = after.split_at_checked(usize::from(long & 0x7f))?;
                    let len = digits.iter().fold(0, |len, d| (len << 8) | usize::from(*d));
                    (len, after)
                }
                _ => return None,
            };
            let (value, after) = after.split_at_checked(len)?;
            let holds_elements = tag & 0x20 != 0 || (*tag == 0x04 && value.first() == Some(&0x30));
            let children = if holds_elements && depth < 30 {
                Self::parse(value, depth + 1).unwrap_or_default()
            } else {
                Vec::new()
            };
            elements.push(Self {
                tag: *tag,
                value: value.to_vec(),
                children,
                wrong_length: None,
            });
            rest = after;
        }
        rest.is_empty().then_some(elements)
    }

    fn count(&self) -> usize {
        1 + self.children.iter().map(Self::count).sum::<usize>()
    }

    fn encode(&self) -> Vec<u8> {
        let value = if self.children.is_empty() {
            self.value.clone()
        } else {
            self.children.iter().flat_map(Self::encode).collect()
        };
        let mut out = vec![self.tag];
        match &self.wrong_length {
            Some(length) => out.extend(length),
            None => out.extend(length(value.len())),
        }
        out.extend(value);
        out
    }
}

fn length(len: usize) -> Vec<u8> {
    if len < 0x80 {
        return vec![u8::try_from(len).unwrap()];
    }
    let digits: Vec<u8> = len
        .to_be_bytes()
        .into_iter()
        .skip_while(|d| *d == 0)
        .collect();
    let mut out = vec![0x80 | u8::try_from(digits.len()).unwrap()];
    out.extend(digits);
    out
}

/// Changes the element with this number, counted from the outside in.
fn change(elements: &mut Vec<Element>, at: &mut usize, random: &mut Random) {
    for number in 0..elements.len() {
        if *at > 0 {
            *at -= 1;
            let count = elements[number].count() - 1;
            if *at < count {
                return change(&mut elements[number].children, at, random);
            }
            *at -= count;
            continue;
        }
        match (elements[number].tag, random.below(10)) {
            (0x02, 0..8) => {
                elements[number].value = random.one_of(NUMBERS).to_vec();
            }
            (0x06, 0..8) => {
                elements[number].value = random.one_of(OBJECT_IDENTIFIERS).to_vec();
            }
            (_, 0) => drop(elements.remove(number)),
            (_, 1) => {
                let copy = elements[number].clone();
                let copies = [1, 1, 2, 50][random.below(4)];
                elements.splice(number..number, vec![copy; copies]);
            }
            (_, 2) => {
                let other = random.below(elements.len());
                elements.swap(number, other);
            }
            (_, 3) => {
                elements[number].tag =
                    [0x02, 0x04, 0x05, 0x06, 0x24, 0x30, 0x31, 0x80, 0xa0][random.below(9)];
            }
            (_, 4) => elements[number].wrong_length = Some(random.one_of(LENGTHS).to_vec()),
            (_, 5) => {
                for _ in 0..[1, 2, 10, 40][random.below(4)] {
                    let inner = elements[number].clone();
                    elements[number].children = vec![inner];
                }
            }
            (_, 6) => {
                elements[number].value.clear();
                elements[number].children.clear();
            }
            _ => {
                // Without children, it is the octets that are written.
                if elements[number].children.is_empty() {
                    random.damage(&mut elements[number].value);
                } else {
                    elements[number].tag ^= 1 << random.below(8);
                }
            }
        }
        return;
    }
}

/// Where iteration counts, scrypt's parameters, versions and lengths end.
const NUMBERS: &[&[u8]] = &[
    &[],
    &[0],
    &[1],
    &[2],
    &[3],
    &[16],
    &[0x7f],
    &[0x80],
    &[0xff],
    &[0x08, 0x00],
    &[0x0b, 0xb8],
    &[0x0b, 0xb9],
    &[0x40, 0x00],
    &[0x10, 0x00, 0x00],
    &[0x0f, 0x42, 0x40],
    &[0x7f, 0xff, 0xff, 0xff],
    &[0x00, 0xff, 0xff, 0xff, 0xff],
    &[0x01, 0x00, 0x00, 0x00, 0x00],
    &[0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
    &[0x00, 0x80, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00],
    &[0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
    &[0x7f; 40],
];

const LENGTHS: &[&[u8]] = &[
    &[0],
    &[1],
    &[0x7f],
    &[0x80],
    &[0x81, 0x01],
    &[0x81, 0xff],
    &[0x82, 0xff, 0xff],
    &[0x84, 0x7f, 0xff, 0xff, 0xff],
    &[0x84, 0xff, 0xff, 0xff, 0xff],
    &[0x88, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
    &[0xff],
];

/// Those that decide what a reader does next: schemes, hashes, ciphers, bags, contents, keys and curves.
const OBJECT_IDENTIFIERS: &[&[u8]] = &[
    &[],
    &[0x80],
    b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01", // rsaEncryption
    b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a", // RSASSA-PSS
    b"\x2a\x86\x48\xce\x3d\x02\x01",         // ecPublicKey
    b"\x2a\x86\x48\xce\x3d\x03\x01\x07",     // P-256
    b"\x2b\x81\x04\x00\x22",                 // P-384
    b"\x2b\x65\x70",                         // Ed25519
    b"\x2a\x86\x48\x86\xf7\x0d\x01\x05\x03", // pbeWithMD5AndDES-CBC
    b"\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0c", // PBKDF2
    b"\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0d", // PBES2
    b"\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0e", // PBMAC1
    b"\x2b\x06\x01\x04\x01\xda\x47\x04\x0b", // scrypt
    b"\x2a\x86\x48\x86\xf7\x0d\x02\x07",     // HMAC-SHA-1
    b"\x2a\x86\x48\x86\xf7\x0d\x02\x0b",     // HMAC-SHA-512
    b"\x2a\x86\x48\x86\xf7\x0d\x03\x07",     // 3DES
    b"\x60\x86\x48\x01\x65\x03\x04\x01\x02", // AES-128-CBC
    b"\x60\x86\x48\x01\x65\x03\x04\x01\x2e", // AES-256-GCM
    b"\x60\x86\x48\x01\x65\x03\x04\x02\x03", // SHA-512
    b"\x2b\x0e\x03\x02\x1a",                 // SHA-1
    b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01", // data
    b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02", // signedData
    b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x06", // encryptedData
    b"\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x01\x01", // PKCS#12 RC4
    b"\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x01\x03", // PKCS#12 3DES
    b"\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x01\x06", // PKCS#12 RC2-40
    b"\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x0a\x01\x01", // keyBag
    b"\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x0a\x01\x02", // pkcs8ShroudedKeyBag
    b"\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x0a\x01\x03", // certBag
    b"\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x0a\x01\x06", // safeContentsBag
    b"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x14", // friendlyName
    b"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x15", // localKeyId
    b"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x16\x01", // x509Certificate
];
