"""Random profiles: Python's `cryptography` and openssl read what was issued under them; and `cryptography`'s builder writes others.

usage: profiles.py read FILE     FILE has a line of JSON for each certificate: its PEM, and what was asked for
       profiles.py write SEED COUNT    prints such lines

What is asked for: the dates (as text, or in seconds since 1970 where it was written here), and for each extension, by object
identifier, whether it is critical and what it says.
"""
import datetime
import ipaddress
import json
import random
import string
import subprocess
import sys

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ObjectIdentifier as Oid

USAGES = {
    "digitalSignature": "digital_signature",
    "nonRepudiation": "content_commitment",
    "keyEncipherment": "key_encipherment",
    "dataEncipherment": "data_encipherment",
    "keyAgreement": "key_agreement",
    "keyCertSign": "key_cert_sign",
    "cRLSign": "crl_sign",
}
AGREEMENT = {"encipherOnly": "encipher_only", "decipherOnly": "decipher_only"}
REASONS = {
    "keyCompromise": x509.ReasonFlags.key_compromise,
    "cACompromise": x509.ReasonFlags.ca_compromise,
    "affiliationChanged": x509.ReasonFlags.affiliation_changed,
    "superseded": x509.ReasonFlags.superseded,
    "cessationOfOperation": x509.ReasonFlags.cessation_of_operation,
    "certificateHold": x509.ReasonFlags.certificate_hold,
    "privilegeWithdrawn": x509.ReasonFlags.privilege_withdrawn,
    "aACompromise": x509.ReasonFlags.aa_compromise,
}
FEATURES = {5: x509.TLSFeatureType.status_request, 17: x509.TLSFeatureType.status_request_v2}
MAPPINGS = "2.5.29.33"


# --- From a certificate to what it says ---


def described(certificate):
    extensions = {e.oid.dotted_string: [e.critical, value(e.value)] for e in certificate.extensions}
    dates = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return {"validity": [int(date.timestamp()) for date in dates], "extensions": extensions}


def value(found):
    match found:
        case x509.KeyUsage():
            usages = [name for name, attribute in USAGES.items() if getattr(found, attribute)]
            return usages + [name for name, attribute in AGREEMENT.items() if found.key_agreement and getattr(found, attribute)]
        case x509.ExtendedKeyUsage():
            return [oid.dotted_string for oid in found]
        case x509.BasicConstraints():
            return [found.ca, found.path_length]
        case x509.SubjectAlternativeName() | x509.IssuerAlternativeName():
            return [shown(name) for name in found]
        case x509.NameConstraints():
            return [[shown(name) for name in names or []] for names in (found.permitted_subtrees, found.excluded_subtrees)]
        case x509.CRLDistributionPoints() | x509.FreshestCRL():
            return [point(one) for one in found]
        case x509.AuthorityInformationAccess() | x509.SubjectInformationAccess():
            return [[one.access_method.dotted_string, shown(one.access_location)] for one in found]
        case x509.CertificatePolicies():
            return [[one.policy_identifier.dotted_string, [qualifier(it) for it in one.policy_qualifiers or []]] for one in found]
        case x509.PolicyConstraints():
            return [found.require_explicit_policy, found.inhibit_policy_mapping]
        case x509.InhibitAnyPolicy():
            return found.skip_certs
        case x509.TLSFeature():
            return [next(number for number, known in FEATURES.items() if known == one) for one in found]
        case x509.SubjectKeyIdentifier():
            return found.digest.hex()
        case x509.AuthorityKeyIdentifier():
            return found.key_identifier.hex()
        case x509.UnrecognizedExtension() if found.oid.dotted_string == MAPPINGS:
            return [[dotted(oid) for oid in elements(pair)] for pair in elements(found.value)]
        case x509.UnrecognizedExtension():
            return found.value.hex()
    raise ValueError(found)


def shown(name):
    match name:
        case x509.DNSName():
            return f"DNS:{name.value}"
        case x509.IPAddress():
            return f"IP:{name.value}"
        case x509.RFC822Name():
            return f"email:{name.value}"
        case x509.UniformResourceIdentifier():
            return f"URI:{name.value}"
        case x509.DirectoryName():
            return f"dirName:{name.value.rfc4514_string()}"
        case x509.RegisteredID():
            return f"registeredID:{name.value.dotted_string}"
        case x509.OtherName():
            return f"otherName:{name.type_id.dotted_string}:{name.value.hex()}"
    raise ValueError(name)


