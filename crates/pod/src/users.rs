use std::collections::BTreeMap;

use crate::Error;

/// A service user.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct User {
    /// The number that the Pod gave it.
    pub id: u64,
    /// Its name, which the Common Name of its certificate must equal, in the same case.
    pub username: String,
    /// Whether it may use the Pod at all. A disabled user is answered 401, and its tokens hold no longer.
    pub enabled: bool,
    /// Whether it may authenticate by certificate. One that may not is answered 403.
    pub certificates_allowed: bool,
}

/// The Pod's service users, by name.
#[derive(Debug, Default)]
pub(crate) struct Users {
    by_name: BTreeMap<String, User>,
}

impl Users {
    pub(crate) fn create(&mut self, username: String) -> Result<User, Error> {
        let characters = username.chars().count();
        if !(1..=MAX_USERNAME).contains(&characters) {
            return Err(Error::InvalidUsername {
                found: characters,
                limit: MAX_USERNAME,
            });
        }
        if self.by_name.contains_key(&username) {
            return Err(Error::UserExists { username });
        }
        let user = User {
            id: FIRST_ID.saturating_add(self.by_name.len() as u64),
            username: username.clone(),
            enabled: true,
            certificates_allowed: true,
        };
        self.by_name.insert(username, user.clone());
        Ok(user)
    }

    pub(crate) fn find(&self, username: &str) -> Option<&User> {
        self.by_name.get(username)
    }

    pub(crate) fn find_mut(&mut self, username: &str) -> Result<&mut User, Error> {
        self.by_name
            .get_mut(username)
            .ok_or_else(|| Error::UnknownUser {
                username: username.to_owned(),
            })
    }
}

/// X.520, `ub-common-name`.
const MAX_USERNAME: usize = 64;

/// Symphony's user numbers are about as large; a client that reads them into 32 bits should find out here.
const FIRST_ID: u64 = 7_078_106_103_809;
