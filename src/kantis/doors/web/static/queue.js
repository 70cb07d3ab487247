"use strict";
// Sales that wait for the network, with their ids. What is sent twice is booked once.
const Queue = (() => {
  const LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ";
  const SALES_MAX = 100;

  const opened = () => new Promise((resolve, reject) => {
    const asked = indexedDB.open("kantis-till", 1);
    asked.onupgradeneeded = () => asked.result.createObjectStore("sale", { keyPath: "id" });
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error);
  });

  const within = async (mode, does) => {
    const base = await opened();
    try {
      return await new Promise((resolve, reject) => {
        const deal = base.transaction("sale", mode, { durability: "strict" });
        const asked = does(deal.objectStore("sale"));
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

  // Sends what waits; a sale leaves the queue only once the books have it.
  const send = async () => {
    const waiting = (await all()).filter((sale) => !sale.failed);
    for (let at = 0; at < waiting.length; at += SALES_MAX) {
      const some = waiting.slice(at, at + SALES_MAX);
      const answer = await fetch("/till/queue", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ sales: some.map(({ id, at, card, lines }) => ({ id, at, card, lines })) }),
      });
      if (!answer.ok) return;
      const told = (await answer.json()).sales;
      for (const sale of some) {
        if (told[sale.id] === "") await remove(sale.id);
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

  return { add, all, send, receipt };
})();
