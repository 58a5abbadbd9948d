/* Theme, search key, navigation drawer, selection bar, one open popover. */
"use strict";
const root = document.documentElement;
const stored = (() => { try { return localStorage.getItem("theme"); } catch { return null; } })();
root.dataset.theme = stored || "auto";
addEventListener("DOMContentLoaded", () => {
  const find = (selector) => document.querySelector(selector);
  find(".theme-toggle")?.addEventListener("click", () => {
    const dark = getComputedStyle(root).colorScheme.includes("dark");
    root.dataset.theme = dark ? "light" : "dark";
    try { localStorage.setItem("theme", root.dataset.theme); } catch { /* private window */ }
  });
  find("#nav-toggle")?.addEventListener("click", (event) => {
    event.currentTarget.setAttribute("aria-expanded", root.classList.toggle("nav-open"));
  });
  addEventListener("keydown", (event) => {
    const typing = event.target.closest?.("input, textarea, select");
    if (event.key === "/" && !typing) { event.preventDefault(); find("#global-search")?.focus(); }
    if (event.key === "Escape") {
      root.classList.remove("nav-open");
      document.querySelectorAll("details.menu[open], details.chip[open]").forEach((d) => { d.open = false; });
    }
  });
  addEventListener("click", (event) => {
    document.querySelectorAll("details.menu[open], details.chip[open]").forEach((d) => {
      if (!d.contains(event.target)) d.open = false;
    });
  });
  const bar = find("#changelist .actions");
  if (!bar) return;
  const boxes = [...document.querySelectorAll(".action-select")];
  const all = find("#action-toggle");
  const format = (minor, digits) => (minor / 10 ** digits).toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  const refresh = () => {
    const chosen = boxes.filter((box) => box.checked);
    const sums = new Map();
    for (const { dataset: { cur, minor, digits } } of chosen) {
      sums.set(cur, { minor: (sums.get(cur)?.minor || 0) + Number(minor), digits: Number(digits) });
    }
    bar.hidden = !chosen.length;
    bar.querySelector(".action-counter").textContent = `${chosen.length} selected`;
    bar.querySelector(".sum").textContent = [...sums].map(([cur, s]) => `${format(s.minor, s.digits)} ${cur}`).join("  ·  ");
    all.checked = chosen.length === boxes.length;
    all.indeterminate = chosen.length > 0 && !all.checked;
  };
  all.addEventListener("change", () => { boxes.forEach((box) => { box.checked = all.checked; }); refresh(); });
  boxes.forEach((box) => box.addEventListener("change", refresh));
  bar.querySelector(".clear-selection").addEventListener("click", () => { boxes.forEach((box) => { box.checked = false; }); refresh(); });
  refresh();
});
