//! Which sandbox image each lab runs in.

use std::{collections::BTreeMap, sync::Arc};

/// Lab → image tag. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Images(Arc<BTreeMap<String, String>>);

impl Images {
    pub fn of(&self, lab: &str) -> Option<&str> {
        self.0.get(lab).map(String::as_str)
    }
}

impl<L: Into<String>, I: Into<String>> FromIterator<(L, I)> for Images {
    fn from_iter<T: IntoIterator<Item = (L, I)>>(pairs: T) -> Self {
        Self(Arc::new(pairs.into_iter().map(|(lab, image)| (lab.into(), image.into())).collect()))
    }
}
