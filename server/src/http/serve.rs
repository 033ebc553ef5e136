//! Answers on a socket that somebody else bound.

use std::{net::SocketAddr, sync::Arc};

use axum::serve::ListenerExt;
use tokio::net::TcpListener;

use super::router;
use crate::backend::Platform;

#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Nobody signs in in local mode, so nobody else may be able to reach it.
    #[error("local mode answers on loopback only, and {0} is not; use 127.0.0.1, or run without --local")]
    NotLoopback(SocketAddr),
    #[error("the server stopped listening")]
    Listen(#[from] std::io::Error),
}

/// Serves until `shutdown` completes and the requests under way are answered.
pub async fn serve(
    platform: Arc<Platform>,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    let address = listener.local_addr()?;
    if platform.config.mode.is_local() && !address.ip().is_loopback() {
        return Err(ServeError::NotLoopback(address));
    }
    // The echo of a key is one small packet, and must not wait for the next.
    let listener = listener.tap_io(|stream| {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection will be slow to echo");
        }
    });
    let service = router(platform).into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, service).with_graceful_shutdown(shutdown).await?;
    Ok(())
}
