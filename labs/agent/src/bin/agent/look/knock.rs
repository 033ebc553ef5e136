//! Knocks at a port, and addresses at which one could.

use std::{
    io::{ErrorKind, Read, Write},
    net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, UdpSocket},
    time::{Duration, Instant},
};

use bulkhead_agent::look::{Protocol, Seen, facts::Address};
use nix::ifaddrs::getifaddrs;

use super::{answer, http::Call, place};
use crate::{
    boot::machine::Machine,
    fault::{Doing, Outcome},
};

const MOST_REPLY: usize = 2048;
const MOST_ADDRESSES: usize = 256;

pub(super) fn look(call: &Call<'_>, host: &str, protocol: Protocol, send: &str) -> Outcome<Seen> {
    let target = super::http::target(call, host)?;
    if !place::join_network(call.from, call.pid)? {
        return Ok(Seen::Missing);
    }
    Ok(knock(target.socket(call.port), protocol, send.as_bytes(), call.time))
}

/// From where this process is.
pub(super) fn knock(address: Result<SocketAddr, String>, protocol: Protocol, send: &[u8], time: Duration) -> Seen {
    let address = match address {
        Ok(address) => address,
        Err(why) => return Seen::NoAnswer { why },
    };
    let deadline = Instant::now() + time;
    let outcome = match protocol {
        Protocol::Tcp => tcp(&address, send, time, deadline),
        Protocol::Udp => udp(&address, send, time),
    };
    match outcome {
        Ok(reply) => Seen::Connected { reply: String::from_utf8_lossy(&reply).into_owned() },
        Err(error) => Seen::NoAnswer { why: answer::words(error) },
    }
}

/// With nothing to send, being let in is all. Else whatever comes back in time counts, and silence does too.
fn tcp(address: &SocketAddr, send: &[u8], time: Duration, deadline: Instant) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect_timeout(address, time)?;
    if send.is_empty() {
        return Ok(Vec::new());
    }
    stream.set_write_timeout(Some(time))?;
    stream.write_all(send)?;
    let mut reply = vec![0; MOST_REPLY];
    let left = deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
    stream.set_read_timeout(Some(left))?;
    let count = match stream.read(&mut reply) {
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => 0,
        other => other?,
    };
    reply.truncate(count);
    Ok(reply)
}

/// Nobody is there unless something comes back.
fn udp(address: &SocketAddr, send: &[u8], time: Duration) -> std::io::Result<Vec<u8>> {
    let any: SocketAddr =
        if address.is_ipv4() { (Ipv4Addr::UNSPECIFIED, 0).into() } else { (Ipv6Addr::UNSPECIFIED, 0).into() };
    let socket = UdpSocket::bind(any)?;
    socket.set_read_timeout(Some(time.max(Duration::from_millis(1))))?;
    socket.connect(address)?;
    socket.send(send)?;
    let mut reply = vec![0; MOST_REPLY];
    let count = socket.recv(&mut reply)?;
    reply.truncate(count);
    Ok(reply)
}

pub(super) fn addresses(machine: &Machine, pid: Option<i32>) -> Outcome<Seen> {
    if !place::join_network(machine, pid)? {
        return Ok(Seen::Missing);
    }
    let found = getifaddrs().doing(|| "list addresses".into())?;
    let addresses = found.filter_map(|entry| {
        let address = entry.address?;
        let text = address
            .as_sockaddr_in()
            .map(|four| four.ip().to_string())
            .or_else(|| address.as_sockaddr_in6().map(|six| six.ip().to_string()))?;
        Some(Address { interface: entry.interface_name, address: text })
    });
    Ok(Seen::Addresses { addresses: addresses.take(MOST_ADDRESSES).collect() })
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    const SHORT: Duration = Duration::from_millis(300);

    #[test]
    fn being_let_in_is_enough_where_nothing_is_sent() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        assert_eq!(knock(Ok(address), Protocol::Tcp, b"", SHORT), Seen::Connected { reply: String::new() });
        assert_eq!(knock(Ok(address), Protocol::Tcp, b"hello", SHORT), Seen::Connected { reply: String::new() });
        drop(listener);
        assert!(
            matches!(knock(Ok(address), Protocol::Tcp, b"", SHORT), Seen::NoAnswer { why } if why.contains("ECONNREFUSED"))
        );
    }

    #[test]
    fn a_datagram_counts_when_something_comes_back() {
        let server = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = server.local_addr().unwrap();
        let thread = std::thread::spawn(move || {
            let mut buffer = [0; 16];
            let (count, from) = server.recv_from(&mut buffer).unwrap();
            server.send_to(&[b"got ", &buffer[..count]].concat(), from).unwrap();
            server
        });
        assert_eq!(knock(Ok(address), Protocol::Udp, b"time", SHORT), Seen::Connected { reply: "got time".into() });
        let _silent = thread.join().unwrap();
        assert!(matches!(knock(Ok(address), Protocol::Udp, b"time", SHORT), Seen::NoAnswer { .. }));
    }
}