def point(found):
    full = None if found.full_name is None else [shown(name) for name in found.full_name]
    relative = None if found.relative_name is None else found.relative_name.rfc4514_string()
    reasons = None if found.reasons is None else [name for name, reason in REASONS.items() if reason in found.reasons]
    return [full, relative, reasons, [shown(name) for name in found.crl_issuer or []]]


def qualifier(found):
    if isinstance(found, str):
        return ["cps", found]
    reference = found.notice_reference
    reference = reference and [reference.organization, reference.notice_numbers]
    return ["notice", found.explicit_text, reference]


# --- From what it is to say to a certificate ---


def written(asked, key):
    name = x509.Name.from_rfc4514_string("CN=written")
    start, end = (datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=seconds) for seconds in asked["validity"])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(start).not_valid_after(end)
    for oid, (critical, says) in asked["extensions"].items():
        builder = builder.add_extension(extension(oid, says, key), critical)
    return builder.sign(key, SHA256())


def extension(oid, says, key):
    match oid:
        case "2.5.29.14":
            return x509.SubjectKeyIdentifier(bytes.fromhex(says))
        case "2.5.29.35":
            return x509.AuthorityKeyIdentifier(bytes.fromhex(says), None, None)
        case "2.5.29.15":
            return x509.KeyUsage(**{attribute: name in says for name, attribute in {**USAGES, **AGREEMENT}.items()})
        case "2.5.29.37":
            return x509.ExtendedKeyUsage([Oid(one) for one in says])
        case "2.5.29.19":
            return x509.BasicConstraints(*says)
        case "2.5.29.17":
            return x509.SubjectAlternativeName([named(one) for one in says])
        case "2.5.29.18":
            return x509.IssuerAlternativeName([named(one) for one in says])
        case "2.5.29.30":
            return x509.NameConstraints(*([named(one) for one in names] or None for names in says))
        case "2.5.29.31":
            return x509.CRLDistributionPoints([placed(one) for one in says])
        case "2.5.29.46":
            return x509.FreshestCRL([placed(one) for one in says])
        case "1.3.6.1.5.5.7.1.1":
            return x509.AuthorityInformationAccess([x509.AccessDescription(Oid(method), named(at)) for method, at in says])
        case "1.3.6.1.5.5.7.1.11":
            return x509.SubjectInformationAccess([x509.AccessDescription(Oid(method), named(at)) for method, at in says])
        case "2.5.29.32":
            return x509.CertificatePolicies(
                [x509.PolicyInformation(Oid(policy), [qualified(one) for one in qualifiers] or None) for policy, qualifiers in says]
            )
        case "2.5.29.36":
            return x509.PolicyConstraints(*says)
        case "2.5.29.54":
            return x509.InhibitAnyPolicy(says)
        case "1.3.6.1.5.5.7.1.24":
            return x509.TLSFeature([FEATURES[number] for number in says])
        case "2.5.29.33":
            pairs = [tlv(0x30, b"".join(encoded(policy) for policy in pair)) for pair in says]
            return x509.UnrecognizedExtension(Oid(oid), tlv(0x30, b"".join(pairs)))
    return x509.UnrecognizedExtension(Oid(oid), bytes.fromhex(says))


def named(text):
    form, rest = text.split(":", 1)
    match form:
        case "DNS":
            return x509.DNSName(rest)
        case "IP":
            return x509.IPAddress(ipaddress.ip_network(rest) if "/" in rest else ipaddress.ip_address(rest))
        case "email":
            return x509.RFC822Name(rest)
        case "URI":
            return x509.UniformResourceIdentifier(rest)
        case "dirName":
            return x509.DirectoryName(x509.Name.from_rfc4514_string(rest))
        case "registeredID":
            return x509.RegisteredID(Oid(rest))
        case "otherName":
            oid, der = rest.split(":")
            return x509.OtherName(Oid(oid), bytes.fromhex(der))
    raise ValueError(text)


def placed(says):
    full, relative, reasons, issuer = says
    return x509.DistributionPoint(
        full and [named(name) for name in full],
        relative and x509.Name.from_rfc4514_string(relative).rdns[0],
        reasons and frozenset(REASONS[name] for name in reasons),
        [named(name) for name in issuer] or None,
    )


def qualified(says):
    if says[0] == "cps":
        return says[1]
    reference = says[2] and x509.NoticeReference(*says[2])
    return x509.UserNotice(reference, says[1])


# --- What a certificate is to say, at random ---


