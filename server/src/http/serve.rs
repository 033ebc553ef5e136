//! Answers on a socket that somebody else bound.

use std::{net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, Request},
    serve::{Listener, ListenerExt},
};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt;

use super::router;
use crate::backend::Platform;

/// From a connection's beginning, or the end of an answer, to the end of the next request's headers. Whoever is slower
/// or silent gives his place up, so that nobody can hold them all.
const HEADERS: Duration = Duration::from_secs(30);

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
    let mut listener = listener.tap_io(|stream| {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection will be slow to echo");
        }
    });
    let (router, ending, connections) = (router(platform), CancellationToken::new(), TaskTracker::new());
    let mut shutdown = pin!(shutdown);
    loop {
        tokio::select! {
            (stream, peer) = listener.accept() => {
                connections.spawn(connection(stream, peer, router.clone(), ending.clone()));
            }
            () = shutdown.as_mut() => break,
        }
    }
    drop(listener);
    ending.cancel();
    connections.close();
    connections.wait().await;
    Ok(())
}

/// Until the browser leaves; or, once `ending` is called, until the request under way is answered.
async fn connection(stream: TcpStream, peer: SocketAddr, router: Router, ending: CancellationToken) {
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let mut request: Request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        router.clone().oneshot(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = ending.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection broke");
    }
}
