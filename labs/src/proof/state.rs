//! What a grading must not change: the student's containers, images, volumes and networks.

use std::collections::BTreeMap;

use bulkhead_agent::look::{Look, Seen};
use serde_json::Value;

use crate::{link::AgentLink, manifest::Lab};

const LIMIT: u32 = 256 * 1024;

/// What is there → how it is. `Err`: it could not be taken.
pub(super) struct State(Result<BTreeMap<String, String>, String>);

impl State {
    pub(super) async fn take(link: &AgentLink, lab: &Lab) -> Self {
        Self(take(link, lab).await)
    }
}

/// What differs, each in a sentence.
pub(super) fn changes(before: &State, after: &State) -> Vec<String> {
    let (before, after) = match (&before.0, &after.0) {
        (Ok(before), Ok(after)) => (before, after),
        (Err(why), _) | (_, Err(why)) => return vec![format!("the sandbox's state could not be taken: {why}")],
    };
    let mut changes = Vec::new();
    for (what, was) in before {
        match after.get(what) {
            None => changes.push(format!("grading took away {what}")),
            Some(is) if is != was => changes.push(format!("grading changed {what} from {was} to {is}")),
            Some(_) => {}
        }
    }
    changes.extend(after.keys().filter(|what| !before.contains_key(*what)).map(|what| format!("grading left {what}")));
    changes
}

async fn take(link: &AgentLink, lab: &Lab) -> Result<BTreeMap<String, String>, String> {
    let mut state = BTreeMap::new();
    let Some(host) = lab.host() else { return Ok(state) };
    let machine = host.name.as_str();
    let lists = ["/containers/json?all=1", "/images/json?all=1", "/volumes", "/networks"];
    let [containers, images, volumes, networks] =
        ask(link, machine, lists.map(str::to_owned).to_vec()).await?.try_into().map_err(|_| "an answer is missing")?;
    let each = |list: &Value| list.as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or("?").to_owned();
    for image in each(&images) {
        state.insert(format!("image {}", text(&image["Id"])), image["RepoTags"].to_string());
    }
    for volume in each(&volumes["Volumes"]) {
        state.insert(format!("volume {}", text(&volume["Name"])), text(&volume["CreatedAt"]));
    }
    for network in each(&networks) {
        state.insert(format!("network {}", text(&network["Name"])), text(&network["Id"]));
    }
    let ids: Vec<String> = each(&containers).iter().map(|container| text(&container["Id"])).collect();
    let paths =
        ids.iter().flat_map(|id| [format!("/containers/{id}/json"), format!("/containers/{id}/changes")]).collect();
    for (id, answers) in ids.iter().zip(ask(link, machine, paths).await?.chunks(2)) {
        let [inspect, changes] = answers else { continue };
        let how =
            format!("{}, started {}, {}", inspect["State"]["Status"], inspect["State"]["StartedAt"], paths_of(changes));
        state.insert(format!("container {} ({})", text(&inspect["Name"]), &id[..id.len().min(12)]), how);
    }
    Ok(state)
}

fn paths_of(changes: &Value) -> String {
    let mut paths: Vec<&str> =
        changes.as_array().into_iter().flatten().filter_map(|change| change["Path"].as_str()).collect();
    paths.sort_unstable();
    if paths.is_empty() { "nothing written".to_owned() } else { format!("written: {}", paths.join(" ")) }
}

async fn ask(link: &AgentLink, machine: &str, paths: Vec<String>) -> Result<Vec<Value>, String> {
    let look = |path: String| Look::Engine {
        machine: machine.to_owned(),
        method: "GET".to_owned(),
        path,
        body: None,
        timeout_ms: 10_000,
        limit: LIMIT,
    };
    let seen = link.observe(paths.into_iter().map(look).collect()).await.map_err(|why| why.to_string())?;
    seen.into_iter()
        .map(|seen| match seen {
            Ok(Seen::Http { status: 200, body, truncated: false, .. }) => {
                serde_json::from_str(&body).map_err(|why| why.to_string())
            }
            Ok(Seen::Http { status, .. }) => Err(format!("the engine answered {status}")),
            Ok(_) => Err("the engine did not answer".to_owned()),
            Err(fault) => Err(fault.message),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(entries: &[(&str, &str)]) -> State {
        State(Ok(entries.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()))
    }

    #[test]
    fn says_what_a_grading_changed() {
        let before = state(&[("container cms", "running"), ("image a", "[]"), ("volume up", "x")]);
        let after = state(&[("container cms", "exited"), ("container left", "running"), ("volume up", "x")]);
        assert_eq!(
            changes(&before, &after),
            [
                "grading changed container cms from running to exited",
                "grading took away image a",
                "grading left container left"
            ]
        );
        assert_eq!(changes(&before, &before), Vec::<String>::new());
    }
}
