"""Asks a program about chains, and compares its verdicts with those expected.

usage: verdicts.py openssl|gnutls DIR

DIR/expected has a line for each verdict: the file of the chain, the purpose, the time ("now" for the present one), the
verdict, and the difference between the program and RFC 5280 that may turn it round ("-" for none). Each difference has to
turn some verdict round: otherwise the program has changed, and the list of differences must follow.
"""
import collections
import os
import subprocess
import sys

program, directory = sys.argv[1:]
os.chdir(directory)
expected = [line.rstrip("\n").split("\t") for line in open("expected")]


def run(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return done.returncode, done.stdout


def openssl(purpose, time, chains):
    when = [] if time == "now" else ["-attime", time]
    common = ["openssl", "verify", *when, "-purpose", f"ssl{purpose}", "-CAfile", "roots", "-untrusted", "issuers"]
    _, said = run(*common, *chains)
    verdicts = {}
    for line in said.splitlines():
        if line.endswith(": OK"):
            verdicts[line[: -len(": OK")]] = "accepted"
        elif line.startswith("error ") and line.endswith(": verification failed"):
            verdicts[line[len("error ") : -len(": verification failed")]] = "refused"
    return verdicts, said


def gnutls(purpose, time, chains):
    verdicts, sayings = {}, []
    for chain in chains:
        usage = {"server": "1.3.6.1.5.5.7.3.1", "client": "1.3.6.1.5.5.7.3.2"}[purpose]
        status, said = run(
            "certtool", "--verify", "--verify-purpose", usage, "--load-ca-certificate", "roots", "--infile", chain
        )
        verdict = "accepted" if status == 0 else "refused" if "Not verified" in said else "not judged"
        verdicts[chain] = verdict
        sayings.append(f"{chain}: {said.strip().splitlines()[-1] if said.strip() else status}")
    return verdicts, "\n".join(sayings)


groups = collections.defaultdict(dict)
for chain, purpose, time, verdict, difference in expected:
    groups[purpose, time][chain] = (verdict, difference)

wrong, needed = [], collections.Counter()
for (purpose, time), chains in groups.items():
    verdicts, said = {"openssl": openssl, "gnutls": gnutls}[program](purpose, time, list(chains))
    for chain, (verdict, difference) in chains.items():
        found = verdicts.get(chain, "not judged")
        if found == verdict:
            continue
        if found != "not judged" and difference != "-":
            needed[difference] += 1
            continue
        about = [line for line in said.splitlines() if chain in line]
        wrong.append(f"{directory}/{chain} at {time} for {purpose}: expected {verdict}, found {found}\n  " + "\n  ".join(about))

listed = open("differences").read().splitlines()
wrong += [f"this difference is none, take it from the list: {listed_one}" for listed_one in listed if not needed[listed_one]]
print(f"{len(expected)} verdicts, {len(wrong)} wrong; turned round: {dict(needed)}")
for one in wrong:
    print(one, file=sys.stderr)
sys.exit(bool(wrong) or not expected)
