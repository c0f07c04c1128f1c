//! The trace of an invocation.

use crate::block::Block;
use crate::error::{number, Error};
use crate::host;
use extism_pdk::json::Value;

/// Sets an attribute.
pub fn attribute(key: impl AsRef<str>, value: impl AsRef<str>) -> Result<(), Error> {
    let (key, value) = (Block::of(key.as_ref()), Block::of(value.as_ref()));
    number(unsafe { host::ubiq_trace_attribute(key.offset(), value.offset()) })?;
    Ok(())
}

/// Notes an event, with attributes that are a JSON object or null.
pub fn event(name: impl AsRef<str>, attributes: &Value) -> Result<(), Error> {
    let attributes = Block::of_attributes(attributes);
    let name = Block::of(name.as_ref());
    number(unsafe { host::ubiq_trace_event(name.offset(), attributes.offset()) })?;
    Ok(())
}
