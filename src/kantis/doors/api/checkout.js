// Kantis at a shop's checkout, version 1.
//
//   import {show} from "https://loyalty.example/v1/checkout-1.js";
//   const panel = show(document.querySelector("#points"), {
//     service: "https://loyalty.example",
//     token: () => fetch("/kantis-token", {method: "POST"}).then(r => r.json()),
//     basket: () => ({lines: [{id: "1", product: "latte", amount: 450}], amount: 450}),
//     changed: hold => { form.elements.kantis_hold.value = hold ? hold.hold : ""; },
//   });
//   panel.refresh();   // after each change of the basket
//
// `token` gives what the shop's own server was answered by POST /v1/checkout-tokens. There is
// no key in the browser. Amounts are whole numbers of the smallest coin.

export const VERSION = 1;

const TEXTS = {
  have: "You have {points} points.",
  earns: "This order earns {points}.",
  use: "Use {points} points",
  used: "{points} points are set aside for this order.",
  back: "Do not use them",
  trouble: "Points are not available at the moment.",
};

export class Refused extends Error {
  constructor(problem) {
    super(problem.detail);
    this.name = "Refused";
    this.code = problem.code;
    this.status = problem.status;
  }
}

export class Checkout {
  #service;
  #ask;
  #said = null;

  constructor({service, token}) {
    this.#service = service.replace(/\/$/, "");
    this.#ask = token;
  }

  /** The balances, what the lines would earn, and what comes off them. */
  quote(lines) {
    return this.#post("quote", {lines});
  }

  /** Set points aside: {hold, points, off}. The hold goes with the order as `kantis_hold`. */
  hold(points, basket) {
    return this.#post("hold", {points, basket});
  }

  /** Give back what was set aside; the next hold has a token of its own. */
  async release() {
    await this.#post("release");
    this.#said = null;
  }

  async #token() {
    if (this.#said === null || Date.parse(this.#said.expires) - Date.now() < 5000) {
      this.#said = await this.#ask();
    }
    return this.#said.token;
  }

  async #post(what, body) {
    const answer = await fetch(`${this.#service}/v1/checkout/${what}`, {
      method: "POST",
      mode: "cors",
      credentials: "omit",
      headers: {
        "Authorization": `Bearer ${await this.#token()}`,
        "Content-Type": "application/json",
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const said = await answer.json();
    if (!answer.ok) throw new Refused(said);
    return said;
  }
}

/** A panel with the balance, what the basket earns, and a button that uses points. */
export function show(element, {service, token, basket, changed = () => {}, balance = "points", texts = {}}) {
  const checkout = new Checkout({service, token});
  const words = {...TEXTS, ...texts};
  const line = document.createElement("p");
  const button = document.createElement("button");
  button.type = "button";
  button.hidden = true;
  line.setAttribute("role", "status");
  element.replaceChildren(line, button);
  let held = null;
  let forecast = null;

  const put = (text, points) => text.replace("{points}", String(points));

  function draw() {
    const have = Math.floor(Number(forecast.balances[balance] ?? 0));
    const earns = forecast.earns[balance] ?? 0;
    line.textContent = held
      ? put(words.used, held.points)
      : `${put(words.have, have)} ${put(words.earns, earns)}`;
    button.textContent = held ? words.back : put(words.use, have);
    button.hidden = !held && have <= 0;
  }

  async function refresh() {
    await attempt(async () => {
      forecast = await checkout.quote(basket().lines);
    });
  }

  async function attempt(work) {
    button.disabled = true;
    try {
      await work();
      draw();
    } catch (error) {
      line.textContent = error instanceof Refused ? error.message : words.trouble;
    } finally {
      button.disabled = false;
    }
  }

  button.addEventListener("click", () => attempt(async () => {
    if (held) {
      await checkout.release();
      held = null;
    } else {
      const have = Math.floor(Number(forecast.balances[balance] ?? 0));
      held = await checkout.hold(have, basket().amount);
    }
    forecast = await checkout.quote(basket().lines);
    changed(held);
  }));

  refresh();
  return {refresh, checkout};
}
