"use strict";
(() => {
  const { points } = JSON.parse(document.getElementById("data").textContent);
  const { labels, panels, numbers } = points;
  const count = numbers.length;

  // The scale of the loss.
  const log = document.getElementById("log");
  log?.addEventListener("click", () => {
    const pressed = log.getAttribute("aria-pressed") !== "true";
    log.setAttribute("aria-pressed", pressed);
    for (const figure of document.querySelectorAll("#loss figure")) {
      figure.hidden = figure.classList.contains("log") !== pressed;
    }
  });

  // Colours come from the style sheet, which knows of dark mode.
  const style = (name, property) => {
    const probe = document.createElement("i");
    probe.className = name;
    document.body.append(probe);
    const value = getComputedStyle(probe)[property];
    probe.remove();
    return value;
  };

  const decode = (axis) => {
    const bytes = Uint8Array.from(atob(axis.values), (character) => character.charCodeAt(0));
    return Float64Array.from(new Uint16Array(bytes.buffer), (steps) => axis.low + axis.step * steps);
  };

  const significant = (value) => Number(value.toPrecision(4)).toString();

  /** Round numbers from low to high. */
  const ticks = (low, high) => {
    const rough = (high - low) / 5;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].find((times) => times * power >= rough) * power;
    const all = [];
    for (let index = Math.ceil(low / step); index * step <= high; index++) all.push(Number((index * step).toPrecision(12)));
    return all;
  };

  let chosenRow = -1;
  let onlyClass = -1;

  class Panel {
    constructor(panel, index) {
      this.panel = panel;
      this.axes = panel.axes.map((axis) => ({ name: axis.name, values: decode(axis) }));
      this.canvas = document.getElementById(`codes-${index}`);
      this.chosen = [0, Math.min(1, this.axes.length - 1)];
      if (this.axes.length > 2) this.addChoice();
      this.canvas.addEventListener("pointermove", (event) => this.point(event));
      this.canvas.addEventListener("pointerdown", (event) => this.point(event));
      this.canvas.addEventListener("keydown", (event) => this.key(event));
      new ResizeObserver(() => this.draw()).observe(this.canvas);
    }

    /** Two lists to choose the axes from. */
    addChoice() {
      const place = this.canvas.parentElement.querySelector(".axes");
      ["across", "up"].forEach((way, which) => {
        const select = document.createElement("select");
        select.setAttribute("aria-label", `${this.panel.name}: ${way}`);
        this.axes.forEach((axis, index) => select.add(new Option(axis.name, index)));
        select.value = this.chosen[which];
        select.addEventListener("change", () => {
          this.chosen[which] = Number(select.value);
          this.draw();
        });
        place.append(select, " ");
      });
    }

    draw() {
      const { canvas } = this;
      const ratio = window.devicePixelRatio || 1;
      const [width, height] = [canvas.clientWidth, canvas.clientHeight];
      if (!width || !height) return;
      canvas.width = width * ratio;
      canvas.height = height * ratio;
      const context = canvas.getContext("2d");
      context.scale(ratio, ratio);
      const box = { left: 52, right: width - 8, top: 8, bottom: height - 40 };
      const range = this.chosen.map((axis) => {
        let [low, high] = [Infinity, -Infinity];
        for (const value of this.axes[axis].values) {
          low = Math.min(low, value);
          high = Math.max(high, value);
        }
        const room = high > low ? 0.04 * (high - low) : 0.5;
        return [low - room, high + room];
      });
      this.x = (value) => box.left + ((value - range[0][0]) / (range[0][1] - range[0][0])) * (box.right - box.left);
      this.y = (value) => box.bottom - ((value - range[1][0]) / (range[1][1] - range[1][0])) * (box.bottom - box.top);
      this.drawAxes(context, box, range);
      const [across, up] = this.chosen.map((axis) => this.axes[axis].values);
      const radius = count > 3000 ? 1.6 : 2.4;
      labels.names.forEach((_, index) => {
        if (onlyClass >= 0 && onlyClass !== index) return;
        context.fillStyle = style(labels.colours[index], "fill");
        context.globalAlpha = 0.75;
        for (let row = 0; row < count; row++) {
          if (labels.of_row[row] !== index) continue;
          const [x, y] = [this.x(across[row]), this.y(up[row])];
          if (labels.squares[index]) {
            context.fillRect(x - radius, y - radius, 2 * radius, 2 * radius);
          } else {
            context.beginPath();
            context.arc(x, y, radius, 0, 7);
            context.fill();
          }
        }
      });
      context.globalAlpha = 1;
      if (chosenRow >= 0) {
        context.strokeStyle = getComputedStyle(document.body).color;
        context.lineWidth = 2;
        context.beginPath();
        context.arc(this.x(across[chosenRow]), this.y(up[chosenRow]), 6, 0, 7);
        context.stroke();
      }
    }

    drawAxes(context, box, range) {
      context.font = "12px system-ui, sans-serif";
      context.fillStyle = context.strokeStyle = getComputedStyle(document.body).color;
      context.globalAlpha = 0.8;
      context.beginPath();
      context.moveTo(box.left, box.top);
      context.lineTo(box.left, box.bottom);
      context.lineTo(box.right, box.bottom);
      context.stroke();
      context.textAlign = "center";
      for (const tick of ticks(...range[0])) context.fillText(significant(tick), this.x(tick), box.bottom + 15);
      context.fillText(this.axes[this.chosen[0]].name, (box.left + box.right) / 2, box.bottom + 33);
      context.textAlign = "right";
      for (const tick of ticks(...range[1])) context.fillText(significant(tick), box.left - 5, this.y(tick) + 4);
      context.save();
      context.translate(11, (box.top + box.bottom) / 2);
      context.rotate(-Math.PI / 2);
      context.textAlign = "center";
      context.fillText(this.axes[this.chosen[1]].name, 0, 0);
      context.restore();
      context.globalAlpha = 1;
    }

    /** Chooses the row that is nearest to the pointer. */
    point(event) {
      const [across, up] = this.chosen.map((axis) => this.axes[axis].values);
      let [nearest, distance] = [-1, 400];
      for (let row = 0; row < count; row++) {
        if (onlyClass >= 0 && labels.of_row[row] !== onlyClass) continue;
        const [x, y] = [this.x(across[row]) - event.offsetX, this.y(up[row]) - event.offsetY];
        if (x * x + y * y < distance) [nearest, distance] = [row, x * x + y * y];
      }
      if (nearest >= 0) choose(nearest);
    }

    /** Goes from row to row. */
    key(event) {
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      if (!step) return;
      event.preventDefault();
      let row = chosenRow;
      for (let tries = 0; tries < count; tries++) {
        row = (row + step + count) % count;
        if (onlyClass < 0 || labels.of_row[row] === onlyClass) break;
      }
      choose(row);
    }
  }

  const element = (name, text, parent) => {
    const made = document.createElement(name);
    made.textContent = text;
    parent?.append(made);
    return made;
  };

  const sprite = new Image();
  if (points.rows.sprite) sprite.src = points.rows.sprite;

  /** Shows a row: its image or its cells, its label, and its error by each model. */
  const show = (row) => {
    const place = document.getElementById("row");
    place.replaceChildren();
    const label = labels.title ? `, ${labels.title} ${labels.names[labels.of_row[row]]}` : "";
    element("p", `Row ${numbers[row].toLocaleString("en")}${label}${points.held_out[row] ? ", held out" : ""}`, place);
    const { rows } = points;
    if (row < rows.count && rows.sprite) {
      const canvas = element("canvas", "", place);
      [canvas.width, canvas.height] = [rows.width, rows.height];
      canvas.style.aspectRatio = `${rows.width} / ${rows.height}`;
      canvas.setAttribute("role", "img");
      canvas.setAttribute("aria-label", `the image of row ${numbers[row]}`);
      const [left, top] = [(row % rows.in_line) * rows.width, Math.floor(row / rows.in_line) * rows.height];
      canvas.getContext("2d").drawImage(sprite, left, top, rows.width, rows.height, 0, 0, rows.width, rows.height);
    } else if (row < rows.count) {
      const table = element("table", "", place);
      rows.columns.slice(0, 12).forEach((column, index) => {
        const line = table.insertRow();
        line.insertCell().textContent = column;
        line.insertCell().textContent = rows.cells[row][index];
      });
    }
    for (const panel of panels) element("p", `error by ${panel.name}: ${panel.errors[row]}`, place);
  };

  const drawn = panels.map((panel, index) => new Panel(panel, index));
  const drawAll = () => drawn.forEach((panel) => panel.draw());

  const choose = (row) => {
    if (row === chosenRow) return;
    chosenRow = row;
    show(row);
    drawAll();
  };

  // The legend: press a label to see it alone, and again to see all.
  const legend = document.getElementById("legend");
  if (labels.title) {
    labels.names.forEach((name, index) => {
      const button = element("button", "", legend);
      button.type = "button";
      button.setAttribute("aria-pressed", "false");
      const swatch = element("span", "", button);
      swatch.className = `swatch ${labels.squares[index] ? "is-square" : ""}`;
      swatch.dataset.colour = labels.colours[index];
      button.append(name);
      button.addEventListener("click", () => {
        onlyClass = onlyClass === index ? -1 : index;
        [...legend.children].forEach((other, place) => other.setAttribute("aria-pressed", place === onlyClass));
        drawAll();
      });
    });
  }
  const paint = () => {
    for (const swatch of legend.querySelectorAll(".swatch")) swatch.style.background = style(swatch.dataset.colour, "fill");
    drawAll();
  };
  paint();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", paint);
})();
