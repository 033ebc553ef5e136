//! What a process may do: read from outside, taken on by this one.

use nix::{
    sys::prctl,
    unistd::{Gid, Uid, setgroups, setresgid, setresuid},
};

use crate::{
    fault::{Doing, Outcome, fault},
    look::{place::Process, procfs},
    sys::{
        capability::{self, Sets},
        ids,
    },
};

use bulkhead_agent::protocol::FaultKind;

pub(in crate::look) struct Privileges {
    uid: [u32; 4],
    gid: [u32; 4],
    groups: Vec<u32>,
    sets: Sets,
    bounding: u64,
    ambient: u64,
    no_new_privs: bool,
}

impl Privileges {
    /// Reads them from outside, and translates ids to the process's own user namespace.
    pub(in crate::look) fn of(process: &Process) -> Outcome<Self> {
        let text = |name: &str| process.text(name).doing(|| format!("read {name}"));
        let (status, uid_map, gid_map) =
            (text("status")?, procfs::id_map(&text("uid_map")?), procfs::id_map(&text("gid_map")?));
        let status = procfs::fields(&status);
        let odd = |what: &str| fault(FaultKind::Failed, format!("its status has no usable {what}"));
        let ids = |key: &str, map: &[[u32; 3]]| {
            let outside = procfs::four(status.get(key)).ok_or_else(|| odd(key))?;
            let inside: Option<Vec<u32>> = outside.iter().map(|id| procfs::inside(map, *id)).collect();
            inside.and_then(|ids| ids.try_into().ok()).ok_or_else(|| odd(key))
        };
        let set = |key: &str| procfs::hexadecimal(status.get(key)).ok_or_else(|| odd(key));
        Ok(Self {
            uid: ids("Uid", &uid_map)?,
            gid: ids("Gid", &gid_map)?,
            groups: procfs::many(status.get("Groups"))
                .into_iter()
                .filter_map(|id| procfs::inside(&gid_map, id))
                .collect(),
            sets: Sets { effective: set("CapEff")?, permitted: set("CapPrm")?, inheritable: set("CapInh")? },
            bounding: set("CapBnd")?,
            ambient: set("CapAmb")?,
            no_new_privs: status.get("NoNewPrivs") == Some(&"1"),
        })
    }

    /// Its effective user and group, as its own user namespace numbers them.
    pub(in crate::look) fn user(&self) -> (u32, u32) {
        (self.uid[1], self.gid[1])
    }

    pub(super) fn take(&self) -> Outcome<()> {
        prctl::set_keepcaps(true).doing(|| "keep capabilities".into())?;
        capability::bound(self.bounding).doing(|| "take its bounding set".into())?;
        let groups: Vec<Gid> = self.groups.iter().copied().map(Gid::from_raw).collect();
        setgroups(&groups).doing(|| "take its groups".into())?;
        let [real, effective, saved, _] = self.gid.map(Gid::from_raw);
        setresgid(real, effective, saved).doing(|| "take its group".into())?;
        let [real, effective, saved, _] = self.uid.map(Uid::from_raw);
        setresuid(real, effective, saved).doing(|| "take its user".into())?;
        capability::set(self.sets).doing(|| "take its capabilities".into())?;
        capability::ambient(self.ambient).doing(|| "take its ambient capabilities".into())?;
        if self.no_new_privs {
            prctl::set_no_new_privs().doing(|| "take no new privileges".into())?;
        }
        // Nobody may look into this process, although it is now what others are.
        ids::hide().doing(|| "hide".into())
    }
}
