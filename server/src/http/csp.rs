//! Content security policies. Everything is denied but what is named.

/// For pages of the app: scripts and styles that carry the response's nonce, and WebAssembly.
///
/// - `strict-dynamic`: the boot script loads the islands' modules, which carry no nonce of their own.
/// - `wasm-unsafe-eval`: compiles WebAssembly, and nothing else.
/// - `data:` images: the terminal and the style sheet draw small ones.
/// - `connect-src 'self'`: server functions, event streams, and sockets to this host.
pub(super) fn page(nonce: &str) -> String {
    format!(
        "default-src 'none'; script-src 'nonce-{nonce}' 'strict-dynamic' 'wasm-unsafe-eval'; \
         style-src 'self' 'nonce-{nonce}'; img-src 'self' data:; font-src 'self'; connect-src 'self'; \
         manifest-src 'self'; form-action 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'"
    )
}

/// For documents: style sheet and pictures of ours, no script at all.
pub(super) const DOCUMENT: &str = "default-src 'none'; style-src 'self'; img-src 'self'; font-src 'self'; \
                                   form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

/// For everything else.
pub(super) const NOTHING: &str = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
