"""Python's `cryptography` as a judge, and as a maker. Every command raises, and so fails, when something is wrong."""

import sys
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, SHA512
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    pkcs7,
    pkcs12,
)
from cryptography.x509 import verification


def key(path, password=""):
    """What a PEM private key is."""
    private_key = load_pem_private_key(read(path), password.encode() or None)
    match private_key:
        case rsa.RSAPrivateKey():
            print("RSA", private_key.key_size)
        case ec.EllipticCurvePrivateKey():
            print("EC", private_key.curve.name)
        case ed25519.Ed25519PrivateKey():
            print("Ed25519")


def request(path):
    """Checks the signature of a certificate request; prints its DNS names."""
    csr = x509.load_pem_x509_csr(read(path))
    assert csr.is_signature_valid, "the signature of the request is not valid"
    try:
        names = csr.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        print(*names.get_values_for_type(x509.DNSName))
    except x509.ExtensionNotFound:
        pass


def name(which, path):
    """The octets of a name in a certificate ("subject", "issuer") or in a request ("subject"), as they stand there."""
    pem = read(path)
    if b"REQUEST" in pem:
        fields = children(x509.load_pem_x509_csr(pem).tbs_certrequest_bytes)
        index = {"subject": 1}[which]
    else:
        fields = children(x509.load_pem_x509_certificate(pem).tbs_certificate_bytes)
        if fields[0][0] == 0xA0:  # a v1 certificate has no version
            fields = fields[1:]
        index = {"issuer": 2, "subject": 4}[which]
    print(fields[index].hex())


def rfc4514(text):
    """The octets of a name that is given as RFC 4514 text."""
    print(x509.Name.from_rfc4514_string(text).public_bytes().hex())


def server(trust, chain, host):
    """Judges a server's chain."""
    leaf, *others = x509.load_pem_x509_certificates(read(chain))
    builder = verification.PolicyBuilder().store(verification.Store(x509.load_pem_x509_certificates(read(trust))))
    builder.build_server_verifier(x509.DNSName(host)).verify(leaf, others)


def client(trust, chain):
    """Judges a client's chain. The library wants a subject alternative name; Symphony's certificates have none."""
    leaf, *others = x509.load_pem_x509_certificates(read(chain))
    policies = verification.ExtensionPolicy
    builder = verification.PolicyBuilder().store(verification.Store(x509.load_pem_x509_certificates(read(trust))))
    builder = builder.extension_policies(
        ca_policy=policies.webpki_defaults_ca(),
        ee_policy=policies.webpki_defaults_ee().may_be_present(
            x509.SubjectAlternativeName, verification.Criticality.AGNOSTIC, None
        ),
    )
    builder.build_client_verifier().verify(leaf, others)


def bundle(path, password):
    """Opens a PKCS#12 file; prints its alias and how many further certificates it has."""
    contents = pkcs12.load_pkcs12(read(path), password.encode())
    assert public(contents.key) == public(contents.cert.certificate), "key and certificate don't match"
    alias = contents.cert.friendly_name
    print(alias.decode() if alias else "-", len(contents.additional_certs))


def trust_store(path, password):
    """Opens a PKCS#12 file without a key; prints how many certificates it has."""
    contents = pkcs12.load_pkcs12(read(path), password.encode())
    assert contents.key is None and contents.cert is None
    print(len(contents.additional_certs))


def make_key(path, password=""):
    """An RSA 2048 key, PKCS#8, encrypted if there is a password."""
    made = rsa.generate_private_key(65537, 2048)
    Path(path).write_bytes(pem_of(made, password))


def make_request(key_path, path):
    """A request with two names for a key that is not encrypted."""
    private_key = load_pem_private_key(read(key_path), None)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "python-made")])
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.DNSName("bot.example.com")])
    csr = x509.CertificateSigningRequestBuilder().subject_name(subject).add_extension(names, False)
    Path(path).write_bytes(csr.sign(private_key, SHA256()).public_bytes(Encoding.PEM))


def make_bundle(kind, key_path, key_password, chain, path, password):
    """A PKCS#12 file: "modern" (AES-256, SHA-256), "sha512", "legacy" (3DES, SHA-1), or "plain" (nothing, no MAC)."""
    private_key = load_pem_private_key(read(key_path), key_password.encode())
    leaf, *others = x509.load_pem_x509_certificates(read(chain))
    encryption = BestAvailableEncryption(password.encode())
    builder = PrivateFormat.PKCS12.encryption_builder().kdf_rounds(2048)
    if kind == "legacy":
        builder = builder.key_cert_algorithm(pkcs12.PBES.PBESv1SHA1And3KeyTripleDESCBC).hmac_hash(SHA1())
        encryption = builder.build(password.encode())
    if kind == "sha512":
        builder = builder.key_cert_algorithm(pkcs12.PBES.PBESv2SHA256AndAES256CBC).hmac_hash(SHA512())
        encryption = builder.build(password.encode())
    if kind == "plain":
        encryption = NoEncryption()
    made = pkcs12.serialize_key_and_certificates(b"demo-bot1", private_key, leaf, others, encryption)
    Path(path).write_bytes(made)


def make_pkcs7(encoding, chain, path):
    """A PKCS#7 file of certificates: "PEM" or "DER"."""
    certificates = x509.load_pem_x509_certificates(read(chain))
    Path(path).write_bytes(pkcs7.serialize_certificates(certificates, getattr(Encoding, encoding)))


def read(path):
    return Path(path).read_bytes()


def public(holder):
    return holder.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def crl(path, issuer):
    """The number of a CRL and its entries, whose signature is the issuer's."""
    found = x509.load_pem_x509_crl(read(path))
    assert found.is_signature_valid(x509.load_pem_x509_certificate(read(issuer)).public_key())
    entries = {}
    for entry in found:
        reasons = [e.value.reason.name for e in entry.extensions if isinstance(e.value, x509.CRLReason)]
        entries[entry.serial_number] = "".join(reasons)
    number = found.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
    print(number, *(f"{serial}:{reason}" for serial, reason in sorted(entries.items())))


def issued_by(path, issuer):
    """Checks a signature."""
    certificate = x509.load_pem_x509_certificate(read(path))
    certificate.verify_directly_issued_by(x509.load_pem_x509_certificate(read(issuer)))


def pem_of(private_key, password):
    encryption = BestAvailableEncryption(password.encode()) if password else NoEncryption()
    return private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)


def children(der):
    """The elements of a DER SEQUENCE, each with its header."""
    start, end = contents(der, 0)
    found = []
    while start < end:
        _, behind = contents(der, start)
        found.append(der[start:behind])
        start = behind
    return found


def contents(der, at):
    """Where the contents of the element at an offset start and end."""
    length, at = der[at + 1], at + 2
    if length & 0x80:
        octets = length & 0x7F
        length, at = int.from_bytes(der[at : at + octets], "big"), at + octets
    return at, at + length


if __name__ == "__main__":
    command, *arguments = sys.argv[1:]
    globals()[command.replace("-", "_")](*arguments)
