"""The processor that the IFMA kernel needs: it runs instructions, as objdump prints them, on Python's integers.

It is stricter than silicon. An instruction that it doesn't know, a register or a word of memory that is read
before it was written, and an address that the function wasn't given are faults.
"""

import re
from collections import namedtuple

LANES = 8
MASK52 = (1 << 52) - 1
# Far more instructions than any call takes.
ENDLESS = 1_000_000

GENERAL = "rax rbx rcx rdx rsi rdi rbp rsp r8 r9 r10 r11 r12 r13 r14 r15".split()
SAVED_BY_CALLEE = ["rbx", "rbp", "r12", "r13", "r14", "r15"]
# The lower halves: eax, r8d.
NARROW = {f"e{name[1:]}" if name[1].isalpha() else f"{name}d": name for name in GENERAL}


class Fault(Exception):
    """What the function did wrong."""


class Memory:
    """The buffers that a function is given, with a gap after each."""

    def __init__(self):
        self.words = {}
        self.octets = {}
        self.writable = set()
        self.end = 0x100000

    def buffer(self, words, writable=False):
        """A buffer of 64-bit words, aligned to a vector; None is a word that nobody wrote."""
        start = self.place(8 * len(words))
        addresses = range(start, start + 8 * len(words), 8)
        self.words.update(zip(addresses, words))
        if writable:
            self.writable.update(addresses)
        return start

    def string(self, octets):
        """A buffer of octets."""
        start = self.place(len(octets))
        self.octets.update(enumerate(octets, start))
        return start

    def place(self, size):
        start = self.end
        self.end += (size + 127) // 64 * 64
        return start

    def vectors(self, address, count):
        """The words of a number of vectors."""
        return [self.words[address + 8 * i] for i in range(LANES * count)]

    def read(self, cells, address):
        if address not in cells:
            raise Fault(f"reads outside of its buffers, at {address:#x}")
        if cells[address] is None:
            raise Fault(f"reads memory that nothing was written to, at {address:#x}")
        return cells[address]

    def write(self, address, word):
        if address not in self.writable:
            raise Fault(f"writes outside of its buffers, at {address:#x}")
        self.words[address] = word


class Register:
    """A general register."""

    mask = (1 << 64) - 1

    def __init__(self, name):
        self.name = name

    def read(self, processor):
        value = processor.general[self.name]
        if not isinstance(value, int):
            raise Fault(f"reads {self.name}, which nothing was written to")
        return value

    def write(self, processor, value):
        processor.general[self.name] = value & self.mask


class NarrowRegister(Register):
    """The lower half of a general register; writing it clears the upper half."""

    mask = (1 << 32) - 1

    def read(self, processor):
        return super().read(processor) & self.mask


class Vector:
    """A vector register; for a write, the mask register that keeps or zeroes the other lanes."""

    def __init__(self, number, mask, zeroing):
        self.number = number
        self.mask = mask and MaskRegister(mask)
        self.zeroing = zeroing

    def read(self, processor):
        lanes = processor.vectors[self.number]
        if lanes is None:
            raise Fault(f"reads zmm{self.number}, which nothing was written to")
        return lanes

    def write(self, processor, lanes):
        if self.mask:
            mask = self.mask.read(processor)
            other = [0] * LANES if self.zeroing else self.read(processor)
            lanes = [lanes[i] if mask >> i & 1 else other[i] for i in range(LANES)]
        processor.vectors[self.number] = lanes


class LowestLane(Vector):
    """The lowest lane of a vector register; writing it clears the others."""

    def __init__(self, number):
        super().__init__(number, None, False)

    def read(self, processor):
        return super().read(processor)[0]

    def write(self, processor, value):
        super().write(processor, [value] + [0] * (LANES - 1))


class MaskRegister:
    """A mask register, of which the lower 8 of 16 bits matter; for a write, the one that clears other bits."""

    def __init__(self, name, mask=None):
        self.name = name
        self.mask = mask and MaskRegister(mask)

    def read(self, processor):
        if self.name not in processor.masks:
            raise Fault(f"reads {self.name}, which nothing was written to")
        return processor.masks[self.name]

    def write(self, processor, value):
        mask = self.mask.read(processor) if self.mask else 0xFFFF
        processor.masks[self.name] = value & mask & 0xFFFF


class Place:
    """A memory operand."""

    def __init__(self, size, terms):
        self.size = size
        self.terms = [self.term(*term) for term in re.findall(r"([+-]?)(\w+)(?:\*(\w+))?", terms)]

    @staticmethod
    def term(sign, value, scale):
        factor = int(scale or "1", 16) * (-1 if sign == "-" else 1)
        return (Register(value) if value in GENERAL else Constant(int(value, 16)), factor)

    def address(self, processor):
        return sum(value.read(processor) * factor for value, factor in self.terms)

    def words(self, processor, what):
        """The addresses of the words of an access, which is noted."""
        address = self.address(processor)
        processor.note(f"{what} {address:#x}")
        if self.size != "ZMMWORD":
            return [address]
        if address % (8 * LANES):
            raise Fault(f"accesses a vector that isn't aligned, at {address:#x}")
        return range(address, address + 8 * LANES, 8)

    def read(self, processor):
        memory = processor.memory
        cells = memory.octets if self.size == "BYTE" else memory.words
        values = [memory.read(cells, address) for address in self.words(processor, "reads")]
        return values if self.size == "ZMMWORD" else values[0]

    def write(self, processor, value):
        if self.size == "BYTE":
            raise Fault("writes an octet, which this interpreter doesn't know")
        values = value if self.size == "ZMMWORD" else [value]
        for address, word in zip(self.words(processor, "writes"), values):
            processor.memory.write(address, word)


