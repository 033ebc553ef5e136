// Chords that belong to the page, not to the program. `Ctrl+Shift+…` reaches no program through a terminal anyway.
const CHORDS = {
  KeyC: 'copy',
  KeyV: 'paste',
  KeyF: 'search',
  KeyL: 'leave',
};
const ZOOM = { Equal: 1, NumpadAdd: 1, Minus: -1, NumpadSubtract: -1, Digit0: 0, Numpad0: 0 };

// The name of the action that a key event stands for, or null for the program's own keys.
export function chord(event) {
  const control = event.ctrlKey || event.metaKey;
  if (!control || event.altKey) return null;
  if (event.shiftKey && CHORDS[event.code]) return { action: CHORDS[event.code] };
  if (event.ctrlKey && event.code in ZOOM) return { action: 'zoom', by: ZOOM[event.code] };
  return null;
}
