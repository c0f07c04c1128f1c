//! Configuration, as ubiq.toml has it.

use crate::block::Block;
use extism_pdk::extism;

/// The value of a key, which must not be empty.
pub fn get(key: impl AsRef<str>) -> Option<String> {
    match unsafe { extism::config_get(Block::of(key.as_ref()).give()) } {
        0 => None,
        offset => String::from_utf8(Block::from_offset(offset).bytes()).ok(),
    }
}
