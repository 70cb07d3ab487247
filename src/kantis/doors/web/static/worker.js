/* Keeps the card, as it was seen last, and what it looks like. Nothing else is kept. */
const KEPT = "card-1";
const CARD = "/me";

async function keep(answer) {
  const kept = await caches.open(KEPT);
  const page = await answer.clone().text();
  await kept.put(CARD, answer);
  const files = [...new Set(page.match(/\/(?:static|card)\/[\w./-]+/g) || [])];
  await Promise.all(files.map((file) => kept.match(file).then((known) => known || kept.add(file))));
}

/* What an address with a question mark says is said once: it is shown, and not kept. */
async function card(request, once) {
  try {
    const answer = await fetch(request);
    if (answer.ok && !answer.redirected && answer.type === "basic") {
      if (!once) await keep(answer.clone());
    } else {
      await caches.delete(KEPT); /* signed out: nothing stays */
    }
    return answer;
  } catch (error) {
    return (await caches.match(CARD)) || Response.error();
  }
}

self.addEventListener("install", (event) => {
  self.skipWaiting();
  /* said to be a page, or it would be asked of the API: the first visit is kept already */
  const asked = fetch(CARD, { headers: { accept: "text/html" } });
  event.waitUntil(asked.then((answer) => (answer.ok && !answer.redirected ? keep(answer) : null)));
});

self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== self.location.origin) return;
  if (url.pathname === CARD && event.request.mode === "navigate") {
    event.respondWith(card(event.request, url.search !== ""));
  } else if (event.request.mode === "navigate") {
    event.respondWith(fetch(event.request).catch(async () => (await caches.match(CARD)) || Response.error()));
  } else if (/^\/(static|card)\//.test(url.pathname)) {
    event.respondWith(caches.match(event.request).then((known) => known || fetch(event.request)));
  }
});
