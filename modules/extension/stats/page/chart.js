/* chart.js - lines over the last minutes. */
const SPANS_MIN = [1, 2, 5]; /* that the axis of time may have */
const SPAN_MS = 60000 * SPANS_MIN.at(-1);
const GAP_MS = 4500; /* without an answer: the line ends */
const LEFT = 58;     /* of what the axis says */

/* The least of 2, 4, 6, 8, 10, 20, ... that is not below n. */
function niceTop(n, least) {
	let ten = least / 2;

	if (n <= least)
		return least;
	while (ten * 10 < n)
		ten *= 10;
	return [2, 4, 6, 8, 10].find((k) => k * ten >= n) * ten;
}

function element(like, name, attributes) {
	const e = document.createElementNS(like.namespaceURI, name);

	for (const [key, value] of Object.entries(attributes))
		e.setAttribute(key, value);
	return e;
}

/* One of lines: [{ key, name }, maybe a second]; text makes words of a value;
 * least is the lowest top of the axis. */
class Chart {
	constructor(id, lines, text, least) {
		this.figure = document.getElementById(id);
		this.svg = this.figure.querySelector('svg');
		this.title = this.figure.querySelector('h2').textContent;
		this.lines = lines;
		this.text = text;
		this.least = least;
		this.points = [];
		this.cursor = null;
		this.values = lines.map((line, i) => this.legend(line, i));
		this.svg.addEventListener('pointermove', (e) => {
			this.cursor = e.offsetX;
			this.draw();
		});
		this.svg.addEventListener('pointerleave', () => {
			this.cursor = null;
			this.draw();
		});
		new ResizeObserver(() => this.draw()).observe(this.svg);
	}

	legend(line, i) {
		const box = document.createElement('div');
		const name = document.createElement('dt');
		const value = document.createElement('dd');

		name.textContent = line.name;
		name.className = this.lines.length === 1 ? 'only' :
			['first', 'second'][i];
		box.append(name, value);
		this.figure.querySelector('dl').append(box);
		return value;
	}

	show(points) {
		this.points = points;
		this.draw();
	}

	draw() {
		const width = this.svg.clientWidth, height = this.svg.clientHeight;
		const end = this.points.length === 0 ? 0 : this.points.at(-1).at;
		const known = this.points.flatMap((p) =>
			this.lines.map((line) => p[line.key]))
			.filter((n) => n !== null);
		const top = niceTop(Math.max(0, ...known), this.least);

		if (width === 0)
			return;
		this.minutes = SPANS_MIN.find((n) => this.points.length === 0 ||
			end - this.points[0].at <= 60000 * n) || SPANS_MIN.at(-1);
		this.x = (at) => LEFT + (width - LEFT - 2) *
			(1 - (end - at) / 60000 / this.minutes);
		this.y = (n) => height - 20 - (height - 30) * n / top;
		this.svg.replaceChildren(...this.axis(top, width, height),
			...this.lines.flatMap((line, i) => this.line(line, i)),
			...this.marked(height));
		this.describe(known);
	}

	axis(top, width, height) {
		const text = (x, y, anchor, words) => {
			const e = element(this.svg, 'text',
				{ x, y, 'text-anchor': anchor });

			e.textContent = words;
			return e;
		};

		return [0, top / 2, top].flatMap((n) => [
			element(this.svg, 'line', { class: 'grid', x1: LEFT,
				x2: width, y1: this.y(n), y2: this.y(n) }),
			text(LEFT - 8, this.y(n) + 4, 'end', this.text(n)),
		]).concat(text(LEFT, height - 4, 'start', this.minutes + ' min ago'),
			text(width, height - 4, 'end', 'now'));
	}

	/* Pieces of points without a gap. */
	pieces(key) {
		const pieces = [];
		let last = null;

		for (const p of this.points) {
			if (p[key] === null) {
				last = null;
				continue;
			}
			if (last === null || p.at - last > GAP_MS)
				pieces.push([]);
			pieces.at(-1).push(p);
			last = p.at;
		}
		return pieces;
	}

	line(line, i) {
		const at = (p) => this.x(p.at).toFixed(1) + ' ' +
			this.y(p[line.key]).toFixed(1);
		const pieces = this.pieces(line.key);
		const d = pieces.map((piece) => 'M' + piece.map(at).join('L') +
			(piece.length === 1 ? 'l0 0' : '')).join('');
		const paths = [element(this.svg, 'path',
			{ class: ['first', 'second'][i], d })];

		if (this.lines.length === 1)
			paths.unshift(element(this.svg, 'path', { class: 'area',
				d: pieces.map((piece) => 'M' +
					this.x(piece[0].at).toFixed(1) + ' ' +
					this.y(0) + 'L' +
					piece.map(at).join('L') + 'L' +
					this.x(piece.at(-1).at).toFixed(1) +
					' ' + this.y(0) + 'z').join('') }));
		return paths;
	}

	/* Where the pointer is, and what the figures were then. */
	marked(height) {
		const far = (p) => Math.abs(this.x(p.at) - this.cursor);
		const last = this.points.at(-1);
		const point = this.cursor === null ? last :
			this.points.reduce((a, b) => far(b) < far(a) ? b : a, last);

		this.lines.forEach((line, i) => {
			this.values[i].textContent = this.text(
				point === undefined ? null : point[line.key]);
		});
		if (this.cursor === null || point === undefined)
			return [];
		const x = this.x(point.at);
		const words = element(this.svg, 'text', { y: 10, x: x + 5,
			'text-anchor': 'start' });

		if (x > this.svg.clientWidth - 80) {
			words.setAttribute('text-anchor', 'end');
			words.setAttribute('x', x - 5);
		}
		words.textContent = point === last ? 'now' :
			ageText(last.at - point.at) + ' ago';
		return [element(this.svg, 'line', { class: 'cursor', x1: x, x2: x,
			y1: 0, y2: height - 20 }), words];
	}

	/* The picture in words. */
	describe(known) {
		const words = this.lines.map((line) => {
			const all = this.points.map((p) => p[line.key])
				.filter((n) => n !== null);

			if (all.length === 0)
				return '';
			return ' ' + line.name + ': now ' +
				this.text(this.points.at(-1)[line.key]) +
				', between ' + this.text(Math.min(...all)) +
				' and ' + this.text(Math.max(...all)) + '.';
		});

		this.svg.setAttribute('aria-label', this.title +
			', the last ' + plural(this.minutes, 'minute') + '.' +
			(known.length === 0 ? ' No figures yet.' : words.join('')));
	}
}
