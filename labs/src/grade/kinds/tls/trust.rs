//! Whether a server's certificate is one that a careful client would take.

use std::time::Duration;

use rustls_pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject};
use webpki::{ALL_VERIFICATION_ALGS, EndEntityCert, Error, KeyUsage, anchor_from_trusted_cert};

const MOST: usize = 16;

/// Fit to be a server's name: a DNS name or an address.
pub(super) fn server_name(name: &str) -> Result<String, String> {
    ServerName::try_from(name).map(|_| name.to_owned()).map_err(|_| "write a host's name or an address".to_owned())
}

/// Verifies the chain (DER in hexadecimal, the server's own first) by the certificates in `ca` (PEM), for `name`, at
/// `time`. `Err` says what is wrong.
pub(super) fn verify(ca: &str, chain: &[String], name: &str, time: u64) -> Result<(), String> {
    let authorities: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(ca.as_bytes())
        .take(MOST)
        .collect::<Result<_, _>>()
        .map_err(|why| format!("the CA's file cannot be read: {why}"))?;
    if authorities.is_empty() {
        return Err("the CA's file holds no certificate".to_owned());
    }
    let anchors = authorities
        .iter()
        .map(anchor_from_trusted_cert)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|why| format!("the CA's certificate is none: {why}"))?;
    let chain: Vec<CertificateDer<'static>> = chain
        .iter()
        .take(MOST)
        .map(|text| bytes(text).map(CertificateDer::from))
        .collect::<Option<_>>()
        .ok_or("the server's certificate cannot be read")?;
    let (own, between) = chain.split_first().ok_or("the server shows no certificate")?;
    let server = EndEntityCert::try_from(own).map_err(|why| words(&why, name))?;
    let time = UnixTime::since_unix_epoch(Duration::from_secs(time));
    server
        .verify_for_usage(ALL_VERIFICATION_ALGS, &anchors, between, time, KeyUsage::server_auth(), None, None)
        .map_err(|why| words(&why, name))?;
    let named = ServerName::try_from(name).map_err(|_| format!("{name} is no server's name"))?;
    server.verify_is_valid_for_subject_name(&named).map_err(|why| words(&why, name))
}

fn words(why: &Error, name: &str) -> String {
    match why {
        Error::UnknownIssuer | Error::InvalidSignatureForPublicKey => {
            "the server's certificate is not signed by that CA".to_owned()
        }
        Error::CertNotValidForName(_) => format!("the server's certificate is not for the name {name}"),
        Error::CertExpired { .. } => "the server's certificate has expired".to_owned(),
        Error::CertNotValidYet { .. } => "the server's certificate is not valid yet".to_owned(),
        Error::CaUsedAsEndEntity => "the server shows the CA's own certificate".to_owned(),
        Error::RequiredEkuNotFoundContext(_) => "the server's certificate is not for servers".to_owned(),
        other => format!("the server's certificate does not hold: {other}"),
    }
}

fn bytes(hexadecimal: &str) -> Option<Vec<u8>> {
    let digits = hexadecimal.as_bytes();
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_is_two_digits_a_byte() {
        assert_eq!(bytes("00ff10"), Some(vec![0, 255, 16]));
        for odd in ["0", "zz", "ää", "+1"] {
            assert_eq!(bytes(odd).filter(|bytes| bytes != &[1]), None, "{odd}");
        }
    }

    #[test]
    fn nonsense_is_not_trusted() {
        let stranger = include_str!("stranger.crt");
        for (ca, chain) in [
            ("", vec!["00"]),
            ("nonsense", vec!["00"]),
            (stranger, vec![]),
            (stranger, vec!["00"]),
            (stranger, vec!["x"]),
        ] {
            let chain: Vec<String> = chain.into_iter().map(str::to_owned).collect();
            assert!(verify(ca, &chain, "host", 1_900_000_000).is_err(), "{ca:?} {chain:?}");
        }
    }
}
