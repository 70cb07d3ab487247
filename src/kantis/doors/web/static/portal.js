/* A link is shared as the device does it, or copied. */
const share = document.getElementById("share");
if (share && (navigator.share || navigator.clipboard)) {
  share.hidden = false;
  share.addEventListener("click", async () => {
    const url = share.dataset.link;
    try {
      if (navigator.share) await navigator.share({ url });
      else {
        await navigator.clipboard.writeText(url);
        share.textContent = share.dataset.said;
      }
    } catch {
      // whoever closes it again shares nothing
    }
  });
}
/* Lets the device keep the card for when there is no network. */
if ("serviceWorker" in navigator) {
  navigator.serviceWorker.register("/me/worker.js", { scope: "/me" });
}
