/* Shows the card while it is designed; what is kept is checked by the server again. */
const form = document.getElementById("design");
const card = document.getElementById("card");
const told = document.getElementById("contrast");
const title = card.querySelector("h2");
const usual = title.dataset.usual;

function luminance(colour) {
  const parts = [1, 3, 5].map((at) => {
    const part = parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
}

function show() {
  const ground = form.ground.value, ink = form.ink.value;
  card.style.background = ground;
  card.style.color = ink;
  title.textContent = form.elements.name.value.trim() || usual;
  const [low, high] = [luminance(ground), luminance(ink)].sort((a, b) => a - b);
  const times = Math.floor(((high + 0.05) / (low + 0.05)) * 100 + 1e-9) / 100;
  told.textContent = (times < 4.5 ? told.dataset.low : told.dataset.fine).replace("…", times.toLocaleString(document.documentElement.lang));
  told.classList.toggle("wrong", times < 4.5);
}

function picture() {
  const file = form.logo.files[0];
  let logo = card.querySelector("img");
  if (!file) return;
  const reader = new FileReader();
  reader.onload = () => {
    if (!logo) {
      logo = document.createElement("img");
      logo.className = "logo";
      logo.alt = "";
      title.before(logo);
    }
    logo.src = reader.result;
  };
  reader.readAsDataURL(file);
}

form.addEventListener("input", show);
form.logo.addEventListener("change", picture);
show();
