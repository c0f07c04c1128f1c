//! Variables. They last as long as the instance: where every call has one of its own, they are there for
//! that call only.

use crate::block::Block;
use crate::error::{decoded, encoded, Error};
use crate::{FromBytesOwned, ToBytes};
use extism_pdk::extism;

/// The value of a variable, if it is set.
pub fn get<T: FromBytesOwned>(key: impl AsRef<str>) -> Result<Option<T>, Error> {
    match unsafe { extism::var_get(Block::of(key.as_ref()).give()) } {
        0 => Ok(None),
        offset => decoded(Block::from_offset(offset).bytes()).map(Some),
    }
}

/// Sets a variable; a value of no bytes removes it.
pub fn set<'a>(key: impl AsRef<str>, value: impl ToBytes<'a>) -> Result<(), Error> {
    let (key, value) = (Block::of(key.as_ref()), encoded(&value)?);
    unsafe { extism::var_set(key.give(), value.give()) }
    Ok(())
}

/// Removes a variable.
pub fn remove(key: impl AsRef<str>) {
    unsafe { extism::var_set(Block::of(key.as_ref()).give(), 0) }
}
