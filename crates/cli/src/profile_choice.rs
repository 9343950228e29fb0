//! What is granted: the flags that choose a profile, and what is said of that which it doesn't grant.

use std::{fmt, path::PathBuf};

use clap::ValueEnum;
use pki::{Certificate, ExtendedKeyUsage, Profile, Ungranted};

use crate::{
    error::Error, file_name::InputName, input, report::extension_name,
    signature_choice::SignatureArgs, ui,
};

/// The flags that choose a profile.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct ProfileArgs {
    /// What the certificate is for
    #[arg(long, value_name = "PROFILE", default_value = "client")]
    profile: Option<ProfileName>,

    /// A profile of your own, in TOML: the subject, names and keys that are granted, and every extension
    #[arg(long, value_name = "FILE", conflicts_with_all = ["profile", "days", "signature_algorithm"])]
    profile_file: Option<PathBuf>,

    /// Days of validity [default: 365 (1825 for an intermediate; of a renewed one as before), or until the CA ends]; a profile's file has its own
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    days: Option<u32>,

    #[command(flatten)]
    signature: SignatureArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ProfileName {
    /// A bot: TLS client authentication
    Client,
    /// A TLS server, with the names that are asked for
    Server,
    /// Both of them
    Peer,
    /// Another CA: a "signing certificate"
    Intermediate,
}

impl ProfileArgs {
    /// The file that is read, for [`Inputs`](crate::file_id::Inputs).
    pub(crate) fn file(&self) -> &Option<PathBuf> {
        &self.profile_file
    }

    /// The profile that was chosen.
    ///
    /// # Errors
    ///
    /// [`Error`] when its file can't be read.
    pub(crate) fn read(&self) -> Result<Profile, Error> {
        let mut profile = match (&self.profile_file, self.name()) {
            (Some(path), _) => input::profile(path)?,
            (None, ProfileName::Client) => Profile::client(),
            (None, ProfileName::Server) => Profile::server(),
            (None, ProfileName::Peer) => Profile::peer(),
            (None, ProfileName::Intermediate) => Profile::intermediate(),
        };
        if let Some(days) = self.days {
            profile = profile.valid_for_days(days);
        }
        if let Some(algorithm) = self.signature.chosen() {
            profile = profile.signature_algorithm(algorithm);
        }
        Ok(profile)
    }

    /// Likewise; where no profile was named, ours for certificates that are for the same as this one.
    pub(crate) fn or_that_of(&self, certificate: &Certificate) -> Self {
        let purposes = certificate.extended_key_usage().unwrap_or_default();
        let [server, client] = [ExtendedKeyUsage::ServerAuth, ExtendedKeyUsage::ClientAuth]
            .map(|purpose| purposes.contains(&purpose));
        let is_authority = certificate.basic_constraints().is_some_and(|it| it.ca);
        let fitting = match (is_authority, server, client) {
            (true, ..) => ProfileName::Intermediate,
            (_, true, true) => ProfileName::Peer,
            (_, true, _) => ProfileName::Server,
            _ => ProfileName::Client,
        };
        Self {
            profile: self.profile.or(Some(fitting)),
            ..self.clone()
        }
    }

    fn name(&self) -> ProfileName {
        self.profile.unwrap_or(ProfileName::Client)
    }

    /// Whether it is ours for another CA.
    pub(crate) fn is_intermediate(&self) -> bool {
        self.profile_file.is_none() && self.name() == ProfileName::Intermediate
    }

    /// Whether it is one of ours for those who log in at a Pod.
    pub(crate) fn is_for_clients(&self) -> bool {
        self.profile_file.is_none()
            && matches!(self.name(), ProfileName::Client | ProfileName::Peer)
    }

    /// Tells what a request asks for and doesn't get.
    pub(crate) fn warn_of_ungranted(&self, ungranted: &[Ungranted]) {
        let (names, others) = told_apart(ungranted);
        if !names.is_empty() {
            ui::warn(format!(
                "the profile {self} does not grant these names of the request: {names}"
            ));
        }
        if !others.is_empty() {
            ui::warn(format!(
                "the profile {self} does not grant what the request asks for: {others}"
            ));
        }
    }

    /// Likewise, where the names stood on the same command line: whoever typed them expects them in the certificate.
    ///
    /// # Errors
    ///
    /// [`Error`] for a name.
    pub(crate) fn refuse_ungranted_names(&self, ungranted: &[Ungranted]) -> Result<(), Error> {
        let (names, _) = told_apart(ungranted);
        if names.is_empty() {
            self.warn_of_ungranted(ungranted);
            return Ok(());
        }
        let refusal = Error::refused(format!("the profile {self} does not grant {names}"));
        Err(refusal.hint(match &self.profile_file {
            None => "--profile server grants names, and so does --profile peer",
            Some(_) => "leave the names out, or grant them in the profile's file (names)",
        }))
    }

    /// Tells what a renewed certificate has, or lacks, that a new one would not.
    pub(crate) fn warn_of_kept(&self, ungranted: &[Ungranted]) {
        if !ungranted.is_empty() {
            let kept: Vec<_> = ungranted.iter().map(in_words).collect();
            ui::warn(format!(
                "kept as it was, although the profile {self} would not grant it to a new certificate: {}",
                kept.join(", ")
            ));
        }
    }
}

/// The alternative names, and all else.
fn told_apart(ungranted: &[Ungranted]) -> (String, String) {
    let mut names = Vec::new();
    let mut others = Vec::new();
    for it in ungranted {
        match it {
            Ungranted::SubjectAltName(name) => names.push(name.to_string()),
            other => others.push(in_words(other)),
        }
    }
    (names.join(", "), others.join(", "))
}

/// As it is displayed, but with the names of extensions and attributes.
fn in_words(ungranted: &Ungranted) -> String {
    match ungranted {
        Ungranted::Extension(oid) => {
            format!("the extension {}, or what it says", extension_name(oid))
        }
        Ungranted::Attribute(oid) => {
            format!("the attribute {}", extension_name(oid))
        }
        Ungranted::MissingExtension(oid) => {
            format!("that the extension {} is missing", extension_name(oid))
        }
        other => other.to_string(),
    }
}

/// As messages call it: its name, or its file.
impl fmt::Display for ProfileArgs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.profile_file {
            Some(path) => InputName(path).fmt(f),
            None => f.write_str(match self.name() {
                ProfileName::Client => "client",
                ProfileName::Server => "server",
                ProfileName::Peer => "peer",
                ProfileName::Intermediate => "intermediate",
            }),
        }
    }
}
