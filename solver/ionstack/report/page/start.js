// Every plot is drawn when it comes into sight, and says so.
function drawPlot(place) {
  if (place.dataset.drawn) return;
  try {
    report[place.dataset.kind](place, report.data[place.id]);
    place.dataset.drawn = "yes";
  } catch (error) {
    place.dataset.drawn = "failed";
    place.querySelector(".note").textContent = `This plot cannot be drawn here: ${error.message}`;
  }
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
