"use strict";
// The data of the page, and the small parts that all plots share.
const report = {};

report.data = JSON.parse(document.getElementById("data").textContent);

// A packed array: {type, base64} as a typed array.
report.unpacked = (packed) => {
  const bytes = Uint8Array.from(atob(packed.base64), (letter) => letter.charCodeAt(0));
  return packed.type === "u4" ? new Uint32Array(bytes.buffer) : new Float32Array(bytes.buffer);
};

// Plotly reads tags in its labels: names are shown as they are.
report.plain = (text) =>
  String(text).replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");

// Dark to light also in grey; the colours of the figures.
report.stateColors = ["#1b1b1b", "#1f5fa8", "#d9791a", "#6a3d9a", "#3a923a"];
report.stateDashes = ["solid", "dash", "dot", "dashdot", "longdash"];

// Viridis without its palest part.
report.viridis = ["#440154", "#482777", "#3f4a8a", "#31678e", "#26838f", "#1f9d8a", "#6cce5a", "#b6de2b"];

report.cycleColor = (share) => {
  const place = share * (report.viridis.length - 2);
  const low = Math.floor(place);
  const parts = [1, 3, 5].map((k) => {
    const [a, b] = [low, low + 1].map((n) => parseInt(report.viridis[n].slice(k, k + 2), 16));
    return Math.round(a + (place - low) * (b - a));
  });
  return `rgb(${parts.join(",")})`;
};

// Nothing leads out of the page.
report.config = {
  responsive: true,
  displaylogo: false,
  showSendToCloud: false,
  plotlyServerURL: "",
  topojsonURL: "none",
  modeBarButtonsToRemove: ["select2d", "lasso2d"],
};

report.layout = (changes) => ({
  font: { family: "system-ui, Segoe UI, DejaVu Sans, sans-serif", size: 13, color: "#1b1b1b" },
  margin: { l: 76, r: 16, t: 30, b: 56 },
  paper_bgcolor: "#fff",
  plot_bgcolor: "#fff",
  hovermode: "closest",
  showlegend: false,
  ...changes,
});

report.axis = (title, changes) => ({
  title: { text: report.plain(title), standoff: 10 },
  gridcolor: "#e0e0e0",
  zerolinecolor: "#999",
  linecolor: "#555",
  mirror: true,
  ticks: "inside",
  exponentformat: "power",
  automargin: true,
  ...changes,
});

// A logarithmic axis from the smallest to the largest value, of so many decades at most; one
// tick per decade where there are several.
report.decades = (smallest, largest, most) => {
  const [low, high] = [Math.log10(smallest), Math.log10(largest)];
  const range = [Math.max(low, high - most) - 0.15, high + 0.15];
  return range[1] - range[0] > 1.5 ? { range, dtick: Math.ceil((range[1] - range[0]) / 9) } : { range };
};

// A control with its label, put into a form.
report.labelled = (form, text, control) => {
  const label = document.createElement("label");
  if (control.type === "checkbox") label.append(control, text);
  else label.append(text, control);
  form.append(label);
  return control;
};

report.choice = (form, text, names, chosen) => {
  const control = document.createElement("select");
  names.forEach((name, number) => control.append(new Option(name, number, false, number === chosen)));
  return report.labelled(form, text, control);
};

report.tick = (form, text, checked) => {
  const control = document.createElement("input");
  control.type = "checkbox";
  control.checked = checked;
  return report.labelled(form, text, control);
};

report.entry = (form, text, type, settings) => {
  const control = document.createElement("input");
  control.type = type;
  Object.assign(control, settings);
  return report.labelled(form, text, control);
};

// A group of ticks under one heading.
report.ticks = (form, heading, names, checked) => {
  const group = document.createElement("fieldset");
  const legend = document.createElement("legend");
  const inner = document.createElement("div");
  legend.textContent = heading;
  group.append(legend, inner);
  form.append(group);
  return names.map((name, number) => report.tick(inner, name, checked(number)));
};

// What a plot shows now.
report.shown = (id) => document.querySelector(`#${id} .drawing`).data;

report.places = (place) => ({
  form: place.querySelector(".controls"),
  drawing: place.querySelector(".drawing"),
  note: place.querySelector(".note"),
});
