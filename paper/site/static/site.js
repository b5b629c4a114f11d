"use strict";

// Tables that sort and filter.

const number = (text) => {
  const found = /^(1 - )?(at least )?([\d.,]+(e[-+]?\d+)?)/.exec(text.trim());
  if (!found) return NaN;
  const value = parseFloat(found[3].replaceAll(",", ""));
  return found[1] ? 1 - value : value;
};

const cells = (row, k) => row.cells[k]?.innerText ?? "";

function sortBy(table, k, head) {
  const down = head.getAttribute("aria-sort") === "ascending";
  for (const other of table.querySelectorAll("th")) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", down ? "descending" : "ascending");
  const compared = (one, two) => {
    const [a, b] = [cells(one, k), cells(two, k)], [x, y] = [number(a), number(b)];
    if (isNaN(x) !== isNaN(y)) return isNaN(x) ? 1 : -1;
    return (isNaN(x) ? a.localeCompare(b) : x - y) * (down ? -1 : 1);
  };
  const body = table.tBodies[0];
  body.append(...[...body.rows].sort(compared));
}

function filterable(table) {
  const form = document.createElement("form"), rows = [...table.tBodies[0].rows];
  form.className = "filter";
  form.innerHTML = '<label>with the words <input name="words" type="search"></label> <output></output>';
  const heads = [...table.querySelectorAll("th")], verdict = heads.findIndex((head) => head.innerText.trim() === "verdict");
  if (verdict >= 0) {
    const kinds = [...new Set(rows.map((row) => cells(row, verdict)))];
    const options = ["all", ...kinds].map((kind) => `<option>${kind}</option>`).join("");
    form.insertAdjacentHTML("afterbegin", `<label>verdict <select name="verdict">${options}</select></label>`);
  }
  const show = () => {
    const kind = form.elements.verdict?.value ?? "all", words = form.elements.words.value.toLowerCase();
    for (const row of rows) {
      row.hidden = !(kind === "all" || cells(row, verdict) === kind) || !row.textContent.toLowerCase().includes(words);
    }
    form.querySelector("output").value = `${rows.filter((row) => !row.hidden).length} of ${rows.length}`;
  };
  form.addEventListener("input", show);
  form.addEventListener("submit", (event) => event.preventDefault());
  (table.closest(".table-wrapper") ?? table).before(form);
  heads.forEach((head, k) => head.addEventListener("click", () => sortBy(table, k, head)));
  show();
}

// The explorer: everything it shows is in the page.

const SVG = "http://www.w3.org/2000/svg";

function drawn(parent, tag, attributes, text) {
  const node = parent.appendChild(document.createElementNS(SVG, tag));
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  if (text !== undefined) node.textContent = text;
  return node;
}

const SERIES = { D: ["D_i(κ), exact", "#0072b2"], lemma3: ["Lemma 3", "#d55e00"], influence: ["influence matrix", "#009e73"] };

// From white to blue over three decades below the largest.
function colour(value, most) {
  if (!(value > 0)) return "#ffffff";
  const share = Math.max(0, Math.min(1, 1 + Math.log10(value / most) / 3));
  return `color-mix(in srgb, #56b4e9 ${Math.round(100 * share)}%, white)`;
}

