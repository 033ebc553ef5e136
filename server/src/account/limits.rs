//! Tries per account and per address (GCRA, by our own clock).
//!
//! Keys are hashed to 64 bits with a secret of this process, so that neither long names nor many addresses take memory;
//! [`Limits::forget_idle`] drops what has recovered.

use std::{
    collections::hash_map::RandomState,
    fmt,
    hash::{BuildHasher, Hash},
    net::IpAddr,
    num::NonZeroU32,
    sync::Arc,
    time::Duration,
};

use governor::{
    Quota, RateLimiter, clock::Clock as GovernorClock, middleware::NoOpMiddleware, nanos::Nanos,
    state::keyed::DashMapStateStore,
};

use super::{AccountError, AccountResult, Email};
use crate::{clock::Clock, store::AccountId};

/// What is being tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Limit {
    /// Sign-ins with one e-mail.
    SignInAccount,
    /// Sign-ins from one address. A class sits behind one.
    SignInAddress,
    /// New accounts from one address.
    SignUp,
    /// The old password, asked for again.
    PasswordChange,
    /// Every other request that changes something.
    Change,
}

impl Limit {
    const ALL: [Self; 5] = [Self::SignInAccount, Self::SignInAddress, Self::SignUp, Self::PasswordChange, Self::Change];

    /// Tries in a row, and the time after which one more is granted.
    pub const fn quota(self) -> (u32, Duration) {
        match self {
            Self::SignInAccount | Self::PasswordChange => (10, Duration::from_mins(1)),
            Self::SignInAddress => (100, Duration::from_secs(3)),
            Self::SignUp => (60, Duration::from_mins(1)),
            Self::Change => (120, Duration::from_millis(250)),
        }
    }
}

/// Who is trying.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Subject {
    Email(Email),
    Account(AccountId),
    Address(IpAddr),
}

impl Subject {
    /// IPv6 hands everyone a whole /64, so that is what counts as one address.
    fn narrowed(&self) -> Self {
        match self {
            Self::Address(IpAddr::V6(address)) => match address.to_ipv4_mapped() {
                Some(v4) => Self::Address(v4.into()),
                None => Self::Address(IpAddr::V6((u128::from(*address) >> 64 << 64).into())),
            },
            other => other.clone(),
        }
    }
}

type Limiter = RateLimiter<u64, DashMapStateStore<u64>, Ticks, NoOpMiddleware<Nanos>>;

#[derive(Clone)]
pub struct Limits {
    limiters: Arc<[(Limit, Limiter)]>,
    secret: RandomState,
    clock: Ticks,
}

impl Limits {
    pub fn new(clock: Clock) -> Self {
        let clock = Ticks(clock);
        let limiters = Limit::ALL
            .into_iter()
            .filter_map(|limit| {
                let (burst, refill) = limit.quota();
                let quota = Quota::with_period(refill)?.allow_burst(NonZeroU32::new(burst)?);
                Some((limit, RateLimiter::new(quota, DashMapStateStore::default(), clock.clone())))
            })
            .collect();
        Self { limiters, secret: RandomState::new(), clock }
    }

    /// Counts one try, or says when the next is granted.
    pub fn check(&self, limit: Limit, subject: &Subject) -> AccountResult<()> {
        let key = self.secret.hash_one(subject.narrowed());
        let Some((_, limiter)) = self.limiters.iter().find(|(of, _)| *of == limit) else { return Ok(()) };
        limiter
            .check_key(&key)
            .map_err(|until| AccountError::Limited { retry: until.wait_time_from(GovernorClock::now(&self.clock)) })
    }

    /// Forgets who has all his tries back.
    pub fn forget_idle(&self) {
        for (_, limiter) in self.limiters.iter() {
            limiter.retain_recent();
            limiter.shrink_to_fit();
        }
    }

    /// Who is remembered, over all limits.
    pub fn remembered(&self) -> usize {
        self.limiters.iter().map(|(_, limiter)| limiter.len()).sum()
    }
}

impl fmt::Debug for Limits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Limits")
    }
}

/// Our clock in the limiter's terms.
#[derive(Clone)]
struct Ticks(Clock);

impl GovernorClock for Ticks {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        Nanos::new(u64::try_from(self.0.now().millis()).unwrap_or_default().saturating_mul(1_000_000))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Moment;

    fn address(text: &str) -> Subject {
        Subject::Address(text.parse().expect("an address"))
    }

    #[test]
    fn tries_run_out_and_come_back() {
        let clock = Clock::fixed(Moment::from_millis(1_700_000_000_000));
        let limits = Limits::new(clock.clone());
        let ada = Subject::Email(Email::parse("ada@example.org").expect("an address"));
        for _ in 0..10 {
            limits.check(Limit::SignInAccount, &ada).expect("one of the first ten");
        }
        let Err(AccountError::Limited { retry }) = limits.check(Limit::SignInAccount, &ada) else { panic!("let in") };
        assert_eq!(retry, Duration::from_mins(1));
        let bob = Subject::Email(Email::parse("bob@example.org").expect("an address"));
        limits.check(Limit::SignInAccount, &bob).expect("another account");
        clock.advance(Duration::from_mins(1));
        limits.check(Limit::SignInAccount, &ada).expect("one more after a minute");
        assert!(limits.check(Limit::SignInAccount, &ada).is_err());
    }

    #[test]
    fn one_household_is_one_address() {
        assert_eq!(address("2001:db8::1").narrowed(), address("2001:db8::ffff:1").narrowed());
        assert_ne!(address("2001:db8::1").narrowed(), address("2001:db8:0:1::1").narrowed());
        assert_eq!(address("::ffff:192.0.2.1").narrowed(), address("192.0.2.1"));
    }

    #[test]
    fn who_has_recovered_is_forgotten() {
        let clock = Clock::fixed(Moment::from_millis(1_700_000_000_000));
        let limits = Limits::new(clock.clone());
        for last in 0..100 {
            limits.check(Limit::SignUp, &address(&format!("192.0.2.{last}"))).expect("a first try");
        }
        assert_eq!(limits.remembered(), 100);
        clock.advance(Duration::from_hours(2));
        limits.forget_idle();
        assert_eq!(limits.remembered(), 0);
    }
}
