"""Runs the assembly of the IFMA kernel on an interpreter, so that machines without AVX-512 check it.

On standard input are its functions, as objdump prints them, each under a line with its name in brackets.
Checked are:

- the results, in all eight lanes, against Python's integers;
- that it stays within its buffers, and jumps and addresses are the same for different secrets;
- that it wipes the vector and mask registers, and restores the caller's registers;
- that all this notices changes: each instruction that has an opposite is turned into it, one at a time, and
  leaks and omissions are put in.
"""

import random
import re
import sys

from processor import LANES, MASK52, Fault, Instruction, Memory, Processor, instructions

SQUARE = "kernels::modular::x86_64::ifma::square"
MULTIPLY = "kernels::modular::x86_64::ifma::multiply"
SELECT = "kernels::modular::x86_64::ifma::select"
HAS_FACTOR = "kernels::modular::x86_64::sieve::has_factor"

# Limbs of 52 bits: the fewest that the kernel takes, and those of primes of 1024, 1536, 2048 and 4096 bits.
# An exponentiation rounds up to a multiple of four, with four bits to spare; trial division takes what there is.
EXPONENTIATION_LIMBS = [12, 20, 32, 40, 80]
TRIAL_DIVISION_LIMBS = [2, 20, 30, 40, 79]
# Enough for the inner loops to run more than once.
DAMAGED_LIMBS = {SQUARE: 16, MULTIPLY: 16, SELECT: 12, HAS_FACTOR: 2}

TABLE_ENTRIES = 16
BLOCK_VECTORS = 8
SLOTS = 4


def split(value, limbs):
    """The limbs of a number, the lowest first."""
    return [value >> 52 * i & MASK52 for i in range(limbs)]


def columns(numbers, limbs):
    """Numbers side by side: the lowest limbs of all lanes, then the next."""
    return [limb for row in zip(*(split(number, limbs) for number in numbers)) for limb in row]


def expect(what, found, expected):
    """Compares vectors, lane by lane."""
    for i, (a, b) in enumerate(zip(found, expected, strict=True)):
        if a != b:
            place = f"lane {i % LANES} of limb {i // LANES}"
            raise Fault(f"{what}: {place} is {a:#x}; expected {b:#x}")


def moduli(source, limbs):
    """Eight odd moduli that leave four bits of the highest limb, the extremes among them."""
    bits = 52 * limbs - 4
    half = 1 << (bits - 1)
    extremes = [2 * half - 1, half + 1, 2 * half - MASK52]
    return extremes + [source.getrandbits(bits) | half | 1 for _ in range(LANES - len(extremes))]


def reduced(value, modulus, limbs):
    """Montgomery's reduction: adds the multiple of the modulus that clears the lowest limbs, and drops them."""
    radix = 1 << 52 * limbs
    quotient = value * -pow(modulus, -1, radix) % radix
    return (value + quotient * modulus) // radix


