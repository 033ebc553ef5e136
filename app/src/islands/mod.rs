//! The interactive parts, one file each.
