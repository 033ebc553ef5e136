// One terminal's socket: attach, reconnect, acknowledge. Knows nothing of xterm.js, so that it can be tested alone.
// The protocol is the one of app/src/api/terminal.rs.
const SNAPSHOT = 0;
const ACK_EVERY = 16 * 1024;
const MAX_INPUT = 64 * 1024;
const BACK_OFF = [500, 1000, 2000, 4000, 8000, 15000];

const real = {
  connect: (url) => new WebSocket(url),
  later: (action, milliseconds) => setTimeout(action, milliseconds),
  forget: (timer) => clearTimeout(timer),
  jitter: () => 0.8 + Math.random() * 0.4,
};

export class TerminalSocket {
  // `screen` has reset(), write(bytes, parsed), size() -> {cols, rows} | null.
  // `tell(event)` hears {type: connecting | open | waiting | writer | size | exited | gone, …}.
  constructor(url, screen, tell, world = real) {
    Object.assign(this, { url, screen, tell, world });
    this.attempt = 0;
    this.ended = false;
    this.socket = null;
    this.timer = null;
    this.sent = null;
  }

  open() {
    if (this.ended || this.socket) return;
    this.world.forget(this.timer);
    this.timer = null;
    const socket = this.world.connect(this.url);
    socket.binaryType = 'arraybuffer';
    this.socket = socket;
    this.live = false;
    this.sent = null;
    const link = { socket, parsed: 0, outstanding: 0 };
    this.tell({ type: 'connecting', attempt: this.attempt });
    socket.onmessage = (message) => this.socket === socket && this.receive(message.data, link);
    socket.onclose = () => this.socket === socket && this.lost();
  }

  // Tries at once: the network or the page came back.
  nudge() {
    if (this.timer === null) return;
    this.attempt = 0;
    this.open();
  }

  get connected() {
    return this.live && this.socket?.readyState === 1;
  }

  // True where the bytes went out. Nothing is kept for later: a program must not read what was typed at another screen.
  send(bytes) {
    if (!this.connected) return false;
    for (let at = 0; at < bytes.length; at += MAX_INPUT) this.socket.send(bytes.subarray(at, at + MAX_INPUT));
    return true;
  }

  claim() {
    this.say({ type: 'claim' });
  }

  // Only after the first snapshot: the program must not see a size that nobody looks at.
  resize() {
    const size = this.connected ? this.screen.size() : null;
    if (!size || (this.sent?.cols === size.cols && this.sent?.rows === size.rows)) return;
    this.sent = size;
    this.say({ type: 'resize', ...size });
  }

  close() {
    this.ended = true;
    this.world.forget(this.timer);
    this.timer = null;
    const socket = this.socket;
    this.socket = null;
    socket?.close(1000);
  }

  say(message) {
    if (this.socket?.readyState === 1) this.socket.send(JSON.stringify(message));
  }

  receive(data, link) {
    if (typeof data === 'string') return this.hear(JSON.parse(data));
    const bytes = new Uint8Array(data);
    if (bytes.length === 0) return undefined;
    const rest = bytes.subarray(1);
    if (bytes[0] === SNAPSHOT) this.screen.reset();
    link.outstanding += 1;
    this.screen.write(rest, () => this.parsed(link, rest.length));
    if (bytes[0] === SNAPSHOT && !this.live) {
      this.live = true;
      this.attempt = 0;
      this.tell({ type: 'open' });
      this.resize();
    }
    return undefined;
  }

  // Acknowledges in batches, and whatever is left once nothing waits any more.
  parsed(link, length) {
    link.outstanding -= 1;
    link.parsed += length;
    if (this.socket !== link.socket || link.parsed === 0) return;
    if (link.parsed < ACK_EVERY && link.outstanding > 0) return;
    this.say({ type: 'ack', bytes: link.parsed });
    link.parsed = 0;
  }

  hear(message) {
    if (message.type === 'gone' || message.type === 'exited') {
      this.tell(message);
      this.close();
    } else {
      // A size that was told while another had the keyboard did not count.
      if (message.type === 'writer' && message.yours) this.sent = null;
      this.tell(message);
    }
  }

  lost() {
    this.socket = null;
    this.live = false;
    if (this.ended) return;
    const step = BACK_OFF[Math.min(this.attempt, BACK_OFF.length - 1)];
    const wait = Math.round(step * this.world.jitter());
    this.attempt += 1;
    this.timer = this.world.later(() => this.open(), wait);
    this.tell({ type: 'waiting', attempt: this.attempt, milliseconds: wait });
  }
}