class Operands:
    """What `square` and `multiply` work on: the secrets are random, the addresses always the same."""

    def __init__(self, source, limbs):
        self.limbs = limbs
        self.n = moduli(source, limbs)
        # A running value is below 4 n, a second factor below 2 n.
        self.x = [4 * n - 1 if i == 3 else source.randrange(4 * n) for i, n in enumerate(self.n)]
        self.y = [2 * n - 1 if i == 3 else source.randrange(2 * n) for i, n in enumerate(self.n)]
        self.memory = Memory()
        self.at_x = self.memory.buffer(columns(self.x, limbs), writable=True)
        self.at_n = self.memory.buffer(columns(self.n, limbs))
        self.at_y = self.memory.buffer(columns(self.y, limbs))
        rubbish = [source.getrandbits(64) for _ in range(2 * limbs * LANES)]
        self.at_t = self.memory.buffer(rubbish, writable=True)
        self.at_k = self.memory.buffer([-pow(n, -1, 1 << 52) & MASK52 for n in self.n])

    def arguments(self):
        """The first four of either function."""
        return {"rdi": self.at_x, "rsi": self.at_n, "rdx": self.at_t, "rcx": self.limbs // 4}

    def result(self):
        return self.memory.vectors(self.at_x, self.limbs)


def square(code, limbs, source):
    """Two squarings, each with a doubling of some lanes."""
    operands = Operands(source, limbs)
    masks = [source.getrandbits(LANES) for _ in range(2)]
    arguments = {"r8": operands.memory.string(masks), "r9": len(masks)}
    processor = Processor(operands.memory)
    processor.call(code, {**operands.arguments(), **arguments}, [operands.at_k])
    expected = operands.x
    for mask in masks:
        squares = [reduced(x * x, n, limbs) for x, n in zip(expected, operands.n)]
        expected = [value << (mask >> i & 1) for i, value in enumerate(squares)]
    expect("the power", operands.result(), columns(expected, limbs))
    return processor.trace


def multiply(code, limbs, source):
    """One multiplication."""
    operands = Operands(source, limbs)
    arguments = {"r8": operands.at_y, "r9": operands.at_k}
    processor = Processor(operands.memory)
    processor.call(code, {**operands.arguments(), **arguments})
    factors = zip(operands.x, operands.y, operands.n)
    expected = [reduced(x * y, n, limbs) for x, y, n in factors]
    expect("the product", operands.result(), columns(expected, limbs))
    return processor.trace


def select(code, limbs, source):
    """For each lane an entry of its own, so that all entries are wanted in two calls."""
    order = source.sample(range(TABLE_ENTRIES), TABLE_ENTRIES)
    size = limbs * LANES
    trace = []
    for index in (order[:LANES], order[LANES:]):
        memory = Memory()
        table = [source.getrandbits(52) for _ in range(TABLE_ENTRIES * size)]
        at_y = memory.buffer([source.getrandbits(64) for _ in range(size)], writable=True)
        arguments = {"rdi": at_y, "rsi": memory.buffer(table), "rdx": memory.buffer(index)}
        processor = Processor(memory)
        processor.call(code, {**arguments, "rcx": limbs})
        expected = [table[index[i % LANES] * size + i] for i in range(size)]
        expect("the entry", memory.vectors(at_y, limbs), expected)
        trace += processor.trace
    return trace


def has_factor(code, limbs, source):
    """A number without a factor, and numbers with one: with few limbs, a factor for each slot of each vector."""
    blocks = [Block(GROUPS[:64]), Block(GROUPS[-64:])]
    primes = [prime for block in blocks for group in block.groups for prime in group]
    words = [word for block in blocks for word in block.words()]
    number = without_factor(source, primes, 52 * limbs)
    found, trace = divide(code, words, number, limbs)
    if found:
        raise Fault(f"a factor of {number} is found, which has none")
    factors = [prime for block in blocks for prime in block.sample(source)]
    for factor in factors if limbs == min(TRIAL_DIVISION_LIMBS) else factors[:1]:
        number = factor * without_factor(source, primes, 52 * limbs - 16)
        found, _ = divide(code, words, number, limbs)
        if not found:
            raise Fault(f"the factor {factor} of {number} isn't found")
    return trace


def without_factor(source, primes, bits):
    while True:
        number = source.getrandbits(bits)
        if all(number % prime for prime in primes):
            return number


def divide(code, words, number, limbs):
    memory = Memory()
    table = memory.buffer(words)
    arguments = {"rdi": table, "rsi": len(words) // Block.WORDS, "rcx": limbs}
    processor = Processor(memory)
    processor.call(code, {**arguments, "rdx": memory.buffer(split(number, limbs))})
    return processor.general["rax"] != 0, processor.trace


def odd_primes(limit):
    is_prime = bytearray([1]) * limit
    for candidate in range(3, limit, 2):
        if is_prime[candidate]:
            yield candidate
            multiples = range(candidate * candidate, limit, candidate)
            is_prime[multiples.start :: candidate] = bytes(len(multiples))


def groups(primes):
    """Primes in order, up to four at a time, whose product has at most 52 bits."""
    found, group, product = [], [], 1
    for prime in primes:
        if len(group) == SLOTS or product * prime > MASK52:
            found.append(group)
            group, product = [], 1
        group.append(prime)
        product *= prime
    return [*found, group]


GROUPS = groups(odd_primes(1 << 16))


class Block:
    """Sixty-four products of primes, laid out as in `sieve.rs`; the first have four primes, the last three."""

    WORDS = BLOCK_VECTORS * LANES * 2 * (1 + SLOTS)

    def __init__(self, its_groups):
        self.groups = its_groups

    def words(self):
        products = [1] * len(self.groups)
        for i, group in enumerate(self.groups):
            for prime in group:
                products[i] *= prime
        words = products + [pow(product, -1, 1 << 64) for product in products]
        for vector in range(BLOCK_VECTORS):
            for slot in range(SLOTS):
                primes = [self.prime(vector, slot, lane) for lane in range(LANES)]
                words += [pow(prime, -1, 1 << 64) for prime in primes]
                words += [MASK52 // prime for prime in primes]
        return words

    def prime(self, vector, slot, lane):
        """A slot without a prime repeats the first of its product."""
        group = self.groups[vector * LANES + lane]
        return group[slot] if slot < len(group) else group[0]

    def sample(self, source):
        """A prime of each slot of each vector."""
        slots = [(vector, slot) for vector in range(BLOCK_VECTORS) for slot in range(SLOTS)]
        return [self.prime(vector, slot, source.randrange(LANES)) for vector, slot in slots]


CHECKS = {SQUARE: square, MULTIPLY: multiply, SELECT: select, HAS_FACTOR: has_factor}


def check(name, code, limbs):
    """Runs a function twice, with different secrets."""
    first, second = (CHECKS[name](code, limbs, random.Random(seed)) for seed in (1, 2))
    for a, b in zip(first, second):
        if a != b:
            offset = a[0] - code[0].address
            raise Fault(f"+{offset:#x} {a[1]}, or {b[1]}: that depends on a secret")
    if len(first) != len(second):
        raise Fault("how long it runs depends on a secret")
    return len(first)


# What a changed instruction makes of itself.
OPPOSITES = {
    "vpaddq": "vpsubq",
    "vpsubq": "vpaddq",
    "vpmadd52luq": "vpmadd52huq",
    "vpmadd52huq": "vpmadd52luq",
    "vpcmpleuq": "vpcmpeqq",
    "add": "sub",
    "sub": "add",
    "inc": "dec",
    "dec": "inc",
    "je": "jne",
    "jne": "je",
}


# The last of these lines prepares a repetition that doesn't follow.
UNUSED = [(SELECT, "vpaddq zmm3,zmm3,zmm1"), (SELECT, "add rax,rdx")]


def last(code, text):
    """The index of the last instruction that reads like this."""
    return max(i for i, instruction in enumerate(code) if instruction.text == text)


def matters(name, code, i):
    """Whether anything depends on an instruction."""
    text = code[i].text
    if name == MULTIPLY and "{k1}" in text:
        # `multiply` shares its last step with `square`, but doubles no lane there.
        return False
    return (name, text) not in UNUSED or i != last(code, text)


def opposites(name, code):
    """A copy of a function for each instruction that has an opposite, with a description."""
    for i, instruction in enumerate(code):
        mnemonic, _, operands = instruction.text.partition(" ")
        if mnemonic in OPPOSITES and matters(name, code, i):
            changed = f"{OPPOSITES[mnemonic]} {operands}"
            copy = [*code[:i], Instruction.of(instruction.address, changed), *code[i + 1 :]]
            offset = instruction.address - code[0].address
            yield f"+{offset:#x}: {instruction.text}, turned into {changed}", copy


def with_lines(code, text, *lines):
    """A copy of a function with other lines in the last place of one; NEXT is the instruction after them."""
    i = last(code, text)
    lines = [line.replace("NEXT", f"{code[i + 1].address:x}") for line in lines]
    changed = [Instruction.of(code[i].address + j, line) for j, line in enumerate(lines)]
    return [*code[:i], *changed, *code[i + 1 :]]


# A function, one of its lines, what stands there instead, and what has to be said about it.
DAMAGES = [
    (SQUARE, "kmovw k1,r12d", ["kmovw k1,r12d", "test r12d,0x1", "jne NEXT"], "depends on a secret"),
    (SQUARE, "kmovw k1,r12d", ["kmovw k1,r12d", "mov rax,QWORD PTR [rdx+r12*8]"], "depends on a secret"),
    (SQUARE, "pop r12", ["pop rbp"], "the caller's"),
    (MULTIPLY, "pop rbx", ["pop rbp"], "the caller's"),
    (MULTIPLY, "vpxorq zmm16,zmm16,zmm16", [], "not wiped"),
    (SELECT, "kxorw k1,k1,k1", [], "not wiped"),
    (SELECT, "vzeroall", [], "not wiped"),
    (SELECT, "add rdi,0x40", ["add rdi,0x80"], "writes outside of its buffers"),
    (HAS_FACTOR, "add r8,0x8", ["add r8,0x10"], "reads outside of its buffers"),
    (HAS_FACTOR, "vzeroall", ["vzeroupper"], "doesn't know"),
]


def notices(name, description, changed, expected=""):
    """Fails unless a changed function does."""
    try:
        check(name, changed(), DAMAGED_LIMBS[name])
    except Fault as fault:
        if expected in str(fault):
            return
        raise Fault(f"{description}: {expected!r} is expected to be said, and not: {fault}") from None
    raise Fault(f"{description}: nobody notices, so this check is void")


def check_changes(name, code):
    """Whether the checks notice what is wrong with a changed function; returns how many changes."""
    count = 0
    for description, changed in opposites(name, code):
        notices(name, description, lambda: changed)
        count += 1
    for function, text, lines, expected in DAMAGES:
        if function == name:
            notices(name, f"{text}, turned into {lines}", lambda: with_lines(code, text, *lines), expected)
            count += 1
    return count


def functions(text):
    """The functions of standard input, by name."""
    found = {}
    for part in re.split(r"^(?=\[)", text, flags=re.M)[1:]:
        name, body = part.split("]\n", 1)
        found[name[1:]] = body
    if list(found) != list(CHECKS):
        sys.exit(f"there are {list(found)}; expected {list(CHECKS)}")
    return found


def main():
    for name, body in functions(sys.stdin.read()).items():
        try:
            code = instructions(body)
            sizes = TRIAL_DIVISION_LIMBS if name == HAS_FACTOR else EXPONENTIATION_LIMBS
            for limbs in sizes:
                check(name, code, limbs)
            changes = check_changes(name, code)
        except Fault as fault:
            sys.exit(f"{name}: {fault}")
        sizes = ", ".join(map(str, sizes))
        print(f"    {name}: {sizes} limbs; each of {changes} changes is noticed")


if __name__ == "__main__":
    main()