class Constant:
    """An immediate operand, or where a jump goes."""

    def __init__(self, value):
        self.value = value

    def read(self, _processor):
        return self.value


def operand(text):
    """What an operand in Intel's syntax stands for."""
    if text in GENERAL:
        return Register(text)
    if text in NARROW:
        return NarrowRegister(NARROW[text])
    if match := re.fullmatch(r"(k[0-7])(?:\{(k[1-7])\})?", text):
        return MaskRegister(match[1], match[2])
    if match := re.fullmatch(r"xmm(\d+)", text):
        return LowestLane(int(match[1]))
    if match := re.fullmatch(r"zmm(\d+)(?:\{(k[1-7])\})?(\{z\})?", text):
        return Vector(int(match[1]), match[2], match[3])
    if match := re.fullmatch(r"(?:(ZMMWORD|QWORD|BYTE) PTR )?\[([^\[\]]+)\]", text):
        return Place(match[1], match[2])
    if re.fullmatch(r"(0x)?[0-9a-f]+", text):
        return Constant(int(text, 16))
    raise Fault(f"{text} is an operand that this interpreter doesn't know")


def lanewise(function):
    """Computes each lane of the first operand from those of the others."""

    def run(cpu, to, *sources):
        lanes = zip(*(source.read(cpu) for source in sources))
        to.write(cpu, [function(*values) & Register.mask for values in lanes])

    return run


def accumulate(function):
    """Computes each lane of the first operand from what it was and from those of the others."""
    compute = lanewise(function)
    return lambda cpu, to, *sources: compute(cpu, to, to, *sources)


def compare(function):
    """Sets the bits of a mask register where lanes compare."""

    def run(cpu, to, a, b):
        bits = (function(x, y) << i for i, (x, y) in enumerate(zip(a.read(cpu), b.read(cpu))))
        to.write(cpu, sum(bits))

    return run


def arithmetic(function, stores=True):
    """Computes the first operand from itself and the second, and sets the zero flag."""

    def run(cpu, to, by=Constant(1)):
        value = function(to.read(cpu), by.read(cpu)) & to.mask
        cpu.is_zero = value == 0
        if stores:
            to.write(cpu, value)

    return run


def clear(zero):
    """The exclusive or of a register with itself, which reads nothing."""

    def run(cpu, to, a, b):
        if not vars(to) == vars(a) == vars(b):
            raise Fault("is an exclusive or of different registers, which this interpreter doesn't know")
        to.write(cpu, zero)

    return run


def shift_right(cpu, to, source, count):
    to.write(cpu, [lane >> count.read(cpu) for lane in source.read(cpu)])


def align(cpu, to, high, low, count):
    lanes = low.read(cpu) + high.read(cpu)
    to.write(cpu, lanes[count.read(cpu) :][:LANES])


def ternary_logic(cpu, to, a, b, table):
    """Each bit of the result stands in the table, at the number that the three bits make."""
    table = table.read(cpu)

    def compute(x, y, z):
        result = 0
        for i in range(8):
            if table >> i & 1:
                parts = (value if i >> bit & 1 else ~value for value, bit in ((x, 2), (y, 1), (z, 0)))
                first, second, third = parts
                result |= first & second & third
        return result

    accumulate(compute)(cpu, to, a, b)


def exclusive_or(cpu, to, by):
    """With itself it reads nothing."""
    if vars(to) == vars(by):
        cpu.is_zero = True
        to.write(cpu, 0)
    else:
        arithmetic(lambda x, y: x ^ y)(cpu, to, by)


def zero_all(cpu):
    """Clears the vector registers of AVX, which are half of those of AVX-512."""
    for number in range(16):
        cpu.vectors[number] = [0] * LANES


def move(cpu, to, source):
    to.write(cpu, source.read(cpu))


def push(cpu, register):
    """Pushes whatever the register holds: the caller's value is not for reading."""
    cpu.general["rsp"] -= 8
    cpu.memory.write(cpu.general["rsp"], cpu.general[register.name])


def pop(cpu, register):
    cpu.general[register.name] = cpu.memory.words[cpu.general["rsp"]]
    cpu.general["rsp"] += 8


def jump_if(zero):
    def run(cpu, target):
        if cpu.is_zero is None:
            raise Fault("jumps, but no flag was set")
        taken = cpu.is_zero == zero
        cpu.note("jumps" if taken else "doesn't jump")
        if taken:
            cpu.jump(target.read(cpu))

    return run


