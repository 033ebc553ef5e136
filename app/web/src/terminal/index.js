// What the islands (WASM) and the code blocks see of the terminal.
import { stampStyles } from './nonce.js';
import { preferences } from './preferences.js';
import { Session } from './session.js';

stampStyles(document);

// Sessions by the address of their socket: tests and a curious reader's console find the text of a screen here.
const sessions = new Map();
let active = null;

function address(path) {
  const url = new URL(path, location.href);
  url.protocol = url.protocol.replace('http', 'ws');
  return url.href;
}

globalThis.BulkheadTerminal = {
  sessions,
  open(host, path, report) {
    const session = new Session(host, address(path), report);
    const dispose = session.dispose.bind(session);
    session.dispose = () => {
      sessions.delete(path);
      if (active === session) active = null;
      dispose();
    };
    sessions.set(path, session);
    return session;
  },
  activate(session) {
    active = session;
    session.focus();
  },
  // Sends a command of the text to the terminal in front, or to one of the machine that the text names.
  run({ text, tab, interrupt }) {
    const named = tab ? [...sessions.values()].find((session) => session.host.dataset.machine === tab) : null;
    const session = (active?.host.dataset.machine === tab ? active : named) ?? active;
    return session?.run(text, interrupt) ?? false;
  },
  screenReader: () => preferences.screenReader,
  setScreenReader(on) {
    preferences.screenReader = on;
    for (const session of sessions.values()) session.setScreenReader(on);
  },
};
