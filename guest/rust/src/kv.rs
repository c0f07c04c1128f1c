//! Key-value storage, shared by the functions of a project.

use crate::block::Block;
use crate::error::{bytes_if_there, decoded, encoded, number, parsed, Error};
use crate::host;
use crate::{FromBytesOwned, ToBytes};
use serde::Deserialize;
use std::time::Duration;

/// Milliseconds, as the host counts; what is not 0 does not become 0, which is for ever.
fn milliseconds(ttl: Option<Duration>) -> i64 {
    match ttl {
        None => 0,
        Some(ttl) => i64::try_from(ttl.as_millis()).unwrap_or(i64::MAX).max(1),
    }
}

/// The value of a key, if it is there: `kv::get::<String>("name")`, `kv::get::<Json<User>>("user:1")`.
pub fn get<T: FromBytesOwned>(key: impl AsRef<[u8]>) -> Result<Option<T>, Error> {
    let value = bytes_if_there(unsafe { host::ubiq_kv_get(Block::of(key).offset()) })?;
    value.map(decoded).transpose()
}

/// Sets a key; it is on disk once this returns.
pub fn set<'a>(key: impl AsRef<[u8]>, value: impl ToBytes<'a>) -> Result<(), Error> {
    set_with(key, value, None)
}

/// Sets a key that is gone after a while.
pub fn set_for<'a>(
    key: impl AsRef<[u8]>,
    value: impl ToBytes<'a>,
    ttl: Duration,
) -> Result<(), Error> {
    set_with(key, value, Some(ttl))
}

fn set_with<'a>(
    key: impl AsRef<[u8]>,
    value: impl ToBytes<'a>,
    ttl: Option<Duration>,
) -> Result<(), Error> {
    let (key, value) = (Block::of(key), encoded(&value)?);
    number(unsafe { host::ubiq_kv_set(key.offset(), value.offset(), milliseconds(ttl)) })?;
    Ok(())
}

/// Sets a key that is not there, for ever or for a while. Whether it was set.
pub fn set_if_absent<'a>(
    key: impl AsRef<[u8]>,
    value: impl ToBytes<'a>,
    ttl: Option<Duration>,
) -> Result<bool, Error> {
    let (key, value) = (Block::of(key), encoded(&value)?);
    let set = unsafe {
        host::ubiq_kv_set_if_absent(key.offset(), value.offset(), milliseconds(ttl))
    };
    Ok(number(set)? == 1)
}

/// Sets a key whose value is `expected`, for ever or for a while. Whether it was set.
pub fn compare_and_set<'a, 'b>(
    key: impl AsRef<[u8]>,
    expected: impl ToBytes<'a>,
    value: impl ToBytes<'b>,
    ttl: Option<Duration>,
) -> Result<bool, Error> {
    let (key, expected, value) = (Block::of(key), encoded(&expected)?, encoded(&value)?);
    let set = unsafe {
        host::ubiq_kv_compare_and_set(
            key.offset(),
            expected.offset(),
            value.offset(),
            milliseconds(ttl),
        )
    };
    Ok(number(set)? == 1)
}

/// Adds to the decimal number that a key has; one that is not there counts as 0. The new number.
pub fn increment(key: impl AsRef<[u8]>, delta: i64) -> Result<i64, Error> {
    parsed(unsafe { host::ubiq_kv_increment(Block::of(key).offset(), delta) })
}

/// Deletes a key. Whether it was there.
pub fn delete(key: impl AsRef<[u8]>) -> Result<bool, Error> {
    Ok(number(unsafe { host::ubiq_kv_delete(Block::of(key).offset()) })? == 1)
}

/// A page of a list of keys.
#[derive(Debug, Clone, Deserialize)]
pub struct Page {
    pub keys: Vec<String>,
    /// What the next page's `after` is, if there is one.
    pub next: Option<String>,
}

/// The keys that begin with a prefix, behind `after` ("" for the beginning), in the order of their bytes;
/// at most `limit` of them.
pub fn list(
    prefix: impl AsRef<[u8]>,
    after: impl AsRef<[u8]>,
    limit: u32,
) -> Result<Page, Error> {
    let (prefix, after) = (Block::of(prefix), Block::of(after));
    parsed(unsafe { host::ubiq_kv_list(prefix.offset(), after.offset(), limit.into()) })
}
