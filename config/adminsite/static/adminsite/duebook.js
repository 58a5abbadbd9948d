/* Theme, search key, navigation drawer, selection bar, one open popover; rows of a form,
   suggestions while typing, fields that fit the charge type, one click per form.
   Everything works without it, only less conveniently. */
"use strict";
const root = document.documentElement;
const stored = (() => { try { return localStorage.getItem("theme"); } catch { return null; } })();
root.dataset.theme = stored || "auto";

const find = (selector, from = document) => from.querySelector(selector);
const findAll = (selector, from = document) => [...from.querySelectorAll(selector)];
const POPOVERS = "details.menu[open], details.chip[open], details.other[open]";

function frame() {
  find(".theme-toggle")?.addEventListener("click", () => {
    const dark = getComputedStyle(root).colorScheme.includes("dark");
    root.dataset.theme = dark ? "light" : "dark";
    try { localStorage.setItem("theme", root.dataset.theme); } catch { /* private window */ }
  });
  const toggle = find("#nav-toggle");
  const drawer = (open) => {
    root.classList.toggle("nav-open", open);
    toggle?.setAttribute("aria-expanded", String(open));
  };
  toggle?.addEventListener("click", () => drawer(!root.classList.contains("nav-open")));
  addEventListener("keydown", (event) => {
    const typing = event.target.closest?.("input, textarea, select");
    if (event.key === "/" && !typing) { event.preventDefault(); find("#global-search")?.focus(); }
    if (event.key === "Escape") {
      drawer(false);
      findAll(POPOVERS).forEach((details) => { details.open = false; find("summary", details).focus(); });
    }
  });
  addEventListener("click", (event) => {
    findAll(POPOVERS).forEach((details) => { if (!details.contains(event.target)) details.open = false; });
    if (root.classList.contains("nav-open") && !event.target.closest("#nav-sidebar, #nav-toggle")) drawer(false);
  });
}

function selection() {
  const bar = find("#changelist .actions");
  if (!bar) return;
  const boxes = findAll(".action-select");
  const all = find("#action-toggle");
  const format = (minor, digits) => (minor / 10 ** digits).toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  const refresh = () => {
    const chosen = boxes.filter((box) => box.checked);
    const sums = new Map();
    for (const { dataset: { cur, minor, digits } } of chosen) {
      if (cur) sums.set(cur, { minor: (sums.get(cur)?.minor || 0) + Number(minor), digits: Number(digits) });
    }
    boxes.forEach((box) => box.closest("tr").classList.toggle("selected", box.checked));
    bar.hidden = !chosen.length;
    find(".action-counter", bar).textContent = `${chosen.length} selected`;
    find(".sum", bar).textContent = [...sums].map(([cur, s]) => `${format(s.minor, s.digits)} ${cur}`).join("  ·  ");
    if (all) { all.checked = chosen.length > 0 && chosen.length === boxes.length; all.indeterminate = chosen.length > 0 && !all.checked; }
  };
  all?.addEventListener("change", () => { boxes.forEach((box) => { box.checked = all.checked; }); refresh(); });
  boxes.forEach((box) => box.addEventListener("change", refresh));
  find(".clear-selection", bar).addEventListener("click", () => { boxes.forEach((box) => { box.checked = false; }); refresh(); });
  refresh();
}

/* Fields that a charge type has no use for are hidden, and come back with their values. */
function chargeType(row) {
  const type = find("select[name$='-charge_type']", row);
  if (!type) return;
  const show = () => { row.dataset.type = type.value; };
  type.addEventListener("change", show);
  show();
}

function rows() {
  for (const group of findAll(".inline-group")) {
    findAll(".inline-related", group).forEach(chargeType);
    const add = find(".add-row", group);
    const template = find("template", group);
    const total = find(`#id_${group.dataset.prefix}-TOTAL_FORMS`);
    if (!add || !template || !total) continue;
    const wire = (row) => {
      const drop = find(".drop-row", row);
      if (!drop) return;
      drop.hidden = false;
      drop.addEventListener("click", () => { row.remove(); renumber(group, total); });
    };
    findAll(".inline-related", group).forEach(wire);
    add.hidden = false;
    add.addEventListener("click", () => {
      const html = template.innerHTML.replaceAll("__prefix__", total.value);
      group.insertAdjacentHTML("beforeend", html);
      const row = group.lastElementChild;
      total.value = Number(total.value) + 1;
      wire(row); chargeType(row); suggestions(row);
      find("select, input:not([type=hidden])", row)?.focus();
    });
  }
}

