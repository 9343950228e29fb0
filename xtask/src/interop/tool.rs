//! The judges: programs that nobody here wrote.
use anyhow::{Result, bail};

use super::shell::Shell;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tool {
    Openssl,
    Java,
    Curl,
    Gnutls,
    Nss,
    Python,
    Softhsm,
    Webpki,
}

impl Tool {
    pub(super) const ALL: [Self; 8] = [
        Self::Openssl,
        Self::Java,
        Self::Curl,
        Self::Gnutls,
        Self::Nss,
        Self::Python,
        Self::Softhsm,
        Self::Webpki,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Openssl => "openssl",
            Self::Java => "java",
            Self::Curl => "curl",
            Self::Gnutls => "gnutls",
            Self::Nss => "nss",
            Self::Python => "python cryptography",
            Self::Softhsm => "softhsm",
            Self::Webpki => "webpki",
        }
    }

    /// Prints the version, and fails when any program of this tool that a check needs is missing.
    fn version_script(self) -> &'static str {
        match self {
            Self::Openssl => "openssl version | cut -d' ' -f2",
            Self::Java => {
                "command -v keytool javac >/dev/null; java --version | head -n 1 | cut -d' ' -f2"
            }
            Self::Curl => "curl --version | head -n 1 | cut -d' ' -f2",
            Self::Gnutls => "certtool --version | head -n 1 | cut -d' ' -f2",
            // NSS's programs don't tell their version; where there is no dpkg, it stays unknown.
            Self::Nss => {
                "command -v certutil pk12util >/dev/null
                dpkg-query --show --showformat '${Version}' libnss3-tools 2>/dev/null || echo '?'"
            }
            Self::Softhsm => "command -v pkcs11-tool >/dev/null; softhsm2-util --version",
            Self::Python => {
                r#""$PYTHON" -c 'import cryptography; print(cryptography.__version__)'"#
            }
            // A library that is linked into this program.
            Self::Webpki => {
                r#"grep -A 1 '"rustls-webpki"' "$LOCK" | sed -n 's/^version = "\(.*\)"/\1/p'"#
            }
        }
    }

    fn how_to_install(self) -> &'static str {
        match self {
            Self::Openssl => "apt-get install openssl",
            Self::Java => "apt-get install default-jdk-headless",
            Self::Curl => "apt-get install curl",
            Self::Gnutls => "apt-get install gnutls-bin",
            Self::Nss => "apt-get install libnss3-tools",
            Self::Softhsm => "apt-get install softhsm2 opensc",
            Self::Python => {
                "python3 -m venv target/judges && target/judges/bin/pip install cryptography \
                 (or set COUNTERSIGN_JUDGES to a virtual environment that has it)"
            }
            Self::Webpki => "it is in Cargo.lock, which was not found",
        }
    }
}

/// The tools with their versions. A judge who didn't come is no acquittal: a missing tool is an error.
pub(super) fn find(shell: &Shell) -> Result<Vec<(Tool, String)>> {
    let mut found = Vec::new();
    let mut missing = Vec::new();
    for tool in Tool::ALL {
        match shell.run(tool.version_script()) {
            Ok(version) => found.push((tool, version.trim().to_owned())),
            Err(_) => missing.push(format!(
                "{} is missing: {}",
                tool.name(),
                tool.how_to_install()
            )),
        }
    }
    if !missing.is_empty() {
        bail!("{}", missing.join("\n"));
    }
    Ok(found)
}
