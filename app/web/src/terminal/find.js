// The search field over a terminal: through its whole scrollback, Enter for the next match, Shift+Enter for the previous.
import { SearchAddon } from '@xterm/addon-search';
import { colours } from './theme.js';

// The addon reads colours as #rrggbb only.
const hex = (rgb) => `#${rgb.match(/\d+/g).slice(0, 3).map((part) => Number(part).toString(16).padStart(2, '0')).join('')}`;

export function makeFind(terminal, host) {
  const addon = new SearchAddon();
  terminal.loadAddon(addon);

  const bar = document.createElement('form');
  bar.className = 'term-find';
  bar.hidden = true;
  bar.innerHTML = '<input type="search" aria-label="Find in the terminal" placeholder="Find" spellcheck="false" autocomplete="off">'
    + '<output aria-live="polite"></output>'
    + '<button type="button" data-by="previous" aria-label="Previous match">↑</button>'
    + '<button type="button" data-by="next" aria-label="Next match">↓</button>'
    + '<button type="button" data-by="close" aria-label="Close the search">✕</button>';
  host.append(bar);
  const input = bar.querySelector('input');
  const count = bar.querySelector('output');

  const seek = (forward, incremental = false) => {
    const { match, 'match-active': active } = colours('match', 'match-active');
    const decorations = {
      matchOverviewRuler: hex(match),
      matchBackground: hex(match),
      activeMatchBackground: hex(active),
      activeMatchColorOverviewRuler: hex(active),
    };
    const options = { decorations, incremental };
    if (forward) addon.findNext(input.value, options); else addon.findPrevious(input.value, options);
  };
  addon.onDidChangeResults(({ resultIndex, resultCount }) => {
    count.value = input.value === '' ? '' : resultCount === 0 ? 'none' : `${resultIndex + 1} of ${resultCount}`;
  });
  const close = () => {
    bar.hidden = true;
    addon.clearDecorations();
    terminal.focus();
  };
  input.addEventListener('input', () => seek(true, true));
  bar.addEventListener('submit', (event) => { event.preventDefault(); seek(true); });
  bar.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') close();
    if (event.key === 'Enter' && event.shiftKey) { event.preventDefault(); seek(false); }
  });
  bar.addEventListener('click', (event) => {
    const by = event.target.closest('button')?.dataset.by;
    if (by === 'close') close(); else if (by) seek(by === 'next');
  });
  return {
    open() {
      bar.hidden = false;
      if (terminal.hasSelection()) input.value = terminal.getSelection().split('\n')[0];
      input.select();
      if (input.value) seek(true, true);
    },
  };
}