class Drawing:
    def __init__(self, seed):
        self.rng = random.Random(seed)

    def maybe(self, drawn):
        return drawn() if self.rng.random() < 0.5 else None

    def some_of(self, every):
        return [one for one in every if self.rng.random() < 0.3]

    def several(self, draw, most=3):
        return [draw() for _ in range(self.rng.randint(0, most))]

    def word(self):
        return "".join(self.rng.choices(string.ascii_lowercase, k=self.rng.randint(1, 20)))

    def text(self):
        return self.rng.choice([self.word(), f"{self.word()} {self.word()}", "Überprüfung", "зелёный"])

    def uri(self):
        return f"http://{self.word()}.example.com/{self.word()}?{self.word()}"

    def directory(self):
        return f"dirName:CN={self.word()},OU={self.word()},O={self.text()},C=GB"

    def name(self):
        number = self.rng.randint(1, 65535)
        return self.rng.choice(
            [
                f"DNS:{self.word()}.example.com",
                f"DNS:*.{self.word()}.example.com",
                f"IP:10.0.{number % 256}.1",
                f"IP:2001:db8::{number:x}",
                f"email:{self.word()}@example.com",
                f"URI:{self.uri()}",
                self.directory(),
                f"registeredID:1.2.{number}.4",
                f"otherName:1.2.3.{number}:0500",
                f"otherName:1.3.6.1.4.1.311.20.2.3:0c0161",
            ]
        )

    def subtree(self):
        number = self.rng.randint(1, 255)
        return self.rng.choice(
            [
                f"DNS:{self.word()}.example.com",
                f"IP:10.{number}.0.0/16",
                f"IP:2001:db8:{number:x}::/48",
                f"email:{self.word()}@example.com",
                f"URI:{self.word()}.example.com",
                self.directory(),
            ]
        )

    def point(self):
        full = self.maybe(lambda: [self.name(), self.name()])
        relative = None if full else self.maybe(lambda: f"CN={self.word()}")
        issuer = [self.directory()] if not (full or relative) or self.rng.random() < 0.3 else []
        return [full, relative, self.some_of(REASONS) or None, issuer]

    def policy(self, policy):
        notice = lambda: ["notice", self.text(), self.maybe(lambda: [self.text(), [1, self.rng.randint(0, 1 << 40)]])]
        return [policy, self.several(lambda: ["cps", self.uri()], 2) + self.several(notice, 1)]

    def wish(self, key):
        identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key()).digest.hex()
        usages = self.some_of(USAGES)
        usages += self.some_of(AGREEMENT) if "keyAgreement" in usages else []
        ca = self.rng.random() < 0.5
        purposes = ["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2", "2.5.29.37.0", "1.3.6.1.5.5.7.3.17", "1.2.3.4"]
        access = lambda: [self.rng.choice(["1.3.6.1.5.5.7.48.1", "1.3.6.1.5.5.7.48.2", "1.3.6.1.5.5.7.48.5", "1.2.3"]), self.name()]
        says = {
            "2.5.29.14": self.maybe(lambda: identifier),
            "2.5.29.35": self.maybe(lambda: identifier),
            "2.5.29.15": usages,
            "2.5.29.37": self.some_of(purposes),
            "2.5.29.19": self.maybe(lambda: [ca, self.maybe(lambda: self.rng.randint(0, 400)) if ca else None]),
            "2.5.29.17": self.several(self.name, 5),
            "2.5.29.18": self.several(self.name),
            "2.5.29.31": self.several(self.point),
            "2.5.29.46": self.several(self.point),
            "1.3.6.1.5.5.7.1.1": self.several(access),
            "1.3.6.1.5.5.7.1.11": self.several(access),
            "2.5.29.32": [self.policy(policy) for policy in self.some_of(["1.2.3.1", "1.2.3.2", "2.5.29.32.0"])],
            "2.5.29.33": self.some_of([["1.2.3.1", "1.2.4.1"], ["1.2.3.1", "1.2.840.113549.1.1"], ["2.16.840.1.101", "1.3.6.1"]]),
            "2.5.29.54": self.maybe(lambda: self.rng.randint(0, 300)),
            "1.3.6.1.5.5.7.1.24": self.some_of(FEATURES),
            "1.2.3.99": self.maybe(lambda: tlv(0x0C, self.word().encode()).hex()),
        }
        subtrees = [self.several(self.subtree), self.several(self.subtree)]
        constraints = [self.maybe(lambda: self.rng.randint(0, 300)), self.maybe(lambda: self.rng.randint(0, 3))]
        says["2.5.29.30"] = subtrees if any(subtrees) else None
        says["2.5.29.36"] = constraints if constraints != [None, None] else None
        extensions = [[oid, [self.rng.random() < 0.5, value]] for oid, value in says.items() if value is not None and value != []]
        self.rng.shuffle(extensions)
        # From 1950 to 2100, so that both forms of time occur.
        dates = sorted(self.rng.randint(-631_152_000, 4_102_444_800) for _ in range(2))
        return {"validity": dates, "extensions": dict(extensions)}


