//! Tabs: terminals, several to a machine, and notes. A tab that is not in front stays as it is: hidden, never closed.

use leptos::{either::Either, ev::KeyboardEvent, html::Div, prelude::*};

use super::feed::Feed;
use crate::{
    api::lab::{MachineView, TerminalView},
    islands::browser::{self, Link, Terminal},
    server_fns::lab::{close_terminal, open_terminal},
    ui::{Glyph, Icon, whole},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Tab {
    Terminal(u32),
    Notes,
}

impl Tab {
    fn id(self) -> String {
        match self {
            Self::Terminal(id) => format!("tab-terminal-{id}"),
            Self::Notes => "tab-notes".into(),
        }
    }

    fn panel(self) -> String {
        format!("{}-panel", self.id())
    }
}

#[component]
pub(crate) fn Terminals(feed: Feed, machines: Vec<MachineView>) -> impl IntoView {
    let terminals =
        Memo::new(move |_| feed.sandbox.with(|s| s.as_ref().map(|s| s.terminals.clone()).unwrap_or_default()));
    let sandbox = feed.sandbox.with_untracked(|s| s.as_ref().map(|s| s.id.clone()).unwrap_or_default());
    let sandbox = StoredValue::new(sandbox);
    let first = terminals.with_untracked(|t| t.first().map_or(Tab::Notes, |t| Tab::Terminal(t.id)));
    let front = RwSignal::new(first);
    let front_terminal = RwSignal::new_local(None::<Terminal>);
    let reader = RwSignal::new(false);
    // A tab that goes away leaves the front to its neighbour.
    Effect::new(move |_| {
        let ids = terminals.with(|t| t.iter().map(|t| t.id).collect::<Vec<_>>());
        if let Tab::Terminal(id) = front.get_untracked()
            && !ids.contains(&id)
        {
            front.set(ids.last().map_or(Tab::Notes, |id| Tab::Terminal(*id)));
        }
    });
    Effect::new(move |_| reader.set(Terminal::screen_reader()));
    let order = move || {
        let mut tabs = terminals.with_untracked(|t| t.iter().map(|t| Tab::Terminal(t.id)).collect::<Vec<_>>());
        tabs.push(Tab::Notes);
        tabs
    };
    let key = move |event: KeyboardEvent| {
        let tabs = order();
        let at = tabs.iter().position(|tab| *tab == front.get_untracked()).unwrap_or(0);
        let to = match event.key().as_str() {
            "ArrowRight" => (at + 1) % tabs.len(),
            "ArrowLeft" => (at + tabs.len() - 1) % tabs.len(),
            _ => return,
        };
        event.prevent_default();
        front.set(tabs[to]);
        browser::focus(&format!("#{}", tabs[to].id()));
    };
    let owned = move || {
        let ids = terminals.with(|t| t.iter().map(|t| Tab::Terminal(t.id).id()).collect::<Vec<_>>());
        format!("{} {}", ids.join(" "), Tab::Notes.id())
    };
    let zoom = move |by| front_terminal.with_untracked(|t| t.as_ref().inspect(|t| t.zoom(by)).is_some());
    whole(view! {
        <div class="tabs-bar">
            <div class="tabs" id="terminal-tabs" on:keydown=key>
                // A tab's close button is no tab, so the list owns its tabs from beside them.
                <span role="tablist" aria-label="Terminals and notes" aria-owns=owned></span>
                <For each=move || terminals.get() key=|t| t.id let:terminal>
                    <TerminalTab feed terminal front/>
                </For>
                <TabButton tab=Tab::Notes front glyph=Glyph::Note label="Notes".to_owned()/>
            </div>
            {machines.into_iter().filter(|m| m.terminal).map(|machine| view! { <NewTerminal feed machine=machine.name front/> }).collect_view()}
            <div class="tabs-tools">
                <button type="button" class="quiet" title="Find in the terminal (Ctrl Shift F)" on:click=move |_| front_terminal.with_untracked(|t| { t.as_ref().inspect(|t| t.search()); })>
                    <Icon glyph=Glyph::Search/><span class="sr">"Find in the terminal"</span>
                </button>
                <button type="button" class="quiet letter" title="Smaller (Ctrl −)" on:click=move |_| { zoom(-1); }><span aria-hidden="true">"A"</span><span class="sr">"Smaller text"</span></button>
                <button type="button" class="quiet letter large" title="Larger (Ctrl +)" on:click=move |_| { zoom(1); }><span aria-hidden="true">"A"</span><span class="sr">"Larger text"</span></button>
                <button
                    type="button"
                    class="quiet small"
                    title="Have terminals read their output to a screen reader"
                    aria-pressed=move || if reader.get() { "true" } else { "false" }
                    on:click=move |_| {
                        reader.update(|on| *on = !*on);
                        Terminal::set_screen_reader(reader.get_untracked());
                    }
                >"Reader"</button>
            </div>
        </div>
        <div class="panes">
            <For each=move || terminals.get() key=|t| t.id let:terminal>
                <Pane sandbox=sandbox.get_value() terminal front front_terminal/>
            </For>
            <Notes feed front/>
        </div>
    })
}

#[component]
fn TabButton(tab: Tab, front: RwSignal<Tab>, glyph: Glyph, label: String) -> impl IntoView {
    let chosen = move || front.get() == tab;
    whole(view! {
        <button
            type="button"
            role="tab"
            class="tab"
            id=tab.id()
            aria-controls=tab.panel()
            aria-selected=move || if chosen() { "true" } else { "false" }
            tabindex=move || if chosen() { "0" } else { "-1" }
            on:click=move |_| front.set(tab)
        ><Icon glyph/>{label}</button>
    })
}

#[component]
fn TerminalTab(feed: Feed, terminal: TerminalView, front: RwSignal<Tab>) -> impl IntoView {
    let tab = Tab::Terminal(terminal.id);
    let asking = RwSignal::new(false);
    let id = terminal.id;
    let close = move |_| {
        if asking.get_untracked() {
            feed.ask(close_terminal(feed.lab.get_value(), id), move |()| {
                feed.sandbox.update(|s| {
                    if let Some(s) = s {
                        s.terminals.retain(|t| t.id != id);
                    }
                });
            });
        } else {
            asking.set(true);
            set_timeout(
                move || {
                    asking.try_set(false);
                },
                std::time::Duration::from_secs(4),
            );
        }
    };
    let label = format!("Close {}", terminal.title);
    whole(view! {
        <span class="tab-box">
            <TabButton tab front glyph=Glyph::Terminal label=terminal.title/>
            <button type="button" class="tab-close" aria-label=label data-asking=move || asking.get().then_some("") on:click=close>
                {move || if asking.get() { Either::Left("End its shell?") } else { Either::Right(view! { <Icon glyph=Glyph::Cross/> }) }}
            </button>
        </span>
    })
}

#[component]
fn NewTerminal(feed: Feed, machine: String, front: RwSignal<Tab>) -> impl IntoView {
    let label = format!("New terminal on {machine}");
    let open = {
        let machine = machine.clone();
        move |_| {
            feed.ask(open_terminal(feed.lab.get_value(), machine.clone()), move |terminal| {
                let tab = Tab::Terminal(terminal.id);
                feed.sandbox.update(|s| {
                    if let Some(s) = s
                        && s.terminals.iter().all(|t| t.id != terminal.id)
                    {
                        s.terminals.push(terminal);
                    }
                });
                front.set(tab);
            });
        }
    };
    whole(view! {
        <button type="button" class="quiet small" title=label.clone() aria-label=label disabled=feed.busy on:click=open>
            <Icon glyph=Glyph::Plus/>{machine}
        </button>
    })
}

#[component]
fn Pane(
    sandbox: String,
    terminal: TerminalView,
    front: RwSignal<Tab>,
    front_terminal: RwSignal<Option<Terminal>, LocalStorage>,
) -> impl IntoView {
    let tab = Tab::Terminal(terminal.id);
    let path = format!("/ws/sandbox/{sandbox}/terminal/{}", terminal.id);
    let host: NodeRef<Div> = NodeRef::new();
    let link = RwSignal::new(Link::Connecting);
    let missing = RwSignal::new(false);
    let session = StoredValue::new_local(None::<Terminal>);
    Effect::new(move |_| {
        if host.get().is_none() || session.with_value(Option::is_some) {
            return;
        }
        let opened = Terminal::open(host, &path, move |now| {
            link.try_set(now);
        });
        missing.set(opened.is_none());
        session.set_value(opened);
    });
    Effect::new(move |_| {
        let shown = front.get() == tab && host.get().is_some();
        if shown && let Some(terminal) = session.get_value() {
            // After the browser laid the pane out: a hidden terminal has no size.
            request_animation_frame(move || terminal.activate());
            front_terminal.set(session.get_value());
        }
    });
    on_cleanup(move || {
        if let Some(Some(terminal)) = session.try_get_value() {
            terminal.close();
        }
    });
    whole(view! {
        <div class="pane" id=tab.panel() role="tabpanel" aria-labelledby=tab.id() hidden=move || front.get() != tab>
            <div
                class="term"
                node_ref=host
                data-machine=terminal.machine
                data-terminal=terminal.id.to_string()
                data-link=move || match link.get() {
                    Link::Connecting => "connecting",
                    Link::Open => "open",
                    Link::Waiting => "waiting",
                    Link::Over => "over",
                }
            ></div>
            {move || missing.get().then(|| view! { <p class="notice bad" role="alert">"The terminal’s script did not load. Reload the page."</p> })}
        </div>
    })
}

#[component]
fn Notes(feed: Feed, front: RwSignal<Tab>) -> impl IntoView {
    let key = format!("notes.{}", feed.lab.get_value());
    let text = RwSignal::new(String::new());
    Effect::new({
        let key = key.clone();
        move |_| text.set(browser::stored(&key).unwrap_or_default())
    });
    let write = move |event| {
        let value = event_target_value(&event);
        browser::store(&key, &value);
        text.set(value);
    };
    whole(view! {
        <div class="pane notes" id=Tab::Notes.panel() role="tabpanel" aria-labelledby=Tab::Notes.id() hidden=move || front.get() != Tab::Notes>
            <textarea aria-label="Notes" placeholder="Notes for this lab. They stay in this browser." prop:value=text on:input=write></textarea>
        </div>
    })
}
