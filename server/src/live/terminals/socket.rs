//! `/ws/sandbox/{sandbox}/terminal/{id}`: between one browser and one [`Viewer`].

use std::{sync::Arc, time::Duration};

use axum::{
    Extension,
    body::Bytes,
    extract::{
        Path, State,
        ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade, close_code},
    },
    response::Response,
};
use bulkhead_agent::protocol::Size;
use bulkhead_app::api::{
    ApiError, ApiResult, Caller, Role,
    terminal::{FromBrowser, FromServer, MAX_MESSAGE},
};
use bulkhead_labs::engine::SandboxId;
use tokio::time::Instant;

use super::{Rights, Viewer, guest::Guest, outbox::Item};
use crate::{
    backend::{Fault, Platform, account_of},
    http::refusal,
    live::{sandboxes::phase::Phase, session},
};

/// A proxy closes what is silent; a browser that is gone must not keep its place.
const PING: Duration = Duration::from_secs(15);
const SILENCE: Duration = Duration::from_secs(40);
/// For an answer when somebody else waits for the keyboard.
const PROBE: Duration = Duration::from_millis(1500);
/// A network that takes nothing for so long is lost.
const SEND: Duration = Duration::from_secs(10);
/// Each read clears as much of the socket's buffer, so it is made for keys. What is larger comes in pieces.
const READ: usize = 4 * 1024;

/// Sockets from other sites were refused before (same origin).
pub async fn open(
    State(platform): State<Arc<Platform>>,
    Extension(caller): Extension<Caller>,
    Path((sandbox, terminal)): Path<(String, u32)>,
    upgrade: WebSocketUpgrade,
) -> Response {
    let open = account_of(&caller).and_then(|account| platform.live.streams.open(account));
    let open = match open {
        Ok(open) => open,
        Err(error) => return refusal(error),
    };
    let (viewer, guest) = match find(&platform, &caller, &sandbox, terminal).await {
        Ok(found) => found,
        Err(error) => return refusal(error),
    };
    let upgrade = upgrade.max_message_size(MAX_MESSAGE).max_frame_size(MAX_MESSAGE).read_buffer_size(READ);
    upgrade.on_upgrade(move |socket| async move {
        serve(socket, viewer, guest, Box::pin(session::over(platform, &caller))).await;
        drop(open);
    })
}

/// The owner's, or an instructor's view. To everybody else there is no such sandbox.
async fn find(
    platform: &Arc<Platform>,
    caller: &Caller,
    sandbox: &str,
    terminal: u32,
) -> ApiResult<(Viewer, Option<Guest>)> {
    let account = account_of(caller)?;
    let id = SandboxId::parse(sandbox).ok_or(ApiError::NotFound)?;
    let row = platform.store.sandboxes().by_id(&id).await.map_err(Fault::shown)?.ok_or(ApiError::NotFound)?;
    let guest = if row.account == account {
        None
    } else if caller.at_least(Role::Instructor) {
        Some(Guest::new(platform.clone(), account, &row, terminal))
    } else {
        return Err(ApiError::NotFound);
    };
    let rights = if guest.is_some() { Rights::Guest } else { Rights::Owner };
    if row.phase != Phase::Ready {
        return Err(ApiError::NotFound);
    }
    let hub = platform.live.terminals.of(&id, None);
    let viewer = hub.view(terminal, rights).await.map_err(Fault::shown)?.ok_or(ApiError::NotFound)?;
    if let Some(guest) = &guest {
        guest.watches().await?;
    }
    Ok((viewer, guest))
}

/// Why the server ends a socket.
enum End {
    /// The browser left.
    Left,
    /// The terminal has no more for this viewer.
    Over,
    /// He sent what is no part of our language.
    Broke,
    Silent,
    /// His session is over.
    SignedOut,
}

async fn serve(mut socket: WebSocket, viewer: Viewer, guest: Option<Guest>, signed_out: impl Future<Output = ()>) {
    let end = tokio::select! {
        end = talk(&mut socket, &viewer, guest.as_ref()) => end,
        () = signed_out => End::SignedOut,
    };
    if matches!(end, End::SignedOut) {
        let reason = "You are signed out. Sign in again to go on; the terminal is kept.".to_owned();
        send(&mut socket, text(&FromServer::Gone { reason })).await;
    }
    let (code, reason) = match end {
        End::Left | End::Silent => return,
        End::Over | End::SignedOut => (close_code::NORMAL, "over"),
        End::Broke => (close_code::POLICY, "not understood"),
    };
    let frame = CloseFrame { code, reason: Utf8Bytes::from_static(reason) };
    let _gone = tokio::time::timeout(SEND, socket.send(Message::Close(Some(frame)))).await;
}

async fn talk(socket: &mut WebSocket, viewer: &Viewer, guest: Option<&Guest>) -> End {
    let mut heard = Instant::now();
    let mut ping = tokio::time::interval_at(heard + PING, PING);
    let mut deadline = None::<Instant>;
    loop {
        let silence = deadline.unwrap_or(heard + SILENCE);
        tokio::select! {
            item = viewer.next() => {
                let message = match item {
                    None => return End::Over,
                    Some(Item::Bytes(bytes)) => Message::Binary(bytes),
                    Some(Item::Notice(notice)) => text(&notice),
                    Some(Item::Probe) => {
                        deadline = Some(Instant::now() + PROBE);
                        Message::Ping(Bytes::new())
                    }
                };
                if !send(socket, message).await {
                    return End::Silent;
                }
            }
            message = socket.recv() => {
                heard = Instant::now();
                deadline = None;
                match message {
                    Some(Ok(Message::Binary(keys))) => viewer.type_in(keys).await,
                    Some(Ok(Message::Text(order))) => match serde_json::from_str(&order) {
                        Ok(FromBrowser::Ack { bytes }) => viewer.acknowledge(bytes as usize).await,
                        Ok(FromBrowser::Resize { cols, rows }) => viewer.resize(Size { cols, rows }).await,
                        Ok(FromBrowser::Claim) => {
                            // What could not be written down is not done; the log says why.
                            let noted = match guest {
                                Some(guest) => guest.takes_the_keyboard().await.is_ok(),
                                None => true,
                            };
                            if noted {
                                viewer.claim().await;
                            }
                        }
                        Err(_) => return End::Broke,
                    },
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return End::Left,
                }
            }
            _ = ping.tick() => {
                if !send(socket, Message::Ping(Bytes::new())).await {
                    return End::Silent;
                }
            }
            () = tokio::time::sleep_until(silence) => return End::Silent,
        }
    }
}

async fn send(socket: &mut WebSocket, message: Message) -> bool {
    matches!(tokio::time::timeout(SEND, socket.send(message)).await, Ok(Ok(())))
}

fn text(notice: &FromServer) -> Message {
    Message::Text(serde_json::to_string(notice).unwrap_or_default().into())
}
