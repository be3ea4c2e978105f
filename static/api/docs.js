"use strict";
// Starts the reader of the API's document; a token that is entered stays in the page and is not stored.
window.addEventListener("DOMContentLoaded", () => {
  const main = document.getElementById("api");
  window.SwaggerUIBundle({
    url: main.dataset.document,
    domNode: main,
    deepLinking: true,
    docExpansion: "none",
    filter: true,
    displayOperationId: true,
    defaultModelsExpandDepth: 0,
    persistAuthorization: false,
    validatorUrl: null,
    tryItOutEnabled: true,
  });
});
