//! Assembly that Valgrind can't run, of the IFMA kernel and of SHA-256: everything in it that could depend on a secret stands in a list, with a
//! reason.
//!
//! What only moves data between vector registers takes the same time whatever the data. The rest are jumps, memory operands and
//! general registers, which make flags and addresses. They are read from the built program, not from the sources.
use std::{collections::BTreeMap, fmt::Write, fs, path::Path, process::Command};

use anyhow::{Context, Result, bail};

use super::output;
use crate::workspace;

/// Some assembly, and where its list is.
pub(super) struct Assembly {
    /// As messages call it.
    pub(super) name: &'static str,
    list: &'static str,
    /// Functions that consist of assembly alone, to the last instruction.
    functions: &'static [&'static str],
    /// No other function may contain this.
    mark: Option<&'static str>,
}

pub(super) const IFMA: Assembly = Assembly {
    name: "the IFMA kernel",
    list: "crates/kernels/constant-time/ifma.txt",
    functions: IFMA_FUNCTIONS,
    mark: Some("vpmadd52"),
};

/// The `sha2` crate uses the same instructions.
pub(super) const SHA256: Assembly = Assembly {
    name: "SHA-256",
    list: "crates/kernels/constant-time/sha256.txt",
    functions: &[
        "kernels::sha256::x86_64::compress_blocks",
        "kernels::sha256::x86_64::iterate_one",
        "kernels::sha256::x86_64::iterate_two",
    ],
    mark: None,
};

const IFMA_FUNCTIONS: &[&str] = &[
    "kernels::modular::x86_64::ifma::square",
    "kernels::modular::x86_64::ifma::multiply",
    "kernels::modular::x86_64::select::select",
    "kernels::modular::x86_64::pair::multiply_3",
    "kernels::modular::x86_64::pair::multiply_4",
    "kernels::modular::x86_64::pair::multiply_5",
    "kernels::modular::x86_64::pair::multiply_10",
    "kernels::modular::x86_64::sieve::has_factor",
];

const HEAD: &str = "\
# What the assembly of NAME does besides arithmetic in vector registers: jumps, memory operands, general registers.
# None of it may depend on a secret. `cargo xtask constant-time` compares this list with the release build;
# `cargo xtask constant-time --bless` rewrites it and keeps the comments. What is new needs one that says why
# it doesn't depend on a secret. A comment speaks for all lines that differ in displacement and vector register alone.
";

/// A function as objdump prints it.
pub(super) struct Function<'a> {
    pub(super) name: &'a str,
    pub(super) body: &'a str,
}

