// The terminal's colours are the page's tokens, read again whenever the theme changes.
const COLOURS = ['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white'];
const upper = (name) => name[0].toUpperCase() + name.slice(1);

// The browser resolves a token only where it is used: `light-dark(…)` becomes a colour on an element.
function resolver() {
  const probe = document.createElement('span');
  probe.hidden = true;
  document.body.append(probe);
  return {
    token(name) {
      probe.style.color = `var(--term-${name})`;
      return getComputedStyle(probe).color;
    },
    done: () => probe.remove(),
  };
}

// Colours by token, for what draws on its own canvas.
export function colours(...names) {
  const { token, done } = resolver();
  const found = Object.fromEntries(names.map((name) => [name, token(name)]));
  done();
  return found;
}

export function themeNow() {
  const { token, done } = resolver();
  const theme = {
    background: token('background'),
    foreground: token('foreground'),
    cursor: token('cursor'),
    cursorAccent: token('background'),
    selectionBackground: token('selection'),
    scrollbarSliderBackground: token('slider'),
  };
  for (const name of COLOURS) {
    theme[name] = token(name);
    theme[`bright${upper(name)}`] = token(`bright-${name}`);
  }
  done();
  return theme;
}

export function followTheme(terminal) {
  const root = document.documentElement;
  const apply = () => { terminal.options.theme = themeNow(); };
  const observer = new MutationObserver(apply);
  observer.observe(root, { attributes: true, attributeFilter: ['data-theme'] });
  const system = matchMedia('(prefers-color-scheme: dark)');
  system.addEventListener('change', apply);
  apply();
  return () => {
    observer.disconnect();
    system.removeEventListener('change', apply);
  };
}
