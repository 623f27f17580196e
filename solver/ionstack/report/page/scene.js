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
  const state = report.choice(form, "state", scene.states, 0);
  const height = report.entry(form, "height of the stack", "range", { min: 0.05, max: 1.5, step: 0.05, value: 0.45 });
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
      lighting: { ambient: 0.85, diffuse: 0.25, specular: 0, roughness: 1 },
      hovertemplate: hover(layer, values),
    };
  }

  function colorbar() {
    return { title: { text: report.plain(scene.names[quantity.value]), side: "right" }, thickness: 14, len: 0.8 };
  }

  function hover(layer, values) {
    const held = values === null ? "" : `<br>${report.plain(scene.names[quantity.value])}: %{intensity:.5g}`;
    return `x: %{x:.4g} µm, y: %{y:.4g} µm<br>depth: %{z:.5g} nm${held}<extra>${report.plain(layer.name)}</extra>`;
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
    return { title: { text: title }, gridcolor: "#ddd", backgroundcolor: "#fff", zeroline: false, nticks: 5, ...changes };
  }

  function draw() {
    const share = Number(height.value);
    const stretch = (share * scene.width) / scene.depth;
    Plotly.react(drawing, [...bodies(), ...layers.map(edges)], report.layout({
      margin: { l: 0, r: 0, t: 0, b: 0 },
      scene: {
        xaxis: axis("x [µm]"),
        yaxis: axis("y [µm]"),
        zaxis: axis("depth [nm]", { autorange: "reversed" }),
        aspectmode: "manual",
        aspectratio: { x: 1, y: scene.aspect, z: share },
        camera: { eye: { x: 1.25, y: -1.25, z: 0.75 }, center: { x: 0, y: 0, z: -0.08 } },
      },
      uirevision: "view",
    }), report.config);
    note.textContent = `The depth is drawn ${Number(stretch.toPrecision(3))} times larger than the lateral lengths. A quarter is cut away. Layers that do not hold what is shown are grey.`;
  }

  form.addEventListener("input", draw);
  draw();
};
