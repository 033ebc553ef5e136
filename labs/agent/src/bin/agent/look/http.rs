//! Asks a service as one of the sandbox's machines would.

use std::{
    net::{Ipv4Addr, SocketAddr, TcpStream},
    time::{Duration, Instant},
};

use bulkhead_agent::{look::Seen, protocol::FaultKind};

use super::{
    answer::{self, Question, Timed},
    place,
};
use crate::{
    boot::machine::Machine,
    fault::{Outcome, fault},
    supervisor::Sandbox,
};

impl Timed for TcpStream {
    fn give(&self, time: Duration) -> std::io::Result<()> {
        self.set_read_timeout(Some(time))?;
        self.set_write_timeout(Some(time))
    }
}

pub(super) fn ask(
    sandbox: &Sandbox,
    from: &Machine,
    port: u16,
    question: &Question<'_>,
    time: Duration,
    limit: u32,
) -> Outcome<Seen> {
    let deadline = Instant::now() + time;
    let address = SocketAddr::from((address(sandbox, question.host)?, port));
    place::join_network(from)?;
    let answer = match TcpStream::connect_timeout(&address, time.max(Duration::from_millis(1))) {
        Ok(mut stream) => answer::ask(&mut stream, question, deadline, limit)?,
        Err(error) => Err(answer::words(error)),
    };
    Ok(answer.unwrap_or_else(|why| Seen::NoAnswer { why }))
}

/// Names are the sandbox's own; nobody else is asked.
fn address(sandbox: &Sandbox, host: &str) -> Outcome<Ipv4Addr> {
    let machine = sandbox.machine(host).map(|(_, machine)| Ipv4Addr::from(machine.spec.address));
    let literal = || if host == "localhost" { Some(Ipv4Addr::LOCALHOST) } else { host.parse().ok() };
    machine.or_else(literal).ok_or_else(|| fault(FaultKind::Invalid, format!("{host} is no machine and no address")))
}
