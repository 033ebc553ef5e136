// Keys that a phone's keyboard lacks. The styles show the bar where the pointer is a finger.
const KEYS = [
  ['Esc', '\x1b'],
  ['Tab', '\t'],
  ['^C', '\x03'],
  ['^D', '\x04'],
  ['^Z', '\x1a'],
  ['←', '\x1b[D', '\x1bOD'],
  ['↓', '\x1b[B', '\x1bOB'],
  ['↑', '\x1b[A', '\x1bOA'],
  ['→', '\x1b[C', '\x1bOC'],
  ['|', '|'],
  ['/', '/'],
  ['-', '-'],
];

export function makeKeybar(terminal, host, type) {
  const bar = document.createElement('div');
  bar.className = 'term-keys';
  bar.setAttribute('role', 'toolbar');
  bar.setAttribute('aria-label', 'Terminal keys');
  for (const [label, normal, application] of KEYS) {
    const key = Object.assign(document.createElement('button'), { type: 'button', textContent: label });
    // The screen keyboard stays up only while the terminal keeps the focus.
    key.addEventListener('pointerdown', (event) => event.preventDefault());
    key.addEventListener('click', () => {
      type(application && terminal.modes.applicationCursorKeysMode ? application : normal);
      terminal.focus();
    });
    bar.append(key);
  }
  host.append(bar);
}
