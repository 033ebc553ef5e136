// The line over a terminal that says what is the matter, and what can be done about it.
export function makeBanner(host) {
  const banner = document.createElement('div');
  banner.className = 'term-banner';
  banner.setAttribute('role', 'status');
  banner.hidden = true;
  host.append(banner);
  let timer = null;

  return {
    show(text, { tone = 'info', action = null, label = '', fade = 0 } = {}) {
      clearTimeout(timer);
      banner.hidden = false;
      banner.dataset.tone = tone;
      banner.replaceChildren(Object.assign(document.createElement('span'), { textContent: text }));
      if (action) {
        const button = Object.assign(document.createElement('button'), { type: 'button', textContent: label });
        button.addEventListener('click', action);
        banner.append(button);
      }
      if (fade) timer = setTimeout(() => { banner.hidden = true; }, fade);
    },
    hide() {
      clearTimeout(timer);
      banner.hidden = true;
    },
    // A short shake of colour: the key that was pressed went nowhere.
    refuse() {
      banner.classList.remove('refused');
      void banner.offsetWidth;
      banner.classList.add('refused');
    },
  };
}
