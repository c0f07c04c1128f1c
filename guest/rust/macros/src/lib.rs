//! The attribute `ubiq::handler`.

use proc_macro::TokenStream;
use quote::quote;
use syn::{parse_macro_input, Error, FnArg, Ident, ItemFn};

/// Makes a function callable from outside, under its own name or the one that is given:
/// `#[ubiq::handler(GET)]`. It takes nothing, or the input as anything that extism-pdk converts bytes
/// to (`String`, `Vec<u8>`, `Json<T>`), and gives back a `Result` of what it converts to bytes.
#[proc_macro_attribute]
pub fn handler(name: TokenStream, function: TokenStream) -> TokenStream {
    let function = parse_macro_input!(function as ItemFn);
    let export = if name.is_empty() {
        function.sig.ident.to_string()
    } else {
        parse_macro_input!(name as Ident).to_string()
    };
    let complaint = if function.sig.asyncness.is_some() {
        Some("a handler is not async: nothing else runs in its instance")
    } else if !function.sig.generics.params.is_empty() {
        Some("a handler has no generic parameters: nobody could say what they are")
    } else if function.sig.inputs.len() > 1 {
        Some("a handler takes its input, or nothing")
    } else if matches!(function.sig.inputs.first(), Some(FnArg::Receiver(_))) {
        Some("a handler is no method")
    } else {
        None
    };
    if let Some(text) = complaint {
        return Error::new_spanned(&function.sig, text).to_compile_error().into();
    }
    let called = &function.sig.ident;
    let run = if function.sig.inputs.is_empty() { quote!(run) } else { quote!(run_with_input) };
    quote! {
        #function

        const _: () = {
            #[export_name = #export]
            extern "C" fn exported() -> i32 {
                ::ubiq::handling::#run(#called)
            }
        };
    }
    .into()
}
