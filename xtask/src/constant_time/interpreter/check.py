"""Runs the assembly of the IFMA kernel on an interpreter, so that machines without AVX-512 check it.

On standard input are its functions, as objdump prints them, each under a line with its name in brackets.
Checked are:

- the results, in all eight lanes, against Python's integers;
- that it stays within its buffers, and jumps and addresses are the same for different secrets;
- that it wipes the vector and mask registers, and restores the caller's registers;
- that all this notices changes: each instruction that has an opposite is turned into it, one at a time (of the
  longest functions, which repeat the lines of others, some), and leaks and omissions are put in.
"""

import random
import re
import sys

from processor import LANES, MASK52, Fault, Instruction, Memory, Processor, instructions

SQUARE = "kernels::modular::x86_64::ifma::square"
MULTIPLY = "kernels::modular::x86_64::ifma::multiply"
SELECT = "kernels::modular::x86_64::select::select"
PAIR = "kernels::modular::x86_64::pair::multiply_3"
HAS_FACTOR = "kernels::modular::x86_64::sieve::has_factor"

# Each of these is for numbers of so many limbs.
PAIR_LIMBS = {
    f"kernels::modular::x86_64::pair::multiply_{vectors}": limbs
    for vectors, limbs in ((3, 20), (4, 30), (5, 40), (10, 80))
}

# Limbs of 52 bits: the fewest that the kernel takes, and those of primes of 1024, 1536, 2048 and 4096 bits.
# Eight exponentiations round up to a multiple of four, with four bits to spare; trial division takes what there is.
SIZES = {
    SQUARE: [12, 20, 32, 40, 80],
    MULTIPLY: [12, 20, 32, 40, 80],
    SELECT: [3, 10, 40],
    **{name: [limbs] for name, limbs in PAIR_LIMBS.items()},
    HAS_FACTOR: [2, 20, 30, 40, 79],
}
# Enough for the inner loops to run more than once.
DAMAGED_SIZES = {SQUARE: 16, MULTIPLY: 16, SELECT: 2, **PAIR_LIMBS, HAS_FACTOR: 2}

TABLE_ENTRIES = 32
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


def select(code, vectors, source):
    """For each lane an entry of its own, so that all entries are wanted in four calls."""
    order = source.sample(range(TABLE_ENTRIES), TABLE_ENTRIES)
    trace = []
    for i in range(0, TABLE_ENTRIES, LANES):
        index = order[i : i + LANES]
        memory = Memory()
        table = [source.getrandbits(52) for _ in range(TABLE_ENTRIES * vectors * LANES)]
        bits = [-(number >> bit & 1) & (1 << 64) - 1 for bit in range(5) for number in index]
        at_y = memory.buffer([source.getrandbits(64) for _ in range(vectors * LANES)], writable=True)
        arguments = {"rdi": at_y, "rsi": memory.buffer(table), "rdx": memory.buffer(bits)}
        processor = Processor(memory)
        # Other registers than those that it uses are not its own to wipe.
        processor.vectors[16:] = [[0] * LANES] * 16
        processor.call(code, {**arguments, "rcx": vectors})
        entries = range(0, TABLE_ENTRIES * vectors, TABLE_ENTRIES)
        expected = [table[(start + index[lane]) * LANES + lane] for start in entries for lane in range(LANES)]
        expect("the entry", memory.vectors(at_y, vectors), expected)
        trace += processor.trace
    return trace


def across(number, limbs, vectors):
    """A number that is spread over the lanes of vectors: limb i is in lane i / vectors of vector i mod vectors."""
    number = split(number, limbs) + [0] * (vectors * LANES - limbs)
    return [number[lane * vectors + vector] for vector in range(vectors) for lane in range(LANES)]


