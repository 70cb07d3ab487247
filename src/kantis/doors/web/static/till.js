"use strict";
// The till in the browser: keeps a page for the time without a network, and what is sold then.
(() => {
  const byId = (id) => document.getElementById(id);

  const tell = async () => {
    const sales = await Queue.all();
    const waiting = sales.filter((sale) => !sale.failed && !sale.short);
    const failed = sales.filter((sale) => sale.failed);
    const short = sales.filter((sale) => sale.short);
    for (const [id, some] of [["kept", waiting], ["failed", failed], ["short", short]]) {
      const place = byId(id);
      if (!place) continue;
      place.hidden = !some.length;
      place.querySelector("span").textContent =
        id === "kept" ? some.length
          : some.map((sale) => (sale.failed ? `${sale.id} (${sale.failed})` : sale.id)).join(", ");
    }
  };

  const synchronise = async () => {
    try {
      await Queue.send();
    } catch {
      // the network is not back yet
    }
    await tell();
    const back = byId("back");
    if (back) back.hidden = !navigator.onLine || !(await reached()) || (await Queue.all()).length > 0;
  };

  // Whether the service answers; a till that has a network may still not reach it.
  const reached = () => fetch("/readyz", { cache: "no-store" }).then((answer) => answer.ok, () => false);

  // An amount as the server reads it: a number of items, and the price of one.
  const line = (typed, scale, category) => {
    const match = /^\s*(?:([0-9]{1,3})\s*[*x×]\s*)?([0-9][0-9\s.,']*)$/.exec(typed.trim());
    if (!match) return "";
    let whole = match[2].replace(/[\s']/g, "");
    let rest = "";
    const last = Math.max(whole.lastIndexOf("."), whole.lastIndexOf(","));
    if (last >= 0 && scale && whole.length - last - 1 <= scale) {
      rest = whole.slice(last + 1);
      whole = whole.slice(0, last);
      if (!/^[0-9]+$/.test(rest)) return "";
    }
    const parts = whole.split(/[.,]/);
    if (parts.slice(1).some((part) => part.length !== 3) || !/^[0-9]{1,12}$/.test(parts.join(""))) return "";
    const quantity = Number(match[1] || 1);
    const amount = Number(parts.join("") + rest.padEnd(scale, "0")) * quantity;
    return quantity && amount > 0 && Number.isSafeInteger(amount) ? `${encodeURIComponent(category)}:${quantity}:${amount}` : "";
  };

  // A card as the server reads it: of a stripe, what its second track says.
  const cardOf = (typed) => /[;+]([0-9]{1,40})[=?]/.exec(typed)?.[1] ?? typed.replace(/\s/g, "");

  const record = byId("record");
  if (record) {
    record.addEventListener("submit", async (event) => {
      if (record.hasAttribute("data-held")) return; // points are spent with the network only
      event.preventDefault();
      const said = Object.fromEntries(new FormData(record));
      record.querySelector("button").disabled = true;
      try {
        const answer = await fetch(record.action, { method: "POST", body: new URLSearchParams(said) });
        if (answer.ok) location.assign(answer.url);
        else record.submit();
      } catch {
        await Queue.add({ id: said.id, at: Number(said.at), card: said.card, lines: said.lines });
        location.assign("/till/offline");
      }
    });
  }

  const told = byId("shown");
  if (told) {
    told.addEventListener("click", async () => {
      for (const sale of await Queue.all()) if (sale.short) await Queue.remove(sale.id);
      await tell();
    });
  }
  const seen = byId("seen");
  if (seen) Queue.see(seen.dataset.card, seen.dataset.said ? JSON.parse(seen.dataset.said) : null);

  const offline = byId("offline");
  if (offline) {
    let id = Queue.receipt();
    const scale = Number(offline.dataset.scale);
    const money = new Intl.NumberFormat(document.documentElement.lang, { style: "currency", currency: offline.dataset.money });
    const shown = (coins) => money.format(coins / 10 ** scale);
    const total = (lines) => (lines ? Number(lines.split(":")[2]) : 0);
    // What points would pay of what is typed, before anybody is asked for money.
    const weigh = async () => {
      const said = Object.fromEntries(new FormData(offline));
      const basket = total(line(said.amount, scale, ""));
      const found = basket ? await Queue.offer(cardOf(said.card), basket) : null;
      byId("paying").hidden = !found;
      if (!found) byId("pay").checked = false;
      byId("off").textContent = found ? shown(found.worth) : "";
      byId("due").textContent = found ? shown(basket - (byId("pay").checked ? found.worth : 0)) : "";
      return byId("pay").checked ? found : null;
    };
    for (const each of ["card", "amount", "pay"]) byId(each).addEventListener("input", weigh);
    offline.addEventListener("submit", async (event) => {
      event.preventDefault();
      const said = Object.fromEntries(new FormData(offline));
      const lines = line(said.amount, scale, said.add || "");
      byId("wrong").hidden = Boolean(lines);
      if (!lines) return;
      const sale = { id, at: Date.now(), card: cardOf(said.card), lines };
      const paid = await weigh();
      if (paid) Object.assign(sale, { points: { [paid.reward]: paid.points }, worth: paid.worth, balance: paid.balance });
      id = Queue.receipt();
      await Queue.add(sale);
      const told = document.createElement("li");
      told.textContent = [sale.id, said.amount, ...(paid ? [`−${shown(paid.worth)}`] : [])].join(" · ");
      byId("sold").prepend(told);
      offline.reset();
      await weigh();
      byId("card").focus();
      await synchronise();
    });
  }

  if ("serviceWorker" in navigator) {
    navigator.serviceWorker.register("/till/worker.js", { scope: "/till" });
    navigator.serviceWorker.ready.then((found) => found.active.postMessage("renew"));
  }
  addEventListener("online", synchronise);
  setInterval(synchronise, 30000);
  synchronise();
})();
