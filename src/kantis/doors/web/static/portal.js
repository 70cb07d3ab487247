/* Lets the device keep the card for when there is no network. */
if ("serviceWorker" in navigator) {
  /* who signs out at that moment takes it from the device: then nothing is kept */
  navigator.serviceWorker.register("/me/worker.js", { scope: "/me" }).catch(() => null);
}
