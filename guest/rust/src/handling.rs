//! What `#[ubiq::handler]` is made of.

use crate::block::Block;
use extism_pdk::{extism, FromBytesOwned, ToMemory};
use std::fmt::Display;

fn fail(error: impl Display) -> i32 {
    // With all the causes that an error of anyhow has.
    let text = Block::of(format!("{error:#}"));
    unsafe { extism::error_set(text.give()) }
    1
}

fn finish<T: ToMemory, E: Display>(result: Result<T, E>) -> i32 {
    let output = match result {
        Ok(output) => output,
        Err(error) => return fail(error),
    };
    match output.to_memory() {
        Ok(memory) => {
            memory.set_output();
            0
        }
        Err(error) => fail(error),
    }
}

/// A panic ends the call with a trap, which has no words: the log gets them.
fn tell_panics() {
    std::panic::set_hook(Box::new(|info| {
        unsafe { extism::log_error(Block::of(info.to_string()).give()) }
    }));
}

pub fn run<T: ToMemory, E: Display>(handler: fn() -> Result<T, E>) -> i32 {
    tell_panics();
    finish(handler())
}

pub fn run_with_input<I: FromBytesOwned, T: ToMemory, E: Display>(
    handler: fn(I) -> Result<T, E>,
) -> i32 {
    tell_panics();
    match extism_pdk::input() {
        Ok(input) => finish(handler(input)),
        Err(error) => fail(error),
    }
}
