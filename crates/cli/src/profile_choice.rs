//! What is granted: the flags that choose a profile, and what is said of that which it doesn't grant.

use std::{fmt, path::PathBuf};

use clap::ValueEnum;
use pki::{Profile, Ungranted};

use crate::{error::Error, file_name::InputName, input, ui};

/// The flags that choose a profile.
#[derive(Debug, clap::Args)]
pub(crate) struct ProfileArgs {
    /// What the certificate is for
    #[arg(long, value_name = "PROFILE", default_value = "client")]
    profile: ProfileName,

    /// A profile of your own, in TOML: the subject, names and keys that are granted, and every extension
    #[arg(long, value_name = "FILE", conflicts_with = "profile")]
    profile_file: Option<PathBuf>,

    /// Days of validity [default: 365 (1825 for an intermediate), or until the CA ends]; a profile's file has its own
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), conflicts_with = "profile_file")]
    days: Option<u32>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
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
        let profile = match (&self.profile_file, self.profile) {
            (Some(path), _) => input::profile(path)?,
            (None, ProfileName::Client) => Profile::client(),
            (None, ProfileName::Server) => Profile::server(),
            (None, ProfileName::Peer) => Profile::peer(),
            (None, ProfileName::Intermediate) => Profile::intermediate(),
        };
        Ok(match self.days {
            Some(days) => profile.valid_for_days(days),
            None => profile,
        })
    }

    /// Whether it is one of ours for those who log in at a Pod.
    pub(crate) fn is_for_clients(&self) -> bool {
        self.profile_file.is_none()
            && matches!(self.profile, ProfileName::Client | ProfileName::Peer)
    }

    /// Tells what a request asks for and doesn't get.
    pub(crate) fn warn_of_ungranted(&self, ungranted: &[Ungranted]) {
        let mut names = Vec::new();
        let mut others = Vec::new();
        for it in ungranted {
            match it {
                Ungranted::SubjectAltName(name) => names.push(name.to_string()),
                other => others.push(other.to_string()),
            }
        }
        if !names.is_empty() {
            ui::warn(format!(
                "the profile {self} does not grant these names of the request: {}",
                names.join(", ")
            ));
        }
        if !others.is_empty() {
            ui::warn(format!(
                "the profile {self} does not grant what the request asks for: {}",
                others.join(", ")
            ));
        }
    }
}

/// As messages call it: its name, or its file.
impl fmt::Display for ProfileArgs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.profile_file {
            Some(path) => InputName(path).fmt(f),
            None => f.write_str(match self.profile {
                ProfileName::Client => "client",
                ProfileName::Server => "server",
                ProfileName::Peer => "peer",
                ProfileName::Intermediate => "intermediate",
            }),
        }
    }
}
