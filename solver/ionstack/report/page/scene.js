// The layers as surfaces: to be turned, hidden, coloured by what they hold.
report.scene = (place, scene) => {
  const { form, drawing, note } = report.places(place);
  const layers = scene.layers.map((layer) => ({
    ...layer,
    x: report.unpacked(layer.x), y: report.unpacked(layer.y), z: report.unpacked(layer.z),
    triangles: layer.triangles.map(report.unpacked),
    edges: Object.fromEntries(Object.entries(layer.edges).map(([axis, one]) => [axis, report.unpacked(one)])),
    values: layer.values.map((states) => states.map((one) => (one === null ? null : report.unpacked(one)))),
  }));
  const quantity = report.choice(form, "colour", [...scene.names, "layers"], 0);
  const state = report.choice(form, "state", scene.states, scene.states.length - 1);
  const height = report.entry(form, "height of the stack", "range", { min: 0.05, max: 1.5, step: "any", value: Math.max(0.45, Math.min(scene.depth / scene.width, 1.5)) });
  // What is high or in a narrow window is looked at from further away.
  const slim = (1.3 * drawing.clientHeight) / drawing.clientWidth;
  const narrow = slim > 1;
  const away = Math.max(1, slim) * (0.55 + Number(height.value));
  // Away from the corners, where the labels of two axes would meet.
  const tick = Number((0.25 * scene.width * (scene.unit === "nm" ? 1e9 : 1e6)).toPrecision(1));
  const lateralTicks = [-tick, 0, tick];
  const visible = report.ticks(form, "layers", layers.map((layer) => layer.name), () => true);

  function body(layer, number, bar) {
    const values = layer.values[quantity.value]?.[state.value] ?? null;
    const [i, j, k] = layer.triangles;
    const colored = values === null
      ? { color: Number(quantity.value) < scene.names.length ? "#c8c8c8" : layer.color }
      : { intensity: values, cmin: scene.limits[quantity.value][0], cmax: scene.limits[quantity.value][1],
          colorscale: "Viridis", showscale: bar, colorbar: colorbar() };
    return {
      type: "mesh3d", x: layer.x, y: layer.y, z: layer.z, i, j, k, ...colored,
      visible: visible[number].checked,
      name: report.plain(layer.name),
      flatshading: true,
      lighting: { ambient: 1, diffuse: 0, specular: 0, fresnel: 0 },
      hovertemplate: hover(layer, values),
    };
  }

  function colorbar() {
    const place = narrow ? { orientation: "h", y: 0, yanchor: "bottom" } : { len: 0.8 };
    const title = { text: report.plain(scene.names[quantity.value]), side: narrow ? "top" : "right" };
    return { title, thickness: 14, ...place };
  }

  function hover(layer, values) {
    const held = values === null ? "" : `<br>${report.plain(scene.names[quantity.value])}: %{intensity:.5g}`;
    return `x: %{x:.4g} ${scene.unit}, y: %{y:.4g} ${scene.unit}<br>depth: %{z:.5g} nm${held}<extra>${report.plain(layer.name)}</extra>`;
  }

  function edges(layer, number) {
    return {
      type: "scatter3d", mode: "lines", ...layer.edges, visible: visible[number].checked,
      line: { color: "#222", width: 2 }, hoverinfo: "skip", connectgaps: false,
    };
  }

  function bodies() {
    let bar = true;
    return layers.map((layer, number) => {
      const drawn = body(layer, number, bar && visible[number].checked);
      if (drawn.showscale) bar = false;
      return drawn;
    });
  }

  function axis(title, changes) {
    return { title: { text: title }, gridcolor: "#ddd", backgroundcolor: "#fff", zeroline: false, ...changes };
  }

  function draw() {
    const share = Number(height.value);
    const stretch = (share * scene.width) / scene.depth;
    Plotly.react(drawing, [...bodies(), ...layers.map(edges)], report.layout({
      margin: { l: 0, r: 0, t: 0, b: 0 },
      scene: {
        xaxis: axis(`x [${scene.unit}]`, { tickvals: lateralTicks }),
        yaxis: axis(`y [${scene.unit}]`, { tickvals: lateralTicks }),
        zaxis: axis("depth [nm]", { autorange: "reversed", nticks: 5 }),
        aspectmode: "manual",
        aspectratio: { x: 1, y: scene.aspect, z: share },
        camera: { eye: { x: away, y: -away, z: 0.65 * away }, center: { x: 0, y: 0, z: -0.06 } },
      },
      uirevision: "view",
    }), report.config);
    const scale = Math.abs(stretch - 1) < 0.005
      ? "Depth and width are drawn to one scale."
      : `Against the width the depth is stretched ${Number(stretch.toPrecision(3))} times.`;
    note.textContent = `${scale} A quarter is cut away. Layers that do not hold what is shown are grey. ${scene.note}`;
  }

  form.addEventListener("input", draw);
  draw();
};
