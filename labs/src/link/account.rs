//! Accounts of a machine, by name. Whoever is root there writes `/etc/passwd`: what it says is bounded and checked, and
//! decides nothing but which of his own machine's users a shell is.

use bulkhead_agent::{
    boot::IDS_PER_MACHINE,
    look::{Look, Seen},
    protocol::{Fault, FaultKind},
};

use super::{AgentLink, LinkError};

const PASSWD: &str = "/etc/passwd";
const LIMIT: u32 = 256 * 1024;

impl AgentLink {
    /// The user id of `name` on `machine`; a fault where there is no such account.
    pub async fn account(&self, machine: &str, name: &str) -> Result<u32, LinkError> {
        let look = Look::File { machine: machine.to_owned(), pid: None, path: PASSWD.to_owned(), limit: LIMIT };
        match self.observe(vec![look]).await?.pop() {
            Some(Ok(Seen::File(facts))) => uid(&facts.content, name).ok_or_else(|| {
                let message = format!("{machine} has no account {name}");
                LinkError::Fault(Fault { kind: FaultKind::Failed, message })
            }),
            Some(Err(fault)) => Err(LinkError::Fault(fault)),
            _ => {
                let message = format!("{machine} has no {PASSWD}");
                Err(LinkError::Fault(Fault { kind: FaultKind::Failed, message }))
            }
        }
    }
}

fn uid(passwd: &str, name: &str) -> Option<u32> {
    let entry = |line: &str| {
        let mut fields = line.split(':');
        let (found, _password, uid) = (fields.next()?, fields.next()?, fields.next()?);
        (found == name).then(|| uid.parse().ok()).flatten()
    };
    passwd.lines().find_map(entry).filter(|uid| *uid < IDS_PER_MACHINE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_found_by_its_whole_name() {
        let passwd =
            "root:x:0:0:root:/root:/bin/bash\nbroken\ndev:x:1000:1000::/:/bin/sh\ndev1:x:1001:1001::/:/bin/sh\n";
        assert_eq!(uid(passwd, "dev1"), Some(1001));
        assert_eq!(uid(passwd, "dev2"), None);
        assert_eq!(uid(passwd, "broken"), None);
        assert_eq!(uid("dev1:x:4294967295:0:::\n", "dev1"), None);
    }
}