function explorer(form, data) {
  const field = form.elements, graph = document.querySelector("#shown svg.graph");
  const curves = document.querySelector("#shown svg.curves"), numbers = document.getElementById("numbers");
  const fill = (name, values) => {
    const before = field[name].value;
    field[name].replaceChildren(...values.map((value) => new Option(value)));
    if (values.map(String).includes(before)) field[name].value = before;
  };

  function draw() {
    const own = data[field.instance.value];
    fill("policy", Object.keys(own.policies));
    fill("agent", own.place.map((_, i) => i));
    const series = own.policies[field.policy.value], i = Number(field.agent.value);
    const of = (name) => series[name]?.[i] ?? [];
    fill("kappa", of("D").map((_, k) => k));
    const kappa = Number(field.kappa.value), influence = own.influence[field.policy.value][i];
    const others = influence.filter((_, j) => j !== i), most = Math.max(...others, 0);

    graph.replaceChildren();
    for (const [j, k] of own.edges) {
      const [[x1, y1], [x2, y2]] = [own.place[j], own.place[k]];
      drawn(graph, "line", { x1, y1, x2, y2 });
    }
    own.place.forEach(([cx, cy], j) => {
      const near = own.hops[i][j] >= 0 && own.hops[i][j] <= kappa;
      const node = drawn(graph, "circle", { cx, cy, r: own.n <= 12 ? 0.1 : 0.07, class: (near ? "near " : "") + (i === j ? "chosen" : "") });
      node.style.fill = i === j ? "#f0e442" : colour(influence[j], most);
      drawn(node, "title", {}, `agent ${j}, ${own.hops[i][j] < 0 ? "out of reach" : own.hops[i][j] + " hops away"}: V_${i} varies by ${influence[j]} with s_${j} alone`);
      node.addEventListener("click", () => { field.agent.value = j; draw(); });
      drawn(graph, "text", { x: cx, y: cy }, j).style.fill = "black";
    });

    const told = Object.entries(SERIES).filter(([name]) => of(name).length);
    numbers.replaceChildren();
    for (const [name, [words, stroke]] of told) {
      const row = numbers.insertRow();
      row.insertCell().innerText = words;
      row.insertCell().innerText = of(name)[kappa] ?? "says nothing";
      row.cells[0].style.color = stroke;
      row.cells[1].dataset.series = name;
    }
    if (!told.length) numbers.insertRow().insertCell().innerText = "Nobody is outside of N_i^κ for any κ.";

    curves.replaceChildren();
    const values = told.flatMap(([name]) => of(name)).filter((value) => value > 0);
    const top = Math.ceil(Math.log10(Math.max(...values, 1))), low = Math.floor(Math.log10(Math.max(Math.min(...values, 1), 1e-12)));
    const x = (k) => 45 + (265 * k) / Math.max(of("D").length - 1, 1);
    const y = (value) => 15 + (175 * (top - Math.log10(Math.max(value, 10 ** low)))) / Math.max(top - low, 1);
    if (values.length) {
      for (let power = low; power <= top; power += Math.ceil((top - low) / 4) || 1) {
        drawn(curves, "text", { x: 2, y: y(10 ** power) + 4 }, `1e${power}`);
      }
      of("D").forEach((_, k) => drawn(curves, "text", { x: x(k) - 3, y: 210 }, k));
      drawn(curves, "line", { x1: x(kappa), x2: x(kappa), y1: 15, y2: 190, stroke: "#999", "stroke-dasharray": "3" });
    }
    for (const [name, [, stroke]] of told) {
      drawn(curves, "path", { stroke, d: of(name).map((value, k) => (value === null ? "" : `${of(name)[k - 1] == null ? "M" : "L"}${x(k)},${y(value)}`)).join("") });
      of(name).forEach((value, k) => value === null || drawn(curves, "circle", { cx: x(k), cy: y(value), r: 3, fill: stroke }));
    }
    history.replaceState(null, "", `#${new URLSearchParams(new FormData(form))}`);
  }

  fill("instance", Object.keys(data));
  const asked = new URLSearchParams(location.hash.slice(1));
  for (const name of ["instance", "policy", "agent", "kappa"]) {
    const wish = asked.get(name);
    if ([...field[name].options].some((option) => option.value === wish)) field[name].value = wish;
    const wanted = asked.toString();
    draw();
    history.replaceState(null, "", `#${wanted}`);
  }
  draw();
  form.addEventListener("input", draw);
}

addEventListener("DOMContentLoaded", () => {
  document.querySelectorAll("table.sortable").forEach(filterable);
  const form = document.getElementById("choice");
  if (form) explorer(form, JSON.parse(document.getElementById("explored").textContent));
});
