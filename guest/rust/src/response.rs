//! What is answered besides the handler's output.

use crate::block::Block;
use crate::error::{number, Error};
use crate::host;

/// Sets the status, which is 200 if nobody does.
pub fn status(status: u16) -> Result<(), Error> {
    number(unsafe { host::ubiq_response_status(status.into()) })?;
    Ok(())
}

/// Sets a header; one that is set twice is sent twice.
pub fn header(name: impl AsRef<str>, value: impl AsRef<str>) -> Result<(), Error> {
    let (name, value) = (Block::of(name.as_ref()), Block::of(value.as_ref()));
    number(unsafe { host::ubiq_response_header(name.offset(), value.offset()) })?;
    Ok(())
}
