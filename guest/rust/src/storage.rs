//! Files by path, shared by the functions of a project.

use crate::block::Block;
use crate::error::{bytes_if_there, decoded, encoded, number, parsed, Code, Error};
use crate::host;
use crate::{FromBytesOwned, ToBytes};
use serde::Deserialize;

/// What is known of a file.
#[derive(Debug, Clone, Deserialize)]
pub struct File {
    pub path: String,
    pub size: u64,
    /// The media type that the path's ending stands for.
    #[serde(rename = "type")]
    pub media_type: String,
    /// "2026-01-31T12:00:00.000Z"
    pub modified: String,
}

/// What is stored at a path, if there is something.
pub fn read<T: FromBytesOwned>(path: impl AsRef<str>) -> Result<Option<T>, Error> {
    let path = Block::of(path.as_ref());
    let data = bytes_if_there(unsafe { host::ubiq_storage_read(path.offset()) })?;
    data.map(decoded).transpose()
}

/// Stores bytes at a path, all of them or none; they are on disk once this returns.
pub fn write<'a>(path: impl AsRef<str>, data: impl ToBytes<'a>) -> Result<(), Error> {
    let (path, data) = (Block::of(path.as_ref()), encoded(&data)?);
    number(unsafe { host::ubiq_storage_write(path.offset(), data.offset()) })?;
    Ok(())
}

/// Deletes what is stored at a path. Whether it was there.
pub fn delete(path: impl AsRef<str>) -> Result<bool, Error> {
    let path = Block::of(path.as_ref());
    Ok(number(unsafe { host::ubiq_storage_delete(path.offset()) })? == 1)
}

/// What is known of the file at a path, if there is one.
pub fn stat(path: impl AsRef<str>) -> Result<Option<File>, Error> {
    let path = Block::of(path.as_ref());
    match parsed(unsafe { host::ubiq_storage_stat(path.offset()) }) {
        Err(error) if error.code == Code::NotFound => Ok(None),
        file => file.map(Some),
    }
}

/// A page of a list of files.
#[derive(Debug, Clone, Deserialize)]
pub struct Page {
    pub items: Vec<File>,
    /// What the next page's `after` is, if there is one.
    pub next: Option<String>,
}

/// The files whose paths begin with a prefix, behind `after` ("" for the beginning), in the order of
/// their bytes; at most `limit` of them.
pub fn list(prefix: impl AsRef<str>, after: impl AsRef<str>, limit: u32) -> Result<Page, Error> {
    let (prefix, after) = (Block::of(prefix.as_ref()), Block::of(after.as_ref()));
    parsed(unsafe { host::ubiq_storage_list(prefix.offset(), after.offset(), limit.into()) })
}
