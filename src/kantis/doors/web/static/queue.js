"use strict";
// Sales that wait for the network, with their ids. What is sent twice is booked once.
const Queue = (() => {
  const LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ";
  const SALES_MAX = 100;

  const opened = () => new Promise((resolve, reject) => {
    const asked = indexedDB.open("kantis-till", 2);
    asked.onupgradeneeded = () => {
      const there = asked.result.objectStoreNames;
      if (!there.contains("sale")) asked.result.createObjectStore("sale", { keyPath: "id" });
      if (!there.contains("seen")) asked.result.createObjectStore("seen", { keyPath: "card" });
    };
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error);
  });

  const within = async (mode, does, name = "sale") => {
    const base = await opened();
    try {
      return await new Promise((resolve, reject) => {
        const deal = base.transaction(name, mode, { durability: "strict" });
        const asked = does(deal.objectStore(name));
        deal.oncomplete = () => resolve(asked.result);
        deal.onabort = deal.onerror = () => reject(deal.error);
      });
    } finally {
      base.close();
    }
  };

  const add = (sale) => within("readwrite", (store) => store.put(sale));
  const all = () => within("readonly", (store) => store.getAll());
  const remove = (id) => within("readwrite", (store) => store.delete(id));

  // What a member could pay with points when they were seen last; it is forgotten after a day.
  const DAY_MS = 24 * 60 * 60 * 1000;
  const old = (seen) => !(Date.now() - seen.at < DAY_MS);
  const see = async (card, seen) => {
    const all = await within("readonly", (store) => store.getAll(), "seen");
    await within("readwrite", (store) => {
      for (const each of all) if (old(each)) store.delete(each.card);
      return seen ? store.put({ ...seen, card }) : store.delete(card);
    }, "seen");
  };
  const known = async (card) => {
    const seen = await within("readonly", (store) => store.get(card), "seen");
    return seen && !old(seen) ? seen : null;
  };

  // The best that points can pay of a basket: nothing beyond what is allowed until this device
  // has told what it sold, and nothing that was spent here already.
  const offer = async (card, basket) => {
    const seen = card ? await known(card) : null;
    if (!seen) return null;
    const before = (await all()).filter((sale) => sale.card === card && sale.points && !sale.short);
    const paid = before.reduce((sum, sale) => sum + sale.worth, 0);
    let best = null;
    for (const { reward, balance, have, rungs } of seen.payable) {
      const gone = before.filter((sale) => sale.balance === balance)
        .reduce((sum, sale) => sum + Object.values(sale.points).reduce((a, b) => a + b, 0), 0);
      for (const [points, worth, least] of rungs) {
        const fits = least <= basket && worth + paid <= seen.most && points + gone <= have;
        if (fits && (!best || worth > best.worth)) best = { reward, balance, points, worth };
      }
    }
    return best;
  };

  // Sends what waits; a sale leaves the queue only once the books have it.
  const send = async () => {
    const waiting = (await all()).filter((sale) => !sale.failed && !sale.short);
    for (let at = 0; at < waiting.length; at += SALES_MAX) {
      const some = waiting.slice(at, at + SALES_MAX);
      const answer = await fetch("/till/queue", {
        method: "POST",
        signal: AbortSignal.timeout(30000), // what is sent again is booked once
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ sales: some.map(({ id, at, card, lines, points = {} }) => ({ id, at, card, lines, points })) }),
      });
      if (!answer.ok) return;
      const { sales: told, short } = await answer.json();
      for (const sale of some) {
        if (sale.points && told[sale.id] === "") await see(sale.card, null);
        if (told[sale.id] === "" && short.includes(sale.id)) await add({ ...sale, short: true });
        else if (told[sale.id] === "") await remove(sale.id);
        else if (told[sale.id] && told[sale.id] !== "unknown") await add({ ...sale, failed: told[sale.id] });
      }
    }
  };

  const receipt = () => {
    let letters = "";
    while (letters.length < 12) {
      const [byte] = crypto.getRandomValues(new Uint8Array(1));
      if (byte < 240) letters += LETTERS[byte % LETTERS.length];
    }
    return letters.match(/.{4}/g).join("-");
  };

  return { add, all, remove, send, receipt, see, offer };
})();