/// Fails where the release build and the list differ.
pub(super) fn check(root: &Path, of: &Assembly, functions: &[Function<'_>]) -> Result<()> {
    let path = root.join(of.list);
    let wanted = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let listed = List::of(functions)?;
    let found = listed.text(of, &comments(&wanted));
    if let Some((number, line)) = first_difference(&wanted, &found) {
        bail!(
            "{}:{number}: the release build has another line here: {line:?}; look at it, then `cargo xtask constant-time --bless`",
            path.display()
        );
    }
    if let Some(line) = wanted.lines().find(|line| line.ends_with('#')) {
        bail!(
            "{}: {line:?} needs a comment that says why it doesn't depend on a secret",
            path.display()
        );
    }
    println!(
        "{} lines of {} are those of {}",
        listed.lines,
        of.name,
        path.display()
    );
    Ok(())
}

/// Rewrites the list.
pub(super) fn bless(root: &Path, of: &Assembly, functions: &[Function<'_>]) -> Result<()> {
    let path = root.join(of.list);
    let former = fs::read_to_string(&path).unwrap_or_default();
    let text = List::of(functions)?.text(of, &comments(&former));
    fs::write(&path, text).with_context(|| path.display().to_string())?;
    println!("{} is up to date", path.display());
    Ok(())
}

/// The release build, disassembled.
pub(super) fn disassembly(root: &Path) -> Result<String> {
    let program = workspace::release()?;
    output(
        Command::new("objdump")
            .args(["--disassemble", "--demangle", "--no-show-raw-insn"])
            .args(["-M", "intel"])
            .arg(program)
            .current_dir(root),
    )
}

/// The functions of some assembly, each of which is there once. Fails if another one contains its mark.
pub(super) fn functions<'a>(of: &Assembly, disassembly: &'a str) -> Result<Vec<Function<'a>>> {
    let expected = of.functions;
    let mut functions = Vec::new();
    for part in disassembly.split("\n\n") {
        let Some((head, body)) = part.trim_start().split_once(":\n") else {
            continue;
        };
        let Some((_, name)) = head.split_once(" <") else {
            continue;
        };
        let name = without_hash(name.trim_end_matches('>'));
        if expected.contains(&name) {
            functions.push(Function { name, body });
        } else if let Some(mark) = of.mark
            && body.contains(mark)
        {
            bail!("{name} contains {mark}, and is not among the functions that are checked");
        }
    }
    functions.sort_by_key(|function| expected.iter().position(|known| *known == function.name));
    let names: Vec<_> = functions.iter().map(|function| function.name).collect();
    if names != expected {
        bail!("the release build contains {names:?}; expected {expected:?}, each once");
    }
    Ok(functions)
}

fn first_difference(wanted: &str, found: &str) -> Option<(usize, String)> {
    let (mut wanted, mut found) = (wanted.lines(), found.lines());
    for number in 1.. {
        match (wanted.next(), found.next()) {
            (None, None) => return None,
            (a, b) if a == b => {}
            (_, b) => return Some((number, b.unwrap_or("none").to_owned())),
        }
    }
    None
}

/// The functions with what is worth listing in them.
struct List<'a> {
    functions: Vec<(&'a str, Vec<Line>)>,
    lines: usize,
}

enum Line {
    Label(String),
    Instruction(String),
}

