//! argon2id, off the async threads, few at a time.
//!
//! Whoever asks pays for one hash, known or not: an unknown account is verified against a decoy of the same cost, so the
//! time an answer takes does not tell who exists.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use argon2::{
    Algorithm, Argon2, Block, Params, Version,
    password_hash::{
        self, CustomizedPasswordHasher, PasswordVerifier,
        phc::{Output, ParamsString, PasswordHash, Salt},
    },
};
use tokio::{sync::Semaphore, task::spawn_blocking, time::timeout};

use super::{AccountError, AccountResult, Password};
use crate::{config::PasswordCost, random::Random};

/// How long one waits for a free place before he is told to come back.
const PATIENCE: Duration = Duration::from_secs(10);

/// What is asked of the allocator for one hash. Above 32 MiB the C library maps memory of its own and gives it back; what
/// is smaller stays with the thread that freed it. Only what the hash touches becomes real.
const MAPPED: usize = 33 * 1024 * 1024;

/// argon2id in memory that goes back when it is done.
#[derive(Clone)]
struct Argon2id(Params);

impl Argon2id {
    fn hash(&self, password: &str, salt: [u8; 16]) -> AccountResult<String> {
        let hash = self.hash_password_customized(password.as_bytes(), &salt, None, None, self.0.clone());
        hash.map(|hash| hash.to_string()).map_err(|e| AccountError::Hash(e.to_string()))
    }
}

impl CustomizedPasswordHasher<PasswordHash> for Argon2id {
    type Params = Params;

    fn hash_password_customized(
        &self,
        password: &[u8],
        salt: &[u8],
        algorithm: Option<&str>,
        version: Option<u32>,
        params: Params,
    ) -> password_hash::Result<PasswordHash> {
        let algorithm = algorithm.map_or(Ok(Algorithm::Argon2id), Algorithm::try_from)?;
        let version = version.map_or(Ok(Version::V0x13), Version::try_from)?;
        let mut blocks = Vec::with_capacity(MAPPED / Block::SIZE);
        blocks.resize(params.block_count(), Block::new());
        let mut output = [0; Params::DEFAULT_OUTPUT_LEN];
        let text = ParamsString::try_from(&params)?;
        let argon2 = Argon2::new(algorithm, version, params);
        argon2.hash_password_into_with_memory(password, salt, &mut output, &mut blocks)?;
        Ok(PasswordHash {
            algorithm: algorithm.ident(),
            version: Some(version.into()),
            params: text,
            salt: Some(Salt::new(salt)?),
            hash: Some(Output::new(&output)?),
        })
    }
}

#[derive(Clone)]
pub struct Passwords {
    argon2: Argon2id,
    decoy: Arc<str>,
    places: Arc<Semaphore>,
    random: Random,
    verified: Arc<AtomicU64>,
}

impl Passwords {
    /// `places`: hashes that may run at the same time; each takes a core and its memory.
    pub fn new(cost: PasswordCost, random: Random, places: usize) -> AccountResult<Self> {
        let params = match cost {
            PasswordCost::Production => Params::new(19 * 1024, 2, 1, None),
            PasswordCost::Least => Params::new(Params::MIN_M_COST, Params::MIN_T_COST, 1, None),
        };
        let params = params.map_err(|e| AccountError::Hash(e.to_string()))?;
        let argon2 = Argon2id(params);
        let decoy = argon2.hash(&random.hex::<16>(), random.bytes())?.into();
        Ok(Self { argon2, decoy, places: Arc::new(Semaphore::new(places.max(1))), random, verified: Arc::default() })
    }

    /// A PHC string to keep.
    pub async fn hash(&self, password: &Password) -> AccountResult<String> {
        let (argon2, password, salt) = (self.argon2.clone(), password.expose().to_owned(), self.random.bytes());
        self.work(move || argon2.hash(&password, salt)).await?
    }

    /// Whether `password` is the one behind `stored`. `None` costs the same and is always wrong.
    pub async fn verify(&self, password: &str, stored: Option<String>) -> AccountResult<bool> {
        let known = stored.is_some();
        let stored = stored.unwrap_or_else(|| self.decoy.to_string());
        // Far beyond what can be set; hashing megabytes on request is a favour to nobody.
        let password: String = password.chars().take(Password::LONGEST + 1).collect();
        let (argon2, verified) = (self.argon2.clone(), Arc::clone(&self.verified));
        let matches = self
            .work(move || {
                let stored = PasswordHash::new(&stored).map_err(|e| AccountError::Hash(e.to_string()))?;
                let matches = argon2.verify_password(password.as_bytes(), &stored).is_ok();
                verified.fetch_add(1, Ordering::Relaxed);
                Ok::<_, AccountError>(matches)
            })
            .await??;
        Ok(matches && known)
    }

    /// How many passwords were verified so far, decoys included.
    pub fn verified(&self) -> u64 {
        self.verified.load(Ordering::Relaxed)
    }

    async fn work<T: Send + 'static>(&self, job: impl FnOnce() -> T + Send + 'static) -> AccountResult<T> {
        let Ok(Ok(place)) = timeout(PATIENCE, Arc::clone(&self.places).acquire_owned()).await else {
            return Err(AccountError::Busy);
        };
        // The place goes along: an abandoned request frees it only when its hash is done.
        let job = spawn_blocking(move || {
            let done = job();
            drop(place);
            done
        });
        job.await.map_err(|e| AccountError::Hash(e.to_string()))
    }
}

impl fmt::Debug for Passwords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passwords")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::Email;

    fn passwords(cost: PasswordCost) -> Passwords {
        Passwords::new(cost, Random::seeded(1), 2).expect("parameters that argon2 takes")
    }

    fn password(text: &str) -> Password {
        Password::parse(text, "password", &Email::parse("ada@example.org").expect("an address")).expect("long enough")
    }

    #[tokio::test]
    async fn a_hash_of_the_librarys_own_is_known() {
        let theirs = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::default());
        let stored = password_hash::PasswordHasher::hash_password_with_salt(&theirs, b"night ferry 7", &[7; 16]);
        let stored: PasswordHash = stored.expect("a hash");
        let passwords = passwords(PasswordCost::Least);
        assert!(passwords.verify("night ferry 7", Some(stored.to_string())).await.expect("verified"));
        assert!(!passwords.verify("night ferry 8", Some(stored.to_string())).await.expect("verified"));
    }

    #[tokio::test]
    async fn only_the_right_password_opens() {
        let passwords = passwords(PasswordCost::Least);
        let stored = passwords.hash(&password("correct horse")).await.expect("a hash");
        assert!(stored.starts_with("$argon2id$v=19$"), "{stored}");
        assert!(passwords.verify("correct horse", Some(stored.clone())).await.expect("verified"));
        assert!(!passwords.verify("correct horsf", Some(stored)).await.expect("verified"));
    }

    #[tokio::test]
    async fn an_unknown_account_costs_one_hash_too() {
        let passwords = passwords(PasswordCost::Least);
        assert!(!passwords.verify("correct horse", None).await.expect("verified"));
        assert_eq!(passwords.verified(), 1);
    }

    #[test]
    fn the_decoy_costs_what_a_real_hash_costs() {
        let passwords = passwords(PasswordCost::Production);
        let parameters = |phc: &str| phc.split('$').nth(3).map(str::to_owned);
        assert_eq!(parameters(&passwords.decoy).as_deref(), Some("m=19456,t=2,p=1"));
    }
}
