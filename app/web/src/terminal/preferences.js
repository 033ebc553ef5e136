// What a reader chose for all terminals, kept in this browser.
const DEFAULT_SIZE = 13;
const clamp = (size) => Math.min(28, Math.max(8, size));

const read = (key) => {
  try { return localStorage.getItem(key); } catch { return null; }
};
const write = (key, value) => {
  try { localStorage.setItem(key, value); } catch { /* private mode: it lasts as long as the page */ }
};

let size = clamp(Number(read('terminal.size')) || DEFAULT_SIZE);
let screenReader = read('terminal.screenReader') === 'on';

export const preferences = {
  defaultFontSize: DEFAULT_SIZE,
  get fontSize() { return size; },
  set fontSize(value) { size = clamp(value); write('terminal.size', String(size)); },
  get screenReader() { return screenReader; },
  set screenReader(on) { screenReader = on; write('terminal.screenReader', on ? 'on' : 'off'); },
};
