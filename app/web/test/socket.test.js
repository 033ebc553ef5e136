import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TerminalSocket } from '../src/terminal/socket.js';

function stage() {
  const made = [];
  const timers = [];
  const events = [];
  const screen = { log: [], waiting: [], reset() { this.log.push('reset'); }, write(bytes, parsed) { this.log.push(new TextDecoder().decode(bytes)); this.waiting.push(parsed); }, size: () => ({ cols: 100, rows: 30 }) };
  const world = {
    connect(url) { const socket = { url, readyState: 1, sent: [], send(data) { this.sent.push(data); }, close() { this.readyState = 3; } }; made.push(socket); return socket; },
    later(action, milliseconds) { timers.push({ action, milliseconds }); return timers.length; },
    forget() {},
    jitter: () => 1,
  };
  const terminal = new TerminalSocket('ws://x/', screen, (event) => events.push(event), world);
  terminal.open();
  const frame = (kind, text) => ({ data: new Uint8Array([kind, ...new TextEncoder().encode(text)]).buffer });
  return { terminal, made, timers, events, screen, snapshot: (text) => made.at(-1).onmessage(frame(0, text)), output: (text) => made.at(-1).onmessage(frame(1, text)), drop: () => { made.at(-1).readyState = 3; made.at(-1).onclose(); } };
}
const json = (socket) => socket.sent.filter((data) => typeof data === 'string').map((data) => JSON.parse(data));

test('a snapshot resets the screen, and only then is the size told', () => {
  const s = stage();
  assert.deepEqual(s.made[0].sent, []);
  s.snapshot('$ ');
  assert.deepEqual(s.screen.log, ['reset', '$ ']);
  assert.deepEqual(json(s.made[0]), [{ type: 'resize', cols: 100, rows: 30 }]);
  s.terminal.resize();
  assert.equal(json(s.made[0]).length, 1, 'the same size is not told twice');
});

test('bytes are acknowledged after they were parsed, in batches', () => {
  const s = stage();
  s.snapshot('12345');
  s.output('678');
  assert.equal(json(s.made[0]).filter((m) => m.type === 'ack').length, 0);
  s.screen.waiting[0]();
  assert.equal(json(s.made[0]).filter((m) => m.type === 'ack').length, 0, 'more is waiting');
  s.screen.waiting[1]();
  assert.deepEqual(json(s.made[0]).at(-1), { type: 'ack', bytes: 8 });
});

test('what was parsed for a lost socket is not acknowledged to the next', () => {
  const s = stage();
  s.snapshot('12345');
  s.drop();
  s.timers[0].action();
  s.snapshot('ab');
  s.screen.waiting[0]();
  s.screen.waiting[1]();
  assert.deepEqual(json(s.made[1]).filter((m) => m.type === 'ack'), [{ type: 'ack', bytes: 2 }]);
});

test('input while disconnected is refused, never kept for later', () => {
  const s = stage();
  assert.equal(s.terminal.send(new Uint8Array([65])), false, 'before the snapshot');
  s.snapshot('');
  assert.equal(s.terminal.send(new Uint8Array([66])), true);
  s.drop();
  assert.equal(s.terminal.send(new Uint8Array([67])), false);
  s.timers[0].action();
  s.snapshot('');
  const bytes = s.made.flatMap((socket) => socket.sent).filter((data) => typeof data !== 'string');
  assert.deepEqual(bytes.map((data) => [...data]), [[66]]);
});

test('retries back off up to fifteen seconds, and start anew after success', () => {
  const s = stage();
  for (let i = 0; i < 8; i += 1) { s.drop(); s.timers.at(-1).action(); }
  assert.deepEqual(s.timers.map((timer) => timer.milliseconds), [500, 1000, 2000, 4000, 8000, 15000, 15000, 15000]);
  s.snapshot('');
  s.drop();
  assert.equal(s.timers.at(-1).milliseconds, 500);
});

test('a shell that ended or a sandbox that is gone is not asked again', () => {
  for (const last of [{ type: 'exited', code: 0 }, { type: 'gone', reason: 'The sandbox was stopped.' }]) {
    const s = stage();
    s.snapshot('');
    s.made[0].onmessage({ data: JSON.stringify(last) });
    s.made[0].onclose?.();
    assert.equal(s.timers.length, 0);
    assert.deepEqual(s.events.at(-1), last);
  }
});

test('a nudge tries at once, but does not open a second socket', () => {
  const s = stage();
  s.terminal.nudge();
  assert.equal(s.made.length, 1);
  s.snapshot('');
  s.drop();
  s.terminal.nudge();
  s.terminal.nudge();
  assert.equal(s.made.length, 2);
});