# --- What openssl prints ---

TITLES = {
    "2.5.29.15": "X509v3 Key Usage",
    "2.5.29.37": "X509v3 Extended Key Usage",
    "2.5.29.19": "X509v3 Basic Constraints",
    "2.5.29.17": "X509v3 Subject Alternative Name",
    "2.5.29.18": "X509v3 Issuer Alternative Name",
    "2.5.29.30": "X509v3 Name Constraints",
    "2.5.29.31": "X509v3 CRL Distribution Points",
    "2.5.29.46": "X509v3 Freshest CRL",
    "1.3.6.1.5.5.7.1.1": "Authority Information Access",
    "1.3.6.1.5.5.7.1.11": "Subject Information Access",
    "2.5.29.32": "X509v3 Certificate Policies",
    "2.5.29.33": "X509v3 Policy Mappings",
    "2.5.29.36": "X509v3 Policy Constraints",
    "2.5.29.54": "X509v3 Inhibit Any Policy",
    "1.3.6.1.5.5.7.1.24": "TLS Feature",
}
WORDS = {
    "digitalSignature": "Digital Signature",
    "nonRepudiation": "Non Repudiation",
    "keyAgreement": "Key Agreement",
    "keyCertSign": "Certificate Sign",
    "cRLSign": "CRL Sign",
    "1.3.6.1.5.5.7.3.1": "TLS Web Server Authentication",
    "1.3.6.1.5.5.7.3.2": "TLS Web Client Authentication",
    "1.3.6.1.5.5.7.3.3": "Code Signing",
    "1.3.6.1.5.5.7.3.4": "E-mail Protection",
    "1.3.6.1.5.5.7.3.8": "Time Stamping",
    "1.3.6.1.5.5.7.3.9": "OCSP Signing",
    "2.5.29.37.0": "Any Extended Key Usage",
    "2.5.29.32.0": "X509v3 Any Policy",
    "1.3.6.1.5.5.7.48.1": "OCSP",
    "1.3.6.1.5.5.7.48.2": "CA Issuers",
    "1.3.6.1.5.5.7.48.3": "AD Time Stamping",
    "1.3.6.1.5.5.7.48.5": "CA Repository",
    "keyCompromise": "Key Compromise",
    "cACompromise": "CA Compromise",
    "affiliationChanged": "Affiliation Changed",
    "superseded": "Superseded",
    "cessationOfOperation": "Cessation Of Operation",
    "certificateHold": "Certificate Hold",
    "privilegeWithdrawn": "Privilege Withdrawn",
    "aACompromise": "AA Compromise",
    5: "status_request",
    17: "status_request_v2",
}


def printed(oid, critical, says):
    """What stands in its text, in this order; directory names and other names look different in each version."""
    title = TITLES.get(oid, oid) + ":" + (" critical" if critical else "")
    words = lambda all_of_them: ", ".join(WORDS.get(one, str(one)) for one in all_of_them)
    match oid:
        case "2.5.29.15" | "2.5.29.37" | "1.3.6.1.5.5.7.1.24":
            return [f"{title} {words(says)}"]
        case "2.5.29.19":
            ca, length = says
            return [f"{title} CA:{str(ca).upper()}" + ("" if length is None else f", pathlen:{length}")]
        case "2.5.29.17" | "2.5.29.18":
            return [title, *names(says)]
        case "2.5.29.30":
            return [title, *(part for kind, all_of_them in zip(("Permitted:", "Excluded:"), says) if all_of_them for part in [kind, *names(all_of_them)])]
        case "2.5.29.31" | "2.5.29.46":
            parts = [title]
            for full, relative, reasons, _ in says:
                parts += ["Full Name:", *names(full)] if full else []
                parts += ["Relative Name:", relative[len("CN=") :]] if relative else []
                parts += [f"Reasons: {words(reasons)}"] if reasons else []
            return parts
        case "1.3.6.1.5.5.7.1.1" | "1.3.6.1.5.5.7.1.11":
            return [title, *(f"{WORDS.get(method, method)} - {''.join(names([at]))}" for method, at in says)]
        case "2.5.29.32":
            parts = [title]
            for policy, qualifiers in says:
                parts.append(f"Policy: {WORDS.get(policy, policy)}")
                for qualifier in qualifiers:
                    if qualifier[0] == "cps":
                        parts.append(f"CPS: {qualifier[1]}")
                        continue
                    _, text, reference = qualifier
                    if reference:
                        parts.append(f"Organization: {reference[0]} Numbers: {', '.join(map(str, reference[1]))}")
                    parts += [f"Explicit Text: {text}"] if text else []
            return parts
        case "2.5.29.33":
            return [f"{title} " + ", ".join(":".join(pair) for pair in says)]
        case "2.5.29.36":
            kinds = zip(("Require Explicit Policy", "Inhibit Policy Mapping"), says)
            return [f"{title} " + ", ".join(f"{kind}:{number}" for kind, number in kinds if number is not None)]
        case "2.5.29.54":
            return [f"{title} {says}"]
    return [title]


