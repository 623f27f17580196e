// Columns of a table against each other: axes to choose, cycles to choose, logarithmic sizes.
report.curves = (place, table) => {
  const { form, drawing, note } = report.places(place);
  const columns = table.columns.map(report.unpacked);
  const groups = table.group === null ? null : columns[table.names.indexOf(table.group)];
  const numbers = groups === null ? [] : [...new Set(groups)].filter((n) => n > 0).sort((a, b) => a - b);
  const x = report.choice(form, "across", table.names, table.names.indexOf(table.x));
  const y = report.choice(form, "up", table.names, table.names.indexOf(table.y));
  const logarithmic = report.tick(form, "logarithmic size", table.logarithmic);
  const range = numbers.length > 1 ? cycleControls(form, numbers) : null;

  // Cycles as parts of the rows; a cycle begins with the row before it.
  function parts() {
    if (!numbers.length) return [{ name: "", color: report.stateColors[1], rows: [0, columns[0].length] }];
    const found = [];
    let start = 0;
    for (let row = 1; row <= groups.length; row++) {
      if (row === groups.length || groups[row] !== groups[start]) {
        found.push({ number: groups[start], rows: [Math.max(start - 1, 0), row] });
        start = row;
      }
    }
    return found.filter((part) => shown(part.number)).map((part) => ({
      ...part,
      name: part.number > 0 ? `cycle ${part.number}` : "outside cycles",
      color: part.number > 0 ? report.cycleColor(share(part.number)) : "#bbb",
    }));
  }

  function share(number) {
    return numbers.length > 1 ? numbers.indexOf(number) / (numbers.length - 1) : 0;
  }

  function shown(number) {
    if (range === null) return true;
    if (number <= 0) return range.outside.checked;
    const [first, last, every] = [range.first, range.last, range.every].map((one) => Number(one.value));
    return number >= first && number <= last && (number - first) % Math.max(every, 1) === 0;
  }

  function line(part) {
    const [across, up] = [columns[x.value], columns[y.value]].map((one) => one.subarray(...part.rows));
    const sizes = logarithmic.checked ? up.map((one) => (one === 0 ? NaN : Math.abs(one))) : up;
    return {
      type: "scatter",
      mode: table.points ? "markers" : numbers.length || columns[0].length > 60 ? "lines" : "lines+markers",
      x: across,
      y: sizes,
      line: { color: part.color, width: 1.6 },
      name: report.plain(part.name),
      hovertemplate: hover(part),
    };
  }

  function hover(part) {
    const [across, up] = [x, y].map((one) => report.plain(table.names[one.value]));
    return `${across}: %{x:.5g}<br>${up}: %{y:.5g}<extra>${report.plain(part.name)}</extra>`;
  }

  function draw() {
    const name = table.names[y.value];
    const lines = parts().map(line);
    const scale = numbers.length > 1 ? [cycleScale(numbers)] : [];
    const vertical = logarithmic.checked ? { type: "log", title: { text: report.plain(`|${name}|`) } } : {};
    Plotly.react(drawing, [...lines, ...scale], report.layout({
      xaxis: report.axis(table.names[x.value], {}),
      yaxis: report.axis(name, { ...vertical, ...visibleDecades(lines, logarithmic.checked) }),
      uirevision: `${x.value} ${y.value} ${logarithmic.checked}`,
    }), report.config);
  }

  note.textContent = table.note;
  form.addEventListener("input", draw);
  draw();
};

function cycleControls(form, numbers) {
  const last = numbers[numbers.length - 1];
  const settings = { min: numbers[0], max: last, step: 1 };
  return {
    first: report.entry(form, "cycles from", "number", { ...settings, value: numbers[0] }),
    last: report.entry(form, "to", "number", { ...settings, value: last }),
    every: report.entry(form, "every", "number", { min: 1, step: 1, value: Math.ceil(numbers.length / 40) }),
    outside: report.tick(form, "what is outside cycles", true),
  };
}

// A curve without points that carries the colours of the cycles.
function cycleScale(numbers) {
  const colors = [...Array(9).keys()].map((k) => [k / 8, report.cycleColor(k / 8)]);
  const bar = { title: { text: "cycle" }, thickness: 12, len: 0.9, outlinewidth: 0, dtick: Math.ceil(numbers.length / 8) };
  const marker = { color: [numbers[0]], cmin: numbers[0], cmax: numbers[numbers.length - 1], colorscale: colors, colorbar: bar, showscale: true };
  return { type: "scatter", mode: "markers", x: [null], y: [null], marker, hoverinfo: "skip" };
}

// Eight decades below the largest value: the crossing of zero itself reaches none.
function visibleDecades(lines, logarithmic) {
  if (!logarithmic) return {};
  let [low, high] = [Infinity, 0];
  for (const line of lines) for (const one of line.y) {
    if (one > high) high = one;
    if (one > 0 && one < low) low = one;
  }
  if (high === 0) return {};
  return report.decades(low, high, 8);
}
