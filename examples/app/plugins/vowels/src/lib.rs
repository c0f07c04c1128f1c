//! Counts the vowels of a text, upper and lower case.

use extism_pdk::*;
use serde::Serialize;

#[derive(Default, Serialize, ToBytes)]
#[encoding(Json)]
struct Vowels {
    total: usize,
    a: usize,
    e: usize,
    i: usize,
    o: usize,
    u: usize,
}

#[plugin_fn]
pub fn count_vowels(text: Vec<u8>) -> FnResult<Vowels> {
    let mut found = Vowels::default();
    for byte in text {
        let count = match byte.to_ascii_lowercase() {
            b'a' => &mut found.a,
            b'e' => &mut found.e,
            b'i' => &mut found.i,
            b'o' => &mut found.o,
            b'u' => &mut found.u,
            _ => continue,
        };
        *count += 1;
        found.total += 1;
    }
    Ok(found)
}
