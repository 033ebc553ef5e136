// Copy and run on code blocks, as the course's renderer marks them up (content/src/render/code.rs).
// Where this page has a terminal, a command goes there; on a lesson it goes to the tab of this browser that has one open.
const channel = 'BroadcastChannel' in globalThis ? new BroadcastChannel('bulkhead-run') : null;
const ANSWER_WITHIN = 700;
let local = null;
let serial = 0;

const source = (figure) => figure.dataset.source ?? figure.querySelector('code').textContent;

function mark(button, text, good) {
  button.dataset.before ??= button.textContent;
  button.textContent = text;
  button.dataset.outcome = good ? 'good' : 'bad';
  clearTimeout(button.timer);
  button.timer = setTimeout(() => {
    button.textContent = button.dataset.before;
    delete button.dataset.outcome;
  }, 2500);
}

async function copy(button) {
  try {
    await navigator.clipboard.writeText(source(button.closest('figure')));
    mark(button, 'Copied', true);
  } catch {
    mark(button, 'Not allowed', false);
  }
}

// Asks the other tabs; the first that can run it says so, and only that one is then told to.
function elsewhere(message) {
  return new Promise((resolve) => {
    if (!channel) return resolve(false);
    const id = `${Date.now()}-${serial += 1}`;
    const hear = ({ data }) => {
      if (data.type !== 'offer' || data.id !== id) return;
      finish(true);
      channel.postMessage({ type: 'run', id, to: data.from, ...message });
    };
    const finish = (found) => {
      clearTimeout(timer);
      channel.removeEventListener('message', hear);
      resolve(found);
    };
    const timer = setTimeout(() => finish(false), ANSWER_WITHIN);
    channel.addEventListener('message', hear);
    channel.postMessage({ type: 'who', id });
    return undefined;
  });
}

async function run(button) {
  if (button.disabled) return;
  button.disabled = true;
  const figure = button.closest('figure');
  const message = { text: source(figure), tab: figure.dataset.tab ?? '', interrupt: 'interrupt' in figure.dataset };
  const sent = local ? local(message) : await elsewhere(message);
  button.disabled = false;
  if (sent) figure.dataset.sent = '';
  mark(button, sent ? 'Sent' : 'No open terminal', sent);
}

// Called by a page that has terminals: `handler(message)` is true where the command was sent.
export function runHere(handler) {
  local = handler;
  if (!channel) return;
  const me = crypto.randomUUID();
  channel.addEventListener('message', ({ data }) => {
    if (data.type === 'who') channel.postMessage({ type: 'offer', id: data.id, from: me });
    if (data.type === 'run' && data.to === me) handler(data);
  });
}

let awake = false;
export function wake() {
  if (awake) return;
  awake = true;
  document.addEventListener('click', (event) => {
    const button = event.target.closest?.('.code-actions button');
    if (!button) return;
    if ('copy' in button.dataset) copy(button);
    if ('run' in button.dataset) run(button);
  });
  document.documentElement.dataset.code = '';
}
