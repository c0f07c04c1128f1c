//! Functions for Ubiquitous, on top of [extism-pdk](https://docs.rs/extism-pdk).
//!
//! ```no_run
//! use ubiq::{kv, request, response};
//!
//! #[ubiq::handler(GET)]
//! fn read() -> ubiq::Result<String> {
//!     let id = request().param("id").unwrap_or_default().to_string();
//!     match kv::get::<String>(format!("user:{id}"))? {
//!         Some(user) => Ok(user),
//!         None => {
//!             response::status(404)?;
//!             Ok("no such user".into())
//!         }
//!     }
//! }
//! ```
//!
//! A handler's input is the body of a request (or an event, see [`events`]), its output the body of the
//! response. The handler `handle` takes all requests, events, and what else a function can be called for.
//! Handlers named as HTTP methods (`#[ubiq::handler(GET)]`) in its place, or beside it, take the requests:
//! those with these methods, and no others.

mod block;
mod error;
#[doc(hidden)]
pub mod handling;
mod host;

pub mod config;
pub mod events;
pub mod http;
pub mod kv;
pub mod log;
pub mod response;
pub mod storage;
pub mod trace;
pub mod var;

mod invoking;
mod requests;

pub use error::{Code, Error};
pub use extism_pdk::{json, FromBytes, FromBytesOwned, Json, ToBytes};
pub use invoking::invoke;
pub use requests::{request, Request};
pub use ubiq_macros::handler;

/// What a handler gives back. Any error will do; its text ends the call.
pub type Result<T = (), E = extism_pdk::Error> = std::result::Result<T, E>;
