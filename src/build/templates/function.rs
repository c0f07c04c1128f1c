/// Greets whom the request's body names.
#[ubiq::handler]
fn handle(name: String) -> ubiq::Result<String> {
    let name = if name.is_empty() { "world" } else { &name };
    Ok(format!("Hello, {name}!\n"))
}
