//! Where a component's type ends.
//!
//! A page is one type, nested as deep as its elements. On the server that depth costs compile time, so each larger part
//! is boxed. In the browser a boxed part costs size instead (its table of functions keeps all of them), so there the type
//! stays as it is; both render the same.

use leptos::prelude::*;

#[cfg(feature = "ssr")]
pub(crate) fn whole(view: impl IntoAny) -> AnyView {
    view.into_any()
}

#[cfg(not(feature = "ssr"))]
pub(crate) fn whole<V: IntoView>(view: V) -> V {
    view
}
