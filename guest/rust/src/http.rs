//! Requests to other hosts. One that cannot be reached, that is not allowed or that takes too long ends
//! the call with an error, as on any Extism host.

use crate::error::{encoded, Error};
use crate::ToBytes;
use extism_pdk::json;
use std::collections::HashMap;

/// A request that is being put together.
pub struct Request {
    request: extism_pdk::HttpRequest,
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Response {
    pub status: u16,
    /// By name in lower case.
    pub headers: HashMap<String, String>,
    pub body: Vec<u8>,
}

impl Request {
    pub fn new(method: impl Into<String>, url: impl Into<String>) -> Request {
        Request { request: extism_pdk::HttpRequest::new(url).with_method(method) }
    }

    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Request {
        self.request = self.request.with_header(name, value);
        self
    }

    /// Sends it without a body, and waits for the response.
    pub fn send(self) -> Result<Response, Error> {
        self.send_body(())
    }

    /// Sends it with a body, and waits for the response.
    pub fn send_body<'a>(self, body: impl ToBytes<'a>) -> Result<Response, Error> {
        let body = encoded(&body)?.bytes();
        let body = if body.is_empty() { None } else { Some(body) };
        let response = extism_pdk::http::request(&self.request, body).map_err(Error::invalid)?;
        Ok(Response {
            status: response.status_code(),
            headers: response.headers().clone(),
            body: response.body(),
        })
    }
}

impl Response {
    /// A header, whatever the case of its name.
    pub fn header(&self, name: &str) -> Option<&str> {
        let wanted = |other: &&String| other.eq_ignore_ascii_case(name);
        self.headers.keys().find(wanted).and_then(|key| self.headers.get(key)).map(String::as_str)
    }

    /// The body as JSON.
    pub fn json<T: serde::de::DeserializeOwned>(&self) -> Result<T, Error> {
        json::from_slice(&self.body).map_err(Error::invalid)
    }
}

/// Fetches a URL.
pub fn get(url: impl Into<String>) -> Result<Response, Error> {
    Request::new("GET", url).send()
}
