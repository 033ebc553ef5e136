// One terminal on the page: xterm.js, its addons, its socket, and the bars over it.
import { Terminal } from '@xterm/xterm';
import { FitAddon } from '@xterm/addon-fit';
import { SerializeAddon } from '@xterm/addon-serialize';
import { Unicode11Addon } from '@xterm/addon-unicode11';
import { WebLinksAddon } from '@xterm/addon-web-links';
import { WebglAddon } from '@xterm/addon-webgl';
import { makeBanner } from './banner.js';
import { copy, guardedClipboard, paste } from './clipboard.js';
import { makeFind } from './find.js';
import { makeKeybar } from './keybar.js';
import { chord } from './keys.js';
import { preferences } from './preferences.js';
import { TerminalSocket } from './socket.js';
import { followTheme, themeNow } from './theme.js';

// A full reset in the stream of output, so that it happens after what came before it was parsed.
const RESET = '\x1bc';
const INTERRUPT = '\x03';
const encoder = new TextEncoder();

export class Session {
  constructor(host, url, report) {
    this.host = host;
    this.report = report;
    this.writer = true;
    this.over = false;
    this.forced = null;
    const style = getComputedStyle(document.documentElement);
    this.terminal = new Terminal({
      allowProposedApi: true,
      cursorBlink: !matchMedia('(prefers-reduced-motion: reduce)').matches,
      fontFamily: style.getPropertyValue('--font-mono').trim() || 'monospace',
      fontSize: preferences.fontSize,
      lineHeight: 1.2,
      minimumContrastRatio: 4.5,
      scrollback: 10000,
      screenReaderMode: preferences.screenReader,
      macOptionIsMeta: true,
      rightClickSelectsWord: true,
      theme: themeNow(),
    });
    this.screenElement = document.createElement('div');
    this.screenElement.className = 'term-screen';
    host.append(this.screenElement);
    this.banner = makeBanner(host);
    this.loadAddons();
    this.terminal.open(this.screenElement);
    this.terminal.textarea?.setAttribute('aria-description', 'Press Control Shift L to leave the terminal.');
    this.renderWithWebgl();
    this.stopFollowing = followTheme(this.terminal);
    this.bindInput();

    this.socket = new TerminalSocket(url, {
      reset: () => this.terminal.write(RESET),
      write: (bytes, parsed) => this.terminal.write(bytes, parsed),
      size: () => (this.visible ? { cols: this.terminal.cols, rows: this.terminal.rows } : null),
    }, (event) => this.hear(event));

    this.observer = new ResizeObserver(() => this.fit());
    this.observer.observe(this.screenElement);
    this.nudge = () => document.visibilityState === 'visible' && this.socket.nudge();
    addEventListener('online', this.nudge);
    document.addEventListener('visibilitychange', this.nudge);
    // Glyph widths are measured once: measure after the font is there.
    document.fonts.load(`${preferences.fontSize}px "JetBrains Mono Variable"`).catch(() => {}).then(() => {
      if (this.over) return;
      this.terminal.options.fontFamily = style.getPropertyValue('--font-mono').trim();
      this.fit();
      this.socket.open();
    });
  }

  loadAddons() {
    this.fitter = new FitAddon();
    this.serializer = new SerializeAddon();
    this.terminal.loadAddon(this.fitter);
    this.terminal.loadAddon(this.serializer);
    this.terminal.loadAddon(new Unicode11Addon());
    this.terminal.unicode.activeVersion = '11';
    this.terminal.loadAddon(new WebLinksAddon((_event, uri) => open(uri, '_blank', 'noopener,noreferrer')));
    this.terminal.loadAddon(guardedClipboard((text) => this.askToCopy(text)));
    this.find = makeFind(this.terminal, this.host);
    makeKeybar(this.terminal, this.host, (text) => this.type(encoder.encode(text)));
  }

  // A browser takes WebGL contexts away at will (too many tabs, driver reset); the DOM renderer goes on.
  renderWithWebgl() {
    try {
      const webgl = new WebglAddon();
      webgl.onContextLoss(() => {
        webgl.dispose();
        this.host.dataset.renderer = 'dom';
      });
      this.terminal.loadAddon(webgl);
      this.host.dataset.renderer = 'webgl';
    } catch {
      this.host.dataset.renderer = 'dom';
    }
  }

  bindInput() {
    this.terminal.attachCustomKeyEventHandler((event) => {
      const found = chord(event);
      if (!found) return true;
      event.preventDefault();
      if (event.type === 'keydown') this.act(found);
      return false;
    });
    this.terminal.onData((data) => this.type(encoder.encode(data)));
    this.terminal.onBinary((data) => this.type(Uint8Array.from(data, (character) => character.charCodeAt(0))));
    let selecting = null;
    this.terminal.onSelectionChange(() => {
      clearTimeout(selecting);
      selecting = setTimeout(() => copy(this.terminal.getSelection()), 150);
    });
  }

