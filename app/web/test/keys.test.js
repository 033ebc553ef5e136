import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chord } from '../src/terminal/keys.js';

const key = (code, held = {}) => ({ code, ctrlKey: false, metaKey: false, shiftKey: false, altKey: false, ...held });

test('the page takes its chords and leaves the rest to the program', () => {
  assert.equal(chord(key('KeyC', { ctrlKey: true })), null, 'Ctrl+C interrupts');
  assert.deepEqual(chord(key('KeyC', { ctrlKey: true, shiftKey: true })), { action: 'copy' });
  assert.deepEqual(chord(key('KeyL', { ctrlKey: true, shiftKey: true })), { action: 'leave' });
  assert.deepEqual(chord(key('Minus', { ctrlKey: true })), { action: 'zoom', by: -1 });
  assert.equal(chord(key('KeyV', { ctrlKey: true, shiftKey: true, altKey: true })), null);
  assert.equal(chord(key('KeyL', { ctrlKey: true })), null, 'Ctrl+L clears the screen');
});
