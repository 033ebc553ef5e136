// xterm.js writes its rules into <style> elements that it makes itself; the page's policy wants its nonce on each.
// https://github.com/xtermjs/xterm.js/issues/4445
export function stampStyles(document) {
  const nonce = document.querySelector('script[nonce]')?.nonce;
  if (!nonce) return;
  const create = document.createElement;
  document.createElement = function createElement(name, ...rest) {
    const element = create.call(this, name, ...rest);
    if (String(name).toLowerCase() === 'style') element.nonce = nonce;
    return element;
  };
}
