// Quantities along the depth at the states of a run, layer by layer.
report.profiles = (place, table) => {
  const { form, drawing, note } = report.places(place);
  const depth = report.unpacked(table.depth);
  const values = table.values.map((state) => state.map(report.unpacked));
  const quantity = report.choice(form, "quantity", table.names, 0);
  const change = report.tick(form, "change since the first state", false);
  const logarithmic = report.tick(form, "logarithmic", false);
  const labels = table.states.map((one) => one.label);
  const named = table.states.map((one) => one.name !== "");
  const ends = [0, labels.length - 1];
  const few = named.filter(Boolean).length;
  const states = report.ticks(form, "states", labels, (n) => (few > 0 && few < 7 ? named[n] : ends.includes(n)));

  // Layers are apart by a point without a value, so that no line joins the sides of an interface.
  function apart(array) {
    const parts = [];
    for (let k = 0; k + 1 < table.starts.length; k++) {
      parts.push(...array.subarray(table.starts[k], table.starts[k + 1]), NaN);
    }
    return parts;
  }

  function seen(number) {
    const own = values[number][quantity.value];
    const start = values[0][quantity.value];
    const shown = change.checked ? own.map((one, k) => one - start[k]) : own;
    return logarithmic.checked ? shown.map((one) => (one === 0 ? NaN : Math.abs(one))) : shown;
  }

  function line(number, order) {
    return {
      type: "scatter",
      mode: "lines",
      x: apart(depth),
      y: apart(seen(number)),
      name: report.plain(labels[number]),
      connectgaps: false,
      line: {
        color: report.stateColors[order % 5],
        dash: report.stateDashes[(order + Math.floor(order / 5)) % 5],
        width: 1.8,
      },
      hovertemplate: `depth: %{x:.5g} nm<br>%{y:.5g}<extra>${report.plain(labels[number])}</extra>`,
    };
  }

  function shades() {
    return table.layers.map((layer, k) => ({
      type: "rect", xref: "x", yref: "paper", x0: layer.top, x1: layer.bottom, y0: 0, y1: 1,
      fillcolor: k % 2 ? "#fff" : "#f0f0f0", line: { width: 0.8, color: "#999" }, layer: "below",
    }));
  }

  // Names of the layers that have room for them.
  function names() {
    const whole = table.layers[table.layers.length - 1].bottom - table.layers[0].top;
    const room = (drawing.clientWidth - 120) / whole;
    return table.layers.filter((one) => (one.bottom - one.top) * room > 9 * one.name.length).map((one) => ({
      x: 0.5 * (one.top + one.bottom), y: 1.0, xref: "x", yref: "paper", yanchor: "bottom",
      text: report.plain(one.name), showarrow: false,
    }));
  }

  function draw() {
    const chosen = states.flatMap((one, number) => (one.checked ? [number] : []));
    const name = (change.checked ? "change of " : "") + table.names[quantity.value];
    const lines = chosen.map(line);
    const scale = logarithmic.checked
      ? { type: "log", title: { text: report.plain(`|${name}|`) }, ...twentyDecades(lines) } : {};
    Plotly.react(drawing, lines, report.layout({
      xaxis: report.axis("depth below the top electrode [nm]", { showgrid: false }),
      yaxis: report.axis(name, scale),
      shapes: shades(),
      annotations: names(),
      margin: { l: 76, r: 16, t: 56, b: 56 },
      showlegend: chosen.length > 0,
      legend: { orientation: "h", yref: "container", y: 0, yanchor: "bottom", x: 0 },
      uirevision: `${quantity.value} ${change.checked} ${logarithmic.checked}`,
    }), report.config);
  }

  quantity.addEventListener("input", () => {
    logarithmic.checked = table.names[quantity.value].endsWith("[m^-3]") && !change.checked;
  });
  note.textContent = table.note;
  form.addEventListener("input", draw);
  draw();
};

// Carriers in an insulator reach densities without meaning.
function twentyDecades(lines) {
  const all = lines.flatMap((line) => line.y).filter((one) => one > 0);
  if (!all.length) return {};
  const [low, high] = [all.reduce((a, b) => Math.min(a, b)), all.reduce((a, b) => Math.max(a, b))];
  return report.decades(low, high, 20);
}
