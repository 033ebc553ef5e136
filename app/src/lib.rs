//! The web app: Leptos pages, islands, server functions, and the plain types they speak.

pub mod api;
