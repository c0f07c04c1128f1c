//! Why a service did not do what it was asked for.

use crate::block::Block;
use crate::host;
use extism_pdk::json;
use std::fmt;

/// What kind of error it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// There is no such key, path, function or field.
    NotFound = -1,
    /// The function's permissions in ubiq.toml do not cover it.
    Denied = -2,
    /// An argument, or what is stored, is not what it must be.
    Invalid = -3,
    /// A key, a value or a file is larger than the project allows.
    TooLarge = -4,
    /// The project has used up what it may store or ask for.
    OverQuota = -5,
    /// What is stored is not of the kind that was expected.
    Conflict = -6,
    /// It took too long.
    Timeout = -7,
    /// The service cannot do it now.
    Unavailable = -8,
    /// Too much is asked for at once; try again later.
    Busy = -9,
}

impl Code {
    fn of(result: i64) -> Code {
        match result {
            -1 => Code::NotFound,
            -2 => Code::Denied,
            -3 => Code::Invalid,
            -4 => Code::TooLarge,
            -5 => Code::OverQuota,
            -6 => Code::Conflict,
            -7 => Code::Timeout,
            -9 => Code::Busy,
            _ => Code::Unavailable,
        }
    }
}

/// Why a service did not do what it was asked for.
#[derive(Debug, Clone)]
pub struct Error {
    pub code: Code,
    pub message: String,
}

impl Error {
    pub(crate) fn invalid(message: impl fmt::Display) -> Error {
        Error { code: Code::Invalid, message: message.to_string() }
    }

    /// What the host says of a negative result.
    fn of(result: i64) -> Error {
        let said = unsafe { host::ubiq_error() };
        let message = if said > 0 {
            json::from_slice::<json::Value>(&Block::from_offset(said as u64).bytes())
                .ok()
                .and_then(|error| error["message"].as_str().map(str::to_string))
        } else {
            None
        };
        let code = Code::of(result);
        Error { code, message: message.unwrap_or_else(|| format!("{code:?}")) }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

/// The number that a host function gave back.
pub(crate) fn number(result: i64) -> Result<i64, Error> {
    if result < 0 {
        Err(Error::of(result))
    } else {
        Ok(result)
    }
}

/// The bytes of the block that a host function gave back.
pub(crate) fn bytes(result: i64) -> Result<Vec<u8>, Error> {
    number(result).map(|offset| Block::from_offset(offset as u64).bytes())
}

/// The same where what is not there is no error.
pub(crate) fn bytes_if_there(result: i64) -> Result<Option<Vec<u8>>, Error> {
    if result == Code::NotFound as i64 {
        return Ok(None);
    }
    bytes(result).map(Some)
}

/// The JSON of the block that a host function gave back.
pub(crate) fn parsed<T: serde::de::DeserializeOwned>(result: i64) -> Result<T, Error> {
    json::from_slice(&bytes(result)?).map_err(Error::invalid)
}

/// The bytes of something that goes to the host.
pub(crate) fn encoded<'a>(value: &impl extism_pdk::ToBytes<'a>) -> Result<Block, Error> {
    value.to_bytes().map(Block::of).map_err(Error::invalid)
}

/// Something made of bytes that came from the host.
pub(crate) fn decoded<T: extism_pdk::FromBytesOwned>(bytes: Vec<u8>) -> Result<T, Error> {
    T::from_bytes_owned(&bytes).map_err(Error::invalid)
}