impl<'a> List<'a> {
    fn of(functions: &[Function<'a>]) -> Result<Self> {
        let functions = functions
            .iter()
            .map(|function| Ok((function.name, lines(function.body)?)))
            .collect::<Result<Vec<_>>>()?;
        let lines = functions.iter().map(|(_, lines)| lines.len()).sum();
        Ok(Self { functions, lines })
    }

    /// With a comment where its kind of line comes first.
    fn text(&self, of: &Assembly, comments: &BTreeMap<String, String>) -> String {
        let mut text = HEAD.replace("NAME", of.name);
        let mut seen = std::collections::BTreeSet::new();
        for (name, lines) in &self.functions {
            let _ = write!(text, "\n[{name}]\n");
            for line in lines {
                let _ = match line {
                    Line::Label(label) => writeln!(text, "{label}:"),
                    Line::Instruction(line) => {
                        let kind = kind(name, line);
                        let comment = comments.get(&kind).map_or("", String::as_str);
                        if seen.insert(kind) {
                            let commented = format!("    {line:<44} # {comment}");
                            writeln!(text, "{}", commented.trim_end())
                        } else {
                            writeln!(text, "    {line}")
                        }
                    }
                };
            }
        }
        text
    }
}

/// The comments of a list, by the kind of line that they are about.
fn comments(list: &str) -> BTreeMap<String, String> {
    let mut function = "";
    let mut comments = BTreeMap::new();
    for line in list.lines() {
        if let Some(name) = line
            .strip_prefix('[')
            .and_then(|line| line.strip_suffix(']'))
        {
            function = name;
        } else if let Some((line, comment)) = line.split_once(" # ")
            && !line.is_empty()
        {
            comments.insert(kind(function, line.trim()), comment.to_owned());
        }
    }
    comments
}

/// Lines of a kind depend on the same registers: the comment about one is true of all.
fn kind(function: &str, line: &str) -> String {
    if line.starts_with('j') {
        return format!("{function} {line}");
    }
    let mut kind = format!("{function} ");
    let mut characters = line.chars().peekable();
    while let Some(character) = characters.next() {
        kind.push(character);
        let displacement = character == '+';
        let vector = kind.ends_with("zmm") || kind.ends_with("xmm");
        while (displacement || vector)
            && characters
                .next_if(|next| next.is_ascii_hexdigit() || displacement && *next == 'x')
                .is_some()
        {}
    }
    kind.replace("+]", "]")
}

/// What is worth listing of a function, from objdump's lines up to the return; jumps go to labels.
fn lines(body: &str) -> Result<Vec<Line>> {
    let mut instructions = Vec::new();
    for line in body.lines() {
        let (address, text) = line
            .trim_start()
            .split_once(":\t")
            .with_context(|| format!("objdump says {line:?}"))?;
        let text = text.split(" <").next().unwrap_or(text);
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let last = text == "ret";
        instructions.push((address, text));
        if last {
            break;
        }
    }
    if instructions.last().is_none_or(|(_, text)| text != "ret") {
        bail!("a function doesn't return");
    }
    let target = |text: &str| -> Option<String> {
        let (jump, target) = text.split_once(' ')?;
        jump.starts_with('j').then(|| target.to_owned())
    };
    let mut labels: Vec<_> = instructions
        .iter()
        .filter_map(|(_, text)| target(text))
        .collect();
    labels.sort_by_key(|label| u64::from_str_radix(label, 16).unwrap_or(u64::MAX));
    labels.dedup();
    let label = |address: &str| {
        let index = labels.iter().position(|label| label == address)?;
        Some(format!("L{}", index + 1))
    };
    let mut lines = Vec::new();
    let mut placed = 0;
    for (address, text) in &instructions {
        if let Some(label) = label(address) {
            lines.push(Line::Label(label));
            placed += 1;
        }
        if let Some(target) = target(text) {
            let label = label(&target).context("a jump has a target")?;
            lines.push(Line::Instruction(text.replace(&target, &label)));
        } else if !is_vector_arithmetic(text) {
            lines.push(Line::Instruction(text.clone()));
        }
    }
    if placed != labels.len() {
        bail!("a jump leaves its function: {labels:?}");
    }
    Ok(lines)
}

/// Whether an instruction reads and writes vector and mask registers alone.
fn is_vector_arithmetic(text: &str) -> bool {
    let (name, operands) = text.split_once(' ').unwrap_or((text, ""));
    let is_register = |operand: &str| {
        let number = operand
            .strip_prefix("zmm")
            .or_else(|| operand.strip_prefix("xmm"))
            .or_else(|| operand.strip_prefix('k'));
        number.is_some_and(|number| number.starts_with(|digit: char| digit.is_ascii_digit()))
            || operand.starts_with("0x")
    };
    let is_vector = name.starts_with('v') || name.starts_with('k') || operands.contains("xmm");
    is_vector && !operands.is_empty() && operands.split(',').all(is_register)
}

/// Rust's legacy symbol names end in a hash.
fn without_hash(name: &str) -> &str {
    match name.rsplit_once("::h") {
        Some((name, hash))
            if hash.len() == 16 && hash.bytes().all(|digit| digit.is_ascii_hexdigit()) =>
        {
            name
        }
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &str = "    1000:\tmov    rax,rsi
    1003:\tvpxorq zmm4,zmm4,zmm4
    1009:\tvpternlogq zmm4,zmm16,ZMMWORD PTR [rax+0x40],0xf8
    1010:\tdec    rcx
    1013:\tjne    1003 <rsa_private::f+0x3>
    1015:\tkmovw  eax,k1
    1019:\tret
    101a:\tint3
";

    fn shown(body: &str) -> Result<Vec<String>> {
        let lines = lines(body)?;
        Ok(lines
            .into_iter()
            .map(|line| match line {
                Line::Label(label) => format!("{label}:"),
                Line::Instruction(text) => text,
            })
            .collect())
    }

    #[test]
    fn arithmetic_in_vector_registers_is_left_out_and_nothing_else() {
        assert_eq!(
            shown(BODY).unwrap(),
            [
                "mov rax,rsi",
                "L1:",
                "vpternlogq zmm4,zmm16,ZMMWORD PTR [rax+0x40],0xf8",
                "dec rcx",
                "jne L1",
                "kmovw eax,k1",
                "ret",
            ]
        );
        for text in [
            "vpaddq zmm8{k1},zmm8,zmm9",
            "vpsrlq zmm1,zmm2,0x34",
            "korw k1,k1,k2",
            "sha256rnds2 xmm2,xmm1,xmm0",
            "pshufd xmm0,xmm0,0xe",
        ] {
            assert!(is_vector_arithmetic(text), "{text}");
        }
        for text in [
            "vpbroadcastq zmm1,rax",
            "vpgatherqq zmm1{k1},QWORD PTR [rax+zmm2*8]",
            "kmovw k1,r12d",
            "vmovq rax,xmm1",
            "vzeroall",
            "movd eax,xmm1",
            "paddd xmm0,XMMWORD PTR [rcx+0x10]",
            "dec rsi",
            "jne 1003",
        ] {
            assert!(!is_vector_arithmetic(text), "{text}");
        }
    }

    #[test]
    fn a_function_returns_and_its_jumps_stay_inside() {
        assert!(shown(&BODY.replace("ret", "nop")).is_err());
        assert!(shown(&BODY.replace("jne    1003", "jne    2000")).is_err());
    }

    #[test]
    fn a_comment_is_about_lines_with_the_same_registers() {
        let same = |a, b| kind("f", a) == kind("f", b);
        assert!(same(
            "vmovdqa64 zmm4,ZMMWORD PTR [rax]",
            "vmovdqa64 zmm31,ZMMWORD PTR [rax+0xc0]"
        ));
        assert!(!same(
            "vmovdqa64 zmm4,ZMMWORD PTR [rax]",
            "vmovdqa64 zmm4,ZMMWORD PTR [rbx]"
        ));
        assert!(!same(
            "vmovdqa64 zmm4,ZMMWORD PTR [rax]",
            "vmovdqa64 ZMMWORD PTR [rax],zmm4"
        ));
        assert!(!same("jne L1", "jne L2"));
        assert_ne!(kind("f", "dec rcx"), kind("g", "dec rcx"));
    }

    #[test]
    fn comments_are_kept_and_missing_ones_are_seen() {
        let list = List {
            functions: vec![("f", lines(BODY).unwrap())],
            lines: 0,
        };
        let bare = list.text(&IFMA, &BTreeMap::new());
        assert!(
            bare.lines()
                .any(|line| line.trim().starts_with("dec rcx") && line.ends_with('#'))
        );
        let commented = bare.replace("#\nL1", "# the start\nL1");
        assert_ne!(bare, commented);
        assert_eq!(list.text(&IFMA, &comments(&commented)), commented);
    }

    #[test]
    fn every_function_is_there_once_and_no_other_multiplies() {
        let function = |name: &str| format!("0001 <{name}::h0123456789abcdef>:\n{BODY}\n");
        let first = function(IFMA_FUNCTIONS[0]);
        let all: String = IFMA_FUNCTIONS.iter().map(|name| function(name)).collect();
        assert!(functions(&IFMA, &all).is_ok());
        assert!(functions(&IFMA, &first).is_err());
        assert!(functions(&IFMA, &format!("{all}{first}")).is_err());
        let other = function("pki::f").replace("vpxorq", "vpmadd52luq");
        assert!(functions(&IFMA, &format!("{all}{other}")).is_err());
    }
}
