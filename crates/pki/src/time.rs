use std::{fmt, time::SystemTime};
/// Displays a time as RFC 3339 in UTC, to the second.
pub(crate) struct Rfc3339(pub(crate) SystemTime);
impl fmt::Display for Rfc3339 {
    fn fmt(&self, _f: &mut fmt::Formatter<'_>) -> fmt::Result {
        todo!()
    }
}
