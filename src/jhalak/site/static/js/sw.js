/**
 * The service worker: the shell's static files and one offline page. It never touches media, the API or any
 * page of a person: those are answered by the network or not at all.
 *
 * The server writes the two constants (pages.service_worker).
 */
const VERSION = "__VERSION__";
const FIRST = __FIRST__;
const CACHE = `jhalak-${VERSION}`;
const STATIC = new URL(FIRST[0], self.location.href).pathname.split("/").slice(0, 3).join("/");

self.addEventListener("install", (event) => {
  event.waitUntil(
    caches
      .open(CACHE)
      .then((cache) => cache.addAll(FIRST.map((path) => new Request(path, { credentials: "omit" }))))
      .then(() => self.skipWaiting()),
  );
});

self.addEventListener("activate", (event) => {
  event.waitUntil(
    caches
      .keys()
      .then((names) => Promise.all(names.filter((name) => name !== CACHE).map((name) => caches.delete(name))))
      .then(() => self.clients.claim()),
  );
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== self.location.origin) return;
  if (request.mode === "navigate") {
    event.respondWith(fetch(request).catch(() => caches.match("/offline").then((page) => page ?? Response.error())));
  } else if (url.pathname.startsWith(`${STATIC}/`)) {
    event.respondWith(fromCache(request));
  }
});

/** Static addresses carry the hash of the whole tree: what lies in the cache is right for ever. */
async function fromCache(request) {
  const cache = await caches.open(CACHE);
  const found = await cache.match(request);
  if (found) return found;
  const answer = await fetch(request);
  if (answer.ok && answer.status === 200) await cache.put(request, answer.clone());
  return answer;
}
