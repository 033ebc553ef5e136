//! Randomness as a parameter: the system's in production, seeded in tests.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use rand::{RngCore, SeedableRng, rngs::StdRng};

#[derive(Clone)]
pub struct Random(Arc<Mutex<StdRng>>);

impl Random {
    /// Seeded by the operating system.
    pub fn system() -> Self {
        Self(Arc::new(Mutex::new(StdRng::from_os_rng())))
    }

    pub fn seeded(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(StdRng::seed_from_u64(seed))))
    }

    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.0.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(&mut bytes);
        bytes
    }

    /// So many random bytes as lower-case hex.
    pub fn hex<const N: usize>(&self) -> String {
        hex(&self.bytes::<N>())
    }
}

impl fmt::Debug for Random {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Random")
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_bytes() {
        assert_eq!(Random::seeded(7).hex::<8>(), Random::seeded(7).hex::<8>());
        assert_ne!(Random::system().bytes::<16>(), Random::system().bytes::<16>());
        assert_eq!(hex(&[0, 255]), "00ff");
    }
}
