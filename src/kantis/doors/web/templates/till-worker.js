"use strict";
// Keeps one page and its files, so that the till goes on when the network is gone.
const about = __ABOUT__;

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(about.version).then((cache) => cache.addAll(about.kept)).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  event.waitUntil(
    caches.keys()
      .then((names) => Promise.all(names.filter((name) => name.startsWith("till-") && name !== about.version).map((name) => caches.delete(name))))
      .then(() => self.clients.claim()),
  );
});

// The page is kept anew: its language and its categories may have changed.
self.addEventListener("message", (event) => {
  if (event.data !== "renew") return;
  event.waitUntil((async () => {
    const answer = await fetch(about.page);
    if (answer.ok && !answer.redirected) await (await caches.open(about.version)).put(about.page, answer);
  })().catch(() => undefined));
});

self.addEventListener("fetch", (event) => {
  const request = event.request;
  if (request.method !== "GET") return;
  if (request.mode === "navigate") {
    event.respondWith(fetch(request).catch(() => caches.match(about.page)));
  } else if (about.kept.includes(new URL(request.url).pathname)) {
    event.respondWith(caches.match(request).then((kept) => kept || fetch(request)));
  }
});
