/* Passkeys: a form that carries what the device answers. Without passkeys it stays hidden. */
/* A challenge is good for five minutes; one that waits for somebody is asked for anew before. */
const ANEW_MS = 4 * 60_000;
let waiting = null;

const bytes = (text) => {
  const plain = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
  return Uint8Array.from(plain, (each) => each.charCodeAt(0)).buffer;
};
const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replace(/\+/g, "-").replace(/\//g, "_").replace(/=/g, "");

function wanted(options) {
  options.challenge = bytes(options.challenge);
  if (options.user) options.user.id = bytes(options.user.id);
  for (const list of [options.excludeCredentials, options.allowCredentials]) {
    for (const each of list || []) each.id = bytes(each.id);
  }
  return { publicKey: options };
}

function said(credential) {
  const response = {};
  for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (credential.response[name]) response[name] = text(credential.response[name]);
  }
  return JSON.stringify({ id: credential.id, rawId: text(credential.rawId), type: credential.type, response });
}

async function carry(form, how) {
  const answer = await fetch(form.dataset.ask, { method: "POST", headers: { accept: "application/json" } });
  if (!answer.ok) throw new Error(answer.statusText);
  const options = { ...wanted(await answer.json()), ...how };
  const credential = form.dataset.passkey === "make"
    ? await navigator.credentials.create(options)
    : await navigator.credentials.get(options);
  form.elements.credential.value = said(credential);
  form.submit();
}

async function press(form) {
  const trouble = form.querySelector("[data-trouble]");
  const known = form.querySelector("[data-known]") || trouble;
  trouble.hidden = known.hidden = true;
  if (waiting) waiting.abort(); /* a browser asks for one thing at a time */
  try {
    await carry(form, {});
  } catch (error) {
    (error.name === "InvalidStateError" ? known : trouble).hidden = false;
    if ("autofill" in form.dataset) wait(form);
  }
}

/* The browser shows passkeys among what it fills in, once somebody is in the field. */
async function wait(form) {
  if (waiting) waiting.abort();
  waiting = new AbortController();
  await carry(form, { mediation: "conditional", signal: waiting.signal }).catch(() => null);
}

async function fill(form) {
  if (!(await PublicKeyCredential.isConditionalMediationAvailable?.())) return;
  let asked = Date.now();
  const anew = () => {
    if (document.hidden || Date.now() - asked < ANEW_MS) return;
    asked = Date.now();
    wait(form);
  };
  setInterval(anew, ANEW_MS);
  document.addEventListener("visibilitychange", anew);
  wait(form);
}

async function show(form) {
  if ("here" in form.dataset && !(await PublicKeyCredential.isUserVerifyingPlatformAuthenticatorAvailable())) return;
  form.hidden = false;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    press(form);
  });
  if ("autofill" in form.dataset) fill(form);
}

/* Browsers make none for a number in the place of a name, such as 127.0.0.1. */
const named = !/^[\d.]+$|:/.test(location.hostname);
if (window.PublicKeyCredential && named) document.querySelectorAll("form[data-passkey]").forEach(show);