def names(all_of_them):
    """Those that every version prints alike."""
    parts = []
    for name in all_of_them:
        form, rest = name.split(":", 1)
        if form in ("DNS", "email", "URI"):
            parts.append(name)
        elif form == "registeredID":
            parts.append(f"Registered ID:{rest}")
        elif form == "IP" and "/" in rest:
            network = ipaddress.ip_network(rest)
            parts.append(f"IP:{groups(network.network_address)}/{groups(network.netmask)}")
        elif form == "IP":
            parts.append(f"IP Address:{groups(ipaddress.ip_address(rest))}")
    return parts


def groups(address):
    if address.version == 4:
        return str(address)
    return ":".join(f"{int(group, 16):X}" for group in address.exploded.split(":"))


# --- The octets of what `cryptography` doesn't take apart ---


def tlv(tag, contents):
    length = len(contents)
    assert length < 128 or tag == 0x30 and length < 256
    return bytes([tag, length] if length < 128 else [tag, 0x81, length]) + contents


def encoded(oid):
    """An OBJECT IDENTIFIER, whose octets `cryptography` has in a registeredID."""
    names = x509.SubjectAlternativeName([x509.RegisteredID(Oid(oid))]).public_bytes()
    return bytes([0x06]) + names[3:]


def dotted(element):
    names = tlv(0x30, bytes([0x88]) + element[1:])
    extension = x509.UnrecognizedExtension(Oid("2.5.29.17"), names)
    key = ec.derive_private_key(1, ec.SECP256R1())
    request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).add_extension(extension, False)
    found = request.sign(key, SHA256()).extensions.get_extension_for_class(x509.SubjectAlternativeName)
    return found.value[0].value.dotted_string


def elements(sequence):
    contents, found = header(sequence)[1], []
    while contents:
        size, inner = header(contents)
        found.append(contents[: size + len(inner)])
        contents = contents[size + len(inner) :]
    return found


def header(element):
    length, size = element[1], 2
    if length & 0x80:
        octets = length & 0x7F
        length, size = int.from_bytes(element[2 : 2 + octets], "big"), 2 + octets
    return size, element[size : size + length]


def seconds(text):
    return int(datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp())


def read(path):
    """Two readers: `cryptography` for every field, and openssl's text."""
    wrong, count = [], 0
    for line in open(path):
        line = json.loads(line)
        certificate, asked, count = x509.load_pem_x509_certificate(line["pem"].encode()), line["asked"], count + 1
        identifier = x509.SubjectKeyIdentifier.from_public_key(certificate.public_key()).digest.hex()
        expected = {
            "validity": [seconds(text) for text in asked["validity"]],
            "extensions": {**asked["extensions"], "2.5.29.14": [False, identifier], "2.5.29.35": [False, identifier]},
        }
        found = described(certificate)
        if found != expected:
            wrong.append(f"seed {line['seed']}: asked for {expected}, cryptography finds {found}")
        certificate.verify_directly_issued_by(certificate)
        told = subprocess.run(["openssl", "x509", "-noout", "-text", "-nameopt", "utf8"], input=line["pem"], capture_output=True, text=True, check=True)
        text = " ".join(told.stdout.split())
        for oid, (critical, says) in asked["extensions"].items():
            at = 0
            for part in printed(oid, critical, says):
                at = text.find(part, at)
                if at < 0:
                    wrong.append(f"seed {line['seed']}: openssl doesn't print {part!r} of {oid} {says}: {text}")
                    break
                at += len(part)
    print(f"{count} certificates, {len(wrong)} differences")
    sys.exit("\n".join(wrong) if wrong or not count else 0)


def write(seed, count):
    key = ec.generate_private_key(ec.SECP256R1())
    for seed in range(int(seed), int(seed) + int(count)):
        asked = Drawing(seed).wish(key)
        pem = written(asked, key).public_bytes(Encoding.PEM).decode()
        print(json.dumps({"seed": seed, "pem": pem, "asked": asked}))


if __name__ == "__main__":
    command, *arguments = sys.argv[1:]
    globals()[command](*arguments)
