//! Readers who come one after another at a fixed rate, whatever the answers take. A time runs from the moment that the
//! request was due, so an answer that is late makes those behind it late as well.

use anyhow::{Context as _, Result, ensure};
use reqwest::{
    Client,
    header::{ACCEPT_ENCODING, CONTENT_ENCODING, COOKIE},
};
use tokio::{
    sync::mpsc,
    task::JoinSet,
    time::{Duration, Instant},
};

use crate::sample::Samples;

pub(crate) const PER_SECOND: u32 = 200;
const WARM_UP: u32 = PER_SECOND;
const REQUESTS: u32 = 10 * PER_SECOND;

/// `cookie` makes it the page of somebody; it is asked for as browsers do, compressed where the server can.
pub(crate) async fn readers(url: &str, cookie: &str) -> Result<Samples> {
    let client = Client::builder().tcp_nodelay(true).build()?;
    let mut waiting = JoinSet::new();
    let mut samples = Samples::default();
    let mut clock = clock();
    while let Some((number, due)) = clock.recv().await {
        let request = client.get(url).header(COOKIE, cookie).header(ACCEPT_ENCODING, "br");
        waiting.spawn(async move {
            let answer = request.send().await?.error_for_status()?;
            let packed = answer.headers().contains_key(CONTENT_ENCODING);
            let bytes = answer.bytes().await?.len();
            Ok::<_, reqwest::Error>((number, due.elapsed(), packed, bytes))
        });
        while let Some(answered) = waiting.try_join_next() {
            keep(answered, &mut samples)?;
        }
    }
    while let Some(answered) = waiting.join_next().await {
        keep(answered, &mut samples)?;
    }
    ensure!(samples.count() == REQUESTS as usize, "{} answers of {REQUESTS}", samples.count());
    Ok(samples)
}

/// When each request is due, told when it is. The runtime's own timers are late by up to a millisecond, which would be
/// counted as the server's.
fn clock() -> mpsc::UnboundedReceiver<(u32, Instant)> {
    let (due, told) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        let first = Instant::now();
        for number in 0..WARM_UP + REQUESTS {
            let at = first + Duration::from_secs(1) * number / PER_SECOND;
            std::thread::sleep(at.saturating_duration_since(Instant::now()));
            if due.send((number, at)).is_err() {
                return;
            }
        }
    });
    told
}

type Answered = Result<Result<(u32, Duration, bool, usize), reqwest::Error>, tokio::task::JoinError>;

fn keep(answered: Answered, samples: &mut Samples) -> Result<()> {
    let (number, took, packed, bytes) = answered?.context("a reader was not answered")?;
    ensure!(bytes > if packed { 5_000 } else { 20_000 }, "an answer of {bytes} bytes is no lesson");
    if number >= WARM_UP {
        samples.push(took);
    }
    Ok(())
}
