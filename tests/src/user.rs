//! A person's requests without a browser: signs in, presses buttons, listens to the events, types into a terminal.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use bulkhead_app::api::{
    lab::{LabEvent, SandboxState, SandboxView, TerminalView},
    terminal::{FromBrowser, OUTPUT, SNAPSHOT},
};
use futures::{SinkExt as _, StreamExt as _};
use reqwest::{
    Client, Response,
    header::{ACCEPT, COOKIE, HeaderMap, HeaderValue, ORIGIN, SET_COOKIE},
    redirect::Policy,
};
use serde::{Serialize, de::DeserializeOwned};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream,
    tungstenite::{Message, client::IntoClientRequest as _},
};

pub struct User {
    address: String,
    client: Client,
    cookie: String,
}

impl User {
    /// The learner of a server in local mode, who needs no session.
    pub fn local(address: &str) -> Result<Self> {
        Self::anonymous(address)
    }

    pub async fn sign_up(address: &str, name: &str, email: &str, password: &str) -> Result<Self> {
        let mut user = Self::anonymous(address)?;
        let form = [("name", name), ("email", email), ("password", password), ("next", "/")];
        let response = user.client.post(format!("{address}/sign-up")).form(&form).send().await?;
        if !response.status().is_redirection() {
            bail!("sign-up answered {}: {}", response.status(), response.text().await?);
        }
        user.keep_cookie(&response)?;
        Ok(user)
    }

    pub fn anonymous(address: &str) -> Result<Self> {
        let origin = HeaderMap::from_iter([(ORIGIN, HeaderValue::from_str(address)?)]);
        let client = Client::builder().redirect(Policy::none()).default_headers(origin).build()?;
        Ok(Self { address: address.to_owned(), client, cookie: String::new() })
    }

    fn keep_cookie(&mut self, response: &Response) -> Result<()> {
        let cookie = response.headers().get(SET_COOKIE).context("the server set no cookie")?;
        cookie.to_str()?.split(';').next().unwrap_or_default().clone_into(&mut self.cookie);
        Ok(())
    }

    pub async fn get(&self, path: &str) -> Result<Response> {
        Ok(self.client.get(format!("{}{path}", self.address)).header(COOKIE, &self.cookie).send().await?)
    }

    /// Calls a server function as an island does.
    pub async fn call<T: DeserializeOwned>(&self, function: &str, arguments: &impl Serialize) -> Result<T> {
        let request = self.client.post(format!("{}/api/{function}", self.address)).header(COOKIE, &self.cookie);
        let response = request.header(ACCEPT, "application/json").form(arguments).send().await?;
        let status = response.status();
        let text = response.text().await?;
        if !status.is_success() {
            bail!("{function} answered {status}: {text}");
        }
        serde_json::from_str(&text).with_context(|| format!("{function} answered {text}"))
    }

    pub async fn start_lab(&self, lab: &str) -> Result<SandboxView> {
        self.call("start_lab", &[("lab", lab)]).await
    }

    pub async fn stop_lab(&self, lab: &str) -> Result<()> {
        self.call("stop_lab", &[("lab", lab)]).await
    }

    pub async fn open_terminal(&self, lab: &str, machine: &str) -> Result<TerminalView> {
        self.call("open_terminal", &[("lab", lab), ("machine", machine)]).await
    }

    /// Asks for a grading of the whole lab; its score arrives as an event.
    pub async fn check_lab(&self, lab: &str) -> Result<()> {
        self.call("check_lab", &[("lab", lab)]).await
    }

    pub async fn answer(&self, lab: &str, task: &str, check: &str, text: &str) -> Result<()> {
        self.call("answer", &[("lab", lab), ("task", task), ("check", check), ("text", text)]).await
    }

    /// The session, as a `Cookie` header carries it.
    pub fn cookie(&self) -> &str {
        &self.cookie
    }

    pub async fn events(&self, lab: &str) -> Result<Events> {
        let response = self.get(&format!("/events/lab/{lab}")).await?;
        if !response.status().is_success() {
            bail!("the event stream answered {}", response.status());
        }
        Ok(Events { response, buffer: String::new() })
    }

