//! Blocks of the host's memory.

use extism_pdk::extism;
use extism_pdk::json::Value;

/// A block that is freed when it goes. Offset 0 is the block of no bytes.
pub struct Block(u64);

impl Block {
    /// A new block with these bytes.
    pub fn of(bytes: impl AsRef<[u8]>) -> Block {
        let bytes = bytes.as_ref();
        if bytes.is_empty() {
            return Block(0);
        }
        // The host gives a block of this size, or ends the call.
        unsafe {
            let offset = extism::alloc(bytes.len() as u64);
            extism::store(offset, bytes);
            Block(offset)
        }
    }

    /// The attributes of a line of the log or of an event; null stands for none.
    pub fn of_attributes(attributes: &Value) -> Block {
        if attributes.is_null() {
            Block(0)
        } else {
            Block::of(attributes.to_string())
        }
    }

    /// Takes a block over that a host function gave back.
    pub fn from_offset(offset: u64) -> Block {
        Block(offset)
    }

    pub fn offset(&self) -> u64 {
        self.0
    }

    /// Hands the block to a host function that takes it.
    pub fn give(self) -> u64 {
        let offset = self.0;
        std::mem::forget(self);
        offset
    }

    pub fn bytes(&self) -> Vec<u8> {
        if self.0 == 0 {
            return Vec::new();
        }
        unsafe {
            let mut bytes = vec![0; extism::length(self.0) as usize];
            extism::load(self.0, &mut bytes);
            bytes
        }
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        if self.0 != 0 {
            unsafe { extism::free(self.0) }
        }
    }
}
