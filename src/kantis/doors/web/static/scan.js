"use strict";
// Reads a card with the camera: by the browser itself where it can, and otherwise by a decoder
// that is loaded with the first scan.
(() => {
  const byId = (id) => document.getElementById(id);
  const button = byId("scan");
  const box = byId("scanner");
  if (!button || !box) return;
  const view = byId("view");
  const FORMATS = ["qr_code", "code_128", "ean_13"];
  const WAIT_MS = 120;
  let stream = null;

  const loaded = () => new Promise((resolve, reject) => {
    if (globalThis.ZXing) return resolve();
    const script = document.createElement("script");
    script.src = button.dataset.decoder;
    script.onload = () => resolve();
    script.onerror = () => reject(new DOMException("the decoder did not come", "NetworkError"));
    document.head.append(script);
  });

  // What says what a picture has on it, or nothing.
  const decoder = async () => {
    if ("BarcodeDetector" in globalThis) {
      const known = await BarcodeDetector.getSupportedFormats();
      if (FORMATS.every((each) => known.includes(each))) {
        const detector = new BarcodeDetector({ formats: FORMATS });
        return async (picture) => (await detector.detect(picture))[0]?.rawValue ?? "";
      }
    }
    await loaded();
    const reader = new ZXing.MultiFormatReader();
    const { QR_CODE, CODE_128, EAN_13 } = ZXing.BarcodeFormat;
    reader.setHints(new Map([
      [ZXing.DecodeHintType.POSSIBLE_FORMATS, [QR_CODE, CODE_128, EAN_13]],
      [ZXing.DecodeHintType.TRY_HARDER, true],
    ]));
    return async (picture) => {
      try {
        const light = new ZXing.HTMLCanvasElementLuminanceSource(picture);
        return reader.decodeWithState(new ZXing.BinaryBitmap(new ZXing.HybridBinarizer(light))).getText();
      } catch (error) {
        if (error instanceof ZXing.NotFoundException || error instanceof ZXing.ChecksumException || error instanceof ZXing.FormatException) return "";
        throw error;
      }
    };
  };

  const show = (id) => {
    for (const each of box.querySelectorAll("[data-said]")) each.hidden = each.dataset.said !== id;
    view.hidden = id !== "look";
  };

  const stop = () => {
    for (const track of stream ? stream.getTracks() : []) track.stop();
    stream = null;
    view.srcObject = null;
  };

  const found = (text) => {
    box.close();
    const card = byId("card");
    card.value = text;
    const sale = byId("basket");
    if (sale) sale.requestSubmit();
    else byId("amount").focus();
  };

  const look = async () => {
    const said = await decoder();
    const canvas = document.createElement("canvas");
    const drawn = canvas.getContext("2d", { willReadFrequently: true });
    const one = async () => {
      if (!stream) return;
      if (view.videoWidth) {
        canvas.width = view.videoWidth;
        canvas.height = view.videoHeight;
        drawn.drawImage(view, 0, 0);
        const text = (await said(canvas)).trim();
        if (!stream) return;
        if (text) return found(text);
      }
      setTimeout(() => one().catch(failed), WAIT_MS);
    };
    await one();
  };

  const failed = (error) => {
    stop();
    const refused = error.name === "NotAllowedError" || error.name === "SecurityError";
    show(refused ? "refused" : error.name === "NetworkError" ? "later" : "none");
  };

  button.addEventListener("click", async () => {
    box.showModal();
    if (!navigator.mediaDevices) return show("secure");
    show("look");
    try {
      const wanted = { facingMode: "environment", width: { ideal: 1280 }, height: { ideal: 720 } };
      const came = await navigator.mediaDevices.getUserMedia({ video: wanted });
      stream = came;
      if (!box.open) return stop();
      view.srcObject = came;
      await view.play();
      await look();
    } catch (error) {
      failed(error);
    }
  });
  box.addEventListener("close", stop);
  byId("unscan").addEventListener("click", () => box.close());
  button.hidden = false;
})();
