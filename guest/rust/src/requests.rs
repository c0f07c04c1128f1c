use crate::error::parsed;
use crate::host;
use extism_pdk::json::Value;
use serde::Deserialize;
use std::collections::BTreeMap;

/// What the function is called for. The body is the handler's input.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Request {
    pub id: String,
    /// "http", "event", "cron" or "invoke"; but for "http", most of the rest is empty.
    pub trigger: String,
    pub method: String,
    pub path: String,
    /// The path with the query as it came.
    pub url: String,
    /// "/users/:id"
    pub route: String,
    pub params: BTreeMap<String, String>,
    /// Of a name that came more than once, the first value.
    pub query: BTreeMap<String, String>,
    /// By name in lower case.
    pub headers: BTreeMap<String, String>,
    /// What middleware has found out: "claims", "api_key", "request_id", "context".
    #[serde(flatten)]
    pub found: BTreeMap<String, Value>,
}

impl Request {
    /// A parameter of the route: "id" of functions/users/[id].rs.
    pub fn param(&self, name: &str) -> Option<&str> {
        self.params.get(name).map(String::as_str)
    }

    /// A parameter of the query.
    pub fn query(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(String::as_str)
    }

    /// A header, whatever the case of its name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(&name.to_ascii_lowercase()).map(String::as_str)
    }
}

/// What the function is called for.
pub fn request() -> Request {
    parsed(unsafe { host::ubiq_request() }).unwrap_or_default()
}
