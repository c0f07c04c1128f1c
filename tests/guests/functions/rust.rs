//! The conformance suite's function in Rust: see ../README.md.

use std::time::Duration;
use ubiq::json::{json, Value};
use ubiq::{config, events, http, kv, log, request, response, storage, trace, var, Error, Json};

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn number(value: &Value) -> i64 {
    value.as_i64().unwrap_or_default()
}

fn ttl(value: &Value) -> Option<Duration> {
    match number(value) {
        0 => None,
        ms => Some(Duration::from_millis(ms as u64)),
    }
}

fn run_kv(name: &str, a: &[Value]) -> Result<Value, Error> {
    Ok(match name {
        "kv.get" => json!(kv::get::<String>(text(&a[0]))?),
        "kv.set" => {
            match ttl(&a[2]) {
                None => kv::set(text(&a[0]), text(&a[1]))?,
                Some(ttl) => kv::set_for(text(&a[0]), text(&a[1]), ttl)?,
            }
            json!(true)
        }
        "kv.set_if_absent" => json!(kv::set_if_absent(text(&a[0]), text(&a[1]), ttl(&a[2]))?),
        "kv.compare_and_set" => {
            json!(kv::compare_and_set(text(&a[0]), text(&a[1]), text(&a[2]), ttl(&a[3]))?)
        }
        "kv.increment" => json!(kv::increment(text(&a[0]), number(&a[1]))?),
        "kv.delete" => json!(kv::delete(text(&a[0]))?),
        _ => {
            let page = kv::list(text(&a[0]), text(&a[1]), number(&a[2]) as u32)?;
            json!({"keys": page.keys, "next": page.next})
        }
    })
}

fn described(file: &storage::File) -> Value {
    json!({"path": file.path, "size": file.size, "type": file.media_type,
           "dated": file.modified.starts_with("20")})
}

fn run_storage(name: &str, a: &[Value]) -> Result<Value, Error> {
    Ok(match name {
        "storage.read" => json!(storage::read::<String>(text(&a[0]))?),
        "storage.write" => {
            storage::write(text(&a[0]), text(&a[1]))?;
            json!(true)
        }
        "storage.delete" => json!(storage::delete(text(&a[0]))?),
        "storage.stat" => json!(storage::stat(text(&a[0]))?.map(|file| described(&file))),
        _ => {
            let page = storage::list(text(&a[0]), text(&a[1]), number(&a[2]) as u32)?;
            json!({"items": page.items.iter().map(described).collect::<Vec<_>>(), "next": page.next})
        }
    })
}

fn run_request(name: &str, a: &[Value]) -> Value {
    let r = request();
    match name {
        "request" => json!({"trigger": r.trigger, "method": r.method, "path": r.path,
                            "route": r.route, "url": r.url, "has_id": !r.id.is_empty()}),
        "request.param" => json!(r.param(text(&a[0]))),
        "request.query" => json!(r.query(text(&a[0]))),
        _ => json!(r.header(text(&a[0]))),
    }
}

fn run_http(a: &[Value]) -> Result<Value, Error> {
    let response = http::Request::new(text(&a[0]), text(&a[1]))
        .header("X-Sent", text(&a[2]))
        .send_body(text(&a[3]))?;
    Ok(json!({"status": response.status, "body": String::from_utf8_lossy(&response.body),
              "header": response.header("x-reply")}))
}

const LEVELS: [log::Level; 5] =
    [log::Level::Trace, log::Level::Debug, log::Level::Info, log::Level::Warn, log::Level::Error];

fn run(name: &str, a: &[Value]) -> Result<Value, Error> {
    Ok(match name {
        "events.emit" => json!(events::emit(text(&a[0]), text(&a[1]))?.len()),
        "invoke" => json!(ubiq::invoke::<String>(text(&a[0]), text(&a[1]))?),
        "config" => json!(config::get(text(&a[0]))),
        "var.get" => json!(var::get::<String>(text(&a[0]))?),
        "var.set" => {
            var::set(text(&a[0]), text(&a[1]))?;
            json!(true)
        }
        "http" => run_http(a)?,
        "log" => {
            log::write(LEVELS[number(&a[0]) as usize], text(&a[1]), &a[2])?;
            json!(true)
        }
        "trace.attribute" => {
            trace::attribute(text(&a[0]), text(&a[1]))?;
            json!(true)
        }
        "trace.event" => {
            trace::event(text(&a[0]), &a[1])?;
            json!(true)
        }
        "response.status" => {
            response::status(number(&a[0]) as u16)?;
            json!(true)
        }
        "response.header" => {
            response::header(text(&a[0]), text(&a[1]))?;
            json!(true)
        }
        _ if name.starts_with("kv.") => run_kv(name, a)?,
        _ if name.starts_with("storage.") => run_storage(name, a)?,
        _ => run_request(name, a),
    })
}

#[ubiq::handler(POST)]
fn post(Json(commands): Json<Vec<Vec<Value>>>) -> ubiq::Result<String> {
    let mut results = Vec::new();
    for command in &commands {
        let name = text(&command[0]);
        if name == "fail" {
            return Err(ubiq::Error {
                code: ubiq::Code::Invalid,
                message: text(&command[1]).to_string(),
            }
            .into());
        }
        results.push(match run(name, &command[1..]) {
            Ok(result) => result,
            Err(error) => json!({"code": error.code as i32, "message": error.message}),
        });
    }
    Ok(json!(results).to_string())
}

#[ubiq::handler(PUT)]
fn put(input: Vec<u8>) -> ubiq::Result<Vec<u8>> {
    Ok(input)
}
