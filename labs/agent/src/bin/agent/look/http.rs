//! Asks a service as one of the sandbox's machines would, or one of its containers.

use std::{
    net::{SocketAddr, TcpStream},
    time::{Duration, Instant},
};

use bulkhead_agent::{
    look::{Seen, Way},
    protocol::FaultKind,
};

use super::{
    answer::{self, Question, Timed},
    place,
    target::Target,
    tls, unix,
};
use crate::{
    boot::machine::Machine,
    fault::{Outcome, fault, said},
    supervisor::Sandbox,
    sys::rooted,
};

/// One look takes so many times.
const MOST_COUNT: u32 = 500;

impl Timed for TcpStream {
    fn give(&self, time: Duration) -> std::io::Result<()> {
        self.set_read_timeout(Some(time))?;
        self.set_write_timeout(Some(time))
    }
}

/// Who asks whom.
pub(super) struct Call<'a> {
    pub(super) sandbox: &'a Sandbox,
    pub(super) from: &'a Machine,
    pub(super) pid: Option<i32>,
    pub(super) port: u16,
    pub(super) time: Duration,
}

pub(super) fn ask(call: &Call<'_>, way: &Way, question: &Question<'_>, limit: u32) -> Outcome<Seen> {
    let deadline = Instant::now() + call.time;
    match way {
        Way::Unix { path } => {
            let Some(root) = place::root_as_its_root(call.from, call.pid)? else { return Ok(Seen::Missing) };
            let found = rooted::find(&root, path, true);
            let stream = found.and_then(|found| unix::connect(&rooted::through(&found), deadline));
            answered(stream.map_err(said), |stream| answer::ask(stream, question, deadline, limit))
        }
        Way::Tcp => {
            let target = target(call, question.host)?;
            if !place::join_network(call.from, call.pid)? {
                return Ok(Seen::Missing);
            }
            answered(connect(&target, call), |stream| answer::ask(stream, question, deadline, limit))
        }
        Way::Tls { name, certificate, key } => {
            let target = target(call, question.host)?;
            if !place::join_network(call.from, call.pid)? {
                return Ok(Seen::Missing);
            }
            match connect(&target, call) {
                Ok(stream) => tls::ask(stream, &tls::Caller { name, certificate, key }, question, deadline, limit),
                Err(why) => Ok(Seen::NoAnswer { why }),
            }
        }
    }
}

fn connect(target: &Target, call: &Call<'_>) -> Result<TcpStream, String> {
    connect_to(&target.socket(call.port)?, call.time)
}

pub(super) fn connect_to(address: &SocketAddr, time: Duration) -> Result<TcpStream, String> {
    TcpStream::connect_timeout(address, time.max(Duration::from_millis(1))).map_err(answer::words)
}

fn answered<S>(stream: Result<S, String>, ask: impl FnOnce(&mut S) -> Outcome<Result<Seen, String>>) -> Outcome<Seen> {
    match stream {
        Ok(mut stream) => Ok(ask(&mut stream)?.unwrap_or_else(|why| Seen::NoAnswer { why })),
        Err(why) => Ok(Seen::NoAnswer { why }),
    }
}

/// The same again and again, each on a connection of its own.
pub(super) fn load(call: &Call<'_>, question: &Question<'_>, count: u32) -> Outcome<Seen> {
    let target = target(call, question.host)?;
    if !place::join_network(call.from, call.pid)? {
        return Ok(Seen::Missing);
    }
    let (mut millis, mut failed) = (Vec::new(), 0);
    for _ in 0..count.min(MOST_COUNT) {
        let began = Instant::now();
        let seen =
            answered(connect(&target, call), |stream| answer::ask(stream, question, began + call.time, 64 * 1024))?;
        match seen {
            Seen::Http { status: 200..=299, .. } => {
                millis.push(u32::try_from(began.elapsed().as_millis()).unwrap_or(u32::MAX));
            }
            _ => failed += 1,
        }
    }
    Ok(Seen::Load { millis, failed })
}

/// Names are the sandbox's own; nobody else is asked. A machine on several networks is asked where the caller is too.
pub(super) fn target(call: &Call<'_>, host: &str) -> Outcome<Target> {
    let machine = call.sandbox.machine(host).and_then(|(_, machine)| {
        let first = || machine.spec.interfaces.first().and_then(|interface| interface.addresses.first().copied());
        machine.spec.address_for(&call.from.spec).or_else(first)
    });
    machine
        .map(Target::from)
        .or_else(|| Target::literal(host))
        .ok_or_else(|| fault(FaultKind::Invalid, format!("{host} is no machine and no address")))
}
