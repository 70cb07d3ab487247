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
/* The card that a device kept says so; it is looked at again once the network is back. */
const gone = document.getElementById("gone");
if (gone) {
  const seen = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "long", timeStyle: "short" });
  gone.querySelector("span").textContent = seen.format(Number(gone.dataset.at));
  const stands = location.pathname !== "/me"; // the kept card stands for another page
  const tell = () => { gone.hidden = navigator.onLine && !stands; };
  // A device may have a network and still not reach the service: it is asked before.
  const again = async () => {
    if (gone.hidden) return;
    const there = await fetch("/readyz", { cache: "no-store" }).then((answer) => answer.ok, () => false);
    if (there) location.reload();
    else setTimeout(again, 3000);
  };
  tell();
  addEventListener("offline", tell);
  addEventListener("online", () => setTimeout(again, 1000)); // whoever goes on by then is left alone
  if (stands) setTimeout(again, 3000);
}
/* Lets the device keep the card for when there is no network. */
if ("serviceWorker" in navigator) {
  /* who signs out at that moment takes it from the device: then nothing is kept */
  navigator.serviceWorker.register("/me/worker.js", { scope: "/me" }).catch(() => null);
}
