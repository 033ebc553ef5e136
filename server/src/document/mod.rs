//! What leaves the app as a document, rendered by askama.
