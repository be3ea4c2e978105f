// Puts the booking page into a clinic's own site:
//   <script src="https://HOST/book/CLINIC/embed.js" async></script>
// Optional: data-service="first-visit" data-lang="en" data-title="Book" data-target="#element".
(function () {
  "use strict";
  var script = document.currentScript;
  var address = new URL(script.src);
  var options = script.dataset;
  address.pathname = address.pathname.replace(/embed\.js$/, options.service ? encodeURIComponent(options.service) + "/" : "");
  address.search = options.lang ? "?lang=" + encodeURIComponent(options.lang) : "";

  var frame = document.createElement("iframe");
  frame.src = address.href;
  frame.title = options.title || "Programări · Booking";
  frame.style.cssText = "display:block;width:100%;border:0;min-height:24rem;border-radius:16px";
  var target = options.target && document.querySelector(options.target);
  if (target) target.appendChild(frame);
  else script.insertAdjacentElement("afterend", frame);

  addEventListener("message", function (event) {
    if (event.origin !== address.origin || event.source !== frame.contentWindow || !event.data) return;
    var said = event.data.restartix;
    if (typeof said === "number" && said > 0 && said < 20000) frame.style.height = said + "px";
    if (said === "top" && frame.getBoundingClientRect().top < 0) frame.scrollIntoView();
  });
})();
