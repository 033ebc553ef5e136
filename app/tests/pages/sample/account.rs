use bulkhead_app::{
    api::{Account, Caller, Role, account::SessionView},
    page::Part,
};

fn caller(name: &str, role: Role, local: bool) -> Caller {
    let email = format!("{}@example.org", name.split(' ').next().unwrap_or_default().to_lowercase());
    Caller { account: Some(Account { id: 7, email, name: name.into(), role }), local, session: None }
}

pub(crate) fn student() -> Caller {
    caller("Ada Byron", Role::Student, false)
}

pub(crate) fn instructor() -> Caller {
    caller("Grace Murray", Role::Instructor, false)
}

pub(crate) fn local() -> Caller {
    caller("Local learner", Role::Instructor, true)
}

pub(crate) fn sessions() -> Vec<SessionView> {
    let session = |handle: &str, agent: &str, current| SessionView {
        handle: handle.into(),
        user_agent: agent.into(),
        last_seen: "2026-11-24T10:31:00Z".into(),
        current,
    };
    vec![session("a1", "Firefox 145 on Linux", true), session("b2", "Chrome 142 on Windows", false)]
}

pub(crate) fn parts() -> Vec<Part> {
    let part = |name: &str, version: &str, licence: &str, kind: &str| Part {
        name: name.into(),
        version: version.into(),
        licence: licence.into(),
        kind: kind.into(),
        text: "Permission is hereby granted, free of charge, to any person obtaining a copy …".into(),
    };
    vec![part("@xterm/xterm", "6.0.0", "MIT", "npm"), part("leptos", "0.8.23", "MIT", "crate")]
}
