// Draws the first page's plots in the colours of the theme, and looks again while files are on their way in.
"use strict";

const colours = ["--plot-1", "--plot-2", "--plot-3"];
const charts = [];

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function draw(canvas) {
  const { days, series } = JSON.parse(document.getElementById(canvas.dataset.plot).textContent);
  const datasets = series.map((entry, index) => ({ ...entry, backgroundColor: colour(colours[index]), borderRadius: 3 }));
  const grid = { color: colour("--hairline-color") };
  const ticks = { color: colour("--body-quiet-color") };
  charts.push(new Chart(canvas, {
    type: "bar",
    data: { labels: days, datasets },
    options: {
      animation: false,
      maintainAspectRatio: false,
      plugins: { legend: { display: series.length > 1, labels: { color: colour("--body-fg"), boxWidth: 12 } } },
      scales: {
        x: { stacked: true, grid: { display: false }, ticks },
        y: { stacked: true, beginAtZero: true, grid, ticks: { ...ticks, precision: 0, maxTicksLimit: 5 } },
      },
    },
  }));
}

function drawAll() {
  charts.splice(0).forEach((chart) => chart.destroy());
  document.querySelectorAll("canvas[data-plot]").forEach(draw);
}

async function lookAgain() {
  const panel = document.getElementById("panel-batches");
  if (!panel || !panel.querySelector("progress")) return;
  const answer = await fetch(location.href);
  if (answer.ok) {
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("panel-batches");
    if (fresh) panel.replaceWith(fresh);
  }
  setTimeout(lookAgain, 5000);
}

drawAll();
new MutationObserver(drawAll).observe(document.documentElement, { attributeFilter: ["data-theme"] });
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
setTimeout(lookAgain, 5000);
