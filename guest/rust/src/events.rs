//! Events between functions, and ticks of cron.

use crate::block::Block;
use crate::error::{bytes, decoded, encoded, Error};
use crate::host;
use crate::ToBytes;
use serde::Deserialize;

/// An event, as a function gets it that a trigger names: `fn handle(Json(event): Json<Event<Order>>)`. The
/// same one may come again (with a higher `attempt`, or not); its id tells.
#[derive(Debug, Clone, Deserialize)]
pub struct Event<T> {
    pub topic: String,
    pub id: String,
    pub time: String,
    /// The function that emitted it.
    pub source: Option<String>,
    /// From 1.
    pub attempt: u32,
    pub payload: T,
}

/// What a function gets that a cron line names: `fn handle(Json(tick): Json<Tick>)`.
#[derive(Debug, Clone, Deserialize)]
pub struct Tick {
    pub schedule: String,
    pub time: String,
}

/// Emits an event to the functions whose triggers match its topic. Its id, once it is on disk.
pub fn emit<'a>(topic: impl AsRef<str>, payload: impl ToBytes<'a>) -> Result<String, Error> {
    let (topic, payload) = (Block::of(topic.as_ref()), encoded(&payload)?);
    decoded(bytes(unsafe { host::ubiq_events_emit(topic.offset(), payload.offset()) })?)
}
