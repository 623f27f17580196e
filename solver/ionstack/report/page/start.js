// Every plot is drawn when it comes into sight, and says so.
function drawPlot(place) {
  if (place.dataset.drawn) return;
  try {
    report[place.dataset.kind](place, report.data[place.id]);
    place.dataset.drawn = "yes";
    keepPicture(place);
  } catch (error) {
    place.dataset.drawn = "failed";
    place.querySelector(".note").textContent = `This plot cannot be drawn here: ${error.message}`;
  }
}

// Paper has another width, and what the graphics card draws is not printed: a picture is.
function keepPicture(place) {
  const drawing = place.querySelector(".drawing");
  const picture = new Image();
  picture.className = "printed";
  picture.alt = drawing.getAttribute("aria-label");
  let waiting = 0;
  async function take() {
    const { clientWidth: width, clientHeight: height } = drawing;
    picture.src = await Plotly.toImage(drawing, { format: "svg", width, height });
    if (!picture.parentNode) place.insertBefore(picture, drawing);
  }
  function later() {
    clearTimeout(waiting);
    waiting = setTimeout(take, 1000);
  }
  drawing.on("plotly_afterplot", later);
  later();
}

const inSight = new IntersectionObserver((entries) => {
  for (const entry of entries) if (entry.isIntersecting) drawPlot(entry.target);
}, { rootMargin: "300px" });

document.querySelectorAll(".plot").forEach((place) => {
  place.querySelector("form").addEventListener("submit", (event) => event.preventDefault());
  inSight.observe(place);
});

addEventListener("beforeprint", () => {
  document.querySelectorAll("details").forEach((one) => (one.open = true));
  document.querySelectorAll(".plot").forEach(drawPlot);
});
