use std::{fs, io::Read, path::Path};

use zeroize::Zeroizing;

use crate::Error;

/// The content of a file that may hold secrets, of so many octets at most.
pub(crate) fn read(path: &Path, limit: u64) -> Result<Zeroizing<Vec<u8>>, Error> {
    let failed = |kind| Error::File {
        path: path.to_owned(),
        kind,
    };
    let file = fs::File::open(path).map_err(|error| failed(error.kind()))?;
    let mut content = Zeroizing::new(Vec::new());
    file.take(limit.saturating_add(1))
        .read_to_end(&mut content)
        .map_err(|error| failed(error.kind()))?;
    if u64::try_from(content.len()).is_ok_and(|size| size <= limit) {
        Ok(content)
    } else {
        Err(failed(std::io::ErrorKind::FileTooLarge))
    }
}
