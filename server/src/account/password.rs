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
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use tokio::{sync::Semaphore, task::spawn_blocking, time::timeout};

use super::{AccountError, AccountResult, Password};
use crate::{config::PasswordCost, random::Random};

/// How long one waits for a free place before he is told to come back.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Clone)]
pub struct Passwords {
    argon2: Argon2<'static>,
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
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let decoy = hash(&argon2, &random.hex::<16>(), random.bytes())?.into();
        Ok(Self { argon2, decoy, places: Arc::new(Semaphore::new(places.max(1))), random, verified: Arc::default() })
    }

    /// A PHC string to keep.
    pub async fn hash(&self, password: &Password) -> AccountResult<String> {
        let (argon2, password, salt) = (self.argon2.clone(), password.expose().to_owned(), self.random.bytes());
        self.work(move || hash(&argon2, &password, salt)).await?
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

fn hash(argon2: &Argon2<'_>, password: &str, salt: [u8; 16]) -> AccountResult<String> {
    let hash: PasswordHash = argon2
        .hash_password_with_salt(password.as_bytes(), &salt)
        .map_err(|e: argon2::password_hash::Error| AccountError::Hash(e.to_string()))?;
    Ok(hash.to_string())
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
