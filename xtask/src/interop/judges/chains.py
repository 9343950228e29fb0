"""Asks a program about chains below one root, and compares its verdicts, and what it says, with what is expected.

usage: chains.py openssl|gnutls|java|text DIR

DIR/root.pem is the root. DIR/expected.PROGRAM has a line for each chain: its file, what it is, "accepted" or "refused", and
what the program says of it. DIR/expected.text has what `openssl x509 -text` prints of a certificate, with one blank where there are several.
"""
import os
import subprocess
import sys

program, directory = sys.argv[1:]
os.chdir(directory)
lines = [line.rstrip("\n").split("\t") for line in open(f"expected.{program}")]


def run(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return done.returncode, " ".join(done.stdout.split())


def openssl(files):
    ask = ["openssl", "verify", "-x509_strict", "-policy_check", "-purpose", "sslclient", "-CAfile", "root.pem"]
    for file in files:
        status, said = run(*ask, "-untrusted", file, file)
        yield "accepted" if status == 0 else "refused", said


def gnutls(files):
    for file in files:
        purpose = ["--verify-purpose", "1.3.6.1.5.5.7.3.2"]
        status, said = run("certtool", "--verify", *purpose, "--load-ca-certificate", "root.pem", "--infile", file)
        yield "accepted" if status == 0 else "refused" if "Not verified" in said else "not judged", said


def java(files):
    _, said = run("java", "-XX:TieredStopAtLevel=1", f"{os.environ['JUDGES']}/Pkix.java", "root.pem", *files)
    said += " "
    for file, after in zip(files, [*files[1:], None]):
        found = said.split(f"{file}: ", 1)[-1]
        found = found.split(f" {after}: ", 1)[0] if after else found
        yield found.split(":")[0].split()[0] if found.strip() else "not judged", found


def text(files):
    for file in files:
        yield "accepted", run("openssl", "x509", "-in", file, "-noout", "-text")[1]


wrong = []
for (file, what, verdict, part), (found, said) in zip(lines, globals()[program]([line[0] for line in lines]), strict=True):
    if found != verdict or part not in said:
        wrong.append(f"{what} ({file}): expected {verdict}, {part!r}\n  found {found}, {said!r}")
print(f"{len(lines)} chains, {len(wrong)} wrong")
for one in wrong:
    print(one, file=sys.stderr)
sys.exit(bool(wrong) or not lines)
