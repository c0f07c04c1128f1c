//! A plug-in made with the extism-pdk crate: one function for each part of the PDK.

use extism_pdk::*;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, ToBytes, FromBytes)]
#[encoding(Json)]
struct Count {
    count: usize,
    vowels: String,
}

#[host_fn]
extern "ExtismHost" {
    fn shout(text: String) -> String;
}

#[plugin_fn]
pub fn count_vowels(input: String) -> FnResult<Count> {
    let vowels = "aeiouAEIOU";
    Ok(Count {
        count: input.chars().filter(|c| vowels.contains(*c)).count(),
        vowels: vowels.into(),
    })
}

#[plugin_fn]
pub fn echo(input: Vec<u8>) -> FnResult<Vec<u8>> {
    Ok(input)
}

#[plugin_fn]
pub fn config(key: String) -> FnResult<String> {
    config::get(&key)?.ok_or_else(|| WithReturnCode::new(Error::msg(format!("no {key}")), 4))
}

/// How often it was called, kept in a variable.
#[plugin_fn]
pub fn counter(_: ()) -> FnResult<String> {
    let n = var::get::<String>("n")?.map_or(0, |n| n.parse().unwrap_or(0)) + 1;
    var::set("n", n.to_string())?;
    Ok(n.to_string())
}

#[plugin_fn]
pub fn forget(_: ()) -> FnResult<()> {
    var::remove("n")?;
    Ok(())
}

#[derive(Serialize, Deserialize, FromBytes)]
#[encoding(Json)]
struct Fetch {
    request: HttpRequest,
    body: Option<String>,
}

#[plugin_fn]
pub fn fetch(fetch: Fetch) -> FnResult<String> {
    let response = http::request(&fetch.request, fetch.body)?;
    Ok(format!(
        "{} {} {}",
        response.status_code(),
        response.header("x-test").unwrap_or("no header"),
        String::from_utf8_lossy(&response.body())
    ))
}

#[plugin_fn]
pub fn log(text: String) -> FnResult<()> {
    trace!("trace {}", text);
    debug!("debug {}", text);
    info!("info {}", text);
    warn!("warn {}", text);
    error!("error {}", text);
    Ok(())
}

#[plugin_fn]
pub fn call_host(text: String) -> FnResult<String> {
    Ok(unsafe { shout(text)? })
}

#[plugin_fn]
pub fn fail(text: String) -> FnResult<()> {
    Err(WithReturnCode::new(Error::msg(text), 17))
}

#[plugin_fn]
pub fn panics(text: String) -> FnResult<()> {
    panic!("{text}");
}

#[plugin_fn]
pub fn json_only(Json(numbers): Json<Vec<i64>>) -> FnResult<Json<i64>> {
    Ok(Json(numbers.iter().sum()))
}
