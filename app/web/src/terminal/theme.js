// The terminal's colours are the page's tokens, read again whenever the theme changes.
const COLOURS = ['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white'];
const upper = (name) => name[0].toUpperCase() + name.slice(1);

export function themeFrom(style) {
  const token = (name) => style.getPropertyValue(`--term-${name}`).trim() || undefined;
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
  return theme;
}

export function followTheme(terminal) {
  const root = document.documentElement;
  const apply = () => { terminal.options.theme = themeFrom(getComputedStyle(root)); };
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
