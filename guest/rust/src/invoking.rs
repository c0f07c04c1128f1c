use crate::block::Block;
use crate::error::{bytes, decoded, encoded, Error};
use crate::host;
use crate::{FromBytesOwned, ToBytes};

/// Calls another function of the project; what it gives back.
pub fn invoke<'a, T: FromBytesOwned>(
    function: impl AsRef<str>,
    input: impl ToBytes<'a>,
) -> Result<T, Error> {
    let (function, input) = (Block::of(function.as_ref()), encoded(&input)?);
    decoded(bytes(unsafe { host::ubiq_invoke(function.offset(), input.offset()) })?)
}
