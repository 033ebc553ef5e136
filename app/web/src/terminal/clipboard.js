// Copying and pasting by hand, and what programs may do with the clipboard (OSC 52): never read, write only after asking.
import { ClipboardAddon } from '@xterm/addon-clipboard';

export function guardedClipboard(ask) {
  return new ClipboardAddon(undefined, {
    readText: () => '',
    writeText: (_selection, text) => { if (text) ask(text); },
  });
}

export async function copy(text) {
  if (!text) return false;
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

export async function paste(terminal) {
  try {
    const text = await navigator.clipboard.readText();
    if (text) terminal.paste(text);
    return true;
  } catch {
    return false;
  }
}
