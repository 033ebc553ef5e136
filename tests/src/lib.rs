//! Placeholder; its owner writes the crate map here.
