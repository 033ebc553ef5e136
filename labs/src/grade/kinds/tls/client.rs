//! A client's files on a student's machine, and whether they make for a connection that can be trusted. Keys of the table:
//!
//! | key | |
//! |---|---|
//! | `name` | the name or address that the server's certificate must be for (default: the machine that is asked) |
//! | `machine` | where the files lie (default `host`) |
//! | `ca` | certificates that the server's must be signed by |
//! | `certificate`, `key` | what the client shows; both or neither |

use bulkhead_agent::look::{FileKind, Look, Seen, Way, facts::TlsPeer};

use super::trust;
use crate::{
    grade::{Eyes, Halt, containers, eyes::misplaced},
    manifest::{Fields, MachineName},
};

const FILE_LIMIT: u32 = 32 * 1024;

#[derive(Debug)]
pub(in crate::grade::kinds) struct Client {
    pub(in crate::grade::kinds) machine: MachineName,
    pub(in crate::grade::kinds) name: String,
    ca: String,
    own: Option<(String, String)>,
}

impl Client {
    /// `to`: whose name it is unless given.
    pub(in crate::grade::kinds) fn read(fields: Fields<'_>, to: &str) -> Option<Self> {
        let name = fields.opt_parsed("name", trust::server_name).unwrap_or_else(|| to.to_owned());
        let machine = containers::read_machine(&fields, "machine", "host");
        let ca = fields.parsed("ca", absolute);
        let certificate = fields.opt_parsed("certificate", absolute);
        let key = fields.opt_parsed("key", absolute);
        if certificate.is_some() != key.is_some() {
            fields.error("a certificate without its key, or a key alone", "write both `certificate` and `key`");
        }
        fields.finish();
        Some(Self { machine: machine?, name, ca: ca?, own: certificate.zip(key) })
    }

    /// How to ask, with what the client has to show. `Err(Halt::Fails)`: a file is not there.
    pub(in crate::grade::kinds) fn way(&self, eyes: &mut Eyes<'_>) -> Result<Way, Halt> {
        let (certificate, key) = match &self.own {
            None => (String::new(), String::new()),
            Some((certificate, key)) => {
                // Both are asked for at once.
                let (certificate, key) = (self.file(eyes, certificate), self.file(eyes, key));
                (certificate?.to_owned(), key?.to_owned())
            }
        };
        Ok(Way::Tls { name: self.name.clone(), certificate, key })
    }

    /// Why the server is not to be trusted, if so.
    pub(in crate::grade::kinds) fn distrust(
        &self,
        eyes: &mut Eyes<'_>,
        peer: &TlsPeer,
    ) -> Result<Option<String>, Halt> {
        let ca = self.file(eyes, &self.ca)?;
        Ok(trust::verify(ca, &peer.chain, &self.name, peer.time).err())
    }

    fn file<'a>(&self, eyes: &mut Eyes<'a>, path: &str) -> Result<&'a str, Halt> {
        let look =
            Look::File { machine: self.machine.to_string(), pid: None, path: path.to_owned(), limit: FILE_LIMIT };
        match eyes.see(look)? {
            Seen::File(facts) if facts.kind == FileKind::File && !facts.truncated => Ok(&facts.content),
            Seen::File(_) | Seen::Missing => Err(Halt::fails(format!("there is no usable {path} on {}", self.machine))),
            other => Err(misplaced(other)),
        }
    }
}

fn absolute(path: &str) -> Result<String, String> {
    let fits = path.starts_with('/') && !path.ends_with('/') && !path.contains("/../");
    if fits { Ok(path.to_owned()) } else { Err("write an absolute path to a file".to_owned()) }
}