INSTRUCTIONS = {
    "vmovdqa64": move,
    "vpbroadcastq": lambda cpu, to, source: to.write(cpu, [source.read(cpu)] * LANES),
    "vpxorq": clear([0] * LANES),
    "vpandq": lanewise(lambda x, y: x & y),
    "vpaddq": lanewise(lambda x, y: x + y),
    "vpsubq": lanewise(lambda x, y: x - y),
    "vpsrlq": shift_right,
    "vpmadd52luq": accumulate(lambda z, x, y: z + ((x & MASK52) * (y & MASK52) & MASK52)),
    "vpmadd52huq": accumulate(lambda z, x, y: z + ((x & MASK52) * (y & MASK52) >> 52)),
    "vpternlogq": ternary_logic,
    "valignq": align,
    "vmovq": move,
    "vpcmpeqq": compare(lambda x, y: x == y),
    "vpcmpleuq": compare(lambda x, y: x <= y),
    "vpcmpnleuq": compare(lambda x, y: x > y),
    "vzeroall": zero_all,
    "kmovw": move,
    "korw": lambda cpu, to, a, b: to.write(cpu, a.read(cpu) | b.read(cpu)),
    "kxorw": clear(0),
    "mov": move,
    "movabs": move,
    "movzx": move,
    "lea": lambda cpu, to, source: to.write(cpu, source.address(cpu)),
    "push": push,
    "pop": pop,
    "add": arithmetic(lambda x, y: x + y),
    "sub": arithmetic(lambda x, y: x - y),
    "inc": arithmetic(lambda x, y: x + y),
    "dec": arithmetic(lambda x, y: x - y),
    "shl": arithmetic(lambda x, y: x << y),
    "shr": arithmetic(lambda x, y: x >> y),
    "imul": arithmetic(lambda x, y: x * y),
    "xor": exclusive_or,
    "cmp": arithmetic(lambda x, y: x - y, stores=False),
    "test": arithmetic(lambda x, y: x & y, stores=False),
    "jmp": lambda cpu, target: cpu.jump(target.read(cpu)),
    "je": jump_if(True),
    "jne": jump_if(False),
    "ret": lambda cpu: cpu.leave(),
}


class Instruction(namedtuple("Instruction", "address text run operands")):
    """An instruction that is ready to run."""

    @classmethod
    def of(cls, address, text):
        name, _, operands = text.partition(" ")
        if name not in INSTRUCTIONS:
            raise Fault(f"{text} is an instruction that this interpreter doesn't know")
        parts = [operand(part) for part in operands.split(",") if part]
        return cls(address, text, INSTRUCTIONS[name], parts)


def instructions(body):
    """A function, from objdump's lines up to the return."""
    code = []
    for line in body.splitlines():
        address, text = line.strip().split(":\t")
        text = " ".join(re.sub(r"\s[<#].*", "", text).split())
        code.append(Instruction.of(int(address, 16), text))
        if text == "ret":
            return code
    raise Fault("a function doesn't return")


class Processor:
    """The registers, the memory, and a trace of all jumps and addresses."""

    def __init__(self, memory):
        self.memory = memory
        self.general = dict.fromkeys(GENERAL)
        self.general.update((name, f"the caller's {name}") for name in SAVED_BY_CALLEE)
        self.vectors = [None] * 32
        self.masks = {}
        self.is_zero = None
        self.trace = []

    def call(self, code, registers, stack=()):
        """Runs a function of the System V ABI: six arguments in registers, the rest on the stack."""
        saved = [None] * len(SAVED_BY_CALLEE)
        frame = self.memory.buffer([*saved, "the return address", *stack], writable=True)
        self.entry = frame + 8 * len(saved)
        self.general.update(registers, rsp=self.entry)
        self.run(code)

    def run(self, code):
        index = {instruction.address: i for i, instruction in enumerate(code)}
        self.next = 0
        for _ in range(ENDLESS):
            instruction = code[self.next]
            self.at, self.target = instruction.address, None
            self.next += 1
            try:
                instruction.run(self, *instruction.operands)
                if self.target is not None:
                    if self.target not in index:
                        raise Fault("jumps out of its function")
                    self.next = index[self.target]
            except Fault as fault:
                offset = instruction.address - code[0].address
                raise Fault(f"+{offset:#x}: {instruction.text} {fault}") from None
            if self.next is None:
                return
        raise Fault("runs without end")

    def note(self, what):
        self.trace.append((self.at, what))

    def jump(self, address):
        self.target = address

    def leave(self):
        """Returns, with the caller's registers restored and nothing left of the numbers in the others."""
        if self.general["rsp"] != self.entry:
            raise Fault("finds something else than the return address")
        for name in SAVED_BY_CALLEE:
            if self.general[name] != f"the caller's {name}":
                raise Fault(f"doesn't find the caller's {name} in it")
        for number, lanes in enumerate(self.vectors):
            if lanes != [0] * LANES:
                raise Fault(f"finds zmm{number} not wiped")
        for name, mask in self.masks.items():
            if mask:
                raise Fault(f"finds {name} not wiped")
        self.next = None
