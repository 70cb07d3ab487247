/* Lets the device keep the card for when there is no network. */
if ("serviceWorker" in navigator) {
  navigator.serviceWorker.register("/me/worker.js", { scope: "/me" });
}