function renumber(group, total) {
  const prefix = group.dataset.prefix;
  const pattern = new RegExp(`^(id_)?${prefix}-\\d+-`);
  const left = findAll(".inline-related", group);
  left.forEach((row, index) => {
    for (const element of findAll("[id], [name], [for], [aria-describedby]", row)) {
      for (const attribute of ["id", "name", "for", "aria-describedby"]) {
        const value = element.getAttribute(attribute);
        if (value) element.setAttribute(attribute, value.replace(pattern, (_, id) => `${id || ""}${prefix}-${index}-`));
      }
    }
  });
  total.value = left.length;
}

function suggestions(from = document) {
  for (const input of findAll("input[data-suggest]", from)) {
    const list = document.createElement("datalist");
    list.id = `${input.id || input.name}_suggestions`;
    input.after(list);
    input.setAttribute("list", list.id);
    let timer;
    input.addEventListener("input", () => {
      clearTimeout(timer);
      const text = input.value.trim();
      if (text.length < 2) return;
      timer = setTimeout(async () => {
        const query = new URLSearchParams({ source: input.dataset.suggest, q: text });
        const answer = await fetch(`${find("form.search").action.replace("/search/", "/suggest/")}?${query}`);
        if (!answer.ok) return;
        list.replaceChildren(...(await answer.json()).suggestions.map(([value, label]) => new Option(label, value)));
      }, 200);
    });
  }
}

/* A second click on the same form sends nothing. */
function once() {
  addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post" || event.defaultPrevented) return;
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = "1";
    findAll("[type=submit]", form).forEach((button) => { button.setAttribute("aria-disabled", "true"); });
  });
  addEventListener("pageshow", () => {
    findAll("form[data-sent]").forEach((form) => {
      delete form.dataset.sent;
      findAll("[type=submit]", form).forEach((button) => button.removeAttribute("aria-disabled"));
    });
  });
}

/* A run that is going on: its texts every two seconds; the whole page when it is done. */
function progress() {
  const box = find("[data-progress]");
  if (!box) return;
  const bar = find("progress", box);
  const status = find("[role=status]", box);
  const again = (seconds) => setTimeout(ask, seconds * 1000);
  const ask = async () => {
    if (document.hidden) { document.addEventListener("visibilitychange", ask, { once: true }); return; }
    let run;
    try {
      const answer = await fetch(box.dataset.progress, { headers: { Accept: "application/json" } });
      if (answer.redirected || [403, 404].includes(answer.status)) { location.reload(); return; }
      if (!answer.ok) throw new Error(answer.statusText);
      run = await answer.json();
    } catch { again(10); return; }
    if (!run.is_running) { location.reload(); return; }
    for (const [name, text] of Object.entries(run.texts)) {
      findAll(`[data-text="${name}"]`).forEach((place) => { place.textContent = text; });
    }
    bar.max = run.candidates || 1;
    bar.value = run.done;
    const tenths = Math.floor((10 * run.done) / bar.max);
    if (status.dataset.tenths !== String(tenths)) {
      status.dataset.tenths = tenths;
      status.textContent = `${tenths * 10} percent done`;
    }
    again(2);
  };
  again(1);
}

/* The plan of a contract while it is typed: the server plans what is in the form. */
function planPreview() {
  const section = find("[data-plan-preview]");
  const form = section && document.getElementById(section.dataset.planPreview);
  if (!form) return;
  const button = find("button", section);
  const place = find("[aria-live]", section);
  let timer, asked;
  const ask = async () => {
    asked?.abort();
    asked = new AbortController();
    try {
      const answer = await fetch(button.formAction, { method: "POST", body: new FormData(form), headers: { "X-Fragment": "1" }, signal: asked.signal });
      if (answer.ok && !answer.redirected) place.innerHTML = await answer.text();
    } catch { /* a newer question was asked, or nobody answers: the button still works */ }
  };
  const later = () => { clearTimeout(timer); timer = setTimeout(ask, 400); };
  form.addEventListener("input", later);
  form.addEventListener("click", (event) => { if (event.target.closest(".add-row, .drop-row")) later(); });
  button.addEventListener("click", (event) => { event.preventDefault(); ask(); });
  if (find("[name=start_date]", form)?.value) ask();
}

/* Figures that follow from a form: left with another answer, it asks for them anew. */
function recalculation() {
  const form = find("form[data-recalculates]");
  const button = form && find(".recalculate", form);
  if (!button) return;
  const answers = () => JSON.stringify(findAll("input:not([type=hidden]), select", form).map((field) => field.value));
  const before = answers();
  const update = () => { if (answers() !== before && form.checkValidity()) form.requestSubmit(button); };
  form.addEventListener("focusout", update);
  form.addEventListener("change", (event) => { if (event.target.matches("select")) update(); });
}

addEventListener("DOMContentLoaded", () => { recalculation(); frame(); selection(); rows(); suggestions(); once(); progress(); planPreview(); });