  act({ action, by }) {
    if (action === 'copy') copy(this.terminal.getSelection());
    if (action === 'paste') paste(this.terminal).then((done) => done || this.banner.show('The browser does not let this page read the clipboard. Use the menu or Ctrl+V.', { fade: 5000 }));
    if (action === 'search') this.find.open();
    if (action === 'leave') this.report('leave', '');
    if (action === 'zoom') this.zoom(by);
  }

  type(bytes) {
    if (this.over) return;
    if (this.socket.connected && !this.writer) {
      this.banner.refuse();
      return;
    }
    if (!this.socket.send(bytes)) {
      this.banner.show('Not connected: what you typed was not sent.', { tone: 'warn', action: () => this.socket.nudge(), label: 'Try now' });
      this.banner.refuse();
    }
  }

  hear(event) {
    switch (event.type) {
      case 'connecting':
        if (event.attempt === 0) this.report('connecting', '');
        break;
      case 'open':
        this.report('open', '');
        this.setWriter(this.writer);
        break;
      case 'waiting': {
        const seconds = Math.max(1, Math.round(event.milliseconds / 1000));
        this.banner.show(`Connection lost. Your shell goes on; trying again in ${seconds} s.`, { tone: 'warn', action: () => this.socket.nudge(), label: 'Try now' });
        this.report('waiting', '');
        break;
      }
      case 'writer':
        this.setWriter(event.yours);
        break;
      case 'size':
        this.forced = { cols: event.cols, rows: event.rows };
        this.fit();
        break;
      case 'exited':
        this.finish('exited', `The shell ended with code ${event.code}.`);
        break;
      case 'gone':
        this.finish('gone', event.reason);
        break;
    }
  }

  setWriter(yours) {
    this.writer = yours;
    this.terminal.options.disableStdin = false;
    this.host.toggleAttribute('data-watching', !yours);
    if (yours) this.banner.hide();
    else this.banner.show('You are watching: another window has the keyboard.', { action: () => this.socket.claim(), label: 'Take over' });
    this.fit();
  }

  finish(kind, text) {
    this.over = true;
    this.terminal.options.disableStdin = true;
    this.terminal.options.cursorBlink = false;
    this.banner.show(text, { tone: kind === 'gone' ? 'warn' : 'info' });
    this.report(kind, text);
  }

  askToCopy(text) {
    const preview = text.length > 60 ? `${text.slice(0, 60)}…` : text;
    this.banner.show(`A program wants to put “${preview}” on your clipboard.`, {
      tone: 'warn',
      action: () => copy(text).then(() => this.banner.hide()),
      label: 'Allow once',
      fade: 15000,
    });
  }

  get visible() {
    return this.screenElement.offsetParent !== null && this.screenElement.clientWidth > 0;
  }

  // A hidden terminal has no size; fitting it would shrink the program's screen to nothing.
  fit() {
    if (!this.visible || this.over) return;
    if (!this.writer && this.forced) {
      this.terminal.resize(this.forced.cols, this.forced.rows);
      return;
    }
    this.fitter.fit();
    clearTimeout(this.resizing);
    this.resizing = setTimeout(() => this.socket.resize(), 60);
  }

  focus() {
    this.fit();
    this.terminal.focus();
  }

  openSearch() {
    this.find.open();
  }

  zoom(by) {
    preferences.fontSize = by === 0 ? preferences.defaultFontSize : preferences.fontSize + by;
    this.terminal.options.fontSize = preferences.fontSize;
    this.fit();
  }

  setScreenReader(on) {
    preferences.screenReader = on;
    this.terminal.options.screenReaderMode = on;
  }

  // Sends a command once, as if pasted, and starts it. False where it could not be sent.
  run(text, interrupt) {
    if (this.over || !this.writer || !this.socket.connected) return false;
    if (interrupt) this.type(encoder.encode(INTERRUPT));
    this.terminal.paste(text.replace(/\n+$/, ''));
    this.type(encoder.encode('\r'));
    this.terminal.scrollToBottom();
    return true;
  }

  // What the screen and its scrollback show, as plain text.
  text() {
    const buffer = this.terminal.buffer.active;
    const lines = [];
    for (let index = 0; index < buffer.length; index += 1) lines.push(buffer.getLine(index)?.translateToString(true) ?? '');
    return lines.join('\n').trimEnd();
  }

  serialize() {
    return this.serializer.serialize();
  }

  dispose() {
    this.over = true;
    this.socket.close();
    this.observer.disconnect();
    removeEventListener('online', this.nudge);
    document.removeEventListener('visibilitychange', this.nudge);
    this.stopFollowing();
    this.terminal.dispose();
    this.host.replaceChildren();
  }
}
