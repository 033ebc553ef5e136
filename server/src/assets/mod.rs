//! The site folder.

/// The built site: style sheet, scripts, WASM, fonts.
#[derive(Clone)]
pub struct Site;
