//! The origin at which browsers reach the platform, such as `https://labs.example.org`.

use std::{fmt, str::FromStr};

use axum::http::Uri;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    secure: bool,
    /// Lower case, with the port where it is not the scheme's own.
    authority: String,
}

#[derive(Debug, thiserror::Error)]
#[error("{0:?} is not an address such as https://labs.example.org: scheme and host, without a path")]
pub struct OriginError(String);

impl Origin {
    pub fn is_secure(&self) -> bool {
        self.secure
    }

    /// Whether a request's `Host` names this origin.
    pub fn is_host(&self, host: &str) -> bool {
        let host = host.to_ascii_lowercase();
        let port = if self.secure { ":443" } else { ":80" };
        host.strip_suffix(port).unwrap_or(&host) == self.authority
    }
}

impl FromStr for Origin {
    type Err = OriginError;

    fn from_str(text: &str) -> Result<Self, OriginError> {
        let bad = || OriginError(text.to_owned());
        let uri: Uri = text.parse().map_err(|_| bad())?;
        let secure = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(bad()),
        };
        let authority = uri.authority().ok_or_else(bad)?;
        if !matches!(uri.path(), "" | "/") || uri.query().is_some() || authority.as_str().contains('@') {
            return Err(bad());
        }
        let authority = authority.as_str().to_ascii_lowercase();
        let port = if secure { ":443" } else { ":80" };
        let authority = authority.strip_suffix(port).unwrap_or(&authority).to_owned();
        Ok(Self { secure, authority })
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", if self.secure { "https" } else { "http" }, self.authority)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_scheme_and_host() {
        let origin: Origin = "https://Labs.example.org:443/".parse().expect("an origin");
        assert_eq!(origin.to_string(), "https://labs.example.org");
        assert!(origin.is_host("LABS.example.org") && origin.is_host("labs.example.org:443"));
        assert!(!origin.is_host("labs.example.org:8080") && !origin.is_host("evil.example.org"));
        for bad in ["labs.example.org", "ftp://x", "https://x/path", "https://u@x", ""] {
            assert!(bad.parse::<Origin>().is_err(), "{bad} was taken");
        }
    }
}