    pub async fn terminal(&self, sandbox: &str, terminal: u32) -> Result<Terminal> {
        let address = self.address.replacen("http", "ws", 1);
        let mut request = format!("{address}/ws/sandbox/{sandbox}/terminal/{terminal}").into_client_request()?;
        request.headers_mut().insert("Cookie", HeaderValue::from_str(&self.cookie)?);
        request.headers_mut().insert("Origin", HeaderValue::from_str(&self.address)?);
        let (socket, _) = tokio_tungstenite::connect_async(request).await?;
        if let MaybeTlsStream::Plain(stream) = socket.get_ref() {
            stream.set_nodelay(true)?;
        }
        let mut terminal = Terminal { socket, text: String::new(), received: 0 };
        terminal.control(&FromBrowser::Resize { cols: 120, rows: 30 }).await?;
        Ok(terminal)
    }
}

/// A lab's live events.
pub struct Events {
    response: Response,
    buffer: String,
}

impl Events {
    pub async fn next(&mut self) -> Result<LabEvent> {
        loop {
            if let Some(end) = self.buffer.find("\n\n") {
                let block: String = self.buffer.drain(..end + 2).collect();
                let data: String = block.lines().filter_map(|line| line.strip_prefix("data:")).collect();
                if !data.is_empty() {
                    return Ok(serde_json::from_str(data.trim())?);
                }
                continue;
            }
            let chunk = self.response.chunk().await?.context("the event stream ended")?;
            self.buffer.push_str(std::str::from_utf8(&chunk)?);
        }
    }

    /// Waits until `wanted` answers with something.
    pub async fn until<T>(
        &mut self,
        what: &str,
        within: Duration,
        mut wanted: impl FnMut(&LabEvent) -> Option<T>,
    ) -> Result<T> {
        timeout(within, async {
            loop {
                if let Some(found) = wanted(&self.next().await?) {
                    return Ok(found);
                }
            }
        })
        .await
        .with_context(|| format!("no event said that {what} within {within:?}"))?
    }

    pub async fn until_ready(&mut self) -> Result<SandboxView> {
        let view = self
            .until("the sandbox is ready", Duration::from_mins(2), |event| match event {
                LabEvent::Sandbox { sandbox: Some(view) }
                    if view.state == SandboxState::Ready || view.state.is_over() =>
                {
                    Some(view.clone())
                }
                _ => None,
            })
            .await?;
        if view.state != SandboxState::Ready {
            bail!("the sandbox ended as {:?}: {}", view.state, view.error.unwrap_or_default());
        }
        Ok(view)
    }
}

/// One viewer of a terminal.
pub struct Terminal {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    /// All output since the last snapshot.
    pub text: String,
    pub received: u64,
}

impl Terminal {
    pub async fn control(&mut self, message: &FromBrowser) -> Result<()> {
        Ok(self.socket.send(Message::text(serde_json::to_string(message)?)).await?)
    }

    pub async fn type_in(&mut self, text: &str) -> Result<()> {
        Ok(self.socket.send(Message::binary(text.as_bytes().to_vec())).await?)
    }

    /// The next bytes of output, acknowledged.
    pub async fn next(&mut self) -> Result<Vec<u8>> {
        let bytes = self.receive().await?;
        self.acknowledge(bytes.len()).await?;
        Ok(bytes)
    }

    /// The next bytes of output. Whoever acknowledges none of them gets no more than a window.
    pub async fn receive(&mut self) -> Result<Vec<u8>> {
        loop {
            let message = self.socket.next().await.context("the terminal's socket ended")??;
            let Message::Binary(bytes) = message else {
                if message.is_close() {
                    bail!("the terminal's socket closed");
                }
                continue;
            };
            let Some((&kind, bytes)) = bytes.split_first() else { continue };
            if kind == SNAPSHOT {
                self.text.clear();
            } else if kind != OUTPUT {
                bail!("unknown frame kind {kind}");
            }
            self.received += bytes.len() as u64;
            return Ok(bytes.to_vec());
        }
    }

    /// Says that so many more bytes were parsed.
    pub async fn acknowledge(&mut self, bytes: usize) -> Result<()> {
        self.control(&FromBrowser::Ack { bytes: u32::try_from(bytes)? }).await
    }

    /// Reads until the output since the last snapshot holds `wanted`.
    pub async fn until(&mut self, wanted: &str, within: Duration) -> Result<()> {
        let text = timeout(within, async {
            while !self.text.contains(wanted) {
                let bytes = self.next().await?;
                self.text.push_str(&String::from_utf8_lossy(&bytes));
            }
            Ok::<_, anyhow::Error>(())
        })
        .await;
        match text {
            Ok(result) => result,
            Err(_) => bail!("the terminal did not show {wanted:?} within {within:?}; it shows: {:?}", self.text),
        }
    }
}
