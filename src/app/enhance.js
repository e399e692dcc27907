// Small comforts for pages that already work without them: copy buttons, real modals, no double posts.
for (const button of document.querySelectorAll("button[data-copy], button[data-copy-from]")) {
  if (!navigator.clipboard) continue; // Absent over plain http: the text itself can still be selected.
  button.hidden = false;
  const said = button.querySelector("[data-said]");
  const before = said.textContent;
  button.addEventListener("click", async () => {
    button.style.minInlineSize = `${button.offsetWidth}px`;
    const from = button.dataset.copyFrom && document.getElementById(button.dataset.copyFrom);
    try {
      await navigator.clipboard.writeText(from ? from.textContent.trim() : button.dataset.copy);
      said.textContent = "Copied";
    } catch {
      said.textContent = "Select the text and copy it";
    }
    setTimeout(() => (said.textContent = before), 2000);
  });
}

for (const dialog of document.querySelectorAll("dialog")) {
  if (!dialog.showModal) continue;
  if (dialog.open) {
    dialog.close();
    dialog.showModal();
  }
  for (const closer of dialog.querySelectorAll("[data-close]")) {
    closer.addEventListener("click", (event) => {
      event.preventDefault();
      dialog.close();
    });
  }
}

for (const opener of document.querySelectorAll("a[data-dialog]")) {
  const dialog = document.getElementById(opener.dataset.dialog);
  if (!dialog?.showModal) continue;
  // From here on it is a button, with the keys of one.
  opener.setAttribute("role", "button");
  opener.setAttribute("aria-haspopup", "dialog");
  opener.addEventListener("click", (event) => {
    event.preventDefault();
    dialog.showModal();
  });
  opener.addEventListener("keydown", (event) => {
    if (event.key === " ") event.preventDefault(); // Or the page scrolls.
  });
  opener.addEventListener("keyup", (event) => {
    if (event.key === " ") opener.click();
  });
}

for (const form of document.querySelectorAll("form[method=post]:not([data-island])")) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) return event.preventDefault();
    form.dataset.sent = "1";
    setTimeout(() => delete form.dataset.sent, 5000);
  });
}
// A page taken back from the browser's cache may post again.
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});

const refused = document.querySelector(".summary");
if (refused) refused.focus();

for (const menu of document.querySelectorAll("details.menu")) {
  addEventListener("keydown", (event) => {
    if (event.key === "Escape" && menu.open) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  });
  addEventListener("click", (event) => {
    if (!menu.contains(event.target)) menu.open = false;
  });
}

// What the page says beside a field needs no bubble over it that says the same.
document.addEventListener(
  "invalid",
  (event) => {
    const field = event.target;
    const said = (field.getAttribute("aria-describedby") ?? "").split(" ").map((id) => document.getElementById(id));
    if (!said.some((line) => line?.matches(".said.refused"))) return;
    event.preventDefault();
    if (field.form?.querySelector(":invalid") === field) field.focus();
  },
  true,
);
