// Loads the page again when the files that it was drawn from have changed, and keeps the place where it is read.
const key = 'preview-place';
const page = document.querySelector('[data-preview]');

function place() {
  const heads = [...document.querySelectorAll('main [id]')].filter((head) => head.getBoundingClientRect().top < 96);
  const head = heads.at(-1);
  return { path: location.pathname, y: scrollY, id: head?.id, top: head?.getBoundingClientRect().top };
}

function restore({ y, id, top }) {
  const head = id && document.getElementById(id);
  if (head) scrollBy({ top: head.getBoundingClientRect().top - top, behavior: 'instant' });
  else scrollTo({ top: y, behavior: 'instant' });
}

// A page that cannot be shown has no place; the one before it is kept until the file is right again.
if (!('broken' in page.dataset)) {
  const kept = JSON.parse(sessionStorage.getItem(key) ?? 'null');
  sessionStorage.removeItem(key);
  if (kept?.path === location.pathname) {
    history.scrollRestoration = 'manual';
    restore(kept);
    const settled = scrollY;
    document.fonts.ready.then(() => scrollY === settled && restore(kept));
  }
}

new EventSource(`/preview/events?seen=${page.dataset.preview}`).addEventListener('edition', ({ data }) => {
  if (data === page.dataset.preview) return;
  if (!('broken' in page.dataset)) sessionStorage.setItem(key, JSON.stringify(place()));
  location.reload();
});