def pair(name):
    """Checks the multiplication of a pair of numbers with so many limbs."""
    vectors = int(name.rpartition("_")[2])

    def run(code, limbs, source):
        radix = 1 << 52 * limbs
        trace = []
        for squares in (False, True):
            bits = 52 * limbs - 2
            n = [source.getrandbits(bits) | 1 << (bits - 1) | 1 for _ in range(2)]
            if squares:
                n[1] = (1 << bits) - 1
                x = [2 * n[0] - 1, source.randrange(2 * n[1])]
                y, count = x, 2
            else:
                # A factor of one in Montgomery form, and numbers with lanes that are zero: the carries into these go through all of them.
                lane = 52 * vectors
                x = [source.getrandbits(lane) << place * lane | source.getrandbits(20) << bits - 30 for place in (0, 1)]
                y, count = [radix % modulus for modulus in n], 1
            memory = Memory()
            place = lambda numbers, **kind: memory.buffer(
                [word for number in numbers for word in across(number, limbs, vectors)], **kind
            )
            at_x = place(x, writable=True)
            at_y = at_x if squares else place(y)
            k = memory.buffer([-pow(modulus, -1, 1 << 64) % (1 << 64) for modulus in n])
            processor = Processor(memory)
            arguments = {"rdi": at_x, "rsi": at_y, "rdx": place(n), "rcx": k, "r8": count}
            processor.call(code, arguments)
            for _ in range(count):
                factors = zip(x, x if squares else y, n)
                x = [reduced(a * b, modulus, limbs) for a, b, modulus in factors]
            expected = [word for number in x for word in across(number, limbs, vectors)]
            expect("the product", memory.vectors(at_x, 2 * vectors), expected)
            for register in ("rax", "r10", "r11"):
                if processor.general[register]:
                    raise Fault(f"finds {register} not wiped")
            trace += processor.trace
        return trace

    return run


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
    for factor in factors if limbs == min(SIZES[HAS_FACTOR]) else factors[:1]:
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


CHECKS = {
    SQUARE: square,
    MULTIPLY: multiply,
    SELECT: select,
    **{name: pair(name) for name in PAIR_LIMBS},
    HAS_FACTOR: has_factor,
}


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
    "vpcmpnleuq": "vpcmpeqq",
    "vpcmpeqq": "vpcmpnleuq",
    "add": "sub",
    "sub": "add",
    "inc": "dec",
    "dec": "inc",
    "je": "jne",
    "jne": "je",
}


# Of the longest functions, whose rows are made of the same lines as those of the others, one instruction in so many is changed.
SAMPLED = {f"kernels::modular::x86_64::pair::multiply_{vectors}": some for vectors, some in ((4, 5), (5, 7), (10, 41))}


def last(code, text):
    """The index of the last instruction that reads like this."""
    return max(i for i, instruction in enumerate(code) if instruction.text == text)


def matters(name, code, i):
    """Whether anything depends on an instruction."""
    # `multiply` shares its last step with `square`, but doubles no lane there.
    return name != MULTIPLY or "{k1}" not in code[i].text


def opposites(name, code):
    """A copy of a function for each instruction that has an opposite, or for some, with a description."""
    some = SAMPLED.get(name, 1)
    for i, instruction in enumerate(code):
        mnemonic, _, operands = instruction.text.partition(" ")
        if mnemonic in OPPOSITES and matters(name, code, i) and i % some == 0:
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
    (SELECT, "vzeroall", [], "not wiped"),
    (SELECT, "add rdi,0x40", ["add rdi,0x80"], "writes outside of its buffers"),
    (PAIR, "imul rbx,r12", ["imul rbx,r12", "test rbx,0x1", "jne NEXT"], "depends on a secret"),
    (PAIR, "imul rbx,r12", ["imul rbx,r12", "mov rax,QWORD PTR [rdx+rbx*8]"], "outside of its buffers"),
    (PAIR, "kxorw k3,k3,k3", [], "not wiped"),
    (PAIR, "xor r10d,r10d", [], "not wiped"),
    (PAIR, "vpxorq zmm22,zmm22,zmm22", [], "not wiped"),
    (PAIR, "pop r13", ["pop r12"], "the caller's"),
    (PAIR, "add rsi,0x8", ["add rsi,0x10"], "reads outside of its buffers"),
    (HAS_FACTOR, "add r8,0x8", ["add r8,0x10"], "reads outside of its buffers"),
    (HAS_FACTOR, "vzeroall", ["vzeroupper"], "doesn't know"),
]


def notices(name, description, changed, expected=""):
    """Fails unless a changed function does."""
    try:
        check(name, changed(), DAMAGED_SIZES[name])
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
            for size in SIZES[name]:
                check(name, code, size)
            changes = check_changes(name, code)
        except Fault as fault:
            sys.exit(f"{name}: {fault}")
        sizes = ", ".join(map(str, SIZES[name]))
        unit = "vectors" if name == SELECT else "limbs"
        print(f"    {name}: {sizes} {unit}; each of {changes} changes is noticed")


if __name__ == "__main__":
    main()
