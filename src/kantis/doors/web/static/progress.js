"use strict";
// Shows how far something is, until it has ended; without this script a link looks again.
(() => {
  const PAUSE_MS = 1500;
  const main = document.getElementById("main");

  const look = async () => {
    try {
      const answer = await fetch(location.pathname, { headers: { accept: "text/html" } });
      if (answer.ok) {
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        const bar = main.querySelector("progress");
        const now = page.querySelector("#main progress");
        if (!now) {
          main.replaceChildren(...page.getElementById("main").children);
          return;
        }
        bar.max = now.max;
        if (now.hasAttribute("value")) bar.value = now.value;
      }
    } catch {
      // the network is gone for a moment: it is looked at again
    }
    setTimeout(look, PAUSE_MS);
  };

  if (main.querySelector("[data-working]")) setTimeout(look, PAUSE_MS / 3);
})();
