"use strict";
// The line that finds pages, members and programs: Ctrl-K opens it, arrows walk, Enter goes.
// Without this script the button leads to a page that does the same.
(() => {
  const dialog = document.getElementById("palette");
  const opener = document.getElementById("find");
  const form = dialog.querySelector("form");
  const input = form.elements.q;
  const status = dialog.querySelector("[role=status]");
  const list = dialog.lastElementChild;
  const PAUSE_MS = 250;
  let timer = 0;
  let asked = null;

  const links = () => [...list.querySelectorAll("a")];

  // What is asked for a person stands in the body of a request, never in an address.
  const look = async () => {
    asked?.abort();
    const own = asked = new AbortController();
    try {
      const answer = await fetch(form.action, {
        method: "POST",
        headers: { accept: "text/html" },
        body: new URLSearchParams({ q: input.value, part: "1" }),
        redirect: "error",
        signal: own.signal,
      });
      if (!answer.ok) return null;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      list.replaceChildren(...page.body.children);
      status.textContent = list.querySelector("[data-total]")?.textContent ?? "";
      return own;
    } catch {
      return null;  // it was overtaken, or there is no network: Enter asks with a page
    }
  };

  const open = () => {
    if (dialog.open) return;
    dialog.showModal();
    input.select();
    look();
  };

  const go = async () => {
    clearTimeout(timer);
    const done = await look();
    const first = links()[0];
    if (done && first) first.click();
    else if (!done) form.submit();
  };

  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === "k") {
      event.preventDefault();
      open();
    }
  });
  opener.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    open();
  });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(look, PAUSE_MS);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    go();
  });
  dialog.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const all = [input, ...links()];
    if (step) {
      event.preventDefault();
      const at = Math.max(0, all.indexOf(document.activeElement));
      all[(at + step + all.length) % all.length].focus();
    } else if (event.key.length === 1 && document.activeElement?.closest("a") && !event.ctrlKey && !event.metaKey) {
      input.focus();  // whoever types goes on with the line
    }
  });
})();
