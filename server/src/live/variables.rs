//! The values that differ by student and sandbox, derived from the installation's key.

use bulkhead_labs::{
    grade::{CourseKey, Variables},
    manifest::Lab,
};

use crate::{
    random::Random,
    store::{AccountId, Store, StoreResult},
};

#[derive(Clone, Debug)]
pub struct Key(CourseKey);

impl Key {
    /// Made once, and then the same for every server of this installation.
    pub async fn of(store: &Store, random: &Random) -> StoreResult<Self> {
        let key = store.sandboxes().key("course", &random.hex::<32>()).await?;
        Ok(Self(CourseKey::new(key)))
    }

    pub fn variables(&self, account: AccountId, lab: &Lab, generation: u32) -> Variables {
        Variables::derive(&self.0, &account.to_string(), &lab.id, generation, &lab.variables)
    }
}
