"use strict";
// A program is checked while it is written, and a new one begins with the clock of the device.
// Without this script the button checks.
(() => {
  const zone = document.querySelector("[data-guess]");
  const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zone && here && here.includes("/")) zone.value = here;

  const form = document.getElementById("draft");
  if (!form) return;
  const source = form.elements.source;
  const checks = document.getElementById("checks");
  const PAUSE_MS = 600;
  let timer = 0;
  let asked = null;

  const look = async () => {
    asked?.abort();
    const own = asked = new AbortController();
    const fields = new URLSearchParams(new FormData(form));
    fields.set("do", "check");
    try {
      const answer = await fetch(form.action, {
        method: "POST",
        headers: { accept: "text/html" },
        body: fields,
        redirect: "error",
        signal: own.signal,
      });
      if (answer.status !== 200 && answer.status !== 422) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      show(page.getElementById("checks"));
    } catch {
      // it was overtaken, or there is no network: the button checks with a page
    }
  };

  // What somebody opened or closed stays so, and what is read out is said once.
  const show = (found) => {
    const open = new Map([...checks.querySelectorAll("details")].map((each) => [each.firstElementChild.textContent, each.open]));
    for (const each of found.querySelectorAll("details")) {
      each.open = open.get(each.firstElementChild.textContent) ?? each.open;
    }
    const told = checks.querySelector("[data-faults]");
    const said = found.querySelector("[data-faults]");
    if (told.textContent !== said.textContent) told.textContent = said.textContent;
    said.remove();
    for (const each of found.querySelectorAll("[role=alert]")) each.removeAttribute("role");
    checks.replaceChildren(told, ...found.children);
    const wrong = checks.querySelector("#faults");
    if (wrong) source.setAttribute("aria-describedby", "faults");
    else source.removeAttribute("aria-describedby");
    source.setAttribute("aria-invalid", String(Boolean(wrong)));
  };

  source.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(look, PAUSE_MS);
  });
  form.addEventListener("submit", () => {
    clearTimeout(timer);
    asked?.abort();
  });

  // A fault leads to its line.
  checks.addEventListener("click", (event) => {
    const line = Number(event.target.closest("[data-line]")?.dataset.line);
    if (!line) return;
    event.preventDefault();
    const lines = source.value.split("\n");
    const start = lines.slice(0, line - 1).reduce((sum, each) => sum + each.length + 1, 0);
    source.focus();
    source.setSelectionRange(start, start + (lines[line - 1] ?? "").length);
    const tall = source.scrollHeight / Math.max(1, lines.length);
    source.scrollTop = Math.max(0, tall * (line - 6));
  });
})();
