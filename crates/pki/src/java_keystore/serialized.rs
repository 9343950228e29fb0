//! Passing over a serialized Java object: JCEKS keeps a secret key as one, and doesn't tell its length.
//!
//! The Java Object Serialization Specification, section 6.4, as far as data without methods of its own goes.

use super::fields::Fields;
use crate::{Error, der::malformed};

/// Moves to what follows the stream with one object.
pub(super) fn skip(fields: &mut Fields<'_>) -> Result<(), Error> {
    if fields.take(HEADER.len())? != HEADER {
        return Err(malformed(fields.what, "a secret key is no Java object"));
    }
    Stream {
        fields,
        handles: Vec::new(),
    }
    .content(MAX_DEPTH)
}

/// STREAM_MAGIC and STREAM_VERSION
const HEADER: [u8; 4] = [0xac, 0xed, 0, 5];
/// An object of a class of a keystore has three levels.
const MAX_DEPTH: usize = 16;
/// Of references to what came before; such an object has a dozen.
const MAX_HANDLES: usize = 64;
const BASE_HANDLE: u32 = 0x007e_0000;

const NULL: u8 = 0x70;
const REFERENCE: u8 = 0x71;
const CLASS_DESC: u8 = 0x72;
const OBJECT: u8 = 0x73;
const STRING: u8 = 0x74;
const ARRAY: u8 = 0x75;
const BLOCK_DATA: u8 = 0x77;
const END_BLOCK_DATA: u8 = 0x78;
const LONG_BLOCK_DATA: u8 = 0x7a;
const LONG_STRING: u8 = 0x7c;

const WRITE_METHOD: u8 = 1;
const SERIALIZABLE: u8 = 2;

struct Stream<'s, 'a> {
    fields: &'s mut Fields<'a>,
    /// What a reference may mean, in order; all but class descriptions are of no interest.
    handles: Vec<Option<Class>>,
}

/// A class description.
#[derive(Clone)]
struct Class {
    /// The type code of the elements, if it is an array's.
    element: u8,
    /// The type codes of its own fields and, first, those of its superclasses, each with their flags.
    levels: Vec<(u8, Vec<u8>)>,
}

impl Stream<'_, '_> {
    fn byte(&mut self) -> Result<u8, Error> {
        match self.fields.take(1)? {
            [byte] => Ok(*byte),
            _ => Err(self.malformed()),
        }
    }

    fn u16(&mut self) -> Result<u16, Error> {
        let octets = self.fields.take(2)?;
        octets
            .try_into()
            .map(u16::from_be_bytes)
            .map_err(|_| self.malformed())
    }

    fn malformed(&self) -> Error {
        malformed(
            self.fields.what,
            "a secret key is a Java object of another kind",
        )
    }

    fn deeper(&self, depth: usize) -> Result<usize, Error> {
        depth.checked_sub(1).ok_or(Error::NestedTooDeeply {
            what: self.fields.what,
            limit: MAX_DEPTH,
        })
    }

    fn assign(&mut self, class: Option<Class>) -> Result<(), Error> {
        if self.handles.len() >= MAX_HANDLES {
            return Err(self.malformed());
        }
        self.handles.push(class);
        Ok(())
    }

    /// Whatever may stand in the place of an object.
    fn content(&mut self, depth: usize) -> Result<(), Error> {
        let depth = self.deeper(depth)?;
        match self.byte()? {
            NULL => Ok(()),
            REFERENCE => self.fields.take(4).map(drop),
            STRING => {
                self.assign(None)?;
                let len = self.u16()?;
                self.fields.take(len.into()).map(drop)
            }
            LONG_STRING => {
                self.assign(None)?;
                self.fields.take(4)?; // no file is as long as that
                self.fields.octets().map(drop)
            }
            ARRAY => {
                let class = self.class(depth)?.ok_or_else(|| self.malformed())?;
                self.assign(None)?;
                let count = self.fields.u32()?;
                match usize::try_from(count)
                    .ok()
                    .zip(size_of_value(class.element))
                {
                    Some((count, size)) => {
                        let size = count.checked_mul(size).ok_or_else(|| self.malformed())?;
                        self.fields.take(size).map(drop)
                    }
                    None => (0..count).try_for_each(|_| self.content(depth)),
                }
            }
            OBJECT => {
                let class = self.class(depth)?.ok_or_else(|| self.malformed())?;
                self.assign(None)?;
                for (flags, codes) in class.levels {
                    if flags & SERIALIZABLE == 0 {
                        return Err(self.malformed());
                    }
                    for code in codes {
                        match size_of_value(code) {
                            Some(size) => self.fields.take(size).map(drop)?,
                            None => self.content(depth)?,
                        }
                    }
                    if flags & WRITE_METHOD != 0 {
                        self.annotation(depth)?;
                    }
                }
                Ok(())
            }
            _ => Err(self.malformed()),
        }
    }

    /// A class description, or none.
    fn class(&mut self, depth: usize) -> Result<Option<Class>, Error> {
        let depth = self.deeper(depth)?;
        match self.byte()? {
            NULL => Ok(None),
            REFERENCE => {
                let handle = self.fields.u32()?.checked_sub(BASE_HANDLE);
                let class = handle
                    .and_then(|at| self.handles.get(usize::try_from(at).ok()?)?.clone())
                    .ok_or_else(|| self.malformed())?;
                Ok(Some(class))
            }
            CLASS_DESC => {
                let name = self.fields.text()?;
                self.fields.take(8)?; // serialVersionUID
                let at = self.handles.len();
                self.assign(None)?;
                let flags = self.byte()?;
                let count = self.u16()?;
                let mut codes = Vec::new();
                for _ in 0..count {
                    let code = self.byte()?;
                    self.fields.text()?;
                    if size_of_value(code).is_none() {
                        self.content(depth)?; // the name of its class
                    }
                    codes.push(code);
                }
                self.annotation(depth)?;
                let mut levels = match self.class(depth)? {
                    Some(above) => above.levels,
                    None => Vec::new(),
                };
                levels.push((flags, codes));
                // An array's name is a bracket and the code of its elements.
                let element = name.as_bytes().get(1).copied().unwrap_or_default();
                let class = Class { element, levels };
                if let Some(place) = self.handles.get_mut(at) {
                    *place = Some(class.clone());
                }
                Ok(Some(class))
            }
            _ => Err(self.malformed()),
        }
    }

    /// What a class has written beside its fields.
    fn annotation(&mut self, depth: usize) -> Result<(), Error> {
        loop {
            match self.fields.rest {
                [END_BLOCK_DATA, rest @ ..] => {
                    self.fields.rest = rest;
                    return Ok(());
                }
                [BLOCK_DATA, len, rest @ ..] => {
                    self.fields.rest = rest;
                    self.fields.take((*len).into())?;
                }
                [LONG_BLOCK_DATA, rest @ ..] => {
                    self.fields.rest = rest;
                    self.fields.octets()?;
                }
                _ => self.content(depth)?,
            }
        }
    }
}

/// The octets of a value with this type code; `None` for objects and arrays.
fn size_of_value(code: u8) -> Option<usize> {
    match code {
        b'B' | b'Z' => Some(1),
        b'C' | b'S' => Some(2),
        b'F' | b'I' => Some(4),
        b'D' | b'J' => Some(8),
        _ => None,
    }
}
