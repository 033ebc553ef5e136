//! HTTP over TLS. Whom to trust is not decided here: any certificate is taken, and handed on to who asked.

use std::{
    net::TcpStream,
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use bulkhead_agent::{
    look::{Seen, facts::TlsPeer},
    protocol::FaultKind,
};
use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme, StreamOwned,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime, pem::PemObject},
};

use super::answer::{self, Question, Timed};
use crate::fault::{Outcome, fault};

/// Certificates of one chain.
const MOST_CERTIFICATES: usize = 8;

type Stream = StreamOwned<ClientConnection, TcpStream>;

impl Timed for Stream {
    fn give(&self, time: Duration) -> std::io::Result<()> {
        self.sock.give(time)
    }
}

/// What one shows, and whom one names. Without a certificate one shows none.
pub(super) struct Caller<'a> {
    pub(super) name: &'a str,
    pub(super) certificate: &'a str,
    pub(super) key: &'a str,
}

pub(super) fn ask(
    stream: TcpStream,
    caller: &Caller<'_>,
    question: &Question<'_>,
    deadline: Instant,
    limit: u32,
) -> Outcome<Seen> {
    let invalid = |what: &str, why: String| fault(FaultKind::Invalid, format!("{what}: {why}"));
    let name =
        ServerName::try_from(caller.name.to_owned()).map_err(|why| invalid("no server's name", why.to_string()))?;
    let config = match config(caller) {
        Ok(config) => config,
        // The student's own files, perhaps.
        Err(why) => return Ok(Seen::NoAnswer { why: format!("the client's certificate or key is of no use: {why}") }),
    };
    let connection =
        ClientConnection::new(Arc::new(config), name).map_err(|why| invalid("no TLS connection", why.to_string()))?;
    let mut stream = Stream::new(connection, stream);
    let answer = answer::ask(&mut stream, question, deadline, limit)?.unwrap_or_else(|why| Seen::NoAnswer { why });
    let Some(chain) = stream.conn.peer_certificates() else { return Ok(answer) };
    let version = stream.conn.protocol_version().map(|version| format!("{version:?}")).unwrap_or_default();
    let chain = chain.iter().take(MOST_CERTIFICATES).map(|certificate| hexadecimal(certificate)).collect();
    let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    Ok(Seen::Tls { peer: TlsPeer { version, chain, time }, answer: Box::new(answer) })
}

fn config(caller: &Caller<'_>) -> Result<ClientConfig, String> {
    let provider = Arc::new(ring::default_provider());
    let any = Arc::new(Anyone(Arc::clone(&provider)));
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|why| why.to_string())?
        .dangerous()
        .with_custom_certificate_verifier(any);
    if caller.certificate.is_empty() {
        return Ok(builder.with_no_client_auth());
    }
    let chain = CertificateDer::pem_slice_iter(caller.certificate.as_bytes())
        .take(MOST_CERTIFICATES)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|why| why.to_string())?;
    let key = PrivateKeyDer::from_pem_slice(caller.key.as_bytes()).map_err(|why| why.to_string())?;
    builder.with_client_auth_cert(chain, key).map_err(|why| why.to_string())
}

fn hexadecimal(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Takes any certificate, but wants to see that the other side has its key.
#[derive(Debug)]
struct Anyone(Arc<CryptoProvider>);

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
