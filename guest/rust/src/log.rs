//! The log.

use crate::block::Block;
use crate::error::{number, Error};
use crate::host;
use extism_pdk::json::Value;

/// How grave a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    Trace,
    Debug,
    Info,
    Warn,
    Error,
}

/// Writes a line with attributes, which are a JSON object: `json!({"order": 17})`.
pub fn write(level: Level, message: impl AsRef<str>, attributes: &Value) -> Result<(), Error> {
    let attributes = Block::of_attributes(attributes);
    let message = Block::of(message.as_ref());
    number(unsafe { host::ubiq_log(level as i32, message.offset(), attributes.offset()) })?;
    Ok(())
}

/* Without attributes nothing can be wrong with a line. */

pub fn trace(message: impl AsRef<str>) {
    let _ = write(Level::Trace, message, &Value::Null);
}

pub fn debug(message: impl AsRef<str>) {
    let _ = write(Level::Debug, message, &Value::Null);
}

pub fn info(message: impl AsRef<str>) {
    let _ = write(Level::Info, message, &Value::Null);
}

pub fn warn(message: impl AsRef<str>) {
    let _ = write(Level::Warn, message, &Value::Null);
}

pub fn error(message: impl AsRef<str>) {
    let _ = write(Level::Error, message, &Value::Null);
}
