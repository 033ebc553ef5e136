//! A marked line as elements.

use leptos::{either::Either, prelude::*};

use crate::marks::parts;

pub(crate) fn inline(text: &str) -> impl IntoView + use<> {
    parts(text)
        .into_iter()
        .map(|(code, part)| if code { Either::Left(view! { <code>{part}</code> }) } else { Either::Right(part) })
        .collect_view()
}
